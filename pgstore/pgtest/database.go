package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// objectInUse is PostgreSQL's code for a database that has connections.
const objectInUse = "55006"

// databases are those that tests get on one server.
type databases struct {
	url string // of the server
	// own is the throw-away cluster that it is, if it is one. Its databases are
	// emptied and used again, which takes 15 to 45 ms where making one takes 60 to
	// 300 ms.
	own *Server

	mu   sync.Mutex
	idle []string
}

// take returns the name of an empty database that nobody else has.
func (d *databases) take(ctx context.Context) (string, error) {
	d.mu.Lock()
	if last := len(d.idle) - 1; last >= 0 {
		name := d.idle[last]
		d.idle = d.idle[:last]
		d.mu.Unlock()
		return name, nil
	}
	d.mu.Unlock()
	return createDatabase(ctx, d.url)
}

// giveBack ends the use of a database. The server waits about 5 seconds for its
// last connections to close. If there still are some, they are broken, and the
// error says so.
func (d *databases) giveBack(ctx context.Context, name string) error {
	if d.own == nil {
		return dropDatabase(ctx, d.url, name, "DROP DATABASE "+name)
	}
	// By a new name, so that nobody who tries again later meets the next test.
	next := newName()
	if err := dropDatabase(ctx, d.url, name, "ALTER DATABASE "+name+" RENAME TO "+next); err != nil {
		return err
	}
	if err := execute(ctx, withDatabase(d.url, next), empty); err != nil {
		return errors.Join(err, execute(ctx, d.url, "DROP DATABASE "+next+" WITH (FORCE)"))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.idle = append(d.idle, next)
	return nil
}

// empty leaves of a database what a new one has.
const empty = `DO $$
DECLARE
	name text;
BEGIN
	FOR name IN SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema' LOOP
		EXECUTE format('DROP SCHEMA %I CASCADE', name);
	END LOOP;
	CREATE SCHEMA public;
	EXECUTE format('ALTER DATABASE %I RESET ALL', current_database());
END $$`

func newName() string { return "usermgmt_test_" + strings.ToLower(rand.Text()) }

// createDatabase creates an empty database on the server and returns its name.
func createDatabase(ctx context.Context, server string) (string, error) {
	name := newName()
	if err := execute(ctx, server, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("create a database for a test: %w", err)
	}
	return name, nil
}

// dropDatabase ends a database's name by a statement that needs it free of
// connections, and by force if it is not.
func dropDatabase(ctx context.Context, server, name, statement string) error {
	err := execute(ctx, server, statement)
	if refusal := (*pgconn.PgError)(nil); errors.As(err, &refusal) && refusal.Code == objectInUse {
		return errors.Join(
			fmt.Errorf("connections were left open: %s", refusal.Detail),
			execute(ctx, server, "DROP DATABASE "+name+" WITH (FORCE)"),
		)
	}
	return err
}

// execute runs one statement on a connection of its own.
func execute(ctx context.Context, server, statement string, args ...any) error {
	return connected(ctx, server, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, statement, args...)
		return err
	})
}

// query returns the one value that a statement gives, on a connection of its own.
func query[T any](ctx context.Context, server, statement string, args ...any) (v T, err error) {
	err = connected(ctx, server, func(c *pgx.Conn) error { return c.QueryRow(ctx, statement, args...).Scan(&v) })
	return v, err
}

func connected(ctx context.Context, server string, work func(*pgx.Conn) error) (err error) {
	c, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	return work(c)
}

// withDatabase returns the server's URL, or its keywords and values, for another
// database.
func withDatabase(server, name string) string {
	u, err := url.Parse(server)
	if err != nil || u.Scheme == "" {
		return server + " dbname=" + name // the last one counts
	}
	q := u.Query()
	q.Del("dbname")
	q.Del("database")
	u.Path, u.RawQuery = "/"+name, q.Encode()
	return u.String()
}
