package sqlitestore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// The test binary is also the other processes: with this variable set it does
// what its arguments say instead of testing.
const childEnv = "SQLITESTORE_CHILD"

func TestMain(m *testing.M) {
	if job := os.Getenv(childEnv); job != "" {
		if err := child(job, os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func child(job, path string, args []string) (err error) {
	ctx := context.Background()
	s, err := Open(ctx, path, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	switch job {
	case "open":
		return s.View(ctx, "main", func(r store.Reader) error {
			_, err := r.CountUsers(ctx, store.UserQuery{})
			return err
		})
	case "count": // adds 1 to the tenant's name, n times
		n, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		for range n {
			if err := s.Update(ctx, "main", increment(ctx)); err != nil {
				return err
			}
		}
		return nil
	case "obey": // toggles a user with each line of input
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			err := s.Update(ctx, "main", func(tx store.Tx) error {
				u, err := tx.User(ctx, benchUser(0).ID)
				if err != nil {
					return err
				}
				u.Disabled = !u.Disabled
				return tx.UpdateUser(ctx, u)
			})
			if err != nil {
				return err
			}
			fmt.Println("done")
		}
		return in.Err()
	case "write": // creates users from 16 goroutines for ever, and names those that are there
		var group sync.WaitGroup
		for g := range 16 {
			group.Go(func() {
				for i := g; ; i += 16 {
					err := s.Update(ctx, "main", func(tx store.Tx) error { return createWithEvent(ctx, tx, benchUser(i)) })
					if err != nil {
						panic(err)
					}
					fmt.Println(i)
				}
			})
		}
		group.Wait()
	}
	return fmt.Errorf("no such job: %s", job)
}

func increment(ctx context.Context) func(store.Tx) error {
	return func(tx store.Tx) error {
		v, err := tx.Tenant(ctx, "counter")
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(v.Name)
		if err != nil {
			return err
		}
		v.Name = strconv.Itoa(n + 1)
		return tx.UpdateTenant(ctx, v)
	}
}

func start(t *testing.T, job, path string, args ...string) (*exec.Cmd, io.WriteCloser, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, append([]string{path}, args...)...)
	cmd.Env = append(os.Environ(), childEnv+"="+job)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return cmd, in, bufio.NewScanner(out)
}

func TestEightProcessesStartOnANewFile(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func() string{
		"no file":       func() string { return filepath.Join(t.TempDir(), "users.db") },
		"a host's file": func() string { return file(t, "CREATE TABLE t (x)") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := prepare()
			var cmds []*exec.Cmd
			for range 8 {
				cmd, _, _ := start(t, "open", path)
				cmds = append(cmds, cmd)
			}
			for _, cmd := range cmds {
				require.NoError(t, cmd.Wait())
			}
			s := openStore(t, path, nil)
			row, err := s.writer.conn.first("SELECT group_concat(number) FROM {schema}")
			require.NoError(t, err)
			require.Equal(t, "1", text(row[0]))
		})
	}
}

func TestProcessesLoseNoUpdate(t *testing.T) {
	t.Parallel()
	const processes, each = 4, 60
	s, path := newStore(t, nil)
	require.NoError(t, s.Update(t.Context(), "main", func(tx store.Tx) error {
		return tx.CreateTenant(t.Context(), store.Tenant{ID: "counter", Name: "0"})
	}))
	var cmds []*exec.Cmd
	for range processes {
		cmd, _, _ := start(t, "count", path, strconv.Itoa(each))
		cmds = append(cmds, cmd)
	}
	for range each {
		require.NoError(t, s.Update(t.Context(), "main", increment(t.Context())))
	}
	for _, cmd := range cmds {
		require.NoError(t, cmd.Wait())
	}
	require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
		v, err := r.Tenant(t.Context(), "counter")
		require.Equal(t, strconv.Itoa((processes+1)*each), v.Name)
		require.EqualValues(t, (processes+1)*each+1, v.Version)
		return err
	}))
}

func TestGenerationSeesAnotherProcess(t *testing.T) {
	t.Parallel()
	s, path := newStore(t, nil)
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 0)))
	cmd, in, out := start(t, "obey", path)
	seen := map[uint64]bool{}
	for i := range 50 {
		for range 3 { // so that it is known
			n, err := s.Generation(t.Context(), "main")
			require.NoError(t, err)
			seen[n] = true
		}
		_, err := io.WriteString(in, "go\n")
		require.NoError(t, err)
		require.True(t, out.Scan())
		n, err := s.Generation(t.Context(), "main")
		require.NoError(t, err)
		require.False(t, seen[n], "after change %d", i)
		if i%10 == 9 { // the log starts anew, and so do its numbers of frames
			_, err := s.writer.conn.first("PRAGMA wal_checkpoint(TRUNCATE)")
			require.NoError(t, err)
			again, err := s.Generation(t.Context(), "main")
			require.NoError(t, err)
			require.Equal(t, n, again)
		}
	}
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
}

func TestWhatUpdateAcknowledgedSurvivesAKill(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		path := filepath.Join(t.TempDir(), "users.db")
		cmd, _, out := start(t, "write", path)
		var acknowledged []int
		for out.Scan() {
			i, err := strconv.Atoi(strings.TrimSpace(out.Text()))
			require.NoError(t, err)
			acknowledged = append(acknowledged, i)
			if len(acknowledged) == 150*(round+1) {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.Error(t, cmd.Wait())
		s := openStore(t, path, nil)
		row, err := s.writer.conn.first("PRAGMA integrity_check")
		require.NoError(t, err)
		require.Equal(t, "ok", text(row[0]))
		for _, i := range acknowledged {
			require.True(t, present(t, s, i), "user %d was acknowledged", i)
		}
		require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
			us, err := r.Users(t.Context(), store.UserQuery{Limit: 1 << 20})
			require.NoError(t, err)
			es, err := r.Events(t.Context(), 0, 1<<20)
			require.NoError(t, err)
			require.Len(t, es, len(us), "units are whole")
			n, err := r.CountUsers(t.Context(), store.UserQuery{})
			require.EqualValues(t, len(us), n)
			return err
		}))
	}
}
