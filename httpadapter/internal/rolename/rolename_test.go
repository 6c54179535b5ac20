package rolename

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/units"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// TestBuiltin: the names that need no look-up are those that a look-up finds.
func TestBuiltin(t *testing.T) {
	t.Parallel()
	m := newManager(t, units.Count(memstore.New()))
	roles, err := m.Roles(t.Context(), usermgmt.RoleList{})
	require.NoError(t, err)
	require.NotEmpty(t, roles.Items)
	for _, r := range roles.Items {
		if r.Scope != usermgmt.ScopeOrganization { // held by membership
			require.Equal(t, r.Name, In(r.Scope).Of(r.ID))
		}
	}
}

func TestLearn(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := units.Count(memstore.New())
	m := newManager(t, s)
	made := map[usermgmt.ScopeKind]usermgmt.RoleID{}
	var grants []usermgmt.Grant
	for _, scope := range []usermgmt.ScopeKind{usermgmt.ScopeRealm, usermgmt.ScopeFacility} {
		r, err := m.CreateRole(ctx, usermgmt.NewRole{Scope: scope, Name: "made"})
		require.NoError(t, err)
		made[scope] = r.ID
		grants = append(grants, usermgmt.Grant{Role: r.ID, Kind: scope})
	}
	grants = append(grants,
		usermgmt.Grant{Role: usermgmt.RoleReadOnly, Kind: usermgmt.ScopeRealm},
		usermgmt.Grant{Permission: "users.add", Kind: usermgmt.ScopeRealm},
		usermgmt.Grant{Role: usermgmt.RoleSupervisor, Kind: usermgmt.ScopeFacility, Scopes: []string{"F1"}},
	)
	user := usermgmt.User{Grants: grants}
	for _, scope := range []usermgmt.ScopeKind{usermgmt.ScopeRealm, usermgmt.ScopeFacility} {
		n := In(scope)
		require.Equal(t, string(made[scope]), n.Of(made[scope]), "unknown yet")
		for _, want := range []int{1, 0} { // what is known is not read again
			s.Reset()
			require.NoError(t, n.Learn(ctx, m, user, user))
			require.Equal(t, want, s.Total())
			require.Equal(t, "made", n.Of(made[scope]))
		}
		for other, id := range made {
			if other != scope {
				require.Equal(t, string(id), n.Of(id), "a role of another scope")
			}
		}
		s.Reset()
		require.NoError(t, In(scope).Learn(ctx, m, usermgmt.User{Grants: grants[2:]}))
		require.Zero(t, s.Total(), "built-in roles are not read")

		// Who may not know them is shown the ids.
		n = In(scope)
		require.NoError(t, n.Learn(ctx, m.As(usermgmt.UserActor("nobody")), user))
		require.Equal(t, string(made[scope]), n.Of(made[scope]))
	}
}

func newManager(t testing.TB, s *units.Store) *usermgmt.Manager {
	t.Helper()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	m, err := usermgmt.New(s, usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}
