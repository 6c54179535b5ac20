package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func run(t testing.TB, c *pgx.Conn, statement string) {
	t.Helper()
	_, err := c.Exec(t.Context(), statement)
	require.NoError(t, err)
}

func value[T any](t testing.TB, c *pgx.Conn, statement string, args ...any) (v T) {
	t.Helper()
	require.NoError(t, c.QueryRow(t.Context(), statement, args...).Scan(&v))
	return v
}

func TestURL(t *testing.T) {
	t.Parallel()
	server, err := shared()
	had(t, err, os.Getenv(requireVariable) == "1")
	for _, name := range []string{"one", "other"} {
		t.Run("a database of "+name+"'s own", func(t *testing.T) {
			t.Parallel()
			url := URL(t)
			require.NotEqual(t, url, URL(t))
			c := connect(t, url)
			run(t, c, "CREATE TABLE t (x text)") // fails where another test did so
			require.Zero(t, value[int](t, c, "SELECT count(*) FROM t"))
		})
	}
	t.Run("gone with its test", func(t *testing.T) {
		t.Parallel()
		var name string
		t.Run("inner", func(t *testing.T) {
			c := connect(t, URL(t))
			name = value[string](t, c, "SELECT current_database()")
		})
		c := connect(t, URL(t))
		require.Equal(t, 1, value[int](t, c, "SELECT count(*) FROM pg_database WHERE datname = current_database()"))
		require.Zero(t, value[int](t, c, "SELECT count(*) FROM pg_database WHERE datname = $1", name))
	})
	t.Run("nothing is left for the next test", func(t *testing.T) {
		t.Parallel()
		for name, d := range map[string]*databases{"own": {url: server.url, own: &Server{}}, "another's": {url: server.url}} {
			one, err := d.take(t.Context())
			require.NoError(t, err)
			c := connect(t, withDatabase(d.url, one))
			before := contents(t, c)
			run(t, c, `CREATE TABLE t (x serial PRIMARY KEY, y text);
				CREATE SCHEMA "A ""name"""; CREATE TABLE "A ""name""".t (x int REFERENCES public.t);
				CREATE TYPE kind AS ENUM ('a'); CREATE FUNCTION f() RETURNS kind LANGUAGE sql AS $$ SELECT 'a'::kind $$`)
			run(t, c, "ALTER DATABASE "+one+" SET work_mem = '1MB'")
			require.NotEqual(t, before, contents(t, c))
			require.NoError(t, c.Close(t.Context()))
			require.NoError(t, d.giveBack(t.Context(), one))

			next, err := d.take(t.Context())
			require.NoError(t, err)
			require.NotEqual(t, one, next, name)
			require.Equal(t, before, contents(t, connect(t, withDatabase(d.url, next))), name)
			n, err := query[int](t.Context(), d.url, "SELECT count(*) FROM pg_database WHERE datname = $1", one)
			require.NoError(t, err)
			require.Zero(t, n, name)
			require.NoError(t, execute(t.Context(), d.url, "DROP DATABASE "+next+" WITH (FORCE)"))
		}
	})
	t.Run("a connection left open fails the test", func(t *testing.T) {
		t.Parallel()
		b := &book{TB: t}
		c := connect(t, URL(b))
		name := value[string](t, c, "SELECT current_database()")
		b.end()
		require.Len(t, b.errors, 1)
		require.ErrorContains(t, b.errors[0], "left open")
		require.Error(t, c.Ping(t.Context()), "and it is broken")
		require.Zero(t, value[int](t, connect(t, URL(t)), "SELECT count(*) FROM pg_database WHERE datname = $1", name))
	})
	t.Run("text does not sort by bytes", func(t *testing.T) {
		t.Parallel()
		if os.Getenv(serverVariable) != "" {
			t.Skip("a server of " + serverVariable + " sorts as it was set up to")
		}
		c := connect(t, URL(t))
		if value[string](t, c, "SELECT datlocprovider::text FROM pg_database WHERE datname = current_database()") != "i" {
			t.Skip("this PostgreSQL was built without ICU, by which databases would sort by a language's rules")
		}
		require.True(t, value[bool](t, c, "SELECT 'a' < 'B'"))
		require.False(t, value[bool](t, c, `SELECT 'a' < 'B' COLLATE "C"`))
	})
}

// contents lists the tables, types and functions, the schemas and the settings
// of a database.
func contents(t testing.TB, c *pgx.Conn) string {
	return value[string](t, c, `SELECT
		(SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname NOT LIKE 'pg\_t%')
		|| (SELECT count(*) FROM pg_class) || ' ' || (SELECT count(*) FROM pg_type) || ' ' || (SELECT count(*) FROM pg_proc)
		|| (SELECT count(*) FROM pg_db_role_setting)`)
}

// book is a test whose failures are written down instead.
type book struct {
	testing.TB
	errors  []error
	skipped bool
	cleanup []func()
}

func (b *book) Cleanup(f func())  { b.cleanup = append(b.cleanup, f) }
func (b *book) Error(args ...any) { b.errors = append(b.errors, args[0].(error)) }
func (b *book) Fatal(args ...any) { b.Error(args...); runtime.Goexit() }
func (b *book) Skip(args ...any)  { b.skipped = true; runtime.Goexit() }

func (b *book) end() {
	for _, f := range b.cleanup {
		f()
	}
}

func TestWithoutAServer(t *testing.T) {
	t.Parallel()
	broken := errors.New("no space left")
	for name, c := range map[string]struct {
		err      error
		required bool
		skipped  bool
		errors   []error
	}{
		"none there":               {err: errNone, skipped: true},
		"none there, but required": {err: errNone, required: true, errors: []error{errNone}},
		"one that does not start":  {err: broken, errors: []error{broken}},
		"a good one":               {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &book{TB: t}
			done := make(chan struct{})
			go func() { // which Skip and Fatal end
				defer close(done)
				had(b, c.err, c.required)
			}()
			<-done
			require.Equal(t, c.skipped, b.skipped)
			require.Equal(t, c.errors, b.errors)
		})
	}
}

func TestWithDatabase(t *testing.T) {
	t.Parallel()
	for server, want := range map[string]string{
		"postgres://ann:secret@db.example:5433/postgres?sslmode=require":     "ann@db.example:5433/other",
		"postgresql://ann@db.example":                                        "ann@db.example:5432/other",
		"postgres://ann@/postgres?host=/run/pg&port=5433":                    "ann@/run/pg:5433/other",
		"postgres://ann@db.example/?dbname=postgres":                         "ann@db.example:5432/other",
		"host=db.example user=ann dbname=postgres port=5433":                 "ann@db.example:5433/other",
		"user=ann host=/run/pg dbname='a name' password='with = and spaces'": "ann@/run/pg:5432/other",
	} {
		c, err := pgx.ParseConfig(withDatabase(server, "other"))
		require.NoError(t, err, server)
		require.Equal(t, want, fmt.Sprintf("%s@%s:%d/%s", c.User, c.Host, c.Port, c.Database), server)
	}
}
