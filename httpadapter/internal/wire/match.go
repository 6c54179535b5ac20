package wire

import (
	"net/http"
	"net/url"
	"strings"
)

// maxParam bounds a path parameter, in bytes, decoded.
const maxParam = 1 << 10

var (
	errNoRoute   = &Error{Kind: NotFound, Detail: "no such resource"}
	errBadEscape = &Error{Kind: Invalid, Detail: "path holds an invalid escape"}
)

// place is where a path leads.
type place struct {
	node   *node    // nil unless err is nil
	owner  *Mount   // of the longest owned prefix, nil if there is none
	params []string // values of the parameters, decoded, in order
	err    *Error
}

// walk follows path, as escaped by the caller, from n.
//
// Empty segments count for nothing, so that a//b and a/b/ are a/b. A literal
// word is spelled as it is: escapes in it lead nowhere. It wins over a parameter
// for every method and for good: below it, the parameter is not tried. A
// parameter is decoded once; a segment that decodes to a dot segment or to a
// literal word of that place, to invalid UTF-8, control characters or over 1 KiB
// is no parameter, and the path 404, as the id would be unknown in any case.
func (n *node) walk(path string) place {
	at := place{owner: n.owner}
	for path != "" {
		var segment string
		segment, path, _ = strings.Cut(path, "/")
		if segment == "" {
			continue
		}
		next := n.words[segment]
		if next == nil && n.param != nil {
			value, err := url.PathUnescape(segment)
			if err != nil {
				at.err = errBadEscape
				return at
			}
			if n.words[value] == nil && !dots(value) && len(value) <= maxParam && printable(value) {
				next = n.param
				at.params = append(at.params, value)
			}
		}
		if next == nil {
			at.err = errNoRoute
			return at
		}
		n = next
		if n.owner != nil {
			at.owner = n.owner
		}
	}
	if n.routes == nil {
		at.err = errNoRoute
		return at
	}
	at.node = n
	return at
}

// endpoint picks the route for a method. HEAD is GET; for what is not there the
// error is the 405. Neither means OPTIONS.
func (n *node) endpoint(method string) (*endpoint, *Error) {
	if method == http.MethodOptions {
		return nil, nil
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if end := n.routes[method]; end != nil {
		return end, nil
	}
	return nil, &Error{Kind: MethodNotAllowed, Detail: "method not allowed", Allow: n.allow}
}
