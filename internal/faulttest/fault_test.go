package faulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/internal/tier"
	"github.com/usermgmt-go/usermgmt/store"
)

// errBroken is nobody's category.
var errBroken = errors.New("the disk is on fire")

// failing answers a step with an error that wraps the cause, as stores do.
func failing(name string, cause error, at func(step) bool) fault {
	err := fmt.Errorf("read block 7: %w", cause)
	return fault{name: name, at: at, before: func(ctx context.Context) (context.Context, error) { return ctx, err }}
}

func inUpdate(p step) bool { return p.unit == update }
func atCommit(p step) bool { return p == step{commit, update} }
func inGlance(p step) bool { return p.unit == glance }

// panicValue is what a step panics with.
type panicValue struct{}

// outcome says what a fault must come to.
type outcome int

const (
	undone   outcome = iota // the fault's error, and nothing has happened
	done                    // all is as if there had been no fault
	lateDone                // the fault's error, and all has happened
	panics                  // the fault's panic, and nothing has happened
)

type expected struct {
	fault
	cause error
	want  outcome
}

// faults are what may happen at each step.
func faults() []expected {
	late := failing("outcome unknown, committed", store.ErrUnknownOutcome, atCommit)
	late.late = true
	return []expected{
		{failing("broken", errBroken, nil), errBroken, undone},
		{failing("busy", store.ErrBusy, nil), store.ErrBusy, undone},
		{failing("full", store.ErrFull, inUpdate), store.ErrFull, undone},
		{failing("read-only", store.ErrReadOnly, inUpdate), store.ErrReadOnly, undone},
		{failing("outcome unknown, lost", store.ErrUnknownOutcome, atCommit), store.ErrUnknownOutcome, undone},
		{late, store.ErrUnknownOutcome, lateDone},
		{failing("conflict", errConflict, inUpdate), nil, done},
		{failing("no glance", store.ErrGlance, inGlance), nil, done},
		{fault{name: "panic", before: func(context.Context) (context.Context, error) { panic(panicValue{}) }}, nil, panics},
	}
}

// run does the call on the Manager while the fault waits at the step, and
// returns what came of it.
func (w *world) run(ctx context.Context, c call, m *usermgmt.Manager, f *fault, at int) (result string, panicked any, err error) {
	if c.actor != nil {
		w.tap.arm(nil, 0)
		m = m.As(c.actor(w))
	}
	w.dice.reset(2)
	w.tap.arm(f, at)
	defer func() { panicked = recover() }()
	result, err = c.on(ctx, w, m)
	return result, nil, err
}

// usable requires that no lock is held: of the store by a unit that has ended.
func (w *world) usable(t testing.TB) {
	t.Helper()
	w.tap.arm(nil, 0)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	errEnough := errors.New("enough")
	require.ErrorIs(t, w.tap.Store.Update(ctx, w.RealmName(), func(tx store.Tx) error {
		if err := tx.Lock(ctx, "owners of acme"); err != nil {
			return err
		}
		return errEnough
	}), errEnough)
}

// clean is what a call does without a fault.
type clean struct {
	before, after []string
	result        string
	steps         []step
}

// manager returns a Manager that knows nothing yet, or one that has asked
// before what the actor may do.
func (c call) manager(t testing.TB, w *world, warm bool) *usermgmt.Manager {
	t.Helper()
	w.tap.arm(nil, 0)
	m := w.With(w.tap)
	if warm && c.actor != nil {
		_, err := m.As(c.actor(w)).Can(t.Context(), "books.read", usermgmt.Realmwide)
		require.NoError(t, err)
	}
	return m
}

func (c call) clean(t testing.TB, w *world, warm bool) clean {
	t.Helper()
	cl := clean{before: w.dump(t)}
	result, panicked, err := w.run(t.Context(), c, c.manager(t, w, warm), nil, 0)
	require.NoError(t, err)
	require.Nil(t, panicked)
	cl.result = result
	cl.steps, _ = w.tap.trace()
	require.NotEmpty(t, cl.steps, "%s asks the store for nothing: it belongs to asksNothing", c.name)
	require.Zero(t, w.tap.reruns(), "units that have met nobody run once: %v", cl.steps)
	cl.after = w.dump(t)
	return cl
}

func (cl clean) writes() bool { return !slices.Equal(cl.before, cl.after) }

// tally counts what was done.
type tally struct{ calls, steps, runs atomic.Int64 }

// TestFaults breaks every operation at every step: the store's answer is an
// error, a conflict or a panic. Nothing is left of an operation that fails, all
// is there of one that succeeds, the cause comes out, and whatever was held is
// free again.
func TestFaults(t *testing.T) {
	t.Parallel()
	modes := []bool{false, true}[:tier.Count(1, 2, 2, 2)]
	eachCall(t, "memstore", faults(), modes, true)
}

// TestFaultsSQLite does the same where undoing is the database's. Its usual run
// has the faults that a database meets in its own way.
func TestFaultsSQLite(t *testing.T) {
	t.Parallel()
	if testing.Short() || detector {
		t.Skip("left out of short runs and under the race detector: takes seconds, or minutes")
	}
	own := []string{"broken", "outcome unknown, committed", "panic"}
	fs := slices.DeleteFunc(faults(), func(f expected) bool { return tier.Count(0, 0, 1, 1) == 0 && !slices.Contains(own, f.name) })
	eachCall(t, "sqlitestore", fs, []bool{false}, tier.Count(0, 0, 1, 1) == 1)
}

func eachCall(t *testing.T, kind string, fs []expected, modes []bool, reads bool) {
	var n tally
	t.Run("calls", func(t *testing.T) {
		for _, c := range calls {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				leavesNobody(t, func() {
					for _, warm := range modes {
						c.breakAll(t, openers[kind], fs, warm, reads, &n)
					}
				})
			})
		}
	})
	t.Logf("%s: %d operations, %d steps of theirs, %d kinds of fault: %d faulted runs, 0 half done", kind, n.calls.Load(), n.steps.Load(), len(fs), n.runs.Load())
}

// breakAll lets every fault happen at every step of the call, which it does
// cold or warm, and only if it writes unless reads is set.
func (c call) breakAll(t *testing.T, open func(testing.TB) store.Store, fs []expected, warm, reads bool, n *tally) {
	cl := c.clean(t, newWorld(t, open(t)), warm)
	if !cl.writes() && !reads {
		return
	}
	n.calls.Add(1)
	n.steps.Add(int64(len(cl.steps)))
	w := newWorld(t, open(t))
	require.Equal(t, cl.before, w.dump(t), "two worlds differ")
	m := c.manager(t, w, warm)
	for _, f := range fs {
		for at := 1; ; at++ {
			if at <= len(cl.steps) && f.at != nil && !f.at(cl.steps[at-1]) {
				continue
			}
			if at <= len(cl.steps) { // what comes last is done by a Manager that has been through a fault
				m = c.manager(t, w, warm)
			}
			fired, changed := c.breakAt(t, w, m, cl, f, at)
			if changed {
				w = newWorld(t, open(t))
				m = c.manager(t, w, warm)
			}
			if !fired {
				require.Greater(t, at, len(cl.steps), "%s did not happen at step %d of %v", f.name, at, cl.steps)
				break
			}
			n.runs.Add(1)
		}
	}
}

// breakAt lets one fault happen, if there is such a step, and checks what came
// of it. It returns whether the fault happened, and whether the world has changed.
func (c call) breakAt(t *testing.T, w *world, m *usermgmt.Manager, cl clean, f expected, at int) (fired, changed bool) {
	t.Helper()
	what := "no fault"
	if at <= len(cl.steps) {
		what = fmt.Sprintf("%s at step %d, %s, of %v", f.name, at, cl.steps[at-1].name, cl.steps)
	}
	result, panicked, err := w.run(t.Context(), c, m, &f.fault, at)
	_, fired = w.tap.trace()
	w.usable(t)
	state := w.dump(t)

	want := f.want
	if !fired || f.want == undone && err == nil && c.mayRecover(cl.steps[at-1]) {
		want = done
	}
	if want == lateDone && c.counted && slices.ContainsFunc(cl.steps[at:], func(s step) bool { return s.name == commit }) {
		want = undone // what is there is the count
	}
	if want == panics {
		require.Equal(t, panicValue{}, panicked, what)
	} else {
		require.Nil(t, panicked, what)
	}
	switch want {
	case undone, lateDone:
		require.ErrorIs(t, err, f.cause, what)
	case done:
		require.NoError(t, err, what)
		require.Equal(t, cl.result, result, what)
	}
	switch {
	case want == done && c.parts:
		require.Equal(t, unsalted(cl.after), unsalted(state), what)
	case want == done, want == lateDone && !c.parts:
		require.Equal(t, cl.after, state, what)
	case c.parts:
		// What came before stays, and to do it again comes to the same end.
		_, _, err := w.run(t.Context(), c, m, nil, 0)
		require.NoError(t, err, what)
		require.Equal(t, settled(cl.after), settled(w.dump(t)), what)
	default:
		require.Equal(t, cl.before, state, what)
	}
	if !cl.writes() {
		// What the Manager remembers by now, it remembers rightly.
		result, _, err := w.run(t.Context(), c, m, nil, 0)
		require.NoError(t, err, what)
		require.Equal(t, cl.result, result, what)
	}
	return fired, c.parts || !slices.Equal(cl.before, state)
}

// mayRecover says where an error may be made up for. What is remembered and
// cannot be checked, by the generation, is not used. A View that went by rights
// which an earlier part of the operation has made stale is taken again, whatever
// it came to.
func (c call) mayRecover(p step) bool { return p.name == "Generation" || c.parts && p.unit == view }

var hash = regexp.MustCompile(`\$argon2id\S+`)

// unsalted leaves out hashes, whose salts are others where an earlier part was done twice.
func unsalted(dump []string) []string {
	lines := slices.Clone(dump)
	for i, l := range lines {
		lines[i] = hash.ReplaceAllString(l, "hash")
	}
	return lines
}

// settled is what an operation in parts comes to, without its events, whose
// numbers tell of what was undone.
func settled(dump []string) []string {
	return slices.DeleteFunc(unsalted(dump), func(l string) bool { return strings.HasPrefix(l, "store.Event") })
}

// leavesNobody requires that no goroutine outlives f that it has started: they
// carry its label.
func leavesNobody(t testing.TB, f func()) {
	t.Helper()
	pprof.Do(t.Context(), pprof.Labels("started by", t.Name()), func(context.Context) { f() })
	mark := fmt.Sprintf("%q", t.Name())
	for end := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		var b bytes.Buffer
		require.NoError(t, pprof.Lookup("goroutine").WriteTo(&b, 1))
		if !strings.Contains(b.String(), mark) {
			return
		}
		require.True(t, time.Now().Before(end), "goroutines are left:\n%s", &b)
	}
}
