package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Config adjusts a server of a test's own.
type Config struct {
	// Fsync makes commits wait for the disk. Without it, what was committed
	// survives a crash of the server, and not one of the machine.
	Fsync bool
	// Settings are further ones of postgresql.conf, such as "max_connections".
	Settings map[string]string
}

// Server is a throw-away PostgreSQL that a test can crash, run again, and have
// a standby for. Its methods may be called concurrently.
type Server struct {
	programs string // the folder with initdb and postgres
	folder   string // the data, the socket and the log
	account  account
	config   Config
	guard    *guard

	mu      sync.Mutex
	running *running // the last run; nil before the first
}

// running is one run of the server's main process.
type running struct {
	process *os.Process
	ended   chan struct{} // closed when the process is gone
	err     error         // how it ended, once ended is closed
}

func (r *running) alive() bool {
	if r == nil {
		return false
	}
	select {
	case <-r.ended:
		return false
	default:
		return true
	}
}

// Start starts a server for this test alone, which is removed when the test
// ends. As with [URL], the test is skipped or fails where there are no programs
// to start; USERMGMT_POSTGRES_URL plays no part. It takes about 1 second.
func Start(t testing.TB, c Config) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := start(ctx, c)
	had(t, err, os.Getenv(requireVariable) == "1")
	t.Cleanup(func() {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func start(ctx context.Context, c Config) (*Server, error) {
	s, err := prepare(c)
	if err != nil {
		return nil, err
	}
	if err = s.initialize(ctx); err == nil {
		err = s.Run(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL of %s: %w", s.programs, err), s.remove())
	}
	return s, nil
}

// prepare makes a guarded folder, still without data.
func prepare(c Config) (*Server, error) {
	account, err := serverAccount()
	if err != nil {
		return nil, err
	}
	programs, err := findPrograms(exec.LookPath, debian)
	if err != nil {
		return nil, err
	}
	// Not t.TempDir, which another user cannot enter, and whose path is longer
	// than the name of a socket may be.
	folder, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return nil, err
	}
	if err = account.own(folder); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	s := &Server{programs: programs, folder: folder, account: account, config: c}
	if s.guard, err = post(s); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, nil
}

// initialize makes the data of a new cluster.
func (s *Server) initialize(ctx context.Context) error {
	arguments := []string{"--pgdata=" + s.data(), "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"}
	err := s.execute(ctx, "initdb", append(arguments, "--locale-provider=icu", "--icu-locale=en-US")...)
	if err != nil && ctx.Err() == nil { // before version 15, or built without ICU
		err = s.execute(ctx, "initdb", arguments...)
	}
	return err
}

// URL returns the connection URL of a database of the server, of which
// "postgres" always is one. With standbys it names them all: whoever connects
// gets the one that takes writes.
func (s *Server) URL(database string, standbys ...*Server) string {
	hosts := []string{s.folder}
	for _, o := range standbys {
		hosts = append(hosts, o.folder)
	}
	q := url.Values{"host": {strings.Join(hosts, ",")}}
	if len(standbys) > 0 {
		q.Set("target_session_attrs", "read-write")
	}
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + database, RawQuery: q.Encode()}).String()
}

// Database creates an empty database and returns its name for [Server.URL]. It
// stays as long as the server.
func (s *Server) Database(ctx context.Context) (string, error) {
	return createDatabase(ctx, s.URL("postgres"))
}

// Run runs the server that Stop or Crash ended, and returns when it accepts
// connections. A server that runs already is an error. If the context ends
// before, the server goes on starting: Stop or Crash it.
func (s *Server) Run(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running.alive() {
		return errors.New("the server runs already")
	}
	log, err := os.OpenFile(s.log(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := s.command(context.Background(), "postgres", s.arguments()...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	r := &running{process: cmd.Process, ended: make(chan struct{})}
	s.running = r
	go func() { // ends with the process, for which Stop, Crash and remove wait
		r.err = cmd.Wait()
		close(r.ended)
	}()
	return s.ready(ctx, r)
}

// ready waits until connections are accepted. Nothing tells of that moment, so
// it tries.
func (s *Server) ready(ctx context.Context, r *running) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		err := connected(ctx, s.URL("postgres"), func(c *pgx.Conn) error { return c.Ping(ctx) })
		if err == nil {
			return nil
		}
		select {
		case <-r.ended:
			return s.logged(fmt.Errorf("the server ended: %w", r.err))
		case <-ctx.Done():
			return s.logged(errors.Join(ctx.Err(), err))
		case <-again.C:
		}
	}
}

// arguments of the server's main process. Settings among them override those of
// files, which a standby has from its primary.
func (s *Server) arguments() []string {
	settings := map[string]string{
		"listen_addresses":        "",
		"unix_socket_directories": s.folder,
		"max_connections":         "300",
		"lc_messages":             "C",
		"log_destination":         "stderr",
		"logging_collector":       "off",
		// Plans should not depend on when it comes by: of a table that it has found
		// empty PostgreSQL thinks as empty, and keeps the plans that it made so.
		"autovacuum": "off",
	}
	if !s.config.Fsync {
		settings["fsync"], settings["full_page_writes"] = "off", "off"
	}
	for k, v := range s.config.Settings {
		settings[k] = v
	}
	arguments := []string{"-D", s.data()}
	for k, v := range settings {
		arguments = append(arguments, "-c", k+"="+v)
	}
	return arguments
}

// Stop ends the connections and then the server, in good order. A server that
// does not run is left alone.
func (s *Server) Stop(ctx context.Context) error { return s.end(ctx, fast) }

// Crash ends the server at once, as pg_ctl stop -m immediate does: connections
// break, nothing is written any more, and the next Run recovers from the log.
// A server that does not run is left alone.
func (s *Server) Crash(ctx context.Context) error { return s.end(ctx, immediate) }

// Restart is Crash and Run.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Crash(ctx); err != nil {
		return err
	}
	return s.Run(ctx)
}

// Terminate breaks all clients' connections to a database, as an administrator
// does with pg_terminate_backend, and returns how many there were.
func (s *Server) Terminate(ctx context.Context, database string) (int, error) {
	return query[int](ctx, s.URL("postgres"), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = $1 AND backend_type = 'client backend' AND pid <> pg_backend_pid()`, database)
}

func (s *Server) end(ctx context.Context, how os.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.running
	if !r.alive() {
		return nil
	}
	if err := r.process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-r.ended:
		return nil
	case <-ctx.Done():
		return s.logged(fmt.Errorf("the server goes on: %w", ctx.Err()))
	}
}

// remove ends the server for good and removes its folder.
func (s *Server) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := s.Crash(ctx)
	return errors.Join(err, s.guard.dismiss(), os.RemoveAll(s.folder))
}

// execute runs a program of PostgreSQL to its end; its words go into the error.
func (s *Server) execute(ctx context.Context, program string, arguments ...string) error {
	out, err := s.command(ctx, program, arguments...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

func (s *Server) command(ctx context.Context, program string, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.programs, program), arguments...)
	cmd.Dir = s.folder // the tests' own may be closed to the account
	cmd.SysProcAttr = s.account.process()
	// Variables such as PGHOST and PGOPTIONS are for clients of other servers.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PG") })
	cmd.Env = append(cmd.Env, "LC_ALL=C")
	return cmd
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }
func (s *Server) log() string  { return filepath.Join(s.folder, "log") }

// logged adds the last lines of the server's log to an error.
func (s *Server) logged(err error) error {
	text, readErr := os.ReadFile(s.log())
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Errorf("%w\nits log:\n%s", err, strings.Join(lines[max(0, len(lines)-20):], "\n"))
}
