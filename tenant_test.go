package usermgmt_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

func TestTenants(t *testing.T) {
	t.Parallel()
	t.Run("are created, read, changed by version, listed and deleted", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		one, err := d.CreateTenant(t.Context(), usermgmt.NewTenant{ID: "t1", Name: "One", Type: "test"})
		require.NoError(t, err)
		two, err := d.CreateTenant(t.Context(), usermgmt.NewTenant{Name: "Two"})
		require.NoError(t, err)
		one, err = d.UpdateTenant(t.Context(), "t1", usermgmt.TenantUpdate{Version: 1, Name: new("Uno"), Type: new("production")})
		require.NoError(t, err)
		require.EqualValues(t, 2, one.Version)
		same, err := d.UpdateTenant(t.Context(), "t1", usermgmt.TenantUpdate{Version: 2, Name: new("Uno")})
		require.NoError(t, err)
		require.Equal(t, one, same)
		require.ErrorIs(t, second(d.UpdateTenant(t.Context(), "t1", usermgmt.TenantUpdate{Version: 1, Name: new("x")})), usermgmt.ErrStale)
		require.ErrorIs(t, second(d.CreateTenant(t.Context(), usermgmt.NewTenant{ID: "t1", Name: "x"})), usermgmt.ErrExists)
		l, err := d.Tenants(t.Context(), usermgmt.Page{})
		require.NoError(t, err)
		require.Equal(t, []usermgmt.Tenant{two, one}, l.Items)
		got, err := d.Tenant(t.Context(), "t1")
		require.NoError(t, err)
		require.Equal(t, one, got)
		for _, n := range []usermgmt.NewTenant{{Name: ""}, {ID: "any", Name: "x"}, {ID: "type:test", Name: "x"}, {Name: "x", Type: "a b"}} {
			require.ErrorIs(t, second(d.CreateTenant(t.Context(), n)), usermgmt.ErrInvalid, "%+v", n)
		}
	})
	t.Run("deleting one ends its assignments, and a new one of the id has none", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		create := func() {
			require.NoError(t, second(d.CreateTenant(t.Context(), usermgmt.NewTenant{ID: "t1", Name: "One"})))
		}
		create()
		u, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "ada", Tenants: []string{"t1", "any"}})
		require.NoError(t, err)
		require.NoError(t, d.DeleteTenant(t.Context(), "t1"))
		create()
		got, err := d.User(t.Context(), u.ID)
		require.NoError(t, err)
		require.Equal(t, []string{"any"}, got.Tenants)
		require.EqualValues(t, 2, got.Version)
	})
	t.Run("nobody gives or takes one that is not his, existing or not", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		for _, n := range []usermgmt.NewTenant{{ID: "t1", Name: "One", Type: "test"}, {ID: "t2", Name: "Two"}} {
			require.NoError(t, second(d.CreateTenant(t.Context(), n)))
		}
		create := func(name string, tenants ...string) *usermgmt.Manager {
			u, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: name, Tenants: tenants, Grants: []usermgmt.Grant{d.role(t, name, "users.*")}})
			require.NoError(t, err)
			return d.acting(u)
		}
		one, typed, all := create("one", "t1"), create("typed", "type:test"), create("all", "any")
		target := d.user(t, "target")
		give := func(m *usermgmt.Manager, tenants ...string) error {
			return second(m.UpdateUser(t.Context(), target.ID, usermgmt.UserUpdate{AddTenants: tenants}))
		}
		take := func(m *usermgmt.Manager, tenants ...string) error {
			return second(m.UpdateUser(t.Context(), target.ID, usermgmt.UserUpdate{RemoveTenants: tenants}))
		}
		replace := func(m *usermgmt.Manager, tenants ...string) error {
			return second(m.UpdateUser(t.Context(), target.ID, usermgmt.UserUpdate{Tenants: &tenants}))
		}
		for _, not := range []string{"t2", "t9", "any", "type:test"} {
			require.ErrorIs(t, replace(one, not), usermgmt.ErrForbidden, not)
			require.ErrorIs(t, replace(one, "t1", not), usermgmt.ErrForbidden, not)
			require.ErrorIs(t, give(one, not), usermgmt.ErrForbidden, not)
			require.ErrorIs(t, give(one, "t1", not), usermgmt.ErrForbidden, not)
			require.ErrorIs(t, take(one, not), usermgmt.ErrForbidden, not)
			require.Equal(t, give(one, "t2"), give(one, not), "the refusal tells what exists")
		}
		require.NoError(t, give(one, "t1"))
		require.NoError(t, take(typed, "t1"))
		require.NoError(t, give(typed, "type:test"))
		require.ErrorIs(t, give(typed, "t2"), usermgmt.ErrForbidden)
		require.NoError(t, give(all, "t1", "t2", "any", "type:production"))
		for _, left := range [][]string{{}, {"t1"}} {
			require.ErrorIs(t, replace(one, left...), usermgmt.ErrForbidden, "%s are left: others are not his to take", left)
		}
		require.ErrorIs(t, give(all, "t9"), usermgmt.ErrInvalid)
		require.ErrorIs(t, take(all, "t9"), usermgmt.ErrInvalid)
		none := create("none")
		require.ErrorIs(t, give(none, "t1"), usermgmt.ErrForbidden)
		_, err := none.CreateUser(t.Context(), usermgmt.NewUser{Username: "x", Tenants: []string{"t1"}})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
	})

	t.Run("nobody sets the password of someone in a tenant that he is not in", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		for _, n := range []usermgmt.NewTenant{{ID: "t1", Name: "One", Type: "test"}, {ID: "t2", Name: "Two"}} {
			require.NoError(t, second(d.CreateTenant(t.Context(), n)))
		}
		person := func(name string, tenants ...string) usermgmt.User {
			u, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: name, Tenants: tenants, Grants: []usermgmt.Grant{d.role(t, name, "users.password-reset", "users.update")}})
			require.NoError(t, err)
			return u
		}
		target, other := person("target", "t1"), person("other", "t1", "any")
		for name, may := range map[string][2]bool{"t1": {true, false}, "type:test": {true, false}, "any": {true, true}, "t2": {}, "": {}} {
			u := person("in-"+name, slices.DeleteFunc([]string{name}, func(s string) bool { return s == "" })...)
			for i, whom := range []usermgmt.User{target, other} {
				for way, err := range map[string]error{
					"set":    d.acting(u).SetPassword(t.Context(), whom.ID, replacement),
					"reset":  d.acting(u).ResetPassword(t.Context(), whom.ID, passphrase),
					"update": second(d.acting(u).UpdateUser(t.Context(), whom.ID, usermgmt.UserUpdate{Password: new(replacement)})),
				} {
					if may[i] {
						require.NoError(t, err, "%s %s %s", name, way, whom.Username)
					} else {
						require.ErrorIs(t, err, usermgmt.ErrForbidden, "%s %s %s", name, way, whom.Username)
					}
				}
			}
			require.NoError(t, d.acting(u).SetPassword(t.Context(), u.ID, replacement), "his own")
		}
	})
}
