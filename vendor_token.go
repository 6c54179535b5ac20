package usermgmt

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/usermgmt-go/usermgmt/store"
)

// VendorToken returns an access token for the vendor with the client id and
// secret, and how long it is good for: the client credentials grant of RFC 6749,
// section 4.4. Refusals are those of [Manager.AuthenticateVendor]. The token
// ends with the vendor, when he is disabled, and with the secret that it was
// given for, at the next use.
func (m *Manager) VendorToken(ctx context.Context, clientID, secret string, scopes ...string) (string, time.Duration, error) {
	actor, err := m.AuthenticateVendor(ctx, clientID, secret, scopes...)
	if err != nil {
		return "", 0, err
	}
	ttl := m.opts.AccessTokenTTL
	token, err := m.sign(&claims{
		RegisteredClaims: jwt.RegisteredClaims{Subject: actor.String()},
		Client:           actor.VendorID(),
		Secret:           fingerprint(secretDigest(secret)),
	}, ttl)
	return token, ttl, err
}

// fingerprint says which of a vendor's secrets a token was given for, and
// nothing of the secret or of what is stored.
func fingerprint(d store.Digest) string {
	f := sha256.Sum256(append([]byte("secret of a token\x00"), d[:]...))
	return base64.RawURLEncoding.EncodeToString(f[:16])
}

// authenticateVendor returns the vendor whose verified access token it is, if
// he and the secret that it was given for still work.
func (m *Manager) authenticateVendor(ctx context.Context, a access) (Actor, error) {
	var v store.Vendor
	var live bool
	err := m.store.View(ctx, m.realm, func(r store.Reader) error {
		var err error
		if v, err = r.Vendor(ctx, a.client); err != nil {
			return err
		}
		secrets, err := r.VendorSecrets(ctx, a.client)
		live = slices.ContainsFunc(secrets, func(s store.VendorSecret) bool {
			return !ended(s.ExpiresAt, m.now()) && fingerprint(s.Digest) == a.secret
		})
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Actor{}, err
	}
	if err != nil || v.Disabled || !live {
		return Actor{}, m.refuse(ctx, slog.LevelDebug, "token.refused", slog.String("cause", "the vendor or his secret has ended"))
	}
	return VendorActor(v.ID), nil
}
