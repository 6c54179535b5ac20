package httpadapter

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/units"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// TestUnitsOfWork: beside what finds out who calls and what he may, a request
// takes two units of work at the most, whatever its route. For a user it takes
// no more in all, once he is known; a vendor's or a key's credential is looked
// up each time. A password takes three more: whether it may be tried, that it was,
// and that it was right.
func TestUnitsOfWork(t *testing.T) {
	t.Parallel()
	var counted *units.Store
	newWorld := func() *matrix {
		counted = units.Count(memstore.New())
		return newMatrix(t, counted)
	}
	w := newWorld()
	t.Cleanup(func() { require.NoError(t, w.m.Close()) })
	table := asks()
	for _, route := range w.router.Routes() {
		if route.Policy.Who == wire.WhoAnyone {
			continue
		}
		served := false
		for kind, limit := range map[string]int{
			kindClient: 3, "API key of the organization": 3, "owner of the organization": 2, kindOnly: 2, kindRoot: 2,
		} {
			if route.Name == "changePassword" {
				limit += 3
			}
			r := w.request(t, route, table[route.Name], kind, 0)
			w.meet(t, r.Header.Get("Authorization"))
			rec := httptest.NewRecorder()
			counted.Reset()
			w.ServeHTTP(rec, r)
			require.LessOrEqual(t, counted.Total(), limit, "%s as %s: %d", route.Name, kind, rec.Code)
			if rec.Code < 300 {
				served = true
				require.NoError(t, w.m.Close())
				w = newWorld()
			}
		}
		require.True(t, served, "%s was served to nobody", route.Name)
	}
}

// meet makes requests that leave the caller known: his session, his rights and
// his place in acme.
func (w *matrix) meet(t testing.TB, authorization string) {
	t.Helper()
	for _, path := range []string{"/auth/users/whoami", "/organization-user"} {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Authorization", authorization)
		r.Header.Set("organization_id", "acme")
		w.ServeHTTP(httptest.NewRecorder(), r)
	}
}
