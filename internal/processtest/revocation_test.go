package processtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

const password = "violet cradle 77"

// town is a house with people, who all signed in at the other process.
//
//   - Ada holds the role clerk, is a member of Acme, supervises a shop and is
//     assigned to the tenant north. So is and does Bob, to whom nothing happens.
//   - Paul is an admin of Acme and made the API key.
//   - Globex is a vendor. Greta is the owner of Initech, which it provisioned,
//     and came in by its one-time sign-in.
type town struct {
	*house
	clerk   usermgmt.RoleID // may read users
	initech usermgmt.OrganizationID
	greta   usermgmt.UserID

	ada, bob, key, vendor, vendorUser, vendorSecret string // tokens and secrets
	adasRefresh                                     string
}

const (
	acme   usermgmt.OrganizationID = "acme"
	globex usermgmt.VendorID       = "globex"
	paul   usermgmt.UserID         = "paul"
	ada    usermgmt.UserID         = "ada"
)

func settle(t *testing.T, kind string) *town {
	t.Helper()
	c, ctx := &town{house: build(t, kind, 1)}, t.Context()
	must := func(err error) {
		t.Helper()
		require.NoError(t, err)
	}
	role, err := c.m.CreateRole(ctx, usermgmt.NewRole{Name: "clerk", Permissions: []usermgmt.Permission{usermgmt.UsersRead}})
	must(err)
	c.clerk = role.ID
	_, err = c.m.CreateTenant(ctx, usermgmt.NewTenant{ID: "north", Name: "North"})
	must(err)
	_, err = c.m.CreateUser(ctx, usermgmt.NewUser{ID: "olivia", Username: "olivia"})
	must(err)
	_, err = c.m.CreateOrganization(ctx, usermgmt.NewOrganization{ID: acme, Name: "Acme", Owner: "olivia"})
	must(err)
	for _, id := range []usermgmt.UserID{ada, "bob"} {
		_, err = c.m.CreateUser(ctx, usermgmt.NewUser{
			ID: id, Username: string(id), Password: password, Tenants: []string{"north"}, Grants: []usermgmt.Grant{
				{Role: c.clerk, Kind: usermgmt.ScopeRealm},
				{Role: usermgmt.RoleSupervisor, Kind: usermgmt.ScopeFacility, Scopes: []string{"shop"}},
			},
		})
		must(err)
		_, err = c.m.AddMember(ctx, acme, usermgmt.NewMember{User: id, Role: usermgmt.RoleOrgAdmin})
		must(err)
	}
	_, err = c.m.CreateUser(ctx, usermgmt.NewUser{ID: paul, Username: "paul"})
	must(err)
	_, err = c.m.AddMember(ctx, acme, usermgmt.NewMember{User: paul, Role: usermgmt.RoleOrgAdmin})
	must(err)
	_, c.key, err = c.m.As(usermgmt.UserActor(paul)).CreateKey(ctx, acme, usermgmt.NewKey{ID: "key", Name: "CI", Role: usermgmt.RoleViewer})
	must(err)
	_, c.vendorSecret, err = c.m.CreateVendor(ctx, usermgmt.NewVendor{ID: globex, Name: "Globex", Scopes: []string{usermgmt.ScopeVendorManage}})
	must(err)
	vendor := c.m.As(usermgmt.VendorActor(globex))
	made, err := vendor.ProvisionOrganization(ctx, "Initech", usermgmt.VendorUser{Email: "greta@initech.example"})
	must(err)
	c.initech, c.greta = made.Organization.ID, made.Membership.UserID
	code, err := vendor.CreateCode(ctx, made.Token)
	must(err)
	_, tokens, err := c.m.RedeemCode(ctx, code.Code)
	must(err)
	c.vendorUser = tokens.AccessToken
	c.ada, c.adasRefresh = c.signIn("ada")
	c.bob, _ = c.signIn("bob")
	c.vendor, _ = c.tokens(c.asVendor())
	return c
}

func (c *town) signIn(name string) (access, refresh string) {
	c.t.Helper()
	return c.tokens(request{method: "POST", path: "/session", json: fmt.Sprintf(`{"username":%q,"password":%q}`, name, password)})
}

// asVendor is the vendor's request for an access token.
func (c *town) asVendor() request {
	return request{method: "POST", path: "/oauth2/token", form: url.Values{
		"grant_type": {"client_credentials"}, "client_id": {string(globex)}, "client_secret": {c.vendorSecret},
	}.Encode()}
}

func (c *town) tokens(q request) (access, refresh string) {
	c.t.Helper()
	status, body := c.send(c.servers[0], q)
	require.Equal(c.t, http.StatusOK, status, "%s", body)
	var got struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	require.NoError(c.t, json.Unmarshal(body, &got))
	return got.Access, got.Refresh
}

// ask sends a request to the other process and returns the answer's status.
func (c *town) ask(q request) int {
	c.t.Helper()
	status, _ := c.send(c.servers[0], q)
	return status
}

func may(token, query string) request {
	return request{method: "GET", path: "/may?permission=" + query, token: token}
}

// Requests of Ada's.
func anywhere(c *town) request { return may(c.ada, "users.read") }
func inAcme(c *town) request   { return may(c.ada, "members.add&organization=acme") }
func atShop(c *town) request   { return may(c.ada, "users.update&facility=shop") }
func inNorth(c *town) request  { return may(c.ada, "users.read&tenant=north") }

// Requests of the others'.
func byKey(c *town) request {
	return request{method: "GET", path: "/v1/organizations/acme/collaborators", token: c.key}
}
func byVendor(c *town) request {
	return may(c.vendor, "organizations.read&organization="+string(c.initech))
}
func asGreta(c *town) request {
	return may(c.vendorUser, "members.add&organization="+string(c.initech))
}

// TestAnotherProcessRevokes: the other process accepts a request, this one takes
// away what it rests on, and the other's very next answer is a refusal.
func TestAnotherProcessRevokes(t *testing.T) {
	t.Parallel()
	const unauthenticated, forbidden = http.StatusUnauthorized, http.StatusForbidden
	acts := map[string]struct {
		request func(*town) request
		act     func(*town) error
		status  int
	}{
		// What ends a session.
		"she signs out": {anywhere, func(c *town) error {
			actor, err := c.m.Authenticate(c.t.Context(), c.ada)
			if err != nil {
				return err
			}
			return c.m.As(actor).SignOut(c.t.Context())
		}, unauthenticated},
		"her sessions are ended": {anywhere, func(c *town) error {
			n, err := c.m.EndSessions(c.t.Context(), ada)
			if n != 1 {
				err = errors.Join(err, fmt.Errorf("%d sessions", n))
			}
			return err
		}, unauthenticated},
		"her refresh token is used twice": {anywhere, func(c *town) error {
			if _, err := c.m.Refresh(c.t.Context(), c.adasRefresh); err != nil {
				return err
			}
			if _, err := c.m.Refresh(c.t.Context(), c.adasRefresh); !errors.Is(err, usermgmt.ErrUnauthenticated) {
				return fmt.Errorf("the second use: %v", err)
			}
			return nil
		}, unauthenticated},
		"she changes her password": {anywhere, func(c *town) error {
			_, err := c.m.As(usermgmt.UserActor(ada)).ChangePassword(c.t.Context(), password, "seven lamps 31")
			return err
		}, unauthenticated},
		"her password is reset": {anywhere, func(c *town) error {
			return c.m.ResetPassword(c.t.Context(), ada, "seven lamps 31")
		}, unauthenticated},
		"she is disabled": {anywhere, func(c *town) error { return c.m.DisableUser(c.t.Context(), ada) }, unauthenticated},
		"she is deleted":  {anywhere, func(c *town) error { return c.m.DeleteUser(c.t.Context(), ada) }, unauthenticated},

		// What takes a right.
		"she loses her role": {anywhere, func(c *town) error {
			return c.m.RevokeRoles(c.t.Context(), ada, usermgmt.Grant{Role: c.clerk, Kind: usermgmt.ScopeRealm})
		}, forbidden},
		"her role loses the permission": {anywhere, func(c *town) error {
			_, err := c.m.UpdateRole(c.t.Context(), c.clerk, usermgmt.RoleUpdate{Remove: []usermgmt.Permission{usermgmt.UsersRead}})
			return errors.Join(err, c.m.GrantRoles(c.t.Context(), "bob", usermgmt.Grant{Role: usermgmt.RoleReadOnly, Kind: usermgmt.ScopeRealm}))
		}, forbidden},
		"she loses the shop": {atShop, func(c *town) error {
			return c.m.RevokeRoles(c.t.Context(), ada, usermgmt.Grant{Role: usermgmt.RoleSupervisor, Kind: usermgmt.ScopeFacility, Scopes: []string{"shop"}})
		}, forbidden},
		"she leaves the tenant": {inNorth, func(c *town) error {
			_, err := c.m.UpdateUser(c.t.Context(), ada, usermgmt.UserUpdate{RemoveTenants: []string{"north"}})
			return err
		}, forbidden},
		"she is demoted in the organization": {inAcme, func(c *town) error {
			_, err := c.m.UpdateMember(c.t.Context(), acme, ada, usermgmt.MemberUpdate{Role: new(usermgmt.RoleViewer)})
			return err
		}, forbidden},
		"she is removed from the organization": {inAcme, func(c *town) error {
			return c.m.RemoveMember(c.t.Context(), acme, ada)
		}, forbidden},
		"the organization is deleted": {inAcme, func(c *town) error {
			return c.m.DeleteOrganization(c.t.Context(), acme)
		}, forbidden},

		"the key is deleted":           {byKey, func(c *town) error { return c.m.DeleteKey(c.t.Context(), "key") }, unauthenticated},
		"the key's owner is disabled":  {byKey, func(c *town) error { return c.m.DisableUser(c.t.Context(), paul) }, unauthenticated},
		"the key's owner is no member": {byKey, func(c *town) error { return c.m.RemoveMember(c.t.Context(), acme, paul) }, unauthenticated},

		"the vendor is disabled": {byVendor, disableVendor, unauthenticated},
		"the vendor is deleted": {byVendor, func(c *town) error {
			if err := c.m.DeleteOrganization(c.t.Context(), c.initech); err != nil {
				return err
			}
			return c.m.DeleteVendor(c.t.Context(), globex)
		}, unauthenticated},
		"the vendor's secret is replaced": {byVendor, func(c *town) error {
			_, err := c.m.RotateVendorSecret(c.t.Context(), globex, 0)
			return err
		}, unauthenticated},
		"the vendor loses his scope": {byVendor, func(c *town) error {
			_, err := c.m.UpdateVendor(c.t.Context(), globex, usermgmt.VendorUpdate{Scopes: &[]string{}})
			return err
		}, forbidden},
		"the vendor is disabled, and asks for a token": {(*town).asVendor, disableVendor, unauthenticated},

		"the vendor of her sign-in is disabled": {asGreta, disableVendor, unauthenticated},
		"she leaves the organization of her sign-in": {asGreta, func(c *town) error {
			_, err := c.m.AddMember(c.t.Context(), c.initech, usermgmt.NewMember{User: "bob", Role: usermgmt.RoleOwner})
			return errors.Join(err, c.m.RemoveMember(c.t.Context(), c.initech, c.greta))
		}, unauthenticated},
	}
	for kind := range places() {
		for name, a := range acts {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				c := settle(t, kind)
				bystander := may(c.bob, "users.read")
				q := a.request(c)
				for range 2 { // the second time from what is known
					require.Equal(t, http.StatusOK, c.ask(q))
					require.Equal(t, http.StatusOK, c.ask(bystander))
				}
				require.NoError(t, a.act(c))
				require.Equal(t, a.status, c.ask(q))
				require.Equal(t, http.StatusOK, c.ask(bystander), "others go on")
			})
		}
	}
}

func disableVendor(c *town) error {
	_, err := c.m.UpdateVendor(c.t.Context(), globex, usermgmt.VendorUpdate{Disabled: new(true)})
	return err
}
