package socotra

import (
	"context"
	"errors"
	"slices"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/fault"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// maxRoles bounds the roles that one request may name.
const maxRoles = 100

// roleNames are the names of roles of the realm scope, by locator, as far as
// one request has met them.
type roleNames map[usermgmt.RoleID]string

// builtinName names the built-in roles of the realm scope, which need no look-up.
func builtinName(id usermgmt.RoleID) (string, bool) {
	switch id {
	case usermgmt.RoleAdmin:
		return "admin", true
	case usermgmt.RoleReadOnly:
		return "read-only", true
	}
	return "", false
}

// name is the role's name, or its locator if the caller may not know the name.
func (n roleNames) name(id usermgmt.RoleID) string {
	if name, ok := builtinName(id); ok {
		return name
	}
	if name, ok := n[id]; ok {
		return name
	}
	return string(id)
}

// learn gets the names of the users' roles in one read, if any is unknown.
func (n roleNames) learn(ctx context.Context, m *usermgmt.Manager, users ...usermgmt.User) error {
	var ids []usermgmt.RoleID
	for _, u := range users {
		for _, g := range u.Grants {
			if g.Kind != usermgmt.ScopeRealm || g.Role == "" {
				continue
			}
			if _, ok := builtinName(g.Role); ok {
				continue
			}
			if _, ok := n[g.Role]; !ok {
				ids = append(ids, g.Role)
			}
		}
	}
	return n.fetch(ctx, m, ids)
}

// fetch reads roles by their ids. A caller who may not read them learns none.
func (n roleNames) fetch(ctx context.Context, m *usermgmt.Manager, ids []usermgmt.RoleID) error {
	slices.Sort(ids)
	for batch := range slices.Chunk(slices.Compact(ids), usermgmt.MaxPage) {
		roles, err := m.RolesByID(ctx, batch)
		if errors.Is(err, usermgmt.ErrForbidden) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, r := range roles {
			if r.Scope == usermgmt.ScopeRealm {
				n[r.ID] = r.Name
			}
		}
	}
	return nil
}

// resolve turns entries, each a role's locator or name, into locators, and
// remembers their names. What is unknown, or a role of another scope, is a 400
// for field.
func (n roleNames) resolve(ctx context.Context, m *usermgmt.Manager, field string, entries []string) ([]usermgmt.RoleID, error) {
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
	ids := make([]usermgmt.RoleID, len(roles))
	for i, r := range roles {
		ids[i], n[r.ID] = r.ID, r.Name
	}
	return ids, nil
}
