package pgstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/pprof"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/internal/tier"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
)

// backWithin is how long after its server takes writes again a store may take
// to do every writer's next one.
const backWithin = 2 * time.Second

// outage is a load on a server of its own.
type outage struct {
	*load
	pool     *pgxpool.Pool
	server   *pgtest.Server // the one that takes writes
	database string
	random   *rand.Rand
	underWay int64         // deeds, when faults began
	worst    time.Duration // until the store was back
}

// startOutage starts a server, and a load on it through a pool that edit, unless
// it is nil, has configured.
func startOutage(t *testing.T, edit func(*pgxpool.Config)) *outage {
	t.Helper()
	o := &outage{server: pgtest.Start(t, pgtest.Config{Fsync: true}), random: rand.New(rand.NewPCG(1, 2))}
	var err error
	o.database, err = o.server.Database(t.Context())
	require.NoError(t, err)
	config, err := pgxpool.ParseConfig(o.server.URL(o.database))
	require.NoError(t, err)
	config.MaxConns = 10
	watch(config)
	if edit != nil {
		edit(config)
	}
	pprof.Do(t.Context(), pprof.Labels(label, t.Name()), func(ctx context.Context) {
		o.pool, err = pgxpool.NewWithConfig(ctx, config)
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		if o.pool.Stat().AcquiredConns() == 0 { // Close waits for connections that leak
			o.pool.Close()
		}
	})
	s, err := New(t.Context(), o.pool, nil)
	require.NoError(t, err)
	o.load = startLoad(t, s, 8)
	return o
}

// happens lets a fault happen, after which the store must be back in time.
func (o *outage) happens(t *testing.T, fault func()) {
	t.Helper()
	underWay, back := o.strike(t, o.random, fault)
	require.Positive(t, underWay, "deeds that the fault meets")
	o.underWay += underWay
	require.Less(t, back, backWithin, "from a server that takes writes to a store that does them")
	o.worst = max(o.worst, back)
}

// finish ends the load: its journal is right, and nothing is left of it.
func (o *outage) finish(t *testing.T) verdict {
	t.Helper()
	require.Greater(t, len(goroutines(t)), 1, "of the pool and of the load")
	o.end()
	v := o.judge(t)
	v.requireFlawless(t)

	// A connection that a unit has broken leaves the pool a moment after the unit.
	c, err := pgx.Connect(t.Context(), o.server.URL("postgres"))
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close(context.Background())) }()
	connections := func() (all, inUse int) {
		require.NoError(t, c.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE state IS DISTINCT FROM 'idle')
			FROM pg_stat_activity WHERE datname=$1`, o.database).Scan(&all, &inUse))
		return all, inUse
	}
	require.Eventually(t, func() bool {
		all, inUse := connections()
		stat := o.pool.Stat()
		return stat.AcquiredConns() == 0 && inUse == 0 && all == int(stat.TotalConns())
	}, patient, 5*time.Millisecond, "connections are in use, or the server has others than the pool")
	require.NoError(t, o.store.Close())
	o.pool.Close()
	require.Eventually(t, func() bool { all, _ := connections(); return all == 0 }, patient, 5*time.Millisecond)
	require.Eventually(t, func() bool { return len(goroutines(t)) == 0 }, patient, 5*time.Millisecond, "goroutines are left")
	return v
}

func (o *outage) print(t *testing.T, v verdict, faults string, counts ...any) {
	t.Helper()
	t.Logf("%s with %d deeds under way: %s, worst return %.3f s", fmt.Sprintf(faults, counts...), o.underWay, v, o.worst.Seconds())
}

func TestRestarts(t *testing.T) {
	t.Parallel()
	restarts := tier.Count(2, 20, 50, 200)
	o := startOutage(t, nil)
	for range restarts {
		o.happens(t, func() { require.NoError(t, o.server.Restart(t.Context())) })
	}
	v := o.finish(t)
	require.Positive(t, v.unknown+v.failed, "deeds that a restart has kept from being acknowledged")
	o.print(t, v, "%d restarts", restarts)
}

func TestTerminatedConnections(t *testing.T) {
	t.Parallel()
	want := tier.Count(50, 500, 1_000, 10_000)
	o := startOutage(t, nil)
	terminated, rounds := 0, 0
	for ; terminated < want; rounds++ {
		o.happens(t, func() {
			n, err := o.server.Terminate(t.Context(), o.database)
			require.NoError(t, err)
			require.Positive(t, n)
			terminated += n
		})
	}
	v := o.finish(t)
	o.print(t, v, "%d connections terminated in %d rounds", terminated, rounds)
}

// TestPromotions leads one store from a server to its standby, and from there to
// the standby's standby.
func TestPromotions(t *testing.T) {
	t.Parallel()
	promotions := tier.Count(1, 3, 10, 50)
	var hosts hostList
	o := startOutage(t, func(c *pgxpool.Config) { c.BeforeConnect = hosts.lead })
	for range promotions {
		standby := o.server.Standby(t)
		hosts.set(t, o.server.URL(o.database, standby))
		o.happens(t, func() {
			require.NoError(t, o.server.Crash(t.Context()))
			require.NoError(t, standby.Promote(t.Context()))
			o.server = standby
		})
	}
	v := o.finish(t)
	require.Positive(t, v.unknown+v.failed, "deeds that a promotion has kept from being acknowledged")
	o.print(t, v, "%d promotions", promotions)
}

// hostList is where connections are made to from now on, once it is set.
type hostList struct {
	config atomic.Pointer[pgx.ConnConfig]
}

func (h *hostList) set(t testing.TB, url string) {
	t.Helper()
	c, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	h.config.Store(c)
}

func (h *hostList) lead(_ context.Context, c *pgx.ConnConfig) error {
	now := h.config.Load()
	if now == nil {
		return nil
	}
	c.Host, c.Port, c.Fallbacks, c.ValidateConnect = now.Host, now.Port, now.Fallbacks, now.ValidateConnect
	return nil
}
