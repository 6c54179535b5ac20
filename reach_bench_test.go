package usermgmt_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/store"
)

// shopFloor fills a store with n users, each with a role at two of 20
// facilities, all of them members of one organization by turns of four roles.
func shopFloor(b *testing.B, s store.Store, n int) (id func(i int) usermgmt.UserID) {
	b.Helper()
	ctx := b.Context()
	id = func(i int) usermgmt.UserID { return usermgmt.UserID(fmt.Sprintf("0192f0c1-2b5e-7cc0-9a51-%012d", i)) }
	now := store.Micro(time.Now())
	const chunk = 5000
	for from := 0; from < n; from += chunk {
		require.NoError(b, s.Update(ctx, usermgmt.DefaultRealm, func(tx store.Tx) error {
			if from == 0 {
				if err := tx.CreateOrganization(ctx, store.Organization{ID: "acme", Name: "Acme", CreatedAt: now, UpdatedAt: now}); err != nil {
					return err
				}
			}
			for i := from; i < min(from+chunk, n); i++ {
				name := fmt.Sprintf("user%07d@example.com", i)
				// 7 turns the second facility against the first, and 9 keeps them apart.
				places := []string{fmt.Sprintf("facility-%02d", i%20), fmt.Sprintf("facility-%02d", (i/20*7+i+9)%20)}
				if places[0] > places[1] {
					places[0], places[1] = places[1], places[0]
				}
				if places[0] == places[1] {
					places = places[:1]
				}
				err := tx.CreateUser(ctx, store.User{
					ID: id(i), Username: name, UsernameKey: name, Email: name, EmailKey: name, FirstName: "First", LastName: "Last",
					Grants: []usermgmt.Grant{at(usermgmt.RoleSupervisor, places...)}, CreatedAt: now, UpdatedAt: now,
				})
				if err != nil {
					return err
				}
				err = tx.CreateMembership(ctx, store.Membership{
					OrganizationID: "acme", UserID: id(i), Role: ranks[i%4], CreatedAt: now, UpdatedAt: now,
				})
				if err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return id
}

// bothEnds measures the same page at the end and at the start of a list by turns,
// and reports the former and its ratio to the latter.
func bothEnds(b *testing.B, page func(ctx context.Context, end bool) error) {
	b.Helper()
	var spent [2]time.Duration
	rounds := 0
	for b.Loop() {
		for i, end := range []bool{false, true} {
			start := time.Now()
			if err := page(b.Context(), end); err != nil {
				b.Fatal(err)
			}
			spent[i] += time.Since(start)
		}
		rounds++
	}
	b.ReportMetric(float64(spent[1])/float64(rounds), "ns/page")
	b.ReportMetric(float64(spent[1])/float64(spent[0]), "x-start")
}

// BenchmarkScopes reads pages of 50 of the users of some facilities, of 200,000,
// at the start and at the end, and counts them.
func BenchmarkScopes(b *testing.B) {
	const n, size = 200_000, 50
	for name, open := range stores(b) {
		b.Run(name, func(b *testing.B) {
			s := open()
			b.Cleanup(func() { require.NoError(b, s.Close()) })
			id := shopFloor(b, s, n)
			for _, facilities := range []int{1, 10, 20, 100} {
				var q store.UserQuery
				for i := range facilities {
					q.Scopes = append(q.Scopes, store.ScopeRef{Kind: usermgmt.ScopeFacility, ID: fmt.Sprintf("facility-%02d", i)})
				}
				b.Run(fmt.Sprintf("page/facilities=%d", facilities), func(b *testing.B) {
					bothEnds(b, func(ctx context.Context, end bool) error {
						return s.View(ctx, usermgmt.DefaultRealm, func(r store.Reader) error {
							q := q
							q.Limit = size
							if end {
								q.After = id(n - size*20)
							}
							us, err := r.Users(ctx, q)
							if err == nil && len(us) != size {
								err = fmt.Errorf("%d users", len(us))
							}
							return err
						})
					})
				})
				b.Run(fmt.Sprintf("count/facilities=%d", facilities), func(b *testing.B) {
					for b.Loop() {
						require.NoError(b, s.View(b.Context(), usermgmt.DefaultRealm, func(r store.Reader) error {
							_, err := r.CountUsers(b.Context(), q)
							return err
						}))
					}
				})
			}
		})
	}
}

// BenchmarkMembersAt walks numbered pages of 50 of 200,000 members, from the
// start and towards the end, all of them and those of two roles.
func BenchmarkMembersAt(b *testing.B) {
	const n, size, pages = 200_000, 50, 20
	for name, open := range stores(b) {
		b.Run(name, func(b *testing.B) {
			s := open()
			shopFloor(b, s, n)
			key, err := usermgmt.GenerateSigningKey(nil)
			require.NoError(b, err)
			m, err := usermgmt.New(s, usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}})
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, m.Close()) })
			for _, c := range []struct {
				name string
				q    usermgmt.MemberSearch
				n    int
			}{{"all", usermgmt.MemberSearch{}, n}, {"two_roles", roles(ranks[0], ranks[2]), n / 2}} {
				b.Run(c.name, func(b *testing.B) {
					// Where the walk stands; the first page of each is a jump, and not measured.
					at := map[bool]int{true: c.n - size*pages}
					next := func(ctx context.Context, end bool) error {
						members, total, err := m.MembersAt(ctx, "acme", c.q, at[end], size)
						if err == nil && (len(members) != size || total != c.n) {
							err = fmt.Errorf("%d members of %d", len(members), total)
						}
						at[end] += size
						if err == nil && at[end]%(size*pages) == 0 {
							at[end] -= size * (pages - 1) // known from the walk
						}
						return err
					}
					require.NoError(b, next(b.Context(), false))
					require.NoError(b, next(b.Context(), true))
					bothEnds(b, next)
				})
			}
		})
	}
}
