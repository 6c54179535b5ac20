package sqlitestore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// hold runs a unit that keeps its turn until the returned function is called,
// which then waits for the unit and returns its error.
func hold(t *testing.T, s *Store, fn func(store.Tx) error) (release func() error) {
	t.Helper()
	running, end, result := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		result <- s.Update(context.Background(), "main", func(tx store.Tx) error {
			err := fn(tx)
			once.Do(func() { close(running) }) // the unit may run again
			<-end
			return err
		})
	}()
	<-running
	return func() error {
		close(end)
		return <-result
	}
}

// queued waits until n units wait for their turn.
func queued(s *Store, n int) {
	for {
		s.writer.mu.Lock()
		k := len(s.writer.queue)
		s.writer.mu.Unlock()
		if k == n {
			return
		}
		runtime.Gosched()
	}
}

func creates(t *testing.T, i int) func(store.Tx) error {
	return func(tx store.Tx) error { return createWithEvent(t.Context(), tx, benchUser(i)) }
}

func present(t *testing.T, s *Store, i int) bool {
	t.Helper()
	err := s.View(context.Background(), "main", func(r store.Reader) error {
		_, err := r.User(context.Background(), benchUser(i).ID)
		return err
	})
	if err != nil {
		require.ErrorIs(t, err, store.ErrNotFound)
	}
	return err == nil
}

func TestUnitsThatQueueShareOneCommit(t *testing.T) {
	t.Parallel()
	const n = 40
	s, _ := newStore(t, nil)
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 1000)))
	release := hold(t, s, creates(t, n))
	begun := s.writer.begun
	bad := errors.New("bad unit")
	cancelled, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		group.Go(func() {
			switch i {
			case 3: // fails after it has written, and has had all counts written
				errs[i] = s.Update(t.Context(), "main", func(tx store.Tx) error {
					_, err := tx.CountUsers(t.Context(), store.UserQuery{})
					return errors.Join(creates(t, i)(tx), err, bad)
				})
			case 7: // panics
				defer func() { errs[i] = fmt.Errorf("%v", recover()) }()
				_ = s.Update(t.Context(), "main", func(tx store.Tx) error {
					require.NoError(t, creates(t, i)(tx))
					panic("bad unit")
				})
			case 11: // ends its goroutine
				errs[i] = bad
				_ = s.Update(t.Context(), "main", func(tx store.Tx) error {
					require.NoError(t, creates(t, i)(tx))
					runtime.Goexit()
					return nil
				})
			case 15: // is cancelled while it waits
				errs[i] = s.Update(cancelled, "main", creates(t, i))
			case 19: // is cancelled while it runs
				ctx, cancel := context.WithCancel(t.Context())
				errs[i] = s.Update(ctx, "main", func(tx store.Tx) error { defer cancel(); return creates(t, i)(tx) })
			case 23: // is refused, and goes on
				errs[i] = s.Update(t.Context(), "main", func(tx store.Tx) error {
					require.ErrorIs(t, creates(t, 1000)(tx), store.ErrExists)
					return creates(t, i)(tx)
				})
			default:
				errs[i] = s.Update(t.Context(), "main", creates(t, i))
			}
		})
	}
	queued(s, n)
	cancel()
	queued(s, n-1)
	require.NoError(t, release())
	group.Wait()

	require.EqualValues(t, 1, s.writer.begun-begun, "the units run again once, and then with savepoints")
	require.ErrorIs(t, errs[3], bad)
	require.EqualError(t, errs[7], "bad unit")
	require.ErrorIs(t, errs[15], context.Canceled)
	require.ErrorIs(t, errs[19], context.Canceled)
	failed := map[int]bool{3: true, 7: true, 11: true, 15: true, 19: true}
	for i := range n + 1 {
		require.Equal(t, !failed[i], present(t, s, i), "user %d", i)
		if i < n && !failed[i] {
			require.NoError(t, errs[i], "unit %d", i)
		}
	}
	require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
		es, err := r.Events(t.Context(), 0, 1000)
		require.NoError(t, err)
		require.Len(t, es, n+2-len(failed))
		k, err := r.CountUsers(t.Context(), store.UserQuery{})
		require.EqualValues(t, len(es), k)
		return err
	}))
}

// endsOnceRun is a context that ends when its unit has been run, at the moment
// at which the unit's caller begins to wait for either.
type endsOnceRun struct {
	context.Context
	end func()
}

func (c endsOnceRun) Done() <-chan struct{} {
	c.end()
	return c.Context.Done()
}

// A context that ends once its unit is run does not change the outcome.
func TestContextThatEndsAfterTheUnit(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	w := &s.writer
	for i := range 64 { // of the two events, either may be seen first
		w.mu.Lock()
		w.busy = true
		w.mu.Unlock()
		var first sync.WaitGroup
		first.Go(func() { require.NoError(t, s.Update(context.Background(), "main", creates(t, 2*i))) })
		queued(s, 1)
		ctx, cancel := context.WithCancel(t.Context())
		ends := endsOnceRun{ctx, sync.OnceFunc(func() { w.serve(); cancel() })}
		require.NoError(t, w.run(ends, "main", creates(t, 2*i+1)))
		first.Wait()
		require.True(t, present(t, s, 2*i+1))
		w.mu.Lock()
		busy := w.busy
		w.mu.Unlock()
		require.False(t, busy, "nobody has the turn, and nobody can get it")
	}
}

func TestGroupLimit(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, &Options{GroupLimit: 4})
	release := hold(t, s, creates(t, 0))
	begun := s.writer.begun
	var group sync.WaitGroup
	for i := range 11 {
		group.Go(func() { require.NoError(t, s.Update(t.Context(), "main", creates(t, i+1))) })
	}
	queued(s, 11)
	require.NoError(t, release())
	group.Wait()
	require.EqualValues(t, 2, s.writer.begun-begun, "twelve units by four are three transactions")
}

// A commit that fails fails for all, and leaves nothing of any.
func TestFailedCommitIsEveryMembersError(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	for _, q := range []string{
		"PRAGMA foreign_keys = ON",
		"CREATE TABLE parent (id INTEGER PRIMARY KEY)",
		"CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
	} {
		_, err := s.writer.conn.exec(q)
		require.NoError(t, err)
	}
	release := hold(t, s, creates(t, 0))
	var group sync.WaitGroup
	errs := make([]error, 5)
	for i := range errs {
		group.Go(func() {
			errs[i] = s.Update(t.Context(), "main", func(x store.Tx) error {
				if i == 2 {
					if _, err := x.(*tx).db.exec("INSERT INTO child VALUES (1)"); err != nil {
						return err
					}
				}
				return creates(t, i+1)(x)
			})
		})
	}
	queued(s, len(errs))
	require.Error(t, release())
	group.Wait()
	for i, err := range errs {
		require.Error(t, err, "unit %d", i)
		require.False(t, present(t, s, i+1))
	}
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 1)))
	require.True(t, present(t, s, 1))
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 0)))
	row, err := s.writer.conn.first("PRAGMA page_count")
	require.NoError(t, err)
	_, err = s.writer.conn.first(fmt.Sprintf("PRAGMA max_page_count = %d", number(row[0])+2))
	require.NoError(t, err)

	release := hold(t, s, creates(t, 1))
	result := make(chan error, 1)
	go func() {
		result <- s.Update(t.Context(), "main", func(tx store.Tx) error {
			for i := range 10_000 {
				if err := creates(t, i+2)(tx); err != nil {
					// SQLite may have ended the transaction: nothing goes on.
					_, again := tx.User(t.Context(), benchUser(0).ID)
					require.ErrorIs(t, again, store.ErrFull)
					return nil
				}
			}
			return nil
		})
	}()
	queued(s, 1)
	require.ErrorIs(t, release(), store.ErrFull)
	require.ErrorIs(t, <-result, store.ErrFull)
	require.True(t, present(t, s, 0), "reads go on")
	require.False(t, present(t, s, 1))
	require.False(t, present(t, s, 2))

	_, err = s.writer.conn.first("PRAGMA max_page_count = 1000000")
	require.NoError(t, err)
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 1)))
	require.True(t, present(t, s, 1))
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 0)))
	_, err := s.writer.conn.exec("PRAGMA query_only = ON")
	require.NoError(t, err)
	require.ErrorIs(t, s.Update(t.Context(), "main", creates(t, 1)), store.ErrReadOnly)
	require.True(t, present(t, s, 0))
}

// other begins to write to the file as another program would, until the
// returned function is called.
func other(t *testing.T, path string) (end func()) {
	t.Helper()
	c, err := openConn("file://"+path+"?_busy_timeout=5000", names(""))
	require.NoError(t, err)
	_, err = c.exec("BEGIN IMMEDIATE")
	require.NoError(t, err)
	return func() {
		_, err := c.exec("ROLLBACK")
		require.NoError(t, err)
		require.NoError(t, c.close())
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	s, path := newStore(t, &Options{BusyTimeout: 30 * time.Millisecond})
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 0)))
	end := other(t, path)
	var group sync.WaitGroup
	for range 5 { // one waits for the file, the others for their turn too
		group.Go(func() {
			if err := s.Update(t.Context(), "main", creates(t, 1)); !errors.Is(err, store.ErrBusy) {
				t.Errorf("Update beside another writer: got error %v, want ErrBusy", err)
			}
		})
	}
	group.Wait()
	require.True(t, present(t, s, 0), "readers do not wait")
	end()
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 1)))
}

func TestWaitForAnotherProcessEndsWithTheContext(t *testing.T) {
	t.Parallel()
	s, path := newStore(t, &Options{BusyTimeout: time.Hour})
	end := other(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Update(ctx, "main", creates(t, 0)), context.DeadlineExceeded)
	end()
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 0)))
}

func TestReadersDoNotWaitForAnOpenUnit(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 0)))
	release := hold(t, s, creates(t, 1))
	require.True(t, present(t, s, 0))
	require.False(t, present(t, s, 1))
	_, err := s.Generation(t.Context(), "main")
	require.NoError(t, err)
	require.NoError(t, release())
	require.True(t, present(t, s, 1))
}

// TestViewIsASnapshotFromItsFirstRead: whatever the first read is, and whether it
// finds anything, what is committed after it is not seen, not even by the same
// read again.
func TestViewIsASnapshotFromItsFirstRead(t *testing.T) {
	t.Parallel()
	reads := map[string]func(ctx context.Context, r store.Reader, id store.UserID) (int, error){
		"user": func(ctx context.Context, r store.Reader, id store.UserID) (int, error) {
			_, err := r.User(ctx, id)
			if errors.Is(err, store.ErrNotFound) {
				return 0, nil
			}
			return 1, err
		},
		"list": func(ctx context.Context, r store.Reader, _ store.UserID) (int, error) {
			us, err := r.Users(ctx, store.UserQuery{Limit: 10})
			return len(us), err
		},
		"count": func(ctx context.Context, r store.Reader, _ store.UserID) (int, error) {
			n, err := r.CountUsers(ctx, store.UserQuery{})
			return int(n), err
		},
		"generation": func(ctx context.Context, r store.Reader, _ store.UserID) (int, error) {
			n, err := r.Generation(ctx)
			return int(n), err
		},
	}
	for first, read := range reads {
		for _, found := range []int{0, 1} { // the user that is asked for first
			t.Run(fmt.Sprintf("%s_%d", first, found), func(t *testing.T) {
				t.Parallel()
				s, _ := newStore(t, nil)
				ctx := t.Context()
				require.NoError(t, s.Update(ctx, "main", creates(t, 1)))
				require.NoError(t, s.View(ctx, "main", func(r store.Reader) error {
					before, err := read(ctx, r, benchUser(found).ID)
					require.NoError(t, err)
					for again := range 2 {
						require.NoError(t, s.Update(ctx, "main", func(tx store.Tx) error {
							if again == 0 {
								return tx.DeleteUser(ctx, benchUser(1).ID)
							}
							return tx.CreateUser(ctx, benchUser(0))
						}))
						got, err := read(ctx, r, benchUser(found).ID)
						require.NoError(t, err)
						require.Equal(t, before, got, "the same read again")
						for name, other := range reads {
							got, err := other(ctx, r, benchUser(1).ID)
							require.NoError(t, err)
							require.True(t, name == "generation" || got == 1, "%s sees %d", name, got)
						}
					}
					return nil
				}))
				require.True(t, present(t, s, 0))
				require.False(t, present(t, s, 1))
			})
		}
	}
}

func TestCloseWaitsForUnits(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	release := hold(t, s, creates(t, 0))
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	for !s.gate.Closed() {
		runtime.Gosched()
	}
	require.ErrorIs(t, s.Update(t.Context(), "main", creates(t, 1)), store.ErrClosed)
	require.ErrorIs(t, s.View(t.Context(), "main", func(store.Reader) error { return nil }), store.ErrClosed)
	_, err := s.Generation(t.Context(), "main")
	require.ErrorIs(t, err, store.ErrClosed)
	select {
	case <-closed:
		require.Fail(t, "closed with a unit running")
	default:
	}
	require.NoError(t, release())
	require.NoError(t, <-closed)
	require.NoError(t, s.Close())
}
