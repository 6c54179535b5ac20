// Package memstore keeps the records of usermgmt in memory.
//
//	s := memstore.New()
//	defer s.Close()
//
// It is a full [store.Store], indexed so that no lookup and no page depends on
// how much there is, and made for tests, for small hosts that load their users
// at start, and as the yardstick of the other stores. Nothing survives the
// process.
//
// Words that the package uses: a row is a record in its compact form; tables
// are the rows and indexes of one realm; the gate lets units of work in; the
// log of a unit holds what undoes it.
package memstore

import (
	"context"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/usermgmt-go/usermgmt/store"
)

// Store is a [store.Store] in memory. It is safe for concurrent use.
//
// Each realm has one gate: any number of Views at a time, or one Update, which
// works on the rows themselves and is undone change by change if it fails.
// Views are let in behind a waiting Update only after it has waited for a
// while, so long Views delay writers; a View within a View of the same
// goroutine is slow at worst, but an Update within a View, and either within
// an Update of the same realm, waits for itself until its context is done.
// The same holds for Close within either. A [Transaction] is inside the gates of
// its realms, as an Update is, from its first use of each until it ends.
type Store struct {
	seed   maphash.Seed
	closed atomic.Bool
	mu     sync.Mutex // held to add a realm
	// realms are found without a lock: each shard is a map that is replaced,
	// never changed. Shards keep the cost of adding a realm low.
	realms [64]atomic.Pointer[map[store.Realm]*realm]
	// empty stands for every realm that has not been written to.
	empty *realm
}

// realm is one closed population.
type realm struct {
	gate gate
	gen  atomic.Uint64 // as committed
	t    *tables       // nil once closed; guarded by gate
}

// New returns an empty store.
func New() *Store {
	s := &Store{seed: maphash.MakeSeed(), empty: &realm{t: newTables()}}
	for i := range s.realms {
		s.realms[i].Store(new(map[store.Realm]*realm))
	}
	return s
}

func (s *Store) shard(name store.Realm) *atomic.Pointer[map[store.Realm]*realm] {
	return &s.realms[maphash.String(s.seed, string(name))%uint64(len(s.realms))]
}

// realm returns the realm of that name, or the empty one.
func (s *Store) realm(ctx context.Context, name store.Realm) (*realm, error) {
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r := (*s.shard(name).Load())[name]; r != nil {
		return r, nil
	}
	return s.empty, name.Check()
}

// newRealm adds a realm unless it is there.
func (s *Store) newRealm(name store.Realm) (*realm, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	p := s.shard(name)
	old := *p.Load()
	if r := old[name]; r != nil {
		return r, nil
	}
	m := make(map[store.Realm]*realm, len(old)+1)
	maps.Copy(m, old)
	r := &realm{t: newTables()}
	m[name] = r
	p.Store(&m)
	return r, nil
}

// View implements [store.Store].
func (s *Store) View(ctx context.Context, name store.Realm, fn func(store.Reader) error) error {
	r, err := s.realm(ctx, name)
	if err != nil {
		return err
	}
	if err := r.gate.enter(ctx); err != nil {
		return err
	}
	defer r.gate.leave()
	if r.t == nil {
		return store.ErrClosed
	}
	x := &reader{t: r.t, gen: r.gen.Load()}
	defer x.end()
	return fn(x)
}

// Update implements [store.Store]. It runs fn once.
func (s *Store) Update(ctx context.Context, name store.Realm, fn func(store.Tx) error) error {
	r, err := s.lock(ctx, name)
	if err != nil {
		return err
	}
	defer r.gate.unlock()
	x := &tx{reader: reader{t: r.t, gen: r.gen.Load()}}
	defer x.end() // also after a panic or the end of the goroutine
	if err := fn(x); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	x.log = nil
	r.gen.Store(x.gen)
	return nil
}

// lock returns the realm of that name, made if need be, with its gate locked.
func (s *Store) lock(ctx context.Context, name store.Realm) (*realm, error) {
	r, err := s.realm(ctx, name)
	if err == nil && r == s.empty {
		r, err = s.newRealm(name)
	}
	if err != nil {
		return nil, err
	}
	if err := r.gate.lock(ctx); err != nil {
		return nil, err
	}
	if r.t == nil {
		r.gate.unlock()
		return nil, store.ErrClosed
	}
	return r, nil
}

// Generation implements [store.Store]. It takes no lock and allocates nothing.
func (s *Store) Generation(ctx context.Context, name store.Realm) (uint64, error) {
	r, err := s.realm(ctx, name)
	if err != nil {
		return 0, err
	}
	return r.gen.Load(), nil
}

// Close implements [store.Store]. It waits for running units and open
// transactions, refuses those that wait, and lets go of all rows.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed.Store(true) // and no realm is added from now on
	s.mu.Unlock()
	for i := range s.realms {
		for _, r := range *s.realms[i].Load() {
			r.close()
		}
	}
	s.empty.close()
	return nil
}

func (r *realm) close() {
	if err := r.gate.lock(context.Background()); err != nil {
		return // cannot be: the context is never done
	}
	defer r.gate.unlock()
	r.t = nil
}

// reader is a [store.Reader]; it is the only way to the rows from outside.
type reader struct {
	t    *tables
	gen  uint64
	done bool
}

// tx is a [store.Tx].
type tx struct {
	reader
	// log undoes the unit's changes, the last one first.
	log []func()
}

var (
	_ store.Store  = (*Store)(nil)
	_ store.Reader = (*reader)(nil)
	_ store.Tx     = (*tx)(nil)
)

// ok is what every method asks first.
func (x *reader) ok(ctx context.Context) error {
	if x.done {
		return store.ErrDone
	}
	return ctx.Err()
}

func (x *reader) end() {
	x.done = true
	x.t = nil
}

func (x *tx) end() {
	undo(x.log)
	x.log = nil
	x.reader.end()
}

// undo takes back the changes of a log.
func undo(log []func()) {
	for _, change := range slices.Backward(log) {
		change()
	}
}

// undo notes how to undo the change that was just made.
func (x *tx) undo(f func()) { x.log = append(x.log, f) }

// bump notes that the unit changed what existing rights are made of.
func (x *tx) bump() { x.gen++ }

func (x *reader) Generation(ctx context.Context) (uint64, error) {
	return x.gen, x.ok(ctx)
}

func (x *tx) Lock(ctx context.Context, name string) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if len(name) == 0 || len(name) > 200 {
		return &store.InvalidError{Field: "name", Reason: "must have 1 to 200 bytes"}
	}
	return nil // units of a realm run one after another
}
