package sqlitestore

import (
	"context"
	"database/sql/driver"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func (r *reader) Token(ctx context.Context, kind store.TokenKind, digest store.Digest) (store.Token, error) {
	return get(ctx, r, record.DecodeToken, "SELECT data FROM {token} WHERE realm=? AND digest=? AND kind=?", r.realm, digest[:], int64(kind))
}

func (r *reader) OrganizationTokens(ctx context.Context, org store.OrganizationID, users []store.UserID, after store.Digest, limit int) ([]store.Token, error) {
	want, err := idList(users)
	if err != nil {
		return nil, err
	}
	return page(ctx, r, record.DecodeToken, limit, "SELECT data FROM {token} WHERE realm=? AND organization=?"+
		" AND user IN (SELECT value FROM json_each(?)) AND kind=? AND digest>? ORDER BY digest LIMIT ?", r.realm, string(org), want, int64(store.TokenOrganization), after[:])
}

func (t *tx) CreateToken(ctx context.Context, k store.Token) error {
	if err := t.may(ctx, k); err != nil {
		return err
	}
	if err := t.refer(userExists, t.realm, string(k.UserID)); err != nil {
		return err
	}
	var err error
	if k.Kind == store.TokenRefresh {
		err = t.refer(sessionExists, t.realm, string(k.SessionID))
	} else {
		err = t.refer(membershipExists, t.realm, string(k.OrganizationID), string(k.UserID))
	}
	if err != nil {
		return err
	}
	return t.write([]rule{{"Digest", "SELECT 1 FROM {token} WHERE realm=? AND digest=?", []driver.Value{t.realm, k.Digest[:]}}},
		"INSERT INTO {token} (realm, digest, kind, user, organization, session, expires_at, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		t.realm, k.Digest[:], int64(k.Kind), string(k.UserID), orNull(k.OrganizationID), orNull(k.SessionID),
		expiry(k.ExpiresAt), record.EncodeToken(k))
}

// UseToken needs no condition in its statement: units run one after another.
func (t *tx) UseToken(ctx context.Context, kind store.TokenKind, digest store.Digest, at store.Time) (store.Token, error) {
	k, err := t.Token(ctx, kind, digest)
	if err != nil {
		return store.Token{}, err
	}
	if !k.UsedAt.IsZero() {
		return k, store.ErrUsed
	}
	if at.IsZero() {
		return store.Token{}, invalid("UsedAt", "must not be zero")
	}
	k.UsedAt = at
	if err := k.Check(); err != nil {
		return store.Token{}, err
	}
	if _, err := t.db.exec("UPDATE {token} SET data=? WHERE realm=? AND digest=?", record.EncodeToken(k), t.realm, digest[:]); err != nil {
		return store.Token{}, err
	}
	return k, nil
}

func (t *tx) DeleteToken(ctx context.Context, kind store.TokenKind, digest store.Digest) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	return t.remove("DELETE FROM {token} WHERE realm=? AND digest=? AND kind=?", t.realm, digest[:], int64(kind))
}
