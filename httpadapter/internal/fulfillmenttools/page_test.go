package fulfillmenttools

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/store"
)

// list returns a page, and the ids that it holds.
func (w *world) list(t testing.TB, token, query string) (userListResponse, []string) {
	t.Helper()
	r := w.Request(t, "", "GET", "/api/users?"+query, "")
	exchange.Bear(r, token)
	rec := w.Serve(r)
	require.Equal(t, 200, rec.Code, rec.Body.String())
	var page userListResponse
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &page))
	ids := make([]string, len(page.Users))
	for i, u := range page.Users {
		ids[i] = u.ID
	}
	return page, ids
}

// TestWhoIsListed: everyone lists whom he sees, and total counts nobody else.
func TestWhoIsListed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		everybody := []string{"root", "ada", "alf", "sven", "sue", "finn", "gil", "noah", "olga", "otto", "rita", "hank", "dan", "donna"}
		for who, want := range map[string][]string{
			"root": everybody, "ada": everybody, "rita": everybody,
			"sven":  {"alf", "sven", "finn", "donna"},
			"sue":   {"sue", "finn", "gil", "dan"},
			"alf":   {"alf", "sven", "finn"},
			"donna": {"donna"}, "gil": {"gil"}, "noah": {"noah"}, "olga": {"olga"}, "hank": {"hank"},
		} {
			var ids []string
			for _, name := range want {
				ids = append(ids, string(idOf(name)))
			}
			token := w.token(t, who)
			page, got := w.list(t, token, "size=100")
			require.Equal(t, ids, got, who)
			require.Equal(t, len(want), page.Total, who)
			require.False(t, page.PageInfo.HasNextPage)
			// Whom he lists he may read one by one.
			for _, u := range page.Users {
				r := w.Request(t, "", "GET", "/api/users/"+u.ID, "")
				exchange.Bear(r, token)
				rec := w.Serve(r)
				require.Equal(t, 200, rec.Code, "%s %s: %s", who, u.Username, rec.Body)
				var one userResponse
				require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &one))
				require.Equal(t, u, one)
			}
		}
	})
}

// TestWalk walks some hundred users while others come and go: who is there
// throughout comes exactly once, whatever the size of the pages.
func TestWalk(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		for _, size := range []int{1, 7, 25, 100} {
			t.Run(fmt.Sprint(size), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, open())
				ctx := t.Context()
				const crowd = 300
				create := func(id string, facility string) {
					_, err := w.CreateUser(ctx, usermgmt.NewUser{
						ID: usermgmt.UserID(id), Username: id, Grants: []usermgmt.Grant{at(usermgmt.RoleFulfiller, facility)},
					})
					require.NoError(t, err)
				}
				for i := range crowd {
					create(fmt.Sprintf("s-%05d", 10*i), north)
					create(fmt.Sprintf("s-%05d", 10*i+5), west) // sven sees none of these
				}
				token := w.token(t, "sven")
				total := crowd + 4
				var got []string
				query := fmt.Sprintf("size=%d", size)
				for n := 0; ; n++ {
					page, ids := w.list(t, token, query)
					require.Equal(t, total, page.Total)
					require.Equal(t, n > 0, page.PageInfo.HasPreviousPage)
					require.Equal(t, ids[0], *page.PageInfo.StartCursor)
					got = append(got, ids...)
					if !page.PageInfo.HasNextPage {
						break
					}
					require.Len(t, ids, size)
					end := *page.PageInfo.EndCursor
					query = fmt.Sprintf("size=%d&startAfterId=%s", size, url.QueryEscape(end))
					if n%2 == 0 { // the cursor's own user goes, and another comes before it
						if strings.HasPrefix(end, "s-") {
							require.NoError(t, w.DeleteUser(ctx, usermgmt.UserID(end)))
							total--
						}
						create(fmt.Sprintf("00-%05d", n), south)
						total++
					}
				}
				require.True(t, slices.IsSorted(got), "the order is total")
				require.Len(t, slices.Compact(slices.Clone(got)), len(got), "nobody comes twice")
				for i := range crowd {
					_, found := slices.BinarySearch(got, fmt.Sprintf("s-%05d", 10*i))
					require.True(t, found, "s-%05d is missing", 10*i)
				}
				require.Len(t, got, crowd+4)
			})
		}
	})
}

func TestSize(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for i := range 120 {
			_, err := w.CreateUser(t.Context(), usermgmt.NewUser{Username: fmt.Sprintf("worker-%d", i)})
			require.NoError(t, err)
		}
		token := w.token(t, "ada")
		for query, want := range map[string]int{"": 25, "size=1": 1, "size=100": 100, "size=101": 100, "size=99999999999999999999": 100} {
			page, ids := w.list(t, token, query)
			require.Len(t, ids, want, query)
			require.Equal(t, 120+len(people)+1, page.Total)
			require.True(t, page.PageInfo.HasNextPage)
		}
	})
}

func TestHostileQueries(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.token(t, "ada")
		for query, want := range map[string]int{
			"": 200, "size=1": 200, "size=0": 400, "size=-1": 400, "size=": 400, "size=1.0": 400, "size=1e1": 400, "size=0x1": 400, "size=+1": 400,
			"size=%201": 400, "size=01": 400, "size=1&size=1": 400, "size=null": 400, "size=" + strings.Repeat("9", 5_000): 400,
			"startAfterId=": 200, "startAfterId=%00": 400, "startAfterId=a&startAfterId=b": 400, "startAfterId=%ff": 400, "startAfterId=%0a": 400,
			"startAfterId=" + strings.Repeat("z", 3_000): 200, "startAfterId=1%27%20OR%20%271%27=%271": 200, "startAfterId=%F0%9F%98%80": 200,
			"%zz": 400, "x=1;2": 400, "unknown=1": 200, "orderBy=LASTNAME&includeAdminUsers=true": 200,
		} {
			r := w.Request(t, "", "GET", "/api/users?"+query, "")
			exchange.Bear(r, token)
			rec := w.Serve(r)
			require.Equal(t, want, rec.Code, "%.60s: %s", query, rec.Body)
		}
	})
}
