package sqlitestore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
)

// hostConn is the connection of the host's transaction. It is a db over
// database/sql, whatever the driver.
//
// Statements run to their end, whether or not the unit's context is done
// meanwhile: one that is interrupted costs SQLite the transaction, which is the
// host's.
type hostConn struct {
	tx    *sql.Tx
	names *strings.Replacer
	stmts map[string]*sql.Stmt // the transaction closes them with itself
	args  []any
	cells []any // of a row as scanned
	dest  []any // pointers to cells
	row   []driver.Value

	// unit is the running unit's context: database/sql ends a transaction
	// when the context that it was begun with is done, and says so in words
	// of its own.
	unit context.Context
	// broken is set once SQLite may have ended the transaction on its own;
	// what came after would be committed at once, so nothing does.
	broken error
}

// alive tells whether the transaction is still open. If SQLite has ended it by
// itself, so that the host's next statement would be committed at once, it ends
// the host's handle of it too.
func (c *hostConn) alive() error {
	// There is no statement that asks. But no transaction can be begun within one.
	_, err := c.tx.ExecContext(context.Background(), "BEGIN")
	switch {
	case err == nil:
		_ = c.tx.Rollback()
		return errOver
	case isOver(err):
		return c.over()
	}
	return nil
}

func isOver(err error) bool {
	return errors.Is(err, sql.ErrTxDone) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn)
}

// over is the error for a transaction that has ended.
func (c *hostConn) over() error {
	if c.unit != nil && c.unit.Err() != nil {
		return c.unit.Err()
	}
	return errOver
}

func (c *hostConn) fail(err error) error {
	if isConstraint(err) {
		return err
	}
	if code(err) == 0 {
		// database/sql has several words for a transaction that has ended.
		if _, e := c.tx.ExecContext(context.Background(), "SELECT 1"); isOver(e) || isOver(err) {
			c.broken = c.over()
			return c.broken
		}
	}
	e := translate(err)
	if endsTransaction(err) {
		c.broken = e
	}
	return e
}

func (c *hostConn) prepare(query string) (*sql.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.tx.PrepareContext(context.Background(), c.names.Replace(query))
	if err != nil {
		return nil, err
	}
	c.stmts[query] = s
	return s, nil
}

// bind gives the arguments in the form of database/sql, which is good until the
// next call.
func (c *hostConn) bind(args []driver.Value) []any {
	c.args = c.args[:0]
	for _, a := range args {
		c.args = append(c.args, a)
	}
	return c.args
}

func (c *hostConn) exec(query string, args ...driver.Value) (int64, error) {
	if c.broken != nil {
		return 0, c.broken
	}
	s, err := c.prepare(query)
	if err != nil {
		return 0, c.fail(err)
	}
	res, err := s.ExecContext(context.Background(), c.bind(args)...)
	if err != nil {
		return 0, c.fail(err)
	}
	return res.RowsAffected()
}

func (c *hostConn) query(query string, args ...driver.Value) (*sql.Rows, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	s, err := c.prepare(query)
	if err != nil {
		return nil, c.fail(err)
	}
	rows, err := s.QueryContext(context.Background(), c.bind(args)...)
	if err != nil {
		return nil, c.fail(err)
	}
	columns, err := rows.Columns()
	if err != nil {
		rows.Close()
		return nil, c.fail(err)
	}
	c.cells, c.row, c.dest = c.cells[:0], c.row[:0], c.dest[:0]
	for range columns {
		c.cells, c.row = append(c.cells, nil), append(c.row, nil)
	}
	for i := range c.cells {
		c.dest = append(c.dest, &c.cells[i])
	}
	return rows, nil
}

// next scans the next row into c.row; false without an error means that there
// is none.
func (c *hostConn) next(rows *sql.Rows) (bool, error) {
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return false, c.fail(err)
		}
		return false, nil
	}
	if err := rows.Scan(c.dest...); err != nil {
		return false, c.fail(err)
	}
	for i, v := range c.cells {
		c.row[i] = v
	}
	return true, nil
}

func (c *hostConn) first(query string, args ...driver.Value) ([]driver.Value, error) {
	rows, err := c.query(query, args...)
	if err != nil {
		return nil, err
	}
	found, err := c.next(rows)
	if e := rows.Close(); err == nil && e != nil {
		err = c.fail(e)
	}
	if err != nil || !found {
		return nil, err
	}
	return c.row, nil
}

func (c *hostConn) each(row func([]driver.Value) error, query string, args ...driver.Value) error {
	rows, err := c.query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for {
		found, err := c.next(rows)
		if err != nil || !found {
			return err
		}
		if err := row(c.row); err != nil {
			return err
		}
	}
}
