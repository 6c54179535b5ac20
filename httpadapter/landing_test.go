package httpadapter

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// gallery is a vendor's organization with one user, and a landing page.
type gallery struct {
	*Adapter
	vendor  *usermgmt.Manager
	token   string // organization token of the owner
	landing http.Handler
	now     time.Time
}

func newGallery(t testing.TB) *gallery {
	t.Helper()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	g := &gallery{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	m, err := usermgmt.New(memstore.New(), usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, RedirectURL: "https://app.example/enter?from=oem",
		Clock: func() time.Time { return g.now }, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	v, _, err := m.CreateVendor(t.Context(), usermgmt.NewVendor{Name: "Globex", Scopes: []string{usermgmt.ScopeVendorManage}})
	require.NoError(t, err)
	g.vendor = m.As(usermgmt.VendorActor(v.ID))
	made, err := g.vendor.ProvisionOrganization(t.Context(), "Acme", usermgmt.VendorUser{Email: "ada@acme.example", FirstName: "Ada"})
	require.NoError(t, err)
	g.token = made.Token
	g.Adapter, err = New(m, Options{})
	require.NoError(t, err)
	g.landing = g.Landing(func(w http.ResponseWriter, r *http.Request, tokens usermgmt.Tokens) {
		actor, ok := ActorFrom(r.Context())
		require.True(t, ok)
		require.Equal(t, made.Organization.ID, actor.ConfinedTo())
		acting, _ := ManagerFrom(r.Context())
		member, err := acting.Member(r.Context(), actor.ConfinedTo(), actor.UserID())
		require.NoError(t, err)
		http.SetCookie(w, &http.Cookie{Name: "token", Value: tokens.AccessToken})
		_, _ = io.WriteString(w, "Welcome, "+member.Profile.FirstName)
	})
	return g
}

func (g *gallery) visit(method, target string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	g.landing.ServeHTTP(rec, httptest.NewRequest(method, target, nil))
	return rec
}

func TestLanding(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	code, err := g.vendor.CreateCode(t.Context(), g.token)
	require.NoError(t, err)
	u, err := url.Parse(code.RedirectURL)
	require.NoError(t, err)
	require.Equal(t, "oem", u.Query().Get("from"))

	for _, method := range []string{"HEAD", "POST"} {
		refused := g.visit(method, code.RedirectURL)
		require.Equal(t, 405, refused.Code)
		require.Equal(t, "GET", refused.Header().Get("Allow"))
	}
	early := httptest.NewRequest("GET", code.RedirectURL, nil)
	early.Header.Set("Sec-Purpose", "prefetch;prerender")
	rec := httptest.NewRecorder()
	g.landing.ServeHTTP(rec, early)
	require.Equal(t, 503, rec.Code, "a browser that fetches beforehand does not spend the code")
	first := g.visit("GET", code.RedirectURL)
	require.Equal(t, 200, first.Code)
	require.Equal(t, "Welcome, Ada", first.Body.String())
	second := g.visit("GET", code.RedirectURL)
	require.Equal(t, 410, second.Code)
	require.Empty(t, second.Result().Cookies())
	for _, rec := range []*httptest.ResponseRecorder{first, second} {
		require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
		require.Equal(t, "no-referrer", rec.Header().Get("Referrer-Policy"))
	}

	r := httptest.NewRequest("GET", "/own", nil)
	r.Header.Set("Authorization", "Bearer "+first.Result().Cookies()[0].Value)
	rec = httptest.NewRecorder()
	g.Require(usermgmt.OrganizationsAdd, nil)(http.NotFoundHandler()).ServeHTTP(rec, r)
	require.Equal(t, 403, rec.Code, "confined; and a page that is loaded again does not sign him out")
}

func TestLandingRefuses(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	code, err := g.vendor.CreateCode(t.Context(), g.token)
	require.NoError(t, err)
	for target, status := range map[string]int{
		"/enter":                       400,
		"/enter?code=":                 400,
		"/enter?code=a&code=b":         400,
		"/enter?code=%ff":              400,
		"/enter?code=unknown":          410,
		"/enter?code=" + code.Code[1:]: 410,
		"/enter?code=" + g.token:       410,
	} {
		rec := g.visit("GET", target)
		require.Equal(t, status, rec.Code, target)
		require.NotContains(t, rec.Body.String(), "unknown")
	}
	g.now = code.ExpiresAt
	require.Equal(t, 410, g.visit("GET", code.RedirectURL).Code, "expired")
}
