package httpadapter

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// TestTenantTie: in a request that is tied to a tenant, whoever is outside of it
// gets 403 on every route that asks for a credential, whatever else he holds.
func TestTenantTie(t *testing.T) {
	t.Parallel()
	w := newMatrix(t, memstore.New())
	t.Cleanup(func() { require.NoError(t, w.m.Close()) })
	tied, err := New(w.m, Options{Tenant: func(*http.Request) usermgmt.TenantID { return "t1" }})
	require.NoError(t, err)
	_, ownersKey, err := w.m.As(usermgmt.UserActor("owner")).CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "his", Role: usermgmt.RoleOrgAdmin})
	require.NoError(t, err)
	w.bearer["API key of an owner outside"] = ownersKey
	table := asks()
	for _, route := range tied.router.Routes() {
		if route.Policy.Who == wire.WhoAnyone {
			continue
		}
		outside := []string{"owner of the organization", "member of another"}
		switch route.Policy.Who {
		case wire.WhoKey:
			outside = append(outside, "API key of the organization", "API key of an owner outside")
		case wire.WhoVendor:
			outside = []string{kindClient}
		}
		for _, kind := range outside {
			for target := range targets {
				if len(table[route.Name].objects) == 0 && target > 0 {
					break
				}
				rec := httptest.NewRecorder()
				tied.ServeHTTP(rec, w.request(t, route, table[route.Name], kind, target))
				require.Equal(t, 403, rec.Code, "%s as %s on %s: %s", route.Name, kind, targets[target], rec.Body)
			}
		}
	}
	visit := func(h http.Handler, kind string) int {
		r := httptest.NewRequest("GET", "/auth/users/whoami", nil)
		r.Header.Set("Authorization", "Bearer "+w.bearer[kind])
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec.Code
	}
	own := tied.Authenticate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for kind, status := range map[string]int{"user of another tenant": 200, kindRoot: 200, "owner of the organization": 403, kindClient: 403} {
		require.Equal(t, status, visit(own, kind), kind)
	}
	require.Equal(t, 200, visit(tied, "user of another tenant"), "t1 is his")
}

// TestTenantTieOfTheLanding: one who comes by a one-time code is outside too.
func TestTenantTieOfTheLanding(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	code, err := g.vendor.CreateCode(t.Context(), g.token)
	require.NoError(t, err)
	tied, err := New(g.vendor, Options{Tenant: func(*http.Request) usermgmt.TenantID { return "t1" }})
	require.NoError(t, err)
	rec := httptest.NewRecorder()
	tied.Landing(func(http.ResponseWriter, *http.Request, usermgmt.Tokens) {
		t.Error("he was let in")
	}).ServeHTTP(rec, httptest.NewRequest("GET", code.RedirectURL, nil))
	require.Equal(t, 403, rec.Code)
	require.False(t, strings.Contains(rec.Body.String(), "Ada"))
}
