package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/usermgmt-go/usermgmt/store"
	"github.com/usermgmt-go/usermgmt/store/storetest"
)

// hostOf opens the file as a host does, with settings of modernc.org/sqlite.
func hostOf(t testing.TB, path, settings string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"+settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func begin(t testing.TB, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(context.Background(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

func TestIn(t *testing.T) {
	t.Parallel()
	storetest.RunJoined(t, func(t testing.TB) storetest.Joined {
		s, path := newStore(t, &Options{Synchronous: Normal, Readers: 1})
		tx := begin(t, hostOf(t, path, "&_txlock=immediate&_pragma=synchronous(OFF)"))
		return storetest.Joined{Store: In(tx, nil), Outside: s, Commit: tx.Commit, Rollback: tx.Rollback}
	})
}

func addUser(ctx context.Context, s store.Store, id string) error {
	return s.Update(ctx, "main", func(tx store.Tx) error {
		return tx.CreateUser(ctx, store.User{ID: store.UserID(id), Username: id, UsernameKey: id, CreatedBy: "host"})
	})
}

// everybody returns the ids of the realm's users.
func everybody(t testing.TB, s store.Store) []string {
	t.Helper()
	var ids []string
	require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
		ids = nil
		us, err := r.Users(t.Context(), store.UserQuery{Limit: 100})
		for _, u := range us {
			ids = append(ids, string(u.ID))
		}
		return err
	}))
	return ids
}

func TestIn_tables(t *testing.T) {
	t.Parallel()
	s, path := newStore(t, nil)
	db := hostOf(t, path, "")
	for name, c := range map[string]struct {
		opts   *Options
		before string
		want   error
	}{
		"those_of_Open":           {nil, "", nil},
		"another_prefix":          {&Options{TablePrefix: "other_"}, "", store.ErrSchema},
		"malformed_prefix":        {&Options{TablePrefix: "a b"}, "", store.ErrInvalid},
		"of_a_newer_release":      {nil, "INSERT INTO usermgmt_schema VALUES (999, 0)", store.ErrSchema},
		"of_a_release_unfinished": {nil, "DELETE FROM usermgmt_schema", store.ErrSchema},
	} {
		t.Run(name, func(t *testing.T) {
			tx := begin(t, db) // rolled back at the end, so not in parallel
			_, err := tx.Exec(c.before)
			require.NoError(t, err)
			in := In(tx, c.opts)
			require.ErrorIs(t, in.View(t.Context(), "main", func(store.Reader) error { return nil }), c.want)
			require.ErrorIs(t, addUser(t.Context(), in, "a"), c.want)
			require.NoError(t, tx.Rollback())
		})
	}
	require.Empty(t, everybody(t, s))
}

// A transaction that has read is too old to write once others have committed.
// It is refused, and goes on as it was.
func TestIn_deferred(t *testing.T) {
	t.Parallel()
	s, path := newStore(t, nil)
	db := hostOf(t, path, "")
	ctx := t.Context()

	first := begin(t, db)
	require.NoError(t, addUser(ctx, s, "a"))
	require.NoError(t, addUser(ctx, In(first, nil), "b"), "the first use of a deferred transaction")
	require.NoError(t, first.Commit())

	late := begin(t, db)
	in := In(late, nil)
	require.Equal(t, []string{"a", "b"}, everybody(t, in))
	require.NoError(t, addUser(ctx, s, "c"))
	require.ErrorIs(t, addUser(ctx, in, "d"), store.ErrBusy)
	require.Equal(t, []string{"a", "b"}, everybody(t, in))
	require.NoError(t, late.Commit())
	require.Equal(t, []string{"a", "b", "c"}, everybody(t, s))
}

// Others wait for the transaction as for any writer, and no longer than until
// its end; readers do not wait.
func TestIn_beside_others(t *testing.T) {
	t.Parallel()
	s, path := newStore(t, nil)
	impatient := openStore(t, path, &Options{BusyTimeout: 20 * time.Millisecond})
	ctx := t.Context()
	tx := begin(t, hostOf(t, path, ""))
	require.NoError(t, addUser(ctx, In(tx, nil), "joined"))

	var others sync.WaitGroup
	entered := make(chan struct{}, 8)
	errs := make([]error, 8)
	for i := range errs {
		others.Go(func() {
			entered <- struct{}{}
			errs[i] = addUser(ctx, s, fmt.Sprint("other-", i))
		})
	}
	for range errs {
		<-entered
	}
	require.ErrorIs(t, addUser(ctx, impatient, "late"), store.ErrBusy)
	require.Empty(t, everybody(t, s))
	require.NoError(t, tx.Commit())
	others.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Len(t, everybody(t, s), 9)
}

// The host's own rows and cursors live beside the units.
func TestIn_host_reads_on(t *testing.T) {
	t.Parallel()
	s, path := newStore(t, nil)
	db := hostOf(t, path, "")
	_, err := db.Exec("CREATE TABLE orders (customer TEXT); INSERT INTO orders VALUES ('a'), ('b'), ('c')")
	require.NoError(t, err)
	tx := begin(t, db)
	in := In(tx, nil)
	rows, err := tx.Query("SELECT customer FROM orders ORDER BY customer")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var id string
		require.NoError(t, rows.Scan(&id))
		err := in.Update(t.Context(), "main", func(x store.Tx) error {
			require.NoError(t, x.CreateUser(t.Context(), store.User{ID: store.UserID(id), Username: id, UsernameKey: id, CreatedBy: "host"}))
			if id == "b" {
				return errStop
			}
			return nil
		})
		require.True(t, err == nil || id == "b" && err == errStop, "Update for %s: %v", id, err)
	}
	require.NoError(t, rows.Err())
	require.NoError(t, tx.Commit())
	require.Equal(t, []string{"a", "c"}, everybody(t, s))
}

func TestIn_read_only(t *testing.T) {
	t.Parallel()
	s, path := newStore(t, nil)
	require.NoError(t, addUser(t.Context(), s, "a"))
	in := In(begin(t, hostOf(t, path, "&_pragma=query_only(1)")), nil)
	require.Equal(t, []string{"a"}, everybody(t, in))
	require.ErrorIs(t, addUser(t.Context(), in, "b"), store.ErrReadOnly)
	require.Equal(t, []string{"a"}, everybody(t, in))
}

// What ends the transaction in any other way than by Commit and Rollback leaves
// nothing of it, and a handle with which nothing can be committed unawares.
func TestIn_lost(t *testing.T) {
	t.Parallel()
	write := func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO orders VALUES ('late')")
		return err
	}
	for name, lose := range map[string]func(t *testing.T, tx *sql.Tx, in store.Store, cancel func()){
		"by_a_full_disk": func(t *testing.T, tx *sql.Tx, in store.Store, _ func()) {
			_, err := tx.Exec("PRAGMA max_page_count = 1") // which SQLite makes as many as there are
			require.NoError(t, err)
			err = in.Update(t.Context(), "main", func(x store.Tx) error {
				var err error
				for i := range 10_000 {
					id := fmt.Sprint(i)
					u := store.User{ID: store.UserID(id), Username: id, UsernameKey: id, LastName: strings.Repeat("x", 90), CreatedBy: "host"}
					if err = x.CreateUser(t.Context(), u); err != nil {
						require.ErrorIs(t, err, store.ErrFull)
						require.ErrorIs(t, x.AppendEvent(t.Context(), store.Event{Actor: "host", Action: "a.b", Object: "c:d"}), store.ErrFull)
						break
					}
				}
				return err
			})
			require.ErrorIs(t, err, store.ErrFull)
		},
		"by_a_statement_of_the_hosts": func(t *testing.T, tx *sql.Tx, in store.Store, _ func()) {
			_, err := tx.Exec("ROLLBACK")
			require.NoError(t, err)
			require.ErrorIs(t, addUser(t.Context(), in, "late"), store.ErrDone)
		},
		"by_the_end_of_its_savepoint": func(t *testing.T, tx *sql.Tx, in store.Store, _ func()) {
			_, err := tx.Exec("SAVEPOINT hosts")
			require.NoError(t, err)
			err = in.Update(t.Context(), "main", func(x store.Tx) error {
				_, err := tx.Exec("ROLLBACK TO hosts")
				require.NoError(t, err)
				return x.CreateUser(t.Context(), store.User{ID: "late", Username: "late", UsernameKey: "late", CreatedBy: "host"})
			})
			require.Error(t, err)
		},
		"by_its_context": func(t *testing.T, tx *sql.Tx, in store.Store, cancel func()) {
			err := in.Update(t.Context(), "main", func(x store.Tx) error {
				cancel()
				for { // database/sql ends it in a goroutine of its own
					if _, err := x.User(t.Context(), "early"); err != nil {
						require.ErrorIs(t, err, store.ErrDone)
						return err
					}
					runtime.Gosched()
				}
			})
			require.ErrorIs(t, err, store.ErrDone)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, path := newStore(t, nil)
			db := hostOf(t, path, "")
			_, err := db.Exec("CREATE TABLE orders (customer TEXT)")
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tx, err := db.BeginTx(ctx, nil)
			require.NoError(t, err)
			defer tx.Rollback()
			in := In(tx, nil)
			require.NoError(t, write(tx))
			require.NoError(t, addUser(t.Context(), in, "early"))
			lose(t, tx, in, cancel)
			require.ErrorIs(t, addUser(t.Context(), in, "late"), store.ErrDone)
			require.ErrorIs(t, in.View(t.Context(), "main", func(store.Reader) error { return nil }), store.ErrDone)
			require.ErrorIs(t, write(tx), sql.ErrTxDone)
			require.ErrorIs(t, tx.Commit(), sql.ErrTxDone)
			require.Empty(t, everybody(t, s))
			var n int
			require.NoError(t, db.QueryRow("SELECT count(*) FROM orders").Scan(&n))
			require.Zero(t, n)
		})
	}
}

// The context of a transaction and of its unit is mostly the same one.
func TestIn_context_of_both(t *testing.T) {
	t.Parallel()
	s, path := newStore(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	tx, err := hostOf(t, path, "").BeginTx(ctx, nil)
	require.NoError(t, err)
	err = In(tx, nil).Update(ctx, "main", func(x store.Tx) error {
		err := x.CreateUser(ctx, store.User{ID: "a", Username: "a", UsernameKey: "a", CreatedBy: "host"})
		cancel()
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, everybody(t, s))
}

// What other drivers call their errors.
type (
	methodError struct{ code methodCode }
	methodCode  uint8
	fieldError  struct {
		Code         fieldCode
		ExtendedCode int
	}
	fieldCode int
)

func (e *methodError) Error() string    { return "as of ncruces/go-sqlite3" }
func (e *methodError) Code() methodCode { return e.code }
func (e fieldError) Error() string      { return "as of mattn/go-sqlite3" }

func TestForeignErrors(t *testing.T) {
	t.Parallel()
	for _, err := range []error{&methodError{sqlite3.SQLITE_FULL}, fieldError{sqlite3.SQLITE_FULL, 0}, &fieldError{sqlite3.SQLITE_FULL, 0}} {
		require.ErrorIs(t, translate(fmt.Errorf("wrapped: %w", err)), store.ErrFull, "%T", err)
	}
	require.True(t, isConstraint(fieldError{sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_CONSTRAINT_UNIQUE}))
	require.True(t, isConstraint(&methodError{sqlite3.SQLITE_CONSTRAINT}))
	require.Zero(t, code(context.Canceled))
	require.Zero(t, code(errors.Join(nil)))
	require.Zero(t, code(&store.InvalidError{}))
	require.Equal(t, "a", text([]byte("a")))
}

// BenchmarkIn is a unit of a host's transaction that creates a user.
func BenchmarkIn(b *testing.B) {
	_, path := newStore(b, &Options{Synchronous: Normal})
	tx := begin(b, hostOf(b, path, ""))
	in := In(tx, nil)
	ctx := context.Background()
	n := 0
	for b.Loop() {
		n++
		require.NoError(b, addUser(ctx, in, fmt.Sprintf("user-%09d", n)))
	}
}
