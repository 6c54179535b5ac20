// Package faulttest breaks what the Manager stands on, at every place where it
// can break: each call of the store in turn, the caller's context, the clock.
// What is left behind must be all of an operation or nothing of it. It also
// races Managers against each other and checks that what they answered could
// have been answered by one after the other. It holds tests alone.
package faulttest

import (
	"context"
	"errors"
	"sync"

	"github.com/usermgmt-go/usermgmt/store"
)

// unit is the kind of unit of work that a step belongs to.
type unit string

const (
	none   unit = "none" // the store itself is asked
	view   unit = "view"
	glance unit = "glance"
	update unit = "update"
)

// step is one thing that is asked of a store: the beginning of a unit, a
// method of its Reader or Tx, the commit, or the store's Generation.
type step struct {
	name string
	unit unit
}

const commit = "commit"

// fault is what happens at a step.
type fault struct {
	name string
	// at says whether it can happen there; nil for anywhere.
	at func(step) bool
	// before is called with the step's context and returns the one to go on
	// with. An error is the step's answer, and the step is not taken.
	before func(context.Context) (context.Context, error)
	// after is called once the step has been taken.
	after func()
	// late lets a commit happen and gives the error of before for its answer.
	late bool
}

// tap is a store that counts the steps and lets one fault happen at one of
// them. A conflict is answered as stores do: the unit runs again.
type tap struct {
	store.Store

	mu       sync.Mutex            // guards what is below
	steps    []step                // those that were taken since arm
	tokens   map[tokenKey]struct{} // all that anybody ever tried to create
	fault    *fault
	number   int // of the step that the fault happens at, from 1
	fired    bool
	conflict bool
	again    int // how often the store itself has run a unit again
}

// tokenKey is how a token is found.
type tokenKey struct {
	kind   store.TokenKind
	digest store.Digest
}

// note remembers a token that is about to be created: stores do not list them.
func (s *tap) note(t store.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil {
		s.tokens = map[tokenKey]struct{}{}
	}
	s.tokens[tokenKey{t.Kind, t.Digest}] = struct{}{}
}

var errConflict = errors.New("the unit met another one")

// arm forgets the steps and lets the fault happen at the step with the
// number. A nil fault never happens.
func (s *tap) arm(f *fault, number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps, s.fault, s.number, s.fired, s.conflict, s.again = nil, f, number, false, false, 0
}

// trace returns the steps since arm, and whether the fault happened.
func (s *tap) trace() (steps []step, fired bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]step(nil), s.steps...), s.fired
}

// begin counts the runs of one unit by the store, of which this is the n-th.
func (s *tap) begin(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again += min(n-1, 1)
}

// reruns returns how often a store has run a unit again since arm.
func (s *tap) reruns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.again
}

// take counts a step and returns the fault that happens there, if one does.
func (s *tap) take(p step) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, p)
	if s.fault == nil || len(s.steps) != s.number {
		return nil
	}
	s.fired = true
	return s.fault
}

// clash remembers that the running unit has met a conflict.
func (s *tap) clash() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conflict = true
}

// clashed reports whether the unit has met a conflict, and forgets it.
func (s *tap) clashed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.conflict
	s.conflict = false
	return c
}

// answer takes a step.
func answer[T any](s *tap, ctx context.Context, p step, do func(context.Context) (T, error)) (T, error) {
	f := s.take(p)
	if f == nil {
		return do(ctx)
	}
	if f.before != nil {
		var err error
		if ctx, err = f.before(ctx); err != nil {
			if errors.Is(err, errConflict) {
				s.clash()
			}
			var zero T
			return zero, err
		}
	}
	v, err := do(ctx)
	if f.after != nil {
		f.after()
	}
	return v, err
}

func pass(s *tap, ctx context.Context, p step, do func(context.Context) error) error {
	_, err := answer(s, ctx, p, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx) })
	return err
}

func (s *tap) View(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	return pass(s, ctx, step{"View", none}, func(ctx context.Context) error {
		return s.Store.View(ctx, realm, func(r store.Reader) error { return fn(&reader{s, view, r}) })
	})
}

// Glance looks by a View, which answers all that a glance has to.
func (s *tap) Glance(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	return pass(s, ctx, step{"Glance", none}, func(ctx context.Context) error {
		return s.Store.View(ctx, realm, func(r store.Reader) error { return fn(&reader{s, glance, r}) })
	})
}

func (s *tap) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	return pass(s, ctx, step{"Update", none}, func(ctx context.Context) error {
		for {
			again := false
			var late error
			runs := 0
			err := s.Store.Update(ctx, realm, func(w store.Tx) error {
				runs++
				s.begin(runs)
				again, late = false, nil
				err := fn(&tx{reader{s, update, w}, w})
				if err == nil {
					late, err = s.commit(ctx)
				}
				again = s.clashed()
				if again && err == nil {
					err = errConflict // fn has made light of it
				}
				return err
			})
			if again {
				continue
			}
			if err == nil {
				err = late
			}
			return err
		}
	})
}

// commit is the last step of a unit. What comes late is for the caller alone,
// the other error for the store, which then undoes the unit.
func (s *tap) commit(ctx context.Context) (late, err error) {
	err = pass(s, ctx, step{commit, update}, func(context.Context) error { return nil })
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && s.fault.late {
		return err, nil
	}
	return nil, err
}

func (s *tap) Generation(ctx context.Context, realm store.Realm) (uint64, error) {
	return answer(s, ctx, step{"Generation", none}, func(ctx context.Context) (uint64, error) {
		return s.Store.Generation(ctx, realm)
	})
}
