package sqlitestore

import (
	"context"
	"database/sql/driver"

	"github.com/usermgmt-go/usermgmt/store"
)

func encodeTenant(t store.Tenant) []byte {
	e := encode()
	e.text(string(t.ID), t.Name, t.Type)
	e.int(t.Version)
	e.time(t.CreatedAt, t.UpdatedAt)
	return e.b
}

func decodeTenant(d *decoder) store.Tenant {
	return store.Tenant{
		ID: store.TenantID(d.text()), Name: d.text(), Type: d.text(),
		Version: d.int(), CreatedAt: d.time(), UpdatedAt: d.time(),
	}
}

func (r *reader) Tenant(ctx context.Context, id store.TenantID) (store.Tenant, error) {
	return get(ctx, r, decodeTenant, "SELECT data FROM {tenant} WHERE realm=? AND id=?", r.realm, string(id))
}

func (r *reader) Tenants(ctx context.Context, after store.TenantID, limit int) ([]store.Tenant, error) {
	return page(ctx, r, decodeTenant, limit,
		"SELECT data FROM {tenant} WHERE realm=? AND id>? ORDER BY id LIMIT ?", r.realm, string(after))
}

func (t *tx) CreateTenant(ctx context.Context, n store.Tenant) error {
	if err := t.may(ctx, n); err != nil {
		return err
	}
	n.Version = 1
	return t.write([]rule{{"ID", "SELECT 1 FROM {tenant} WHERE realm=? AND id=?", []driver.Value{t.realm, string(n.ID)}}},
		"INSERT INTO {tenant} (realm, id, data) VALUES (?, ?, ?)", t.realm, string(n.ID), encodeTenant(n))
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
	_, err = t.db.exec("UPDATE {tenant} SET data=? WHERE realm=? AND id=?", encodeTenant(n), t.realm, string(n.ID))
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
