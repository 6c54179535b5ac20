package pgstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/store"
)

// process returns the server's process that a unit runs on.
func process(t testing.TB, tx store.Tx) (pid int64) {
	t.Helper()
	c := connOf(tx)
	_, err := c.one(t.Context(), "SELECT pg_backend_pid()", into(&pid))
	require.NoError(t, err)
	return pid
}

func connOf(t store.Tx) *conn { return t.(*tx).conn }

func TestCancelledStatement(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, func(c *pgxpool.Config) { c.MaxConns = 2 })
	s := d.open(t)
	held, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- s.Update(t.Context(), realm, func(tx store.Tx) error {
			err := tx.Lock(t.Context(), "a")
			close(held)
			<-release
			return err
		})
	}()
	<-held
	ctx, cancel := context.WithCancel(t.Context())
	var pid int64
	err := s.Update(t.Context(), realm, func(tx store.Tx) error {
		pid = process(t, tx)
		go d.whenWaiting(t.Context(), t, pid, cancel)
		return tx.Lock(ctx, "a")
	})
	require.Equal(t, context.Canceled, err)
	// The other connection is taken, so this is the one that was cancelled.
	update(t, s, func(tx store.Tx) error {
		require.Equal(t, pid, process(t, tx), "the connection is the same, and usable")
		return tx.CreateUser(t.Context(), person("ada"))
	})
	close(release)
	require.NoError(t, <-done)
}

// whenWaiting calls then once the process waits for a lock, or the context is
// done. It looks with a connection of its own.
func (d *database) whenWaiting(ctx context.Context, t testing.TB, pid int64, then func()) {
	defer then()
	config := d.pool.Config()
	config.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Error(err)
		return
	}
	defer pool.Close()
	for waits := false; !waits && ctx.Err() == nil; {
		err := pool.QueryRow(t.Context(), "SELECT wait_event_type IS NOT DISTINCT FROM 'Lock' FROM pg_stat_activity WHERE pid=$1", pid).Scan(&waits)
		if err != nil {
			t.Error(err)
			return
		}
	}
}

func TestLostConnectionBeforeTheCommit(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, nil)
	s := d.open(t)
	runs := 0
	update(t, s, func(tx store.Tx) error {
		runs++
		if err := tx.CreateUser(t.Context(), person("ada")); err != nil || runs > 1 {
			return err
		}
		_, err := d.pool.Exec(t.Context(), "SELECT pg_terminate_backend($1, 5000)", process(t, tx))
		require.NoError(t, err)
		_, err = tx.User(t.Context(), "bob") // by which the unit learns of it
		return err
	})
	require.Equal(t, 2, runs, "the unit is run again on another connection")
	n, err := countUsers(t.Context(), s)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}

// A pool may have nothing but connections that the server has ended since they
// were used. Nobody hears of that who has read nothing yet.
func TestLostIdleConnections(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d, administrator := newDatabase(t, func(c *pgxpool.Config) { c.MaxConns = 4 }), newDatabase(t, nil)
	s := d.open(t)
	update(t, s, func(tx store.Tx) error { return tx.CreateUser(ctx, person("ada")) })
	endAll := func() {
		var pids []int64
		var held []*pgxpool.Conn
		for range 4 {
			c, err := d.pool.Acquire(ctx)
			require.NoError(t, err)
			held = append(held, c)
			pids = append(pids, int64(c.Conn().PgConn().PID()))
		}
		for _, c := range held {
			c.Release()
		}
		_, err := administrator.pool.Exec(ctx, "SELECT pg_terminate_backend(p::int, 5000) FROM unnest($1::bigint[]) p", pids)
		require.NoError(t, err)
	}
	for name, call := range map[string]func() error{
		"View": func() error {
			return s.View(ctx, realm, func(r store.Reader) error { _, err := r.User(ctx, "ada"); return err })
		},
		"Glance": func() error {
			return s.Glance(ctx, realm, func(r store.Reader) error { _, err := r.User(ctx, "ada"); return err })
		},
		"Generation": func() error { _, err := s.Generation(ctx, realm); return err },
		"Update": func() error {
			return s.Update(ctx, realm, func(tx store.Tx) error { _, err := tx.User(ctx, "ada"); return err })
		},
	} {
		endAll()
		require.NoError(t, call(), name)
	}
}

func countUsers(ctx context.Context, s store.Store) (n int64, err error) {
	err = s.View(ctx, realm, func(r store.Reader) (err error) {
		n, err = r.CountUsers(ctx, store.UserQuery{})
		return err
	})
	return n, err
}

// muffled is a connection whose server is not heard any more after a COMMIT.
type muffled struct {
	net.Conn
	deaf atomic.Bool
	on   *atomic.Bool
}

func (c *muffled) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if c.on.Load() && strings.Contains(string(b), "COMMIT\x00") {
		c.deaf.Store(true)
	}
	return n, err
}

func (c *muffled) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.deaf.Load() {
		c.Conn.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

func TestLostAnswerToTheCommit(t *testing.T) {
	t.Parallel()
	var on atomic.Bool
	d := newDatabase(t, func(c *pgxpool.Config) {
		simpleProtocol(c) // where the text of the COMMIT is sent each time
		dial := c.ConnConfig.DialFunc
		c.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			return &muffled{Conn: conn, on: &on}, err
		}
	})
	s := d.open(t)
	runs := 0
	on.Store(true)
	err := s.Update(t.Context(), realm, func(tx store.Tx) error {
		runs++
		return tx.CreateUser(t.Context(), person("ada"))
	})
	on.Store(false)
	require.ErrorIs(t, err, store.ErrUnknownOutcome)
	require.Equal(t, 1, runs, "a unit that may have been committed is not run again")
	n, err := countUsers(t.Context(), s)
	require.NoError(t, err)
	require.LessOrEqual(t, n, int64(1))
}

func TestReadOnlyServer(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, nil)
	s := d.open(t)
	update(t, s, func(tx store.Tx) error { return tx.CreateUser(t.Context(), person("ada")) })
	err := s.Update(t.Context(), realm, func(tx store.Tx) error {
		// As a standby would.
		if err := connOf(tx).run(t.Context(), step{sql: "SET TRANSACTION READ ONLY"}); err != nil {
			return err
		}
		return tx.CreateUser(t.Context(), person("bob"))
	})
	require.ErrorIs(t, err, store.ErrReadOnly)
	n, err := countUsers(t.Context(), s)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}

func TestConcurrentStarts(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	var group sync.WaitGroup
	errs := make([]error, 12)
	for i := range errs {
		group.Go(func() {
			s, err := Open(t.Context(), url+"&pool_max_conns=2", &Options{Schema: "app", TablePrefix: "P"})
			if err == nil {
				err = errors.Join(s.Update(t.Context(), realm, func(tx store.Tx) error {
					return tx.CreateUser(t.Context(), person(fmt.Sprint(i)))
				}), s.Close())
			}
			errs[i] = err
		})
	}
	group.Wait()
	require.NoError(t, errors.Join(errs...))
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, nil)
	s := d.open(t)
	opts := &Options{Schema: s.naming.schema}
	_, err := d.pool.Exec(t.Context(), s.naming.sql("INSERT INTO {schema} VALUES ($1, 0)"), lastMigration()+1)
	require.NoError(t, err)
	_, err = New(t.Context(), d.pool, opts)
	require.ErrorIs(t, err, store.ErrSchema)
	_, err = d.pool.Exec(t.Context(), s.naming.sql("DELETE FROM {schema} WHERE number>$1"), lastMigration())
	require.NoError(t, err)
	_, err = New(t.Context(), d.pool, opts)
	require.NoError(t, err)
}

func TestTailBeside16Writers(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, func(c *pgxpool.Config) { c.MaxConns = 20 })
	s := d.open(t)
	ctx := t.Context()
	const writers, units = 16, 25
	var running atomic.Int32
	running.Store(writers)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			defer running.Add(-1)
			for u := range units {
				err := s.Update(ctx, realm, func(tx store.Tx) error {
					err := tx.AppendEvent(ctx, store.Event{Action: "a.b", Object: fmt.Sprintf("x:%d.%d", w, u)})
					if u%3 == 0 { // some give out their numbers early
						_, errE := tx.Events(ctx, 0, 1)
						err = errors.Join(err, errE)
					}
					return errors.Join(err, tx.CreateUser(ctx, person(fmt.Sprintf("%d.%d", w, u))))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	var seen []int64
	objects := map[string]int{}
	for last := false; ; {
		var es []store.Event
		var after int64
		if len(seen) > 0 {
			after = seen[len(seen)-1]
		}
		require.NoError(t, s.View(ctx, realm, func(r store.Reader) (err error) {
			es, err = r.Events(ctx, after, 7)
			return err
		}))
		for _, e := range es {
			seen = append(seen, e.Seq)
			objects[e.Object]++
		}
		if len(es) == 0 && last {
			break
		}
		last = len(es) == 0 && running.Load() == 0
	}
	group.Wait()
	require.True(t, slices.IsSorted(seen))
	require.Len(t, objects, writers*units, "events that the reader has met")
	require.Len(t, seen, writers*units, "each of them once")
}
