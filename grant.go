package usermgmt

import (
	"context"
	"errors"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

// mergeGrants sorts grants and joins those of the same role. A grant without
// scopes is everywhere, and swallows listed ones.
func mergeGrants(grants []Grant) []Grant {
	sorted := slices.Clone(grants)
	slices.SortStableFunc(sorted, store.CompareGrants)
	var merged []Grant
	for _, g := range sorted {
		g.Scopes = sortedSet(slices.Clone(g.Scopes))
		if n := len(merged); n > 0 && store.CompareGrants(merged[n-1], g) == 0 {
			last := &merged[n-1]
			if len(last.Scopes) == 0 || len(g.Scopes) == 0 {
				last.Scopes = nil
			} else {
				last.Scopes = sortedSet(append(last.Scopes, g.Scopes...))
			}
			continue
		}
		if len(g.Scopes) == 0 {
			g.Scopes = nil
		}
		merged = append(merged, g)
	}
	return merged
}

// grants returns what an update makes of a user's grants.
func (up UserUpdate) grants(old []Grant) []Grant {
	if up.Grants != nil {
		old = *up.Grants
	}
	grants := slices.DeleteFunc(slices.Clone(old), func(g Grant) bool {
		return up.Roles != nil && g.Role != "" && g.Kind == ScopeRealm || up.Permissions != nil && g.Permission != "" ||
			up.FacilityRoles != nil && g.Kind == ScopeFacility
	})
	grants = append(grants, value(up.FacilityRoles)...)
	for _, id := range value(up.Roles) {
		grants = append(grants, Grant{Role: id, Kind: ScopeRealm})
	}
	for _, p := range value(up.Permissions) {
		grants = append(grants, Grant{Permission: string(p), Kind: ScopeRealm})
	}
	return removeGrants(mergeGrants(append(grants, up.AddGrants...)), up.RemoveGrants)
}

func removeGrants(grants, remove []Grant) []Grant {
	var kept []Grant
	for _, g := range grants {
		gone := false
		for _, r := range remove {
			if store.CompareGrants(g, r) != 0 {
				continue
			}
			if len(r.Scopes) == 0 {
				gone = true
				break
			}
			before := len(g.Scopes)
			g.Scopes = slices.DeleteFunc(slices.Clone(g.Scopes), func(s string) bool { return slices.Contains(r.Scopes, s) })
			// The last listed scope takes the grant along: without scopes it
			// would be everywhere.
			gone = before > 0 && len(g.Scopes) == 0
			if gone {
				break
			}
		}
		if !gone {
			kept = append(kept, g)
		}
	}
	return kept
}

func equalGrants(a, b Grant) bool {
	return store.CompareGrants(a, b) == 0 && slices.Equal(a.Scopes, b.Scopes)
}

// checkGrants requires that the grants are sound, and that the actor may give
// what of them is not in old.
func (g *guard) checkGrants(ctx context.Context, grants, old []Grant) error {
	for _, grant := range grants {
		i := slices.IndexFunc(old, func(o Grant) bool { return store.CompareGrants(o, grant) == 0 })
		if i >= 0 && equalGrants(old[i], grant) {
			continue
		}
		scopes := grant.Scopes
		if i >= 0 && len(old[i].Scopes) > 0 && len(scopes) > 0 {
			scopes = slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return slices.Contains(old[i].Scopes, s) })
			if len(scopes) == 0 {
				continue // narrowed
			}
		}
		if i >= 0 && len(old[i].Scopes) == 0 {
			scopes = nil // narrowed from everywhere: only the form is left to check
		}
		if err := g.checkGrant(ctx, grant, scopes, i >= 0 && len(old[i].Scopes) == 0); err != nil {
			return err
		}
	}
	return nil
}

// checkGrant requires that the grant is sound and, unless it is held already,
// that the actor may give it at the scopes.
func (g *guard) checkGrant(ctx context.Context, grant Grant, scopes []string, held bool) error {
	for _, s := range grant.Scopes {
		if s == "" {
			return invalid("roles", "must not list an empty scope")
		}
		if err := checkText("roles", s, store.MaxID); err != nil {
			return err
		}
	}
	if grant.Permission != "" {
		return g.checkDirect(ctx, grant)
	}
	if grant.Kind == ScopeOrganization && !held {
		// Whoever creates one of an unknown id later would find its owner there.
		if err := g.needOrganizations(ctx, scopes); err != nil {
			return err
		}
	}
	set, err := g.checkRoleGrant(ctx, grant)
	if err != nil || held {
		return err
	}
	if len(scopes) == 0 {
		return g.needSet(ctx, set, Scope{kind: wholeKind(grant.Kind)}, reasonGive)
	}
	for _, s := range scopes {
		if err := g.needSet(ctx, set, Scope{grant.Kind, s}, reasonGive); err != nil {
			return err
		}
	}
	return nil
}

// needOrganizations requires that organizations of all the ids, each once, exist.
func (g *guard) needOrganizations(ctx context.Context, ids []string) error {
	for part := range slices.Chunk(ids, MaxPage) {
		want := make([]OrganizationID, len(part))
		for i, id := range part {
			want[i] = OrganizationID(id)
		}
		found, err := g.r.OrganizationsByID(ctx, want)
		if err != nil {
			return err
		}
		if len(found) < len(want) {
			return invalid("roles", "is unknown")
		}
	}
	return nil
}

const reasonGive = "nobody gives a right that he lacks"

// wholeKind is the kind of the Scope that stands for all scopes of a kind.
func wholeKind(k ScopeKind) ScopeKind {
	if k == ScopeRealm {
		return 0
	}
	return k
}

func (g *guard) checkDirect(ctx context.Context, grant Grant) error {
	if grant.Role != "" || grant.Kind != ScopeRealm || len(grant.Scopes) > 0 {
		return invalid("permissions", "must be of the whole realm")
	}
	p := Permission(grant.Permission)
	if err := g.checkPermissions(ctx, "permissions", []Permission{p}); err != nil {
		return err
	}
	return g.needSet(ctx, newPermissionSet([]Permission{p}), Realmwide, reasonGive)
}

// checkRoleGrant requires that the role exists and is granted as it can be,
// and returns its permissions.
func (g *guard) checkRoleGrant(ctx context.Context, grant Grant) (*permissionSet, error) {
	role, err := g.role(ctx, grant.Role)
	if errors.Is(err, ErrNotFound) {
		return nil, invalid("roles", "role "+quote(string(grant.Role))+" is unknown")
	}
	if err != nil {
		return nil, err
	}
	if grant.Kind == 0 {
		return nil, invalid("roles", "the grant of role "+quote(role.Name)+" must say its Kind of scope, "+role.Scope.String())
	}
	if role.Scope != grant.Kind {
		return nil, invalid("roles", "role "+quote(role.Name)+" is of the "+role.Scope.String()+" scope")
	}
	if grant.Kind == ScopeRealm && len(grant.Scopes) > 0 {
		return nil, invalid("roles", "role "+quote(role.Name)+" holds in the whole realm")
	}
	b, ok := builtinByID(role.ID)
	if !ok {
		return newPermissionSet(role.Permissions), nil
	}
	if b.needsScopes && len(grant.Scopes) == 0 {
		return nil, invalid("roles", "role "+quote(role.Name)+" needs at least one "+role.Scope.String())
	}
	return b.set, nil
}

// EffectivePermissions returns, sorted, what a user holds in the whole realm
// by his roles and single permissions; wildcards are spelled out. A disabled
// user's are those that he would hold. It needs users.read; everyone may read his own.
func (m *Manager) EffectivePermissions(ctx context.Context, id UserID) ([]Permission, error) {
	var held []Permission
	err := m.view(ctx, func(g *guard) error {
		held = []Permission{}
		u, err := g.userReadable(ctx, id)
		if err != nil {
			return err
		}
		sets, err := roleSets(ctx, g.r, grantRoles(u.Grants))
		if err != nil {
			return err
		}
		r := compile(u.Grants, u.Tenants, sets)
		known, err := g.knownPermissions(ctx)
		for _, p := range known {
			if r.has(p, Realmwide) {
				held = append(held, p)
			}
		}
		return err
	})
	return held, err
}
