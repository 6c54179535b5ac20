package pgstore

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/store"
	"github.com/usermgmt-go/usermgmt/store/storetest"
)

// database is a database of a test's own, with a pool for all its stores.
type database struct {
	pool *pgxpool.Pool

	mu   sync.Mutex
	made int
	free []string // schemas whose tables are empty: to make new ones takes longer
}

// newDatabase changes the pool's configuration by edit, unless it is nil.
func newDatabase(t testing.TB, edit func(*pgxpool.Config)) *database {
	t.Helper()
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	require.NoError(t, err)
	config.MaxConns = 20
	watch(config)
	if edit != nil {
		edit(config)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return &database{pool: pool}
}

// open makes a store on empty tables.
func (d *database) open(t testing.TB) *Store {
	t.Helper()
	schema := d.take()
	s, err := New(t.Context(), d.pool, &Options{Schema: schema})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		d.giveBack(t, s, schema)
	})
	return s
}

func (d *database) take() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.free); n > 0 {
		schema := d.free[n-1]
		d.free = d.free[:n-1]
		return schema
	}
	d.made++
	return fmt.Sprintf("Schema %d", d.made)
}

func (d *database) giveBack(t testing.TB, s *Store, schema string) {
	t.Helper()
	// DELETE is faster for a few rows. But what it removes stays in the files, as
	// does what was rolled back, and is met again; so many are truncated.
	var b, clear pgx.Batch
	for name := range strings.FieldsSeq("user user_index user_range user_change credential organization membership role permission tenant vendor" +
		" vendor_secret api_key session token failures log event realm") {
		table := s.naming.sql("{" + name + "}")
		b.Queue("SELECT pg_relation_size($1::text::regclass)", table).QueryRow(func(row pgx.Row) error {
			var size int64
			if err := row.Scan(&size); err != nil {
				return err
			}
			how := "DELETE FROM "
			if size > 200<<10 {
				how = "TRUNCATE "
			}
			clear.Queue(how + table)
			return nil
		})
	}
	require.NoError(t, d.pool.SendBatch(context.Background(), &b).Close())
	require.NoError(t, d.pool.SendBatch(context.Background(), &clear).Close())
	d.mu.Lock()
	defer d.mu.Unlock()
	d.free = append(d.free, schema)
}

// simpleProtocol is for poolers that give connections away with every transaction.
func simpleProtocol(c *pgxpool.Config) {
	c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
}

func TestStore(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*pgxpool.Config){
		"prepared":        nil,
		"simple_protocol": simpleProtocol,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && edit != nil {
				t.Skip("-short: one protocol is enough")
			}
			d := newDatabase(t, edit)
			storetest.Run(t, func(t testing.TB) store.Store { return d.open(t) })
		})
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	// Its case about closing while units run covers the pool of Open's own.
	url := pgtest.URL(t)
	s, err := Open(t.Context(), url, nil)
	require.NoError(t, err)
	require.NoError(t, s.Update(t.Context(), "main", func(tx store.Tx) error { return tx.PutPermission(t.Context(), "a.b") }))
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.View(t.Context(), "main", func(store.Reader) error { return nil }), store.ErrClosed)

	s, err = Open(t.Context(), url, &Options{}) // finds what is there
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
		ps, err := r.Permissions(t.Context())
		require.Equal(t, []string{"a.b"}, ps)
		return err
	}))
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"prefix with a quote":      {TablePrefix: `a"b`},
		"prefix with a digit":      {TablePrefix: "1a"},
		"prefix of 33 bytes":       {TablePrefix: "abcdefghijabcdefghijabcdefghijabc"},
		"schema with a brace":      {Schema: "a{b"},
		"schema with a zero byte":  {Schema: "a\x00b"},
		"schema of too many bytes": {Schema: fmt.Sprintf("%064d", 0)},
	} {
		_, err := New(t.Context(), nil, &o)
		require.ErrorIs(t, err, store.ErrInvalid, name)
	}
	_, err := Open(t.Context(), "postgres://%zz", nil)
	require.Error(t, err)
}
