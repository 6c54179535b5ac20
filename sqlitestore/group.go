package sqlitestore

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// group is one transaction and the units that wait for its commit.
//
// A unit has no savepoint of its own: one in SQLite costs as much as a small
// insert. A unit that fails before it has changed anything, as most that fail
// do, is just left out; its refusal waits for the commit, since it may rest on
// what others have changed. One that fails later costs the transaction, and the
// other members are run again from their start. Should that be done on purpose,
// it gains little: they and the units after them are run with savepoints for a
// while. So no unit runs more than twice.
type group struct {
	pending
	members []*unit
	careful bool // units get savepoints
}

// carefulFor is how many units after those that had to run again begin careful groups.
const carefulFor = 64

// unitConn is the connection as a unit has it.
type unitConn struct {
	*conn
	changed bool // the unit may have changed something
}

func (c *unitConn) exec(query string, args ...driver.Value) (int64, error) {
	n, err := c.conn.exec(query, args...)
	if n > 0 || err != nil && !isConstraint(err) {
		c.changed = true
	}
	return n, err
}

// do runs a unit in the open transaction and makes it a member. An error means
// that nothing of the unit is left; so does a panic, or fn ending its goroutine.
func (w *writer) do(u *unit) error {
	if err := u.ctx.Err(); err != nil {
		return err
	}
	if w.group == nil {
		if err := w.begin(u.ctx, u.came); err != nil {
			return err
		}
	}
	g := w.group
	mark := g.mark()
	// The first unit of a transaction is its own savepoint.
	nested := g.careful && len(g.members) > 0
	w.careful = max(w.careful-1, 0)
	if nested {
		if _, err := w.conn.exec("SAVEPOINT unit"); err != nil {
			w.lose(g)
			return err
		}
	}
	c := &unitConn{conn: w.conn}
	t := &tx{reader: reader{db: c, realm: string(u.realm), pending: &g.pending}}
	kept := false
	defer func() {
		t.ended.Store(true)
		if !kept {
			w.undo(g, nested, c.changed, mark)
		}
	}()
	if err := u.fn(t); err != nil {
		return err
	}
	t.ended.Store(true)
	if w.conn.broken != nil {
		return w.conn.broken
	}
	if g.torn != nil {
		return g.torn
	}
	// From here on the unit's commit has begun.
	if err := u.ctx.Err(); err != nil {
		return err
	}
	if err := t.finish(); err != nil {
		return err
	}
	if nested {
		if _, err := w.conn.exec("RELEASE unit"); err != nil {
			return err
		}
	}
	kept = true
	g.members = append(g.members, u)
	return nil
}

// undo takes back one unit.
func (w *writer) undo(g *group, nested, changed bool, mark mark) {
	changed = changed || g.torn != nil || len(g.changes) != mark.changes
	switch {
	case w.conn.broken != nil:
		w.lose(g)
	case nested:
		if changed {
			w.careful = max(w.careful, carefulFor)
		}
		_, err := w.conn.exec("ROLLBACK TO unit")
		if err == nil {
			_, err = w.conn.exec("RELEASE unit")
		}
		if err != nil {
			w.lose(g)
			return
		}
		g.reset(mark)
	case changed:
		members := g.members
		g.members = nil
		if err := w.rollback(g, nil); err != nil {
			end(members, err)
			return
		}
		if len(members) > 0 {
			w.careful = len(members) + carefulFor
			w.mu.Lock()
			w.queue = append(members, w.queue...)
			w.mu.Unlock()
		}
	}
}

// begin opens a transaction for a unit that came at a moment. Other processes
// may hold the file: all who queue meanwhile wait for them together, and each
// tries at least for a moment of its own.
func (w *writer) begin(ctx context.Context, came time.Time) error {
	if err := w.home.check(); err != nil {
		return err
	}
	until := time.Now().Add(max(w.patience-time.Since(came), min(w.patience, 20*time.Millisecond)))
	w.conn.broken = nil
	for {
		_, err := w.conn.exec("BEGIN IMMEDIATE") // waits for a turn, no longer
		w.conn.broken = nil                      // by an error that has ended nothing
		switch {
		case err == nil:
			w.begun++
			w.group = &group{pending: pending{db: w.conn, limits: w.ranks}, careful: w.careful > 0}
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case code(err) != sqlite3.SQLITE_BUSY || time.Now().After(until):
			return err
		}
	}
}

func (w *writer) commit(g *group) {
	err := g.flush()
	if err == nil {
		if _, err = w.conn.exec("COMMIT"); err == nil {
			w.group = nil
			end(g.members, nil)
			return
		}
		err = commitError(err)
	}
	_ = w.rollback(g, err)
}

// lose is for a transaction that SQLite has ended, or that cannot go back to a
// savepoint: the whole group is lost and its members learn it.
func (w *writer) lose(g *group) {
	err := w.conn.broken
	if err == nil {
		err = fmt.Errorf("sqlitestore: the group's transaction was lost")
	}
	_ = w.rollback(g, err)
}

// rollback ends the transaction, if SQLite has not done so itself, and with an
// error its members too. It returns that error, or its own.
func (w *writer) rollback(g *group, err error) error {
	w.conn.broken = nil
	if _, e := w.conn.exec("ROLLBACK"); e != nil && code(e) != sqlite3.SQLITE_ERROR && err == nil {
		err = e
	}
	w.conn.broken = nil
	w.group = nil
	end(g.members, err)
	return err
}

func end(members []*unit, err error) {
	for _, u := range members {
		u.end(err)
	}
}
