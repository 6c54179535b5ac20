package httpadapter

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// signer signs the tokens of an identity provider.
type signer struct {
	jose.Signer
	provider IdentityProvider // without an address of its keys
	set      keySet
}

// keySet is the provider's, and a server that answers it.
type keySet []byte

func (s keySet) RoundTrip(*http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	_, err := rec.Write(s)
	return rec.Result(), err
}

func newSigner(t testing.TB) signer {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	s := signer{provider: IdentityProvider{Issuer: "https://idp.example", Audience: "directory", Algorithm: "EdDSA"}}
	s.Signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: private, KeyID: "k"}}, nil)
	require.NoError(t, err)
	s.set, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: "k", Use: "sig"}}})
	require.NoError(t, err)
	return s
}

// token is good for a minute unless the claims say otherwise.
func (s signer) token(t testing.TB, subject string, claims map[string]any) string {
	t.Helper()
	now := time.Now().Add(time.Second) // after the second in which its user was created
	token, err := jwt.Signed(s).Claims(jwt.Claims{
		Issuer: s.provider.Issuer, Audience: jwt.Audience{s.provider.Audience}, Subject: subject,
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute)),
	}).Claims(claims).Serialize()
	require.NoError(t, err)
	return token
}

// newProvider serves a key set and returns what describes it, and a signer.
func newProvider(t testing.TB) (IdentityProvider, func(subject string, claims map[string]any) string) {
	t.Helper()
	s := newSigner(t)
	p := s.provider
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(s.set) }))
	t.Cleanup(server.Close)
	p.KeysURL = server.URL
	return p, func(subject string, claims map[string]any) string { return s.token(t, subject, claims) }
}

func TestIdentityProvider(t *testing.T) {
	t.Parallel()
	p, sign := newProvider(t)
	s := newSite(t, Options{IdentityProvider: &p})
	whoami := func(token string) int { return s.call(t, token, "GET", "/auth/users/whoami", "").status }

	require.Equal(t, 200, whoami(sign(string(bob), nil)))
	own, _ := s.signIn(t, "bob", passphrase)
	require.Equal(t, 200, whoami(own), "the Manager's own tokens go on")
	refused := s.call(t, sign("nobody", nil), "GET", "/auth/users/whoami", "")
	require.Equal(t, 401, refused.status)
	require.Equal(t, `Bearer error="invalid_token"`, refused.header.Get("WWW-Authenticate"))
	require.Equal(t, 403, s.call(t, sign(string(bob), map[string]any{"roles": []string{"admin"}}), "GET", "/auth/users/list", "").status,
		"a claim is no right")
	require.Equal(t, 401, whoami(sign(string(bob), map[string]any{"aud": "other"})))
	require.Equal(t, 401, whoami(sign(string(bob), map[string]any{"iat": time.Now().Add(-time.Hour).Unix()})),
		"issued before the account was made: to somebody else of that id")

	next := s.Authenticate(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		actor, ok := ActorFrom(r.Context())
		require.True(t, ok)
		require.Equal(t, usermgmt.UserActor(bob), actor)
	}))
	r := httptest.NewRequest("GET", "/own", nil)
	token := sign(string(bob), nil)
	r.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	next.ServeHTTP(rec, r)
	require.Equal(t, 200, rec.Code, "the host's own routes")

	out := s.call(t, token, "DELETE", "/session", "")
	require.Equal(t, 403, out.status, "it has no session here")

	require.NoError(t, s.m.DisableUser(t.Context(), bob))
	require.Equal(t, 401, whoami(token), "at the next request")
	require.NoError(t, s.m.DeleteUser(t.Context(), bob))
	require.Equal(t, 401, whoami(token))
}

func TestIdentityProviderUser(t *testing.T) {
	t.Parallel()
	p, sign := newProvider(t)
	p.User = func(_ context.Context, id Identity) (usermgmt.UserID, error) {
		var claims struct {
			UserID usermgmt.UserID `json:"user_id"`
		}
		if err := json.Unmarshal(id.Claims, &claims); err != nil {
			return "", err
		}
		switch id.Subject {
		case "unknown":
			return "", usermgmt.ErrNotFound
		case "broken":
			return "", errors.New("the mapping is down")
		}
		return claims.UserID, nil
	}
	s := newSite(t, Options{IdentityProvider: &p})
	for subject, status := range map[string]int{"x": 200, "unknown": 401, "broken": 500} {
		token := sign(subject, map[string]any{"user_id": bob})
		require.Equal(t, status, s.call(t, token, "GET", "/auth/users/whoami", "").status, subject)
	}
}

func TestIdentityProviderRealm(t *testing.T) {
	t.Parallel()
	p, sign := newProvider(t)
	p.Realm = "blue"
	s := newSite(t, Options{IdentityProvider: &p, Realm: func(r *http.Request) usermgmt.Realm { return usermgmt.Realm(r.Host) }})
	populate(t, s.m.Realm("blue"))
	populate(t, s.m.Realm("red"))
	for realm, status := range map[string]int{"blue": 200, "red": 401} {
		require.Equal(t, status, s.call(t, sign(string(bob), nil), "GET", "http://"+realm+"/auth/users/whoami", "").status, realm)
	}
}

func TestIdentityProviderIsDown(t *testing.T) {
	t.Parallel()
	p, sign := newProvider(t)
	p.KeysURL = "http://127.0.0.1:1/keys"
	s := newSite(t, Options{IdentityProvider: &p})
	a := s.call(t, sign(string(bob), nil), "GET", "/auth/users/whoami", "")
	require.Equal(t, 503, a.status)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	own, _ := s.signIn(t, "bob", passphrase)
	require.Equal(t, 200, s.call(t, own, "GET", "/auth/users/whoami", "").status)
}

func TestIdentityProviderOptions(t *testing.T) {
	t.Parallel()
	good, _ := newProvider(t)
	m := newSite(t, Options{}).m
	for name, change := range map[string]func(*IdentityProvider){
		"no audience":          func(p *IdentityProvider) { p.Audience = "" },
		"the Manager's issuer": func(p *IdentityProvider) { p.Issuer = m.Issuer() },
		"no algorithm":         func(p *IdentityProvider) { p.Algorithm = "" },
		"a bad realm":          func(p *IdentityProvider) { p.Realm = "no realm" },
	} {
		p := good
		change(&p)
		_, err := New(m, Options{IdentityProvider: &p})
		require.Error(t, err, name)
	}
}
