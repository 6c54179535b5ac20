package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

var errBad = errors.New("bad unit")

// call is one Update and what became of it.
type call struct {
	fn    func(store.Tx) error
	runs  int
	err   error
	panic any
	ended bool // its goroutine did not get past Update
}

func (c *call) update(ctx context.Context, s *Store) {
	c.ended = true
	defer func() { c.panic = recover() }()
	c.err = s.Update(ctx, "main", func(tx store.Tx) error { c.runs++; return c.fn(tx) })
	c.ended = false
}

// together runs calls in one group, in their order, after one that creates
// user 0, and returns how often that one ran.
func together(t *testing.T, s *Store, ctx func(i int) context.Context, calls []*call) (runs int) {
	t.Helper()
	release := hold(t, s, func(tx store.Tx) error { runs++; return creates(t, 0)(tx) })
	var group sync.WaitGroup
	for i, c := range calls {
		group.Go(func() { c.update(ctx(i), s) })
		queued(s, i+1)
	}
	require.NoError(t, release())
	group.Wait()
	return runs
}

func plain(t *testing.T) func(int) context.Context {
	return func(int) context.Context { return t.Context() }
}

// users checks that of the users from 0 up to n all are there once but some,
// with their events, and that all counts agree.
func users(t *testing.T, s *Store, n int, but ...int) {
	t.Helper()
	absent := make(map[int]bool)
	for _, i := range but {
		absent[i] = true
	}
	for i := range n {
		require.Equal(t, !absent[i], present(t, s, i), "user %d", i)
	}
	require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
		k, err := r.CountUsers(t.Context(), store.UserQuery{})
		require.NoError(t, err)
		require.EqualValues(t, n-len(but), k)
		es, err := r.Events(t.Context(), 0, 10*n)
		require.Len(t, es, n-len(but))
		return err
	}))
}

// spoils returns a unit that fails after it has written.
func spoils(t *testing.T, i int) func(store.Tx) error {
	return func(tx store.Tx) error { return errors.Join(creates(t, i)(tx), errBad) }
}

func TestUnitThatFailsAfterWritingMakesItsGroupRunAgain(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]struct {
		end   func() error
		check func(*testing.T, *call)
	}{
		"error":  {func() error { return errBad }, func(t *testing.T, c *call) { require.Equal(t, errBad, c.err) }},
		"panic":  {func() error { panic(errBad) }, func(t *testing.T, c *call) { require.Equal(t, errBad, c.panic) }},
		"goexit": {func() error { runtime.Goexit(); return nil }, func(t *testing.T, c *call) { require.True(t, c.ended); require.Nil(t, c.panic) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newStore(t, nil)
			calls := make([]*call, 6)
			for i := range calls {
				calls[i] = &call{fn: creates(t, i+1)}
			}
			for _, i := range []int{2, 4} { // the second one finds its group careful
				calls[i].fn = func(tx store.Tx) error { require.NoError(t, creates(t, i+1)(tx)); return bad.end() }
			}
			begun := s.writer.begun
			require.Equal(t, 2, together(t, s, plain(t), calls))
			require.EqualValues(t, 2, s.writer.begun-begun, "transactions")
			for i, c := range calls {
				switch i {
				case 2, 4:
					require.Equal(t, 1, c.runs, "runs of unit %d", i)
					bad.check(t, c)
				default:
					require.Equal(t, map[bool]int{true: 2, false: 1}[i < 2], c.runs, "runs of unit %d", i)
					require.NoError(t, c.err)
					require.False(t, c.ended)
				}
			}
			users(t, s, 7, 3, 5)
		})
	}
}

func TestUnitThatFailsBeforeWritingCostsNothing(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	refused := creates(t, 0)
	counts := func(tx store.Tx) error { // has the others' changes counted
		n, err := tx.CountUsers(t.Context(), store.UserQuery{})
		require.EqualValues(t, 4, n)
		return errors.Join(err, errBad)
	}
	calls := []*call{
		{fn: creates(t, 1)},
		{fn: refused},
		{fn: creates(t, 2)},
		{fn: func(store.Tx) error { panic(errBad) }},
		{fn: func(store.Tx) error { runtime.Goexit(); return nil }},
		{fn: creates(t, 3)},
		{fn: counts},
		{fn: creates(t, 4)},
	}
	begun := s.writer.begun
	require.Equal(t, 1, together(t, s, plain(t), calls))
	require.EqualValues(t, 1, s.writer.begun-begun, "transactions")
	for i, c := range calls {
		require.Equal(t, 1, c.runs, "runs of unit %d", i)
	}
	require.ErrorIs(t, calls[1].err, store.ErrExists)
	require.Equal(t, errBad, calls[3].panic)
	require.True(t, calls[4].ended)
	require.ErrorIs(t, calls[6].err, errBad)
	users(t, s, 5)
}

// What a unit did before it had to run again is gone, in memory too.
func TestUnitThatRunsAgainStartsAnew(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	var first store.Tx
	calls := []*call{
		{fn: func(tx store.Tx) error {
			if first == nil {
				first = tx
			} else {
				_, err := first.User(t.Context(), benchUser(0).ID)
				require.ErrorIs(t, err, store.ErrDone)
			}
			n, err := tx.CountUsers(t.Context(), store.UserQuery{})
			require.EqualValues(t, 1, n)
			_, err2 := tx.User(t.Context(), benchUser(1).ID)
			require.ErrorIs(t, err2, store.ErrNotFound)
			return errors.Join(err, creates(t, 1)(tx))
		}},
		{fn: spoils(t, 2)},
		{fn: creates(t, 3)},
	}
	together(t, s, plain(t), calls)
	require.Equal(t, 2, calls[0].runs)
	require.NoError(t, calls[0].err)
	require.ErrorIs(t, calls[1].err, errBad)
	require.NoError(t, calls[2].err)
	users(t, s, 4, 2)
}

// Any change counts, not those of users alone.
func TestUnitThatFailsAfterWritingOneRecord(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	calls := []*call{{fn: func(tx store.Tx) error {
		return errors.Join(tx.CreateTenant(t.Context(), store.Tenant{ID: "north", CreatedAt: benchTime, UpdatedAt: benchTime}), errBad)
	}}}
	require.Equal(t, 2, together(t, s, plain(t), calls))
	require.Equal(t, errors.Join(nil, errBad), calls[0].err)
	require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
		_, err := r.Tenant(t.Context(), "north")
		require.ErrorIs(t, err, store.ErrNotFound)
		return nil
	}))
	users(t, s, 1)
}

func TestMemberCancelledBeforeItRunsAgain(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	calls := []*call{
		{fn: creates(t, 1)},
		{fn: creates(t, 2)},
		{fn: func(tx store.Tx) error { cancel(); return spoils(t, 3)(tx) }},
		{fn: creates(t, 4)},
	}
	together(t, s, func(i int) context.Context {
		if i == 0 {
			return ctx
		}
		return t.Context()
	}, calls)
	require.ErrorIs(t, calls[0].err, context.Canceled)
	require.Equal(t, 1, calls[0].runs)
	require.Equal(t, 2, calls[1].runs)
	users(t, s, 5, 1, 3)
}

// TestRefusalRestsOnWhatIsCommitted has a unit refused for a change of another
// that is then taken back: it runs again, and succeeds.
func TestRefusalRestsOnWhatIsCommitted(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	calls := []*call{
		{fn: creates(t, 1)},
		{fn: creates(t, 1)}, // a duplicate, as long as the first one stays
		{fn: func(tx store.Tx) error { cancel(); return spoils(t, 2)(tx) }},
	}
	together(t, s, func(i int) context.Context {
		if i == 0 {
			return ctx
		}
		return t.Context()
	}, calls)
	require.ErrorIs(t, calls[0].err, context.Canceled)
	require.NoError(t, calls[1].err)
	require.Equal(t, 2, calls[1].runs)
	require.ErrorIs(t, calls[2].err, errBad)
	users(t, s, 2)
}

func TestQueuedUnitThatIsCancelledReturnsAtOnce(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	release := hold(t, s, creates(t, 0))
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- s.Update(ctx, "main", creates(t, 1)) }()
	queued(s, 1)
	cancel()
	require.ErrorIs(t, <-result, context.Canceled) // while the other still runs
	require.NoError(t, release())
	users(t, s, 2, 1)
}

// Units that fail on purpose have their groups run again once in a while, and
// no unit more than twice.
func TestManyUnitsThatFailAfterWriting(t *testing.T) {
	t.Parallel()
	const callers, each = 64, 12
	s, _ := newStore(t, &Options{Synchronous: Normal, GroupLimit: 48})
	var group sync.WaitGroup
	for g := range callers {
		group.Go(func() {
			for i := range each {
				id := 1000*g + i
				c := &call{fn: creates(t, id)}
				if i%10 == g%10 {
					c.fn = spoils(t, id)
				}
				c.update(t.Context(), s)
				if c.runs > 2 || errors.Is(c.err, errBad) != (i%10 == g%10) {
					t.Errorf("unit %d: ran %d times and returned %v", id, c.runs, c.err)
				}
			}
		})
	}
	group.Wait()
	bad := 0
	for g := range callers {
		for i := range each {
			require.Equal(t, i%10 != g%10, present(t, s, 1000*g+i), fmt.Sprint(g, i))
			if i%10 == g%10 {
				bad++
			}
		}
	}
	require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
		k, err := r.CountUsers(t.Context(), store.UserQuery{})
		require.EqualValues(t, callers*each-bad, k)
		return err
	}))
	s.writer.server.Wait()
	require.False(t, s.writer.busy)
}

// After a failure the next ones cost nobody, until there were none for a while.
func TestUnitsAfterAFailureAreCareful(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	together(t, s, plain(t), []*call{{fn: spoils(t, 1)}})
	begun := s.writer.begun
	for i := range 4 {
		release := hold(t, s, creates(t, 10+2*i))
		var group sync.WaitGroup
		group.Go(func() { require.ErrorIs(t, s.Update(t.Context(), "main", spoils(t, 11+2*i)), errBad) })
		queued(s, 1)
		require.NoError(t, release())
		group.Wait()
	}
	require.EqualValues(t, 4, s.writer.begun-begun, "transactions")
	for i := range 2 * carefulFor { // one by one, they end it
		require.NoError(t, s.Update(t.Context(), "main", creates(t, 100+i)))
	}
	require.Zero(t, s.writer.careful)
}
