package usermgmt_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// TestOnlyEnablingEnables: nothing that befalls a disabled user lets him in
// again but enabling him.
func TestOnlyEnablingEnables(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *usermgmt.Options) {
		o.RedirectURL = "https://app.example/enter"
		o.Throttle.Off = true // so that each attempt is looked at
	})
	ctx := t.Context()
	ada, owner := d.person(t, "ada"), d.person(t, "owner")
	v, _, err := d.CreateVendor(ctx, usermgmt.NewVendor{Name: "OEM", Scopes: []string{usermgmt.ScopeVendorManage}})
	require.NoError(t, err)
	org, err := d.CreateOrganization(ctx, usermgmt.NewOrganization{Name: "Acme", Vendor: v.ID, VendorOrganizationID: "1", Owner: owner.ID})
	require.NoError(t, err)
	tokens := d.signIn(t, "ada", passphrase)
	require.NoError(t, d.DisableUser(ctx, ada.ID))
	password := passphrase
	for what, act := range map[string]func() error{
		"nothing":          func() error { return nil },
		"sign-in":          func() error { _, _ = d.SignIn(ctx, "ada", passphrase); return nil },
		"refresh":          func() error { _, _ = d.Refresh(ctx, tokens.RefreshToken); return nil },
		"change":           func() error { _, _ = d.acting(ada).ChangePassword(ctx, passphrase, "brass lantern 12"); return nil },
		"a reset":          func() error { password = "brass lantern 13"; return d.ResetPassword(ctx, ada.ID, password) },
		"a new password":   func() error { password = "brass lantern 14"; return d.SetPassword(ctx, ada.ID, password) },
		"a hash":           func() error { return d.ImportPasswordHash(ctx, ada.ID, argon2id(t, password)) },
		"a new name":       func() error { return second(d.UpdateUser(ctx, ada.ID, usermgmt.UserUpdate{FirstName: new("Ada")})) },
		"a role":           func() error { return d.GrantRoles(ctx, ada.ID, at(usermgmt.RoleFulfiller, "F1")) },
		"a membership":     func() error { return second(d.AddMember(ctx, org.ID, usermgmt.NewMember{User: ada.ID})) },
		"the end of it":    func() error { _ = d.RemoveMember(ctx, org.ID, ada.ID); return nil },
		"ended sessions":   func() error { return second(d.EndSessions(ctx, ada.ID)) },
		"a sweep":          func() error { return second(d.Sweep(ctx, 100)) },
		"a backup applied": func() error { s, err := d.Export(ctx); require.NoError(t, err); return d.Apply(ctx, s) },
	} {
		require.NoError(t, act(), what)
		_, err := d.SignIn(ctx, "ada", password)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated, what)
		require.False(t, alive(t, d.Manager, tokens.AccessToken), what)
		u, err := d.User(ctx, ada.ID)
		require.NoError(t, err)
		require.True(t, u.Disabled, what)
	}
	require.NoError(t, d.EnableUser(ctx, ada.ID))
	d.signIn(t, "ada", password)
	require.False(t, alive(t, d.Manager, tokens.AccessToken), "what was revoked stays so")
}
