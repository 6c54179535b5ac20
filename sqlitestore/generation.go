package sqlitestore

import (
	"context"
	"hash/maphash"
	"sync/atomic"

	"github.com/usermgmt-go/usermgmt/store"
)

const generationOf = "SELECT generation FROM {realm} WHERE realm=?"

// generations remembers the realms' generations for as long as nobody commits.
//
// SQLite keeps a header in memory that all processes share, and changes it with
// every commit; see walIndex. A generation that was read after a header was
// seen is right for as long as the header is the same. The other order would
// be wrong: a commit between the two would go unnoticed.
type generations struct {
	index *walIndex // nil where there is none; then every question is a read
	seed  maphash.Seed
	slots [64]atomic.Pointer[knownGeneration]
}

type knownGeneration struct {
	header     walHeader
	realm      store.Realm
	generation uint64
}

func (g *generations) slot(realm store.Realm) *atomic.Pointer[knownGeneration] {
	return &g.slots[maphash.String(g.seed, string(realm))%uint64(len(g.slots))]
}

// at returns the realm's generation under a header.
func (g *generations) at(header walHeader, realm store.Realm) (generation uint64, known bool) {
	k := g.slot(realm).Load()
	if k == nil || k.header != header || k.realm != realm {
		return 0, false
	}
	return k.generation, true
}

// Generation returns the realm's generation as committed now, by whatever
// process. On Linux it looks at shared memory alone unless something has been
// committed since the last call; elsewhere each call is a read.
func (s *Store) Generation(ctx context.Context, realm store.Realm) (uint64, error) {
	if !s.gate.Enter() {
		return 0, store.ErrClosed
	}
	defer s.gate.Leave()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	header, ok := s.generations.index.header()
	if n, known := s.generations.at(header, realm); ok && known {
		return n, nil
	}
	if err := realm.Check(); err != nil {
		return 0, err
	}
	c, err := s.reader(ctx)
	if err != nil {
		return 0, err
	}
	defer s.release(c)
	n, err := generation(c, string(realm))
	if err == nil && ok {
		s.generations.slot(realm).Store(&knownGeneration{header, realm, n})
	}
	return n, err
}

func generation(db db, realm string) (uint64, error) {
	row, err := db.first(generationOf, realm)
	if err != nil || row == nil {
		return 0, err
	}
	return uint64(number(row[0])), nil
}

func (r *reader) Generation(ctx context.Context) (uint64, error) {
	if err := r.ok(ctx); err != nil {
		return 0, err
	}
	return generation(r.db, r.realm)
}

// viewer is a reader in a View.
type viewer struct {
	reader
	conn        *conn
	generations *generations
	// before is the header as of the View's begin, if it was had.
	before walHeader
	had    bool
}

func (s *Store) newViewer(c *conn, realm store.Realm) *viewer {
	v := &viewer{reader: reader{db: c, realm: string(realm)}, conn: c, generations: &s.generations}
	v.before, v.had = s.generations.index.header()
	return v
}

// Generation looks at shared memory alone if the View has read something and
// nobody has committed since it began: then its snapshot has that header too.
func (v *viewer) Generation(ctx context.Context) (uint64, error) {
	if v.had && v.conn.held != nil {
		if now, ok := v.generations.index.header(); ok && now == v.before {
			if n, known := v.generations.at(now, store.Realm(v.realm)); known {
				return n, v.ok(ctx)
			}
		}
	}
	return v.reader.Generation(ctx)
}

// Generation counts the unit's own changes.
func (t *tx) Generation(ctx context.Context) (uint64, error) {
	if err := t.ok(ctx); err != nil {
		return 0, err
	}
	if err := t.finish(); err != nil {
		return 0, err
	}
	return t.reader.Generation(ctx)
}

// bump gives the realm its next generation.
func (t *tx) bump() error {
	_, err := t.db.exec("INSERT INTO {realm} (realm, generation) VALUES (?, 1)"+
		" ON CONFLICT DO UPDATE SET generation=generation+1", t.realm)
	return err
}
