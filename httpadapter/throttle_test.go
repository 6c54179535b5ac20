package httpadapter

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// knock sends a request from an address and returns the answer.
func knock(h http.Handler, from, method, path, contentType, body, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = from
	r.Header.Set("Content-Type", contentType)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

const (
	jsonBody = "application/json"
	formBody = "application/x-www-form-urlencoded"
)

// frozenSite is a site where time stands still, so that nothing is forgotten.
func frozenSite(t testing.TB, o Options) *site {
	t.Helper()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	m, err := usermgmt.New(memstore.New(), usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash,
		Clock:  func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) },
		Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close() })
	populate(t, m)
	a, err := New(m, o)
	require.NoError(t, err)
	return &site{a, m}
}

// TestTooManyFailures: each route that takes a secret says when there were too many.
func TestTooManyFailures(t *testing.T) {
	t.Parallel()
	s := frozenSite(t, Options{ClientAddress: RemoteAddress})
	token, _ := s.signIn(t, "root", passphrase)
	const here, there = "192.0.2.1:1234", "192.0.2.2:1234"
	vendor := url.Values{"grant_type": {"client_credentials"}, "client_id": {"nobody"}, "client_secret": {"wrong wrong"}}.Encode()
	for _, c := range []struct {
		name                                   string
		method, path, contentType, body, token string
		free, status                           int
		wait                                   string
	}{
		{"signing in", "POST", "/session", jsonBody, `{"username":"nobody","password":"wrong"}`, "", 10, 400, "60"},
		{"changing one's password", "PUT", "/session/password", jsonBody, `{"password":"wrong","new_password":"seven lamps 31"}`, token, 10, 400, "60"},
		{"a vendor's secret", "POST", "/oauth2/token", formBody, vendor, "", 100, 401, "6"},
	} {
		for i := range c.free {
			rec := knock(s, here, c.method, c.path, c.contentType, c.body, c.token)
			require.Equal(t, c.status, rec.Code, "%s, attempt %d: %s", c.name, i+1, rec.Body)
		}
		rec := knock(s, here, c.method, c.path, c.contentType, c.body, c.token)
		require.Equal(t, 429, rec.Code, "%s: %s", c.name, rec.Body)
		require.Equal(t, c.wait, rec.Header().Get("Retry-After"), c.name)
		require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
		require.Empty(t, rec.Header().Get("WWW-Authenticate"))
		require.JSONEq(t, `{"error":"temporarily_unavailable","error_description":"too many failed attempts"}`, rec.Body.String())
	}

	// The vendor's secret has used up what the address has for such as these.
	unknown := strings.Repeat("x", 42) + "A"
	landing := s.Landing(func(http.ResponseWriter, *http.Request, usermgmt.Tokens) {})
	for _, c := range []struct {
		name               string
		handler            http.Handler
		method, path, body string
		token              string
		otherwise          int
	}{
		{"a refresh token", s, "POST", "/session/refresh", `{"refresh_token":"umr_` + unknown + `"}`, "", 400},
		{"an API key", s, "GET", "/v1/organizations/o/collaborators", "", "no-key-of-ours", 401},
		{"a one-time code", landing, "GET", "/enter?code=umc_" + unknown, "", "", 410},
	} {
		rec := knock(c.handler, here, c.method, c.path, jsonBody, c.body, c.token)
		require.Equal(t, 429, rec.Code, c.name)
		require.Equal(t, "6", rec.Header().Get("Retry-After"), c.name)
		require.Equal(t, c.otherwise, knock(c.handler, there, c.method, c.path, jsonBody, c.body, c.token).Code, c.name)
	}

	// Passwords are another matter, and what is right passes.
	right := fmt.Sprintf(`{"username":"bob@example.com","password":%q}`, passphrase)
	require.Equal(t, 200, knock(s, here, "POST", "/session", jsonBody, right, "").Code)
	require.Equal(t, 200, knock(s, here, "GET", "/auth/users/"+string(bob), "", "", token).Code)
}

// TestAddressesOfClients: without a word of the host's nothing counts by address,
// and with it passwords do.
func TestAddressesOfClients(t *testing.T) {
	t.Parallel()
	right := fmt.Sprintf(`{"username":"root@example.com","password":%q}`, passphrase)
	for name, c := range map[string]struct {
		of     func(*http.Request) netip.Addr
		status int
	}{
		"remote":  {RemoteAddress, 429},
		"unknown": {nil, 200},
		"zero":    {func(*http.Request) netip.Addr { return netip.Addr{} }, 200},
	} {
		s := frozenSite(t, Options{ClientAddress: c.of})
		for i := range 100 {
			body := fmt.Sprintf(`{"username":"nobody-%d","password":"wrong"}`, i)
			require.Equal(t, 400, knock(s, "192.0.2.1:1234", "POST", "/session", jsonBody, body, "").Code)
		}
		require.Equal(t, c.status, knock(s, "192.0.2.1:4321", "POST", "/session", jsonBody, right, "").Code, name)
		require.Equal(t, 200, knock(s, "192.0.2.2:1234", "POST", "/session", jsonBody, right, "").Code, name)
	}
}

func TestRemoteAddress(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "[2001:db8::1]:80": "2001:db8::1", "[fe80::1%eth0]:80": "fe80::1%eth0",
		"": "invalid IP", "@": "invalid IP", "192.0.2.1": "invalid IP",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = remote
		r.Header.Set("X-Forwarded-For", "198.51.100.1")
		require.Equal(t, want, RemoteAddress(r).String(), remote)
	}
}
