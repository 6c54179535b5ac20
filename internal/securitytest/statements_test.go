package securitytest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/pgstore"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

// tap keeps the text of every statement that a database is given.
type tap struct {
	mu    sync.Mutex
	texts map[string]int
}

func newTap() *tap { return &tap{texts: map[string]int{}} }

func (p *tap) see(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.texts[text]++
}

// marked returns a statement that has a caller's text in it, or "".
func (p *tap) marked() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for text := range p.texts {
		if strings.Contains(strings.ToLower(text), "canary") {
			return text
		}
	}
	return ""
}

// tappedDriver is a driver whose statements are seen. Its connections can do
// nothing but prepare and begin, so that database/sql prepares everything.
type tappedDriver struct {
	driver.Driver
	tap *tap
}

func (d tappedDriver) Open(name string) (driver.Conn, error) {
	c, err := d.Driver.Open(name)
	return tappedConn{c, d.tap}, err
}

type tappedConn struct {
	driver.Conn
	tap *tap
}

func (c tappedConn) Prepare(query string) (driver.Stmt, error) {
	c.tap.see(query)
	return c.Conn.Prepare(query)
}

func (c tappedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	c.tap.see(query)
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
}

func (c tappedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
}

// tappedConnector opens connections of a tappedDriver, which need not be registered.
type tappedConnector struct {
	tappedDriver
	name string
}

func (c tappedConnector) Connect(context.Context) (driver.Conn, error) { return c.Open(c.name) }
func (c tappedConnector) Driver() driver.Driver                        { return c.tappedDriver }

// tracer sees what pgx sends.
type tracer struct{ *tap }

func (p tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	p.see(data.SQL)
	return ctx
}
func (tracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (p tracer) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	p.see(data.SQL)
}
func (tracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TestValuesAreNoSQL: no text of a caller's is ever part of a statement. For
// SQLite it is looked for on a transaction of the host's, which has the queries of
// the store itself.
func TestValuesAreNoSQL(t *testing.T) {
	t.Parallel()
	t.Run("sqlitestore", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "users.db")
		s, err := sqlitestore.Open(t.Context(), file, &sqlitestore.Options{Synchronous: sqlitestore.Normal})
		require.NoError(t, err)
		require.NoError(t, s.Close())
		plain, err := sql.Open("sqlite", file)
		require.NoError(t, err)
		defer plain.Close()
		seen := newTap()
		db := sql.OpenDB(tappedConnector{tappedDriver{plain.Driver(), seen}, "file:" + file})
		defer db.Close()
		tx, err := db.Begin()
		require.NoError(t, err)
		defer tx.Rollback()

		newScene(t, sqlitestore.In(tx, nil))
		require.Empty(t, seen.marked())
		require.Greater(t, len(seen.texts), 50, "statements were seen")
		_, err = tx.Exec("SELECT 'canary'")
		require.NoError(t, err)
		require.Equal(t, "SELECT 'canary'", seen.marked(), "one that has a text in it is seen")
	})
	t.Run("pgstore", func(t *testing.T) {
		t.Parallel()
		seen := newTap()
		pool, s := tappedPostgres(t, seen)
		newScene(t, s)
		require.Empty(t, seen.marked())
		require.Greater(t, len(seen.texts), 50, "statements were seen")
		_, err := pool.Exec(t.Context(), "SELECT 'canary'")
		require.NoError(t, err)
		require.Equal(t, "SELECT 'canary'", seen.marked(), "one that has a text in it is seen")
	})
}

// tappedPostgres opens a store on a database of its own; seen may be nil.
func tappedPostgres(t testing.TB, seen *tap) (*pgxpool.Pool, store.Store) {
	t.Helper()
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	require.NoError(t, err)
	if seen != nil {
		config.ConnConfig.Tracer = tracer{seen}
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	s, err := pgstore.New(t.Context(), pool, nil)
	require.NoError(t, err)
	return pool, s
}
