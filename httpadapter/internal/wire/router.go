package wire

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Options of a Router; the zero Options are sensible.
type Options struct {
	// Prefix lies before all patterns, as "/users-api": for a host that does not
	// strip it. Paths outside it are 404.
	Prefix string
	// Logger gets one line per request (Info; method, pattern, status, duration,
	// bytes, request id, and nothing that the caller chose beyond these), every
	// fault of ours (Error), and refusals with a cause (Debug, Warn if we are
	// unavailable). Nil logs nothing.
	Logger *slog.Logger
	// Rand gives request ids; it must be safe for concurrent use. Nil is
	// crypto/rand.
	Rand io.Reader
	// Now measures durations. Nil is time.Now.
	Now func() time.Time
	// Errors words the 404 of paths that no mount owns. Nil is Problem.
	Errors Renderer
}

// Router serves mounts. It is immutable and safe for concurrent use.
//
// Every answer carries X-Request-Id, nosniff, and Cache-Control: no-store, which
// a handler may replace. A handler's error and a panic are answered, or cut the
// connection if the answer has begun; http.ErrAbortHandler is passed on.
type Router struct {
	root    node
	prefix  []string
	routes  []Route
	logger  *slog.Logger
	rand    io.Reader
	now     func() time.Time
	orphans *Mount // words errors outside all mounts
	counter atomic.Uint64
}

// NewRouter fails on a route without policy, name or handler, one outside its
// mount's prefixes, two of one method and pattern or of one name, a mount
// without Errors, and a prefix mounted twice.
func NewRouter(o Options, mounts ...Mount) (*Router, error) {
	rt := &Router{logger: o.Logger, rand: o.Rand, now: o.Now, orphans: &Mount{Errors: o.Errors}}
	if rt.logger == nil {
		rt.logger = slog.New(slog.DiscardHandler)
	}
	if rt.rand == nil {
		rt.rand = rand.Reader
	}
	if rt.now == nil {
		rt.now = time.Now
	}
	if rt.orphans.Errors == nil {
		rt.orphans.Errors = Problem{}
	}
	if p := strings.TrimSuffix(o.Prefix, "/"); p != "" {
		segments, err := split(p)
		if err != nil || slices.ContainsFunc(segments, isParam) {
			return nil, fmt.Errorf("the prefix %q must begin with a slash and hold literal words alone", o.Prefix)
		}
		rt.prefix = segments
	}
	mounts = slices.Clone(mounts)
	for i := range mounts { // all prefixes before any route: a longer one takes routes away
		if mounts[i].Errors == nil {
			return nil, fmt.Errorf("wire: mount %v without Errors", mounts[i].Prefixes)
		}
		for _, p := range mounts[i].Prefixes {
			if err := rt.root.own(p, &mounts[i]); err != nil {
				return nil, fmt.Errorf("wire: %w", err)
			}
		}
	}
	names := make(map[string]bool)
	for i := range mounts {
		for _, r := range mounts[i].Routes {
			if err := rt.root.add(r, &mounts[i]); err != nil {
				return nil, fmt.Errorf("wire: route %s %s: %w", r.Method, r.Pattern, err)
			}
			if names[r.Name] {
				return nil, fmt.Errorf("wire: route %s %s: name %s is taken", r.Method, r.Pattern, r.Name)
			}
			names[r.Name] = true
			rt.routes = append(rt.routes, r)
		}
	}
	slices.SortFunc(rt.routes, func(a, b Route) int {
		return cmp.Or(strings.Compare(a.Pattern, b.Pattern), strings.Compare(a.Method, b.Method))
	})
	return rt, nil
}

// Routes returns all routes by pattern and method; the slice is the caller's.
func (rt *Router) Routes() []Route { return slices.Clone(rt.routes) }

// ServeHTTP implements [http.Handler].
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := rt.now()
	x := &exchange{id: rt.requestID(r.Header)}
	res := &response{ResponseWriter: w, head: r.Method == http.MethodHead}
	h := res.Header()
	h.Set(HeaderRequestID, x.id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))

	pattern := "unmatched"
	defer func() { rt.logAccess(r, pattern, res, rt.now().Sub(begin)) }()

	at := rt.find(r.URL.EscapedPath())
	if at.owner == nil {
		at.owner = rt.orphans
	}
	if at.err != nil {
		rt.fail(res, r, at.owner, at.err)
		return
	}
	end, refusal := at.node.endpoint(r.Method)
	switch {
	case refusal != nil:
		rt.fail(res, r, at.owner, refusal)
		return
	case end == nil:
		h.Set("Allow", strings.Join(at.node.allow, ", "))
		res.WriteHeader(http.StatusNoContent)
		return
	}
	pattern = end.Pattern
	x.route, x.params = end, at.params
	err := rt.call(end.Handler, res, r)
	switch {
	case err != nil:
		rt.fail(res, r, end.mount, err)
	case res.status == 0:
		_ = Void(res, http.StatusOK)
	}
}

// find takes the prefix off a path and looks the rest up.
func (rt *Router) find(path string) place {
	for _, want := range rt.prefix {
		segment, rest, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
		if segment != want {
			return place{err: errNoRoute}
		}
		path = rest
	}
	return rt.root.walk(path)
}

// panicError is a panic on its way to the log.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// call turns a panic of the handler into an error.
func (rt *Router) call(h Handler, w http.ResponseWriter, r *http.Request) error {
	return rt.Recover(func() error { return h(w, r) })
}

// Recover calls f and turns a panic into an error, which Refuse answers as a 500
// and logs with its stack. [http.ErrAbortHandler] is passed on.
func (rt *Router) Recover(f func() error) (err error) {
	defer func() {
		if v := recover(); v == http.ErrAbortHandler { // compared as net/http does
			panic(v)
		} else if v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return f()
}

// fail answers with err in the mount's words, or cuts the connection if an
// answer has begun.
func (rt *Router) fail(res *response, r *http.Request, m *Mount, err error) {
	e := classify(r, m, err)
	rt.logError(r, e, err)
	if res.status != 0 {
		panic(http.ErrAbortHandler) // the caller must not take half an answer for a whole one
	}
	h := res.Header()
	for _, stale := range []string{"Content-Encoding", "Content-Length", "ETag", "Last-Modified", "Location", "Set-Cookie"} {
		h.Del(stale)
	}
	h.Set("Cache-Control", "no-store")
	if e.Challenge != "" {
		h.Set("WWW-Authenticate", e.Challenge)
	}
	if len(e.Allow) > 0 {
		h.Set("Allow", strings.Join(e.Allow, ", "))
	}
	if e.RetryAfter > 0 {
		h.Set("Retry-After", Seconds(e.RetryAfter))
	}
	contentType, v := m.Errors.Render(e)
	body, err := encode(v)
	if err != nil {
		rt.logError(r, &Error{}, fmt.Errorf("rendering an error: %w", err))
		_ = Void(res, http.StatusInternalServerError)
		return
	}
	_ = Body(res, e.Kind.Status(), contentType, body) // the caller is gone: nothing is left to do
}

// Seconds is d in whole seconds, rounded up, as Retry-After has it.
func Seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// Refuse answers r with err as a handler's error would be answered, in the words
// of m, for what stands before handlers that are not the Router's. Nothing of
// the answer may have been sent.
func (rt *Router) Refuse(w http.ResponseWriter, r *http.Request, m Mount, err error) {
	x := exchangeOf(r.Context())
	if x == nil {
		x = &exchange{id: rt.requestID(r.Header)}
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	}
	res := &response{ResponseWriter: w, head: r.Method == http.MethodHead}
	res.Header().Set(HeaderRequestID, x.id)
	res.Header().Set("X-Content-Type-Options", "nosniff")
	rt.fail(res, r, &m, err)
}

// classify finds or makes the Error for err.
func classify(r *http.Request, m *Mount, err error) *Error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	if m.Classify != nil {
		if e := m.Classify(err); e != nil {
			return e
		}
	}
	switch {
	case errors.Is(err, ErrNoCredential):
		return Unauthorized()
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil, errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: Unavailable, Detail: "the request was not finished in time", Cause: err}
	}
	return &Error{Cause: err}
}

func (rt *Router) logError(r *http.Request, e *Error, err error) {
	level := slog.LevelDebug
	switch e.Kind.Status() {
	case http.StatusInternalServerError:
		level = slog.LevelError
	case http.StatusServiceUnavailable:
		if r.Context().Err() == nil {
			level = slog.LevelWarn
		}
	default:
		if e.Cause == nil && error(e) == err {
			return // the caller's own mistake: the access line has it
		}
	}
	attrs := []slog.Attr{slog.String("request_id", RequestID(r.Context())), slog.String("error", err.Error())}
	if route, ok := RouteOf(r.Context()); ok {
		attrs = append(attrs, slog.String("route", route.Pattern))
	}
	if panicked := (*panicError)(nil); errors.As(err, &panicked) {
		attrs = append(attrs, slog.String("stack", string(panicked.stack)))
	}
	rt.logger.LogAttrs(r.Context(), level, "request failed", attrs...)
}

// maxLoggedMethod keeps a made-up method from filling the log.
const maxLoggedMethod = 16

func (rt *Router) logAccess(r *http.Request, pattern string, res *response, took time.Duration) {
	if !rt.logger.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method[:min(len(r.Method), maxLoggedMethod)]),
		slog.String("route", pattern),
		slog.Int("status", res.status),
		slog.Duration("duration", took),
		slog.Int64("bytes", res.bytes),
		slog.String("request_id", RequestID(r.Context())),
	}
	if x := exchangeOf(r.Context()); x != nil && x.caller != "" {
		attrs = append(attrs, slog.String("caller", x.caller))
	}
	rt.logger.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
}
