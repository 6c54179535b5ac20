package usermgmt_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/store"
)

func TestMembers(t *testing.T) {
	t.Parallel()
	o := staff(t)
	walk := func(m *usermgmt.Manager, limit int, roles ...usermgmt.RoleID) (ids []usermgmt.UserID) {
		t.Helper()
		q := usermgmt.MemberList{Roles: roles, Page: usermgmt.Page{Limit: limit}}
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
		require.Equal(t, everyone, walk(o.as("reader"), limit))
	}
	require.Equal(t, []usermgmt.UserID{"owner"}, walk(o.m, 1, usermgmt.RoleOwner))
	require.Equal(t, []usermgmt.UserID{"admin", "owner", "writer"}, walk(o.m, 1, usermgmt.RoleWriter, usermgmt.RoleOwner, usermgmt.RoleOrgAdmin, usermgmt.RoleWriter))
	require.Empty(t, walk(o.m, 1, usermgmt.RoleViewer))
	require.Empty(t, walk(o.m, 1, ""))

	_, err := o.m.Members(t.Context(), "acme", usermgmt.MemberList{Roles: make([]usermgmt.RoleID, 21)})
	require.Equal(t, "invalid roles", field(t, err))
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
	require.Equal(t, everyone, walk(o.as("lister"), 3))
	_, err = o.as("lister").Member(t.Context(), "acme", "owner")
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
}

// Someone of more organizations than a store gives at a time walks them in
// pages of the greatest size, each with one read of organizations.
func TestMyOrganizations_of_many(t *testing.T) {
	t.Parallel()
	const n = usermgmt.MaxPage + 1
	book := newReadBook(memstore.New())
	o := newOffice(t)
	o.m = o.m.With(book)
	t.Cleanup(func() { require.NoError(t, o.m.Close()) })
	o.person("ada")
	require.NoError(t, book.Update(t.Context(), usermgmt.DefaultRealm, func(tx store.Tx) error {
		for i := range n {
			id := usermgmt.OrganizationID(fmt.Sprintf("org-%05d", i))
			if err := tx.CreateOrganization(t.Context(), store.Organization{ID: id, Name: "Company " + string(id)}); err != nil {
				return err
			}
			if err := tx.CreateMembership(t.Context(), store.Membership{OrganizationID: id, UserID: "ada", Role: usermgmt.RoleReader}); err != nil {
				return err
			}
		}
		return nil
	}))
	p := usermgmt.Page{Limit: usermgmt.MaxPage}
	for _, want := range []int{usermgmt.MaxPage, 1} {
		book.take()
		list, err := o.as("ada").MyOrganizations(t.Context(), p)
		require.NoError(t, err)
		require.Len(t, list.Items, want)
		for _, own := range list.Items {
			require.Equal(t, own.ID, own.Membership.OrganizationID)
			require.Equal(t, "Company "+string(own.ID), own.Name)
		}
		calls, _ := book.take()
		require.Equal(t, map[string]int{"OrganizationsByID": 1}, calls)
		p.After = list.Next
	}
	require.Empty(t, p.After)
}

// TestMembersNeedTheRight: who may read an organization may not see its members for that.
func TestMembersNeedTheRight(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.company("acme", o.person("owner"))
	o.joins("acme", "visitor", o.orgRole("visitor", usermgmt.OrganizationsRead, usermgmt.OrganizationsList))
	_, err := o.as("visitor").Organization(t.Context(), "acme")
	require.NoError(t, err)
	_, _, err = o.as("visitor").MembersAt(t.Context(), "acme", usermgmt.MemberSearch{}, 0, 10)
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	_, err = o.as("visitor").Members(t.Context(), "acme", usermgmt.MemberList{})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	_, err = o.as("visitor").Member(t.Context(), "acme", "owner")
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
}
