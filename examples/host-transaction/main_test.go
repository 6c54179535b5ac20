package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

func Example() {
	main()
	// Output:
	// ada@example.com: order 1
	//   orders 1, users 1, events 1
	// bert@example.com: sold out
	//   orders 1, users 1, events 1
}

func TestFirstOrder(t *testing.T) {
	t.Parallel()
	ctx, file := t.Context(), filepath.Join(t.TempDir(), "shop.db")
	m, err := openDirectory(ctx, file)
	require.NoError(t, err)
	defer m.Close()
	s, err := openShop(ctx, file, m)
	require.NoError(t, err)
	defer s.Close()
	ordersOf := func(u usermgmt.User) (n int) {
		require.NoError(t, s.db.QueryRow(`SELECT count(*) FROM orders WHERE customer = ?`, string(u.ID)).Scan(&n))
		return n
	}
	pieces := func() (n int) {
		require.NoError(t, s.db.QueryRow(`SELECT pieces FROM stock WHERE item = 'lamp'`).Scan(&n))
		return n
	}

	_, err = s.firstOrder(ctx, "ada@example.com", "lamp")
	require.NoError(t, err)
	ada, err := m.UserByEmail(ctx, "ada@example.com")
	require.NoError(t, err)
	require.Equal(t, 1, ordersOf(ada))
	require.Zero(t, pieces())

	_, err = s.firstOrder(ctx, "bert@example.com", "lamp")
	require.ErrorIs(t, err, errSoldOut)
	_, err = m.UserByEmail(ctx, "bert@example.com")
	require.ErrorIs(t, err, usermgmt.ErrNotFound)

	// The other way round: what the directory refuses leaves no order and all stock.
	_, err = s.db.Exec(`UPDATE stock SET pieces = 1`)
	require.NoError(t, err)
	_, err = s.firstOrder(ctx, "ada@example.com", "lamp")
	require.ErrorIs(t, err, usermgmt.ErrExists)
	require.Equal(t, 1, ordersOf(ada))
	require.Equal(t, 1, pieces())

	_, err = s.firstOrder(ctx, "bert@example.com", "lamp")
	require.NoError(t, err)
	require.Zero(t, pieces())
}
