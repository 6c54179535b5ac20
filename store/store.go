// Package store is the contract between the usermgmt engine and the databases
// that keep its records.
//
// A [Store] runs units of work. Each is bound to one [Realm], a closed
// population of users, organizations, roles, tenants and vendors, and sees and
// touches nothing outside it:
//
//	err := s.Update(ctx, "main", func(tx store.Tx) error {
//		u, err := tx.User(ctx, id)
//		if err != nil {
//			return err
//		}
//		u.FirstName = "Ada"
//		return tx.UpdateUser(ctx, u)
//	})
//
// The package holds records, typed ids, errors and interfaces, and needs the
// standard library alone. It knows nothing of rights: who may do what is the
// engine's business, and a store does as it is told. Package storetest proves
// an implementation, clause by clause.
//
// # Rules for every method
//
// The comment of a method states only what differs from these rules.
//
//   - Absent: a record that is asked for by its id or by a unique key and is not
//     there is [ErrNotFound]. Lists and batches leave out what is not there.
//   - Duplicate: a write that would break a uniqueness rule changes nothing and
//     returns an [*ExistsError] that names the field; it matches [ErrExists].
//   - Stale: an Update method writes only if the stored Version equals the
//     Version of the record it is given, and stores Version+1; otherwise it
//     changes nothing and returns [ErrStale]. Creation stores Version 1,
//     whatever the record says.
//   - Cancelled: a done context gives an error that matches ctx.Err(), never a
//     driver's own. A unit of work whose context is done before its commit
//     begins leaves nothing behind.
//   - Concurrent: Store is safe for concurrent use; a Reader or Tx belongs to
//     the one goroutine that runs fn, and ends with it: later calls return
//     [ErrDone].
//   - References: a record that names a user, organization or vendor that is
//     not in the realm is refused with ErrNotFound, before or after a duplicate
//     is. Roles, tenants and the scopes of grants are named without a check.
//   - Text: compared, ordered and unique by its bytes. Folding is the engine's
//     work; fields named …Key arrive folded.
//   - Validity: a record whose Check method fails is refused with that error
//     (matching [ErrInvalid]) before anything is written.
//   - Memory: nothing that a caller passes in is kept, and nothing that it gets
//     is shared: it may change slices freely on both sides of a call. Empty
//     lists and maps come back nil.
//   - Time: UTC, whole microseconds; the zero time means "none".
//   - Errors inside a unit: after ErrNotFound, ErrExists, ErrStale, ErrInvalid
//     or ErrUsed the unit may go on; the refused call has left no trace.
//     [ErrReadOnly] may come of any call in an Update, be it one that reads, and
//     its unit need not be able to go on.
//
// # Joined stores
//
// A store may join a transaction of the host's, so that the host's rows and
// these commit together. All of the above holds of it, but for this:
//
//   - View and Update run on the host's transaction and see what it has done so
//     far. What Update returns nil for is there once the host commits, events
//     included; before that nobody else sees it, and a rollback of the host's
//     leaves nothing of it.
//   - An Update whose fn fails or panics, or whose context is done, leaves
//     nothing of that fn (a savepoint), and the host's transaction goes on with
//     what it had. An error that costs the database the whole transaction, such
//     as a full disk, ends it: what was in it is lost. fn runs once.
//   - A transaction has one goroutine at a time. A unit that begins while
//     another of the same store runs, within it or beside it, is refused with
//     [ErrBusy] at once and does not run.
//   - Units of other stores meet the transaction as the database has it: they
//     wait for what it has locked. So whoever waits for one of them while the
//     transaction is open may wait for himself.
//   - Once the transaction has ended, by the host or by itself, every unit is
//     refused with [ErrDone].
//   - Generation, of the Store and of its Readers, is [errors.ErrUnsupported]:
//     no number stands for what may be rolled back, so nothing derived from a
//     joined store may be kept.
//   - Close ends the joined store alone, without waiting; commit and rollback
//     stay the host's, before it and after. Realms are named by each call, as
//     ever: one transaction may change several.
package store

import (
	"context"
	"errors"
)

// Realm names one closed population. It is 1 to 64 bytes of [A-Za-z0-9._-].
type Realm string

// Check reports whether the realm's name is well formed.
func (r Realm) Check() error {
	if len(r) == 0 || len(r) > 64 {
		return invalid("realm", "must have 1 to 64 bytes")
	}
	for _, c := range []byte(r) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return invalid("realm", "may hold letters, digits, '.', '_' and '-' alone")
		}
	}
	return nil
}

// Store keeps the records of any number of realms. A realm needs no creation:
// it is there, empty, for whoever names it.
type Store interface {
	// View runs fn once on a consistent snapshot of the realm, taken no later than
	// by its first read: no write that commits after that is seen by it. It
	// returns fn's error as it is.
	// A panic in fn is passed on after the snapshot is released.
	View(ctx context.Context, realm Realm, fn func(Reader) error) error

	// Update runs fn as one unit of work and returns nil only after its changes
	// are committed and durable, as far as the store is (a memory store is not).
	//
	// Units appear to run one after another. fn sees its own writes. If fn
	// returns an error or panics, or the commit fails, nothing of it is left,
	// and the error comes back as it is, the panic is passed on. fn may run again from its start after
	// a conflict with another unit, so it must touch nothing but its Tx and
	// variables that it sets anew; it must not wait for anything else (no
	// hashing, no network) and must not call the same Store's Update.
	//
	// An error that matches [ErrUnknownOutcome] means that the commit was sent
	// and its answer lost: the unit is there whole or not at all.
	Update(ctx context.Context, realm Realm, fn func(Tx) error) error

	// Generation returns the realm's generation as committed now, by this or by
	// any other process that shares the data; see [Reader.Generation]. It is
	// meant to be asked before every use of something derived from the store,
	// so it costs as little as the store can make it and allocates nothing. A
	// joined store returns [errors.ErrUnsupported].
	Generation(ctx context.Context, realm Realm) (uint64, error)

	// Close waits for running units and releases what the store holds. Every
	// later call returns [ErrClosed]; a second Close returns nil.
	Close() error
}

// Glancer is implemented by stores that answer a single question for less than a
// View costs, such as those that are a network away.
type Glancer interface {
	// Glance is View for an fn that calls one method of the Reader, and then may
	// ask for the generation, which is of the same moment. The Reader may refuse
	// anything with [ErrGlance], and then Glance returns that, whatever fn does:
	// its caller has to View instead.
	Glance(ctx context.Context, realm Realm, fn func(Reader) error) error
}

// Glance runs fn by the store's Glance, if it has that, and by its View if it
// has not or if fn reads more, so that fn may run twice.
func Glance(ctx context.Context, s Store, realm Realm, fn func(Reader) error) error {
	if g, ok := s.(Glancer); ok {
		if err := g.Glance(ctx, realm, fn); !errors.Is(err, ErrGlance) {
			return err
		}
	}
	return s.View(ctx, realm, fn)
}

// Reader reads one realm as of one moment.
type Reader interface {
	UserReader
	CredentialReader
	OrganizationReader
	MembershipReader
	RoleReader
	TenantReader
	VendorReader
	KeyReader
	SessionReader
	TokenReader
	FailuresReader
	EventReader

	// Generation returns a number that differs after every committed change of
	// what existing rights are made of: a user deleted, or updated in Disabled,
	// Grants or Tenants; a membership, organization, role, vendor or key
	// updated or deleted; a tenant updated or deleted; a custom permission put or
	// deleted; a session deleted, by whatever call. It may change for other
	// reasons too. Creating records does not change it, nor do credentials,
	// tokens, counts of failures and events. The number of a rolled-back unit may be used again, so
	// keep nothing under a number read in Update.
	Generation(ctx context.Context) (uint64, error)
}

// Tx reads and writes one realm within a unit of work.
type Tx interface {
	Reader
	UserWriter
	CredentialWriter
	OrganizationWriter
	MembershipWriter
	RoleWriter
	TenantWriter
	VendorWriter
	KeyWriter
	SessionWriter
	TokenWriter
	FailuresWriter
	EventWriter

	// Lock makes this unit wait until no other running unit of the realm holds
	// the name, and holds it to the unit's end. A rule over several records
	// ("one owner stays") takes a lock before it reads them. A store whose
	// units run strictly one after another need do nothing. The name is 1 to
	// 200 bytes.
	Lock(ctx context.Context, name string) error

	// DeleteExpired removes up to limit sessions, tokens, vendor secrets and
	// counts of failures whose ExpiresAt is set and not after now, and returns how many. A
	// session's tokens go with it, and need not be counted. No rule
	// depends on it: whoever reads such a record compares its ExpiresAt.
	DeleteExpired(ctx context.Context, now Time, limit int) (int, error)
}
