package wire

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRender(t *testing.T) {
	t.Parallel()
	secret := errors.New("secret")
	tests := []struct {
		err            *Error
		problem, oauth string
	}{
		{Invalidf("roles[2]", "must be a string"),
			`{"type":"about:blank","title":"Bad Request","status":400,"detail":"roles[2]: must be a string","errors":[{"field":"roles[2]","detail":"must be a string"}]}`,
			`{"error":"invalid_request","error_description":"roles[2]: must be a string"}`},
		{&Error{Kind: Invalid, Code: "invalid_grant", Detail: `no "é" \ <here>`, Cause: secret},
			`{"type":"about:blank","title":"Bad Request","status":400,"detail":"no \"é\" \\ <here>","code":"invalid_grant"}`,
			`{"error":"invalid_grant","error_description":"no '?' ' <here>"}`},
		{&Error{Field: "sql", Detail: "secret", Cause: secret},
			`{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"internal error"}`,
			`{"error":"server_error","error_description":"internal error"}`},
		{Unauthorized(),
			`{"type":"about:blank","title":"Unauthorized","status":401,"detail":"authentication required"}`,
			`{"error":"invalid_token","error_description":"authentication required"}`},
		{InsufficientScope("no"),
			`{"type":"about:blank","title":"Forbidden","status":403,"detail":"no"}`,
			`{"error":"insufficient_scope","error_description":"no"}`},
		{&Error{Kind: Conflict},
			`{"type":"about:blank","title":"Conflict","status":409,"detail":"Conflict"}`,
			`{"error":"invalid_request","error_description":"Conflict"}`},
		{&Error{Kind: Unavailable, RetryAfter: time.Second},
			`{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"Service Unavailable"}`,
			`{"error":"temporarily_unavailable","error_description":"Service Unavailable"}`},
	}
	for _, tt := range tests {
		for renderer, want := range map[Renderer]string{Problem{}: tt.problem, OAuth{}: tt.oauth} {
			contentType, v := renderer.Render(tt.err)
			body, err := encode(v)
			require.NoError(t, err)
			require.Equal(t, want, string(body))
			if renderer == (OAuth{}) {
				require.Equal(t, "application/json; charset=utf-8", contentType)
			} else {
				require.Equal(t, "application/problem+json", contentType)
			}
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk on fire")
	err := error(&Error{Kind: Conflict, Field: "userName", Detail: "is taken", Cause: cause})
	require.Equal(t, "userName: is taken: disk on fire", err.Error())
	require.ErrorIs(t, err, cause)
	require.Equal(t, "userName: is taken", Invalidf("userName", "is %s", "taken").Error())
	for kind, status := range map[Kind]int{
		Internal: 500, Invalid: 400, Unauthenticated: 401, Forbidden: 403, NotFound: 404, MethodNotAllowed: 405,
		Conflict: 409, TooLarge: 413, UnsupportedMedia: 415, TooMany: 429, Unavailable: 503, 99: 500,
	} {
		require.Equal(t, status, kind.Status())
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	for want, at := range map[string]time.Time{
		"2020-09-25T10:06:35.009Z": time.Date(2020, 9, 25, 12, 6, 35, 9_999_999, time.FixedZone("", 2*3600)),
		"2026-03-01T12:00:00.000Z": time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		"0001-01-01T00:00:00.000Z": {},
	} {
		require.Equal(t, want, Time(at))
	}
}
