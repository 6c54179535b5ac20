package sqlitestore

import (
	"context"
	"errors"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func (r *reader) Credential(ctx context.Context, user store.UserID) (store.Credential, error) {
	return get(ctx, r, record.DecodeCredential, "SELECT data FROM {credential} WHERE realm=? AND user=?", r.realm, string(user))
}

func (r *reader) CredentialsByID(ctx context.Context, users []store.UserID) ([]store.Credential, error) {
	return allByID(ctx, r, record.DecodeCredential,
		"SELECT data FROM {credential} WHERE realm=? AND user IN (SELECT value FROM json_each(?)) ORDER BY user", users)
}

func (t *tx) PutCredential(ctx context.Context, c store.Credential) error {
	if err := t.may(ctx, c); err != nil {
		return err
	}
	if err := t.refer(userExists, t.realm, string(c.UserID)); err != nil {
		return err
	}
	old, err := t.Credential(ctx, c.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if old.Version != c.Version {
		return store.ErrStale
	}
	c.Version++
	_, err = t.db.exec("INSERT INTO {credential} (realm, user, data) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET data=excluded.data",
		t.realm, string(c.UserID), record.EncodeCredential(c))
	return err
}

func (t *tx) DeleteCredential(ctx context.Context, user store.UserID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	return t.remove("DELETE FROM {credential} WHERE realm=? AND user=?", t.realm, string(user))
}
