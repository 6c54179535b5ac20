package usermgmt_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
)

func TestNewNeedsSoundSigningKeys(t *testing.T) {
	t.Parallel()
	good, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	mixed := bytes.Clone(good.Key.(ed25519.PrivateKey))
	mixed[63] ^= 1
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	swapped, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	swapped.PublicKey = p256.PublicKey
	long := []byte("0123456789abcdef0123456789abcdef")
	one := func(k any) []usermgmt.SigningKey { return []usermgmt.SigningKey{{ID: "k", Key: k}} }

	for name, keys := range map[string][]usermgmt.SigningKey{
		"none":                   nil,
		"empty":                  {},
		"no key":                 one(nil),
		"short HMAC":             one(long[:31]),
		"empty HMAC":             one([]byte{}),
		"HMAC of zeros":          one(make([]byte, 32)),
		"text":                   one(string(long)),
		"public key":             one(good.Key.(ed25519.PrivateKey).Public()),
		"nil Ed25519":            one(ed25519.PrivateKey(nil)),
		"short Ed25519":          one(good.Key.(ed25519.PrivateKey)[:32]),
		"mixed Ed25519":          one(ed25519.PrivateKey(mixed)),
		"nil RSA":                one((*rsa.PrivateKey)(nil)),
		"empty RSA":              one(&rsa.PrivateKey{}),
		"nil ECDSA":              one((*ecdsa.PrivateKey)(nil)),
		"empty ECDSA":            one(&ecdsa.PrivateKey{}),
		"ECDSA without a number": one(&ecdsa.PrivateKey{PublicKey: p256.PublicKey}),
		"ECDSA on another curve": one(p384),
		"mixed ECDSA":            one(swapped),
		"id empty":               {{ID: "", Key: good.Key}},
		"id long":                {{ID: strings.Repeat("k", 65), Key: good.Key}},
		"id odd":                 {{ID: "a/b", Key: good.Key}},
		"id twice":               {good, {ID: good.ID, Key: long}},
		"second bad":             {good, {ID: "k", Key: long[:31]}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := usermgmt.New(memstore.New(), usermgmt.Options{SigningKeys: keys, PasswordHash: cheapHash})
			require.Error(t, err)
			require.NotContains(t, err.Error(), string(long[:16]), "errors hold no key")
		})
	}

	t.Run("sound", func(t *testing.T) {
		t.Parallel()
		for _, k := range soundKeys(t) {
			_, err := usermgmt.New(memstore.New(), usermgmt.Options{SigningKeys: []usermgmt.SigningKey{k}, PasswordHash: cheapHash})
			require.NoError(t, err, k.ID)
		}
	})
}

func TestSmallRSAKeyIsRefused(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0") // the standard library refuses to make one
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	_, err = usermgmt.New(memstore.New(), usermgmt.Options{SigningKeys: []usermgmt.SigningKey{{ID: "k", Key: k}}, PasswordHash: cheapHash})
	require.ErrorContains(t, err, "2048")
}

// TestThumbprint uses the key of RFC 8037, appendix A.
func TestThumbprint(t *testing.T) {
	t.Parallel()
	seed, err := base64.RawURLEncoding.DecodeString("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
	require.NoError(t, err)
	k, err := usermgmt.GenerateSigningKey(bytes.NewReader(seed))
	require.NoError(t, err)
	require.Equal(t, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", k.ID)

	_, err = usermgmt.GenerateSigningKey(bytes.NewReader(seed[:31]))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestJWKS(t *testing.T) {
	t.Parallel()
	seed, err := base64.RawURLEncoding.DecodeString("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
	require.NoError(t, err)
	hmacKey := []byte("0123456789abcdef0123456789abcdef")
	d := newDesk(t, func(o *usermgmt.Options) {
		o.SigningKeys = []usermgmt.SigningKey{
			{ID: "mac", Key: hmacKey}, {ID: "ed", Key: ed25519.NewKeyFromSeed(seed)}, {ID: "rsa", Key: rsaKey(t)},
		}
	})
	got, err := json.Marshal(d.JWKS())
	require.NoError(t, err)
	n := base64.RawURLEncoding.EncodeToString(rsaKey(t).N.Bytes())
	require.Equal(t, `{"keys":[{"kty":"OKP","use":"sig","alg":"EdDSA","kid":"ed","crv":"Ed25519",`+
		`"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},`+
		`{"kty":"RSA","use":"sig","alg":"RS256","kid":"rsa","n":"`+n+`","e":"AQAB"}]}`, string(got))

	only := d.manager(t, func(o *usermgmt.Options) { o.SigningKeys = o.SigningKeys[:1] })
	got, err = json.Marshal(only.JWKS())
	require.NoError(t, err)
	require.Equal(t, `{"keys":[]}`, string(got), "an HMAC key is never published")
}

// TestJWKSVerifies: what is published is what verifies, coordinates in full length.
func TestJWKSVerifies(t *testing.T) {
	t.Parallel()
	for range 40 { // some have a coordinate that begins with a zero byte
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		d := newDesk(t, func(o *usermgmt.Options) { o.SigningKeys = []usermgmt.SigningKey{{ID: "ec", Key: k}} })
		jwk := d.JWKS().Keys[0]
		x, err := base64.RawURLEncoding.DecodeString(jwk.X)
		require.NoError(t, err)
		y, err := base64.RawURLEncoding.DecodeString(jwk.Y)
		require.NoError(t, err)
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		require.NoError(t, err)
		require.True(t, public.Equal(&k.PublicKey))
		require.Equal(t, "P-256", jwk.Crv)
	}
}

func TestSigningKeyFile(t *testing.T) {
	t.Parallel()
	for _, k := range soundKeys(t) {
		t.Run(k.ID, func(t *testing.T) {
			t.Parallel()
			text, err := usermgmt.MarshalSigningKey(k)
			if k.ID == "HS256" {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			got, err := usermgmt.ParseSigningKey(append([]byte("\n"), append(text, '\n')...))
			require.NoError(t, err)
			require.Len(t, got.ID, 43)
			again, err := usermgmt.ParseSigningKey(text)
			require.NoError(t, err)
			require.Equal(t, got.ID, again.ID, "the id is the thumbprint")
			m, err := usermgmt.New(memstore.New(), usermgmt.Options{SigningKeys: []usermgmt.SigningKey{got}, PasswordHash: cheapHash})
			require.NoError(t, err)
			original, err := usermgmt.New(memstore.New(), usermgmt.Options{SigningKeys: []usermgmt.SigningKey{k}, PasswordHash: cheapHash})
			require.NoError(t, err)
			want := original.JWKS().Keys[0]
			want.Kid = got.ID
			require.Equal(t, want, m.JWKS().Keys[0], "the same key")
		})
	}
	k, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	good, err := usermgmt.MarshalSigningKey(k)
	require.NoError(t, err)
	small := bytes.Replace(good, []byte("PRIVATE KEY"), []byte("RSA PRIVATE KEY"), 2)
	for name, text := range map[string][]byte{
		"nothing":      nil,
		"no PEM":       []byte("key"),
		"another type": small,
		"two keys":     append(bytes.Clone(good), good...),
		"no PKCS #8":   pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("0123456789abcdef")}),
		"cut off":      good[:len(good)/2],
	} {
		_, err := usermgmt.ParseSigningKey(text)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "0123456789abcdef", name)
	}
	_, err = usermgmt.MarshalSigningKey(usermgmt.SigningKey{ID: "k"})
	require.Error(t, err)
}

// TestSecretsAreNotPrinted: whatever is printed, logged or encoded of what the
// engine hands out holds no secret.
func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *usermgmt.Options) {
		o.SigningKeys = append(o.SigningKeys, usermgmt.SigningKey{ID: "mac", Key: []byte("canary-canary-canary-canary-canary")})
	})
	d.person(t, "ada")
	tokens := d.signIn(t, "ada", passphrase)
	ed := d.opts.SigningKeys[0].Key.(ed25519.PrivateKey)
	secrets := []string{
		"canary", hexText("canary"), decimal([]byte("canary")), decimal(ed[:8]), hexText(string(ed[:8])),
		tokens.AccessToken, hexText(tokens.AccessToken), tokens.RefreshToken, hexText(tokens.RefreshToken),
		base64.StdEncoding.EncodeToString([]byte("canary-canary-canary-canary-canary")), base64.StdEncoding.EncodeToString(ed),
	}
	var out strings.Builder
	for _, v := range []any{
		usermgmt.NewUser{Username: "shown", Password: "canary"}, &usermgmt.NewUser{PasswordHash: "canary"}, usermgmt.NewKey{Secret: "canary"},
		usermgmt.NewVendor{Secret: "canary"}, usermgmt.Snapshot{
			Users: []usermgmt.SnapshotUser{{Password: "canary"}, {PasswordHash: "canary"}}, Vendors: []usermgmt.SnapshotVendor{{ClientSecret: "canary"}},
			Organizations: []usermgmt.SnapshotOrganization{{APIKeys: []usermgmt.SnapshotKey{{Key: "canary"}}}},
		},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		if _, ok := v.(slog.LogValuer); ok {
			slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		}
	}
	require.Contains(t, out.String(), "shown")
	require.Contains(t, out.String(), "(hidden)")
	for _, v := range []any{tokens, &tokens, d.opts, d.opts.SigningKeys, d.opts.SigningKeys[1], &d.opts.SigningKeys[1], []usermgmt.Tokens{tokens}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		if raw, err := json.Marshal(v); err == nil {
			out.Write(raw)
		} else {
			var unsupported *json.UnsupportedTypeError
			require.True(t, errors.As(err, &unsupported), "options hold functions: %v", err)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
	}
	require.Contains(t, out.String(), string(tokens.SessionID), "what is no secret may be printed")
	for _, s := range secrets {
		require.NotContains(t, out.String(), s)
	}
}

func hexText(s string) string { return fmt.Sprintf("%x", s) }

// decimal is how fmt prints bytes as numbers, without the brackets.
func decimal(b []byte) string { return strings.Trim(fmt.Sprint(b), "[]") }
