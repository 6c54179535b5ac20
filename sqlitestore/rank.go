package sqlitestore

import (
	"cmp"
	"context"
	"database/sql/driver"
	"slices"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

// The table user_rank counts users by ranges of their ids, so that the n-th
// one is found and all are counted without meeting them. Level 0 has ranges
// of up to 256 users, level 1 ranges of up to 16,384, made of whole ranges of
// level 0. A range goes from its lo up to the next lo; the first lo is empty.
// A million users are some hundred ranges of level 1 over some hundred of
// level 0 each.
func rankLimits() [2]int64 { return [2]int64{256, 16_384} }

// rankChange is a user that came (1) or went (-1).
type rankChange struct {
	realm, id string
	n         int64
}

// pending is what an open transaction knows and has still to write. Ranges are
// brought up to date for many units at once, since they often share them.
type pending struct {
	db      db
	limits  [2]int64 // of users in a range, by level
	changes []rankChange
	written int              // changes that the tables have already
	torn    error            // of a flush that has written a part
	events  map[string]int64 // last number of an event given out, by realm
}

// mark is a moment to go back to.
type mark struct{ changes, written int }

func (p *pending) mark() mark { return mark{len(p.changes), p.written} }

// reset goes back to a moment together with a rollback of the tables to it.
// The numbers of events may go on: gaps are allowed.
func (p *pending) reset(m mark) {
	p.changes, p.written, p.torn = p.changes[:m.changes], m.written, nil
}

func (p *pending) note(realm, id string, n int64) {
	p.changes = append(p.changes, rankChange{realm, id, n})
}

// flush brings user_rank up to date with the table of users.
func (p *pending) flush() error {
	if p.torn != nil {
		return p.torn
	}
	todo := slices.Clone(p.changes[p.written:])
	if len(todo) == 0 {
		return nil
	}
	p.written = len(p.changes)
	slices.SortFunc(todo, func(a, b rankChange) int {
		return cmp.Or(cmp.Compare(a.realm, b.realm), cmp.Compare(a.id, b.id))
	})
	for len(todo) > 0 {
		rest, err := p.flushRange(todo)
		if err != nil {
			p.torn = err
			return err
		}
		todo = rest
	}
	return nil
}

// span is one range; hi is the next one's lo, "" for the last.
type span struct {
	level  int64
	lo, hi string
	n      int64
}

// last is the upper bound of a span for queries: no text is greater than this byte.
func (s span) last() string {
	if s.hi == "" {
		return "\xff"
	}
	return s.hi
}

// span returns the range that an id is in, making the first one of a realm.
func (p *pending) span(realm string, level int64, id string) (span, error) {
	row, err := p.db.first("SELECT lo, n FROM {user_rank} WHERE realm=? AND level=? AND lo<=? ORDER BY lo DESC LIMIT 1", realm, level, id)
	if err != nil {
		return span{}, err
	}
	s := span{level: level}
	if row == nil {
		_, err := p.db.exec("INSERT INTO {user_rank} (realm, level, lo, n) VALUES (?, ?, '', 0)", realm, level)
		return s, err
	}
	s.lo, s.n = text(row[0]), number(row[1])
	row, err = p.db.first("SELECT lo FROM {user_rank} WHERE realm=? AND level=? AND lo>? ORDER BY lo LIMIT 1", realm, level, s.lo)
	if err == nil && row != nil {
		s.hi = text(row[0])
	}
	return s, err
}

// flushRange applies the changes that fall into the first one's range, and
// returns the others.
func (p *pending) flushRange(todo []rankChange) ([]rankChange, error) {
	realm := todo[0].realm
	low, err := p.span(realm, 0, todo[0].id)
	if err != nil {
		return nil, err
	}
	high, err := p.span(realm, 1, low.lo)
	if err != nil {
		return nil, err
	}
	var n int64
	i := 0
	for ; i < len(todo) && todo[i].realm == realm && (low.hi == "" || todo[i].id < low.hi); i++ {
		n += todo[i].n
	}
	if n == 0 {
		return todo[i:], nil
	}
	low.n += n
	high.n += n
	if err := p.put(realm, low); err != nil {
		return nil, err
	}
	if err := p.put(realm, high); err != nil {
		return nil, err
	}
	if n > 0 {
		err = p.splitUsers(realm, low)
		if err == nil {
			err = p.splitRanges(realm, high)
		}
	} else {
		err = p.join(realm, low, high.lo, high.hi)
		if err == nil {
			err = p.join(realm, high, "", "")
		}
	}
	return todo[i:], err
}

func (p *pending) put(realm string, s span) error {
	_, err := p.db.exec("INSERT INTO {user_rank} (realm, level, lo, n) VALUES (?, ?, ?, ?)"+
		" ON CONFLICT DO UPDATE SET n=excluded.n", realm, s.level, s.lo, s.n)
	return err
}

// piece is the size that a range is cut to: half, but the last one whole,
// since ids that grow with time are added at its end.
func piece(s span, limit int64) int64 {
	if s.hi == "" {
		return limit
	}
	return limit / 2
}

func (p *pending) splitUsers(realm string, s span) error {
	size := piece(s, p.limits[0])
	for s.n > p.limits[0] {
		row, err := p.db.first("SELECT id FROM {user} WHERE realm=? AND id>=? ORDER BY id LIMIT 1 OFFSET ?", realm, s.lo, size)
		if err != nil {
			return err
		}
		if row == nil {
			return record.ErrDamaged
		}
		right := span{lo: text(row[0]), hi: s.hi, n: s.n - size}
		s.n = size
		if err := p.put(realm, s); err != nil {
			return err
		}
		if err := p.put(realm, right); err != nil {
			return err
		}
		s = right
	}
	return nil
}

func (p *pending) splitRanges(realm string, s span) error {
	if s.n <= p.limits[1] {
		return nil
	}
	size := piece(s, p.limits[1])
	parts := []span{{level: 1, lo: s.lo}}
	err := p.db.each(func(row []driver.Value) error {
		part, n := &parts[len(parts)-1], number(row[1])
		if part.n > 0 && part.n+n > size {
			parts = append(parts, span{level: 1, lo: text(row[0])})
			part = &parts[len(parts)-1]
		}
		part.n += n
		return nil
	}, "SELECT lo, n FROM {user_rank} WHERE realm=? AND level=0 AND lo>=? AND lo<? ORDER BY lo", realm, s.lo, s.last())
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err := p.put(realm, part); err != nil {
			return err
		}
	}
	return nil
}

// join makes one of a range that has become small and a neighbour that is not
// large, if the neighbour is within first and last too.
func (p *pending) join(realm string, s span, first, last string) error {
	limit := p.limits[s.level]
	if s.n >= limit/4 {
		return nil
	}
	if s.hi != last {
		row, err := p.db.first("SELECT n FROM {user_rank} WHERE realm=? AND level=? AND lo=?", realm, s.level, s.hi)
		if err != nil {
			return err
		}
		if row != nil && s.n+number(row[0]) <= limit/2 {
			s.n += number(row[0])
			if err := p.merge(realm, s, s.hi); err != nil {
				return err
			}
		}
	}
	if s.lo != first {
		row, err := p.db.first("SELECT lo, n FROM {user_rank} WHERE realm=? AND level=? AND lo<? ORDER BY lo DESC LIMIT 1", realm, s.level, s.lo)
		if err != nil {
			return err
		}
		if row != nil && s.n+number(row[1]) <= limit/2 {
			return p.merge(realm, span{level: s.level, lo: text(row[0]), n: s.n + number(row[1])}, s.lo)
		}
	}
	return nil
}

// merge stores the range that takes in the one from lo on.
func (p *pending) merge(realm string, s span, lo string) error {
	if _, err := p.db.exec("DELETE FROM {user_rank} WHERE realm=? AND level=? AND lo=?", realm, s.level, lo); err != nil {
		return err
	}
	return p.put(realm, s)
}

// flush lets a read inside a transaction see what the transaction has done.
func (r *reader) flush() error {
	if r.pending == nil {
		return nil
	}
	return r.pending.flush()
}

func (r *reader) UserAt(ctx context.Context, n int64) (store.UserID, error) {
	if err := r.ok(ctx); err != nil {
		return "", err
	}
	if n < 0 {
		return "", invalid("n", "must not be negative")
	}
	if err := r.flush(); err != nil {
		return "", err
	}
	lo, n, err := r.descend("SELECT lo, n FROM {user_rank} WHERE realm=? AND level=1 AND lo>=? ORDER BY lo", "", n)
	if err != nil {
		return "", err
	}
	lo, n, err = r.descend("SELECT lo, n FROM {user_rank} WHERE realm=? AND level=0 AND lo>=? ORDER BY lo", lo, n)
	if err != nil {
		return "", err
	}
	row, err := r.db.first("SELECT id FROM {user} WHERE realm=? AND id>=? ORDER BY id LIMIT 1 OFFSET ?", r.realm, lo, n)
	if err != nil {
		return "", err
	}
	if row == nil {
		return "", record.ErrDamaged
	}
	return store.UserID(text(row[0])), nil
}

// descend returns the range that holds the n-th user from lo on, and how many
// users of that range stand before him.
func (r *reader) descend(query, lo string, n int64) (string, int64, error) {
	found := false
	err := r.db.each(func(row []driver.Value) error {
		k := number(row[1])
		if n < k {
			lo, found = text(row[0]), true
			return errStop
		}
		n -= k
		return nil
	}, query, r.realm, lo)
	if err != nil && err != errStop {
		return "", 0, err
	}
	if !found {
		return "", 0, store.ErrNotFound
	}
	return lo, n, nil
}

// countAll counts the realm's users.
func (r *reader) countAll() (int64, error) {
	if err := r.flush(); err != nil {
		return 0, err
	}
	return r.count("SELECT sum(n) FROM {user_rank} WHERE realm=? AND level=1", r.realm)
}
