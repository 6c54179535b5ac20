package usermgmt_test

import (
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
