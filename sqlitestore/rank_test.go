package sqlitestore

import (
	"database/sql/driver"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// ranks reads the ranges of a level and checks that each counts the users in it.
func ranks(t *testing.T, c *conn, level, limit int64, ids []string) (los []string) {
	t.Helper()
	var ns []int64
	require.NoError(t, c.each(func(row []driver.Value) error {
		los = append(los, text(row[0]))
		ns = append(ns, number(row[1]))
		return nil
	}, "SELECT lo, n FROM {user_rank} WHERE realm=? AND level=? ORDER BY lo", "main", level))
	for i, lo := range los {
		from, _ := slices.BinarySearch(ids, lo)
		to := len(ids)
		if i+1 < len(los) {
			to, _ = slices.BinarySearch(ids, los[i+1])
		}
		require.EqualValues(t, to-from, ns[i], "level %d, range %d of %d", level, i, len(los))
		require.LessOrEqual(t, ns[i], limit, "level %d, range %d of %d", level, i, len(los))
	}
	return los
}

func TestUserAt(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	s, _ := newStore(t, &Options{Synchronous: Normal})
	limits := [2]int64{16, 256}
	s.writer.ranks = limits
	have := map[string]bool{}
	serial := 0
	create := func(tx store.Tx, id string) error {
		serial++
		u := benchUser(serial)
		u.ID = store.UserID(id)
		have[id] = true
		return tx.CreateUser(t.Context(), u)
	}
	check := func(when string) (low, high []string) {
		t.Helper()
		ids := slices.Sorted(maps.Keys(have))
		c := <-s.readers
		low, high = ranks(t, c, 0, limits[0], ids), ranks(t, c, 1, limits[1], ids)
		s.readers <- c
		for _, lo := range high {
			require.Contains(t, low, lo, "%s: a boundary of level 1 that is none of level 0", when)
		}
		require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
			n, err := r.CountUsers(t.Context(), store.UserQuery{})
			require.NoError(t, err)
			require.EqualValues(t, len(ids), n, when)
			for i := 0; i < len(ids); i += 1 + len(ids)/300 {
				id, err := r.UserAt(t.Context(), int64(i))
				require.NoError(t, err)
				require.Equal(t, ids[i], string(id), "%s: UserAt(%d)", when, i)
			}
			_, err = r.UserAt(t.Context(), int64(len(ids)))
			require.ErrorIs(t, err, store.ErrNotFound, when)
			return nil
		}))
		return low, high
	}

	// Ids that grow, ids at random, in units of all sizes.
	for i := range 3000 / 100 {
		require.NoError(t, s.Update(t.Context(), "main", func(tx store.Tx) error {
			for j := range 100 {
				id := fmt.Sprintf("m%08d", i*100+j)
				if i%2 == 1 {
					id = fmt.Sprintf("%x", r.Uint64())
				}
				if err := create(tx, id); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	low, high := check("after creation")
	require.Greater(t, len(high), 2)
	require.LessOrEqual(t, len(low), len(have)/4)

	// A unit that is taken back takes its counts back, those written for its own reads too.
	for range 3 {
		require.ErrorIs(t, s.Update(t.Context(), "main", func(tx store.Tx) error {
			for range 90 {
				id := fmt.Sprintf("%x", r.Uint64())
				require.NoError(t, create(tx, id))
				delete(have, id)
			}
			n, err := tx.CountUsers(t.Context(), store.UserQuery{})
			require.NoError(t, err)
			require.EqualValues(t, len(have)+90, n)
			return store.ErrStale
		}), store.ErrStale)
	}
	check("after units taken back")

	// Deleting nearly all leaves no crowd of nearly empty ranges.
	ids := slices.Sorted(maps.Keys(have))
	r.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	for part := range slices.Chunk(ids[:len(ids)-100], 150) {
		require.NoError(t, s.Update(t.Context(), "main", func(tx store.Tx) error {
			for _, id := range part {
				delete(have, id)
				if err := tx.DeleteUser(t.Context(), store.UserID(id)); err != nil {
					return err
				}
			}
			return nil
		}))
		check("while deleting")
	}
	low, high = check("after deletion")
	require.LessOrEqual(t, len(low), 50)
	require.LessOrEqual(t, len(high), 3)
	for _, id := range ids[len(ids)-100:] {
		delete(have, id)
		require.NoError(t, s.Update(t.Context(), "main", func(tx store.Tx) error {
			return tx.DeleteUser(t.Context(), store.UserID(id))
		}))
	}
	check("empty")
}
