package usermgmt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// codePrefix begins one-time codes.
const codePrefix = "umc_"

// maxCodeTTL bounds Options.CodeTTL: a code stands in a URL, which leaves traces
// (OWASP ASVS 5.0, 6.5.5 has 10 minutes for what is sent to a person).
const maxCodeTTL = 15 * time.Minute

// Code signs one user in to one organization, once. It is a secret: printing,
// logging or JSON-encoding the struct leaves it out.
type Code struct {
	// Code is what [Manager.RedeemCode] takes.
	Code string `json:"-"`
	// RedirectURL is Options.RedirectURL with the code as its query parameter "code".
	RedirectURL string `json:"-"`
	// ExpiresAt is the first moment at which the code no longer works.
	ExpiresAt time.Time
}

// Format prints all but the secret, whatever the verb.
func (c Code) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "Code(until %s)", c.ExpiresAt.Format(time.RFC3339))
}

// LogValue is all but the secret.
func (c Code) LogValue() slog.Value {
	return slog.GroupValue(slog.Time("until", c.ExpiresAt))
}

// CreateCode returns a one-time code for the user and organization of an
// organization token, which must be the acting vendor's. It works for
// Options.CodeTTL, once. A disabled user's token is [ErrOrganizationToken] like
// any that is not valid.
func (m *Manager) CreateCode(ctx context.Context, organizationToken string) (Code, error) {
	secret, err := m.newSecret(codePrefix)
	if err != nil {
		return Code{}, err
	}
	target, err := redirect(m.opts.RedirectURL, secret)
	if err != nil {
		return Code{}, err
	}
	c := Code{Code: secret, RedirectURL: target}
	err = m.update(ctx, func(g *guard) error {
		t, err := g.organizationToken(ctx, organizationToken)
		if err != nil {
			return err
		}
		u, err := g.r.User(ctx, t.UserID)
		if err != nil {
			return err
		}
		if u.Disabled {
			return ErrOrganizationToken
		}
		now := g.m.now()
		c.ExpiresAt = store.Micro(now.Add(m.opts.CodeTTL))
		err = g.tx.CreateToken(ctx, store.Token{
			Digest: secretDigest(secret), Kind: store.TokenCode, UserID: t.UserID, OrganizationID: t.OrganizationID,
			CreatedAt: now, ExpiresAt: c.ExpiresAt,
		})
		if err != nil {
			return err
		}
		return g.record(ctx, Event{Action: "code.created", Object: "user:" + string(t.UserID), OrganizationID: t.OrganizationID})
	})
	if err != nil {
		return Code{}, err
	}
	return c, nil
}

// checkRedirect requires an absolute http(s) URL.
func checkRedirect(base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return invalid("RedirectURL", "must be an absolute http(s) URL")
	}
	return nil
}

// redirect appends the code to the base. What the base says stays as it is.
func redirect(base, code string) (string, error) {
	if base == "" {
		return "", errors.New("usermgmt: Options.RedirectURL is required for one-time codes")
	}
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "code=" + url.QueryEscape(code)
	return u.String(), nil
}

// RedeemCode spends a one-time code. It opens a session and returns the user
// as an actor confined to the organization (see [Actor.Confined]), and the
// session's tokens, which are confined likewise. Of any number of callers with
// the same code exactly one succeeds; for the others it is [ErrUsed]. A code
// that is unknown or expired, or whose user, membership or vendor has ended or
// is disabled, is [ErrUnauthenticated], and a [*ThrottledError] from an address
// with too many of them; a good one always passes. Whose authority the Manager acts under
// plays no part.
func (m *Manager) RedeemCode(ctx context.Context, code string) (Actor, Tokens, error) {
	if !isSecret(code, codePrefix) {
		return Actor{}, Tokens{}, m.refuse(ctx, slog.LevelInfo, "code.refused", slog.String("cause", "it is no code"))
	}
	refresh, err := m.newSecret(refreshPrefix)
	if err != nil {
		return Actor{}, Tokens{}, err
	}
	var s store.Session
	var t store.Token
	err = m.store.Update(ctx, m.realm, func(tx store.Tx) error {
		now := m.now()
		var err error
		if t, err = tx.UseToken(ctx, store.TokenCode, secretDigest(code), now); err != nil {
			return err
		}
		if ended(t.ExpiresAt, now) {
			return ErrNotFound
		}
		if err := vendorLives(ctx, tx, t.OrganizationID); err != nil {
			return err
		}
		g := m.As(UserActor(t.UserID).Confined(t.OrganizationID)).guarding(tx)
		if s, err = g.createSession(ctx, t.UserID, t.OrganizationID, false); err != nil {
			return err
		}
		return g.createRefresh(ctx, s, refresh)
	})
	who := []slog.Attr{slog.String("user", string(t.UserID)), slog.String("organization", string(t.OrganizationID))}
	switch {
	case errors.Is(err, ErrNotFound) && t.UserID == "":
		return Actor{}, Tokens{}, m.fail(ctx, "code", "it is unknown", m.addressTally(ofSecrets))
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrUnauthenticated):
		return Actor{}, Tokens{}, m.fail(ctx, "code", "it has ended, or what it is for", m.addressTally(ofSecrets), who...)
	case errors.Is(err, ErrUsed):
		_ = m.refuse(ctx, slog.LevelWarn, "code.reused", append(who, slog.String("cause", "it was used before"))...)
		return Actor{}, Tokens{}, ErrUsed
	case err != nil:
		return Actor{}, Tokens{}, err
	}
	tokens, err := m.issue(s, refresh)
	if err != nil {
		return Actor{}, Tokens{}, err
	}
	a := UserActor(s.UserID).Confined(s.OrganizationID)
	a.session = s.ID
	return a, tokens, nil
}

// vendorLives requires that the organization's vendor, if it has one, may
// still manage it: what he opened ends with his right.
func vendorLives(ctx context.Context, r store.Reader, org OrganizationID) error {
	o, err := r.Organization(ctx, org)
	if err != nil {
		return err
	}
	if o.VendorID == "" {
		return nil
	}
	v, err := r.Vendor(ctx, o.VendorID)
	if err == nil && (v.Disabled || !slices.Contains(v.Scopes, ScopeVendorManage)) {
		return ErrNotFound
	}
	return err
}
