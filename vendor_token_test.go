package usermgmt_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

func TestVendorToken(t *testing.T) {
	t.Parallel()
	setUp := func(t *testing.T) (*desk, usermgmt.Vendor, string, string) {
		d := newDesk(t)
		v, secret, err := d.CreateVendor(t.Context(), usermgmt.NewVendor{Name: "Globex", ClientID: "globex", Scopes: []string{usermgmt.ScopeVendorManage}})
		require.NoError(t, err)
		token, ttl, err := d.VendorToken(t.Context(), "globex", secret, usermgmt.ScopeVendorManage)
		require.NoError(t, err)
		require.Equal(t, 10*time.Minute, ttl)
		return d, v, secret, token
	}
	t.Run("authenticates the vendor, and nobody else", func(t *testing.T) {
		t.Parallel()
		d, v, _, token := setUp(t)
		a, err := d.Authenticate(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, usermgmt.VendorActor(v.ID), a)
		_, err = d.Realm("other").Authenticate(t.Context(), token)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
		d.clock.Advance(10*time.Minute + time.Second)
		require.False(t, alive(t, d.Manager, token))
	})
	t.Run("refuses what AuthenticateVendor refuses", func(t *testing.T) {
		t.Parallel()
		d, _, secret, _ := setUp(t)
		_, _, err := d.VendorToken(t.Context(), "globex", secret+"x")
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
		_, _, err = d.VendorToken(t.Context(), "nobody", secret)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
		_, _, err = d.VendorToken(t.Context(), "globex", secret, "everything")
		require.ErrorIs(t, err, usermgmt.ErrInvalid)
	})
	t.Run("ends with the vendor and with its secret", func(t *testing.T) {
		t.Parallel()
		for name, end := range map[string]func(*desk, usermgmt.Vendor) error{
			"disabled": func(d *desk, v usermgmt.Vendor) error {
				return second(d.UpdateVendor(t.Context(), v.ID, usermgmt.VendorUpdate{Disabled: new(true)}))
			},
			"deleted": func(d *desk, v usermgmt.Vendor) error { return d.DeleteVendor(t.Context(), v.ID) },
			"secret rotated": func(d *desk, v usermgmt.Vendor) error {
				return second(d.RotateVendorSecret(t.Context(), v.ID, 0))
			},
			"overlap over": func(d *desk, v usermgmt.Vendor) error {
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
