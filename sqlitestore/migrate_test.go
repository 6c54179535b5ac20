package sqlitestore

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/internal/tier"
)

// beginnings are what a migration may find. Each returns a path.
func beginnings(t *testing.T) map[string]func() string {
	all := map[string]func() string{
		"no file":       func() string { return filepath.Join(t.TempDir(), "users.db") },
		"a host's file": func() string { return file(t, "CREATE TABLE t (x)", "INSERT INTO t VALUES (1)") },
	}
	for number := int64(1); number < latest(); number++ {
		all[fmt.Sprintf("a file of schema %d", number)] = func() string { return goldenFile(t, number) }
	}
	return all
}

// shape is the text of all tables and indexes with our prefix.
func shape(t *testing.T, s *Store) string {
	t.Helper()
	row, err := s.writer.conn.first("SELECT group_concat(sql, char(10)) FROM (SELECT sql FROM sqlite_schema WHERE name LIKE 'usermgmt\\_%' ESCAPE '\\' ORDER BY name)")
	require.NoError(t, err)
	return text(row[0])
}

func TestEightProcessesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for name, prepare := range beginnings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := prepare()
			var waits []func() error
			for range 8 {
				cmd, _, _ := start(t, "open", path)
				waits = append(waits, cmd.Wait)
			}
			for _, wait := range waits {
				require.NoError(t, wait())
			}
			s := openStore(t, path, nil)
			row, err := s.writer.conn.first("SELECT count(*), max(number) FROM {schema}")
			require.NoError(t, err)
			require.Equal(t, []int64{latest(), latest()}, []int64{number(row[0]), number(row[1])}, "each migration was applied once")
		})
	}
}

// TestKillsInAMigration: a process that makes or migrates a file is killed at a
// random moment of that. Whoever comes next finds it whole.
func TestKillsInAMigration(t *testing.T) {
	t.Parallel()
	fresh, _ := newStore(t, nil)
	want := shape(t, fresh)
	for name, prepare := range beginnings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kills := tier.Count(2, 5, 100, 1000)
			random := rand.New(rand.NewPCG(1, uint64(len(name))))
			takes := migrates(t, prepare(), time.Hour)
			before, within, after := 0, 0, 0
			for before+within+after < kills {
				path := prepare()
				begin := hashes(t, filepath.Dir(path))
				took := migrates(t, path, time.Duration(random.Int64N(int64(takes))))
				if took > takes/2 && took < takes*2 { // as slow as the machine is now
					takes = (3*takes + took) / 4
				}
				same := fmt.Sprint(begin) == fmt.Sprint(hashes(t, filepath.Dir(path)))
				c, err := openConn("file://"+path+"?mode=ro&_busy_timeout=5000", names("usermgmt_"))
				if err == nil {
					_, err = c.first("SELECT 1 FROM {schema}")
					require.NoError(t, c.close())
				}
				switch {
				case err == nil:
					after++
				case same:
					before++
				default:
					within++
				}
				next, err := Open(t.Context(), path, nil)
				require.NoError(t, err)
				requireSound(t, next)
				require.Equal(t, want, shape(t, next))
				require.NoError(t, next.Update(t.Context(), "main", creates(t, 1)))
				require.True(t, present(t, next, 1))
				require.NoError(t, next.Close())
				require.NoError(t, os.RemoveAll(filepath.Dir(path)))
			}
			t.Logf("%d kills: %d before anything was there, %d with something there, %d after the last commit; the next found it whole each time",
				kills, before, within, after)
		})
	}
}

// migrates opens the file in another process and kills that after a while,
// unless it has ended. It returns how long the process lived.
func migrates(t *testing.T, path string, after time.Duration) time.Duration {
	t.Helper()
	cmd, _, out := start(t, "migrate", path)
	require.True(t, out.Scan())
	begin := time.Now()
	killer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer killer.Stop()
	err := cmd.Wait()
	if err != nil {
		require.Equal(t, -1, cmd.ProcessState.ExitCode(), "it was killed: %v", err)
	}
	return time.Since(begin)
}
