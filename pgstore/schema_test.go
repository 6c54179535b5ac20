package pgstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// A process that has waited for another one's migration finds what that has made.
func TestMigrationThatWaited(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, schema := range map[string]string{"in a schema of its own": "app", "where the search path leads": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDatabase(t, nil)
			names := newNaming(&Options{Schema: schema, TablePrefix: "p_"})
			if schema != "" {
				_, err := d.pool.Exec(ctx, "CREATE SCHEMA "+schema)
				require.NoError(t, err)
			}
			first, err := d.pool.Begin(ctx)
			require.NoError(t, err)
			ahead := &conn{sender: first, naming: names}
			require.NoError(t, ahead.alone(ctx, names.lock("migrations")))

			pid, ended := make(chan int64, 1), make(chan error, 1)
			go func() {
				p, err := d.pool.Acquire(ctx)
				if err != nil {
					ended <- err
					return
				}
				defer p.Release()
				pid <- int64(p.Conn().PgConn().PID())
				ended <- migrate(ctx, &conn{sender: p.Conn(), naming: names})
			}()
			d.whenWaiting(ctx, t, <-pid, func() {
				for n := int64(1); n <= lastMigration(); n++ {
					script, _ := migration(n)
					for _, statement := range statements(script) {
						require.NoError(t, ahead.run(ctx, step{sql: statement}))
					}
					require.NoError(t, ahead.run(ctx, step{sql: "INSERT INTO {schema} (number, applied_at) VALUES ($1, 0)", args: []any{n}}))
				}
				require.NoError(t, first.Commit(ctx))
			})
			require.NoError(t, <-ended)
		})
	}
}

// Stores with prefixes of their own make the schema that they share at once.
func TestConcurrentStartsInOneSchema(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, func(c *pgxpool.Config) { c.MaxConns = 8 })
	require.NoError(t, d.warm(t.Context(), 8))
	for round := range 3 {
		var group sync.WaitGroup
		errs, begin := make([]error, 8), make(chan struct{})
		for i := range errs {
			group.Go(func() {
				<-begin
				_, errs[i] = New(t.Context(), d.pool, &Options{Schema: fmt.Sprint("app", round), TablePrefix: fmt.Sprintf("p%d_", i)})
			})
		}
		close(begin)
		group.Wait()
		require.NoError(t, errors.Join(errs...))
	}
}

// warm opens n connections of the pool.
func (d *database) warm(ctx context.Context, n int) error {
	for range n {
		p, err := d.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer p.Release()
	}
	return nil
}
