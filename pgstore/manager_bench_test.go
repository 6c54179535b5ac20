package pgstore

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

// BenchmarkManager measures calls of a Manager, rights and all, by an
// administrator of the realm, beside the smallest program that does the same
// rows through pgx.
func BenchmarkManager(b *testing.B) {
	n := 100_000
	if testing.Short() {
		n = 2_000
	}
	ctx := b.Context()
	d := benchDatabase(b)
	s, bare := d.open(b), d.open(b)
	fill(b, d, s, n)
	m, err := usermgmt.New(s, usermgmt.Options{SigningKeys: []usermgmt.SigningKey{{ID: "k", Key: ed25519.NewKeyFromSeed(make([]byte, 32))}}})
	require.NoError(b, err)
	admin, err := m.CreateUser(ctx, usermgmt.NewUser{
		Username: "admin", Grants: []usermgmt.Grant{{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm}},
	})
	require.NoError(b, err)
	as := m.As(usermgmt.UserActor(admin.ID))
	id := func(i int) store.UserID { return benchUser(i * 7919 % n).ID }
	one := func(query string, args ...any) ([]byte, error) {
		var data []byte
		err := d.pool.QueryRow(ctx, s.naming.sql(query), args...).Scan(&data)
		return data, err
	}
	var made atomic.Int64 // users that are new
	create := func(int) error {
		_, err := as.CreateUser(ctx, usermgmt.NewUser{
			Username: benchUser(n + int(made.Add(1))).Username, FirstName: "Ada", LastName: "Lovelace", Locale: "en_GB",
		})
		return err
	}
	insert := func(int) error { return insertInOrder(ctx, d, bare, benchUser(n+int(made.Add(1)))) }
	for _, c := range []struct {
		name       string
		callers    int
		ours, bare func(i int) error
	}{
		{"can", 1, func(int) error {
			ok, err := as.Can(ctx, usermgmt.UsersRead, usermgmt.Realmwide)
			if !ok && err == nil {
				return fmt.Errorf("an administrator may not read")
			}
			return err
		}, func(i int) error {
			_, err := one("SELECT data FROM {user} WHERE realm=$1 AND id=$2", "main", string(admin.ID))
			return err
		}},
		{"user", 1, func(i int) error {
			_, err := as.User(ctx, id(i))
			return err
		}, func(i int) error {
			data, err := one("SELECT data FROM {user} WHERE realm=$1 AND id=$2", "main", string(id(i)))
			if err != nil {
				return err
			}
			_, err = record.DecodeUser(data)
			return err
		}},
		{"create", 1, create, insert},
		{"create", 8, create, insert},
	} {
		b.Run(fmt.Sprintf("%s/callers=%d", c.name, c.callers), func(b *testing.B) {
			b.ReportAllocs()
			var ours, limit time.Duration
			for from := 0; from < b.N; {
				m := min(b.N-from, 100*c.callers)
				b.StopTimer()
				limit += each(b, c.callers, m, func(i int) error { return c.bare(from + i) })
				b.StartTimer()
				ours += each(b, c.callers, m, func(i int) error { return c.ours(from + i) })
				from += m
			}
			b.ReportMetric(float64(ours)/float64(limit), "x-limit")
		})
	}
}

// insertInOrder inserts a user and an event, as a program would that hands out
// the numbers of events in the order of commits: it locks a row for that.
func insertInOrder(ctx context.Context, d *database, s *Store, u store.User) error {
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, s.naming.sql(insertUser), "main", string(u.ID), u.UsernameKey, u.EmailKey, record.EncodeUser(u))
		if err != nil {
			return err
		}
		var seq int64
		err = tx.QueryRow(ctx, s.naming.sql("INSERT INTO {log} AS l (realm, last) VALUES ($1, 1)"+
			" ON CONFLICT (realm) DO UPDATE SET last=l.last+1 RETURNING last"), "main").Scan(&seq)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, s.naming.sql(insertEvent), "main", seq, record.EncodeEvent(benchEvent(u)))
		return err
	})
}
