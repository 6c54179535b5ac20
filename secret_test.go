package usermgmt_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// recordedRandom is crypto/rand that remembers what it gave.
type recordedRandom struct {
	mu    sync.Mutex
	given bytes.Buffer
}

func (r *recordedRandom) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return io.TeeReader(rand.Reader, &r.given).Read(p)
}

// TestSecretsAreRandom: what is handed out as a secret is 256 bits of the
// source of randomness, each time anew, and an id is no secret.
func TestSecretsAreRandom(t *testing.T) {
	t.Parallel()
	random := &recordedRandom{}
	d := newDesk(t, func(o *usermgmt.Options) { o.Random, o.RedirectURL = random, "https://app.example/enter" })
	ctx := t.Context()
	ada := d.person(t, "ada")
	v, vendor, err := d.CreateVendor(ctx, usermgmt.NewVendor{Name: "OEM", Scopes: []string{usermgmt.ScopeVendorManage}})
	require.NoError(t, err)
	rotated, err := d.RotateVendorSecret(ctx, v.ID, 0)
	require.NoError(t, err)
	org, err := d.CreateOrganization(ctx, usermgmt.NewOrganization{Name: "Acme", Vendor: v.ID, VendorOrganizationID: "1", Owner: ada.ID})
	require.NoError(t, err)
	k, key, err := d.CreateKey(ctx, org.ID, usermgmt.NewKey{Name: "key", Role: usermgmt.RoleMember})
	require.NoError(t, err)
	_, member, err := d.CreateOrganizationToken(ctx, org.ID, ada.ID)
	require.NoError(t, err)
	oem := d.As(usermgmt.VendorActor(v.ID))
	code, err := oem.CreateCode(ctx, member)
	require.NoError(t, err)
	another, err := oem.CreateCode(ctx, member)
	require.NoError(t, err)
	tokens := d.signIn(t, "ada", passphrase)
	next, err := d.Refresh(ctx, tokens.RefreshToken)
	require.NoError(t, err)

	seen := map[string]bool{}
	for _, secret := range []string{vendor, rotated, key, member, code.Code, another.Code, tokens.RefreshToken, next.RefreshToken} {
		_, text, ok := strings.Cut(secret, "_")
		require.True(t, ok, secret)
		raw, err := base64.RawURLEncoding.DecodeString(text)
		require.NoError(t, err)
		require.Len(t, raw, 32)
		require.True(t, bytes.Contains(random.given.Bytes(), raw), "%s is of another source", secret)
		require.False(t, seen[text], "%s comes twice", secret)
		seen[text] = true
	}

	for _, id := range []string{string(ada.ID), string(v.ID), string(org.ID), string(k.ID), string(tokens.SessionID)} {
		for what, use := range map[string]func() error{
			"access token":       func() error { return second(d.Authenticate(ctx, id)) },
			"refresh token":      func() error { return second(d.Refresh(ctx, id)) },
			"API key":            func() error { return second(d.AuthenticateKey(ctx, id)) },
			"client secret":      func() error { return second(d.AuthenticateVendor(ctx, v.ClientID, id)) },
			"one-time code":      func() error { _, _, err := d.RedeemCode(ctx, id); return err },
			"organization token": func() error { return second(oem.CreateCode(ctx, id)) },
		} {
			err := use()
			if what == "organization token" {
				require.ErrorIs(t, err, usermgmt.ErrOrganizationToken)
				continue
			}
			require.ErrorIs(t, err, usermgmt.ErrUnauthenticated, "%s as %s", id, what)
		}
	}
}
