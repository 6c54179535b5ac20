package sqlitestore

import (
	"context"
	"database/sql/driver"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func (r *reader) Tenant(ctx context.Context, id store.TenantID) (store.Tenant, error) {
	return get(ctx, r, record.DecodeTenant, "SELECT data FROM {tenant} WHERE realm=? AND id=?", r.realm, string(id))
}

func (r *reader) Tenants(ctx context.Context, after store.TenantID, limit int) ([]store.Tenant, error) {
	return page(ctx, r, record.DecodeTenant, limit,
		"SELECT data FROM {tenant} WHERE realm=? AND id>? ORDER BY id LIMIT ?", r.realm, string(after))
}

func (t *tx) CreateTenant(ctx context.Context, n store.Tenant) error {
	if err := t.may(ctx, n); err != nil {
		return err
	}
	n.Version = 1
	return t.write([]rule{{"ID", "SELECT 1 FROM {tenant} WHERE realm=? AND id=?", []driver.Value{t.realm, string(n.ID)}}},
		"INSERT INTO {tenant} (realm, id, data) VALUES (?, ?, ?)", t.realm, string(n.ID), record.EncodeTenant(n))
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
	_, err = t.db.exec("UPDATE {tenant} SET data=? WHERE realm=? AND id=?", record.EncodeTenant(n), t.realm, string(n.ID))
	if err == nil {
		t.rights = true
	}
	return err
}

func (t *tx) DeleteTenant(ctx context.Context, id store.TenantID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	err := t.remove("DELETE FROM {tenant} WHERE realm=? AND id=?", t.realm, string(id))
	if err == nil {
		t.rights = true
	}
	return err
}
