// Package applivery serves Applivery's OEM users: /v1/organizations/{organizationId}/oem/users,
// and an organization's collaborators, for API keys and users.
//
//	mount := applivery.Mount(gate, 0, usermgmt.RoleViewer)
//
// A collaborator is a member of an organization, and known by his user's id; an
// OEM secret is an organization token of his. An organization is named by its id
// or its slug. docs/dialects/applivery.md has the routes and our decisions.
package applivery

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

type dialect struct {
	decoder *wire.Decoder
	// role is what a new collaborator gets.
	role usermgmt.RoleID
}

// ownersOwn is the permission that, of the roles of an organization, only its
// owner's has. It stands for the owner where nobody else may act; the engine
// asks for the whole of his rights.
const ownersOwn = usermgmt.OrganizationsDelete

// Mount returns the dialect, in which a new collaborator gets the role. Bodies
// over maxBody bytes, 64 KiB if 0, are 413.
func Mount(gate *caller.Gate, maxBody int64, role usermgmt.RoleID) wire.Mount {
	d := &dialect{&wire.Decoder{MaxBytes: maxBody}, role}
	rows := []struct {
		method, pattern, name string
		permission            usermgmt.Permission
		handler               caller.Handler
		doc                   wire.Doc
	}{
		{
			http.MethodPost, "/v1/organizations/{organizationId}/oem/users", "createOemUser", usermgmt.MembersAdd, d.createOemUser,
			wire.Doc{
				Summary: "Creates a user and makes him a collaborator.",
				Request: createOemUserRequest{}, Answer: collaboratorResponse{}, Errors: []int{400, 403, 404, 413, 415, 429},
			},
		},
		{
			http.MethodPut, "/v1/organizations/{organizationId}/oem/users/{userId}/secret", "refreshOemSecret", ownersOwn, d.refreshOemSecret,
			wire.Doc{Summary: "Hands out an OEM secret of a collaborator, to owners.", Answer: oemSecretResponse{}, Errors: []int{400, 403, 404, 429}},
		},
		{
			http.MethodGet, "/v1/organizations/{organizationId}/collaborators", "listCollaborators", usermgmt.MembersList, d.listCollaborators,
			wire.Doc{Summary: "Lists collaborators.", Params: listParams, Answer: collaboratorsResponse{}, Errors: []int{400, 403, 404, 429}},
		},
	}
	mount := wire.Mount{
		Title:    "Applivery OEM users",
		Prefixes: []string{"/v1/organizations"}, Errors: renderer{}, Classify: classify,
	}
	for _, row := range rows {
		row.doc.Status = http.StatusOK
		mount.Routes = append(mount.Routes, wire.Route{
			Method: row.method, Pattern: row.pattern, Name: "applivery." + row.name,
			Policy:  wire.Policy{Who: wire.WhoKey, Permission: string(row.permission), Scope: "organization"},
			Handler: caller.Serve(gate.UserOrKey, row.handler),
			Doc:     row.doc,
		})
	}
	return mount
}

// organization returns the organization of the path, in which the caller holds
// the permission. Who has no part in it learns nothing of it.
func organization(m *usermgmt.Manager, r *http.Request, p usermgmt.Permission) (usermgmt.Organization, error) {
	return m.OrganizationFor(r.Context(), wire.Param(r, "organizationId"), p)
}
