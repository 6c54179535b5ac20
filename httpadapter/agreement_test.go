package httpadapter

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
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
}

func acts(t testing.TB) map[string]act {
	request := func(method, path, body string) *http.Request {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		if body == "" {
			r = httptest.NewRequest(method, path, nil)
		}
		return r
	}
	users := []string{"plain", "mia", "picker", "picker2", "sven", "admin", "member2", "root", "nobody"}
	ctx := t.Context()
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
				"fulfillmenttools": func(u string) *http.Request {
					return request("PATCH", "/api/users/"+u, `{"version": 1, "actions": [{"action": "ModifyUser", "firstname": "X"}]}`)
				},
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
					r := request("POST", "/organization-user", `{"email": "new@new.example", "role": "reader"}`)
					r.Header.Set("organization_id", org)
					return r
				},
			},
			direct: func(m *usermgmt.Manager, org string) error {
				_, err := m.InviteMember(ctx, usermgmt.OrganizationID(org), usermgmt.Invitation{
					NewMember: usermgmt.NewMember{Email: "new@new.example", Role: usermgmt.RoleReader},
				})
				return err
			},
			on: []string{"acme", "other", "nowhere"}, changes: true,
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
// What a dialect's own text says of acting on oneself aside.
func TestDialectsAgree(t *testing.T) {
	t.Parallel()
	for what, a := range acts(t) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			let, refused := 0, 0
			w := newMatrix(t, memstore.New())
			callers := map[string]bool{}
			for kind, token := range w.bearer {
				if who, ok := w.actor(t, token); ok && who.VendorID() == "" && kind != kindTemporary {
					callers[kind] = true
				}
			}
			require.Greater(t, len(callers), 10)
			renew := func() {
				require.NoError(t, w.m.Close())
				w = newMatrix(t, memstore.New())
			}
			for kind := range callers {
				for _, target := range a.on {
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
						if string(who.UserID()) == target && strings.Contains(fmt.Sprint(a.ownWay), dialect) {
							continue
						}
						r := way(target)
						r.Header.Set("Authorization", "Bearer "+w.bearer[kind])
						rec := httptest.NewRecorder()
						w.ServeHTTP(rec, r)
						if who.UserID() == "" && rec.Code == http.StatusUnauthorized {
							continue // a dialect that knows no keys
						}
						require.Equal(t, may, rec.Code < 300, "%s as %s on %s by %s: %d %s; the Manager says %v", what, kind, target, dialect, rec.Code, rec.Body, err)
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
			require.NoError(t, w.m.Close())
		})
	}
}
