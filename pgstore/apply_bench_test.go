package pgstore_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/pgstore"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
)

// BenchmarkApply brings 100,000 users into an empty realm, durably, as one
// Snapshot (Apply) and as a stream (ApplyFrom). The limits are a bare program that
// inserts the same rows into the same tables by a loop, 1,000 statements at a time
// in one transaction (x-loop), and COPY of them (x-COPY). again-x is what the same
// Apply takes once more, which changes nothing, of what it took first.
//
//	go test -run '^$' -bench Apply -benchtime 3x ./pgstore
func BenchmarkApply(b *testing.B) {
	n := 100_000
	if testing.Short() {
		n = 2_000
	}
	server := pgtest.Start(b, pgtest.Config{Fsync: true})
	pool, err := pgxpool.New(b.Context(), server.URL("postgres"))
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	schemas := 0
	for name, s := range map[string]usermgmt.Snapshot{"users": plainSnapshot(n), "import": importSnapshot(n)} {
		text, err := json.Marshal(s)
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			var apply, stream, again, loop, copied time.Duration
			for b.Loop() {
				schemas++
				schema := func(use string) string { return fmt.Sprintf("%s_%d", use, schemas) }
				whole, streamed := benchManager(b, pool, schema("whole")), benchManager(b, pool, schema("stream"))
				ctx := b.Context()
				timed(b, pool, &apply, func() error { return whole.Apply(ctx, s) })
				timed(b, pool, &stream, func() error {
					return streamed.ApplyFrom(ctx, bytes.NewReader(text), &usermgmt.StreamOptions{Batch: 5000})
				})
				timed(b, pool, &again, func() error { return whole.Apply(ctx, s) })
				rows := dump(b, pool, schema("whole"))
				benchManager(b, pool, schema("loop"))
				timed(b, pool, &loop, func() error { return insert(ctx, pool, schema("loop"), rows) })
				benchManager(b, pool, schema("copy"))
				timed(b, pool, &copied, func() error { return copyIn(ctx, pool, schema("copy"), rows) })
				for _, use := range []string{"whole", "stream", "loop", "copy"} {
					_, err := pool.Exec(ctx, "DROP SCHEMA "+schema(use)+" CASCADE")
					require.NoError(b, err)
				}
			}
			b.ReportMetric(float64(apply)/float64(loop), "x-loop")
			b.ReportMetric(float64(apply)/float64(copied), "x-COPY")
			b.ReportMetric(float64(stream)/float64(loop), "stream-x-loop")
			b.ReportMetric(float64(stream)/float64(copied), "stream-x-COPY")
			b.ReportMetric(float64(again)/float64(apply), "again-x")
			b.ReportMetric(float64(apply)/float64(b.N)/float64(n), "ns/user")
		})
	}
}

func benchManager(b *testing.B, pool *pgxpool.Pool, schema string) *usermgmt.Manager {
	b.Helper()
	s, err := pgstore.New(b.Context(), pool, &pgstore.Options{Schema: schema})
	require.NoError(b, err)
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(b, err)
	m, err := usermgmt.New(s, usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}})
	require.NoError(b, err)
	return m
}

// timed adds what fn takes, from a database that has nothing left to write.
func timed(b *testing.B, pool *pgxpool.Pool, sum *time.Duration, fn func() error) {
	b.Helper()
	_, err := pool.Exec(b.Context(), "CHECKPOINT")
	require.NoError(b, err)
	start := time.Now()
	require.NoError(b, fn())
	*sum += time.Since(start)
}

// plainSnapshot holds users with a name and an address.
func plainSnapshot(n int) (s usermgmt.Snapshot) {
	first, last, locale := "Ada", "Lovelace", "en_GB"
	for i := range n {
		email := fmt.Sprintf("user%09d@example.com", i)
		s.Users = append(s.Users, usermgmt.SnapshotUser{Username: email, Email: &email, FirstName: &first, LastName: &last, Locale: &locale})
	}
	return s
}

// importSnapshot holds users as another directory's export has them: with the
// hashes of their passwords, roles of the realm and at facilities, a tenant, tags,
// and memberships in organizations of a thousand.
func importSnapshot(n int) usermgmt.Snapshot {
	s := plainSnapshot(n)
	live := "Live"
	s.Tenants = []usermgmt.SnapshotTenant{{ID: "live", Name: &live, Type: &live}}
	for i := range 20 {
		s.Roles = append(s.Roles, usermgmt.SnapshotRole{Name: fmt.Sprint("realm-", i), Permissions: []usermgmt.Permission{"users.read"}},
			usermgmt.SnapshotRole{Name: fmt.Sprint("facility-", i), Scope: "facility", Permissions: []usermgmt.Permission{"users.read"}})
	}
	for i := range s.Users {
		u := &s.Users[i]
		u.ID = usermgmt.UserID(fmt.Sprintf("01940000-%04x-7000-8000-%012x", i>>16, i))
		u.PasswordHash = fmt.Sprintf("$argon2id$v=19$m=19456,t=2,p=1$%021dA$%042dA", i, i)
		u.Roles = []usermgmt.SnapshotGrant{
			{Name: fmt.Sprint("realm-", i%20)}, {Name: fmt.Sprint("facility-", i%20), Facilities: []string{fmt.Sprint("plant ", i%50)}},
		}
		u.Tenants, u.Tags = []string{"live"}, []string{"imported"}
		if i%1000 == 0 {
			slug := fmt.Sprint("org-", i/1000)
			s.Organizations = append(s.Organizations, usermgmt.SnapshotOrganization{Slug: &slug, Name: &slug})
		}
		role := "member"
		if i%1000 == 0 {
			role = "owner"
		}
		o := &s.Organizations[len(s.Organizations)-1]
		o.Members = append(o.Members, usermgmt.SnapshotMember{User: u.Username, Role: role})
	}
	return s
}

// tableRows are the rows of a table.
type tableRows struct {
	table   string
	columns []string
	rows    [][]any
}

// dump reads all that there is in a schema.
func dump(b *testing.B, pool *pgxpool.Pool, schema string) (all []tableRows) {
	b.Helper()
	ctx := b.Context()
	found, err := pool.Query(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema=$1 AND table_name<>'usermgmt_schema'", schema)
	require.NoError(b, err)
	names, err := pgx.CollectRows(found, pgx.RowTo[string])
	require.NoError(b, err)
	for _, name := range names {
		rows, err := pool.Query(ctx, "SELECT * FROM "+schema+"."+name)
		require.NoError(b, err)
		t := tableRows{table: name}
		for _, f := range rows.FieldDescriptions() {
			t.columns = append(t.columns, f.Name)
		}
		for rows.Next() {
			row, err := rows.Values()
			require.NoError(b, err)
			t.rows = append(t.rows, row)
		}
		require.NoError(b, rows.Err())
		if t.rows != nil {
			all = append(all, t)
		}
	}
	return all
}

func insert(ctx context.Context, pool *pgxpool.Pool, schema string, all []tableRows) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var batch pgx.Batch
		send := func() error {
			err := tx.SendBatch(ctx, &batch).Close()
			batch = pgx.Batch{}
			return err
		}
		for _, t := range all {
			places := make([]string, len(t.columns))
			for i := range places {
				places[i] = fmt.Sprintf("$%d", i+1)
			}
			query := "INSERT INTO " + schema + "." + t.table + " (" + strings.Join(t.columns, ", ") + ") VALUES (" + strings.Join(places, ", ") + ")"
			for _, row := range t.rows {
				if batch.Queue(query, row...); batch.Len() < 1000 {
					continue
				}
				if err := send(); err != nil {
					return err
				}
			}
		}
		return send()
	})
}

func copyIn(ctx context.Context, pool *pgxpool.Pool, schema string, all []tableRows) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		for _, t := range all {
			if _, err := tx.CopyFrom(ctx, pgx.Identifier{schema, t.table}, t.columns, pgx.CopyFromRows(t.rows)); err != nil {
				return err
			}
		}
		return nil
	})
}
