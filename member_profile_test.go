package usermgmt_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// TestRoleName: a member comes with the name of his role, from whichever call.
func TestRoleName(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	book := newReadBook(memstore.New())
	o := newOffice(t)
	o.m = o.m.With(book)
	t.Cleanup(func() { require.NoError(t, o.m.Close()) })
	o.person("olga")
	o.company("acme", "olga")
	buyer, packer := o.orgRole("buyer", usermgmt.MembersAdd), o.orgRole("packer")

	must := func(m usermgmt.Member, err error) string {
		t.Helper()
		require.NoError(t, err)
		return m.RoleName
	}
	require.Equal(t, "reader", must(o.m.AddMember(ctx, "acme", usermgmt.NewMember{User: o.person("rita"), Role: usermgmt.RoleReader})))
	require.Equal(t, "buyer", must(o.m.AddMember(ctx, "acme", usermgmt.NewMember{User: o.person("bo"), Role: buyer})))
	require.Equal(t, "packer", must(o.m.InviteMember(ctx, "acme", usermgmt.Invitation{NewMember: usermgmt.NewMember{Email: "pia@pia.example", Role: packer}})))
	require.Equal(t, "packer", must(o.m.AddMember(ctx, "acme", usermgmt.NewMember{User: o.person("cy"), Role: packer})))
	require.Equal(t, "buyer", must(o.m.UpdateMember(ctx, "acme", "cy", usermgmt.MemberUpdate{Role: &buyer})))
	require.Equal(t, "buyer", must(o.m.UpdateMember(ctx, "acme", "cy", usermgmt.MemberUpdate{Tags: &[]string{"late"}})))
	require.Equal(t, "owner", must(o.as("olga").Member(ctx, "acme", "olga")))
	require.Equal(t, "buyer", must(o.as("bo").Member(ctx, "acme", "bo")), "who may read no role learns his own")

	// Roles that the realm made are read at once, and built-in ones not at all.
	want := map[string]string{"olga": "owner", "rita": "reader", "bo": "buyer", "cy": "buyer", "pia@pia.example": "packer"}
	names := func(members []usermgmt.Member) map[string]string {
		names := map[string]string{}
		for _, m := range members {
			names[m.Profile.Username] = m.RoleName
		}
		return names
	}
	book.take()
	list, err := o.as("olga").Members(ctx, "acme", usermgmt.MemberList{})
	require.NoError(t, err)
	require.Equal(t, want, names(list.Items))
	calls, _ := book.take()
	require.Equal(t, 1, calls["RolesByID"])
	found, _, err := o.as("olga").MembersAt(ctx, "acme", usermgmt.MemberSearch{}, 0, 10)
	require.NoError(t, err)
	require.Equal(t, want, names(found))
	found, _, err = o.as("olga").MembersAt(ctx, "acme", usermgmt.MemberSearch{Roles: []usermgmt.RoleID{usermgmt.RoleOwner, usermgmt.RoleReader}}, 0, 10)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"olga": "owner", "rita": "reader"}, names(found))
	calls, _ = book.take()
	require.Equal(t, 1, calls["RolesByID"])

	// It is the name at the moment.
	_, err = o.m.UpdateRole(ctx, buyer, usermgmt.RoleUpdate{Name: new("purchaser")})
	require.NoError(t, err)
	require.Equal(t, "purchaser", must(o.m.Member(ctx, "acme", "bo")))
	require.NoError(t, o.m.DeleteRole(ctx, buyer))
	require.Equal(t, "unassigned", must(o.m.Member(ctx, "acme", "bo")))
}
