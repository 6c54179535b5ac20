package exchange

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// World is a dialect before a realm with people in it.
type World struct {
	http.Handler
	// Words maps words, without their brackets, to what they stand for. Every
	// value must be distinctive: it is replaced wherever it occurs.
	Words map[string]string
	// Token returns the bearer token of whom a request names.
	Token func(t testing.TB, as string) string
}

// Request returns a request by someone, or by nobody if as is empty. Words in
// the target and the body are replaced.
func (w World) Request(t testing.TB, as, method, target, body string) *http.Request {
	t.Helper()
	there, _ := w.replacers()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(there.Replace(body))
	}
	r := httptest.NewRequest(method, there.Replace(target), reader)
	if as != "" {
		Bear(r, w.Token(t, as))
	}
	return r
}

// Bear gives a request a bearer token.
func Bear(r *http.Request, token string) { r.Header.Set("Authorization", "Bearer "+token) }

// Serve returns the answer to a request.
func (w World) Serve(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

// Do makes a request and returns status and body, with words in place of what
// they stand for.
func (w World) Do(t testing.TB, as, method, target, body string) (status int, answer string) {
	t.Helper()
	rec := w.Serve(w.Request(t, as, method, target, body))
	_, back := w.replacers()
	return rec.Code, back.Replace(rec.Body.String())
}

// replacers turn words into what they stand for, and back.
func (w World) replacers() (there, back *strings.Replacer) {
	words := make([]string, 0, len(w.Words))
	for word := range w.Words {
		words = append(words, word)
	}
	slices.Sort(words) // the first of two words for one thing is the one shown
	var forth, reverse []string
	for _, word := range words {
		forth = append(forth, "<"+word+">", w.Words[word])
		reverse = append(reverse, w.Words[word], "<"+word+">")
	}
	return strings.NewReplacer(forth...), strings.NewReplacer(reverse...)
}
