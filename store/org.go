package store

import "context"

// Organization is a group of users with a life of its own.
//
// Unique in the realm: ID; Slug unless empty; (VendorID, VendorOrganizationID)
// unless the latter is empty; (VendorID, MatchDomain) unless the latter is empty.
type Organization struct {
	ID OrganizationID
	// Slug has at most MaxKey bytes, or is empty.
	Slug string
	Name string
	// Domain is the e-mail domain in canonical form, or empty.
	Domain string
	// MatchDomain, of at most MaxKey bytes, is Domain where new users are matched to this organization
	// by it, otherwise empty.
	MatchDomain string
	// VendorID is the vendor that owns the organization, or empty.
	VendorID VendorID
	// VendorOrganizationID is the vendor's own id for it, at most MaxKey bytes, or empty.
	VendorOrganizationID string
	// OEMProvisioning allows users to be provisioned by API keys.
	OEMProvisioning bool
	// CreatedBy names the actor, as Event.Actor does.
	CreatedBy string
	Version   int64
	CreatedAt Time
	UpdatedAt Time
}

// Check reports the first fault of the record.
func (o Organization) Check() error {
	var c check
	c.id("ID", string(o.ID))
	c.key("Slug", o.Slug)
	c.text("Name", o.Name)
	c.text("Domain", o.Domain, o.MatchDomain)
	c.key("MatchDomain", o.MatchDomain)
	c.optionalID("VendorID", string(o.VendorID))
	c.key("VendorOrganizationID", o.VendorOrganizationID)
	if o.VendorID == "" && (o.VendorOrganizationID != "" || o.MatchDomain != "") {
		c.fail("VendorID", "must be set where VendorOrganizationID or MatchDomain is")
	}
	c.text("CreatedBy", o.CreatedBy)
	c.time("CreatedAt", o.CreatedAt)
	c.time("UpdatedAt", o.UpdatedAt)
	return c.err
}

// OrganizationQuery picks organizations, in the order of their ids.
type OrganizationQuery struct {
	// Vendor picks those of one vendor; empty picks all.
	Vendor VendorID
	// After is exclusive; it need not be the id of an organization.
	After OrganizationID
	// Limit is the greatest number of organizations; none come for 0 or less.
	Limit int
}

// OrganizationReader finds organizations. Empty keys find nothing.
type OrganizationReader interface {
	Organization(ctx context.Context, id OrganizationID) (Organization, error)
	OrganizationBySlug(ctx context.Context, slug string) (Organization, error)
	OrganizationByVendorID(ctx context.Context, vendor VendorID, vendorOrganizationID string) (Organization, error)
	// OrganizationByDomain compares with MatchDomain.
	OrganizationByDomain(ctx context.Context, vendor VendorID, domain string) (Organization, error)
	// OrganizationsByID returns those of the ids that exist, in the order of
	// their ids, each once. At most 10,000 ids may be asked for at a time.
	OrganizationsByID(ctx context.Context, ids []OrganizationID) ([]Organization, error)
	// Organizations returns a page, with the promises of [UserReader.Users].
	Organizations(ctx context.Context, q OrganizationQuery) ([]Organization, error)
}

// OrganizationWriter changes organizations.
type OrganizationWriter interface {
	// CreateOrganization fails on a duplicate "ID", "Slug",
	// "VendorOrganizationID" or "MatchDomain", checked in this order.
	CreateOrganization(ctx context.Context, o Organization) error
	// UpdateOrganization replaces the record but ID, VendorID, CreatedAt and
	// CreatedBy, which stay; what comes out must pass Check. A stale version is
	// reported before a duplicate.
	UpdateOrganization(ctx context.Context, o Organization) error
	// DeleteOrganization removes the organization with its memberships, keys,
	// tokens and the sessions confined to it. Grants that list it are left to the caller.
	DeleteOrganization(ctx context.Context, id OrganizationID) error
}

// Membership is a user's place in an organization.
//
// Unique: (OrganizationID, UserID); (OrganizationID, VendorUserID) unless the
// latter is empty.
type Membership struct {
	OrganizationID OrganizationID
	UserID         UserID
	// Role is the id of a role of the organization scope.
	Role RoleID
	// Tags is a sorted set.
	Tags []string
	// VendorUserID is the vendor's own id for the user, at most MaxKey bytes, or empty.
	VendorUserID string
	CreatedBy    string
	Version      int64
	CreatedAt    Time
	UpdatedAt    Time
}

// Check reports the first fault of the record.
func (m Membership) Check() error {
	var c check
	c.id("OrganizationID", string(m.OrganizationID))
	c.id("UserID", string(m.UserID))
	c.id("Role", string(m.Role))
	set(&c, "Tags", m.Tags)
	c.key("VendorUserID", m.VendorUserID)
	c.text("CreatedBy", m.CreatedBy)
	c.time("CreatedAt", m.CreatedAt)
	c.time("UpdatedAt", m.UpdatedAt)
	return c.err
}

// Clone returns a copy that shares no memory that can change. Empty lists become nil.
func (m Membership) Clone() Membership {
	m.Tags = cloneList(m.Tags)
	return m
}

// MaxMemberRoles is how many roles a [MemberQuery] may name.
const MaxMemberRoles = 20

// MemberQuery picks memberships of one organization, in the order of user ids.
type MemberQuery struct {
	Organization OrganizationID
	// Roles picks the members of any of these roles; none picks all. They may
	// come in any order and repeat; more than MaxMemberRoles are [ErrInvalid].
	// An empty entry picks nobody.
	Roles []RoleID
	// After is exclusive; it need not be the id of a member.
	After UserID
	// Limit is the greatest number of members; none come for 0 or less.
	Limit int
}

// Check reports whether the query names too many roles.
func (q MemberQuery) Check() error {
	if len(q.Roles) > MaxMemberRoles {
		return invalid("Roles", "must have at most 20 entries")
	}
	return nil
}

// MembershipReader finds memberships. Lists are empty for an unknown
// organization or user.
type MembershipReader interface {
	Membership(ctx context.Context, org OrganizationID, user UserID) (Membership, error)
	// MembersByID returns those that the users have in the organization, in the
	// order of the users' ids, each once. More than 10,000 ids are [ErrInvalid].
	MembersByID(ctx context.Context, org OrganizationID, users []UserID) ([]Membership, error)
	// MembershipByVendorUser finds nothing for an empty id.
	MembershipByVendorUser(ctx context.Context, org OrganizationID, vendorUserID string) (Membership, error)
	// Members returns a page, with the promises of [UserReader.Users].
	Members(ctx context.Context, q MemberQuery) ([]Membership, error)
	// CountMembers counts whom the query picks, heedless of After and Limit.
	// It costs what there are of them in an index, and reads no record.
	CountMembers(ctx context.Context, q MemberQuery) (int64, error)
	// Memberships returns a page of a user's memberships in the order of
	// organization ids, after (exclusive) the one that is given.
	Memberships(ctx context.Context, user UserID, after OrganizationID, limit int) ([]Membership, error)
}

// MembershipWriter changes memberships.
type MembershipWriter interface {
	// CreateMembership fails on a duplicate "UserID" or "VendorUserID",
	// checked in this order.
	CreateMembership(ctx context.Context, m Membership) error
	// UpdateMembership replaces the record but OrganizationID, UserID,
	// CreatedAt and CreatedBy, which stay. A stale version is reported before a duplicate.
	UpdateMembership(ctx context.Context, m Membership) error
	// DeleteMembership removes the membership with the tokens, keys and
	// confined sessions of that user in that organization.
	DeleteMembership(ctx context.Context, org OrganizationID, user UserID) error
}
