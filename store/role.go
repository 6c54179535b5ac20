package store

import "context"

// Role is a named, versioned set of permissions for one kind of scope.
//
// Unique in the realm: ID; (Scope, Name). Built-in roles are not stored.
type Role struct {
	ID          RoleID
	Scope       ScopeKind
	Name        string
	Description string
	// Permissions is a sorted set.
	Permissions []string
	// CreatedBy names the actor, as Event.Actor does.
	CreatedBy string
	Version   int64
	CreatedAt Time
	UpdatedAt Time
}

// Check reports the first fault of the record.
func (r Role) Check() error {
	var c check
	c.id("ID", string(r.ID))
	if r.Scope < ScopeRealm || r.Scope > ScopeFacility {
		c.fail("Scope", "must be a kind of scope")
	}
	if r.Name == "" {
		c.fail("Name", "must not be empty")
	}
	c.text("Name", r.Name)
	c.text("Description", r.Description)
	set(&c, "Permissions", r.Permissions)
	c.text("CreatedBy", r.CreatedBy)
	c.time("CreatedAt", r.CreatedAt)
	c.time("UpdatedAt", r.UpdatedAt)
	return c.err
}

// Clone returns a copy that shares no memory that can change. Empty lists become nil.
func (r Role) Clone() Role {
	r.Permissions = cloneList(r.Permissions)
	return r
}

// RoleReader finds roles and custom permissions.
type RoleReader interface {
	Role(ctx context.Context, id RoleID) (Role, error)
	RoleByName(ctx context.Context, scope ScopeKind, name string) (Role, error)
	// RolesByID returns those of the ids that exist, in the order of their
	// ids, each once. At most 10,000 ids may be asked for at a time.
	RolesByID(ctx context.Context, ids []RoleID) ([]Role, error)
	// Roles returns a page in the order of ids after (exclusive) the one that is given.
	Roles(ctx context.Context, after RoleID, limit int) ([]Role, error)
	// Permissions returns the realm's custom permissions, sorted.
	Permissions(ctx context.Context) ([]string, error)
}

// RoleWriter changes roles and custom permissions.
type RoleWriter interface {
	// CreateRole fails on a duplicate "ID" or "Name", checked in this order.
	CreateRole(ctx context.Context, r Role) error
	// UpdateRole replaces the record but ID, Scope, CreatedAt and CreatedBy,
	// which stay. A stale version is reported before a duplicate.
	UpdateRole(ctx context.Context, r Role) error
	// DeleteRole removes the role; grants and memberships that name it are
	// left to the caller.
	DeleteRole(ctx context.Context, id RoleID) error
	// PutPermission makes the name, 1 to 128 bytes, a custom permission; one
	// that is there already stays.
	PutPermission(ctx context.Context, name string) error
	DeletePermission(ctx context.Context, name string) error
}
