package pgstore

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/usermgmt-go/usermgmt/store"
)

// Glance is a View of one record in one statement, and so in one round trip. The
// realm's generation comes along.
func (s *Store) Glance(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	if err := s.enter(ctx, realm); err != nil {
		return err
	}
	defer s.gate.Leave()
	g := &glance{store: s}
	r := &glancer{reader{conn: &conn{sender: refusal{glance: g}, naming: s.naming}, realm: string(realm), glance: g}}
	defer r.ended.Store(true)
	err := fn(r)
	if g.more {
		return store.ErrGlance
	}
	return err
}

// glance is what a Glance has to give.
type glance struct {
	store      *Store
	asked      bool // for a record
	more       bool // for more than that
	generation int64
}

// at returns the data that a query finds, nil if there is none.
func (g *glance) at(ctx context.Context, query string, args []any) (data []byte, err error) {
	if g.asked {
		g.more = true
		return nil, store.ErrGlance
	}
	g.asked = true
	if !sendable(args) {
		g.generation = -1
		return nil, nil
	}
	// One statement sees one moment.
	query = "SELECT (" + query + "), coalesce((" + generationOf + "), 0)"
	err = g.store.ask(func(c *conn) error {
		_, err := c.one(ctx, query, into(&data, &g.generation), args...)
		return err
	})
	return data, err
}

// refusal is the sender of whatever is not a look at one record.
type refusal struct {
	pgx.BatchResults // nil: conn uses the methods below alone
	glance           *glance
}

func (r refusal) SendBatch(context.Context, *pgx.Batch) pgx.BatchResults {
	r.glance.more = true
	return r
}

func (refusal) Exec() (pgconn.CommandTag, error) { return pgconn.CommandTag{}, store.ErrGlance }
func (refusal) Query() (pgx.Rows, error)         { return nil, store.ErrGlance }
func (refusal) Close() error                     { return store.ErrGlance }

// glancer is the reader of a Glance.
type glancer struct{ reader }

func (r *glancer) Generation(ctx context.Context) (uint64, error) {
	if err := r.ok(ctx); err != nil {
		return 0, err
	}
	if g := r.glance; !g.asked || g.generation < 0 {
		g.more = true
		return 0, store.ErrGlance
	}
	return uint64(r.glance.generation), nil
}
