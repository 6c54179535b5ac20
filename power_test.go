package usermgmt_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// TestWhoAddsAnAccountHasNoPowerOverIt: the owner, an admin and an API key of
// an organization to which someone is added may end his membership, and nothing
// else of him, be he stronger than they or nobody at all.
func TestWhoAddsAnAccountHasNoPowerOverIt(t *testing.T) {
	t.Parallel()
	for _, strong := range []bool{false, true} {
		t.Run(fmt.Sprintf("strong %t", strong), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			ctx := t.Context()
			var grants []usermgmt.Grant
			if strong {
				grants = []usermgmt.Grant{realmRole(usermgmt.RoleAdmin)}
			}
			owner, admin := d.person(t, "owner"), d.person(t, "admin")
			victim, err := d.CreateUser(ctx, usermgmt.NewUser{Username: "victim", Email: "victim@elsewhere.example", Password: passphrase, Grants: grants})
			require.NoError(t, err)
			org, err := d.CreateOrganization(ctx, usermgmt.NewOrganization{Name: "Trap", Owner: owner.ID})
			require.NoError(t, err)
			require.NoError(t, second(d.AddMember(ctx, org.ID, usermgmt.NewMember{User: admin.ID, Role: usermgmt.RoleOrgAdmin})))
			k, _, err := d.acting(owner).CreateKey(ctx, org.ID, usermgmt.NewKey{Name: "key", Role: usermgmt.RoleOwner})
			require.NoError(t, err)
			tokens := d.signIn(t, "victim", passphrase)
			for _, by := range []*usermgmt.Manager{d.acting(owner), d.acting(admin), d.As(usermgmt.KeyActor(k.ID))} {
				_, err := by.AddMember(ctx, org.ID, usermgmt.NewMember{Email: "victim@elsewhere.example", Role: usermgmt.RoleReader})
				require.NoError(t, err)
				before := d.actions(t)
				for what, act := range map[string]func() error{
					"rename": func() error { return second(by.UpdateUser(ctx, victim.ID, usermgmt.UserUpdate{FirstName: new("X")})) },
					"new e-mail": func() error {
						return second(by.UpdateUser(ctx, victim.ID, usermgmt.UserUpdate{Email: new("x@x.example")}))
					},
					"new password":  func() error { return by.SetPassword(ctx, victim.ID, "brass lantern 12") },
					"reset":         func() error { return by.ResetPassword(ctx, victim.ID, "brass lantern 12") },
					"disable":       func() error { return by.DisableUser(ctx, victim.ID) },
					"delete":        func() error { return by.DeleteUser(ctx, victim.ID) },
					"grant":         func() error { return by.GrantRoles(ctx, victim.ID, realmRole(usermgmt.RoleReadOnly)) },
					"end sessions":  func() error { _, err := by.EndSessions(ctx, victim.ID); return err },
					"list sessions": func() error { return second(by.Sessions(ctx, victim.ID, usermgmt.Page{})) },
					"memberships":   func() error { return second(by.Memberships(ctx, victim.ID, usermgmt.Page{})) },
				} {
					require.ErrorIs(t, act(), usermgmt.ErrForbidden, "%v: %s", by.Actor(), what)
				}
				require.Equal(t, before, d.actions(t))
				require.True(t, alive(t, d.Manager, tokens.AccessToken))
				require.NoError(t, by.RemoveMember(ctx, org.ID, victim.ID))
			}
			u, err := d.User(ctx, victim.ID)
			require.NoError(t, err)
			require.Equal(t, victim, u)
		})
	}
}

// TestCreationGivesWhatGrantsGive: whoever may both create users and change
// their roles can give by the one what he can give by the other, and no more.
func TestCreationGivesWhatGrantsGive(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	both := []usermgmt.Permission{usermgmt.UsersAdd, usermgmt.UsersUpdateRoles}
	clerk := d.role(t, "clerk", both...)
	reader := d.role(t, "reader of users", append(both, usermgmt.UsersRead)...)
	deleter := d.role(t, "deleter", usermgmt.UsersDelete)
	org, err := d.CreateOrganization(ctx, usermgmt.NewOrganization{ID: "acme", Name: "Acme"})
	require.NoError(t, err)
	grants := map[string]usermgmt.Grant{
		"admin": realmRole(usermgmt.RoleAdmin), "read-only": realmRole(usermgmt.RoleReadOnly), "clerk": clerk, "reader": reader, "deleter": deleter,
		"users.read": direct(usermgmt.UsersRead), "users.add": direct(usermgmt.UsersAdd), "users.*": direct("users.*"), "*.*": direct(usermgmt.All),
		"supervisor": at(usermgmt.RoleSupervisor, "F1"), "administrator everywhere": at(usermgmt.RoleAdministrator), "fulfiller": at(usermgmt.RoleFulfiller, "F1"),
		"owner of acme": grantIn(usermgmt.RoleOwner, string(org.ID)), "owner everywhere": grantIn(usermgmt.RoleOwner),
	}
	given, refused := 0, 0
	name := func(kind string) string { return fmt.Sprintf("%s-%d", kind, given+refused) }
	for who, holds := range map[string][]usermgmt.Grant{
		"clerk": {clerk}, "reader": {reader}, "clerk and supervisor": {clerk, at(usermgmt.RoleSupervisor, "F1")},
		"clerk with a permission": {clerk, direct(usermgmt.UsersDelete)}, "users.*": {direct("users.*")}, "root": {realmRole(usermgmt.RoleAdmin)},
		"clerk and owner": {clerk, grantIn(usermgmt.RoleOwner, string(org.ID))},
	} {
		actor := d.acting(d.user(t, name("actor"), holds...))
		for what, g := range grants {
			plain, err := actor.CreateUser(ctx, usermgmt.NewUser{Username: name("plain")})
			require.NoError(t, err)
			after := actor.GrantRoles(ctx, plain.ID, g)
			_, created := actor.CreateUser(ctx, usermgmt.NewUser{Username: name("made"), Grants: []usermgmt.Grant{g}})
			require.Equal(t, after == nil, created == nil, "%s gives %s: after creation %v, with it %v", who, what, after, created)
			if created == nil {
				given++
				continue
			}
			require.True(t, errors.Is(created, usermgmt.ErrForbidden) && errors.Is(after, usermgmt.ErrForbidden), "%v, %v", after, created)
			refused++
		}
	}
	require.Greater(t, given, 20)
	require.Greater(t, refused, 20)
}
