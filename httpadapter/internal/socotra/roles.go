package socotra

import (
	"context"
	"errors"
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/fault"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func (d *dialect) createRole(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req roleCreateRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	role, err := m.CreateRole(r.Context(), usermgmt.NewRole{
		Scope: usermgmt.ScopeRealm, Name: req.Name, Description: req.Description, Permissions: permissionsOf(req.Permissions),
	})
	if err != nil {
		return err
	}
	return wire.JSON(w, http.StatusOK, roleOf(role))
}

func (d *dialect) role(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	role, err := m.Role(r.Context(), roleLocator(r))
	if err != nil {
		return err
	}
	if role.Scope != usermgmt.ScopeRealm {
		return usermgmt.ErrNotFound
	}
	return wire.JSON(w, http.StatusOK, roleOf(role))
}

func (d *dialect) updateRole(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req roleUpdateRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	if err := mayTouchRole(r.Context(), m, roleLocator(r), usermgmt.RolesUpdate); err != nil {
		return err
	}
	version := req.Version
	if version == 0 {
		version = -1 // no role has it; to the Manager 0 would mean any
	}
	role, err := m.UpdateRole(r.Context(), roleLocator(r), usermgmt.RoleUpdate{
		Version: version, Name: &req.Name, Description: &req.Description,
		Add: permissionsOf(req.AddPermissions), Remove: permissionsOf(req.RemovePermissions),
	})
	if err != nil {
		return fault.Blame(err, "permissions", "addPermissions")
	}
	return wire.JSON(w, http.StatusOK, roleOf(role))
}

func (d *dialect) deleteRole(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	if err := mayTouchRole(r.Context(), m, roleLocator(r), usermgmt.RolesDelete); err != nil {
		return err
	}
	if err := m.DeleteRole(r.Context(), roleLocator(r)); err != nil {
		return err
	}
	return wire.Void(w, http.StatusOK)
}

// mayTouchRole requires the permission, and that the role is of the realm
// scope: roles of others are not there. Who may not read roles is left to the
// Manager.
func mayTouchRole(ctx context.Context, m *usermgmt.Manager, id usermgmt.RoleID, p usermgmt.Permission) error {
	if err := m.Require(ctx, p, usermgmt.Realmwide); err != nil {
		return err
	}
	role, err := m.Role(ctx, id)
	switch {
	case errors.Is(err, usermgmt.ErrForbidden):
		return nil
	case err == nil && role.Scope != usermgmt.ScopeRealm:
		return usermgmt.ErrNotFound
	}
	return err
}

func (d *dialect) roles(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	page, err := pageOf(r, maxCount)
	if err != nil {
		return err
	}
	list, err := m.Roles(r.Context(), usermgmt.RoleList{Page: page, Scope: usermgmt.ScopeRealm})
	if err != nil {
		return err
	}
	items := make([]roleResponse, len(list.Items))
	for i, role := range list.Items {
		items[i] = roleOf(role)
	}
	return wire.JSON(w, http.StatusOK, roleListResponse{ListCompleted: list.Next == "", Items: items})
}

func (d *dialect) permissions(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	known, err := m.Permissions(r.Context())
	if err != nil {
		return err
	}
	return wire.JSON(w, http.StatusOK, wire.List(known))
}

func roleLocator(r *http.Request) usermgmt.RoleID { return usermgmt.RoleID(wire.Param(r, "locator")) }
