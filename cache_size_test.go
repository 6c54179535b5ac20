package usermgmt_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/store"
)

// viewCount is a store that counts Views.
type viewCount struct {
	store.Store
	views int
}

func (c *viewCount) View(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	c.views++
	return c.Store.View(ctx, realm, fn)
}

// Up to CacheSize users, members, sessions and tokens are remembered, and whoever is not is
// known all the same, by a read.
func TestCacheSize(t *testing.T) {
	t.Parallel()
	const users, rounds = 8, 3
	for size, reads := range map[int]func(n int) bool{
		users:     func(n int) bool { return n == 0 },
		users / 2: func(n int) bool { return n >= rounds*users/2 }, // who is asked for in turn
		1:         func(n int) bool { return n == rounds*users },
	} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			key, err := usermgmt.GenerateSigningKey(nil)
			require.NoError(t, err)
			s := &viewCount{Store: memstore.New()}
			m, err := usermgmt.New(s, usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash, CacheSize: size})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, m.Close()) })
			require.NoError(t, m.CreatePermission(t.Context(), "boats.sail"))
			ask := func() {
				for i := range users {
					ok, err := m.As(usermgmt.UserActor(usermgmt.UserID(fmt.Sprint("user-", i)))).Can(t.Context(), "boats.sail", usermgmt.Realmwide)
					require.NoError(t, err)
					require.Equal(t, i%2 == 0, ok)
				}
			}
			for i := range users {
				u := usermgmt.NewUser{ID: usermgmt.UserID(fmt.Sprint("user-", i)), Username: fmt.Sprint("user-", i)}
				if i%2 == 0 {
					u.Grants = []usermgmt.Grant{{Permission: "boats.sail", Kind: usermgmt.ScopeRealm}}
				}
				_, err := m.CreateUser(t.Context(), u)
				require.NoError(t, err)
			}
			ask()
			s.views = 0
			for range rounds {
				ask()
			}
			require.True(t, reads(s.views), "%d reads", s.views)
		})
	}
	_, err := usermgmt.New(memstore.New(), usermgmt.Options{SigningKeys: []usermgmt.SigningKey{{}}, CacheSize: -1})
	require.ErrorIs(t, err, usermgmt.ErrInvalid)
	require.ErrorContains(t, err, "CacheSize")
}
