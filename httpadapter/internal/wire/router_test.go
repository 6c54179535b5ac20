package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
)

var errKnown = errors.New("known to the dialect")

// one is a Router with h as GET /x/{id}.
func one(t *testing.T, o Options, h Handler) *Router {
	t.Helper()
	rt, err := NewRouter(o, Mount{
		Prefixes: []string{"/x"}, Errors: Problem{},
		Routes: []Route{{Method: "GET", Pattern: "/x/{id}", Name: "x", Policy: open(), Handler: h}},
		Classify: func(err error) *Error {
			if errors.Is(err, errKnown) {
				return &Error{Kind: Conflict, Detail: "known", Cause: err}
			}
			return nil
		},
	})
	require.NoError(t, err)
	return rt
}

func logger(level slog.Level) (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})), &b
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	var none []string
	tests := []struct {
		rule    string
		handler Handler
		status  int
		body    string
		headers map[string]string
	}{
		{"JSON", func(w http.ResponseWriter, r *http.Request) error {
			return JSON(w, 201, map[string]any{"id": Param(r, "id"), "html": "<&>\u2028", "list": List(none)})
		}, 201, `{"html":"<&>\u2028","id":"7","list":[]}`, map[string]string{
			"Content-Type": "application/json; charset=utf-8", "Content-Length": "39",
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		}},
		{"void", func(http.ResponseWriter, *http.Request) error { return nil }, 200, "",
			map[string]string{"Content-Length": "0", "Content-Type": "", "Cache-Control": "no-store"}},
		{"void 204", func(w http.ResponseWriter, _ *http.Request) error { return Void(w, 204) }, 204, "",
			map[string]string{"Content-Length": ""}},
		{"void 200", func(w http.ResponseWriter, _ *http.Request) error { return Void(w, 200) }, 200, "",
			map[string]string{"Content-Length": "0"}},
		{"own cache rule", func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Cache-Control", "max-age=60")
			return Body(w, 200, "text/plain; charset=utf-8", []byte("hi"))
		}, 200, "hi", map[string]string{"Cache-Control": "max-age=60", "Content-Type": "text/plain; charset=utf-8", "Content-Length": "2"}},
		{"plain Write", func(w http.ResponseWriter, _ *http.Request) error {
			_, err := io.WriteString(w, "hi")
			return err
		}, 200, "hi", nil},
		{"unencodable", func(w http.ResponseWriter, _ *http.Request) error { return JSON(w, 200, math.Inf(1)) }, 500,
			`{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"internal error"}`,
			map[string]string{"Content-Type": "application/problem+json", "Content-Length": "93"}},
		{"unknown error", func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Cache-Control", "max-age=60")
			w.Header().Set("Set-Cookie", "a=b")
			return errors.New("secret")
		}, 500, `{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"internal error"}`,
			map[string]string{"Cache-Control": "no-store", "Set-Cookie": "", "X-Content-Type-Options": "nosniff"}},
		{"classified", func(http.ResponseWriter, *http.Request) error { return fmt.Errorf("secret: %w", errKnown) }, 409,
			`{"type":"about:blank","title":"Conflict","status":409,"detail":"known"}`, nil},
		{"wrapped Error", func(http.ResponseWriter, *http.Request) error {
			return fmt.Errorf("secret: %w", Errorf(NotFound, "no such user"))
		}, 404, `{"type":"about:blank","title":"Not Found","status":404,"detail":"no such user"}`, nil},
		{"no credential", func(_ http.ResponseWriter, r *http.Request) error {
			_, err := Bearer(r)
			return err
		}, 401, `{"type":"about:blank","title":"Unauthorized","status":401,"detail":"authentication required"}`,
			map[string]string{"WWW-Authenticate": "Bearer"}},
		{"bad token", func(http.ResponseWriter, *http.Request) error { return InvalidToken("expired") }, 401,
			`{"type":"about:blank","title":"Unauthorized","status":401,"detail":"expired"}`,
			map[string]string{"WWW-Authenticate": `Bearer error="invalid_token"`}},
		{"no right", func(http.ResponseWriter, *http.Request) error { return InsufficientScope("no") }, 403,
			`{"type":"about:blank","title":"Forbidden","status":403,"detail":"no"}`,
			map[string]string{"WWW-Authenticate": `Bearer error="insufficient_scope"`}},
		{"retry", func(http.ResponseWriter, *http.Request) error {
			return &Error{Kind: TooMany, Detail: "slow down", RetryAfter: 1001 * time.Millisecond}
		}, 429, `{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"slow down"}`,
			map[string]string{"Retry-After": "2"}},
		{"out of time", func(http.ResponseWriter, *http.Request) error {
			return fmt.Errorf("secret: %w", context.DeadlineExceeded)
		},
			503, `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"the request was not finished in time"}`, nil},
		{"panic", func(http.ResponseWriter, *http.Request) error { panic("secret") }, 500,
			`{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"internal error"}`, nil},
		{"nil dereference", func(http.ResponseWriter, *http.Request) error { var r *Router; _ = r.prefix; return nil }, 500,
			`{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"internal error"}`, nil},
		{"Param of another pattern", func(_ http.ResponseWriter, r *http.Request) error { Param(r, "none"); return nil }, 500,
			`{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"internal error"}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			rt := one(t, Options{}, tt.handler)
			get, head := serve(rt, "GET", "/x/7"), serve(rt, "HEAD", "/x/7")
			require.Equal(t, tt.status, get.Code)
			require.Equal(t, tt.body, get.Body.String())
			for k, v := range tt.headers {
				require.Equal(t, v, get.Header().Get(k), k)
			}
			require.Equal(t, tt.status, head.Code)
			require.Empty(t, head.Body.String())
			get.Header().Del(HeaderRequestID)
			head.Header().Del(HeaderRequestID)
			require.Equal(t, get.Header(), head.Header(), "HEAD sends the headers of GET")
		})
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	var seen string
	rt := one(t, Options{Rand: bytes.NewReader([]byte("0123456789abcdef"))}, func(_ http.ResponseWriter, r *http.Request) error {
		seen = RequestID(r.Context())
		route, ok := RouteOf(r.Context())
		require.True(t, ok)
		require.Equal(t, "x", route.Name)
		return nil
	})
	const fresh = "30313233343536373839616263646566"
	tests := []struct {
		given []string
		want  string
	}{
		{[]string{"a-Z_0.9"}, "a-Z_0.9"},
		{[]string{strings.Repeat("a", 128)}, strings.Repeat("a", 128)},
		{nil, fresh}, // the one draw that Rand has
		{nil, "n1"},
		{[]string{""}, "n2"},
		{[]string{strings.Repeat("a", 129)}, "n3"},
		{[]string{"a b"}, "n4"},
		{[]string{"a\n"}, "n5"},
		{[]string{"a~"}, "n6"},
		{[]string{"é"}, "n7"},
		{[]string{"a", "a"}, "n8"},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", "/x/1", nil)
		if tt.given != nil {
			r.Header[HeaderRequestID] = tt.given
		}
		w := httptest.NewRecorder()
		rt.ServeHTTP(w, r)
		require.Equal(t, []string{tt.want}, w.Header()[HeaderRequestID], "%q", tt.given)
		require.Equal(t, tt.want, seen)
	}
	require.Empty(t, RequestID(t.Context()))
	w := serve(one(t, Options{}, nothing), "GET", "/nowhere")
	require.Regexp(t, "^[0-9a-f]{32}$", w.Header().Get(HeaderRequestID), "a 404 has one as well")
}

func nothing(http.ResponseWriter, *http.Request) error { return nil }

func TestLog(t *testing.T) {
	t.Parallel()
	ticks := []time.Time{time.Unix(0, 0), time.Unix(0, 1500000)}
	clock := func() func() time.Time {
		left := ticks
		return func() time.Time { now := left[0]; left = left[1:]; return now }
	}
	tests := []struct {
		rule    string
		handler Handler
		path    string
		level   slog.Level
		want    string
	}{
		{"access", func(w http.ResponseWriter, _ *http.Request) error { return JSON(w, 201, "ab") }, "/x/hidden?token=hidden", slog.LevelInfo,
			"level=INFO msg=request method=GET route=/x/{id} status=201 duration=1.5ms bytes=4 request_id=r1\n"},
		{"caller", func(w http.ResponseWriter, r *http.Request) error {
			SetCaller(r.Context(), "user:7")
			return Invalidf("a", "b")
		}, "/x/1", slog.LevelInfo,
			"level=INFO msg=request method=GET route=/x/{id} status=400 duration=1.5ms bytes=111 request_id=r1 caller=user:7\n"},
		{"unmatched", nothing, "/x/hidden/deeper", slog.LevelInfo,
			"level=INFO msg=request method=GET route=unmatched status=404 duration=1.5ms bytes=83 request_id=r1\n"},
		{"our fault", func(http.ResponseWriter, *http.Request) error { return errors.New("disk on fire") }, "/x/1", slog.LevelError,
			"level=ERROR msg=\"request failed\" request_id=r1 error=\"disk on fire\" route=/x/{id}\n"},
		{"unavailable", func(http.ResponseWriter, *http.Request) error {
			return &Error{Kind: Unavailable, Detail: "busy", Cause: errors.New("locked")}
		}, "/x/1", slog.LevelWarn, "level=WARN msg=\"request failed\" request_id=r1 error=\"busy: locked\" route=/x/{id}\n"},
		{"refusal with a cause", func(http.ResponseWriter, *http.Request) error { return fmt.Errorf("user 7: %w", errKnown) }, "/x/1", slog.LevelDebug,
			"level=DEBUG msg=\"request failed\" request_id=r1 error=\"user 7: known to the dialect\" route=/x/{id}\n" +
				"level=INFO msg=request method=GET route=/x/{id} status=409 duration=1.5ms bytes=71 request_id=r1\n"},
		{"refusal", func(http.ResponseWriter, *http.Request) error { return Invalidf("a", "b") }, "/x/1", slog.LevelDebug,
			"level=INFO msg=request method=GET route=/x/{id} status=400 duration=1.5ms bytes=111 request_id=r1\n"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			log, out := logger(tt.level)
			now := clock()
			rt := one(t, Options{Logger: log, Now: now}, tt.handler)
			r := httptest.NewRequest("GET", tt.path, strings.NewReader("hidden"))
			r.Header.Set(HeaderRequestID, "r1")
			r.Header.Set("Authorization", "Bearer hidden")
			rt.ServeHTTP(httptest.NewRecorder(), r)
			require.Equal(t, tt.want, out.String())
		})
	}
}

func TestPanic(t *testing.T) {
	t.Parallel()
	t.Run("stack goes to the log", func(t *testing.T) {
		t.Parallel()
		log, out := logger(slog.LevelInfo)
		rt := one(t, Options{Logger: log}, func(http.ResponseWriter, *http.Request) error { panic("boom") })
		require.Equal(t, 500, serve(rt, "GET", "/x/1").Code)
		require.Contains(t, out.String(), `error="panic: boom"`)
		require.Contains(t, out.String(), "router_test.go")
		require.Contains(t, out.String(), "status=500")
	})
	t.Run("ErrAbortHandler is passed on", func(t *testing.T) {
		t.Parallel()
		log, out := logger(slog.LevelInfo)
		rt := one(t, Options{Logger: log}, func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) })
		require.PanicsWithValue(t, http.ErrAbortHandler, func() { serve(rt, "GET", "/x/1") })
		require.Equal(t, 1, strings.Count(out.String(), "\n"), "the access line and no error: %s", out)
	})
	t.Run("behind half an answer", func(t *testing.T) {
		t.Parallel()
		log, out := logger(slog.LevelError)
		rt := one(t, Options{Logger: log}, func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "half")
			panic("boom")
		})
		require.PanicsWithValue(t, http.ErrAbortHandler, func() { serve(rt, "GET", "/x/1") })
		require.Contains(t, out.String(), "panic: boom")
	})
}

// TestErrorBehindAnAnswer: what failed half-way is not taken for whole.
func TestErrorBehindAnAnswer(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]Handler{
		"behind an answer": func(w http.ResponseWriter, _ *http.Request) error {
			_ = JSON(w, 200, "done")
			return errors.New("too late")
		},
		"behind half of one": func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "[1,2")
			return errors.New("too late")
		},
		"behind its status": func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(200)
			return errors.New("too late")
		},
		"of a kind that has a status": func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "[1,2")
			return &Error{Kind: NotFound, Detail: "gone", Cause: errors.New("too late")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, out := logger(slog.LevelDebug)
			rt := one(t, Options{Logger: log}, handler)
			require.PanicsWithValue(t, http.ErrAbortHandler, func() { serve(rt, "GET", "/x/1") })
			require.Contains(t, out.String(), "too late")
			require.Contains(t, out.String(), "status=200", "the access line is written all the same")
		})
	}
}

type unrenderable struct{}

func (unrenderable) Render(*Error) (string, any) { return ContentTypeJSON, func() {} }

func TestUnrenderable(t *testing.T) {
	t.Parallel()
	log, out := logger(slog.LevelError)
	rt, err := NewRouter(Options{Logger: log, Errors: unrenderable{}})
	require.NoError(t, err)
	w := serve(rt, "GET", "/x")
	require.Equal(t, 500, w.Code)
	require.Equal(t, "0", w.Header().Get("Content-Length"))
	require.Contains(t, out.String(), "rendering an error")
}

// TestOverTheWire asks what only a real server and client show.
func TestOverTheWire(t *testing.T) {
	t.Parallel()
	log, out := logger(slog.LevelDebug)
	rt, err := NewRouter(Options{Logger: log}, Mount{Prefixes: []string{"/x"}, Errors: Problem{}, Routes: []Route{
		{Method: "GET", Pattern: "/x/{id}", Name: "get", Policy: open(), Handler: func(w http.ResponseWriter, r *http.Request) error {
			return JSON(w, 200, Param(r, "id"))
		}},
		{Method: "DELETE", Pattern: "/x/{id}", Name: "delete", Policy: open(), Handler: func(w http.ResponseWriter, r *http.Request) error {
			var body struct {
				Token string `json:"token" wire:"required"`
			}
			return (&Decoder{}).Decode(w, r, &body)
		}},
		{Method: "PUT", Pattern: "/x/{id}", Name: "put", Policy: open(), Handler: func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = w.Write(make([]byte, 100_000))
			return errors.New("the next page is lost")
		}},
		{Method: "PATCH", Pattern: "/x/{id}", Name: "patch", Policy: open(), Handler: func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = w.Write(make([]byte, 100_000))
			panic("boom")
		}},
	}})
	require.NoError(t, err)
	server := httptest.NewServer(rt)
	client := server.Client()
	client.Timeout = 10 * time.Second
	do := func(method, path string, body io.Reader) (*http.Response, string, error) {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, body)
		require.NoError(t, err)
		res, err := client.Do(r)
		require.NoError(t, err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		return res, string(text), err
	}

	res, text, _ := do("HEAD", "/x//a%2Fb/", nil)
	require.Equal(t, 200, res.StatusCode)
	require.EqualValues(t, len(`"a/b"`), res.ContentLength)
	require.Empty(t, text)

	res, _, _ = do("DELETE", "/x/1", strings.NewReader(`{"token":"t"}`))
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, []string{"0"}, res.Header["Content-Length"])
	require.Empty(t, res.TransferEncoding)

	res, text, _ = do("DELETE", "/x/1", nil)
	require.Equal(t, 400, res.StatusCode)
	require.Contains(t, text, "body must not be empty")

	res, _, _ = do("DELETE", "/x/1", io.MultiReader(strings.NewReader(strings.Repeat(" ", 80_000)))) // chunked
	require.Equal(t, 413, res.StatusCode)
	require.True(t, res.Close, "the rest of an endless body is not waited for")

	res, _, _ = do("OPTIONS", "/x/1", nil)
	require.Equal(t, 204, res.StatusCode)
	require.Equal(t, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT", res.Header.Get("Allow"))
	require.Empty(t, res.Header.Get("Content-Length"))

	for _, method := range []string{"PATCH", "PUT"} {
		_, _, err = do(method, "/x/1", nil)
		require.Error(t, err, "%s: half an answer must not look whole", method)
	}

	res, _, _ = do("GET", "/x/1", nil)
	require.Equal(t, 200, res.StatusCode, "the process lives")
	server.Close()
	require.Contains(t, out.String(), "panic: boom")
}

func TestCancelledCaller(t *testing.T) {
	t.Parallel()
	log, out := logger(slog.LevelInfo)
	rt := one(t, Options{Logger: log}, func(_ http.ResponseWriter, r *http.Request) error {
		return fmt.Errorf("reading: %w", r.Context().Err())
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	rt.ServeHTTP(w, httptest.NewRequest("GET", "/x/1", nil).WithContext(ctx))
	require.Equal(t, 503, w.Code)
	require.NotContains(t, out.String(), "ERROR")
	require.NotContains(t, out.String(), "WARN")
}

func TestFailingRand(t *testing.T) {
	t.Parallel()
	rt := one(t, Options{Rand: iotest.ErrReader(io.ErrClosedPipe)}, nothing)
	require.Equal(t, "n1", serve(rt, "GET", "/x/1").Header().Get(HeaderRequestID))
}
