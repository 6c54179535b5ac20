package orguser

import (
	"time"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Everything in this file is pure: bodies to the Manager's types and back.

// roleOf is the role that callers may give by the name.
func roleOf(name string) (usermgmt.RoleID, error) {
	switch name {
	case "owner":
		return usermgmt.RoleOwner, nil
	case "admin":
		return usermgmt.RoleOrgAdmin, nil
	case "writer":
		return usermgmt.RoleWriter, nil
	case "reader":
		return usermgmt.RoleReader, nil
	case "member":
		return usermgmt.RoleMember, nil
	}
	return "", wire.Invalidf("role", "must be owner, admin, writer, reader or member")
}

// roleName is what a member's role is called here. A role that the realm made
// has its own name, which is none of the others: names are unique.
func roleName(member usermgmt.Member) string {
	switch member.Role {
	case usermgmt.RoleOwner:
		return "owner"
	case usermgmt.RoleOrgAdmin:
		return "admin"
	case usermgmt.RoleWriter, usermgmt.RoleEditor:
		return "writer"
	case usermgmt.RoleReader, usermgmt.RoleViewer:
		return "reader"
	case usermgmt.RoleMember:
		return "member"
	case usermgmt.RoleUnassigned:
		return "unassigned"
	}
	return member.RoleName
}

// sameOrganization requires that a body which names the organization names the
// header's: what is authorized is what is changed.
func sameOrganization(org usermgmt.OrganizationID, named wire.Optional[string]) error {
	if id, ok := named.Get(); ok && id != string(org) {
		return wire.Invalidf("organization_id", "must be that of the header")
	}
	return nil
}

func invitationOf(org usermgmt.OrganizationID, req addRequest) (usermgmt.Invitation, error) {
	if err := sameOrganization(org, req.OrganizationID); err != nil {
		return usermgmt.Invitation{}, err
	}
	if req.Email == "" {
		return usermgmt.Invitation{}, wire.Invalidf("email", "must not be empty")
	}
	role, err := roleOf(req.Role)
	return usermgmt.Invitation{NewMember: usermgmt.NewMember{Email: req.Email, Role: role}}, err
}

func updateOf(org usermgmt.OrganizationID, req updateRequest) (usermgmt.UserID, usermgmt.MemberUpdate, error) {
	user, err := userOf(org, req.OrganizationID, req.UserID)
	if err != nil {
		return "", usermgmt.MemberUpdate{}, err
	}
	role, err := roleOf(req.Role)
	return user, usermgmt.MemberUpdate{Role: &role}, err
}

// userOf is the user whom a body names.
func userOf(org usermgmt.OrganizationID, named wire.Optional[string], id string) (usermgmt.UserID, error) {
	if err := sameOrganization(org, named); err != nil {
		return "", err
	}
	if id == "" {
		return "", wire.Invalidf("user_id", "must not be empty")
	}
	return usermgmt.UserID(id), nil
}

func addedOf(member usermgmt.Member) addResponse {
	return addResponse{
		OrganizationID: string(member.OrganizationID), UserID: string(member.UserID), Role: roleName(member),
		Email: member.Profile.Email, FirstName: member.Profile.FirstName, LastName: member.Profile.LastName,
	}
}

// listTime is the text's form of times in the list, which are UTC; those of a
// single member are RFC 3339, in whole seconds too.
const listTime = time.DateTime

func memberOf(member usermgmt.Member) memberResponse {
	return memberResponse{
		OrganizationID: string(member.OrganizationID), UserID: string(member.UserID), Role: roleName(member),
		CreatedAt: member.CreatedAt.UTC().Format(time.RFC3339), UpdatedAt: member.UpdatedAt.UTC().Format(time.RFC3339),
		FirstName: member.Profile.FirstName, LastName: member.Profile.LastName, Email: member.Profile.Email,
	}
}

func listedOf(members []usermgmt.Member) []listedMember {
	items := make([]listedMember, len(members))
	for i, member := range members {
		items[i] = listedMember{
			UserID: string(member.UserID), FirstName: member.Profile.FirstName, LastName: member.Profile.LastName,
			Role: roleName(member), Email: member.Profile.Email, CreatedAt: member.CreatedAt.UTC().Format(listTime),
		}
	}
	return items
}
