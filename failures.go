package usermgmt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// A tally is what failures are counted under, and how many there may be.
//
// The count leaks (GCRA): each failure puts store.Failures.Until, the moment as
// of which nothing is left of it, one Rate.Every further, and while that is more than
// Burst-1 of them ahead there is no room for another.
type tally struct {
	key  store.Digest
	rate Rate
	// limit is how many failures in a row, less than a lockout apart, end all
	// attempts for a lockout; 0 for no such limit.
	limit int64
}

// lockout is how long attempts are refused that have come to the limit.
const lockout = 24 * time.Hour

// tallyKey is the digest of what is tried at. The lengths keep two lists of words apart.
func tallyKey(words ...string) store.Digest {
	h := sha256.New()
	for _, w := range words {
		fmt.Fprintf(h, "%d %s ", len(w), w)
	}
	return store.Digest(h.Sum(nil))
}

// loginTally is that of the password of one user by one name, or of a name that
// is nobody's.
//
// It is of the name and not of the user alone, or who has used up one name could
// tell by another whether the same user has that too. It is of the hash, so that a
// new password starts anew, whoever sets it and however; what replaces a weak hash
// is a success, which starts anew as well.
func (m *Manager) loginTally(nameKey string, l login) tally {
	t := m.opts.Throttle
	key := tallyKey("password", nameKey, string(l.user.ID), l.cred.Hash)
	return tally{key, t.Account, int64(t.AccountLimit)}
}

// clientTally is that of a vendor's client id, known or not.
func (m *Manager) clientTally(id string) tally {
	return tally{key: tallyKey("client", id), rate: m.opts.Throttle.Client}
}

// addressTally is that of the caller's address, for passwords or for the
// secrets that nobody guesses: a program that goes on with an old key keeps
// nobody beside it from signing in. It is nil if the address is not known.
func (m *Manager) addressTally(what string) []tally {
	if !m.from.IsValid() {
		return nil
	}
	return []tally{{key: tallyKey("address", what, m.from.String()), rate: m.opts.Throttle.Address}}
}

const (
	ofPasswords = "passwords"
	ofSecrets   = "secrets"
)

// window is how far ahead a record may reach.
func (t tally) window() time.Duration {
	if t.limit > 0 {
		return max(lockout, t.rate.span())
	}
	return t.rate.span()
}

// asOf returns what is left of a record. What a clock that went back has left in
// the future is cut down to what it would be if all had failed now, and cut says so.
func (t tally) asOf(f store.Failures, now time.Time) (left store.Failures, cut bool) {
	if !now.Before(f.ExpiresAt) {
		return store.Failures{}, false
	}
	span := time.Duration(min(f.Count, int64(t.rate.Burst))) * t.rate.Every
	if most := store.Micro(now.Add(span)); f.Until.After(most) {
		f.Until, cut = most, true
	}
	if most := store.Micro(now.Add(t.window())); f.ExpiresAt.After(most) {
		f.ExpiresAt, cut = most, true
	}
	return f, cut
}

// wait returns how long there is no room for another failure.
func (t tally) wait(f store.Failures, now time.Time) time.Duration {
	if f.Count == 0 {
		return 0
	}
	wait := f.Until.Sub(now) - (t.rate.span() - t.rate.Every)
	if t.limit > 0 && f.Count >= t.limit {
		wait = max(wait, f.ExpiresAt.Sub(now))
	}
	return max(wait, 0)
}

// plus returns the record with one more failure.
func (t tally) plus(f store.Failures, now time.Time) store.Failures {
	from := now
	if f.Until.After(now) {
		from = f.Until
	}
	f.Key = t.key
	f.Count++
	f.Until = store.Micro(from.Add(t.rate.Every))
	f.ExpiresAt = f.Until
	if end := store.Micro(now.Add(lockout)); t.limit > 0 && end.After(f.Until) {
		f.ExpiresAt = end
	}
	return f
}

// minus returns the record without one of its failures, which is to be deleted
// if its count is 0.
func (t tally) minus(f store.Failures) store.Failures {
	f.Count--
	f.Until = store.Micro(f.Until.Add(-t.rate.Every))
	return f
}

// read returns what is left of the tally's record.
func (t tally) read(ctx context.Context, r store.Reader, now time.Time) (left store.Failures, cut bool, err error) {
	f, err := r.Failures(ctx, t.key)
	if err != nil {
		return store.Failures{}, false, absent(err)
	}
	left, cut = t.asOf(f, now)
	return left, cut, nil
}

// lock makes units that count under the tally take turns.
func (t tally) lock(ctx context.Context, tx store.Tx) error {
	return tx.Lock(ctx, "failures "+hex.EncodeToString(t.key[:]))
}

// charge counts a failure under each of the tallies. If one of them has no room
// nothing is counted, and it returns how long that will be so.
func (m *Manager) charge(ctx context.Context, tallies ...tally) (wait time.Duration, err error) {
	tallies = slices.Clone(tallies)
	slices.SortFunc(tallies, func(a, b tally) int { return bytes.Compare(a.key[:], b.key[:]) }) // all lock in one order
	err = m.store.Update(ctx, m.realm, func(tx store.Tx) error {
		wait = 0
		now := m.now()
		counted := make([]store.Failures, len(tallies))
		for i, t := range tallies {
			if err := t.lock(ctx, tx); err != nil {
				return err
			}
			f, cut, err := t.read(ctx, tx, now)
			if err != nil {
				return err
			}
			w := t.wait(f, now)
			if w > 0 && cut { // or no time that passes would end it
				if err := tx.PutFailures(ctx, f); err != nil {
					return err
				}
			}
			wait, counted[i] = max(wait, w), t.plus(f, now)
		}
		if wait > 0 {
			return nil
		}
		for _, f := range counted {
			if err := tx.PutFailures(ctx, f); err != nil {
				return err
			}
		}
		return nil
	})
	return wait, err
}

// full returns how long one of the tallies has no room, without a write. Only
// charge can tell of records that it has to cut down.
func (m *Manager) full(ctx context.Context, tallies ...tally) (wait time.Duration, err error) {
	read := m.store.View
	if len(tallies) == 1 {
		read = func(ctx context.Context, realm Realm, fn func(store.Reader) error) error {
			return store.Glance(ctx, m.store, realm, fn)
		}
	}
	err = read(ctx, m.realm, func(r store.Reader) error {
		wait = 0
		now := m.now()
		for _, t := range tallies {
			f, cut, err := t.read(ctx, r, now)
			if err != nil {
				return err
			}
			if !cut {
				wait = max(wait, t.wait(f, now))
			}
		}
		return nil
	})
	return wait, err
}

// countFailure is charge, but that it writes nothing, and waits for no other
// unit, where there is no room.
func (m *Manager) countFailure(ctx context.Context, tallies ...tally) (wait time.Duration, err error) {
	if wait, err = m.full(ctx, tallies...); err == nil && wait == 0 {
		wait, err = m.charge(ctx, tallies...)
	}
	return wait, err
}

// forgive takes back one failure that was counted and was none.
func (m *Manager) forgive(ctx context.Context, t tally) error {
	return m.store.Update(ctx, m.realm, func(tx store.Tx) error { return t.forgive(ctx, tx, m.now()) })
}

// forgive is Manager.forgive in a unit that is under way.
func (t tally) forgive(ctx context.Context, tx store.Tx, now time.Time) error {
	if err := t.lock(ctx, tx); err != nil {
		return err
	}
	f, _, err := t.read(ctx, tx, now)
	if err != nil || f.Count == 0 {
		return err
	}
	if f = t.minus(f); f.Count == 0 {
		return tx.DeleteFailures(ctx, t.key)
	}
	return tx.PutFailures(ctx, f)
}

// forget deletes what was counted under the tally, in a unit that is under way.
func (t tally) forget(ctx context.Context, tx store.Tx) error {
	return absent(tx.DeleteFailures(ctx, t.key))
}

// fail refuses a secret that was found wrong: [ErrUnauthenticated], or a
// [*ThrottledError] where there were too many. It counts under the tallies, if there are any.
// A count that cannot be kept is the store's error. The attributes name whose it is.
func (m *Manager) fail(ctx context.Context, event, cause string, tallies []tally, who ...slog.Attr) error {
	who = append(who, slog.String("cause", cause))
	if len(tallies) > 0 && !m.opts.Throttle.Off {
		wait, err := m.countFailure(ctx, tallies...)
		if err != nil {
			return err
		}
		if wait > 0 {
			return m.throttled(ctx, event, wait, who...)
		}
	}
	return m.refuse(ctx, slog.LevelInfo, event+".refused", who...)
}
