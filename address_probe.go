package usermgmt

import (
	"context"
	"errors"
	"log/slog"

	"github.com/usermgmt-go/usermgmt/internal/identity"
	"github.com/usermgmt-go/usermgmt/store"
)

// probing runs an update of a user, who may give himself an address by it. That it
// is taken tells him that somebody has it, so he learns that of as many addresses as
// Throttle.Account lets him guess passwords: each is counted before. The update
// calls free in its unit of work, which takes that back; so does a failure for
// another reason.
func (m *Manager) probing(ctx context.Context, id UserID, email *string, update func(free func(store.Tx) error) error) error {
	probes, err := m.probes(ctx, id, email)
	if err != nil {
		return err
	}
	if !probes {
		return update(func(store.Tx) error { return nil })
	}
	t := tally{key: tallyKey("own address", string(id)), rate: m.opts.Throttle.Account}
	wait, err := m.countFailure(ctx, t)
	if err != nil {
		return err
	}
	if wait > 0 {
		return m.throttled(ctx, "address", wait, append(whoever(id), slog.String("cause", "too many addresses that are taken"))...)
	}
	err = update(func(tx store.Tx) error { return t.forgive(ctx, tx, m.now()) })
	var taken *ExistsError
	if err == nil || errors.As(err, &taken) && taken.Field == "EmailKey" {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgiveness)
	defer cancel()
	return errors.Join(err, m.forgive(ctx, t))
}

// probes reports whether the actor would learn by the address, which is another
// than he has, what he may not ask.
func (m *Manager) probes(ctx context.Context, id UserID, email *string) (bool, error) {
	if email == nil || m.opts.Throttle.Off || m.actor.UserID() != id || m.actor.organization != "" || m.actor.passwordChange {
		return false, nil
	}
	key, _, err := identity.FoldEmail(*email)
	if err != nil {
		return false, nil // the update says so
	}
	var probes bool
	err = m.store.View(ctx, m.realm, func(r store.Reader) error {
		g := &guard{m: m, r: r, fill: true}
		u, err := r.User(ctx, id)
		if err != nil || u.EmailKey == key {
			return absent(err)
		}
		may, err := g.can(ctx, UsersRead, Realmwide)
		probes = !may
		return err
	})
	return probes, err
}
