package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/usermgmt-go/usermgmt/store"
)

// conflict is an error after which a unit is run again: nothing of it is left.
// Where the store does not do so, or no more, it is a [store.ErrBusy] for the caller.
type conflict string

func (c conflict) Error() string { return string(c) }

// Is makes all of them one category, errConflict, and busy ones.
func (c conflict) Is(target error) bool { return target == errConflict || target == store.ErrBusy }

const (
	errConflict conflict = "another unit has changed what this one rests on"
	// errLost: with the connection went the transaction, before its commit was
	// sent; or none could be made.
	errLost conflict = "there is no connection to the server"
)

// codes of PostgreSQL's errors (its manual, appendix A).
const (
	codeReadOnly       = "25006"
	codeUnsupported    = "0A000"
	codeFailed         = "25P02" // the transaction had failed before
	codeUnique         = "23505"
	codeDivisionByZero = "22012" // see assert
	codeSerialization  = "40001"
	codeDeadlock       = "40P01"
	codeLocked         = "55P03"
	codeCancelled      = "57014" // a cancel request, or a timeout of the server's
	codeDiskFull       = "53100"
	codeNoTable        = "42P01"
	codeNoColumn       = "42703"
	codeNoSchema       = "3F000"
	codeTooManyClients = "53300"
	codeShutdown       = "57P01"
	codeCrash          = "57P02"
	codeCannotConnect  = "57P03" // it is starting, or stopping
)

// code returns PostgreSQL's code of an error, or "" for an error of another kind.
func code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// translate puts an error of the driver into its category; ctx is that of the
// call. The driver's own error stays in the chain, but for a done context.
func translate(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var category error
	switch code(err) {
	case "":
		switch {
		case errors.Is(err, pgx.ErrTxClosed):
			category = store.ErrDone
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
			category = store.ErrBusy // a limit of the host's, such as one for connecting
		case pgconn.SafeToRetry(err), isNetwork(err):
			category = errLost
		}
	case codeSerialization, codeDeadlock, codeLocked, codeUnique, codeDivisionByZero:
		category = errConflict
	case codeShutdown, codeCrash, codeCannotConnect:
		category = errLost
	case codeFailed:
		category = store.ErrDone
	case codeReadOnly:
		category = store.ErrReadOnly
	case codeUnsupported:
		// By this code a standby refuses to begin a transaction that writes, and a
		// server a plan whose columns have changed.
		if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Routine == "call_bool_check_hook" {
			category = store.ErrReadOnly
		}
	case codeDiskFull:
		category = store.ErrFull
	case codeCancelled, codeTooManyClients:
		category = store.ErrBusy
	case codeNoTable, codeNoColumn, codeNoSchema:
		category = store.ErrSchema
	}
	if category == nil {
		return fmt.Errorf("pgstore: %w", err)
	}
	return fmt.Errorf("pgstore: %w: %w", category, err)
}

// unknown reports whether a COMMIT that was sent after n other statements, and
// failed after the answers of so many, may have been carried out all the same.
// That the driver calls an error safe to retry says nothing of it: it calls one
// so that comes of reading from a connection which has just been lost.
func unknown(err error, answered, n int) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		// An answer to the COMMIT itself that ends the session may have come
		// while the server waited for its standbys, with the commit on disk.
		return answered == n && e.SeverityUnlocalized != "ERROR"
	}
	return true
}

func invalid(field, reason string) error {
	return &store.InvalidError{Field: field, Reason: reason}
}
