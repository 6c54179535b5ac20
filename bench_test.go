package usermgmt_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

// stores opens each store empty.
func stores(b *testing.B) map[string]func() store.Store {
	b.Helper()
	return map[string]func() store.Store{
		"memstore": func() store.Store { return memstore.New() },
		"sqlitestore": func() store.Store {
			s, err := sqlitestore.Open(b.Context(), filepath.Join(b.TempDir(), "users.db"), nil)
			require.NoError(b, err)
			return s
		},
	}
}

// populate creates n users with a realm role, in large units of work, and
// returns their ids in random order.
func populate(b *testing.B, s store.Store, n int) []usermgmt.UserID {
	b.Helper()
	ctx := b.Context()
	users := make([]usermgmt.UserID, n)
	now := store.Micro(time.Now())
	const chunk = 5000
	for from := 0; from < n; from += chunk {
		require.NoError(b, s.Update(ctx, usermgmt.DefaultRealm, func(tx store.Tx) error {
			for i := from; i < min(from+chunk, n); i++ {
				users[i] = usermgmt.UserID(fmt.Sprintf("0192f0c1-2b5e-7cc0-9a51-%012d", i))
				name := fmt.Sprintf("user%07d@example.com", i)
				err := tx.CreateUser(ctx, store.User{
					ID: users[i], Username: name, UsernameKey: name, Email: name, EmailKey: name, FirstName: "First", LastName: "Last",
					Grants: []usermgmt.Grant{realmRole(usermgmt.RoleReadOnly)}, CreatedAt: now, UpdatedAt: now,
				})
				if err != nil {
					return err
				}
			}
			return nil
		}))
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { users[i], users[j] = users[j], users[i] })
	return users
}

// ratio runs the limit and the candidate by turns within the benchmark's own
// time, and reports the candidate's cost and what multiple of the limit it is.
func ratio(b *testing.B, limit, candidate func(i int)) {
	b.Helper()
	const turn = 20_000
	var spent [2]time.Duration
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		if n%turn == 0 {
			b.StopTimer()
			start := time.Now()
			for i := range turn {
				limit(n + i)
			}
			spent[0] += time.Since(start)
			start = time.Now()
			for i := range turn {
				candidate(n + i)
			}
			spent[1] += time.Since(start)
			b.StartTimer()
		}
		candidate(n)
		n++
	}
	b.ReportMetric(float64(spent[1])/float64(spent[0]), "x-limit")
}

// BenchmarkCan asks for a permission of 100,000 users in random order. The
// limit is a lookup of the same key in a map.
func BenchmarkCan(b *testing.B) {
	const n = 100_000
	for name, open := range stores(b) {
		b.Run(name, func(b *testing.B) {
			s := open()
			users := populate(b, s, n)
			key, err := usermgmt.GenerateSigningKey(nil)
			require.NoError(b, err)
			m, err := usermgmt.New(s, usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}})
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, m.Close()) })
			plain := make(map[usermgmt.UserID]*int, n)
			for _, u := range users {
				plain[u] = new(int)
			}
			ctx := context.Background()
			ask := func(i int) {
				if ok, err := m.As(usermgmt.UserActor(users[i%n])).Can(ctx, usermgmt.UsersRead, usermgmt.Realmwide); err != nil || !ok {
					b.Fatal(ok, err)
				}
			}
			for i := range n {
				ask(i)
			}
			found := 0
			ratio(b, func(i int) { found += *plain[users[i%n]] + 1 }, ask)
			require.NotZero(b, found)
		})
	}
}

// BenchmarkOffsetWalk reads pages of 50 by offset at the end of 1,000,000 users.
// The limit is the same at their start.
func BenchmarkOffsetWalk(b *testing.B) {
	const n, size, pages = 1_000_000, 50, 40
	for name, open := range stores(b) {
		b.Run(name, func(b *testing.B) {
			s := open()
			populate(b, s, n)
			key, err := usermgmt.GenerateSigningKey(nil)
			require.NoError(b, err)
			m, err := usermgmt.New(s, usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}})
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, m.Close()) })
			walk := func(from int64) time.Duration {
				start := time.Now()
				for i := range int64(pages) {
					l, err := m.Users(b.Context(), usermgmt.UserList{Page: usermgmt.Page{Offset: from + i*size, Limit: size}})
					if err != nil || len(l.Items) != size {
						b.Fatal(len(l.Items), err)
					}
				}
				return time.Since(start)
			}
			var first, last time.Duration
			walks := 0
			for b.Loop() {
				first += walk(0)
				last += walk(n - pages*size)
				walks++
			}
			b.ReportMetric(float64(last)/float64(walks)/pages, "ns/page")
			b.ReportMetric(float64(last)/float64(first), "x-start")
		})
	}
}
