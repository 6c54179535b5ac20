package usermgmt_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/store"
)

// can asks and requires an answer.
func can(t testing.TB, m *usermgmt.Manager, p usermgmt.Permission, s usermgmt.Scope) bool {
	t.Helper()
	ok, err := m.Can(t.Context(), p, s)
	require.NoError(t, err)
	return ok
}

func TestCan(t *testing.T) {
	t.Parallel()
	t.Run("a permission holds where its role is granted, and no further", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		for _, id := range []usermgmt.OrganizationID{"a", "b"} {
			require.NoError(t, second(d.CreateOrganization(t.Context(), usermgmt.NewOrganization{ID: id, Name: "x"})))
		}
		org := func(id string) usermgmt.Scope { return usermgmt.InOrganization(usermgmt.OrganizationID(id)) }
		fac := usermgmt.AtFacility
		for i, c := range []struct {
			grant    usermgmt.Grant
			p        usermgmt.Permission
			yes, not []usermgmt.Scope
		}{
			{realmRole(usermgmt.RoleAdmin), usermgmt.MembersAdd, []usermgmt.Scope{usermgmt.Realmwide, org("a"), fac("f")}, nil},
			{direct(usermgmt.UsersAdd), usermgmt.UsersAdd, []usermgmt.Scope{usermgmt.Realmwide, org("a"), fac("f")}, nil},
			{direct(usermgmt.UsersAdd), usermgmt.UsersRead, nil, []usermgmt.Scope{usermgmt.Realmwide, org("a"), fac("f")}},
			{direct("users.*"), usermgmt.UsersRead, []usermgmt.Scope{usermgmt.Realmwide}, nil},
			{direct("users.*"), usermgmt.RolesRead, nil, []usermgmt.Scope{usermgmt.Realmwide}},
			{direct("users.*"), usermgmt.All, nil, []usermgmt.Scope{usermgmt.Realmwide}},
			{realmRole(usermgmt.RoleReadOnly), usermgmt.MembersList, []usermgmt.Scope{usermgmt.Realmwide, org("a")}, nil},
			{realmRole(usermgmt.RoleReadOnly), "invoices.read", []usermgmt.Scope{usermgmt.Realmwide}, nil},
			{realmRole(usermgmt.RoleReadOnly), usermgmt.UsersUpdate, nil, []usermgmt.Scope{usermgmt.Realmwide}},
			{at(usermgmt.RoleSupervisor, "f", "g"), usermgmt.UsersAdd, []usermgmt.Scope{fac("f"), fac("g")}, []usermgmt.Scope{usermgmt.Realmwide, fac("h"), fac(""), org("f")}},
			{at(usermgmt.RoleAdministrator), usermgmt.UsersAdd, []usermgmt.Scope{fac("f"), fac("")}, []usermgmt.Scope{usermgmt.Realmwide, org("f")}},
			{usermgmt.Grant{Role: usermgmt.RoleOwner, Kind: usermgmt.ScopeOrganization, Scopes: []string{"a"}}, usermgmt.MembersAdd, []usermgmt.Scope{org("a")}, []usermgmt.Scope{usermgmt.Realmwide, org("b"), fac("a")}},
			{usermgmt.Grant{Role: usermgmt.RoleOwner, Kind: usermgmt.ScopeOrganization}, usermgmt.MembersAdd, []usermgmt.Scope{org("a"), org("b")}, []usermgmt.Scope{usermgmt.Realmwide, fac("a")}},
		} {
			m := d.acting(d.user(t, fmt.Sprintf("u%d", i), c.grant))
			for range 2 { // from the store, then from what is kept
				for _, s := range c.yes {
					require.True(t, can(t, m, c.p, s), "%v: %s at %v", c.grant, c.p, s)
				}
				for _, s := range c.not {
					require.False(t, can(t, m, c.p, s), "%v: %s at %v", c.grant, c.p, s)
				}
			}
		}
	})
	t.Run("every loss of a right counts at the next question", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		_ = d.user(t, "root", realmRole(usermgmt.RoleAdmin))
		role := d.role(t, "support", usermgmt.UsersAdd)
		u := d.user(t, "ada", role)
		m := d.acting(u)
		asked := func() bool { return can(t, m, usermgmt.UsersAdd, usermgmt.Realmwide) }
		for _, step := range []struct {
			name string
			act  func() error
			want bool
		}{
			{"granted", func() error { return nil }, true},
			{"disabled", func() error { return d.DisableUser(t.Context(), u.ID) }, false},
			{"enabled", func() error { return d.EnableUser(t.Context(), u.ID) }, true},
			{"narrowed role", func() error {
				return second(d.UpdateRole(t.Context(), role.Role, usermgmt.RoleUpdate{Remove: []usermgmt.Permission{usermgmt.UsersAdd}}))
			}, false},
			{"widened role", func() error {
				return second(d.UpdateRole(t.Context(), role.Role, usermgmt.RoleUpdate{Add: []usermgmt.Permission{"users.*"}}))
			}, true},
			{"revoked", func() error { return d.RevokeRoles(t.Context(), u.ID, role) }, false},
			{"granted again", func() error { return d.GrantRoles(t.Context(), u.ID, role) }, true},
			{"role deleted", func() error { return d.DeleteRole(t.Context(), role.Role) }, false},
			{"granted directly", func() error { return d.GrantRoles(t.Context(), u.ID, direct(usermgmt.UsersAdd)) }, true},
			{"user deleted", func() error { return d.DeleteUser(t.Context(), u.ID) }, false},
		} {
			require.NoError(t, step.act(), step.name)
			require.Equal(t, step.want, asked(), step.name)
			require.Equal(t, step.want, asked(), "%s, asked again", step.name)
		}
	})
	t.Run("every loss of a right counts at the next read", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		root := d.user(t, "root", realmRole(usermgmt.RoleAdmin))
		role := d.role(t, "support", "users.*", usermgmt.RolesRead)
		u := d.user(t, "ada", role)
		m := d.acting(u)
		for _, step := range []struct {
			name string
			act  func() error
			may  bool
		}{
			{"granted", func() error { return nil }, true},
			{"disabled", func() error { return d.DisableUser(t.Context(), u.ID) }, false},
			{"enabled", func() error { return d.EnableUser(t.Context(), u.ID) }, true},
			{"narrowed role", func() error {
				return second(d.UpdateRole(t.Context(), role.Role, usermgmt.RoleUpdate{Remove: []usermgmt.Permission{"users.*", usermgmt.RolesRead}}))
			}, false},
			{"granted another", func() error { return d.GrantRoles(t.Context(), u.ID, realmRole(usermgmt.RoleReadOnly)) }, true},
			{"revoked", func() error { return d.RevokeRoles(t.Context(), u.ID, realmRole(usermgmt.RoleReadOnly)) }, false},
		} {
			require.NoError(t, step.act(), step.name)
			for range 2 { // the second time by rights that are known
				for what, err := range map[string]error{
					"User":  second(m.User(t.Context(), root.ID)),
					"Users": second(m.Users(t.Context(), usermgmt.UserList{})),
					"Role":  second(m.Role(t.Context(), role.Role)),
				} {
					if step.may {
						require.NoError(t, err, "%s: %s", step.name, what)
					} else {
						require.ErrorIs(t, err, usermgmt.ErrForbidden, "%s: %s", step.name, what)
					}
				}
			}
		}
	})
	t.Run("a confined user holds his membership alone", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		u := d.user(t, "root", realmRole(usermgmt.RoleAdmin), at(usermgmt.RoleAdministrator))
		_ = d.user(t, "root2", realmRole(usermgmt.RoleAdmin))
		for _, id := range []usermgmt.OrganizationID{"a", "b"} {
			_, err := d.CreateOrganization(t.Context(), usermgmt.NewOrganization{ID: id, Name: "x", Owner: u.ID})
			require.NoError(t, err)
		}
		require.True(t, can(t, d.acting(u), usermgmt.UsersAdd, usermgmt.Realmwide))
		m := d.As(usermgmt.UserActor(u.ID).Confined("a"))
		for range 2 {
			require.True(t, can(t, m, usermgmt.MembersAdd, usermgmt.InOrganization("a")))
			for _, s := range []usermgmt.Scope{usermgmt.Realmwide, usermgmt.InOrganization("b"), usermgmt.AtFacility("f")} {
				require.False(t, can(t, m, usermgmt.MembersAdd, s), "%v", s)
				require.False(t, can(t, m, usermgmt.UsersAdd, s), "%v", s)
			}
		}
		require.NoError(t, d.DisableUser(t.Context(), d.user(t, "x").ID))
		require.NoError(t, d.RemoveMember(t.Context(), "a", u.ID))
		require.False(t, can(t, m, usermgmt.MembersAdd, usermgmt.InOrganization("a")))
	})
	t.Run("outside his tenants a user holds nothing", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		for _, n := range []usermgmt.NewTenant{{ID: "t1", Name: "One", Type: "test"}, {ID: "t2", Name: "Two", Type: "production"}} {
			_, err := d.CreateTenant(t.Context(), n)
			require.NoError(t, err)
		}
		for i, c := range []struct {
			tenants []string
			want    map[usermgmt.TenantID]bool
		}{
			{nil, map[usermgmt.TenantID]bool{"t1": false, "t2": false, "t9": false}},
			{[]string{"t1"}, map[usermgmt.TenantID]bool{"t1": true, "t2": false}},
			{[]string{"type:production"}, map[usermgmt.TenantID]bool{"t1": false, "t2": true}},
			{[]string{"any"}, map[usermgmt.TenantID]bool{"t1": true, "t2": true, "t9": false}},
		} {
			u, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: fmt.Sprintf("u%d", i), Tenants: c.tenants, Grants: []usermgmt.Grant{direct(usermgmt.UsersRead)}})
			require.NoError(t, err)
			for id, want := range c.want {
				m := d.As(usermgmt.UserActor(u.ID).InTenant(id))
				require.Equal(t, want, can(t, m, usermgmt.UsersRead, usermgmt.Realmwide), "%v in %s", c.tenants, id)
				_, err := m.User(t.Context(), u.ID)
				require.Equal(t, want, err == nil, "%v in %s: %v", c.tenants, id, err)
			}
		}
	})
	t.Run("Require says what is missing", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		m := d.acting(d.user(t, "ada"))
		err := m.Require(t.Context(), usermgmt.UsersAdd, usermgmt.Realmwide)
		var refusal *usermgmt.ForbiddenError
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, usermgmt.UsersAdd, refusal.Permission)
		require.NoError(t, d.Require(t.Context(), usermgmt.UsersAdd, usermgmt.Realmwide))
	})
}

// uncached is a store of which nothing derived may be kept.
type uncached struct{ store.Store }

func (uncached) Generation(context.Context, store.Realm) (uint64, error) {
	return 0, errors.ErrUnsupported
}

func (s uncached) View(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	return s.Store.View(ctx, realm, func(r store.Reader) error { return fn(uncachedReader{r}) })
}

type uncachedReader struct{ store.Reader }

func (uncachedReader) Generation(context.Context) (uint64, error) { return 0, errors.ErrUnsupported }

// TestCanEqualsTheUncachedAnswer asks, between random changes, random questions
// of a Manager that keeps compiled rights and of one that keeps nothing.
func TestCanEqualsTheUncachedAnswer(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			plain := d.With(uncached{d.store})
			rnd := rand.New(rand.NewPCG(seed, 1))
			_ = d.user(t, "root", realmRole(usermgmt.RoleAdmin))
			users := make([]usermgmt.UserID, 6)
			for i := range users {
				users[i] = usermgmt.UserID(fmt.Sprintf("u%d", i))
			}
			orgs := []usermgmt.OrganizationID{"a", "a:b", "b"}
			for _, o := range orgs {
				_, err := d.CreateOrganization(t.Context(), usermgmt.NewOrganization{ID: o, Name: "x"})
				require.NoError(t, err)
			}
			role := d.role(t, "changing", usermgmt.UsersAdd)
			permissions := []usermgmt.Permission{usermgmt.UsersAdd, usermgmt.MembersAdd, usermgmt.MembersRead, usermgmt.RolesRead, "users.*", usermgmt.All}
			scopes := []usermgmt.Scope{usermgmt.Realmwide, usermgmt.InOrganization("a"), usermgmt.InOrganization("a:b"), usermgmt.InOrganization("b"), usermgmt.AtFacility("a"), usermgmt.AtFacility("a:b")}
			grants := []usermgmt.Grant{role, direct(usermgmt.RolesRead), direct("users.*"), at(usermgmt.RoleSupervisor, "a"), at(usermgmt.RoleAdministrator),
				{Role: usermgmt.RoleOrgAdmin, Kind: usermgmt.ScopeOrganization, Scopes: []string{"b"}}}
			pick := func() usermgmt.UserID { return users[rnd.IntN(len(users))] }
			ctx := t.Context()
			for range 1500 {
				switch rnd.IntN(12) {
				case 0:
					_, _ = d.CreateUser(ctx, usermgmt.NewUser{ID: pick(), Username: "n" + string(pick())})
				case 1:
					_ = d.DeleteUser(ctx, pick())
				case 2:
					_ = d.GrantRoles(ctx, pick(), grants[rnd.IntN(len(grants))])
				case 3:
					_ = d.RevokeRoles(ctx, pick(), grants[rnd.IntN(len(grants))])
				case 4:
					_ = d.DisableUser(ctx, pick())
				case 5:
					_ = d.EnableUser(ctx, pick())
				case 6:
					_, _ = d.AddMember(ctx, orgs[rnd.IntN(3)], usermgmt.NewMember{User: pick(), Role: usermgmt.RoleMember})
				case 7:
					_ = d.RemoveMember(ctx, orgs[rnd.IntN(3)], pick())
				case 8:
					_, _ = d.UpdateMember(ctx, orgs[rnd.IntN(3)], pick(), usermgmt.MemberUpdate{Role: new(usermgmt.RoleOwner)})
				case 9:
					up := usermgmt.RoleUpdate{Add: []usermgmt.Permission{permissions[rnd.IntN(3)]}}
					if rnd.IntN(2) == 0 {
						up = usermgmt.RoleUpdate{Remove: up.Add}
					}
					_, _ = d.UpdateRole(ctx, role.Role, up)
				}
				for range 3 {
					a := usermgmt.UserActor(pick())
					p, s := permissions[rnd.IntN(len(permissions))], scopes[rnd.IntN(len(scopes))]
					require.Equal(t, can(t, plain.As(a), p, s), can(t, d.As(a), p, s), "%v %s %v", a, p, s)
				}
			}
		})
	}
}
