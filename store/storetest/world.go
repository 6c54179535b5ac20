package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

// worldSize is how many samples of each noun the world holds.
const worldSize = 4

// world fills a realm with samples 0 to worldSize-1 of everything.
func world(ctx context.Context, tx store.Tx) error {
	var errs []error
	for _, n := range nouns() {
		if n.title() == "Token" {
			for i := range worldSize {
				errs = append(errs, tx.CreateToken(ctx, freshToken(i)))
			}
			continue
		}
		errs = append(errs, n.fill(ctx, tx, 0, worldSize))
	}
	for i := range worldSize {
		errs = append(errs,
			tx.PutCredential(ctx, sampleCredential(i)),
			tx.PutVendorSecret(ctx, sampleSecret(i)),
			tx.PutFailures(ctx, sampleFailures(i)),
			tx.PutPermission(ctx, fmt.Sprintf("things.do-%d", i)),
			tx.AppendEvent(ctx, sampleEvent(i)),
		)
	}
	return errors.Join(errs...)
}

// stir does everything that can be done to a filled realm: it creates,
// changes and removes records of every noun.
func stir(ctx context.Context, tx store.Tx) error {
	const next = worldSize
	subjects := nouns()
	var errs []error
	for _, n := range subjects {
		errs = append(errs, n.fill(ctx, tx, next, next+1), n.alter(ctx, tx, 0))
	}
	again := sampleCredential(0)
	again.Version, again.Hash = 1, "$argon2id$changed"
	errs = append(errs,
		tx.PutCredential(ctx, again),
		tx.PutCredential(ctx, sampleCredential(next)),
		tx.DeleteCredential(ctx, userID(2)),
		tx.PutVendorSecret(ctx, sampleSecret(next)),
		tx.DeleteVendorSecret(ctx, vendorID(0), digest("secret", 2)),
		tx.PutFailures(ctx, sampleFailures(next)),
		tx.PutFailures(ctx, changeFailures(sampleFailures(0))),
		tx.DeleteFailures(ctx, sampleFailures(2).Key),
		tx.PutPermission(ctx, "things.new"),
		tx.DeletePermission(ctx, "things.do-2"),
		tx.AppendEvent(ctx, sampleEvent(next)),
	)
	used := sampleToken(2)
	_, err := tx.UseToken(ctx, used.Kind, used.Digest, changed)
	errs = append(errs, err)
	es, err := tx.Events(ctx, 0, 1)
	errs = append(errs, err)
	for _, e := range es {
		_, err := tx.DropEvents(ctx, e.Seq)
		errs = append(errs, err)
	}
	for _, n := range slices.Backward(subjects) {
		errs = append(errs, n.drop(ctx, tx, 1))
	}
	_, err = tx.DeleteExpired(ctx, expires, 2)
	return errors.Join(append(errs, err)...)
}

// picture is what the methods of a Reader say, by call.
type picture map[string]any

// absent stands for ErrNotFound.
const absent = "absent"

// add notes the result of a call. It returns errors that are no result.
func (p picture) add(err error, got any, format string, args ...any) error {
	if errors.Is(err, store.ErrNotFound) {
		got, err = absent, nil
	}
	p[fmt.Sprintf(format, args...)] = got
	return err
}

func (p picture) keys() []string { return slices.Sorted(maps.Keys(p)) }

// take returns the picture of a realm that knows samples alone: every record
// by every key, and every list.
func take(ctx context.Context, r store.Reader) (picture, error) {
	const (
		n   = worldSize + 2
		all = math.MaxInt32
	)
	p := picture{}
	var errs []error
	for _, s := range nouns() {
		errs = append(errs, s.look(ctx, r, n, p))
	}
	list := func(err error, got any, format string, args ...any) {
		errs = append(errs, p.add(err, got, format, args...))
	}
	var ids []store.UserID
	var roles []store.RoleID
	var orgIDs []store.OrganizationID
	for i := range n {
		ids, roles, orgIDs = append(ids, userID(i)), append(roles, roleID(i)), append(orgIDs, orgID(i))

		c, err := r.Credential(ctx, userID(i))
		list(err, c, "Credential %d", i)
		f, err := r.Failures(ctx, sampleFailures(i).Key)
		list(err, f, "Failures %d", i)
		id, err := r.UserAt(ctx, int64(i))
		list(err, id, "UserAt %d", i)
		sessions, err := r.Sessions(ctx, userID(i), "", all)
		list(err, sessions, "Sessions %d", i)
		of, err := r.Memberships(ctx, userID(i), "", all)
		list(err, of, "Memberships %d", i)
		members, err := r.Members(ctx, store.MemberQuery{Organization: orgID(i), Limit: all})
		list(err, members, "Members %d", i)
		handles, err := r.OrganizationTokens(ctx, orgID(0), []store.UserID{userID(i)}, store.Digest{}, all)
		list(err, handles, "OrganizationTokens %d", i)
		keys, err := r.Keys(ctx, orgID(i), "", all)
		list(err, keys, "Keys %d", i)
		secrets, err := r.VendorSecrets(ctx, vendorID(i))
		list(err, secrets, "VendorSecrets %d", i)
		orgs, err := r.Organizations(ctx, store.OrganizationQuery{Vendor: vendorID(i), Limit: all})
		list(err, orgs, "Organizations of vendor %d", i)
		members, err = r.Members(ctx, store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{roleID(i)}, Limit: all})
		list(err, members, "Members of role %d", i)
		count, err := r.CountMembers(ctx, store.MemberQuery{Organization: orgID(i)})
		list(err, count, "CountMembers %d", i)
		two := store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{roleID(i), roleID(0)}, Limit: all}
		members, err = r.Members(ctx, two)
		list(err, members, "Members of roles %d and 0", i)
		count, err = r.CountMembers(ctx, two)
		list(err, count, "CountMembers of roles %d and 0", i)
	}
	for _, q := range []store.UserQuery{
		{}, {Role: roleID(0)}, {Role: roleID(1)}, {Role: roleID(2)},
		{Permission: "users.read"}, {Tenant: "any"}, {Tenant: "tenant-000"}, {Tenant: "tenant-001"}, {Tenant: "type:test"},
		{Scopes: []store.ScopeRef{{Kind: store.ScopeOrganization, ID: "org-000"}}},
		{Scopes: []store.ScopeRef{{Kind: store.ScopeFacility, ID: "berlin"}}},
		{Scopes: []store.ScopeRef{{Kind: store.ScopeFacility, ID: "berlin"}, {Kind: store.ScopeOrganization, ID: "org-001"}}},
	} {
		got, err := r.CountUsers(ctx, q)
		list(err, got, "CountUsers %+v", q)
		q.Limit = all
		us, err := r.Users(ctx, q)
		list(err, us, "Users %+v", q)
	}
	for _, by := range []store.UserField{store.ByUsername, store.ByEmail} {
		us, err := r.SearchUsers(ctx, by, "", "", all)
		list(err, us, "SearchUsers %d", by)
	}
	us, err := r.UsersByID(ctx, ids)
	list(err, us, "UsersByID")
	cs, err := r.CredentialsByID(ctx, ids)
	list(err, cs, "CredentialsByID")
	ms, err := r.MembersByID(ctx, orgID(0), ids)
	list(err, ms, "MembersByID")
	byID, err := r.OrganizationsByID(ctx, orgIDs)
	list(err, byID, "OrganizationsByID")
	rs, err := r.RolesByID(ctx, roles)
	list(err, rs, "RolesByID")
	rs, err = r.Roles(ctx, "", all)
	list(err, rs, "Roles")
	perms, err := r.Permissions(ctx)
	list(err, perms, "Permissions")
	ts, err := r.Tenants(ctx, "", all)
	list(err, ts, "Tenants")
	vs, err := r.Vendors(ctx, "", all)
	list(err, vs, "Vendors")
	orgs, err := r.Organizations(ctx, store.OrganizationQuery{Limit: all})
	list(err, orgs, "Organizations")
	es, err := r.Events(ctx, 0, all)
	list(err, es, "Events")
	return p, errors.Join(errs...)
}
