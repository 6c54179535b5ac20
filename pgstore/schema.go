package pgstore

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/usermgmt-go/usermgmt/store"
)

// migrations are numbered from 1 without gaps, and frozen once released.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migration returns the text of the n-th migration; ok is false past the last.
func migration(n int64) (text string, ok bool) {
	found, err := migrations.ReadDir("migrations")
	if err != nil || n < 1 || n > int64(len(found)) {
		return "", false
	}
	b, err := migrations.ReadFile("migrations/" + found[n-1].Name())
	return string(b), err == nil
}

// lastMigration is the number of the schema of this release.
func lastMigration() (n int64) {
	for {
		if _, ok := migration(n + 1); !ok {
			return n
		}
		n++
	}
}

// naming gives tables and indexes their place.
type naming struct {
	schema, prefix string
	names          *strings.Replacer
	queries        sync.Map // queries with names, by those without
}

func newNaming(o *Options) *naming {
	table := `"` + o.TablePrefix
	if o.Schema != "" {
		table = pgx.Identifier{o.Schema}.Sanitize() + "." + table
	}
	return &naming{
		schema: o.Schema, prefix: o.TablePrefix,
		names: strings.NewReplacer("{.", `"`+o.TablePrefix, "{", table, "}", `"`),
	}
}

func (n *naming) sql(query string) string {
	if q, ok := n.queries.Load(query); ok {
		return q.(string)
	}
	q := n.names.Replace(query)
	n.queries.Store(query, q)
	return q
}

// lock returns the number of an advisory lock. PostgreSQL has one space of such
// numbers for a whole database, of 64 bits: nobody else's is hit by accident.
func (n *naming) lock(words ...string) int64 {
	h := sha256.New()
	for _, w := range append([]string{"usermgmt", n.schema, n.prefix}, words...) {
		h.Write(binary.AppendUvarint(nil, uint64(len(w))))
		h.Write([]byte(w))
	}
	return int64(binary.BigEndian.Uint64(h.Sum(nil)))
}

// schemaNumber returns the number of the last migration that was applied, 0 for none.
func schemaNumber(ctx context.Context, c *conn) (int64, error) {
	var there bool
	// Read from the catalog itself: to_regclass answers from a cache, which may
	// not yet know what another process has made while this one waited for it.
	_, err := c.one(ctx, "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace"+
		" WHERE c.relname=$1::text AND CASE $2::text WHEN '' THEN n.nspname=ANY(current_schemas(false)) ELSE n.nspname=$2::text END)",
		into(&there), c.naming.prefix+"schema", c.naming.schema)
	if err != nil || !there {
		return 0, err
	}
	var n int64
	_, err = c.one(ctx, "SELECT coalesce(max(number), 0) FROM {schema}", into(&n))
	return n, err
}

// checkSchema refuses tables that are not this release's.
func checkSchema(ctx context.Context, c *conn) error {
	n, err := schemaNumber(ctx, c)
	if err != nil {
		return err
	}
	return wrongSchema(n)
}

func wrongSchema(n int64) error {
	switch last := lastMigration(); {
	case n > last:
		return fmt.Errorf("pgstore: %w: the data was written by a newer release (schema %d)", store.ErrSchema, n)
	case n < last:
		return fmt.Errorf("pgstore: %w: the tables are of schema %d, and this release's are of %d", store.ErrSchema, n, last)
	}
	return nil
}

// migrate applies the migrations that the database lacks, all in one
// transaction. Of several processes that do so at once one goes ahead.
func migrate(ctx context.Context, c *conn) error {
	n, err := schemaNumber(ctx, c)
	if err != nil || n >= lastMigration() {
		return errors.Join(err, wrongSchema(max(n, lastMigration())))
	}
	c.begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
	defer c.rollback(ctx)
	if err := c.alone(ctx, c.naming.lock("migrations")); err != nil {
		return err
	}
	// By a statement of its own, which sees what was done before the lock was had.
	if n, err = schemaNumber(ctx, c); err != nil {
		return err
	}
	if n == 0 && c.naming.schema != "" {
		if err := c.createSchema(ctx); err != nil {
			return err
		}
	}
	for {
		script, ok := migration(n + 1)
		if !ok {
			break
		}
		n++
		for _, statement := range statements(script) {
			if err := c.run(ctx, step{sql: statement}); err != nil {
				return fmt.Errorf("pgstore: migration %d: %w", n, err)
			}
		}
		if err := c.run(ctx, step{sql: "INSERT INTO {schema} (number, applied_at) VALUES ($1, $2)", args: []any{n, time.Now().UnixMicro()}}); err != nil {
			return err
		}
	}
	if err := wrongSchema(n); err != nil {
		return err
	}
	return c.commit(ctx)
}

// alone waits for an advisory lock and holds it to the transaction's end.
func (c *conn) alone(ctx context.Context, lock int64) error {
	return c.run(ctx, step{sql: "SELECT pg_advisory_xact_lock($1)", args: []any{lock}})
}

// createSchema makes the schema unless it is there, which a role without the
// right to make one may use too. Tables with another prefix may be on their way
// into the same one, under another lock than these.
func (c *conn) createSchema(ctx context.Context) error {
	if err := c.alone(ctx, (&naming{schema: c.naming.schema}).lock("schema")); err != nil {
		return err
	}
	var there bool
	if _, err := c.one(ctx, "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname=$1)", into(&there), c.naming.schema); err != nil || there {
		return err
	}
	return c.run(ctx, step{sql: "CREATE SCHEMA " + pgx.Identifier{c.naming.schema}.Sanitize()})
}

// statements cuts a script at the semicolons that end a line.
func statements(script string) []string {
	var kept strings.Builder
	for line := range strings.Lines(script) {
		text, _, _ := strings.Cut(line, "--")
		if text = strings.TrimRight(text, " \t\n"); text != "" {
			kept.WriteString(text + "\n")
		}
	}
	return strings.FieldsFunc(strings.ReplaceAll(kept.String(), ";\n", "\x00"), func(r rune) bool { return r == 0 })
}
