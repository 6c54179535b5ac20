// Package socotra serves Socotra's users and roles: /auth/users and /auth/roles,
// with permissions "group.action".
//
//	mount := socotra.Mount(gate, 0)
//
// A locator is the id of a user or a role, a tenant is named by its id, by "any"
// or by "type:…". Roles and permissions are those of the realm scope alone: what
// a user holds at facilities or in organizations is neither shown nor changed.
// docs/dialects/socotra.md has the routes and our decisions.
package socotra

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

type dialect struct {
	decoder *wire.Decoder
}

// Mount returns the dialect. Bodies over maxBody bytes, 64 KiB if 0, are 413.
func Mount(gate *caller.Gate, maxBody int64) wire.Mount {
	d := &dialect{&wire.Decoder{MaxBytes: maxBody}}
	const self = "realm|self" // the text's "custom"
	rows := []struct {
		method, pattern, name string
		permission            usermgmt.Permission
		scope                 string
		handler               caller.Handler
	}{
		{http.MethodPost, "/auth/users", "createUser", usermgmt.UsersAdd, "realm", d.createUser},
		{http.MethodGet, "/auth/users/whoami", "fetchMyUserDetails", "", "self", d.whoami},
		{http.MethodGet, "/auth/users/username/{username}", "fetchUserByName", usermgmt.UsersRead, "realm", d.userByName},
		{http.MethodGet, "/auth/users/{locator}", "fetchUserByLocator", usermgmt.UsersRead, self, d.user},
		{http.MethodGet, "/auth/users/list", "fetchMultipleUsers", readOrList("users"), "realm", d.users},
		{http.MethodGet, "/auth/users/basic/list", "fetchMultipleBasicUsers", readOrList("users"), "realm", d.basicUsers},
		{http.MethodPatch, "/auth/users/{locator}", "updateUser", usermgmt.UsersUpdate, self, d.updateUser},
		{http.MethodPatch, "/auth/users/{locator}/passwordreset", "resetUserPassword", usermgmt.UsersPasswordReset, "realm", d.resetPassword},
		{http.MethodDelete, "/auth/users/{locator}", "deleteUser", usermgmt.UsersDelete, "realm", d.deleteUser},
		{http.MethodGet, "/auth/users/{locator}/permissions", "fetchUserPermissions", usermgmt.UsersRead, self, d.userPermissions},
		{http.MethodPatch, "/auth/users/{locator}/roles", "updateUserRoles", usermgmt.UsersUpdateRoles, "realm", d.updateUserRoles},
		{http.MethodPatch, "/auth/users/{locator}/tenants", "updateUserTenantAssignments", usermgmt.UsersUpdateTenants, "realm", d.updateUserTenants},

		{http.MethodPost, "/auth/roles", "createRole", usermgmt.RolesAdd, "realm", d.createRole},
		{http.MethodGet, "/auth/roles/{locator}", "getRole", usermgmt.RolesRead, "realm", d.role},
		{http.MethodPatch, "/auth/roles/{locator}", "updateRole", usermgmt.RolesUpdate, "realm", d.updateRole},
		{http.MethodGet, "/auth/roles/list", "fetchMultipleRoles", readOrList("roles"), "realm", d.roles},
		{http.MethodDelete, "/auth/roles/{locator}", "deleteRole", usermgmt.RolesDelete, "realm", d.deleteRole},
		{http.MethodGet, "/auth/roles/permissions", "fetchAvailablePermissions", usermgmt.RolesRead, "realm", d.permissions},
	}
	mount := wire.Mount{Prefixes: []string{"/auth/users", "/auth/roles"}, Errors: wire.Problem{}, Classify: classify}
	for _, row := range rows {
		mount.Routes = append(mount.Routes, wire.Route{
			Method: row.method, Pattern: row.pattern, Name: "socotra." + row.name,
			Policy:  wire.Policy{Who: wire.WhoUser, Permission: string(row.permission), Scope: row.scope},
			Handler: caller.Serve(gate.User, row.handler),
		})
	}
	return mount
}

func readOrList(group string) usermgmt.Permission {
	return usermgmt.Permission(group + ".read|" + group + ".list")
}
