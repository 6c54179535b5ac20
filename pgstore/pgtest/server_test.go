//go:build unix

package pgtest

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// withTable creates a database with a table t.
func withTable(t *testing.T, s *Server) (database string) {
	t.Helper()
	database, err := s.Database(t.Context())
	require.NoError(t, err)
	run(t, connect(t, s.URL(database)), "CREATE TABLE t (x int)")
	return database
}

func logOf(t *testing.T, s *Server) string {
	t.Helper()
	text, err := os.ReadFile(s.log())
	require.NoError(t, err)
	return string(text)
}

func refuses(t *testing.T, url string) {
	t.Helper()
	_, err := pgx.Connect(t.Context(), url)
	require.Error(t, err)
}

// TestServer is one story of one server, since starting one is slow.
func TestServer(t *testing.T) {
	t.Parallel()
	var folder string
	var last *pgx.Conn
	t.Run("of a test", func(t *testing.T) {
		s := Start(t, Config{Fsync: true, Settings: map[string]string{"max_connections": "17"}})
		folder = s.folder
		t.Run("is as asked for", func(t *testing.T) { settings(t, s) })
		t.Run("stops", func(t *testing.T) { stops(t, s) })
		t.Run("crashes", func(t *testing.T) { crashes(t, s) })
		t.Run("ends on its own", func(t *testing.T) {
			require.NoError(t, s.running.process.Kill())
			<-s.running.ended
			refuses(t, s.URL("postgres"))
			require.NoError(t, s.Run(t.Context()))
			connect(t, s.URL("postgres"))
		})
		t.Run("terminates connections", func(t *testing.T) { terminates(t, s) })
		t.Run("says why it does not start", func(t *testing.T) {
			require.NoError(t, s.Stop(t.Context()))
			good := s.config.Settings
			s.config.Settings = map[string]string{"max_connections": "many"}
			require.ErrorContains(t, s.Run(t.Context()), `invalid value for parameter "max_connections": "many"`)
			s.config.Settings = good
			require.NoError(t, s.Run(t.Context()))
		})
		var err error
		last, err = pgx.Connect(t.Context(), s.URL("postgres"))
		require.NoError(t, err)
	})
	if last == nil {
		t.Skip("no server was started, for the reason that the subtest gives")
	}
	require.Error(t, last.Ping(t.Context()), "it is gone with its test")
	require.NoDirExists(t, folder)
}

func settings(t *testing.T, s *Server) {
	c := connect(t, s.URL("postgres"))
	for setting, want := range map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on",
		"max_connections": "17", "listen_addresses": "", "server_encoding": "UTF8",
	} {
		require.Equal(t, want, value[string](t, c, "SELECT current_setting($1)", setting), setting)
	}
	i, err := os.Stat(s.folder)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), i.Mode().Perm(), "nobody else reaches the socket")
	require.NotZero(t, i.Sys().(*syscall.Stat_t).Uid, "PostgreSQL does not run as the superuser")
	require.Error(t, s.Run(t.Context()), "it runs")
}

func stops(t *testing.T, s *Server) {
	c := connect(t, s.URL("postgres"))
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, s.Stop(t.Context()), "it stays as it is")
	require.NoError(t, s.Crash(t.Context()))
	require.Error(t, c.Ping(t.Context()))
	refuses(t, s.URL("postgres"))
	require.NoError(t, s.Run(t.Context()))
	connect(t, s.URL("postgres"))
	require.NotContains(t, logOf(t, s), "was not properly shut down")
}

func crashes(t *testing.T, s *Server) {
	database := withTable(t, s)
	c, open := connect(t, s.URL(database)), connect(t, s.URL(database))
	run(t, open, "BEGIN")
	run(t, open, "INSERT INTO t VALUES (2)")
	run(t, c, "INSERT INTO t VALUES (1)")
	require.NoError(t, s.Restart(t.Context()))
	require.Error(t, c.Ping(t.Context()), "connections break")
	require.Error(t, open.Ping(t.Context()))
	require.Equal(t, 1, value[int](t, connect(t, s.URL(database)), "SELECT sum(x)::int FROM t"), "what was committed is there, and only that")
	require.Contains(t, logOf(t, s), "was not properly shut down")
}

func terminates(t *testing.T, s *Server) {
	database := withTable(t, s)
	one, two, elsewhere := connect(t, s.URL(database)), connect(t, s.URL(database)), connect(t, s.URL("postgres"))
	other, err := s.Database(t.Context())
	require.NoError(t, err)
	n, err := s.Terminate(t.Context(), other)
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, one.Ping(t.Context()))
	n, err = s.Terminate(t.Context(), database)
	require.NoError(t, err)
	require.Equal(t, 3, n) // and the one that created the table
	require.Error(t, one.Ping(t.Context()))
	require.Error(t, two.Ping(t.Context()))
	require.NoError(t, elsewhere.Ping(t.Context()))
}

func TestStandby(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	database := withTable(t, s)
	open := connect(t, s.URL(database)) // from before
	o := s.Standby(t)
	both := s.URL(database, o)
	run(t, open, "INSERT INTO t VALUES (1)")
	run(t, connect(t, both), "INSERT INTO t VALUES (2)")

	t.Run("commits wait for it", func(t *testing.T) {
		for _, c := range []*pgx.Conn{open, connect(t, s.URL(database))} {
			require.NoError(t, o.Stop(t.Context()))
			acknowledged := make(chan error)
			go func() {
				_, err := c.Exec(context.Background(), "INSERT INTO t VALUES (4)")
				acknowledged <- err
			}()
			witness := connect(t, s.URL("postgres"))
			require.Eventually(t, func() bool {
				return value[bool](t, witness, "SELECT COALESCE(wait_event, '') = 'SyncRep' FROM pg_stat_activity WHERE pid = $1", c.PgConn().PID())
			}, patience, 5*time.Millisecond)
			select {
			case err := <-acknowledged:
				t.Fatalf("acknowledged without the standby: %v", err)
			default:
			}
			require.NoError(t, o.Run(t.Context()))
			require.NoError(t, <-acknowledged)
		}
	})
	require.NoError(t, s.Crash(t.Context()))
	refuses(t, both) // the standby takes no writes yet
	require.NoError(t, o.Promote(t.Context()))
	c := connect(t, both)
	require.Equal(t, 11, value[int](t, c, "SELECT sum(x)::int FROM t"))
	run(t, c, "INSERT INTO t VALUES (8)") // and waits for no one
}

// The test binary is also the tests that end early: with this variable set it
// starts a server, tells its folder, and ends as the value says.
const endEnv = "PGTEST_END"

func TestMain(m *testing.M) {
	how := os.Getenv(endEnv)
	if how == "" {
		os.Exit(m.Run())
	}
	d, err := shared()
	if err != nil {
		panic(err)
	}
	if _, err := os.Stdout.WriteString(d.own.folder + "\n"); err != nil {
		panic(err)
	}
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the test has seen it
	switch how {
	case "panics":
		go panic("on purpose")
		select {}
	case "killed":
		select {}
	}
}

func TestNothingOutlivesTheTests(t *testing.T) {
	t.Parallel()
	_, err := findPrograms(exec.LookPath, debian)
	had(t, err, os.Getenv(requireVariable) == "1")
	for _, how := range []string{"exits", "panics", "killed"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			self, err := os.Executable()
			require.NoError(t, err)
			cmd := exec.Command(self)
			// A program with the race detector would sleep a second before it exits.
			cmd.Env = append(os.Environ(), endEnv+"="+how, serverVariable+"=", "GORACE=atexit_sleep_ms=10 "+os.Getenv("GORACE"))
			in, err := cmd.StdinPipe()
			require.NoError(t, err)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := bufio.NewScanner(out)
			require.True(t, lines.Scan())
			folder := lines.Text()
			require.DirExists(t, filepath.Join(folder, "data"))
			c := connect(t, (&Server{folder: folder}).URL("postgres"))
			require.NoError(t, c.Ping(t.Context()))

			if how == "killed" {
				require.NoError(t, cmd.Process.Kill())
			}
			require.NoError(t, in.Close())
			require.False(t, lines.Scan(), "nothing of it holds on to its output")
			require.Equal(t, how == "exits", cmd.Wait() == nil)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			_, err = c.WaitForNotification(ctx) // which ends with the server
			require.Error(t, err)
			require.NoError(t, ctx.Err(), "the server goes on")
			require.Eventually(t, func() bool {
				_, err := os.Stat(folder)
				return os.IsNotExist(err)
			}, patience, 5*time.Millisecond)
		})
	}
}
