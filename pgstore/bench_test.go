package pgstore

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/store"
)

// Every benchmark measures its limit, the smallest program for the same work
// through pgx, on the same server in the same run, and reports the ratio to it:
// what ours takes, divided by what that takes.

var benchTime = time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC)

func benchUser(i int) store.User {
	name := fmt.Sprintf("user%09d@example.com", i)
	return store.User{
		ID:       store.UserID(fmt.Sprintf("01940000-%04x-7000-8000-%012x", i>>16, i)),
		Username: name, UsernameKey: name, Email: name, EmailKey: name,
		FirstName: "Ada", LastName: "Lovelace", Locale: "en_GB", CreatedBy: "host", Version: 1,
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

// benchDatabase is on a server of its own that syncs to disk.
func benchDatabase(b *testing.B) *database {
	b.Helper()
	server := pgtest.Start(b, pgtest.Config{Fsync: true})
	pool, err := pgxpool.New(b.Context(), server.URL("postgres")+"&pool_max_conns=16")
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	return &database{pool: pool}
}

const (
	insertUser  = "INSERT INTO {user} (realm, id, username_key, email_key, data) VALUES ($1, $2, $3, $4, $5)"
	insertEvent = "INSERT INTO {event} (realm, seq, data) VALUES ($1, $2, $3)"
)

// each runs fn for numbers below n from some goroutines, and returns how long
// it took.
func each(b *testing.B, callers, n int, fn func(i int) error) time.Duration {
	b.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range callers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := fn(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return time.Since(start)
}

func BenchmarkCreate(b *testing.B) {
	d := benchDatabase(b)
	for _, c := range []struct {
		callers int
		events  bool
	}{{1, true}, {8, true}, {1, false}, {8, false}} {
		callers := c.callers
		b.Run(fmt.Sprintf("callers=%d/events=%t", callers, c.events), func(b *testing.B) {
			ctx := b.Context()
			s, bare := d.open(b), d.open(b)
			user, event := bare.naming.sql(insertUser), bare.naming.sql(insertEvent)
			var ours, loop time.Duration
			for from := 0; from < b.N; { // they take turns: the machine has its moods
				n := min(b.N-from, 50*callers)
				b.StopTimer()
				loop += each(b, callers, n, func(i int) error {
					u := benchUser(from + i)
					return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
						if _, err := tx.Exec(ctx, user, "main", string(u.ID), u.UsernameKey, u.EmailKey, record.EncodeUser(u)); err != nil || !c.events {
							return err
						}
						_, err := tx.Exec(ctx, event, "main", int64(from+i), record.EncodeEvent(benchEvent(u)))
						return err
					})
				})
				b.StartTimer()
				ours += each(b, callers, n, func(i int) error {
					return s.Update(ctx, realm, func(tx store.Tx) error {
						if !c.events {
							return tx.CreateUser(ctx, benchUser(from+i))
						}
						return createWithEvent(ctx, tx, benchUser(from+i))
					})
				})
				from += n
			}
			b.ReportMetric(float64(ours)/float64(loop), "x-limit")
		})
	}
}

// fill copies users into the tables, and counts them.
func fill(b *testing.B, d *database, s *Store, n int) {
	b.Helper()
	ctx := b.Context()
	_, err := d.pool.CopyFrom(ctx, pgx.Identifier{s.naming.schema, s.naming.prefix + "user"},
		[]string{"realm", "id", "username_key", "email_key", "data"},
		pgx.CopyFromSlice(n, func(i int) ([]any, error) {
			u := benchUser(i)
			return []any{"main", string(u.ID), u.UsernameKey, u.EmailKey, record.EncodeUser(u)}, nil
		}))
	require.NoError(b, err)
	_, err = d.pool.Exec(ctx, s.naming.sql("INSERT INTO {user_change} SELECT realm, id, 1 FROM {user}"))
	require.NoError(b, err)
	c, release, err := s.acquire(ctx, "")
	require.NoError(b, err)
	require.NoError(b, fold(ctx, c, "main"))
	release()
	_, err = d.pool.Exec(ctx, s.naming.sql("VACUUM ANALYZE {user}, {user_range}, {user_change}"))
	require.NoError(b, err)
}

func BenchmarkRead(b *testing.B) {
	n := 1_000_000
	if testing.Short() {
		n = 20_000
	}
	ctx := b.Context()
	d := benchDatabase(b)
	s := d.open(b)
	fill(b, d, s, n)
	// scan reads records as a program of its own would.
	scan := func(want int, query string, args ...any) error {
		rows, err := d.pool.Query(ctx, s.naming.sql(query), args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var data []byte
			if err := rows.Scan(&data); err != nil {
				return err
			}
			if _, err := record.DecodeUser(data); err != nil {
				return err
			}
			want--
		}
		if want != 0 {
			return fmt.Errorf("%d records are missing", want)
		}
		return rows.Err()
	}
	id := func(i int) store.UserID { return benchUser(i * 7919 % n).ID }
	end := benchUser(n - 51).ID
	for _, c := range []struct {
		name       string
		ours, bare func(i int) error
	}{
		{"by_id", func(i int) error {
			return s.Glance(ctx, realm, func(r store.Reader) error {
				_, err := r.User(ctx, id(i))
				return err
			})
		}, func(i int) error {
			return scan(1, "SELECT data FROM {user} WHERE realm=$1 AND id=$2", "main", string(id(i)))
		}},
		{"by_id_in_a_view", func(i int) error {
			return s.View(ctx, realm, func(r store.Reader) error {
				_, err := r.User(ctx, id(i))
				return err
			})
		}, func(i int) error {
			return scan(1, "SELECT data FROM {user} WHERE realm=$1 AND id=$2", "main", string(id(i)))
		}},
		{"last_page", func(int) error {
			return s.Glance(ctx, realm, func(r store.Reader) error {
				us, err := r.Users(ctx, store.UserQuery{After: end, Limit: 50})
				if err == nil && len(us) != 50 {
					return fmt.Errorf("%d users", len(us))
				}
				return err
			})
		}, func(int) error {
			return scan(50, "SELECT data FROM {user} WHERE realm=$1 AND id>$2 ORDER BY id LIMIT 50", "main", string(end))
		}},
		{"page_at_an_offset", func(int) error {
			return s.View(ctx, realm, func(r store.Reader) error {
				at, err := r.UserAt(ctx, int64(n-51))
				if err == nil && at != end {
					return fmt.Errorf("%s is there", at)
				}
				if err == nil {
					_, err = r.Users(ctx, store.UserQuery{After: at, Limit: 50})
				}
				return err
			})
		}, func(int) error {
			return scan(50, "SELECT data FROM {user} WHERE realm=$1 AND id>$2 ORDER BY id LIMIT 50", "main", string(end))
		}},
		{"generation", func(int) error {
			_, err := s.Generation(ctx, realm)
			return err
		}, func(int) error {
			var n int64
			err := d.pool.QueryRow(ctx, s.naming.sql("SELECT coalesce(max(generation), 0) FROM {realm} WHERE realm=$1"), "main").Scan(&n)
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var ours, bare time.Duration
			for from := 0; from < b.N; {
				m := min(b.N-from, 200)
				b.StopTimer()
				bare += each(b, 1, m, func(i int) error { return c.bare(from + i) })
				b.StartTimer()
				ours += each(b, 1, m, func(i int) error { return c.ours(from + i) })
				from += m
			}
			b.ReportMetric(float64(ours)/float64(bare), "x-limit")
		})
	}
}

func BenchmarkBulk(b *testing.B) {
	n := 100_000
	if testing.Short() {
		n = 2_000
	}
	ctx := b.Context()
	d := benchDatabase(b)
	var ours, copied time.Duration
	for b.Loop() {
		s, bare := d.open(b), d.open(b)
		start := time.Now()
		require.NoError(b, s.Update(ctx, realm, func(tx store.Tx) error {
			for i := range n {
				if err := createWithEvent(ctx, tx, benchUser(i)); err != nil {
					return err
				}
			}
			return nil
		}))
		ours += time.Since(start)
		start = time.Now()
		require.NoError(b, pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
			for table, row := range map[string]func(i int) []any{
				"user": func(i int) []any {
					u := benchUser(i)
					return []any{"main", string(u.ID), u.UsernameKey, u.EmailKey, record.EncodeUser(u)}
				},
				"event":       func(i int) []any { return []any{"main", int64(i), record.EncodeEvent(benchEvent(benchUser(i)))} },
				"user_change": func(i int) []any { return []any{"main", string(benchUser(i).ID), int64(1)} },
			} {
				columns := map[string][]string{
					"user": {"realm", "id", "username_key", "email_key", "data"}, "event": {"realm", "seq", "data"},
					"user_change": {"realm", "user_id", "n"},
				}[table]
				_, err := tx.CopyFrom(ctx, pgx.Identifier{bare.naming.schema, bare.naming.prefix + table}, columns,
					pgx.CopyFromSlice(n, func(i int) ([]any, error) { return row(i), nil }))
				if err != nil {
					return err
				}
			}
			return nil
		}))
		copied += time.Since(start)
	}
	b.ReportMetric(float64(ours)/float64(copied), "x-COPY")
	b.ReportMetric(float64(ours)/float64(b.N)/float64(n), "ns/user")
}
