package usermgmt

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// RoleList says which roles are wanted.
type RoleList struct {
	Page
	// Scope picks the roles of one kind of scope; zero picks all.
	Scope ScopeKind
}

// Roles returns a page of the realm's roles, built-in ones included, in the
// order of their ids. It needs roles.read or roles.list.
func (m *Manager) Roles(ctx context.Context, l RoleList) (List[Role], error) {
	limit, err := l.limit()
	if err != nil {
		return List[Role]{}, err
	}
	walk := m.walk("roles of "+l.Scope.String(), l.Page)
	var list List[Role]
	err = m.look(ctx, func(g *guard) error {
		if err := g.needAny(ctx, Realmwide, RolesRead, RolesList); err != nil {
			return err
		}
		after, err := walk.start(func(n int64) (string, error) { return g.roleAt(ctx, l.Scope, n) })
		if errors.Is(err, ErrNotFound) {
			list = newList([]Role{}, limit, nil)
			return nil
		}
		if err != nil {
			return err
		}
		roles, err := g.rolesOf(ctx, l.Scope, after, limit+1)
		if err != nil {
			return err
		}
		list = newList(roles, limit, func(r Role) string { return string(r.ID) })
		return nil
	})
	if err == nil {
		walk.done(len(list.Items), list.Next)
	}
	return list, err
}

// rolesOf returns up to limit roles of a scope, or of all for zero, after the id.
func (g *guard) rolesOf(ctx context.Context, scope ScopeKind, after string, limit int) ([]Role, error) {
	var picked []Role
	for {
		page, err := g.roles(ctx, after, max(limit-len(picked), batch))
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if scope == 0 || r.Scope == scope {
				picked = append(picked, r)
			}
			if len(picked) == limit {
				return picked, nil
			}
		}
		if len(page) < batch {
			return picked, nil
		}
		after = string(page[len(page)-1].ID)
	}
}

// roles returns up to limit roles after the id, built-in and stored ones.
func (g *guard) roles(ctx context.Context, after string, limit int) ([]Role, error) {
	stored, err := g.r.Roles(ctx, RoleID(after), limit)
	if err != nil {
		return nil, err
	}
	var roles []Role
	for _, b := range builtins {
		if string(b.role.ID) > after {
			roles = append(roles, b.copy())
		}
	}
	for _, r := range stored {
		roles = append(roles, Role(r))
	}
	slices.SortFunc(roles, func(a, b Role) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return roles[:min(limit, len(roles))], nil
}

// roleAt returns the id of the scope's role before which n others stand.
// Roles are few: it counts through them.
func (g *guard) roleAt(ctx context.Context, scope ScopeKind, n int64) (string, error) {
	after := ""
	for {
		page, err := g.rolesOf(ctx, scope, after, batch)
		if err != nil {
			return "", err
		}
		if n < int64(len(page)) {
			return string(page[n].ID), nil
		}
		if len(page) < batch {
			return "", ErrNotFound
		}
		n -= int64(len(page))
		after = string(page[len(page)-1].ID)
	}
}

// RolesByID returns those of the roles that exist, built-in ones included, in
// the order of their ids. At most 10,000 may be asked for. It needs
// roles.read, or users.read or users.list, since a role's name is part of who
// a user is. Who holds one of the latter two at some facility gets those of the
// facility scope, and others are as good as missing; everyone may ask for the
// roles that he holds himself.
func (m *Manager) RolesByID(ctx context.Context, ids []RoleID) ([]Role, error) {
	if len(ids) > MaxPage {
		return nil, invalid("ids", "must have at most 10000 entries")
	}
	var roles []Role
	err := m.view(ctx, func(g *guard) error {
		may, err := g.knownRoles(ctx, ids)
		if err != nil {
			return err
		}
		roles, err = g.rolesByID(ctx, ids)
		roles = slices.DeleteFunc(roles, func(r Role) bool { return !may(r) })
		return err
	})
	return roles, err
}

// knownRoles returns which of the roles the actor may know, and a
// [*ForbiddenError] for someone who may not ask for these at all.
func (g *guard) knownRoles(ctx context.Context, ids []RoleID) (func(Role) bool, error) {
	refusal := g.needAny(ctx, Realmwide, RolesRead, UsersRead, UsersList)
	if refusal == nil {
		return func(Role) bool { return true }, nil
	}
	if !errors.Is(refusal, ErrForbidden) {
		return nil, refusal
	}
	own, err := g.ownRoles(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range []Permission{UsersRead, UsersList} {
		err := g.needSomewhere(ctx, p)
		if err == nil {
			return func(r Role) bool { return r.Scope == ScopeFacility || slices.Contains(own, r.ID) }, nil
		}
		if !errors.Is(err, ErrForbidden) {
			return nil, err
		}
	}
	if slices.ContainsFunc(ids, func(id RoleID) bool { return !slices.Contains(own, id) }) {
		return nil, refusal
	}
	return func(Role) bool { return true }, nil
}

// ownRoles returns the roles that the acting user holds by grants.
func (g *guard) ownRoles(ctx context.Context) ([]RoleID, error) {
	self, err := g.isSelf(ctx, UserID(g.m.actor.id))
	if err != nil || !self {
		return nil, err
	}
	u, err := g.r.User(ctx, UserID(g.m.actor.id))
	return grantRoles(u.Grants), absent(err)
}

func (g *guard) rolesByID(ctx context.Context, ids []RoleID) ([]Role, error) {
	var roles []Role
	var stored []RoleID
	for _, id := range sortedSet(slices.Clone(ids)) {
		if b, ok := builtinByID(id); ok {
			roles = append(roles, b.copy())
		} else {
			stored = append(stored, id)
		}
	}
	if stored == nil {
		return roles, nil
	}
	found, err := g.r.RolesByID(ctx, stored)
	for _, r := range found {
		roles = append(roles, Role(r))
	}
	slices.SortFunc(roles, func(a, b Role) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return roles, err
}

// FindRoles returns the roles of a scope that the entries name, each by its id
// or by its name, in the order of the entries; an id goes before a name of the
// same spelling. An unknown one, or one of another scope, is an
// [*InvalidError] for "roles". Who may give roles may look for them: it needs
// roles.read, users.add or users.update-roles.
func (m *Manager) FindRoles(ctx context.Context, scope ScopeKind, entries []string) ([]Role, error) {
	if len(entries) > 1000 {
		return nil, invalid("roles", "must have at most 1000 entries")
	}
	var roles []Role
	err := m.view(ctx, func(g *guard) error {
		if err := g.needAny(ctx, Realmwide, RolesRead, UsersAdd, UsersUpdateRoles); err != nil {
			return err
		}
		var err error
		roles, err = g.findRoles(ctx, scope, entries)
		return err
	})
	return roles, err
}

func (g *guard) findRoles(ctx context.Context, scope ScopeKind, entries []string) ([]Role, error) {
	ids := make([]RoleID, len(entries))
	for i, e := range entries {
		ids[i] = RoleID(e)
	}
	known, err := g.rolesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	roles := make([]Role, len(entries))
	for i, e := range entries {
		j := slices.IndexFunc(known, func(r Role) bool { return r.ID == RoleID(e) && r.Scope == scope })
		if j >= 0 {
			roles[i] = known[j]
			continue
		}
		roles[i], err = g.roleByName(ctx, scope, e)
		if errors.Is(err, ErrNotFound) {
			return nil, invalid("roles", "role "+quote(e)+" is unknown")
		}
		if err != nil {
			return nil, err
		}
	}
	return roles, nil
}
