package idp

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// provider is an identity provider whose keys, answers and clock a test sets.
type provider struct {
	*httptest.Server
	mu      sync.Mutex
	now     time.Time
	set     jose.JSONWebKeySet
	status  int
	fetches atomic.Int64
}

func newProvider(t testing.TB, ids ...string) (*provider, map[string]*ecdsa.PrivateKey) {
	t.Helper()
	p := &provider{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), status: http.StatusOK}
	keys := map[string]*ecdsa.PrivateKey{}
	for _, id := range ids {
		keys[id] = p.add(t, id)
	}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.fetches.Add(1)
		p.mu.Lock()
		defer p.mu.Unlock()
		w.WriteHeader(p.status)
		_ = json.NewEncoder(w).Encode(p.set)
	}))
	t.Cleanup(p.Close)
	return p, keys
}

func (p *provider) add(t testing.TB, id string) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set.Keys = append(p.set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: id, Use: "sig", Algorithm: "ES256"})
	return key
}

func (p *provider) clock() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *provider) pass(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}

func (p *provider) answer(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

func (p *provider) verifier(t testing.TB) *Verifier {
	t.Helper()
	v, err := New(Config{Issuer: "https://idp.example", Audience: "directory", Algorithm: "ES256", KeysURL: p.URL, Now: p.clock})
	require.NoError(t, err)
	return v
}

// claims are those of a good token; changed replaces members, nil takes one out.
func (p *provider) claims(changed map[string]any) map[string]any {
	c := map[string]any{
		"iss": "https://idp.example", "aud": "directory", "sub": "ada",
		"iat": p.clock().Unix(), "exp": p.clock().Add(10 * time.Minute).Unix(),
	}
	for name, v := range changed {
		if c[name] = v; v == nil {
			delete(c, name)
		}
	}
	return c
}

func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any, claims map[string]any) string {
	t.Helper()
	o := &jose.SignerOptions{}
	for name, v := range header {
		o.WithHeader(name, v)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
	require.NoError(t, err)
	payload, err := json.Marshal(claims)
	require.NoError(t, err)
	signed, err := s.Sign(payload)
	require.NoError(t, err)
	token, err := signed.CompactSerialize()
	require.NoError(t, err)
	return token
}

func kid(id string) map[jose.HeaderKey]any { return map[jose.HeaderKey]any{"kid": id} }

func TestVerify(t *testing.T) {
	t.Parallel()
	p, keys := newProvider(t, "a", "b")
	v := p.verifier(t)
	for _, id := range []string{"a", "b"} {
		c, mine, err := v.Verify(t.Context(), sign(t, jose.ES256, keys[id], kid(id), p.claims(map[string]any{"email": "ada@example.com", "aud": []string{"x", "directory"}})))
		require.NoError(t, err)
		require.True(t, mine)
		require.Equal(t, "ada", c.Subject)
		require.True(t, c.IssuedAt.Equal(p.clock()))
		require.True(t, c.ExpiresAt.Equal(p.clock().Add(10*time.Minute)))
		require.Contains(t, string(c.All), "ada@example.com")
	}
	require.EqualValues(t, 1, p.fetches.Load(), "one fetch serves both")
}

func TestForeignTokens(t *testing.T) {
	t.Parallel()
	p, keys := newProvider(t, "a")
	v := p.verifier(t)
	for _, token := range []string{
		"", "a", "a.b", "a.b.c", "a.b.c.d", "...", "e30.e30.", strings.Repeat("x", 9000),
		sign(t, jose.ES256, keys["a"], kid("a"), p.claims(map[string]any{"iss": "https://other.example"})),
		sign(t, jose.ES256, keys["a"], kid("a"), p.claims(map[string]any{"iss": nil})),
		sign(t, jose.ES256, keys["a"], kid("a"), p.claims(map[string]any{"iss": 7})),
	} {
		_, mine, err := v.Verify(t.Context(), token)
		require.False(t, mine, token)
		require.NoError(t, err)
	}
	require.Zero(t, p.fetches.Load(), "what is not ours costs no fetch")
}

func TestRefusedTokens(t *testing.T) {
	t.Parallel()
	p, keys := newProvider(t, "a", "b")
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	at := func(d time.Duration) int64 { return p.clock().Add(d).Unix() }
	good := sign(t, jose.ES256, keys["a"], kid("a"), p.claims(nil))
	payload := strings.Split(good, ".")[1]
	secret, err := json.Marshal(jose.JSONWebKey{Key: keys["a"].Public()})
	require.NoError(t, err)
	with := func(name string, value any) string {
		return sign(t, jose.ES256, keys["a"], kid("a"), p.claims(map[string]any{name: value}))
	}
	header := func(name jose.HeaderKey, value any) string {
		return sign(t, jose.ES256, keys["a"], map[jose.HeaderKey]any{"kid": "a", name: value}, p.claims(nil))
	}
	tokens := map[string]string{
		"no algorithm":        base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"a"}`)) + "." + payload + ".",
		"another algorithm":   sign(t, jose.EdDSA, ed, kid("a"), p.claims(nil)),
		"HMAC by public key":  sign(t, jose.HS256, append(secret, make([]byte, 32)...), kid("a"), p.claims(nil)),
		"another's signature": sign(t, jose.ES256, other, kid("a"), p.claims(nil)),
		"another key's id":    sign(t, jose.ES256, keys["a"], kid("b"), p.claims(nil)),
		"unknown key id":      sign(t, jose.ES256, keys["a"], kid("z"), p.claims(nil)),
		"no key id":           sign(t, jose.ES256, keys["a"], nil, p.claims(nil)),
		"truncated":           good[:len(good)-4],
		"expired":             with("exp", at(-leeway-time.Second)),
		"no expiry":           with("exp", nil),
		"issued to come":      with("iat", at(leeway+2*time.Second)),
		"no time of issue":    with("iat", nil),
		"valid to come":       with("nbf", at(leeway+2*time.Second)),
		"another audience":    with("aud", "other"),
		"no audience":         with("aud", nil),
		"no subject":          with("sub", nil),
		"empty subject":       with("sub", ""),
		"ID token type":       header("typ", "secevent+jwt"),
		"jku":                 header("jku", "https://evil.example/keys"),
		"x5u":                 header("x5u", "https://evil.example/cert"),
		"x5c":                 header("x5c", []string{"MIIB"}),
		"crit":                header("crit", []string{"exp"}),
		"type that is none":   header("typ", 7),
	}
	for name, token := range tokens {
		_, mine, err := p.verifier(t).Verify(t.Context(), token)
		require.True(t, mine, name)
		require.ErrorIs(t, err, ErrRefused, name)
	}
	for name, token := range map[string]string{
		"expired within the leeway": with("exp", at(-leeway+time.Second)),
		"type of RFC 9068":          header("typ", "AT+JWT"),
	} {
		_, _, err := p.verifier(t).Verify(t.Context(), token)
		require.NoError(t, err, name)
	}
	embedded, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: other}, &jose.SignerOptions{EmbedJWK: true})
	require.NoError(t, err)
	text, err := json.Marshal(p.claims(nil))
	require.NoError(t, err)
	signed, err := embedded.Sign(text)
	require.NoError(t, err)
	token, err := signed.CompactSerialize()
	require.NoError(t, err)
	_, _, err = p.verifier(t).Verify(t.Context(), token)
	require.ErrorIs(t, err, ErrRefused, "a token that brings its own key")
}

func TestRotation(t *testing.T) {
	t.Parallel()
	p, keys := newProvider(t, "a")
	v := p.verifier(t)
	verify := func(id string) error {
		_, _, err := v.Verify(t.Context(), sign(t, jose.ES256, keys[id], kid(id), p.claims(nil)))
		return err
	}
	require.NoError(t, verify("a"))
	keys["b"] = p.add(t, "b")
	p.pass(fetchPause)
	require.NoError(t, verify("b"), "a new key is fetched when it is met")
	require.EqualValues(t, 2, p.fetches.Load())

	p.mu.Lock()
	p.set.Keys = p.set.Keys[1:]
	p.mu.Unlock()
	require.NoError(t, verify("a"), "within the keys' age")
	p.pass(keysAge + time.Second)
	require.ErrorIs(t, verify("a"), ErrRefused, "a key that was withdrawn")
	require.NoError(t, verify("b"))
}

// TestUnknownKeysDoNotPester: made-up key ids cost the provider one fetch per pause.
func TestUnknownKeysDoNotPester(t *testing.T) {
	t.Parallel()
	p, keys := newProvider(t, "a")
	v := p.verifier(t)
	token := sign(t, jose.ES256, keys["a"], kid("made-up"), p.claims(nil))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, _, err := v.Verify(t.Context(), token); !errors.Is(err, ErrRefused) {
				t.Errorf("Verify = %v", err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, p.fetches.Load())
	p.pass(fetchPause)
	_, _, err := v.Verify(t.Context(), token)
	require.ErrorIs(t, err, ErrRefused)
	require.EqualValues(t, 2, p.fetches.Load())
}

func TestOutage(t *testing.T) {
	t.Parallel()
	p, keys := newProvider(t, "a")
	v := p.verifier(t)
	verify := func() error {
		_, mine, err := v.Verify(t.Context(), sign(t, jose.ES256, keys["a"], kid("a"), p.claims(nil)))
		require.True(t, mine)
		return err
	}
	p.answer(http.StatusBadGateway)
	err := verify()
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrRefused, "nothing is known of the token")
	p.answer(http.StatusOK)
	require.NotErrorIs(t, verify(), ErrRefused)
	p.pass(fetchPause)
	require.NoError(t, verify())

	p.answer(http.StatusBadGateway)
	p.pass(keysLife)
	require.NoError(t, verify(), "the keys of the last hour go on")
	p.pass(fetchPause)
	err = verify()
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrRefused)
}

// TestRedirects: the keys are where they are said to be, and nowhere else.
func TestRedirects(t *testing.T) {
	t.Parallel()
	p, keys := newProvider(t, "a")
	elsewhere := httptest.NewServer(http.RedirectHandler(p.URL, http.StatusFound))
	t.Cleanup(elsewhere.Close)
	v, err := New(Config{Issuer: "https://idp.example", Audience: "directory", Algorithm: "ES256", KeysURL: elsewhere.URL, Now: p.clock})
	require.NoError(t, err)
	_, _, err = v.Verify(t.Context(), sign(t, jose.ES256, keys["a"], kid("a"), p.claims(nil)))
	require.ErrorContains(t, err, "302")
	require.Zero(t, p.fetches.Load())
}

// TestAgedKeysGoOn: while one request fetches the keys anew, from a provider that
// hangs, the others are served by those that are known.
func TestAgedKeysGoOn(t *testing.T) {
	t.Parallel()
	p, keys := newProvider(t, "a")
	v := p.verifier(t)
	token := sign(t, jose.ES256, keys["a"], kid("a"), p.claims(nil))
	_, _, err := v.Verify(t.Context(), token)
	require.NoError(t, err)
	p.pass(keysAge + time.Second)
	v.keys.fetching <- struct{}{} // somebody is fetching, and does not return
	_, _, err = v.Verify(t.Context(), token)
	require.NoError(t, err)
}

func TestVerifyEndsWithTheContext(t *testing.T) {
	t.Parallel()
	p, keys := newProvider(t, "a")
	v := p.verifier(t)
	v.keys.fetching <- struct{}{} // somebody is fetching
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := v.Verify(ctx, sign(t, jose.ES256, keys["a"], kid("a"), p.claims(nil)))
	require.ErrorIs(t, err, context.Canceled)
}

func TestNew(t *testing.T) {
	t.Parallel()
	good := Config{Issuer: "i", Audience: "a", Algorithm: "RS256", KeysURL: "https://idp.example/keys"}
	_, err := New(good)
	require.NoError(t, err)
	for name, change := range map[string]func(*Config){
		"no issuer":       func(c *Config) { c.Issuer = "" },
		"no audience":     func(c *Config) { c.Audience = "" },
		"no algorithm":    func(c *Config) { c.Algorithm = "" },
		"none":            func(c *Config) { c.Algorithm = "none" },
		"HMAC":            func(c *Config) { c.Algorithm = "HS256" },
		"no URL":          func(c *Config) { c.KeysURL = "" },
		"plain http":      func(c *Config) { c.KeysURL = "http://idp.example/keys" },
		"another scheme":  func(c *Config) { c.KeysURL = "file:///etc/passwd" },
		"no loopback":     func(c *Config) { c.KeysURL = "http://localhost.evil.example/keys" },
		"loopback by DNS": func(c *Config) { c.KeysURL = "http://127.0.0.1.evil.example/keys" },
	} {
		c := good
		change(&c)
		_, err := New(c)
		require.Error(t, err, name)
	}
	for _, url := range []string{"http://127.0.0.1:9/keys", "http://[::1]:9/keys", "http://localhost/keys"} {
		c := good
		c.KeysURL = url
		_, err := New(c)
		require.NoError(t, err, url)
	}
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	entry := func(k jose.JSONWebKey) string {
		text, err := k.MarshalJSON()
		require.NoError(t, err)
		return string(text)
	}
	public := jose.JSONWebKey{Key: key.Public(), KeyID: "a", Algorithm: "ES256", Use: "sig"}
	private, forEncryption, otherAlgorithm := public, public, public
	private.Key, forEncryption.Use, otherAlgorithm.Algorithm = key, "enc", "RS256"
	set := func(entries ...string) []byte { return []byte(`{"keys":[` + strings.Join(entries, ",") + `]}`) }
	otherKind, otherCurve := public, public
	otherKind.Algorithm, otherCurve.Algorithm = "", ""
	otherKind.Key, _, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	larger, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	otherCurve.Key = larger.Public()
	keys, err := parseKeys(set(entry(otherKind), entry(otherCurve), `{"kty":"XYZ"}`, entry(private), entry(forEncryption), entry(otherAlgorithm), entry(public), `7`), "ES256")
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.Equal(t, key.Public(), keys[0].Key, "keys of different kinds may share an id")
	for _, bad := range []string{``, `[]`, `{}`, `{"keys":[]}`, string(set(entry(private)))} {
		_, err := parseKeys([]byte(bad), "ES256")
		require.Error(t, err, bad)
	}
}
