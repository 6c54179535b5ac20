package socotra

import (
	"context"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/fault"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/rolename"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// maxRoles bounds the roles that one request may name.
const maxRoles = 100

// roleNames are the names of the roles that this dialect speaks of.
func roleNames() *rolename.Names { return rolename.In(usermgmt.ScopeRealm) }

// resolve turns entries, each a role's locator or name, into locators, and makes
// them known to names. What is unknown, or a role of another scope, is a 400 for
// field.
func resolve(ctx context.Context, m *usermgmt.Manager, names *rolename.Names, field string, entries []string) ([]usermgmt.RoleID, error) {
	if len(entries) == 0 {
		return []usermgmt.RoleID{}, nil
	}
	if len(entries) > maxRoles {
		return nil, wire.Invalidf(field, "must not have more than %d elements", maxRoles)
	}
	roles, err := m.FindRoles(ctx, usermgmt.ScopeRealm, entries)
	if err != nil {
		return nil, fault.Blame(err, "roles", field)
	}
	names.Add(roles...)
	ids := make([]usermgmt.RoleID, len(roles))
	for i, r := range roles {
		ids[i] = r.ID
	}
	return ids, nil
}
