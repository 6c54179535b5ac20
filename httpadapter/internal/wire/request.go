package wire

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// HeaderRequestID is the header that carries a request's id both ways.
const HeaderRequestID = "X-Request-Id"

const maxRequestID = 128

type exchangeKey struct{}

// exchange is what a Router knows of the request in hand; it is read only once
// the handler runs.
type exchange struct {
	id     string
	route  *endpoint
	params []string
	caller string
}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// RequestID is the id of the request that a Router serves under ctx, or "".
func RequestID(ctx context.Context) string {
	if x := exchangeOf(ctx); x != nil {
		return x.id
	}
	return ""
}

// SetCaller notes who makes the request that a Router serves under ctx, for the
// line of the log. It is for whoever has verified that.
func SetCaller(ctx context.Context, name string) {
	if x := exchangeOf(ctx); x != nil {
		x.caller = name
	}
}

// RouteOf is the route that a Router serves under ctx.
func RouteOf(ctx context.Context) (Route, bool) {
	if x := exchangeOf(ctx); x != nil && x.route != nil {
		return x.route.Route, true
	}
	return Route{}, false
}

// Param is the value of the pattern's parameter of that name: never empty, valid
// UTF-8 without control characters, at most 1 KiB; it may hold a slash. It panics
// if the pattern has no such parameter.
func Param(r *http.Request, name string) string {
	if x := exchangeOf(r.Context()); x != nil && x.route != nil {
		for i, p := range x.route.params {
			if p == name {
				return x.params[i]
			}
		}
	}
	panic("wire: no path parameter " + name)
}

// requestID keeps a sound id of the caller's and replaces another.
func (rt *Router) requestID(h http.Header) string {
	if given := h[HeaderRequestID]; len(given) == 1 && soundRequestID(given[0]) {
		return given[0]
	}
	var fresh [16]byte
	if _, err := io.ReadFull(rt.rand, fresh[:]); err != nil {
		// An id is for reading logs, not worth failing a request for.
		return "n" + strconv.FormatUint(rt.counter.Add(1), 10)
	}
	return hex.EncodeToString(fresh[:])
}

func soundRequestID(id string) bool {
	return id != "" && len(id) <= maxRequestID && !strings.ContainsFunc(id, func(c rune) bool {
		return c == '~' || !unreserved(c)
	})
}
