package storetest

import (
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

func (u *modelUnit) Failures(ctx context.Context, key store.Digest) (store.Failures, error) {
	if err := u.ready(ctx); err != nil {
		return store.Failures{}, err
	}
	return at(u.failures, key)
}

func (u *modelUnit) PutFailures(ctx context.Context, f store.Failures) error {
	if err := u.begin(ctx, f); err != nil {
		return err
	}
	u.failures[f.Key] = f
	return nil
}

func (u *modelUnit) DeleteFailures(ctx context.Context, key store.Digest) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	_, err := at(u.failures, key)
	delete(u.failures, key)
	return err
}
