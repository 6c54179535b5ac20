package load

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.URL.Path]++
		mu.Unlock()
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = w.Write([]byte("ok"))
	}))
	t.Cleanup(server.Close)
	plan := Plan{
		Addr: strings.TrimPrefix(server.URL, "http://"), Connections: 4, Requests: 100, Status: 200,
		Request: func(n int) []byte { return []byte("GET /" + strconv.Itoa(n) + " HTTP/1.1\r\nHost: x\r\n\r\n") },
	}
	result, err := Run(t.Context(), plan)
	require.NoError(t, err)
	require.Equal(t, 100, result.Requests)
	require.Positive(t, result.PerSecond())
	require.LessOrEqual(t, result.Median, result.P99)
	require.Len(t, seen, 100, "each request once")

	plan.Request = func(int) []byte { return []byte("GET /bad HTTP/1.1\r\nHost: x\r\n\r\n") }
	_, err = Run(t.Context(), plan)
	require.ErrorContains(t, err, "418")
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	good := Plan{Addr: "127.0.0.1:1", Connections: 1, Requests: 1, Request: func(int) []byte { return nil }}
	for name, change := range map[string]func(*Plan){
		"another machine":      func(p *Plan) { p.Addr = "192.0.2.1:80" },
		"a name":               func(p *Plan) { p.Addr = "example.com:80" },
		"all addresses":        func(p *Plan) { p.Addr = ":80" },
		"no port":              func(p *Plan) { p.Addr = "127.0.0.1" },
		"no connections":       func(p *Plan) { p.Connections = 0 },
		"too many connections": func(p *Plan) { p.Connections = MaxConnections + 1 },
		"no requests":          func(p *Plan) { p.Requests = 0 },
		"too many requests":    func(p *Plan) { p.Requests = MaxRequests + 1 },
	} {
		p := good
		change(&p)
		_, err := Run(t.Context(), p)
		require.ErrorContains(t, err, "load: ", name)
	}
}
