package usermgmt_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// vendor creates a vendor who may manage organizations, under his client id as id.
func (o *office) vendor(clientID string) usermgmt.VendorID {
	o.t.Helper()
	v, _, err := o.m.CreateVendor(o.t.Context(), usermgmt.NewVendor{
		ID: usermgmt.VendorID(clientID), Name: "Vendor " + clientID, Secret: secretOf(clientID), Scopes: []string{usermgmt.ScopeVendorManage},
	})
	require.NoError(o.t, err)
	return v.ID
}

func secretOf(clientID string) string { return "the long secret of " + clientID }

func TestCreateVendor(t *testing.T) {
	t.Parallel()

	t.Run("its secret is shown once and authenticates", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		v, secret, err := o.m.CreateVendor(t.Context(), usermgmt.NewVendor{Name: "Globex", ClientID: "globex", Scopes: []string{"b", "a", "b"}})
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(secret, "umv_"))
		require.Equal(t, []string{"a", "b"}, v.Scopes)
		actor, err := o.m.AuthenticateVendor(t.Context(), "globex", secret)
		require.NoError(t, err)
		require.Equal(t, usermgmt.VendorActor(v.ID), actor)
		stored, err := o.m.VendorByClientID(t.Context(), "globex")
		require.NoError(t, err)
		require.Equal(t, v, stored)
		require.Equal(t, []string{"host vendor.created vendor:" + string(v.ID) + " "}, o.log())
	})

	t.Run("needs all that a vendor can obtain", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.vendor("globex")
		o.person("root", realmAdmin)
		o.person("vera", o.realmRole("vendors", "vendors.*"))
		n := usermgmt.NewVendor{Name: "X", ClientID: "x"}
		vera := o.as("vera")
		_, _, err := vera.CreateVendor(t.Context(), n)
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = vera.RotateVendorSecret(t.Context(), "globex", 0)
		require.ErrorIs(t, err, usermgmt.ErrForbidden, "who gets a secret can act as the vendor")
		_, err = vera.UpdateVendor(t.Context(), "globex", usermgmt.VendorUpdate{Scopes: &[]string{"x"}})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = vera.UpdateVendor(t.Context(), "globex", usermgmt.VendorUpdate{Disabled: new(true), Name: new("N")})
		require.NoError(t, err)
		_, err = vera.UpdateVendor(t.Context(), "globex", usermgmt.VendorUpdate{Disabled: new(false)})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, _, err = o.as("root").CreateVendor(t.Context(), n)
		require.NoError(t, err)
	})

	t.Run("and vendors.add", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.vendor("globex")
		o.person("most", o.realmRole("most", "users.*", "organizations.*", "members.*", "keys.*", "sessions.*", "events.*", "roles.*"))
		most := o.as("most")
		_, _, err := most.CreateVendor(t.Context(), usermgmt.NewVendor{Name: "X"})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = most.UpdateVendor(t.Context(), "globex", usermgmt.VendorUpdate{Name: new("N")})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = most.RotateVendorSecret(t.Context(), "globex", 0)
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		require.ErrorIs(t, most.DeleteVendor(t.Context(), "globex"), usermgmt.ErrForbidden)
		_, err = most.Vendor(t.Context(), "globex")
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = most.VendorByClientID(t.Context(), "globex")
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = most.Vendors(t.Context(), usermgmt.Page{})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
	})

	for name, c := range map[string]struct {
		n    usermgmt.NewVendor
		want string
	}{
		"no name":         {usermgmt.NewVendor{}, "invalid name"},
		"taken id":        {usermgmt.NewVendor{ID: "globex", Name: "X", ClientID: "x"}, "exists ID"},
		"taken client id": {usermgmt.NewVendor{Name: "X", ClientID: "globex"}, "exists ClientID"},
		"long client id":  {usermgmt.NewVendor{Name: "X", ClientID: strings.Repeat("ö", 65)}, "invalid clientId"},
		"short secret":    {usermgmt.NewVendor{Name: "X", Secret: "x"}, "invalid secret"},
		"spaced scope":    {usermgmt.NewVendor{Name: "X", Scopes: []string{"a b"}}, "invalid scopes"},
		"empty scope":     {usermgmt.NewVendor{Name: "X", Scopes: []string{""}}, "invalid scopes"},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			o.vendor("globex")
			_, _, err := o.m.CreateVendor(t.Context(), c.n)
			require.Equal(t, c.want, field(t, err))
		})
	}
}

func TestAuthenticateVendor(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.vendor("globex")
	o.vendor("initech")
	_, _, err := o.m.CreateVendor(t.Context(), usermgmt.NewVendor{ID: "off", Name: "Off", Secret: secretOf("off")})
	require.NoError(t, err)
	_, err = o.m.UpdateVendor(t.Context(), "off", usermgmt.VendorUpdate{Disabled: new(true)})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		client, secret string
		scopes         []string
		want           string
	}{
		"all right":               {"globex", secretOf("globex"), []string{usermgmt.ScopeVendorManage}, ""},
		"no scope asked for":      {"globex", secretOf("globex"), nil, ""},
		"unknown client":          {"none", secretOf("globex"), nil, "unauthenticated"},
		"no client":               {"", secretOf("globex"), nil, "unauthenticated"},
		"client in another case":  {"Globex", secretOf("globex"), nil, "unauthenticated"},
		"another client's secret": {"globex", secretOf("initech"), nil, "unauthenticated"},
		"no secret":               {"globex", "", nil, "unauthenticated"},
		"secret with a space":     {"globex", secretOf("globex") + " ", nil, "unauthenticated"},
		"oversized secret":        {"globex", strings.Repeat("x", 1<<20), nil, "unauthenticated"},
		"disabled":                {"off", secretOf("off"), nil, "unauthenticated"},
		"scope not granted":       {"globex", secretOf("globex"), []string{usermgmt.ScopeVendorManage, "other"}, "invalid scope"},
		"wrong in both ways":      {"globex", "wrong wrong wrong", []string{"other"}, "unauthenticated"},
		"unknown and scope":       {"none", "wrong wrong wrong", []string{"other"}, "unauthenticated"},
	} {
		actor, err := o.m.AuthenticateVendor(t.Context(), c.client, c.secret, c.scopes...)
		switch c.want {
		case "":
			require.NoError(t, err, name)
			require.Equal(t, usermgmt.VendorID("globex"), actor.VendorID(), name)
		case "unauthenticated":
			require.Equal(t, usermgmt.ErrUnauthenticated, err, name)
		default:
			require.Equal(t, c.want, field(t, err), name)
		}
		require.Equal(t, c.want == "", actor != usermgmt.Actor{}, name)
	}
}

// TestClientsAreLookedUpAlike: whether there is a client of the name does not
// show in what is read before it is refused.
func TestClientsAreLookedUpAlike(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.vendor("globex")
	_, _, err := o.m.CreateVendor(t.Context(), usermgmt.NewVendor{ID: "off", Name: "Off", Secret: secretOf("off")})
	require.NoError(t, err)
	_, err = o.m.UpdateVendor(t.Context(), "off", usermgmt.VendorUpdate{Disabled: new(true)})
	require.NoError(t, err)
	_, _, err = o.m.CreateVendor(t.Context(), usermgmt.NewVendor{ID: "changed", Name: "Changed"})
	require.NoError(t, err)
	_, err = o.m.RotateVendorSecret(t.Context(), "changed", time.Hour)
	require.NoError(t, err)
	book := newReadBook(o.store)
	m := o.m.With(book)
	for _, client := range []string{"globex", "none", "", "Globex", "off", "changed"} {
		_, err := m.AuthenticateVendor(t.Context(), client, "wrong wrong wrong")
		require.Equal(t, usermgmt.ErrUnauthenticated, err, client)
		calls, _ := book.take()
		require.Equal(t, map[string]int{"VendorByClientID": 1, "VendorSecrets": 1}, calls, "for %q", client)
	}
}

func TestRotateVendorSecret(t *testing.T) {
	t.Parallel()
	works := func(o *office, secret string) bool {
		_, err := o.m.AuthenticateVendor(o.t.Context(), "globex", secret)
		return err == nil
	}

	t.Run("the old secret stops at the stated instant", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.vendor("globex")
		first := secretOf("globex")
		second, err := o.m.RotateVendorSecret(t.Context(), "globex", time.Hour)
		require.NoError(t, err)
		require.True(t, works(o, first))
		require.True(t, works(o, second))
		o.clock.Advance(time.Hour - time.Microsecond)
		require.True(t, works(o, first))
		o.clock.Advance(time.Microsecond)
		require.False(t, works(o, first))
		require.True(t, works(o, second))
	})

	t.Run("no more than two work at a time, in the same instant too", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.vendor("globex")
		secrets := []string{secretOf("globex")}
		for i := range 12 {
			if i%2 == 0 {
				o.clock.Advance(time.Second)
			}
			next, err := o.m.RotateVendorSecret(t.Context(), "globex", time.Hour)
			require.NoError(t, err)
			secrets = append(secrets, next)
			for j, s := range secrets {
				require.Equal(t, j >= len(secrets)-2, works(o, s), "secret %d after rotation %d", j, i)
			}
		}
	})

	t.Run("without overlap the old one stops at once", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.vendor("globex")
		second, err := o.m.RotateVendorSecret(t.Context(), "globex", 0)
		require.NoError(t, err)
		require.False(t, works(o, secretOf("globex")))
		require.True(t, works(o, second))
		require.Contains(t, o.log(), "host vendor.secret-rotated vendor:globex ")
	})

	t.Run("unknown vendors and odd overlaps", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		_, err := o.m.RotateVendorSecret(t.Context(), "none", 0)
		require.ErrorIs(t, err, usermgmt.ErrNotFound)
		for _, overlap := range []time.Duration{-1, 367 * 24 * time.Hour} {
			_, err = o.m.RotateVendorSecret(t.Context(), "none", overlap)
			require.Equal(t, "invalid overlap", field(t, err))
		}
	})
}

func TestVendorRights(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	v, w := o.vendor("globex"), o.vendor("initech")
	made, err := o.m.As(usermgmt.VendorActor(v)).ProvisionOrganization(t.Context(), "A", usermgmt.VendorUser{Email: "ada@acme.example"})
	require.NoError(t, err)
	org := made.Organization.ID
	o.company("free", made.Membership.UserID)
	can := func(id usermgmt.VendorID, p usermgmt.Permission, s usermgmt.Scope) bool {
		ok, err := o.m.As(usermgmt.VendorActor(id)).Can(t.Context(), p, s)
		require.NoError(t, err)
		return ok
	}
	held := []usermgmt.Permission{
		usermgmt.OrganizationsRead, usermgmt.OrganizationsList, usermgmt.OrganizationsUpdate, usermgmt.SessionsAdd,
		usermgmt.MembersAdd, usermgmt.MembersRead, usermgmt.MembersList, usermgmt.MembersUpdate, usermgmt.MembersDelete, "members.*",
	}
	lacked := []usermgmt.Permission{
		usermgmt.OrganizationsDelete, usermgmt.OrganizationsAdd, usermgmt.KeysAdd, usermgmt.SessionsDelete, usermgmt.UsersRead,
		usermgmt.VendorsRead, usermgmt.EventsRead, usermgmt.All, "organizations.*",
	}
	for _, p := range held {
		require.True(t, can(v, p, usermgmt.InOrganization(org)), p)
		require.False(t, can(w, p, usermgmt.InOrganization(org)), p)
		for _, s := range []usermgmt.Scope{usermgmt.Realmwide, usermgmt.InOrganization("free"), usermgmt.InOrganization("none"), usermgmt.InOrganization("")} {
			require.False(t, can(v, p, s), "%s at %s", p, s)
		}
	}
	for _, p := range lacked {
		require.False(t, can(v, p, usermgmt.InOrganization(org)), p)
	}

	m := o.m.As(usermgmt.VendorActor(v))
	o.person("new")
	_, err = m.AddMember(t.Context(), org, usermgmt.NewMember{User: "new", Role: usermgmt.RoleOrgAdmin})
	require.ErrorIs(t, err, usermgmt.ErrForbidden, "a vendor gives no more than he has")
	_, err = m.AddMember(t.Context(), org, usermgmt.NewMember{User: "new", VendorUserID: "7"})
	require.NoError(t, err)
	require.ErrorIs(t, m.DeleteOrganization(t.Context(), org), usermgmt.ErrForbidden)
	own, err := m.Vendor(t.Context(), v)
	require.NoError(t, err)
	require.Equal(t, v, own.ID)
	_, err = m.Vendor(t.Context(), w)
	require.ErrorIs(t, err, usermgmt.ErrForbidden)

	for name, up := range map[string]usermgmt.VendorUpdate{
		"disabled":          {Disabled: new(true)},
		"without the scope": {Scopes: &[]string{"other"}},
	} {
		_, err = o.m.UpdateVendor(t.Context(), v, up)
		require.NoError(t, err)
		require.False(t, can(v, usermgmt.MembersAdd, usermgmt.InOrganization(org)), name)
		_, err = m.ProvisionUser(t.Context(), usermgmt.VendorUser{Email: "bob@acme.example"})
		require.ErrorIs(t, err, usermgmt.ErrForbidden, name)
		_, err = m.Organizations(t.Context(), usermgmt.OrganizationList{})
		require.ErrorIs(t, err, usermgmt.ErrForbidden, name)
		_, err = m.CreateCode(t.Context(), made.Token)
		require.ErrorIs(t, err, usermgmt.ErrForbidden, name)
		require.ErrorIs(t, m.DeprovisionUser(t.Context(), made.Token, usermgmt.MemberRef{}), usermgmt.ErrForbidden, name)
		_, err = o.m.UpdateVendor(t.Context(), v, usermgmt.VendorUpdate{Disabled: new(false), Scopes: &[]string{usermgmt.ScopeVendorManage}})
		require.NoError(t, err)
		require.True(t, can(v, usermgmt.MembersAdd, usermgmt.InOrganization(org)), name)
	}
}

func TestUpdateVendor(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.vendor("globex")
	o.clock.Advance(time.Hour)
	_, err := o.m.UpdateVendor(t.Context(), "globex", usermgmt.VendorUpdate{Version: 2, Name: new("X")})
	require.ErrorIs(t, err, usermgmt.ErrStale)
	o.writesNothing(func() {
		same, err := o.m.UpdateVendor(t.Context(), "globex", usermgmt.VendorUpdate{
			Version: 1, Name: new("Vendor globex"), Disabled: new(false), Scopes: &[]string{usermgmt.ScopeVendorManage},
		})
		require.NoError(t, err)
		require.Equal(t, int64(1), same.Version)
	})
	v, err := o.m.UpdateVendor(t.Context(), "globex", usermgmt.VendorUpdate{Name: new("X")})
	require.NoError(t, err)
	require.Equal(t, int64(2), v.Version)
	require.Equal(t, o.clock.Now(), v.UpdatedAt)
	_, err = o.m.UpdateVendor(t.Context(), "globex", usermgmt.VendorUpdate{Name: new("")})
	require.Equal(t, "invalid name", field(t, err))
	_, err = o.m.UpdateVendor(t.Context(), "none", usermgmt.VendorUpdate{})
	require.ErrorIs(t, err, usermgmt.ErrNotFound)
}

func TestDeleteVendor(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	v := o.vendor("globex")
	made, err := o.m.As(usermgmt.VendorActor(v)).ProvisionOrganization(t.Context(), "A", usermgmt.VendorUser{Email: "ada@acme.example"})
	require.NoError(t, err)
	require.ErrorIs(t, o.m.DeleteVendor(t.Context(), v), usermgmt.ErrConflict)
	require.NoError(t, o.m.DeleteOrganization(t.Context(), made.Organization.ID))
	require.NoError(t, o.m.DeleteVendor(t.Context(), v))
	require.ErrorIs(t, o.m.DeleteVendor(t.Context(), v), usermgmt.ErrNotFound)
	require.ErrorIs(t, o.m.DeleteVendor(t.Context(), ""), usermgmt.ErrNotFound)

	_, _, err = o.m.CreateVendor(t.Context(), usermgmt.NewVendor{ID: v, Name: "Again", ClientID: "globex"})
	require.NoError(t, err)
	_, err = o.m.AuthenticateVendor(t.Context(), "globex", secretOf("globex"))
	require.Equal(t, usermgmt.ErrUnauthenticated, err, "a new vendor of the same id must not find the old one's secrets")
}

func TestVendors(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, id := range []string{"c", "a", "b"} {
		o.vendor(id)
	}
	list, err := o.m.Vendors(t.Context(), usermgmt.Page{Limit: 2})
	require.NoError(t, err)
	require.Len(t, list.Items, 2)
	require.Equal(t, usermgmt.VendorID("a"), list.Items[0].ID)
	list, err = o.m.Vendors(t.Context(), usermgmt.Page{After: list.Next})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.Equal(t, usermgmt.VendorID("c"), list.Items[0].ID)
	require.Empty(t, list.Next)
}
