package faulttest

import (
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

// reader is a Reader whose every call is a step of its tap. It embeds nothing, so that
// a new method of the contract cannot slip past the tap.
type reader struct {
	tap  *tap
	unit unit
	r    store.Reader
}

var _ store.Reader = (*reader)(nil)

func (x *reader) at(name string) step { return step{name, x.unit} }

func (x *reader) User(ctx context.Context, id store.UserID) (store.User, error) {
	return answer(x.tap, ctx, x.at("User"), func(ctx context.Context) (store.User, error) { return x.r.User(ctx, id) })
}

func (x *reader) UserByUsername(ctx context.Context, key string) (store.User, error) {
	return answer(x.tap, ctx, x.at("UserByUsername"), func(ctx context.Context) (store.User, error) { return x.r.UserByUsername(ctx, key) })
}

func (x *reader) UserByEmail(ctx context.Context, key string) (store.User, error) {
	return answer(x.tap, ctx, x.at("UserByEmail"), func(ctx context.Context) (store.User, error) { return x.r.UserByEmail(ctx, key) })
}

func (x *reader) UsersByID(ctx context.Context, ids []store.UserID) ([]store.User, error) {
	return answer(x.tap, ctx, x.at("UsersByID"), func(ctx context.Context) ([]store.User, error) { return x.r.UsersByID(ctx, ids) })
}

func (x *reader) UsersByUsername(ctx context.Context, keys []string) ([]store.User, error) {
	return answer(x.tap, ctx, x.at("UsersByUsername"), func(ctx context.Context) ([]store.User, error) { return x.r.UsersByUsername(ctx, keys) })
}

func (x *reader) Users(ctx context.Context, q store.UserQuery) ([]store.User, error) {
	return answer(x.tap, ctx, x.at("Users"), func(ctx context.Context) ([]store.User, error) { return x.r.Users(ctx, q) })
}

func (x *reader) SearchUsers(ctx context.Context, by store.UserField, prefix, after string, limit int) ([]store.User, error) {
	return answer(x.tap, ctx, x.at("SearchUsers"), func(ctx context.Context) ([]store.User, error) { return x.r.SearchUsers(ctx, by, prefix, after, limit) })
}

func (x *reader) UserAt(ctx context.Context, n int64) (store.UserID, error) {
	return answer(x.tap, ctx, x.at("UserAt"), func(ctx context.Context) (store.UserID, error) { return x.r.UserAt(ctx, n) })
}

func (x *reader) CountUsers(ctx context.Context, q store.UserQuery) (int64, error) {
	return answer(x.tap, ctx, x.at("CountUsers"), func(ctx context.Context) (int64, error) { return x.r.CountUsers(ctx, q) })
}

func (x *reader) Credential(ctx context.Context, user store.UserID) (store.Credential, error) {
	return answer(x.tap, ctx, x.at("Credential"), func(ctx context.Context) (store.Credential, error) { return x.r.Credential(ctx, user) })
}

func (x *reader) CredentialsByID(ctx context.Context, users []store.UserID) ([]store.Credential, error) {
	return answer(x.tap, ctx, x.at("CredentialsByID"), func(ctx context.Context) ([]store.Credential, error) { return x.r.CredentialsByID(ctx, users) })
}

func (x *reader) Organization(ctx context.Context, id store.OrganizationID) (store.Organization, error) {
	return answer(x.tap, ctx, x.at("Organization"), func(ctx context.Context) (store.Organization, error) { return x.r.Organization(ctx, id) })
}

func (x *reader) OrganizationBySlug(ctx context.Context, slug string) (store.Organization, error) {
	return answer(x.tap, ctx, x.at("OrganizationBySlug"), func(ctx context.Context) (store.Organization, error) { return x.r.OrganizationBySlug(ctx, slug) })
}

func (x *reader) OrganizationByVendorID(ctx context.Context, vendor store.VendorID, vendorOrganizationID string) (store.Organization, error) {
	return answer(x.tap, ctx, x.at("OrganizationByVendorID"), func(ctx context.Context) (store.Organization, error) {
		return x.r.OrganizationByVendorID(ctx, vendor, vendorOrganizationID)
	})
}

func (x *reader) OrganizationByDomain(ctx context.Context, vendor store.VendorID, domain string) (store.Organization, error) {
	return answer(x.tap, ctx, x.at("OrganizationByDomain"), func(ctx context.Context) (store.Organization, error) {
		return x.r.OrganizationByDomain(ctx, vendor, domain)
	})
}

func (x *reader) OrganizationsByID(ctx context.Context, ids []store.OrganizationID) ([]store.Organization, error) {
	return answer(x.tap, ctx, x.at("OrganizationsByID"), func(ctx context.Context) ([]store.Organization, error) { return x.r.OrganizationsByID(ctx, ids) })
}

func (x *reader) Organizations(ctx context.Context, q store.OrganizationQuery) ([]store.Organization, error) {
	return answer(x.tap, ctx, x.at("Organizations"), func(ctx context.Context) ([]store.Organization, error) { return x.r.Organizations(ctx, q) })
}

func (x *reader) Membership(ctx context.Context, org store.OrganizationID, user store.UserID) (store.Membership, error) {
	return answer(x.tap, ctx, x.at("Membership"), func(ctx context.Context) (store.Membership, error) { return x.r.Membership(ctx, org, user) })
}

func (x *reader) MembersByID(ctx context.Context, org store.OrganizationID, users []store.UserID) ([]store.Membership, error) {
	return answer(x.tap, ctx, x.at("MembersByID"), func(ctx context.Context) ([]store.Membership, error) { return x.r.MembersByID(ctx, org, users) })
}

func (x *reader) MembershipByVendorUser(ctx context.Context, org store.OrganizationID, vendorUserID string) (store.Membership, error) {
	return answer(x.tap, ctx, x.at("MembershipByVendorUser"), func(ctx context.Context) (store.Membership, error) {
		return x.r.MembershipByVendorUser(ctx, org, vendorUserID)
	})
}

func (x *reader) Members(ctx context.Context, q store.MemberQuery) ([]store.Membership, error) {
	return answer(x.tap, ctx, x.at("Members"), func(ctx context.Context) ([]store.Membership, error) { return x.r.Members(ctx, q) })
}

func (x *reader) CountMembers(ctx context.Context, q store.MemberQuery) (int64, error) {
	return answer(x.tap, ctx, x.at("CountMembers"), func(ctx context.Context) (int64, error) { return x.r.CountMembers(ctx, q) })
}

func (x *reader) Memberships(ctx context.Context, user store.UserID, after store.OrganizationID, limit int) ([]store.Membership, error) {
	return answer(x.tap, ctx, x.at("Memberships"), func(ctx context.Context) ([]store.Membership, error) { return x.r.Memberships(ctx, user, after, limit) })
}

func (x *reader) Role(ctx context.Context, id store.RoleID) (store.Role, error) {
	return answer(x.tap, ctx, x.at("Role"), func(ctx context.Context) (store.Role, error) { return x.r.Role(ctx, id) })
}

func (x *reader) RoleByName(ctx context.Context, scope store.ScopeKind, name string) (store.Role, error) {
	return answer(x.tap, ctx, x.at("RoleByName"), func(ctx context.Context) (store.Role, error) { return x.r.RoleByName(ctx, scope, name) })
}

func (x *reader) RolesByID(ctx context.Context, ids []store.RoleID) ([]store.Role, error) {
	return answer(x.tap, ctx, x.at("RolesByID"), func(ctx context.Context) ([]store.Role, error) { return x.r.RolesByID(ctx, ids) })
}

func (x *reader) Roles(ctx context.Context, after store.RoleID, limit int) ([]store.Role, error) {
	return answer(x.tap, ctx, x.at("Roles"), func(ctx context.Context) ([]store.Role, error) { return x.r.Roles(ctx, after, limit) })
}

func (x *reader) Permissions(ctx context.Context) ([]string, error) {
	return answer(x.tap, ctx, x.at("Permissions"), func(ctx context.Context) ([]string, error) { return x.r.Permissions(ctx) })
}

func (x *reader) Tenant(ctx context.Context, id store.TenantID) (store.Tenant, error) {
	return answer(x.tap, ctx, x.at("Tenant"), func(ctx context.Context) (store.Tenant, error) { return x.r.Tenant(ctx, id) })
}

func (x *reader) Tenants(ctx context.Context, after store.TenantID, limit int) ([]store.Tenant, error) {
	return answer(x.tap, ctx, x.at("Tenants"), func(ctx context.Context) ([]store.Tenant, error) { return x.r.Tenants(ctx, after, limit) })
}

func (x *reader) Vendor(ctx context.Context, id store.VendorID) (store.Vendor, error) {
	return answer(x.tap, ctx, x.at("Vendor"), func(ctx context.Context) (store.Vendor, error) { return x.r.Vendor(ctx, id) })
}

func (x *reader) VendorByClientID(ctx context.Context, clientID string) (store.Vendor, error) {
	return answer(x.tap, ctx, x.at("VendorByClientID"), func(ctx context.Context) (store.Vendor, error) { return x.r.VendorByClientID(ctx, clientID) })
}

func (x *reader) Vendors(ctx context.Context, after store.VendorID, limit int) ([]store.Vendor, error) {
	return answer(x.tap, ctx, x.at("Vendors"), func(ctx context.Context) ([]store.Vendor, error) { return x.r.Vendors(ctx, after, limit) })
}

func (x *reader) VendorSecrets(ctx context.Context, vendor store.VendorID) ([]store.VendorSecret, error) {
	return answer(x.tap, ctx, x.at("VendorSecrets"), func(ctx context.Context) ([]store.VendorSecret, error) { return x.r.VendorSecrets(ctx, vendor) })
}

func (x *reader) Key(ctx context.Context, id store.KeyID) (store.Key, error) {
	return answer(x.tap, ctx, x.at("Key"), func(ctx context.Context) (store.Key, error) { return x.r.Key(ctx, id) })
}

func (x *reader) KeyByDigest(ctx context.Context, digest store.Digest) (store.Key, error) {
	return answer(x.tap, ctx, x.at("KeyByDigest"), func(ctx context.Context) (store.Key, error) { return x.r.KeyByDigest(ctx, digest) })
}

func (x *reader) Keys(ctx context.Context, org store.OrganizationID, after store.KeyID, limit int) ([]store.Key, error) {
	return answer(x.tap, ctx, x.at("Keys"), func(ctx context.Context) ([]store.Key, error) { return x.r.Keys(ctx, org, after, limit) })
}

func (x *reader) Session(ctx context.Context, id store.SessionID) (store.Session, error) {
	return answer(x.tap, ctx, x.at("Session"), func(ctx context.Context) (store.Session, error) { return x.r.Session(ctx, id) })
}

func (x *reader) Sessions(ctx context.Context, user store.UserID, after store.SessionID, limit int) ([]store.Session, error) {
	return answer(x.tap, ctx, x.at("Sessions"), func(ctx context.Context) ([]store.Session, error) { return x.r.Sessions(ctx, user, after, limit) })
}

func (x *reader) Token(ctx context.Context, kind store.TokenKind, digest store.Digest) (store.Token, error) {
	return answer(x.tap, ctx, x.at("Token"), func(ctx context.Context) (store.Token, error) { return x.r.Token(ctx, kind, digest) })
}

func (x *reader) OrganizationTokens(ctx context.Context, org store.OrganizationID, users []store.UserID, after store.Digest, limit int) ([]store.Token, error) {
	return answer(x.tap, ctx, x.at("OrganizationTokens"), func(ctx context.Context) ([]store.Token, error) {
		return x.r.OrganizationTokens(ctx, org, users, after, limit)
	})
}

func (x *reader) Failures(ctx context.Context, key store.Digest) (store.Failures, error) {
	return answer(x.tap, ctx, x.at("Failures"), func(ctx context.Context) (store.Failures, error) { return x.r.Failures(ctx, key) })
}

func (x *reader) Events(ctx context.Context, after int64, limit int) ([]store.Event, error) {
	return answer(x.tap, ctx, x.at("Events"), func(ctx context.Context) ([]store.Event, error) { return x.r.Events(ctx, after, limit) })
}

func (x *reader) Generation(ctx context.Context) (uint64, error) {
	return answer(x.tap, ctx, x.at("Generation"), func(ctx context.Context) (uint64, error) { return x.r.Generation(ctx) })
}
