package httpadapter

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

func TestMiddleware(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	admin, _ := s.signIn(t, "root", passphrase)
	nobody, _ := s.signIn(t, "bob", passphrase)
	temporary, _ := s.signIn(t, "dan", passphrase)
	require.NoError(t, s.m.GrantRoles(t.Context(), bob, usermgmt.Grant{Role: usermgmt.RoleSupervisor, Kind: usermgmt.ScopeFacility, Scopes: []string{"F1"}}))

	own := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, ok := ActorFrom(r.Context())
		if !ok {
			panic("no actor")
		}
		_, _ = w.Write([]byte(actor.UserID()))
	})
	facility := func(r *http.Request) usermgmt.Scope { return usermgmt.AtFacility(r.URL.Query().Get("f")) }
	mux := http.NewServeMux()
	mux.Handle("/any", s.Authenticate(own))
	mux.Handle("/realm", s.Require(usermgmt.UsersDelete, nil)(own))
	mux.Handle("/facility", s.Authenticate(s.Require(usermgmt.UsersDelete, facility)(own)))
	tests := []struct {
		token, path string
		status      int
		text        string
		challenge   string
	}{
		{"", "/any", 401, "", "Bearer"},
		{"garbage", "/any", 401, "", `Bearer error="invalid_token"`},
		{"a b", "/any", 400, "", `Bearer error="invalid_request"`},
		{temporary, "/any", 403, "", `Bearer error="insufficient_scope"`},
		{nobody, "/any", 200, string(bob), ""},
		{"", "/realm", 401, "", "Bearer"},
		{admin, "/realm", 200, string(root), ""},
		{nobody, "/realm", 403, "", `Bearer error="insufficient_scope"`},
		{nobody, "/facility?f=F1", 200, string(bob), ""},
		{nobody, "/facility?f=F2", 403, "", `Bearer error="insufficient_scope"`},
		{nobody, "/facility", 403, "", `Bearer error="insufficient_scope"`},
		{admin, "/facility?f=F2", 200, string(root), ""},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", tt.path, nil)
		if tt.token != "" {
			r.Header.Set("Authorization", "Bearer "+tt.token)
		}
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, r)
		require.Equal(t, tt.status, rec.Code, "%s %.10s: %s", tt.path, tt.token, rec.Body)
		require.Equal(t, tt.challenge, rec.Header().Get("WWW-Authenticate"))
		if tt.status == 200 {
			require.Equal(t, tt.text, rec.Body.String())
			continue
		}
		require.Equal(t, "application/problem+json", rec.Header().Get("Content-Type"))
		require.NotEmpty(t, rec.Header().Get("X-Request-Id"))
	}
	_, ok := ActorFrom(t.Context())
	require.False(t, ok)
	require.NoError(t, s.m.DeleteUser(t.Context(), bob))
	r := httptest.NewRequest("GET", "/any", nil)
	r.Header.Set("Authorization", "Bearer "+nobody)
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, r)
	require.Equal(t, 401, rec.Code, "a deleted user is refused at the next request")
}

func TestFromCookie(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	token, _ := s.signIn(t, "bob", passphrase)
	handler := FromCookie("token", s.Authenticate(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		actor, _ := ActorFrom(r.Context())
		require.Equal(t, bob, actor.UserID())
	})))
	visit := func(cookie, header string) int {
		r := httptest.NewRequest("GET", "/home", nil)
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: "token", Value: cookie})
		}
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		require.Equal(t, header, r.Header.Get("Authorization"), "the request is the caller's")
		return rec.Code
	}
	require.Equal(t, 200, visit(token, ""))
	require.Equal(t, 401, visit("", ""))
	require.Equal(t, 401, visit(token+"x", ""))
	require.Equal(t, 401, visit(token, "Bearer x"), "the header goes first")
	require.Equal(t, 200, visit("x", "Bearer "+token))
}

// TestPanickingHooks: what a host's function does wrong is a 500, wherever it is asked.
func TestPanickingHooks(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{Realm: func(r *http.Request) usermgmt.Realm {
		if r.Header.Get("Panic") != "" {
			panic("the host's own")
		}
		return usermgmt.DefaultRealm
	}})
	token, _ := s.signIn(t, "root", passphrase)
	scope := func(*http.Request) usermgmt.Scope { panic("the host's own") }
	landing := s.Landing(func(http.ResponseWriter, *http.Request, usermgmt.Tokens) {})
	for name, h := range map[string]http.Handler{
		"dialect":      s,
		"Authenticate": s.Authenticate(http.NotFoundHandler()),
		"Require":      s.Require(usermgmt.UsersAdd, nil)(http.NotFoundHandler()),
		"scope":        s.Require(usermgmt.UsersAdd, scope)(http.NotFoundHandler()),
		"Landing":      landing,
	} {
		r := httptest.NewRequest("GET", "/auth/users/whoami?code=x", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		if name != "scope" {
			r.Header.Set("Panic", "1")
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		require.Equal(t, 500, rec.Code, name)
		require.NotContains(t, rec.Body.String(), "host", name)
	}
}

// TestNestedAdapters: each finds out for itself who makes a request.
func TestNestedAdapters(t *testing.T) {
	t.Parallel()
	inner, outer := newSite(t, Options{}), newSite(t, Options{})
	token, _ := outer.signIn(t, "root", passphrase)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	outer.Authenticate(inner.Require(usermgmt.UsersAdd, nil)(http.NotFoundHandler())).ServeHTTP(rec, r)
	require.Equal(t, 401, rec.Code, "an administrator of the one is nobody to the other")
}
