package orguser

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// crowd makes members of an organization, those from the number from to the
// number to; some have no e-mail.
func (w *world) crowd(t testing.TB, org usermgmt.OrganizationID, from, to int) {
	t.Helper()
	s := usermgmt.Snapshot{Organizations: []usermgmt.SnapshotOrganization{{ID: org}}}
	for i := from; i < to; i++ {
		name := fmt.Sprintf("x-%06d@example.com", i)
		u := usermgmt.SnapshotUser{ID: usermgmt.UserID(name[:8]), Username: name, FirstName: new("Ada <&>"), LastName: new("Lovelace")}
		if i%2 == 0 {
			u.Email = new(name)
		}
		s.Users = append(s.Users, u)
		s.Organizations[0].Members = append(s.Organizations[0].Members, usermgmt.SnapshotMember{User: name, Role: "member"})
	}
	require.NoError(t, w.Apply(t.Context(), s))
}

// own are the members that Globex has: Gil, Gus and Rita.
const own = 3

// TestList: every member once, in the order of ids, be they one page or more,
// and no longer than one has the right to see them.
func TestList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		before := 0
		for _, n := range []int{0, usermgmt.MaxPage - own, usermgmt.MaxPage - own + 1} {
			w.crowd(t, globex, before, n)
			before = n
			rec := w.Serve(w.request(t, "gil", globex, "GET", path, ""))
			require.Equal(t, 200, rec.Code)
			require.Equal(t, "application/json; charset=utf-8", rec.Header().Get("Content-Type"))
			require.Equal(t, n+own <= usermgmt.MaxPage, rec.Header().Get("Content-Length") != "", "one page has a length")
			var list []map[string]any
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &list))
			require.Len(t, list, n+own)
			var ids []string
			for _, item := range list {
				require.Len(t, item, 6)
				ids = append(ids, item["user_id"].(string))
			}
			require.True(t, slices.IsSorted(ids))
			require.Len(t, slices.Compact(ids), n+own)
			if n > 0 {
				require.Equal(t, map[string]any{
					"user_id": "x-000001", "first_name": "Ada <&>", "last_name": "Lovelace", "role": "member", "email": "", "created_at": "2024-12-02 14:00:00",
				}, list[own+1])
				require.NotContains(t, rec.Body.String(), `\u003c`, "no HTML escapes")
			}
			head := w.Serve(w.request(t, "gil", globex, http.MethodHead, path, ""))
			require.Equal(t, 200, head.Code)
			require.Zero(t, head.Body.Len())
			require.Equal(t, rec.Header().Get("Content-Length"), head.Header().Get("Content-Length"))
		}
		rightsEndWithinTheList(t, w)
	})
}

// TestStream: a list of many pages is one array.
func TestStream(t *testing.T) {
	t.Parallel()
	pages := map[string]usermgmt.List[usermgmt.Member]{
		"":  {Items: make([]usermgmt.Member, 2), Next: "x"},
		"x": {Items: make([]usermgmt.Member, 3), Next: "y"},
		"y": {Items: make([]usermgmt.Member, 1)},
	}
	var out strings.Builder
	require.NoError(t, stream(&out, pages[""], func(after string) (usermgmt.List[usermgmt.Member], error) { return pages[after], nil }))
	var list []listedMember
	require.NoError(t, json.Unmarshal([]byte(out.String()), &list))
	require.Len(t, list, 6)
}

// TestBrokenStream: a list that cannot be finished is no JSON.
func TestBrokenStream(t *testing.T) {
	t.Parallel()
	page := usermgmt.List[usermgmt.Member]{Items: make([]usermgmt.Member, 2), Next: "x"}
	var out strings.Builder
	broken := errors.New("broken")
	err := stream(&out, page, func(after string) (usermgmt.List[usermgmt.Member], error) {
		require.Equal(t, "x", after)
		return usermgmt.List[usermgmt.Member]{}, broken
	})
	require.ErrorIs(t, err, broken)
	require.True(t, strings.HasPrefix(out.String(), `[{"user_id":`))
	require.False(t, json.Valid([]byte(out.String())))
}

// rightsEndWithinTheList: who is removed while a list of several pages is on its
// way gets no further page, nor the end of the list.
func rightsEndWithinTheList(t *testing.T, w *world) {
	t.Helper()
	r := w.request(t, "gil", globex, "GET", path, "")
	rec := &removing{world: w, t: t}
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { w.ServeHTTP(rec, r) }, "the connection is cut")
	require.Positive(t, rec.written)
	require.False(t, json.Valid(rec.body))
	require.NotContains(t, string(rec.body), fmt.Sprintf("x-%06d", usermgmt.MaxPage-own), "the one of the second page")
}

// removing is a client that is removed from Globex once the answer begins.
type removing struct {
	*world
	t       testing.TB
	header  http.Header
	written int
	body    []byte
}

func (r *removing) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

func (r *removing) WriteHeader(int) {
	require.NoError(r.t, r.RemoveMember(r.t.Context(), globex, "u-gil"))
}

func (r *removing) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	r.written += len(p)
	return len(p), nil
}

// BenchmarkList lists 10,000 members, one page, and 30,000, which are streamed.
func BenchmarkList(b *testing.B) {
	for _, n := range []int{10_000, 30_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b, memstore.New())
			w.crowd(b, globex, 0, n-own)
			r := w.request(b, "gil", globex, "GET", path, "")
			b.ReportAllocs()
			for b.Loop() {
				w.ServeHTTP(&sink{}, r)
			}
		})
	}
}

// sink is a client that forgets what it gets.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header {
	if s.header == nil {
		s.header = http.Header{}
	}
	return s.header
}
func (*sink) WriteHeader(int)             {}
func (*sink) Write(p []byte) (int, error) { return len(p), nil }
