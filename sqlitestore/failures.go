package sqlitestore

import (
	"context"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func (r *reader) Failures(ctx context.Context, key store.Digest) (store.Failures, error) {
	return get(ctx, r, record.DecodeFailures, "SELECT data FROM {failures} WHERE realm=? AND digest=?", r.realm, key[:])
}

func (t *tx) PutFailures(ctx context.Context, f store.Failures) error {
	if err := t.may(ctx, f); err != nil {
		return err
	}
	_, err := t.db.exec("INSERT INTO {failures} (realm, digest, expires_at, data) VALUES (?, ?, ?, ?)"+
		" ON CONFLICT DO UPDATE SET expires_at=excluded.expires_at, data=excluded.data",
		t.realm, f.Key[:], expiry(f.ExpiresAt), record.EncodeFailures(f))
	return err
}

func (t *tx) DeleteFailures(ctx context.Context, key store.Digest) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	return t.remove("DELETE FROM {failures} WHERE realm=? AND digest=?", t.realm, key[:])
}
