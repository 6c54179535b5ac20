package usermgmt

import (
	"errors"
	"fmt"

	"github.com/usermgmt-go/usermgmt/store"
)

// Categories of errors, to be tested for with [errors.Is]. Those that the
// store declares come through unchanged.
var (
	// ErrNotFound: no such object, or none within the actor's reach.
	ErrNotFound = store.ErrNotFound
	// ErrExists: a uniqueness rule forbids it; see [ExistsError].
	ErrExists = store.ErrExists
	// ErrStale: the object has changed since the version that was given; see [StaleError].
	ErrStale = store.ErrStale
	// ErrInvalid: the request itself is wrong; see [InvalidError].
	ErrInvalid = store.ErrInvalid
	// ErrUsed: a single-use token was used before.
	ErrUsed = store.ErrUsed
	// ErrForbidden: the actor lacks a right; see [ForbiddenError].
	ErrForbidden = errors.New("forbidden")
	// ErrUnauthenticated: a credential is missing, wrong, expired or revoked.
	// Which of these it is stays untold on purpose.
	ErrUnauthenticated = errors.New("unauthenticated")
	// ErrThrottled: there were too many failed attempts; see [ThrottledError].
	ErrThrottled = errors.New("too many failed attempts")
	// ErrConflict: a rule over several objects forbids it; see [ConflictError].
	ErrConflict = errors.New("conflict")
	// ErrBusy: the work could not be begun in time; try again later.
	ErrBusy = store.ErrBusy
	// ErrFull: there is no space left to write; reads go on.
	ErrFull = store.ErrFull
	// ErrReadOnly: the store cannot be written.
	ErrReadOnly = store.ErrReadOnly
	// ErrUnknownOutcome: the answer of a commit was lost; what was asked for
	// has happened whole or not at all.
	ErrUnknownOutcome = store.ErrUnknownOutcome
	// ErrClosed: the store is closed.
	ErrClosed = store.ErrClosed
)

// Errors with details, to be reached by [errors.As].
type (
	// InvalidError names the field that is wrong and says how.
	InvalidError = store.InvalidError
	// ExistsError names the field whose value is taken.
	ExistsError = store.ExistsError
)

// ForbiddenError says which right the actor lacks. It matches [ErrForbidden].
type ForbiddenError struct {
	// Permission is the permission that is missing, if it is a single one.
	Permission Permission
	// Reason says what was refused, without details of the object.
	Reason string
}

func (e *ForbiddenError) Error() string {
	if e.Reason == "" {
		return "forbidden: needs " + string(e.Permission)
	}
	return "forbidden: " + e.Reason
}

// Is makes every ForbiddenError match [ErrForbidden].
func (e *ForbiddenError) Is(target error) bool { return target == ErrForbidden }

// ConflictError names the rule that an act would break. It matches [ErrConflict].
type ConflictError struct{ Reason string }

func (e *ConflictError) Error() string { return "conflict: " + e.Reason }

// Is makes every ConflictError match [ErrConflict].
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// Rules over several objects that an act may break.
var (
	// ErrLastOwner: an organization with other members keeps an active owner.
	ErrLastOwner error = &ConflictError{"the organization's last active owner must stay"}
	// ErrLastAdmin: a realm that has an active admin keeps one.
	ErrLastAdmin error = &ConflictError{"the realm's last active admin must stay"}
	// ErrEmailClaimed: nobody vouches for the address of the account, so nobody is
	// added to an organization by it; see User.EmailClaimed.
	ErrEmailClaimed error = &ConflictError{"the address is one that its user gave himself, and is not confirmed"}
)

// StaleError carries both versions of an optimistic lock. It matches [ErrStale].
type StaleError struct {
	// Version is the stored version, Requested the one that was given.
	Version, Requested int64
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("stale version: have %d, given %d", e.Version, e.Requested)
}

// Is makes every StaleError match [ErrStale].
func (e *StaleError) Is(target error) bool { return target == ErrStale }

func invalid(field, reason string) error { return &InvalidError{Field: field, Reason: reason} }
