package usermgmt_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// TestLastOwner keeps an active owner in an organization with other members,
// whichever way he would be lost.
func TestLastOwner(t *testing.T) {
	t.Parallel()
	ways := map[string]func(o *office) error{
		"removed": func(o *office) error { return o.m.RemoveMember(o.t.Context(), "acme", "owner") },
		"leaves":  func(o *office) error { return o.as("owner").RemoveMember(o.t.Context(), "acme", "owner") },
		"demoted": func(o *office) error {
			_, err := o.m.UpdateMember(o.t.Context(), "acme", "owner", usermgmt.MemberUpdate{Role: new(usermgmt.RoleOrgAdmin)})
			return err
		},
		"disabled": func(o *office) error { return o.m.DisableUser(o.t.Context(), "owner") },
		"deleted":  func(o *office) error { return o.m.DeleteUser(o.t.Context(), "owner") },
		"deletes himself": func(o *office) error {
			return o.as("owner").DeleteUser(o.t.Context(), "owner")
		},
	}
	for name, lose := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := staff(t)
			o.writesNothing(func() { require.ErrorIs(t, lose(o), usermgmt.ErrLastOwner) })
			require.ErrorIs(t, lose(o), usermgmt.ErrConflict)

			o.joins("acme", "second", usermgmt.RoleOwner)
			require.NoError(t, o.m.DisableUser(t.Context(), "second"))
			require.ErrorIs(t, lose(o), usermgmt.ErrLastOwner, "a disabled owner is none")

			require.NoError(t, o.m.EnableUser(t.Context(), "second"))
			require.NoError(t, lose(o))
			require.ErrorIs(t, o.m.DeleteUser(t.Context(), "second"), usermgmt.ErrLastOwner)
		})
	}

	t.Run("a sole member may go but not stay without an owner", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{"removed", "leaves", "disabled", "deleted"} {
			o := newOffice(t)
			o.person("owner")
			o.company("acme", "owner")
			require.ErrorIs(t, ways["demoted"](o), usermgmt.ErrLastOwner)
			require.NoError(t, ways[name](o), name)
		}
	})

	t.Run("a holder of equal rights is no owner", func(t *testing.T) {
		t.Parallel()
		o := staff(t)
		o.joins("acme", "chief", o.orgRole("chief", "*.*"))
		require.ErrorIs(t, o.as("chief").RemoveMember(t.Context(), "acme", "owner"), usermgmt.ErrLastOwner)
	})

	t.Run("who joins a disabled owner must be an active one", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.person("owner")
		o.company("acme", "owner")
		require.NoError(t, o.m.DisableUser(t.Context(), "owner"))
		o.person("mia")
		o.person("dis")
		require.NoError(t, o.m.DisableUser(t.Context(), "dis"))
		_, err := o.m.AddMember(t.Context(), "acme", usermgmt.NewMember{User: "mia", Role: usermgmt.RoleReader})
		require.ErrorIs(t, err, usermgmt.ErrLastOwner)
		_, err = o.m.AddMember(t.Context(), "acme", usermgmt.NewMember{User: "dis", Role: usermgmt.RoleOwner})
		require.ErrorIs(t, err, usermgmt.ErrLastOwner)
		_, err = o.m.AddMember(t.Context(), "acme", usermgmt.NewMember{User: "mia", Role: usermgmt.RoleOwner})
		require.NoError(t, err)
	})

	t.Run("in every organization of many", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		o.person("busy")
		o.person("other")
		for i := range 600 {
			org := o.company(usermgmt.OrganizationID(fmt.Sprintf("org-%03d", i)), "busy")
			if i == 599 {
				_, err := o.m.AddMember(t.Context(), org, usermgmt.NewMember{User: "other"})
				require.NoError(t, err)
			}
		}
		require.ErrorIs(t, o.m.DeleteUser(t.Context(), "busy"), usermgmt.ErrLastOwner)
		require.NoError(t, o.m.RemoveMember(t.Context(), "org-599", "other"))
		require.NoError(t, o.m.DeleteUser(t.Context(), "busy"))
	})
}

// TestOwnersRace lets two owners get rid of each other at once, in every way.
func TestOwnersRace(t *testing.T) {
	t.Parallel()
	demote := func(m *usermgmt.Manager, id usermgmt.UserID) error {
		_, err := m.UpdateMember(t.Context(), "acme", id, usermgmt.MemberUpdate{Role: new(usermgmt.RoleReader)})
		return err
	}
	remove := func(m *usermgmt.Manager, id usermgmt.UserID) error { return m.RemoveMember(t.Context(), "acme", id) }
	disable := func(m *usermgmt.Manager, id usermgmt.UserID) error {
		return m.As(usermgmt.HostActor()).DisableUser(t.Context(), id)
	}
	drop := func(m *usermgmt.Manager, id usermgmt.UserID) error {
		return m.As(usermgmt.HostActor()).DeleteUser(t.Context(), id)
	}
	for name, acts := range map[string][2]func(*usermgmt.Manager, usermgmt.UserID) error{
		"demote each other":   {demote, demote},
		"remove each other":   {remove, remove},
		"disabled, deleted":   {disable, drop},
		"disabled, demoted":   {disable, demote},
		"both are disabled":   {disable, disable},
		"deleted and removed": {drop, remove},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 64 {
				o := newOffice(t)
				o.person("ann")
				o.company("acme", "ann")
				o.joins("acme", "bea", usermgmt.RoleOwner)
				o.joins("acme", "mia", usermgmt.RoleMember)
				start := make(chan struct{})
				var errs [2]error
				var both sync.WaitGroup
				for i, pair := range [][2]usermgmt.UserID{{"ann", "bea"}, {"bea", "ann"}} {
					both.Go(func() {
						<-start
						errs[i] = acts[i](o.as(pair[0]), pair[1])
					})
				}
				close(start)
				both.Wait()
				refused := slices.DeleteFunc(errs[:], func(err error) bool { return err == nil })
				require.Len(t, refused, 1)
				require.True(t, errors.Is(refused[0], usermgmt.ErrLastOwner) || errors.Is(refused[0], usermgmt.ErrForbidden) ||
					errors.Is(refused[0], usermgmt.ErrNotFound), "%v", refused[0])
				list, err := o.m.Members(t.Context(), "acme", usermgmt.MemberList{Roles: []usermgmt.RoleID{usermgmt.RoleOwner}})
				require.NoError(t, err)
				require.True(t, slices.ContainsFunc(list.Items, func(m usermgmt.Member) bool { return !m.Profile.Disabled }))
			}
		})
	}
}

// The only active owner is the last one of all.
func TestLastOwner_of_many(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.person("m-0000")
	o.company("acme", "m-0000")
	for i := range 501 {
		o.joins("acme", fmt.Sprintf("m-%04d", i+1), usermgmt.RoleOwner)
	}
	for i := range 501 {
		require.NoError(t, o.m.DisableUser(t.Context(), usermgmt.UserID(fmt.Sprintf("m-%04d", i))))
	}
	require.ErrorIs(t, o.m.DisableUser(t.Context(), "m-0501"), usermgmt.ErrLastOwner)
}
