package faulttest

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/internal/tier"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/store"
)

// moment is when, around a step, the caller's context is cancelled.
type moment string

const (
	before moment = "before"
	inside moment = "inside"
	after  moment = "after"
)

// fuse cancels when it is asked for the second time: a store has looked once
// whether it may go on, and goes on.
type fuse struct {
	context.Context
	asked  *atomic.Int32
	cancel context.CancelFunc
}

func (f fuse) burn() {
	if f.asked.Add(1) == 2 {
		f.cancel()
	}
}

func (f fuse) Err() error            { f.burn(); return f.Context.Err() }
func (f fuse) Done() <-chan struct{} { f.burn(); return f.Context.Done() }

// cancelling is a fault that cancels at the moment; an inside one when the step
// is over at the latest.
func cancelling(m moment, cancel context.CancelFunc) *fault {
	f := &fault{name: string(m)}
	switch m {
	case before:
		f.before = func(ctx context.Context) (context.Context, error) { cancel(); return ctx, nil }
	case inside:
		f.before = func(ctx context.Context) (context.Context, error) {
			return fuse{ctx, new(atomic.Int32), cancel}, nil
		}
		f.after = cancel
	case after:
		f.after = cancel
	}
	return f
}

// TestCancel cancels the context of every operation before it, and before, inside and
// after each of its steps. What is cancelled before its commit begins has not
// happened and gives the context's own error; what only reads may have its
// answer already, and then the right one.
func TestCancel(t *testing.T) {
	t.Parallel()
	cancelEach(t, "memstore", true, before, inside, after)
}

// TestCancelSQLite does the same where a running statement is interrupted.
func TestCancelSQLite(t *testing.T) {
	t.Parallel()
	if testing.Short() || detector {
		t.Skip("left out of short runs and under the race detector: takes seconds, or minutes")
	}
	long := tier.Count(0, 0, 1, 1) == 1
	cancelEach(t, "sqlitestore", long, []moment{inside, before, after}[:tier.Count(1, 1, 3, 3)]...)
}

// TestCancelPostgres does the same where an answer is on its way.
func TestCancelPostgres(t *testing.T) {
	t.Parallel()
	if tier.Count(0, 0, 1, 1) == 0 {
		t.Skip("for the night: a world and its description take a hundred queries each; see TestCancelStorm")
	}
	pgtest.URL(t) // starts the server, before anybody looks who is left
	cancelEach(t, "pgstore", true, before, inside, after)
}

func cancelEach(t *testing.T, kind string, reads bool, moments ...moment) {
	var n tally
	var answered atomic.Int64
	t.Run("calls", func(t *testing.T) {
		for _, c := range calls {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				leavesNobody(t, func() { c.cancelAll(t, openers[kind], reads, moments, &n, &answered) })
			})
		}
	})
	t.Logf("%s: %d operations, %d steps of theirs, %d moments: %d cancelled runs, %d of them answered all the same, 0 half done",
		kind, n.calls.Load(), n.steps.Load(), len(moments), n.runs.Load(), answered.Load())
}

func (c call) cancelAll(t *testing.T, open func(testing.TB) store.Store, reads bool, moments []moment, n *tally, answered *atomic.Int64) {
	w := newWorld(t, open(t))
	cl := c.clean(t, w, false)
	require.NoError(t, w.Close())
	if !cl.writes() && !reads {
		return
	}
	n.calls.Add(1)
	n.steps.Add(int64(len(cl.steps)))
	w = newWorld(t, open(t))
	for _, m := range moments {
		for at := range len(cl.steps) + 1 { // at 0 before the operation
			if at == 0 && m != moments[0] {
				continue
			}
			ctx, cancel := context.WithCancel(t.Context())
			what := fmt.Sprintf("cancelled before all, of %v", cl.steps)
			if at == 0 {
				cancel()
			} else {
				what = fmt.Sprintf("cancelled %s step %d, %s, of %v", m, at, cl.steps[at-1].name, cl.steps)
			}
			result, panicked, err := w.run(ctx, c, c.manager(t, w, false), cancelling(m, cancel), at)
			cancel()
			_, fired := w.tap.trace()
			n.runs.Add(1)
			w.usable(t)
			state := w.dump(t)
			require.Equal(t, at != 0, fired, what)
			require.Nil(t, panicked, what)
			switch {
			case err != nil:
				require.ErrorIs(t, err, context.Canceled, what)
			default:
				require.Equal(t, cl.result, result, what)
				answered.Add(1)
			}
			switch {
			case c.parts && at > 0: // what came before the end stays
				_, _, err := w.run(t.Context(), c, c.manager(t, w, false), nil, 0)
				require.NoError(t, err, what)
				require.Equal(t, settled(cl.after), settled(w.dump(t)), what)
			case mustUndo(cl.steps, at, m):
				require.Error(t, err, what)
				require.Equal(t, cl.before, state, what)
			case !cl.writes(), err != nil && m == inside: // the store looked again before it committed
				require.Equal(t, cl.before, state, what)
			default:
				require.Equal(t, cl.after, state, what)
			}
			if c.parts || !slices.Equal(cl.before, state) {
				require.NoError(t, w.Close()) // a server has so many connections
				w = newWorld(t, open(t))
			}
		}
	}
	result, _, err := w.run(t.Context(), c, c.manager(t, w, false), nil, 0)
	require.NoError(t, err, "after all")
	require.Equal(t, cl.result, result)
}

// mustUndo reports whether a commit was still to come at the moment of the step
// with the number, or the operation had not begun.
func mustUndo(steps []step, number int, m moment) bool {
	if number == 0 {
		return true
	}
	p, left := steps[number-1], 0
	for _, s := range steps[number:] {
		if s == (step{commit, update}) {
			left++
		}
	}
	if p.name == "Update" && (m == after || m == inside) {
		left-- // its own
	}
	return p.unit == update || p.name == "Update" && m == before || left > 0
}
