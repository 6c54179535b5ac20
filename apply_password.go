package usermgmt

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
func (m *Manager) planPasswords(ctx context.Context, p part) ([]plannedPassword, error) {
	plans := make([]plannedPassword, len(p.Users))
	if !slices.ContainsFunc(p.Users, SnapshotUser.statesPassword) {
		return plans, nil
	}
	logins := make([]login, len(p.Users))
	at := func(i int, err error) error { return entry("users", p.first+i, p.Users[i].Username, err) }
	err := m.weigh(ctx, func(g *guard) error {
		if err := g.needAll(ctx, All); err != nil {
			return err
		}
		known := newAhead(g.r)
		g.r = known
		for i, s := range p.Users {
			if i%aheadSize == 0 {
				if err := known.lookUpUsers(ctx, p.Users[i:min(i+aheadSize, len(p.Users))]); err != nil {
					return err
				}
			}
			var err error
			if logins[i], err = g.statedLogin(ctx, s); err != nil {
				return at(i, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, s := range p.Users {
		if plans[i], err = m.planPassword(ctx, s, logins[i]); err != nil {
			return nil, at(i, err)
		}
	}
	return plans, nil
}

func (s SnapshotUser) statesPassword() bool { return s.Password != "" || s.PasswordHash != "" }

// statedLogin loads what a stated password is compared with; the zero login if
// none is stated or the user is not there.
func (g *guard) statedLogin(ctx context.Context, s SnapshotUser) (login, error) {
	if !s.statesPassword() {
		return login{}, nil
	}
	u, err := findUser(ctx, g.r, s)
	if err != nil {
		return login{}, absent(err)
	}
	return g.m.login(ctx, g.r, u)
}

func (m *Manager) planPassword(ctx context.Context, s SnapshotUser, l login) (plannedPassword, error) {
	var p plannedPassword
	switch {
	case !s.statesPassword():
		return p, nil
	case s.Password != "" && s.PasswordHash != "":
		return p, invalid("passwordHash", "must be absent where a password is given")
	}
	p.current = l.cred.Hash
	if s.PasswordHash != "" {
		hash, origin, err := importHash(s.PasswordHash)
		if err != nil || p.current != "" && (s.TemporaryPassword || l.cred.Origin == origin || p.current == hash) {
			return p, err
		}
		p.hash, p.origin = hash, origin
		return p, nil
	}
	if p.current != "" {
		if s.TemporaryPassword {
			return p, nil // it is the way in for who has no password yet
		}
		if ok, err := m.slotVerify(ctx, l.hash, s.Password); err != nil || ok {
			return p, err
		}
	}
	words := []string{s.Username, value(s.Email)}
	if l.user.ID != "" { // the hash costs more than to ask for each
		err := m.store.View(ctx, m.realm, func(r store.Reader) error {
			known, err := knownWords(ctx, r, l.user)
			words = append(words[:2], known...)
			return err
		})
		if err != nil {
			return p, err
		}
	}
	var err error
	p.hash, err = m.hashPassword(ctx, s.Password, words...)
	return p, err
}

// applyPassword carries out the plan, unless the credential is no longer the
// one that it was made on.
func (a applying) applyPassword(ctx context.Context, u store.User, s SnapshotUser, p plannedPassword) error {
	if !s.statesPassword() {
		return nil
	}
	old, err := a.r.Credential(ctx, u.ID)
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
