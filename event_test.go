package usermgmt_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	t.Run("say who did what to what and when, without values", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		admin := d.user(t, "admin", realmRole(usermgmt.RoleAdmin))
		u, err := d.acting(admin).CreateUser(t.Context(), usermgmt.NewUser{Username: "ada"})
		require.NoError(t, err)
		require.NoError(t, second(d.acting(admin).UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{LastName: new("Lovelace"), FirstName: new("Ada")})))
		l, err := d.Events(t.Context(), usermgmt.Page{})
		require.NoError(t, err)
		require.Len(t, l.Items, 3)
		e := l.Items[2]
		require.Equal(t, usermgmt.Event{
			Seq: e.Seq, At: d.clock.Now(), Actor: "user:" + string(admin.ID), Action: "user.updated", Object: "user:" + string(u.ID),
			Fields: []string{"firstName", "lastName"},
		}, e)
	})
	t.Run("vanish with the act that fails", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		_ = d.user(t, "ada")
		before := d.actions(t)
		require.ErrorIs(t, second(d.CreateUser(t.Context(), usermgmt.NewUser{Username: "ada"})), usermgmt.ErrExists)
		require.Equal(t, before, d.actions(t))
	})
	t.Run("are read on from where one stopped, and dropped by the host alone", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		for _, n := range []string{"a", "b", "c"} {
			_ = d.user(t, n)
		}
		first, err := d.Events(t.Context(), usermgmt.Page{Limit: 2})
		require.NoError(t, err)
		require.Len(t, first.Items, 2)
		rest, err := d.Events(t.Context(), usermgmt.Page{After: first.Next})
		require.NoError(t, err)
		require.Len(t, rest.Items, 1)
		end, err := d.Events(t.Context(), usermgmt.Page{After: rest.Next})
		require.NoError(t, err)
		require.Empty(t, end.Items)
		require.Equal(t, rest.Next, end.Next)
		_ = d.user(t, "d")
		more, err := d.Events(t.Context(), usermgmt.Page{After: end.Next})
		require.NoError(t, err)
		require.Len(t, more.Items, 1)

		admin := d.acting(d.user(t, "admin", realmRole(usermgmt.RoleAdmin)))
		require.ErrorIs(t, second(admin.DropEvents(t.Context(), 1)), usermgmt.ErrForbidden)
		require.ErrorIs(t, second(admin.Sweep(t.Context(), 1)), usermgmt.ErrForbidden)
		n, err := d.DropEvents(t.Context(), first.Items[1].Seq)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		plain := d.acting(d.user(t, "plain"))
		require.ErrorIs(t, second(plain.Events(t.Context(), usermgmt.Page{})), usermgmt.ErrForbidden)
		for _, bad := range []string{"x", "-1", "1 or 1=1"} {
			require.ErrorIs(t, second(d.Events(t.Context(), usermgmt.Page{After: bad})), usermgmt.ErrInvalid)
		}
	})
}
