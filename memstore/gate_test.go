package memstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/usermgmt-go/usermgmt/store"
)

// untilBarred waits until a writer waits for the readers inside.
func untilBarred(g *gate) {
	for g.n.Load() >= 0 {
		runtime.Gosched()
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	ctx := context.Background()

	t.Run("waiting_ends_with_the_context", func(t *testing.T) {
		t.Parallel()
		var g gate
		require.NoError(t, g.lock(ctx))
		short, cancel := context.WithCancel(ctx)
		errs := make(chan error)
		go func() { errs <- g.enter(short) }()
		go func() { errs <- g.lock(short) }()
		cancel()
		require.ErrorIs(t, <-errs, context.Canceled)
		require.ErrorIs(t, <-errs, context.Canceled)
		g.unlock()
		require.NoError(t, g.enter(ctx))
		g.leave()
		require.NoError(t, g.lock(ctx))
		g.unlock()
	})

	t.Run("a_cancelled_writer_lets_readers_in", func(t *testing.T) {
		t.Parallel()
		var g gate
		require.NoError(t, g.enter(ctx))
		short, cancel := context.WithCancel(ctx)
		errs := make(chan error)
		go func() { errs <- g.lock(short) }()
		untilBarred(&g)
		cancel()
		require.ErrorIs(t, <-errs, context.Canceled)
		require.True(t, g.tryEnter(), "tryEnter: got false, want true")
		g.leave()
		g.leave()
		require.NoError(t, g.lock(ctx))
		g.unlock()
	})

	t.Run("a_reader_within_a_reader_passes_a_waiting_writer", func(t *testing.T) {
		t.Parallel()
		var g gate
		require.NoError(t, g.enter(ctx))
		locked := make(chan error)
		go func() { locked <- g.lock(ctx) }()
		untilBarred(&g)
		require.NoError(t, g.enter(ctx))
		g.leave()
		g.turn.Lock()
		require.EqualValues(t, 1, g.inside, "readers that the writer waits for")
		g.turn.Unlock()
		g.leave()
		require.NoError(t, <-locked)
		g.unlock()
		require.Zero(t, g.n.Load())
	})

	t.Run("readers_share_and_writers_are_alone", func(t *testing.T) {
		t.Parallel()
		var (
			g               gate
			readers, inside atomic.Int64
			n               int // guarded by g
			wins            atomic.Int64
			wg              sync.WaitGroup
		)
		for i := range uint64(8) {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(i, 1))
				for range 3000 {
					ctx, cancel := context.WithCancel(ctx)
					if r.IntN(4) == 0 {
						go cancel()
					}
					if r.IntN(3) == 0 {
						if g.lock(ctx) == nil {
							if inside.Add(1) != 1 || readers.Load() != 0 {
								t.Error("lock: a writer is not alone")
							}
							n++
							wins.Add(1)
							inside.Add(-1)
							g.unlock()
						}
					} else if g.enter(ctx) == nil {
						readers.Add(1)
						if inside.Load() != 0 {
							t.Error("enter: a writer is inside")
						}
						_ = n
						readers.Add(-1)
						g.leave()
					}
					cancel()
				}
			})
		}
		wg.Wait()
		require.Equal(t, wins.Load(), int64(n))
		require.Zero(t, g.n.Load())
		require.Zero(t, g.waiting)
	})
}

func TestGenerationAllocatesNothing(t *testing.T) {
	s, ctx := New(), t.Context()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := s.Generation(ctx, "r"); err != nil {
			t.Error(err)
		}
	}))
}

func TestViewLeavesNoRealm(t *testing.T) {
	t.Parallel()
	s := New()
	require.NoError(t, s.View(t.Context(), "nobody", func(r store.Reader) error {
		_, err := r.User(t.Context(), "u")
		require.Error(t, err)
		return nil
	}))
	r, err := s.realm(t.Context(), "nobody")
	require.NoError(t, err)
	require.Same(t, s.empty, r)
	require.NoError(t, errors.Join(s.Close(), s.Close()))
}
