package sqlitestore

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"math/bits"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

// reader is a store.Reader of one realm on one connection.
type reader struct {
	db    db
	realm string
	ended atomic.Bool
	// pending holds what the open transaction has still to write; nil in a View.
	pending *pending
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
	// rights is set once the unit has changed what rights are made of, and
	// bumped once the realm's generation counts it.
	rights, bumped bool
}

var _ store.Tx = (*tx)(nil)

// may says whether a write of the record may go on.
func (t *tx) may(ctx context.Context, record interface{ Check() error }) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	return record.Check()
}

// Lock has nothing to do: units run strictly one after another, in all processes.
func (t *tx) Lock(ctx context.Context, name string) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	if len(name) < 1 || len(name) > 200 {
		return invalid("name", "must have 1 to 200 bytes")
	}
	return nil
}

// finish writes what the unit has left for its end.
func (t *tx) finish() error {
	if t.rights && !t.bumped {
		t.bumped = true
		return t.bump()
	}
	return nil
}

// get returns the record in the only column of the only row of a query.
func get[T any](ctx context.Context, r *reader, read func([]byte) (T, error), query string, args ...driver.Value) (v T, err error) {
	if err := r.ok(ctx); err != nil {
		return v, err
	}
	row, err := r.db.first(query, args...)
	if err != nil {
		return v, err
	}
	if row == nil {
		return v, store.ErrNotFound
	}
	return read(blob(row[0]))
}

// page returns the records of a query, nil if there are none or if limit, which
// is the query's last argument, is not positive.
func page[T any](ctx context.Context, r *reader, read func([]byte) (T, error), limit int, query string, args ...driver.Value) ([]T, error) {
	if limit <= 0 {
		return nil, r.ok(ctx)
	}
	return all(ctx, r, read, query, append(args, int64(limit))...)
}

// all returns the records of a query, nil if there are none.
func all[T any](ctx context.Context, r *reader, read func([]byte) (T, error), query string, args ...driver.Value) ([]T, error) {
	if err := r.ok(ctx); err != nil {
		return nil, err
	}
	var vs []T
	err := r.db.each(func(row []driver.Value) error {
		v, err := read(blob(row[0]))
		if err != nil {
			return err
		}
		if vs = append(vs, v); len(vs)%64 == 0 {
			return ctx.Err()
		}
		return nil
	}, query, args...)
	if err != nil {
		return nil, err
	}
	return vs, nil
}

// allByID returns the records of a query whose arguments are the realm and ids for json_each.
func allByID[T any, ID ~string](ctx context.Context, r *reader, read func([]byte) (T, error), query string, ids []ID) ([]T, error) {
	if err := r.ok(ctx); err != nil {
		return nil, err
	}
	want, err := idList(ids)
	if err != nil {
		return nil, err
	}
	return all(ctx, r, read, query, r.realm, want)
}

// texts returns the only, textual column of a query.
func (r *reader) texts(query string, args ...driver.Value) ([]string, error) {
	var vs []string
	err := r.db.each(func(row []driver.Value) error {
		vs = append(vs, text(row[0]))
		return nil
	}, query, args...)
	return vs, err
}

// count returns the only number of a query's only row.
func (r *reader) count(query string, args ...driver.Value) (int64, error) {
	row, err := r.db.first(query, args...)
	if err != nil || row == nil {
		return 0, err
	}
	return number(row[0]), nil
}

func (r *reader) exists(query string, args ...driver.Value) (bool, error) {
	row, err := r.db.first(query, args...)
	return row != nil, err
}

// refer is for the objects that a record names: ErrNotFound if the query finds none.
func (r *reader) refer(query string, args ...driver.Value) error {
	found, err := r.exists(query, args...)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return err
}

// rule is a uniqueness rule: the query finds another record that has the same.
type rule struct {
	field string
	query string
	args  []driver.Value
}

// write runs a statement that uniqueness rules may refuse. Which one did is
// asked only then, in the order of the rules.
func (t *tx) write(rules []rule, query string, args ...driver.Value) error {
	_, err := t.db.exec(query, args...)
	if !isConstraint(err) {
		return err
	}
	for _, r := range rules {
		found, err := t.exists(r.query, r.args...)
		if err != nil {
			return err
		}
		if found {
			return &store.ExistsError{Field: r.field}
		}
	}
	return translate(err)
}

// remove runs a statement that removes one record: ErrNotFound if there is none.
func (t *tx) remove(query string, args ...driver.Value) error {
	n, err := t.db.exec(query, args...)
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	return err
}

// run runs statements that all take the same arguments.
func (t *tx) run(args []driver.Value, queries ...string) error {
	for _, q := range queries {
		if _, err := t.db.exec(q, args...); err != nil {
			return err
		}
	}
	return nil
}

// union is n queries of the form of part as one, without repeats. Where each of
// them comes out of an index in the order that is asked for, SQLite merges
// them row by row and reads no more of any than that takes. A bare question mark
// of part, which must follow all that have numbers, is another argument each time.
func union(part string, n int) string {
	return strings.Repeat(part+" UNION ", n-1) + part
}

// padded adds zero values up to a power of two, so that lists of any length are
// asked for by a few statements. In a union they must pick nothing.
func padded[T any](vs []T) []T {
	n := 1 << bits.Len(uint(len(vs)-1))
	return append(slices.Clip(vs), make([]T, n-len(vs))...)
}

// idList gives ids as a JSON array for json_each.
func idList[T ~string](ids []T) (string, error) {
	vs, err := record.Batch(ids)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(vs)
	return string(b), err
}
