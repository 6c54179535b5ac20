package usermgmt_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// spoilt returns the secret with something else at a place, or another text
// behind it.
func spoilt(secret string, at uint16, with string) string {
	i := int(at) % (len(secret) + 1)
	return secret[:i] + with + secret[min(len(secret), i+len(with)):]
}

// quiet keeps no log: it would hold a line for each of millions of rounds.
func quiet(o *usermgmt.Options) { o.Logger = slog.New(slog.DiscardHandler) }

// FuzzAuthenticate: of all texts the access token alone is accepted.
func FuzzAuthenticate(f *testing.F) {
	d := newDesk(f, quiet)
	ada := d.person(f, "ada")
	tokens := d.signIn(f, "ada", passphrase)
	good := tokens.AccessToken
	for _, s := range []string{"", ".", "..", good, good + "=", good + "\n", " " + good, good[:len(good)-1], "eyJhbGciOiJub25lIn0.e30.", tokens.RefreshToken} {
		f.Add(s, uint16(0), "")
	}
	f.Add("", uint16(len(good)-1), "A")
	f.Add("", uint16(3), "\n")
	f.Add("", uint16(40), "é.")
	f.Fuzz(func(t *testing.T, text string, at uint16, with string) {
		for _, token := range []string{text, spoilt(good, at, with)} {
			actor, err := d.Authenticate(t.Context(), token)
			if token == good {
				require.NoError(t, err)
				require.Equal(t, ada.ID, actor.UserID())
				continue
			}
			if err != usermgmt.ErrUnauthenticated || actor != (usermgmt.Actor{}) {
				t.Fatalf("Authenticate(%q) = %v, %v", token, actor, err)
			}
		}
	})
}

// FuzzSigned: whatever the key signs is refused, or names the one session that
// there is with all that an access token must say. It is the second line: who
// can have texts signed has the key as good as stolen.
func FuzzSigned(f *testing.F) {
	d := newDesk(f, quiet)
	ada := d.person(f, "ada")
	good := d.signIn(f, "ada", passphrase).AccessToken
	key := d.opts.SigningKeys[0].Key.(ed25519.PrivateKey)
	header, claims := parts(good)
	genuine, err := d.Authenticate(f.Context(), good)
	require.NoError(f, err)
	f.Add(header, claims)
	for _, h := range []string{"null", "[]", "{}", `{"alg":"none"}`, `{"alg":"EdDSA","typ":"JWT"}`, string(header) + " ", `{"alg":"EdDSA","alg":"none"}`} {
		f.Add([]byte(h), claims)
	}
	for _, c := range []string{"null", "[]", "{}", `{"exp":1e400}`, `{"aud":"x","sub":1}`, `{"exp":"soon"}`, `{"aud":[1,null]}`} {
		f.Add(header, []byte(c))
	}
	f.Add(header, bytes.ReplaceAll(claims, []byte(`"sub"`), []byte(`"SUB"`)))
	f.Add(header, bytes.ReplaceAll(claims, []byte(`{`), []byte(`{"client_id":"x",`)))
	f.Fuzz(func(t *testing.T, header, claims []byte) {
		text := b64(header) + "." + b64(claims)
		actor, err := d.Authenticate(t.Context(), text+"."+b64(ed25519.Sign(key, []byte(text))))
		if err != nil {
			if err != usermgmt.ErrUnauthenticated || actor != (usermgmt.Actor{}) {
				t.Fatalf("%s.%s: %v, %v", header, claims, actor, err)
			}
			return
		}
		require.Equal(t, genuine, actor)
		var head, says struct {
			Alg, Typ, Kid  string
			Iss, Sub, Sid  string
			Realm          string
			Aud            any
			Exp            json.Number
			Client         string `json:"client_id"`
			Jwk, Jku, Crit any
		}
		require.NoError(t, json.Unmarshal(header, &head))
		require.NoError(t, json.Unmarshal(claims, &says))
		require.Equal(t, []string{"EdDSA", "at+jwt", string(ada.ID), string(actor.SessionID()), "main", ""},
			[]string{head.Alg, head.Typ, says.Sub, says.Sid, says.Realm, says.Client})
		require.NotEmpty(t, says.Exp)
		require.NotNil(t, says.Aud)
	})
}

func parts(token string) (header, claims []byte) {
	segments := bytes.Split([]byte(token), []byte("."))
	header, _ = base64.RawURLEncoding.DecodeString(string(segments[0]))
	claims, _ = base64.RawURLEncoding.DecodeString(string(segments[1]))
	return header, claims
}

// FuzzSecret: of all texts the secret alone is accepted, be it an API key made
// here or brought along, a vendor's secret, an organization token, a one-time
// code or a refresh token; and none stands in for another.
func FuzzSecret(f *testing.F) {
	o := newOffice(f, func(opts *usermgmt.Options) { opts.Throttle.Off = true }) // the same text comes again and again
	p := o.partner("globex")
	made := p.opens(usermgmt.VendorUser{Email: "olga@globex.example"})
	org := made.Organization.ID
	brought := "a key of another system"
	_, own, err := o.m.CreateKey(f.Context(), org, usermgmt.NewKey{Name: "own", Role: usermgmt.RoleReader})
	require.NoError(f, err)
	_, _, err = o.m.CreateKey(f.Context(), org, usermgmt.NewKey{Name: "brought", Role: usermgmt.RoleReader, Secret: brought})
	require.NoError(f, err)
	code, err := p.m.CreateCode(f.Context(), made.Token)
	require.NoError(f, err)
	spent, err := p.m.CreateCode(f.Context(), made.Token)
	require.NoError(f, err)
	_, tokens, err := o.m.RedeemCode(f.Context(), spent.Code)
	require.NoError(f, err)

	kinds := []struct {
		name, secret string
		other        string // accepted too, and not to be tried
		refusal      error
		try          func(t *testing.T, text string) error
	}{
		{"own key", own, brought, usermgmt.ErrUnauthenticated, func(t *testing.T, text string) error {
			return second(o.m.AuthenticateKey(t.Context(), text))
		}},
		{"brought key", brought, own, usermgmt.ErrUnauthenticated, func(t *testing.T, text string) error {
			return second(o.m.AuthenticateKey(t.Context(), text))
		}},
		{"vendor's secret", secretOf("globex"), "", usermgmt.ErrUnauthenticated, func(t *testing.T, text string) error {
			return second(o.m.AuthenticateVendor(t.Context(), "globex", text))
		}},
		{"vendor's client id", "globex", "", usermgmt.ErrUnauthenticated, func(t *testing.T, text string) error {
			return second(o.m.AuthenticateVendor(t.Context(), text, secretOf("globex")))
		}},
		{"organization token", made.Token, "", usermgmt.ErrOrganizationToken, func(t *testing.T, text string) error {
			return second(p.m.CreateCode(t.Context(), text))
		}},
		{"code", code.Code, spent.Code, usermgmt.ErrUnauthenticated, func(t *testing.T, text string) error {
			_, _, err := o.m.RedeemCode(t.Context(), text)
			return err
		}},
		{"refresh token", tokens.RefreshToken, "", usermgmt.ErrUnauthenticated, func(t *testing.T, text string) error {
			return second(o.m.Refresh(t.Context(), text))
		}},
	}
	for i := range kinds {
		for _, k := range kinds {
			f.Add(uint8(i), k.secret, uint16(0), "")
			f.Add(uint8(i), k.secret+"\n", uint16(len(k.secret)-1), "A")
		}
		f.Add(uint8(i), "", uint16(4), "\n\r")
		f.Add(uint8(i), "\x00\xff", uint16(7), "\u212a")
	}
	f.Fuzz(func(t *testing.T, kind uint8, text string, at uint16, with string) {
		k := kinds[int(kind)%len(kinds)]
		for _, s := range []string{text, spoilt(k.secret, at, with)} {
			if s == k.secret || s == k.other {
				continue // some can be spent, and are needed on
			}
			if err := k.try(t, s); !errors.Is(err, k.refusal) {
				t.Fatalf("%s: %q: %v", k.name, s, err)
			}
		}
	})
}

// FuzzSigningKey: a text is no key, or one that is written in one form and read
// back as itself.
func FuzzSigningKey(f *testing.F) {
	key, err := usermgmt.GenerateSigningKey(bytes.NewReader(make([]byte, 32)))
	require.NoError(f, err)
	good, err := usermgmt.MarshalSigningKey(key)
	require.NoError(f, err)
	f.Add(good)
	f.Add(append(good, good...))
	f.Add(bytes.ReplaceAll(good, []byte("PRIVATE"), []byte("PUBLIC")))
	f.Add(append([]byte("words before it\n"), good...))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := usermgmt.ParseSigningKey(text)
		if err != nil {
			require.Empty(t, k.ID)
			return
		}
		form, err := usermgmt.MarshalSigningKey(k)
		require.NoError(t, err)
		again, err := usermgmt.ParseSigningKey(form)
		require.NoError(t, err)
		require.Equal(t, k, again)
		twice, err := usermgmt.MarshalSigningKey(again)
		require.NoError(t, err)
		require.Equal(t, form, twice)
	})
}
