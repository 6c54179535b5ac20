// Package fault words the Manager's errors for all dialects alike, in a
// dialect's own names.
//
//	words := fault.Words{Member: member, Missing: "no such user"}
//	mount := wire.Mount{Classify: words.Classify, …}
//
// A dialect that answers one of them in another way looks for that one first.
package fault

import (
	"errors"
	"time"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// retryAfter is what callers are told where we are too busy.
const retryAfter = time.Second

// Words are what a dialect calls things.
type Words struct {
	// Member returns the dialect's name for a field of the Manager's, and "" for
	// one that the dialect does not know. Nil knows none.
	Member func(field string) string
	// Missing is the sentence for what is not found.
	Missing string
	// NoBearer says that callers bring no bearer token, so that no answer
	// challenges them to.
	NoBearer bool
}

// Classify returns the Error for one of the Manager's errors; nil is a 500.
func (w Words) Classify(err error) *wire.Error {
	var (
		invalid   *usermgmt.InvalidError
		forbidden *usermgmt.ForbiddenError
		exists    *usermgmt.ExistsError
		conflict  *usermgmt.ConflictError
		throttled *usermgmt.ThrottledError
	)
	switch {
	case errors.As(err, &invalid):
		return &wire.Error{Kind: wire.Invalid, Field: w.member(invalid.Field), Detail: invalid.Reason, Cause: err}
	case errors.Is(err, usermgmt.ErrUnauthenticated):
		if w.NoBearer {
			return &wire.Error{Kind: wire.Unauthenticated, Detail: "the credentials are not valid", Cause: err}
		}
		return caller.InvalidToken()
	case errors.As(err, &throttled):
		return &wire.Error{Kind: wire.TooMany, Detail: "too many failed attempts", RetryAfter: throttled.RetryAfter, Cause: err}
	case errors.As(err, &forbidden):
		return w.forbidden(forbidden, err)
	case errors.Is(err, usermgmt.ErrNotFound):
		return &wire.Error{Kind: wire.NotFound, Detail: w.Missing, Cause: err}
	case errors.As(err, &exists):
		return &wire.Error{Kind: wire.Conflict, Field: w.member(exists.Field), Detail: "is taken", Cause: err}
	case errors.Is(err, usermgmt.ErrStale):
		return &wire.Error{Kind: wire.Conflict, Field: "version", Detail: "is not the current one", Cause: err}
	case errors.As(err, &conflict):
		return &wire.Error{Kind: wire.Conflict, Detail: conflict.Reason, Cause: err}
	case errors.Is(err, usermgmt.ErrBusy):
		return &wire.Error{Kind: wire.Unavailable, Detail: "too busy", RetryAfter: retryAfter, Cause: err}
	case errors.Is(err, usermgmt.ErrFull), errors.Is(err, usermgmt.ErrReadOnly), errors.Is(err, usermgmt.ErrUnknownOutcome):
		return &wire.Error{Kind: wire.Unavailable, Detail: "the directory cannot be written now", Cause: err}
	}
	return nil
}

func (w Words) member(field string) string {
	if w.Member == nil {
		return ""
	}
	return w.Member(field)
}

func (w Words) forbidden(f *usermgmt.ForbiddenError, cause error) *wire.Error {
	detail := f.Reason
	if detail == "" {
		detail = "needs " + string(f.Permission)
	}
	e := wire.Errorf(wire.Forbidden, "%s", detail)
	if !w.NoBearer {
		e = wire.InsufficientScope(detail)
	}
	e.Cause = cause
	return e
}

// Blame puts an error that the Manager finds in one field on the member that
// brought it.
func Blame(err error, field, member string) error {
	var invalid *usermgmt.InvalidError
	if errors.As(err, &invalid) && invalid.Field == field {
		return &wire.Error{Kind: wire.Invalid, Field: member, Detail: invalid.Reason, Cause: err}
	}
	return err
}
