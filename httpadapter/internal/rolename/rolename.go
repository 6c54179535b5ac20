// Package rolename finds what the roles are called that users hold in one scope.
//
//	names := rolename.In(usermgmt.ScopeRealm)
//	err := names.Learn(ctx, m, users...)
//	name := names.Of(grant.Role)
package rolename

import (
	"context"
	"errors"
	"slices"

	"github.com/usermgmt-go/usermgmt"
)

// Names are the names of a scope's roles, as far as one request has met them.
// They are not for concurrent use.
type Names struct {
	scope usermgmt.ScopeKind
	known map[usermgmt.RoleID]string
}

// In knows the built-in roles of the realm and the facility scope, and no other yet.
func In(scope usermgmt.ScopeKind) *Names { return &Names{scope: scope} }

// builtin names the built-in roles that users hold by grants; they need no look-up.
func builtin(id usermgmt.RoleID) string {
	switch id {
	case usermgmt.RoleAdmin:
		return "admin"
	case usermgmt.RoleReadOnly:
		return "read-only"
	case usermgmt.RoleFulfiller:
		return "FULFILLER"
	case usermgmt.RoleSupervisor:
		return "SUPERVISOR"
	case usermgmt.RoleAdministrator:
		return "ADMINISTRATOR"
	}
	return ""
}

// Of is the role's name, or its id if the caller may not know the name.
func (n *Names) Of(id usermgmt.RoleID) string {
	if name := builtin(id); name != "" {
		return name
	}
	if name, ok := n.known[id]; ok {
		return name
	}
	return string(id)
}

// Add makes roles known that were read already.
func (n *Names) Add(roles ...usermgmt.Role) {
	if n.known == nil && len(roles) > 0 {
		n.known = make(map[usermgmt.RoleID]string, len(roles))
	}
	for _, r := range roles {
		if r.Scope == n.scope {
			n.known[r.ID] = r.Name
		}
	}
}

// Learn gets the names of the users' roles in one unit of work, if any is
// unknown. A caller who may not know them learns none; that is no error.
func (n *Names) Learn(ctx context.Context, m *usermgmt.Manager, users ...usermgmt.User) error {
	var ids []usermgmt.RoleID
	for _, u := range users {
		for _, g := range u.Grants {
			if g.Kind != n.scope || g.Role == "" || builtin(g.Role) != "" {
				continue
			}
			if _, ok := n.known[g.Role]; !ok {
				ids = append(ids, g.Role)
			}
		}
	}
	slices.Sort(ids)
	for part := range slices.Chunk(slices.Compact(ids), usermgmt.MaxPage) {
		roles, err := m.RolesByID(ctx, part)
		if errors.Is(err, usermgmt.ErrForbidden) {
			return nil
		}
		if err != nil {
			return err
		}
		n.Add(roles...)
	}
	return nil
}
