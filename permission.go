package usermgmt

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/usermgmt-go/usermgmt/store"
)

// Permission is a right by its name "group.action". "group.*" stands for every
// action of a group, and "*.*" for everything, future permissions included;
// "*.action" does not exist.
type Permission string

// All is the permission that implies every other.
const All Permission = "*.*"

// The engine's own permissions. A realm adds its own with
// [Manager.CreatePermission].
const (
	UsersAdd           Permission = "users.add"
	UsersRead          Permission = "users.read"
	UsersList          Permission = "users.list"
	UsersUpdate        Permission = "users.update"
	UsersDelete        Permission = "users.delete"
	UsersEnable        Permission = "users.enable"
	UsersPasswordReset Permission = "users.password-reset"
	UsersUpdateRoles   Permission = "users.update-roles"
	UsersUpdateTenants Permission = "users.update-tenants"

	RolesAdd    Permission = "roles.add"
	RolesRead   Permission = "roles.read"
	RolesList   Permission = "roles.list"
	RolesUpdate Permission = "roles.update"
	RolesDelete Permission = "roles.delete"

	TenantsAdd    Permission = "tenants.add"
	TenantsRead   Permission = "tenants.read"
	TenantsList   Permission = "tenants.list"
	TenantsUpdate Permission = "tenants.update"
	TenantsDelete Permission = "tenants.delete"

	OrganizationsAdd    Permission = "organizations.add"
	OrganizationsRead   Permission = "organizations.read"
	OrganizationsList   Permission = "organizations.list"
	OrganizationsUpdate Permission = "organizations.update"
	OrganizationsDelete Permission = "organizations.delete"

	MembersAdd    Permission = "members.add"
	MembersRead   Permission = "members.read"
	MembersList   Permission = "members.list"
	MembersUpdate Permission = "members.update"
	MembersDelete Permission = "members.delete"

	VendorsAdd    Permission = "vendors.add"
	VendorsRead   Permission = "vendors.read"
	VendorsList   Permission = "vendors.list"
	VendorsUpdate Permission = "vendors.update"
	VendorsDelete Permission = "vendors.delete"

	KeysAdd    Permission = "keys.add"
	KeysRead   Permission = "keys.read"
	KeysList   Permission = "keys.list"
	KeysDelete Permission = "keys.delete"

	SessionsAdd    Permission = "sessions.add"
	SessionsRead   Permission = "sessions.read"
	SessionsList   Permission = "sessions.list"
	SessionsDelete Permission = "sessions.delete"

	EventsRead Permission = "events.read"
	EventsList Permission = "events.list"
)

// ownPermissions lists the engine's permissions, sorted.
func ownPermissions() []Permission {
	ps := []Permission{
		UsersAdd, UsersRead, UsersList, UsersUpdate, UsersDelete, UsersEnable, UsersPasswordReset, UsersUpdateRoles, UsersUpdateTenants,
		RolesAdd, RolesRead, RolesList, RolesUpdate, RolesDelete,
		TenantsAdd, TenantsRead, TenantsList, TenantsUpdate, TenantsDelete,
		OrganizationsAdd, OrganizationsRead, OrganizationsList, OrganizationsUpdate, OrganizationsDelete,
		MembersAdd, MembersRead, MembersList, MembersUpdate, MembersDelete,
		VendorsAdd, VendorsRead, VendorsList, VendorsUpdate, VendorsDelete,
		KeysAdd, KeysRead, KeysList, KeysDelete,
		SessionsAdd, SessionsRead, SessionsList, SessionsDelete,
		EventsRead, EventsList,
	}
	slices.Sort(ps)
	return ps
}

// anyRead stands, inside the engine alone, for what permissionSet.reads holds.
const anyRead Permission = "*.read"

// reads reports whether p reads or lists something.
func (p Permission) reads() bool {
	return strings.HasSuffix(string(p), ".read") || strings.HasSuffix(string(p), ".list")
}

// group returns the part before the dot.
func (p Permission) group() string {
	g, _, _ := strings.Cut(string(p), ".")
	return g
}

// check reports whether p is well formed: "group.action" of lower-case
// letters, digits and '-', at most 128 bytes, or a wildcard if those are allowed.
func (p Permission) check(wildcards bool) error {
	if wildcards && p == All {
		return nil
	}
	group, action, ok := strings.Cut(string(p), ".")
	if !ok || len(p) > 128 || !isWord(group) || !(isWord(action) || wildcards && action == "*") {
		if wildcards {
			return errors.New("must have the form group.action, group.* or *.*")
		}
		return errors.New("must have the form group.action")
	}
	return nil
}

func isWord(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return s != ""
}

// permissionSet is a compiled set of permissions: of a role, or of a user's
// direct grants. It never changes once it is made.
type permissionSet struct {
	all bool
	// reads stands for "read" and "list" of every group, future ones included.
	// Only the built-in read-only role has it.
	reads  bool
	groups map[string]struct{}
	single map[Permission]struct{}
}

func newPermissionSet[P ~string](names []P) *permissionSet {
	s := &permissionSet{}
	for _, n := range names {
		p := Permission(n)
		group, isGroup := strings.CutSuffix(string(p), ".*")
		switch {
		case p == All:
			s.all = true
		case isGroup:
			if s.groups == nil {
				s.groups = map[string]struct{}{}
			}
			s.groups[group] = struct{}{}
		default:
			if s.single == nil {
				s.single = map[Permission]struct{}{}
			}
			s.single[p] = struct{}{}
		}
	}
	return s
}

// has reports whether the set holds p, which may be a wildcard itself: that is
// held only by one that is as wide.
func (s *permissionSet) has(p Permission) bool {
	if s.all {
		return true
	}
	if _, ok := s.single[p]; ok {
		return true
	}
	if s.reads && p.reads() {
		return true
	}
	if len(s.groups) == 0 || p == All {
		return false
	}
	_, ok := s.groups[p.group()]
	return ok
}

// each calls f for every member, wildcards as such, until f returns false.
func (s *permissionSet) each(f func(Permission) bool) bool {
	if s.all && !f(All) {
		return false
	}
	if s.reads && !f(anyRead) {
		return false
	}
	for g := range s.groups {
		if !f(Permission(g + ".*")) {
			return false
		}
	}
	for p := range s.single {
		if !f(p) {
			return false
		}
	}
	return true
}

// Permissions lists the permissions that the realm knows, sorted: the engine's
// and the realm's own. It needs roles.read.
func (m *Manager) Permissions(ctx context.Context) ([]Permission, error) {
	var known []Permission
	err := m.view(ctx, func(g *guard) error {
		if err := g.need(ctx, RolesRead, Realmwide); err != nil {
			return err
		}
		var err error
		known, err = g.knownPermissions(ctx)
		return err
	})
	return known, err
}

func (g *guard) knownPermissions(ctx context.Context) ([]Permission, error) {
	custom, err := g.r.Permissions(ctx)
	if err != nil {
		return nil, err
	}
	known := ownPermissions()
	for _, p := range custom {
		known = append(known, Permission(p))
	}
	slices.Sort(known)
	return slices.Compact(known), nil
}

// CreatePermission makes a permission known to the realm, so that roles can
// hold it. One that is known already stays as it is. It needs roles.add, and
// the right to everything: whoever holds "*.*" holds the new one too.
func (m *Manager) CreatePermission(ctx context.Context, p Permission) error {
	if err := p.check(false); err != nil {
		return invalid("permission", err.Error())
	}
	return m.update(ctx, func(g *guard) error {
		if err := g.needAll(ctx, RolesAdd); err != nil {
			return err
		}
		return g.createPermission(ctx, p)
	})
}

func (g *guard) createPermission(ctx context.Context, p Permission) error {
	known, err := g.knownPermissions(ctx)
	if err != nil {
		return err
	}
	if _, ok := slices.BinarySearch(known, p); ok {
		return nil
	}
	if err := g.tx.PutPermission(ctx, string(p)); err != nil {
		return err
	}
	return g.record(ctx, Event{Action: "permission.created", Object: "permission:" + string(p)})
}

// DeletePermission makes one of the realm's own permissions unknown, and takes
// it from every role and user in the same unit of work, whose length grows with
// their number. It needs roles.delete and the right to everything. The
// engine's own cannot be deleted.
func (m *Manager) DeletePermission(ctx context.Context, p Permission) error {
	if _, own := slices.BinarySearch(ownPermissions(), p); own {
		return &ForbiddenError{Permission: RolesDelete, Reason: "a built-in permission cannot be deleted"}
	}
	return m.update(ctx, func(g *guard) error {
		if err := g.needAll(ctx, RolesDelete); err != nil {
			return err
		}
		if err := g.lockPermissions(ctx, p); err != nil {
			return err
		}
		if err := g.tx.DeletePermission(ctx, string(p)); err != nil {
			return err
		}
		// The last of a group takes the group's wildcard along.
		gone := []string{string(p)}
		known, err := g.knownPermissions(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(known, func(k Permission) bool { return k.group() == p.group() }) {
			gone = append(gone, p.group()+".*")
		}
		if err := g.strip(ctx, gone); err != nil {
			return err
		}
		return g.record(ctx, Event{Action: "permission.deleted", Object: "permission:" + string(p)})
	})
}

// strip takes permissions from every role and user.
func (g *guard) strip(ctx context.Context, gone []string) error {
	err := pages(func(limit int, last *store.Role) ([]store.Role, error) {
		return g.r.Roles(ctx, value(last).ID, limit)
	}, func(r store.Role) error {
		kept := slices.DeleteFunc(slices.Clone(r.Permissions), func(p string) bool { return slices.Contains(gone, p) })
		if len(kept) == len(r.Permissions) {
			return nil
		}
		r.Permissions, r.UpdatedAt = kept, g.m.now()
		if err := g.tx.UpdateRole(ctx, r); err != nil {
			return err
		}
		return g.record(ctx, Event{Action: "role.updated", Object: "role:" + string(r.ID), Fields: []string{"permissions"}})
	})
	if err != nil {
		return err
	}
	for _, p := range gone {
		err := g.eachUser(ctx, store.UserQuery{Permission: p}, func(u store.User) error {
			u.Grants = slices.DeleteFunc(u.Grants, func(grant Grant) bool { return slices.Contains(gone, string(grant.Permission)) })
			return g.writeLoss(ctx, u, "roles")
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lockPermissions makes whoever gives one of the realm's own permissions and whoever
// deletes one take turns. The engine's own stay, so they need no lock.
func (g *guard) lockPermissions(ctx context.Context, ps ...Permission) error {
	own := ownPermissions()
	custom := slices.ContainsFunc(ps, func(p Permission) bool {
		_, ok := slices.BinarySearch(own, p)
		return p != All && !ok
	})
	if g.tx == nil || !custom {
		return nil
	}
	return g.tx.Lock(ctx, "permissions")
}

// checkPermissions reports the first of a list that is malformed or unknown.
func (g *guard) checkPermissions(ctx context.Context, field string, ps []Permission) error {
	if len(ps) == 0 {
		return nil
	}
	if err := g.lockPermissions(ctx, ps...); err != nil {
		return err
	}
	known, err := g.knownPermissions(ctx)
	if err != nil {
		return err
	}
	for _, p := range ps {
		if err := p.check(true); err != nil {
			return invalid(field, "permission "+quote(string(p))+" "+err.Error())
		}
		switch {
		case p == All:
		case strings.HasSuffix(string(p), ".*"):
			if !slices.ContainsFunc(known, func(k Permission) bool { return k.group() == p.group() }) {
				return invalid(field, "permission "+quote(string(p))+" is unknown")
			}
		default:
			if _, ok := slices.BinarySearch(known, p); !ok {
				return invalid(field, "permission "+quote(string(p))+" is unknown")
			}
		}
	}
	return nil
}
