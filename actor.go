package usermgmt

// ActorKind says what kind of actor asks.
type ActorKind uint8

// Kinds of actor.
const (
	// ActorNone has no rights. It is the kind of the zero Actor.
	ActorNone ActorKind = iota
	// ActorHost is the program that embeds the directory. It may do everything.
	ActorHost
	// ActorUser is a user, with the rights of his grants and memberships.
	ActorUser
	// ActorKey is an organization's API key, with the rights of its role in
	// that organization, and no more than its owner has there now.
	ActorKey
	// ActorVendor is an OEM partner, with rights over its own organizations.
	ActorVendor
)

// Actor is who asks. It names someone and holds no rights: those are read from
// the store at each use. Actors are comparable; the zero Actor may do nothing.
type Actor struct {
	kind    ActorKind
	id      string
	session SessionID
	// organization confines a user to his membership of it.
	organization OrganizationID
	tenant       TenantID
	// scopes are those that a vendor's token is for, separated by spaces; empty
	// for all that he has.
	scopes string
	// passwordChange leaves the right to change the own password alone.
	passwordChange bool
}

// HostActor is the host itself.
func HostActor() Actor { return Actor{kind: ActorHost} }

// UserActor is a user. Whether he exists and is enabled is checked at each use.
func UserActor(id UserID) Actor { return Actor{kind: ActorUser, id: string(id)} }

// KeyActor is an API key, whose existence is checked at each use.
func KeyActor(id KeyID) Actor { return Actor{kind: ActorKey, id: string(id)} }

// VendorActor is a vendor, whose existence is checked at each use.
func VendorActor(id VendorID) Actor { return Actor{kind: ActorVendor, id: string(id)} }

// Confined returns the user restricted to his membership of one organization:
// no realm role, no facility, no other organization, no change of credentials
// or profile. This is what a vendor's sign-in yields.
func (a Actor) Confined(org OrganizationID) Actor {
	a.organization = org
	return a
}

// InTenant ties the actor to a tenant: outside of the tenants that he is
// assigned to, a user has no rights at all. An API key is inside with its owner,
// and without one outside of all; so is a vendor.
func (a Actor) InTenant(id TenantID) Actor {
	a.tenant = id
	return a
}

// Kind returns the kind of actor.
func (a Actor) Kind() ActorKind { return a.kind }

// UserID returns the acting user's id, empty for other kinds.
func (a Actor) UserID() UserID {
	if a.kind != ActorUser {
		return ""
	}
	return UserID(a.id)
}

// KeyID returns the acting key's id, empty for other kinds.
func (a Actor) KeyID() KeyID {
	if a.kind != ActorKey {
		return ""
	}
	return KeyID(a.id)
}

// VendorID returns the acting vendor's id, empty for other kinds.
func (a Actor) VendorID() VendorID {
	if a.kind != ActorVendor {
		return ""
	}
	return VendorID(a.id)
}

// SessionID returns the session that the actor signed in by, if any.
func (a Actor) SessionID() SessionID { return a.session }

// ConfinedTo returns the organization that the actor is confined to, if any.
func (a Actor) ConfinedTo() OrganizationID { return a.organization }

// MustChangePassword reports whether the actor may do nothing but change his
// temporary password.
func (a Actor) MustChangePassword() bool { return a.passwordChange }

// String returns the actor as events name him: "host", "user:…", "key:…", "vendor:…".
func (a Actor) String() string {
	switch a.kind {
	case ActorHost:
		return "host"
	case ActorUser:
		return "user:" + a.id
	case ActorKey:
		return "key:" + a.id
	case ActorVendor:
		return "vendor:" + a.id
	}
	return "none"
}
