// Package mspcentric serves MSPCentric's OEM API: /api/oem-api, where a vendor
// provisions organizations, their users and one-time sign-ins.
//
//	mount := mspcentric.Mount(gate, 0)
//
// The vendor's credentials are in each body, so a request is decoded before
// anybody is known. An organization token is the vendor's handle on one user in
// one organization. docs/dialects/mspcentric.md has the routes and our decisions.
package mspcentric

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

type dialect struct {
	gate    *caller.Gate
	decoder *wire.Decoder
}

// Mount returns the dialect. Bodies over maxBody bytes, 64 KiB if 0, are 413.
func Mount(gate *caller.Gate, maxBody int64) wire.Mount {
	d := &dialect{gate, &wire.Decoder{MaxBytes: maxBody}}
	rows := []struct {
		method, pattern, name string
		handler               caller.Handler
		doc                   wire.Doc
	}{
		{
			http.MethodPost, "/api/oem-api/organization", "createOrganization", d.createOrganization,
			wire.Doc{Summary: "Creates an organization with its first user as owner.", Request: organizationRequest{}, Answer: provisionedResponse{}, Errors: []int{400, 409, 413, 415, 429}},
		},
		{
			http.MethodPost, "/api/oem-api/user", "createUser", d.createUser,
			wire.Doc{Summary: "Makes a user a member of one of the vendor's organizations.", Request: userRequest{}, Answer: provisionedResponse{}, Errors: []int{400, 404, 409, 413, 415, 429}},
		},
		{
			http.MethodDelete, "/api/oem-api/user", "deleteUser", d.deleteUser,
			wire.Doc{Summary: "Removes a user from an organization.", Request: removalRequest{}, Answer: statusResponse{}, Errors: []int{400, 403, 404, 409, 413, 415, 429}},
		},
		{
			http.MethodPost, "/api/oem-api/organization/session", "createSession", d.createSession,
			wire.Doc{Summary: "Returns a URL that signs a user in to an organization, once.", Request: sessionRequest{}, Answer: sessionResponse{}, Errors: []int{400, 403, 413, 415, 429}},
		},
	}
	mount := wire.Mount{
		Title:    "MSPCentric OEM API",
		Prefixes: []string{"/api/oem-api"}, Errors: renderer{}, Classify: classify,
	}
	for _, row := range rows {
		row.doc.Status = http.StatusCreated
		mount.Routes = append(mount.Routes, wire.Route{
			Method: row.method, Pattern: row.pattern, Name: "mspcentric." + row.name,
			Policy:  wire.Policy{Who: wire.WhoVendor}, // whose scope authenticate asks for
			Handler: caller.Serve(gate.Anyone, row.handler),
			Doc:     row.doc,
		})
	}
	return mount
}
