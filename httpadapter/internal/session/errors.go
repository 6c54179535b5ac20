package session

import (
	"errors"
	"time"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// invalidGrant is RFC 6749's 400 for a credential that is not accepted, whatever
// is wrong with it.
func invalidGrant(detail string) *wire.Error {
	return &wire.Error{Kind: wire.Invalid, Code: "invalid_grant", Detail: detail}
}

// retryAfter is what callers are told where we are too busy.
const retryAfter = time.Second

// classify words the Manager's errors; nil is a 500.
func classify(err error) *wire.Error {
	var invalid *usermgmt.InvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Field == "password": // the policy speaks of new ones alone
		return &wire.Error{Kind: wire.Invalid, Field: "new_password", Detail: invalid.Reason}
	case errors.As(err, &invalid):
		return &wire.Error{Kind: wire.Invalid, Detail: invalid.Reason, Cause: err}
	case errors.Is(err, usermgmt.ErrUnauthenticated):
		return caller.InvalidToken()
	case errors.Is(err, usermgmt.ErrForbidden):
		e := wire.InsufficientScope("the session does not admit to this")
		e.Cause = err
		return e
	case errors.Is(err, usermgmt.ErrFull), errors.Is(err, usermgmt.ErrReadOnly), errors.Is(err, usermgmt.ErrUnknownOutcome):
		return &wire.Error{Kind: wire.Unavailable, Detail: "the directory cannot be written now", Cause: err}
	case errors.Is(err, usermgmt.ErrBusy):
		return &wire.Error{Kind: wire.Unavailable, Detail: "too busy", RetryAfter: retryAfter, Cause: err}
	}
	return nil
}
