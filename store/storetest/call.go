package storetest

import (
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

// query is a method of a Reader with arguments that find something in the world.
type query struct {
	name string
	ask  func(ctx context.Context, r store.Reader) (any, error)
}

// ask makes a query of a method's result.
func ask[A any](a A, err error) (any, error) { return a, err }

// queries returns one call of each method that reads.
func queries() []query {
	const n = 10
	type (
		ctx = context.Context
		rd  = store.Reader
	)
	return []query{
		{"User", func(c ctx, r rd) (any, error) { return ask(r.User(c, userID(0))) }},
		{"UserByUsername", func(c ctx, r rd) (any, error) {
			return ask(r.UserByUsername(c, sampleUser(0).UsernameKey))
		}},
		{"UserByEmail", func(c ctx, r rd) (any, error) { return ask(r.UserByEmail(c, sampleUser(0).EmailKey)) }},
		{"UsersByID", func(c ctx, r rd) (any, error) {
			return ask(r.UsersByID(c, []store.UserID{userID(0), userID(1)}))
		}},
		{"UsersByUsername", func(c ctx, r rd) (any, error) {
			return ask(r.UsersByUsername(c, []string{sampleUser(0).UsernameKey, sampleUser(1).UsernameKey}))
		}},
		{"Users", func(c ctx, r rd) (any, error) { return ask(r.Users(c, store.UserQuery{Limit: n})) }},
		{"SearchUsers", func(c ctx, r rd) (any, error) {
			return ask(r.SearchUsers(c, store.ByUsername, "zo", "", n))
		}},
		{"UserAt", func(c ctx, r rd) (any, error) { return ask(r.UserAt(c, 0)) }},
		{"CountUsers", func(c ctx, r rd) (any, error) { return ask(r.CountUsers(c, store.UserQuery{})) }},
		{"Credential", func(c ctx, r rd) (any, error) { return ask(r.Credential(c, userID(0))) }},
		{"CredentialsByID", func(c ctx, r rd) (any, error) {
			return ask(r.CredentialsByID(c, []store.UserID{userID(0), userID(1)}))
		}},
		{"Organization", func(c ctx, r rd) (any, error) { return ask(r.Organization(c, orgID(0))) }},
		{"OrganizationBySlug", func(c ctx, r rd) (any, error) {
			return ask(r.OrganizationBySlug(c, sampleOrganization(0).Slug))
		}},
		{"OrganizationByVendorID", func(c ctx, r rd) (any, error) {
			return ask(r.OrganizationByVendorID(c, vendorID(0), sampleOrganization(0).VendorOrganizationID))
		}},
		{"OrganizationByDomain", func(c ctx, r rd) (any, error) {
			return ask(r.OrganizationByDomain(c, vendorID(0), sampleOrganization(0).MatchDomain))
		}},
		{"OrganizationsByID", func(c ctx, r rd) (any, error) {
			return ask(r.OrganizationsByID(c, []store.OrganizationID{orgID(0), orgID(1)}))
		}},
		{"Organizations", func(c ctx, r rd) (any, error) {
			return ask(r.Organizations(c, store.OrganizationQuery{Limit: n}))
		}},
		{"Membership", func(c ctx, r rd) (any, error) { return ask(r.Membership(c, orgID(0), userID(0))) }},
		{"MembersByID", func(c ctx, r rd) (any, error) {
			return ask(r.MembersByID(c, orgID(0), []store.UserID{userID(0), userID(1)}))
		}},
		{"MembershipByVendorUser", func(c ctx, r rd) (any, error) {
			return ask(r.MembershipByVendorUser(c, orgID(0), sampleMembership(0).VendorUserID))
		}},
		{"Members", func(c ctx, r rd) (any, error) {
			return ask(r.Members(c, store.MemberQuery{Organization: orgID(0), Limit: n}))
		}},
		{"CountMembers", func(c ctx, r rd) (any, error) {
			return ask(r.CountMembers(c, store.MemberQuery{Organization: orgID(0)}))
		}},
		{"Memberships", func(c ctx, r rd) (any, error) { return ask(r.Memberships(c, userID(0), "", n)) }},
		{"Role", func(c ctx, r rd) (any, error) { return ask(r.Role(c, roleID(0))) }},
		{"RoleByName", func(c ctx, r rd) (any, error) {
			return ask(r.RoleByName(c, sampleRole(0).Scope, sampleRole(0).Name))
		}},
		{"RolesByID", func(c ctx, r rd) (any, error) { return ask(r.RolesByID(c, []store.RoleID{roleID(0)})) }},
		{"Roles", func(c ctx, r rd) (any, error) { return ask(r.Roles(c, "", n)) }},
		{"Permissions", func(c ctx, r rd) (any, error) { return ask(r.Permissions(c)) }},
		{"Tenant", func(c ctx, r rd) (any, error) { return ask(r.Tenant(c, tenantID(0))) }},
		{"Tenants", func(c ctx, r rd) (any, error) { return ask(r.Tenants(c, "", n)) }},
		{"Vendor", func(c ctx, r rd) (any, error) { return ask(r.Vendor(c, vendorID(0))) }},
		{"VendorByClientID", func(c ctx, r rd) (any, error) {
			return ask(r.VendorByClientID(c, sampleVendor(0).ClientID))
		}},
		{"Vendors", func(c ctx, r rd) (any, error) { return ask(r.Vendors(c, "", n)) }},
		{"VendorSecrets", func(c ctx, r rd) (any, error) { return ask(r.VendorSecrets(c, vendorID(0))) }},
		{"Key", func(c ctx, r rd) (any, error) { return ask(r.Key(c, keyID(0))) }},
		{"KeyByDigest", func(c ctx, r rd) (any, error) { return ask(r.KeyByDigest(c, sampleKey(0).Digest)) }},
		{"Keys", func(c ctx, r rd) (any, error) { return ask(r.Keys(c, orgID(0), "", n)) }},
		{"Session", func(c ctx, r rd) (any, error) { return ask(r.Session(c, sessionID(0))) }},
		{"Sessions", func(c ctx, r rd) (any, error) { return ask(r.Sessions(c, userID(0), "", n)) }},
		{"Token", func(c ctx, r rd) (any, error) {
			return ask(r.Token(c, sampleToken(0).Kind, sampleToken(0).Digest))
		}},
		{"OrganizationTokens", func(c ctx, r rd) (any, error) {
			return ask(r.OrganizationTokens(c, orgID(0), []store.UserID{userID(0)}, store.Digest{}, n))
		}},
		{"Failures", func(c ctx, r rd) (any, error) { return ask(r.Failures(c, sampleFailures(0).Key)) }},
		{"Events", func(c ctx, r rd) (any, error) { return ask(r.Events(c, 0, n)) }},
		{"Generation", func(c ctx, r rd) (any, error) { return ask(r.Generation(c)) }},
	}
}

// command is a method of a Tx with arguments that do something to the world.
type command struct {
	name string
	do   func(ctx context.Context, tx store.Tx) error
}

// commands returns one call of each method that writes.
func commands() []command {
	const next = worldSize
	type (
		ctx = context.Context
		tx  = store.Tx
	)
	return []command{
		{"CreateUser", func(c ctx, x tx) error { return x.CreateUser(c, sampleUser(next)) }},
		{"UpdateUser", func(c ctx, x tx) error { return x.UpdateUser(c, changeUser(sampleUser(0))) }},
		{"DeleteUser", func(c ctx, x tx) error { return x.DeleteUser(c, userID(0)) }},
		{"PutCredential", func(c ctx, x tx) error {
			again := sampleCredential(0)
			again.Version, again.Hash = 1, "$changed"
			return x.PutCredential(c, again)
		}},
		{"DeleteCredential", func(c ctx, x tx) error { return x.DeleteCredential(c, userID(0)) }},
		{"CreateOrganization", func(c ctx, x tx) error { return x.CreateOrganization(c, sampleOrganization(next)) }},
		{"UpdateOrganization", func(c ctx, x tx) error {
			return x.UpdateOrganization(c, changeOrganization(sampleOrganization(0)))
		}},
		{"DeleteOrganization", func(c ctx, x tx) error { return x.DeleteOrganization(c, orgID(0)) }},
		{"CreateMembership", func(c ctx, x tx) error {
			m := sampleMembership(0)
			m.OrganizationID = orgID(1)
			return x.CreateMembership(c, m)
		}},
		{"UpdateMembership", func(c ctx, x tx) error {
			return x.UpdateMembership(c, changeMembership(sampleMembership(0)))
		}},
		{"DeleteMembership", func(c ctx, x tx) error { return x.DeleteMembership(c, orgID(0), userID(0)) }},
		{"CreateRole", func(c ctx, x tx) error { return x.CreateRole(c, sampleRole(next)) }},
		{"UpdateRole", func(c ctx, x tx) error { return x.UpdateRole(c, changeRole(sampleRole(0))) }},
		{"DeleteRole", func(c ctx, x tx) error { return x.DeleteRole(c, roleID(0)) }},
		{"PutPermission", func(c ctx, x tx) error { return x.PutPermission(c, "things.new") }},
		{"DeletePermission", func(c ctx, x tx) error { return x.DeletePermission(c, "things.do-0") }},
		{"CreateTenant", func(c ctx, x tx) error { return x.CreateTenant(c, sampleTenant(next)) }},
		{"UpdateTenant", func(c ctx, x tx) error { return x.UpdateTenant(c, changeTenant(sampleTenant(0))) }},
		{"DeleteTenant", func(c ctx, x tx) error { return x.DeleteTenant(c, tenantID(0)) }},
		{"CreateVendor", func(c ctx, x tx) error { return x.CreateVendor(c, sampleVendor(next)) }},
		{"UpdateVendor", func(c ctx, x tx) error { return x.UpdateVendor(c, changeVendor(sampleVendor(0))) }},
		{"DeleteVendor", func(c ctx, x tx) error { return x.DeleteVendor(c, vendorID(1)) }},
		{"PutVendorSecret", func(c ctx, x tx) error { return x.PutVendorSecret(c, sampleSecret(next)) }},
		{"DeleteVendorSecret", func(c ctx, x tx) error {
			return x.DeleteVendorSecret(c, vendorID(0), digest("secret", 0))
		}},
		{"CreateKey", func(c ctx, x tx) error { return x.CreateKey(c, sampleKey(next)) }},
		{"DeleteKey", func(c ctx, x tx) error { return x.DeleteKey(c, keyID(0)) }},
		{"CreateSession", func(c ctx, x tx) error { return x.CreateSession(c, sampleSession(next)) }},
		{"DeleteSession", func(c ctx, x tx) error { return x.DeleteSession(c, sessionID(0)) }},
		{"DeleteSessions", func(c ctx, x tx) error { _, err := x.DeleteSessions(c, userID(0)); return err }},
		{"CreateToken", func(c ctx, x tx) error { return x.CreateToken(c, sampleToken(next)) }},
		{"UseToken", func(c ctx, x tx) error {
			_, err := x.UseToken(c, sampleToken(0).Kind, sampleToken(0).Digest, changed)
			return err
		}},
		{"DeleteToken", func(c ctx, x tx) error {
			return x.DeleteToken(c, sampleToken(0).Kind, sampleToken(0).Digest)
		}},
		{"PutFailures", func(c ctx, x tx) error { return x.PutFailures(c, sampleFailures(next)) }},
		{"DeleteFailures", func(c ctx, x tx) error { return x.DeleteFailures(c, sampleFailures(0).Key) }},
		{"AppendEvent", func(c ctx, x tx) error { return x.AppendEvent(c, sampleEvent(next)) }},
		{"DropEvents", func(c ctx, x tx) error { _, err := x.DropEvents(c, 1<<62); return err }},
		{"DeleteExpired", func(c ctx, x tx) error { _, err := x.DeleteExpired(c, expires, 1000); return err }},
		{"Lock", func(c ctx, x tx) error { return x.Lock(c, "owners") }},
	}
}
