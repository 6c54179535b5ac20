package httpadapter

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/internal/tier"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// wall is an Adapter behind a real server, which is asked byte by byte, and tells
// what route each request reached.
type wall struct {
	t      *testing.T
	addr   string
	routes []wire.Route
	conn   net.Conn
	reader *bufio.Reader
	// reached gets the pattern of the route for each request that net/http let
	// through, "" for none.
	reached chan string
	tally   map[int]int // answers by status
}

// routeLog keeps the pattern of the last request's route.
type routeLog struct {
	slog.Handler
	last atomic.Pointer[string]
}

func (l *routeLog) Enabled(context.Context, slog.Level) bool { return true }

func (l *routeLog) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "request" {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key != "route" {
				return true
			}
			pattern := strings.TrimPrefix(a.Value.String(), "unmatched")
			l.last.Store(&pattern)
			return false
		})
	}
	return nil
}

// newWall serves w's realm by what mount makes of an Adapter.
func newWall(t *testing.T, w *matrix, o Options, mount func(http.Handler) http.Handler) *wall {
	t.Helper()
	log := &routeLog{Handler: slog.DiscardHandler}
	o.Logger = slog.New(log)
	a, err := New(w.m, o)
	require.NoError(t, err)
	host := mount(a)
	b := &wall{t: t, routes: a.router.Routes(), reached: make(chan string, 1), tally: map[int]int{}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		none := ""
		log.last.Store(&none)
		w.Header().Set("Arrived", "yes")
		host.ServeHTTP(w, r)
		b.reached <- *log.last.Load()
	}))
	server.Config.ErrorLog = slog.NewLogLogger(failing{t}, slog.LevelError)
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		if b.conn != nil {
			_ = b.conn.Close()
		}
	})
	b.addr = server.Listener.Addr().String()
	return b
}

// failing is the log of a server in which nothing may panic.
type failing struct{ t *testing.T }

func (failing) Enabled(context.Context, slog.Level) bool { return true }
func (f failing) WithAttrs([]slog.Attr) slog.Handler     { return f }
func (f failing) WithGroup(string) slog.Handler          { return f }

func (f failing) Handle(_ context.Context, r slog.Record) error {
	f.t.Errorf("the server logs: %s", r.Message)
	return nil
}

// reply is an answer, and the pattern of the route that gave it.
type reply struct {
	status  int
	header  http.Header
	body    string
	pattern string
}

// ask sends a request with the headers, each a whole line, and a body of JSON.
func (b *wall) ask(method, target string, headers []string, body string) reply {
	b.t.Helper()
	if b.conn == nil {
		conn, err := (&net.Dialer{}).DialContext(b.t.Context(), "tcp", b.addr)
		require.NoError(b.t, err)
		require.NoError(b.t, conn.SetDeadline(time.Now().Add(time.Minute)))
		b.conn, b.reader = conn, bufio.NewReader(conn)
	}
	text := method + " " + target + " HTTP/1.1\r\nHost: app.example\r\n"
	for _, h := range headers {
		text += h + "\r\n"
	}
	if body != "" {
		text += fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	_, err := io.WriteString(b.conn, text+"\r\n"+body)
	require.NoError(b.t, err)
	res, err := http.ReadResponse(b.reader, &http.Request{Method: method})
	require.NoError(b.t, err, "%s %q", method, target)
	data, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	got := reply{status: res.StatusCode, header: res.Header, body: string(data)}
	if res.Header.Get("Arrived") != "" {
		got.pattern = <-b.reached
	}
	if res.Close || res.Header.Get("Arrived") == "" {
		_ = b.conn.Close()
		b.conn = nil
	}
	b.tally[got.status]++
	return got
}

// pathOf fills the parameters of a pattern with ids that nobody has.
func pathOf(pattern string) string {
	segments := strings.Split(pattern, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = fmt.Sprintf("nobody-%d", i)
		}
	}
	return strings.Join(segments, "/")
}

// leads tells whether the path, as it was sent, is one of the pattern's: each
// word to the byte, and something that may be an id for each parameter, which
// what is a word of some route at that place may not.
func (b *wall) leads(path, prefix, pattern string) bool {
	pattern = prefix + pattern
	path, _, _ = strings.Cut(path, "?")
	words := strings.Split(pattern, "/")[1:]
	segments := slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
	if len(words) != len(segments) {
		return false
	}
	for i, word := range words {
		if !strings.HasPrefix(word, "{") {
			if word != segments[i] {
				return false
			}
			continue
		}
		value, err := url.PathUnescape(segments[i])
		if err != nil || value == "" || value == "." || value == ".." || strings.ContainsAny(value, "\x00\r\n\t\x7f") {
			return false
		}
		for _, r := range b.routes {
			its := strings.Split(prefix+r.Pattern, "/")[1:]
			if len(its) > i && slices.Equal(its[:i], words[:i]) && its[i] == value {
				return false
			}
		}
	}
	return true
}

// same are spellings of a path that lead where it leads.
func same(path string) []string {
	return []string{
		path, path + "/", path + "///", "/" + path, "//" + strings.ReplaceAll(path[1:], "/", "//"), path + "?", path + "?x=%2F..%2F",
		strings.Replace(path, "nobody", "n%6Fb%6fdy", 1), "http://another.example" + path,
	}
}

// others are spellings of a path with something else in place of each of its
// words, or between them.
func others(pattern string) []string {
	path := pathOf(pattern)
	segments := strings.Split(path, "/")[1:]
	var all []string
	put := func(i int, words ...string) {
		changed := slices.Concat(segments[:i], words, segments[i+1:])
		all = append(all, "/"+strings.Join(changed, "/"))
	}
	for i, s := range segments {
		first, rest := s[:1], s[1:]
		put(i, strings.ToUpper(s))
		put(i, strings.ToUpper(first)+rest)
		put(i, fmt.Sprintf("%%%02x%s", first[0], rest))
		put(i, fmt.Sprintf("%%%02X%s", first[0], rest))
		put(i, fmt.Sprintf("%%25%02x%s", first[0], rest))
		put(i, url.PathEscape(string(rune(first[0])-'!'+'！'))+rest) // its full-width form
		for _, tail := range []string{"%00", "%20", "%09", "%0d%0a", "%7f", "%C2%A0", ".", ";x=1", "%3B", "%2F", "%5C", "\\", "*", "~", "%ff", "%c0%af", "%23", "%3f", ".json", ":"} {
			put(i, s+tail)
			put(i, tail+s)
		}
		put(i, s, ".")
		put(i, s, "..")
		put(i, ".", s)
		put(i, "..", s)
		put(i, s, "x", "..")
		put(i, "%2e%2e", s)
		put(i, "%2e", s)
		put(i, s, "%2E%2e")
		put(i, s, s)
		put(i)
		if i+1 < len(segments) {
			for _, joint := range []string{"%2F", "%2f", "%5c", "%252F", "\\", "%00/", "/%00", ";/", "%20", ""} {
				changed := slices.Concat(segments[:i], []string{s + joint + segments[i+1]}, segments[i+2:])
				all = append(all, "/"+strings.Join(changed, "/"))
			}
		}
	}
	return append(all, path+"/x", path+"%2F", path+"%2F..", path+"%zz", path+"%", path+"%u0041", strings.TrimPrefix(path, "/"), path+"\x00", path+" x", "*", "/..", "")
}

// TestSpellings: no route is reached by another spelling of its path than those
// that are the same, whether the Adapter is the whole host, part of one, or
// behind a prefix.
func TestSpellings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options Options
		mount   func(http.Handler) http.Handler
		cleans  bool // the host's mux redirects paths that are not clean
	}{
		"alone": {Options{}, func(h http.Handler) http.Handler { return h }, false},
		"in a mux": {Options{}, func(h http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/", h)
			return mux
		}, true},
		"behind a prefix": {Options{Prefix: "/accounts/v1"}, func(h http.Handler) http.Handler { return h }, false},
		"behind a prefix in a mux": {Options{Prefix: "/accounts/v1"}, func(h http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/accounts/v1/", h)
			return mux
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMatrix(t, memstore.New())
			t.Cleanup(func() { require.NoError(t, w.m.Close()) })
			b := newWall(t, w, c.options, c.mount)
			prefix := c.options.Prefix
			require.GreaterOrEqual(t, len(b.routes), 37)
			asked, elsewhere := 0, 0
			for _, route := range b.routes {
				pattern := prefix + route.Pattern
				for _, target := range same(pathOf(pattern)) {
					got := b.ask(route.Method, target, nil, "")
					asked++
					if c.cleans && got.pattern == "" && got.status/100 == 3 {
						require.Equal(t, pathOf(pattern), strings.TrimSuffix(path(t, got.header.Get("Location")), "/"), "%s: the mux sends one elsewhere", target)
						continue
					}
					require.Equal(t, route.Pattern, got.pattern, "%s %s: %d", route.Method, target, got.status)
				}
				for i, target := range others(pattern) {
					if name != "alone" && i%tier.Count(16, 4, 1, 1) != 0 {
						continue // the host does to a few what it does to all
					}
					got := b.ask(route.Method, target, nil, "")
					asked++
					switch {
					case got.pattern == "":
						require.Contains(t, []int{301, 307, 400, 404, 405}, got.status, "%s %q", route.Method, target)
						if got.status/100 == 3 {
							require.True(t, c.cleans, "%s %q is redirected", route.Method, target)
						}
					case b.leads(target, prefix, got.pattern):
						elsewhere++ // an id of whatever spelling, of a route that takes one there
					default:
						require.Fail(t, "reached by another spelling", "%s %q reaches %s: %d", route.Method, target, got.pattern, got.status)
					}
				}
			}
			require.Positive(t, elsewhere)
			t.Logf("%d routes, %d spellings, %d of them ids; answers by status: %v", len(b.routes), asked, elsewhere, b.tally)
		})
	}
}

func path(t *testing.T, target string) string {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	return u.Path
}

// TestMethodsOfEveryRoute: a method that a path does not have is 405 with those
// that it has, by whatever header another one is asked for; HEAD is GET without
// a body, and OPTIONS reaches nothing.
func TestMethodsOfEveryRoute(t *testing.T) {
	t.Parallel()
	w := newMatrix(t, memstore.New())
	t.Cleanup(func() { require.NoError(t, w.m.Close()) })
	b := newWall(t, w, Options{}, func(h http.Handler) http.Handler { return h })
	allowed := map[string][]string{}
	for _, route := range b.routes {
		allowed[route.Pattern] = append(allowed[route.Pattern], route.Method)
		if route.Method == "GET" {
			allowed[route.Pattern] = append(allowed[route.Pattern], "HEAD")
		}
	}
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "TRACK", "get", "Post", "PROPFIND", "BREW", "GETX", strings.Repeat("M", 1_000)}
	asked := 0
	for _, pattern := range slices.Sorted(maps.Keys(allowed)) {
		target := pathOf(pattern)
		allow := slices.Sorted(slices.Values(append(slices.Clone(allowed[pattern]), "OPTIONS")))
		for _, method := range methods {
			for _, header := range [][]string{nil, {"X-HTTP-Method-Override: " + allow[0], "X-Method-Override: " + allow[0], "X-HTTP-Method: " + allow[0], "X-Original-URL: /session", "X-Rewrite-URL: /session"}} {
				got := b.ask(method, target, header, "")
				asked++
				switch {
				case method == "OPTIONS":
					require.Equal(t, 204, got.status, target)
					require.Empty(t, got.pattern)
				case slices.Contains(allow, method):
					require.Equal(t, pattern, got.pattern, "%s %s", method, target)
				default:
					require.Equal(t, 405, got.status, "%.20s %s", method, target)
					require.Empty(t, got.pattern, "%.20s %s", method, target)
					require.Equal(t, strings.Join(allow, ", "), got.header.Get("Allow"), "%.20s %s", method, target)
				}
				if method == "HEAD" {
					require.Empty(t, got.body)
				}
			}
		}
		for _, method := range []string{"G\x00T", "G T", "(GET)", "", "GET\t"} { // no tokens: net/http refuses them
			got := b.ask(method, target, nil, "")
			asked++
			require.Equal(t, 400, got.status, "%q", method)
			require.Empty(t, got.pattern)
		}
	}
	t.Logf("%d paths, %d requests; answers by status: %v", len(allowed), asked, b.tally)
}

// TestHeadersThatCountForNothing: what a proxy or a prankster adds to a request
// changes nothing of any route's answer, and a credential is taken from its own
// header alone, given once.
func TestHeadersThatCountForNothing(t *testing.T) {
	t.Parallel()
	w := newMatrix(t, memstore.New())
	t.Cleanup(func() { require.NoError(t, w.m.Close()) })
	b := newWall(t, w, Options{}, func(h http.Handler) http.Handler { return h })
	root := "Bearer " + w.bearer[kindRoot]
	asked := 0
	const id = "X-Request-Id: one"
	for _, route := range b.routes {
		plain := b.ask(route.Method, pathOf(route.Pattern), []string{id}, "")
		for _, header := range []string{
			"X-Remote-User: root", "X-Forwarded-User: root", "X-User-Id: root", "Remote_User: root", "X-Authenticated-Userid: root",
			"Authorization_: " + root, "Author_ization: " + root, "HTTP_AUTHORIZATION: " + root, "X-Authorization: " + root, "Proxy-Authorization: " + root,
			"X-Forwarded-Authorization: " + root, "Cookie: access_token=" + root[7:] + "; Authorization=" + root, "X-Api-Key: " + root[7:],
			"X-Forwarded-Host: evil.example", "Forwarded: host=evil.example;proto=https", "X-Forwarded-Prefix: /auth", "X-Original-URL: /auth/users/whoami",
			"Expect: 100-continue", "Upgrade: h2c", "Range: bytes=0-0", "If-None-Match: *", "If-Match: \"x\"", "Accept: text/html", "Origin: https://evil.example",
		} {
			got := b.ask(route.Method, pathOf(route.Pattern), []string{id, header}, "")
			asked++
			require.Equal(t, route.Pattern, got.pattern, "%s with %.60s", route.Name, header)
			require.Equal(t, plain.status, got.status, "%s with %.60s: %s", route.Name, header, got.body)
			require.Equal(t, plain.body, got.body, "%s with %.60s", route.Name, header)
			require.NotContains(t, fmt.Sprint(got.header, got.body), "evil.example", route.Name)
		}
		if route.Policy.Who != wire.WhoUser && route.Policy.Who != wire.WhoKey {
			continue
		}
		for _, headers := range [][]string{
			{"Authorization: " + root, "authorization: " + root}, {"AUTHORIZATION: " + root, "Authorization: "}, {"Authorization: Basic eA==", "Authorization: " + root},
			{"Authorization: " + root + ", " + root},
		} {
			got := b.ask(route.Method, pathOf(route.Pattern), headers, "")
			asked++
			require.Equal(t, 400, got.status, "%s with %.20q: %s", route.Name, headers, got.body)
		}
		for _, header := range []string{"Authorization : " + root, "Author ization: " + root, "Authorization\x00: " + root, "Authorization: " + root + "\x00", "Content-Length: -1", "Content-Length: 1\r\nContent-Length: 2", "Transfer-Encoding: gzip, identity", ": x"} {
			got := b.ask(route.Method, pathOf(route.Pattern), []string{header}, "")
			asked++
			require.Contains(t, []int{400, 501}, got.status, "%s with %.40q", route.Name, header)
			require.Empty(t, got.header.Get("Arrived"), "%s with %.40q: net/http refuses it", route.Name, header)
		}
	}
	t.Logf("%d routes, %d requests; answers by status: %v", len(b.routes), asked, b.tally)
}
