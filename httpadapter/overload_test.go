package httpadapter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/internal/tier"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
)

// front is a host as the example server is one: an Adapter on an SQLite file,
// behind an http.Server with limits of its own.
type front struct {
	addr  string
	m     *usermgmt.Manager
	token string // of an administrator
}

// newFront serves all dialects, and below /large those that take bodies of 8 MiB
// and count failures by address.
// The limits are those of the example server, those of reading divided.
func newFront(t *testing.T, hash usermgmt.PasswordHash, slots int, divided time.Duration) *front {
	t.Helper()
	s, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "users.db"), nil)
	require.NoError(t, err)
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	f := &front{}
	f.m, err = usermgmt.New(s, usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: hash, HashSlots: slots, AccessTokenTTL: time.Hour, CacheSize: 4096, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.m.Close()) })
	populate(t, f.m)
	mux := http.NewServeMux()
	for prefix, o := range map[string]Options{"/": {}, "/large/": {Prefix: "/large", MaxBody: 8 << 20, ClientAddress: RemoteAddress}} {
		a, err := New(f.m, o)
		require.NoError(t, err)
		mux.Handle(prefix, a)
	}
	tokens, err := f.m.SignIn(t.Context(), "root@example.com", passphrase)
	require.NoError(t, err)
	f.token = tokens.AccessToken
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f.addr = l.Addr().String()
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second / divided,
		ReadTimeout:       15 * time.Second / divided,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
	return f
}

// patience is when a test gives up on an answer: long after every limit.
const patience = 2 * time.Minute

// dial connects for at most patience.
func (f *front) dial(ctx context.Context) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", f.addr)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(patience))
}

// cut is what an attack gets when its connection ends without an answer.
const cut = 0

// attack is one kind of abuse: how many times, what it does with a connection
// of its own, and which answers it may get.
type attack struct {
	name  string
	times int
	// send writes what there is to write, and may go on until it fails.
	send func(conn net.Conn) error
	// want are the statuses that it may get. On a machine that is too busy to read a
	// header in time any may be cut instead, but not all.
	want []int
}

// strike runs the attack on a connection and returns the status of the answer.
func (f *front) strike(ctx context.Context, a attack) (int, error) {
	conn, err := f.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	sent := make(chan struct{})
	go func() { // what is sent may be refused before its end
		defer close(sent)
		_ = a.send(conn)
	}()
	defer func() {
		_ = conn.Close()
		<-sent
	}()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		var slow net.Error
		if errors.As(err, &slow) && slow.Timeout() {
			return 0, fmt.Errorf("%s: neither answered nor cut: %w", a.name, err)
		}
		return cut, nil
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode, nil
}

// whole sends a text at once.
func whole(text string) func(net.Conn) error {
	return func(conn net.Conn) error {
		_, err := io.WriteString(conn, text)
		return err
	}
}

// drip sends a text, and then one more byte at a time, for ever.
func drip(text string) func(net.Conn) error {
	return func(conn net.Conn) error {
		_, err := io.WriteString(conn, text)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for err == nil {
			<-tick.C
			_, err = io.WriteString(conn, "a")
		}
		return err
	}
}

func post(path, header string, length int64, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: app.example\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s", path, header, length, body)
}

// attacks are all kinds, so many of each of those that are held open, and so many
// wrong passwords.
func attacks(f *front, held, guesses int) []attack {
	bearer := "Authorization: Bearer " + f.token + "\r\n"
	deep := strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)
	long := `{"username": [` + strings.Repeat("0,", 999_999) + `0], "password": "x"}`
	var guessed atomic.Int64
	guess := func(path string) func(conn net.Conn) error { // of another account each time, which is no reason to be slower
		return func(conn net.Conn) error {
			body := fmt.Sprintf(`{"username": "guess-%d@example.com", "password": "wrong"}`, guessed.Add(1))
			return whole(post(path, "", int64(len(body)), body))(conn)
		}
	}
	return []attack{
		{"slow header", held, drip("GET /auth/users/whoami HTTP/1.1\r\nHost: app.example\r\nX-Slow: "), []int{cut, 408}},
		{"silence", held / 10, whole(""), []int{cut}},
		{"slow body", held / 10, drip(post("/session", "", 60_000, `{"username": "`)), []int{400, 408}},
		{"1 GiB declared", held, whole(post("/session", "", 1<<30, `{`)), []int{413}},
		{"1 GiB declared by a user", held / 10, whole(post("/auth/users", bearer, 1<<30, `{`)), []int{413}},
		{"endless chunks", held / 10, func(conn net.Conn) error {
			_, err := io.WriteString(conn, "POST /session HTTP/1.1\r\nHost: app.example\r\nTransfer-Encoding: chunked\r\n\r\n")
			for chunk := "1000\r\n" + strings.Repeat(" ", 1<<12) + "\r\n"; err == nil; {
				_, err = io.WriteString(conn, chunk)
			}
			return err
		}, []int{413}},
		{"depth 10,000", 20, whole(post("/session", "", int64(len(deep)), deep)), []int{400}},
		{"depth 10,000 by a user", 20, whole(post("/large/auth/users", bearer, int64(len(deep)), deep)), []int{400}},
		{"a million elements", 5, whole(post("/session", "", int64(len(long)), long)), []int{413}},
		{"a million elements, where they fit", 5, whole(post("/large/session", "", int64(len(long)), long)), []int{400}},
		{"a header of 64 KiB", 20, whole("GET / HTTP/1.1\r\nHost: app.example\r\nX-Huge: " + strings.Repeat("a", 64<<10) + "\r\n\r\n"), []int{431}},
		{"10,000 headers", 20, whole("GET / HTTP/1.1\r\nHost: app.example\r\n" + strings.Repeat("X-A: b\r\n", 10_000) + "\r\n"), []int{431}},
		{"a path of 64 KiB", 20, whole("GET /" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: app.example\r\n\r\n"), []int{431, 414}},
		{"wrong password", guesses, guess("/session"), []int{400, 503}},
		{"wrong password, by address", 150, guess("/large/session"), []int{400, 429, 503}},
	}
}

// usage is what the process holds.
type usage struct {
	heap, goroutines, files int
}

// held collects garbage and returns what is left.
func held(t *testing.T) usage {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u := usage{heap: int(m.HeapAlloc + m.StackInuse), goroutines: runtime.NumGoroutine()}
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		u.files = len(files)
	}
	return u
}

// TestOverload: while every kind of abuse goes on at once, each is cut or refused,
// whoever has a token is served, and memory stays within bounds, that of
// passwords included. It does not run beside other tests: what it measures is the
// process's.
func TestOverload(t *testing.T) {
	hash, slots, divided := usermgmt.PasswordHash{MemoryKiB: 8 << 10, Time: 1, Threads: 1}, 2, time.Duration(10)
	if tier.Count(0, 0, 1, 1) == 1 {
		hash, divided = usermgmt.PasswordHash{}, 1
	}
	f := newFront(t, hash, slots, divided)
	idle := held(t)

	// Good callers ask without pause until the abuse is over.
	over, stop := context.WithCancel(t.Context())
	defer stop()
	var served, failed atomic.Int64
	var slowest atomic.Int64
	var good, bad sync.WaitGroup
	for range 4 {
		good.Go(func() {
			conn, err := f.dial(t.Context())
			if err != nil {
				failed.Add(1)
				return
			}
			defer conn.Close()
			for reader := bufio.NewReader(conn); over.Err() == nil; {
				begin := time.Now()
				_ = conn.SetDeadline(begin.Add(patience))
				_, err := conn.Write(get("/auth/users/whoami", f.token))
				res, readErr := http.ReadResponse(reader, nil)
				if err != nil || readErr != nil || res.StatusCode != 200 {
					failed.Add(1)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body)
				served.Add(1)
				if took := int64(time.Since(begin)); took > slowest.Load() {
					slowest.Store(took)
				}
			}
		})
	}
	// The greatest heap is watched: what is alive, and with the garbage.
	var alive, peak uint64
	good.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for over.Err() == nil {
			<-tick.C
			now := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
			metrics.Read(now)
			alive, peak = max(alive, now[0].Value.Uint64()), max(peak, now[1].Value.Uint64())
		}
	})

	all := attacks(f, tier.Count(20, 100, 1_000, 1_000), tier.Count(40, 200, 1_000, 1_000))
	var mu sync.Mutex
	answers := make([]map[int]int, len(all))
	for i, a := range all {
		answers[i] = map[int]int{}
		for range a.times {
			bad.Go(func() {
				status, err := f.strike(t.Context(), a)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				answers[i][status]++
			})
		}
	}
	bad.Wait()
	stop()
	good.Wait()
	for i, a := range all {
		t.Logf("%-36s %4d times, answers by status (0: cut): %v", a.name, a.times, answers[i])
		for status := range answers[i] {
			require.Contains(t, append(a.want, cut), status, a.name)
		}
		if a.want[0] != cut {
			require.Less(t, answers[i][cut], a.times, a.name)
		}
	}
	// Those who came at once were all let in before the first had failed. Who comes
	// later is not, but for the few whose turn has come meanwhile.
	byAddress, late := all[len(all)-1], 0
	for status := 0; status != 429; late++ {
		require.Less(t, late, 250, "guesses from an address that had more than 100 failures")
		var err error
		status, err = f.strike(t.Context(), byAddress)
		require.NoError(t, err)
	}
	t.Logf("afterwards guess %d from the address is one too many", late)
	t.Logf("good callers: %d served, %d failed, the slowest in %v", served.Load(), failed.Load(), time.Duration(slowest.Load()).Round(time.Millisecond))
	require.Zero(t, failed.Load())
	require.Greater(t, served.Load(), int64(4), "each of them more than once")

	const bound = 128 << 20
	t.Logf("memory: %d KiB idle, at most %d KiB alive meanwhile and %d KiB with garbage", idle.heap>>10, alive>>10, peak>>10)
	require.Less(t, int(alive), idle.heap+bound)
	settle(t, idle, 16<<20)
}

// settle waits until what was held for connections is given back, and allows
// for so many bytes of caches.
func settle(t *testing.T, before usage, caches int) {
	t.Helper()
	var now usage
	require.Eventually(t, func() bool {
		now = held(t)
		return now.goroutines <= before.goroutines+5 && now.files <= before.files+5
	}, patience, 50*time.Millisecond, "what is held: %+v before, %+v now", before, &now)
	t.Logf("before: %+v; after: %+v", before, now)
	require.Less(t, now.heap, before.heap+caches, "memory that is not given back")
}
