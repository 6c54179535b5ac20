package sqlitestore

import (
	"context"
	"database/sql/driver"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

const (
	sessionExists       = "SELECT 1 FROM {session} WHERE realm=? AND id=?"
	deleteSessionTokens = "DELETE FROM {token} WHERE realm=?1 AND session IN (SELECT id FROM {session} WHERE realm=?1 AND user=?2)"
)

func (r *reader) Session(ctx context.Context, id store.SessionID) (store.Session, error) {
	return get(ctx, r, record.DecodeSession, "SELECT data FROM {session} WHERE realm=? AND id=?", r.realm, string(id))
}

func (r *reader) Sessions(ctx context.Context, user store.UserID, after store.SessionID, limit int) ([]store.Session, error) {
	return page(ctx, r, record.DecodeSession, limit,
		"SELECT data FROM {session} WHERE realm=? AND user=? AND id>? ORDER BY id LIMIT ?", r.realm, string(user), string(after))
}

func (t *tx) CreateSession(ctx context.Context, s store.Session) error {
	if err := t.may(ctx, s); err != nil {
		return err
	}
	if err := t.refer(userExists, t.realm, string(s.UserID)); err != nil {
		return err
	}
	if s.OrganizationID != "" {
		if err := t.refer(organizationExists, t.realm, string(s.OrganizationID)); err != nil {
			return err
		}
	}
	return t.write([]rule{{"ID", sessionExists, []driver.Value{t.realm, string(s.ID)}}},
		"INSERT INTO {session} (realm, id, user, organization, expires_at, data) VALUES (?, ?, ?, ?, ?, ?)",
		t.realm, string(s.ID), string(s.UserID), orNull(s.OrganizationID), expiry(s.ExpiresAt), record.EncodeSession(s))
}

func (t *tx) DeleteSession(ctx context.Context, id store.SessionID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	if err := t.remove("DELETE FROM {session} WHERE realm=? AND id=?", t.realm, string(id)); err != nil {
		return err
	}
	t.rights = true
	return t.run([]driver.Value{t.realm, string(id)}, "DELETE FROM {token} WHERE realm=? AND session=?")
}

func (t *tx) DeleteSessions(ctx context.Context, user store.UserID) (int, error) {
	if err := t.ok(ctx); err != nil {
		return 0, err
	}
	err := t.run([]driver.Value{t.realm, string(user), int64(store.TokenCode)},
		"DELETE FROM {token} WHERE realm=? AND user=? AND kind=?", deleteSessionTokens)
	if err != nil {
		return 0, err
	}
	n, err := t.db.exec("DELETE FROM {session} WHERE realm=? AND user=?", t.realm, string(user))
	t.rights = t.rights || n > 0
	return int(n), err
}

func (t *tx) DeleteExpired(ctx context.Context, now store.Time, limit int) (int, error) {
	if err := t.ok(ctx); err != nil {
		return 0, err
	}
	// Tokens come first: those that go with their session are not counted twice.
	var total int64
	for _, table := range []struct {
		cascade, remove string
		rights          bool
	}{
		{"", "DELETE FROM {token} WHERE realm=?1 AND digest IN (SELECT digest FROM {token} WHERE realm=?1 AND expires_at<=?2 LIMIT ?3)", false},
		{"DELETE FROM {token} WHERE realm=?1 AND session IN (SELECT id FROM {session} WHERE realm=?1 AND expires_at<=?2 ORDER BY expires_at, id LIMIT ?3)",
			"DELETE FROM {session} WHERE realm=?1 AND id IN (SELECT id FROM {session} WHERE realm=?1 AND expires_at<=?2 ORDER BY expires_at, id LIMIT ?3)", true},
		{"", "DELETE FROM {vendor_secret} WHERE realm=?1 AND (vendor, digest) IN" +
			" (SELECT vendor, digest FROM {vendor_secret} WHERE realm=?1 AND expires_at<=?2 LIMIT ?3)", false},
		{"", "DELETE FROM {failures} WHERE realm=?1 AND digest IN (SELECT digest FROM {failures} WHERE realm=?1 AND expires_at<=?2 LIMIT ?3)", false},
	} {
		left := int64(limit) - total
		if left <= 0 {
			break
		}
		args := []driver.Value{t.realm, now.UnixMicro(), left}
		if table.cascade != "" {
			if _, err := t.db.exec(table.cascade, args...); err != nil {
				return int(total), err
			}
		}
		n, err := t.db.exec(table.remove, args...)
		if err != nil {
			return int(total), err
		}
		t.rights = t.rights || table.rights && n > 0
		total += n
	}
	return int(total), nil
}
