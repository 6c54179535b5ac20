package usermgmt_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

func TestVendorToken(t *testing.T) {
	t.Parallel()
	setUp := func(t *testing.T) (*desk, usermgmt.Vendor, string, string) {
		d := newDesk(t)
		v, secret, err := d.CreateVendor(t.Context(), usermgmt.NewVendor{Name: "Globex", ClientID: "globex", Scopes: []string{usermgmt.ScopeVendorManage, "reports"}})
		require.NoError(t, err)
		token, err := d.VendorToken(t.Context(), "globex", secret, usermgmt.ScopeVendorManage)
		require.NoError(t, err)
		require.Equal(t, 10*time.Minute, token.ExpiresIn)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", token, token, token), token.AccessToken)
		return d, v, secret, token.AccessToken
	}
	t.Run("authenticates the vendor, and nobody else", func(t *testing.T) {
		t.Parallel()
		d, v, _, token := setUp(t)
		a, err := d.Authenticate(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, v.ID, a.VendorID())
		_, err = d.Realm("other").Authenticate(t.Context(), token)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
		d.clock.Advance(10*time.Minute + time.Second)
		require.False(t, alive(t, d.Manager, token))
	})
	t.Run("refuses what AuthenticateVendor refuses", func(t *testing.T) {
		t.Parallel()
		d, _, secret, _ := setUp(t)
		_, err := d.VendorToken(t.Context(), "globex", secret+"x")
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
		_, err = d.VendorToken(t.Context(), "nobody", secret)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
		_, err = d.VendorToken(t.Context(), "globex", secret, "everything")
		require.ErrorIs(t, err, usermgmt.ErrInvalid)
	})
	t.Run("holds the scopes that were asked for, and no more", func(t *testing.T) {
		t.Parallel()
		d, _, secret, _ := setUp(t)
		for i, c := range []struct {
			asked, held []string
			manages     bool
		}{
			{[]string{"reports"}, []string{"reports"}, false},
			{[]string{"reports", usermgmt.ScopeVendorManage}, []string{"reports", usermgmt.ScopeVendorManage}, true},
			{nil, []string{"reports", usermgmt.ScopeVendorManage}, true},
		} {
			token, err := d.VendorToken(t.Context(), "globex", secret, c.asked...)
			require.NoError(t, err)
			require.Equal(t, c.held, token.Scopes)
			a, err := d.Authenticate(t.Context(), token.AccessToken)
			require.NoError(t, err)
			n := usermgmt.VendorUser{Email: "a@acme.example", VendorOrganizationID: fmt.Sprint(i)}
			_, err = d.As(a).ProvisionOrganization(t.Context(), "A", n)
			require.Equal(t, c.manages, err == nil, "%v: %v", c.asked, err)
			a, err = d.AuthenticateVendor(t.Context(), "globex", secret, c.asked...)
			require.NoError(t, err)
			n.VendorOrganizationID += "b"
			_, err = d.As(a).ProvisionOrganization(t.Context(), "A", n)
			require.Equal(t, c.manages, err == nil, "%v: %v", c.asked, err)
		}
	})
	t.Run("without a scope, gains none that the vendor is given later", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		v, secret, err := d.CreateVendor(t.Context(), usermgmt.NewVendor{Name: "Initech", ClientID: "initech"})
		require.NoError(t, err)
		token, err := d.VendorToken(t.Context(), "initech", secret)
		require.NoError(t, err)
		require.Empty(t, token.Scopes)
		_, err = d.UpdateVendor(t.Context(), v.ID, usermgmt.VendorUpdate{Scopes: &[]string{usermgmt.ScopeVendorManage}})
		require.NoError(t, err)
		a, err := d.Authenticate(t.Context(), token.AccessToken)
		require.NoError(t, err)
		_, err = d.As(a).ProvisionOrganization(t.Context(), "A", usermgmt.VendorUser{Email: "a@acme.example"})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
	})
	t.Run("ends with the vendor and with its secret", func(t *testing.T) {
		t.Parallel()
		for name, end := range map[string]func(*desk, usermgmt.Vendor) error{
			"disabled": func(d *desk, v usermgmt.Vendor) error {
				return second(d.UpdateVendor(t.Context(), v.ID, usermgmt.VendorUpdate{Disabled: new(true)}))
			},
			"deleted": func(d *desk, v usermgmt.Vendor) error { return d.DeleteVendor(t.Context(), v.ID) },
			"secret rotated": func(d *desk, v usermgmt.Vendor) error {
				d.clock.Advance(time.Second)
				return second(d.RotateVendorSecret(t.Context(), v.ID, 0))
			},
			"overlap over": func(d *desk, v usermgmt.Vendor) error {
				d.clock.Advance(time.Second)
				_, err := d.RotateVendorSecret(t.Context(), v.ID, time.Minute)
				d.clock.Advance(time.Minute)
				return err
			},
		} {
			d, v, _, token := setUp(t)
			require.True(t, alive(t, d.Manager, token))
			require.NoError(t, end(d, v), name)
			require.False(t, alive(t, d.Manager, token), name)
		}
	})
	t.Run("a new secret leaves the tokens of the one that overlaps", func(t *testing.T) {
		t.Parallel()
		d, v, _, token := setUp(t)
		_, err := d.RotateVendorSecret(t.Context(), v.ID, time.Hour)
		require.NoError(t, err)
		require.True(t, alive(t, d.Manager, token))
	})
}

// TestVendorTokenOfSecretsOfOneMoment: what a Snapshot states to have been made
// at the same moment, or is applied at the same one, are two secrets all the same: a
// token ends with its own.
func TestVendorTokenOfSecretsOfOneMoment(t *testing.T) {
	t.Parallel()
	const older, newer = "the older secret", "the newer secret"
	digest := func(d *desk, secret string) usermgmt.SecretDigest {
		sum := sha256.Sum256([]byte(secret))
		return usermgmt.SecretDigest{SHA256: hex.EncodeToString(sum[:]), CreatedAt: d.clock.Now()}
	}
	for name, states := range map[string]func(d *desk) []usermgmt.SnapshotVendor{
		"digests": func(d *desk) []usermgmt.SnapshotVendor {
			return []usermgmt.SnapshotVendor{{ClientSecretDigests: []usermgmt.SecretDigest{digest(d, older), digest(d, newer)}}}
		},
		"digests that come one by one": func(d *desk) []usermgmt.SnapshotVendor {
			return []usermgmt.SnapshotVendor{
				{ClientSecretDigests: []usermgmt.SecretDigest{digest(d, older)}},
				{ClientSecretDigests: []usermgmt.SecretDigest{digest(d, newer)}},
			}
		},
		"a digest and plain text": func(d *desk) []usermgmt.SnapshotVendor {
			return []usermgmt.SnapshotVendor{{ClientSecretDigests: []usermgmt.SecretDigest{digest(d, older)}, ClientSecret: newer}}
		},
		"plain text": func(*desk) []usermgmt.SnapshotVendor {
			return []usermgmt.SnapshotVendor{{ClientSecret: older}, {ClientSecret: newer}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			ctx := t.Context()
			for _, v := range states(d) {
				v.ID, v.ClientID, v.Scopes = "oem", "oem", []string{usermgmt.ScopeVendorManage}
				require.NoError(t, d.Apply(ctx, usermgmt.Snapshot{Vendors: []usermgmt.SnapshotVendor{v}}))
				require.NoError(t, d.Apply(ctx, usermgmt.Snapshot{Vendors: []usermgmt.SnapshotVendor{v}}), "and changes nothing")
			}
			first, err := d.VendorToken(ctx, "oem", older)
			require.NoError(t, err)
			second, err := d.VendorToken(ctx, "oem", newer)
			require.NoError(t, err)
			for _, token := range []usermgmt.ClientToken{first, second} {
				require.True(t, alive(t, d.Manager, token.AccessToken))
			}
			_, err = d.RotateVendorSecret(ctx, "oem", time.Hour)
			require.NoError(t, err)
			require.False(t, alive(t, d.Manager, first.AccessToken), "its secret has ended")
			require.True(t, alive(t, d.Manager, second.AccessToken), "its secret goes on for the overlap")
		})
	}
}
