package usermgmt_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

func realmRole(id usermgmt.RoleID) usermgmt.Grant {
	return usermgmt.Grant{Role: id, Kind: usermgmt.ScopeRealm}
}

func direct(p usermgmt.Permission) usermgmt.Grant {
	return usermgmt.Grant{Permission: string(p), Kind: usermgmt.ScopeRealm}
}

func at(id usermgmt.RoleID, facilities ...string) usermgmt.Grant {
	return usermgmt.Grant{Role: id, Kind: usermgmt.ScopeFacility, Scopes: facilities}
}

// user creates a user without a password.
func (d *desk) user(t testing.TB, name string, grants ...usermgmt.Grant) usermgmt.User {
	t.Helper()
	u, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: name, Grants: grants})
	require.NoError(t, err)
	return u
}

// acting returns the Manager under the user's authority.
func (d *desk) acting(u usermgmt.User) *usermgmt.Manager { return d.As(usermgmt.UserActor(u.ID)) }

func TestCreateUser(t *testing.T) {
	t.Parallel()
	t.Run("what is given comes back, folded keys beside it", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		u, err := d.CreateUser(t.Context(), usermgmt.NewUser{
			Username: "Ada@Example.COM", Email: "Ada@Example.COM", FirstName: "Ada", LastName: "Lovelace", Locale: "en_GB",
			Attributes: json.RawMessage(` {"b": 1e400, "a": {"y": 2.50, "x": [true, null]}} `), Tags: []string{"z", "a", "z"},
		})
		require.NoError(t, err)
		require.Equal(t, "ada@example.com", u.EmailKey)
		require.Equal(t, "Ada@Example.COM", u.Username)
		require.Equal(t, `{"a":{"x":[true,null],"y":2.50},"b":1e400}`, string(u.Attributes))
		require.Equal(t, []string{"a", "z"}, u.Tags)
		require.EqualValues(t, 1, u.Version)
		require.Equal(t, d.clock.Now(), u.CreatedAt)
		require.Equal(t, "host", u.CreatedBy)
		for name, read := range map[string]func() (usermgmt.User, error){
			"id":       func() (usermgmt.User, error) { return d.User(t.Context(), u.ID) },
			"username": func() (usermgmt.User, error) { return d.UserByUsername(t.Context(), "ADA@example.com") },
			"e-mail":   func() (usermgmt.User, error) { return d.UserByEmail(t.Context(), "aDA@EXAMPLE.com") },
		} {
			got, err := read()
			require.NoError(t, err, name)
			require.Equal(t, u, got, name)
		}
	})
	t.Run("duplicates name their field and write nothing", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		_, err := d.CreateUser(t.Context(), usermgmt.NewUser{ID: "u-1", Username: "ada", Email: "ada@example.com"})
		require.NoError(t, err)
		before := d.actions(t)
		for field, n := range map[string]usermgmt.NewUser{
			"ID":          {ID: "u-1", Username: "bob"},
			"UsernameKey": {Username: "ADA"},
			"EmailKey":    {Username: "bob", Email: "ADA@example.com"},
		} {
			_, err := d.CreateUser(t.Context(), n)
			var exists *usermgmt.ExistsError
			require.ErrorAs(t, err, &exists, field)
			require.Equal(t, field, exists.Field)
		}
		require.Equal(t, before, d.actions(t))
	})
	t.Run("malformed input names its field and writes nothing", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		deep := json.RawMessage(strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40))
		for i, c := range []struct {
			field string
			n     usermgmt.NewUser
		}{
			{"username", usermgmt.NewUser{}},
			{"username", usermgmt.NewUser{Username: strings.Repeat("a", 300)}},
			{"username", usermgmt.NewUser{Username: "a\x00b"}},
			{"username", usermgmt.NewUser{Username: "a\u200bb"}},
			{"username", usermgmt.NewUser{Username: "\xff"}},
			{"email", usermgmt.NewUser{Username: "a", Email: "nobody"}},
			{"email", usermgmt.NewUser{Username: "a", Email: "Ada <ada@example.com>"}},
			{"firstName", usermgmt.NewUser{Username: "a", FirstName: strings.Repeat("é", 257)}},
			{"lastName", usermgmt.NewUser{Username: "a", LastName: "a\nb"}},
			{"locale", usermgmt.NewUser{Username: "a", Locale: strings.Repeat("x", 36)}},
			{"attributes", usermgmt.NewUser{Username: "a", Attributes: json.RawMessage(`[1]`)}},
			{"attributes", usermgmt.NewUser{Username: "a", Attributes: json.RawMessage(`{"a":1} {}`)}},
			{"attributes", usermgmt.NewUser{Username: "a", Attributes: json.RawMessage(`{"a":"\u0000"}`)}},
			{"attributes", usermgmt.NewUser{Username: "a", Attributes: deep}},
			{"attributes", usermgmt.NewUser{Username: "a", Attributes: json.RawMessage(`{"a":"` + strings.Repeat("x", 40<<10) + `"}`)}},
			{"tags", usermgmt.NewUser{Username: "a", Tags: []string{""}}},
			{"password", usermgmt.NewUser{Username: "a", Password: "short"}},
			{"passwordHash", usermgmt.NewUser{Username: "a", PasswordHash: "md5"}},
			{"passwordHash", usermgmt.NewUser{Username: "a", Password: passphrase, PasswordHash: "$2a$04$aaaaaaaaaaaaaaaaaaaaaa"}},
			{"id", usermgmt.NewUser{ID: usermgmt.UserID(strings.Repeat("i", 129)), Username: "a"}},
			{"roles", usermgmt.NewUser{Username: "a", Grants: []usermgmt.Grant{realmRole("nobody-made-this")}}},
			{"roles", usermgmt.NewUser{Username: "a", Grants: []usermgmt.Grant{realmRole(usermgmt.RoleOwner)}}},
			{"roles", usermgmt.NewUser{Username: "a", Grants: []usermgmt.Grant{at(usermgmt.RoleSupervisor)}}},
			{"roles", usermgmt.NewUser{Username: "a", Grants: []usermgmt.Grant{at(usermgmt.RoleSupervisor, "")}}},
			{"roles", usermgmt.NewUser{Username: "a", Grants: []usermgmt.Grant{{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm, Scopes: []string{"x"}}}}},
			{"permissions", usermgmt.NewUser{Username: "a", Grants: []usermgmt.Grant{direct("users.fly")}}},
			{"permissions", usermgmt.NewUser{Username: "a", Grants: []usermgmt.Grant{direct("*.write")}}},
			{"tenants", usermgmt.NewUser{Username: "a", Tenants: []string{"no-such-tenant"}}},
		} {
			_, err := d.CreateUser(t.Context(), c.n)
			var inv *usermgmt.InvalidError
			require.ErrorAs(t, err, &inv, "case %d", i)
			require.Equal(t, c.field, inv.Field, "case %d: %v", i, err)
		}
		require.Empty(t, d.actions(t))
	})
	t.Run("nobody gives what he lacks, whichever element of the list it is", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		clerk := d.acting(d.user(t, "clerk", d.role(t, "clerk", usermgmt.UsersAdd, usermgmt.RolesRead)))
		own := d.role(t, "reader", usermgmt.RolesRead)
		for _, grants := range [][]usermgmt.Grant{
			{realmRole(usermgmt.RoleAdmin)},
			{own, realmRole(usermgmt.RoleAdmin)},
			{realmRole(usermgmt.RoleAdmin), own},
			{own, direct(usermgmt.UsersDelete)},
			{direct("users.*")}, {direct(usermgmt.All)},
			{realmRole(usermgmt.RoleReadOnly)},
			{at(usermgmt.RoleAdministrator)},
			{own, at(usermgmt.RoleSupervisor, "F1")},
		} {
			_, err := clerk.CreateUser(t.Context(), usermgmt.NewUser{Username: "eve", Grants: grants})
			require.ErrorIs(t, err, usermgmt.ErrForbidden, "%v", grants)
		}
		_, err := d.UserByUsername(t.Context(), "eve")
		require.ErrorIs(t, err, usermgmt.ErrNotFound)
		_, err = clerk.CreateUser(t.Context(), usermgmt.NewUser{Username: "eve", Grants: []usermgmt.Grant{own, direct(usermgmt.UsersAdd), at(usermgmt.RoleFulfiller, "F1")}})
		require.NoError(t, err)
	})
	t.Run("a supervisor gives no facility that he lacks", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		sue := d.acting(d.user(t, "sue", at(usermgmt.RoleSupervisor, "F1", "F2")))
		for i, c := range []struct {
			grants  []usermgmt.Grant
			allowed bool
		}{
			{[]usermgmt.Grant{at(usermgmt.RoleFulfiller, "F1")}, true},
			{[]usermgmt.Grant{at(usermgmt.RoleSupervisor, "F1", "F2")}, true},
			{[]usermgmt.Grant{at(usermgmt.RoleFulfiller, "F1", "F3")}, false},
			{[]usermgmt.Grant{at(usermgmt.RoleFulfiller, "F3")}, false},
			{[]usermgmt.Grant{at(usermgmt.RoleAdministrator)}, false},
			{[]usermgmt.Grant{at(usermgmt.RoleAdministrator, "F1")}, false},
			{[]usermgmt.Grant{at(usermgmt.RoleFulfiller, "F1"), realmRole(usermgmt.RoleAdmin)}, false},
			{nil, false},
		} {
			_, err := sue.CreateUser(t.Context(), usermgmt.NewUser{Username: fmt.Sprintf("u%d", i), Grants: c.grants})
			if c.allowed {
				require.NoError(t, err, "%v", c.grants)
			} else {
				require.ErrorIs(t, err, usermgmt.ErrForbidden, "%v", c.grants)
			}
		}
	})
}

func TestReadUser(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ann := d.user(t, "ann", at(usermgmt.RoleFulfiller, "F1", "F3"))
	bob := d.user(t, "bob", at(usermgmt.RoleFulfiller, "F2"))
	sue := d.acting(d.user(t, "sue", at(usermgmt.RoleSupervisor, "F1")))
	nan := d.user(t, "nan")

	t.Run("a supervisor sees whoever shares a facility; others are as good as missing", func(t *testing.T) {
		t.Parallel()
		got, err := sue.User(t.Context(), ann.ID)
		require.NoError(t, err)
		require.Equal(t, ann, got)
		for _, id := range []usermgmt.UserID{bob.ID, nan.ID, "nobody"} {
			_, err := sue.User(t.Context(), id)
			require.Equal(t, usermgmt.ErrNotFound, err)
		}
		_, err = sue.UserByUsername(t.Context(), "bob")
		require.Equal(t, usermgmt.ErrNotFound, err)
	})
	t.Run("everyone reads himself, and without a right nobody else, existing or not", func(t *testing.T) {
		t.Parallel()
		m := d.acting(nan)
		got, err := m.User(t.Context(), nan.ID)
		require.NoError(t, err)
		require.Equal(t, nan, got)
		got, err = m.UserByUsername(t.Context(), "NAN")
		require.NoError(t, err)
		require.Equal(t, nan, got)
		_, known := m.User(t.Context(), ann.ID)
		_, unknown := m.User(t.Context(), "nobody")
		require.ErrorIs(t, known, usermgmt.ErrForbidden)
		require.Equal(t, known, unknown)
		_, known = m.UserByUsername(t.Context(), "ann")
		_, unknown = m.UserByUsername(t.Context(), "nobody")
		require.ErrorIs(t, known, usermgmt.ErrForbidden)
		require.Equal(t, known, unknown)
		_, err = m.Users(t.Context(), usermgmt.UserList{})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = m.SearchUsers(t.Context(), usermgmt.ByUsername, "a", usermgmt.Page{})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = m.UsersByID(t.Context(), []usermgmt.UserID{ann.ID})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
	})
	t.Run("the zero Actor and unknown users may nothing", func(t *testing.T) {
		t.Parallel()
		for _, a := range []usermgmt.Actor{{}, usermgmt.UserActor("nobody"), usermgmt.KeyActor("nobody"), usermgmt.VendorActor("nobody"), usermgmt.UserActor(ann.ID).Confined("org")} {
			_, err := d.As(a).User(t.Context(), ann.ID)
			require.ErrorIs(t, err, usermgmt.ErrForbidden, "%v", a)
			_, err = d.As(a).CreateUser(t.Context(), usermgmt.NewUser{Username: "x"})
			require.ErrorIs(t, err, usermgmt.ErrForbidden, "%v", a)
			require.ErrorIs(t, d.As(a).DeleteUser(t.Context(), bob.ID), usermgmt.ErrForbidden, "%v", a)
		}
	})
	t.Run("another realm's user is missing", func(t *testing.T) {
		t.Parallel()
		_, err := d.Realm("other").User(t.Context(), ann.ID)
		require.ErrorIs(t, err, usermgmt.ErrNotFound)
		_, err = d.Realm("other").UserByUsername(t.Context(), "ann")
		require.ErrorIs(t, err, usermgmt.ErrNotFound)
		_, err = d.Realm("other").As(usermgmt.UserActor(ann.ID)).User(t.Context(), ann.ID)
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = d.Realm("no realm!").User(t.Context(), ann.ID)
		require.ErrorIs(t, err, usermgmt.ErrInvalid)
	})
}

func TestListUsers(t *testing.T) {
	t.Parallel()
	t.Run("pages by cursor and by offset meet everyone once", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		var want []usermgmt.UserID
		for i := range 57 {
			want = append(want, d.user(t, fmt.Sprintf("user%02d", i)).ID)
		}
		slices.Sort(want)
		var byCursor, byOffset []usermgmt.UserID
		for p := (usermgmt.Page{Limit: 10}); ; {
			l, err := d.Users(t.Context(), usermgmt.UserList{Page: p})
			require.NoError(t, err)
			byCursor = append(byCursor, ids(l)...)
			if p.After = l.Next; l.Next == "" {
				break
			}
		}
		for p := (usermgmt.Page{Limit: 10}); ; {
			l, err := d.Users(t.Context(), usermgmt.UserList{Page: p})
			require.NoError(t, err)
			byOffset = append(byOffset, ids(l)...)
			if p.Offset += int64(len(l.Items)); l.Next == "" {
				break
			}
		}
		require.Equal(t, want, byCursor)
		require.Equal(t, want, byOffset)
		l, err := d.Users(t.Context(), usermgmt.UserList{Page: usermgmt.Page{Offset: 33, Limit: 3}})
		require.NoError(t, err)
		require.Equal(t, want[33:36], ids(l))
		for _, beyond := range []int64{57, 1 << 40} {
			l, err = d.Users(t.Context(), usermgmt.UserList{Page: usermgmt.Page{Offset: beyond}})
			require.NoError(t, err)
			require.Equal(t, []usermgmt.User{}, l.Items)
			require.Empty(t, l.Next)
		}
	})
	t.Run("a walk by offset skips nobody when others vanish meanwhile", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		var all []usermgmt.User
		for i := range 30 {
			all = append(all, d.user(t, fmt.Sprintf("user%02d", i)))
		}
		var seen []usermgmt.UserID
		for offset := int64(0); ; {
			l, err := d.Users(t.Context(), usermgmt.UserList{Page: usermgmt.Page{Offset: offset, Limit: 10}})
			require.NoError(t, err)
			seen = append(seen, ids(l)...)
			if offset == 0 {
				for _, u := range all[:5] {
					require.NoError(t, d.DeleteUser(t.Context(), u.ID))
				}
			}
			if offset += int64(len(l.Items)); l.Next == "" {
				break
			}
		}
		require.Len(t, seen, 30)
		// Another actor's walk has its own memory: his offsets are counted afresh.
		auditor := d.acting(d.user(t, "auditor", realmRole(usermgmt.RoleReadOnly)))
		l, err := auditor.Users(t.Context(), usermgmt.UserList{Page: usermgmt.Page{Offset: 10, Limit: 1}})
		require.NoError(t, err)
		require.Equal(t, all[15].ID, l.Items[0].ID)
	})
	t.Run("filters pick by facility, role and tenant", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		ann := d.user(t, "ann", at(usermgmt.RoleFulfiller, "F1"))
		sup := d.user(t, "sup", at(usermgmt.RoleSupervisor, "F1", "F2"))
		_ = d.user(t, "adm", realmRole(usermgmt.RoleAdmin))
		require.NoError(t, second(d.UpdateUser(t.Context(), ann.ID, usermgmt.UserUpdate{AddTenants: []string{"any"}})))
		for _, c := range []struct {
			l    usermgmt.UserList
			want []usermgmt.UserID
		}{
			{usermgmt.UserList{Facility: "F1"}, []usermgmt.UserID{ann.ID, sup.ID}},
			{usermgmt.UserList{Facility: "F2"}, []usermgmt.UserID{sup.ID}},
			{usermgmt.UserList{Role: usermgmt.RoleSupervisor}, []usermgmt.UserID{sup.ID}},
			{usermgmt.UserList{Tenant: "any"}, []usermgmt.UserID{ann.ID}},
			{usermgmt.UserList{Facility: "F9"}, nil},
		} {
			l, err := d.Users(t.Context(), c.l)
			require.NoError(t, err)
			require.Equal(t, c.want, ids(l), "%+v", c.l)
		}
		m := d.acting(sup)
		l, err := m.Users(t.Context(), usermgmt.UserList{Facility: "F1"})
		require.NoError(t, err)
		require.Len(t, l.Items, 2)
		_, err = m.Users(t.Context(), usermgmt.UserList{Facility: "F3"})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = d.Users(t.Context(), usermgmt.UserList{Facility: "F1", Tenant: "any"})
		require.ErrorIs(t, err, usermgmt.ErrInvalid)
	})
	t.Run("search finds by prefix in whatever spelling", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		for _, n := range []string{"Anna", "anne", "ANTON", "bert"} {
			_, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: n, Email: n + "@Example.com"})
			require.NoError(t, err)
		}
		l, err := d.SearchUsers(t.Context(), usermgmt.ByUsername, "AN", usermgmt.Page{Limit: 2})
		require.NoError(t, err)
		require.Equal(t, []string{"Anna", "anne"}, names(l))
		l, err = d.SearchUsers(t.Context(), usermgmt.ByUsername, "AN", usermgmt.Page{Limit: 2, After: l.Next})
		require.NoError(t, err)
		require.Equal(t, []string{"ANTON"}, names(l))
		require.Empty(t, l.Next)
		l, err = d.SearchUsers(t.Context(), usermgmt.ByEmail, "bert@ex", usermgmt.Page{})
		require.NoError(t, err)
		require.Equal(t, []string{"bert"}, names(l))
	})
	t.Run("limits and cursors are checked", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		for _, p := range []usermgmt.Page{{Limit: -1}, {Limit: usermgmt.MaxPage + 1}, {Offset: -1}, {Offset: 1, After: "x"}} {
			_, err := d.Users(t.Context(), usermgmt.UserList{Page: p})
			require.ErrorIs(t, err, usermgmt.ErrInvalid, "%+v", p)
		}
	})
}

func ids(l usermgmt.List[usermgmt.User]) []usermgmt.UserID {
	var out []usermgmt.UserID
	for _, u := range l.Items {
		out = append(out, u.ID)
	}
	return out
}

func names(l usermgmt.List[usermgmt.User]) []string {
	var out []string
	for _, u := range l.Items {
		out = append(out, u.Username)
	}
	return out
}

// second drops the first of two results.
func second[T any](_ T, err error) error { return err }
