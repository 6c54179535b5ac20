package socotra

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/store"
)

type listed struct {
	ListCompleted bool
	Items         []struct{ Locator string }
}

func (w *world) list(t testing.TB, token, path string, offset, count int) listed {
	t.Helper()
	r := w.Request(t, "", "GET", fmt.Sprintf("%s?offset=%d&count=%d", path, offset, count), "")
	exchange.Bear(r, token)
	rec := w.Serve(r)
	require.Equal(t, 200, rec.Code, rec.Body.String())
	var page listed
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &page))
	return page
}

// crowd makes n users whose ids are s- and the multiples of step.
func (w *world) crowd(t testing.TB, n, step int) {
	t.Helper()
	var s usermgmt.Snapshot
	for i := range n {
		id := fmt.Sprintf("s-%05d", step*i)
		s.Users = append(s.Users, usermgmt.SnapshotUser{ID: usermgmt.UserID(id), Username: id + "@example.com"})
	}
	require.NoError(t, w.Apply(t.Context(), s))
}

// TestWalk walks some thousand users by offset, each the sum of what came
// before, while others come and go before and behind: who is there throughout
// comes exactly once.
func TestWalk(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		for path, count := range map[string]int{"/auth/users/list": 70, "/auth/users/basic/list": 131} {
			t.Run(path, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, open())
				ctx := t.Context()
				const crowd = 3_000
				create := func(prefix string, i int) {
					id := fmt.Sprintf("%s-%05d", prefix, i)
					_, err := w.CreateUser(ctx, usermgmt.NewUser{ID: usermgmt.UserID(id), Username: id + "@example.com"})
					assert.NoError(t, err)
				}
				w.crowd(t, crowd, 2)
				token := w.token(t, "ada")
				step, turn := make(chan int), make(chan struct{})
				done := make(chan struct{})
				go func() { // changes the crowd between the pages, and beside them
					defer close(done)
					for n := range step {
						for k := range 10 {
							create("s", 2*(n*37+k*11)+1) // among them, before and behind the walk
							create("a", n*10+k)          // before all of them
							// early ones, one after another
							assert.NoError(t, w.DeleteUser(ctx, usermgmt.UserID(fmt.Sprintf("s-%05d", 2*(n*10+k)))))
							if k == 4 {
								turn <- struct{}{} // the rest runs beside the page
							}
						}
					}
				}()
				var got []string
				for page, n := (listed{}), 0; !page.ListCompleted; n++ {
					if n < 40 {
						step <- n
						<-turn
					}
					page = w.list(t, token, path, len(got), count)
					require.NotEmpty(t, page.Items)
					for _, u := range page.Items {
						got = append(got, u.Locator)
					}
				}
				close(step)
				<-done
				require.True(t, slices.IsSorted(got), "the order is total")
				require.Len(t, slices.Compact(slices.Clone(got)), len(got), "nobody comes twice")
				for i := 400; i < crowd; i++ { // never deleted
					_, found := slices.BinarySearch(got, fmt.Sprintf("s-%05d", 2*i))
					require.True(t, found, "user s-%05d is missing", 2*i)
				}
			})
		}
	})
}

func TestCountIsCapped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.crowd(t, 1_200, 1)
		token := w.token(t, "ada")
		all := 1_200 + len(people)
		tests := []struct {
			path        string
			count, want int
		}{
			{"/auth/users/list", 1_000, 1_000}, {"/auth/users/list", 5_000, 1_000},
			{"/auth/users/basic/list", 1_000, 1_000}, {"/auth/users/basic/list", 50_000, all},
			{"/auth/users/list", 100, 100},
		}
		for _, tt := range tests {
			page := w.list(t, token, tt.path, 0, tt.count)
			require.Len(t, page.Items, tt.want, "%s?count=%d", tt.path, tt.count)
			require.Equal(t, tt.want == all, page.ListCompleted)
		}
		// The page that ends exactly with the list is the last one.
		require.True(t, w.list(t, token, "/auth/users/list", all-100, 100).ListCompleted)
		require.False(t, w.list(t, token, "/auth/users/list", all-101, 100).ListCompleted)
	})
}

// TestRoleList: roles of the realm scope alone, each once, at every page size.
func TestRoleList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		want := []string{string(usermgmt.RoleAdmin), string(usermgmt.RoleReadOnly), string(w.support.ID), string(w.clerk.ID)}
		for i := range 40 {
			scope := []usermgmt.ScopeKind{usermgmt.ScopeRealm, usermgmt.ScopeOrganization, usermgmt.ScopeFacility}[i%3]
			role, err := w.CreateRole(t.Context(), usermgmt.NewRole{Scope: scope, Name: fmt.Sprintf("r%d", i)})
			require.NoError(t, err)
			if scope == usermgmt.ScopeRealm {
				want = append(want, string(role.ID))
			}
		}
		token := w.token(t, "ada")
		for _, count := range []int{1, 3, len(want) - 1, len(want), 100} {
			var got []string
			for page := (listed{}); !page.ListCompleted; {
				page = w.list(t, token, "/auth/roles/list", len(got), count)
				for _, r := range page.Items {
					got = append(got, r.Locator)
				}
				require.LessOrEqual(t, len(page.Items), count)
			}
			require.Equal(t, want, got, "count %d", count)
		}
		require.Empty(t, w.list(t, token, "/auth/roles/list", 1_000, 10).Items)
	})
}
