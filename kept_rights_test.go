package usermgmt_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/store"
)

// TestRealmsShareNoRights: two users of one id, in realms of one Manager, hold
// what each holds in his own, however often both are asked, and a change in one
// realm is none in the other.
func TestRealmsShareNoRights(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	realms := []*usermgmt.Manager{d.Manager.Realm("north"), d.Manager.Realm("south")}
	held := []usermgmt.Permission{usermgmt.UsersAdd, usermgmt.UsersRead}
	for i, m := range realms {
		for _, id := range []usermgmt.UserID{"ada", "root", "other"} {
			n := usermgmt.NewUser{ID: id, Username: string(id)}
			switch id {
			case "ada":
				n.Grants = []usermgmt.Grant{direct(held[i])}
			case "root":
				n.Grants = []usermgmt.Grant{realmAdmin}
			}
			require.NoError(t, second(m.CreateUser(ctx, n)))
		}
		org := usermgmt.NewOrganization{ID: "acme", Name: "Acme", Owner: "root"}
		require.NoError(t, second(m.CreateOrganization(ctx, org)))
		role := []usermgmt.RoleID{usermgmt.RoleOrgAdmin, usermgmt.RoleUnassigned}[i]
		require.NoError(t, second(m.AddMember(ctx, "acme", usermgmt.NewMember{User: "ada", Role: role})))
	}
	acme := usermgmt.InOrganization("acme")
	ask := func(when string, ms []*usermgmt.Manager, adds, reads, manages [2]bool) {
		t.Helper()
		for range 3 {
			for i := range ms {
				ada := ms[i].As(usermgmt.UserActor("ada"))
				require.Equal(t, adds[i], can(t, ada, usermgmt.UsersAdd, usermgmt.Realmwide), "%s: adds in realm %d", when, i)
				require.Equal(t, reads[i], can(t, ada, usermgmt.UsersRead, usermgmt.Realmwide), "%s: reads in realm %d", when, i)
				require.Equal(t, manages[i], can(t, ada, usermgmt.KeysAdd, acme), "%s: manages in realm %d", when, i)
				_, err := ada.User(ctx, "other")
				require.Equal(t, reads[i], err == nil, "%s: a user of realm %d: %v", when, i, err)
				_, err = ada.Members(ctx, "acme", usermgmt.MemberList{})
				require.Equal(t, manages[i], err == nil, "%s: members in realm %d: %v", when, i, err)
			}
		}
	}
	// Each question by Managers that were kept, and by those that are made for it.
	both := func(when string, adds, reads, manages [2]bool) {
		t.Helper()
		ask(when, realms, adds, reads, manages)
		ask(when, []*usermgmt.Manager{d.Manager.Realm("north"), realms[0].Realm("south")}, adds, reads, manages)
	}
	both("at first", [2]bool{true, false}, [2]bool{false, true}, [2]bool{true, false})
	require.NoError(t, realms[0].RevokeRoles(ctx, "ada", direct(usermgmt.UsersAdd)))
	require.NoError(t, realms[0].RemoveMember(ctx, "acme", "ada"))
	both("taken in one", [2]bool{false, false}, [2]bool{false, true}, [2]bool{false, false})
	require.NoError(t, realms[1].GrantRoles(ctx, "ada", direct(usermgmt.UsersAdd)))
	require.NoError(t, second(realms[1].UpdateMember(ctx, "acme", "ada", usermgmt.MemberUpdate{Role: new(usermgmt.RoleOrgAdmin)})))
	both("given in the other", [2]bool{false, true}, [2]bool{false, true}, [2]bool{false, true})
	require.NoError(t, realms[1].DisableUser(ctx, "ada"))
	require.NoError(t, realms[0].GrantRoles(ctx, "ada", realmAdmin))
	both("disabled in the other", [2]bool{true, false}, [2]bool{true, false}, [2]bool{true, false})
}

// TestCredentialsNamedLikeAUser: an API key and a vendor that have a user's id are
// not the user, neither in what they may do nor in what they may do to him.
func TestCredentialsNamedLikeAUser(t *testing.T) {
	t.Parallel()
	for name, actor := range map[string]usermgmt.Actor{
		"key": usermgmt.KeyActor("ada"), "vendor": usermgmt.VendorActor("ada"),
		"key with a tenant": usermgmt.KeyActor("ada").InTenant("t1"), "vendor with a tenant": usermgmt.VendorActor("ada").InTenant("t1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			ctx := t.Context()
			d.admin(t, "root")
			require.NoError(t, second(d.CreateTenant(ctx, usermgmt.NewTenant{ID: "t1", Name: "One"})))
			ada, err := d.CreateUser(ctx, usermgmt.NewUser{
				ID: "ada", Username: "ada", Email: "ada@example.com", Password: passphrase, Tenants: []string{"t1"},
				Grants: []usermgmt.Grant{realmAdmin, at(usermgmt.RoleAdministrator)},
			})
			require.NoError(t, err)
			other := d.user(t, "other")
			for _, id := range []usermgmt.OrganizationID{"acme", "elsewhere"} {
				require.NoError(t, second(d.CreateOrganization(ctx, usermgmt.NewOrganization{ID: id, Name: string(id), Owner: other.ID})))
				require.NoError(t, second(d.AddMember(ctx, id, usermgmt.NewMember{User: ada.ID, Role: usermgmt.RoleOwner})))
			}
			_, _, err = d.CreateKey(ctx, "acme", usermgmt.NewKey{ID: "ada", Name: "named like a user", Role: usermgmt.RoleUnassigned})
			require.NoError(t, err)
			_, _, err = d.CreateVendor(ctx, usermgmt.NewVendor{ID: "ada", Name: "named like a user", Scopes: []string{usermgmt.ScopeVendorManage}})
			require.NoError(t, err)
			tokens := d.signIn(t, "ada", passphrase)

			// What is kept of the user is none of theirs.
			for _, user := range []usermgmt.Actor{usermgmt.UserActor("ada"), usermgmt.UserActor("ada").InTenant("t1")} {
				require.True(t, can(t, d.As(user), usermgmt.UsersDelete, usermgmt.Realmwide))
			}
			it := d.As(actor)
			for _, s := range []usermgmt.Scope{usermgmt.Realmwide, usermgmt.InOrganization("acme"), usermgmt.InOrganization("elsewhere"), usermgmt.AtFacility("F1")} {
				for _, p := range []usermgmt.Permission{usermgmt.UsersRead, usermgmt.UsersDelete, usermgmt.MembersRead, usermgmt.MembersDelete, usermgmt.KeysAdd, usermgmt.All} {
					require.False(t, can(t, it, p, s), "%s at %s", p, s)
				}
			}
			before := d.actions(t)
			for what, act := range map[string]func() error{
				"read":                   func() error { return second(it.User(ctx, "ada")) },
				"read by name":           func() error { return second(it.UserByUsername(ctx, "ada")) },
				"read by e-mail":         func() error { return second(it.UserByEmail(ctx, "ada@example.com")) },
				"permissions":            func() error { return second(it.EffectivePermissions(ctx, "ada")) },
				"status of the password": func() error { return second(it.PasswordStatus(ctx, "ada")) },
				"sessions":               func() error { return second(it.Sessions(ctx, "ada", usermgmt.Page{})) },
				"memberships":            func() error { return second(it.Memberships(ctx, "ada", usermgmt.Page{})) },
				"own organizations":      func() error { return second(it.MyOrganizations(ctx, usermgmt.Page{})) },
				"member":                 func() error { return second(it.Member(ctx, "acme", "ada")) },
				"member elsewhere":       func() error { return second(it.Member(ctx, "elsewhere", "ada")) },
				"rename":                 func() error { return second(it.UpdateUser(ctx, "ada", usermgmt.UserUpdate{FirstName: new("X")})) },
				"new e-mail": func() error {
					return second(it.UpdateUser(ctx, "ada", usermgmt.UserUpdate{Email: new("x@example.com")}))
				},
				"update of nothing":      func() error { return second(it.UpdateUser(ctx, "ada", usermgmt.UserUpdate{})) },
				"new password":           func() error { return it.SetPassword(ctx, "ada", replacement) },
				"change of the password": func() error { return second(it.ChangePassword(ctx, passphrase, replacement)) },
				"end of the sessions":    func() error { return second(it.EndSessions(ctx, "ada")) },
				"delete":                 func() error { return it.DeleteUser(ctx, "ada") },
				"delete another":         func() error { return it.DeleteUser(ctx, other.ID) },
				"leave":                  func() error { return it.RemoveMember(ctx, "acme", "ada") },
				"leave elsewhere":        func() error { return it.RemoveMember(ctx, "elsewhere", "ada") },
				"create a user":          func() error { return second(it.CreateUser(ctx, usermgmt.NewUser{Username: "x"})) },
			} {
				err := act()
				if what == "member elsewhere" || what == "leave elsewhere" || actor.VendorID() != "" && (what == "member" || what == "leave") {
					require.ErrorIs(t, err, usermgmt.ErrNoOrganization, what)
				} else {
					require.ErrorIs(t, err, usermgmt.ErrForbidden, what)
				}
			}
			require.Equal(t, before, d.actions(t))
			require.True(t, alive(t, d.Manager, tokens.AccessToken))
		})
	}
}

// numbering is a store whose units of work begin by taking the number of the
// generation that they are to make. One that is rolled back gives it back.
type numbering struct{ store.Store }

func (s numbering) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	return s.Store.Update(ctx, realm, func(tx store.Tx) error { return fn(numberingTx{tx}) })
}

type numberingTx struct{ store.Tx }

func (t numberingTx) Generation(ctx context.Context) (uint64, error) {
	n, err := t.Tx.Generation(ctx)
	return n + 1, err
}

// TestRightsReadInUpdateAreNotKept: the number that a unit of work reads them
// under may be another unit's, if this one is rolled back.
func TestRightsReadInUpdateAreNotKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	m := d.With(numbering{d.store})
	org, owner := usermgmt.OrganizationID("acme"), d.user(t, "owner")
	require.NoError(t, second(m.CreateOrganization(ctx, usermgmt.NewOrganization{ID: org, Name: "Acme", Owner: owner.ID})))

	clerk := d.user(t, "clerk", direct(usermgmt.UsersAdd))
	by := m.As(usermgmt.UserActor(clerk.ID))
	require.ErrorIs(t, by.DeleteUser(ctx, owner.ID), usermgmt.ErrForbidden) // is rolled back
	require.NoError(t, m.RevokeRoles(ctx, clerk.ID, direct(usermgmt.UsersAdd)))
	require.False(t, can(t, by, usermgmt.UsersAdd, usermgmt.Realmwide))

	admin := d.user(t, "admin")
	require.NoError(t, second(m.AddMember(ctx, org, usermgmt.NewMember{User: admin.ID, Role: usermgmt.RoleOrgAdmin})))
	by = m.As(usermgmt.UserActor(admin.ID))
	require.ErrorIs(t, by.DeleteOrganization(ctx, org), usermgmt.ErrForbidden)
	require.NoError(t, second(m.UpdateMember(ctx, org, admin.ID, usermgmt.MemberUpdate{Role: new(usermgmt.RoleUnassigned)})))
	require.False(t, can(t, by, usermgmt.KeysAdd, usermgmt.InOrganization(org)))
}
