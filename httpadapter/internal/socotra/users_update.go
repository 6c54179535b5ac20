package socotra

import (
	"context"
	"errors"
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func (d *dialect) updateUser(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req userUpdateRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	ctx := r.Context()
	if len(req.Roles)+len(req.Permissions) > 0 {
		if err := m.Require(ctx, usermgmt.UsersUpdateRoles, usermgmt.Realmwide); err != nil {
			return err
		}
	}
	names := roleNames{}
	roles, err := names.resolve(ctx, m, "roles", req.Roles)
	if err != nil {
		return err
	}
	u, err := replace(ctx, m, locator(r), profileOf(req), roles, req.Permissions)
	if err != nil {
		return err
	}
	return answerUser(w, r, m, u, names)
}

// attempts is how often a replacement starts over because the user has changed
// under it.
const attempts = 5

// replace updates a user, and of his realm-wide grants replaces the roles and
// the single permissions, each if any are given.
func replace(ctx context.Context, m *usermgmt.Manager, id usermgmt.UserID, up usermgmt.UserUpdate, roles []usermgmt.RoleID, permissions []string) (usermgmt.User, error) {
	if len(roles)+len(permissions) == 0 {
		return m.UpdateUser(ctx, id, up)
	}
	var stale error
	for range attempts {
		old, err := current(ctx, m, id)
		if err != nil {
			return usermgmt.User{}, err
		}
		grants := replaceGrants(old.Grants, roles, permissions)
		up.Version, up.Grants = old.Version, &grants
		u, err := m.UpdateUser(ctx, id, up)
		if !errors.Is(err, usermgmt.ErrStale) {
			return u, err
		}
		stale = err
	}
	return usermgmt.User{}, &wire.Error{Kind: wire.Conflict, Detail: "the user is being changed by others", Cause: stale}
}

// current reads a user whom the actor means to update. Whoever may update but
// not read him gets him from an update that changes nothing.
func current(ctx context.Context, m *usermgmt.Manager, id usermgmt.UserID) (usermgmt.User, error) {
	u, err := m.User(ctx, id)
	if errors.Is(err, usermgmt.ErrForbidden) {
		return m.UpdateUser(ctx, id, usermgmt.UserUpdate{})
	}
	return u, err
}

func (d *dialect) updateUserRoles(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req userRolesUpdateRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	ctx := r.Context()
	if err := m.Require(ctx, usermgmt.UsersUpdateRoles, usermgmt.Realmwide); err != nil {
		return err
	}
	names := roleNames{}
	add, err := names.resolve(ctx, m, "addRoles", req.AddRoles)
	if err != nil {
		return err
	}
	remove, err := names.resolve(ctx, m, "removeRoles", req.RemoveRoles)
	if err != nil {
		return err
	}
	up := usermgmt.UserUpdate{AddGrants: roleGrants(add), RemoveGrants: roleGrants(remove)}
	u, err := updateOrRead(ctx, m, locator(r), up, len(add)+len(remove) == 0)
	if err != nil {
		return blame(err, "roles", "addRoles")
	}
	return answerUser(w, r, m, u, names)
}

func (d *dialect) updateUserTenants(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req userTenantsUpdateRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	ctx := r.Context()
	if err := m.Require(ctx, usermgmt.UsersUpdateTenants, usermgmt.Realmwide); err != nil {
		return err
	}
	up := usermgmt.UserUpdate{AddTenants: req.AddTenants, RemoveTenants: req.RemoveTenants}
	u, err := updateOrRead(ctx, m, locator(r), up, len(up.AddTenants)+len(up.RemoveTenants) == 0)
	if err != nil {
		return blame(err, "tenants", "addTenants")
	}
	return answerUser(w, r, m, u, roleNames{})
}

// updateOrRead updates a user, or reads him if nothing is to change: an empty
// update would need another permission.
func updateOrRead(ctx context.Context, m *usermgmt.Manager, id usermgmt.UserID, up usermgmt.UserUpdate, empty bool) (usermgmt.User, error) {
	if empty {
		return current(ctx, m, id)
	}
	return m.UpdateUser(ctx, id, up)
}
