package pgstore

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

// reader is a store.Reader of one realm in one transaction.
type reader struct {
	conn  *conn
	realm string
	lock  string // the clause by which single records are locked when they are read
	ended atomic.Bool
	tx    *tx // of which this is the reader; nil in a View
	// glance is set in a Glance, and reads for it.
	glance *glance
	// changes is how many user_change rows the last question about all users met.
	changes int64
}

var _ store.Reader = (*reader)(nil)

func (r *reader) ok(ctx context.Context) error {
	if r.ended.Load() {
		return store.ErrDone
	}
	return ctx.Err()
}

// tx is a store.Tx: a reader in a transaction that may write.
type tx struct {
	reader
	seen map[rowKey]seenRow
	// missing are the counts of failures that the unit has looked for in vain.
	missing map[rowKey]bool
	asked   int // calls of Lock
	// rights is set once the unit has changed what rights are made of, and
	// bumped once the realm's generation counts it.
	rights, bumped bool
	generation     *uint64         // as the unit was told, nil if it has not asked
	unit           context.Context // of the unit, for what no call of it waits for
	changed        bool            // the unit has written something
	written        int             // calls of create and replace
	refused        bool            // one of create has failed
	rows           bulk            // what is to be created
	events         [][]byte        // to append
	came, went     []string        // users that user_change does not know of
	total, folded  int             // of came and went in the whole unit, and when it last folded
}

var _ store.Tx = (*tx)(nil)

func newTx(c *conn, realm store.Realm, lock string) *tx {
	t := &tx{reader: reader{conn: c, realm: string(realm), lock: lock}, seen: make(map[rowKey]seenRow), missing: map[rowKey]bool{}}
	t.tx = t
	return t
}

// may says whether a write of the record may go on.
func (t *tx) may(ctx context.Context, record interface{ Check() error }) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	return record.Check()
}

// Lock waits, for as long as ctx lets it, until no other running unit of the
// realm holds the name, in whatever process.
func (t *tx) Lock(ctx context.Context, name string) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	if len(name) < 1 || len(name) > 200 {
		return invalid("name", "must have 1 to 200 bytes")
	}
	t.asked++
	return t.conn.run(ctx, step{sql: "SELECT pg_advisory_xact_lock($1)", args: []any{t.conn.naming.lock("unit", t.realm, name)}})
}

// finish returns the statements by which the unit ends, the most contended last.
// They fail unless what the unit rests on is as it was. That includes the
// generation: rights that have been taken away since the unit asked for it may be
// those by which it acts, and it may have read since what went with them.
func (t *tx) finish() []step {
	if !t.changed {
		return t.still()
	}
	steps := append(t.unchanged(), t.flushUsers()...)
	steps = append(steps, t.flushRights()...)
	steps = append(steps, t.flushEvents()...)
	return append(steps, t.sameGeneration()...)
}

// still is finish for a unit that writes nothing, or that has failed: what it
// found, and found missing, is to be of one moment.
func (t *tx) still() []step { return append(t.unchanged(), t.sameGeneration()...) }

// list returns the records of a query whose last argument is the limit, nil if
// there are none or if limit is not positive.
func list[T any](ctx context.Context, r *reader, read func([]byte) (T, error), limit int, query string, args ...any) ([]T, error) {
	if limit <= 0 {
		return nil, r.ok(ctx)
	}
	return collect(ctx, r, read, min(limit, roomFor), limited(query, len(args)+1, limit), append(args, int64(limit))...)
}

// roomFor is how many records a list has room for from the start.
const roomFor = 64

// limited tells the planner how much a query is for, whose limit is its n-th
// argument: the next power of two. Of an argument alone it cannot tell a page
// from a whole table, and plans each page anew, which takes longer than to read it.
func limited(query string, n, limit int) string {
	const most = 1 << 14 // beyond, a plan is not what costs
	if limit > most {
		return query
	}
	arg := "LIMIT $" + strconv.Itoa(n)
	bound := "LIMIT " + strconv.Itoa(1<<bits.Len(uint(limit-1)))
	return "SELECT data FROM (" + strings.ReplaceAll(query, arg, bound) + ") page (data) " + arg
}

// all returns the records of a query, nil if there are none.
func all[T any](ctx context.Context, r *reader, read func([]byte) (T, error), query string, args ...any) ([]T, error) {
	return collect(ctx, r, read, 0, query, args...)
}

// collect is all with some room for records.
func collect[T any](ctx context.Context, r *reader, read func([]byte) (T, error), room int, query string, args ...any) ([]T, error) {
	if err := r.ok(ctx); err != nil {
		return nil, err
	}
	vs := make([]T, 0, room)
	err := r.each(ctx, func(data []byte) error {
		v, err := read(data)
		vs = append(vs, v)
		return err
	}, query, args...)
	if err != nil || len(vs) == 0 {
		return nil, err
	}
	return vs, nil
}

// each calls row for the data of each row of a query, which has that column
// alone. row must not use the conn.
func (r *reader) each(ctx context.Context, row func(data []byte) error, query string, args ...any) error {
	if r.glance != nil {
		return r.glance.each(ctx, row, query, args)
	}
	return r.conn.each(ctx, func(rows pgx.Rows) error {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return err
		}
		return row(data)
	}, query, args...)
}

// byID returns the records of the ids.
func byID[T any, ID ~string](ctx context.Context, r *reader, of table[T], ids []ID) ([]T, error) {
	return batch(ctx, r, of, "id", ids, "")
}

// count returns the only number of a query's only row.
func (r *reader) count(ctx context.Context, query string, args ...any) (n int64, err error) {
	_, err = r.conn.one(ctx, query, into(&n), args...)
	return n, err
}

// after is a text that stands where s does among those that PostgreSQL takes.
func after[T ~string](s T) string {
	if record.IsText(string(s)) {
		return string(s)
	}
	valid := strings.ToValidUTF8(string(s), "\U0010ffff")
	valid, _, _ = strings.Cut(valid, "\x00")
	return valid
}

// rule is a uniqueness rule: the query finds another record that has the same.
type rule struct {
	field string
	query string
	args  []any
}

// broken returns the error for the first of the rules that does not hold, or nil.
func (t *tx) brokenRule(ctx context.Context, rules []rule) error {
	found := make([]bool, len(rules))
	steps := make([]step, len(rules))
	for i, r := range rules {
		steps[i] = step{sql: "SELECT EXISTS (" + r.query + ")", args: r.args, row: into(&found[i])}
	}
	if err := t.conn.run(ctx, steps...); err != nil {
		return err
	}
	for i, r := range rules {
		if found[i] {
			return &store.ExistsError{Field: r.field}
		}
	}
	return nil
}

// parent is a record that another one names: the query finds and locks it, so
// that it is not removed before the unit's end.
type parent struct {
	query string
	args  []any
}

// locked is the clause of a parent's query. It lets the parent be updated, and
// others be created that name it.
const locked = " FOR KEY SHARE"

// create runs an INSERT … ON CONFLICT DO NOTHING that has no effect without the
// parents. Which rule refused it is asked only then, in their order. The first
// rule is that of the primary key. See bulk for what else the query must be like.
func (t *tx) create(ctx context.Context, parents []parent, rules []rule, query string, args ...any) error {
	if t.written++; t.inBulk() {
		return t.leaveRow(parents, rules, query, args)
	}
	var n int64
	if err := t.refer(ctx, parents, step{sql: query, args: args, changed: &n}); err != nil {
		t.refused = true
		return err
	}
	if n > 0 {
		t.changed = true
		return nil
	}
	t.refused = true
	if err := t.brokenRule(ctx, rules); err != nil {
		return err
	}
	return t.conflict() // with one that has gone meanwhile
}

// replace runs an UPDATE of a record that the unit has read, with the condition
// that it is as it was. The rules are those whose keys change.
func replace[T any](ctx context.Context, t *tx, of table[T], v T, data []byte, rules []rule, query string, args ...any) error {
	if t.written++; t.inBulk() {
		t.wrote(of.key(v), of.keys, data)
		return t.leaveChange(query, args)
	}
	if len(rules) > 0 {
		if err := t.brokenRule(ctx, rules); err != nil {
			return err
		}
	}
	n, err := t.conn.exec(ctx, query, args...)
	if err != nil {
		return err
	}
	if n == 0 {
		return t.conflict()
	}
	t.changed = true
	t.wrote(of.key(v), of.keys, data)
	return nil
}

// remove runs a DELETE of one record: ErrNotFound if there is none. One that the
// unit has read must be as it was.
func (t *tx) remove(ctx context.Context, key rowKey, keys []string, query string, args ...any) error {
	old := t.seen[key]
	rests := old.data != nil && !old.held
	if rests {
		args = append(args, old.data)
		query += fmt.Sprintf(" AND data=$%d", len(args))
	}
	if !sendable(args) {
		return store.ErrNotFound
	}
	n, err := t.conn.exec(ctx, query, args...)
	switch {
	case err != nil:
		return err
	case n > 0:
		t.changed = true
		t.wrote(key, keys, nil)
		return nil
	case rests:
		return t.conflict()
	}
	return store.ErrNotFound
}

// leaveAll leaves statements that all take the same arguments for later: they
// remove what hangs on a record that the unit has removed.
func (t *tx) leaveAll(args []any, queries ...string) {
	for _, q := range queries {
		t.conn.leave(q, args...)
	}
}

// digestColumn is the primary key of tokens.
const digestColumn = "digest"

func hexDigest(d store.Digest) string { return hex.EncodeToString(d[:]) }

func userParent(t *tx, id store.UserID) parent {
	return parent{"SELECT 1 FROM {user} WHERE realm=$1 AND id=$2", []any{t.realm, string(id)}}
}

// refer finds and locks what a record names, and runs more in the same round
// trip: ErrNotFound if any is not there.
func (t *tx) refer(ctx context.Context, parents []parent, more ...step) error {
	found := 0
	steps := make([]step, 0, len(parents)+len(more))
	for _, p := range parents {
		steps = append(steps, step{sql: p.query + locked, args: p.args, row: func(pgx.Rows) error { found++; return nil }})
	}
	if err := t.conn.run(ctx, append(steps, more...)...); err != nil {
		return err
	}
	if found < len(parents) {
		return store.ErrNotFound
	}
	return nil
}
