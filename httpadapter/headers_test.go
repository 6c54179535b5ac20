package httpadapter

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// mayBeKept are the answers that hold nothing of anybody's.
var mayBeKept = map[string]string{"fetchKeys": "public, max-age=300", "describe": "no-cache"}

// TestHeadersOfEveryAnswer: whatever the route, the caller and the outcome, an
// answer is kept by nobody, says what it is, and sends nobody elsewhere.
func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	w := newMatrix(t, memstore.New())
	t.Cleanup(func() { _ = w.m.Close() })
	statuses := map[int]int{}
	check := func(route, what string, r *http.Request) {
		t.Helper()
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, r)
		statuses[rec.Code]++
		h := rec.Header()
		cache := "no-store"
		if kept := mayBeKept[route]; kept != "" && rec.Code == 200 {
			cache = kept
		}
		require.Equal(t, []string{cache}, h["Cache-Control"], "%s: %s", route, what)
		require.Equal(t, []string{"nosniff"}, h["X-Content-Type-Options"], "%s: %s", route, what)
		require.Len(t, h["X-Request-Id"], 1, "%s: %s", route, what)
		require.Empty(t, h["Location"], "%s: %s", route, what)
		require.Empty(t, h["Set-Cookie"], "%s: %s", route, what)
		if rec.Body.Len() > 0 {
			require.Contains(t, []string{"application/json; charset=utf-8", "application/problem+json"}, h.Get("Content-Type"), "%s: %s", route, what)
		}
		if rec.Code == http.StatusUnauthorized && !strings.HasPrefix(route, "mspcentric.") {
			require.NotEmpty(t, h.Get("WWW-Authenticate"), "%s: %s", route, what)
		}
		if rec.Code == http.StatusMethodNotAllowed {
			require.NotEmpty(t, h.Get("Allow"), "%s: %s", route, what)
		}
	}
	table := asks()
	for _, route := range w.router.Routes() {
		check(route.Name, "TRACE", httptest.NewRequest(http.MethodTrace, route.Pattern, nil))
		check(route.Name, "no JSON", httptest.NewRequest(route.Method, route.Pattern, strings.NewReader("{")))
		if route.Policy.Who == wire.WhoAnyone {
			check(route.Name, "nothing", httptest.NewRequest(route.Method, route.Pattern, nil))
			continue
		}
		for _, kind := range kinds {
			for target, word := range targets {
				check(route.Name, kind+" on "+word, w.request(t, route, table[route.Name], kind, target))
			}
		}
	}
	signIn := httptest.NewRequest("POST", "/session", strings.NewReader(`{"username": "plain", "password": "wrong"}`))
	check("signIn", "a wrong password", signIn)
	signIn = httptest.NewRequest("POST", "/session", strings.NewReader(`{"username": "owner2", "password": "`+passphrase+`"}`))
	check("signIn", "the password", signIn)
	for _, path := range []string{"/", "/nowhere", "/auth/nowhere", "/session/nowhere"} {
		check("", path, httptest.NewRequest("GET", path, nil))
	}
	for _, status := range []int{200, 201, 400, 401, 403, 404, 405, 409} {
		require.NotZero(t, statuses[status], "no answer with %d among %v", status, statuses)
	}
}
