package phc

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSlotsBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(3, 0)
		var running, most, done atomic.Int64
		var wg sync.WaitGroup
		gate := make(chan struct{})
		for range 100 {
			wg.Go(func() {
				err := s.Do(t.Context(), func() {
					n := running.Add(1)
					for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
					}
					<-gate
					running.Add(-1)
				})
				if err == nil {
					done.Add(1)
				}
			})
		}
		synctest.Wait()
		require.EqualValues(t, 3, running.Load(), "all slots are used")
		close(gate)
		wg.Wait()
		require.EqualValues(t, 3, most.Load(), "and never more")
		require.EqualValues(t, 100, done.Load())
		require.Zero(t, s.waiting.Load())
	})
}

func TestSlotsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1, 0)
		release, err := s.Acquire(t.Context())
		require.NoError(t, err)
		var order []int
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() { _ = s.Do(t.Context(), func() { order = append(order, i) }) })
			synctest.Wait() // it waits in the queue
		}
		release()
		wg.Wait()
		require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, order)
	})
}

func TestSlotsBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1, 2)
		release, err := s.Acquire(t.Context())
		require.NoError(t, err)
		var wg sync.WaitGroup
		ran := 0
		for range 2 {
			wg.Go(func() { _ = s.Do(t.Context(), func() { ran++ }) })
		}
		synctest.Wait()
		for range 3 {
			_, err = s.Acquire(t.Context())
			require.ErrorIs(t, err, ErrBusy, "the queue has two")
			require.ErrorIs(t, s.Do(t.Context(), func() { t.Error("ran without a slot") }), ErrBusy)
		}
		release()
		wg.Wait()
		require.Equal(t, 2, ran, "who waited was served")
		release, err = s.Acquire(t.Context())
		require.NoError(t, err, "and then there is room again")
		release()
	})
}

func TestSlotsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1, 1)
		dead, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Acquire(dead)
		require.ErrorIs(t, err, context.Canceled, "although a slot is free")

		release, err := s.Acquire(t.Context())
		require.NoError(t, err)
		start := time.Now()
		hurried, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer stop()
		_, err = s.Acquire(hurried)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 300*time.Millisecond, time.Since(start), "no longer than the deadline, on the test's clock")
		require.Zero(t, s.waiting.Load(), "it left the queue")

		release()
		release() // does nothing
		first, err := s.Acquire(t.Context())
		require.NoError(t, err)
		short, stop2 := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop2()
		_, err = s.Acquire(short)
		require.ErrorIs(t, err, context.DeadlineExceeded, "a second release made no second slot")
		first()
	})
}

func TestSlotsPanic(t *testing.T) {
	t.Parallel()
	s := NewSlots(0, 0) // one
	require.Panics(t, func() { _ = s.Do(t.Context(), func() { panic("out of luck") }) })
	ran := false
	require.NoError(t, s.Do(t.Context(), func() { ran = true }))
	require.True(t, ran)
}

// Costly hashings wait for each other, and cheap ones pass them.
func TestSlotsHeavy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(2, 0)
		release, err := s.acquire(t.Context(), heavy+1)
		require.NoError(t, err)
		second := false
		var wg sync.WaitGroup
		wg.Go(func() { _ = s.do(t.Context(), heavy+1, func() { second = true }) })
		synctest.Wait()
		require.False(t, second, "one at a time")
		light := false
		require.NoError(t, s.do(t.Context(), heavy, func() { light = true }))
		require.True(t, light, "the other slot stayed free for cheap ones")
		release()
		wg.Wait()
		require.True(t, second)

		// A costly one that gives up while it waits for a slot leaves its place.
		a, err := s.Acquire(t.Context())
		require.NoError(t, err)
		b, err := s.Acquire(t.Context())
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = s.acquire(ctx, heavy+1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		a()
		b()
		require.NoError(t, s.do(t.Context(), heavy+1, func() {}))
	})
}

func TestSlotsVerifyAndHash(t *testing.T) {
	t.Parallel()
	s := NewSlots(1, 0)
	text, err := s.Hash(t.Context(), cheap(), nil, "password")
	require.NoError(t, err)
	h := mustParse(t, text)
	ok, err := s.Verify(t.Context(), h, "password")
	require.NoError(t, err)
	require.True(t, ok)
	ok, err = s.Verify(t.Context(), h, "passwort")
	require.NoError(t, err)
	require.False(t, ok)

	_, err = s.Hash(t.Context(), Params{}, nil, "password")
	require.Error(t, err)
	dead, cancel := context.WithCancel(t.Context())
	cancel()
	ok, err = s.Verify(dead, h, "password")
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, ok)
	text, err = s.Hash(dead, cheap(), nil, "password")
	require.True(t, errors.Is(err, context.Canceled) && text == "", "Hash: %q, %v", text, err)
}
