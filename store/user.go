package store

import (
	"context"
	"encoding/json"
	"slices"
)

// User is a person or a service account.
//
// Unique in the realm: ID, UsernameKey, and EmailKey unless it is empty.
type User struct {
	ID UserID
	// Username as it was given, and its canonical form by which it is unique and
	// found, at most MaxKey bytes.
	Username, UsernameKey string
	// Email as it was given and its canonical form, at most MaxKey bytes; both
	// empty for none.
	Email, EmailKey string
	// EmailClaimed says that the user gave himself the address, and nobody
	// else vouches for it.
	EmailClaimed        bool
	FirstName, LastName string
	// Locale is a language tag such as "de_DE", or empty.
	Locale string
	// Disabled users cannot sign in and hold no rights.
	Disabled bool
	// Attributes is a JSON object in canonical form (sorted names, no white
	// space), or nil. It is the host's.
	Attributes json.RawMessage
	// Tags is a sorted set.
	Tags []string
	// Grants is sorted by (Role, Permission, Kind); that triple is unique in it.
	Grants []Grant
	// Tenants is a sorted set of tenant ids and of the words "any" and "type:…",
	// of at most MaxKey bytes each.
	Tenants []string
	// CreatedBy names the actor, as Event.Actor does.
	CreatedBy string
	// CreatedByVendor is the vendor that provisioned the user, or empty.
	CreatedByVendor VendorID
	Version         int64
	CreatedAt       Time
	UpdatedAt       Time
}

// Grant gives a user a role or a single permission. Its texts have at most
// MaxKey bytes each.
type Grant struct {
	// Role is the role's id, empty for a single permission.
	Role RoleID
	// Permission is "group.action", empty for a role.
	Permission string
	// Kind is the kind of scope of the role; single permissions are of the realm.
	Kind ScopeKind
	// Scopes is the sorted set of scopes of that kind, organization ids or
	// facility names. An empty one means everywhere.
	Scopes []string
}

// ScopeKind is a kind of place in which permissions hold.
type ScopeKind uint8

// Kinds of scope. The numbers are stored; they never change.
const (
	ScopeRealm        ScopeKind = 1
	ScopeOrganization ScopeKind = 2
	ScopeFacility     ScopeKind = 3
)

func (k ScopeKind) String() string {
	switch k {
	case ScopeRealm:
		return "realm"
	case ScopeOrganization:
		return "organization"
	case ScopeFacility:
		return "facility"
	}
	return "unknown"
}

// Check reports the first fault of the record.
func (u User) Check() error {
	var c check
	c.id("ID", string(u.ID))
	if u.UsernameKey == "" {
		c.fail("UsernameKey", "must not be empty")
	}
	if (u.Email == "") != (u.EmailKey == "") {
		c.fail("EmailKey", "must be empty exactly if Email is")
	}
	c.text("Username", u.Username, u.UsernameKey)
	c.text("Email", u.Email, u.EmailKey)
	c.key("UsernameKey", u.UsernameKey)
	c.key("EmailKey", u.EmailKey)
	c.text("FirstName", u.FirstName)
	c.text("LastName", u.LastName)
	c.text("Locale", u.Locale)
	c.text("Attributes", string(u.Attributes))
	set(&c, "Tags", u.Tags)
	set(&c, "Tenants", u.Tenants)
	c.key("Tenants", u.Tenants...)
	for i, g := range u.Grants {
		if (g.Role == "") == (g.Permission == "") {
			c.fail("Grants", "must name either a role or a permission")
		}
		if g.Kind < ScopeRealm || g.Kind > ScopeFacility {
			c.fail("Grants", "must have a kind of scope")
		}
		c.key("Grants", string(g.Role), g.Permission)
		set(&c, "Grants", g.Scopes)
		c.key("Grants", g.Scopes...)
		if i > 0 && CompareGrants(u.Grants[i-1], g) >= 0 {
			c.fail("Grants", "must be sorted, without repeats")
		}
	}
	c.text("CreatedBy", u.CreatedBy)
	c.optionalID("CreatedByVendor", string(u.CreatedByVendor))
	c.time("CreatedAt", u.CreatedAt)
	c.time("UpdatedAt", u.UpdatedAt)
	return c.err
}

// CompareGrants orders grants by (Role, Permission, Kind).
func CompareGrants(a, b Grant) int {
	switch {
	case a.Role != b.Role:
		if a.Role < b.Role {
			return -1
		}
		return 1
	case a.Permission != b.Permission:
		if a.Permission < b.Permission {
			return -1
		}
		return 1
	}
	return int(a.Kind) - int(b.Kind)
}

// Clone returns a copy that shares no memory that can change. Empty lists become nil.
func (u User) Clone() User {
	u.Attributes = cloneList(u.Attributes)
	u.Tags = cloneList(u.Tags)
	u.Tenants = cloneList(u.Tenants)
	u.Grants = cloneList(u.Grants)
	for i := range u.Grants {
		u.Grants[i].Scopes = cloneList(u.Grants[i].Scopes)
	}
	return u
}

func cloneList[S ~[]E, E any](s S) S {
	if len(s) == 0 {
		return nil
	}
	return slices.Clone(s)
}

// UserQuery picks users, in the order of their ids. At most one of Role,
// Permission, Scopes and Tenant is set; two of them are [ErrInvalid].
type UserQuery struct {
	// Role picks those who hold a grant of the role, at whatever scope.
	Role RoleID
	// Permission picks those who hold it as a single permission.
	Permission string
	// Scopes picks those who hold a grant that lists any of them, each user
	// once. They may come in any order and repeat; more than MaxScopes are
	// [ErrInvalid]. None is no filter, while one that no grant can list picks
	// nobody.
	Scopes []ScopeRef
	// Tenant picks those whose Tenants hold exactly this entry.
	Tenant string
	// After is exclusive; it need not be the id of a user.
	After UserID
	// Limit is the greatest number of users; none come for 0 or less.
	Limit int
}

// MaxScopes is how many scopes a [UserQuery] may name.
const MaxScopes = 100

// ScopeRef names one organization or facility.
type ScopeRef struct {
	Kind ScopeKind
	ID   string
}

// Check reports whether the query asks one thing, and not of too many scopes.
func (q UserQuery) Check() error {
	n := 0
	for _, is := range []bool{q.Role != "", q.Permission != "", len(q.Scopes) > 0, q.Tenant != ""} {
		if is {
			n++
		}
	}
	if n > 1 {
		return invalid("query", "may name one of role, permission, scopes and tenant")
	}
	if len(q.Scopes) > MaxScopes {
		return invalid("Scopes", "must have at most 100 entries")
	}
	return nil
}

// UserField names a field that users are searched by.
type UserField uint8

// Fields for [UserReader.SearchUsers].
const (
	ByUsername UserField = 1
	ByEmail    UserField = 2
)

// UserReader finds users.
type UserReader interface {
	User(ctx context.Context, id UserID) (User, error)
	// UserByUsername compares with UsernameKey.
	UserByUsername(ctx context.Context, key string) (User, error)
	// UserByEmail compares with EmailKey. An empty key finds nobody.
	UserByEmail(ctx context.Context, key string) (User, error)
	// UsersByID returns those of the ids that exist, in the order of their
	// ids, each once. At most 10,000 ids may be asked for at a time.
	UsersByID(ctx context.Context, ids []UserID) ([]User, error)
	// UsersByUsername returns those who have one of the keys as their
	// UsernameKey, in the order of the keys, each once. More than 10,000 keys
	// are [ErrInvalid].
	UsersByUsername(ctx context.Context, keys []string) ([]User, error)
	// Users returns a page. A walk that passes the last id of each page as the
	// next After meets every user that is there throughout exactly once, and
	// costs the same per page at any depth. With Scopes that cost grows with
	// their number and with Limit, not with how many users there are.
	Users(ctx context.Context, q UserQuery) ([]User, error)
	// SearchUsers returns up to limit users whose key begins with prefix and
	// is greater than after, ordered by the key (UsernameKey or EmailKey).
	// Users without an e-mail are not found by it.
	SearchUsers(ctx context.Context, by UserField, prefix, after string, limit int) ([]User, error)
	// UserAt returns the id of the user before whom exactly n others stand in
	// the order of ids; ErrNotFound if there are no more than n users, and
	// ErrInvalid for a negative n. It does not count through them: its cost
	// grows no faster than the logarithm of their number, or by a
	// thousandth of it.
	UserAt(ctx context.Context, n int64) (UserID, error)
	// CountUsers counts whom the query picks, each once, heedless of After and Limit.
	// All users of a realm are counted as cheaply as UserAt finds its one;
	// others cost what there are of them.
	CountUsers(ctx context.Context, q UserQuery) (int64, error)
}

// UserWriter changes users.
type UserWriter interface {
	// CreateUser fails on a duplicate "ID", "UsernameKey" or "EmailKey",
	// checked in this order.
	CreateUser(ctx context.Context, u User) error
	// UpdateUser replaces the whole record but ID, CreatedAt, CreatedBy and
	// CreatedByVendor, which stay. Duplicates as in CreateUser; a stale
	// version is reported before a duplicate.
	UpdateUser(ctx context.Context, u User) error
	// DeleteUser removes the user with the credential, memberships, sessions,
	// tokens and keys that are his, so that a user created later under the
	// same id finds nothing of them.
	DeleteUser(ctx context.Context, id UserID) error
}
