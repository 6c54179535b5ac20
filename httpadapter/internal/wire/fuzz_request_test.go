package wire

import (
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// bearerValue is the header's value by RFC 6750 and 9110, read generously: any
// visible ASCII is a token's.
var bearerValue = regexp.MustCompile(`^ *(?i:bearer) +([!-~]+) *$`)

// FuzzBearer: a header's text is taken if, and only if, it is the scheme and one
// token of at most 8 KiB, and that token is returned.
func FuzzBearer(f *testing.F) {
	for _, s := range []string{"Bearer a.b.c", "bEARER   x ", "Bearer", "Bearer a b", "Bearer\ta", "Bearera", "Basic eA==", " Bearer a", "Bearer é", "Bearer a\x00", "Bearer a,b"} {
		f.Add(s)
	}
	f.Add("Bearer " + strings.Repeat("a", maxToken+1))
	f.Fuzz(func(t *testing.T, value string) {
		r := &http.Request{Header: http.Header{"Authorization": {value}}}
		token, err := Bearer(r)
		want := bearerValue.FindStringSubmatch(value)
		switch {
		case err == nil && (want == nil || want[1] != token || len(token) > maxToken):
			t.Fatalf("Bearer(%q) = %q", value, token)
		case err != nil && want != nil && len(want[1]) <= maxToken:
			t.Fatalf("Bearer(%q): %v", value, err)
		case err != nil && token != "":
			t.Fatalf("Bearer(%q) = %q, %v", value, token, err)
		case err != nil && !errors.Is(err, ErrNoCredential) && !errors.As(err, new(*Error)):
			t.Fatalf("Bearer(%q): %v does not blame the caller", value, err)
		}
	})
}

// FuzzQuery reads the parameters of any query in each form: what is taken is
// what net/url and math/big find there, once.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		"n=10&b=true&s=x", "n=-0", "n=007", "n=99999999999999999999999", "n=-99999999999999999999999", "n=+1", "n=1e3", "n=%31", "n=1&n=1",
		"b=TRUE", "s=%00", "s=%ff", "s=a;b", "%zz", "n=", "n=9223372036854775808", "n=-9223372036854775808", "n=2147483648", "n=1_0", "n=0x1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := ParseQuery(&http.Request{URL: &url.URL{RawQuery: raw}})
		theirs, theirErr := url.ParseQuery(raw)
		if err != nil {
			if theirErr == nil && len(raw) <= maxQuery {
				t.Fatalf("ParseQuery(%q): %v", raw, err)
			}
			return
		}
		if theirErr != nil || len(raw) > maxQuery {
			t.Fatalf("ParseQuery takes %q", raw)
		}
		given := theirs["n"]
		n, err := q.Int("n", IntRange{Default: -7, Min: -5})
		if len(given) == 0 {
			require.Equal(t, -7, n)
			require.NoError(t, err)
		} else if want, ok := integer(given); ok != (err == nil) || ok && n != want {
			t.Fatalf("Int of %q = %d, %v, want %d, %t", given, n, err, want, ok)
		}
		s, found, err := q.String("s")
		switch given := theirs["s"]; {
		case len(given) == 0 && (found || s != "" || err != nil),
			len(given) > 1 && err == nil,
			len(given) == 1 && err == nil && (s != given[0] || !found || !utf8.ValidString(s)):
			t.Fatalf("String of %q = %q, %t, %v", given, s, found, err)
		}
		yes, err := q.Bool("b", true)
		switch given := theirs["b"]; {
		case err == nil && len(given) == 1 && (given[0] == "true") != yes,
			err == nil && len(given) == 1 && given[0] != "true" && given[0] != "false",
			err == nil && len(given) > 1, err != nil && len(given) == 0:
			t.Fatalf("Bool of %q = %t, %v", given, yes, err)
		}
	})
}

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// integer is what Int gives for the values, from -5 to the greatest of 32 bits.
func integer(given []string) (int, bool) {
	if len(given) != 1 || !decimal.MatchString(given[0]) {
		return 0, false
	}
	n, _ := new(big.Int).SetString(given[0], 10)
	if n.Cmp(big.NewInt(-5)) < 0 {
		return 0, false
	}
	if top := big.NewInt(1<<31 - 1); n.Cmp(top) > 0 {
		n = top
	}
	return int(n.Int64()), true
}

// FuzzPath: any path leads to no route, or to one whose literal words are in it as
// they are, and whose parameters, escaped anew, lead there again. A second
// reading of the path, by splitting it, agrees.
func FuzzPath(f *testing.F) {
	for _, s := range []string{
		"/auth/users", "/auth/users/", "//auth//users//list", "/auth/users/x%2Fy", "/auth/users/%6cist", "/auth/users/..", "/auth/users/%2e%2e/x",
		"/auth/users/username/list", "/auth/users/list/permissions", "/auth/users/x/permissions", "/auth/users/%00", "/auth/users/%zz", "/auth/users/%ff",
		"/Auth/users", "/auth/users/x;y", "/auth/users/x%3Fy", "auth/users", "/auth/users/+", "/auth/users/%252F", "", "/", "*", "/auth/users/username",
	} {
		f.Add(s)
	}
	patterns := []string{"/auth/users", "/auth/users/list", "/auth/users/username/{name}", "/auth/users/{id}", "/auth/users/{id}/permissions"}
	var reached Route
	var params []string
	mount := Mount{Prefixes: []string{"/auth"}, Errors: Problem{}}
	for _, p := range patterns {
		mount.Routes = append(mount.Routes, Route{Method: "GET", Pattern: p, Name: p, Policy: open(), Handler: func(_ http.ResponseWriter, r *http.Request) error {
			reached, _ = RouteOf(r.Context())
			params = exchangeOf(r.Context()).params
			return nil
		}})
	}
	rt, err := NewRouter(Options{}, mount)
	require.NoError(f, err)
	ask := func(u *url.URL) (int, string, []string) {
		reached, params = Route{}, nil
		rec := httptest.NewRecorder()
		rt.ServeHTTP(rec, &http.Request{Method: "GET", URL: u, Header: http.Header{}})
		return rec.Code, reached.Pattern, params
	}
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return // net/http answers such a request itself
		}
		status, pattern, values := ask(u)
		if status != 200 {
			if status != 404 && status != 400 || pattern != "" {
				t.Fatalf("%q is answered %d by %q", path, status, pattern)
			}
			return
		}
		var segments []string
		for s := range strings.SplitSeq(u.EscapedPath(), "/") {
			if s != "" {
				segments = append(segments, s)
			}
		}
		words := strings.Split(pattern, "/")[1:]
		if len(words) != len(segments) {
			t.Fatalf("%q leads to %s", path, pattern)
		}
		var canonical strings.Builder
		rest := slices.Clone(values)
		for i, word := range words {
			if !isParam(word) {
				if word != segments[i] {
					t.Fatalf("%q leads to %s", path, pattern)
				}
				canonical.WriteString("/" + word)
				continue
			}
			value, err := url.PathUnescape(segments[i])
			if err != nil || value != rest[0] || value == "" || value == "." || value == ".." || len(value) > maxParam || !printable(value) {
				t.Fatalf("%q leads to %s with %q", path, pattern, rest[0])
			}
			canonical.WriteString("/" + url.PathEscape(value))
			rest = rest[1:]
		}
		again, err := url.ParseRequestURI(canonical.String())
		require.NoError(t, err)
		if _, p, v := ask(again); p != pattern || !slices.Equal(v, values) {
			t.Fatalf("%q leads to %s with %q, and %q to %s with %q", path, pattern, values, canonical.String(), p, v)
		}
	})
}
