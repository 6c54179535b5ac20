package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

// Every benchmark measures its limit, the smallest program for the same work
// through the same driver, in the same run, and reports the ratio to it.

var benchTime = time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC)

func benchUser(i int) store.User {
	name := fmt.Sprintf("user%09d@example.com", i)
	return store.User{
		ID:       store.UserID(fmt.Sprintf("01940000-%04x-7000-8000-%012x", i>>16, i)),
		Username: name, UsernameKey: name, Email: name, EmailKey: name,
		FirstName: "Ada", LastName: "Lovelace", Locale: "en_GB", CreatedBy: "host",
		CreatedAt: benchTime, UpdatedAt: benchTime,
	}
}

func benchEvent(u store.User) store.Event {
	return store.Event{
		At: benchTime, Actor: "host", Action: "user.created", Object: "user:" + string(u.ID),
		Fields: []string{"email", "username"},
	}
}

func createWithEvent(ctx context.Context, tx store.Tx, u store.User) error {
	if err := tx.CreateUser(ctx, u); err != nil {
		return err
	}
	return tx.AppendEvent(ctx, benchEvent(u))
}

func benchStore(b *testing.B, opts *Options) (*Store, string) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "users.db")
	s, err := Open(b.Context(), path, opts)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	return s, path
}

// fill creates users by the thousand.
func fill(b *testing.B, s *Store, n int) {
	b.Helper()
	for i := 0; i < n; i += 5_000 {
		require.NoError(b, s.Update(b.Context(), "main", func(tx store.Tx) error {
			for j := i; j < min(i+5_000, n); j++ {
				if err := tx.CreateUser(b.Context(), benchUser(j)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// bare opens the file through database/sql, as a program of its own would.
func bare(b *testing.B, path string) *sql.DB {
	b.Helper()
	db, err := sql.Open("sqlite", "file://"+path+"?_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	return db
}

// limit inserts the rows of users and events with two prepared statements, some
// users to a transaction.
type limit struct {
	db          *sql.DB
	user, event *sql.Stmt
	next        int
	spent       time.Duration
}

func newLimit(b *testing.B) *limit {
	b.Helper()
	_, path := benchStore(b, nil)
	l := &limit{db: bare(b, path)}
	l.db.SetMaxOpenConns(1)
	var err error
	l.user, err = l.db.Prepare("INSERT INTO usermgmt_user (realm, id, username_key, email_key, data) VALUES (?, ?, ?, ?, ?)")
	require.NoError(b, err)
	l.event, err = l.db.Prepare("INSERT INTO usermgmt_event (realm, seq, data) VALUES (?, ?, ?)")
	require.NoError(b, err)
	return l
}

func (l *limit) insert(b *testing.B, n, perTx int) {
	start := time.Now()
	for end := l.next + n; l.next < end; {
		tx, err := l.db.Begin()
		require.NoError(b, err)
		u, e := tx.Stmt(l.user), tx.Stmt(l.event)
		for range min(perTx, end-l.next) {
			r := benchUser(l.next)
			if _, err := u.Exec("main", string(r.ID), r.UsernameKey, r.EmailKey, record.EncodeUser(r)); err != nil {
				b.Fatal(err)
			}
			if _, err := e.Exec("main", l.next, record.EncodeEvent(benchEvent(r))); err != nil {
				b.Fatal(err)
			}
			l.next++
		}
		require.NoError(b, tx.Commit())
	}
	l.spent += time.Since(start)
}

func (l *limit) each() float64 { return float64(l.spent) / float64(l.next) }

// insertAll creates the users from one number up to another from some goroutines.
func insertAll(b *testing.B, s *Store, callers, from, to int) {
	var next atomic.Int64
	next.Store(int64(from))
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= to {
					return
				}
				err := s.Update(b.Context(), "main", func(tx store.Tx) error { return createWithEvent(b.Context(), tx, benchUser(i)) })
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkCreate(b *testing.B) {
	for _, callers := range []int{1, 8, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			s, _ := benchStore(b, nil)
			grouped, alone := newLimit(b), newLimit(b)
			begun := s.writer.begun
			var spent time.Duration
			// They take turns: the machine has its moods.
			for i := 0; i < b.N; {
				n := min(b.N-i, 40*callers)
				b.StopTimer()
				grouped.insert(b, n, callers)
				alone.insert(b, min(n, 40), 1)
				b.StartTimer()
				start := time.Now()
				insertAll(b, s, callers, i, i+n)
				spent += time.Since(start)
				i += n
			}
			each := float64(spent) / float64(b.N)
			b.ReportMetric(each/grouped.each(), "x-limit")
			b.ReportMetric(alone.each()/each, "x-faster-than-commit-each")
			b.ReportMetric(float64(b.N)/float64(s.writer.begun-begun), "units/commit")
		})
	}
}

func BenchmarkImport(b *testing.B) {
	const unit = 1000
	s, _ := benchStore(b, nil)
	bulk := newLimit(b)
	var spent time.Duration
	for i := 0; i < b.N; i += unit {
		n := min(unit, b.N-i)
		b.StopTimer()
		bulk.insert(b, n, unit)
		b.StartTimer()
		start := time.Now()
		require.NoError(b, s.Update(b.Context(), "main", func(tx store.Tx) error {
			for j := i; j < i+n; j++ {
				if err := createWithEvent(b.Context(), tx, benchUser(j)); err != nil {
					return err
				}
			}
			return nil
		}))
		spent += time.Since(start)
	}
	b.ReportMetric(float64(spent)/float64(b.N)/bulk.each(), "x-limit")
}

func BenchmarkUser(b *testing.B) {
	const n = 100_000
	s, path := benchStore(b, nil)
	fill(b, s, n)
	db := bare(b, path)
	query, err := db.Prepare("SELECT data FROM usermgmt_user WHERE realm=? AND id=?")
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	ids := make([]store.UserID, 4096)
	for i := range ids {
		ids[i] = benchUser(i * 7919 % n).ID
	}
	var ours, theirs time.Duration
	b.ResetTimer()
	for i := 0; i < b.N; { // they take turns, see above
		m := min(500, b.N-i)
		b.StopTimer()
		start := time.Now()
		for j := range m {
			var data []byte
			if err := query.QueryRow("main", string(ids[(i+j)%len(ids)])).Scan(&data); err != nil {
				b.Fatal(err)
			}
			if _, err := record.DecodeUser(data); err != nil {
				b.Fatal(err)
			}
		}
		theirs += time.Since(start)
		b.StartTimer()
		start = time.Now()
		for j := range m {
			err := s.View(ctx, "main", func(r store.Reader) error {
				_, err := r.User(ctx, ids[(i+j)%len(ids)])
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		ours += time.Since(start)
		i += m
	}
	b.ReportMetric(float64(ours)/float64(theirs), "x-limit")
}

func BenchmarkMillion(b *testing.B) {
	const n = 1_000_000
	s, path := benchStore(b, nil)
	start := time.Now()
	fill(b, s, n)
	b.Logf("%d users in %v", n, time.Since(start))
	db := bare(b, path)
	query, err := db.Prepare("SELECT data FROM usermgmt_user WHERE realm=? AND id>? ORDER BY id LIMIT 50")
	require.NoError(b, err)
	page := func(b *testing.B, after store.UserID) time.Duration {
		start := time.Now()
		for range b.N {
			err := s.View(b.Context(), "main", func(r store.Reader) error {
				us, err := r.Users(b.Context(), store.UserQuery{After: after, Limit: 50})
				if err == nil && len(us) != 50 {
					return fmt.Errorf("%d users", len(us))
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start)
	}
	b.Run("page", func(b *testing.B) {
		end := benchUser(n - 51).ID
		first := page(b, "")
		b.ResetTimer()
		last := page(b, end)
		b.StopTimer()
		start := time.Now()
		for range b.N {
			rows, err := query.Query("main", string(end))
			if err != nil {
				b.Fatal(err)
			}
			for rows.Next() {
				var data []byte
				if err := rows.Scan(&data); err != nil {
					b.Fatal(err)
				}
				if _, err := record.DecodeUser(data); err != nil {
					b.Fatal(err)
				}
			}
			rows.Close()
		}
		limit := time.Since(start)
		b.ReportMetric(float64(last)/float64(first), "x-start")
		b.ReportMetric(float64(last)/float64(limit), "x-limit")
	})
	b.Run("at", func(b *testing.B) {
		for _, at := range []int64{0, n / 2, n - 51} {
			b.Run(fmt.Sprint(at), func(b *testing.B) {
				want := benchUser(int(at)).ID
				for range b.N {
					err := s.View(b.Context(), "main", func(r store.Reader) error {
						id, err := r.UserAt(b.Context(), at)
						if err == nil && id != want {
							return fmt.Errorf("%s is at %d", id, at)
						}
						if err == nil {
							_, err = r.Users(b.Context(), store.UserQuery{After: id, Limit: 50})
						}
						return err
					})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
	b.Run("count", func(b *testing.B) {
		for range b.N {
			require.NoError(b, s.View(b.Context(), "main", func(r store.Reader) error {
				k, err := r.CountUsers(b.Context(), store.UserQuery{})
				if err == nil && k != n {
					return fmt.Errorf("%d users", k)
				}
				return err
			}))
		}
	})
}

func BenchmarkGeneration(b *testing.B) {
	s, _ := benchStore(b, nil)
	fill(b, s, 1)
	require.NotNil(b, s.generations.index)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Generation(b.Context(), "main"); err != nil {
			b.Fatal(err)
		}
	}
}
