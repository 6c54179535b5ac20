package memstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/btree"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/store"
)

const realm = store.Realm("bench")

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// id returns a text like a UUIDv7 that rises with i.
func id(i int) string {
	return fmt.Sprintf("0192f3a0-%04x-7%03x-8%03x-%012x", i>>16, i&0xfff, i*31&0xfff, i*2654435761&0xffffffffffff)
}

var names = strings.Fields("Ada Grace Barbara Katherine Margaret Frances Jean Radia Adele Shafi Hedy Sophie Karen Lynn Anita Evelyn")

// person returns the i-th user: a role of the realm, and one at two of 5,000 facilities.
func person(i int) store.User {
	first, last := names[i%16], "Mc"+names[i/16%16]
	name := strings.ToLower(first) + "." + strings.ToLower(last) + fmt.Sprint(i)
	a, b := fmt.Sprintf("facility-%05d", i%5000), fmt.Sprintf("facility-%05d", i*7919%5000)
	if a > b {
		a, b = b, a
	}
	scopes := []string{a, b}
	if a == b {
		scopes = scopes[:1]
	}
	return store.User{
		ID: store.UserID(id(i)), Username: name, UsernameKey: name,
		Email: name + "@Example.com", EmailKey: name + "@example.com",
		FirstName: first, LastName: last, Locale: "de_DE",
		Grants: []store.Grant{
			{Role: "SUPERVISOR", Kind: store.ScopeFacility, Scopes: scopes},
			{Role: "users-reader", Kind: store.ScopeRealm},
		},
		CreatedBy: "user:" + id(i%100),
		CreatedAt: epoch.Add(time.Duration(i) * time.Millisecond),
		UpdatedAt: epoch.Add(time.Duration(i) * time.Millisecond),
	}
}

// populate creates n users, each a member of one of n/10 organizations.
func populate(tb testing.TB, s store.Store, n int) {
	tb.Helper()
	ctx := tb.Context()
	orgs := max(n/10, 1)
	const chunk = 10_000
	for i := 0; i < n; i += chunk {
		require.NoError(tb, s.Update(ctx, realm, func(tx store.Tx) error {
			for j := i; j < min(i+chunk, n); j++ {
				if err := tx.CreateUser(ctx, person(j)); err != nil {
					return err
				}
				if j < orgs {
					o := store.Organization{
						ID: store.OrganizationID("org-" + id(j)), Slug: fmt.Sprint("org-", j), Name: fmt.Sprint("Org ", j),
						CreatedBy: "host", CreatedAt: epoch, UpdatedAt: epoch,
					}
					if err := tx.CreateOrganization(ctx, o); err != nil {
						return err
					}
				}
				m := store.Membership{
					OrganizationID: store.OrganizationID("org-" + id(j%orgs)), UserID: store.UserID(id(j)),
					Role: "member", CreatedBy: "host", CreatedAt: epoch, UpdatedAt: epoch,
				}
				if err := tx.CreateMembership(ctx, m); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// BenchmarkHeapPerUser reports what a million users keep in memory, with all
// indexes, and a tenth of an organization and one membership each.
func BenchmarkHeapPerUser(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		before := heap()
		s := memstore.New()
		populate(b, s, n)
		b.ReportMetric((heap()-before)/n, "heap-B/user")
		b.ReportMetric(1000, "limit-B/user")
		require.NoError(b, s.Close())
	}
	b.ReportMetric(0, "ns/op")
}

// pairs are times of the same work done by the store and by the limit, taken
// in turns. Medians keep out what else the machine did.
type pairs struct{ took, limit []time.Duration }

func (p *pairs) add(took, limit time.Duration) {
	p.took, p.limit = append(p.took, took), append(p.limit, limit)
}

// report reports both medians for one of n operations, and their ratio.
func (p *pairs) report(b *testing.B, n int) {
	b.Helper()
	slices.Sort(p.took)
	slices.Sort(p.limit)
	took, limit := float64(p.took[len(p.took)/2])/float64(n), float64(p.limit[len(p.limit)/2])/float64(n)
	b.ReportMetric(took, "ns/op")
	b.ReportMetric(limit, "limit-ns/op")
	b.ReportMetric(took/limit, "x-limit")
}

// BenchmarkUser compares a read by id with a map's, both in random order and
// alternating, so that neither has the quieter moment.
func BenchmarkUser(b *testing.B) {
	const n = 100_000
	s := memstore.New()
	populate(b, s, n)
	m := make(map[store.UserID]*store.User, n)
	ids := make([]store.UserID, n)
	for i := range n {
		u := person(i).Clone()
		m[u.ID], ids[i] = &u, u.ID
	}
	ctx := context.Background()
	r := rand.New(rand.NewPCG(1, 2))
	const rounds = 100
	var times pairs
	var sink store.User
	for b.Loop() {
		picked := make([]store.UserID, rounds)
		for i := range picked {
			picked[i] = ids[r.IntN(n)]
		}
		other := make([]store.UserID, rounds)
		for i := range other {
			other[i] = ids[r.IntN(n)]
		}
		t0 := time.Now()
		for _, id := range picked {
			err := s.View(ctx, realm, func(r store.Reader) (err error) {
				sink, err = r.User(ctx, id)
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		t1 := time.Now()
		for _, id := range other {
			sink = m[id].Clone()
		}
		times.add(t1.Sub(t0), time.Since(t1))
	}
	_ = sink
	times.report(b, rounds)
	b.ReportMetric(2, "max-x")
}

// BenchmarkCreateUser compares a creation in a unit of its own with the bare
// structures: three maps, three trees of pointers and a tree of four pairs.
func BenchmarkCreateUser(b *testing.B) {
	type pair struct {
		word string
		user *store.User
	}
	ctx := context.Background()
	options := btree.Options{NoLocks: true}
	s := memstore.New()
	ids, names, mails := map[store.UserID]*store.User{}, map[string]*store.User{}, map[string]*store.User{}
	byID := btree.NewBTreeGOptions(func(a, b *store.User) bool { return a.ID < b.ID }, options)
	byName := btree.NewBTreeGOptions(func(a, b *store.User) bool { return a.UsernameKey < b.UsernameKey }, options)
	byMail := btree.NewBTreeGOptions(func(a, b *store.User) bool { return a.EmailKey < b.EmailKey }, options)
	byGrant := btree.NewBTreeGOptions(func(a, b pair) bool {
		if a.word != b.word {
			return a.word < b.word
		}
		return a.user.ID < b.user.ID
	}, options)
	const rounds = 50
	var times pairs
	for i := 0; b.Loop(); i += rounds {
		us := make([]store.User, rounds)
		for j := range us {
			us[j] = person(i + j)
		}
		t0 := time.Now()
		for _, u := range us {
			if err := s.Update(ctx, realm, func(tx store.Tx) error { return tx.CreateUser(ctx, u) }); err != nil {
				b.Fatal(err)
			}
		}
		t1 := time.Now()
		for _, u := range us {
			p := new(store.User)
			*p = u.Clone()
			ids[p.ID], names[p.UsernameKey], mails[p.EmailKey] = p, p, p
			byID.Set(p)
			byName.Set(p)
			byMail.Set(p)
			for _, g := range p.Grants {
				byGrant.Set(pair{string(g.Role), p})
				for _, f := range g.Scopes {
					byGrant.Set(pair{f, p})
				}
			}
		}
		times.add(t1.Sub(t0), time.Since(t1))
	}
	times.report(b, rounds)
	b.ReportMetric(2, "max-x")
}

// BenchmarkPageEnd compares a page of 50 at the end of a million users with
// one at the start (the limit), by keyset and by position.
func BenchmarkPageEnd(b *testing.B) {
	const n, limit = 1_000_000, 50
	s := memstore.New()
	populate(b, s, n)
	ctx := context.Background()
	at := func(pos int64) (id store.UserID) {
		require.NoError(b, s.View(ctx, realm, func(r store.Reader) (err error) {
			id, err = r.UserAt(ctx, pos)
			return err
		}))
		return id
	}
	keyset := func(pos int64) func(store.Reader) (int, error) {
		after := at(pos)
		return func(r store.Reader) (int, error) {
			us, err := r.Users(ctx, store.UserQuery{After: after, Limit: limit})
			return len(us), err
		}
	}
	offset := func(pos int64) func(store.Reader) (int, error) {
		return func(r store.Reader) (int, error) {
			after, err := r.UserAt(ctx, pos)
			if err != nil {
				return 0, err
			}
			us, err := r.Users(ctx, store.UserQuery{After: after, Limit: limit})
			return len(us), err
		}
	}
	for _, c := range []struct {
		name       string
		start, end func(store.Reader) (int, error)
	}{
		{"keyset", keyset(0), keyset(n - limit - 1)},
		{"position", offset(0), offset(n - limit - 1)},
	} {
		b.Run(c.name, func(b *testing.B) {
			run := func(read func(store.Reader) (int, error)) time.Duration {
				t := time.Now()
				err := s.View(ctx, realm, func(r store.Reader) error {
					got, err := read(r)
					if err == nil && got != limit {
						err = fmt.Errorf("page: got %d users, want %d", got, limit)
					}
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
				return time.Since(t)
			}
			var times pairs
			for b.Loop() {
				start := run(c.start)
				times.add(run(c.end), start)
			}
			times.report(b, 1)
			b.ReportMetric(1.15, "max-x")
		})
	}
}

// BenchmarkGeneration measures what is asked before each permission check.
func BenchmarkGeneration(b *testing.B) {
	s := memstore.New()
	populate(b, s, 10)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Generation(ctx, realm); err != nil {
			b.Fatal(err)
		}
	}
}
