package pgstore

import (
	"context"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func apiKeys() table[store.Key] {
	return table[store.Key]{"{api_key}", []string{"id"}, record.DecodeKey, func(k store.Key) rowKey { return apiKeyKey(k.ID) }}
}

func apiKeyKey(id store.KeyID) rowKey { return rowKey{table: "{api_key}", a: string(id)} }

func (r *reader) Key(ctx context.Context, id store.KeyID) (store.Key, error) {
	return findKey(ctx, r, apiKeys(), apiKeyKey(id), "id=$2", string(id))
}

func (r *reader) KeyByDigest(ctx context.Context, digest store.Digest) (store.Key, error) {
	return find(ctx, r, apiKeys(), "digest=$2", digest[:])
}

func (r *reader) Keys(ctx context.Context, org store.OrganizationID, since store.KeyID, limit int) ([]store.Key, error) {
	return list(ctx, r, record.DecodeKey, limit,
		"SELECT data FROM {api_key} WHERE realm=$1 AND org_id=$2 AND id>$3 ORDER BY id LIMIT $4", r.realm, string(org), after(since))
}

func (t *tx) CreateKey(ctx context.Context, k store.Key) error {
	if err := t.may(ctx, k); err != nil {
		return err
	}
	parents := []parent{organizationParent(t, k.OrganizationID)}
	if k.Owner != "" {
		parents = append(parents, userParent(t, k.Owner))
	}
	return t.create(ctx, parents, []rule{
		{"ID", "SELECT 1 FROM {api_key} WHERE realm=$1 AND id=$2", []any{t.realm, string(k.ID)}},
		{"Digest", "SELECT 1 FROM {api_key} WHERE realm=$1 AND digest=$2", []any{t.realm, k.Digest[:]}},
	}, "INSERT INTO {api_key} (realm, id, org_id, owner, digest, data) SELECT $1, $2, $3, $4::text, $5::bytea, $6::bytea"+
		" WHERE EXISTS (SELECT 1 FROM {organization} WHERE realm=$1 AND id=$3)"+
		" AND ($4::text IS NULL OR EXISTS (SELECT 1 FROM {user} WHERE realm=$1 AND id=$4::text)) ON CONFLICT DO NOTHING",
		t.realm, string(k.ID), string(k.OrganizationID), orNull(k.Owner), k.Digest[:], record.EncodeKey(k))
}

func (t *tx) DeleteKey(ctx context.Context, id store.KeyID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	err := t.remove(ctx, apiKeyKey(id), apiKeys().keys, "DELETE FROM {api_key} WHERE realm=$1 AND id=$2", t.realm, string(id))
	t.rights = t.rights || err == nil
	return err
}
