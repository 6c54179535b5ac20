package sqlitestore

import (
	"errors"
	"fmt"
	"reflect"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/usermgmt-go/usermgmt/store"
)

// code returns SQLite's primary result code, or 0 for an error of another kind.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return foreignCode(err)
}

// foreignCode is code for the drivers that a host's transaction may be of. Each
// has an error type of its own with SQLite's code in it, as a method Code or as
// a field of that name.
func foreignCode(err error) int {
	for ; err != nil; err = errors.Unwrap(err) {
		v := reflect.ValueOf(err)
		n := v.MethodByName("Code")
		if n.IsValid() && n.Type().NumIn() == 0 && n.Type().NumOut() == 1 {
			n = n.Call(nil)[0]
		} else if v = reflect.Indirect(v); v.Kind() == reflect.Struct {
			n = v.FieldByName("Code")
		}
		switch {
		case !n.IsValid():
		case n.CanInt():
			return int(n.Int()) & 0xff
		case n.CanUint():
			return int(n.Uint()) & 0xff
		}
	}
	return 0
}

// translate puts an error of the driver into its category. SQLite's own error
// stays in the chain.
func translate(err error) error {
	var category error
	switch code(err) {
	case sqlite3.SQLITE_FULL:
		category = store.ErrFull
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		category = store.ErrReadOnly
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		category = store.ErrBusy
	case sqlite3.SQLITE_NOTADB:
		category = store.ErrSchema
	default:
		return fmt.Errorf("sqlitestore: %w", err)
	}
	return fmt.Errorf("sqlitestore: %w: %w", category, err)
}

// isConstraint reports whether a uniqueness rule refused a statement, which
// then has changed nothing.
func isConstraint(err error) bool { return code(err) == sqlite3.SQLITE_CONSTRAINT }

// endsTransaction reports whether SQLite may have rolled back the whole
// transaction, and not the statement alone.
func endsTransaction(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_BUSY,
		sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_ABORT, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERNAL, sqlite3.SQLITE_CANTOPEN:
		return true
	}
	return false
}

// commitError is the category of a failed COMMIT. After an I/O error the
// commit record may or may not have reached the disk.
func commitError(err error) error {
	if code(err) == sqlite3.SQLITE_IOERR {
		return fmt.Errorf("sqlitestore: %w: %w", store.ErrUnknownOutcome, err)
	}
	return err
}

func invalid(field, reason string) error {
	return &store.InvalidError{Field: field, Reason: reason}
}
