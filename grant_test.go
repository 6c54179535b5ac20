package usermgmt_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// withAt returns the list with x inserted before the n-th of it.
func withAt[T any](list []T, n int, x T) []T { return slices.Insert(slices.Clone(list), n, x) }

// TestEveryGrantOfAListIsJudged: one grant that is not the actor's to give spoils
// the list, wherever in it it stands and wherever its role's id sorts.
func TestEveryGrantOfAListIsJudged(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	require.NoError(t, d.Apply(ctx, usermgmt.Snapshot{Roles: []usermgmt.SnapshotRole{
		{ID: "!", Name: "deleter that sorts first", Permissions: []usermgmt.Permission{usermgmt.UsersDelete}},
		{ID: "~", Name: "deleter that sorts last", Permissions: []usermgmt.Permission{usermgmt.UsersDelete}},
	}}))
	clerk := d.acting(d.user(t, "clerk", d.role(t, "clerk", usermgmt.UsersAdd, usermgmt.UsersUpdate, usermgmt.UsersUpdateRoles)))
	allowed := []usermgmt.Grant{at(usermgmt.RoleFulfiller, "F1", "F2"), d.role(t, "adder", usermgmt.UsersAdd), direct(usermgmt.UsersUpdate)}
	names := 0
	name := func() string { names++; return fmt.Sprintf("user-%d", names) }
	for what, forbidden := range map[string]usermgmt.Grant{
		"role that sorts first": realmRole("!"), "role that sorts last": realmRole("~"), "permission": direct(usermgmt.UsersDelete),
		"role at a facility": at(usermgmt.RoleSupervisor, "F1"), "role in organizations": grantIn(usermgmt.RoleOwner),
	} {
		for n := range len(allowed) + 1 {
			list := withAt(allowed, n, forbidden)
			_, err := clerk.CreateUser(ctx, usermgmt.NewUser{Username: name(), Grants: list})
			require.ErrorIs(t, err, usermgmt.ErrForbidden, "a user is created with a %s as number %d", what, n)
			target := d.user(t, name(), allowed[:1]...)
			for kind, up := range map[string]usermgmt.UserUpdate{
				"added": {AddGrants: list}, "put in place": {Grants: &list},
				"added beside others that go": {AddGrants: list[:n+1], RemoveGrants: []usermgmt.Grant{realmRole(usermgmt.RoleReadOnly)}},
			} {
				_, err := clerk.UpdateUser(ctx, target.ID, up)
				require.ErrorIs(t, err, usermgmt.ErrForbidden, "a %s as number %d is %s", what, n, kind)
			}
			kept, err := d.User(ctx, target.ID)
			require.NoError(t, err)
			require.Equal(t, target, kept)

			// Who holds it is out of reach, whatever else is taken along.
			holder := d.user(t, name(), list...)
			for _, remove := range [][]usermgmt.Grant{list, {forbidden}, allowed[:1]} {
				_, err := clerk.UpdateUser(ctx, holder.ID, usermgmt.UserUpdate{RemoveGrants: remove})
				require.ErrorIs(t, err, usermgmt.ErrForbidden, "a %s as number %d is taken", what, n)
			}
		}
	}
	made, err := clerk.CreateUser(ctx, usermgmt.NewUser{Username: name(), Grants: allowed})
	require.NoError(t, err)
	require.Len(t, made.Grants, len(allowed))
	_, err = clerk.UpdateUser(ctx, made.ID, usermgmt.UserUpdate{RemoveGrants: allowed})
	require.NoError(t, err)
}

// TestEveryTenantOfAListIsJudged is the same of tenants, given and taken.
func TestEveryTenantOfAListIsJudged(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	allowed := []string{"b", "c", "m", "type:test"}
	for _, id := range []usermgmt.TenantID{"a", "b", "c", "m", "z"} {
		require.NoError(t, second(d.CreateTenant(ctx, usermgmt.NewTenant{ID: id, Name: string(id)})))
	}
	u, err := d.CreateUser(ctx, usermgmt.NewUser{Username: "clerk", Tenants: allowed, Grants: []usermgmt.Grant{direct("users.*")}})
	require.NoError(t, err)
	clerk := d.acting(u)
	names := 0
	name := func() string { names++; return fmt.Sprintf("user-%d", names) }
	for _, forbidden := range []string{"a", "z", "any", "type:prod", "none"} {
		for n := range len(allowed) + 1 {
			list := withAt(allowed, n, forbidden)
			_, err := clerk.CreateUser(ctx, usermgmt.NewUser{Username: name(), Tenants: list})
			require.ErrorIs(t, err, usermgmt.ErrForbidden, "a user is created with %q as number %d", forbidden, n)
			target := d.user(t, name())
			for kind, up := range map[string]usermgmt.UserUpdate{
				"added": {AddTenants: list}, "put in place": {Tenants: &list}, "removed": {RemoveTenants: list},
			} {
				_, err := clerk.UpdateUser(ctx, target.ID, up)
				require.ErrorIs(t, err, usermgmt.ErrForbidden, "%q as number %d is %s", forbidden, n, kind)
			}
			if forbidden == "none" {
				continue
			}
			holder, err := d.CreateUser(ctx, usermgmt.NewUser{Username: name(), Tenants: list})
			require.NoError(t, err)
			for kind, up := range map[string]usermgmt.UserUpdate{
				"removed": {RemoveTenants: list}, "replaced by what is his": {Tenants: &allowed}, "replaced by nothing": {Tenants: &[]string{}},
			} {
				_, err := clerk.UpdateUser(ctx, holder.ID, up)
				require.ErrorIs(t, err, usermgmt.ErrForbidden, "%q as number %d is %s", forbidden, n, kind)
			}
		}
	}
	made, err := clerk.CreateUser(ctx, usermgmt.NewUser{Username: name(), Tenants: allowed})
	require.NoError(t, err)
	_, err = clerk.UpdateUser(ctx, made.ID, usermgmt.UserUpdate{RemoveTenants: allowed})
	require.NoError(t, err)
}
