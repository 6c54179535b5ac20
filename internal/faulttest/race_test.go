package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/internal/tier"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/pgstore"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

// act is one operation of a race: what is asked, for the model, and how.
type act struct {
	in any
	do func(ctx context.Context, m *usermgmt.Manager) (out any)
}

// race is operations on one thing that several callers fight for, and the model
// of what one caller after the other would see.
type race struct {
	name  string
	model porcupine.Model
	// begin makes the thing, with ids of its own for the number, and returns
	// what picks operations; that is called concurrently.
	begin func(t testing.TB, m *usermgmt.Manager, number int) func(*rand.Rand) act
}

// surprise is an outcome that no operation of a race may have.
type surprise struct{ err error }

func surprised(op porcupine.Operation) bool {
	_, is := op.Output.(surprise)
	return is
}

// history lets the Managers' callers race, and returns what they saw. Times are
// of a clock that ticks with each call and each answer.
func (r race) history(t testing.TB, ms []*usermgmt.Manager, number, callers, operations int) []porcupine.Operation {
	t.Helper()
	pick := r.begin(t, ms[0], number)
	var clock atomic.Int64
	var wg sync.WaitGroup
	seen := make([][]porcupine.Operation, callers)
	for caller := range callers {
		random := rand.New(rand.NewPCG(uint64(number), uint64(caller)))
		m := ms[caller%len(ms)]
		wg.Go(func() {
			for range operations {
				a := pick(random)
				op := porcupine.Operation{ClientId: caller, Input: a.in, Call: clock.Add(1)}
				op.Output = a.do(t.Context(), m)
				op.Return = clock.Add(1)
				seen[caller] = append(seen[caller], op)
			}
		})
	}
	wg.Wait()
	var all []porcupine.Operation
	for _, ops := range seen {
		all = append(all, ops...)
	}
	return all
}

// describe writes a history down, for a failure.
func describe(h []porcupine.Operation) string {
	var b strings.Builder
	for _, op := range h {
		fmt.Fprintf(&b, "caller %d, %d to %d: %+v = %+v\n", op.ClientId, op.Call, op.Return, op.Input, op.Output)
	}
	return b.String()
}

// checkTime bounds the search for an order. It takes milliseconds.
const checkTime = time.Minute

// arenas open Managers that race on the same data.
var arenas = map[string]func(t testing.TB) []*usermgmt.Manager{
	"one Manager in memory": func(t testing.TB) []*usermgmt.Manager {
		return managers(t, memstore.New())
	},
	"two Managers on a SQLite file": func(t testing.TB) []*usermgmt.Manager {
		file := filepath.Join(t.TempDir(), "users.db")
		var stores []store.Store
		for range 2 {
			s, err := sqlitestore.Open(t.Context(), file, nil)
			require.NoError(t, err)
			stores = append(stores, s)
		}
		return managers(t, stores...)
	},
	"two Managers on PostgreSQL": func(t testing.TB) []*usermgmt.Manager {
		if testing.Short() {
			t.Skip("left out of short runs: a PostgreSQL server takes seconds to start")
		}
		url := pgtest.URL(t)
		var stores []store.Store
		for range 2 {
			s, err := pgstore.Open(t.Context(), url, nil)
			require.NoError(t, err)
			stores = append(stores, s)
		}
		return managers(t, stores...)
	},
}

func managers(t testing.TB, stores ...store.Store) []*usermgmt.Manager {
	t.Helper()
	var ms []*usermgmt.Manager
	for _, s := range stores {
		m, err := usermgmt.New(s, options(t, nil, nil))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, m.Close()) })
		ms = append(ms, m)
	}
	return ms
}

// TestRaces checks that whatever racing callers see could have been seen by one
// after the other, in an order in which nobody who came after an answer is put
// before it.
func TestRaces(t *testing.T) {
	t.Parallel()
	for name, open := range arenas {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			histories := tier.Count(5, 50, 1_000, 10_000)
			if !strings.Contains(name, "memory") {
				histories = tier.Count(1, 4, 100, 1_000)
			}
			callers, operations := 4, tier.Count(10, 25, 500, 500)
			ms := open(t)
			for _, r := range races {
				t.Run(r.name, func(t *testing.T) {
					for number := range histories {
						h := r.history(t, ms, number, callers, operations)
						if i := slices.IndexFunc(h, surprised); i >= 0 {
							t.Fatalf("history %d, %+v: %+v", number, h[i].Input, h[i].Output)
						}
						if got := porcupine.CheckOperationsTimeout(r.model, h, checkTime); got != porcupine.Ok {
							t.Fatalf("history %d is %s:\n%s", number, got, describe(h))
						}
					}
				})
			}
			t.Logf("%d histories of %d operations for each of %d races: 0 illegal", histories, callers*operations, len(races))
		})
	}
}

// TestRacesFindSabotage requires that a store which checks first and acts later
// is found out by each of the races.
func TestRacesFindSabotage(t *testing.T) {
	t.Parallel()
	for _, r := range races {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			ms := managers(t, &torn{Store: memstore.New()})
			const limit = 200
			alone := r.history(t, ms, limit, 1, 20)
			require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(r.model, alone, checkTime), "without a race it is right:\n%s", describe(alone))
			for number := range limit {
				h := r.history(t, ms, number, 4, 10)
				if !slices.ContainsFunc(h, surprised) && porcupine.CheckOperationsTimeout(r.model, h, checkTime) == porcupine.Illegal {
					t.Logf("found in history %d", number+1)
					return
				}
			}
			t.Fatalf("none of %d histories of a torn store was found illegal", limit)
		})
	}
}
