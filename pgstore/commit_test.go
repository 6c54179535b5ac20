package pgstore

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/store"
)

// terminated is a connection that the server ends when it has answered a COMMIT,
// before it is ready for the next statement. A server does so if it is asked to end the
// session while it commits.
type terminated struct {
	net.Conn
	on    *atomic.Bool
	ended atomic.Bool
}

func (c *terminated) Read(b []byte) (int, error) {
	if c.ended.Load() {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(b)
	const answer, fatal = "C\x00\x00\x00\x0bCOMMIT\x00", "SFATAL\x00VFATAL\x00C57P01\x00Mterminating connection\x00\x00"
	if at := bytes.Index(b[:n], []byte(answer)); at >= 0 && c.on.CompareAndSwap(true, false) {
		c.ended.Store(true)
		n = at + len(answer)
		n += copy(b[n:], append([]byte{'E', 0, 0, 0, byte(4 + len(fatal))}, fatal...))
	}
	return n, err
}

func TestTerminatedAfterTheCommit(t *testing.T) {
	t.Parallel()
	var on atomic.Bool
	d := newDatabase(t, func(c *pgxpool.Config) {
		dial := c.ConnConfig.DialFunc
		c.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			return &terminated{Conn: conn, on: &on}, err
		}
	})
	s := d.open(t)
	runs := 0
	on.Store(true)
	require.NoError(t, s.Update(t.Context(), realm, func(tx store.Tx) error {
		runs++
		return tx.CreateUser(t.Context(), person("ada"))
	}))
	require.False(t, on.Load(), "it was terminated")
	require.Equal(t, 1, runs)
	n, err := countUsers(t.Context(), s)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}

// TestViewOfALostServer: whoever reads learns that it may go better later.
func TestViewOfALostServer(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, nil)
	s := d.open(t)
	read := func(r store.Reader) error {
		_, err := r.UserByUsername(t.Context(), "ada")
		return err
	}
	err := s.View(t.Context(), realm, func(r store.Reader) error {
		require.ErrorIs(t, read(r), store.ErrNotFound)
		_, err := d.pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
			WHERE datname=current_database() AND pid<>pg_backend_pid()`)
		require.NoError(t, err)
		return read(r)
	})
	require.ErrorIs(t, err, store.ErrBusy)
}

// TestCancelledWaitForTheStandby: PostgreSQL ends such a wait with a commit that
// the standby may not have, and calls it a success.
func TestCancelledWaitForTheStandby(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: it takes two servers and the time that a COMMIT is given")
	}
	server := pgtest.Start(t, pgtest.Config{})
	database, err := server.Database(t.Context())
	require.NoError(t, err)
	s, err := Open(t.Context(), server.URL(database), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.NoError(t, server.Standby(t).Stop(t.Context()))
	witness, err := pgx.Connect(t.Context(), server.URL("postgres"))
	require.NoError(t, err)
	defer func() { require.NoError(t, witness.Close(context.Background())) }()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	outcome := make(chan error, 1)
	go func() {
		outcome <- s.Update(ctx, realm, func(tx store.Tx) error { return tx.CreateUser(ctx, person("ada")) })
	}()
	require.Eventually(t, func() (waits bool) {
		require.NoError(t, witness.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event='SyncRep')").Scan(&waits))
		return waits
	}, time.Minute, 5*time.Millisecond)
	cancel()
	require.ErrorIs(t, <-outcome, store.ErrUnknownOutcome)
}
