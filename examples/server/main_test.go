package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
)

// output collects what the server prints, and tells when the tour is over.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	started chan string
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if m := regexp.MustCompile(`listens on (\S+)\n`).FindSubmatch(o.text.Bytes()); m != nil && o.started != nil {
		o.started <- string(m[1])
		o.started = nil
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs the server with a database and key in dir and returns its
// address, what it prints, and a function that stops it.
func start(t *testing.T, dir string, args ...string) (string, *output, func()) {
	t.Helper()
	out := &output{started: make(chan string, 1)}
	started := out.started
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	args = append([]string{"-addr", "127.0.0.1:0", "-db", filepath.Join(dir, "u.db"), "-key", filepath.Join(dir, "u.key")}, args...)
	go func() { done <- run(ctx, args, out, io.Discard) }()
	var base string
	select {
	case base = <-started:
	case err := <-done:
		t.Fatalf("run(%v) ended: %v", args, err)
	}
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			require.NoError(t, <-done)
		})
	}
	t.Cleanup(stop)
	return base, out, stop
}

// call sends a request and decodes a JSON answer, which must have the status.
func call(t *testing.T, status int, method, url, token, body string) map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, status, res.StatusCode, "%s %s: %s", method, url, raw)
	var answer map[string]any
	if len(raw) > 0 && raw[0] == '{' {
		require.NoError(t, json.Unmarshal(raw, &answer))
	}
	return answer
}

func signIn(t *testing.T, base, username, password string) string {
	t.Helper()
	answer := call(t, 200, "POST", base+"/session", "", `{"username":"`+username+`","password":"`+password+`"}`)
	return answer["access_token"].(string)
}

func TestServer(t *testing.T) {
	t.Parallel()
	t.Run("an empty database gets demo data, once, and what was written stays", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		base, out, stop := start(t, dir)
		token := signIn(t, base, demoAdmin, demoPassword)
		require.Len(t, call(t, 200, "GET", base+"/auth/users/list", token, "")["items"], 8)
		call(t, 200, "POST", base+"/auth/users", token, `{"firstName":"N","lastName":"N","userName":"new@example.com"}`)
		stop()
		require.Contains(t, out.String(), "/auth/users/list")

		base, out, _ = start(t, dir)
		require.Len(t, call(t, 200, "GET", base+"/auth/users/list", token, "")["items"], 9, "the token of before is good for the same key and database")
		require.Contains(t, out.String(), "/auth/users/list")
	})
	t.Run("-apply replaces demo data, and may be repeated", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		file := filepath.Join(dir, "snapshot.json")
		require.NoError(t, os.WriteFile(file, []byte(`{"users":[{"username":"root@example.com","password":"violet cradle 77","roles":[{"name":"admin"}]}]}`), 0o600))
		for range 2 {
			base, out, stop := start(t, dir, "-apply", file)
			token := signIn(t, base, "root@example.com", "violet cradle 77")
			require.Len(t, call(t, 200, "GET", base+"/auth/users/list", token, "")["items"], 1)
			require.NotContains(t, out.String(), demoPassword)
			stop()
		}
	})
	t.Run("the key file is its owner's alone", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		_, _, stop := start(t, dir, "-db", "memory")
		stop()
		name := filepath.Join(dir, "u.key")
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		require.NoError(t, os.Chmod(name, 0o644))
		err = run(t.Context(), []string{"-addr", "127.0.0.1:0", "-db", "memory", "-key", name}, io.Discard, io.Discard)
		require.ErrorContains(t, err, "can be read by others")
		require.NoError(t, os.WriteFile(name, nil, 0o600))
		require.NoError(t, os.Chmod(name, 0o600))
		require.Error(t, run(t.Context(), []string{"-addr", "127.0.0.1:0", "-db", "memory", "-key", name}, io.Discard, io.Discard))
	})
	t.Run("bad flags and files are told, and nothing is made up", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		bad := filepath.Join(dir, "bad.json")
		require.NoError(t, os.WriteFile(bad, []byte(`{"users":[{"username":"a"}],"nonsense":1}`), 0o600))
		base := []string{"-addr", "127.0.0.1:0", "-key", filepath.Join(dir, "k")}
		for text, args := range map[string][]string{
			`-log must be`:                          {"-log", "xml"},
			`unexpected argument`:                   {"extra"},
			`-addr`:                                 {"-addr", "nowhere:port"},
			`no such file`:                          {"-db", "memory", "-apply", filepath.Join(dir, "absent.json")},
			`nonsense`:                              {"-db", "memory", "-apply", bad},
			`only PostgreSQL`:                       {"-db", "mysql://localhost/x"},
			`-db postgres://me:xxxxx@127.0.0.1:1/x`: {"-db", "postgres://me:secret@127.0.0.1:1/x"},
			`-db`:                                   {"-db", dir},
			`loopback`:                              {"-db", "memory", "-addr", "0.0.0.0:0"},
			`flag provided but not`:                 {"-nonsense"},
		} {
			err := run(t.Context(), append(append([]string{}, base...), args...), io.Discard, io.Discard)
			require.ErrorContains(t, err, text)
			require.NotContains(t, err.Error(), "secret")
		}
	})
}

// TestTour sends what the printed lines say, in their order, on each kind of
// database.
func TestTour(t *testing.T) {
	t.Parallel()
	for name, db := range map[string]func(t *testing.T) string{
		"memory":     func(*testing.T) string { return "memory" },
		"sqlite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "tour.db") },
		"postgresql": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			goOnTour(t, db(t))
		})
	}
}

func goOnTour(t *testing.T, db string) {
	base, out, _ := start(t, t.TempDir(), "-db", db)
	token := signIn(t, base, demoAdmin, demoPassword)
	for _, s := range tour {
		r, err := http.NewRequestWithContext(t.Context(), s.method, base+s.path, strings.NewReader(s.body))
		require.NoError(t, err)
		if s.body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		for _, h := range s.header {
			name, value, ok := strings.Cut(h, ": ")
			require.True(t, ok)
			r.Header.Set(name, value)
		}
		if s.bearer != "" {
			r.Header.Set("Authorization", "Bearer "+strings.ReplaceAll(s.bearer, userToken, token))
		}
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Less(t, res.StatusCode, 300, "%s: %s", s.title, text)
		require.Contains(t, out.String(), s.curl(base))
	}
}

// TestLanding: a vendor's user follows his link, twice.
func TestLanding(t *testing.T) {
	t.Parallel()
	base, _, _ := start(t, t.TempDir(), "-db", "memory")
	const client = `{"clientId":"your-client-id","clientSecret":"your-client-secret","grantType":"client_credentials","scope":"vendor_manage",`
	made := call(t, 201, "POST", base+"/api/oem-api/organization", "",
		client+`"data":{"name":"Example Corp","email":"john@example.org","firstName":"John","lastName":"Doe","vendorOrganizationId":"12345"}}`)
	session := call(t, 201, "POST", base+"/api/oem-api/organization/session", "",
		client+`"organizationOemToken":"`+made["organizationOemToken"].(string)+`"}`)
	link := session["redirectUrl"].(string)

	visit := func(target string, cookies []*http.Cookie) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), "GET", target, nil)
		require.NoError(t, err)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res, string(text)
	}
	first, text := visit(link, nil)
	require.Equal(t, 200, first.StatusCode, text)
	require.Contains(t, text, "John Doe (john@example.org), in Example Corp")
	second, text := visit(link, nil)
	require.Equal(t, 410, second.StatusCode)
	require.NotContains(t, text, "John")
	still, text := visit(base+signedInPath, first.Cookies())
	require.Equal(t, 200, still.StatusCode)
	require.Contains(t, text, "John Doe")
	nobody, _ := visit(base+signedInPath, nil)
	require.Equal(t, 401, nobody.StatusCode)
	twice, _ := visit(base+"//api//users/", nil)
	require.Equal(t, 401, twice.StatusCode, "without a redirect")
}
