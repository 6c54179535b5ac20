package socotra

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/fault"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func (d *dialect) updateUser(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req userUpdateRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	names := roleNames()
	up := profileOf(req)
	if len(req.Permissions) > 0 {
		ps := permissionsOf(req.Permissions)
		up.Permissions = &ps
	}
	if len(req.Roles) > 0 {
		// The right to them goes before what they are: the Manager would ask later.
		if err := m.Require(r.Context(), usermgmt.UsersUpdateRoles, usermgmt.Realmwide); err != nil {
			return err
		}
		roles, err := resolve(r.Context(), m, names, "roles", req.Roles)
		if err != nil {
			return err
		}
		up.Roles = &roles
	}
	u, err := m.UpdateUser(r.Context(), locator(r), up)
	if err != nil {
		return err
	}
	return answerUser(w, r, m, u, names)
}

func (d *dialect) updateUserRoles(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req userRolesUpdateRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	if err := m.Require(r.Context(), usermgmt.UsersUpdateRoles, usermgmt.Realmwide); err != nil {
		return err
	}
	names := roleNames()
	add, err := resolve(r.Context(), m, names, "addRoles", req.AddRoles)
	if err != nil {
		return err
	}
	remove, err := resolve(r.Context(), m, names, "removeRoles", req.RemoveRoles)
	if err != nil {
		return err
	}
	u, err := m.UpdateUser(r.Context(), locator(r), usermgmt.UserUpdate{AddGrants: roleGrants(add), RemoveGrants: roleGrants(remove)})
	if err != nil {
		return fault.Blame(err, "roles", "addRoles")
	}
	return answerUser(w, r, m, u, names)
}

func (d *dialect) updateUserTenants(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req userTenantsUpdateRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	if err := m.Require(r.Context(), usermgmt.UsersUpdateTenants, usermgmt.Realmwide); err != nil {
		return err
	}
	u, err := m.UpdateUser(r.Context(), locator(r), usermgmt.UserUpdate{AddTenants: wire.List(req.AddTenants), RemoveTenants: wire.List(req.RemoveTenants)})
	if err != nil {
		return fault.Blame(err, "tenants", "addTenants")
	}
	return answerUser(w, r, m, u, roleNames())
}
