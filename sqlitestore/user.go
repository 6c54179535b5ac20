package sqlitestore

import (
	"cmp"
	"context"
	"database/sql/driver"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

const (
	userByID       = "SELECT data FROM {user} WHERE realm=? AND id=?"
	userByUsername = "SELECT data FROM {user} WHERE realm=? AND username_key=?"
	userByEmail    = "SELECT data FROM {user} WHERE realm=? AND email_key=?"
	userExists     = "SELECT 1 FROM {user} WHERE realm=? AND id=?"
)

func (r *reader) User(ctx context.Context, id store.UserID) (store.User, error) {
	return get(ctx, r, record.DecodeUser, userByID, r.realm, string(id))
}

func (r *reader) UserByUsername(ctx context.Context, key string) (store.User, error) {
	return get(ctx, r, record.DecodeUser, userByUsername, r.realm, key)
}

func (r *reader) UserByEmail(ctx context.Context, key string) (store.User, error) {
	return get(ctx, r, record.DecodeUser, userByEmail, r.realm, key)
}

func (r *reader) UsersByID(ctx context.Context, ids []store.UserID) ([]store.User, error) {
	return allByID(ctx, r, record.DecodeUser,
		"SELECT data FROM {user} WHERE realm=? AND id IN (SELECT value FROM json_each(?)) ORDER BY id", ids)
}

func (r *reader) UsersByUsername(ctx context.Context, keys []string) ([]store.User, error) {
	return allByID(ctx, r, record.DecodeUser,
		"SELECT data FROM {user} WHERE realm=? AND username_key IN (SELECT value FROM json_each(?)) ORDER BY username_key", keys)
}

// usersAt are the users after one at any of the entries, in the order of their
// ids, as a query and its arguments, the first of which is the realm.
func (r *reader) usersAt(es []record.Entry, after store.UserID) (string, []driver.Value) {
	es = padded(es)
	args := []driver.Value{r.realm, string(after)}
	for _, e := range es {
		args = append(args, e.Kind, e.Key)
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
	if es := record.Wanted(q); len(es) > 0 {
		users, args := r.usersAt(es, q.After)
		return page(ctx, r, record.DecodeUser, q.Limit,
			"SELECT u.data FROM ("+users+" ORDER BY user LIMIT ?) i"+
				" CROSS JOIN {user} u ON u.realm=?1 AND u.id=i.user ORDER BY i.user", args...)
	}
	return page(ctx, r, record.DecodeUser, q.Limit,
		"SELECT data FROM {user} WHERE realm=? AND id>? ORDER BY id LIMIT ?", r.realm, string(q.After))
}

func (r *reader) SearchUsers(ctx context.Context, by store.UserField, prefix, after string, limit int) ([]store.User, error) {
	if !record.IsText(prefix) {
		return nil, r.ok(ctx)
	}
	end, ok := record.PrefixEnd(prefix)
	if !ok {
		end = "\xff" // greater than all texts
	}
	// The least text after a text is that text and a zero byte.
	from := max(prefix, after+"\x00")
	if after == "" {
		from = prefix
	}
	switch by {
	case store.ByUsername:
		return page(ctx, r, record.DecodeUser, limit,
			"SELECT data FROM {user} WHERE realm=? AND username_key>=? AND username_key<? ORDER BY username_key LIMIT ?",
			r.realm, from, end)
	case store.ByEmail:
		return page(ctx, r, record.DecodeUser, limit,
			"SELECT data FROM {user} WHERE realm=? AND email_key>=? AND email_key<? ORDER BY email_key LIMIT ?",
			r.realm, from, end)
	}
	return nil, cmp.Or(r.ok(ctx), invalid("by", "must be a field that users are searched by"))
}

func (r *reader) CountUsers(ctx context.Context, q store.UserQuery) (int64, error) {
	if err := r.ok(ctx); err != nil {
		return 0, err
	}
	if err := q.Check(); err != nil {
		return 0, err
	}
	es := record.Wanted(q)
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
		t.realm, string(u.ID), u.UsernameKey, orNull(u.EmailKey), record.EncodeUser(u))
	if err != nil {
		return err
	}
	t.pending.note(t.realm, string(u.ID), 1)
	return t.reindex(u.ID, nil, record.Entries(u))
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
		u.UsernameKey, orNull(u.EmailKey), record.EncodeUser(u), t.realm, string(u.ID))
	if err != nil {
		return err
	}
	if record.RightsDiffer(old, u) {
		t.rights = true
	}
	return t.reindex(u.ID, record.Entries(old), record.Entries(u))
}

func (t *tx) DeleteUser(ctx context.Context, id store.UserID) error {
	old, err := t.User(ctx, id)
	if err != nil {
		return err
	}
	if err := t.reindex(id, record.Entries(old), nil); err != nil {
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
func (t *tx) reindex(id store.UserID, from, to []record.Entry) error {
	for len(from)+len(to) > 0 {
		var c int
		switch {
		case len(from) == 0:
			c = 1
		case len(to) == 0:
			c = -1
		default:
			c = record.CompareEntries(from[0], to[0])
		}
		var err error
		switch {
		case c < 0:
			_, err = t.db.exec("DELETE FROM {user_index} WHERE realm=? AND kind=? AND key=? AND user=?",
				t.realm, from[0].Kind, from[0].Key, string(id))
			from = from[1:]
		case c > 0:
			_, err = t.db.exec("INSERT INTO {user_index} (realm, kind, key, user) VALUES (?, ?, ?, ?)",
				t.realm, to[0].Kind, to[0].Key, string(id))
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
