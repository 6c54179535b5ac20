package memstore

import (
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

// A credential is kept as a record that never changes, in its user's row.

func (x *reader) Credential(ctx context.Context, of store.UserID) (store.Credential, error) {
	if err := x.ok(ctx); err != nil {
		return store.Credential{}, err
	}
	u := x.t.users[string(of)]
	if u == nil {
		return store.Credential{}, store.ErrNotFound
	}
	return found(u.cred, value)
}

func (x *reader) CredentialsByID(ctx context.Context, users []store.UserID) ([]store.Credential, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	return byID(users, func(id store.UserID) *store.Credential {
		if u := x.t.users[string(id)]; u != nil {
			return u.cred
		}
		return nil
	}, value)
}

func (x *tx) PutCredential(ctx context.Context, c store.Credential) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := c.Check(); err != nil {
		return err
	}
	u := x.t.users[string(c.UserID)]
	if u == nil {
		return store.ErrNotFound
	}
	version := int64(0)
	if u.cred != nil {
		version = u.cred.Version
	}
	if c.Version != version {
		return store.ErrStale
	}
	c.Version++
	c.Hash, c.UserID = own(c.Hash), own(c.UserID)
	x.setCredential(u, &c)
	return nil
}

func (x *tx) DeleteCredential(ctx context.Context, of store.UserID) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	u := x.t.users[string(of)]
	if u == nil || u.cred == nil {
		return store.ErrNotFound
	}
	x.setCredential(u, nil)
	return nil
}

func (x *tx) setCredential(u *user, c *store.Credential) {
	old := u.cred
	u.cred = c
	x.undo(func() { u.cred = old })
}
