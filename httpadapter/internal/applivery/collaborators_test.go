package applivery

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/store"
)

func listPath(org string) string {
	return "/v1/organizations/" + string(organizations[org]) + "/collaborators"
}

// list returns a page that name asks for.
func (w *world) list(t testing.TB, name, target string) collaboratorPage {
	t.Helper()
	rec := w.Serve(w.Request(t, name, "GET", target, ""))
	require.Equal(t, 200, rec.Code, rec.Body.String())
	var answer collaboratorsResponse
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &answer))
	require.True(t, answer.Status)
	return answer.Data
}

// crowd makes n members of the organization, u-00000 and so on, whose tags are
// their numbers modulo 10.
func (w *world) crowd(t testing.TB, org string, n int) {
	t.Helper()
	crowd := usermgmt.SnapshotOrganization{ID: organizations[org]}
	var s usermgmt.Snapshot
	for i := range n {
		id := fmt.Sprintf("u-%05d", 2*i)
		name := id + "@crowd.example"
		s.Users = append(s.Users, usermgmt.SnapshotUser{ID: usermgmt.UserID(id), Username: name, Email: &name})
		crowd.Members = append(crowd.Members, usermgmt.SnapshotMember{User: name, Role: "reader", Tags: []string{fmt.Sprintf("mod-%d", i%10)}})
	}
	s.Organizations = append(s.Organizations, crowd)
	require.NoError(t, w.Apply(t.Context(), s))
}

func (w *world) newMember(t testing.TB, org, id string, tags ...string) {
	t.Helper()
	_, err := w.CreateUser(t.Context(), usermgmt.NewUser{ID: usermgmt.UserID(id), Username: id + "@crowd.example", Email: id + "@crowd.example"})
	assert.NoError(t, err)
	_, err = w.AddMember(t.Context(), organizations[org], usermgmt.NewMember{User: usermgmt.UserID(id), Role: usermgmt.RoleReader, Tags: tags})
	assert.NoError(t, err)
}

// TestWalk goes from page to page by what the answers say, while others come
// and go before and behind: who is there throughout comes exactly once.
func TestWalk(t *testing.T) {
	t.Parallel()
	const crowd = 600
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		for _, limit := range []int{1, 7, 50, 601, 1_000} {
			t.Run(fmt.Sprint(limit), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, open())
				w.crowd(t, "globex", crowd)
				var got []string
				for page := int64(1); page > 0; {
					answer := w.list(t, "globexKey", fmt.Sprintf("%s?limit=%d&page=%d", listPath("globex"), limit, page))
					require.Equal(t, page, answer.Page)
					require.Equal(t, int64(limit), answer.Limit)
					require.Equal(t, answer.HasNextPage, answer.NextPage != nil)
					require.Equal(t, answer.HasPrevPage, answer.PrevPage != nil)
					for _, c := range answer.Items {
						got = append(got, c.ID)
					}
					if page == 3 {
						w.newMember(t, "globex", "a-before")
						w.newMember(t, "globex", "u-99999")
						require.NoError(t, w.RemoveMember(t.Context(), organizations["globex"], "u-00000"))
					}
					page = 0
					if answer.HasNextPage {
						page = *answer.NextPage
					}
				}
				require.True(t, slices.IsSorted(got), "the order is total")
				require.Len(t, slices.Compact(slices.Clone(got)), len(got), "nobody comes twice")
				for i := 1; i < crowd; i++ {
					_, found := slices.BinarySearch(got, fmt.Sprintf("u-%05d", 2*i))
					require.True(t, found, "u-%05d is missing", 2*i)
				}
			})
		}
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.crowd(t, "globex", 1_100)
		for query, want := range map[string]int{"": 100, "?limit=1000": 1_000, "?limit=1001": 1_000, "?limit=99999999999999999999": 1_000, "?limit=1000&page=2": 101} {
			page := w.list(t, "globexKey", listPath("globex")+query)
			require.Len(t, page.Items, want, query)
			require.EqualValues(t, 1_101, page.TotalDocs)
		}
		far := w.list(t, "globexKey", listPath("globex")+"?limit=1000&page=2147483647")
		require.Empty(t, far.Items)
		require.EqualValues(t, 2, far.TotalPages)
	})
}

func TestPageOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		page, limit, total int
		want               string
	}{
		{1, 100, 0, `"totalDocs":0,"limit":100,"hasPrevPage":false,"hasNextPage":false,"page":1,"totalPages":1,"prevPage":null,"nextPage":null,"pagingCounter":1`},
		{1, 10, 10, `"totalDocs":10,"limit":10,"hasPrevPage":false,"hasNextPage":false,"page":1,"totalPages":1,"prevPage":null,"nextPage":null,"pagingCounter":1`},
		{1, 10, 11, `"totalDocs":11,"limit":10,"hasPrevPage":false,"hasNextPage":true,"page":1,"totalPages":2,"prevPage":null,"nextPage":2,"pagingCounter":1`},
		{2, 10, 21, `"totalDocs":21,"limit":10,"hasPrevPage":true,"hasNextPage":true,"page":2,"totalPages":3,"prevPage":1,"nextPage":3,"pagingCounter":11`},
		{3, 10, 21, `"totalDocs":21,"limit":10,"hasPrevPage":true,"hasNextPage":false,"page":3,"totalPages":3,"prevPage":2,"nextPage":null,"pagingCounter":21`},
	} {
		data, err := json.Marshal(pageOf(listQuery{page: tt.page, limit: tt.limit}, []collaborator{}, tt.total))
		require.NoError(t, err)
		require.Equal(t, `{"items":[],`+tt.want+`}`, string(data))
	}
}

// TestSearch: what is given must fit all at once, and the count is of what fits.
func TestSearch(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.crowd(t, "acme", 40)
		_, err := w.UpdateMember(t.Context(), organizations["acme"], people["una"], usermgmt.MemberUpdate{Role: &w.custom.ID})
		require.NoError(t, err)
		for query, want := range map[string]int{
			"role=viewer": 41, "role=editor": 1, "role=owner": 1, "role=admin": 1, "role=unassigned": 0,
			"tags=mod-3": 4, "tags[]=mod-3": 4, "tags=mod-3&tags=mod-3": 4, "tags=mod-3&tags=mod-4": 0, "tags=paris&tags[]=night+shift": 1, "tags=MOD-3": 0, "tags=mod-3,mod-4": 0,
			"tags=paris&role=viewer": 1, "tags=mod-3&role=admin": 0,
			"email=will@example.com": 1, "email=WILL@EXAMPLE.COM": 1, "email=will": 0, "email=will@": 0, "email=bob@example.com": 0, "email=" + strings.Repeat("x", 256): 0,
			"email=will@example.com&role=editor&tags=paris": 1, "email=will@example.com&role=viewer": 0, "email=will@example.com&tags=mod-3": 0,
			"onlyUsers=true": 45, "onlyUsers=false": 45, "unknown=1": 45,
		} {
			page := w.list(t, "key", listPath("acme")+"?limit=3&"+query)
			require.EqualValues(t, want, page.TotalDocs, query)
			require.Len(t, page.Items, min(want, 3), query)
		}
	})
}

func TestHostileQueries(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for query, want := range map[string]int{
			"": 200, "page=1": 200, "limit=1": 200, "page=99999999999999999999": 200, "sort=": 200, "sort=id": 200, "sort=id:asc": 200, "sort=:asc": 200,
			"page=0": 400, "page=-1": 400, "page=": 400, "page=1.0": 400, "page=1e3": 400, "page=0x1": 400, "page=%2B1": 400, "page=01": 400, "page=1&page=2": 400,
			"page=%00": 400, "limit=0": 400, "limit=-5": 400, "limit=ten": 400, "limit=1%3BDROP": 400, "limit=" + strings.Repeat("9", 5_000): 400,
			"sort=id:desc": 400, "sort=:desc": 400, "sort=createdAt": 400, "sort=user.email:asc": 400, "sort=id:asc:asc": 400, "sort=ID": 400, "sort=id%20": 400,
			"sort=id&sort=id": 400, "sort=-id": 400, "role=": 400, "role=Owner": 400, "role=writer": 400, "role=member": 400, "role=owner&role=admin": 400,
			"role=00000000-0000-8000-8000-000000000011": 400, "email=": 400, "email=" + strings.Repeat("x", 257): 400, "email=a&email=b": 400, "email=%ff": 400,
			"tags=": 400, "tags[]=": 400, "tags=a&tags=": 400, "tags=%00": 400, "tags=" + strings.Repeat("x", 129): 400, "onlyUsers=": 400, "onlyUsers=1": 400,
			"onlyUsers=TRUE": 400, "%zz": 400, "x=1;2": 400,
		} {
			status, answer := w.Do(t, "key", "GET", listPath("acme")+"?"+query, "")
			require.Equal(t, want, status, "%.60s: %s", query, answer)
		}
	})
}

func FuzzListQuery(f *testing.F) {
	for _, s := range []string{"page=2&limit=50&sort=id:asc", "role=editor&tags=a&tags[]=b&email=a@b.cd", "page=99999999999&limit=1000", "tags=%C3%9F&onlyUsers=true"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.RawQuery = query
		q, err := listQueryOf(r)
		if err != nil {
			return
		}
		if q.page < 1 || q.limit < 1 || q.limit > maxLimit || q.skip() < 0 {
			t.Fatalf("page %d, limit %d, skip %d", q.page, q.limit, q.skip())
		}
		if err := checkTags(q.search.Tags); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(q.search.Roles, "") {
			t.Fatal("a role without an id")
		}
	})
}

func TestHead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		get := w.Serve(w.Request(t, "key", "GET", listPath("acme"), ""))
		head := w.Serve(w.Request(t, "key", "HEAD", listPath("acme"), ""))
		require.Equal(t, 200, head.Code)
		require.Zero(t, head.Body.Len())
		require.Equal(t, get.Header().Get("Content-Length"), head.Header().Get("Content-Length"))
	})
}
