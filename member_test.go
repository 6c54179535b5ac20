package usermgmt_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// staff is a company with one member of each rank, named after his role.
func staff(t testing.TB, options ...func(*usermgmt.Options)) *office {
	t.Helper()
	o := newOffice(t, options...)
	o.person("owner")
	o.company("acme", "owner")
	o.joins("acme", "admin", usermgmt.RoleOrgAdmin)
	o.joins("acme", "writer", usermgmt.RoleWriter)
	o.joins("acme", "reader", usermgmt.RoleReader)
	o.joins("acme", "unassigned", usermgmt.RoleUnassigned)
	return o
}

var ranks = []usermgmt.RoleID{
	usermgmt.RoleOwner, usermgmt.RoleOrgAdmin, usermgmt.RoleEditor, usermgmt.RoleWriter,
	usermgmt.RoleViewer, usermgmt.RoleReader, usermgmt.RoleMember, usermgmt.RoleUnassigned,
}

func TestAddMember(t *testing.T) {
	t.Parallel()

	t.Run("nobody gives a role that holds more than his", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		for _, role := range ranks {
			for who, may := range map[usermgmt.UserID]bool{
				"owner": true, "admin": role != usermgmt.RoleOwner, "writer": false, "reader": false, "unassigned": false,
			} {
				id := o.person(fmt.Sprintf("%s-%s", who, role[len(role)-2:]))
				member, err := o.as(who).AddMember(t.Context(), "acme", usermgmt.NewMember{User: id, Role: role})
				if !may {
					require.ErrorIs(t, err, usermgmt.ErrForbidden, "%s gives %s", who, role)
					continue
				}
				require.NoError(t, err, "%s gives %s", who, role)
				require.Equal(t, role, member.Role)
				require.Equal(t, "user:"+string(who), member.CreatedBy)
			}
		}
	})

	t.Run("members.add alone gives no more than itself", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		o.person("adder", grantIn(o.orgRole("adders", usermgmt.MembersAdd), "acme"))
		o.person("new")
		for _, role := range ranks[:7] {
			_, err := o.as("adder").AddMember(t.Context(), "acme", usermgmt.NewMember{User: "new", Role: role})
			require.ErrorIs(t, err, usermgmt.ErrForbidden, role)
		}
		_, err := o.as("adder").AddMember(t.Context(), "acme", usermgmt.NewMember{User: "new", Role: usermgmt.RoleUnassigned})
		require.NoError(t, err)
	})

	t.Run("by e-mail in whatever spelling", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		o.person("eve")
		member, err := o.as("admin").AddMember(t.Context(), "acme", usermgmt.NewMember{Email: "EVE@Eve.Example", Tags: []string{"b", "a", "b"}})
		require.NoError(t, err)
		require.Equal(t, usermgmt.UserID("eve"), member.UserID)
		require.Equal(t, usermgmt.RoleMember, member.Role)
		require.Equal(t, []string{"a", "b"}, member.Tags)
		require.Equal(t, usermgmt.Profile{Username: "eve", Email: "eve@eve.example", FirstName: "First eve"}, member.Profile)
		_, err = o.as("admin").AddMember(t.Context(), "acme", usermgmt.NewMember{Email: "nobody@acme.example"})
		require.Equal(t, usermgmt.ErrNotFound, err)
		_, err = o.as("admin").AddMember(t.Context(), "acme", usermgmt.NewMember{User: "eve"})
		require.Equal(t, "exists UserID", field(t, err))
		_, err = o.as("owner").AddMember(t.Context(), "acme", usermgmt.NewMember{User: "eve", Role: usermgmt.RoleOwner})
		require.Equal(t, "exists UserID", field(t, err))
	})

	t.Run("only roles of organizations", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		o.person("new")
		for _, role := range []usermgmt.RoleID{usermgmt.RoleAdmin, usermgmt.RoleSupervisor, "none"} {
			_, err := o.m.AddMember(t.Context(), "acme", usermgmt.NewMember{User: "new", Role: role})
			require.Equal(t, "invalid role", field(t, err))
		}
	})

	t.Run("malformed requests", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		for want, n := range map[string]usermgmt.NewMember{
			"invalid user":         {},
			"invalid email":        {Email: "no address"},
			"invalid tags":         {User: "owner", Tags: []string{""}},
			"invalid vendorUserId": {User: "owner", VendorUserID: "\x01"},
		} {
			_, err := o.m.AddMember(t.Context(), "acme", n)
			require.Equal(t, want, field(t, err))
		}
		_, err := o.m.AddMember(t.Context(), "acme", usermgmt.NewMember{User: "owner", Email: "owner@owner.example"})
		require.Equal(t, "invalid user", field(t, err))
	})

	t.Run("whose user it is of a vendor's is not for members to say", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		o.person("new")
		n := usermgmt.NewMember{User: "new", VendorUserID: "5678"}
		_, err := o.as("owner").AddMember(t.Context(), "acme", n)
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		member, err := o.m.AddMember(t.Context(), "acme", n)
		require.NoError(t, err)
		require.Equal(t, "5678", member.VendorUserID)
		o.person("other")
		_, err = o.m.AddMember(t.Context(), "acme", usermgmt.NewMember{User: "other", VendorUserID: "5678"})
		require.Equal(t, "exists VendorUserID", field(t, err))
		_, err = o.as("owner").UpdateMember(t.Context(), "acme", "reader", usermgmt.MemberUpdate{VendorUserID: new("7")})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = o.as("owner").UpdateMember(t.Context(), "acme", "new", usermgmt.MemberUpdate{VendorUserID: new("5678")})
		require.NoError(t, err, "what does not change needs no right")
	})
}

func TestInviteMember(t *testing.T) {
	t.Parallel()
	invite := func(email string) usermgmt.Invitation {
		return usermgmt.Invitation{NewMember: usermgmt.NewMember{Email: email}, FirstName: "In", LastName: "Vited"}
	}

	t.Run("an unknown address becomes an account without credentials", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		member, err := o.as("admin").InviteMember(t.Context(), "acme", invite("Ivy@Acme.example"))
		require.NoError(t, err)
		u, err := o.m.User(t.Context(), member.UserID)
		require.NoError(t, err)
		require.Equal(t, "ivy@acme.example", u.UsernameKey)
		require.Equal(t, "ivy@acme.example", u.EmailKey)
		require.Equal(t, "In", u.FirstName)
		require.Equal(t, "user:admin", u.CreatedBy)
		require.Empty(t, u.Grants)
		_, err = o.m.SignIn(t.Context(), "ivy@acme.example", "")
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
		require.Equal(t, []string{
			"user:admin user.created user:" + string(u.ID) + " ",
			"user:admin member.added user:" + string(u.ID) + " acme",
		}, o.log()[len(o.log())-2:])
	})

	t.Run("an existing account gains the membership and nothing of it changes", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		o.person("root", realmAdmin)
		before, err := o.m.User(t.Context(), "root")
		require.NoError(t, err)
		o.clock.Advance(time.Hour)
		member, err := o.as("owner").InviteMember(t.Context(), "acme", invite("root@root.example"))
		require.NoError(t, err)
		require.Equal(t, "First root", member.Profile.FirstName)
		require.True(t, member.Profile.Admin)
		after, err := o.m.User(t.Context(), "root")
		require.NoError(t, err)
		require.Equal(t, before, after)
		// And the inviter has no power over the account.
		_, err = o.as("owner").UpdateUser(t.Context(), "root", usermgmt.UserUpdate{Password: new("another password")})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		require.ErrorIs(t, o.as("owner").DeleteUser(t.Context(), "root"), usermgmt.ErrForbidden)
	})

	t.Run("new accounts only, where it is asked for", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		n := invite("reader@reader.example")
		n.NewAccount = true
		_, err := o.as("owner").InviteMember(t.Context(), "acme", n)
		require.Equal(t, "exists EmailKey", field(t, err))
	})

	t.Run("a username that is the address links nobody", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		_, err := o.m.CreateUser(t.Context(), usermgmt.NewUser{Username: "vic@acme.example"})
		require.NoError(t, err)
		o.writesNothing(func() {
			_, err = o.as("owner").InviteMember(t.Context(), "acme", invite("vic@acme.example"))
			require.Equal(t, "exists UsernameKey", field(t, err))
		})
	})

	t.Run("needs the right to add, and to give the role", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		for _, who := range []usermgmt.UserID{"writer", "reader", "unassigned"} {
			o.writesNothing(func() {
				_, err := o.as(who).InviteMember(t.Context(), "acme", invite("ivy@acme.example"))
				require.ErrorIs(t, err, usermgmt.ErrForbidden)
			})
		}
		n := invite("ivy@acme.example")
		n.Role = usermgmt.RoleOwner
		o.writesNothing(func() {
			_, err := o.as("admin").InviteMember(t.Context(), "acme", n)
			require.ErrorIs(t, err, usermgmt.ErrForbidden)
		})
	})
}

func TestUpdateMember(t *testing.T) {
	t.Parallel()

	t.Run("only who holds all of the role before and after", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		o.joins("acme", "second", usermgmt.RoleOwner)
		for _, from := range ranks {
			for _, to := range ranks {
				top := from == usermgmt.RoleOwner || to == usermgmt.RoleOwner
				for who, may := range map[usermgmt.UserID]bool{"second": true, "admin": !top, "writer": false, "unassigned": false} {
					id := o.joins("acme", fmt.Sprintf("%s-%s-%s", who, from[len(from)-2:], to[len(to)-2:]), from)
					_, err := o.as(who).UpdateMember(t.Context(), "acme", id, usermgmt.MemberUpdate{Role: &to})
					if !may {
						require.ErrorIs(t, err, usermgmt.ErrForbidden, "%s: %s to %s", who, from, to)
						require.Equal(t, from, o.role("acme", id))
						continue
					}
					require.NoError(t, err, "%s: %s to %s", who, from, to)
					require.Equal(t, to, o.role("acme", id))
				}
			}
		}
	})

	t.Run("an admin cannot even tag an owner", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		_, err := o.as("admin").UpdateMember(t.Context(), "acme", "owner", usermgmt.MemberUpdate{Tags: &[]string{"x"}})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = o.as("admin").UpdateMember(t.Context(), "acme", "admin", usermgmt.MemberUpdate{Role: new(usermgmt.RoleOwner)})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
	})

	t.Run("versions, and what changes nothing", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		_, err := o.as("owner").UpdateMember(t.Context(), "acme", "reader", usermgmt.MemberUpdate{Version: 2, Tags: &[]string{"x"}})
		require.ErrorIs(t, err, usermgmt.ErrStale)
		o.clock.Advance(time.Hour)
		member, err := o.as("owner").UpdateMember(t.Context(), "acme", "reader", usermgmt.MemberUpdate{
			Version: 1, Role: new(usermgmt.RoleWriter), Tags: &[]string{"y", "x"},
		})
		require.NoError(t, err)
		require.Equal(t, int64(2), member.Version)
		require.Equal(t, []string{"x", "y"}, member.Tags)
		require.Equal(t, o.clock.Now(), member.UpdatedAt)
		stored, err := o.m.Member(t.Context(), "acme", "reader")
		require.NoError(t, err)
		require.Equal(t, member, stored)
		o.clock.Advance(time.Hour)
		o.writesNothing(func() {
			same, err := o.as("owner").UpdateMember(t.Context(), "acme", "reader", usermgmt.MemberUpdate{
				Role: new(usermgmt.RoleWriter), Tags: &[]string{"x", "y", "x"},
			})
			require.NoError(t, err)
			require.Equal(t, member, same)
		})
		_, err = o.m.UpdateMember(t.Context(), "acme", "nobody", usermgmt.MemberUpdate{})
		require.Equal(t, usermgmt.ErrNotFound, err)
	})

	t.Run("a demotion counts at once, cached rights or not", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		admin := o.as("admin")
		for range 2 {
			ok, err := admin.Can(t.Context(), usermgmt.MembersAdd, usermgmt.InOrganization("acme"))
			require.NoError(t, err)
			require.True(t, ok)
		}
		_, err := o.as("owner").UpdateMember(t.Context(), "acme", "admin", usermgmt.MemberUpdate{Role: new(usermgmt.RoleReader)})
		require.NoError(t, err)
		ok, err := admin.Can(t.Context(), usermgmt.MembersAdd, usermgmt.InOrganization("acme"))
		require.NoError(t, err)
		require.False(t, ok)
	})
}

func TestRemoveMember(t *testing.T) {
	t.Parallel()

	t.Run("only who holds all of the member's role", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		for _, role := range ranks {
			for who, may := range map[usermgmt.UserID]bool{"owner": true, "admin": role != usermgmt.RoleOwner, "writer": false, "unassigned": false} {
				id := o.joins("acme", fmt.Sprintf("%s-%s", who, role[len(role)-2:]), role)
				err := o.as(who).RemoveMember(t.Context(), "acme", id)
				if may {
					require.NoError(t, err, "%s removes %s", who, role)
				} else {
					require.ErrorIs(t, err, usermgmt.ErrForbidden, "%s removes %s", who, role)
				}
			}
		}
		require.Equal(t, usermgmt.ErrNotFound, o.as("owner").RemoveMember(t.Context(), "acme", "nobody"))
	})

	t.Run("rights elsewhere do not count", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		o.person("root", realmAdmin)
		_, err := o.m.AddMember(t.Context(), "acme", usermgmt.NewMember{User: "root", Role: usermgmt.RoleReader})
		require.NoError(t, err)
		require.NoError(t, o.as("owner").RemoveMember(t.Context(), "acme", "root"))
		ok, err := o.as("root").Can(t.Context(), usermgmt.MembersAdd, usermgmt.InOrganization("acme"))
		require.NoError(t, err)
		require.True(t, ok, "a realm admin is one in every organization")
	})

	t.Run("everyone may leave", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		for _, who := range []usermgmt.UserID{"unassigned", "reader", "admin"} {
			require.NoError(t, o.as(who).RemoveMember(t.Context(), "acme", who))
		}
		require.ErrorIs(t, o.as("owner").RemoveMember(t.Context(), "acme", "owner"), usermgmt.ErrLastOwner)
		require.NoError(t, o.as("writer").RemoveMember(t.Context(), "acme", "writer"))
		require.NoError(t, o.as("owner").RemoveMember(t.Context(), "acme", "owner"), "the sole member may go")
		list, err := o.m.Members(t.Context(), "acme", usermgmt.MemberList{})
		require.NoError(t, err)
		require.Empty(t, list.Items)
	})
}

// TestConfinedUser is a realm admin whom a vendor's sign-in brought here: he
// is what his membership makes him, and nothing else.
func TestConfinedUser(t *testing.T) {
	t.Parallel()
	o := staff(t)
	o.person("root", realmAdmin)
	_, err := o.m.AddMember(t.Context(), "acme", usermgmt.NewMember{User: "root", Role: usermgmt.RoleOrgAdmin})
	require.NoError(t, err)
	confined := o.m.As(usermgmt.UserActor("root").Confined("acme"))
	_, err = confined.AddMember(t.Context(), "acme", usermgmt.NewMember{User: o.person("new"), Role: usermgmt.RoleReader})
	require.NoError(t, err)
	require.ErrorIs(t, confined.RemoveMember(t.Context(), "acme", "owner"), usermgmt.ErrForbidden)
	_, err = confined.CreateOrganization(t.Context(), usermgmt.NewOrganization{Name: "X"})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	_, err = confined.UpdateUser(t.Context(), "root", usermgmt.UserUpdate{FirstName: new("X")})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	_, err = confined.UpdateOrganization(t.Context(), "acme", usermgmt.OrganizationUpdate{OEMProvisioning: new(true)})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	// He owns another one, and that is out of his reach here.
	o.company("other", "root")
	_, err = confined.Organization(t.Context(), "other")
	require.ErrorIs(t, err, usermgmt.ErrNoOrganization)
	_, err = confined.AddMember(t.Context(), "other", usermgmt.NewMember{User: "new"})
	require.ErrorIs(t, err, usermgmt.ErrNoOrganization)
	ok, err := confined.Can(t.Context(), usermgmt.MembersAdd, usermgmt.InOrganization("other"))
	require.NoError(t, err)
	require.False(t, ok)
	require.NoError(t, confined.RemoveMember(t.Context(), "acme", "root"))
	_, err = confined.Organization(t.Context(), "acme")
	require.ErrorIs(t, err, usermgmt.ErrNoOrganization)
}

func TestDeleteRole(t *testing.T) {
	t.Parallel()
	t.Run("its members become unassigned", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		role := o.orgRole("buyer", usermgmt.MembersAdd, usermgmt.OrganizationsRead)
		o.joins("acme", "bo", role)
		o.company("other", "owner")
		o.joins("other", "cy", role)
		require.NoError(t, o.m.DeleteRole(t.Context(), role))
		require.Equal(t, usermgmt.RoleUnassigned, o.role("acme", "bo"))
		require.Equal(t, usermgmt.RoleUnassigned, o.role("other", "cy"))
		require.Equal(t, usermgmt.RoleReader, o.role("acme", "reader"))
		ok, err := o.as("bo").Can(t.Context(), usermgmt.OrganizationsRead, usermgmt.InOrganization("acme"))
		require.NoError(t, err)
		require.False(t, ok)
	})
}
