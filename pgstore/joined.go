package pgstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/usermgmt-go/usermgmt/store"
)

// In returns a store that joins the host's transaction; package store says what
// that means. Nothing of it can be seen, events included, before the host commits:
//
//	tx, err := pool.Begin(ctx)
//	if err != nil {
//		return err
//	}
//	defer tx.Rollback(ctx)
//	in := m.With(pgstore.In(tx, nil))
//	ada, err := in.CreateUser(ctx, usermgmt.NewUser{Username: "ada@example.com"})
//	if err != nil {
//		return err
//	}
//	if _, err := tx.Exec(ctx, "INSERT INTO orders (customer) VALUES ($1)", string(ada.ID)); err != nil {
//		return err
//	}
//	return tx.Commit(ctx)
//
// The options are those of [New] or [Open], which make the tables. Wrong ones
// are the error of the first unit; so is [store.ErrSchema] for a database without
// these tables, or with those of another release. Begin the transaction at
// READ COMMITTED: at stricter levels PostgreSQL refuses, with [store.ErrBusy],
// what meets another transaction, and ends this one.
//
// # Locks
//
// An Update locks the records that it reads by an id or a key (FOR SHARE), and
// those that it writes, until the host's transaction ends: others who would
// change them wait, or are run again until it has ended. Two such transactions
// that have read the same record and both go on to change it wait for each
// other, which PostgreSQL ends after its deadlock_timeout: the one is refused with
// ErrBusy. Units that append events wait for the transaction once it has
// appended any, and those that take rights away once it has taken any. So
// keep it short, and do not ask a Manager that is not joined to write while the
// same goroutine has it open.
//
// # What is left to the host
//
// Use tx from one goroutine at a time, the host's own statements included, and
// one joined store for a transaction. A context that ends while a statement
// runs, and every error of the database's but one within an Update, ends the transaction.
func In(tx pgx.Tx, opts *Options) store.Store {
	var o Options
	if opts != nil {
		o = *opts
	}
	err := o.complete()
	return &joined{tx: tx, naming: newNaming(&o), wrong: err}
}

// joined is a store on a transaction of the host's.
type joined struct {
	tx      pgx.Tx
	naming  *naming
	wrong   error       // what is wrong with the options
	running atomic.Bool // a unit is
	closed  atomic.Bool

	known bool // the schema is as it should be; the running unit's
}

// enter begins a unit, which has to leave.
func (j *joined) enter(ctx context.Context, realm store.Realm) error {
	if err := realm.Check(); err != nil {
		return err
	}
	if j.closed.Load() {
		return store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if j.wrong != nil {
		return j.wrong
	}
	if !j.running.CompareAndSwap(false, true) {
		return fmt.Errorf("pgstore: %w: the transaction runs a unit already", store.ErrBusy)
	}
	if err := j.check(ctx); err != nil {
		j.leave()
		return err
	}
	return nil
}

func (j *joined) leave() { j.running.Store(false) }

// check makes sure that the transaction is open, and once that the tables are
// those of this release.
func (j *joined) check(ctx context.Context) error {
	c := j.conn()
	if j.known {
		return final(c.run(ctx, step{sql: "SELECT 1"}))
	}
	if err := checkSchema(ctx, c); err != nil {
		return final(err)
	}
	j.known = true
	return nil
}

func (j *joined) conn() *conn { return &conn{sender: j.tx, naming: j.naming} }

// final makes an error of what would be run again elsewhere: the host's
// transaction cannot be.
func final(err error) error {
	switch {
	case errors.Is(err, errLost):
		return fmt.Errorf("%w: %w", store.ErrDone, err)
	case errors.Is(err, errConflict):
		return fmt.Errorf("%w: %w", store.ErrBusy, err)
	}
	return err
}

// View runs fn on what the host's transaction sees.
func (j *joined) View(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	if err := j.enter(ctx, realm); err != nil {
		return err
	}
	defer j.leave()
	r := &joinedReader{reader{conn: j.conn(), realm: string(realm)}}
	defer r.ended.Store(true)
	return fn(r)
}

// Update runs fn within a savepoint, on the caller's goroutine.
func (j *joined) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	if err := j.enter(ctx, realm); err != nil {
		return err
	}
	defer j.leave()
	c := j.conn()
	c.begin = "SAVEPOINT usermgmt_unit"
	defer c.undo(ctx)
	t := &joinedTx{newTx(c, realm, " FOR SHARE")}
	defer t.ended.Store(true)
	err := fn(t)
	t.ended.Store(true)
	switch {
	case errors.Is(c.broken, errConflict):
		return final(c.broken)
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return final(c.keep(ctx, t.finish()...))
}

// keep ends a unit that is not to be undone, with some last statements.
func (c *conn) keep(ctx context.Context, last ...step) error {
	if c.broken == nil && (c.open || len(last)+len(c.later) > 0) {
		if err := c.run(ctx, append(last, step{sql: "RELEASE SAVEPOINT usermgmt_unit"})...); err != nil {
			return err
		}
		c.open = false
	}
	return c.broken
}

// undo takes back a unit that is not kept. Where that cannot be, the transaction
// has ended.
func (c *conn) undo(ctx context.Context) {
	if !c.open {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	c.broken, c.later, c.open = nil, nil, false
	_ = c.run(ctx, step{sql: "ROLLBACK TO SAVEPOINT usermgmt_unit"}, step{sql: "RELEASE SAVEPOINT usermgmt_unit"})
}

// Generation is [errors.ErrUnsupported].
func (j *joined) Generation(context.Context, store.Realm) (uint64, error) {
	return 0, errors.ErrUnsupported
}

// Close ends the joined store; the transaction stays the host's.
func (j *joined) Close() error {
	j.closed.Store(true)
	return nil
}

// joinedReader is a reader of what may be rolled back, so it has no generation.
type joinedReader struct{ reader }

func (r *joinedReader) Generation(ctx context.Context) (uint64, error) {
	return noGeneration(ctx, &r.reader)
}

type joinedTx struct{ *tx }

func (t *joinedTx) Generation(ctx context.Context) (uint64, error) {
	return noGeneration(ctx, &t.reader)
}

func noGeneration(ctx context.Context, r *reader) (uint64, error) {
	if err := r.ok(ctx); err != nil {
		return 0, err
	}
	return 0, errors.ErrUnsupported
}
