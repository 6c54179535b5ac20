package sqlitestore

import "sync/atomic"

// gate counts those inside, and can be closed. A lock would do, but for a View
// within an Update while somebody waits to close: the inner one is turned away
// instead of waiting for ever.
type gate struct {
	inside atomic.Int64
	closed atomic.Bool
	left   atomic.Pointer[chan struct{}]
}

func (g *gate) enter() bool {
	g.inside.Add(1)
	if g.closed.Load() {
		g.leave()
		return false
	}
	return true
}

func (g *gate) leave() {
	if g.inside.Add(-1) > 0 {
		return
	}
	if left := g.left.Load(); left != nil {
		select {
		case *left <- struct{}{}:
		default:
		}
	}
}

// close shuts the gate and waits until nobody is inside. It returns false, at
// once, if the gate was shut before.
func (g *gate) close() bool {
	left := make(chan struct{}, 1)
	if !g.left.CompareAndSwap(nil, &left) {
		return false
	}
	g.closed.Store(true)
	for g.inside.Load() > 0 {
		<-left
	}
	return true
}
