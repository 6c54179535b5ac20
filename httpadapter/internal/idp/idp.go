// Package idp verifies access tokens that an identity provider issued, by the
// key set that it publishes.
//
//	v, err := idp.New(idp.Config{Issuer: …, Audience: …, Algorithm: "RS256", KeysURL: …})
//	claims, mine, err := v.Verify(ctx, token)
//
// Issuer, audience and algorithm are fixed by configuration; what a token says of
// its algorithm and keys counts for nothing (RFC 8725).
package idp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// leeway is what clocks may differ by.
const leeway = 30 * time.Second

// ErrRefused: the token is the provider's by its own word, and is not accepted.
var ErrRefused = errors.New("the token is not accepted")

// Config is a provider; all but Client and Now are required.
type Config struct {
	Issuer, Audience string
	// Algorithm is the one JWS algorithm of its tokens, an asymmetric one.
	Algorithm string
	// KeysURL is its JWKS: https, or http on a loopback address.
	KeysURL string
	Client  *http.Client
	Now     func() time.Time
}

// algorithms are those that a provider may sign by.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// Claims are what a verified token says.
type Claims struct {
	Subject             string
	IssuedAt, ExpiresAt time.Time
	// All is the token's payload.
	All json.RawMessage
}

// Verifier verifies one provider's tokens. It is safe for concurrent use.
type Verifier struct {
	config Config
	keys   *keySet
}

// New fails on a Config that leaves something open.
func New(c Config) (*Verifier, error) {
	switch {
	case c.Issuer == "":
		return nil, errors.New("the issuer is missing")
	case c.Audience == "":
		return nil, errors.New("the audience is missing")
	case !slices.Contains(algorithms, jose.SignatureAlgorithm(c.Algorithm)):
		return nil, fmt.Errorf("%q is no asymmetric signature algorithm", c.Algorithm)
	}
	if err := checkURL(c.KeysURL); err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Verifier{config: c, keys: newKeySet(c)}, nil
}

func checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return fmt.Errorf("the URL of the keys, %q, is malformed", raw)
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return fmt.Errorf("the URL of the keys, %q, must be https", raw)
	}
	return nil
}

// Verify returns what the token says, and whether it is one that names this
// provider as its issuer. Then everything that is wrong with it is ErrRefused,
// with the reason for the log; another error means that the keys could not be had.
func (v *Verifier) Verify(ctx context.Context, token string) (claims Claims, mine bool, err error) {
	if issuer(token) != v.config.Issuer {
		return Claims{}, false, nil
	}
	claims, err = v.verify(ctx, token)
	return claims, true, err
}

// issuer is what an unverified token says of where it is from.
func issuer(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var c struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(payload, &c) != nil {
		return ""
	}
	return c.Issuer
}

func (v *Verifier) verify(ctx context.Context, token string) (Claims, error) {
	if err := checkSpelling(token); err != nil {
		return Claims{}, refused(err)
	}
	t, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(v.config.Algorithm)})
	if err != nil {
		return Claims{}, refused(err)
	}
	if err := checkHeader(token); err != nil {
		return Claims{}, refused(err)
	}
	key, err := v.keys.find(ctx, t.Headers[0].KeyID)
	if err != nil {
		return Claims{}, err
	}
	var standard jwt.Claims
	var all json.RawMessage
	if err := t.Claims(key, &standard, &all); err != nil {
		return Claims{}, refused(err)
	}
	now := v.config.Now()
	switch {
	case standard.Expiry == nil:
		return Claims{}, refused(errors.New("exp is missing"))
	case standard.IssuedAt == nil:
		return Claims{}, refused(errors.New("iat is missing"))
	case standard.Subject == "":
		return Claims{}, refused(errors.New("sub is missing"))
	}
	expected := jwt.Expected{Issuer: v.config.Issuer, AnyAudience: jwt.Audience{v.config.Audience}, Time: now}
	if err := standard.ValidateWithLeeway(expected, leeway); err != nil {
		return Claims{}, refused(err)
	}
	return Claims{
		Subject: standard.Subject, IssuedAt: standard.IssuedAt.Time(), ExpiresAt: standard.Expiry.Time(), All: all,
	}, nil
}

// checkSpelling refuses what decodes to a token and is spelled in another way:
// with line breaks, or with bits behind the last byte of a part.
func checkSpelling(token string) error {
	for part := range strings.SplitSeq(token, ".") {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return errors.New("its parts are not spelled as they must be")
		}
	}
	return nil
}

// checkHeader refuses tokens that bring or name keys of their own, those that
// ask for what we do not know, and those that are of another kind.
func checkHeader(token string) error {
	text, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	var header map[string]any
	if err := json.Unmarshal(raw, &header); err != nil {
		return err
	}
	for _, name := range []string{"jwk", "jku", "x5c", "x5u", "crit"} {
		if _, ok := header[name]; ok {
			return fmt.Errorf("its header has %s", name)
		}
	}
	typ, given := header["typ"]
	if !given {
		return nil
	}
	kind, _ := typ.(string)
	switch strings.ToLower(kind) {
	case "jwt", "at+jwt", "application/at+jwt":
		return nil
	}
	return errors.New("it is no access token")
}

func refused(cause error) error { return fmt.Errorf("%w: %w", ErrRefused, cause) }
