package usermgmt

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"

	"github.com/usermgmt-go/usermgmt/internal/identity"
	"github.com/usermgmt-go/usermgmt/store"
)

func (a *ahead) forgetUsers() {
	clear(a.users)
	clear(a.names)
	clear(a.credentials)
}

// lookUpUsers looks up the users of entries, and the credentials of those for
// whom a password is stated.
func (a *ahead) lookUpUsers(ctx context.Context, entries []SnapshotUser) error {
	var ids []UserID
	var names []string
	for _, s := range entries {
		if s.ID != "" {
			ids = append(ids, s.ID)
		} else {
			names = append(names, s.Username)
		}
	}
	if err := a.lookUp(ctx, ids, names); err != nil {
		return err
	}
	ids = ids[:0]
	for _, s := range entries {
		if !s.statesPassword() {
			continue
		}
		if u, err := findUser(ctx, a, s); err == nil {
			ids = append(ids, u.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	cs, err := a.Reader.CredentialsByID(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		a.credentials[id] = store.Credential{}
	}
	for _, c := range cs {
		a.credentials[c.UserID] = c
	}
	return nil
}

// lookUp looks up users by ids and by names, unless they are known. It forgets
// others if it knows many.
func (a *ahead) lookUp(ctx context.Context, ids []UserID, names []string) error {
	if len(a.users) > max(2*aheadSize, a.keep) {
		a.forgetUsers()
	}
	if err := a.lookAround(ctx, len(ids)+len(names)); err != nil {
		return err
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id UserID) bool { _, ok := a.users[id]; return ok || a.nobody(string(id)) })
	var keys []string
	for _, name := range names {
		if key, err := identity.FoldUsername(name); err == nil {
			if _, ok := a.names[key]; !ok && !a.nobody(key) {
				keys = append(keys, key)
			}
		}
	}
	var us, named []store.User
	var err error
	if len(ids) > 0 {
		if us, err = a.Reader.UsersByID(ctx, ids); err != nil {
			return err
		}
	}
	if len(keys) > 0 {
		if named, err = a.Reader.UsersByUsername(ctx, keys); err != nil {
			return err
		}
	}
	for _, id := range ids {
		a.users[id] = store.User{}
	}
	for _, key := range keys {
		a.names[key] = ""
	}
	for _, u := range append(us, named...) {
		a.remember(u)
	}
	return nil
}

func (a *ahead) remember(u store.User) {
	a.users[u.ID], a.names[u.UsernameKey] = u, u.ID
}

// lookAround finds out, before the first look at many users, whether there are
// any: of those who are to fill an empty realm none has to be looked up.
func (a *ahead) lookAround(ctx context.Context, many int) error {
	if a.asked || many < aheadSize {
		return nil
	}
	a.asked = true
	if len(a.users) > 0 { // the unit has begun
		return nil
	}
	n, err := a.Reader.CountUsers(ctx, store.UserQuery{})
	if err == nil && n == 0 {
		a.came, a.seed = map[uint64]struct{}{}, maphash.MakeSeed()
	}
	return err
}

// nobody reports whether it is known that no user has the id or the name.
func (a *ahead) nobody(key string) bool {
	if a.came == nil {
		return false
	}
	_, ok := a.came[maphash.String(a.seed, key)]
	return !ok
}

// goesBy notes the id and the name of a user.
func (a *ahead) goesBy(u store.User) {
	if a.came != nil {
		a.came[maphash.String(a.seed, string(u.ID))] = struct{}{}
		a.came[maphash.String(a.seed, u.UsernameKey)] = struct{}{}
	}
}

// created hears of a user who came with this unit.
func (a *ahead) created(u store.User) {
	a.goesBy(u)
	if a.came == nil || len(a.users) < a.keep {
		u = u.Clone()
		u.Version = 1
		a.remember(u)
	} else {
		delete(a.users, u.ID)
		delete(a.names, u.UsernameKey)
	}
	if len(a.fresh) >= aheadSize {
		clear(a.fresh)
	}
	a.fresh[u.ID] = true
}

func (a *ahead) User(ctx context.Context, id UserID) (store.User, error) {
	u, ok := a.users[id]
	if !ok {
		if a.nobody(string(id)) {
			return u, ErrNotFound
		}
		var err error
		if u, err = a.Reader.User(ctx, id); absent(err) != nil {
			return u, err
		}
		a.users[id] = u
		if u.Version > 0 {
			a.remember(u)
		}
	}
	return u.Clone(), found(u.Version)
}

func (a *ahead) UserByUsername(ctx context.Context, key string) (store.User, error) {
	id, ok := a.names[key]
	switch {
	case !ok && a.nobody(key):
		return store.User{}, ErrNotFound
	case !ok:
		u, err := a.Reader.UserByUsername(ctx, key)
		switch {
		case err == nil:
			a.remember(u)
		case errors.Is(err, ErrNotFound):
			a.names[key] = ""
		}
		return u.Clone(), err
	case id == "":
		return store.User{}, ErrNotFound
	}
	return a.User(ctx, id)
}

func (a *ahead) UsersByID(ctx context.Context, ids []UserID) ([]store.User, error) {
	if err := a.lookUp(ctx, ids, nil); err != nil {
		return nil, err
	}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	var us []store.User
	for _, id := range slices.Compact(ids) {
		if u := a.users[id]; u.Version > 0 {
			us = append(us, u.Clone())
		}
	}
	return us, nil
}

func (a *ahead) Credential(ctx context.Context, user UserID) (store.Credential, error) {
	if a.fresh[user] {
		return store.Credential{}, ErrNotFound
	}
	c, ok := a.credentials[user]
	if !ok {
		return a.Reader.Credential(ctx, user)
	}
	return c, found(c.Version)
}
