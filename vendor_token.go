package usermgmt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/usermgmt-go/usermgmt/store"
)

// ClientToken is an access token of a vendor. It is a secret: printing or
// JSON-encoding the struct leaves it out.
type ClientToken struct {
	AccessToken string `json:"-"`
	// ExpiresIn is how long it is good for.
	ExpiresIn time.Duration
	// Scopes are those that it holds.
	Scopes []string
}

// Format prints all but the secret, whatever the verb.
func (t ClientToken) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "ClientToken(%q)", t.Scopes) }

// VendorToken returns an access token for the vendor with the client id and
// secret: the client credentials grant of RFC 6749, section 4.4. It holds the
// scopes that are named, or all of his. Refusals are those of
// [Manager.AuthenticateVendor]. The token ends with the vendor, when he is
// disabled, and with the secret that it was given for, at the next use.
func (m *Manager) VendorToken(ctx context.Context, clientID, secret string, scopes ...string) (ClientToken, error) {
	v, right, err := m.vendorOf(ctx, clientID, secret, scopes)
	if err != nil {
		return ClientToken{}, err
	}
	if len(scopes) == 0 {
		scopes = v.Scopes
	}
	t := ClientToken{ExpiresIn: m.opts.AccessTokenTTL, Scopes: slices.Clone(scopes)}
	t.AccessToken, err = m.sign(&claims{
		RegisteredClaims: jwt.RegisteredClaims{Subject: VendorActor(v.ID).String()},
		Client:           v.ClientID,
		Scope:            strings.Join(scopes, " "),
		Secret:           right.CreatedAt.UnixMicro(),
	}, t.ExpiresIn)
	if err == nil { // there is no session whose event would tell
		m.log(ctx, slog.LevelInfo, "vendor.signed-in", slog.String("vendor", string(v.ID)))
	}
	return t, err
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
			return !ended(s.ExpiresAt, m.now()) && s.CreatedAt.UnixMicro() == a.secret
		})
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Actor{}, err
	}
	if err != nil || v.Disabled || !live {
		return Actor{}, m.refuse(ctx, slog.LevelInfo, "token.refused",
			slog.String("cause", "the vendor or his secret has ended"), slog.String("vendor", string(a.client)))
	}
	actor := VendorActor(v.ID)
	actor.scopes = a.scope
	if a.scope == "" {
		actor.scopes = "-" // a vendor without scopes holds none
	}
	return actor, nil
}
