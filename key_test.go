package usermgmt_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// holds reports whether the actor holds p in acme.
func (o *office) holds(a usermgmt.Actor, p usermgmt.Permission) bool {
	o.t.Helper()
	ok, err := o.m.As(a).Can(o.t.Context(), p, usermgmt.InOrganization("acme"))
	require.NoError(o.t, err)
	return ok
}

func TestCreateKey(t *testing.T) {
	t.Parallel()

	t.Run("its secret is shown once and authenticates", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		key, secret, err := o.as("admin").CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleReader})
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(secret, "umk_"))
		require.Len(t, secret, 4+43)
		require.Equal(t, usermgmt.UserID("admin"), key.Owner)
		actor, err := o.m.AuthenticateKey(t.Context(), secret)
		require.NoError(t, err)
		require.Equal(t, usermgmt.KeyActor(key.ID), actor)
		stored, err := o.as("owner").Key(t.Context(), key.ID)
		require.NoError(t, err)
		require.Equal(t, key, stored)
		require.NotContains(t, fmt.Sprintf("%#v", stored), secret)
		require.Contains(t, o.log(), "user:admin key.created key:"+string(key.ID)+" acme")
		_, again, err := o.as("admin").CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleReader})
		require.NoError(t, err)
		require.NotEqual(t, secret, again)
	})

	t.Run("needs keys.add and all that the role holds", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		for who, may := range map[usermgmt.UserID]bool{"owner": true, "admin": false, "writer": false} {
			_, _, err := o.as(who).CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "k", Role: usermgmt.RoleOwner})
			require.Equal(t, may, err == nil, "%s: %v", who, err)
			if !may {
				require.ErrorIs(t, err, usermgmt.ErrForbidden)
			}
		}
		_, _, err := o.as("writer").CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "k", Role: usermgmt.RoleUnassigned})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
	})

	t.Run("a key creates no key", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		key, _, err := o.m.CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleOwner})
		require.NoError(t, err)
		require.Empty(t, key.Owner)
		require.True(t, o.holds(usermgmt.KeyActor(key.ID), usermgmt.KeysAdd))
		_, _, err = o.m.As(usermgmt.KeyActor(key.ID)).CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "k", Role: usermgmt.RoleReader})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
	})

	t.Run("a confined sign-in creates no key, be it the owner's", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		confined := usermgmt.UserActor("owner").Confined("acme")
		require.True(t, o.holds(confined, usermgmt.KeysAdd))
		_, _, err := o.m.As(confined).CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "k", Role: usermgmt.RoleReader})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
	})

	for name, c := range map[string]struct {
		n    usermgmt.NewKey
		want string
	}{
		"no name":         {usermgmt.NewKey{Role: usermgmt.RoleReader}, "invalid name"},
		"no role":         {usermgmt.NewKey{Name: "k"}, "invalid role"},
		"realm role":      {usermgmt.NewKey{Name: "k", Role: usermgmt.RoleReadOnly}, "invalid role"},
		"short secret":    {usermgmt.NewKey{Name: "k", Role: usermgmt.RoleReader, Secret: strings.Repeat("x", 7)}, "invalid secret"},
		"long secret":     {usermgmt.NewKey{Name: "k", Role: usermgmt.RoleReader, Secret: strings.Repeat("x", 257)}, "invalid secret"},
		"taken secret":    {usermgmt.NewKey{Name: "k", Role: usermgmt.RoleReader, Secret: "8 bytes!"}, "exists Digest"},
		"taken id":        {usermgmt.NewKey{ID: "taken", Name: "k", Role: usermgmt.RoleReader}, "exists ID"},
		"expired already": {usermgmt.NewKey{Name: "k", Role: usermgmt.RoleReader, ExpiresAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, "invalid expiresAt"},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			t.Parallel()
			o := staff(t)
			taken := usermgmt.NewKey{ID: "taken", Name: "k", Role: usermgmt.RoleReader, Secret: "8 bytes!"}
			_, _, err := o.m.CreateKey(t.Context(), "acme", taken)
			require.NoError(t, err)
			_, err = o.m.AuthenticateKey(t.Context(), taken.Secret)
			require.NoError(t, err)
			_, _, err = o.m.CreateKey(t.Context(), "acme", c.n)
			require.Equal(t, c.want, field(t, err))
		})
	}
}

// TestKeyRights has a key of the role admin that belongs to an admin: it
// follows his rights in the organization at every call.
func TestKeyRights(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(o *office) error
		// lists and adds say what the key still holds; alive whether it authenticates.
		lists, adds, alive bool
	}{
		"unchanged": {func(o *office) error { return nil }, true, true, true},
		"owner demoted": {func(o *office) error {
			_, err := o.m.UpdateMember(o.t.Context(), "acme", "admin", usermgmt.MemberUpdate{Role: new(usermgmt.RoleReader)})
			return err
		}, true, false, true},
		"owner unassigned": {func(o *office) error {
			_, err := o.m.UpdateMember(o.t.Context(), "acme", "admin", usermgmt.MemberUpdate{Role: new(usermgmt.RoleUnassigned)})
			return err
		}, false, false, true},
		"owner promoted": {func(o *office) error {
			_, err := o.m.UpdateMember(o.t.Context(), "acme", "admin", usermgmt.MemberUpdate{Role: new(usermgmt.RoleOwner)})
			return err
		}, true, true, true},
		"owner disabled": {func(o *office) error { return o.m.DisableUser(o.t.Context(), "admin") }, false, false, false},
		"owner removed":  {func(o *office) error { return o.m.RemoveMember(o.t.Context(), "acme", "admin") }, false, false, false},
		"owner removed and back": {func(o *office) error {
			if err := o.m.RemoveMember(o.t.Context(), "acme", "admin"); err != nil {
				return err
			}
			_, err := o.m.AddMember(o.t.Context(), "acme", usermgmt.NewMember{User: "admin", Role: usermgmt.RoleOrgAdmin})
			return err
		}, false, false, false},
		"owner deleted and created again": {func(o *office) error {
			if err := o.m.DeleteUser(o.t.Context(), "admin"); err != nil {
				return err
			}
			o.person("admin", realmAdmin)
			return nil
		}, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := staff(t)
			key, secret, err := o.as("admin").CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleOrgAdmin})
			require.NoError(t, err)
			require.NoError(t, c.change(o))
			actor := usermgmt.KeyActor(key.ID)
			require.Equal(t, c.lists, o.holds(actor, usermgmt.MembersList))
			require.Equal(t, c.adds, o.holds(actor, usermgmt.MembersAdd))
			require.False(t, o.holds(actor, usermgmt.OrganizationsDelete), "the role bounds the key, whatever its owner holds")
			_, err = o.m.AuthenticateKey(t.Context(), secret)
			require.Equal(t, c.alive, err == nil)
			if !c.alive {
				require.Equal(t, usermgmt.ErrUnauthenticated, err)
			}
		})
	}

	t.Run("by the owner's grants too", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		o.person("root", realmAdmin)
		o.person("second", realmAdmin)
		key, _, err := o.as("root").CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleOrgAdmin})
		require.NoError(t, err)
		require.True(t, o.holds(usermgmt.KeyActor(key.ID), usermgmt.MembersAdd))
		require.NoError(t, o.m.RevokeRoles(t.Context(), "root", realmAdmin))
		require.False(t, o.holds(usermgmt.KeyActor(key.ID), usermgmt.MembersAdd))
	})

	t.Run("in its organization alone", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		o.company("other", "owner")
		key, _, err := o.as("owner").CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleOwner})
		require.NoError(t, err)
		m := o.m.As(usermgmt.KeyActor(key.ID))
		for _, s := range []usermgmt.Scope{usermgmt.Realmwide, usermgmt.InOrganization("other"), usermgmt.InOrganization(""), usermgmt.AtFacility("acme")} {
			ok, err := m.Can(t.Context(), usermgmt.MembersList, s)
			require.NoError(t, err)
			require.False(t, ok, s)
		}
	})

	t.Run("a key adds members up to its role", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		key, _, err := o.m.CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleOrgAdmin})
		require.NoError(t, err)
		m := o.m.As(usermgmt.KeyActor(key.ID))
		n := usermgmt.Invitation{NewMember: usermgmt.NewMember{Email: "ivy@acme.example", Role: usermgmt.RoleOwner}}
		_, err = m.InviteMember(t.Context(), "acme", n)
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		n.Role = usermgmt.RoleViewer
		member, err := m.InviteMember(t.Context(), "acme", n)
		require.NoError(t, err)
		require.Equal(t, "key:"+string(key.ID), member.CreatedBy)
	})

	t.Run("a key whose role is deleted holds nothing", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		role := o.orgRole("buyer", usermgmt.MembersList)
		key, _, err := o.m.CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "ci", Role: role})
		require.NoError(t, err)
		require.True(t, o.holds(usermgmt.KeyActor(key.ID), usermgmt.MembersList))
		require.NoError(t, o.m.DeleteRole(t.Context(), role))
		require.False(t, o.holds(usermgmt.KeyActor(key.ID), usermgmt.MembersList))
	})
}

func TestKeyExpiry(t *testing.T) {
	t.Parallel()
	o := staff(t)
	end := o.clock.Now().Add(time.Hour)
	key, secret, err := o.m.CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleReader, ExpiresAt: end})
	require.NoError(t, err)
	o.clock.Advance(time.Hour - time.Microsecond)
	_, err = o.m.AuthenticateKey(t.Context(), secret)
	require.NoError(t, err)
	require.True(t, o.holds(usermgmt.KeyActor(key.ID), usermgmt.MembersList))
	o.clock.Advance(time.Microsecond)
	_, err = o.m.AuthenticateKey(t.Context(), secret)
	require.Equal(t, usermgmt.ErrUnauthenticated, err)
	require.False(t, o.holds(usermgmt.KeyActor(key.ID), usermgmt.MembersList))
}

func TestDeleteKey(t *testing.T) {
	t.Parallel()
	o := staff(t)
	high, highSecret, err := o.as("owner").CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "high", Role: usermgmt.RoleOwner})
	require.NoError(t, err)
	own, _, err := o.as("admin").CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "own", Role: usermgmt.RoleOrgAdmin})
	require.NoError(t, err)
	require.ErrorIs(t, o.as("admin").DeleteKey(t.Context(), high.ID), usermgmt.ErrForbidden)
	require.ErrorIs(t, o.as("reader").DeleteKey(t.Context(), own.ID), usermgmt.ErrForbidden)
	require.NoError(t, o.as("admin").DeleteKey(t.Context(), own.ID))
	require.True(t, o.holds(usermgmt.KeyActor(high.ID), usermgmt.MembersAdd))
	require.NoError(t, o.as("owner").DeleteKey(t.Context(), high.ID))
	require.False(t, o.holds(usermgmt.KeyActor(high.ID), usermgmt.MembersAdd))
	_, err = o.m.AuthenticateKey(t.Context(), highSecret)
	require.Equal(t, usermgmt.ErrUnauthenticated, err)
	require.Equal(t, usermgmt.ErrNotFound, o.as("owner").DeleteKey(t.Context(), high.ID))
	require.Equal(t, "user:owner key.deleted key:"+string(high.ID)+" acme", o.log()[len(o.log())-1])

	// Whoever loses rights may still end the key that he made when he had them.
	own, _, err = o.as("admin").CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "own", Role: usermgmt.RoleOrgAdmin})
	require.NoError(t, err)
	others, _, err := o.as("owner").CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "others", Role: usermgmt.RoleOrgAdmin})
	require.NoError(t, err)
	_, err = o.m.UpdateMember(t.Context(), "acme", "admin", usermgmt.MemberUpdate{Role: new(o.orgRole("keeper", usermgmt.KeysDelete))})
	require.NoError(t, err)
	require.ErrorIs(t, o.as("admin").DeleteKey(t.Context(), others.ID), usermgmt.ErrForbidden)
	require.NoError(t, o.as("admin").DeleteKey(t.Context(), own.ID))
}

func TestKeys(t *testing.T) {
	t.Parallel()
	o := staff(t)
	o.company("other", "owner")
	for _, id := range []usermgmt.KeyID{"c", "a", "b"} {
		_, _, err := o.m.CreateKey(t.Context(), "acme", usermgmt.NewKey{ID: id, Name: "k", Role: usermgmt.RoleReader})
		require.NoError(t, err)
	}
	_, _, err := o.m.CreateKey(t.Context(), "other", usermgmt.NewKey{ID: "d", Name: "k", Role: usermgmt.RoleReader})
	require.NoError(t, err)
	var ids []usermgmt.KeyID
	p := usermgmt.Page{Limit: 2}
	for {
		list, err := o.as("admin").Keys(t.Context(), "acme", p)
		require.NoError(t, err)
		for _, k := range list.Items {
			ids = append(ids, k.ID)
		}
		if p.After = list.Next; p.After == "" {
			break
		}
	}
	require.Equal(t, []usermgmt.KeyID{"a", "b", "c"}, ids)
	_, err = o.as("reader").Keys(t.Context(), "acme", usermgmt.Page{})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
}

// TestForeignKeys: to whoever has no part in the organization its keys are not
// there, and its members without the right to keys get none and end none.
func TestForeignKeys(t *testing.T) {
	t.Parallel()
	o := staff(t)
	ctx := t.Context()
	o.person("olga")
	o.company("other", "olga")
	o.joins("other", "mia", usermgmt.RoleMember)
	key, secret, err := o.m.CreateKey(ctx, "acme", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleReader})
	require.NoError(t, err)
	otherKey, _, err := o.m.CreateKey(ctx, "other", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleOwner})
	require.NoError(t, err)
	blue := o.m.Realm("blue") // where everybody has the same names
	for _, n := range []usermgmt.NewUser{{ID: "root", Username: "root", Grants: []usermgmt.Grant{realmAdmin}}, {ID: "owner", Username: "owner"}} {
		_, err := blue.CreateUser(ctx, n)
		require.NoError(t, err)
	}
	_, err = blue.CreateOrganization(ctx, usermgmt.NewOrganization{ID: "acme", Name: "Acme", Owner: "owner"})
	require.NoError(t, err)

	one := func(m *usermgmt.Manager, id usermgmt.KeyID) map[string]error {
		_, read := m.Key(ctx, id)
		return map[string]error{"Key": read, "DeleteKey": m.DeleteKey(ctx, id)}
	}
	o.writesNothing(func() {
		for who, m := range map[string]*usermgmt.Manager{
			"owner of another": o.as("olga"), "member of another": o.as("mia"), "key of another": o.m.As(usermgmt.KeyActor(otherKey.ID)),
			"owner, confined to another": o.m.As(usermgmt.UserActor("owner").Confined("other")),
			"vendor":                     o.m.As(usermgmt.VendorActor("none")), "unknown user": o.as("none"), "nobody": o.m.As(usermgmt.Actor{}),
			"another realm": blue, "admin of another realm": blue.As(usermgmt.UserActor("root")), "owner in another realm": blue.As(usermgmt.UserActor("owner")),
			"this key in another realm": blue.As(usermgmt.KeyActor(key.ID)),
		} {
			foreign, missing := one(m, key.ID), one(m, "missing")
			require.Equal(t, map[string]error{"Key": usermgmt.ErrNotFound, "DeleteKey": usermgmt.ErrNotFound}, foreign, who)
			require.Equal(t, missing, foreign, who)
			if m.RealmName() == blue.RealmName() {
				list, err := m.Keys(ctx, "acme", usermgmt.Page{})
				require.Empty(t, list.Items, "%s: %v", who, err)
				continue
			}
			_, foreignList := m.Keys(ctx, "acme", usermgmt.Page{})
			_, missingList := m.Keys(ctx, "missing", usermgmt.Page{})
			require.ErrorIs(t, foreignList, usermgmt.ErrNoOrganization, who)
			require.Equal(t, missingList, foreignList, who)
		}
		for _, who := range []usermgmt.UserID{"writer", "reader", "unassigned"} {
			for what, err := range one(o.as(who), key.ID) {
				require.ErrorIs(t, err, usermgmt.ErrForbidden, "%s: %s", who, what)
			}
			_, err := o.as(who).Keys(ctx, "acme", usermgmt.Page{})
			require.ErrorIs(t, err, usermgmt.ErrForbidden, who)
		}
	})
	actor, err := o.m.AuthenticateKey(ctx, secret)
	require.NoError(t, err)
	require.Equal(t, usermgmt.KeyActor(key.ID), actor)
}

// TestCredentialKinds uses every opaque secret in the place of every other.
func TestCredentialKinds(t *testing.T) {
	t.Parallel()
	o := staff(t)
	_, key, err := o.m.CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "ci", Role: usermgmt.RoleReader})
	require.NoError(t, err)
	v, client, err := o.m.CreateVendor(t.Context(), usermgmt.NewVendor{Name: "G", ClientID: "globex", Scopes: []string{usermgmt.ScopeVendorManage}})
	require.NoError(t, err)
	vendor := o.m.As(usermgmt.VendorActor(v.ID))
	made, err := vendor.ProvisionOrganization(t.Context(), "A", usermgmt.VendorUser{Email: "ada@acme.example"})
	require.NoError(t, err)
	code, err := vendor.CreateCode(t.Context(), made.Token)
	require.NoError(t, err)
	spent, err := vendor.CreateCode(t.Context(), made.Token)
	require.NoError(t, err)
	_, tokens, err := o.m.RedeemCode(t.Context(), spent.Code)
	require.NoError(t, err)

	uses := map[string]func(secret string) error{
		"key":    func(s string) error { _, err := o.m.AuthenticateKey(t.Context(), s); return err },
		"client": func(s string) error { _, err := o.m.AuthenticateVendor(t.Context(), "globex", s); return err },
		"organization": func(s string) error {
			_, err := vendor.CreateCode(t.Context(), s)
			return err
		},
		"access":  func(s string) error { _, err := o.m.Authenticate(t.Context(), s); return err },
		"code":    func(s string) error { _, _, err := o.m.RedeemCode(t.Context(), s); return err },
		"refresh": func(s string) error { _, err := o.m.Refresh(t.Context(), s); return err },
	}
	secrets := map[string]string{
		"key": key, "client": client, "organization": made.Token, "code": code.Code,
		"refresh": tokens.RefreshToken, "access": tokens.AccessToken, "empty": "", "id": string(v.ID),
	}
	for kind, use := range uses {
		for other, secret := range secrets {
			if kind != other {
				require.Error(t, use(secret), "%s as %s", other, kind)
			}
		}
		for n := range len(secrets[kind]) {
			require.Error(t, use(secrets[kind][:n]), "%d bytes of %s", n, kind)
		}
		require.Error(t, use(secrets[kind]+"A"), kind)
	}
	for kind, use := range uses {
		if kind != "access" && kind != "refresh" {
			require.NoError(t, use(secrets[kind]), kind)
		}
	}
}
