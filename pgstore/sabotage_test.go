package pgstore

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// sabotaged is a store that does every tenth unit in another way.
type sabotaged struct {
	store.Store
	units atomic.Int64
	tenth tenth
}

// tenth does the unit fn, the tenth, twentieth … by its number.
type tenth func(number int64, fn func(store.Tx) error, update updating) error

// updating is a store's Update of the realm.
type updating func(func(store.Tx) error) error

func (s *sabotaged) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	update := func(fn func(store.Tx) error) error { return s.Store.Update(ctx, realm, fn) }
	if n := s.units.Add(1); n%10 == 0 {
		return s.tenth(n/10, fn, update)
	}
	return update(fn)
}

// silent is a Tx that loses events.
type silent struct{ store.Tx }

func (silent) AppendEvent(context.Context, store.Event) error { return nil }

// TestJournal: a load's journal tells right from wrong. Without that a fault's
// test would prove nothing.
func TestJournal(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, nil)
	errUndone := errors.New("undone")
	forgets := func(number int64, fn func(store.Tx) error, update updating) error {
		err := update(func(tx store.Tx) error {
			if err := fn(tx); err != nil || number%2 == 0 {
				return err
			}
			return errUndone
		})
		if err == nil || errors.Is(err, errUndone) {
			return store.ErrUnknownOutcome
		}
		return err
	}
	var forgotten atomic.Int64 // by the first of these
	for name, c := range map[string]struct {
		tenth tenth
		found func(verdict) int // nil: nothing is wrong
	}{
		"forgets outcomes": {func(n int64, fn func(store.Tx) error, update updating) error {
			err := forgets(n, fn, update)
			if errors.Is(err, store.ErrUnknownOutcome) {
				forgotten.Add(1)
			}
			return err
		}, nil},
		"takes unknown outcomes for good ones": {func(n int64, fn func(store.Tx) error, update updating) error {
			if err := forgets(n, fn, update); !errors.Is(err, store.ErrUnknownOutcome) {
				return err
			}
			return nil
		}, func(v verdict) int { return v.lost }},
		"does a unit twice": {func(_ int64, fn func(store.Tx) error, update updating) error {
			err := update(fn)
			_ = update(fn)
			return err
		}, func(v verdict) int { return v.twice }},
		"calls a unit failed that is done": {func(_ int64, fn func(store.Tx) error, update updating) error {
			return errors.Join(update(fn), store.ErrBusy)
		}, func(v verdict) int { return v.undead }},
		"loses events": {func(_ int64, fn func(store.Tx) error, update updating) error {
			return update(func(tx store.Tx) error { return fn(silent{tx}) })
		}, func(v verdict) int { return v.partial }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := startLoad(t, &sabotaged{Store: d.open(t), tenth: c.tenth}, 4)
			l.await(t, "deeds", func(_ []int64, all int64) bool { return all >= 300 })
			l.end()
			v := l.judge(t)
			if c.found != nil {
				require.Positive(t, c.found(v), v.String())
				require.NotEmpty(t, v.problems)
				return
			}
			v.requireFlawless(t)
			require.EqualValues(t, forgotten.Load(), v.unknown)
			require.Positive(t, v.took)
			require.Less(t, v.took, v.unknown)
		})
	}
}
