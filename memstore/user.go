package memstore

import (
	"context"
	"slices"
	"strings"
	"unique"

	"github.com/usermgmt-go/usermgmt/store"
)

func (x *reader) User(ctx context.Context, id store.UserID) (store.User, error) {
	if err := x.ok(ctx); err != nil {
		return store.User{}, err
	}
	return found(x.t.users[string(id)], (*user).record)
}

func (x *reader) UserByUsername(ctx context.Context, key string) (store.User, error) {
	if err := x.ok(ctx); err != nil {
		return store.User{}, err
	}
	return found(x.t.byName[key], (*user).record)
}

func (x *reader) UserByEmail(ctx context.Context, key string) (store.User, error) {
	if err := x.ok(ctx); err != nil {
		return store.User{}, err
	}
	return found(x.t.byMail[key], (*user).record)
}

func (x *reader) UsersByID(ctx context.Context, in []store.UserID) ([]store.User, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	return byID(in, func(id store.UserID) *user { return x.t.users[string(id)] }, (*user).record)
}

func (x *reader) UsersByUsername(ctx context.Context, keys []string) ([]store.User, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	return byID(keys, func(key string) *user { return x.t.byName[key] }, (*user).record)
}

// sought returns the topics of which a query wants any, none if it wants all users.
func sought(q store.UserQuery) ([]topic, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	switch {
	case q.Role != "":
		return []topic{{hasRole, string(q.Role)}}, nil
	case q.Permission != "":
		return []topic{{hasPermission, q.Permission}}, nil
	case q.Tenant != "":
		return []topic{{hasTenant, q.Tenant}}, nil
	}
	var ts []topic
	for _, s := range q.Scopes {
		if s.Kind > store.ScopeFacility {
			s = store.ScopeRef{} // other topics have these numbers; no grant lists an empty scope
		}
		ts = append(ts, topic{topicKind(s.Kind), s.ID})
	}
	return ts, nil
}

// eachMarked calls f for the users after one of whom any of the topics is
// said, in the order of their ids, each once, until it returns false.
func (t *tables) eachMarked(topics []topic, after store.UserID, f func(*user) bool) {
	first := pivot(userID, string(after))
	runs := make([]run[marked], len(topics))
	for i, what := range topics {
		h := unique.Make(what)
		runs[i] = run[marked]{marked{h, first}, func(m marked) bool { return m.what == h }}
	}
	var last *user
	merge(t.marks, runs, func(a, b marked) int { return compareUsers(a.user, b.user) }, func(m marked) bool {
		if m.user == last {
			return true
		}
		last = m.user
		return f(m.user)
	})
}

func (x *reader) Users(ctx context.Context, q store.UserQuery) ([]store.User, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	topics, err := sought(q)
	if err != nil || q.Limit <= 0 {
		return nil, err
	}
	if len(topics) == 0 {
		return page(x.t.usersInOrder, pivot(userID, string(q.After)), q.Limit, all, (*user).record), nil
	}
	var us []store.User
	x.t.eachMarked(topics, q.After, func(u *user) bool {
		us = append(us, u.record())
		return len(us) < q.Limit
	})
	return us, nil
}

func (x *reader) SearchUsers(ctx context.Context, by store.UserField, prefix, after string, limit int) ([]store.User, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	var (
		t    *tree[*user]
		part int
		key  func(*user) string
	)
	switch by {
	case store.ByUsername:
		t, part, key = x.t.namesInOrder, usernameKey, func(u *user) string { return u.part(usernameKey) }
	case store.ByEmail:
		t, part, key = x.t.mailsInOrder, emailKey, (*user).emailKey
	default:
		return nil, &store.InvalidError{Field: "by", Reason: "must be a field to search by"}
	}
	if limit <= 0 {
		return nil, nil
	}
	var us []store.User
	t.Ascend(pivot(part, max(prefix, after)), func(u *user) bool {
		k := key(u)
		if !strings.HasPrefix(k, prefix) {
			return false
		}
		if k > after {
			us = append(us, u.record())
		}
		return len(us) < limit
	})
	return us, nil
}

func (x *reader) UserAt(ctx context.Context, n int64) (store.UserID, error) {
	if err := x.ok(ctx); err != nil {
		return "", err
	}
	if n < 0 {
		return "", &store.InvalidError{Field: "n", Reason: "must not be negative"}
	}
	if n >= int64(x.t.usersInOrder.Len()) {
		return "", store.ErrNotFound
	}
	u, _ := x.t.usersInOrder.GetAt(int(n))
	return store.UserID(u.id()), nil
}

func (x *reader) CountUsers(ctx context.Context, q store.UserQuery) (int64, error) {
	if err := x.ok(ctx); err != nil {
		return 0, err
	}
	topics, err := sought(q)
	if err != nil {
		return 0, err
	}
	if len(topics) == 0 {
		return int64(len(x.t.users)), nil
	}
	n := int64(0)
	x.t.eachMarked(topics, "", func(*user) bool {
		n++
		return true
	})
	return n, nil
}

func (x *tx) CreateUser(ctx context.Context, u store.User) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := u.Check(); err != nil {
		return err
	}
	if x.t.users[string(u.ID)] != nil {
		return exists("ID")
	}
	if err := x.t.freeUserKeys(u, nil); err != nil {
		return err
	}
	if u.CreatedByVendor != "" && x.t.vendors[u.CreatedByVendor] == nil {
		return store.ErrNotFound
	}
	u.Version = 1
	v, err := newUser(u)
	if err != nil {
		return err
	}
	t, row := x.t, &v
	t.addUser(row)
	x.undo(func() { t.dropUser(row) })
	return nil
}

// freeUserKeys reports whether another user than self has one of the keys.
func (t *tables) freeUserKeys(u store.User, self *user) error {
	if o := t.byName[u.UsernameKey]; o != nil && o != self {
		return exists("UsernameKey")
	}
	if o := t.byMail[u.EmailKey]; o != nil && o != self {
		return exists("EmailKey")
	}
	return nil
}

func (x *tx) UpdateUser(ctx context.Context, u store.User) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := u.Check(); err != nil {
		return err
	}
	t, row := x.t, x.t.users[string(u.ID)]
	switch {
	case row == nil:
		return store.ErrNotFound
	case row.version != u.Version:
		return store.ErrStale
	}
	if err := t.freeUserKeys(u, row); err != nil {
		return err
	}
	old := *row
	v, err := newUser(u)
	if err != nil {
		return err
	}
	v.version++
	v.created, v.origin, v.cred = old.created, old.origin, old.cred
	t.setUser(row, v)
	x.undo(func() { t.setUser(row, old) })
	if v.has(disabled) != old.has(disabled) || !slices.Equal(v.marks, old.marks) {
		x.bump() // tags count as well, which is allowed
	}
	return nil
}

func (x *tx) DeleteUser(ctx context.Context, id store.UserID) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	t, row := x.t, x.t.users[string(id)]
	if row == nil {
		return store.ErrNotFound
	}
	for _, m := range t.membershipsOf(row) {
		x.deleteMember(m)
	}
	for _, s := range t.sessionsOf(row) {
		x.deleteSession(s)
	}
	for _, tok := range t.tokensOf(row) {
		x.deleteToken(tok)
	}
	for _, k := range t.keysOf(row) {
		x.deleteKey(k)
	}
	t.dropUser(row)
	x.undo(func() { t.addUser(row) })
	x.bump()
	return nil
}

func (t *tables) addUser(u *user) {
	t.users[u.id()] = u
	t.usersInOrder.Set(u)
	t.addUserKeys(u)
	t.addMarks(u)
}

func (t *tables) dropUser(u *user) {
	t.dropMarks(u)
	t.dropUserKeys(u)
	t.usersInOrder.Delete(u)
	delete(t.users, u.id())
}

// setUser gives a row another content under the same id.
func (t *tables) setUser(u *user, v user) {
	remark := !slices.Equal(u.marks, v.marks)
	if remark {
		t.dropMarks(u)
	}
	rename := u.part(usernameKey) != v.part(usernameKey) || u.emailKey() != v.emailKey()
	if rename {
		t.dropUserKeys(u)
	}
	*u = v
	// Keys of maps are parts of the row's text: they are put again even if
	// they are equal, so as not to keep the old text.
	t.users[u.id()] = u
	if rename {
		t.addUserKeys(u)
	} else {
		t.putUserKeys(u)
	}
	if remark {
		t.addMarks(u)
	}
}

func (t *tables) putUserKeys(u *user) {
	t.byName[u.part(usernameKey)] = u
	if k := u.emailKey(); k != "" {
		t.byMail[k] = u
	}
}

func (t *tables) addUserKeys(u *user) {
	t.putUserKeys(u)
	t.namesInOrder.Set(u)
	if u.emailKey() != "" {
		t.mailsInOrder.Set(u)
	}
}

func (t *tables) dropUserKeys(u *user) {
	delete(t.byName, u.part(usernameKey))
	t.namesInOrder.Delete(u)
	if k := u.emailKey(); k != "" {
		delete(t.byMail, k)
		t.mailsInOrder.Delete(u)
	}
}

// addMarks and dropMarks may meet a mark twice, in two grants.

func (t *tables) addMarks(u *user) {
	for _, m := range u.marks {
		if m.what.Value().kind.sought() {
			t.marks.Set(marked{m.what, u})
		}
	}
}

func (t *tables) dropMarks(u *user) {
	for _, m := range u.marks {
		if m.what.Value().kind.sought() {
			t.marks.Delete(marked{m.what, u})
		}
	}
}
