package httpadapter

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

const vendorSecret = "globex secret 0123"

func newVendorSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t, Options{})
	_, _, err := s.m.CreateVendor(t.Context(), usermgmt.NewVendor{
		Name: "Globex", ClientID: "globex", Secret: vendorSecret, Scopes: []string{usermgmt.ScopeVendorManage, "other"},
	})
	require.NoError(t, err)
	return s
}

// form posts a form to /oauth2/token; change may add headers.
func (s *site) form(t *testing.T, body string, change func(*http.Request)) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/oauth2/token", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return answerOf(w)
}

func grant(pairs ...string) string {
	v := url.Values{"grant_type": {"client_credentials"}, "client_id": {"globex"}, "client_secret": {vendorSecret}}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			v.Del(pairs[i])
			continue
		}
		v.Set(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	s := newVendorSite(t)
	basic := func(r *http.Request) { r.SetBasicAuth("globex", url.QueryEscape(vendorSecret)) }
	for name, a := range map[string]answer{
		"in the body":   s.form(t, grant("scope", "vendor_manage"), nil),
		"in the header": s.form(t, grant("client_id", "", "client_secret", "", "scope", "vendor_manage"), basic),
	} {
		require.Equal(t, 200, a.status, "%s: %s", name, a.text)
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
		require.Equal(t, "no-cache", a.header.Get("Pragma"))
		require.Equal(t, []string{"access_token", "expires_in", "scope", "token_type"}, names(a))
		token := a.body["access_token"].(string)

		// It opens the host's routes, and none that are users'.
		seen := usermgmt.Actor{}
		host := s.Authenticate(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen, _ = ActorFrom(r.Context()) }))
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/host", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		host.ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, usermgmt.ActorVendor, seen.Kind())
		for _, path := range []string{"/auth/users/whoami", "/auth/users/list", "/auth/roles/permissions"} {
			refused := s.call(t, token, "GET", path, "")
			require.Equal(t, 401, refused.status, path)
			require.Contains(t, refused.header.Get("WWW-Authenticate"), "invalid_token")
		}
		require.Equal(t, 401, s.call(t, token, "DELETE", "/session", "").status)
	}
}

func TestClientCredentialsRefused(t *testing.T) {
	t.Parallel()
	s := newVendorSite(t)
	both := func(r *http.Request) { r.SetBasicAuth("globex", url.QueryEscape(vendorSecret)) }
	twice := func(r *http.Request) {
		r.SetBasicAuth("globex", vendorSecret)
		r.Header.Add("Authorization", "Bearer x")
	}
	asJSON := func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }
	inURL := func(r *http.Request) { r.URL.RawQuery = grant() }
	for _, c := range []struct {
		name, body string
		change     func(*http.Request)
		status     int
		code       string
	}{
		{"wrong secret", grant("client_secret", "globex secret 0124"), nil, 401, "invalid_client"},
		{"unknown client", grant("client_id", "nobody"), nil, 401, "invalid_client"},
		{"no secret", grant("client_secret", ""), nil, 401, "invalid_client"},
		{"no credentials", grant("client_id", "", "client_secret", ""), nil, 401, "invalid_client"},
		{"another grant", grant("grant_type", "password"), nil, 400, "unsupported_grant_type"},
		{"another grant, wrong secret", grant("grant_type", "password", "client_secret", "x"), nil, 400, "unsupported_grant_type"},
		{"no grant", grant("grant_type", ""), nil, 400, "invalid_request"},
		{"a scope of others", grant("scope", "vendor_manage everything"), nil, 400, "invalid_scope"},
		{"in both places", grant(), both, 400, "invalid_request"},
		{"two clients", grant("client_id", "acme", "client_secret", ""), both, 400, "invalid_request"},
		{"two headers", grant("client_secret", ""), twice, 400, "invalid_request"},
		{"a parameter twice", grant() + "&grant_type=client_credentials", nil, 400, "invalid_request"},
		{"in the URL", "", inURL, 400, "invalid_request"},
		{"JSON", `{"grant_type":"client_credentials"}`, asJSON, 415, "invalid_request"},
		{"no form", "grant_type=%zz", nil, 400, "invalid_request"},
		{"too large", "x=" + strings.Repeat("y", 70_000), nil, 413, "invalid_request"},
	} {
		a := s.form(t, c.body, c.change)
		require.Equal(t, c.status, a.status, "%s: %s", c.name, a.text)
		require.Equal(t, c.code, a.body["error"], c.name)
		require.NotContains(t, a.text, vendorSecret)
	}
	wrong, unknown := s.form(t, grant("client_secret", "globex secret 0124"), nil), s.form(t, grant("client_id", "nobody"), nil)
	require.Equal(t, wrong.text, unknown.text)
	require.Contains(t, wrong.header.Get("WWW-Authenticate"), "Basic")
}
