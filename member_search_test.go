package usermgmt_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// found returns the users of a numbered page and the total.
func found(t testing.TB, m *usermgmt.Manager, q usermgmt.MemberSearch, n, limit int) ([]usermgmt.UserID, int) {
	t.Helper()
	members, total, err := m.MembersAt(t.Context(), "acme", q, n, limit)
	require.NoError(t, err)
	ids := []usermgmt.UserID{}
	for _, member := range members {
		require.Equal(t, string(member.UserID), member.Profile.Username)
		ids = append(ids, member.UserID)
	}
	return ids, total
}

// numbered requires that every page of a search is a part of want.
func numbered(t testing.TB, m *usermgmt.Manager, q usermgmt.MemberSearch, want ...usermgmt.UserID) {
	t.Helper()
	for n := range len(want) + 3 {
		for limit := 1; limit < len(want)+3; limit++ {
			ids, total := found(t, m, q, n, limit)
			require.Equal(t, len(want), total)
			require.Equal(t, append([]usermgmt.UserID{}, want[min(n, len(want)):min(n+limit, len(want))]...), ids, "%d from %d", limit, n)
		}
	}
}

func roles(ids ...usermgmt.RoleID) usermgmt.MemberSearch { return usermgmt.MemberSearch{Roles: ids} }

func TestMembersAt(t *testing.T) {
	t.Parallel()

	t.Run("every page is a part of the list, with the total", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		o.person("stranger")
		for _, m := range []*usermgmt.Manager{o.m, o.as("reader")} {
			numbered(t, m, usermgmt.MemberSearch{}, "admin", "owner", "reader", "unassigned", "writer")
			numbered(t, m, roles(usermgmt.RoleWriter, usermgmt.RoleOwner, usermgmt.RoleOrgAdmin, usermgmt.RoleOwner), "admin", "owner", "writer")
			numbered(t, m, roles(usermgmt.RoleViewer))
			numbered(t, m, roles("", "nothing"))
		}
	})

	t.Run("an e-mail finds the one member who has it, in whatever spelling", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		o.person("stranger")
		m := o.as("reader")
		for _, email := range []string{"writer@writer.example", "WRITER@Writer.Example", "writer@WRITER.example"} {
			numbered(t, m, usermgmt.MemberSearch{Email: email}, "writer")
			numbered(t, m, usermgmt.MemberSearch{Email: email, Roles: []usermgmt.RoleID{usermgmt.RoleReader, usermgmt.RoleWriter}}, "writer")
			numbered(t, m, usermgmt.MemberSearch{Email: email, Roles: []usermgmt.RoleID{usermgmt.RoleReader}})
			numbered(t, m, usermgmt.MemberSearch{Email: email, Tags: []string{"x"}})
		}
		for _, email := range []string{"stranger@stranger.example", "nobody@writer.example", "writer", "writer@", "@", " ", "a b@c", "writer@writer.example,", "\x00"} {
			numbered(t, m, usermgmt.MemberSearch{Email: email})
		}
	})

	t.Run("an address that its user gave himself finds him like others", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		mine := "me@elsewhere.example"
		u, err := o.as("writer").UpdateUser(t.Context(), "writer", usermgmt.UserUpdate{Email: &mine})
		require.NoError(t, err)
		require.True(t, u.EmailClaimed)
		numbered(t, o.m, usermgmt.MemberSearch{Email: mine}, "writer")
	})

	t.Run("tags find those who have all of them", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		for id, tags := range map[usermgmt.UserID][]string{"admin": {"red"}, "reader": {"red", "blue"}, "writer": {"blue", "green", "red"}} {
			_, err := o.m.UpdateMember(t.Context(), "acme", id, usermgmt.MemberUpdate{Tags: &tags})
			require.NoError(t, err)
		}
		numbered(t, o.m, usermgmt.MemberSearch{Tags: []string{"red"}}, "admin", "reader", "writer")
		numbered(t, o.m, usermgmt.MemberSearch{Tags: []string{"red", "blue", "red"}}, "reader", "writer")
		numbered(t, o.m, usermgmt.MemberSearch{Tags: []string{"red", "green", "blue"}}, "writer")
		numbered(t, o.m, usermgmt.MemberSearch{Tags: []string{"Red"}})
		numbered(t, o.m, usermgmt.MemberSearch{Tags: []string{""}})
		numbered(t, o.m, usermgmt.MemberSearch{Tags: []string{"blue"}, Roles: []usermgmt.RoleID{usermgmt.RoleReader, usermgmt.RoleOwner}}, "reader")
		numbered(t, o.m, usermgmt.MemberSearch{Tags: []string{"blue"}, Email: "reader@reader.example"}, "reader")
	})

	t.Run("what is out of bounds is refused, and so is who may not list", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		o.person("stranger")
		for _, c := range []struct {
			q        usermgmt.MemberSearch
			n, limit int
			want     string
		}{
			{usermgmt.MemberSearch{}, -1, 1, "invalid offset"},
			{usermgmt.MemberSearch{}, 0, 0, "invalid limit"},
			{usermgmt.MemberSearch{}, 0, usermgmt.MaxPage + 1, "invalid limit"},
			{roles(make([]usermgmt.RoleID, 21)...), 0, 1, "invalid roles"},
		} {
			_, _, err := o.m.MembersAt(t.Context(), "acme", c.q, c.n, c.limit)
			require.Equal(t, c.want, field(t, err))
		}
		for _, q := range []usermgmt.MemberSearch{{}, {Email: "owner@owner.example"}, {Email: "nobody@owner.example"}, {Tags: []string{"x"}}} {
			_, _, err := o.as("unassigned").MembersAt(t.Context(), "acme", q, 0, 10)
			require.ErrorIs(t, err, usermgmt.ErrForbidden)
			_, _, err = o.as("stranger").MembersAt(t.Context(), "acme", q, 0, 10)
			require.Equal(t, usermgmt.ErrNoOrganization, err)
		}
	})
}

// crowd is an organization larger than what is read at a time: owners, but for
// every tenth, who is a writer.
func crowd(t testing.TB, o *office, n int) {
	t.Helper()
	o.person("m-0000")
	o.company("acme", "m-0000")
	for i := 1; i < n; i++ {
		role := usermgmt.RoleOwner
		if i%10 == 0 {
			role = usermgmt.RoleWriter
		}
		o.joins("acme", fmt.Sprintf("m-%04d", i), role)
	}
}

func TestMembersAt_of_many(t *testing.T) {
	t.Parallel()
	const n = 702
	o := newOffice(t)
	book := newReadBook(memstore.New())
	o.m = o.m.With(book)
	t.Cleanup(func() { require.NoError(t, o.m.Close()) })
	crowd(t, o, n)
	all := make([]usermgmt.UserID, n)
	for i := range all {
		all[i] = usermgmt.UserID(fmt.Sprintf("m-%04d", i))
	}

	// A jump finds its place, at the ends of what is read at a time too.
	for _, at := range []int{499, 500, 501, 700, 701, 702, 703, 1 << 40} {
		ids, total := found(t, o.m, usermgmt.MemberSearch{}, at, 3)
		require.Equal(t, n, total)
		require.Equal(t, all[min(at, n):min(at+3, n)], ids)
	}

	// A walk reads its page, and one member more to know of the next, at any depth.
	for _, q := range []usermgmt.MemberSearch{{}, roles(usermgmt.RoleOwner, usermgmt.RoleWriter)} {
		var walked []usermgmt.UserID
		for len(walked) < n {
			book.take()
			ids, total := found(t, o.m, q, len(walked), 100)
			require.Equal(t, n, total)
			walked = append(walked, ids...)
			calls, records := book.take()
			require.Equal(t, map[string]int{"Members": 1, "CountMembers": 1, "UsersByID": 1, "Organization": 1}, calls)
			require.LessOrEqual(t, records, 201)
		}
		require.Equal(t, all, walked)
	}

	// What it does not remember it counts afresh.
	o.clock.Advance(time.Hour)
	ids, _ := found(t, o.m, usermgmt.MemberSearch{}, 300, 2)
	require.Equal(t, all[300:302], ids)
}

// Walks of different searches, and of different people, do not meet.
func TestMembersAt_walks_are_apart(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	crowd(t, o, 60)
	writers := roles(usermgmt.RoleWriter)
	ids, total := found(t, o.m, writers, 0, 2)
	require.Equal(t, []usermgmt.UserID{"m-0010", "m-0020"}, ids)
	require.Equal(t, 5, total)
	ids, _ = found(t, o.m, usermgmt.MemberSearch{}, 2, 1)
	require.Equal(t, []usermgmt.UserID{"m-0002"}, ids)
	ids, _ = found(t, o.m, roles(usermgmt.RoleOwner, usermgmt.RoleWriter), 2, 1)
	require.Equal(t, []usermgmt.UserID{"m-0002"}, ids)

	// Who leaves meanwhile takes nobody from the walk, even if fewer are left
	// than were met.
	ids, _ = found(t, o.m, writers, 2, 2)
	require.Equal(t, []usermgmt.UserID{"m-0030", "m-0040"}, ids)
	for _, id := range []usermgmt.UserID{"m-0010", "m-0020", "m-0040"} {
		require.NoError(t, o.m.RemoveMember(t.Context(), "acme", id))
	}
	ids, total = found(t, o.m, writers, 4, 2)
	require.Equal(t, []usermgmt.UserID{"m-0050"}, ids)
	require.Equal(t, 2, total)
	ids, _ = found(t, o.as("m-0001"), writers, 1, 2)
	require.Equal(t, []usermgmt.UserID{"m-0050"}, ids)

	require.True(t, slices.IsSorted(ids))
}
