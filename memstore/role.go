package memstore

import (
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

// Roles are kept as records.

type roleName struct {
	scope store.ScopeKind
	name  string
}

func nameOf(r *store.Role) roleName { return roleName{r.Scope, r.Name} }

func roleRecord(r *store.Role) store.Role { return r.Clone() }

func newRole(r store.Role) store.Role {
	r = r.Clone()
	r.ID, r.Name, r.Description, r.CreatedBy = own(r.ID), own(r.Name), own(r.Description), own(r.CreatedBy)
	for i, p := range r.Permissions {
		r.Permissions[i] = own(p)
	}
	return r
}

func (x *reader) Role(ctx context.Context, id store.RoleID) (store.Role, error) {
	if err := x.ok(ctx); err != nil {
		return store.Role{}, err
	}
	return found(x.t.roles[id], roleRecord)
}

func (x *reader) RoleByName(ctx context.Context, scope store.ScopeKind, name string) (store.Role, error) {
	if err := x.ok(ctx); err != nil {
		return store.Role{}, err
	}
	return found(x.t.byRoleName[roleName{scope, name}], roleRecord)
}

func (x *reader) RolesByID(ctx context.Context, in []store.RoleID) ([]store.Role, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	return byID(in, func(id store.RoleID) *store.Role { return x.t.roles[id] }, (*store.Role).Clone)
}

func (x *reader) Roles(ctx context.Context, after store.RoleID, limit int) ([]store.Role, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	return page(x.t.rolesInOrder, &store.Role{ID: after}, limit, all, roleRecord), nil
}

func (x *reader) Permissions(ctx context.Context) ([]string, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	return from(x.t.permissions, "", all), nil
}

func (x *tx) CreateRole(ctx context.Context, r store.Role) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return err
	}
	t := x.t
	if t.roles[r.ID] != nil {
		return exists("ID")
	}
	if t.byRoleName[nameOf(&r)] != nil {
		return exists("Name")
	}
	r.Version = 1
	v := newRole(r)
	row := &v
	t.addRole(row)
	x.undo(func() { t.dropRole(row) })
	return nil
}

func (x *tx) UpdateRole(ctx context.Context, r store.Role) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := r.Check(); err != nil {
		return err
	}
	t, row := x.t, x.t.roles[r.ID]
	switch {
	case row == nil:
		return store.ErrNotFound
	case row.Version != r.Version:
		return store.ErrStale
	}
	old := *row
	r.Scope, r.CreatedAt, r.CreatedBy = old.Scope, old.CreatedAt, old.CreatedBy
	if other := t.byRoleName[nameOf(&r)]; other != nil && other != row {
		return exists("Name")
	}
	r.Version++
	t.setRole(row, newRole(r))
	x.undo(func() { t.setRole(row, old) })
	x.bump()
	return nil
}

func (x *tx) DeleteRole(ctx context.Context, id store.RoleID) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	t, row := x.t, x.t.roles[id]
	if row == nil {
		return store.ErrNotFound
	}
	t.dropRole(row)
	x.undo(func() { t.addRole(row) })
	x.bump()
	return nil
}

func (x *tx) PutPermission(ctx context.Context, name string) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := checkPermission(name); err != nil {
		return err
	}
	t := x.t
	if _, is := t.permissions.Get(name); is {
		return nil
	}
	name = own(name)
	t.permissions.Set(name)
	x.undo(func() { t.permissions.Delete(name) })
	x.bump()
	return nil
}

// checkPermission applies the rules of ids, which are those of these names too.
func checkPermission(name string) error {
	if err := (store.Tenant{ID: store.TenantID(name)}).Check(); err != nil {
		return &store.InvalidError{Field: "permission", Reason: "must have 1 to 128 bytes of valid UTF-8 without U+0000"}
	}
	return nil
}

func (x *tx) DeletePermission(ctx context.Context, name string) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	t := x.t
	name, is := t.permissions.Delete(name)
	if !is {
		return store.ErrNotFound
	}
	x.undo(func() { t.permissions.Set(name) })
	x.bump()
	return nil
}

func (t *tables) addRole(r *store.Role) {
	t.roles[r.ID] = r
	t.byRoleName[nameOf(r)] = r
	t.rolesInOrder.Set(r)
}

func (t *tables) dropRole(r *store.Role) {
	t.rolesInOrder.Delete(r)
	delete(t.byRoleName, nameOf(r))
	delete(t.roles, r.ID)
}

// setRole gives a row another content under the same id.
func (t *tables) setRole(r *store.Role, v store.Role) {
	delete(t.byRoleName, nameOf(r))
	*r = v
	t.roles[r.ID] = r
	t.byRoleName[nameOf(r)] = r
}
