package sqlitestore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/internal/tier"
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
	switch job {
	case "full":
		return fillDisk(ctx, path, args)
	case "refusal":
		return tellRefusal(ctx, path)
	case "migrate": // says when it begins
		fmt.Println("begins")
	}
	opts := &Options{BusyTimeout: patient}
	switch {
	case job == "count":
		opts = nil // what waits for others is as patient as by default
	case job == "deeds" && args[0] == "NORMAL":
		opts.Synchronous = Normal
	}
	s, err := Open(ctx, path, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	switch job {
	case "open", "migrate":
		return s.View(ctx, "main", func(r store.Reader) error {
			_, err := r.CountUsers(ctx, store.UserQuery{})
			return err
		})
	case "count":
		return count(ctx, s, args)
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
	case "units":
		return writeUnits(ctx, s)
	case "deeds":
		return doDeeds(ctx, s, args[1])
	}
	return fmt.Errorf("no such job: %s", job)
}

// patient is how long children wait for each other: for longer than any machine
// that runs tests makes them.
const patient = 2 * time.Minute

// count adds 1 to the tenant's name, n times, and prints the longest that it took.
func count(ctx context.Context, s *Store, args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	var longest time.Duration
	for range n {
		begin := time.Now()
		if err := s.Update(ctx, "main", increment(ctx)); err != nil {
			return err
		}
		longest = max(longest, time.Since(begin))
	}
	fmt.Println(int64(longest))
	return nil
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

// command is a process that is still to be started.
func command(t *testing.T, job, path string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, append([]string{path}, args...)...)
	cmd.Env = append(os.Environ(), childEnv+"="+job)
	cmd.Stderr = os.Stderr
	return cmd
}

func start(t *testing.T, job, path string, args ...string) (*exec.Cmd, io.WriteCloser, *bufio.Scanner) {
	t.Helper()
	cmd := command(t, job, path, args...)
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

// TestProcessesLoseNoUpdate: eight processes read a number, add 1 and write it
// back, all the time.
func TestProcessesLoseNoUpdate(t *testing.T) {
	t.Parallel()
	const processes = 8
	each := tier.Count(40, 300, 20_000, 20_000)
	s, path := newStore(t, nil)
	require.NoError(t, s.Update(t.Context(), "main", func(tx store.Tx) error {
		return tx.CreateTenant(t.Context(), store.Tenant{ID: "counter", Name: "0"})
	}))
	begin := time.Now()
	var cmds []*exec.Cmd
	var outs []*bufio.Scanner
	for range processes {
		cmd, _, out := start(t, "count", path, strconv.Itoa(each))
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	var longest time.Duration
	for i, cmd := range cmds {
		require.True(t, outs[i].Scan())
		wait, err := strconv.ParseInt(outs[i].Text(), 10, 64)
		require.NoError(t, err)
		require.NoError(t, cmd.Wait(), "no unit is told that the file is busy")
		longest = max(longest, time.Duration(wait))
	}
	took := time.Since(begin)
	require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
		v, err := r.Tenant(t.Context(), "counter")
		require.Equal(t, strconv.Itoa(processes*each), v.Name)
		require.EqualValues(t, processes*each+1, v.Version)
		return err
	}))
	t.Logf("%d processes, %d updates each in %.1f s: 0 lost, 0 told that the file is busy, longest %.3f s",
		processes, each, took.Seconds(), longest.Seconds())
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
