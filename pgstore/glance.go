package pgstore

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/usermgmt-go/usermgmt/store"
)

// Glance is a View that reads one record, or one list, in one statement, and so
// in one round trip. The realm's generation comes along.
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
	asked      bool // for something
	more       bool // for more than that
	generation int64
}

// one returns the data that a query finds, nil if there is none.
func (g *glance) one(ctx context.Context, query string, args []any) (data []byte, err error) {
	if err := g.ask(args); err != nil || g.generation < 0 {
		return nil, err
	}
	query = "SELECT (" + query + "), coalesce((" + generationOf + "), 0)"
	err = g.store.ask(func(c *conn) error {
		_, err := c.one(ctx, query, into(&data, &g.generation), args...)
		return err
	})
	return data, err
}

// each calls row for the data of each row of a query.
func (g *glance) each(ctx context.Context, row func(data []byte) error, query string, args []any) error {
	if err := g.ask(args); err != nil || g.generation < 0 {
		return err
	}
	query = "SELECT q.data, g.n FROM (SELECT coalesce((" + generationOf + "), 0) AS n) g LEFT JOIN (" + query + ") q (data) ON true"
	return g.store.ask(func(c *conn) error {
		given := false
		err := c.each(ctx, func(r pgx.Rows) error {
			var data []byte
			if err := r.Scan(&data, &g.generation); err != nil || data == nil {
				return err
			}
			given = true
			return row(data)
		}, query, args...)
		if given && errors.Is(err, errLost) {
			return errConflict // which is not asked again
		}
		return err
	})
}

// ask sees to it that one thing is asked for alone: one statement sees one
// moment. What PostgreSQL would not take has no answer, and no generation.
func (g *glance) ask(args []any) error {
	if g.asked {
		g.more = true
		return store.ErrGlance
	}
	g.asked = true
	if !sendable(args) {
		g.generation = -1
	}
	return nil
}

// refusal is the sender of whatever takes more than that.
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
