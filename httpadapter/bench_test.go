package httpadapter

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkFetchUser is GET /auth/users/{locator} with a bearer token on the
// memory store, beside a bare handler that writes the same bytes.
func BenchmarkFetchUser(b *testing.B) {
	s := newSite(b, Options{})
	token, _ := s.signIn(b, "root", passphrase)
	target := "/auth/users/" + string(bob)
	body := []byte(s.call(b, token, "GET", target, "").text)
	bare := http.NewServeMux()
	bare.HandleFunc("GET /auth/users/{locator}", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/json; charset=utf-8")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	})
	for _, bb := range []struct {
		name    string
		handler http.Handler
	}{{"adapter", s}, {"bare", bare}} {
		b.Run(bb.name, func(b *testing.B) {
			r := httptest.NewRequest("GET", target, nil)
			r.Header.Set("Authorization", "Bearer "+token)
			b.ReportAllocs()
			for b.Loop() {
				rec := httptest.NewRecorder()
				bb.handler.ServeHTTP(rec, r)
				if rec.Code != 200 {
					require.FailNow(b, rec.Body.String())
				}
			}
		})
	}
}
