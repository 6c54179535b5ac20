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
	// viewing is set in a View, where all statements share a snapshot. SQLite
	// keeps one outside a transaction for as long as any statement stands on a
	// row, so an open cursor does what BEGIN and COMMIT would, for less.
	viewing bool
	// held is the cursor that keeps the snapshot, and standing its query.
	held     driver.Rows
	standing string
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
	opens := c.viewing && c.held == nil
	if !opens {
		if err := c.keep(query); err != nil {
			return nil, err
		}
	}
	rows, err := c.query(query, args...)
	if err != nil {
		return nil, err
	}
	err = rows.Next(c.row)
	if opens && err == nil { // the row that was asked for keeps the snapshot
		c.held, c.standing = rows, query
		return c.row, nil
	}
	if e := rows.Close(); err == nil {
		err = e
	}
	if err == io.EOF {
		if opens { // nothing kept the snapshot in which there is none
			if err := c.hold(); err != nil {
				return nil, err
			}
			return c.first(query, args...)
		}
		return nil, nil
	}
	if err != nil {
		return nil, c.fail(err)
	}
	return c.row, nil
}

func (c *conn) each(row func([]driver.Value) error, query string, args ...driver.Value) error {
	if err := c.keep(query); err != nil {
		return err
	}
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

// keep makes sure that, in a View, a cursor keeps the snapshot which the query
// itself does not need: running it again would close it.
func (c *conn) keep(query string) error {
	if !c.viewing || c.held != nil && c.standing != query {
		return nil
	}
	return c.hold()
}

// hold opens a cursor of its own to keep the snapshot, in place of the one that
// there is.
func (c *conn) hold() error {
	rows, err := c.query("SELECT 1 FROM {schema} LIMIT 1")
	if err != nil {
		return err
	}
	if c.held != nil {
		c.held.Close()
	}
	c.held, c.standing = rows, ""
	return nil
}

// release ends the View that the connection is in.
func (c *conn) release() {
	if c.held != nil {
		c.held.Close()
		c.held = nil
	}
	c.viewing = false
	c.broken = nil
}

// text returns a TEXT column, which some drivers give as bytes.
func text(v driver.Value) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
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
