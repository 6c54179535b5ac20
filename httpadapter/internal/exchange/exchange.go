// Package exchange plays requests and answers that are kept in files, one
// exchange a file, and holds a dialect to them. It is for tests.
//
//	func TestExchanges(t *testing.T) {
//		kinds.Each(t, func(t *testing.T, open func() store.Store) {
//			exchange.Run(t, func(t testing.TB) exchange.World { return newWorld(t, open()).World })
//		})
//	}
//
// A file <route>-<case>.http holds a request line, headers, an empty line and a
// body; a line "---"; then a status, the headers that matter, an empty line and
// a body. The header As names who makes the request. Words like <ada> stand for
// what the world has for them, on both sides; in an answer, <uuid> is any UUIDv7
// and <secret> any secret that the engine made. The answers are the same on
// every store, and are written anew by
//
//	go test -run Exchanges/memstore ./httpadapter/internal/... -update
//
// What the dialects' other tests have in common is here too: a [World] to make
// requests in, and requests that none of them may take.
package exchange

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// AnyRoute begins the names of exchanges that are of no route in particular.
const AnyRoute = "anyRoute"

// Exchange is one file.
type Exchange struct {
	File, Route    string
	Method, Target string
	Header         http.Header
	As, Body       string
	// Answer is the part behind the divider.
	Answer string
}

const divider = "\n---\n"

// Read reads a file.
func Read(t testing.TB, file string) Exchange {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	request, answer, _ := strings.Cut(string(data), divider)
	head, body, _ := strings.Cut(request, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	x := Exchange{File: file, Header: http.Header{}, Body: body, Answer: answer}
	x.Route, _, _ = strings.Cut(filepath.Base(file), "-")
	var ok bool
	x.Method, x.Target, ok = strings.Cut(lines[0], " ")
	require.True(t, ok, "%s: request line", file)
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ": ")
		require.True(t, ok, "%s: header %q", file, line)
		if name == "As" {
			x.As = value
			continue
		}
		x.Header.Add(name, value)
	}
	return x
}

// All reads the files of a folder.
func All(t testing.TB, folder string) []Exchange {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.http"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "%s holds no exchanges", folder)
	xs := make([]Exchange, len(files))
	for i, f := range files {
		xs[i] = Read(t, f)
	}
	return xs
}

// Name is the file's, without its ending.
func (x Exchange) Name() string { return strings.TrimSuffix(filepath.Base(x.File), ".http") }

// Response takes the answer apart.
func (x Exchange) Response(t testing.TB) (status int, header http.Header, body string) {
	t.Helper()
	head, body, _ := strings.Cut(x.Answer, "\n\n")
	lines := strings.Split(head, "\n")
	status, err := strconv.Atoi(lines[0])
	require.NoError(t, err, x.File)
	header = http.Header{}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ": ")
		require.True(t, ok, "%s: header %q", x.File, line)
		header.Add(name, value)
	}
	return status, header, body
}

// shown are the headers of an answer that an exchange fixes; Content-Length
// only where it is zero.
var shown = []string{"Content-Type", "Content-Length", "WWW-Authenticate", "Allow", "Cache-Control", "Retry-After"}

var (
	uuidV7 = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	secret = regexp.MustCompile(`um[a-z]_[A-Za-z0-9_-]{43}`)
)

// Request returns the request as the world understands it.
func (x Exchange) Request(t testing.TB, w World) *http.Request {
	t.Helper()
	r := w.Request(t, x.As, x.Method, x.Target, x.Body)
	there, _ := w.replacers()
	for name, values := range x.Header {
		r.Header[name] = nil
		for _, v := range values {
			r.Header[name] = append(r.Header[name], there.Replace(v))
		}
	}
	return r
}

// Play makes the exchange in the world and returns what was answered, in the
// form of the file, and whether the answer says that something was changed.
func (x Exchange) Play(t testing.TB, w World) (answer string, changed bool) {
	t.Helper()
	_, back := w.replacers()
	rec := w.Serve(x.Request(t, w))
	var b strings.Builder
	fmt.Fprintln(&b, rec.Code)
	for _, name := range shown {
		if v := rec.Header().Get(name); v != "" && (name != "Content-Length" || v == "0") {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	b.WriteString("\n")
	if rec.Body.Len() > 0 {
		var indented bytes.Buffer
		require.NoError(t, json.Indent(&indented, rec.Body.Bytes(), "", "  "))
		text := back.Replace(indented.String())
		text = secret.ReplaceAllString(uuidV7.ReplaceAllString(text, "<uuid>"), "<secret>")
		b.WriteString(text + "\n")
	}
	require.NotEmpty(t, rec.Header().Get(wire.HeaderRequestID))
	require.Equal(t, "nosniff", rec.Header().Get("X-Content-Type-Options"))
	return b.String(), rec.Code < 300 && x.Method != http.MethodGet && x.Method != http.MethodHead
}

var update = flag.Bool("update", false, "write the answers of testdata anew")

// Golden wants a file to hold the text, line by line; with -update it writes it.
func Golden(t testing.TB, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, strings.Split(string(want), "\n"), strings.Split(got, "\n"))
}

// Run plays the exchanges of testdata, one after another. A world serves until
// an answer says that something in it was changed: what is refused changes
// nothing, or the next answer is another than it should be.
func Run(t *testing.T, newWorld func(testing.TB) World) {
	t.Helper()
	w, changed := newWorld(t), false
	for _, x := range All(t, "testdata") {
		if changed {
			w = newWorld(t)
		}
		t.Run(x.Name(), func(t *testing.T) {
			var got string
			got, changed = x.Play(t, w)
			if *update {
				x.write(t, got)
				return
			}
			require.Equal(t, x.Answer, got, "%s %s as %q", x.Method, x.Target, x.As)
		})
	}
}

// write puts an answer into the exchange's file, for the one that it has.
func (x Exchange) write(t testing.TB, answer string) {
	t.Helper()
	data, err := os.ReadFile(x.File)
	require.NoError(t, err)
	request, _, answered := strings.Cut(string(data), divider)
	if !answered { // a new file, which ends with its request
		request = strings.TrimSuffix(request, "\n")
	}
	require.NoError(t, os.WriteFile(x.File, []byte(request+divider+answer), 0o644))
}

// Complete wants an exchange in testdata for every status that a route of the
// mount documents, and 401 where it asks for a credential. Routes are known by
// the last part of their names, behind the dot.
func Complete(t *testing.T, mount wire.Mount) {
	t.Helper()
	seen := map[string][]int{}
	for _, x := range All(t, "testdata") {
		status, _, _ := x.Response(t)
		seen[x.Route] = append(seen[x.Route], status)
	}
	delete(seen, AnyRoute)
	for _, route := range mount.Routes {
		name := route.Name[strings.LastIndex(route.Name, ".")+1:]
		require.NotZero(t, route.Doc.Status, "route %s documents no success", name)
		wanted := append([]int{route.Doc.Status}, route.Doc.Errors...)
		if route.Policy.Who != wire.WhoAnyone {
			wanted = append(wanted, http.StatusUnauthorized)
		}
		for _, status := range wanted {
			require.Contains(t, seen[name], status, "route %s has no exchange with this status", name)
		}
		for _, status := range seen[name] {
			require.Contains(t, wanted, status, "route %s does not document this status", name)
		}
		delete(seen, name)
	}
	require.Empty(t, seen, "exchanges of unknown routes")
}
