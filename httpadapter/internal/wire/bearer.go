package wire

import (
	"errors"
	"net/http"
	"strings"
)

// ErrNoCredential: the request carries no bearer token. It is answered by
// [Unauthorized], unless the route needs none.
var ErrNoCredential = errors.New("no credential")

// maxToken bounds a bearer token, in bytes: longer ones are refused unread.
const maxToken = 8 << 10

// Values of WWW-Authenticate (RFC 6750 section 3).
const (
	ChallengeBearer            = `Bearer`
	ChallengeInvalidRequest    = `Bearer error="invalid_request"`
	ChallengeInvalidToken      = `Bearer error="invalid_token"`
	ChallengeInsufficientScope = `Bearer error="insufficient_scope"`
)

// Bearer returns the token of the Authorization header, never empty, and never
// from anywhere else. Without the header, with another scheme and with nothing
// behind the word Bearer it returns ErrNoCredential. Two headers and a value that
// is not one token of visible ASCII are 400 invalid_request; a token over 8 KiB
// is 401 invalid_token.
func Bearer(r *http.Request) (string, error) {
	values := r.Header["Authorization"]
	if len(values) > 1 {
		return "", malformedCredential("more than one Authorization header")
	}
	if len(values) == 0 {
		return "", ErrNoCredential
	}
	// Cut at the first byte that cannot be of a scheme's name: a tab behind
	// "Bearer" must be malformed, not the end of a scheme called "Bearer\tx".
	value := strings.Trim(values[0], " ")
	end := strings.IndexFunc(value, func(c rune) bool { return c <= ' ' || c > '~' })
	if end < 0 {
		end = len(value)
	}
	scheme, token := value[:end], strings.TrimLeft(value[end:], " ")
	switch {
	case !strings.EqualFold(scheme, "Bearer"), token == "":
		return "", ErrNoCredential
	case len(token) > maxToken:
		return "", InvalidToken("the access token is too long")
	case strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }):
		return "", malformedCredential("malformed Authorization header")
	}
	return token, nil
}

// Unauthorized is the 401 for a request without credentials: a bare challenge.
func Unauthorized() *Error {
	return &Error{Kind: Unauthenticated, Detail: "authentication required", Challenge: ChallengeBearer}
}

// InvalidToken is the 401 for a token that is expired, revoked, foreign or broken.
func InvalidToken(detail string) *Error {
	return &Error{Kind: Unauthenticated, Detail: detail, Challenge: ChallengeInvalidToken}
}

// InsufficientScope is the 403 for a caller, known by a bearer token, who lacks the right.
func InsufficientScope(detail string) *Error {
	return &Error{Kind: Forbidden, Detail: detail, Challenge: ChallengeInsufficientScope}
}

func malformedCredential(detail string) *Error {
	return &Error{Kind: Invalid, Detail: detail, Challenge: ChallengeInvalidRequest}
}
