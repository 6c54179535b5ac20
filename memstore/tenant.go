package memstore

import (
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

// Tenants are kept as records.

func newTenant(n store.Tenant) store.Tenant {
	n.ID, n.Name, n.Type = own(n.ID), own(n.Name), own(n.Type)
	return n
}

func (x *reader) Tenant(ctx context.Context, id store.TenantID) (store.Tenant, error) {
	if err := x.ok(ctx); err != nil {
		return store.Tenant{}, err
	}
	return found(x.t.tenants[id], value)
}

func (x *reader) Tenants(ctx context.Context, after store.TenantID, limit int) ([]store.Tenant, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	return page(x.t.tenantsInOrder, &store.Tenant{ID: after}, limit, all, value), nil
}

func (x *tx) CreateTenant(ctx context.Context, n store.Tenant) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := n.Check(); err != nil {
		return err
	}
	t := x.t
	if t.tenants[n.ID] != nil {
		return exists("ID")
	}
	n.Version = 1
	v := newTenant(n)
	row := &v
	t.addTenant(row)
	x.undo(func() { t.dropTenant(row) })
	return nil
}

func (x *tx) UpdateTenant(ctx context.Context, n store.Tenant) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := n.Check(); err != nil {
		return err
	}
	row := x.t.tenants[n.ID]
	switch {
	case row == nil:
		return store.ErrNotFound
	case row.Version != n.Version:
		return store.ErrStale
	}
	old := *row
	v := newTenant(n)
	v.ID, v.CreatedAt = old.ID, old.CreatedAt // the id is the key of a map
	v.Version++
	*row = v
	x.undo(func() { *row = old })
	x.bump()
	return nil
}

func (x *tx) DeleteTenant(ctx context.Context, id store.TenantID) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	t, row := x.t, x.t.tenants[id]
	if row == nil {
		return store.ErrNotFound
	}
	t.dropTenant(row)
	x.undo(func() { t.addTenant(row) })
	x.bump()
	return nil
}

func (t *tables) addTenant(n *store.Tenant) {
	t.tenants[n.ID] = n
	t.tenantsInOrder.Set(n)
}

func (t *tables) dropTenant(n *store.Tenant) {
	t.tenantsInOrder.Delete(n)
	delete(t.tenants, n.ID)
}
