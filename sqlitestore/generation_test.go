package sqlitestore

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

func disable(t *testing.T, i int) func(store.Tx) error {
	return func(tx store.Tx) error {
		u, err := tx.User(t.Context(), benchUser(i).ID)
		if err != nil {
			return err
		}
		u.Disabled = !u.Disabled
		return tx.UpdateUser(t.Context(), u)
	}
}

// Two Stores on one file in one process know of each other's commits, and one
// may be closed without harm to the other.
func TestGenerationOfTwoStores(t *testing.T) {
	t.Parallel()
	a, path := newStore(t, nil)
	b := openStore(t, path, nil)
	require.NoError(t, a.Update(t.Context(), "main", creates(t, 0)))
	seen := map[uint64]bool{}
	for range 5 {
		require.NoError(t, a.Update(t.Context(), "main", disable(t, 0)))
		n, err := b.Generation(t.Context(), "main")
		require.NoError(t, err)
		require.False(t, seen[n], "generation %d again", n)
		seen[n] = true
		require.NoError(t, b.Update(t.Context(), "main", creates(t, len(seen))))
		again, err := b.Generation(t.Context(), "main")
		require.NoError(t, err)
		require.Equal(t, n, again, "creation changed the generation")
	}
	require.NoError(t, b.Close())
	require.NoError(t, a.Update(t.Context(), "main", disable(t, 0)))
	n, err := a.Generation(t.Context(), "main")
	require.NoError(t, err)
	require.False(t, seen[n])
}

func TestGenerationNeedsNoReadWhileNobodyCommits(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	if runtime.GOOS != "linux" {
		t.Skip("the WAL index is looked up on Linux alone")
	}
	require.NotNil(t, s.generations.index, "the WAL index was not found")
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 0)))
	want, err := s.Generation(t.Context(), "main")
	require.NoError(t, err)
	// Without a connection to read with, only what is known can be answered.
	var cs []*conn
	for range cap(s.readers) {
		cs = append(cs, <-s.readers)
	}
	got, err := s.Generation(t.Context(), "main")
	require.NoError(t, err)
	require.Equal(t, want, got)
	for _, c := range cs {
		s.readers <- c
	}
	require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
		_, err := r.User(t.Context(), benchUser(0).ID)
		require.NoError(t, err)
		v := r.(*viewer)
		v.db = nil
		got, err := v.Generation(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, got)
		return nil
	}))
}

// A View's first question may be for the generation: there is no snapshot yet
// that the header would be of.
func TestGenerationBeforeTheSnapshot(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 0)))
	old, err := s.Generation(t.Context(), "main")
	require.NoError(t, err)
	require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
		first, err := r.Generation(t.Context())
		require.NoError(t, err)
		require.Equal(t, old, first)
		require.NoError(t, s.Update(t.Context(), "main", disable(t, 0)))
		u, err := r.User(t.Context(), benchUser(0).ID)
		require.NoError(t, err)
		require.False(t, u.Disabled, "the snapshot is older than its generation")
		return nil
	}))
}

// A View that has read keeps the generation of what it read, though another one
// is remembered by now.
func TestGenerationOfTheSnapshot(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 0)))
	old, err := s.Generation(t.Context(), "main")
	require.NoError(t, err)
	require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
		_, err := r.User(t.Context(), benchUser(0).ID)
		require.NoError(t, err)
		require.NoError(t, s.Update(t.Context(), "main", disable(t, 0)))
		now, err := s.Generation(t.Context(), "main")
		require.NoError(t, err)
		require.NotEqual(t, old, now)
		got, err := r.Generation(t.Context())
		require.NoError(t, err)
		require.Equal(t, old, got)
		return nil
	}))
}

func TestGenerationWithoutWALIndex(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	s.generations.index = nil
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 0)))
	a, err := s.Generation(t.Context(), "main")
	require.NoError(t, err)
	require.NoError(t, s.Update(t.Context(), "main", disable(t, 0)))
	b, err := s.Generation(t.Context(), "main")
	require.NoError(t, err)
	require.NotEqual(t, a, b)
}
