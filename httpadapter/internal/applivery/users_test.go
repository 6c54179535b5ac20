package applivery

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/units"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/store"
)

const eve = `{"email": "eve@example.com", "firstName": "Eve"}`

// TestCreatedUser: an account without credentials, and a membership as a viewer.
func TestCreatedUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		status, body := w.Do(t, "key", "POST", createPath("acme"), eve)
		require.Equal(t, 200, status, body)
		u, err := w.UserByUsername(t.Context(), "eve@example.com")
		require.NoError(t, err)
		require.Equal(t, "eve@example.com", u.Email)
		require.Equal(t, "Eve", u.FirstName)
		require.Empty(t, u.Grants)
		require.Empty(t, u.Tenants)
		require.False(t, u.Disabled)
		password, err := w.PasswordStatus(t.Context(), u.ID)
		require.NoError(t, err)
		require.False(t, password.Set)
		ms, err := w.Memberships(t.Context(), u.ID, usermgmt.Page{})
		require.NoError(t, err)
		require.Len(t, ms.Items, 1)
		require.Equal(t, usermgmt.RoleViewer, ms.Items[0].Role)
		require.Equal(t, "key:"+string(keys["key"].id), ms.Items[0].CreatedBy)

		status, body = w.Do(t, "key", "POST", createPath("acme"), eve)
		require.Equal(t, 403, status, "a second time the address has an account")
		require.Contains(t, body, "4009")
	})
}

// TestExistingAccountIsLeftAlone: an address with an account gains nobody anything.
func TestExistingAccountIsLeftAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		before, err := w.User(t.Context(), people["bob"])
		require.NoError(t, err)
		for _, address := range []string{"bob@example.com", "BOB@EXAMPLE.COM"} {
			status, body := w.Do(t, "ownerKey", "POST", createPath("acme"), `{"email": "`+address+`", "firstName": "Mallory", "tags": ["x"]}`)
			require.Equal(t, 403, status, body)
		}
		after, err := w.User(t.Context(), people["bob"])
		require.NoError(t, err)
		require.Equal(t, before, after)
		ms, err := w.Memberships(t.Context(), people["bob"], usermgmt.Page{})
		require.NoError(t, err)
		require.Empty(t, ms.Items)
	})
}

// TestKeyAndItsOwner: a key can never do more than its owner can at the moment.
func TestKeyAndItsOwner(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx, acme := t.Context(), organizations["acme"]
		create := func(name string) int {
			status, _ := w.Do(t, "adamsKey", "POST", createPath("acme"), `{"email": "`+name+`@example.com"}`)
			return status
		}
		require.Equal(t, 200, create("u1"))
		_, err := w.UpdateMember(ctx, acme, people["adam"], usermgmt.MemberUpdate{Role: new(usermgmt.RoleViewer)})
		require.NoError(t, err)
		require.Equal(t, 403, create("u2"), "adam may no longer, so neither may his key")
		_, err = w.UpdateMember(ctx, acme, people["adam"], usermgmt.MemberUpdate{Role: new(usermgmt.RoleOrgAdmin)})
		require.NoError(t, err)
		require.Equal(t, 200, create("u3"))
		require.NoError(t, w.RemoveMember(ctx, acme, people["adam"]))
		require.Equal(t, 401, create("u4"), "the key has ended with his membership")
	})
}

// TestNobodyGivesWhatHeLacks: a viewer may read, so who may only add cannot make one.
func TestNobodyGivesWhatHeLacks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.join(t, "acme", "bob", w.custom.ID)
		status, body := w.Do(t, "bob", "POST", createPath("acme"), eve)
		require.Equal(t, 403, status, body)
		require.Contains(t, body, `"code":4003`)
	})
}

// TestDemotion counts for the next request, whatever token it comes with.
func TestDemotion(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.credential(t, "adam")
		create := func(name string) int {
			r := w.Request(t, "", "POST", createPath("acme"), `{"email": "`+name+`@example.com"}`)
			exchange.Bear(r, token)
			return w.Serve(r).Code
		}
		require.Equal(t, 200, create("u1"))
		_, err := w.UpdateMember(t.Context(), organizations["acme"], people["adam"], usermgmt.MemberUpdate{Role: new(usermgmt.RoleViewer)})
		require.NoError(t, err)
		require.Equal(t, 403, create("u2"))
		require.NoError(t, w.RemoveMember(t.Context(), organizations["acme"], people["adam"]))
		require.Equal(t, 404, create("u3"))
		require.NoError(t, w.DisableUser(t.Context(), people["adam"]))
		require.Equal(t, 401, create("u4"))
	})
}

// TestVendorsSignInIsConfined: who came by a vendor's one-time code acts in that
// organization alone, be he the realm's admin, and vendors themselves not at all.
func TestVendorsSignInIsConfined(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		vendor, secret, err := w.CreateVendor(ctx, usermgmt.NewVendor{Name: "V", ClientID: "v", Scopes: []string{usermgmt.ScopeVendorManage}})
		require.NoError(t, err)
		v := w.As(usermgmt.VendorActor(vendor.ID))
		made, err := v.ProvisionOrganization(ctx, "Hooli", usermgmt.VendorUser{Email: "root@example.com", VendorOrganizationID: "1"})
		require.NoError(t, err)
		_, err = w.UpdateOrganization(ctx, made.Organization.ID, usermgmt.OrganizationUpdate{OEMProvisioning: new(true)})
		require.NoError(t, err)
		code, err := v.CreateCode(ctx, made.Token)
		require.NoError(t, err)
		_, tokens, err := w.RedeemCode(ctx, code.Code)
		require.NoError(t, err)
		ask := func(token, method, path, body string) (int, string) {
			r := w.Request(t, "", method, path, body)
			exchange.Bear(r, token)
			rec := w.Serve(r)
			return rec.Code, rec.Body.String()
		}
		hooli := "/v1/organizations/" + string(made.Organization.ID) + "/oem/users"
		status, body := ask(tokens.AccessToken, "POST", hooli, eve)
		require.Equal(t, 200, status, body)
		for _, org := range []string{"acme", "empty", "plain"} {
			status, body = ask(tokens.AccessToken, "POST", createPath(org), `{"email": "fay@example.com"}`)
			require.Equal(t, 404, status, body)
		}
		client, err := w.VendorToken(ctx, "v", secret)
		require.NoError(t, err)
		status, body = ask(client.AccessToken, "POST", hooli, `{"email": "fay@example.com"}`)
		require.Equal(t, 401, status, body)
	})
}

// TestOemSecret: it is an organization token of the collaborator, good for the
// vendor who owns the organization; the ones before it go on working, and all
// end with the membership.
func TestOemSecret(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		vendor, _, err := w.CreateVendor(ctx, usermgmt.NewVendor{Name: "V", ClientID: "v", Scopes: []string{usermgmt.ScopeVendorManage}})
		require.NoError(t, err)
		v := w.As(usermgmt.VendorActor(vendor.ID))
		made, err := v.ProvisionOrganization(ctx, "Hooli", usermgmt.VendorUser{Email: "hal@hooli.example", VendorOrganizationID: "1"})
		require.NoError(t, err)
		org := made.Organization.ID
		_, err = w.UpdateOrganization(ctx, org, usermgmt.OrganizationUpdate{OEMProvisioning: new(true)})
		require.NoError(t, err)
		_, err = w.AddMember(ctx, org, usermgmt.NewMember{User: people["gina"], Role: usermgmt.RoleOwner})
		require.NoError(t, err)
		_, err = w.AddMember(ctx, org, usermgmt.NewMember{User: people["will"], Role: usermgmt.RoleViewer})
		require.NoError(t, err)
		refresh := func() string {
			status, body := w.Do(t, "gina", "PUT", "/v1/organizations/"+string(org)+"/oem/users/<will>/secret", "")
			require.Equal(t, 200, status, body)
			var answer oemSecretResponse
			require.NoError(t, json.Unmarshal([]byte(body), &answer))
			return answer.Data.OemSecret
		}
		first, second := refresh(), refresh()
		require.NotEqual(t, first, second)
		for _, secret := range []string{first, second} {
			code, err := v.CreateCode(ctx, secret)
			require.NoError(t, err)
			actor, _, err := w.RedeemCode(ctx, code.Code)
			require.NoError(t, err)
			require.Equal(t, people["will"], actor.UserID())
			require.Equal(t, org, actor.ConfinedTo())
			r := w.Request(t, "", "GET", createPath("acme"), "")
			exchange.Bear(r, secret)
			r.Method = "POST"
			require.Equal(t, 401, w.Serve(r).Code, "a secret of a user is no API key")
		}
		require.NoError(t, w.RemoveMember(ctx, org, people["will"]))
		for _, secret := range []string{first, second} {
			_, err := v.CreateCode(ctx, secret)
			require.ErrorIs(t, err, usermgmt.ErrOrganizationToken)
		}
	})
}

// TestRace: of many requests for one address exactly one makes the account.
func TestRace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const racers = 16
		statuses := make([]int, racers)
		var all sync.WaitGroup
		for i := range racers {
			org := []string{"acme", "globex"}[i%2]
			r := w.Request(t, map[string]string{"acme": "key", "globex": "globexKey"}[org], "POST", createPath(org), eve)
			all.Go(func() { statuses[i] = w.Serve(r).Code })
		}
		all.Wait()
		made := 0
		for _, status := range statuses {
			require.Contains(t, []int{200, 403}, status)
			if status == 200 {
				made++
			}
		}
		require.Equal(t, 1, made)
	})
}

// TestUnitsOfWork: a request costs its authentication and a fixed number of
// units of work, however long the list.
func TestUnitsOfWork(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		s := units.Count(open())
		w := newWorld(t, s)
		w.crowd(t, "acme", 300)
		for _, tt := range []struct {
			route, body string
			units       int
		}{
			{"POST " + createPath("acme"), eve, 3},
			{"PUT " + secretPath("acme", "will"), "", 3},
			{"GET " + listPath("acme") + "?limit=1000", "", 3},
			{"GET " + listPath("acme") + "?limit=1000&tags=mod-1&role=viewer", "", 3},
		} {
			method, path, _ := strings.Cut(tt.route, " ")
			r := w.Request(t, "ownerKey", method, path, tt.body)
			s.Reset()
			require.Equal(t, 200, w.Serve(r).Code, tt.route)
			require.Equal(t, tt.units, s.Total(), tt.route)
		}
	})
}

// BenchmarkCreateOemUser is a creation by an API key on the memory store.
func BenchmarkCreateOemUser(b *testing.B) {
	w := newWorld(b, memstore.New())
	for i := 0; b.Loop(); i++ {
		r := w.Request(b, "key", "POST", createPath("acme"), fmt.Sprintf(`{"email": "user%d@bench.example"}`, i))
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		if rec.Code != 200 {
			require.FailNow(b, rec.Body.String())
		}
	}
}
