package pgstore

import (
	"context"
	"slices"
	"strings"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

// Units are to appear to run one after another, and PostgreSQL's default
// isolation does not see to that. So a unit remembers the records that it has
// read one by one, and its commit is refused unless all of them are as they
// were, and locked until it is through (FOR SHARE). What it changes or removes
// must be as it was when the unit read it. A unit that meets another one so is
// run again, and then locks each record as it reads it.
//
// A unit that fails is held against what it read as well, since its error may
// come of two moments.
//
// That is for the records that were found. One that was not there is looked
// after by the uniqueness rules, and lists by Lock.

// table is how the records of a noun are kept.
type table[T any] struct {
	name string
	keys []string // the columns that are the primary key, but for the realm
	read func([]byte) (T, error)
	key  func(T) rowKey
}

// rowKey is a primary key but for the realm. One that is no text is in hex.
type rowKey struct{ table, a, b string }

// seenRow is a record that the unit has read or written.
type seenRow struct {
	keys []string // of its table
	data []byte   // nil if the unit has removed it
	held bool     // it cannot change: the unit has locked or written it
	// asked is how often the unit had called Lock when it read the record. A
	// record that was read before a lock may have changed until it was had.
	asked int
}

// saw notes a record that was read. One that has changed since the unit read it
// before is a conflict.
func (t *tx) saw(key rowKey, keys []string, data []byte) error {
	old, ok := t.seen[key]
	switch {
	case !ok:
	case old.held:
		return nil
	case string(old.data) != string(data):
		return t.conflict()
	}
	t.seen[key] = seenRow{keys: keys, data: data, held: t.lock != "", asked: t.asked}
	return nil
}

// known returns what the unit knows of a record without asking.
func (t *tx) known(key rowKey) []byte {
	if old := t.seen[key]; old.held || old.asked == t.asked {
		return old.data
	}
	return nil
}

// wrote notes a record that the unit has written; nil says that it is gone, and
// what hangs on it with it: whoever removes that does so after this.
func (t *tx) wrote(key rowKey, keys []string, data []byte) {
	t.seen[key] = seenRow{keys: keys, data: data, held: true}
	delete(t.missing, key)
	if data == nil {
		t.leaveAlong(key)
	}
}

// conflict makes the unit run again, whatever its function makes of the error.
func (t *tx) conflict() error {
	t.conn.broken = errConflict
	return errConflict
}

// unchanged are statements that fail unless all records that the unit rests on
// are as it has read them, and lock them.
func (t *tx) unchanged() []step {
	return t.same(func(rowKey, seenRow) bool { return true })
}

// same is unchanged for those of the records that are picked.
func (t *tx) same(pick func(rowKey, seenRow) bool) []step {
	var steps []step
	var rest []rowKey
	for key, row := range t.seen {
		if !row.held && pick(key, row) {
			rest = append(rest, key)
		}
	}
	slices.SortFunc(rest, compareKeys)
	for len(rest) > 0 {
		n := 1
		for n < len(rest) && rest[n].table == rest[0].table {
			n++
		}
		steps = append(steps, t.assertSame(rest[:n]))
		rest = rest[n:]
	}
	return steps
}

func compareKeys(x, y rowKey) int {
	for _, c := range []int{strings.Compare(x.table, y.table), strings.Compare(x.a, y.a), strings.Compare(x.b, y.b)} {
		if c != 0 {
			return c
		}
	}
	return 0
}

// assertSame is unchanged for records of one table. It does not wait for
// another unit that has such a record locked: that one is about to change it,
// and the two might wait for each other.
func (t *tx) assertSame(keys []rowKey) step {
	first := t.seen[keys[0]]
	var a, b []string
	var data [][]byte
	for _, k := range keys {
		a, b, data = append(a, k.a), append(b, k.b), append(data, t.seen[k].data)
	}
	args := []any{t.realm, len(keys), data, a}
	from := "unnest($4::text[], $3::bytea[]) AS s (a, data)"
	on := "r." + first.keys[0] + "=s.a"
	if first.keys[0] == digestColumn {
		on = "r." + digestColumn + "=decode(s.a, 'hex')"
	}
	if len(first.keys) > 1 {
		args = append(args, b)
		from = "unnest($4::text[], $5::text[], $3::bytea[]) AS s (a, b, data)"
		on += " AND r." + first.keys[1] + "=s.b"
	}
	return step{
		// Divided by zero unless the counts agree.
		sql: "SELECT 1/(count(*)=$2)::int FROM (SELECT 1 FROM " + from + " JOIN " + keys[0].table + " r ON r.realm=$1 AND " + on +
			" AND r.data=s.data FOR SHARE OF r NOWAIT) same",
		args: args,
	}
}

// find returns the record that a condition picks, $1 being the realm. A unit
// that writes rests on it from now on.
func find[T any](ctx context.Context, r *reader, of table[T], condition string, args ...any) (v T, err error) {
	if err := r.ok(ctx); err != nil {
		return v, err
	}
	var data []byte
	query, args := "SELECT data FROM "+of.name+" WHERE realm=$1 AND "+condition+r.lock, append([]any{r.realm}, args...)
	if r.glance != nil {
		data, err = r.glance.one(ctx, query, args)
	} else {
		_, err = r.conn.one(ctx, query, into(&data), args...)
	}
	if err != nil {
		return v, err
	}
	if data == nil {
		return v, store.ErrNotFound
	}
	if v, err = of.read(data); err != nil || r.tx == nil {
		return v, err
	}
	return v, r.tx.saw(of.key(v), of.keys, data)
}

// findKey is find by the primary key. What the unit knows is not read again.
func findKey[T any](ctx context.Context, r *reader, of table[T], key rowKey, condition string, args ...any) (T, error) {
	if r.tx != nil {
		if data := r.tx.known(key); data != nil {
			if err := r.ok(ctx); err != nil {
				var none T
				return none, err
			}
			return of.read(data)
		}
	}
	return find(ctx, r, of, condition, args...)
}

// batch returns the records whose column is one of some texts, in their order,
// and which a condition picks, $1 being the realm and $2 the texts. A unit that
// writes rests on each.
func batch[T any, S ~string](ctx context.Context, r *reader, of table[T], column string, in []S, condition string, args ...any) ([]T, error) {
	if err := r.ok(ctx); err != nil {
		return nil, err
	}
	want, err := record.Batch(in)
	if err != nil || len(want) == 0 {
		return nil, err
	}
	var vs []T
	err = r.each(ctx, func(data []byte) error {
		v, err := of.read(data)
		if err != nil {
			return err
		}
		vs = append(vs, v)
		if r.tx == nil {
			return nil
		}
		return r.tx.saw(of.key(v), of.keys, data)
	}, "SELECT data FROM "+of.name+" WHERE realm=$1 AND "+column+"=ANY($2::text[])"+condition+" ORDER BY "+column+r.lock,
		append([]any{r.realm, want}, args...)...)
	if err != nil {
		return nil, err
	}
	return vs, nil
}
