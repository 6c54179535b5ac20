// Package orguser serves /organization-user: the members of an organization, which
// a header names, and their roles.
//
//	mount := orguser.Mount(gate, 0)
//
// A member is shown with one role: owner, admin, writer, reader or member, which
// callers may give, unassigned, or a role that the realm made. Editors are shown
// as writers and viewers as readers, whose rights they have.
// docs/dialects/organization-user.md has the routes and our decisions.
package orguser

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
	// The contract's own web client sends Email and Role.
	d := &dialect{&wire.Decoder{MaxBytes: maxBody, FoldNames: true}}
	const members, member = "/organization-user", "/organization-user/{user_id}"
	rows := []struct {
		method, pattern, name string
		permission            usermgmt.Permission
		handler               caller.Handler
		doc                   wire.Doc
	}{
		{
			http.MethodPost, members, "addMember", usermgmt.MembersAdd, d.addMember,
			wire.Doc{
				Summary: "Adds a user to the organization, and invites one who has no account.", Request: addRequest{},
				Status: http.StatusCreated, Answer: addResponse{}, Errors: []int{400, 403, 404, 409, 413, 415},
			},
		},
		{
			http.MethodPut, members, "updateMember", usermgmt.MembersUpdate, d.updateMember,
			wire.Doc{
				Summary: "Gives a member another role.", Request: updateRequest{},
				Status: http.StatusOK, Answer: messageResponse{}, Errors: []int{400, 403, 404, 409, 413, 415},
			},
		},
		{
			http.MethodDelete, members, "deleteMember", usermgmt.MembersDelete, d.deleteMember,
			wire.Doc{
				Summary: "Removes a member; the account stays.", Request: deleteRequest{},
				Status: http.StatusOK, Answer: messageResponse{}, Errors: []int{400, 403, 404, 409, 413, 415},
			},
		},
		{
			http.MethodGet, members, "listMembers", usermgmt.MembersRead + "|" + usermgmt.MembersList, d.listMembers,
			wire.Doc{Summary: "Lists all members.", Status: http.StatusOK, Answer: []listedMember{}, Errors: []int{400, 403, 404}},
		},
		{
			http.MethodGet, member, "fetchMember", usermgmt.MembersRead, d.fetchMember,
			wire.Doc{Summary: "Returns a member.", Status: http.StatusOK, Answer: memberResponse{}, Errors: []int{400, 403, 404}},
		},
	}
	mount := wire.Mount{
		Title:    "Organization users",
		Prefixes: []string{members}, Errors: renderer{}, Classify: classify,
	}
	for _, row := range rows {
		row.doc.Params = []wire.Parameter{organizationParam}
		mount.Routes = append(mount.Routes, wire.Route{
			Method: row.method, Pattern: row.pattern, Name: "organization-user." + row.name,
			Policy:  wire.Policy{Who: wire.WhoUser, Permission: string(row.permission), Scope: "organization"},
			Handler: caller.Serve(gate.User, row.handler),
			Doc:     row.doc,
		})
	}
	return mount
}
