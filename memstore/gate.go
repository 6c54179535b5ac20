package memstore

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// gate lets in any number of readers or one writer. It differs from
// [sync.RWMutex] in two ways: waiting ends with the context, and a reader that
// has waited for patience behind a writer that is itself still waiting goes
// in before it, so that readers that depend on each other cannot deadlock.
type gate struct {
	// n is the number of readers inside, less barred while a writer waits or
	// is inside. Readers that find it negative take the slow way.
	n    atomic.Int64
	turn sync.Mutex // guards what follows, and every addition of barred to n
	// inside is how many readers the waiting writer waits for; ready is closed
	// when they are gone.
	inside int64
	ready  chan struct{}
	// waiting is how many readers wait for the writer to go, which closes open.
	waiting int64
	open    chan struct{}
	// writers holds one entry while a writer waits for readers or is inside;
	// the others queue for it. Made by the first writer, under turn.
	writers chan struct{}
}

const (
	barred   = 1 << 40
	patience = 10 * time.Millisecond
)

// enter lets a reader in. It fails only with ctx.Err().
func (g *gate) enter(ctx context.Context) error {
	if g.tryEnter() {
		return nil
	}
	return g.await(ctx)
}

func (g *gate) tryEnter() bool {
	for {
		n := g.n.Load()
		if n < 0 {
			return false
		}
		if g.n.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (g *gate) await(ctx context.Context) error {
	g.turn.Lock()
	if g.tryEnter() {
		g.turn.Unlock()
		return nil
	}
	if g.open == nil {
		g.open = make(chan struct{})
	}
	open := g.open
	g.waiting++
	g.turn.Unlock()

	t := time.NewTimer(patience)
	defer t.Stop()
	for {
		select {
		case <-open: // and counted in by whoever closed it
			return nil
		case <-t.C:
			if g.pass(open) {
				return nil
			}
		case <-ctx.Done():
			g.turn.Lock()
			if g.open == open {
				g.waiting--
				g.turn.Unlock()
			} else {
				g.turn.Unlock()
				g.leave()
			}
			return ctx.Err()
		}
	}
}

// pass lets a waiting reader in if the writer before it waits as well.
func (g *gate) pass(open chan struct{}) bool {
	g.turn.Lock()
	defer g.turn.Unlock()
	if g.open != open || g.inside == 0 {
		return false
	}
	g.waiting--
	g.inside++
	g.n.Add(1)
	return true
}

// leave lets a reader out.
func (g *gate) leave() {
	if g.n.Add(-1) >= 0 {
		return
	}
	g.turn.Lock()
	defer g.turn.Unlock()
	g.inside--
	if g.inside == 0 {
		close(g.ready)
	}
}

// lock lets a writer in, alone. It fails only with ctx.Err().
func (g *gate) lock(ctx context.Context) error {
	select {
	case g.queue() <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	g.turn.Lock()
	g.inside = g.n.Add(-barred) + barred
	if g.inside == 0 {
		g.turn.Unlock()
		return nil
	}
	ready := make(chan struct{})
	g.ready = ready
	g.turn.Unlock()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		g.unlock()
		return ctx.Err()
	}
}

func (g *gate) queue() chan struct{} {
	g.turn.Lock()
	defer g.turn.Unlock()
	if g.writers == nil {
		g.writers = make(chan struct{}, 1)
	}
	return g.writers
}

// unlock lets the writer out, or takes a waiting one away, and lets in all
// readers that wait.
func (g *gate) unlock() {
	g.turn.Lock()
	g.n.Add(barred + g.waiting)
	g.inside, g.waiting = 0, 0
	if g.open != nil {
		close(g.open)
		g.open = nil
	}
	g.turn.Unlock()
	<-g.writers
}
