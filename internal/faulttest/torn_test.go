package faulttest

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"

	"github.com/usermgmt-go/usermgmt/store"
)

// torn is a store whose units check first and act later, as careless ones do:
// what a unit reads and decides by is of one moment, what it writes happens at
// another, and tramples over whatever came between.
type torn struct {
	store.Store
	deciding atomic.Int32 // units that have begun and not yet written
}

func (s *torn) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	s.deciding.Add(1)
	x := &tornTx{tx: tx{reader: reader{tap: &tap{}, unit: update}}}
	err := s.View(ctx, realm, func(r store.Reader) error {
		x.r = r
		return fn(x)
	})
	for range 1000 { // wait for another one to decide on the same grounds
		if s.deciding.Load() > 1 {
			break
		}
		runtime.Gosched()
	}
	s.deciding.Add(-1)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, realm, func(t store.Tx) error {
		for _, write := range x.writes {
			err := write(t)
			if err != nil && !errors.Is(err, store.ErrExists) && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrUsed) {
				return err
			}
		}
		return nil
	})
}

// tornTx reads from a snapshot and keeps its writes for later. It has those
// methods that the races use; others panic.
type tornTx struct {
	tx
	writes []func(store.Tx) error
}

func (x *tornTx) later(write func(store.Tx) error) error {
	x.writes = append(x.writes, write)
	return nil
}

func (x *tornTx) Lock(context.Context, string) error { return nil }

func (x *tornTx) AppendEvent(ctx context.Context, e store.Event) error {
	return x.later(func(t store.Tx) error { return t.AppendEvent(ctx, e) })
}

func (x *tornTx) CreateUser(ctx context.Context, u store.User) error {
	if u.EmailKey != "" {
		if _, err := x.r.UserByEmail(ctx, u.EmailKey); err == nil {
			return &store.ExistsError{Field: "EmailKey"}
		}
	}
	return x.later(func(t store.Tx) error { return t.CreateUser(ctx, u) })
}

func (x *tornTx) UpdateUser(ctx context.Context, u store.User) error {
	return x.later(func(t store.Tx) error {
		now, err := t.User(ctx, u.ID)
		if err != nil {
			return err
		}
		u.Version = now.Version
		return t.UpdateUser(ctx, u)
	})
}

func (x *tornTx) DeleteUser(ctx context.Context, id store.UserID) error {
	return x.later(func(t store.Tx) error { return t.DeleteUser(ctx, id) })
}

func (x *tornTx) PutCredential(ctx context.Context, c store.Credential) error {
	return x.later(func(t store.Tx) error { return t.PutCredential(ctx, c) })
}

func (x *tornTx) CreateVendor(ctx context.Context, v store.Vendor) error {
	return x.later(func(t store.Tx) error { return t.CreateVendor(ctx, v) })
}

func (x *tornTx) PutVendorSecret(ctx context.Context, v store.VendorSecret) error {
	return x.later(func(t store.Tx) error { return t.PutVendorSecret(ctx, v) })
}

func (x *tornTx) CreateOrganization(ctx context.Context, o store.Organization) error {
	return x.later(func(t store.Tx) error { return t.CreateOrganization(ctx, o) })
}

func (x *tornTx) CreateMembership(ctx context.Context, m store.Membership) error {
	if _, err := x.r.Membership(ctx, m.OrganizationID, m.UserID); err == nil {
		return &store.ExistsError{Field: "UserID"}
	}
	return x.later(func(t store.Tx) error { return t.CreateMembership(ctx, m) })
}

func (x *tornTx) UpdateMembership(ctx context.Context, m store.Membership) error {
	return x.later(func(t store.Tx) error {
		now, err := t.Membership(ctx, m.OrganizationID, m.UserID)
		if err != nil {
			return err
		}
		m.Version = now.Version
		return t.UpdateMembership(ctx, m)
	})
}

func (x *tornTx) DeleteMembership(ctx context.Context, org store.OrganizationID, user store.UserID) error {
	return x.later(func(t store.Tx) error { return t.DeleteMembership(ctx, org, user) })
}

func (x *tornTx) CreateSession(ctx context.Context, s store.Session) error {
	return x.later(func(t store.Tx) error { return t.CreateSession(ctx, s) })
}

func (x *tornTx) DeleteSession(ctx context.Context, id store.SessionID) error {
	return x.later(func(t store.Tx) error { return t.DeleteSession(ctx, id) })
}

func (x *tornTx) PutFailures(ctx context.Context, f store.Failures) error {
	return x.later(func(t store.Tx) error { return t.PutFailures(ctx, f) })
}

func (x *tornTx) DeleteFailures(ctx context.Context, key store.Digest) error {
	if _, err := x.r.Failures(ctx, key); err != nil {
		return err
	}
	return x.later(func(t store.Tx) error { return t.DeleteFailures(ctx, key) })
}

func (x *tornTx) CreateToken(ctx context.Context, k store.Token) error {
	return x.later(func(t store.Tx) error { return t.CreateToken(ctx, k) })
}

func (x *tornTx) UseToken(ctx context.Context, kind store.TokenKind, digest store.Digest, at store.Time) (store.Token, error) {
	k, err := x.r.Token(ctx, kind, digest)
	if err != nil {
		return k, err
	}
	if !k.UsedAt.IsZero() {
		return k, store.ErrUsed
	}
	return k, x.later(func(t store.Tx) error {
		_, err := t.UseToken(ctx, kind, digest, at)
		return err
	})
}
