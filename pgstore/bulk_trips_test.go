package pgstore_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/pgstore"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
)

// How many times whole directories write to the server, for a thousand users more.
// A COPY writes three times at least. One by one they would be a thousand and more.
func TestRoundTripsOfMany(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var trips atomic.Int64
	manager := func(schema string) *usermgmt.Manager {
		config, err := pgxpool.ParseConfig(pgtest.URL(t))
		require.NoError(t, err)
		dial := config.ConnConfig.DialFunc
		config.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			return counted{c, &trips}, err
		}
		config.MaxConns = 1
		pool, err := pgxpool.NewWithConfig(ctx, config)
		require.NoError(t, err)
		t.Cleanup(pool.Close)
		s, err := pgstore.New(ctx, pool, &pgstore.Options{Schema: schema})
		require.NoError(t, err)
		key, err := usermgmt.GenerateSigningKey(nil)
		require.NoError(t, err)
		m, err := usermgmt.New(s, usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}})
		require.NoError(t, err)
		return m
	}
	m, streamed := manager("whole"), manager("streamed")
	warm := importSnapshot(40)
	require.NoError(t, m.Apply(ctx, warm)) // its statements are prepared
	text, err := json.Marshal(warm)
	require.NoError(t, err)
	require.NoError(t, streamed.ApplyFrom(ctx, bytes.NewReader(text), nil))

	export := func() int64 {
		before := trips.Load()
		require.NoError(t, m.ExportTo(ctx, io.Discard, nil))
		return trips.Load() - before
	}
	export()
	exported := export()

	n := 0
	many := importSnapshot(2040)
	more := func(users int) usermgmt.Snapshot {
		s := many
		s.Users = many.Users[40+n : 40+n+users]
		slug := fmt.Sprint("more-", n)
		o := usermgmt.SnapshotOrganization{Slug: &slug, Name: &slug}
		for i, u := range s.Users {
			ms := usermgmt.SnapshotMember{User: u.Username, Role: "owner"}
			if i > 0 {
				ms.Role = "member"
			}
			o.Members = append(o.Members, ms)
		}
		s.Organizations = []usermgmt.SnapshotOrganization{o}
		n += users
		return s
	}
	few, all := more(20), more(1000)
	for _, c := range []struct {
		name  string
		trips int64 // at most for a thousand users and members more
		call  func(s usermgmt.Snapshot) error
	}{
		{"Apply", 60, func(s usermgmt.Snapshot) error { return m.Apply(ctx, s) }},
		{"Apply again", 12, func(s usermgmt.Snapshot) error { return m.Apply(ctx, s) }},
		{"ApplyFrom", 300, func(s usermgmt.Snapshot) error {
			text, err := json.Marshal(s)
			require.NoError(t, err)
			return streamed.ApplyFrom(ctx, bytes.NewReader(text), nil)
		}},
	} {
		count := func(s usermgmt.Snapshot) int64 {
			before := trips.Load()
			require.NoError(t, c.call(s), c.name)
			return trips.Load() - before
		}
		one, many := count(few), count(all)
		t.Logf("%-12s %d for %d users, %d for %d", c.name, one, len(few.Users), many, len(all.Users))
		require.LessOrEqual(t, many-one, c.trips, c.name)
	}
	again := export()
	t.Logf("%-12s %d for 40 users, %d for %d", "ExportTo", exported, again, 40+n)
	require.LessOrEqual(t, again-exported, int64(25), "ExportTo") // of two organizations more
}
