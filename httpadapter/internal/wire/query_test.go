package wire

import (
	"math"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func parse(t *testing.T, raw string) Query {
	t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.URL.RawQuery = raw
	q, err := ParseQuery(r)
	require.NoError(t, err, raw)
	return q
}

func TestQueryInt(t *testing.T) {
	t.Parallel()
	page := IntRange{Default: 100, Min: 1, Max: 1000}
	tests := []struct {
		raw    string
		in     IntRange
		want   int
		detail string
	}{
		{raw: "", in: page, want: 100},
		{raw: "other=5", in: page, want: 100},
		{raw: "n=1", in: page, want: 1},
		{raw: "n=1000", in: page, want: 1000},
		{raw: "n=1001", in: page, want: 1000},
		{raw: "n=9223372036854775807", in: page, want: 1000},
		{raw: "n=99999999999999999999999", in: page, want: 1000},
		{raw: "n=99999999999999999999999", want: math.MaxInt32},
		{raw: "n=0", want: 0},
		{raw: "n=-0", want: 0},
		{raw: "n=-5", in: IntRange{Min: -5, Max: 5}, want: -5},
		{raw: "n=0", in: page, detail: "must be at least 1"},
		{raw: "n=-1", detail: "must be at least 0"},
		{raw: "n=-99999999999999999999999", in: page, detail: "must be at least 1"},
		{raw: "n=", in: page, detail: "must be an integer"},
		{raw: "n", in: page, detail: "must be an integer"},
		{raw: "n=-", in: page, detail: "must be an integer"},
		{raw: "n=%2B5", in: page, detail: "must be an integer"},
		{raw: "n=--5", in: page, detail: "must be an integer"},
		{raw: "n=+5", in: page, detail: "must be an integer"}, // a space
		{raw: "n=007", in: page, detail: "must be an integer"},
		{raw: "n=1.0", in: page, detail: "must be an integer"},
		{raw: "n=1e3", in: page, detail: "must be an integer"},
		{raw: "n=0x10", in: page, detail: "must be an integer"},
		{raw: "n=1_000", in: page, detail: "must be an integer"},
		{raw: "n=ten", in: page, detail: "must be an integer"},
		{raw: "n=%D9%A1", in: page, detail: "must be an integer"}, // an Arabic-Indic digit
		{raw: "n=5&n=5", in: page, detail: "must not be given twice"},
		{raw: "n=5&%6E=6", in: page, detail: "must not be given twice"},
	}
	for _, tt := range tests {
		got, err := parse(t, tt.raw).Int("n", tt.in)
		if tt.detail != "" {
			requireInvalid(t, err, "n", tt.detail, tt.raw)
			continue
		}
		require.NoError(t, err, tt.raw)
		require.Equal(t, tt.want, got, tt.raw)
	}
}

func TestQueryBool(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{"": true, "b=true": true, "b=false": false} {
		got, err := parse(t, raw).Bool("b", true)
		require.NoError(t, err)
		require.Equal(t, want, got, raw)
	}
	for _, raw := range []string{"b=", "b=1", "b=TRUE", "b=yes"} {
		_, err := parse(t, raw).Bool("b", true)
		requireInvalid(t, err, "b", "must be true or false", raw)
	}
	_, err := parse(t, "b=true&b=true").Bool("b", true)
	requireInvalid(t, err, "b", "must not be given twice", "twice")
}

func TestQueryString(t *testing.T) {
	t.Parallel()
	q := parse(t, "a=x%20y&e=&d=1&d=2&u=%ff&z=%00&l=1&l=2&lu=1&lu=%0a")
	s, given, err := q.String("a")
	require.NoError(t, err)
	require.True(t, given)
	require.Equal(t, "x y", s)
	_, given, err = q.String("e")
	require.NoError(t, err)
	require.True(t, given)
	_, given, err = q.String("none")
	require.NoError(t, err)
	require.False(t, given)
	_, _, err = q.String("d")
	requireInvalid(t, err, "d", "must not be given twice", "d")
	for _, name := range []string{"u", "z"} {
		_, _, err = q.String(name)
		requireInvalid(t, err, name, "must be valid UTF-8 without control characters", name)
	}
	list, err := q.Strings("l")
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2"}, list)
	_, err = q.Strings("lu")
	requireInvalid(t, err, "lu", "must be valid UTF-8 without control characters", "lu")
}

func TestParseQueryRefuses(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	r.URL.RawQuery = "a=" + strings.Repeat("x", maxQuery-2)
	_, err := ParseQuery(r)
	require.NoError(t, err)
	r.URL.RawQuery += "x"
	_, err = ParseQuery(r)
	requireInvalid(t, err, "", "query must not exceed 4096 bytes", "long")
	for _, raw := range []string{"a=%zz", "a=1;b=2", "%"} {
		r.URL.RawQuery = raw
		_, err := ParseQuery(r)
		var e *Error
		require.ErrorAs(t, err, &e, raw)
		require.Equal(t, Invalid, e.Kind)
		require.Equal(t, "query is malformed", e.Message())
	}
}
