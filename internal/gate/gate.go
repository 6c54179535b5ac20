// Package gate lets callers in until it is closed, and waits for those inside.
//
//	if !g.Enter() {
//		return store.ErrClosed
//	}
//	defer g.Leave()
package gate

import "sync/atomic"

// Gate counts those inside, and can be closed. A lock would do, but for a View
// within an Update while somebody waits to close: the inner one is turned away
// instead of waiting for ever. The zero Gate is open. Its methods may be called
// concurrently.
type Gate struct {
	inside atomic.Int64
	closed atomic.Bool
	left   atomic.Pointer[chan struct{}]
}

// Enter lets a caller in, who has to Leave, unless the gate is closed.
func (g *Gate) Enter() bool {
	g.inside.Add(1)
	if g.closed.Load() {
		g.Leave()
		return false
	}
	return true
}

// Leave lets a caller out.
func (g *Gate) Leave() {
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

// Close shuts the gate and waits until nobody is inside. It returns false, at
// once, if the gate was shut before.
func (g *Gate) Close() bool {
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

// Closed reports whether the gate is shut, be there callers inside or not.
func (g *Gate) Closed() bool { return g.closed.Load() }
