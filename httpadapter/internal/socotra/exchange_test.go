package socotra

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
)

var update = flag.Bool("update", false, "write the answers of testdata anew")

// An exchange is a file <route>-<case>.http: a request line, headers, an empty
// line, a body; a line "---"; a status, the headers that matter, an empty line,
// a body. The header As signs the request; <names> are those of the world, and
// <uuid> in an answer is any UUID.
type exchange struct {
	file, route      string
	method, target   string
	header           http.Header
	as, body, answer string
}

const divider = "\n---\n"

func readExchange(t *testing.T, file string) exchange {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	request, answer, _ := strings.Cut(string(data), divider)
	head, body, _ := strings.Cut(request, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	x := exchange{file: file, header: http.Header{}, body: body, answer: answer}
	x.route, _, _ = strings.Cut(filepath.Base(file), "-")
	var ok bool
	x.method, x.target, ok = strings.Cut(lines[0], " ")
	require.True(t, ok, "%s: request line", file)
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ": ")
		require.True(t, ok, "%s: header %q", file, line)
		if name == "As" {
			x.as = value
			continue
		}
		x.header.Add(name, value)
	}
	return x
}

func exchanges(t *testing.T) []exchange {
	t.Helper()
	files, err := filepath.Glob("testdata/*.http")
	require.NoError(t, err)
	xs := make([]exchange, len(files))
	for i, f := range files {
		xs[i] = readExchange(t, f)
	}
	return xs
}

var uuidPattern = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

// shownHeaders are the headers of an answer that an exchange fixes.
var shownHeaders = []string{"Content-Type", "Content-Length", "WWW-Authenticate", "Allow", "Cache-Control"}

// play makes the exchange in a fresh world and returns what was answered, in
// the form of the file.
func (x exchange) play(t *testing.T) string {
	w := newWorld(t)
	there, back := w.words()
	r := w.request(t, x.as, x.method, there.Replace(x.target), there.Replace(x.body))
	for name, values := range x.header {
		r.Header[name] = values
	}
	rec := w.serve(r)
	var b strings.Builder
	fmt.Fprintln(&b, rec.Code)
	for _, name := range shownHeaders {
		if v := rec.Header().Get(name); v != "" && (name != "Content-Length" || v == "0") {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	b.WriteString("\n")
	if rec.Body.Len() > 0 {
		var indented bytes.Buffer
		require.NoError(t, json.Indent(&indented, rec.Body.Bytes(), "", "  "))
		b.WriteString(uuidPattern.ReplaceAllString(back.Replace(indented.String()), "<uuid>") + "\n")
	}
	require.NotEmpty(t, rec.Header().Get("X-Request-Id"))
	require.Equal(t, "nosniff", rec.Header().Get("X-Content-Type-Options"))
	return b.String()
}

func TestExchanges(t *testing.T) {
	t.Parallel()
	for _, x := range exchanges(t) {
		t.Run(strings.TrimSuffix(filepath.Base(x.file), ".http"), func(t *testing.T) {
			t.Parallel()
			got := x.play(t)
			if *update {
				data, err := os.ReadFile(x.file)
				require.NoError(t, err)
				request, _, _ := strings.Cut(string(data), divider)
				require.NoError(t, os.WriteFile(x.file, []byte(request+divider+got), 0o644))
				return
			}
			require.Equal(t, x.answer, got, "%s %s as %q", x.method, x.target, x.as)
		})
	}
}

// documented are the statuses of each route, 401 and 405 aside, which all have.
var documented = map[string][]int{
	"createUser":                  {200, 400, 403, 409, 413, 415},
	"fetchMyUserDetails":          {200, 403},
	"fetchUserByName":             {200, 403},
	"fetchUserByLocator":          {200, 403, 404},
	"fetchMultipleUsers":          {200, 400, 403},
	"fetchMultipleBasicUsers":     {200, 400, 403},
	"updateUser":                  {200, 400, 403, 404, 409},
	"resetUserPassword":           {200, 400, 403, 404, 415},
	"deleteUser":                  {200, 403, 404, 409},
	"fetchUserPermissions":        {200, 403, 404},
	"updateUserRoles":             {200, 400, 403, 404, 409},
	"updateUserTenantAssignments": {200, 400, 403, 404},
	"createRole":                  {200, 400, 403, 409},
	"getRole":                     {200, 403, 404},
	"updateRole":                  {200, 400, 403, 404, 409},
	"fetchMultipleRoles":          {200, 400, 403},
	"deleteRole":                  {200, 403, 404},
	"fetchAvailablePermissions":   {200, 403},
}

// TestExchangesAreComplete wants an exchange for every status of every route.
func TestExchangesAreComplete(t *testing.T) {
	t.Parallel()
	seen := map[string][]int{}
	for _, x := range exchanges(t) {
		line, _, _ := strings.Cut(x.answer, "\n")
		status, err := strconv.Atoi(line)
		require.NoError(t, err, x.file)
		seen[x.route] = append(seen[x.route], status)
	}
	routes := Mount(caller.NewGate(newWorld(t).Manager, nil, nil), 0).Routes
	require.Len(t, routes, 18)
	for _, route := range routes {
		name := strings.TrimPrefix(route.Name, "socotra.")
		require.NotEmpty(t, documented[name], "route %s", name)
		for _, status := range append([]int{401}, documented[name]...) {
			require.Contains(t, seen[name], status, "route %s has no exchange with this status", name)
		}
	}
	require.Len(t, documented, len(routes))
	for name := range seen {
		if name == "anyRoute" {
			continue
		}
		require.True(t, slices.Contains(keysOf(documented), name), "exchange of unknown route %s", name)
	}
}

func keysOf[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}
