// Package processtest tests what several processes do with the same data: each
// is a server of its own over a store of its own, and knows of the others
// nothing but what the store tells it.
package processtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter"
	"github.com/usermgmt-go/usermgmt/pgstore"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

// place is a kind of store that processes share.
type place struct {
	// fresh returns where an empty one is: a path or a URL.
	fresh func(testing.TB) string
	open  func(ctx context.Context, at string) (store.Store, error)
}

func places() map[string]place {
	return map[string]place{
		"sqlitestore": {
			func(t testing.TB) string { return filepath.Join(t.TempDir(), "users.db") },
			func(ctx context.Context, at string) (store.Store, error) { return sqlitestore.Open(ctx, at, nil) },
		},
		"pgstore": {pgtest.URL, func(ctx context.Context, at string) (store.Store, error) { return pgstore.Open(ctx, at, nil) }},
	}
}

// The test binary is also the other processes: with this variable set it is a
// server of the data of that kind of place.
const serverEnv = "PROCESSTEST_SERVER"

func TestMain(m *testing.M) {
	kind := os.Getenv(serverEnv)
	if kind == "" {
		os.Exit(m.Run())
	}
	if err := serve(kind, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve tells its URL and serves until its input ends.
func serve(kind, at, keyFile string) (err error) {
	ctx := context.Background()
	m, err := open(ctx, kind, at, keyFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	h, err := handler(m)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server, ended := &http.Server{Handler: h}, make(chan error)
	go func() { ended <- server.Serve(l) }()
	fmt.Printf("http://%s\n", l.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	err = errors.Join(err, server.Shutdown(ctx))
	if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// handler is the adapter, and beside it a route of the host's own that asks for
// whatever right its query names:
//
//	GET /may?permission=&organization=&facility=&tenant=
func handler(m *usermgmt.Manager) (http.Handler, error) {
	a, err := httpadapter.New(m, httpadapter.Options{
		Tenant: func(r *http.Request) usermgmt.TenantID { return usermgmt.TenantID(r.URL.Query().Get("tenant")) },
	})
	if err != nil {
		return nil, err
	}
	scope := func(r *http.Request) usermgmt.Scope {
		q := r.URL.Query()
		switch {
		case q.Has("organization"):
			return usermgmt.InOrganization(usermgmt.OrganizationID(q.Get("organization")))
		case q.Has("facility"):
			return usermgmt.AtFacility(q.Get("facility"))
		}
		return usermgmt.Realmwide
	}
	may := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "yes") })
	mux := http.NewServeMux()
	mux.Handle("/", a)
	mux.HandleFunc("GET /may", func(w http.ResponseWriter, r *http.Request) {
		p := usermgmt.Permission(r.URL.Query().Get("permission"))
		a.Require(p, scope)(may).ServeHTTP(w, r)
	})
	return mux, nil
}

// open opens the data with the signing key of the file, which is what all of a
// host's processes have in common.
func open(ctx context.Context, kind, at, keyFile string) (*usermgmt.Manager, error) {
	p, ok := places()[kind]
	if !ok {
		return nil, fmt.Errorf("no such store: %q", kind)
	}
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, err
	}
	key, err := usermgmt.ParseSigningKey(text)
	if err != nil {
		return nil, err
	}
	s, err := p.open(ctx, at)
	if err != nil {
		return nil, err
	}
	m, err := usermgmt.New(s, usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: usermgmt.PasswordHash{MemoryKiB: 8, Time: 1, Threads: 1},
		RedirectURL: "https://app.example/enter", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return m, nil
}

// house is a directory that this process and others have open.
type house struct {
	t       testing.TB
	m       *usermgmt.Manager // this process's
	servers []string          // the URLs of the others
}

// found makes empty data of the kind, and the signing key of its processes.
func found(t *testing.T, kind string) (at, keyFile string) {
	t.Helper()
	at = places()[kind].fresh(t)
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	text, err := usermgmt.MarshalSigningKey(key)
	require.NoError(t, err)
	keyFile = filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(keyFile, text, 0o600))
	return at, keyFile
}

// build opens empty data of the kind here, and then in n other processes.
func build(t *testing.T, kind string, n int) *house {
	t.Helper()
	at, keyFile := found(t, kind)
	h := &house{t: t}
	h.enter(kind, at, keyFile)
	h.servers = starts(t, n, kind, at, keyFile)
	return h
}

// enter opens the data here.
func (h *house) enter(kind, at, keyFile string) {
	h.t.Helper()
	m, err := open(h.t.Context(), kind, at, keyFile)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { require.NoError(h.t, m.Close()) })
	h.m = m
}

// starts starts n other processes at once and returns their URLs.
func starts(t *testing.T, n int, kind, at, keyFile string) []string {
	t.Helper()
	var urls []string
	var outputs []io.Reader
	for range n {
		outputs = append(outputs, start(t, kind, at, keyFile))
	}
	for _, out := range outputs {
		lines := bufio.NewScanner(out)
		require.True(t, lines.Scan(), "a process does not start")
		urls = append(urls, lines.Text())
	}
	return urls
}

// start starts another process and returns its output, a line with its URL.
func start(t *testing.T, kind string, args ...string) io.Reader {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, args...)
	// A program with the race detector would sleep a second before it exits.
	cmd.Env = append(os.Environ(), serverEnv+"="+kind, "GORACE=atexit_sleep_ms=10 "+os.Getenv("GORACE"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		require.NoError(t, cmd.Wait())
	})
	return out
}

// request is one that a server gets, with a bearer token or without.
type request struct{ method, path, token, form, json string }

// send sends a request to a server and returns the answer's status and body.
func (h *house) send(server string, q request) (int, []byte) {
	h.t.Helper()
	status, body, err := send(h.t.Context(), server, q)
	require.NoError(h.t, err)
	return status, body
}

func send(ctx context.Context, server string, q request) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, server+q.path, bytes.NewBufferString(q.form+q.json))
	if err != nil {
		return 0, nil, err
	}
	if q.token != "" {
		r.Header.Set("Authorization", "Bearer "+q.token)
	}
	switch {
	case q.form != "":
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case q.json != "":
		r.Header.Set("Content-Type", "application/json")
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = a.Body.Close() }()
	body, err := io.ReadAll(a.Body)
	return a.StatusCode, body, err
}
