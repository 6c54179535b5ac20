package usermgmt_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

func TestMembers(t *testing.T) {
	t.Parallel()
	o := staff(t)
	walk := func(m *usermgmt.Manager, role usermgmt.RoleID, limit int) (ids []usermgmt.UserID) {
		t.Helper()
		q := usermgmt.MemberList{Role: role, Page: usermgmt.Page{Limit: limit}}
		for {
			list, err := m.Members(t.Context(), "acme", q)
			require.NoError(t, err)
			for _, member := range list.Items {
				require.Equal(t, string(member.UserID), member.Profile.Username)
				ids = append(ids, member.UserID)
			}
			if q.After = list.Next; q.After == "" {
				return ids
			}
		}
	}
	everyone := []usermgmt.UserID{"admin", "owner", "reader", "unassigned", "writer"}
	for limit := 1; limit < 7; limit++ {
		require.Equal(t, everyone, walk(o.as("reader"), "", limit))
	}
	require.Equal(t, []usermgmt.UserID{"owner"}, walk(o.m, usermgmt.RoleOwner, 1))
	require.Empty(t, walk(o.m, usermgmt.RoleViewer, 1))

	for n := range 7 {
		for limit := 1; limit < 7; limit++ {
			members, total, err := o.as("reader").MembersAt(t.Context(), "acme", "", n, limit)
			require.NoError(t, err)
			require.Equal(t, 5, total)
			want := everyone[min(n, 5):min(n+limit, 5)]
			require.Len(t, members, len(want))
			for i, member := range members {
				require.Equal(t, want[i], member.UserID)
			}
		}
	}
	_, total, err := o.m.MembersAt(t.Context(), "acme", usermgmt.RoleOwner, 0, 1)
	require.NoError(t, err)
	require.Equal(t, 1, total)
	_, _, err = o.m.MembersAt(t.Context(), "acme", "", -1, 1)
	require.Equal(t, "invalid offset", field(t, err))
	_, _, err = o.m.MembersAt(t.Context(), "acme", "", 0, usermgmt.MaxPage+1)
	require.Equal(t, "invalid limit", field(t, err))
	_, err = o.m.Members(t.Context(), "acme", usermgmt.MemberList{Page: usermgmt.Page{Offset: 1}})
	require.Equal(t, "invalid offset", field(t, err))

	_, err = o.as("unassigned").Members(t.Context(), "acme", usermgmt.MemberList{})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	_, err = o.as("unassigned").Member(t.Context(), "acme", "owner")
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	member, err := o.as("unassigned").Member(t.Context(), "acme", "unassigned")
	require.NoError(t, err)
	require.Equal(t, usermgmt.RoleUnassigned, member.Role)
	_, err = o.as("reader").Member(t.Context(), "acme", "nobody")
	require.Equal(t, usermgmt.ErrNotFound, err)
	o.person("lister", grantIn(o.orgRole("listers", usermgmt.MembersList), "acme"))
	require.Equal(t, everyone, walk(o.as("lister"), "", 3))
	_, err = o.as("lister").Member(t.Context(), "acme", "owner")
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
}

// TestManyMembers is an organization larger than what is read at a time.
func TestManyMembers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.person("m-0000")
	o.company("acme", "m-0000")
	for i := range 501 {
		o.joins("acme", fmt.Sprintf("m-%04d", i+1), usermgmt.RoleOwner)
	}
	members, total, err := o.m.MembersAt(t.Context(), "acme", "", 499, 3)
	require.NoError(t, err)
	require.Equal(t, 502, total)
	require.Len(t, members, 3)
	require.Equal(t, usermgmt.UserID("m-0499"), members[0].UserID)

	// The only active owner is the last one of all.
	for i := range 501 {
		require.NoError(t, o.m.DisableUser(t.Context(), usermgmt.UserID(fmt.Sprintf("m-%04d", i))))
	}
	require.ErrorIs(t, o.m.DisableUser(t.Context(), "m-0501"), usermgmt.ErrLastOwner)
}
