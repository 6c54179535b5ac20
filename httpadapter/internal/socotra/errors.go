package socotra

import (
	"errors"
	"time"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// retryAfter is what callers are told where we are too busy.
const retryAfter = time.Second

// classify words the Manager's errors; nil is a 500.
func classify(err error) *wire.Error {
	var (
		invalid   *usermgmt.InvalidError
		forbidden *usermgmt.ForbiddenError
		exists    *usermgmt.ExistsError
		conflict  *usermgmt.ConflictError
	)
	switch {
	case errors.As(err, &invalid):
		return &wire.Error{Kind: wire.Invalid, Field: member(invalid.Field), Detail: invalid.Reason, Cause: err}
	case errors.Is(err, usermgmt.ErrUnauthenticated):
		return caller.InvalidToken()
	case errors.As(err, &forbidden):
		detail := forbidden.Reason
		if detail == "" {
			detail = "needs " + string(forbidden.Permission)
		}
		e := wire.InsufficientScope(detail)
		e.Cause = err
		return e
	case errors.Is(err, usermgmt.ErrNotFound):
		return &wire.Error{Kind: wire.NotFound, Detail: "no such user or role", Cause: err}
	case errors.As(err, &exists):
		return &wire.Error{Kind: wire.Conflict, Field: member(exists.Field), Detail: "is taken", Cause: err}
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

// member is the text's name for a field of the Manager's, "" for one that it
// does not know.
func member(field string) string {
	switch field {
	case "username", "UsernameKey":
		return "userName"
	case "EmailKey":
		return "email"
	case "Name":
		return "name"
	case "limit":
		return "count"
	case "firstName", "lastName", "email", "roles", "tenants", "permissions", "password",
		"name", "description", "removePermissions", "removeTenants", "offset":
		return field
	}
	return ""
}

// blame puts an error that the Manager finds in one field on the member that
// brought it.
func blame(err error, field, member string) error {
	var invalid *usermgmt.InvalidError
	if errors.As(err, &invalid) && invalid.Field == field {
		return &wire.Error{Kind: wire.Invalid, Field: member, Detail: invalid.Reason, Cause: err}
	}
	return err
}
