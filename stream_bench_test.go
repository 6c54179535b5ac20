package usermgmt_test

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

// BenchmarkStream moves users, half of them members of one organization, from one
// SQLite file to another. heap-MiB is the greatest heap that was alive on the way,
// of both sides and beyond what was before. The limit is what the Snapshot of the
// same holds that Export returns.
//
//	go test -run '^$' -bench Stream -benchtime 1x .
func BenchmarkStream(b *testing.B) {
	for _, n := range []int{20_000, 200_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				streamed, held := heapOfMove(b, n)
				b.ReportMetric(streamed/(1<<20), "heap-MiB")
				b.ReportMetric(held/(1<<20), "Export-MiB")
				b.ReportMetric(streamed/held, "x-limit")
			}
		})
	}
}

// heapMeter passes on what is written, and measures the heap now and then.
type heapMeter struct {
	w      io.Writer
	writes int
	most   uint64
}

func (h *heapMeter) Write(p []byte) (int, error) {
	if h.writes++; h.writes%16 == 0 {
		h.most = max(h.most, heapAlive())
	}
	return h.w.Write(p)
}

func heapAlive() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// heapOfMove moves n users and returns the greatest heap of it, and that of an Export.
func heapOfMove(b *testing.B, n int) (streamed, held float64) {
	b.Helper()
	open := func(name string) *usermgmt.Manager {
		s, err := sqlitestore.Open(b.Context(), filepath.Join(b.TempDir(), name), nil)
		require.NoError(b, err)
		if name == "old.db" {
			populate(b, s, n)
			assemble(b, s, n/2)
		}
		key, err := usermgmt.GenerateSigningKey(nil)
		require.NoError(b, err)
		m, err := usermgmt.New(s, usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}})
		require.NoError(b, err)
		return m
	}
	from, to := open("old.db"), open("new.db")
	defer func() {
		require.NoError(b, from.Close())
		require.NoError(b, to.Close())
	}()
	before := heapAlive()
	r, w := io.Pipe()
	meter := &heapMeter{w: w}
	exported := make(chan error, 1)
	go func() {
		err := from.ExportTo(context.Background(), meter, nil)
		w.CloseWithError(err)
		exported <- err
	}()
	var done usermgmt.StreamProgress
	err := to.ApplyFrom(context.Background(), r, &usermgmt.StreamOptions{Progress: func(p usermgmt.StreamProgress) { done = p }})
	r.CloseWithError(err)
	require.NoError(b, err)
	require.NoError(b, <-exported)
	require.Equal(b, n, done.Users)
	require.Equal(b, n/2, done.Members)
	require.NotZero(b, meter.most)
	streamed = float64(meter.most) - float64(before)

	before = heapAlive()
	all, err := from.Export(context.Background())
	require.NoError(b, err)
	held = float64(heapAlive()) - float64(before)
	require.Len(b, all.Users, n)
	return streamed, held
}

// assemble makes the first n users of populate members of one organization.
func assemble(b *testing.B, s store.Store, n int) {
	b.Helper()
	const chunk = 5000
	for from := 0; from < n; from += chunk {
		require.NoError(b, s.Update(b.Context(), usermgmt.DefaultRealm, func(tx store.Tx) error {
			if from == 0 {
				if err := tx.CreateOrganization(b.Context(), store.Organization{ID: "o", Name: "O"}); err != nil {
					return err
				}
			}
			for i := from; i < min(from+chunk, n); i++ {
				role := usermgmt.RoleMember
				if i == n-1 {
					role = usermgmt.RoleOwner
				}
				ms := store.Membership{OrganizationID: "o", UserID: usermgmt.UserID(fmt.Sprintf("0192f0c1-2b5e-7cc0-9a51-%012d", i)), Role: role}
				if err := tx.CreateMembership(b.Context(), ms); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}
