package storetest

import (
	"context"
	"maps"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

func (u *modelUnit) Role(ctx context.Context, id store.RoleID) (store.Role, error) {
	return u.role(ctx, func(r store.Role) bool { return r.ID == id })
}

func (u *modelUnit) RoleByName(ctx context.Context, scope store.ScopeKind, name string) (store.Role, error) {
	return u.role(ctx, func(r store.Role) bool { return r.Scope == scope && r.Name == name })
}

func (u *modelUnit) role(ctx context.Context, pick func(store.Role) bool) (store.Role, error) {
	if err := u.ready(ctx); err != nil {
		return store.Role{}, err
	}
	r, err := one(u.roles, pick)
	return r.Clone(), err
}

func (u *modelUnit) RolesByID(ctx context.Context, ids []store.RoleID) ([]store.Role, error) {
	return cloned(first(u.roles, len(ids), func(r store.Role) store.RoleID { return r.ID },
		func(r store.Role) bool { return slices.Contains(ids, r.ID) }), u.ready(ctx))
}

func (u *modelUnit) Roles(ctx context.Context, after store.RoleID, limit int) ([]store.Role, error) {
	return cloned(first(u.roles, limit, func(r store.Role) store.RoleID { return r.ID },
		func(r store.Role) bool { return r.ID > after }), u.ready(ctx))
}

func (u *modelUnit) takenRoleName(r store.Role) bool {
	return some(u.roles, func(o store.Role) bool { return o.ID != r.ID && o.Scope == r.Scope && o.Name == r.Name })
}

func (u *modelUnit) CreateRole(ctx context.Context, r store.Role) error {
	if err := u.begin(ctx, r); err != nil {
		return err
	}
	if _, there := u.roles[r.ID]; there {
		return exists("ID")
	}
	if u.takenRoleName(r) {
		return exists("Name")
	}
	r = r.Clone()
	r.Version = 1
	u.roles[r.ID] = r
	return nil
}

func (u *modelUnit) UpdateRole(ctx context.Context, r store.Role) error {
	if err := u.begin(ctx, r); err != nil {
		return err
	}
	old, err := at(u.roles, r.ID)
	if err != nil {
		return err
	}
	if old.Version != r.Version {
		return store.ErrStale
	}
	r = r.Clone()
	r.Scope, r.CreatedAt, r.CreatedBy = old.Scope, old.CreatedAt, old.CreatedBy
	if u.takenRoleName(r) {
		return exists("Name")
	}
	r.Version++
	u.roles[r.ID] = r
	u.generation++
	return nil
}

func (u *modelUnit) DeleteRole(ctx context.Context, id store.RoleID) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	_, err := at(u.roles, id)
	if err == nil {
		delete(u.roles, id)
		u.generation++
	}
	return err
}

func (u *modelUnit) Permissions(ctx context.Context) ([]string, error) {
	return slices.Sorted(maps.Keys(u.permissions)), u.ready(ctx)
}

func (u *modelUnit) PutPermission(ctx context.Context, name string) error {
	// A tenant's id has the same form.
	if err := u.begin(ctx, store.Tenant{ID: store.TenantID(name)}); err != nil {
		return err
	}
	u.permissions[name] = true
	u.generation++
	return nil
}

func (u *modelUnit) DeletePermission(ctx context.Context, name string) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	_, err := at(u.permissions, name)
	delete(u.permissions, name)
	u.generation++
	return err
}

func (u *modelUnit) Tenant(ctx context.Context, id store.TenantID) (store.Tenant, error) {
	if err := u.ready(ctx); err != nil {
		return store.Tenant{}, err
	}
	return at(u.tenants, id)
}

func (u *modelUnit) Tenants(ctx context.Context, after store.TenantID, limit int) ([]store.Tenant, error) {
	return first(u.tenants, limit, func(t store.Tenant) store.TenantID { return t.ID },
		func(t store.Tenant) bool { return t.ID > after }), u.ready(ctx)
}

func (u *modelUnit) CreateTenant(ctx context.Context, t store.Tenant) error {
	if err := u.begin(ctx, t); err != nil {
		return err
	}
	if _, there := u.tenants[t.ID]; there {
		return exists("ID")
	}
	t.Version = 1
	u.tenants[t.ID] = t
	return nil
}

func (u *modelUnit) UpdateTenant(ctx context.Context, t store.Tenant) error {
	if err := u.begin(ctx, t); err != nil {
		return err
	}
	old, err := at(u.tenants, t.ID)
	if err != nil {
		return err
	}
	if old.Version != t.Version {
		return store.ErrStale
	}
	t.CreatedAt = old.CreatedAt
	t.Version++
	u.tenants[t.ID] = t
	u.generation++
	return nil
}

func (u *modelUnit) DeleteTenant(ctx context.Context, id store.TenantID) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	_, err := at(u.tenants, id)
	if err == nil {
		delete(u.tenants, id)
		u.generation++
	}
	return err
}
