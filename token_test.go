package usermgmt_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/store"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func object(t testing.TB, m map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(m)
	require.NoError(t, err)
	return b64(raw)
}

// segments returns what a token says: its header and its claims.
func segments(t testing.TB, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	for i, to := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, to))
	}
	return header, claims
}

// signed makes a token of any header and claims, signed with the Ed25519 key.
func signed(t testing.TB, key any, header, claims map[string]any) string {
	t.Helper()
	text := object(t, header) + "." + object(t, claims)
	return text + "." + b64(ed25519.Sign(key.(ed25519.PrivateKey), []byte(text)))
}

func TestAccessToken(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *usermgmt.Options) { o.Issuer, o.Audience = "https://id.example", "shop" })
	ada := d.person(t, "ada")
	tokens := d.signIn(t, "ada", passphrase)

	t.Run("names its user and session and holds no rights", func(t *testing.T) {
		t.Parallel()
		header, claims := segments(t, tokens.AccessToken)
		require.Equal(t, map[string]any{"alg": "EdDSA", "typ": "at+jwt", "kid": d.opts.SigningKeys[0].ID}, header)
		require.NotEmpty(t, claims["jti"])
		delete(claims, "jti")
		now := float64(d.clock.Now().Unix())
		require.Equal(t, map[string]any{
			"iss": "https://id.example", "aud": []any{"shop"}, "sub": string(ada.ID), "sid": string(tokens.SessionID),
			"realm": "main", "iat": now, "exp": now + 600,
		}, claims)
		require.Equal(t, 10*time.Minute, tokens.ExpiresIn)
	})

	t.Run("makes its user the actor", func(t *testing.T) {
		t.Parallel()
		for range 2 { // the second time the signature is known
			a, err := d.Authenticate(t.Context(), tokens.AccessToken)
			require.NoError(t, err)
			require.Equal(t, ada.ID, a.UserID())
			require.Equal(t, tokens.SessionID, a.SessionID())
			require.Empty(t, a.ConfinedTo())
			require.False(t, a.MustChangePassword())
		}
	})

	t.Run("is authenticated whatever authority the Manager has", func(t *testing.T) {
		t.Parallel()
		require.True(t, alive(t, d.As(usermgmt.Actor{}), tokens.AccessToken))
	})
}

func TestBadToken(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person(t, "ada")
	key := d.opts.SigningKeys[0].Key
	public := key.(ed25519.PrivateKey).Public().(ed25519.PublicKey)
	good := d.signIn(t, "ada", passphrase).AccessToken
	header, claims := segments(t, good)
	now := d.clock.Now().Unix()

	// but returns a copy with one member changed, or removed for nil.
	but := func(m map[string]any, name string, value any) map[string]any {
		c := maps.Clone(m)
		c[name] = value
		if value == nil {
			delete(c, name)
		}
		return c
	}
	h := func(name string, value any) string { return signed(t, key, but(header, name, value), claims) }
	c := func(name string, value any) string { return signed(t, key, header, but(claims, name, value)) }
	require.True(t, alive(t, d.Manager, signed(t, key, header, claims)), "the forger itself must be right")

	hs256 := func(header map[string]any, passphrase []byte) string {
		text := object(t, header) + "." + object(t, claims)
		mac := hmac.New(sha256.New, passphrase)
		mac.Write([]byte(text))
		return text + "." + b64(mac.Sum(nil))
	}
	_, other, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	parts := strings.Split(good, ".")
	der := append([]byte{0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0}, public...)

	for name, token := range map[string]string{
		"empty":                             "",
		"a word":                            "token",
		"two segments":                      parts[0] + "." + parts[1],
		"four segments":                     good + ".x",
		"dots":                              strings.Repeat(".", 4<<10),
		"padding":                           good + "==",
		"leading space":                     " " + good,
		"trailing newline":                  good + "\n",
		"newline within":                    good[:9] + "\n" + good[9:],
		"empty signature":                   parts[0] + "." + parts[1] + ".",
		"header that is no JSON":            b64([]byte("{")) + "." + parts[1] + "." + parts[2],
		"header that is null":               b64([]byte("null")) + "." + parts[1] + "." + parts[2],
		"claims that are null":              parts[0] + "." + b64([]byte("null")) + "." + parts[2],
		"claims that are a list":            parts[0] + "." + b64([]byte("[]")) + "." + parts[2],
		"signed by another key":             signed(t, other, header, claims),
		"changed claims":                    parts[0] + "." + object(t, but(claims, "sub", "someone")) + "." + parts[2],
		"alg none":                          object(t, but(header, "alg", "none")) + "." + parts[1] + ".",
		"alg None":                          object(t, but(header, "alg", "None")) + "." + parts[1] + ".",
		"alg none signed":                   h("alg", "none"),
		"alg absent":                        h("alg", nil),
		"alg a number":                      h("alg", 1),
		"alg unknown":                       h("alg", "XX"),
		"alg RS256":                         h("alg", "RS256"),
		"alg ES256":                         h("alg", "ES256"),
		"alg HS256 without a key of it":     h("alg", "HS256"),
		"HS256 with the public key":         hs256(but(header, "alg", "HS256"), public),
		"HS256 with the public key's DER":   hs256(but(header, "alg", "HS256"), der),
		"HS256 with nothing":                hs256(but(header, "alg", "HS256"), nil),
		"kid absent":                        h("kid", nil),
		"kid unknown":                       h("kid", "other"),
		"kid a path":                        h("kid", "../../dev/null"),
		"kid a number":                      h("kid", 1),
		"typ absent":                        h("typ", nil),
		"typ JWT":                           h("typ", "JWT"),
		"crit":                              h("crit", []string{"exp"}),
		"jku":                               h("jku", "https://evil.example/jwks.json"),
		"x5u":                               h("x5u", "https://evil.example/cert.pem"),
		"jwk":                               h("jwk", map[string]any{"kty": "OKP", "crv": "Ed25519", "x": b64(public)}),
		"x5c":                               h("x5c", []string{"MII"}),
		"unencoded payload":                 h("b64", false),
		"iss absent":                        c("iss", nil),
		"iss foreign":                       c("iss", "https://evil.example"),
		"iss empty":                         c("iss", ""),
		"aud absent":                        c("aud", nil),
		"aud foreign":                       c("aud", []string{"other"}),
		"aud empty":                         c("aud", []string{}),
		"aud of more than us":               c("aud", []string{"usermgmt", "other"}),
		"aud a number":                      c("aud", 1),
		"realm absent":                      c("realm", nil),
		"realm foreign":                     c("realm", "other"),
		"sub absent":                        c("sub", nil),
		"sub empty":                         c("sub", ""),
		"sub of another user":               c("sub", "someone"),
		"sid absent":                        c("sid", nil),
		"sid unknown":                       c("sid", "other"),
		"exp absent":                        c("exp", nil),
		"exp null":                          parts[0] + "." + object(t, map[string]any{"exp": nil}) + "." + parts[2],
		"exp zero":                          c("exp", 0),
		"exp past":                          c("exp", now-1),
		"exp now":                           c("exp", now),
		"nbf ahead":                         c("nbf", now+1),
		"longer than 8 KiB, otherwise good": c("jti", strings.Repeat("x", 8<<10)),
		"a refresh token":                   d.signIn(t, "ada", passphrase).RefreshToken,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.False(t, alive(t, d.Manager, token))
			require.False(t, alive(t, d.Manager, token), "the second time")
		})
	}

	t.Run("every truncation", func(t *testing.T) {
		t.Parallel()
		for i := range good {
			require.False(t, alive(t, d.Manager, good[:i]), "its first %d bytes", i)
			require.False(t, alive(t, d.Manager, good[i+1:]), "without its first %d bytes", i+1)
		}
	})

	// The last character of a signature holds bits that mean nothing.
	t.Run("every last character", func(t *testing.T) {
		t.Parallel()
		last := len(good) - 1
		for _, r := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
			if r != rune(good[last]) {
				require.False(t, alive(t, d.Manager, good[:last]+string(r)), "%q", r)
			}
		}
	})

	t.Run("every changed character", func(t *testing.T) {
		t.Parallel()
		for i := range good {
			for _, r := range []byte{'A', 'B', '.', '=', '\n', 0, 0xff} {
				if good[i] == r {
					continue
				}
				forged := good[:i] + string([]byte{r}) + good[i+1:]
				require.False(t, alive(t, d.Manager, forged), "byte %d as %q", i, r)
			}
		}
	})
}

// TestTokenExpiry: to the microsecond, and the same for a token whose
// signature is known already.
func TestTokenExpiry(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		after time.Duration
		good  bool
	}{
		{"just before", 10*time.Minute - time.Microsecond, true},
		{"at it", 10 * time.Minute, false},
		{"just after", 10*time.Minute + time.Microsecond, false},
		{"years after", 10 * 365 * 24 * time.Hour, false},
	} {
		for _, known := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, ", known ", known), func(t *testing.T) {
				t.Parallel()
				d := newDesk(t)
				d.person(t, "ada")
				tokens := d.signIn(t, "ada", passphrase)
				if known {
					require.True(t, alive(t, d.Manager, tokens.AccessToken))
				}
				d.clock.Advance(tt.after)
				require.Equal(t, tt.good, alive(t, d.Manager, tokens.AccessToken))
			})
		}
	}

	t.Run("never beyond the session's", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, func(o *usermgmt.Options) { o.RefreshTokenTTL = 90 * time.Second })
		d.person(t, "ada")
		tokens := d.signIn(t, "ada", passphrase)
		require.Equal(t, 90*time.Second, tokens.ExpiresIn)
		d.clock.Advance(90*time.Second - time.Microsecond)
		require.True(t, alive(t, d.Manager, tokens.AccessToken))
		d.clock.Advance(time.Microsecond)
		require.False(t, alive(t, d.Manager, tokens.AccessToken))
	})

	t.Run("between two seconds the session's counts", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, func(o *usermgmt.Options) { o.RefreshTokenTTL = 1500 * time.Millisecond })
		d.person(t, "ada")
		d.clock.Advance(300 * time.Millisecond)
		tokens := d.signIn(t, "ada", passphrase)
		d.clock.Advance(1500*time.Millisecond - time.Microsecond)
		require.True(t, alive(t, d.Manager, tokens.AccessToken))
		d.clock.Advance(time.Microsecond)
		require.False(t, alive(t, d.Manager, tokens.AccessToken))
	})
}

func TestTokenOfAnotherRealm(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	north, south := d.Realm("north"), d.Realm("south")
	// The same user with the same id and password in both.
	for _, m := range []*usermgmt.Manager{north, south} {
		_, err := m.CreateUser(t.Context(), usermgmt.NewUser{ID: "ada", Username: "ada", Password: passphrase})
		require.NoError(t, err)
	}
	tokens, err := north.SignIn(t.Context(), "ada", passphrase)
	require.NoError(t, err)
	require.True(t, alive(t, north, tokens.AccessToken))
	require.False(t, alive(t, south, tokens.AccessToken))
	require.False(t, alive(t, d.Realm("not a realm"), tokens.AccessToken))
	_, err = south.Refresh(t.Context(), tokens.RefreshToken)
	require.Equal(t, usermgmt.ErrUnauthenticated, err)

	// Not even where a session of that id exists.
	err = d.store.Update(t.Context(), "south", func(tx store.Tx) error {
		return tx.CreateSession(t.Context(), store.Session{
			ID: tokens.SessionID, UserID: "ada", CreatedAt: d.clock.Now(), ExpiresAt: d.clock.Now().Add(time.Hour),
		})
	})
	require.NoError(t, err)
	require.False(t, alive(t, south, tokens.AccessToken))
}

func TestTokenOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person(t, "ada")
	tokens := d.signIn(t, "ada", passphrase)
	require.True(t, alive(t, d.manager(t), tokens.AccessToken))
	for name, change := range map[string]func(*usermgmt.Options){
		"issuer":   func(o *usermgmt.Options) { o.Issuer, o.Audience = "other", "usermgmt" },
		"audience": func(o *usermgmt.Options) { o.Audience = "other" },
		"key of the same id": func(o *usermgmt.Options) {
			k, err := usermgmt.GenerateSigningKey(nil)
			require.NoError(t, err)
			o.SigningKeys = []usermgmt.SigningKey{{ID: o.SigningKeys[0].ID, Key: k.Key}}
		},
	} {
		require.False(t, alive(t, d.manager(t, change), tokens.AccessToken), "another %s", name)
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person(t, "ada")
	old := d.signIn(t, "ada", passphrase)
	next := usermgmt.SigningKey{ID: "next", Key: []byte("0123456789abcdef0123456789abcdef")}
	overlap := d.manager(t, func(o *usermgmt.Options) {
		o.SigningKeys = []usermgmt.SigningKey{next, o.SigningKeys[0]}
	})
	require.True(t, alive(t, overlap, old.AccessToken))
	fresh, err := overlap.SignIn(t.Context(), "ada", passphrase)
	require.NoError(t, err)
	header, _ := segments(t, fresh.AccessToken)
	require.Equal(t, "next", header["kid"], "the first key signs")

	after := d.manager(t, func(o *usermgmt.Options) { o.SigningKeys = []usermgmt.SigningKey{next} })
	require.True(t, alive(t, after, fresh.AccessToken))
	require.False(t, alive(t, after, old.AccessToken), "a key that is gone verifies nothing")

	// A key cannot be used with the algorithm of another that is configured.
	_, claims := segments(t, old.AccessToken)
	forged, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims(claims)).SignedString(next.Key)
	require.NoError(t, err)
	parts := strings.Split(forged, ".")
	parts[0] = object(t, map[string]any{"alg": "HS256", "typ": "at+jwt", "kid": d.opts.SigningKeys[0].ID})
	mac := hmac.New(sha256.New, next.Key.([]byte))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	require.False(t, alive(t, overlap, parts[0]+"."+parts[1]+"."+b64(mac.Sum(nil))))
}

func TestSigningKeysOfEachKindWork(t *testing.T) {
	t.Parallel()
	for _, k := range soundKeys(t) {
		t.Run(k.ID, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, func(o *usermgmt.Options) { o.SigningKeys = []usermgmt.SigningKey{k} })
			d.person(t, "ada")
			tokens := d.signIn(t, "ada", passphrase)
			require.True(t, alive(t, d.Manager, tokens.AccessToken))
			header, _ := segments(t, tokens.AccessToken)
			require.Equal(t, k.ID, header["alg"])
			i := len(tokens.AccessToken) - 20
			require.False(t, alive(t, d.Manager, tokens.AccessToken[:i]+"AAAA"+tokens.AccessToken[i+4:]))
		})
	}
}

// soundKeys returns a key of each kind under the name of its algorithm.
func soundKeys(t testing.TB) []usermgmt.SigningKey {
	t.Helper()
	ed, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return []usermgmt.SigningKey{
		{ID: "EdDSA", Key: ed.Key},
		{ID: "ES256", Key: ec},
		{ID: "RS256", Key: rsaKey(t)},
		{ID: "HS256", Key: []byte("0123456789abcdef0123456789abcdef")},
	}
}

var rsaKeyOnce = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsaKeyOnce()
	require.NoError(t, err)
	return k
}

// TestKindsOfTokenAreNotInterchangeable: each credential is accepted in its
// own place alone.
func TestKindsOfTokenAreNotInterchangeable(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person(t, "ada")
	tokens := d.signIn(t, "ada", passphrase)
	for name, text := range map[string]string{"access": tokens.AccessToken, "refresh": tokens.RefreshToken} {
		if name != "access" {
			require.False(t, alive(t, d.Manager, text))
		}
		if name != "refresh" {
			_, err := d.Refresh(t.Context(), text)
			require.Equal(t, usermgmt.ErrUnauthenticated, err)
		}
		_, err := d.AuthenticateKey(t.Context(), text)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated, "a token of the kind %s for an API key", name)
		_, _, err = d.RedeemCode(t.Context(), text)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated, "a token of the kind %s for a code", name)
		_, err = d.SignIn(t.Context(), "ada", text)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated, "a token of the kind %s for a password", name)
	}
}

func TestAuthenticateUser(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ada := o.person("ada")
	now := o.clock.Now()
	actor, err := o.m.AuthenticateUser(t.Context(), ada, now)
	require.NoError(t, err)
	require.Equal(t, usermgmt.UserActor(ada), actor)
	_, err = o.m.AuthenticateUser(t.Context(), ada, now.Add(-time.Microsecond))
	require.Equal(t, usermgmt.ErrUnauthenticated, err, "a word that is older than the user")
	_, err = o.m.AuthenticateUser(t.Context(), ada, time.Time{})
	require.NoError(t, err)
	_, err = o.m.AuthenticateUser(t.Context(), "nobody", time.Time{})
	require.Equal(t, usermgmt.ErrUnauthenticated, err)
	_, err = o.m.AuthenticateUser(t.Context(), "nobody", now)
	require.Equal(t, usermgmt.ErrUnauthenticated, err)
	_, err = o.m.Realm("other").AuthenticateUser(t.Context(), ada, now)
	require.Equal(t, usermgmt.ErrUnauthenticated, err)

	require.NoError(t, o.m.DisableUser(t.Context(), ada))
	_, err = o.m.AuthenticateUser(t.Context(), ada, now)
	require.Equal(t, usermgmt.ErrUnauthenticated, err)

	require.NoError(t, o.m.DeleteUser(t.Context(), ada))
	o.clock.Advance(time.Hour)
	o.person("ada")
	_, err = o.m.AuthenticateUser(t.Context(), ada, now)
	require.Equal(t, usermgmt.ErrUnauthenticated, err, "the id was used again since")
	_, err = o.m.AuthenticateUser(t.Context(), ada, o.clock.Now())
	require.NoError(t, err)
}

// BenchmarkAuthenticate: a signature that is known, and one store read.
func BenchmarkAuthenticate(b *testing.B) {
	d := newDesk(b)
	d.person(b, "ada")
	token := d.signIn(b, "ada", passphrase).AccessToken
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Authenticate(ctx, token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAuthenticateFirst: a signature that has not been seen.
func BenchmarkAuthenticateFirst(b *testing.B) {
	d := newDesk(b)
	d.person(b, "ada")
	token := d.signIn(b, "ada", passphrase).AccessToken
	header, claims := segments(b, token)
	n := 0
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		n++
		claims["jti"] = fmt.Sprint(n)
		fresh := signed(b, d.opts.SigningKeys[0].Key, header, claims)
		b.StartTimer()
		if _, err := d.Authenticate(ctx, fresh); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDigestAndLookup is the least that a stored token can cost.
func BenchmarkDigestAndLookup(b *testing.B) {
	d := newDesk(b)
	d.person(b, "ada")
	token := d.signIn(b, "ada", passphrase).AccessToken
	sessions := map[[32]byte]string{sha256.Sum256([]byte(token)): "ada"}
	b.ReportAllocs()
	for b.Loop() {
		if sessions[sha256.Sum256([]byte(token))] != "ada" {
			b.Fatal("lost")
		}
	}
}
