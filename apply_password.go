package usermgmt

import (
	"context"
	"errors"
	"fmt"

	"github.com/usermgmt-go/usermgmt/store"
)

// plannedPassword is what the hashing that precedes a unit of work found out
// for one entry of a Snapshot.
type plannedPassword struct {
	// current is the stored hash that the plan was made on, empty for none.
	current string
	// hash is the new one, empty where the stored one stays.
	hash   string
	origin store.Digest
}

// planPasswords decides for each user whether his password is to be
// replaced, and hashes the new ones. Only someone who may apply gets so far.
func (m *Manager) planPasswords(ctx context.Context, users []SnapshotUser) ([]plannedPassword, error) {
	err := m.view(ctx, func(g *guard) error { return g.needAll(ctx, All) })
	if err != nil {
		return nil, err
	}
	plans := make([]plannedPassword, len(users))
	for i, s := range users {
		if plans[i], err = m.planPassword(ctx, s); err != nil {
			return nil, entry("users", i, s.Username, err)
		}
	}
	return plans, nil
}

func (m *Manager) planPassword(ctx context.Context, s SnapshotUser) (plannedPassword, error) {
	var p plannedPassword
	switch {
	case s.Password == "" && s.PasswordHash == "":
		return p, nil
	case s.Password != "" && s.PasswordHash != "":
		return p, invalid("passwordHash", "must be absent where a password is given")
	}
	var l login
	err := m.store.View(ctx, m.realm, func(r store.Reader) error {
		u, err := findUser(ctx, r, s)
		if err == nil {
			l, err = m.login(ctx, r, u)
		}
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return p, err
	}
	p.current = l.cred.Hash
	if s.PasswordHash != "" {
		hash, origin, err := importHash(s.PasswordHash)
		if err != nil || p.current != "" && (l.cred.Origin == origin || p.current == hash) {
			return p, err
		}
		p.hash, p.origin = hash, origin
		return p, nil
	}
	if p.current != "" {
		if ok, err := m.slotVerify(ctx, l.hash, s.Password); err != nil || ok {
			return p, err
		}
	}
	p.hash, err = m.hashPassword(ctx, s.Password, s.Username, value(s.Email))
	return p, err
}

// applyPassword carries out the plan, unless the credential is no longer the
// one that it was made on.
func (a applying) applyPassword(ctx context.Context, u store.User, s SnapshotUser, p plannedPassword) error {
	if s.Password == "" && s.PasswordHash == "" {
		return nil
	}
	old, err := a.tx.Credential(ctx, u.ID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if old.Hash != p.current {
		return fmt.Errorf("password: %w", errPlanOutdated)
	}
	if p.hash == "" {
		return nil
	}
	return a.putPassword(ctx, u.ID, p.hash, s.TemporaryPassword, p.origin)
}
