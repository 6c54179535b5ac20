package sqlitestore

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/usermgmt-go/usermgmt/store"
)

// writer has the one connection that writes, and commits units in groups.
//
// The units of one transaction are a group. A goroutine that wants to write
// waits for its turn, begins the transaction if none is open, runs its unit
// within a savepoint and hands the open transaction to the next in the queue.
// Who finds the queue empty, or the group full, commits for all of them; nobody
// returns before that. There is no timer: what queues up while one group is
// being synced to disk is the next group, and a lone writer waits for nobody.
type writer struct {
	conn     *conn
	limit    int           // of units in a group
	patience time.Duration // with other processes
	ranks    [2]int64      // limits of user_rank

	mu    sync.Mutex
	busy  bool // somebody has the turn
	queue []*waiter

	group *group // the open transaction; belongs to the turn
	begun uint64 // transactions so far; belongs to the turn
}

type waiter struct{ turn chan struct{} }

// group is one transaction and the units in it.
type group struct {
	pending
	size int           // units that wait for the commit
	done chan struct{} // closed when err holds the outcome
	err  error
}

// take waits for the turn.
func (w *writer) take(ctx context.Context) error {
	w.mu.Lock()
	if !w.busy {
		w.busy = true
		w.mu.Unlock()
		return nil
	}
	me := &waiter{make(chan struct{})}
	w.queue = append(w.queue, me)
	w.mu.Unlock()
	select {
	case <-me.turn:
		return nil
	case <-ctx.Done():
	}
	w.mu.Lock()
	i := slices.Index(w.queue, me)
	if i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
	}
	w.mu.Unlock()
	if i < 0 {
		w.pass() // the turn came at the same moment
	}
	return ctx.Err()
}

// pass ends the turn: the open group goes to the next in the queue, or is committed.
func (w *writer) pass() {
	w.mu.Lock()
	if g := w.group; g != nil && (len(w.queue) == 0 || g.size >= w.limit) {
		w.mu.Unlock()
		w.commit(g)
		w.mu.Lock()
	}
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.busy = false
		return
	}
	next := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	close(next.turn)
}

// run runs one unit and returns when its group is on disk.
func (w *writer) run(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	came := time.Now()
	if err := w.take(ctx); err != nil {
		return err
	}
	g, err := w.unit(ctx, came, realm, fn)
	if err != nil {
		return err
	}
	<-g.done
	return g.err
}

// unit runs fn in the open transaction and ends the turn. An error means that
// nothing of the unit is left; so does a panic, or fn ending its goroutine.
func (w *writer) unit(ctx context.Context, came time.Time, realm store.Realm, fn func(store.Tx) error) (_ *group, err error) {
	defer w.pass()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if w.group == nil {
		if err := w.begin(ctx, came); err != nil {
			return nil, err
		}
	}
	g := w.group
	mark := g.mark()
	// The first unit of a transaction is its own savepoint.
	nested := g.size > 0
	if nested {
		if _, err := w.conn.exec("SAVEPOINT unit"); err != nil {
			w.undo(g, false, mark)
			return nil, err
		}
	}
	t := &tx{reader: reader{db: w.conn, realm: string(realm), pending: &g.pending}}
	kept := false
	defer func() {
		t.ended.Store(true)
		if !kept {
			w.undo(g, nested, mark)
		}
	}()
	if err := fn(t); err != nil {
		return nil, err
	}
	t.ended.Store(true)
	if w.conn.broken != nil {
		return nil, w.conn.broken
	}
	// From here on the unit's commit has begun.
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := t.finish(); err != nil {
		return nil, err
	}
	if nested {
		if _, err := w.conn.exec("RELEASE unit"); err != nil {
			return nil, err
		}
	}
	kept = true
	g.size++
	return g, nil
}

// undo takes back one unit. If SQLite has lost the transaction, or cannot go
// back to the savepoint, the whole group is lost and its members learn it.
func (w *writer) undo(g *group, nested bool, mark mark) {
	if nested && w.conn.broken == nil {
		_, err := w.conn.exec("ROLLBACK TO unit")
		if err == nil {
			_, err = w.conn.exec("RELEASE unit")
		}
		if err == nil {
			g.reset(mark)
			return
		}
	}
	err := w.conn.broken
	if err == nil && g.size > 0 {
		err = fmt.Errorf("sqlitestore: the group's transaction was lost")
	}
	w.rollback(g, err)
}

// begin opens a transaction for a unit that came at a moment. Other processes
// may hold the file: all who queue meanwhile wait for them together, and each
// tries at least for a moment of its own.
func (w *writer) begin(ctx context.Context, came time.Time) error {
	w.conn.broken = nil
	wait, cancel := context.WithTimeout(ctx, max(w.patience-time.Since(came), min(w.patience, 20*time.Millisecond)))
	defer cancel()
	if _, err := w.conn.execContext(wait, "BEGIN IMMEDIATE"); err != nil {
		// A context that is done may hide that the transaction was begun.
		w.conn.broken = nil
		_, _ = w.conn.exec("ROLLBACK")
		w.conn.broken = nil
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case wait.Err() != nil:
			return fmt.Errorf("sqlitestore: %w", store.ErrBusy)
		}
		return err
	}
	w.begun++
	w.group = &group{pending: pending{db: w.conn, limits: w.ranks}, done: make(chan struct{})}
	return nil
}

func (w *writer) commit(g *group) {
	err := g.flush()
	if err != nil {
		w.rollback(g, err)
		return
	}
	if _, err := w.conn.exec("COMMIT"); err != nil {
		w.rollback(g, commitError(err))
		return
	}
	w.end(g, nil)
}

// rollback ends the transaction, if SQLite has not done so itself.
func (w *writer) rollback(g *group, err error) {
	w.conn.broken = nil
	if _, e := w.conn.exec("ROLLBACK"); e != nil && code(e) != sqlite3.SQLITE_ERROR && err == nil {
		err = e
	}
	w.conn.broken = nil
	w.end(g, err)
}

func (w *writer) end(g *group, err error) {
	w.group = nil
	g.err = err
	close(g.done)
}
