package usermgmt_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

func TestUpdateUser(t *testing.T) {
	t.Parallel()
	t.Run("changes what is given, in one step of the version", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		u := d.user(t, "ada")
		d.clock.Advance(time.Minute)
		got, err := d.UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{
			Version: 1, FirstName: new("Ada"), LastName: new("Lovelace"), Email: new("ada@example.com"), Locale: new("en"),
			Username: new("Countess"), Tags: &[]string{"b", "a"}, Attributes: new(json.RawMessage(`{"k":"v"}`)),
			AddGrants: []usermgmt.Grant{realmRole(usermgmt.RoleReadOnly)}, AddTenants: []string{"any"},
		})
		require.NoError(t, err)
		require.EqualValues(t, 2, got.Version)
		require.Equal(t, d.clock.Now(), got.UpdatedAt)
		require.Equal(t, u.CreatedAt, got.CreatedAt)
		stored, err := d.User(t.Context(), u.ID)
		require.NoError(t, err)
		require.Equal(t, got, stored)
		_, err = d.UserByUsername(t.Context(), "ada")
		require.ErrorIs(t, err, usermgmt.ErrNotFound)
	})
	t.Run("what changes nothing writes nothing", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		u, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "ada", FirstName: "Ada", Tags: []string{"t"}, Grants: []usermgmt.Grant{realmRole(usermgmt.RoleReadOnly), at(usermgmt.RoleFulfiller, "F1", "F2")}})
		require.NoError(t, err)
		before := d.actions(t)
		d.clock.Advance(time.Minute)
		for _, up := range []usermgmt.UserUpdate{
			{},
			{FirstName: new("Ada"), Tags: &[]string{"t"}},
			{AddGrants: []usermgmt.Grant{realmRole(usermgmt.RoleReadOnly), at(usermgmt.RoleFulfiller, "F2")}},
			{RemoveGrants: []usermgmt.Grant{realmRole(usermgmt.RoleAdmin), at(usermgmt.RoleFulfiller, "F9")}, RemoveTenants: []string{"any"}},
			{Disabled: new(false)},
			{Grants: &[]usermgmt.Grant{at(usermgmt.RoleFulfiller, "F2"), realmRole(usermgmt.RoleReadOnly), at(usermgmt.RoleFulfiller, "F1")}},
			{FacilityRoles: &[]usermgmt.Grant{at(usermgmt.RoleFulfiller, "F2"), at(usermgmt.RoleFulfiller, "F1")}},
		} {
			got, err := d.UpdateUser(t.Context(), u.ID, up)
			require.NoError(t, err)
			require.Equal(t, u, got)
		}
		require.Equal(t, before, d.actions(t))
	})
	t.Run("replaces realm roles or single permissions alone", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		u := d.user(t, "ada", realmRole(usermgmt.RoleReadOnly), direct(usermgmt.UsersAdd), at(usermgmt.RoleFulfiller, "F1"))
		role := d.role(t, "r")
		got, err := d.UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{Roles: &[]usermgmt.RoleID{role.Role}})
		require.NoError(t, err)
		require.ElementsMatch(t, []usermgmt.Grant{role, direct(usermgmt.UsersAdd), at(usermgmt.RoleFulfiller, "F1")}, got.Grants)
		got, err = d.UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{Permissions: &[]usermgmt.Permission{usermgmt.UsersRead}})
		require.NoError(t, err)
		require.ElementsMatch(t, []usermgmt.Grant{role, direct(usermgmt.UsersRead), at(usermgmt.RoleFulfiller, "F1")}, got.Grants)
	})
	t.Run("is by right alone, if that is asked for", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		for name, c := range map[string]struct {
			grants []usermgmt.Grant
			may    bool
		}{
			"nobody":                {nil, false},
			"who gives roles":       {[]usermgmt.Grant{direct(usermgmt.UsersUpdateRoles)}, false},
			"who changes users":     {[]usermgmt.Grant{direct(usermgmt.UsersUpdate)}, true},
			"a fulfiller":           {[]usermgmt.Grant{at(usermgmt.RoleFulfiller, "F1")}, false},
			"a supervisor":          {[]usermgmt.Grant{at(usermgmt.RoleSupervisor, "F1")}, true},
			"a supervisor in part":  {[]usermgmt.Grant{at(usermgmt.RoleSupervisor, "F1"), at(usermgmt.RoleFulfiller, "F2")}, false},
			"administrator of all":  {[]usermgmt.Grant{at(usermgmt.RoleAdministrator)}, true},
			"administrator of some": {[]usermgmt.Grant{at(usermgmt.RoleAdministrator, "F1")}, true},
			"the realm's admin":     {[]usermgmt.Grant{realmRole(usermgmt.RoleAdmin)}, true},
		} {
			u := d.user(t, strings.ReplaceAll(name, " ", "-"), c.grants...)
			for _, up := range []usermgmt.UserUpdate{{FirstName: new("X")}, {}} {
				require.NoError(t, second(d.acting(u).UpdateUser(t.Context(), u.ID, up)), "%s of himself", name)
				up.ByRight = true
				err := second(d.acting(u).UpdateUser(t.Context(), u.ID, up))
				if c.may {
					require.NoError(t, err, name)
					continue
				}
				var refused *usermgmt.ForbiddenError
				require.ErrorAs(t, err, &refused, name)
				require.Equal(t, usermgmt.UsersUpdate, refused.Permission, name)
			}
		}
	})
	t.Run("an empty list asks for the right to change it, and changes nothing", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		u := d.user(t, "ada", realmRole(usermgmt.RoleReadOnly))
		giver := d.acting(d.user(t, "giver", realmRole(usermgmt.RoleReadOnly), direct(usermgmt.UsersUpdateRoles)))
		got, err := giver.UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{AddGrants: []usermgmt.Grant{}})
		require.NoError(t, err)
		require.Equal(t, u, got)
		for _, up := range []usermgmt.UserUpdate{{}, {AddTenants: []string{}}} {
			require.ErrorIs(t, second(giver.UpdateUser(t.Context(), u.ID, up)), usermgmt.ErrForbidden)
		}
		plain := d.acting(u)
		require.ErrorIs(t, second(plain.UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{RemoveGrants: []usermgmt.Grant{}})), usermgmt.ErrForbidden)
	})
	t.Run("a stale version writes nothing and tells both", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		u := d.user(t, "ada")
		require.NoError(t, second(d.UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{Version: 1, FirstName: new("A")})))
		_, err := d.UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{Version: 1, FirstName: new("B")})
		var stale *usermgmt.StaleError
		require.ErrorAs(t, err, &stale)
		require.Equal(t, usermgmt.StaleError{Version: 2, Requested: 1}, *stale)
		got, err := d.User(t.Context(), u.ID)
		require.NoError(t, err)
		require.Equal(t, "A", got.FirstName)
	})
	t.Run("a role at every facility takes in what is held of it at some", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		some, all := at(usermgmt.RoleAdministrator, "F1"), at(usermgmt.RoleAdministrator)
		for name, grants := range map[string][]usermgmt.Grant{"some-first": {some, all}, "all-first": {all, some}} {
			require.Equal(t, []usermgmt.Grant{all}, d.user(t, "both-"+name, grants...).Grants, name)
			u, err := d.UpdateUser(t.Context(), d.user(t, name, grants[0]).ID, usermgmt.UserUpdate{AddGrants: grants[1:]})
			require.NoError(t, err)
			require.Equal(t, []usermgmt.Grant{all}, u.Grants, name)
		}
	})
	t.Run("removing the last facility takes the role, it does not widen it", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		u := d.user(t, "sue", at(usermgmt.RoleSupervisor, "F1", "F2"))
		got, err := d.UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{RemoveGrants: []usermgmt.Grant{at(usermgmt.RoleSupervisor, "F1")}})
		require.NoError(t, err)
		require.Equal(t, []usermgmt.Grant{at(usermgmt.RoleSupervisor, "F2")}, got.Grants)
		got, err = d.UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{RemoveGrants: []usermgmt.Grant{at(usermgmt.RoleSupervisor, "F2")}})
		require.NoError(t, err)
		require.Empty(t, got.Grants)
	})
	t.Run("the same entry in add and remove is refused", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		u := d.user(t, "ada")
		for _, up := range []usermgmt.UserUpdate{
			{AddTenants: []string{"any"}, RemoveTenants: []string{"any"}},
			{AddGrants: []usermgmt.Grant{realmRole(usermgmt.RoleAdmin)}, RemoveGrants: []usermgmt.Grant{realmRole(usermgmt.RoleAdmin)}},
		} {
			require.ErrorIs(t, second(d.UpdateUser(t.Context(), u.ID, up)), usermgmt.ErrInvalid)
		}
	})
	t.Run("what is not of the profile needs a right of its own", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		u := d.user(t, "ada")
		for name, c := range map[string]struct {
			right usermgmt.Permission
			up    usermgmt.UserUpdate
		}{
			"disabling": {usermgmt.UsersEnable, usermgmt.UserUpdate{Disabled: new(true)}},
			"tenants":   {usermgmt.UsersUpdateTenants, usermgmt.UserUpdate{AddTenants: []string{}}},
			"grants":    {usermgmt.UsersUpdateRoles, usermgmt.UserUpdate{AddGrants: []usermgmt.Grant{direct(usermgmt.UsersUpdate)}}},
			"password":  {usermgmt.UsersPasswordReset, usermgmt.UserUpdate{Password: new(passphrase)}},
		} {
			err := second(d.acting(d.user(t, "without-"+name, direct(usermgmt.UsersUpdate))).UpdateUser(t.Context(), u.ID, c.up))
			var refused *usermgmt.ForbiddenError
			require.ErrorAs(t, err, &refused, name)
			require.Equal(t, c.right, refused.Permission, name)
			with := d.acting(d.user(t, "with-"+name, direct(usermgmt.UsersUpdate), direct(c.right)))
			require.NoError(t, second(with.UpdateUser(t.Context(), d.user(t, "for-"+name).ID, c.up)), name)
		}
	})
	t.Run("nobody gives what he lacks", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		u := d.user(t, "ada")
		giver := d.acting(d.user(t, "giver", direct(usermgmt.UsersUpdateRoles), direct(usermgmt.UsersRead)))
		own := d.role(t, "reader", usermgmt.UsersRead)
		for _, grants := range [][]usermgmt.Grant{{realmRole(usermgmt.RoleAdmin)}, {own, direct(usermgmt.UsersDelete)}, {own, at(usermgmt.RoleSupervisor, "F1")}} {
			for _, up := range []usermgmt.UserUpdate{{AddGrants: grants}, {Grants: &grants}} {
				require.ErrorIs(t, second(giver.UpdateUser(t.Context(), u.ID, up)), usermgmt.ErrForbidden, "%v", grants)
			}
		}
		got, err := giver.UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{AddGrants: []usermgmt.Grant{own}})
		require.NoError(t, err)
		require.Equal(t, []usermgmt.Grant{own}, got.Grants)
	})
	t.Run("one changes one's own profile, and nothing that gives rights", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		u := d.user(t, "eve", realmRole(usermgmt.RoleReadOnly))
		m := d.acting(u)
		require.NoError(t, second(m.UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{FirstName: new("Eve"), LastName: new("E"), Email: new("eve@example.com"), Locale: new("de")})))
		for name, up := range map[string]usermgmt.UserUpdate{
			"grants":     {AddGrants: []usermgmt.Grant{realmRole(usermgmt.RoleAdmin)}},
			"replace":    {Grants: &[]usermgmt.Grant{realmRole(usermgmt.RoleAdmin)}},
			"permission": {AddGrants: []usermgmt.Grant{direct(usermgmt.UsersUpdate)}},
			"facility":   {AddGrants: []usermgmt.Grant{at(usermgmt.RoleSupervisor, "F1")}},
			"tenants":    {AddTenants: []string{"any"}},
			"drop":       {RemoveGrants: []usermgmt.Grant{realmRole(usermgmt.RoleReadOnly)}},
			"username":   {Username: new("root")},
			"tags":       {Tags: &[]string{"vip"}},
			"attributes": {Attributes: new(json.RawMessage(`{"vip":true}`))},
			"enable":     {Disabled: new(false)},
			"password":   {Password: new(passphrase)},
			"mixed":      {FirstName: new("X"), AddGrants: []usermgmt.Grant{realmRole(usermgmt.RoleAdmin)}},
		} {
			require.ErrorIs(t, second(m.UpdateUser(t.Context(), u.ID, up)), usermgmt.ErrForbidden, name)
		}
		confined := d.As(usermgmt.UserActor(u.ID).Confined("org"))
		require.ErrorIs(t, second(confined.UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{FirstName: new("X")})), usermgmt.ErrForbidden)
		got, err := d.User(t.Context(), u.ID)
		require.NoError(t, err)
		require.Equal(t, "Eve", got.FirstName)
		require.Equal(t, []usermgmt.Grant{realmRole(usermgmt.RoleReadOnly)}, got.Grants)
	})
}

// TestRank tells the story of a help desk whose clerks must not reach above themselves.
func TestRank(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	admin := d.user(t, "admin", realmRole(usermgmt.RoleAdmin))
	_ = d.user(t, "admin2", realmRole(usermgmt.RoleAdmin))
	clerk := d.user(t, "clerk", d.role(t, "clerk", "users.*"))
	peer := d.user(t, "peer", direct("users.*"))
	reader := d.user(t, "reader", realmRole(usermgmt.RoleReadOnly))
	plain := d.user(t, "plain", direct(usermgmt.UsersRead))
	boss := d.user(t, "boss", at(usermgmt.RoleAdministrator))
	owner := d.user(t, "owner")
	_, err := d.CreateOrganization(t.Context(), usermgmt.NewOrganization{ID: "acme", Name: "Acme", Owner: owner.ID})
	require.NoError(t, err)
	// Rights in one kind of scope count like those in the realm, be the scopes listed or not.
	require.NoError(t, d.CreatePermission(t.Context(), "parcels.open"))
	above := []usermgmt.User{admin, reader, owner}
	for kind, scope := range map[usermgmt.ScopeKind]string{usermgmt.ScopeFacility: "dock", usermgmt.ScopeOrganization: "acme"} {
		r, err := d.CreateRole(t.Context(), usermgmt.NewRole{Scope: kind, Name: "opener", Permissions: []usermgmt.Permission{"parcels.open"}})
		require.NoError(t, err)
		for _, scopes := range [][]string{nil, {scope}} {
			above = append(above, d.user(t, fmt.Sprintf("opener-%s-%d", kind, len(scopes)), usermgmt.Grant{Role: r.ID, Kind: kind, Scopes: scopes}))
		}
	}
	// He is above who holds one thing more, however much they share.
	above = append(above, d.user(t, "mixed", d.role(t, "mixed", "users.*", "parcels.open")))
	m := d.acting(clerk)

	acts := map[string]func(usermgmt.UserID) error{
		"rename": func(id usermgmt.UserID) error {
			return second(m.UpdateUser(t.Context(), id, usermgmt.UserUpdate{FirstName: new("X" + string(id))}))
		},
		"mail": func(id usermgmt.UserID) error {
			return second(m.UpdateUser(t.Context(), id, usermgmt.UserUpdate{Email: new("x" + string(id) + "@example.com")}))
		},
		"reset": func(id usermgmt.UserID) error { return m.ResetPassword(t.Context(), id, passphrase) },
		"set":   func(id usermgmt.UserID) error { return m.SetPassword(t.Context(), id, passphrase) },
		"tenants": func(id usermgmt.UserID) error {
			return second(m.UpdateUser(t.Context(), id, usermgmt.UserUpdate{RemoveTenants: []string{}, RemoveGrants: []usermgmt.Grant{direct(usermgmt.UsersRead)}}))
		},
		"disable": func(id usermgmt.UserID) error { return m.DisableUser(t.Context(), id) },
		"delete":  func(id usermgmt.UserID) error { return m.DeleteUser(t.Context(), id) },
	}
	for name, act := range acts {
		for _, u := range above {
			require.ErrorIs(t, act(u.ID), usermgmt.ErrForbidden, "%s %s", name, u.Username)
		}
	}
	// users.* realm-wide covers an administrator of every facility, who holds no more.
	for _, name := range []string{"rename", "mail", "reset", "set", "tenants", "disable", "delete"} {
		for _, below := range []usermgmt.User{plain, peer, boss} {
			require.NoError(t, acts[name](below.ID), "%s %s", name, below.Username)
		}
	}
	got, err := d.User(t.Context(), admin.ID)
	require.NoError(t, err)
	require.Equal(t, admin, got)
}

func TestLastAdmin(t *testing.T) {
	t.Parallel()
	t.Run("cannot be lost by any act", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		root := d.user(t, "root", realmRole(usermgmt.RoleAdmin))
		other := d.user(t, "other", realmRole(usermgmt.RoleAdmin))
		require.NoError(t, d.DisableUser(t.Context(), other.ID))
		for name, act := range map[string]func(*usermgmt.Manager) error{
			"delete":  func(m *usermgmt.Manager) error { return m.DeleteUser(t.Context(), root.ID) },
			"disable": func(m *usermgmt.Manager) error { return m.DisableUser(t.Context(), root.ID) },
			"revoke": func(m *usermgmt.Manager) error {
				return m.RevokeRoles(t.Context(), root.ID, realmRole(usermgmt.RoleAdmin))
			},
			"replace": func(m *usermgmt.Manager) error {
				return second(m.UpdateUser(t.Context(), root.ID, usermgmt.UserUpdate{Grants: &[]usermgmt.Grant{realmRole(usermgmt.RoleReadOnly)}}))
			},
		} {
			require.ErrorIs(t, act(d.Manager), usermgmt.ErrLastAdmin, name)
			require.ErrorIs(t, act(d.acting(root)), usermgmt.ErrConflict, name)
		}
		require.NoError(t, d.EnableUser(t.Context(), other.ID))
		require.NoError(t, d.DeleteUser(t.Context(), root.ID))
		require.ErrorIs(t, d.DeleteUser(t.Context(), other.ID), usermgmt.ErrLastAdmin)
	})
	t.Run("stays when two remove each other at once", func(t *testing.T) {
		t.Parallel()
		for range 50 {
			d := newDesk(t)
			a, b := d.user(t, "a", realmRole(usermgmt.RoleAdmin)), d.user(t, "b", realmRole(usermgmt.RoleAdmin))
			errs := make(chan error, 2)
			go func() { errs <- d.acting(a).DeleteUser(context.Background(), b.ID) }()
			go func() { errs <- d.acting(b).RevokeRoles(context.Background(), a.ID, realmRole(usermgmt.RoleAdmin)) }()
			first, last := <-errs, <-errs
			require.True(t, (first == nil) != (last == nil), "exactly one may succeed: %v, %v", first, last)
			l, err := d.Users(t.Context(), usermgmt.UserList{Role: usermgmt.RoleAdmin})
			require.NoError(t, err)
			require.Len(t, l.Items, 1)
		}
	})
}

func TestDeleteUser(t *testing.T) {
	t.Parallel()
	t.Run("re-creating him under the same id revives nothing", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		_ = d.user(t, "root", realmRole(usermgmt.RoleAdmin))
		eve := usermgmt.NewUser{ID: "u-eve", Username: "eve", Password: passphrase, Grants: []usermgmt.Grant{realmRole(usermgmt.RoleAdmin)}}
		u, err := d.CreateUser(t.Context(), eve)
		require.NoError(t, err)
		_, err = d.CreateOrganization(t.Context(), usermgmt.NewOrganization{ID: "acme", Name: "Acme", Owner: u.ID})
		require.NoError(t, err)
		tokens, err := d.SignIn(t.Context(), "eve", passphrase)
		require.NoError(t, err)
		m := d.acting(u)
		for _, s := range []usermgmt.Scope{usermgmt.Realmwide, usermgmt.InOrganization("acme")} {
			ok, err := m.Can(t.Context(), usermgmt.MembersAdd, s)
			require.NoError(t, err)
			require.True(t, ok)
		}
		require.NoError(t, d.DeleteUser(t.Context(), u.ID))
		_, err = d.CreateUser(t.Context(), usermgmt.NewUser{ID: "u-eve", Username: "eve"})
		require.NoError(t, err)
		for _, s := range []usermgmt.Scope{usermgmt.Realmwide, usermgmt.InOrganization("acme")} {
			ok, err := m.Can(t.Context(), usermgmt.MembersAdd, s)
			require.NoError(t, err)
			require.False(t, ok)
		}
		_, err = d.Authenticate(t.Context(), tokens.AccessToken)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
		_, err = d.Refresh(t.Context(), tokens.RefreshToken)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
		_, err = d.SignIn(t.Context(), "eve", passphrase)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
		_, err = d.Member(t.Context(), "acme", "u-eve")
		require.ErrorIs(t, err, usermgmt.ErrNotFound)
	})
	t.Run("everyone may delete himself; a second time he is missing", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		u := d.user(t, "u")
		require.NoError(t, d.acting(u).DeleteUser(t.Context(), u.ID))
		require.ErrorIs(t, d.DeleteUser(t.Context(), u.ID), usermgmt.ErrNotFound)
	})
	t.Run("a supervisor deletes those whose facilities are all his", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		m := d.acting(d.user(t, "sue", at(usermgmt.RoleSupervisor, "F1", "F2")))
		for name, c := range map[string]struct {
			grant usermgmt.Grant
			want  error
		}{
			"all his":  {at(usermgmt.RoleFulfiller, "F1"), nil},
			"a peer":   {at(usermgmt.RoleSupervisor, "F1", "F2"), nil},
			"some":     {at(usermgmt.RoleFulfiller, "F1", "F3"), usermgmt.ErrForbidden},
			"none":     {at(usermgmt.RoleFulfiller, "F3"), usermgmt.ErrNotFound},
			"above":    {at(usermgmt.RoleAdministrator, "F1"), usermgmt.ErrForbidden},
			"no place": {realmRole(usermgmt.RoleAdmin), usermgmt.ErrNotFound},
		} {
			u := d.user(t, strings.ReplaceAll(name, " ", "-"), c.grant)
			err := m.DeleteUser(t.Context(), u.ID)
			require.True(t, errors.Is(err, c.want) && (err == nil) == (c.want == nil), "%s: %v", name, err)
		}
	})
}
