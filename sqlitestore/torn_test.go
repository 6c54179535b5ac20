package sqlitestore

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/internal/tier"
	"github.com/usermgmt-go/usermgmt/store"
)

// writeUnits runs one unit for each number in its input, in that order, which
// creates so many users; 0 moves the log into the file. SQLite itself is kept
// from doing that, so that it is known which commits the log holds.
func writeUnits(ctx context.Context, s *Store) error {
	if _, err := s.writer.conn.first("PRAGMA wal_autocheckpoint = 0"); err != nil {
		return err
	}
	units, users := 0, 0
	for in := bufio.NewScanner(os.Stdin); in.Scan(); fmt.Println("done") {
		n, err := strconv.Atoi(in.Text())
		if err != nil {
			return err
		}
		if n == 0 {
			row, err := s.writer.conn.first("PRAGMA wal_checkpoint(RESTART)")
			if err != nil {
				return err
			}
			if number(row[0]) != 0 {
				return fmt.Errorf("the checkpoint was kept from its end")
			}
			continue
		}
		err = s.Update(ctx, "main", func(tx store.Tx) error {
			for i := range n {
				if err := tx.CreateUser(ctx, benchUser(users+i)); err != nil {
					return err
				}
			}
			return tx.AppendEvent(ctx, store.Event{Action: "unit", Object: fmt.Sprint(units)})
		})
		if err != nil {
			return err
		}
		units, users = units+1, users+n
	}
	return nil
}

// moment is what a running store's two files were, and the units until then.
type moment struct {
	file, log []byte
	units     []int // users that each has created
	inFile    int   // units whose commits are no longer in the log
	ends      []int // offsets in the log at which the commits of the others end
	stale     int   // bytes of the log behind them, of commits that are in the file
}

// after is how many units are there if the log is right up to an offset.
func (m *moment) after(offset int) int {
	return m.inFile + sort.Search(len(m.ends), func(i int) bool { return m.ends[i] > offset })
}

// commits returns the offsets at which the commits of a log end. See "The WAL
// File Format" in https://sqlite.org/fileformat2.html.
func commits(log []byte) (ends []int) {
	const header, frameHeader = 32, 24
	frame := frameHeader + int(binary.BigEndian.Uint32(log[8:]))
	for at := header; at+frame <= len(log) && bytes.Equal(log[at+8:at+16], log[16:24]); at += frame {
		if binary.BigEndian.Uint32(log[at+4:]) != 0 { // the last one of a commit
			ends = append(ends, at+frame)
		}
	}
	return ends
}

// observe runs a store in another process, since this one must not open the files
// of a store of its own, and returns several moments of it.
func observe(t *testing.T, random *rand.Rand, moments int) []*moment {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.db")
	cmd, in, out := start(t, "units", path)
	tell := func(n int) {
		_, err := fmt.Fprintln(in, n)
		require.NoError(t, err)
		require.True(t, out.Scan())
	}
	var ms []*moment
	var units []int
	for i := range moments {
		m := &moment{inFile: len(units)}
		tell(0)
		for range 10 + random.IntN(40>>i) { // shorter logs, with older ones behind them
			n := 1 + random.IntN(6)
			tell(n)
			units = append(units, n)
		}
		m.units = units[:len(units):len(units)]
		var err error
		m.file, err = os.ReadFile(path)
		require.NoError(t, err)
		m.log, err = os.ReadFile(path + "-wal")
		require.NoError(t, err)
		m.ends = commits(m.log)
		require.Equal(t, len(units)-m.inFile, len(m.ends), "the log has one commit for each unit since it began")
		m.stale = len(m.log) - m.ends[len(m.ends)-1]
		ms = append(ms, m)
	}
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
	return ms
}

// tear returns a torn copy of a log, and the first offset at which it is wrong.
func tear(random *rand.Rand, log []byte) (how string, torn []byte, at int) {
	torn = bytes.Clone(log)
	at = random.IntN(len(log))
	switch random.IntN(3) {
	case 0:
		return "cut", torn[:at], at
	case 1:
		torn[at] ^= 1 << random.IntN(8)
		return "flipped", torn, at
	}
	// Sectors that never came to the disk, though later ones did.
	const sector = 512
	at -= at % sector
	lost := torn[at:min(at+sector*(1+random.IntN(4)), len(torn))]
	clear(lost)
	for i := range lost { // some of them were zero
		if lost[i] != log[at+i] {
			return "blanked", torn, at + i
		}
	}
	return "blanked", torn, len(log)
}

// TestTornLog: whatever becomes of the end of the log, the next to open the file
// finds what a prefix of the units has done, as long as the log allows.
func TestTornLog(t *testing.T) {
	t.Parallel()
	const moments = 4
	rounds := tier.Count(20, 200, 2000, 20_000) / moments
	ms := observe(t, rand.New(rand.NewPCG(1, 2)), moments)
	for i, m := range ms {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			require.Equal(t, i > 0, m.stale > 0, "older commits behind the log's end")
			random := rand.New(rand.NewPCG(uint64(i), 3))
			hows, lost := map[string]int{}, 0
			for range rounds {
				how, torn, at := tear(random, m.log)
				hows[how]++
				want := m.after(at)
				lost += len(m.units) - want
				reopen(t, m, torn, want, fmt.Sprintf("%s at %d of %d", how, at, len(m.log)))
			}
			t.Logf("%d logs of %d commits torn: %d cut, %d with a bit flipped, %d with sectors blanked; %d commits behind the tears, 0 others lost, 0 in part, 0 panics",
				rounds, len(m.ends), hows["cut"], hows["flipped"], hows["blanked"], lost)
		})
	}
}

// reopen opens a copy of the files, finds the first units in it and no more, and
// adds another.
func reopen(t *testing.T, m *moment, log []byte, want int, what string) {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "") // not to the test's end: there may be many
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "users.db")
	require.NoError(t, os.WriteFile(path, m.file, 0o600))
	require.NoError(t, os.WriteFile(path+"-wal", log, 0o600))
	s, err := Open(t.Context(), path, &Options{Readers: 1})
	require.NoError(t, err, what)
	defer func() { require.NoError(t, s.Close(), what) }()
	requireSound(t, s)
	users := 0
	for _, n := range m.units[:want] {
		users += n
	}
	holds := func(units, users int) {
		t.Helper()
		require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
			es, err := r.Events(t.Context(), 0, 1<<20)
			require.NoError(t, err)
			require.Equal(t, units, len(es), what)
			for i, e := range es {
				require.Equal(t, fmt.Sprint(i), e.Object, what)
			}
			us, err := r.Users(t.Context(), store.UserQuery{Limit: 1 << 20})
			require.NoError(t, err)
			require.Equal(t, users, len(us), what)
			for i, u := range us {
				require.Equal(t, benchUser(i).ID, u.ID, what)
			}
			n, err := r.CountUsers(t.Context(), store.UserQuery{})
			require.EqualValues(t, users, n, what)
			return err
		}))
	}
	holds(want, users)
	require.NoError(t, s.Update(t.Context(), "main", func(tx store.Tx) error {
		if err := tx.CreateUser(t.Context(), benchUser(users)); err != nil {
			return err
		}
		return tx.AppendEvent(t.Context(), store.Event{Action: "unit", Object: fmt.Sprint(want)})
	}), what)
	holds(want+1, users+1)
}
