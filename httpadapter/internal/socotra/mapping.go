package socotra

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/rolename"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/internal/identity"
)

// Everything in this file is pure: bodies to the Manager's types and back.

// newUser is the user of a request, without his roles.
func newUser(req userCreateRequest) (usermgmt.NewUser, error) {
	if _, _, err := identity.FoldEmail(req.UserName); err != nil {
		return usermgmt.NewUser{}, wire.Invalidf("userName", "must be an e-mail address: %v", err)
	}
	if req.Password.Set && req.Password.Value == "" {
		return usermgmt.NewUser{}, wire.Invalidf("password", "must be absent or not empty")
	}
	return usermgmt.NewUser{
		Username: req.UserName, FirstName: req.FirstName, LastName: req.LastName, Email: req.Email.Value,
		Password: req.Password.Value, TemporaryPassword: req.TemporaryPassword, Tenants: req.Tenants.Value,
	}, nil
}

// profileOf is the update of a request, without roles and permissions. An
// empty e-mail removes the address; an empty list of tenants changes nothing.
func profileOf(req userUpdateRequest) usermgmt.UserUpdate {
	up := usermgmt.UserUpdate{FirstName: &req.FirstName, LastName: &req.LastName}
	if email, ok := req.Email.Get(); ok {
		up.Email = &email
	}
	if len(req.Tenants) > 0 {
		up.Tenants = &req.Tenants
	}
	return up
}

func roleGrants(roles []usermgmt.RoleID) []usermgmt.Grant {
	grants := []usermgmt.Grant{}
	for _, id := range roles {
		grants = append(grants, usermgmt.Grant{Role: id, Kind: usermgmt.ScopeRealm})
	}
	return grants
}

// userOf is the answer for a user.
func userOf(u usermgmt.User, names *rolename.Names) userResponse {
	res := userResponse{
		Locator: string(u.ID), FirstName: u.FirstName, LastName: u.LastName, UserName: u.Username, Email: u.Email,
		Tenants: wire.List(u.Tenants), Permissions: []string{}, Roles: []string{},
	}
	for _, g := range u.Grants {
		switch {
		case g.Kind != usermgmt.ScopeRealm:
		case g.Role == "":
			res.Permissions = append(res.Permissions, g.Permission)
		default:
			res.Roles = append(res.Roles, names.Of(g.Role))
		}
	}
	slices.Sort(res.Permissions)
	slices.Sort(res.Roles)
	return res
}

func roleOf(r usermgmt.Role) roleResponse {
	return roleResponse{
		Locator: string(r.ID), Name: r.Name, Description: r.Description, Version: r.Version,
		CreatedAt: wire.Time(r.CreatedAt), CreatedBy: creator(r.CreatedBy),
		Permissions: wire.List(r.Permissions),
	}
}

// creator is the id of the user who made a role, if it is a UUID; who is not
// such a user is the zero UUID.
func creator(by string) string {
	id, ok := strings.CutPrefix(by, "user:")
	if parsed, err := uuid.Parse(id); !ok || err != nil || !strings.EqualFold(parsed.String(), id) {
		return uuid.Nil.String()
	}
	return id
}

func permissionsOf(names []string) []usermgmt.Permission {
	ps := make([]usermgmt.Permission, len(names))
	for i, n := range names {
		ps[i] = usermgmt.Permission(n)
	}
	return ps
}

// passwordOf reads the body of a password reset: a JSON string, or the bare
// text, which some clients send with a JSON content type. It is taken as it is,
// white space included. What begins an object or an array is neither, so that
// nobody gets a JSON text for a password.
func (d *dialect) passwordOf(data []byte, media string) (string, error) {
	if media != wire.MediaText {
		switch start := strings.TrimLeft(string(data), " \t\r\n"); {
		case start == "":
			return "", wire.Invalidf("", "body must not be empty")
		case start[0] == '{' || start[0] == '[':
			return "", wire.Invalidf("", "body must be a string")
		case start[0] == '"':
			var password string
			err := d.decoder.Unmarshal(data, &password)
			return password, err
		}
	}
	return wire.Text(data)
}
