package usermgmt_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

func TestRoles(t *testing.T) {
	t.Parallel()
	t.Run("are created, read, changed by version and deleted", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		r, err := d.CreateRole(t.Context(), usermgmt.NewRole{Name: "support", Description: "Helps", Permissions: []usermgmt.Permission{usermgmt.UsersRead, usermgmt.UsersList}})
		require.NoError(t, err)
		require.EqualValues(t, 1, r.Version)
		require.Equal(t, []string{"users.list", "users.read"}, r.Permissions)
		r, err = d.UpdateRole(t.Context(), r.ID, usermgmt.RoleUpdate{Version: 1, Name: new("helpers"), Add: []usermgmt.Permission{"users.*"}, Remove: []usermgmt.Permission{usermgmt.UsersRead, usermgmt.RolesAdd}})
		require.NoError(t, err)
		require.EqualValues(t, 2, r.Version)
		require.Equal(t, []string{"users.*", "users.list"}, r.Permissions)
		got, err := d.RoleByName(t.Context(), usermgmt.ScopeRealm, "helpers")
		require.NoError(t, err)
		require.Equal(t, r, got)
		same, err := d.UpdateRole(t.Context(), r.ID, usermgmt.RoleUpdate{Version: 2, Name: new("helpers"), Add: []usermgmt.Permission{usermgmt.UsersList}})
		require.NoError(t, err)
		require.Equal(t, r, same)
		_, err = d.UpdateRole(t.Context(), r.ID, usermgmt.RoleUpdate{Version: 1, Name: new("x")})
		require.ErrorIs(t, err, usermgmt.ErrStale)
		require.NoError(t, d.DeleteRole(t.Context(), r.ID))
		_, err = d.Role(t.Context(), r.ID)
		require.ErrorIs(t, err, usermgmt.ErrNotFound)
		require.ErrorIs(t, d.DeleteRole(t.Context(), r.ID), usermgmt.ErrNotFound)
	})
	t.Run("names are unique in a scope, built-in ones included", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		_, err := d.CreateRole(t.Context(), usermgmt.NewRole{Name: "support"})
		require.NoError(t, err)
		for _, n := range []usermgmt.NewRole{{Name: "support"}, {Name: "admin"}, {Name: "owner", Scope: usermgmt.ScopeOrganization}, {Name: "FULFILLER", Scope: usermgmt.ScopeFacility}} {
			_, err := d.CreateRole(t.Context(), n)
			require.ErrorIs(t, err, usermgmt.ErrExists, n.Name)
		}
		for _, n := range []usermgmt.NewRole{{Name: "support", Scope: usermgmt.ScopeFacility}, {Name: "Support"}} {
			_, err := d.CreateRole(t.Context(), n)
			require.NoError(t, err)
		}
		r, err := d.CreateRole(t.Context(), usermgmt.NewRole{Name: "other"})
		require.NoError(t, err)
		for _, taken := range []string{"support", "read-only"} {
			_, err = d.UpdateRole(t.Context(), r.ID, usermgmt.RoleUpdate{Name: &taken})
			require.ErrorIs(t, err, usermgmt.ErrExists)
		}
	})
	t.Run("built-in ones stay as they are", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		root := d.acting(d.user(t, "root", realmRole(usermgmt.RoleAdmin)))
		for _, id := range []usermgmt.RoleID{usermgmt.RoleAdmin, usermgmt.RoleReadOnly, usermgmt.RoleOwner, usermgmt.RoleFulfiller} {
			require.ErrorIs(t, second(root.UpdateRole(t.Context(), id, usermgmt.RoleUpdate{Name: new("x")})), usermgmt.ErrForbidden)
			require.ErrorIs(t, root.DeleteRole(t.Context(), id), usermgmt.ErrForbidden)
			r, err := root.Role(t.Context(), id)
			require.NoError(t, err)
			r.Permissions = append(r.Permissions[:0], "users.fly")
			again, err := root.Role(t.Context(), id)
			require.NoError(t, err)
			require.NotContains(t, again.Permissions, "users.fly", "a caller changed a built-in role")
		}
	})
	t.Run("nobody makes, widens, narrows or deletes a role beyond his own rights", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		big := d.role(t, "big", usermgmt.UsersDelete).Role
		small := d.role(t, "small", usermgmt.UsersRead).Role
		m := d.acting(d.user(t, "roly", d.role(t, "roly", "roles.*", usermgmt.UsersRead)))
		for _, ps := range [][]usermgmt.Permission{{usermgmt.UsersDelete}, {usermgmt.UsersRead, usermgmt.UsersDelete}, {"users.*"}, {usermgmt.All}} {
			_, err := m.CreateRole(t.Context(), usermgmt.NewRole{Name: "x", Permissions: ps})
			require.ErrorIs(t, err, usermgmt.ErrForbidden, "%v", ps)
			_, err = m.UpdateRole(t.Context(), small, usermgmt.RoleUpdate{Add: ps})
			require.ErrorIs(t, err, usermgmt.ErrForbidden, "%v", ps)
		}
		require.ErrorIs(t, second(m.UpdateRole(t.Context(), big, usermgmt.RoleUpdate{Remove: []usermgmt.Permission{usermgmt.UsersDelete}})), usermgmt.ErrForbidden)
		require.ErrorIs(t, second(m.UpdateRole(t.Context(), big, usermgmt.RoleUpdate{Name: new("mine")})), usermgmt.ErrForbidden)
		require.ErrorIs(t, m.DeleteRole(t.Context(), big), usermgmt.ErrForbidden)
		require.NoError(t, second(m.UpdateRole(t.Context(), small, usermgmt.RoleUpdate{Add: []usermgmt.Permission{usermgmt.RolesRead}})))
		require.NoError(t, m.DeleteRole(t.Context(), small))
	})
	t.Run("unknown and malformed permissions are refused", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		for _, p := range []usermgmt.Permission{"users.fly", "*.write", "users", "", "users.", ".read", "flights.*", "users.read ", "Users.read", "users.read.all", "*"} {
			_, err := d.CreateRole(t.Context(), usermgmt.NewRole{Name: "x", Permissions: []usermgmt.Permission{usermgmt.UsersRead, p}})
			require.ErrorIs(t, err, usermgmt.ErrInvalid, "%q", p)
		}
		for _, n := range []usermgmt.NewRole{{Name: ""}, {Name: " "}, {Name: "a\x00"}, {Name: "x", Scope: 9}} {
			_, err := d.CreateRole(t.Context(), n)
			require.ErrorIs(t, err, usermgmt.ErrInvalid, "%+v", n)
		}
		r := d.role(t, "x").Role
		_, err := d.UpdateRole(t.Context(), r, usermgmt.RoleUpdate{Add: []usermgmt.Permission{usermgmt.UsersRead}, Remove: []usermgmt.Permission{usermgmt.UsersRead}})
		require.ErrorIs(t, err, usermgmt.ErrInvalid)
	})
	t.Run("deleting one takes it from its holders and members at once", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		grant := d.role(t, "support", usermgmt.UsersRead)
		var holders []usermgmt.User
		for i := range 3 {
			holders = append(holders, d.user(t, fmt.Sprintf("h%d", i), grant, realmRole(usermgmt.RoleReadOnly)))
		}
		crew, err := d.CreateRole(t.Context(), usermgmt.NewRole{Name: "crew", Scope: usermgmt.ScopeOrganization, Permissions: []usermgmt.Permission{usermgmt.MembersRead}})
		require.NoError(t, err)
		_, err = d.CreateOrganization(t.Context(), usermgmt.NewOrganization{ID: "acme", Name: "Acme", Owner: holders[0].ID})
		require.NoError(t, err)
		_, err = d.AddMember(t.Context(), "acme", usermgmt.NewMember{User: holders[1].ID, Role: crew.ID})
		require.NoError(t, err)
		require.NoError(t, d.DeleteRole(t.Context(), grant.Role))
		require.NoError(t, d.DeleteRole(t.Context(), crew.ID))
		for _, h := range holders {
			u, err := d.User(t.Context(), h.ID)
			require.NoError(t, err)
			require.Equal(t, []usermgmt.Grant{realmRole(usermgmt.RoleReadOnly)}, u.Grants)
			require.EqualValues(t, 2, u.Version)
		}
		ms, err := d.Member(t.Context(), "acme", holders[1].ID)
		require.NoError(t, err)
		require.Equal(t, usermgmt.RoleUnassigned, ms.Role)
	})
	t.Run("are listed with the built-in ones, by cursor and by offset", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		for i := range 9 {
			d.role(t, fmt.Sprintf("r%d", i))
		}
		all, err := d.Roles(t.Context(), usermgmt.RoleList{Page: usermgmt.Page{Limit: 100}})
		require.NoError(t, err)
		require.Len(t, all.Items, 13+9)
		for limit := 1; limit < 24; limit++ {
			var byCursor, byOffset []usermgmt.Role
			for p := (usermgmt.Page{Limit: limit}); ; {
				l, err := d.Roles(t.Context(), usermgmt.RoleList{Page: p})
				require.NoError(t, err)
				byCursor = append(byCursor, l.Items...)
				if p.After = l.Next; l.Next == "" {
					break
				}
			}
			for offset := range len(all.Items) + 2 {
				l, err := d.Realm(usermgmt.DefaultRealm).Roles(t.Context(), usermgmt.RoleList{Page: usermgmt.Page{Offset: int64(offset), Limit: limit}})
				require.NoError(t, err)
				if offset%limit == 0 {
					byOffset = append(byOffset, l.Items...)
				}
				want := all.Items[min(offset, len(all.Items)):min(offset+limit, len(all.Items))]
				require.True(t, slices.EqualFunc(want, l.Items, func(a, b usermgmt.Role) bool { return a.ID == b.ID }), "offset %d, limit %d", offset, limit)
			}
			require.Equal(t, all.Items, byCursor)
			require.Equal(t, all.Items, byOffset)
		}
	})
}

func TestFindRoles(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	support := d.role(t, "support", usermgmt.UsersRead).Role
	odd, err := d.CreateRole(t.Context(), usermgmt.NewRole{Name: string(support)}) // named like another's id
	require.NoError(t, err)
	giver := d.acting(d.user(t, "giver", direct(usermgmt.UsersAdd)))
	roles, err := giver.FindRoles(t.Context(), usermgmt.ScopeRealm, []string{"read-only", string(support), "support", string(odd.ID)})
	require.NoError(t, err)
	var found []usermgmt.RoleID
	for _, r := range roles {
		found = append(found, r.ID)
	}
	require.Equal(t, []usermgmt.RoleID{usermgmt.RoleReadOnly, support, support, odd.ID}, found)
	for _, bad := range []string{"", "nobody", "SUPERVISOR", string(usermgmt.RoleOwner), "owner"} {
		_, err := giver.FindRoles(t.Context(), usermgmt.ScopeRealm, []string{"support", bad})
		var inv *usermgmt.InvalidError
		require.ErrorAs(t, err, &inv, bad)
		require.Equal(t, "roles", inv.Field)
	}
	plain := d.user(t, "plain", realmRole(support))
	_, err = d.acting(plain).FindRoles(t.Context(), usermgmt.ScopeRealm, []string{"support"})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)

	holder := d.acting(d.user(t, "holder", realmRole(odd.ID)))
	own, err := holder.RolesByID(t.Context(), []usermgmt.RoleID{odd.ID})
	require.NoError(t, err)
	require.Len(t, own, 1)
	_, err = holder.RolesByID(t.Context(), []usermgmt.RoleID{odd.ID, support})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)

	l, err := d.Roles(t.Context(), usermgmt.RoleList{Scope: usermgmt.ScopeRealm, Page: usermgmt.Page{Limit: 3}})
	require.NoError(t, err)
	require.Len(t, l.Items, 3)
	rest, err := d.Roles(t.Context(), usermgmt.RoleList{Scope: usermgmt.ScopeRealm, Page: usermgmt.Page{Limit: 3, Offset: 3}})
	require.NoError(t, err)
	require.Len(t, rest.Items, 1)
	require.Empty(t, rest.Next)
}

func TestCustomPermissions(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	admin := d.user(t, "admin", realmRole(usermgmt.RoleAdmin))
	clerk := d.user(t, "clerk", d.role(t, "clerk", "roles.*"))
	const approve usermgmt.Permission = "invoices.approve"
	require.ErrorIs(t, d.acting(clerk).CreatePermission(t.Context(), approve), usermgmt.ErrForbidden)
	for _, p := range []usermgmt.Permission{"invoices.*", "*.*", "invoices", "Invoices.approve", ""} {
		require.ErrorIs(t, d.CreatePermission(t.Context(), p), usermgmt.ErrInvalid, "%q", p)
	}
	require.NoError(t, d.acting(admin).CreatePermission(t.Context(), approve))
	before := d.actions(t)
	require.NoError(t, d.CreatePermission(t.Context(), approve))
	require.NoError(t, d.CreatePermission(t.Context(), usermgmt.UsersRead))
	require.Equal(t, before, d.actions(t), "a known permission is written again")

	known, err := d.Permissions(t.Context())
	require.NoError(t, err)
	require.Contains(t, known, approve)
	require.True(t, slices.IsSorted(known))
	_, err = d.Realm("other").CreateRole(t.Context(), usermgmt.NewRole{Name: "x", Permissions: []usermgmt.Permission{approve}})
	require.ErrorIs(t, err, usermgmt.ErrInvalid, "another realm knows it")

	ok, err := d.acting(admin).Can(t.Context(), approve, usermgmt.Realmwide)
	require.NoError(t, err)
	require.True(t, ok)
	held, err := d.EffectivePermissions(t.Context(), admin.ID)
	require.NoError(t, err)
	require.Equal(t, known, held)
	held, err = d.acting(clerk).EffectivePermissions(t.Context(), clerk.ID)
	require.NoError(t, err)
	require.Equal(t, []usermgmt.Permission{"roles.add", "roles.delete", "roles.list", "roles.read", "roles.update"}, held)
}

func TestDeletePermission(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, p := range []usermgmt.Permission{"invoices.approve", "invoices.pay"} {
		require.NoError(t, d.CreatePermission(t.Context(), p))
	}
	role := d.role(t, "payer", "invoices.pay", "invoices.*", usermgmt.UsersRead)
	u := d.user(t, "ada", direct("invoices.pay"), direct("invoices.*"), direct(usermgmt.UsersRead))
	holder := d.acting(d.user(t, "holder", role))
	clerk := d.acting(d.user(t, "clerk", direct("roles.*")))

	require.ErrorIs(t, clerk.DeletePermission(t.Context(), "invoices.pay"), usermgmt.ErrForbidden)
	require.ErrorIs(t, d.DeletePermission(t.Context(), usermgmt.UsersRead), usermgmt.ErrForbidden)
	require.ErrorIs(t, d.DeletePermission(t.Context(), "invoices.burn"), usermgmt.ErrNotFound)
	require.True(t, can(t, holder, "invoices.pay", usermgmt.Realmwide))

	require.NoError(t, d.DeletePermission(t.Context(), "invoices.pay"))
	got, err := d.User(t.Context(), u.ID)
	require.NoError(t, err)
	require.Equal(t, []usermgmt.Grant{direct("invoices.*"), direct(usermgmt.UsersRead)}, got.Grants)
	r, err := d.Role(t.Context(), role.Role)
	require.NoError(t, err)
	require.Equal(t, []string{"invoices.*", "users.read"}, r.Permissions)

	both := d.user(t, "both", direct("invoices.approve"), direct("invoices.*"))
	require.NoError(t, d.DeletePermission(t.Context(), "invoices.approve"))
	got, err = d.User(t.Context(), both.ID)
	require.NoError(t, err)
	require.Empty(t, got.Grants)
	require.Equal(t, both.Version+1, got.Version, "who loses two is changed once")
	require.False(t, can(t, holder, "invoices.pay", usermgmt.Realmwide), "the wildcard of a group that is gone still works")
	require.NoError(t, d.CreatePermission(t.Context(), "invoices.pay"))
	require.False(t, can(t, holder, "invoices.pay", usermgmt.Realmwide), "re-creating a permission revived it")
	require.False(t, can(t, d.acting(u), "invoices.pay", usermgmt.Realmwide))
}
