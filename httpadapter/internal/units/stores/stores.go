// Package stores runs tests on every kind of store. It is for tests, which hand
// in how stores open: nothing of the adapter links a database's driver.
//
//	var (
//		kinds = stores.Of(memstore.New, sqlitestore.Open, pgstore.Open, pgtest.URL)
//		each  = stores.Worlds(kinds, newWorld)
//	)
//
//	func TestInvoices(t *testing.T) {
//		t.Parallel()
//		each(t, func(t *testing.T, w *world) {
//			...
//		})
//	}
package stores

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/usermgmt-go/usermgmt/store"
)

// Kinds are the kinds of store by their packages' names, and how an empty one
// opens for a test.
type Kinds map[string]func(testing.TB) (store.Store, error)

// Of returns the library's own kinds by their packages' constructors; url
// returns the connection URL of an empty PostgreSQL database for a test.
func Of[M, L, P store.Store, LO, PO any](
	memory func() M,
	sqlite func(ctx context.Context, file string, o *LO) (L, error),
	postgres func(ctx context.Context, url string, o *PO) (P, error),
	url func(testing.TB) string,
) Kinds {
	return Kinds{
		"memstore": func(testing.TB) (store.Store, error) { return memory(), nil },
		"sqlitestore": func(t testing.TB) (store.Store, error) {
			return sqlite(t.Context(), filepath.Join(t.TempDir(), "users.db"), nil)
		},
		"pgstore": func(t testing.TB) (store.Store, error) {
			if testing.Short() {
				t.Skip("left out of short runs: a PostgreSQL server takes seconds to start")
			}
			return postgres(t.Context(), url(t), nil)
		},
	}
}

// Each runs a test on each kind of store, beside each other. What open returns
// is a store of its own each time, and empty; to close it is not required, and
// does not wait for running units. open may be called concurrently.
func (k Kinds) Each(t *testing.T, test func(t *testing.T, open func() store.Store)) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(k)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := k[name](t)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			var opened atomic.Int64
			test(t, func() store.Store { return &part{store: s, prefix: store.Realm(fmt.Sprintf("%d.", opened.Add(1)))} })
		})
	}
}

// Worlds returns what runs a test in a world of its own on each kind of store,
// as Each does.
func Worlds[W any](k Kinds, newWorld func(testing.TB, store.Store) W) func(t *testing.T, test func(t *testing.T, w W)) {
	return func(t *testing.T, test func(*testing.T, W)) {
		t.Helper()
		k.Each(t, func(t *testing.T, open func() store.Store) { test(t, newWorld(t, open())) })
	}
}

// part is a store within another: the names of its realms there are no other
// part's. To make one takes no time, as to make a database would.
type part struct {
	store  store.Store
	prefix store.Realm
	closed atomic.Bool
}

// View implements [store.Store].
func (p *part) View(ctx context.Context, realm store.Realm, f func(store.Reader) error) error {
	if p.closed.Load() {
		return store.ErrClosed
	}
	return p.store.View(ctx, p.prefix+realm, f)
}

// Glance implements [store.Glancer].
func (p *part) Glance(ctx context.Context, realm store.Realm, f func(store.Reader) error) error {
	if p.closed.Load() {
		return store.ErrClosed
	}
	if g, ok := p.store.(store.Glancer); ok {
		return g.Glance(ctx, p.prefix+realm, f)
	}
	return store.ErrGlance
}

// Update implements [store.Store].
func (p *part) Update(ctx context.Context, realm store.Realm, f func(store.Tx) error) error {
	if p.closed.Load() {
		return store.ErrClosed
	}
	return p.store.Update(ctx, p.prefix+realm, f)
}

// Generation implements [store.Store].
func (p *part) Generation(ctx context.Context, realm store.Realm) (uint64, error) {
	if p.closed.Load() {
		return 0, store.ErrClosed
	}
	return p.store.Generation(ctx, p.prefix+realm)
}

// Close ends the part alone.
func (p *part) Close() error {
	p.closed.Store(true)
	return nil
}
