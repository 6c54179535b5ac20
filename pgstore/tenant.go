package pgstore

import (
	"context"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func tenants() table[store.Tenant] {
	return table[store.Tenant]{"{tenant}", []string{"id"}, record.DecodeTenant, func(n store.Tenant) rowKey { return tenantKey(n.ID) }}
}

func tenantKey(id store.TenantID) rowKey { return rowKey{table: "{tenant}", a: string(id)} }

func (r *reader) Tenant(ctx context.Context, id store.TenantID) (store.Tenant, error) {
	return findKey(ctx, r, tenants(), tenantKey(id), "id=$2", string(id))
}

func (r *reader) Tenants(ctx context.Context, since store.TenantID, limit int) ([]store.Tenant, error) {
	return list(ctx, r, record.DecodeTenant, limit,
		"SELECT data FROM {tenant} WHERE realm=$1 AND id>$2 ORDER BY id LIMIT $3", r.realm, after(since))
}

func (t *tx) CreateTenant(ctx context.Context, n store.Tenant) error {
	if err := t.may(ctx, n); err != nil {
		return err
	}
	n.Version = 1
	return t.create(ctx, nil, []rule{{"ID", "SELECT 1 FROM {tenant} WHERE realm=$1 AND id=$2", []any{t.realm, string(n.ID)}}},
		"INSERT INTO {tenant} (realm, id, data) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", t.realm, string(n.ID), record.EncodeTenant(n))
}

func (t *tx) UpdateTenant(ctx context.Context, n store.Tenant) error {
	if err := t.may(ctx, n); err != nil {
		return err
	}
	old, err := t.Tenant(ctx, n.ID)
	if err != nil {
		return err
	}
	if old.Version != n.Version {
		return store.ErrStale
	}
	n.CreatedAt = old.CreatedAt
	n.Version++
	data := record.EncodeTenant(n)
	err = replace(ctx, t, tenants(), n, data, nil, "UPDATE {tenant} SET data=$4 WHERE realm=$1 AND id=$2 AND data=$3",
		t.realm, string(n.ID), t.seen[tenantKey(n.ID)].data, data)
	t.rights = t.rights || err == nil
	return err
}

func (t *tx) DeleteTenant(ctx context.Context, id store.TenantID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	err := t.remove(ctx, tenantKey(id), tenants().keys, "DELETE FROM {tenant} WHERE realm=$1 AND id=$2", t.realm, string(id))
	t.rights = t.rights || err == nil
	return err
}
