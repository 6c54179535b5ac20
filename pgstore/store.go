// Package pgstore keeps the records of usermgmt in PostgreSQL, version 13 or
// later, through pgx.
//
//	s, err := pgstore.Open(ctx, "postgres://app@db.example/app", nil)
//	if err != nil {
//		return err
//	}
//	defer s.Close()
//
// [New] takes a pool that the host has already, and [In] a transaction of the
// host's, so that the host's rows and these commit together.
//
// # Units of work
//
// Units run at PostgreSQL's default isolation, READ COMMITTED, and appear to run
// one after another all the same: uniqueness rests on indexes, what a record
// names is locked while the record is created, and a commit is refused unless
// every record that the unit has read by an id or a key is as it was, and so is
// the generation if it asked for that. An error of the unit's is held against
// the same, and passed on only if it came of one moment. A unit that met another
// one is run again, from its start and with a new Tx, and then locks each record
// as it reads it; so is one that lost its connection before its commit was sent.
// After 20 times it is [store.ErrBusy]. Lists are not locked, and two of them in
// one unit may be of two moments: a rule over several records takes a Lock.
//
// A View is one REPEATABLE READ transaction, which begins with its first read. A
// Glance is one statement.
//
// Statements that belong together go to the server together. A View costs a
// round trip for each read, and one for its end that nobody waits for; an Update
// one for each call that has an answer and one for its commit, which takes along
// whatever needs none: events, what hangs on a record that is removed, and the
// checks above. A unit that writes much sends its writes many together while it
// goes on, the records that it creates by COPY, and is run again, asking each
// time, if one of them is refused.
//
// # Events
//
// Numbers of events are given out by the row of a table, at the very end of a
// unit, and stay its own until it has committed: whoever has seen an event has
// seen all with smaller numbers, in the order of commits, and no number is left
// out but by DropEvents. The price is that units of one realm that append events
// commit one after another.
//
// # Poolers
//
// Nothing outlives a transaction: no session settings, session locks or named
// statements of our own. Behind a pooler of transactions open the store with
// default_query_exec_mode=simple_protocol (or exec) in the URL.
package pgstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/usermgmt-go/usermgmt/internal/gate"
	"github.com/usermgmt-go/usermgmt/store"
)

// Options adjust a Store. Zero values mean the defaults.
type Options struct {
	// Schema is the schema that the tables are in, and is made if it is not
	// there; by default it is that of the connections' search_path. It has at
	// most 63 bytes.
	Schema string
	// TablePrefix begins the names of all tables and indexes; "usermgmt_" by
	// default. It is [A-Za-z_][A-Za-z0-9_]{0,31}; upper case stays upper case.
	TablePrefix string
}

func (o *Options) complete() error {
	if len(o.Schema) > 63 || strings.ContainsAny(o.Schema, "\x00{}") {
		return invalid("Schema", "must have at most 63 bytes, without braces")
	}
	if o.TablePrefix == "" {
		o.TablePrefix = "usermgmt_"
	}
	if len(o.TablePrefix) > 32 {
		return invalid("TablePrefix", "must have at most 32 bytes")
	}
	for i, c := range []byte(o.TablePrefix) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', '0' <= c && c <= '9' && i > 0:
		default:
			return invalid("TablePrefix", "must be a letter or '_', then letters, digits and '_'")
		}
	}
	return nil
}

// Store is a [store.Store] on a PostgreSQL database. It has no goroutine of its own.
type Store struct {
	gate gate.Gate
	pool *pgxpool.Pool
	own  bool // the pool is closed with the store
	// lost is how many connections of the pool may prove to be lost, one after
	// the other, until that of a new one says that the server is.
	lost   int
	naming *naming
	// uncounted is about how many users have come and gone by this store since
	// it last folded their number.
	uncounted atomic.Int64
}

var _ store.Store = (*Store)(nil)

// New makes a store on a pool of the host's, which stays the host's: Close does
// not close it. Tables are made and migrated as needed; of several processes
// that do so at once the others wait. A database that a newer release has
// written is refused with [store.ErrSchema].
//
// A context that ends while a statement runs costs the host's pool that
// connection, unless the pool's BuildContextWatcherHandler asks the server to
// cancel, as those of Open do.
func New(ctx context.Context, pool *pgxpool.Pool, opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	s := &Store{pool: pool, naming: newNaming(&o), lost: int(pool.Config().MaxConns)}
	c, release, err := s.acquire(ctx, "")
	if err != nil {
		return nil, err
	}
	defer release()
	if err := migrate(ctx, c); err != nil {
		return nil, err
	}
	return s, nil
}

// Open is New on a pool of the store's own, which Close closes. The URL, or
// keywords and values, are those of [pgxpool.ParseConfig], such as
// "postgres://app@db.example/app?pool_max_conns=20".
func Open(ctx context.Context, url string, opts *Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("pgstore: %w", err)
	}
	watch(config)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("pgstore: %w", err)
	}
	s, err := New(ctx, pool, opts)
	if err != nil {
		pool.Close()
		return nil, err
	}
	s.own = true
	return s, nil
}

// watch makes a pool's connections outlive contexts that end while a statement
// runs: the server is asked to cancel it.
func watch(config *pgxpool.Config) {
	config.ConnConfig.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: patience}
	}
}

// acquire takes a connection, on which the statement begins a transaction, if
// any. Whoever takes it has to release it.
func (s *Store) acquire(ctx context.Context, begin string) (c *conn, release func(), err error) {
	p, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, nil, translate(ctx, err)
	}
	l := &lease{pool: s.pool, conn: p, left: s.lost}
	return &conn{sender: p.Conn(), naming: s.naming, begin: begin, lease: l}, l.release, nil
}

// ask runs what reads by a single statement on any connection of the pool.
func (s *Store) ask(read func(*conn) error) (err error) {
	for range s.lost + 1 {
		if err = read(&conn{sender: s.pool, naming: s.naming}); !errors.Is(err, errLost) {
			return err
		}
	}
	return err
}

// enter lets a unit of work in, which has to leave by the gate.
func (s *Store) enter(ctx context.Context, realm store.Realm) error {
	if err := realm.Check(); err != nil {
		return err
	}
	if !s.gate.Enter() {
		return store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		s.gate.Leave()
		return err
	}
	return nil
}

// View runs fn on a snapshot as of its first read. It waits for nobody but for a
// connection of the pool: a View or Update within fn may wait for ever. The
// transaction ends, and the connection goes back, a moment after View has returned.
func (s *Store) View(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	if err := s.enter(ctx, realm); err != nil {
		return err
	}
	c, release, err := s.acquire(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	if err != nil {
		s.gate.Leave()
		return err
	}
	r := newViewer(c, realm)
	defer func() {
		r.ended.Store(true)
		go func() { // nobody has to wait for this but Close
			defer s.gate.Leave()
			c.rollback(ctx)
			release()
			s.count(context.WithoutCancel(ctx), realm, r.changes, changesDue)
		}()
	}()
	return fn(r)
}

// maxTries is how often a unit is run that meets others.
const maxTries = 20

// Update runs fn as one unit of work, on the caller's goroutine, and again if it
// meets another unit; see the package comment. It needs a connection of the
// pool, for which it waits as long as ctx lets it. ctx also bounds what the unit
// sends while it goes on, whatever the contexts of its calls.
func (s *Store) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	if err := s.enter(ctx, realm); err != nil {
		return err
	}
	defer s.gate.Leave()
	for try := 1; ; try++ {
		users, err := s.update(ctx, realm, fn, try > 1)
		if !errors.Is(err, errConflict) {
			s.count(ctx, realm, s.uncounted.Add(users), changesDue)
			return err
		}
		if try == maxTries {
			return fmt.Errorf("%w: %w", store.ErrBusy, err)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// pause lets the others go on for a while that grows from try to try: a
// millisecond or so at first, 50 at most.
func pause(ctx context.Context, try int) error {
	t := time.NewTimer(rand.N(min(time.Millisecond<<try, 50*time.Millisecond)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// update runs fn once. A careful unit locks what it reads. It returns how many
// users came and went.
func (s *Store) update(ctx context.Context, realm store.Realm, fn func(store.Tx) error, careful bool) (users int64, err error) {
	c, release, err := s.acquire(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
	if err != nil {
		return 0, err
	}
	defer release()
	defer c.rollback(ctx)
	lock := ""
	if careful {
		lock = " FOR NO KEY UPDATE"
	}
	t := newTx(c, realm, lock)
	t.unit = ctx
	defer t.ended.Store(true)
	err = fn(t)
	t.ended.Store(true)
	switch {
	case errors.Is(c.settle(), errConflict):
		return 0, c.broken
	case err != nil:
		// Of what waits to be sent something may be refused, which comes first.
		if moved := c.run(ctx, t.still()...); errors.Is(moved, errConflict) {
			return 0, moved
		}
		return 0, err
	}
	if err := c.commit(ctx, t.finish()...); err != nil {
		return 0, err
	}
	return int64(t.total), nil
}

// count folds the number of users if that many changes of it are due. What
// comes of it is nobody's error: the next one tries again.
func (s *Store) count(ctx context.Context, realm store.Realm, changes, due int64) {
	if changes < due || ctx.Err() != nil {
		return
	}
	s.uncounted.Store(0)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, release, err := s.acquire(ctx, "")
	if err != nil {
		return
	}
	defer release()
	_ = fold(ctx, c, string(realm))
}

// Close waits for running units, and closes the pool that Open has made.
func (s *Store) Close() error {
	if s.gate.Close() && s.own {
		s.pool.Close()
	}
	return nil
}
