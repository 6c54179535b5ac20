package memstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
	"github.com/usermgmt-go/usermgmt/store/storetest"
)

func TestTransaction(t *testing.T) {
	t.Parallel()
	storetest.RunJoined(t, func(testing.TB) storetest.Joined {
		s := New()
		tx := s.Begin()
		return storetest.Joined{Store: tx, Outside: s, Commit: tx.Commit, Rollback: tx.Rollback}
	})
}

func put(ctx context.Context, s store.Store, realm store.Realm, permission string) error {
	return s.Update(ctx, realm, func(tx store.Tx) error { return tx.PutPermission(ctx, permission) })
}

func TestTransaction_end(t *testing.T) {
	t.Parallel()
	s, ctx := New(), t.Context()
	tx := s.Begin()
	require.NoError(t, tx.Update(ctx, "main", func(x store.Tx) error {
		require.ErrorIs(t, tx.Commit(), store.ErrBusy)
		require.ErrorIs(t, tx.Rollback(), store.ErrBusy)
		return x.PutPermission(ctx, "a.a")
	}))
	require.NoError(t, tx.Commit())
	require.NoError(t, tx.Rollback(), "deferred, after the commit")
	require.ErrorIs(t, tx.Commit(), store.ErrDone)
	require.NoError(t, s.View(ctx, "main", func(r store.Reader) error {
		ps, err := r.Permissions(ctx)
		require.Equal(t, []string{"a.a"}, ps)
		return err
	}))
}

// Whoever comes meanwhile waits for the end, in the realms that were used.
func TestTransaction_locks(t *testing.T) {
	t.Parallel()
	s, ctx := New(), t.Context()
	require.NoError(t, put(ctx, s, "main", "a.a"))
	tx := s.Begin()
	require.NoError(t, put(ctx, s, "main", "a.b"), "before its first unit")
	require.NoError(t, tx.View(ctx, "main", func(store.Reader) error { return nil }))
	require.NoError(t, put(ctx, s, "other", "a.b"))

	over, cancel := context.WithCancel(ctx)
	waited := make(chan error, 3)
	go func() { waited <- put(over, s, "main", "a.c") }()
	go func() { waited <- s.View(over, "main", func(store.Reader) error { return nil }) }()
	second := s.Begin()
	go func() { waited <- put(over, second, "main", "a.c") }()
	cancel()
	for range cap(waited) {
		require.ErrorIs(t, <-waited, context.Canceled)
	}
	go func() { waited <- put(ctx, second, "main", "a.d") }()
	require.NoError(t, put(ctx, tx, "main", "a.c"))
	require.NoError(t, tx.Commit())
	require.NoError(t, <-waited, "a transaction that could not lock goes on")
	require.NoError(t, second.Rollback())
	require.NoError(t, s.View(ctx, "main", func(r store.Reader) error {
		ps, err := r.Permissions(ctx)
		require.Equal(t, []string{"a.a", "a.b", "a.c"}, ps)
		return err
	}))
}

// Close waits for a transaction, which can end what it has begun but takes no
// more realms.
func TestTransaction_closing(t *testing.T) {
	t.Parallel()
	s, ctx := New(), t.Context()
	tx := s.Begin()
	require.NoError(t, put(ctx, tx, "main", "a.a"))
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	for i := 0; ; i++ { // until it is closing
		_, err := s.Generation(ctx, "main")
		if errors.Is(err, store.ErrClosed) {
			break
		}
		require.NoError(t, err)
	}
	require.ErrorIs(t, put(ctx, tx, "new", "a.a"), store.ErrClosed)
	require.NoError(t, put(ctx, tx, "main", "a.b"))
	require.Empty(t, closed)
	require.NoError(t, tx.Commit())
	require.NoError(t, <-closed)
	require.ErrorIs(t, put(ctx, s.Begin(), "main", "a.b"), store.ErrClosed)
}

// A rollback undoes any number of units to the last index.
func TestTransaction_undo(t *testing.T) {
	t.Parallel()
	ctx, all := t.Context(), acts()
	errEnd := errors.New("end")
	for seed := range uint64(12) {
		s, d := New(), dice{rand.New(rand.NewPCG(seed, 1))}
		units := func(s store.Store, inner func(store.Tx) *tx) {
			for range 30 {
				want := []error{nil, nil, errEnd}[d.IntN(3)]
				require.Equal(t, want, s.Update(ctx, "r", func(x store.Tx) error {
					for range d.IntN(30) {
						_ = all[d.IntN(len(all))].run(ctx, inner(x), d) // many are refused
					}
					return want
				}))
			}
		}
		units(s, func(x store.Tx) *tx { return x.(*tx) })
		before := pictureOf(s, "r")
		host := s.Begin()
		units(host, func(x store.Tx) *tx { return &x.(*joinedTx).tx })
		check(t, s, "r")
		require.NotEqual(t, before, pictureOf(s, "r"), "seed %d: nothing was done", seed)
		require.NoError(t, host.Rollback())
		check(t, s, "r")
		require.Equal(t, before, pictureOf(s, "r"), "seed %d", seed)
	}
}
