package wire

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxQuery bounds the query of a URL, in bytes as sent.
const maxQuery = 4 << 10

// Query is the query of one request. Parameters that no one asks for are
// ignored; one that is asked for and given twice is a 400, as is every value
// that is not what was asked for. The error names the parameter.
type Query struct {
	values url.Values
}

// ParseQuery refuses queries over 4 KiB and those that are not well-formed.
func ParseQuery(r *http.Request) (Query, error) {
	raw := r.URL.RawQuery
	if raw == "" {
		return Query{}, nil
	}
	if len(raw) > maxQuery {
		return Query{}, Invalidf("", "query must not exceed %d bytes", maxQuery)
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return Query{}, &Error{Kind: Invalid, Detail: "query is malformed", Cause: err}
	}
	return Query{values: values}, nil
}

// String returns the parameter, and whether it was given: name= gives "".
func (q Query) String(name string) (string, bool, error) {
	given := q.values[name]
	switch {
	case len(given) == 0:
		return "", false, nil
	case len(given) > 1:
		return "", false, Invalidf(name, "must not be given twice")
	case !printable(given[0]):
		return "", false, Invalidf(name, "must be valid UTF-8 without control characters")
	}
	return given[0], true, nil
}

// Strings returns all values of a parameter that may be repeated, in order.
func (q Query) Strings(name string) ([]string, error) {
	for _, v := range q.values[name] {
		if !printable(v) {
			return nil, Invalidf(name, "must be valid UTF-8 without control characters")
		}
	}
	return q.values[name], nil
}

// Bool returns the parameter, which must be true or false, or fallback.
func (q Query) Bool(name string, fallback bool) (bool, error) {
	s, given, err := q.String(name)
	if err != nil || !given {
		return fallback, err
	}
	if s != "true" && s != "false" {
		return false, Invalidf(name, "must be true or false")
	}
	return s == "true", nil
}

// IntRange is what an integer parameter may be. Default is returned as it is
// when the parameter is absent. Max zero means math.MaxInt32, so that sums of two
// do not overflow.
type IntRange struct {
	Default, Min, Max int
}

// Int returns the parameter: decimal digits without sign (but minus), leading
// zeros, fraction or exponent. Below Min is a 400, above Max is Max, however long.
func (q Query) Int(name string, in IntRange) (int, error) {
	s, given, err := q.String(name)
	if err != nil || !given {
		return in.Default, err
	}
	top := in.Max
	if top == 0 {
		top = math.MaxInt32
	}
	digits := strings.TrimPrefix(s, "-")
	// ParseInt finds a number out of range before it has seen all of it.
	if digits == "" || len(digits) > 1 && digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return 0, Invalidf(name, "must be an integer")
	}
	n, err := strconv.ParseInt("-"+digits, 10, 64)
	if err != nil { // it is out of range
		n = math.MinInt64
	}
	if digits == s {
		n = -max(n, -math.MaxInt64)
	}
	if n < int64(in.Min) {
		return 0, Invalidf(name, "must be at least %d", in.Min)
	}
	return int(min(n, int64(top))), nil
}

// printable tells whether s is valid UTF-8 without C0 controls and DEL.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f })
}
