package usermgmt_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

func TestCreateOrganization(t *testing.T) {
	t.Parallel()

	t.Run("needs organizations.add", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		founder := o.person("founder", o.realmRole("founders", usermgmt.OrganizationsAdd))
		o.person("guest", o.realmRole("guests", usermgmt.OrganizationsUpdate, usermgmt.OrganizationsRead))
		_, err := o.as("guest").CreateOrganization(t.Context(), usermgmt.NewOrganization{Name: "A"})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		a, err := o.as(founder).CreateOrganization(t.Context(), usermgmt.NewOrganization{Name: "A", Owner: founder})
		require.NoError(t, err)
		require.Equal(t, usermgmt.RoleOwner, o.role(a.ID, founder))
		require.Equal(t, "user:founder", a.CreatedBy)
		require.Subset(t, o.log(), []string{
			"user:founder organization.created organization:" + string(a.ID) + " " + string(a.ID),
			"user:founder member.added user:founder " + string(a.ID),
		})
	})

	t.Run("the first member of an empty one becomes its owner", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.company("acme", "")
		o.joins("acme", "ada", usermgmt.RoleViewer)
		o.joins("acme", "bob", usermgmt.RoleViewer)
		require.Equal(t, usermgmt.RoleOwner, o.role("acme", "ada"))
		require.Equal(t, usermgmt.RoleViewer, o.role("acme", "bob"))
	})

	t.Run("a vendor's needs vendors.update too", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		v := o.vendor("globex")
		o.person("founder", o.realmRole("founders", usermgmt.OrganizationsAdd))
		n := usermgmt.NewOrganization{Name: "A", Vendor: v}
		_, err := o.as("founder").CreateOrganization(t.Context(), n)
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = o.m.CreateOrganization(t.Context(), n)
		require.NoError(t, err)
	})

	for name, c := range map[string]struct {
		n    usermgmt.NewOrganization
		want string
	}{
		"no name":                {usermgmt.NewOrganization{Name: " "}, "invalid name"},
		"control characters":     {usermgmt.NewOrganization{Name: "a\x00"}, "invalid name"},
		"short slug":             {usermgmt.NewOrganization{Name: "A", Slug: "ab"}, "invalid slug"},
		"long slug":              {usermgmt.NewOrganization{Name: "A", Slug: string(make([]byte, 65))}, "invalid slug"},
		"slug in upper case":     {usermgmt.NewOrganization{Name: "A", Slug: "Acme"}, "invalid slug"},
		"slug with a slash":      {usermgmt.NewOrganization{Name: "A", Slug: "ac/me"}, "invalid slug"},
		"taken id":               {usermgmt.NewOrganization{ID: "taken", Name: "A"}, "exists ID"},
		"taken slug":             {usermgmt.NewOrganization{Name: "A", Slug: "taken-slug"}, "exists Slug"},
		"slug that is an id":     {usermgmt.NewOrganization{Name: "A", Slug: "taken"}, "exists Slug"},
		"id that is a slug":      {usermgmt.NewOrganization{ID: "taken-slug", Name: "A"}, "exists ID"},
		"no domain":              {usermgmt.NewOrganization{Name: "A", Domain: "exa mple"}, "invalid domain"},
		"unknown owner":          {usermgmt.NewOrganization{Name: "A", Owner: "nobody"}, "invalid owner"},
		"unknown vendor":         {usermgmt.NewOrganization{Name: "A", Vendor: "nobody"}, "invalid vendor"},
		"vendor's id without it": {usermgmt.NewOrganization{Name: "A", VendorOrganizationID: "7"}, "invalid vendorOrganizationId"},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			_, err := o.m.CreateOrganization(t.Context(), usermgmt.NewOrganization{ID: "taken", Name: "T", Slug: "taken-slug"})
			require.NoError(t, err)
			o.writesNothing(func() {
				_, err = o.m.CreateOrganization(t.Context(), c.n)
				require.Equal(t, c.want, field(t, err))
			})
		})
	}

	t.Run("domains are folded and match users of a vendor alone", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		v := o.vendor("globex")
		for _, c := range []struct {
			n             usermgmt.NewOrganization
			domain, match string
		}{
			{usermgmt.NewOrganization{Domain: "BÜCHER.example"}, "xn--bcher-kva.example", ""},
			{usermgmt.NewOrganization{Domain: "ACME.example", Vendor: v}, "acme.example", "acme.example"},
			{usermgmt.NewOrganization{Domain: "acme.example", Vendor: v, VendorOrganizationID: "7"}, "acme.example", ""},
			{usermgmt.NewOrganization{Domain: "gmail.com", Vendor: v}, "gmail.com", ""},
		} {
			c.n.Name = "A"
			org, err := o.m.CreateOrganization(t.Context(), c.n)
			require.NoError(t, err)
			require.Equal(t, c.domain, org.Domain)
			require.Equal(t, c.match, org.MatchDomain)
		}
	})
}

// TestForeignOrganizations asks everything about an organization that is
// another's and about one that does not exist, and expects the same answer.
func TestForeignOrganizations(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.person("olga")
	o.company("foreign", "olga")
	o.person("ada")
	o.company("acme", "ada")
	o.joins("acme", "mia", usermgmt.RoleMember)
	key, _, err := o.m.CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleOwner})
	require.NoError(t, err)
	foreignKey, _, err := o.m.CreateKey(t.Context(), "foreign", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleReader})
	require.NoError(t, err)
	_, err = o.m.CreateOrganization(t.Context(), usermgmt.NewOrganization{ID: "other", Name: "B", Slug: "foreign-slug"})
	require.NoError(t, err)

	asks := map[string]func(m *usermgmt.Manager, org usermgmt.OrganizationID) error{
		"Organization": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			_, err := m.Organization(t.Context(), org)
			return err
		},
		"UpdateOrganization": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			_, err := m.UpdateOrganization(t.Context(), org, usermgmt.OrganizationUpdate{Version: 7, Name: new("X")})
			return err
		},
		"DeleteOrganization": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			return m.DeleteOrganization(t.Context(), org)
		},
		"AddMember": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			_, err := m.AddMember(t.Context(), org, usermgmt.NewMember{User: "olga", Role: "no role"})
			return err
		},
		"InviteMember": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			_, err := m.InviteMember(t.Context(), org, usermgmt.Invitation{NewMember: usermgmt.NewMember{Email: "x@x.example"}})
			return err
		},
		"Member": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			_, err := m.Member(t.Context(), org, "olga")
			return err
		},
		"Members": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			_, err := m.Members(t.Context(), org, usermgmt.MemberList{})
			return err
		},
		"MembersAt": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			_, _, err := m.MembersAt(t.Context(), org, usermgmt.MemberSearch{}, 0, 10)
			return err
		},
		"UpdateMember": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			_, err := m.UpdateMember(t.Context(), org, "olga", usermgmt.MemberUpdate{Version: 7, Tags: &[]string{"x"}})
			return err
		},
		"RemoveMember": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			return m.RemoveMember(t.Context(), org, "olga")
		},
		"leave": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			return m.RemoveMember(t.Context(), org, m.Actor().UserID())
		},
		"CreateKey": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			_, _, err := m.CreateKey(t.Context(), org, usermgmt.NewKey{Name: "x", Role: usermgmt.RoleReader})
			return err
		},
		"Keys": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			_, err := m.Keys(t.Context(), org, usermgmt.Page{})
			return err
		},
		"CreateOrganizationToken": func(m *usermgmt.Manager, org usermgmt.OrganizationID) error {
			_, _, err := m.CreateOrganizationToken(t.Context(), org, "olga")
			return err
		},
	}
	callers := map[string]usermgmt.Actor{
		"owner of another":                  usermgmt.UserActor("ada"),
		"member of another":                 usermgmt.UserActor("mia"),
		"confined owner":                    usermgmt.UserActor("ada").Confined("acme"),
		"confined elsewhere although owner": usermgmt.UserActor("olga").Confined("acme"),
		"key of another":                    usermgmt.KeyActor(key.ID),
		"unknown key":                       usermgmt.KeyActor("none"),
		"vendor":                            usermgmt.VendorActor(o.vendor("globex")),
		"unknown vendor":                    usermgmt.VendorActor("none"),
		"unknown user":                      usermgmt.UserActor("none"),
		"nobody":                            {},
	}
	for who, actor := range callers {
		m := o.m.As(actor)
		for what, ask := range asks {
			foreign, missing := ask(m, "foreign"), ask(m, "missing")
			require.ErrorIs(t, foreign, usermgmt.ErrNoOrganization, "%s: %s", who, what)
			require.ErrorIs(t, foreign, usermgmt.ErrNotFound, "%s: %s", who, what)
			require.Equal(t, missing, foreign, "%s: %s", who, what)
		}
		_, foreign := m.OrganizationBySlug(t.Context(), "foreign-slug")
		_, missing := m.OrganizationBySlug(t.Context(), "missing-slug")
		require.ErrorIs(t, foreign, usermgmt.ErrNoOrganization, who)
		require.Equal(t, missing, foreign, who)
		for _, name := range []string{"foreign", "foreign-slug", "missing", ""} {
			_, err := m.OrganizationFor(t.Context(), name, usermgmt.MembersAdd)
			require.Equal(t, usermgmt.ErrNoOrganization, err, "%s: %s", who, name)
		}
		for _, find := range []func(usermgmt.KeyID) error{
			func(id usermgmt.KeyID) error { _, err := m.Key(t.Context(), id); return err },
			func(id usermgmt.KeyID) error { return m.DeleteKey(t.Context(), id) },
		} {
			foreign, missing := find(foreignKey.ID), find("missing")
			require.Equal(t, usermgmt.ErrNotFound, foreign, who)
			require.Equal(t, missing, foreign, who)
		}
	}
	require.Equal(t, usermgmt.RoleOwner, o.role("foreign", "olga"))
}

func TestOrganization(t *testing.T) {
	t.Parallel()

	t.Run("insiders without the right are forbidden, not misled", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.person("ada")
		o.company("acme", "ada")
		o.joins("acme", "una", usermgmt.RoleUnassigned)
		o.joins("acme", "mia", usermgmt.RoleMember)
		_, err := o.as("una").Organization(t.Context(), "acme")
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = o.as("mia").Organization(t.Context(), "acme")
		require.NoError(t, err)
		_, err = o.as("mia").UpdateOrganization(t.Context(), "acme", usermgmt.OrganizationUpdate{Name: new("X")})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		o.person("rae", o.realmRole("readers", usermgmt.OrganizationsRead))
		require.ErrorIs(t, o.as("rae").DeleteOrganization(t.Context(), "acme"), usermgmt.ErrForbidden)
		require.ErrorIs(t, o.as("rae").DeleteOrganization(t.Context(), "none"), usermgmt.ErrForbidden)
		_, err = o.as("rae").Organization(t.Context(), "none")
		require.ErrorIs(t, err, usermgmt.ErrNoOrganization)
	})

	t.Run("a grant that lists it opens it", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.company("acme", "")
		o.company("other", "")
		o.person("gus", grantIn(usermgmt.RoleViewer, "acme"))
		_, err := o.as("gus").Organization(t.Context(), "acme")
		require.NoError(t, err)
		_, err = o.as("gus").Organization(t.Context(), "other")
		require.ErrorIs(t, err, usermgmt.ErrNoOrganization)
	})

	t.Run("disabled members have no part in it", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.person("ada")
		o.company("acme", "ada")
		o.joins("acme", "mia", usermgmt.RoleMember)
		require.NoError(t, o.m.DisableUser(t.Context(), "mia"))
		_, err := o.as("mia").Organization(t.Context(), "acme")
		require.ErrorIs(t, err, usermgmt.ErrNoOrganization)
		require.Error(t, o.as("mia").RemoveMember(t.Context(), "acme", "mia"))
	})
}

func TestUpdateOrganization(t *testing.T) {
	t.Parallel()

	t.Run("changes what is given, one version further", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.person("ada")
		o.company("acme", "ada")
		o.clock.Advance(time.Hour)
		org, err := o.as("ada").UpdateOrganization(t.Context(), "acme", usermgmt.OrganizationUpdate{
			Version: 1, Name: new("New"), Slug: new("new-slug"), Domain: new("NEW.example"),
		})
		require.NoError(t, err)
		require.Equal(t, "New", org.Name)
		require.Equal(t, "new-slug", org.Slug)
		require.Equal(t, "new.example", org.Domain)
		require.Equal(t, int64(2), org.Version)
		require.Equal(t, o.clock.Now(), org.UpdatedAt)
		stored, err := o.m.OrganizationBySlug(t.Context(), "new-slug")
		require.NoError(t, err)
		require.Equal(t, org, stored)
	})

	t.Run("what changes nothing writes nothing", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.company("acme", "")
		o.clock.Advance(time.Hour)
		before, err := o.m.Organization(t.Context(), "acme")
		require.NoError(t, err)
		o.writesNothing(func() {
			same, err := o.m.UpdateOrganization(t.Context(), "acme", usermgmt.OrganizationUpdate{Name: &before.Name, Slug: new(""), OEMProvisioning: new(false)})
			require.NoError(t, err)
			require.Equal(t, before, same)
		})
	})

	t.Run("a stale version changes nothing", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.company("acme", "")
		_, err := o.m.UpdateOrganization(t.Context(), "acme", usermgmt.OrganizationUpdate{Version: 2, Name: new("X")})
		var stale *usermgmt.StaleError
		require.ErrorAs(t, err, &stale)
		require.Equal(t, usermgmt.StaleError{Version: 1, Requested: 2}, *stale)
	})

	t.Run("slugs stay unique, also against ids", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.company("acme", "")
		o.company("other", "")
		_, err := o.m.UpdateOrganization(t.Context(), "acme", usermgmt.OrganizationUpdate{Slug: new("other")})
		require.Equal(t, "exists Slug", field(t, err))
		_, err = o.m.UpdateOrganization(t.Context(), "acme", usermgmt.OrganizationUpdate{Slug: new("acme")})
		require.NoError(t, err)
	})

	t.Run("provisioning by keys is for those above the organization", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.person("ada")
		o.company("acme", "ada")
		up := usermgmt.OrganizationUpdate{OEMProvisioning: new(true)}
		_, err := o.as("ada").UpdateOrganization(t.Context(), "acme", up)
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		o.person("root", realmAdmin)
		org, err := o.as("root").UpdateOrganization(t.Context(), "acme", up)
		require.NoError(t, err)
		require.True(t, org.OEMProvisioning)
	})

	t.Run("an owner cannot redirect the vendor's users by the domain", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		v := o.vendor("globex")
		made, err := o.m.As(usermgmt.VendorActor(v)).ProvisionOrganization(t.Context(), "A", usermgmt.VendorUser{Email: "ada@acme.example"})
		require.NoError(t, err)
		id, ada := made.Organization.ID, made.Membership.UserID
		up := usermgmt.OrganizationUpdate{Domain: new("victim.example")}
		_, err = o.as(ada).UpdateOrganization(t.Context(), id, up)
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = o.as(ada).UpdateOrganization(t.Context(), id, usermgmt.OrganizationUpdate{Domain: new("ACME.example"), Name: new("Acme")})
		require.NoError(t, err)
		org, err := o.m.As(usermgmt.VendorActor(v)).UpdateOrganization(t.Context(), id, up)
		require.NoError(t, err)
		require.Equal(t, "victim.example", org.MatchDomain)
		org, err = o.m.UpdateOrganization(t.Context(), id, usermgmt.OrganizationUpdate{Domain: new("gmail.com")})
		require.NoError(t, err)
		require.Equal(t, "gmail.com", org.Domain)
		require.Empty(t, org.MatchDomain)
	})
}

func TestDeleteOrganization(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.person("ada")
	o.company("acme", "ada")
	o.company("other", "")
	o.joins("acme", "max", usermgmt.RoleOrgAdmin)
	_, secret, err := o.as("ada").CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleReader})
	require.NoError(t, err)
	o.person("one", grantIn(usermgmt.RoleOrgAdmin, "acme"))
	o.person("two", grantIn(usermgmt.RoleOrgAdmin, "acme", "other"))
	o.person("all", grantIn(usermgmt.RoleOrgAdmin))

	require.ErrorIs(t, o.as("max").DeleteOrganization(t.Context(), "acme"), usermgmt.ErrForbidden)
	require.NoError(t, o.as("ada").DeleteOrganization(t.Context(), "acme"))
	require.ErrorIs(t, o.m.DeleteOrganization(t.Context(), "acme"), usermgmt.ErrNoOrganization)

	grants := map[usermgmt.UserID][]usermgmt.Grant{
		"one": nil,
		"two": {grantIn(usermgmt.RoleOrgAdmin, "other")},
		"all": {grantIn(usermgmt.RoleOrgAdmin)},
	}
	for id, want := range grants {
		u, err := o.m.User(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, u.Grants, id)
	}
	ok, err := o.as("one").Can(t.Context(), usermgmt.MembersAdd, usermgmt.InOrganization("other"))
	require.NoError(t, err)
	require.False(t, ok, "a grant that lost its only scope must not hold everywhere")
	_, err = o.m.AuthenticateKey(t.Context(), secret)
	require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
	_, err = o.m.User(t.Context(), "ada")
	require.NoError(t, err)

	o.company("acme", "")
	ok, err = o.as("ada").Can(t.Context(), usermgmt.OrganizationsRead, usermgmt.InOrganization("acme"))
	require.NoError(t, err)
	require.False(t, ok, "an organization of the same id must not find the members of the old one")
}

func TestOrganizations(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	v, w := o.vendor("globex"), o.vendor("initech")
	for id, vendor := range map[usermgmt.OrganizationID]usermgmt.VendorID{"a": v, "b": w, "c": v, "d": ""} {
		_, err := o.m.CreateOrganization(t.Context(), usermgmt.NewOrganization{ID: id, Name: "N", Vendor: vendor})
		require.NoError(t, err)
	}
	ids := func(m *usermgmt.Manager, q usermgmt.OrganizationList) (found []usermgmt.OrganizationID) {
		t.Helper()
		for {
			list, err := m.Organizations(t.Context(), q)
			require.NoError(t, err)
			for _, org := range list.Items {
				found = append(found, org.ID)
			}
			if list.Next == "" {
				return found
			}
			q.After = list.Next
		}
	}
	one := usermgmt.Page{Limit: 1}
	require.Equal(t, []usermgmt.OrganizationID{"a", "b", "c", "d"}, ids(o.m, usermgmt.OrganizationList{Page: one}))
	require.Equal(t, []usermgmt.OrganizationID{"a", "c"}, ids(o.m, usermgmt.OrganizationList{Page: one, Vendor: v}))
	require.Equal(t, []usermgmt.OrganizationID{"a", "c"}, ids(o.m.As(usermgmt.VendorActor(v)), usermgmt.OrganizationList{Page: one}))
	_, err := o.m.As(usermgmt.VendorActor(v)).Organizations(t.Context(), usermgmt.OrganizationList{Vendor: w})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)

	o.person("ada")
	o.person("lea", o.realmRole("listers", usermgmt.OrganizationsList))
	for _, org := range []usermgmt.OrganizationID{"b", "d"} {
		_, err = o.m.AddMember(t.Context(), org, usermgmt.NewMember{User: "ada"})
		require.NoError(t, err)
	}
	require.Len(t, ids(o.as("lea"), usermgmt.OrganizationList{}), 4)
	_, err = o.as("ada").Organizations(t.Context(), usermgmt.OrganizationList{})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)

	own, err := o.as("ada").MyOrganizations(t.Context(), one)
	require.NoError(t, err)
	require.Len(t, own.Items, 1)
	require.Equal(t, usermgmt.OrganizationID("b"), own.Items[0].ID)
	require.Equal(t, usermgmt.RoleOwner, own.Items[0].Membership.Role)
	own, err = o.as("ada").MyOrganizations(t.Context(), usermgmt.Page{After: own.Next})
	require.NoError(t, err)
	require.Len(t, own.Items, 1)
	require.Equal(t, usermgmt.OrganizationID("d"), own.Items[0].ID)
	own, err = o.m.As(usermgmt.UserActor("ada").Confined("d")).MyOrganizations(t.Context(), usermgmt.Page{})
	require.NoError(t, err)
	require.Len(t, own.Items, 1)
	require.Equal(t, usermgmt.OrganizationID("d"), own.Items[0].ID)
	_, err = o.m.MyOrganizations(t.Context(), usermgmt.Page{})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)

	all, err := o.as("ada").Memberships(t.Context(), "ada", usermgmt.Page{})
	require.NoError(t, err)
	require.Len(t, all.Items, 2)
	for who, m := range map[string]*usermgmt.Manager{
		"another": o.as("lea"), "confined": o.m.As(usermgmt.UserActor("ada").Confined("d")), "disabled": o.m.As(usermgmt.UserActor("none")),
	} {
		_, err = m.Memberships(t.Context(), "ada", usermgmt.Page{})
		require.ErrorIs(t, err, usermgmt.ErrForbidden, who)
	}
	_, err = o.m.Memberships(t.Context(), "none", usermgmt.Page{})
	require.ErrorIs(t, err, usermgmt.ErrNotFound)
}

func TestCancelledUnitsLeaveNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o.writesNothing(func() {
		_, err := o.m.CreateOrganization(ctx, usermgmt.NewOrganization{ID: "acme", Name: "A"})
		require.ErrorIs(t, err, context.Canceled)
	})
}

// TestOrganizationFor: by id and by slug, for whoever holds the permission there.
func TestOrganizationFor(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	org := o.company("acme", o.person("olga"))
	slug := "acme-works"
	_, err := o.m.UpdateOrganization(t.Context(), org, usermgmt.OrganizationUpdate{Slug: &slug})
	require.NoError(t, err)
	o.joins(org, "rita", usermgmt.RoleReader)
	o.joins(org, "uma", usermgmt.RoleUnassigned)
	for _, name := range []string{"acme", slug} {
		for _, m := range []*usermgmt.Manager{o.m, o.as("olga"), o.as(o.person("root-"+name, realmAdmin))} {
			found, err := m.OrganizationFor(t.Context(), name, usermgmt.MembersAdd)
			require.NoError(t, err)
			require.Equal(t, org, found.ID)
		}
		for _, who := range []usermgmt.UserID{"rita", "uma"} {
			_, err := o.as(who).OrganizationFor(t.Context(), name, usermgmt.MembersAdd)
			require.ErrorIs(t, err, usermgmt.ErrForbidden, "%s knows that it is there", who)
		}
		_, err := o.as("rita").OrganizationFor(t.Context(), name, usermgmt.MembersRead)
		require.NoError(t, err)
	}
	_, err = o.m.OrganizationFor(t.Context(), "missing", usermgmt.MembersRead)
	require.Equal(t, usermgmt.ErrNoOrganization, err)
}
