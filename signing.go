package usermgmt

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"

	"github.com/golang-jwt/jwt/v5"
)

// SigningKey signs access tokens. The kind of the key fixes the algorithm;
// what a token says of it counts for nothing.
type SigningKey struct {
	// ID is the "kid" of the tokens, unique among the Manager's keys: 1 to 64
	// of [A-Za-z0-9._-].
	ID string
	// Key is an ed25519.PrivateKey (EdDSA), an *ecdsa.PrivateKey on P-256
	// (ES256), an *rsa.PrivateKey of 2048 to 8192 bits (RS256), or a []byte of
	// at least 32 random bytes (HS256). It must not be changed afterwards.
	Key any `json:"-"`
}

// Format prints the id alone, whatever the verb.
func (k SigningKey) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "SigningKey(%q)", k.ID) }

// LogValue is the id alone.
func (k SigningKey) LogValue() slog.Value { return slog.StringValue(k.ID) }

// GenerateSigningKey makes an Ed25519 key from 32 bytes of random, crypto/rand
// if nil. Its id is its thumbprint (RFC 7638, RFC 8037).
func GenerateSigningKey(random io.Reader) (SigningKey, error) {
	if random == nil {
		random = rand.Reader
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return SigningKey{}, fmt.Errorf("no random bytes for a signing key: %w", err)
	}
	return named(ed25519.NewKeyFromSeed(seed))
}

// pemPrivateKey is the type of a PEM block in PKCS #8 (RFC 7468).
const pemPrivateKey = "PRIVATE KEY"

// ParseSigningKey reads a private key as MarshalSigningKey writes it: one PEM
// block, PKCS #8, unencrypted. The key's id is its thumbprint. Errors never
// hold what was read.
func ParseSigningKey(text []byte) (SigningKey, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemPrivateKey || len(bytes.TrimSpace(rest)) > 0 {
		return SigningKey{}, errors.New("must be one PEM block of the type " + pemPrivateKey)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return SigningKey{}, errors.New("must be a private key in PKCS #8")
	}
	return named(key)
}

// MarshalSigningKey writes the key in PKCS #8 as a PEM block. The id is not
// written. HMAC keys have no such form.
func MarshalSigningKey(k SigningKey) ([]byte, error) {
	if _, ok := k.Key.([]byte); ok {
		return nil, errors.New("an HMAC key has no form in PKCS #8")
	}
	if _, err := newSigner(k); err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.Key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemPrivateKey, Bytes: der}), nil
}

// named makes a SigningKey of the private key, with its thumbprint for an id.
func named(key any) (SigningKey, error) {
	s, err := newSigner(SigningKey{ID: "thumbprint", Key: key})
	if err != nil {
		return SigningKey{}, err
	}
	return SigningKey{ID: s.jwk.thumbprint(), Key: key}, nil
}

// signer is a sound signing key with what its kind fixes.
type signer struct {
	id     string
	method jwt.SigningMethod
	// private signs and public verifies; they are the same for HMAC.
	private, public any
	// jwk is the public part; its Kty is empty for HMAC.
	jwk JWK
}

// Bounds of RSA keys in bits; more than the upper one costs too much to verify with.
const minRSA, maxRSA = 2048, 8192

// minHMAC is the least length of an HMAC key in bytes (RFC 7518, section 3.2).
const minHMAC = 32

func newSigner(k SigningKey) (*signer, error) {
	if err := checkKeyID(k.ID); err != nil {
		return nil, err
	}
	s := &signer{id: k.ID, private: k.Key}
	fault := func(reason string) error { return fmt.Errorf("signing key %q: %s", k.ID, reason) }
	switch key := k.Key.(type) {
	case ed25519.PrivateKey:
		if len(key) != ed25519.PrivateKeySize || !ed25519.NewKeyFromSeed(key.Seed()).Equal(key) {
			return nil, fault("must be a sound Ed25519 key")
		}
		public := key.Public().(ed25519.PublicKey)
		s.method, s.public = jwt.SigningMethodEdDSA, public
		s.jwk = JWK{Kty: "OKP", Crv: "Ed25519", X: base64URL(public)}
	case *ecdsa.PrivateKey:
		//lint:ignore SA1019 Bytes panics on a key that lacks its numbers
		if key == nil || key.Curve != elliptic.P256() || key.D == nil || key.X == nil || key.Y == nil {
			return nil, fault("must be a key on P-256")
		}
		raw, err := key.Bytes()
		if err != nil {
			return nil, fault("must be a sound key on P-256")
		}
		sound, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
		if err != nil || !sound.Equal(key) {
			return nil, fault("must be a sound key on P-256")
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			return nil, fault("must be a sound key on P-256")
		}
		s.method, s.public = jwt.SigningMethodES256, &key.PublicKey
		// An uncompressed point: a byte 4 and both coordinates.
		s.jwk = JWK{Kty: "EC", Crv: "P-256", X: base64URL(point[1:33]), Y: base64URL(point[33:])}
	case *rsa.PrivateKey:
		if key == nil || key.N == nil || key.N.BitLen() < minRSA || key.N.BitLen() > maxRSA {
			return nil, fault("must be an RSA key of 2048 to 8192 bits")
		}
		if err := key.Validate(); err != nil {
			return nil, fault("must be a sound RSA key")
		}
		s.method, s.public = jwt.SigningMethodRS256, &key.PublicKey
		s.jwk = JWK{Kty: "RSA", N: base64URL(key.N.Bytes()), E: base64URL(big.NewInt(int64(key.E)).Bytes())}
	case []byte:
		if len(key) < minHMAC {
			return nil, fault("must have at least 32 bytes")
		}
		if bytes.Count(key, key[:1]) == len(key) {
			return nil, fault("must be random")
		}
		own := bytes.Clone(key)
		s.method, s.private, s.public = jwt.SigningMethodHS256, own, own
	default:
		return nil, fault(fmt.Sprintf("must be an Ed25519, P-256, RSA or HMAC key, not %T", k.Key))
	}
	if s.jwk.Kty != "" {
		s.jwk.Kid, s.jwk.Use, s.jwk.Alg = s.id, "sig", s.method.Alg()
	}
	return s, nil
}

func checkKeyID(id string) error {
	if len(id) == 0 || len(id) > 64 {
		return errors.New("signing key: the id must have 1 to 64 bytes")
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return errors.New("signing key: the id may hold letters, digits, '.', '_' and '-' alone")
		}
	}
	return nil
}

// JWKS is a set of public keys in the form of RFC 7517.
type JWKS struct {
	// Keys is never nil, so that an empty set is "[]".
	Keys []JWK `json:"keys"`
}

// JWK is a public key: OKP (RFC 8037), EC or RSA (RFC 7518).
type JWK struct {
	Kty string `json:"kty"`
	Use string `json:"use"`
	Alg string `json:"alg"`
	Kid string `json:"kid"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
}

// JWKS returns the public keys that access tokens can be verified with, in the
// order of Options.SigningKeys. HMAC keys have no public part and are left out.
func (m *Manager) JWKS() JWKS {
	set := JWKS{Keys: []JWK{}}
	for _, s := range m.engine.tokens.signers {
		if s.jwk.Kty != "" {
			set.Keys = append(set.Keys, s.jwk)
		}
	}
	return set
}

// thumbprint is that of RFC 7638 with SHA-256: over the required members in
// the order of their names. It is empty for HMAC keys, which have none to publish.
func (k JWK) thumbprint() string {
	var text string
	switch k.Kty {
	case "OKP":
		text = fmt.Sprintf(`{"crv":%q,"kty":"OKP","x":%q}`, k.Crv, k.X)
	case "EC":
		text = fmt.Sprintf(`{"crv":%q,"kty":"EC","x":%q,"y":%q}`, k.Crv, k.X, k.Y)
	case "RSA":
		text = fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, k.E, k.N)
	default:
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return base64URL(sum[:])
}

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
