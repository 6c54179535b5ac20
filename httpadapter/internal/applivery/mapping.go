package applivery

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Everything in this file is pure: bodies to the Manager's types and back.

// Limits of the text, in characters. The Manager's own are no narrower but for
// addresses, of which it takes 254 bytes.
const (
	maxEmail = 256
	maxName  = 128
	maxTag   = 128
)

// invitation is the new member of a request, a viewer.
func invitation(req createOemUserRequest, role usermgmt.RoleID) (usermgmt.Invitation, error) {
	n := usermgmt.Invitation{NewAccount: true, FirstName: req.FirstName.Value, LastName: req.LastName.Value}
	n.Email, n.Role, n.Tags = req.Email, role, req.Tags.Value
	if err := checkLength("email", n.Email, maxEmail); err != nil {
		return n, err
	}
	if !isEmail(n.Email) {
		return n, wire.Invalidf("email", "must be an e-mail address")
	}
	if err := checkLength("firstName", n.FirstName, maxName); err != nil {
		return n, err
	}
	if err := checkLength("lastName", n.LastName, maxName); err != nil {
		return n, err
	}
	return n, checkTags(n.Tags)
}

func checkTags(tags []string) error {
	for _, tag := range tags {
		if tag == "" {
			return wire.Invalidf("tags", "must not hold an empty entry")
		}
		if err := checkLength("tags", tag, maxTag); err != nil {
			return err
		}
	}
	return nil
}

func checkLength(field, s string, maximum int) error {
	if utf8.RuneCountInString(s) > maximum {
		return wire.Invalidf(field, "must not have more than %d characters", maximum)
	}
	return nil
}

// roles are the text's roles, and those of ours that it knows by them.
var roles = []struct {
	name string
	ids  []usermgmt.RoleID
}{
	{"owner", []usermgmt.RoleID{usermgmt.RoleOwner}},
	{"admin", []usermgmt.RoleID{usermgmt.RoleOrgAdmin}},
	{"editor", []usermgmt.RoleID{usermgmt.RoleEditor, usermgmt.RoleWriter}},
	{"viewer", []usermgmt.RoleID{usermgmt.RoleViewer, usermgmt.RoleReader, usermgmt.RoleMember}},
	{"unassigned", []usermgmt.RoleID{usermgmt.RoleUnassigned}},
}

// collaboratorOf is the answer for a member.
func collaboratorOf(m usermgmt.Member) collaborator {
	return collaborator{
		ID: string(m.UserID), Organization: string(m.OrganizationID), Role: roleName(m.Role), Tags: wire.List(m.Tags),
		User: user{
			ID: string(m.UserID), Email: m.Profile.Email, FirstName: m.Profile.FirstName, LastName: m.Profile.LastName,
			Role: userRole(m.Profile),
		},
		CreatedBy: creator(m.CreatedBy), UpdatedAt: wire.Time(m.UpdatedAt), CreatedAt: wire.Time(m.CreatedAt),
	}
}

// roleName is the text's name for a role: "unassigned" for one that is the
// host's own, of which the text has none.
func roleName(id usermgmt.RoleID) string {
	for _, r := range roles {
		if slices.Contains(r.ids, id) {
			return r.name
		}
	}
	return "unassigned"
}

// rolesOf are the roles that have the name, nil if it is none of the text's.
func rolesOf(name string) []usermgmt.RoleID {
	for _, r := range roles {
		if r.name == name {
			return r.ids
		}
	}
	return nil
}

func userRole(p usermgmt.Profile) string {
	if p.Admin {
		return "admin"
	}
	return "user"
}

// creator is an actor's id without its kind; the host has no id.
func creator(by string) string {
	if _, id, ok := strings.Cut(by, ":"); ok {
		return id
	}
	return by
}
