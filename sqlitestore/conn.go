package sqlitestore

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strings"

	"modernc.org/sqlite"
)

// db runs statements. The nouns know their database by it alone, so that they
// can run on whatever has a transaction open.
//
// A query names tables in braces; the names get the store's prefix. Errors are
// categorised already, but for violated constraints.
type db interface {
	// exec runs a statement and returns the number of rows that it changed.
	exec(query string, args ...driver.Value) (int64, error)
	// first returns the first row, or nil if there is none. The row is good
	// until the next call; what it holds stays good.
	first(query string, args ...driver.Value) ([]driver.Value, error)
	// each calls row for every row. The row is good during its call, and row
	// must not use the db.
	each(row func([]driver.Value) error, query string, args ...driver.Value) error
}

// conn is one connection with its prepared statements. It goes straight to the
// driver, since database/sql has its price and gives no hold on an open cursor.
// One goroutine uses it at a time.
type conn struct {
	raw   driver.Conn
	names *strings.Replacer
	stmts map[string]stmt
	args  []driver.NamedValue
	row   []driver.Value
	held  driver.Rows
	// broken is set once SQLite may have ended the transaction on its own;
	// what came after would run outside it, so nothing does.
	broken error
}

type stmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// names gives the tables and indexes of queries their prefix.
func names(prefix string) *strings.Replacer {
	return strings.NewReplacer("{", `"`+prefix, "}", `"`)
}

func openConn(dsn string, names *strings.Replacer) (*conn, error) {
	raw, err := new(sqlite.Driver).Open(dsn)
	if err != nil {
		return nil, err
	}
	return &conn{raw: raw, names: names, stmts: make(map[string]stmt)}, nil
}

func (c *conn) close() error {
	c.release()
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

func (c *conn) prepare(query string) (stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	p, err := c.raw.(driver.ConnPrepareContext).PrepareContext(context.Background(), c.names.Replace(query))
	if err != nil {
		return nil, err
	}
	s := p.(stmt)
	c.stmts[query] = s
	return s, nil
}

// bind gives the arguments in the driver's form, which is good until the next call.
func (c *conn) bind(args []driver.Value) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

func (c *conn) fail(err error) error {
	if isConstraint(err) {
		return err
	}
	e := translate(err)
	if endsTransaction(err) {
		c.broken = e
	}
	return e
}

func (c *conn) exec(query string, args ...driver.Value) (int64, error) {
	return c.execContext(context.Background(), query, args...)
}

// execContext is exec for statements that may wait for a lock: the driver
// watches a context with a goroutine, which is too dear for all others.
func (c *conn) execContext(ctx context.Context, query string, args ...driver.Value) (int64, error) {
	if c.broken != nil {
		return 0, c.broken
	}
	s, err := c.prepare(query)
	if err != nil {
		return 0, c.fail(err)
	}
	res, err := s.ExecContext(ctx, c.bind(args))
	if err != nil {
		return 0, c.fail(err)
	}
	return res.RowsAffected()
}

func (c *conn) query(query string, args ...driver.Value) (driver.Rows, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	s, err := c.prepare(query)
	if err != nil {
		return nil, c.fail(err)
	}
	rows, err := s.QueryContext(context.Background(), c.bind(args))
	if err != nil {
		return nil, c.fail(err)
	}
	if n := len(rows.Columns()); cap(c.row) < n {
		c.row = make([]driver.Value, n)
	} else {
		c.row = c.row[:n]
	}
	return rows, nil
}

func (c *conn) first(query string, args ...driver.Value) ([]driver.Value, error) {
	rows, err := c.query(query, args...)
	if err != nil {
		return nil, err
	}
	err = rows.Next(c.row)
	if e := rows.Close(); err == nil {
		err = e
	}
	if err == io.EOF {
		return nil, nil
	}
	if err != nil {
		return nil, c.fail(err)
	}
	return c.row, nil
}

func (c *conn) each(row func([]driver.Value) error, query string, args ...driver.Value) error {
	rows, err := c.query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for {
		switch err := rows.Next(c.row); err {
		case nil:
		case io.EOF:
			return nil
		default:
			return c.fail(err)
		}
		if err := row(c.row); err != nil {
			return err
		}
	}
}

// hold fixes the connection's view of the data until release. Outside a
// transaction SQLite keeps its snapshot for as long as any statement stands on
// a row, so one open cursor does what BEGIN, a read and COMMIT would, at a
// third of their cost.
func (c *conn) hold() error {
	rows, err := c.query("SELECT 1 FROM {schema} LIMIT 1")
	if err != nil {
		return err
	}
	c.held = rows
	return nil
}

func (c *conn) release() {
	if c.held != nil {
		c.held.Close()
		c.held = nil
	}
	c.broken = nil
}

// text returns a TEXT column.
func text(v driver.Value) string {
	s, _ := v.(string)
	return s
}

// number returns an INTEGER column, 0 for NULL.
func number(v driver.Value) int64 {
	n, _ := v.(int64)
	return n
}

// orNull stores an empty text as NULL.
func orNull[T ~string](s T) driver.Value {
	if s == "" {
		return nil
	}
	return string(s)
}
