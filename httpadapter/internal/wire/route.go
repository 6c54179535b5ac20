package wire

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Handler answers one request: decode, check, call, encode. A nil error without
// an answer is a void 200. It may write nothing before it returns an error.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Who may call a route, as a [Policy] says it.
const (
	WhoAnyone = "anyone" // no credential is asked for
	WhoUser   = "user"   // bearer token of a user
	WhoKey    = "key"    // bearer API key, or token of a user
	WhoVendor = "vendor" // credentials of an OEM partner in the body
)

// Policy says who may call a route. It is documentation that is checked: the
// engine decides, and a test compares its decisions with this.
type Policy struct {
	// Who is one of the Who words. It is never empty: that makes a forgotten
	// policy an error at start.
	Who string
	// Permission is group.action, alternatives joined by "|"; empty if being
	// Who is enough.
	Permission string
	// Scope is where the permission counts: "realm", "organization", "facility";
	// "self" is among the alternatives if a caller may act on himself.
	Scope string
}

// Route is one method of one pattern.
type Route struct {
	Method string
	// Pattern is an absolute path of literal words (letters, digits and -._~)
	// and {parameters}, each a whole segment.
	Pattern string
	// Name is the operation's own name, unique among all routes of a Router.
	Name    string
	Policy  Policy
	Handler Handler
	// Doc says what the route takes and answers.
	Doc Doc
}

// Doc describes a route to its callers. Tests hold the route to it.
type Doc struct {
	// Summary is a few words, as "Creates a user."
	Summary string
	// Request is the zero value of what the body is decoded into; nil if the
	// route takes no body.
	Request any
	// Media are the body's media types beside JSON, or instead of it where it
	// holds MediaForm.
	Media []string
	// Strict says that an unknown member is refused.
	Strict bool
	// Params are those of the query and the header; those of the path follow
	// from the pattern.
	Params []Parameter
	// Status and Answer are those of success: the zero value of what is encoded,
	// nil for a void answer.
	Status int
	Answer any
	// Errors are the statuses of the documented errors.
	Errors []int
}

// Parameter describes a parameter of the query or the header.
type Parameter struct {
	In       string // "query" or "header"
	Name     string
	Type     string // of JSON Schema: "string", "integer", "boolean", "array" (of strings)
	Required bool
	Summary  string
}

// Mount is a dialect as a Router sees it.
type Mount struct {
	// Title names the dialect in descriptions.
	Title string
	// Prefixes are the paths that the dialect owns: its routes lie there, and it
	// words the errors of every other path there. Literal words only.
	Prefixes []string
	Routes   []Route
	// Errors words every error below Prefixes.
	Errors Renderer
	// Classify turns an error that is not an *Error into one, or returns nil if it
	// does not know it, which makes it a 500. It may be nil.
	Classify func(error) *Error
}

// node is a place in the tree of patterns.
type node struct {
	words  map[string]*node
	param  *node // the one child for any other segment
	routes map[string]*endpoint
	allow  []string // sorted; of routes
	owner  *Mount   // set where a prefix ends
}

type endpoint struct {
	Route
	mount  *Mount
	params []string // names, in the order of the path
}

func (n *node) child(segment string) *node {
	if isParam(segment) {
		if n.param == nil {
			n.param = &node{}
		}
		return n.param
	}
	next := n.words[segment]
	if next == nil {
		next = &node{}
		if n.words == nil {
			n.words = make(map[string]*node)
		}
		n.words[segment] = next
	}
	return next
}

// own makes mount the owner of prefix.
func (n *node) own(prefix string, mount *Mount) error {
	segments, err := split(prefix)
	if err != nil {
		return err
	}
	for _, s := range segments {
		if isParam(s) {
			return fmt.Errorf("prefix %s: a parameter", prefix)
		}
		n = n.child(s)
	}
	if n.owner != nil {
		return fmt.Errorf("prefix %s: mounted twice", prefix)
	}
	n.owner = mount
	return nil
}

// add puts a route in the tree; its prefix has been owned before.
func (n *node) add(route Route, mount *Mount) error {
	segments, err := split(route.Pattern)
	if err != nil {
		return err
	}
	switch {
	case route.Policy.Who == "":
		return errors.New("no policy")
	case route.Name == "":
		return errors.New("no name")
	case route.Handler == nil:
		return errors.New("no handler")
	}
	switch route.Method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return fmt.Errorf("method %q cannot be routed", route.Method)
	}
	end := &endpoint{Route: route, mount: mount}
	owner := n.owner
	for _, s := range segments {
		n = n.child(s)
		if n.owner != nil {
			owner = n.owner
		}
		if isParam(s) {
			name := s[1 : len(s)-1]
			if slices.Contains(end.params, name) {
				return fmt.Errorf("parameter %s twice", name)
			}
			end.params = append(end.params, name)
		}
	}
	if owner != mount {
		return errors.New("lies outside the prefixes of its mount")
	}
	if n.routes[route.Method] != nil {
		return errors.New("registered twice")
	}
	if n.routes == nil {
		n.routes = make(map[string]*endpoint)
		n.allow = []string{http.MethodOptions}
	}
	n.routes[route.Method] = end
	n.allow = append(n.allow, route.Method)
	if route.Method == http.MethodGet {
		n.allow = append(n.allow, http.MethodHead)
	}
	slices.Sort(n.allow)
	return nil
}

// split checks and splits a pattern or prefix.
func split(pattern string) ([]string, error) {
	if !strings.HasPrefix(pattern, "/") {
		return nil, errors.New("must begin with a slash")
	}
	if pattern == "/" {
		return nil, nil
	}
	segments := strings.Split(pattern[1:], "/")
	for _, s := range segments {
		word := s
		if isParam(s) {
			word = s[1 : len(s)-1]
		}
		if word == "" || dots(word) || strings.ContainsFunc(word, func(c rune) bool { return !unreserved(c) }) {
			return nil, fmt.Errorf("bad segment %q", s)
		}
	}
	return segments, nil
}

func isParam(segment string) bool {
	return strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}")
}

func dots(segment string) bool { return segment == "." || segment == ".." }

func unreserved(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-._~", c)
}
