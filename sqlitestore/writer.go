package sqlitestore

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// writer has the one connection that writes, and commits units in groups.
//
// The units of one transaction are a group. Who finds the writer free runs its
// unit itself and commits it; a lone writer waits for nobody. Who finds it busy
// queues. What is queued is run by one goroutine, the server, unit after unit in
// one transaction, until the queue is empty or the group full; then it commits
// for all of them and goes on with the next group. To hand the transaction from
// caller to caller instead would cost as much as a unit does. The server ends
// when the queue stays empty. There is no timer: what queues up while one group
// is being synced to disk is the next group.
type writer struct {
	conn     *conn
	home     home
	limit    int           // of units in a group
	patience time.Duration // with other processes
	ranks    [2]int64      // limits of user_rank

	mu    sync.Mutex
	busy  bool // somebody has the turn: a caller or the server
	queue []*unit

	server sync.WaitGroup

	// These belong to whoever has the turn.
	group   *group // the open transaction
	careful int    // units still to come whose groups are careful
	begun   uint64 // transactions so far
}

// unit is one call of Update. It has its context, since it is run for another
// goroutine.
type unit struct {
	ctx   context.Context
	came  time.Time
	realm store.Realm
	fn    func(store.Tx) error

	// refusal is what fn returned, of a unit that changed nothing: an answer
	// that may rest on changes of the group, so that it waits for the commit.
	refusal error

	// done is closed when the rest holds the outcome.
	done     chan struct{}
	err      error
	panicked any  // what fn panicked with on the server
	exited   bool // fn ended the server's goroutine
}

func (u *unit) end(err error) {
	if err == nil {
		err = u.refusal
	}
	u.err = err
	close(u.done)
}

// run runs one unit and returns when its group is on disk.
func (w *writer) run(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	u := &unit{ctx: ctx, came: time.Now(), realm: realm, fn: fn, done: make(chan struct{})}
	w.mu.Lock()
	if w.busy {
		w.queue = append(w.queue, u)
		w.mu.Unlock()
		return w.wait(u)
	}
	w.busy = true
	w.mu.Unlock()
	if err := w.lead(u); err != nil {
		return err
	}
	return w.wait(u)
}

// lead runs a unit on its caller's goroutine, and commits it unless others have
// queued meanwhile: then the server does.
func (w *writer) lead(u *unit) error {
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.due() {
			w.mu.Unlock()
			w.commit(w.group)
			w.mu.Lock()
		}
		w.busy = len(w.queue) > 0
		if w.busy {
			w.server.Go(w.serve)
		}
	}()
	return w.do(u)
}

// wait returns a unit's outcome, or at once if its context is done while it is
// queued.
func (w *writer) wait(u *unit) error {
	select {
	case <-u.done:
	case <-u.ctx.Done():
		w.mu.Lock()
		i := slices.Index(w.queue, u)
		if i >= 0 {
			w.queue = slices.Delete(w.queue, i, i+1)
		}
		w.mu.Unlock()
		if i >= 0 {
			return u.ctx.Err()
		}
		<-u.done
	}
	if u.panicked != nil {
		panic(u.panicked)
	}
	if u.exited {
		runtime.Goexit()
	}
	return u.err
}

// due says whether the open group is to be committed. It needs the lock.
func (w *writer) due() bool {
	return w.group != nil && (len(w.queue) == 0 || len(w.group.members) >= w.limit)
}

// serve runs what is queued until nothing is.
func (w *writer) serve() {
	var u *unit
	defer func() {
		if u != nil { // its function has ended this goroutine
			u.exited = true
			w.server.Go(w.serve)
			u.end(nil)
		}
	}()
	for u = w.next(); u != nil; u = w.next() {
		w.try(u)
	}
}

// next returns the next unit to run. If there is none, the turn has ended.
func (w *writer) next() *unit {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.due() {
		w.mu.Unlock()
		w.commit(w.group)
		// Those who have just learned their outcome often have a next unit,
		// and may need this processor to queue it.
		runtime.Gosched()
		w.mu.Lock()
	}
	if len(w.queue) == 0 {
		w.busy = false
		return nil
	}
	u := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	return u
}

// try runs a unit on the server. Its outcome is known if it has failed and
// seen no change of others that is still to be committed.
func (w *writer) try(u *unit) {
	defer func() {
		if p := recover(); p != nil {
			u.panicked = p
			u.end(nil)
		}
	}()
	u.refusal = nil
	err := w.do(u)
	switch {
	case err == nil:
	case w.group != nil && len(w.group.members) > 0 && u.ctx.Err() == nil:
		u.refusal = err
		w.group.members = append(w.group.members, u)
	default:
		u.end(err)
	}
}
