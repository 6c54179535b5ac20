package exchange

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// Exhaust has a user give himself an address that is taken, until he is told no
// more. Nothing else comes of it.
func Exhaust(t testing.TB, m *usermgmt.Manager, id usermgmt.UserID) {
	t.Helper()
	ctx := t.Context()
	taken := "taken@mail.example"
	_, err := m.CreateUser(ctx, usermgmt.NewUser{ID: "holder", Username: "holder", Email: taken})
	require.NoError(t, err)
	for !errors.Is(err, usermgmt.ErrThrottled) {
		_, err = m.As(usermgmt.UserActor(id)).UpdateUser(ctx, id, usermgmt.UserUpdate{Email: &taken})
		if !errors.Is(err, usermgmt.ErrThrottled) {
			require.ErrorIs(t, err, usermgmt.ErrExists)
		}
	}
	require.NoError(t, m.DeleteUser(ctx, "holder"))
}
