package pgstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

// patience bounds what is done after the caller's context is done: to end a
// transaction, and to wait for the answer to a COMMIT that was sent.
const patience = 5 * time.Second

// sender is a connection or a transaction of pgx.
type sender interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// conn runs the statements of one unit. The nouns know their database by it
// alone. One goroutine uses it at a time.
//
// A query names tables in braces; see naming. All statements of a call of run go
// to the server in one round trip, with what was left for later before them; but
// each COPY takes one of its own.
type conn struct {
	sender
	naming *naming
	begin  string // the statement that begins the transaction, until it is sent
	open   bool   // it was sent, and its end was not
	later  []step // statements that the next ones take along
	// broken is why nothing more can be run: PostgreSQL ends a transaction
	// with the first error, whatever it is.
	broken error
	lease  *lease  // of the sender, if that is a connection of the pool
	beside *beside // what uses the sender at the moment, nil for nothing
}

// lease is the use of a connection of the pool.
type lease struct {
	pool *pgxpool.Pool
	conn *pgxpool.Conn
	left int // how many more may prove to be lost
}

func (l *lease) release() { l.conn.Release() }

// another returns a connection in place of one that was lost before anything
// was begun on it.
func (l *lease) another(ctx context.Context) (sender, error) {
	if l.left--; l.left < 0 {
		return nil, errLost
	}
	l.conn.Release() // which closes it
	next, err := l.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	l.conn = next
	return next.Conn(), nil
}

// step is one statement.
type step struct {
	sql  string
	args []any
	// row is called for every row, which is good during the call; nil if no
	// rows are wanted.
	row func(pgx.Rows) error
	// changed is given the number of rows that were changed, if it is set.
	changed *int64
	copied  *rows // what a COPY brings; nil for all other statements
}

// into reads the columns of a row.
func into(dest ...any) func(pgx.Rows) error {
	return func(r pgx.Rows) error { return r.Scan(dest...) }
}

// run runs statements, in one round trip. An error of one is the error of all,
// and the end of the transaction; what they have changed is undone with it.
func (c *conn) run(ctx context.Context, steps ...step) error {
	if c.settle() == nil {
		c.pipeline(ctx, steps)
	}
	return c.broken
}

// pipeline is run where nothing is broken. It returns how many of the steps were
// sent and how many answered, what was left for later included, and the error as
// it came.
func (c *conn) pipeline(ctx context.Context, steps []step) (sent, answered int, cause error) {
	if len(c.later) > 0 {
		steps = append(c.later, steps...)
		c.later = nil
	}
	for answered < len(steps) && cause == nil {
		rest := steps[answered:]
		n := slices.IndexFunc(rest, func(s step) bool { return s.copied != nil })
		if n < 0 {
			n = len(rest)
		}
		if n == 0 && c.begin == "" {
			sent++
			if cause = c.copyIn(ctx, rest[0]); cause == nil {
				answered++
			}
			continue
		}
		sent += n
		n, cause = c.together(ctx, rest[:n])
		answered += n
	}
	if own, ok := errors.AsType[*rowError](cause); ok {
		c.broken = own.error
	} else if cause != nil {
		c.broken = translate(ctx, cause)
	}
	return sent, answered, cause
}

// together sends steps of which none is a COPY, and returns how many were answered.
func (c *conn) together(ctx context.Context, steps []step) (answered int, cause error) {
	results, cause := c.send(ctx, steps)
	for answered < len(steps) && cause == nil {
		if cause = steps[answered].read(results); cause == nil {
			answered++
		}
	}
	if err := results.Close(); cause == nil {
		cause = err
	}
	return answered, cause
}

// batch returns the steps, behind the transaction's begin if that was not sent.
// One that was sent belongs to its connection.
func (c *conn) batch(steps []step) *pgx.Batch {
	var b pgx.Batch
	if c.begin != "" {
		b.Queue(c.begin)
	}
	for _, s := range steps {
		b.Queue(c.naming.sql(s.sql), s.args...)
	}
	return &b
}

// send sends steps, and waits for the answer to the transaction's begin if that
// goes along. A pool does not know which of its connections the server has ended
// since they were used: that shows here.
func (c *conn) send(ctx context.Context, steps []step) (pgx.BatchResults, error) {
	results := c.SendBatch(ctx, c.batch(steps))
	if c.begin == "" {
		return results, nil
	}
	_, err := results.Exec()
	for err != nil && c.lease != nil && errors.Is(translate(ctx, err), errLost) {
		_ = results.Close()
		next, failure := c.lease.another(ctx)
		if failure != nil {
			c.begin = "" // and nothing is open
			return results, err
		}
		c.sender = next
		results = c.SendBatch(ctx, c.batch(steps))
		_, err = results.Exec()
	}
	c.begin, c.open = "", true
	return results, err
}

// rowError is the error of a function that was given a row, and not the database's.
type rowError struct{ error }

func (s step) read(results pgx.BatchResults) error {
	if s.row == nil {
		tag, err := results.Exec()
		if err == nil && s.changed != nil {
			*s.changed = tag.RowsAffected()
		}
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := s.row(rows); err != nil {
			return &rowError{err}
		}
	}
	rows.Close()
	if s.changed != nil {
		*s.changed = rows.CommandTag().RowsAffected()
	}
	return rows.Err()
}

// exec runs one statement and returns how many rows it changed.
func (c *conn) exec(ctx context.Context, sql string, args ...any) (n int64, err error) {
	err = c.run(ctx, step{sql: sql, args: args, changed: &n})
	return n, err
}

// one reads the first row of a query; false means that there is none. A text
// that no record can hold finds none.
func (c *conn) one(ctx context.Context, sql string, read func(pgx.Rows) error, args ...any) (found bool, err error) {
	err = c.each(ctx, func(r pgx.Rows) error {
		if found {
			return nil
		}
		found = true
		return read(r)
	}, sql, args...)
	return found, err
}

// each calls row for every row of a query. row must not use the conn.
func (c *conn) each(ctx context.Context, row func(pgx.Rows) error, sql string, args ...any) error {
	if !sendable(args) {
		return nil
	}
	return c.run(ctx, step{sql: sql, args: args, row: row})
}

// sendable reports whether PostgreSQL would take all texts among the arguments.
func sendable(args []any) bool {
	for _, a := range args {
		if s, ok := a.(string); ok && !record.IsText(s) {
			return false
		}
	}
	return true
}

// leave adds a statement to those that go with the next ones, at the latest
// with the commit.
func (c *conn) leave(sql string, args ...any) {
	c.later = append(c.later, step{sql: sql, args: args})
}

// commit ends the transaction, with some last statements in the same round
// trip. From its begin on the context stops it no longer, but after a while: an
// outcome that is not known by then is [store.ErrUnknownOutcome].
func (c *conn) commit(ctx context.Context, last ...step) error {
	if err := c.settle(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if !c.open && len(last)+len(c.later) == 0 {
		return nil
	}
	n := len(c.later) + len(last)
	c.lease = nil // what holds a COMMIT is not sent twice
	committing, release := outlive(ctx)
	defer release()
	sent, answered, cause := c.pipeline(committing, append(last, step{sql: "COMMIT"}))
	if answered > n { // what ends a session after the answer to its COMMIT undoes nothing
		c.open = false
		if err := committing.Err(); err != nil {
			// By then the server was asked to cancel, upon which it waits for no
			// standby any more and calls that a success.
			return fmt.Errorf("pgstore: %w: %w", store.ErrUnknownOutcome, err)
		}
		return nil
	}
	if sent > n && unknown(cause, answered, n) {
		return fmt.Errorf("pgstore: %w: %w", store.ErrUnknownOutcome, cause)
	}
	return c.broken
}

// rollback ends a transaction that is still open. The pool closes a connection
// on which that fails.
func (c *conn) rollback(ctx context.Context) {
	if !c.open {
		return
	}
	_ = c.settle()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	c.broken, c.later, c.open = nil, nil, false
	_ = c.run(ctx, step{sql: "ROLLBACK"})
}

// outlive returns a context that ends a while after ctx does. Whoever asks for
// it has to release it.
func outlive(ctx context.Context) (longer context.Context, release func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	end := time.AfterFunc(time.Hour, cancel)
	end.Stop()
	stop := context.AfterFunc(ctx, func() { end.Reset(patience) })
	return longer, func() {
		stop()
		end.Stop()
		cancel()
	}
}

func isNetwork(err error) bool {
	_, ok := errors.AsType[net.Error](err)
	return ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		pgconn.Timeout(err)
}

// orNull stores an empty text as NULL.
func orNull[T ~string](s T) any {
	if s == "" {
		return nil
	}
	return string(s)
}

// expiry is the column that expired records are found by.
func expiry(t store.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}
