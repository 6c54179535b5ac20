package fulfillmenttools

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/rolename"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/internal/identity"
)

// Everything in this file is pure: bodies to the Manager's types and back.

// The text's limits.
const (
	maxFacilities = 23
	maxActions    = 5
	minPassword   = 6 // characters; the Manager's policy may ask for more
)

// newUser is the user of a request.
func newUser(req userCreateRequest) (usermgmt.NewUser, error) {
	grants, err := grantsOf("roles", req.Roles)
	if err != nil {
		return usermgmt.NewUser{}, err
	}
	if err := checkPassword("password", req.Password); err != nil {
		return usermgmt.NewUser{}, err
	}
	if err := checkLocale("locale", req.Locale.Value); err != nil {
		return usermgmt.NewUser{}, err
	}
	attributes, err := attributesOf(req.CustomAttributes)
	if err != nil {
		return usermgmt.NewUser{}, err
	}
	return usermgmt.NewUser{
		Username: identity.Transliterate(req.Username), Password: req.Password, FirstName: req.Firstname, LastName: req.Lastname,
		Locale: req.Locale.Value, Email: req.Email.Value, Attributes: attributes, Grants: grants,
	}, nil
}

// updateOf folds the actions of a request, in their order, into one update
// without version.
func updateOf(req userUpdateRequest) (usermgmt.UserUpdate, error) {
	var up usermgmt.UserUpdate
	if n := len(req.Actions); n == 0 || n > maxActions {
		return up, wire.Invalidf("actions", "must have 1 to %d elements", maxActions)
	}
	for i, a := range req.Actions {
		path := fmt.Sprintf("actions[%d].", i)
		if a.Action != "ModifyUser" {
			return up, wire.Invalidf(path+"action", "must be ModifyUser")
		}
		for _, f := range []struct {
			name  string
			from  wire.Optional[string]
			to    **string
			check func(path, s string) error
		}{
			{"firstname", a.Firstname, &up.FirstName, nil},
			{"lastname", a.Lastname, &up.LastName, nil},
			{"password", a.Password, &up.Password, checkPassword},
			{"locale", a.Locale, &up.Locale, checkLocale},
		} {
			if !f.from.Set {
				continue
			}
			if f.check != nil {
				if err := f.check(path+f.name, f.from.Value); err != nil {
					return up, err
				}
			}
			*f.to = &f.from.Value
		}
		if a.Email.Set {
			up.Email = &a.Email.Value
		}
		if a.CustomAttributes.Set {
			attributes, err := attributesOf(a.CustomAttributes)
			if err != nil {
				return up, err
			}
			up.Attributes = &attributes
		}
		if a.Roles.Set {
			grants, err := grantsOf(path+"roles", a.Roles.Value)
			if err != nil {
				return up, err
			}
			up.FacilityRoles = &grants
		}
	}
	return up, nil
}

// roleID is the role of that name, empty for none of the text's three.
func roleID(name string) usermgmt.RoleID {
	switch name {
	case "FULFILLER":
		return usermgmt.RoleFulfiller
	case "SUPERVISOR":
		return usermgmt.RoleSupervisor
	case "ADMINISTRATOR":
		return usermgmt.RoleAdministrator
	}
	return ""
}

// grantsOf is the grant of the one role in a member at path.
func grantsOf(path string, roles []role) ([]usermgmt.Grant, error) {
	if len(roles) != 1 {
		return nil, wire.Invalidf(path, "must have exactly one element")
	}
	r, path := roles[0], path+"[0]"
	id := roleID(r.Name)
	if id == "" {
		return nil, wire.Invalidf(path+".name", "must be FULFILLER, SUPERVISOR or ADMINISTRATOR")
	}
	switch n := len(r.Facilities); {
	case n > maxFacilities:
		return nil, wire.Invalidf(path+".facilities", "must not have more than %d elements", maxFacilities)
	case n == 0 && id != usermgmt.RoleAdministrator:
		return nil, wire.Invalidf(path+".facilities", "must have at least one element for %s", r.Name)
	}
	if i := slices.Index(r.Facilities, ""); i >= 0 {
		return nil, wire.Invalidf(fmt.Sprintf("%s.facilities[%d]", path, i), "must not be empty")
	}
	return []usermgmt.Grant{{Role: id, Kind: usermgmt.ScopeFacility, Scopes: r.Facilities}}, nil
}

func checkPassword(path, password string) error {
	if utf8.RuneCountInString(password) < minPassword {
		return wire.Invalidf(path, "must have at least %d characters", minPassword)
	}
	return nil
}

// checkLocale requires a language tag by its form, as "de_DE" or "zh-Hant-TW",
// or nothing.
func checkLocale(path, locale string) error {
	if locale == "" {
		return nil
	}
	fields := strings.FieldsFunc(locale, func(c rune) bool { return c == '_' || c == '-' })
	separators := strings.Count(locale, "_") + strings.Count(locale, "-")
	ok := len(fields) == separators+1 && len(fields[0]) <= 3 && !strings.ContainsAny(fields[0], "0123456789")
	for _, f := range fields {
		ok = ok && 2 <= len(f) && len(f) <= 8 && !strings.ContainsFunc(f, func(c rune) bool {
			return (c < '0' || '9' < c) && (c < 'A' || 'Z' < c) && (c < 'a' || 'z' < c)
		})
	}
	if !ok {
		return wire.Invalidf(path, "must be a language tag, such as de_DE")
	}
	return nil
}

// attributesOf is the JSON of the object, nil for none.
func attributesOf(object wire.Optional[map[string]any]) (json.RawMessage, error) {
	m, ok := object.Get()
	if !ok {
		return nil, nil
	}
	return json.Marshal(m)
}

// userOf is the answer for a user. His roles are those of the facility scope, in
// the Manager's order; what he holds elsewhere is not this dialect's.
func userOf(u usermgmt.User, names *rolename.Names) userResponse {
	res := userResponse{
		ID: string(u.ID), Username: u.Username, Firstname: u.FirstName, Lastname: u.LastName, Email: u.Email, Locale: u.Locale,
		CustomClaims: customClaims{Roles: []role{}}, AssignedRoles: []assignedRole{},
		AuthenticationProvider: authenticationProvider{Type: "EMAIL_PASSWORD"}, CustomAttributes: u.Attributes,
		Created: wire.Time(u.CreatedAt), LastModified: wire.Time(u.UpdatedAt), Version: u.Version,
	}
	for _, g := range u.Grants {
		if g.Kind != usermgmt.ScopeFacility {
			continue
		}
		name := names.Of(g.Role)
		res.CustomClaims.Roles = append(res.CustomClaims.Roles, role{Name: name, Facilities: wire.List(g.Scopes)})
		assigned := assignedRole{Ref: name, Context: []roleContext{}}
		if len(g.Scopes) > 0 {
			assigned.Context = append(assigned.Context, roleContext{Type: "FACILITY", Values: g.Scopes})
		}
		res.AssignedRoles = append(res.AssignedRoles, assigned)
	}
	return res
}
