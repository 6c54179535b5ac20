package memstore

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/usermgmt-go/usermgmt/store"
)

// Transaction is a joined store, as package store describes them: units of work
// that are kept or undone together. It stands in for the databases' own
// transactions where a host's tests run in memory:
//
//	tx := s.Begin()
//	defer tx.Rollback()
//	ada, err := m.With(tx).CreateUser(ctx, usermgmt.NewUser{Username: "ada@example.com"})
//	…
//	return tx.Commit()
//
// It locks a realm with its first unit there, be it a View, and until it ends:
// all other units of the realm wait for it meanwhile, Views too, and until
// their contexts are done. A unit that the transaction's own goroutine runs on
// the Store itself would wait for ever. Two transactions that take two realms
// in different order wait for each other until one's context is done.
//
// One goroutine at a time may use it. What it holds stays locked until
// Commit or Rollback: defer the latter.
type Transaction struct {
	s *Store

	mu     sync.Mutex // held to look at or change what follows
	state  transactionState
	closed bool
	held   map[store.Realm]*holding
}

type transactionState uint8

const (
	idle transactionState = iota
	running
	over
)

// holding is a realm that a transaction has locked.
type holding struct {
	r   *realm
	gen uint64   // after its units so far
	log []func() // undoes them, the last change first
}

var _ store.Store = (*Transaction)(nil)

// Begin returns a new transaction, which has locked nothing yet. That the store
// is closed is an error of its first unit.
func (s *Store) Begin() *Transaction {
	return &Transaction{s: s, held: map[store.Realm]*holding{}}
}

// enter begins a unit of a realm, which has to leave.
func (t *Transaction) enter(ctx context.Context, name store.Realm) (*holding, error) {
	if err := name.Check(); err != nil {
		return nil, err
	}
	if err := t.start(ctx); err != nil {
		return nil, err
	}
	h := t.held[name] // while running, held is this unit's
	if h == nil {
		r, err := t.s.lock(ctx, name)
		if err != nil {
			t.leave()
			return nil, err
		}
		h = &holding{r: r, gen: r.gen.Load()}
		t.held[name] = h
	}
	return h, nil
}

func (t *Transaction) start(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := t.free(); err != nil {
		return err
	}
	t.state = running
	return nil
}

// free returns an error unless the transaction waits for its next call.
func (t *Transaction) free() error {
	switch t.state {
	case running:
		return fmt.Errorf("memstore: %w: the transaction runs a unit", store.ErrBusy)
	case over:
		return fmt.Errorf("memstore: the transaction is over: %w", store.ErrDone)
	}
	return nil
}

func (t *Transaction) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state = idle
}

// View implements [store.Store] for a joined store.
func (t *Transaction) View(ctx context.Context, name store.Realm, fn func(store.Reader) error) error {
	h, err := t.enter(ctx, name)
	if err != nil {
		return err
	}
	defer t.leave()
	x := &joinedReader{reader{t: h.r.t}}
	defer x.end()
	return fn(x)
}

// Update implements [store.Store] for a joined store.
func (t *Transaction) Update(ctx context.Context, name store.Realm, fn func(store.Tx) error) error {
	h, err := t.enter(ctx, name)
	if err != nil {
		return err
	}
	defer t.leave()
	x := &joinedTx{tx{reader: reader{t: h.r.t, gen: h.gen}}}
	defer x.end() // undoes the unit, also after a panic or the end of the goroutine
	if err := fn(x); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	h.gen, h.log, x.log = x.gen, append(h.log, x.log...), nil
	return nil
}

// Generation is [errors.ErrUnsupported].
func (t *Transaction) Generation(context.Context, store.Realm) (uint64, error) {
	return 0, errors.ErrUnsupported
}

// Close ends the joined store: its later units return [store.ErrClosed]. What
// it has done awaits Commit or Rollback as before.
func (t *Transaction) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	return nil
}

// Commit keeps what the units have done, for all to see, and unlocks the
// realms. It fails, and does nothing, with [store.ErrDone] if the transaction
// has ended and with [store.ErrBusy] while a unit runs.
func (t *Transaction) Commit() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.free(); err != nil {
		return err
	}
	t.end(func(h *holding) { h.r.gen.Store(h.gen) })
	return nil
}

// Rollback undoes what the units have done and unlocks the realms. After the
// end of the transaction it does nothing and returns nil; while a unit runs it
// does nothing and returns [store.ErrBusy].
func (t *Transaction) Rollback() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == over {
		return nil
	}
	if err := t.free(); err != nil {
		return err
	}
	t.end(func(h *holding) { undo(h.log) })
	return nil
}

func (t *Transaction) end(finish func(*holding)) {
	t.state = over
	for _, h := range t.held {
		finish(h)
		h.r.gate.unlock()
	}
	t.held = nil
}

// joinedReader is a reader of what may be rolled back, so it has no generation.
type joinedReader struct{ reader }

func (x *joinedReader) Generation(ctx context.Context) (uint64, error) {
	return noGeneration(ctx, &x.reader)
}

type joinedTx struct{ tx }

func (x *joinedTx) Generation(ctx context.Context) (uint64, error) {
	return noGeneration(ctx, &x.reader)
}

func noGeneration(ctx context.Context, x *reader) (uint64, error) {
	if err := x.ok(ctx); err != nil {
		return 0, err
	}
	return 0, errors.ErrUnsupported
}
