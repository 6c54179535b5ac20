package pgstore

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func sessions() table[store.Session] {
	return table[store.Session]{"{session}", []string{"id"}, record.DecodeSession, func(s store.Session) rowKey { return sessionKey(s.ID) }}
}

func sessionKey(id store.SessionID) rowKey { return rowKey{table: "{session}", a: string(id)} }

// Units that meet in sessions and tokens wait for one another in one order, so
// that none waits for itself in a circle: a user, or an organization and its
// membership; then sessions by their ids; then tokens. Whoever locks a session
// or a token has locked its user before, whoever locks a token its session or
// membership. So whoever removes a user meets nobody in what hangs on him.
// DeleteExpired waits for nobody: it passes over what others have locked.

// lockUserOf locks the user of a session that is about to be locked, in the next
// round trip.
func (t *tx) lockUserOf(id store.SessionID) {
	t.conn.leave("SELECT 1 FROM {user} WHERE realm=$1 AND id=(SELECT user_id FROM {session} WHERE realm=$1 AND id=$2)"+cmp.Or(t.lock, locked),
		t.realm, string(id))
}

func (r *reader) Session(ctx context.Context, id store.SessionID) (store.Session, error) {
	if r.lock != "" && record.IsText(string(id)) {
		r.tx.lockUserOf(id)
	}
	return findKey(ctx, r, sessions(), sessionKey(id), "id=$2", string(id))
}

func (r *reader) Sessions(ctx context.Context, user store.UserID, since store.SessionID, limit int) ([]store.Session, error) {
	return list(ctx, r, record.DecodeSession, limit,
		"SELECT data FROM {session} WHERE realm=$1 AND user_id=$2 AND id>$3 ORDER BY id LIMIT $4", r.realm, string(user), after(since))
}

func (t *tx) CreateSession(ctx context.Context, s store.Session) error {
	if err := t.may(ctx, s); err != nil {
		return err
	}
	parents := []parent{userParent(t, s.UserID)}
	if s.OrganizationID != "" {
		parents = append(parents, organizationParent(t, s.OrganizationID))
	}
	return t.create(ctx, parents, []rule{{"ID", "SELECT 1 FROM {session} WHERE realm=$1 AND id=$2", []any{t.realm, string(s.ID)}}},
		"INSERT INTO {session} (realm, id, user_id, org_id, expires_at, data) SELECT $1, $2, $3, $4::text, $5::bigint, $6::bytea"+
			" WHERE EXISTS (SELECT 1 FROM {user} WHERE realm=$1 AND id=$3)"+
			" AND ($4::text IS NULL OR EXISTS (SELECT 1 FROM {organization} WHERE realm=$1 AND id=$4::text)) ON CONFLICT DO NOTHING",
		t.realm, string(s.ID), string(s.UserID), orNull(s.OrganizationID), expiry(s.ExpiresAt), record.EncodeSession(s))
}

func (t *tx) DeleteSession(ctx context.Context, id store.SessionID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	if !record.IsText(string(id)) {
		return store.ErrNotFound
	}
	t.lockUserOf(id)
	if err := t.remove(ctx, sessionKey(id), sessions().keys, "DELETE FROM {session} WHERE realm=$1 AND id=$2", t.realm, string(id)); err != nil {
		return err
	}
	t.rights = true
	t.leaveAll([]any{t.realm, string(id)}, "DELETE FROM {token} WHERE realm=$1 AND session_id=$2")
	return nil
}

func (t *tx) DeleteSessions(ctx context.Context, user store.UserID) (int, error) {
	if err := t.ok(ctx); err != nil {
		return 0, err
	}
	if !record.IsText(string(user)) {
		return 0, nil
	}
	// Nobody can sign the user in, or give him a code, once the row is locked.
	args := []any{t.realm, string(user)}
	var codes, n int64
	steps := []step{
		{sql: "SELECT 1 FROM {user} WHERE realm=$1 AND id=$2 FOR UPDATE", args: args},
		{sql: "SELECT 1 FROM {session} WHERE realm=$1 AND user_id=$2 ORDER BY id FOR UPDATE", args: args},
	}
	steps = append(steps, t.along(above{user: user}, "{session}", "{token}")...)
	err := t.conn.run(ctx, append(steps,
		step{sql: "DELETE FROM {token} WHERE realm=$1 AND user_id=$2 AND kind=$3", args: []any{t.realm, string(user), int64(store.TokenCode)}, changed: &codes},
		step{sql: "DELETE FROM {token} WHERE realm=$1 AND session_id IN (SELECT id FROM {session} WHERE realm=$1 AND user_id=$2)", args: args},
		step{sql: "DELETE FROM {session} WHERE realm=$1 AND user_id=$2", args: args, changed: &n})...)
	t.rights = t.rights || n > 0
	t.changed = t.changed || n+codes > 0
	return int(n), err
}

func (t *tx) DeleteExpired(ctx context.Context, now store.Time, limit int) (int, error) {
	if err := t.ok(ctx); err != nil || limit <= 0 {
		return 0, err
	}
	t.conn.later = append(t.conn.later, t.along(above{}, "{session}", "{token}", "{failures}")...)
	// What a subquery picks is an array, so that it is picked once.
	var ids []string
	err := t.conn.each(ctx, func(row pgx.Rows) error {
		var id string
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	}, "DELETE FROM {session} WHERE realm=$1 AND id=ANY(ARRAY("+
		"SELECT s.id FROM {session} s JOIN {user} u ON u.realm=$1 AND u.id=s.user_id WHERE s.realm=$1 AND s.expires_at<=$2"+
		" ORDER BY s.expires_at LIMIT $3 FOR UPDATE OF s SKIP LOCKED FOR KEY SHARE OF u SKIP LOCKED)) RETURNING id",
		t.realm, now.UnixMicro(), int64(limit))
	if err != nil {
		return 0, err
	}
	total := int64(len(ids))
	if total > 0 {
		t.rights = true
		t.conn.leave("DELETE FROM {token} WHERE realm=$1 AND session_id=ANY($2::text[])", t.realm, ids)
	}
	for _, q := range []string{
		"DELETE FROM {token} WHERE realm=$1 AND digest=ANY(ARRAY(SELECT digest FROM {token}" +
			" WHERE realm=$1 AND expires_at<=$2 ORDER BY expires_at LIMIT $3 FOR UPDATE SKIP LOCKED))",
		"DELETE FROM {vendor_secret} WHERE realm=$1 AND (vendor_id, digest) IN" +
			" (SELECT vendor_id, digest FROM {vendor_secret} WHERE realm=$1 AND expires_at<=$2 ORDER BY expires_at LIMIT $3 FOR UPDATE SKIP LOCKED)",
		"DELETE FROM {failures} WHERE realm=$1 AND digest=ANY(ARRAY(SELECT digest FROM {failures}" +
			" WHERE realm=$1 AND expires_at<=$2 ORDER BY expires_at LIMIT $3 FOR UPDATE SKIP LOCKED))",
	} {
		left := int64(limit) - total
		if left == 0 {
			break
		}
		n, err := t.conn.exec(ctx, q, t.realm, now.UnixMicro(), left)
		if err != nil {
			return 0, err
		}
		total += n
	}
	t.changed = t.changed || total > 0
	return int(total), nil
}
