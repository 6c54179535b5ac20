// Package sqlitestore keeps the records of usermgmt in an SQLite file, through
// a driver in pure Go.
//
//	s, err := sqlitestore.Open(ctx, "/var/lib/app/users.db", nil)
//	if err != nil {
//		return err
//	}
//	defer s.Close()
//
// # Durability
//
// The file is in WAL mode with synchronous=FULL: what Update has returned nil
// for is on disk and survives a loss of power. Units that run at the same time
// share one transaction and one sync (a group); of a unit that fails nothing is
// left, and the others do not learn of it. Only an error that costs SQLite its
// transaction (a full disk, a failing one) is shared by the whole group. The
// commit of a unit begins when its function has returned: a context that is
// done later no longer stops it.
//
// # Where and how often a unit runs
//
// The function given to Update runs on its caller's goroutine if nobody else
// writes, and else on one that runs the units of many callers: do not rely on
// goroutine labels, or on the stack. What it panics with is raised again in the
// caller's goroutine, and if it ends its goroutine (as t.FailNow does), the
// caller's is ended.
//
// A unit runs again, from its start and with a new Tx, if another one of its
// group fails after it has written. It never runs more than twice: the units
// after such a failure are run in a way that is slower and takes back one alone.
//
// # Sharing the file
//
// Any number of processes of one machine, and any number of Stores in one
// process, may have the file open. Each sees the others' commits at once.
// Network file systems do not carry WAL mode.
//
// The file may be the host's own database: tables get a prefix, and neither the
// host's tables nor its user_version are touched. A new file is marked with
// this package's application id and made readable by its owner alone. A file
// marked by another application is refused with [store.ErrSchema] and left as
// it is, and so is a file that is not SQLite's or that a newer release has
// written. Code of the host must not open the file other than through SQLite:
// closing a descriptor of it would end the locks of this process. Once the file
// is no longer under its name, because it or its folder was removed, moved or
// replaced, writes fail with [store.ErrReadOnly]: nobody would find them.
package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/usermgmt-go/usermgmt/internal/gate"
	"github.com/usermgmt-go/usermgmt/store"
)

// Synchronous says when a commit counts as done.
type Synchronous uint8

const (
	// Full syncs every commit to disk before it counts.
	Full Synchronous = iota
	// Normal leaves that to the operating system: commits survive the end of
	// the process, and the last ones may be lost with the power. The file
	// stays consistent.
	Normal
)

// Options adjust a Store. Zero values mean the defaults.
type Options struct {
	// TablePrefix begins the names of all tables and indexes; "usermgmt_" by
	// default. It is [A-Za-z_][A-Za-z0-9_]{0,31}; SQLite does not tell upper
	// from lower case in it.
	TablePrefix string
	// Readers is the number of connections for reading, that is of Views at a
	// time; the number of processors by default, within 2 to 4.
	Readers int
	// BusyTimeout is how long a write waits for another process before it
	// fails with [store.ErrBusy]; 5 seconds by default.
	BusyTimeout time.Duration
	// Synchronous is Full by default.
	Synchronous Synchronous
	// MMapSize is how many bytes of the file are read through a memory mapping;
	// none by default. Reads of a file of gigabytes gain about a third. In
	// exchange an I/O error in the mapped part, or somebody who truncates the
	// file, ends the process with SIGBUS instead of giving an error.
	MMapSize int64
	// GroupLimit is the greatest number of units in one transaction; 256 by default.
	GroupLimit int
	// ApplicationID is the host's own SQLite application id, if its file has
	// one: such a file is then accepted too.
	ApplicationID int32
}

func (o *Options) complete() error {
	if o.TablePrefix == "" {
		o.TablePrefix = "usermgmt_"
	}
	if len(o.TablePrefix) > 32 {
		return invalid("TablePrefix", "must have at most 32 bytes")
	}
	for i, c := range []byte(o.TablePrefix) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', '0' <= c && c <= '9' && i > 0:
		default:
			return invalid("TablePrefix", "must be a letter or '_', then letters, digits and '_'")
		}
	}
	if strings.HasPrefix(strings.ToLower(o.TablePrefix), "sqlite_") {
		return invalid("TablePrefix", "must not be SQLite's own")
	}
	if o.Readers == 0 {
		o.Readers = min(max(runtime.NumCPU(), 2), 4)
	}
	if o.BusyTimeout == 0 {
		o.BusyTimeout = 5 * time.Second
	}
	if o.GroupLimit == 0 {
		o.GroupLimit = 256
	}
	switch {
	case o.Readers < 0:
		return invalid("Readers", "must not be negative")
	case o.BusyTimeout < 0:
		return invalid("BusyTimeout", "must not be negative")
	case o.GroupLimit < 0:
		return invalid("GroupLimit", "must not be negative")
	case o.MMapSize < 0:
		return invalid("MMapSize", "must not be negative")
	case o.Synchronous > Normal:
		return invalid("Synchronous", "must be Full or Normal")
	}
	return nil
}

// dsn names the file and what every connection sets, and more.
func (o *Options) dsn(path string, more ...string) string {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // C:/…
	}
	params := append([]string{
		fmt.Sprintf("_busy_timeout=%d", max(o.BusyTimeout.Milliseconds(), 1)),
		"_dqs=0",
		fmt.Sprintf("_pragma=mmap_size(%d)", o.MMapSize),
	}, more...)
	return "file://" + (&url.URL{Path: p}).EscapedPath() + "?" + strings.Join(params, "&")
}

// Store is a [store.Store] on an SQLite file. It has a goroutine of its own only
// while Updates run at the same time.
type Store struct {
	gate        gate.Gate
	writer      writer
	readers     chan *conn
	generations generations
}

var _ store.Store = (*Store)(nil)

// Open opens the file, making and migrating it as needed; nil options mean the
// defaults. It waits up to BusyTimeout for other processes that do the same.
// Without the folder that the file is to be in, the error is [fs.ErrNotExist].
// There is no ":memory:": package memstore is for that.
func Open(ctx context.Context, path string, opts *Options) (*Store, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	if path == "" || path == ":memory:" || strings.HasPrefix(path, "file:") {
		return nil, invalid("path", "must be the path of a file")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// The WAL and its index are beside the file itself, not beside a link to it.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if err := o.probe(path); err != nil {
		return nil, err
	}
	create(path)
	s := &Store{readers: make(chan *conn, o.Readers)}
	if err := s.open(ctx, path, &o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string, o *Options) error {
	sync := map[Synchronous]string{Full: "FULL", Normal: "NORMAL"}[o.Synchronous]
	w, err := connect(ctx, o, o.dsn(path, "_journal_mode=WAL", "_synchronous="+sync, "_txlock=immediate",
		"_pragma=journal_size_limit(67108864)", "_pragma=cache_size(-8192)"))
	if err != nil {
		return err
	}
	s.writer = writer{conn: w, limit: o.GroupLimit, patience: o.BusyTimeout, ranks: rankLimits()}
	row, err := w.first("PRAGMA journal_mode")
	if err != nil {
		return err
	}
	if mode := text(row[0]); mode != "wal" {
		return fmt.Errorf("sqlitestore: the file system does not allow WAL mode (it is %q)", mode)
	}
	if err := o.migrate(ctx, w); err != nil {
		return err
	}
	if _, err := w.first(fmt.Sprintf("PRAGMA busy_timeout = %d", turn.Milliseconds())); err != nil {
		return err
	}
	for range o.Readers {
		c, err := connect(ctx, o, o.dsn(path, "_journal_mode=WAL", "_synchronous="+sync, "_query_only=1", "_pragma=cache_size(-4096)"))
		if err != nil {
			return err
		}
		s.readers <- c
		if _, err := c.first("SELECT 1 FROM {schema}"); err != nil {
			return err
		}
	}
	if s.writer.home, err = homeOf(path); err != nil {
		return err
	}
	s.generations.seed = maphash.MakeSeed()
	s.generations.index = findWalIndex(path)
	return nil
}

// turn is how long SQLite waits for another process at a time; the writer asks
// it again until its own patience is at an end. SQLite itself would ask ever
// more rarely, so that who has waited longest is overtaken by all who have just
// come: of eight processes that write all the time, one waited for 9 seconds.
const turn = 2 * time.Millisecond

// home is the file that was opened under a name.
type home struct {
	path string
	file fs.FileInfo
}

func homeOf(path string) (home, error) {
	file, err := os.Stat(path)
	return home{path, file}, err
}

// check refuses to write to a file that is no longer under its name. SQLite
// itself looks after that only where it has a rollback journal.
func (h home) check() error {
	if now, err := os.Stat(h.path); err != nil || !os.SameFile(h.file, now) {
		return fmt.Errorf("sqlitestore: %w: the file has been removed, moved or replaced since it was opened", store.ErrReadOnly)
	}
	return nil
}

// connect opens a connection. SQLite does not wait for other processes in all
// of that, so it is tried until the timeout.
func connect(ctx context.Context, o *Options, dsn string) (*conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.BusyTimeout, store.ErrBusy)
	defer cancel()
	for {
		c, err := openConn(dsn, names(o.TablePrefix))
		if err == nil {
			return c, nil
		}
		if err = translate(err); !errors.Is(err, store.ErrBusy) {
			return nil, err
		}
		again := time.NewTimer(5 * time.Millisecond)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return nil, context.Cause(ctx)
		}
	}
}

// reader takes a connection for reading; release gives it back.
func (s *Store) reader(ctx context.Context) (*conn, error) {
	select {
	case c := <-s.readers:
		return c, nil
	default:
	}
	select {
	case c := <-s.readers:
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Store) release(c *conn) {
	c.release()
	s.readers <- c
}

// View runs fn on a snapshot as of its first read. It does not wait for writers, but
// for other Views when there are as many as the store has readers, so fn must
// not call View itself.
func (s *Store) View(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	if err := realm.Check(); err != nil {
		return err
	}
	if !s.gate.Enter() {
		return store.ErrClosed
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := s.reader(ctx)
	if err != nil {
		return err
	}
	defer s.release(c)
	c.viewing = true
	r := s.newViewer(c, realm)
	defer r.ended.Store(true)
	return fn(r)
}

// Update runs fn as one unit of work, on whatever goroutine, and possibly twice;
// see the package comment.
func (s *Store) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	if err := realm.Check(); err != nil {
		return err
	}
	if !s.gate.Enter() {
		return store.ErrClosed
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.writer.run(ctx, realm, fn)
}

// Close waits for running units and closes the file.
func (s *Store) Close() error {
	if !s.gate.Close() {
		return nil
	}
	s.writer.server.Wait()
	var errs []error
	for len(s.readers) > 0 {
		errs = append(errs, (<-s.readers).close())
	}
	if s.writer.conn != nil {
		errs = append(errs, s.writer.conn.close())
	}
	return errors.Join(errs...)
}
