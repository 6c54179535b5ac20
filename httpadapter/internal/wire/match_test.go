package wire

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func open() Policy { return Policy{Who: WhoAnyone} }

// echo answers with the route's name and the values of its parameters.
func echo(name, pattern string) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		got := []string{name}
		for _, s := range strings.Split(pattern, "/") {
			if isParam(s) {
				got = append(got, Param(r, s[1:len(s)-1]))
			}
		}
		return JSON(w, http.StatusOK, got)
	}
}

func routes(lines ...string) []Route {
	var out []Route
	for _, line := range lines {
		method, pattern, _ := strings.Cut(line, " ")
		out = append(out, Route{Method: method, Pattern: pattern, Name: line, Policy: open(), Handler: echo(line, pattern)})
	}
	return out
}

// fixed renders every error as one word, to tell owners apart.
type fixed string

func (f fixed) Render(e *Error) (string, any) {
	return ContentTypeJSON, map[string]any{"owner": string(f), "message": e.Message()}
}

func authRouter(t *testing.T, o Options) *Router {
	t.Helper()
	rt, err := NewRouter(o,
		Mount{Prefixes: []string{"/auth"}, Errors: fixed("auth"), Routes: routes(
			"POST /auth/users", "GET /auth/users/whoami", "GET /auth/users/username/{username}", "GET /auth/users/{locator}",
			"GET /auth/users/list", "GET /auth/users/basic/list", "PATCH /auth/users/{locator}", "DELETE /auth/users/{locator}",
			"GET /auth/users/{id}/permissions", "PATCH /auth/users/{locator}/roles")},
		Mount{Prefixes: []string{"/auth/deep", "/session"}, Errors: fixed("session"), Routes: routes("POST /session", "GET /auth/deep/{a}/x/{b}")})
	require.NoError(t, err)
	return rt
}

func serve(h http.Handler, method, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	u, err := url.ParseRequestURI(path)
	if err != nil {
		panic(err)
	}
	r.URL, r.RequestURI = u, path
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRouting(t *testing.T) {
	t.Parallel()
	rt := authRouter(t, Options{})
	const (
		gone = `{"message":"no such resource","owner":"auth"}`
		not  = `{"message":"method not allowed","owner":"auth"}`
	)
	tests := []struct {
		method, path string
		status       int
		body         string
		allow        string
	}{
		{"GET", "/auth/users/u-1", 200, `["GET /auth/users/{locator}","u-1"]`, ""},
		{"GET", "/auth/users/u-1/permissions", 200, `["GET /auth/users/{id}/permissions","u-1"]`, ""},
		{"GET", "/auth/users/username/ann", 200, `["GET /auth/users/username/{username}","ann"]`, ""},
		{"GET", "/auth/users/username/permissions", 200, `["GET /auth/users/username/{username}","permissions"]`, ""},
		{"GET", "/auth/users/list", 200, `["GET /auth/users/list"]`, ""},
		{"GET", "/auth/users/basic/list", 200, `["GET /auth/users/basic/list"]`, ""},
		{"GET", "/auth/deep/1/x/2", 200, `["GET /auth/deep/{a}/x/{b}","1","2"]`, ""},

		// Empty segments count for nothing.
		{"GET", "//auth//users/u-1/", 200, `["GET /auth/users/{locator}","u-1"]`, ""},
		{"GET", "/auth/users/list///", 200, `["GET /auth/users/list"]`, ""},
		{"POST", "/auth/users/", 200, `["POST /auth/users"]`, ""},

		// Parameters are decoded once, slashes included.
		{"GET", "/auth/users/username/a%2Fb%2fc", 200, `["GET /auth/users/username/{username}","a/b/c"]`, ""},
		{"GET", "/auth/users/username/a%252Fb", 200, `["GET /auth/users/username/{username}","a%2Fb"]`, ""},
		{"GET", "/auth/users/username/j%C3%B6+r@x%20y;z", 200, `["GET /auth/users/username/{username}","jö+r@x y;z"]`, ""},
		{"GET", "/auth/users/list%2F", 200, `["GET /auth/users/{locator}","list/"]`, ""},
		{"GET", "/auth/users/%252e", 200, `["GET /auth/users/{locator}","%2e"]`, ""},

		// A literal word wins for every method, and for good.
		{"DELETE", "/auth/users/list", 405, not, "GET, HEAD, OPTIONS"},
		{"PATCH", "/auth/users/whoami", 405, not, "GET, HEAD, OPTIONS"},
		{"GET", "/auth/users/list/permissions", 404, gone, ""},
		{"DELETE", "/auth/users/basic", 404, gone, ""},
		{"GET", "/auth/users/username", 404, gone, ""},

		// Case and spelling matter; what is no literal word may be an id.
		{"DELETE", "/auth/users/LIST", 200, `["DELETE /auth/users/{locator}","LIST"]`, ""},
		{"GET", "/Auth/users/list", 404, `{"type":"about:blank","title":"Not Found","status":404,"detail":"no such resource"}`, ""},
		{"GET", "/auth/users/%6Cist", 404, gone, ""},
		{"DELETE", "/auth/users/lis%74", 404, gone, ""},
		{"GET", "/auth/%75sers/list", 404, gone, ""},
		{"GET", "/auth%2Fusers/list", 404, `{"type":"about:blank","title":"Not Found","status":404,"detail":"no such resource"}`, ""},

		// Dot segments are neither resolved nor ids.
		{"GET", "/auth/users/x/../list", 404, gone, ""},
		{"GET", "/auth/users/.", 404, gone, ""},
		{"GET", "/auth/users/..", 404, gone, ""},
		{"GET", "/auth/users/%2e%2E", 404, gone, ""},
		{"GET", "/auth/users/..%2Flist", 200, `["GET /auth/users/{locator}","../list"]`, ""},

		// What cannot be an id is an unknown one.
		{"GET", "/auth/users/a%00", 404, gone, ""},
		{"GET", "/auth/users/a%0Ab", 404, gone, ""},
		{"GET", "/auth/users/a%7F", 404, gone, ""},
		{"GET", "/auth/users/%FF", 404, gone, ""},
		{"GET", "/auth/users/%ED%A0%80", 404, gone, ""},
		{"GET", "/auth/users/" + strings.Repeat("%61", maxParam), 200, `["GET /auth/users/{locator}","` + strings.Repeat("a", maxParam) + `"]`, ""},
		{"GET", "/auth/users/" + strings.Repeat("a", maxParam+1), 404, gone, ""},

		{"PUT", "/auth/users/u-1", 405, not, "DELETE, GET, HEAD, OPTIONS, PATCH"},
		{"GET", "/auth/users", 405, not, "OPTIONS, POST"},
		{"HEAD", "/auth/users", 405, "", "OPTIONS, POST"},
		{"get", "/auth/users/list", 405, not, "GET, HEAD, OPTIONS"},
		{"TRACE", "/auth/users/list", 405, not, "GET, HEAD, OPTIONS"},
		{"CONNECT", "/auth/users/u-1", 405, not, "DELETE, GET, HEAD, OPTIONS, PATCH"},
		{"OPTIONS", "/auth/users/u-1", 204, "", "DELETE, GET, HEAD, OPTIONS, PATCH"},
		{"OPTIONS", "/auth/users/list", 204, "", "GET, HEAD, OPTIONS"},
		{"OPTIONS", "/auth/nothing", 404, gone, ""},
		{"TRACE", "/auth/nothing", 404, gone, ""},

		// The owner of the longest prefix words the error.
		{"GET", "/auth", 404, gone, ""},
		{"GET", "/auth/deep", 404, `{"message":"no such resource","owner":"session"}`, ""},
		{"POST", "/auth/deep/1/x/2", 405, `{"message":"method not allowed","owner":"session"}`, "GET, HEAD, OPTIONS"},
		{"GET", "/authx", 404, `{"type":"about:blank","title":"Not Found","status":404,"detail":"no such resource"}`, ""},
		{"GET", "/", 404, `{"type":"about:blank","title":"Not Found","status":404,"detail":"no such resource"}`, ""},
		{"OPTIONS", "*", 404, `{"type":"about:blank","title":"Not Found","status":404,"detail":"no such resource"}`, ""},
	}
	for _, tt := range tests {
		w := serve(rt, tt.method, tt.path)
		require.Equal(t, tt.status, w.Code, "%s %s", tt.method, tt.path)
		require.Equal(t, tt.body, w.Body.String(), "%s %s", tt.method, tt.path)
		require.Equal(t, tt.allow, w.Header().Get("Allow"), "%s %s", tt.method, tt.path)
		require.Empty(t, w.Header().Get("Location"), "%s %s", tt.method, tt.path)
	}
}

func TestWalkInvalidEscape(t *testing.T) {
	t.Parallel()
	rt := authRouter(t, Options{})
	for _, path := range []string{"/auth/users/%zz", "/auth/users/%", "/auth/users/a%2"} {
		require.Equal(t, errBadEscape, rt.find(path).err, path)
	}
}

func TestMountedUnderPrefix(t *testing.T) {
	t.Parallel()
	plain := authRouter(t, Options{})
	mux := http.NewServeMux()
	mux.Handle("/iam/", http.StripPrefix("/iam", plain))
	mux.Handle("/slash/", http.StripPrefix("/slash/", plain))
	for name, h := range map[string]struct {
		handler http.Handler
		prefix  string
	}{
		"option":           {authRouter(t, Options{Prefix: "/iam/v1/"}), "/iam/v1"},
		"stripped":         {mux, "/iam"},
		"stripped + slash": {mux, "/slash"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(h.handler, "GET", h.prefix+"/auth/users/username/a%2Fb")
			require.Equal(t, 200, w.Code)
			require.Equal(t, `["GET /auth/users/username/{username}","a/b"]`, w.Body.String())
			require.Equal(t, 405, serve(h.handler, "DELETE", h.prefix+"/auth/users/list").Code)
			require.Equal(t, 404, serve(h.handler, "GET", "/auth/users/list").Code)
		})
	}
	_, err := NewRouter(Options{Prefix: "iam"})
	require.Error(t, err)
}

func TestNewRouterRefuses(t *testing.T) {
	t.Parallel()
	good := func() Route {
		return Route{Method: "GET", Pattern: "/a/{id}", Name: "get", Policy: open(), Handler: echo("", "")}
	}
	mount := func(rs ...Route) []Mount { return []Mount{{Prefixes: []string{"/a"}, Errors: Problem{}, Routes: rs}} }
	change := func(f func(*Route)) []Mount { r := good(); f(&r); return mount(r) }
	other := good()
	other.Name = "other"
	renamed := other
	renamed.Pattern = "/a/{key}"
	named := good()
	named.Pattern = "/a/b"

	_, err := NewRouter(Options{}, mount(good())...)
	require.NoError(t, err)
	tests := map[string][]Mount{
		"no policy":        change(func(r *Route) { r.Policy = Policy{} }),
		"policy of no one": change(func(r *Route) { r.Policy = Policy{Permission: "users.read"} }),
		"no name":          change(func(r *Route) { r.Name = "" }),
		"no handler":       change(func(r *Route) { r.Handler = nil }),
		"TRACE":            change(func(r *Route) { r.Method = "TRACE" }),
		"HEAD":             change(func(r *Route) { r.Method = "HEAD" }),
		"OPTIONS":          change(func(r *Route) { r.Method = "OPTIONS" }),
		"no method":        change(func(r *Route) { r.Method = "" }),
		"relative":         change(func(r *Route) { r.Pattern = "a/b" }),
		"slash at end":     change(func(r *Route) { r.Pattern = "/a/b/" }),
		"empty segment":    change(func(r *Route) { r.Pattern = "/a//b" }),
		"dots":             change(func(r *Route) { r.Pattern = "/a/../b" }),
		"escape":           change(func(r *Route) { r.Pattern = "/a/%41" }),
		"half a parameter": change(func(r *Route) { r.Pattern = "/a/{id}.json" }),
		"nameless":         change(func(r *Route) { r.Pattern = "/a/{}" }),
		"parameter twice":  change(func(r *Route) { r.Pattern = "/a/{id}/{id}" }),
		"outside":          change(func(r *Route) { r.Pattern = "/b/{id}" }),
		"route twice":      mount(good(), other),
		"same shape":       mount(good(), renamed),
		"name twice":       mount(good(), named),
		"no errors":        {{Prefixes: []string{"/a"}}},
		"prefix twice":     {{Prefixes: []string{"/a"}, Errors: Problem{}}, {Prefixes: []string{"/a"}, Errors: Problem{}}},
		"bad prefix":       {{Prefixes: []string{"/{a}"}, Errors: Problem{}}},
		"another's route": append(mount(Route{Method: "GET", Pattern: "/a/b/c", Name: "x", Policy: open(), Handler: echo("", "")}),
			Mount{Prefixes: []string{"/a/b"}, Errors: Problem{}}),
	}
	for name, mounts := range tests {
		_, err := NewRouter(Options{}, mounts...)
		require.Error(t, err, name)
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	rt := authRouter(t, Options{})
	list := rt.Routes()
	require.Len(t, list, 12)
	require.Equal(t, "/auth/deep/{a}/x/{b}", list[0].Pattern)
	require.Equal(t, "DELETE /auth/users/{locator}", list[7].Name)
	list[0].Pattern = "changed"
	require.Equal(t, "/auth/deep/{a}/x/{b}", rt.Routes()[0].Pattern)
}
