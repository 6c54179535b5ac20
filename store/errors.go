package store

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Categories of errors. Callers test for them with [errors.Is].
var (
	// ErrNotFound: the record is not in this realm.
	ErrNotFound = errors.New("not found")
	// ErrExists: a uniqueness rule forbids the write; see [ExistsError].
	ErrExists = errors.New("already exists")
	// ErrStale: the record has changed since the version that was given.
	ErrStale = errors.New("stale version")
	// ErrUsed: a single-use token has been used.
	ErrUsed = errors.New("already used")
	// ErrInvalid: a record breaks the rules of its type; see [InvalidError].
	ErrInvalid = errors.New("invalid")
	// ErrClosed: the store is closed.
	ErrClosed = errors.New("store is closed")
	// ErrDone: a Reader or Tx was used after its unit of work ended, or a joined
	// store after the host's transaction did.
	ErrDone = errors.New("unit of work has ended")
	// ErrGlance: a Glance was asked for more than it answers; a View does.
	ErrGlance = errors.New("a glance answers one question")
	// ErrReadOnly: the data cannot be written (file permissions, a standby).
	ErrReadOnly = errors.New("store is read-only")
	// ErrFull: there is no space left for the write; reads go on.
	ErrFull = errors.New("storage is full")
	// ErrBusy: another process held the data for longer than the store waits, or
	// a joined store was running another unit.
	ErrBusy = errors.New("store is busy")
	// ErrUnknownOutcome: the commit was sent and its answer lost.
	ErrUnknownOutcome = errors.New("outcome of the commit is unknown")
	// ErrSchema: the data was written by a newer release, or is not this library's.
	ErrSchema = errors.New("unsupported schema")
)

// ExistsError says which uniqueness rule forbade a write.
type ExistsError struct {
	// Field is the field of the record, by its Go name: "ID", "UsernameKey",
	// "EmailKey", "Slug", "MatchDomain", "VendorOrganizationID",
	// "VendorUserID", "UserID", "Name", "ClientID", "Digest".
	Field string
}

// Error names the field in words, such as "username already exists" for
// "UsernameKey".
func (e *ExistsError) Error() string {
	return words(strings.TrimSuffix(e.Field, "Key")) + " already exists"
}

// words writes a Go name in lower case, its words apart.
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) && unicode.IsLower(rune(name[i-1])) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Is makes every ExistsError match [ErrExists].
func (e *ExistsError) Is(target error) bool { return target == ErrExists }

// InvalidError says which field of a record or of a request is wrong, and how.
type InvalidError struct {
	Field  string
	Reason string
}

func (e *InvalidError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Reason) }

// Is makes every InvalidError match [ErrInvalid].
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

func invalid(field, reason string) error { return &InvalidError{Field: field, Reason: reason} }
