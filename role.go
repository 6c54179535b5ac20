package usermgmt

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// RoleID identifies a role.
type RoleID = store.RoleID

// ScopeKind is a kind of place in which a role's permissions hold.
type ScopeKind = store.ScopeKind

// Kinds of scope.
const (
	ScopeRealm        = store.ScopeRealm
	ScopeOrganization = store.ScopeOrganization
	ScopeFacility     = store.ScopeFacility
)

// Role is a named, versioned set of permissions for one kind of scope.
type Role struct {
	ID RoleID
	// Scope and Name together are unique in the realm.
	Scope       ScopeKind
	Name        string
	Description string
	// Permissions is a sorted set, wildcards included.
	Permissions []string
	// CreatedBy names the actor as Event.Actor does; it is "host" for built-in roles.
	CreatedBy string
	// Version is 1 at creation and grows by one with each change.
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Grant gives a user a role or a single permission. It has the fields Role,
// the role's id, or else Permission, "group.action"; Kind, the kind of scope of
// the role (required; ScopeRealm for permissions); and Scopes, the
// organizations' ids or facilities' names at which it holds, or none for everywhere.
type Grant = store.Grant

// Ids of the built-in roles. They exist in every realm, and can be neither
// changed nor deleted.
const (
	// RoleAdmin holds everything, everywhere: scope realm.
	RoleAdmin RoleID = "00000000-0000-8000-8000-000000000001"
	// RoleReadOnly holds "read" and "list" of every group: scope realm.
	RoleReadOnly RoleID = "00000000-0000-8000-8000-000000000002"

	// Roles of the organization scope. Writer and editor are equal in rights,
	// as are reader, viewer and member; unassigned holds none.
	RoleOwner      RoleID = "00000000-0000-8000-8000-000000000011"
	RoleOrgAdmin   RoleID = "00000000-0000-8000-8000-000000000012"
	RoleEditor     RoleID = "00000000-0000-8000-8000-000000000013"
	RoleWriter     RoleID = "00000000-0000-8000-8000-000000000014"
	RoleViewer     RoleID = "00000000-0000-8000-8000-000000000015"
	RoleReader     RoleID = "00000000-0000-8000-8000-000000000016"
	RoleMember     RoleID = "00000000-0000-8000-8000-000000000017"
	RoleUnassigned RoleID = "00000000-0000-8000-8000-000000000018"

	// Roles of the facility scope. Fulfillers and supervisors need at least
	// one facility.
	RoleFulfiller     RoleID = "00000000-0000-8000-8000-000000000021"
	RoleSupervisor    RoleID = "00000000-0000-8000-8000-000000000022"
	RoleAdministrator RoleID = "00000000-0000-8000-8000-000000000023"
)

// builtin is a role that every realm has.
type builtin struct {
	role Role
	set  *permissionSet
	// needsScopes: a grant of the role must list at least one scope.
	needsScopes bool
}

var builtins = newBuiltins()

func newBuiltins() []builtin {
	reads := []Permission{}
	for _, p := range ownPermissions() {
		if p.reads() {
			reads = append(reads, p)
		}
	}
	orgRead := []Permission{OrganizationsRead, MembersRead, MembersList}
	orgAdmin := []Permission{OrganizationsRead, OrganizationsUpdate, "members.*", "keys.*", "sessions.*", EventsRead, EventsList}
	owner := append(slices.Clone(orgAdmin), OrganizationsDelete)
	supervise := []Permission{UsersAdd, UsersRead, UsersList, UsersUpdate, UsersDelete}
	list := []struct {
		id          RoleID
		scope       ScopeKind
		name, about string
		permissions []Permission
	}{
		{RoleAdmin, ScopeRealm, "admin", "Everything, everywhere", []Permission{All}},
		{RoleReadOnly, ScopeRealm, "read-only", "Reads and lists everything", reads},
		{RoleOwner, ScopeOrganization, "owner", "Owns the organization", owner},
		{RoleOrgAdmin, ScopeOrganization, "admin", "Manages the organization and its members", orgAdmin},
		{RoleEditor, ScopeOrganization, "editor", "Works in the organization", orgRead},
		{RoleWriter, ScopeOrganization, "writer", "Works in the organization", orgRead},
		{RoleViewer, ScopeOrganization, "viewer", "Looks into the organization", orgRead},
		{RoleReader, ScopeOrganization, "reader", "Looks into the organization", orgRead},
		{RoleMember, ScopeOrganization, "member", "Belongs to the organization", orgRead},
		{RoleUnassigned, ScopeOrganization, "unassigned", "Belongs to the organization without any right", nil},
		{RoleFulfiller, ScopeFacility, "FULFILLER", "Works at facilities", nil},
		{RoleSupervisor, ScopeFacility, "SUPERVISOR", "Manages users of facilities", supervise},
		{RoleAdministrator, ScopeFacility, "ADMINISTRATOR", "Manages users of every facility", []Permission{"users.*"}},
	}
	bs := make([]builtin, len(list))
	for i, l := range list {
		names := make([]string, len(l.permissions))
		for j, p := range l.permissions {
			names[j] = string(p)
		}
		slices.Sort(names)
		bs[i] = builtin{
			role: Role{ID: l.id, Scope: l.scope, Name: l.name, Description: l.about, Permissions: names, CreatedBy: "host", Version: 1,
				CreatedAt: time.Unix(0, 0).UTC(), UpdatedAt: time.Unix(0, 0).UTC()},
			set:         newPermissionSet(l.permissions),
			needsScopes: l.id == RoleFulfiller || l.id == RoleSupervisor,
		}
		if l.id == RoleReadOnly {
			bs[i].set = &permissionSet{reads: true}
		}
	}
	return bs
}

// builtinPrefix begins the ids of built-in roles, which are UUIDv8.
const builtinPrefix = "00000000-0000-8000-8000-"

func builtinByID(id RoleID) (builtin, bool) {
	if !strings.HasPrefix(string(id), builtinPrefix) {
		return builtin{}, false
	}
	i := slices.IndexFunc(builtins, func(b builtin) bool { return b.role.ID == id })
	if i < 0 {
		return builtin{}, false
	}
	return builtins[i], true
}

func (b builtin) copy() Role {
	r := b.role
	r.Permissions = slices.Clone(r.Permissions)
	return r
}

// IsBuiltin reports whether the id is a built-in role's.
func IsBuiltin(id RoleID) bool {
	_, ok := builtinByID(id)
	return ok
}

// role finds a role, built-in or stored, heedless of rights.
func (g *guard) role(ctx context.Context, id RoleID) (Role, error) {
	if b, ok := builtinByID(id); ok {
		return b.copy(), nil
	}
	r, err := g.r.Role(ctx, id)
	return Role(r), err
}

func (g *guard) roleByName(ctx context.Context, scope ScopeKind, name string) (Role, error) {
	for _, b := range builtins {
		if b.role.Scope == scope && b.role.Name == name {
			return b.copy(), nil
		}
	}
	r, err := g.r.RoleByName(ctx, scope, name)
	return Role(r), err
}

// NewRole is a role to be created.
type NewRole struct {
	// Scope is the realm if zero.
	Scope ScopeKind
	// Name has 1 to 128 characters; it is unique among the roles of the scope.
	Name string
	// Description has at most 1,024 characters.
	Description string
	// Permissions must be known to the realm, and held by the actor.
	Permissions []Permission
}

// CreateRole creates a role. It needs roles.add, and every permission that
// the role is to hold: nobody gives what he lacks.
func (m *Manager) CreateRole(ctx context.Context, n NewRole) (Role, error) {
	r, err := m.roleRecord(n)
	if err != nil {
		return Role{}, err
	}
	err = m.update(ctx, func(g *guard) error {
		if err := g.need(ctx, RolesAdd, Realmwide); err != nil {
			return err
		}
		return g.createRole(ctx, r)
	})
	if err != nil {
		return Role{}, err
	}
	return Role(r), nil
}

func (m *Manager) roleRecord(n NewRole) (store.Role, error) {
	id, err := m.newID()
	if err != nil {
		return store.Role{}, err
	}
	r := store.Role{
		ID: RoleID(id), Scope: cmp.Or(n.Scope, ScopeRealm), Name: n.Name, Description: n.Description,
		Permissions: permissionNames(n.Permissions), CreatedBy: m.actor.String(), Version: 1, CreatedAt: m.now(),
	}
	r.UpdatedAt = r.CreatedAt
	return r, checkRole(r)
}

func (g *guard) createRole(ctx context.Context, r store.Role) error {
	if err := g.checkRolePermissions(ctx, r.Permissions); err != nil {
		return err
	}
	if _, err := g.roleByName(ctx, r.Scope, r.Name); err == nil {
		return &ExistsError{Field: "Name"}
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	if err := g.tx.CreateRole(ctx, r); err != nil {
		return err
	}
	return g.record(ctx, Event{Action: "role.created", Object: "role:" + string(r.ID)})
}

// checkRolePermissions requires that the permissions are known, and that the
// actor holds each of them in the whole realm: whoever may give the role may
// give it anywhere.
func (g *guard) checkRolePermissions(ctx context.Context, names []string) error {
	ps := make([]Permission, len(names))
	for i, n := range names {
		ps[i] = Permission(n)
	}
	if err := g.checkPermissions(ctx, "permissions", ps); err != nil {
		return err
	}
	return g.needSet(ctx, newPermissionSet(ps), Realmwide, "the role would hold a permission that you lack")
}

func checkRole(r store.Role) error {
	switch {
	case r.Scope < ScopeRealm || r.Scope > ScopeFacility:
		return invalid("scope", "must be realm, organization or facility")
	case strings.TrimSpace(r.Name) == "":
		return invalid("name", "must not be empty")
	case strings.TrimSpace(r.Name) != r.Name:
		return invalid("name", "must not begin or end with white space")
	}
	if err := checkText("name", r.Name, 128); err != nil {
		return err
	}
	return checkText("description", r.Description, 1024)
}

func permissionNames(ps []Permission) []string {
	names := make([]string, len(ps))
	for i, p := range ps {
		names[i] = string(p)
	}
	return sortedSet(names)
}

// Role returns a role by its id. It needs roles.read.
func (m *Manager) Role(ctx context.Context, id RoleID) (Role, error) {
	var role Role
	err := m.look(ctx, func(g *guard) error {
		if err := g.need(ctx, RolesRead, Realmwide); err != nil {
			return err
		}
		var err error
		role, err = g.role(ctx, id)
		return err
	})
	return role, err
}

// RoleByName returns a role by its scope, the realm if zero, and its name. It
// needs roles.read.
func (m *Manager) RoleByName(ctx context.Context, scope ScopeKind, name string) (Role, error) {
	var role Role
	err := m.look(ctx, func(g *guard) error {
		if err := g.need(ctx, RolesRead, Realmwide); err != nil {
			return err
		}
		var err error
		role, err = g.roleByName(ctx, cmp.Or(scope, ScopeRealm), name)
		return err
	})
	return role, err
}

// RoleUpdate changes what it gives; nil fields and empty lists change nothing.
type RoleUpdate struct {
	// Version must be the role's current one, or 0 to change whatever is there.
	Version     int64
	Name        *string
	Description *string
	// Add and Remove must not name the same permission. Removing one that the
	// role lacks is ignored.
	Add, Remove []Permission
}

// UpdateRole changes a role; its holders have the new permissions at once. It
// needs roles.update, and every permission that the role holds before and
// after. An update that changes nothing writes nothing.
func (m *Manager) UpdateRole(ctx context.Context, id RoleID, up RoleUpdate) (Role, error) {
	for _, p := range up.Add {
		if slices.Contains(up.Remove, p) {
			return Role{}, invalid("permissions", "must not both add and remove "+quote(string(p)))
		}
	}
	var role Role
	err := m.update(ctx, func(g *guard) error {
		if err := g.need(ctx, RolesUpdate, Realmwide); err != nil {
			return err
		}
		if IsBuiltin(id) {
			return &ForbiddenError{Permission: RolesUpdate, Reason: "a built-in role cannot be changed"}
		}
		old, err := g.tx.Role(ctx, id)
		if err != nil {
			return err
		}
		if up.Version != 0 && up.Version != old.Version {
			return &StaleError{Version: old.Version, Requested: up.Version}
		}
		role, err = g.updateRole(ctx, old, up)
		return err
	})
	return role, err
}

func (g *guard) updateRole(ctx context.Context, old store.Role, up RoleUpdate) (Role, error) {
	r := old.Clone()
	var fields []string
	if up.Name != nil && *up.Name != old.Name {
		r.Name, fields = *up.Name, append(fields, "name")
	}
	if up.Description != nil && *up.Description != old.Description {
		r.Description, fields = *up.Description, append(fields, "description")
	}
	r.Permissions = slices.DeleteFunc(r.Permissions, func(p string) bool { return slices.Contains(up.Remove, Permission(p)) })
	r.Permissions = sortedSet(append(r.Permissions, permissionNames(up.Add)...))
	if !slices.Equal(r.Permissions, old.Permissions) {
		fields = append(fields, "permissions")
	}
	if err := checkRole(r); err != nil {
		return Role{}, err
	}
	if err := g.checkPermissions(ctx, "removePermissions", up.Remove); err != nil {
		return Role{}, err
	}
	if err := g.checkRolePermissions(ctx, r.Permissions); err != nil {
		return Role{}, err
	}
	if err := g.needSet(ctx, newPermissionSet(old.Permissions), Realmwide, "the role holds a permission that you lack"); err != nil {
		return Role{}, err
	}
	if fields == nil {
		return Role(old), nil
	}
	if r.Name != old.Name {
		if _, err := g.roleByName(ctx, r.Scope, r.Name); err == nil {
			return Role{}, &ExistsError{Field: "Name"}
		} else if !errors.Is(err, ErrNotFound) {
			return Role{}, err
		}
	}
	r.UpdatedAt = g.m.now()
	if err := g.tx.UpdateRole(ctx, r); err != nil {
		return Role{}, err
	}
	r.Version++
	return Role(r), g.record(ctx, Event{Action: "role.updated", Object: "role:" + string(r.ID), Fields: fields})
}

// DeleteRole deletes a role and takes it from its holders in the same unit of
// work, whose length grows with their number; members of organizations who
// had it become unassigned, and API keys that had it end. Each of these leaves an
// event. It needs roles.delete, and every permission that the role holds.
func (m *Manager) DeleteRole(ctx context.Context, id RoleID) error {
	return m.update(ctx, func(g *guard) error {
		if err := g.need(ctx, RolesDelete, Realmwide); err != nil {
			return err
		}
		if IsBuiltin(id) {
			return &ForbiddenError{Permission: RolesDelete, Reason: "a built-in role cannot be deleted"}
		}
		r, err := g.tx.Role(ctx, id)
		if err != nil {
			return err
		}
		if err := g.needSet(ctx, newPermissionSet(r.Permissions), Realmwide, "the role holds a permission that you lack"); err != nil {
			return err
		}
		if err := g.takeRole(ctx, r); err != nil {
			return err
		}
		if err := g.tx.DeleteRole(ctx, id); err != nil {
			return err
		}
		return g.record(ctx, Event{Action: "role.deleted", Object: "role:" + string(id)})
	})
}

func (g *guard) takeRole(ctx context.Context, r store.Role) error {
	err := g.eachUser(ctx, store.UserQuery{Role: r.ID}, func(u store.User) error {
		u.Grants = slices.DeleteFunc(u.Grants, func(grant Grant) bool { return grant.Role == r.ID })
		return g.writeLoss(ctx, u, "roles")
	})
	if err != nil || r.Scope != ScopeOrganization {
		return err
	}
	return g.unassignMembers(ctx, r.ID)
}
