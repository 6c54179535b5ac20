package idp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// FuzzVerify: of all texts only those are accepted that the provider's key has
// signed, in the one spelling that they have. A token is malleable in its
// signature alone, as ECDSA has it.
func FuzzVerify(f *testing.F) {
	p, keys := newProvider(f, "a")
	v := p.verifier(f)
	good := sign(f, jose.ES256, keys["a"], kid("a"), p.claims(nil))
	_, mine, err := v.Verify(f.Context(), good)
	require.NoError(f, err)
	require.True(f, mine)
	signedPart := good[:strings.LastIndexByte(good, '.')]
	for _, s := range []string{"", "..", good, good + "=", good[:len(good)-1], good + ".", strings.ToUpper(good), " " + good, good + "\n"} {
		f.Add(s, uint16(0), "")
	}
	f.Add("", uint16(strings.IndexByte(good, '.')-1), "X") // another spelling of the same header
	for i := range 8 {
		f.Add("", uint16(i*50), "A")
		f.Add("", uint16(i*50), "\n")
	}
	f.Fuzz(func(t *testing.T, text string, at uint16, with string) {
		i := int(at) % (len(good) + 1)
		for _, token := range []string{text, good[:i] + with + good[min(len(good), i+len(with)):]} {
			c, mine, err := v.Verify(t.Context(), token)
			switch {
			case err == nil && mine:
				if !strings.HasPrefix(token, signedPart+".") || !sound(keys["a"], token) || c.Subject != "ada" {
					t.Fatalf("Verify(%q) = %+v", token, c)
				}
			case err != nil && (!mine || !errors.Is(err, ErrRefused)), c.Subject != "":
				t.Fatalf("Verify(%q) = %+v, %t, %v", token, c, mine, err)
			}
		}
	})
}

// sound verifies a token by crypto/ecdsa alone.
func sound(key *ecdsa.PrivateKey, token string) bool {
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.Strict().DecodeString(token[dot+1:])
	if err != nil || len(signature) != 64 {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	digest := sha256.Sum256([]byte(token[:dot]))
	return ecdsa.Verify(&key.PublicKey, digest[:], r, s)
}

// FuzzKeys: any text is refused as a key set, or gives public keys on the curve
// that the algorithm has, of which each is in the text.
func FuzzKeys(f *testing.F) {
	p, _ := newProvider(f, "a", "b")
	set, err := json.Marshal(p.set)
	require.NoError(f, err)
	f.Add(set)
	for _, s := range []string{
		`{}`, `{"keys":null}`, `{"keys":[null,1,"x",{}]}`, `{"keys":[{"kty":"oct","k":"AAAA"}]}`, `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`,
		`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`, `{"keys":[{"kty":"OKP","crv":"Ed25519","x":""}]}`, `{"keys":` + strings.Repeat("[", 40),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, algorithm := range algorithms {
			keys, err := parseKeys(text, string(algorithm))
			if err != nil {
				require.Empty(t, keys)
				continue
			}
			var there struct{ Keys []json.RawMessage }
			require.NoError(t, json.Unmarshal(text, &there))
			require.LessOrEqual(t, len(keys), len(there.Keys))
			for _, k := range keys {
				require.True(t, k.IsPublic())
				if point, ok := k.Key.(*ecdsa.PublicKey); ok && algorithm == jose.ES256 {
					_, err := point.Bytes() // fails for a point that is not on the curve
					require.NoError(t, err)
					require.Equal(t, elliptic.P256(), point.Curve)
				}
			}
		}
	})
}
