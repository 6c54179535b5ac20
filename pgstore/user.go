package pgstore

import (
	"cmp"
	"context"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func users() table[store.User] {
	return table[store.User]{"{user}", []string{"id"}, record.DecodeUser, func(u store.User) rowKey { return userKey(u.ID) }}
}

func userKey(id store.UserID) rowKey { return rowKey{table: "{user}", a: string(id)} }

func (r *reader) User(ctx context.Context, id store.UserID) (store.User, error) {
	return findKey(ctx, r, users(), userKey(id), "id=$2", string(id))
}

func (r *reader) UserByUsername(ctx context.Context, key string) (store.User, error) {
	return find(ctx, r, users(), "username_key=$2", key)
}

func (r *reader) UserByEmail(ctx context.Context, key string) (store.User, error) {
	return find(ctx, r, users(), "email_key=$2", key)
}

func (r *reader) UsersByID(ctx context.Context, ids []store.UserID) ([]store.User, error) {
	return byID(ctx, r, users(), ids)
}

func (r *reader) UsersByUsername(ctx context.Context, keys []string) ([]store.User, error) {
	return batch(ctx, r, users(), "username_key", keys, "")
}

// split returns entries as the columns of an unnest, without those that no
// user can have.
func split(es []record.Entry) (kinds []int64, keys []string) {
	kinds, keys = []int64{}, []string{}
	for _, e := range es {
		if record.IsText(e.Key) {
			kinds, keys = append(kinds, e.Kind), append(keys, e.Key)
		}
	}
	return kinds, keys
}

func (r *reader) Users(ctx context.Context, q store.UserQuery) ([]store.User, error) {
	if err := r.ok(ctx); err != nil {
		return nil, err
	}
	if err := q.Check(); err != nil {
		return nil, err
	}
	es := record.Wanted(q)
	if len(es) == 0 {
		return list(ctx, r, record.DecodeUser, q.Limit,
			"SELECT data FROM {user} WHERE realm=$1 AND id>$2 ORDER BY id LIMIT $3", r.realm, after(q.After))
	}
	// No more of each entry than the page can hold, whatever the planner thinks
	// of their numbers; and the records one by one through their key.
	kinds, keys := split(es)
	return list(ctx, r, record.DecodeUser, q.Limit,
		"SELECT (SELECT data FROM {user} WHERE realm=$1 AND id=p.user_id) FROM ("+
			"SELECT DISTINCT i.user_id FROM unnest($3::bigint[], $4::text[]) AS e (kind, key) CROSS JOIN LATERAL ("+
			"SELECT user_id FROM {user_index} WHERE realm=$1 AND kind=e.kind AND key=e.key AND user_id>$2 ORDER BY user_id LIMIT $5) i"+
			" ORDER BY i.user_id LIMIT $5) p ORDER BY p.user_id",
		r.realm, after(q.After), kinds, keys)
}

func (r *reader) SearchUsers(ctx context.Context, by store.UserField, prefix, since string, limit int) ([]store.User, error) {
	columns := map[store.UserField]string{store.ByUsername: "username_key", store.ByEmail: "email_key"}
	column, ok := columns[by]
	if !ok {
		return nil, cmp.Or(r.ok(ctx), invalid("by", "must be a field that users are searched by"))
	}
	if !record.IsText(prefix) {
		return nil, r.ok(ctx)
	}
	query := "SELECT data FROM {user} WHERE realm=$1 AND " + column + ">=$2 AND " + column + ">$3"
	args := []any{r.realm, prefix, after(since)}
	limits := " ORDER BY " + column + " LIMIT $4"
	if end, ok := record.PrefixEnd(prefix); ok {
		query += " AND " + column + "<$4"
		args = append(args, end)
		limits = " ORDER BY " + column + " LIMIT $5"
	}
	return list(ctx, r, record.DecodeUser, limit, query+limits, args...)
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
		return r.countAll(ctx)
	}
	kinds, keys := split(es)
	return r.count(ctx, "SELECT count(DISTINCT i.user_id) FROM unnest($2::bigint[], $3::text[]) AS e (kind, key)"+
		" JOIN {user_index} i ON i.realm=$1 AND i.kind=e.kind AND i.key=e.key", r.realm, kinds, keys)
}

func (t *tx) CreateUser(ctx context.Context, u store.User) error {
	if err := t.may(ctx, u); err != nil {
		return err
	}
	var parents []parent
	query := "INSERT INTO {user} (realm, id, username_key, email_key, data) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
	u.Version = 1
	args := []any{t.realm, string(u.ID), u.UsernameKey, orNull(u.EmailKey), record.EncodeUser(u)}
	if u.CreatedByVendor != "" {
		parents = []parent{vendorParent(t, u.CreatedByVendor)}
		query = "INSERT INTO {user} (realm, id, username_key, email_key, data) SELECT $1, $2, $3, $4, $5::bytea" +
			" WHERE EXISTS (SELECT 1 FROM {vendor} WHERE realm=$1 AND id=$6) ON CONFLICT DO NOTHING"
		args = append(args, string(u.CreatedByVendor))
	}
	came := t.came
	t.came = append(came, string(u.ID)) // at once, since he may be sent with others
	err := t.create(ctx, parents, append([]rule{
		{"ID", "SELECT 1 FROM {user} WHERE realm=$1 AND id=$2", []any{t.realm, string(u.ID)}},
	}, t.userRules(store.User{}, u)...), query, args...)
	if err != nil {
		t.came = came
		return err
	}
	t.total++
	t.reindex(u.ID, nil, record.Entries(u))
	return nil
}

// userRules are the uniqueness rules for the keys in which a user differs from
// what he was.
func (t *tx) userRules(old, u store.User) []rule {
	var rules []rule
	if u.UsernameKey != old.UsernameKey {
		rules = append(rules, rule{"UsernameKey", "SELECT 1 FROM {user} WHERE realm=$1 AND username_key=$2", []any{t.realm, u.UsernameKey}})
	}
	if u.EmailKey != old.EmailKey && u.EmailKey != "" {
		rules = append(rules, rule{"EmailKey", "SELECT 1 FROM {user} WHERE realm=$1 AND email_key=$2", []any{t.realm, u.EmailKey}})
	}
	return rules
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
	data := record.EncodeUser(u)
	err = replace(ctx, t, users(), u, data, t.userRules(old, u),
		"UPDATE {user} SET username_key=$4, email_key=$5, data=$6 WHERE realm=$1 AND id=$2 AND data=$3",
		t.realm, string(u.ID), t.seen[userKey(u.ID)].data, u.UsernameKey, orNull(u.EmailKey), data)
	if err != nil {
		return err
	}
	t.rights = t.rights || record.RightsDiffer(old, u)
	t.reindex(u.ID, record.Entries(old), record.Entries(u))
	return nil
}

func (t *tx) DeleteUser(ctx context.Context, id store.UserID) error {
	old, err := t.User(ctx, id)
	if err != nil {
		return err
	}
	if err := t.remove(ctx, userKey(id), users().keys, "DELETE FROM {user} WHERE realm=$1 AND id=$2", t.realm, string(id)); err != nil {
		return err
	}
	t.rights = true
	t.went = append(t.went, string(id))
	t.total++
	t.reindex(id, record.Entries(old), nil)
	t.leaveAll([]any{t.realm, string(id)},
		"DELETE FROM {credential} WHERE realm=$1 AND user_id=$2",
		"DELETE FROM {membership} WHERE realm=$1 AND user_id=$2",
		"SELECT 1 FROM {session} WHERE realm=$1 AND user_id=$2 ORDER BY id FOR UPDATE", // before their tokens, as everywhere
		"DELETE FROM {token} WHERE realm=$1 AND user_id=$2",
		"DELETE FROM {token} WHERE realm=$1 AND session_id IN (SELECT id FROM {session} WHERE realm=$1 AND user_id=$2)",
		"DELETE FROM {session} WHERE realm=$1 AND user_id=$2",
		"DELETE FROM {api_key} WHERE realm=$1 AND owner=$2")
	return nil
}

// reindex brings user_index from some entries of a user to others, later.
func (t *tx) reindex(id store.UserID, from, to []record.Entry) {
	gone, come := difference(from, to), difference(to, from)
	if len(gone) > 0 {
		kinds, keys := split(gone)
		t.conn.leave("DELETE FROM {user_index} i USING unnest($3::bigint[], $4::text[]) AS e (kind, key)"+
			" WHERE i.realm=$1 AND i.kind=e.kind AND i.key=e.key AND i.user_id=$2", t.realm, string(id), kinds, keys)
	}
	if len(come) > 0 && from == nil && t.inBulk() { // with the user's own row
		t.rows.open(t.conn)
		for _, e := range come {
			if record.IsText(e.Key) {
				t.rows.add(t.conn, "INSERT INTO {user_index} (realm, kind, key, user_id)", []any{t.realm, e.Kind, e.Key, string(id)})
			}
		}
	} else if len(come) > 0 {
		kinds, keys := split(come)
		t.conn.leave("INSERT INTO {user_index} (realm, kind, key, user_id)"+
			" SELECT $1, e.kind, e.key, $2 FROM unnest($3::bigint[], $4::text[]) AS e (kind, key)", t.realm, string(id), kinds, keys)
	}
}

// difference returns what is in a and not in b, both being sorted.
func difference(a, b []record.Entry) (only []record.Entry) {
	for _, e := range a {
		for len(b) > 0 && record.CompareEntries(b[0], e) < 0 {
			b = b[1:]
		}
		if len(b) == 0 || b[0] != e {
			only = append(only, e)
		}
	}
	return only
}
