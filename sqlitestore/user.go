package sqlitestore

import (
	"cmp"
	"context"
	"database/sql/driver"
	"encoding/json"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

func encodeUser(u store.User) []byte {
	e := encode()
	e.text(string(u.ID), u.Username, u.UsernameKey, u.Email, u.EmailKey, u.FirstName, u.LastName, u.Locale)
	e.flag(u.Disabled)
	e.flag(u.EmailClaimed)
	e.text(string(u.Attributes))
	list(e, u.Tags)
	e.uint(uint64(len(u.Grants)))
	for _, g := range u.Grants {
		e.text(string(g.Role), g.Permission)
		e.uint(uint64(g.Kind))
		list(e, g.Scopes)
	}
	list(e, u.Tenants)
	e.text(u.CreatedBy, string(u.CreatedByVendor))
	e.int(u.Version)
	e.time(u.CreatedAt, u.UpdatedAt)
	return e.b
}

func decodeUser(d *decoder) store.User {
	u := store.User{
		ID: store.UserID(d.text()), Username: d.text(), UsernameKey: d.text(), Email: d.text(), EmailKey: d.text(),
		FirstName: d.text(), LastName: d.text(), Locale: d.text(), Disabled: d.flag(), EmailClaimed: d.flag(),
	}
	if a := d.text(); a != "" {
		u.Attributes = json.RawMessage(a)
	}
	u.Tags = unlist[string](d)
	if n := d.count(); n > 0 {
		u.Grants = make([]store.Grant, n)
		for i := range u.Grants {
			u.Grants[i] = store.Grant{
				Role: store.RoleID(d.text()), Permission: d.text(), Kind: store.ScopeKind(d.uint()), Scopes: unlist[string](d),
			}
		}
	}
	u.Tenants = unlist[string](d)
	u.CreatedBy, u.CreatedByVendor = d.text(), store.VendorID(d.text())
	u.Version = d.int()
	u.CreatedAt, u.UpdatedAt = d.time(), d.time()
	return u
}

const (
	userByID       = "SELECT data FROM {user} WHERE realm=? AND id=?"
	userByUsername = "SELECT data FROM {user} WHERE realm=? AND username_key=?"
	userByEmail    = "SELECT data FROM {user} WHERE realm=? AND email_key=?"
	userExists     = "SELECT 1 FROM {user} WHERE realm=? AND id=?"
)

func (r *reader) User(ctx context.Context, id store.UserID) (store.User, error) {
	return get(ctx, r, decodeUser, userByID, r.realm, string(id))
}

func (r *reader) UserByUsername(ctx context.Context, key string) (store.User, error) {
	return get(ctx, r, decodeUser, userByUsername, r.realm, key)
}

func (r *reader) UserByEmail(ctx context.Context, key string) (store.User, error) {
	return get(ctx, r, decodeUser, userByEmail, r.realm, key)
}

func (r *reader) UsersByID(ctx context.Context, ids []store.UserID) ([]store.User, error) {
	return allByID(ctx, r, decodeUser,
		"SELECT data FROM {user} WHERE realm=? AND id IN (SELECT value FROM json_each(?)) ORDER BY id", ids)
}

// Kinds of entries in user_index. The numbers are stored; they never change.
const (
	indexRole       = 1
	indexTenant     = 2
	indexPermission = 3
	indexScope      = 16 // and the kind of the scope
)

// entry is a row of user_index, but for its user.
type entry struct {
	kind int64
	key  string
}

func compareEntries(a, b entry) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
}

// entries returns what the user is found by, sorted, each once.
func entries(u store.User) []entry {
	var es []entry
	for _, t := range u.Tenants {
		es = append(es, entry{indexTenant, t})
	}
	for _, g := range u.Grants {
		if g.Role != "" {
			es = append(es, entry{indexRole, string(g.Role)})
		} else {
			es = append(es, entry{indexPermission, g.Permission})
		}
		for _, s := range g.Scopes {
			es = append(es, entry{indexScope + int64(g.Kind), s})
		}
	}
	slices.SortFunc(es, compareEntries)
	return slices.Compact(es)
}

// wanted returns the entries of which the query wants any, none if it wants all users.
func wanted(q store.UserQuery) []entry {
	switch {
	case q.Role != "":
		return []entry{{indexRole, string(q.Role)}}
	case q.Permission != "":
		return []entry{{indexPermission, q.Permission}}
	case q.Tenant != "":
		return []entry{{indexTenant, q.Tenant}}
	}
	var es []entry
	for _, s := range q.Scopes {
		es = append(es, entry{indexScope + int64(s.Kind), s.ID})
	}
	return es
}

// usersAt are the users after one at any of the entries, in the order of their
// ids, as a query and its arguments, the first of which is the realm.
func (r *reader) usersAt(es []entry, after store.UserID) (string, []driver.Value) {
	es = padded(es)
	args := []driver.Value{r.realm, string(after)}
	for _, e := range es {
		args = append(args, e.kind, e.key)
	}
	return union("SELECT user FROM {user_index} WHERE realm=?1 AND user>?2 AND kind=? AND key=?", len(es)), args
}

func (r *reader) Users(ctx context.Context, q store.UserQuery) ([]store.User, error) {
	if err := r.ok(ctx); err != nil {
		return nil, err
	}
	if err := q.Check(); err != nil {
		return nil, err
	}
	if es := wanted(q); len(es) > 0 {
		users, args := r.usersAt(es, q.After)
		return page(ctx, r, decodeUser, q.Limit,
			"SELECT u.data FROM ("+users+" ORDER BY user LIMIT ?) i"+
				" CROSS JOIN {user} u ON u.realm=?1 AND u.id=i.user ORDER BY i.user", args...)
	}
	return page(ctx, r, decodeUser, q.Limit,
		"SELECT data FROM {user} WHERE realm=? AND id>? ORDER BY id LIMIT ?", r.realm, string(q.After))
}

func (r *reader) SearchUsers(ctx context.Context, by store.UserField, prefix, after string, limit int) ([]store.User, error) {
	// The least text after a text is that text and a zero byte.
	from := max(prefix, after+"\x00")
	if after == "" {
		from = prefix
	}
	switch by {
	case store.ByUsername:
		return page(ctx, r, decodeUser, limit,
			"SELECT data FROM {user} WHERE realm=? AND username_key>=? AND username_key<? ORDER BY username_key LIMIT ?",
			r.realm, from, prefixEnd(prefix))
	case store.ByEmail:
		return page(ctx, r, decodeUser, limit,
			"SELECT data FROM {user} WHERE realm=? AND email_key>=? AND email_key<? ORDER BY email_key LIMIT ?",
			r.realm, from, prefixEnd(prefix))
	}
	return nil, cmp.Or(r.ok(ctx), invalid("by", "must be a field that users are searched by"))
}

// prefixEnd returns the least text that is greater than all with the prefix.
func prefixEnd(prefix string) string {
	for b := []byte(prefix); len(b) > 0; b = b[:len(b)-1] {
		if b[len(b)-1] < 0xff {
			b[len(b)-1]++
			return string(b)
		}
	}
	return "\xff" // greater than all valid UTF-8
}

func (r *reader) CountUsers(ctx context.Context, q store.UserQuery) (int64, error) {
	if err := r.ok(ctx); err != nil {
		return 0, err
	}
	if err := q.Check(); err != nil {
		return 0, err
	}
	es := wanted(q)
	if len(es) == 0 {
		return r.countAll()
	}
	users, args := r.usersAt(es, "")
	return r.count("SELECT count(*) FROM ("+users+")", args...)
}

func (t *tx) CreateUser(ctx context.Context, u store.User) error {
	if err := t.may(ctx, u); err != nil {
		return err
	}
	if u.CreatedByVendor != "" {
		if err := t.refer(vendorExists, t.realm, string(u.CreatedByVendor)); err != nil {
			return err
		}
	}
	u.Version = 1
	err := t.write([]rule{
		{"ID", userExists, []driver.Value{t.realm, string(u.ID)}},
		{"UsernameKey", userByUsername, []driver.Value{t.realm, u.UsernameKey}},
		{"EmailKey", userByEmail, []driver.Value{t.realm, u.EmailKey}},
	}, "INSERT INTO {user} (realm, id, username_key, email_key, data) VALUES (?, ?, ?, ?, ?)",
		t.realm, string(u.ID), u.UsernameKey, orNull(u.EmailKey), encodeUser(u))
	if err != nil {
		return err
	}
	t.pending.note(t.realm, string(u.ID), 1)
	return t.reindex(u.ID, nil, entries(u))
}

func (t *tx) UpdateUser(ctx context.Context, u store.User) error {
	if err := t.may(ctx, u); err != nil {
		return err
	}
	old, err := t.User(ctx, u.ID)
	if err != nil {
		return err
	}
	if old.Version != u.Version {
		return store.ErrStale
	}
	u.CreatedAt, u.CreatedBy, u.CreatedByVendor = old.CreatedAt, old.CreatedBy, old.CreatedByVendor
	u.Version++
	const others = " AND id<>?"
	err = t.write([]rule{
		{"UsernameKey", userByUsername + others, []driver.Value{t.realm, u.UsernameKey, string(u.ID)}},
		{"EmailKey", userByEmail + others, []driver.Value{t.realm, u.EmailKey, string(u.ID)}},
	}, "UPDATE {user} SET username_key=?, email_key=?, data=? WHERE realm=? AND id=?",
		u.UsernameKey, orNull(u.EmailKey), encodeUser(u), t.realm, string(u.ID))
	if err != nil {
		return err
	}
	if u.Disabled != old.Disabled || !slices.Equal(u.Tenants, old.Tenants) || !slices.EqualFunc(u.Grants, old.Grants, equalGrants) {
		t.rights = true
	}
	return t.reindex(u.ID, entries(old), entries(u))
}

func equalGrants(a, b store.Grant) bool {
	return store.CompareGrants(a, b) == 0 && slices.Equal(a.Scopes, b.Scopes)
}

func (t *tx) DeleteUser(ctx context.Context, id store.UserID) error {
	old, err := t.User(ctx, id)
	if err != nil {
		return err
	}
	if err := t.reindex(id, entries(old), nil); err != nil {
		return err
	}
	t.rights = true
	t.pending.note(t.realm, string(id), -1)
	return t.run([]driver.Value{t.realm, string(id)},
		"DELETE FROM {user} WHERE realm=? AND id=?",
		"DELETE FROM {credential} WHERE realm=? AND user=?",
		"DELETE FROM {membership} WHERE realm=? AND user=?",
		"DELETE FROM {token} WHERE realm=? AND user=?",
		deleteSessionTokens,
		"DELETE FROM {session} WHERE realm=? AND user=?",
		"DELETE FROM {api_key} WHERE realm=? AND owner=?")
}

// reindex brings the user's rows of user_index from one set of entries to another.
func (t *tx) reindex(id store.UserID, from, to []entry) error {
	for len(from)+len(to) > 0 {
		var c int
		switch {
		case len(from) == 0:
			c = 1
		case len(to) == 0:
			c = -1
		default:
			c = compareEntries(from[0], to[0])
		}
		var err error
		switch {
		case c < 0:
			_, err = t.db.exec("DELETE FROM {user_index} WHERE realm=? AND kind=? AND key=? AND user=?",
				t.realm, from[0].kind, from[0].key, string(id))
			from = from[1:]
		case c > 0:
			_, err = t.db.exec("INSERT INTO {user_index} (realm, kind, key, user) VALUES (?, ?, ?, ?)",
				t.realm, to[0].kind, to[0].key, string(id))
			to = to[1:]
		default:
			from, to = from[1:], to[1:]
		}
		if err != nil {
			return err
		}
	}
	return nil
}
