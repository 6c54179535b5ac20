package usermgmt_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// sees returns the ids and the total of whom someone sees, after walking there
// in pages of every size.
func (o *office) sees(m *usermgmt.Manager) []usermgmt.UserID {
	o.t.Helper()
	var seen []usermgmt.UserID
	for size := 1; ; size++ {
		var ids []usermgmt.UserID
		p := usermgmt.Page{Limit: size}
		pages := 0
		for {
			list, total, err := m.UsersInReach(o.t.Context(), p)
			require.NoError(o.t, err)
			for _, u := range list.Items {
				require.Equal(o.t, string(u.ID), u.Username)
				ids = append(ids, u.ID)
			}
			if p.After = list.Next; p.After == "" {
				require.Len(o.t, ids, total)
				break
			}
			require.Len(o.t, list.Items, size)
			pages++
		}
		if size == 1 {
			seen = ids
		}
		require.Equal(o.t, seen, ids, "in pages of %d", size)
		if pages == 0 {
			return seen
		}
	}
}

func people(names ...usermgmt.UserID) []usermgmt.UserID { return names }

// shops has people at the facilities north, south and east.
func shops(t testing.TB) *office {
	o := newOffice(t)
	o.person("root", realmAdmin)
	o.person("chief", at(usermgmt.RoleAdministrator))
	o.person("nora", at(usermgmt.RoleSupervisor, "north"))
	o.person("sam", at(usermgmt.RoleSupervisor, "south", "north"))
	o.person("fred", at(usermgmt.RoleFulfiller, "north"))
	o.person("finn", at(usermgmt.RoleFulfiller, "north", "south"))
	o.person("fay", at(usermgmt.RoleFulfiller, "south"))
	o.person("erik", at(usermgmt.RoleFulfiller, "east"))
	o.person("clerk")
	return o
}

func TestUsersInReach(t *testing.T) {
	t.Parallel()
	everybody := people("chief", "clerk", "erik", "fay", "finn", "fred", "nora", "root", "sam")

	t.Run("whoever reads users everywhere sees all, those without a facility included", func(t *testing.T) {
		t.Parallel()
		o := shops(t)
		require.Equal(t, everybody, o.sees(o.m))
		require.Equal(t, everybody, o.sees(o.as("root")))
		require.Equal(t, everybody, o.sees(o.as("chief")))
		o.person("auditor", direct(usermgmt.UsersList))
		o.person("reader", o.realmRole("readers", usermgmt.UsersRead))
		all := slices.Sorted(slices.Values(append(slices.Clone(everybody), "auditor", "reader")))
		require.Equal(t, all, o.sees(o.as("auditor")))
		require.Equal(t, all, o.sees(o.as("reader")))
	})

	t.Run("a supervisor sees whoever shares a facility with him, each once", func(t *testing.T) {
		t.Parallel()
		o := shops(t)
		require.Equal(t, people("finn", "fred", "nora", "sam"), o.sees(o.as("nora")))
		require.Equal(t, people("fay", "finn", "fred", "nora", "sam"), o.sees(o.as("sam")))
	})

	t.Run("everybody else sees himself alone", func(t *testing.T) {
		t.Parallel()
		o := shops(t)
		o.person("adder", direct(usermgmt.UsersAdd))
		for _, id := range people("fred", "finn", "erik", "clerk", "adder") {
			require.Equal(t, people(id), o.sees(o.as(id)))
			list, total, err := o.as(id).UsersInReach(t.Context(), usermgmt.Page{After: string(id)})
			require.NoError(t, err)
			require.Equal(t, usermgmt.List[usermgmt.User]{Items: []usermgmt.User{}}, list)
			require.Equal(t, 1, total)
		}
	})

	t.Run("a role with users.list alone is enough, where it is held", func(t *testing.T) {
		t.Parallel()
		o := shops(t)
		lister := o.facilityRole("lister", usermgmt.UsersList)
		o.person("lise", at(lister, "east"), at(usermgmt.RoleFulfiller, "north"))
		require.Equal(t, people("erik", "lise"), o.sees(o.as("lise")))
		require.Contains(t, o.sees(o.as("nora")), usermgmt.UserID("lise"))
		o.person("lars", at(lister))
		require.Contains(t, o.sees(o.as("lars")), usermgmt.UserID("clerk"))
	})

	t.Run("facilities are not organizations of the same name", func(t *testing.T) {
		t.Parallel()
		o := shops(t)
		o.person("owner")
		o.company("north", "owner")
		listers := o.orgRole("org listers", usermgmt.UsersList)
		o.person("olaf", grantIn(listers, "north"))
		o.person("otto", grantIn(listers, "north"))
		require.Equal(t, people("olaf"), o.sees(o.as("olaf")))
		require.NotContains(t, o.sees(o.as("nora")), usermgmt.UserID("olaf"))
	})

	t.Run("a supervisor of 23 facilities sees all of theirs", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		var shops []string
		want := people("hope")
		for i := range 30 {
			here := fmt.Sprintf("shop-%02d", i)
			id := o.person(fmt.Sprintf("worker-%02d", i), at(usermgmt.RoleFulfiller, here, fmt.Sprintf("shop-%02d", (i+1)%30)))
			if i < 23 {
				shops = append(shops, here)
			}
			if i < 23 || i == 29 {
				want = append(want, id)
			}
		}
		o.person("hope", at(usermgmt.RoleSupervisor, shops...))
		require.Equal(t, want, o.sees(o.as("hope")))
	})

	t.Run("a supervisor of more facilities than a store is asked for sees all of theirs", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		var shops []string
		var want []usermgmt.UserID
		for i := range 250 {
			shops = append(shops, fmt.Sprintf("shop-%03d", i))
		}
		for i := range 7 { // each at the ends and in the middle
			want = append(want, o.person(fmt.Sprintf("a-%d", i), at(usermgmt.RoleFulfiller, shops[i], shops[100+i], shops[249-i])))
		}
		o.person("stranger", at(usermgmt.RoleFulfiller, "elsewhere"))
		o.person("vast", at(usermgmt.RoleSupervisor, shops...))
		require.Equal(t, append(want, "vast"), o.sees(o.as("vast")))
	})

	t.Run("a demoted supervisor sees himself alone at the next call", func(t *testing.T) {
		t.Parallel()
		o := shops(t)
		sam := o.as("sam")
		require.Len(t, o.sees(sam), 5)
		grants := []usermgmt.Grant{at(usermgmt.RoleSupervisor, "south"), at(usermgmt.RoleFulfiller, "north")}
		_, err := o.m.UpdateUser(t.Context(), "sam", usermgmt.UserUpdate{Grants: &grants})
		require.NoError(t, err)
		require.Equal(t, people("fay", "finn", "sam"), o.sees(sam))
		grants = grants[1:]
		_, err = o.m.UpdateUser(t.Context(), "sam", usermgmt.UserUpdate{Grants: &grants})
		require.NoError(t, err)
		require.Equal(t, people("sam"), o.sees(sam))
		require.NoError(t, o.m.DisableUser(t.Context(), "sam"))
		_, _, err = sam.UsersInReach(t.Context(), usermgmt.Page{})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
	})

	t.Run("the cursor need not exist any more", func(t *testing.T) {
		t.Parallel()
		o := shops(t)
		first, total, err := o.as("sam").UsersInReach(t.Context(), usermgmt.Page{Limit: 2})
		require.NoError(t, err)
		require.Equal(t, "finn", first.Next)
		require.Equal(t, 5, total)
		require.NoError(t, o.m.DeleteUser(t.Context(), "finn"))
		rest, total, err := o.as("sam").UsersInReach(t.Context(), usermgmt.Page{After: first.Next})
		require.NoError(t, err)
		require.Equal(t, 4, total)
		require.Len(t, rest.Items, 3)
		require.Equal(t, usermgmt.UserID("fred"), rest.Items[0].ID)
	})

	t.Run("it is for users who may act", func(t *testing.T) {
		t.Parallel()
		o := shops(t)
		o.person("owner")
		o.company("acme", "owner")
		_, err := o.m.AddMember(t.Context(), "acme", usermgmt.NewMember{User: "sam", Role: usermgmt.RoleMember})
		require.NoError(t, err)
		for _, a := range []usermgmt.Actor{
			{}, usermgmt.UserActor("nobody"), usermgmt.UserActor("sam").Confined("acme"), usermgmt.UserActor("root").Confined("acme"),
			usermgmt.UserActor("sam").InTenant("unknown"), usermgmt.VendorActor(o.vendor("globex")), usermgmt.KeyActor("no-key"),
		} {
			_, _, err := o.m.As(a).UsersInReach(t.Context(), usermgmt.Page{})
			var refused *usermgmt.ForbiddenError
			require.ErrorAs(t, err, &refused, "%v", a)
		}
		for want, p := range map[string]usermgmt.Page{"invalid offset": {Offset: 1}, "invalid limit": {Limit: -1}} {
			_, _, err := o.m.UsersInReach(t.Context(), p)
			require.Equal(t, want, field(t, err))
		}
	})

	t.Run("it reads a page and a number", func(t *testing.T) {
		t.Parallel()
		o := shops(t)
		book := newReadBook(memstore.New())
		m := o.m.With(book)
		t.Cleanup(func() { require.NoError(t, m.Close()) })
		for i := range 50 {
			_, err := m.CreateUser(t.Context(), usermgmt.NewUser{
				ID: usermgmt.UserID(fmt.Sprintf("u-%02d", i)), Username: fmt.Sprintf("u-%02d", i),
				Grants: []usermgmt.Grant{at(usermgmt.RoleSupervisor, "a", "b", fmt.Sprint(i))},
			})
			require.NoError(t, err)
		}
		for _, after := range []string{"", "u-30"} {
			book.take()
			list, total, err := m.As(usermgmt.UserActor("u-07")).UsersInReach(t.Context(), usermgmt.Page{After: after, Limit: 10})
			require.NoError(t, err)
			require.Len(t, list.Items, 10)
			require.Equal(t, 50, total)
			calls, records := book.take()
			require.Equal(t, map[string]int{"Users": 1, "CountUsers": 1}, calls)
			require.Equal(t, 11, records)
		}
	})
}
