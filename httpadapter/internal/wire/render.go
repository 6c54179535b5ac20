package wire

import (
	"net/http"
	"strings"
)

// Renderer words errors in the body that a dialect documents.
type Renderer interface {
	// Render returns the media type and the value to be encoded as JSON for e.
	// It takes what it shows from e.Message, e.Field, e.Detail (not for
	// Internal), e.Code and e.Kind, and may look in e.Cause for a type of its
	// own. It is called concurrently.
	Render(e *Error) (contentType string, body any)
}

// Problem renders application/problem+json (RFC 9457).
type Problem struct{}

// ProblemBody is the body of [Problem]. Errors has one entry if a single field
// or parameter is to blame, and is absent otherwise.
type ProblemBody struct {
	Type   string         `json:"type"` // always "about:blank": status and title say it all
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail"`
	Code   string         `json:"code,omitempty"`
	Errors []ProblemField `json:"errors,omitempty"`
}

// ProblemField blames one field.
type ProblemField struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Render implements [Renderer].
func (Problem) Render(e *Error) (string, any) {
	status := e.Kind.Status()
	body := ProblemBody{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: e.Message(), Code: e.Code,
	}
	if e.Field != "" && status != http.StatusInternalServerError {
		body.Errors = []ProblemField{{Field: e.Field, Detail: e.Detail}}
	}
	return "application/problem+json", body
}

// OAuth renders RFC 6749 section 5.2. The error is e.Code, or else the
// registered code next to e.Kind; the description is e.Message in the
// characters that the RFC allows.
type OAuth struct{}

// OAuthBody is the body of [OAuth].
type OAuthBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// Render implements [Renderer].
func (OAuth) Render(e *Error) (string, any) {
	code := e.Code
	if code == "" {
		code = oauthCode(e.Kind)
	}
	return ContentTypeJSON, OAuthBody{Error: code, Description: strings.Map(oauthText, e.Message())}
}

func oauthCode(k Kind) string {
	switch k {
	case Unauthenticated:
		return "invalid_token" // RFC 6750: the routes behind a bearer token
	case Forbidden:
		return "insufficient_scope"
	case TooMany, Unavailable:
		return "temporarily_unavailable"
	case Invalid, NotFound, MethodNotAllowed, Conflict, TooLarge, UnsupportedMedia:
		return "invalid_request"
	default:
		return "server_error"
	}
}

// oauthText keeps error_description in %x20-21 / %x23-5B / %x5D-7E.
func oauthText(r rune) rune {
	switch {
	case r == '"' || r == '\\':
		return '\''
	case r < 0x20 || r > 0x7e:
		return '?'
	}
	return r
}
