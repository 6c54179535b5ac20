package wire

import (
	"fmt"
	"net/http"
	"time"
)

// Kind is the category of an [Error]; it alone decides the status.
type Kind uint8

const (
	// Internal is the zero Kind: a fault of ours. The caller gets a fixed
	// sentence, whatever the Error says.
	Internal         Kind = iota
	Invalid               // 400
	Unauthenticated       // 401
	Forbidden             // 403
	NotFound              // 404
	MethodNotAllowed      // 405
	Conflict              // 409
	TooLarge              // 413
	UnsupportedMedia      // 415
	TooMany               // 429
	Unavailable           // 503
)

// Status is the HTTP status of k; an unknown Kind is a 500.
func (k Kind) Status() int {
	switch k {
	case Invalid:
		return http.StatusBadRequest
	case Unauthenticated:
		return http.StatusUnauthorized
	case Forbidden:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case Conflict:
		return http.StatusConflict
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case UnsupportedMedia:
		return http.StatusUnsupportedMediaType
	case TooMany:
		return http.StatusTooManyRequests
	case Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// Error is a failure that the caller may learn of. Field, Detail and Code are
// shown to him and must not hold internal text; Cause goes to the log only. An
// Error is not changed after it was returned.
type Error struct {
	Kind Kind
	// Field is the path of the member or the name of the parameter that is
	// wrong, as "roles[2]" or "count"; empty if no single one is.
	Field string
	// Detail says what is wrong, lower case, without the field's name.
	Detail string
	// Code is the dialect's own word or number for it, if it has one.
	Code string
	// Challenge is the value of WWW-Authenticate; empty for none.
	Challenge string
	// Allow are the methods of the path, for MethodNotAllowed.
	Allow []string
	// RetryAfter is sent with TooMany and Unavailable, in whole seconds rounded
	// up; zero sends none.
	RetryAfter time.Duration
	// Cause is for the log, and for a Renderer that needs details of its own.
	Cause error
}

// Error is the text for the log: Message and the cause.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message()
	}
	return e.Message() + ": " + e.Cause.Error()
}

// Unwrap returns Cause.
func (e *Error) Unwrap() error { return e.Cause }

// internalMessage is all that a caller learns of a fault of ours.
const internalMessage = "internal error"

// Message is the sentence for the caller: "roles[2]: must be a string". For
// Internal it is fixed.
func (e *Error) Message() string {
	switch {
	case e.Kind.Status() == http.StatusInternalServerError:
		return internalMessage
	case e.Detail == "":
		return http.StatusText(e.Kind.Status())
	case e.Field == "":
		return e.Detail
	default:
		return e.Field + ": " + e.Detail
	}
}

// Invalidf is a 400 about field, which may be empty.
func Invalidf(field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: field, Detail: fmt.Sprintf(format, args...)}
}

// Errorf is an Error of kind k with that detail.
func Errorf(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Detail: fmt.Sprintf(format, args...)}
}
