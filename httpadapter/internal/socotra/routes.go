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
	const (
		self  = "realm|facility|self" // the text's "custom"
		reach = "realm|facility"      // of who shares one with the user
	)
	rows := []struct {
		method, pattern, name string
		permission            usermgmt.Permission
		scope                 string
		handler               caller.Handler
		doc                   wire.Doc
	}{
		{
			http.MethodPost, "/auth/users", "createUser", usermgmt.UsersAdd, "realm", d.createUser,
			wire.Doc{Summary: "Creates a user.", Request: userCreateRequest{}, Answer: userResponse{}, Errors: []int{400, 403, 409, 413, 415}},
		},
		{
			http.MethodGet, "/auth/users/whoami", "fetchMyUserDetails", "", "self", d.whoami,
			wire.Doc{Summary: "Returns the caller.", Answer: userResponse{}, Errors: []int{403}},
		},
		{
			http.MethodGet, "/auth/users/username/{username}", "fetchUserByName", usermgmt.UsersRead, reach, d.userByName,
			wire.Doc{Summary: "Finds the user with a username: one or none.", Answer: []userResponse{}, Errors: []int{403}},
		},
		{
			http.MethodGet, "/auth/users/{locator}", "fetchUserByLocator", usermgmt.UsersRead, self, d.user,
			wire.Doc{Summary: "Returns a user.", Answer: userResponse{}, Errors: []int{403, 404}},
		},
		{
			http.MethodGet, "/auth/users/list", "fetchMultipleUsers", readOrList("users"), "realm", d.users,
			wire.Doc{Summary: "Lists users.", Params: pageParams, Answer: userListResponse{}, Errors: []int{400, 403}},
		},
		{
			http.MethodGet, "/auth/users/basic/list", "fetchMultipleBasicUsers", readOrList("users"), "realm", d.basicUsers,
			wire.Doc{Summary: "Lists users, in short.", Params: pageParams, Answer: basicUserListResponse{}, Errors: []int{400, 403}},
		},
		{
			http.MethodPatch, "/auth/users/{locator}", "updateUser", usermgmt.UsersUpdate, self, d.updateUser,
			wire.Doc{Summary: "Changes a user.", Request: userUpdateRequest{}, Answer: userResponse{}, Errors: []int{400, 403, 404, 409, 429}},
		},
		{
			http.MethodPatch, "/auth/users/{locator}/passwordreset", "resetUserPassword", usermgmt.UsersPasswordReset, reach, d.resetPassword,
			wire.Doc{Summary: "Gives a user another password.", Request: "", Media: []string{wire.MediaText}, Errors: []int{400, 403, 404, 415}},
		},
		{
			http.MethodDelete, "/auth/users/{locator}", "deleteUser", usermgmt.UsersDelete, reach, d.deleteUser,
			wire.Doc{Summary: "Deletes a user.", Errors: []int{403, 404, 409}},
		},
		{
			http.MethodGet, "/auth/users/{locator}/permissions", "fetchUserPermissions", usermgmt.UsersRead, self, d.userPermissions,
			wire.Doc{Summary: "Lists what a user may do, by roles and by himself.", Answer: []string{}, Errors: []int{403, 404}},
		},
		{
			http.MethodPatch, "/auth/users/{locator}/roles", "updateUserRoles", usermgmt.UsersUpdateRoles, "realm", d.updateUserRoles,
			wire.Doc{Summary: "Gives and takes roles.", Request: userRolesUpdateRequest{}, Answer: userResponse{}, Errors: []int{400, 403, 404, 409}},
		},
		{
			http.MethodPatch, "/auth/users/{locator}/tenants", "updateUserTenantAssignments", usermgmt.UsersUpdateTenants, "realm", d.updateUserTenants,
			wire.Doc{Summary: "Assigns a user to tenants, and ends assignments.", Request: userTenantsUpdateRequest{}, Answer: userResponse{}, Errors: []int{400, 403, 404}},
		},

		{
			http.MethodPost, "/auth/roles", "createRole", usermgmt.RolesAdd, "realm", d.createRole,
			wire.Doc{Summary: "Creates a role.", Request: roleCreateRequest{}, Answer: roleResponse{}, Errors: []int{400, 403, 409}},
		},
		{
			http.MethodGet, "/auth/roles/{locator}", "getRole", usermgmt.RolesRead, "realm", d.role,
			wire.Doc{Summary: "Returns a role.", Answer: roleResponse{}, Errors: []int{403, 404}},
		},
		{
			http.MethodPatch, "/auth/roles/{locator}", "updateRole", usermgmt.RolesUpdate, "realm", d.updateRole,
			wire.Doc{Summary: "Changes a role.", Request: roleUpdateRequest{}, Answer: roleResponse{}, Errors: []int{400, 403, 404, 409}},
		},
		{
			http.MethodGet, "/auth/roles/list", "fetchMultipleRoles", readOrList("roles"), "realm", d.roles,
			wire.Doc{Summary: "Lists roles.", Params: pageParams, Answer: roleListResponse{}, Errors: []int{400, 403}},
		},
		{
			http.MethodDelete, "/auth/roles/{locator}", "deleteRole", usermgmt.RolesDelete, "realm", d.deleteRole,
			wire.Doc{Summary: "Deletes a role, and takes it from its holders.", Errors: []int{403, 404}},
		},
		{
			http.MethodGet, "/auth/roles/permissions", "fetchAvailablePermissions", usermgmt.RolesRead, "realm", d.permissions,
			wire.Doc{Summary: "Lists the permissions that there are.", Answer: []string{}, Errors: []int{403}},
		},
	}
	mount := wire.Mount{
		Title:    "Socotra users and roles",
		Prefixes: []string{"/auth/users", "/auth/roles"}, Errors: wire.Problem{}, Classify: words.Classify,
	}
	for _, row := range rows {
		row.doc.Status = http.StatusOK
		mount.Routes = append(mount.Routes, wire.Route{
			Method: row.method, Pattern: row.pattern, Name: "socotra." + row.name,
			Policy:  wire.Policy{Who: wire.WhoUser, Permission: string(row.permission), Scope: row.scope},
			Handler: caller.Serve(gate.User, row.handler),
			Doc:     row.doc,
		})
	}
	return mount
}

func readOrList(group string) usermgmt.Permission {
	return usermgmt.Permission(group + ".read|" + group + ".list")
}
