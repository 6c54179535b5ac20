package usermgmt_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// TestOwnAddressTellsOfFewOthers: whose address is taken is told to who gives it
// to himself, for as many as passwords may be guessed.
func TestOwnAddressTellsOfFewOthers(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *usermgmt.Options) { o.Throttle.Account = usermgmt.Rate{Burst: 3, Every: time.Minute} })
	create := func(name string) usermgmt.User {
		u, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: name, Email: name + "@example.com"})
		require.NoError(t, err)
		return u
	}
	for i := range 4 {
		create(fmt.Sprint("other", i))
	}
	ada, bob := create("ada"), create("bob")
	moves := func(u usermgmt.User, to string) error {
		return second(d.acting(u).UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{Email: &to}))
	}
	for i := range 20 {
		require.NoError(t, moves(ada, fmt.Sprintf("free%d@example.com", i)), "what is free does not count")
		require.ErrorIs(t, moves(ada, "no address"), usermgmt.ErrInvalid)
	}
	for i := range 3 {
		require.ErrorIs(t, moves(ada, fmt.Sprintf("other%d@example.com", i)), usermgmt.ErrExists)
	}
	for _, to := range []string{"other3@example.com", "free@example.com"} {
		var throttled *usermgmt.ThrottledError
		require.ErrorAs(t, moves(ada, to), &throttled, "taken and free are alike")
		require.Equal(t, time.Minute, throttled.RetryAfter)
	}
	require.ErrorIs(t, moves(bob, "other3@example.com"), usermgmt.ErrExists, "each has a count of his own")
	require.NoError(t, second(d.UpdateUser(t.Context(), ada.ID, usermgmt.UserUpdate{Email: new("free@example.com")})), "the host is not held to it")
	d.clock.Advance(time.Minute)
	require.ErrorIs(t, moves(ada, "other3@example.com"), usermgmt.ErrExists)
	require.ErrorIs(t, moves(ada, "other3@example.com"), usermgmt.ErrThrottled)

	require.NoError(t, moves(ada, "free@example.com"), "what he has")
	require.NoError(t, moves(ada, ""))
	require.ErrorIs(t, second(d.As(usermgmt.UserActor(bob.ID).Confined("none")).UpdateUser(t.Context(), bob.ID, usermgmt.UserUpdate{Email: new("x@example.com")})), usermgmt.ErrForbidden)
	root, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "root", Grants: []usermgmt.Grant{realmAdmin}})
	require.NoError(t, err)
	for range 9 {
		require.ErrorIs(t, moves(root, "other0@example.com"), usermgmt.ErrExists, "who sees all users may ask")
	}

	off := newDesk(t, func(o *usermgmt.Options) { o.Throttle.Off = true })
	eve, err := off.CreateUser(t.Context(), usermgmt.NewUser{Username: "eve"})
	require.NoError(t, err)
	require.NoError(t, second(off.acting(eve).UpdateUser(t.Context(), eve.ID, usermgmt.UserUpdate{Email: new("eve@example.com")})))
}
