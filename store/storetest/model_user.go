package storetest

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/usermgmt-go/usermgmt/store"
)

func (u *modelUnit) User(ctx context.Context, id store.UserID) (store.User, error) {
	return u.user(ctx, func(r *store.User) bool { return r.ID == id })
}

func (u *modelUnit) UserByUsername(ctx context.Context, key string) (store.User, error) {
	return u.user(ctx, func(r *store.User) bool { return r.UsernameKey == key })
}

func (u *modelUnit) UserByEmail(ctx context.Context, key string) (store.User, error) {
	return u.user(ctx, func(r *store.User) bool { return key != "" && r.EmailKey == key })
}

func (u *modelUnit) user(ctx context.Context, pick func(*store.User) bool) (store.User, error) {
	if err := u.ready(ctx); err != nil {
		return store.User{}, err
	}
	r, err := one(u.users, pick)
	if err != nil {
		return store.User{}, err
	}
	return r.Clone(), nil
}

// list returns picked users in the order of what rank says.
func (u *modelUnit) list(
	ctx context.Context, limit int, rank func(*store.User) string, pick func(*store.User) bool,
) ([]store.User, error) {
	if err := u.ready(ctx); err != nil {
		return nil, err
	}
	var out []store.User
	for _, r := range first(u.users, limit, rank, pick) {
		out = append(out, r.Clone())
	}
	return out, nil
}

func byID(r *store.User) string { return string(r.ID) }

func (u *modelUnit) UsersByID(ctx context.Context, ids []store.UserID) ([]store.User, error) {
	return u.list(ctx, len(ids), byID, func(r *store.User) bool { return slices.Contains(ids, r.ID) })
}

func (u *modelUnit) UsersByUsername(ctx context.Context, keys []string) ([]store.User, error) {
	key := func(r *store.User) string { return r.UsernameKey }
	if err := few(keys); err != nil {
		return nil, err
	}
	return u.list(ctx, len(keys), key, func(r *store.User) bool { return slices.Contains(keys, r.UsernameKey) })
}

// picked tells whom a query picks, heedless of After.
func picked(q store.UserQuery) func(*store.User) bool {
	return func(r *store.User) bool {
		ok := q.Tenant == "" || slices.Contains(r.Tenants, q.Tenant)
		ok = ok && (q.Permission == "" || slices.ContainsFunc(r.Grants, func(g store.Grant) bool { return g.Permission == q.Permission }))
		ok = ok && (q.Role == "" || slices.ContainsFunc(r.Grants, func(g store.Grant) bool { return g.Role == q.Role }))
		return ok && (len(q.Scopes) == 0 || slices.ContainsFunc(q.Scopes, func(s store.ScopeRef) bool {
			return slices.ContainsFunc(r.Grants, func(g store.Grant) bool {
				return g.Kind == s.Kind && slices.Contains(g.Scopes, s.ID)
			})
		}))
	}
}

func (u *modelUnit) Users(ctx context.Context, q store.UserQuery) ([]store.User, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	pick := picked(q)
	return u.list(ctx, q.Limit, byID, func(r *store.User) bool { return r.ID > q.After && pick(r) })
}

func (u *modelUnit) SearchUsers(
	ctx context.Context, by store.UserField, prefix, after string, limit int,
) ([]store.User, error) {
	key := func(r *store.User) string { return r.UsernameKey }
	if by == store.ByEmail {
		key = func(r *store.User) string { return r.EmailKey }
	}
	return u.list(ctx, limit, key, func(r *store.User) bool {
		return key(r) > after && strings.HasPrefix(key(r), prefix)
	})
}

func (u *modelUnit) UserAt(ctx context.Context, n int64) (store.UserID, error) {
	if err := u.ready(ctx); err != nil {
		return "", err
	}
	if n < 0 {
		return "", &store.InvalidError{Field: "n", Reason: "must not be negative"}
	}
	if u.order == nil {
		u.order = slices.Sorted(maps.Keys(u.users))
	}
	if n >= int64(len(u.order)) {
		return "", store.ErrNotFound
	}
	return u.order[n], nil
}

func (u *modelUnit) CountUsers(ctx context.Context, q store.UserQuery) (int64, error) {
	if err := u.ready(ctx); err != nil {
		return 0, err
	}
	if err := q.Check(); err != nil {
		return 0, err
	}
	return int64(len(first(u.users, len(u.users), byID, picked(q)))), nil
}

// duplicateUser reports the first uniqueness rule that a record breaks.
func (u *modelUnit) duplicateUser(r store.User) error {
	others := func(pick func(*store.User) bool) bool {
		return some(u.users, func(o *store.User) bool { return o.ID != r.ID && pick(o) })
	}
	switch {
	case others(func(o *store.User) bool { return o.UsernameKey == r.UsernameKey }):
		return exists("UsernameKey")
	case r.EmailKey != "" && others(func(o *store.User) bool { return o.EmailKey == r.EmailKey }):
		return exists("EmailKey")
	}
	return nil
}

func (u *modelUnit) CreateUser(ctx context.Context, r store.User) error {
	if err := u.begin(ctx, r); err != nil {
		return err
	}
	duplicate := u.duplicateUser(r)
	if u.users[r.ID] != nil {
		duplicate = exists("ID")
	}
	_, found := u.vendors[r.CreatedByVendor]
	if err := refused(found || r.CreatedByVendor == "", duplicate); err != nil {
		return err
	}
	r = r.Clone()
	r.Version = 1
	u.users[r.ID], u.order = &r, nil
	return nil
}

func (u *modelUnit) UpdateUser(ctx context.Context, r store.User) error {
	if err := u.begin(ctx, r); err != nil {
		return err
	}
	old, err := at(u.users, r.ID)
	if err != nil {
		return err
	}
	if old.Version != r.Version {
		return store.ErrStale
	}
	if err := u.duplicateUser(r); err != nil {
		return err
	}
	r = r.Clone()
	r.CreatedAt, r.CreatedBy, r.CreatedByVendor = old.CreatedAt, old.CreatedBy, old.CreatedByVendor
	r.Version++
	u.users[r.ID] = &r
	u.generation++
	return nil
}

func (u *modelUnit) DeleteUser(ctx context.Context, id store.UserID) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	if _, err := at(u.users, id); err != nil {
		return err
	}
	delete(u.users, id)
	u.order = nil
	delete(u.credentials, id)
	purge(u.members, func(m store.Membership) bool { return m.UserID == id })
	u.purgeSessions(func(s store.Session) bool { return s.UserID == id })
	purge(u.tokens, func(t store.Token) bool { return t.UserID == id })
	purge(u.keys, func(k store.Key) bool { return k.Owner == id })
	u.generation++
	return nil
}

func (u *modelUnit) Credential(ctx context.Context, id store.UserID) (store.Credential, error) {
	if err := u.ready(ctx); err != nil {
		return store.Credential{}, err
	}
	return at(u.credentials, id)
}

func (u *modelUnit) CredentialsByID(ctx context.Context, users []store.UserID) ([]store.Credential, error) {
	if err := few(users); err != nil {
		return nil, err
	}
	return first(u.credentials, len(users), func(c store.Credential) store.UserID { return c.UserID },
		func(c store.Credential) bool { return slices.Contains(users, c.UserID) }), u.ready(ctx)
}

func (u *modelUnit) PutCredential(ctx context.Context, c store.Credential) error {
	if err := u.begin(ctx, c); err != nil {
		return err
	}
	if _, err := at(u.users, c.UserID); err != nil {
		return err
	}
	if u.credentials[c.UserID].Version != c.Version {
		return store.ErrStale
	}
	c.Version++
	u.credentials[c.UserID] = c
	return nil
}

func (u *modelUnit) DeleteCredential(ctx context.Context, id store.UserID) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	_, err := at(u.credentials, id)
	delete(u.credentials, id)
	return err
}
