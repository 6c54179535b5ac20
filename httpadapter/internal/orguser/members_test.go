package orguser

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/units"
	"github.com/usermgmt-go/usermgmt/store"
)

// TestRights: who may call which route of Acme.
func TestRights(t *testing.T) {
	t.Parallel()
	const manage, look, none = "manage", "look", "none"
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		for name, may := range map[string]string{
			"root": manage, "olga": manage, "jane.smith": manage,
			"will": look, "edda": look, "rita": look, "vic": look, "john.doe": look,
			"una": none, "bob": none, "gus": none, "gil": none,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for _, q := range requests("user789") {
					w := newWorld(t, open())
					status, body := w.do(t, name, acme, q.method, q.target, q.body)
					switch {
					case may == none, may == look && q.method != "GET":
						require.Equal(t, 403, status, "%s: %s", q.name, body)
					case q.method == "POST":
						require.Equal(t, 201, status, "%s: %s", q.name, body)
					default:
						require.Equal(t, 200, status, "%s: %s", q.name, body)
					}
				}
			})
		}
	})
}

// TestPromotions: who may make whom what, and remove whom.
func TestPromotions(t *testing.T) {
	t.Parallel()
	targets := []usermgmt.UserID{"u-olga", "u-otto", "user456", "user789", "u-una"}
	roles := []string{"owner", "admin", "writer", "reader", "member"}
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		newActs := func(t *testing.T) *world {
			w := newWorld(t, open())
			must[usermgmt.User](t)(w.CreateUser(t.Context(), usermgmt.NewUser{ID: "u-otto", Username: "otto@example.com", Email: "otto@example.com", Password: passphrase}))
			must[usermgmt.Member](t)(w.AddMember(t.Context(), acme, usermgmt.NewMember{User: "u-otto", Role: usermgmt.RoleOwner}))
			return w
		}
		for name, self := range map[string]usermgmt.UserID{"root": "root", "olga": "u-olga", "jane.smith": "user456"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for _, target := range targets {
					toOwner := target == "u-olga" || target == "u-otto"
					refused := toOwner && (name == "jane.smith" || target == self)
					for _, role := range roles {
						w := newActs(t)
						before := w.role(t, acme, target)
						status, body := w.do(t, name, acme, "PUT", path, `{"user_id": "`+string(target)+`", "role": "`+role+`"}`)
						if refused || role == "owner" && name == "jane.smith" {
							require.Equal(t, 403, status, "%s becomes %s: %s", target, role, body)
							require.Equal(t, before, w.role(t, acme, target))
							continue
						}
						require.Equal(t, 200, status, "%s becomes %s: %s", target, role, body)
						want := must[usermgmt.RoleID](t)(roleOf(role))
						require.Equal(t, want, w.role(t, acme, target))
					}
					w := newActs(t)
					status, body := w.do(t, name, acme, "DELETE", path, `{"user_id": "`+string(target)+`"}`)
					_, err := w.Member(t.Context(), acme, target)
					if refused {
						require.Equal(t, 403, status, "remove %s: %s", target, body)
						require.NoError(t, err)
						continue
					}
					require.Equal(t, 200, status, "remove %s: %s", target, body)
					require.ErrorIs(t, err, usermgmt.ErrNotFound)
					require.NoError(t, justErr(w.User(t.Context(), target)), "the account stays")
				}
				for _, role := range roles {
					w := newActs(t)
					status, body := w.do(t, name, acme, "POST", path, `{"email": "bob@example.com", "role": "`+role+`"}`)
					want := 201
					if role == "owner" && name == "jane.smith" {
						want = 403
					}
					require.Equal(t, want, status, "add as %s: %s", role, body)
				}
			})
		}
	})
}

func justErr[T any](_ T, err error) error { return err }

// TestOwnerRemovesRealmAdmin: rights are compared within the organization alone.
func TestOwnerRemovesRealmAdmin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must[usermgmt.Member](t)(w.AddMember(t.Context(), acme, usermgmt.NewMember{User: "root", Role: usermgmt.RoleOrgAdmin}))
		status, body := w.do(t, "olga", acme, "PUT", path, `{"user_id": "root", "role": "member"}`)
		require.Equal(t, 200, status, body)
		status, body = w.do(t, "olga", acme, "DELETE", path, `{"user_id": "root"}`)
		require.Equal(t, 200, status, body)
		u := must[usermgmt.User](t)(w.User(t.Context(), "root"))
		require.Len(t, u.Grants, 1, "what he is elsewhere stays")
	})
}

// TestSelfOfOwner: 403 goes before the 409 of the last owner, for a realm admin
// and a sole member too, and before saying that nothing would change.
func TestSelfOfOwner(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		must[usermgmt.Member](t)(w.AddMember(t.Context(), hollow, usermgmt.NewMember{User: "root", Role: usermgmt.RoleOwner}))
		for name, org := range map[string]usermgmt.OrganizationID{"olga": acme, "gus": globex, "root": hollow} {
			id := "u-" + name
			if name == "root" {
				id = name
			}
			for _, act := range []struct{ method, body string }{
				{"PUT", `{"user_id": "` + id + `", "role": "owner"}`}, {"PUT", `{"user_id": "` + id + `", "role": "reader"}`}, {"DELETE", `{"user_id": "` + id + `"}`},
			} {
				status, body := w.do(t, name, org, act.method, path, act.body)
				require.Equal(t, 403, status, "%s %s", name, act.body)
				require.JSONEq(t, `{"error": "Owner cannot delete or update himself"}`, body)
			}
		}
	})
}

// TestForeignIsMissing: organizations that a caller has no part in, and users of
// others, answer as missing ones do, byte for byte.
func TestForeignIsMissing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p := opens(t, w, "pia@partner.example")
		for _, caller := range []string{"olga", "jane.smith", "john.doe", "bob", "una"} {
			for _, q := range requests("user789") {
				missing, missingBody := w.do(t, caller, "org777", q.method, q.target, q.body)
				require.Equal(t, 403, missing)
				for _, org := range []usermgmt.OrganizationID{globex, hollow, p.Organization.ID} {
					status, body := w.do(t, caller, org, q.method, q.target, q.body)
					require.Equal(t, missing, status, "%s %s", caller, q.name)
					require.Equal(t, missingBody, body, "%s %s", caller, q.name)
				}
			}
		}
		for _, caller := range []string{"root", "olga", "jane.smith"} {
			for i, q := range requests("u-nobody") {
				if q.name == "addMember" || q.name == "listMembers" {
					continue
				}
				missing, missingBody := w.do(t, caller, acme, q.method, q.target, q.body)
				require.Equal(t, 404, missing, missingBody)
				for _, user := range []string{"u-gus", "u-bob", string(p.Membership.UserID)} {
					q := requests(user)[i]
					status, body := w.do(t, caller, acme, q.method, q.target, q.body)
					require.Equal(t, missing, status, "%s %s %s", caller, q.name, user)
					require.Equal(t, missingBody, body, "%s %s %s", caller, q.name, user)
				}
			}
		}
	})
}

// opens makes a vendor who provisions an organization with an owner.
func opens(t *testing.T, w *world, email string) usermgmt.Provisioned {
	t.Helper()
	v, _, err := w.CreateVendor(t.Context(), usermgmt.NewVendor{Name: "Initech", ClientID: "initech", Scopes: []string{usermgmt.ScopeVendorManage}})
	require.NoError(t, err)
	return must[usermgmt.Provisioned](t)(w.As(usermgmt.VendorActor(v.ID)).ProvisionOrganization(t.Context(), "Partner", usermgmt.VendorUser{Email: email, VendorOrganizationID: "1234"}))
}

// TestVendorsSignInIsConfined: the one-time sign-in of a vendor for an account
// that owns another organization opens the vendor's alone.
func TestVendorsSignInIsConfined(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p := opens(t, w, "olga@example.com")
		code := must[usermgmt.Code](t)(w.As(usermgmt.VendorActor(p.Organization.VendorID)).CreateCode(t.Context(), p.Token))
		_, tokens, err := w.RedeemCode(t.Context(), code.Code)
		require.NoError(t, err)
		for org, want := range map[usermgmt.OrganizationID]int{p.Organization.ID: 200, acme: 403, "org777": 403} {
			r := w.request(t, "", org, "GET", path, "")
			exchange.Bear(r, tokens.AccessToken)
			require.Equal(t, want, w.Serve(r).Code, "%s", org)
		}
	})
}

// TestVendorsTokenIsNone: a vendor's access token and an API key are no user's.
func TestVendorsTokenIsNone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		v, secret, err := w.CreateVendor(t.Context(), usermgmt.NewVendor{Name: "Initech", ClientID: "initech", Scopes: []string{usermgmt.ScopeVendorManage}})
		require.NoError(t, err)
		token := must[usermgmt.ClientToken](t)(w.VendorToken(t.Context(), v.ClientID, secret))
		_, key, err := w.CreateKey(t.Context(), acme, usermgmt.NewKey{Name: "k", Role: usermgmt.RoleOwner})
		require.NoError(t, err)
		for _, credential := range []string{token.AccessToken, key} {
			for _, q := range requests("user789") {
				r := w.request(t, "", acme, q.method, q.target, q.body)
				exchange.Bear(r, credential)
				require.Equal(t, 401, w.Serve(r).Code, q.name)
			}
		}
	})
}

// TestRightsAreReadEachTime: a token says who calls, and nothing of his rights.
func TestRightsAreReadEachTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		token := "Bearer " + w.token(t, "jane.smith")
		try := func(method, target, body string) int {
			r := w.request(t, "", acme, method, target, body)
			r.Header.Set("Authorization", token)
			return w.Serve(r).Code
		}
		const body = `{"email": "bob@example.com", "role": "member"}`
		status, _ := w.do(t, "olga", acme, "PUT", path, `{"user_id": "user456", "role": "reader"}`)
		require.Equal(t, 200, status)
		require.Equal(t, 403, try("POST", path, body), "a demotion counts at once")
		require.Equal(t, 200, try("GET", path, ""))
		status, _ = w.do(t, "olga", acme, "DELETE", path, `{"user_id": "user456"}`)
		require.Equal(t, 200, status)
		require.Equal(t, 403, try("GET", path, ""), "so does a removal")
		must[usermgmt.Member](t)(w.AddMember(ctx, acme, usermgmt.NewMember{User: "user456", Role: usermgmt.RoleOrgAdmin}))
		require.Equal(t, 201, try("POST", path, body))
		disabled := true
		must[usermgmt.User](t)(w.UpdateUser(ctx, "user456", usermgmt.UserUpdate{Disabled: &disabled}))
		require.Equal(t, 401, try("GET", path, ""))
	})
}

func TestInvitedUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		status, body := w.do(t, "jane.smith", acme, "POST", path, `{"email": "Eve@Example.com", "role": "writer", "password": "seven lamps 31"}`)
		require.Equal(t, 201, status, body)
		eve := must[usermgmt.User](t)(w.UserByUsername(ctx, "eve@example.com"))
		require.Equal(t, usermgmt.RoleWriter, w.role(t, acme, eve.ID))
		require.Equal(t, "user:user456", eve.CreatedBy)
		require.Empty(t, eve.Grants)
		require.False(t, must[usermgmt.PasswordStatus](t)(w.PasswordStatus(ctx, eve.ID)).Set, "no credential is made")
		status, body = w.do(t, "olga", acme, "POST", path, `{"email": "EVE@EXAMPLE.COM", "role": "reader"}`)
		require.Equal(t, 409, status, body)
		require.Equal(t, usermgmt.RoleWriter, w.role(t, acme, eve.ID))
	})
}

// TestExistingAccountChangesNot: who is added by his address gains a membership,
// and nothing else of him changes.
func TestExistingAccountChangesNot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		before := must[usermgmt.User](t)(w.User(t.Context(), "u-gus"))
		status, body := w.do(t, "olga", acme, "POST", path, `{"email": "gus@example.com", "role": "reader", "first_name": "G", "last_name": "G"}`)
		require.Equal(t, 201, status, body)
		require.Equal(t, before, must[usermgmt.User](t)(w.User(t.Context(), "u-gus")))
		require.Equal(t, usermgmt.RoleOwner, w.role(t, globex, "u-gus"))
		w.token(t, "gus")
	})
}

// TestSameRoleWritesNothing: no version, no time, no event.
func TestSameRoleWritesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		before := must[usermgmt.Member](t)(w.Member(ctx, acme, "user789"))
		token := w.token(t, "jane.smith")
		events := must[usermgmt.List[usermgmt.Event]](t)(w.Events(ctx, usermgmt.Page{Limit: usermgmt.MaxPage})).Items
		r := w.request(t, "", acme, "PUT", path, `{"user_id": "user789", "role": "member"}`)
		exchange.Bear(r, token)
		require.Equal(t, 200, w.Serve(r).Code)
		require.Equal(t, before, must[usermgmt.Member](t)(w.Member(ctx, acme, "user789")))
		require.Equal(t, events, must[usermgmt.List[usermgmt.Event]](t)(w.Events(ctx, usermgmt.Page{Limit: usermgmt.MaxPage})).Items)
	})
}

// TestOwnersRemoveEachOther: of two owners who remove each other at once, one stays.
func TestOwnersRemoveEachOther(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		for range 20 {
			w := newWorld(t, open())
			must[usermgmt.Member](t)(w.UpdateMember(t.Context(), globex, "u-gil", usermgmt.MemberUpdate{Role: new(usermgmt.RoleOwner)}))
			var all sync.WaitGroup
			codes := make([]int, 2)
			for i, names := range [][2]string{{"gus", "u-gil"}, {"gil", "u-gus"}} {
				r := w.request(t, names[0], globex, "DELETE", path, `{"user_id": "`+names[1]+`"}`)
				all.Go(func() { codes[i] = w.Serve(r).Code })
			}
			all.Wait()
			slices.Sort(codes)
			require.Equal(t, 200, codes[0])
			// 404 to who is removed between the check of his right and the act.
			require.Contains(t, []int{403, 404}, codes[1])
			owners := must[usermgmt.List[usermgmt.Member]](t)(w.Members(t.Context(), globex, usermgmt.MemberList{Roles: []usermgmt.RoleID{usermgmt.RoleOwner}}))
			require.Len(t, owners.Items, 1)
		}
	})
}

func TestTenantTie(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.mount(t, caller.Options{Tenant: func(*http.Request) usermgmt.TenantID { return "t-1" }})
		must[usermgmt.Tenant](t)(w.CreateTenant(t.Context(), usermgmt.NewTenant{ID: "t-1", Name: "One", Type: "test"}))
		must[usermgmt.User](t)(w.UpdateUser(t.Context(), "user456", usermgmt.UserUpdate{AddTenants: []string{"t-1"}}))
		for name, want := range map[string]int{"root": 200, "jane.smith": 200, "olga": 403, "bob": 403} {
			status, body := w.do(t, name, acme, "GET", path, "")
			require.Equal(t, want, status, "%s: %s", name, body)
		}
	})
}

// TestUnitsOfWork: beyond authentication, two at most, and one more where someone
// acts on himself; right after a change of rights, when nothing is cached.
func TestUnitsOfWork(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		s := units.Count(open())
		w := newWorld(t, s)
		token := w.token(t, "jane.smith")
		count := func(f func()) int {
			status, body := w.do(t, "olga", acme, "PUT", path, `{"user_id": "u-vic", "role": "writer"}`)
			require.Equal(t, 200, status, body)
			status, body = w.do(t, "olga", acme, "PUT", path, `{"user_id": "u-vic", "role": "reader"}`)
			require.Equal(t, 200, status, body)
			s.Reset()
			f()
			return s.Total()
		}
		authentication := count(func() { must[usermgmt.Actor](t)(w.Authenticate(t.Context(), token)) })
		serve := func(method, target, body string) func() {
			return func() {
				r := w.request(t, "", acme, method, target, body)
				exchange.Bear(r, token)
				rec := w.Serve(r)
				require.Less(t, rec.Code, 300, rec.Body.String())
			}
		}
		for _, q := range requests("user789") {
			if q.name != "deleteMember" { // it comes last
				require.LessOrEqual(t, count(serve(q.method, q.target, q.body))-authentication, 2, q.name)
			}
		}
		require.LessOrEqual(t, count(serve("DELETE", path, `{"user_id": "user789"}`))-authentication, 2)
		require.LessOrEqual(t, count(serve("DELETE", path, `{"user_id": "user456"}`))-authentication, 3)
	})
}

// TestLogHoldsNoSecret: neither tokens nor bodies nor who was asked about.
func TestLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		var log exchange.Log
		w := newWorldWith(t, open(), slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		token := w.token(t, "olga")
		for _, org := range []usermgmt.OrganizationID{acme, globex, ""} {
			for _, q := range append(requests("user789"), requests("u-canary")...) {
				for _, credential := range []string{token, token + "x"} {
					r := w.request(t, "", org, q.method, q.target+"?q="+url.QueryEscape("canary@example.com"), strings.ReplaceAll(q.body, "new@", "canary@"))
					exchange.Bear(r, credential)
					w.Serve(r)
				}
			}
		}
		require.Contains(t, log.String(), "route=/organization-user")
		for _, secret := range []string{token, token[:40], "canary", passphrase} {
			require.NotContains(t, log.String(), secret)
		}
	})
}
