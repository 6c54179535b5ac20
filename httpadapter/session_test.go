package httpadapter

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	a := s.call(t, "", "POST", "/session", `{"username": "ROOT@example.com", "password": "`+passphrase+`"}`)
	require.Equal(t, 200, a.status, a.text)
	require.Equal(t, []string{"access_token", "expires_in", "refresh_token", "token_type"}, names(a))
	require.Equal(t, "Bearer", a.body["token_type"])
	require.EqualValues(t, 90, a.body["expires_in"])
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Equal(t, "no-cache", a.header.Get("Pragma"))
	require.Equal(t, 200, s.call(t, a.body["access_token"].(string), "GET", "/auth/users/whoami", "").status)
	require.Equal(t, 401, s.call(t, a.body["refresh_token"].(string), "GET", "/auth/users/whoami", "").status, "a refresh token is no access token")
}

func names(a answer) []string {
	var ns []string
	for n := range a.body {
		ns = append(ns, n)
	}
	slices.Sort(ns)
	return ns
}

// TestFailedSignIns: unknown, wrong and disabled are one answer, byte for byte.
func TestFailedSignIns(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	require.NoError(t, s.m.DisableUser(t.Context(), bob))
	const want = `{"error":"invalid_grant","error_description":"the username or the password is wrong"}`
	for name, body := range map[string]string{
		"unknown":  `{"username": "zoe@example.com", "password": "` + passphrase + `"}`,
		"wrong":    `{"username": "root@example.com", "password": "wrong"}`,
		"disabled": `{"username": "bob@example.com", "password": "` + passphrase + `"}`,
		"empty":    `{"username": "", "password": ""}`,
		"too_long": `{"username": "root@example.com", "password": "` + strings.Repeat("x", 5_000) + `"}`,
	} {
		a := s.call(t, "", "POST", "/session", body)
		require.Equal(t, 400, a.status, name)
		require.Equal(t, want, a.text, name)
		require.Equal(t, "application/json; charset=utf-8", a.header.Get("Content-Type"))
		require.Empty(t, a.header.Get("WWW-Authenticate"))
	}
}

func TestSessionInput(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	token, _ := s.signIn(t, "root", passphrase)
	for _, tt := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/session", ``, 400, "invalid_request"},
		{"POST", "/session", `{`, 400, "invalid_request"},
		{"POST", "/session", `{"username": "root@example.com"}`, 400, "invalid_request"},
		{"POST", "/session", `{"username": "root@example.com", "password": null}`, 400, "invalid_request"},
		{"POST", "/session", `{"username": 1, "password": "x"}`, 400, "invalid_request"},
		{"POST", "/session", `{"username": "a", "username": "b", "password": "x"}`, 400, "invalid_request"},
		{"POST", "/session/refresh", `{}`, 400, "invalid_request"},
		{"POST", "/session/refresh", `{"refresh_token": ""}`, 400, "invalid_grant"},
		{"POST", "/session/refresh", `{"refresh_token": "` + token + `"}`, 400, "invalid_grant"},
		{"PUT", "/session/password", `{"password": "` + passphrase + `"}`, 400, "invalid_request"},
		{"PUT", "/session/password", `{"password": "wrong", "new_password": "seven lamps 31"}`, 400, "invalid_grant"},
		{"PUT", "/session/password", `{"password": "` + passphrase + `", "new_password": "short"}`, 400, "invalid_request"},
		{"PUT", "/session/password", `{"password": "` + passphrase + `", "new_password": "` + passphrase + `"}`, 400, "invalid_request"},
		{"GET", "/session", ``, 405, "invalid_request"},
		{"DELETE", "/session/refresh", ``, 405, "invalid_request"},
		{"POST", "/session/x", ``, 404, "invalid_request"},
		{"POST", "/.well-known/jwks.json", ``, 405, "invalid_request"},
	} {
		a := s.call(t, token, tt.method, tt.path, tt.body)
		require.Equal(t, tt.status, a.status, "%s %s %s: %s", tt.method, tt.path, tt.body, a.text)
		require.Equal(t, tt.code, a.body["error"], "%s %s %s", tt.method, tt.path, tt.body)
	}
	a := s.call(t, token, "PUT", "/session/password", `{"password": "`+passphrase+`", "new_password": "short"}`)
	require.Equal(t, "new_password: must have at least 8 characters", a.body["error_description"])
	r := httptest.NewRequest("POST", "/session", strings.NewReader("username=root"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, r)
	require.Equal(t, 415, rec.Code)
	require.Equal(t, 200, s.call(t, token, "GET", "/auth/users/whoami", "").status, "none of that ended the session")
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	access, refresh := s.signIn(t, "bob", passphrase)
	body := `{"refresh_token": "` + refresh + `"}`
	next := s.call(t, "", "POST", "/session/refresh", body)
	require.Equal(t, 200, next.status, next.text)
	require.NotEqual(t, refresh, next.body["refresh_token"])
	require.Equal(t, 200, s.call(t, next.body["access_token"].(string), "GET", "/auth/users/whoami", "").status)

	again := s.call(t, "", "POST", "/session/refresh", body)
	require.Equal(t, 400, again.status)
	require.Equal(t, "invalid_grant", again.body["error"])
	for _, token := range []string{access, next.body["access_token"].(string)} {
		require.Equal(t, 401, s.call(t, token, "GET", "/auth/users/whoami", "").status, "reuse ends the family")
	}
	require.Equal(t, 400, s.call(t, "", "POST", "/session/refresh", `{"refresh_token": "`+next.body["refresh_token"].(string)+`"}`).status)
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	access, refresh := s.signIn(t, "bob", passphrase)
	other, _ := s.signIn(t, "bob", passphrase)
	none := s.call(t, "", "DELETE", "/session", "")
	require.Equal(t, 401, none.status)
	require.Equal(t, "Bearer", none.header.Get("WWW-Authenticate"))
	out := s.call(t, access, "DELETE", "/session", "")
	require.Equal(t, 204, out.status)
	require.Empty(t, out.text)
	gone := s.call(t, access, "DELETE", "/session", "")
	require.Equal(t, 401, gone.status)
	require.Equal(t, `Bearer error="invalid_token"`, gone.header.Get("WWW-Authenticate"))
	require.Equal(t, "invalid_token", gone.body["error"])
	require.Equal(t, 400, s.call(t, "", "POST", "/session/refresh", `{"refresh_token": "`+refresh+`"}`).status)
	require.Equal(t, 200, s.call(t, other, "GET", "/auth/users/whoami", "").status, "other sessions go on")
}

func TestTemporaryPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	a := s.call(t, "", "POST", "/session", `{"username": "dan@example.com", "password": "`+passphrase+`"}`)
	require.Equal(t, 200, a.status)
	require.Equal(t, []string{"access_token", "expires_in", "password_change_required", "token_type"}, names(a))
	require.Equal(t, true, a.body["password_change_required"])
	token := a.body["access_token"].(string)
	for _, r := range s.router.Routes() {
		if r.Name == "changePassword" || r.Policy.Who == "anyone" || r.Policy.Who == "vendor" {
			continue
		}
		refused := s.call(t, token, r.Method, strings.NewReplacer("{locator}", string(dan), "{username}", "dan@example.com").Replace(r.Pattern), "{}")
		require.Equal(t, 403, refused.status, r.Name)
		require.Equal(t, `Bearer error="insufficient_scope"`, refused.header.Get("WWW-Authenticate"), r.Name)
	}
	changed := s.call(t, token, "PUT", "/session/password", `{"password": "`+passphrase+`", "new_password": "seven lamps 31"}`)
	require.Equal(t, 200, changed.status, changed.text)
	require.Equal(t, []string{"access_token", "expires_in", "refresh_token", "token_type"}, names(changed))
	require.Equal(t, 401, s.call(t, token, "GET", "/auth/users/whoami", "").status)
	require.Equal(t, 200, s.call(t, changed.body["access_token"].(string), "GET", "/auth/users/whoami", "").status)
	s.signIn(t, "dan", "seven lamps 31")
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	access, refresh := s.signIn(t, "bob", passphrase)
	other, _ := s.signIn(t, "bob", passphrase)
	require.Equal(t, 401, s.call(t, "", "PUT", "/session/password", `{"password": "`+passphrase+`", "new_password": "seven lamps 31"}`).status)
	changed := s.call(t, access, "PUT", "/session/password", `{"password": "`+passphrase+`", "new_password": "seven lamps 31"}`)
	require.Equal(t, 200, changed.status, changed.text)
	for _, token := range []string{access, other} {
		require.Equal(t, 401, s.call(t, token, "GET", "/auth/users/whoami", "").status, "all earlier tokens are revoked")
	}
	require.Equal(t, 400, s.call(t, "", "POST", "/session/refresh", `{"refresh_token": "`+refresh+`"}`).status)
	require.Equal(t, 200, s.call(t, changed.body["access_token"].(string), "GET", "/auth/users/whoami", "").status)
	require.Equal(t, 400, s.call(t, "", "POST", "/session", `{"username": "bob@example.com", "password": "`+passphrase+`"}`).status)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	a := s.call(t, "", "GET", "/.well-known/jwks.json", "")
	require.Equal(t, 200, a.status)
	require.Equal(t, "public, max-age=300", a.header.Get("Cache-Control"))
	keys := a.body["keys"].([]any)
	require.Len(t, keys, 1)
	key := answer{body: keys[0].(map[string]any)}
	require.Equal(t, []string{"alg", "crv", "kid", "kty", "use", "x"}, names(key), "public members alone")
}

func TestSessionFailure(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	require.NoError(t, s.m.Close())
	a := s.call(t, "", "POST", "/session", `{"username": "root@example.com", "password": "`+passphrase+`"}`)
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.Equal(t, `{"error":"server_error","error_description":"internal error"}`, a.text)
}
