package memstore

import (
	"bytes"
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

// Counts of failures are kept as records that never change.

func compareFailuresExpiry(a, b *store.Failures) int {
	if c := a.ExpiresAt.Compare(b.ExpiresAt); c != 0 {
		return c
	}
	return bytes.Compare(a.Key[:], b.Key[:])
}

func (x *reader) Failures(ctx context.Context, key store.Digest) (store.Failures, error) {
	if err := x.ok(ctx); err != nil {
		return store.Failures{}, err
	}
	return found(x.t.failures[key], value)
}

func (x *tx) PutFailures(ctx context.Context, f store.Failures) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := f.Check(); err != nil {
		return err
	}
	t := x.t
	if old := t.failures[f.Key]; old != nil {
		x.deleteFailures(old)
	}
	t.addFailures(&f)
	x.undo(func() { t.dropFailures(&f) })
	return nil
}

func (x *tx) DeleteFailures(ctx context.Context, key store.Digest) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	f := x.t.failures[key]
	if f == nil {
		return store.ErrNotFound
	}
	x.deleteFailures(f)
	return nil
}

func (x *tx) deleteFailures(f *store.Failures) {
	t := x.t
	t.dropFailures(f)
	x.undo(func() { t.addFailures(f) })
}

func (t *tables) addFailures(f *store.Failures) {
	t.failures[f.Key] = f
	t.failuresByExpiry.Set(f)
}

func (t *tables) dropFailures(f *store.Failures) {
	t.failuresByExpiry.Delete(f)
	delete(t.failures, f.Key)
}
