package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/usermgmt-go/usermgmt/store"
)

// In returns a store that joins the host's transaction; package store says what
// that means. Nothing of it can be seen, events included, before the host commits:
//
//	tx, err := db.BeginTx(ctx, nil)
//	if err != nil {
//		return err
//	}
//	defer tx.Rollback()
//	in := m.With(sqlitestore.In(tx, nil))
//	ada, err := in.CreateUser(ctx, usermgmt.NewUser{Username: "ada@example.com"})
//	if err != nil {
//		return err
//	}
//	if _, err := tx.ExecContext(ctx, "INSERT INTO orders (customer) VALUES (?)", string(ada.ID)); err != nil {
//		return err
//	}
//	return tx.Commit()
//
// The host's database is the file that [Open] made or migrated, through any
// SQLite driver of database/sql whose SQLite has JSON functions (3.38 or
// later); this package links one that is called "sqlite". Of the options only
// TablePrefix counts, and must be that of Open. Wrong options are the error of
// the first unit; so is [store.ErrSchema] for a file without these tables, or
// with those of another release.
//
// # Locks
//
// A file has one writer at a time. The transaction is it from its first write
// to its end, so keep it short: other Updates on the file wait for it, until
// their BusyTimeout, as for any other writer; Views do not wait. A Manager that
// is not joined must not be asked to write while the same goroutine has a
// transaction open that has written: it would wait for itself, and fail with
// [store.ErrBusy].
//
// Begin it as an immediate one (in modernc.org/sqlite by _txlock=immediate in
// the name of the database) where the host reads before it calls the store: a
// deferred transaction that has read cannot write once somebody else has
// committed, and fails with ErrBusy, whatever its busy timeout. A deferred one
// whose first use is an Update is as safe. It does not lock the file while a
// Manager hashes a password, which an immediate one does.
//
// How long it waits for the lock, and what a commit is worth, are settings of
// the host's connection (busy_timeout, synchronous).
//
// # What is left to the host
//
// Use tx from one goroutine at a time, the host's own statements included, and
// one joined store for a transaction. Rows that are being read when a unit
// begins may be read on after it. A host's own savepoint may be rolled back
// between units, not within one.
//
// A full disk, an I/O error or a lack of memory may make SQLite end the
// transaction by itself. What the host wrote with tx after that would be
// committed on the spot, so the store then ends tx: its methods return
// [sql.ErrTxDone].
func In(tx *sql.Tx, opts *Options) store.Store {
	var o Options
	if opts != nil {
		o.TablePrefix = opts.TablePrefix
	}
	err := o.complete()
	return &joined{conn: hostConn{tx: tx, names: names(o.TablePrefix), stmts: make(map[string]*sql.Stmt)}, wrong: err}
}

// joined is a store on a transaction of the host's.
type joined struct {
	conn    hostConn
	wrong   error       // what is wrong with the options
	running atomic.Bool // a unit is
	closed  atomic.Bool

	known bool // the schema is as it should be; this and conn belong to the running unit
}

var errOver = fmt.Errorf("sqlitestore: the host's transaction is over: %w", store.ErrDone)

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
		return fmt.Errorf("sqlitestore: %w: the transaction runs a unit already", store.ErrBusy)
	}
	j.conn.unit = ctx
	if err := j.conn.alive(); err != nil {
		j.leave()
		return err
	}
	return nil
}

func (j *joined) leave() {
	if j.conn.broken != nil {
		_ = j.conn.alive()
	}
	j.conn.unit, j.conn.broken = nil, nil
	j.running.Store(false)
}

// check makes sure, once, that the tables are those of this release.
func (j *joined) check() error {
	if j.known {
		return nil
	}
	row, err := j.conn.first("SELECT max(number) FROM {schema}")
	if err != nil {
		return noTables(err)
	}
	n := number(row[0])
	if n > 0 {
		_, known := migration(n)
		_, later := migration(n + 1)
		j.known = known && !later
	}
	if !j.known {
		return fmt.Errorf("sqlitestore: %w: the tables are of schema %d, which is another release's", store.ErrSchema, n)
	}
	return nil
}

// noTables is the category of the error of a statement that touches nothing but
// the table of migrations.
func noTables(err error) error {
	if code(err) == sqlite3.SQLITE_ERROR {
		return fmt.Errorf("%w: %w: Open makes the tables, with the same prefix", store.ErrSchema, err)
	}
	return err
}

// View runs fn on what the host's transaction sees.
func (j *joined) View(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	if err := j.enter(ctx, realm); err != nil {
		return err
	}
	defer j.leave()
	if err := j.check(); err != nil {
		return err
	}
	r := &joinedReader{reader{db: &j.conn, realm: string(realm)}}
	defer r.ended.Store(true)
	return fn(r)
}

// Update runs fn within a savepoint, on the caller's goroutine.
func (j *joined) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	if err := j.enter(ctx, realm); err != nil {
		return err
	}
	defer j.leave()
	c := &j.conn
	// It locks the file, and writes nothing. Before any read that is a matter
	// of waiting; later it may have become impossible.
	if _, err := c.exec("UPDATE {schema} SET number=number WHERE number<0"); err != nil {
		return noTables(err)
	}
	if err := j.check(); err != nil {
		return err
	}
	if _, err := c.exec("SAVEPOINT {unit}"); err != nil {
		return err
	}
	p := pending{db: c, limits: rankLimits()}
	t := &joinedTx{tx{reader: reader{db: c, realm: string(realm), pending: &p}}}
	kept := false
	defer func() {
		t.ended.Store(true)
		if !kept {
			j.undo()
		}
	}()
	if err := fn(t); err != nil {
		return err
	}
	t.ended.Store(true)
	for _, step := range []func() error{
		func() error { return c.broken }, ctx.Err, t.finish, p.flush,
		func() error { _, err := c.exec("RELEASE {unit}"); return err },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	kept = true
	return nil
}

// undo takes back the unit. Where that cannot be, nothing of the transaction
// may be kept.
func (j *joined) undo() {
	for _, q := range []string{"ROLLBACK TO {unit}", "RELEASE {unit}"} {
		j.conn.broken = nil
		if _, err := j.conn.exec(q); err != nil {
			_ = j.conn.tx.Rollback()
			return
		}
	}
}

// Generation is [errors.ErrUnsupported].
func (j *joined) Generation(ctx context.Context, realm store.Realm) (uint64, error) {
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

type joinedTx struct{ tx }

func (t *joinedTx) Generation(ctx context.Context) (uint64, error) {
	return noGeneration(ctx, &t.reader)
}

func noGeneration(ctx context.Context, r *reader) (uint64, error) {
	if err := r.ok(ctx); err != nil {
		return 0, err
	}
	return 0, errors.ErrUnsupported
}
