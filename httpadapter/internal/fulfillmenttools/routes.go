// Package fulfillmenttools serves fulfillmenttools' users: /api/users, with roles
// at facilities.
//
//	mount := fulfillmenttools.Mount(gate, 0)
//
// A facility is a name, and a role of a user is a grant of the facility scope.
// What he holds in the whole realm or in organizations is neither shown nor
// changed. docs/dialects/fulfillmenttools.md has the routes and our decisions.
package fulfillmenttools

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

type dialect struct {
	create *wire.Decoder
	// update refuses unknown members, as the text does for actions.
	update *wire.Decoder
}

// Mount returns the dialect. Bodies over maxBody bytes, 64 KiB if 0, are 413.
func Mount(gate *caller.Gate, maxBody int64) wire.Mount {
	d := &dialect{&wire.Decoder{MaxBytes: maxBody}, &wire.Decoder{MaxBytes: maxBody, RefuseUnknown: true}}
	const self = "facility|self"
	rows := []struct {
		method, pattern, name string
		permission            usermgmt.Permission
		scope                 string
		handler               caller.Handler
		doc                   wire.Doc
	}{
		{
			http.MethodPost, "/api/users", "createUser", usermgmt.UsersAdd, "facility", d.createUser,
			wire.Doc{Summary: "Creates a user.", Request: userCreateRequest{}, Status: http.StatusCreated, Answer: userResponse{}, Errors: []int{400, 403, 413, 415}},
		},
		{
			http.MethodPatch, "/api/users/{userId}", "updateUser", usermgmt.UsersUpdate, "facility", d.updateUser,
			wire.Doc{
				Summary: "Changes a user by up to five actions.", Request: userUpdateRequest{}, Strict: true,
				Status: http.StatusOK, Answer: userResponse{}, Errors: []int{400, 403, 404, 409, 413, 415, 429},
			},
		},
		{
			http.MethodDelete, "/api/users/{userId}", "deleteUser", usermgmt.UsersDelete, self, d.deleteUser,
			wire.Doc{Summary: "Deletes a user, and revokes every token of his.", Status: http.StatusOK, Errors: []int{403, 404, 409}},
		},
		{
			http.MethodGet, "/api/users", "listUsers", usermgmt.UsersRead + "|" + usermgmt.UsersList, self, d.users,
			wire.Doc{Summary: "Lists the users within the caller's reach.", Params: pageParams, Status: http.StatusOK, Answer: userListResponse{}, Errors: []int{400, 403}},
		},
		{
			http.MethodGet, "/api/users/{userId}", "fetchUser", usermgmt.UsersRead, self, d.user,
			wire.Doc{Summary: "Returns a user.", Status: http.StatusOK, Answer: userResponse{}, Errors: []int{404}},
		},
	}
	mount := wire.Mount{Title: "fulfillmenttools users", Prefixes: []string{"/api/users"}, Errors: renderer{}, Classify: classify}
	for _, row := range rows {
		mount.Routes = append(mount.Routes, wire.Route{
			Method: row.method, Pattern: row.pattern, Name: "fulfillmenttools." + row.name,
			Policy:  wire.Policy{Who: wire.WhoUser, Permission: string(row.permission), Scope: row.scope},
			Handler: caller.Serve(gate.User, row.handler),
			Doc:     row.doc,
		})
	}
	return mount
}
