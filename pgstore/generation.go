package pgstore

import (
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

const generationOf = "SELECT generation FROM {realm} WHERE realm=$1"

// Generation returns the realm's generation as committed now, by whatever
// process: one small query, one round trip.
func (s *Store) Generation(ctx context.Context, realm store.Realm) (uint64, error) {
	if !s.gate.Enter() {
		return 0, store.ErrClosed
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := realm.Check(); err != nil {
		return 0, err
	}
	var n uint64
	err := s.ask(func(c *conn) (err error) {
		n, err = (&reader{conn: c, realm: string(realm)}).Generation(ctx)
		return err
	})
	return n, err
}

func (r *reader) Generation(ctx context.Context) (uint64, error) {
	if err := r.ok(ctx); err != nil {
		return 0, err
	}
	n, err := r.count(ctx, generationOf, r.realm)
	return uint64(n), err
}

// viewer is a reader in a View. The realm's generation comes along with the
// first thing that it reads: whoever reads under somebody's authority wants it.
type viewer struct {
	reader
	generation int64
}

func newViewer(c *conn, realm store.Realm) *viewer {
	v := &viewer{reader: reader{conn: c, realm: string(realm)}}
	c.later = []step{{sql: generationOf, args: []any{v.realm}, row: into(&v.generation)}}
	return v
}

func (v *viewer) Generation(ctx context.Context) (uint64, error) {
	if err := v.ok(ctx); err != nil {
		return 0, err
	}
	err := v.conn.run(ctx) // which is nothing if anything has been read
	return uint64(v.generation), err
}

// Generation counts the unit's own changes.
func (t *tx) Generation(ctx context.Context) (uint64, error) {
	if err := t.ok(ctx); err != nil {
		return 0, err
	}
	t.conn.later = append(t.conn.later, t.flushRights()...)
	n, err := t.reader.Generation(ctx)
	if err != nil {
		return 0, err
	}
	if t.generation != nil && n != t.next() {
		return 0, t.conflict()
	}
	if !t.bumped {
		t.generation = &n
	}
	return n, nil
}

// next is what the generation is, if nobody but the unit has changed it since the
// unit asked.
func (t *tx) next() uint64 {
	if t.bumped {
		return *t.generation + 1
	}
	return *t.generation
}

// sameGeneration fails unless the generation is next. It takes no lock, so it is
// the last thing that a unit asks: whoever has committed a change of rights
// before the unit had its turn at the events is seen by it.
func (t *tx) sameGeneration() []step {
	if t.generation == nil {
		return nil
	}
	return []step{{
		sql:  "SELECT 1/(coalesce(max(generation), 0)=$2)::int FROM {realm} WHERE realm=$1",
		args: []any{t.realm, int64(t.next())},
	}}
}

// flushRights gives the realm its next generation if the unit has changed what
// rights are made of. The row is locked until the unit's end: units that take
// rights away commit one after another.
func (t *tx) flushRights() []step {
	if !t.rights || t.bumped {
		return nil
	}
	t.bumped = true
	return []step{{
		sql: "INSERT INTO {realm} AS r (realm, generation) VALUES ($1, 1)" +
			" ON CONFLICT (realm) DO UPDATE SET generation=r.generation+1",
		args: []any{t.realm},
	}}
}
