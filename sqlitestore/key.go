package sqlitestore

import (
	"context"
	"database/sql/driver"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

const keyByDigest = "SELECT data FROM {api_key} WHERE realm=? AND digest=?"

func (r *reader) Key(ctx context.Context, id store.KeyID) (store.Key, error) {
	return get(ctx, r, record.DecodeKey, "SELECT data FROM {api_key} WHERE realm=? AND id=?", r.realm, string(id))
}

func (r *reader) KeyByDigest(ctx context.Context, digest store.Digest) (store.Key, error) {
	return get(ctx, r, record.DecodeKey, keyByDigest, r.realm, digest[:])
}

func (r *reader) Keys(ctx context.Context, org store.OrganizationID, after store.KeyID, limit int) ([]store.Key, error) {
	return page(ctx, r, record.DecodeKey, limit,
		"SELECT data FROM {api_key} WHERE realm=? AND organization=? AND id>? ORDER BY id LIMIT ?", r.realm, string(org), string(after))
}

func (t *tx) CreateKey(ctx context.Context, k store.Key) error {
	if err := t.may(ctx, k); err != nil {
		return err
	}
	if err := t.refer(organizationExists, t.realm, string(k.OrganizationID)); err != nil {
		return err
	}
	if k.Owner != "" {
		if err := t.refer(userExists, t.realm, string(k.Owner)); err != nil {
			return err
		}
	}
	return t.write([]rule{
		{"ID", "SELECT 1 FROM {api_key} WHERE realm=? AND id=?", []driver.Value{t.realm, string(k.ID)}},
		{"Digest", keyByDigest, []driver.Value{t.realm, k.Digest[:]}},
	}, "INSERT INTO {api_key} (realm, id, organization, owner, digest, data) VALUES (?, ?, ?, ?, ?, ?)",
		t.realm, string(k.ID), string(k.OrganizationID), orNull(k.Owner), k.Digest[:], record.EncodeKey(k))
}

func (t *tx) DeleteKey(ctx context.Context, id store.KeyID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	err := t.remove("DELETE FROM {api_key} WHERE realm=? AND id=?", t.realm, string(id))
	if err == nil {
		t.rights = true
	}
	return err
}
