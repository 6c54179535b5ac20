package httpadapter

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/internal/tier"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// act is something that several dialects can express, and the Manager.
type act struct {
	// ways are requests for it by dialect, on a target.
	ways   map[string]func(target string) *http.Request
	direct func(m *usermgmt.Manager, target string) error
	// on are the targets.
	on []string
	// changes says that the world is another one once it was let through.
	changes bool
	// ownWay are dialects that know an exception for callers who act on themselves.
	ownWay []string
	// apart are kinds of caller with whom dialects differ from the Manager's act,
	// and the reason, which is in the dialects' texts.
	apart map[string]string
}

func acts(t testing.TB) map[string]act {
	request := func(method, path, body string) *http.Request {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		if body == "" {
			r = httptest.NewRequest(method, path, nil)
		}
		return r
	}
	modify := func(u, members string) *http.Request {
		return request("PATCH", "/api/users/"+u, `{"version": 1, "actions": [{"action": "ModifyUser", `+members+`}]}`)
	}
	inside := func(org string, r *http.Request) *http.Request {
		r.Header.Set("organization_id", org)
		return r
	}
	users := []string{
		"plain", "mia", "picker", "picker2", "both", "sven", "sven2", "head", "chief", "passwords2", "people2", "member2", "admin", "owner", "root", "again", "tenant", "lodger", "nobody",
	}
	members := []string{"mia", "member", "removes", "admin", "owner", "partner", "root", "plain", "member2", "nobody"}
	organizations := []string{"acme", "other", "nowhere"}
	ctx := t.Context()
	grant := func(role usermgmt.RoleID) func(*usermgmt.Manager, string) error {
		return func(m *usermgmt.Manager, u string) error {
			return m.GrantRoles(ctx, usermgmt.UserID(u), usermgmt.Grant{Role: role, Kind: usermgmt.ScopeRealm})
		}
	}
	return map[string]act{
		"read a user": {
			ways: map[string]func(string) *http.Request{
				"fulfillmenttools": func(u string) *http.Request { return request("GET", "/api/users/"+u, "") },
				"socotra":          func(u string) *http.Request { return request("GET", "/auth/users/"+u, "") },
			},
			direct: func(m *usermgmt.Manager, u string) error {
				_, err := m.User(ctx, usermgmt.UserID(u))
				return err
			},
			on: users,
		},
		"rename a user": {
			ways: map[string]func(string) *http.Request{
				"fulfillmenttools": func(u string) *http.Request { return modify(u, `"firstname": "X"`) },
				"socotra": func(u string) *http.Request {
					return request("PATCH", "/auth/users/"+u, `{"firstName": "X", "lastName": "", "tenants": []}`)
				},
			},
			direct: func(m *usermgmt.Manager, u string) error {
				_, err := m.UpdateUser(ctx, usermgmt.UserID(u), usermgmt.UserUpdate{FirstName: new("X"), LastName: new("")})
				return err
			},
			on: users, changes: true, ownWay: []string{"fulfillmenttools"},
		},
		"set a password": {
			ways: map[string]func(string) *http.Request{
				"fulfillmenttools": func(u string) *http.Request { return modify(u, `"password": "seven lamps 31"`) },
				"socotra": func(u string) *http.Request {
					return request("PATCH", "/auth/users/"+u+"/passwordreset", `"seven lamps 31"`)
				},
			},
			direct: func(m *usermgmt.Manager, u string) error {
				return m.SetPassword(ctx, usermgmt.UserID(u), "seven lamps 31")
			},
			on: users, changes: true,
			apart: map[string]string{
				kindSupervisor:                  "users.update at a facility is enough for the PATCH of fulfillmenttools",
				"supervisor of two facilities":  "users.update at a facility is enough for the PATCH of fulfillmenttools",
				"facility's desk for passwords": "the PATCH of fulfillmenttools needs users.update at a facility",
			},
		},
		"give a role without rights": {
			ways: map[string]func(string) *http.Request{
				"fulfillmenttools": func(u string) *http.Request {
					return modify(u, `"roles": [{"name": "FULFILLER", "facilities": ["F9"]}]`)
				},
				"socotra": func(u string) *http.Request {
					return request("PATCH", "/auth/users/"+u+"/roles", `{"addRoles": ["team"], "removeRoles": []}`)
				},
			},
			direct: grant("team"),
			on:     users, changes: true,
			apart: map[string]string{
				"clerk who updates":               "users.update is enough for roles at facilities, which fulfillmenttools gives; Socotra gives those of the realm",
				"administrator of all facilities": "users.update is enough for roles at facilities, which fulfillmenttools gives; Socotra gives those of the realm",
			},
		},
		"give all rights over users": {
			ways: map[string]func(string) *http.Request{
				"fulfillmenttools": func(u string) *http.Request {
					return modify(u, `"roles": [{"name": "ADMINISTRATOR", "facilities": []}]`)
				},
				"socotra": func(u string) *http.Request {
					return request("PATCH", "/auth/users/"+u+"/roles", `{"addRoles": ["people"], "removeRoles": []}`)
				},
			},
			direct: grant("people"),
			on:     users, changes: true,
			apart: map[string]string{
				"administrator of all facilities": "he holds users.* at facilities, where fulfillmenttools gives it, and not in the realm",
			},
		},
		"delete a user": {
			ways: map[string]func(string) *http.Request{
				"fulfillmenttools": func(u string) *http.Request { return request("DELETE", "/api/users/"+u, "") },
				"socotra":          func(u string) *http.Request { return request("DELETE", "/auth/users/"+u, "") },
			},
			direct: func(m *usermgmt.Manager, u string) error { return m.DeleteUser(ctx, usermgmt.UserID(u)) },
			on:     users, changes: true, ownWay: []string{"socotra"},
		},
		"add a reader to an organization": {
			ways: map[string]func(string) *http.Request{
				"applivery": func(org string) *http.Request {
					return request("POST", "/v1/organizations/"+org+"/oem/users", `{"email": "new@new.example"}`)
				},
				"organization-user": func(org string) *http.Request {
					return inside(org, request("POST", "/organization-user", `{"email": "new@new.example", "role": "reader"}`))
				},
			},
			direct: func(m *usermgmt.Manager, org string) error {
				_, err := m.InviteMember(ctx, usermgmt.OrganizationID(org), usermgmt.Invitation{
					NewMember: usermgmt.NewMember{Email: "new@new.example", Role: usermgmt.RoleReader},
				})
				return err
			},
			on: organizations, changes: true,
		},
		"list the members of an organization": {
			ways: map[string]func(string) *http.Request{
				"applivery":         func(org string) *http.Request { return request("GET", "/v1/organizations/"+org+"/collaborators", "") },
				"organization-user": func(org string) *http.Request { return inside(org, request("GET", "/organization-user", "")) },
			},
			direct: func(m *usermgmt.Manager, org string) error {
				_, err := m.Members(ctx, usermgmt.OrganizationID(org), usermgmt.MemberList{})
				return err
			},
			on:    organizations,
			apart: map[string]string{"member who reads": "Applivery's list needs members.list"},
		},
		"make a member a reader": {
			ways: map[string]func(string) *http.Request{
				"organization-user": func(u string) *http.Request {
					return inside("acme", request("PUT", "/organization-user", `{"user_id": "`+u+`", "role": "reader"}`))
				},
			},
			direct: func(m *usermgmt.Manager, u string) error {
				_, err := m.UpdateMember(ctx, "acme", usermgmt.UserID(u), usermgmt.MemberUpdate{Role: new(usermgmt.RoleReader)})
				return err
			},
			on: members, changes: true, ownWay: []string{"organization-user"},
		},
		"remove a member": {
			ways: map[string]func(string) *http.Request{
				"organization-user": func(u string) *http.Request {
					return inside("acme", request("DELETE", "/organization-user", `{"user_id": "`+u+`"}`))
				},
			},
			direct: func(m *usermgmt.Manager, u string) error { return m.RemoveMember(ctx, "acme", usermgmt.UserID(u)) },
			on:     members, changes: true, ownWay: []string{"organization-user"},
		},
	}
}

// actor finds out whose the token is.
func (w *matrix) actor(t testing.TB, token string) (usermgmt.Actor, bool) {
	t.Helper()
	for _, authenticate := range []func() (usermgmt.Actor, error){
		func() (usermgmt.Actor, error) { return w.m.Authenticate(t.Context(), token) },
		func() (usermgmt.Actor, error) { return w.m.AuthenticateKey(t.Context(), token) },
	} {
		a, err := authenticate()
		if err == nil {
			return a, true
		}
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
	}
	return usermgmt.Actor{}, false
}

// TestDialectsAgree: whoever may do something by one dialect may do it by every
// dialect that can express it, and by the Manager, and who may not may not.
// What a dialect's own text says of acting on oneself, and of the kinds that are
// named with a reason, aside.
func TestDialectsAgree(t *testing.T) {
	t.Parallel()
	for what, a := range acts(t) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			let, refused := 0, 0
			w := newRanks(t, memstore.New())
			callers, differ := map[string]bool{}, map[string]bool{}
			for kind, token := range w.bearer {
				if who, ok := w.actor(t, token); ok && who.VendorID() == "" && kind != kindTemporary {
					callers[kind] = true
				}
			}
			require.Greater(t, len(callers), 25)
			renew := func() {
				require.NoError(t, w.m.Close())
				w = newRanks(t, memstore.New())
			}
			asked := 0
			for _, kind := range slices.Sorted(maps.Keys(callers)) {
				for _, target := range a.on {
					if asked++; a.changes && len(a.on) > 9 && a.apart[kind] == "" && asked%tier.Count(3, 1, 1, 1) != 0 {
						continue // each change takes a world of its own
					}
					who, _ := w.actor(t, w.bearer[kind])
					err := a.direct(w.m.As(who), target)
					may := err == nil
					if may {
						let++
					} else {
						refused++
						require.True(t, errors.Is(err, usermgmt.ErrForbidden) || errors.Is(err, usermgmt.ErrNotFound), "%s: %s on %s: %v", what, kind, target, err)
					}
					if may && a.changes {
						renew()
					}
					for dialect, way := range a.ways {
						if string(who.UserID()) == target && slices.Contains(a.ownWay, dialect) {
							continue
						}
						r := way(target)
						r.Header.Set("Authorization", "Bearer "+w.bearer[kind])
						rec := httptest.NewRecorder()
						w.ServeHTTP(rec, r)
						if who.UserID() == "" && rec.Code == http.StatusUnauthorized {
							continue // a dialect that knows no keys
						}
						if a.apart[kind] != "" {
							differ[kind] = differ[kind] || may != (rec.Code < 300)
						} else {
							require.Equal(t, may, rec.Code < 300, "%s as %s on %s by %s: %d %s; the Manager says %v", what, kind, target, dialect, rec.Code, rec.Body, err)
						}
						if rec.Code >= 300 {
							require.Contains(t, []int{403, 404}, rec.Code)
						}
						if rec.Code < 300 && a.changes {
							renew()
						}
					}
				}
			}
			require.NotZero(t, let)
			require.NotZero(t, refused)
			for kind, reason := range a.apart {
				require.True(t, differ[kind], "%s: %s, they say, and yet they agree", kind, reason)
			}
			require.NoError(t, w.m.Close())
		})
	}
}

// TestVendorsAgree: what MSPCentric does for a vendor is what the Manager does
// under his rights, whomever it is about.
func TestVendorsAgree(t *testing.T) {
	t.Parallel()
	w := newRanks(t, memstore.New())
	renew := func() {
		require.NoError(t, w.m.Close())
		w = newRanks(t, memstore.New())
	}
	t.Cleanup(func() { require.NoError(t, w.m.Close()) })
	ctx := t.Context()
	let, refused := 0, 0
	for client, secret := range map[string]string{clientID: clientSecret, rivalID: rivalSecret} {
		check := func(what, method string, members func() string, direct func(m *usermgmt.Manager) error) {
			t.Helper()
			who, err := w.m.AuthenticateVendor(ctx, client, secret)
			require.NoError(t, err)
			err = direct(w.m.As(who))
			may := err == nil
			if may {
				let++
				renew()
			} else {
				refused++
				require.True(t, errors.Is(err, usermgmt.ErrForbidden) || errors.Is(err, usermgmt.ErrNotFound), "%s %s: %v", client, what, err)
			}
			body := fmt.Sprintf(`{"clientId": %q, "clientSecret": %q, "grantType": "client_credentials", "scope": "vendor_manage", %s}`, client, secret, members())
			rec := httptest.NewRecorder()
			w.ServeHTTP(rec, httptest.NewRequest(method, "/api/oem-api/user", strings.NewReader(body)))
			require.Equal(t, may, rec.Code == 201, "%s %s: %d %s; the Manager says %v", client, what, rec.Code, rec.Body, err)
			if rec.Code == 201 {
				renew()
			} else {
				require.Contains(t, []int{403, 404}, rec.Code)
			}
		}
		for _, target := range []string{"mia", "member", "admin", "owner", "partner", "plain", "member2", "nobody"} {
			check("removes "+target, "DELETE", func() string {
				return fmt.Sprintf(`"organizationOemToken": %q, "data": {"vendorUserId": "v-%s"}`, w.organizationTokens["own"], target)
			}, func(m *usermgmt.Manager) error { return m.RemoveMember(ctx, "acme", usermgmt.UserID(target)) })
		}
		for id, org := range map[string]usermgmt.OrganizationID{"1": "acme", "2": "other", "9": "nowhere"} {
			check("adds to "+string(org), "POST", func() string {
				return fmt.Sprintf(`"data": {"email": "new@new.example", "vendorOrganizationId": %q}`, id)
			}, func(m *usermgmt.Manager) error {
				_, err := m.InviteMember(ctx, org, usermgmt.Invitation{NewMember: usermgmt.NewMember{Email: "new@new.example"}})
				return err
			})
		}
	}
	require.NotZero(t, let)
	require.NotZero(t, refused)
}

// TestListsAgree: fulfillmenttools lists whom the Manager says are in reach, and
// Socotra all users, to whom the Manager lists them: whoever sees these sees the
// same by fulfillmenttools.
func TestListsAgree(t *testing.T) {
	t.Parallel()
	w := newRanks(t, memstore.New())
	t.Cleanup(func() { require.NoError(t, w.m.Close()) })
	ctx := t.Context()
	list := func(kind, target, member, id string) (int, []string) {
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("Authorization", "Bearer "+w.bearer[kind])
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		var found []string
		a := answerOf(rec)
		if items, ok := a.body[member].([]any); ok {
			for _, item := range items {
				found = append(found, item.(map[string]any)[id].(string))
			}
		}
		return a.status, found
	}
	idsOf := func(users []usermgmt.User) []string {
		var ids []string
		for _, u := range users {
			ids = append(ids, string(u.ID))
		}
		return ids
	}
	everybody, some := 0, 0
	for kind, token := range w.bearer {
		who, ok := w.actor(t, token)
		if !ok || who.UserID() == "" || kind == kindTemporary {
			continue
		}
		m := w.m.As(who)
		status, near := list(kind, "/api/users?size=100", "users", "id")
		reach, _, err := m.UsersInReach(ctx, usermgmt.Page{Limit: 100})
		require.Equal(t, err == nil, status == 200, "%s: %d; %v", kind, status, err)
		require.Equal(t, idsOf(reach.Items), near, kind)
		all, err := m.Users(ctx, usermgmt.UserList{Page: usermgmt.Page{Limit: 100}})
		for _, path := range []string{"/auth/users/list", "/auth/users/basic/list"} {
			status, found := list(kind, path, "items", "locator")
			require.Equal(t, idsOf(all.Items), found, "%s: %s", kind, path)
			if err != nil {
				require.ErrorIs(t, err, usermgmt.ErrForbidden, kind)
				require.Equal(t, 403, status, "%s: %s", kind, path)
				continue
			}
			require.Equal(t, 200, status, "%s: %s", kind, path)
			require.Equal(t, near, found, kind)
		}
		if err == nil {
			everybody++
		} else if len(near) > 1 {
			some++
		}
	}
	require.Equal(t, 4, everybody, "the administrator, all rights over users, and the clerks who read and list")
	require.Equal(t, 4, some, "supervisors and administrators of facilities")
}
