// Package units counts the units of work that a store is asked for. It is for
// tests.
//
//	s := units.Count(memstore.New())
//	m, err := usermgmt.New(s, options)
//	s.Reset()
//	_, err = m.User(ctx, id)
//	require.Equal(t, 1, s.Total())
package units

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/usermgmt-go/usermgmt/store"
)

// Store is a store that counts. It may be used concurrently.
type Store struct {
	store.Store
	views, updates atomic.Int64
}

// Count returns s, counting from zero. Whoever closes it closes s.
func Count(s store.Store) *Store { return &Store{Store: s} }

// View implements [store.Store].
func (s *Store) View(ctx context.Context, realm store.Realm, f func(store.Reader) error) error {
	s.views.Add(1)
	return s.Store.View(ctx, realm, f)
}

// Glance implements [store.Glancer]. It counts as a View, of which it takes the
// place.
func (s *Store) Glance(ctx context.Context, realm store.Realm, f func(store.Reader) error) error {
	g, ok := s.Store.(store.Glancer)
	if !ok {
		return store.ErrGlance
	}
	err := g.Glance(ctx, realm, f)
	if !errors.Is(err, store.ErrGlance) { // which a View follows
		s.views.Add(1)
	}
	return err
}

// Update implements [store.Store].
func (s *Store) Update(ctx context.Context, realm store.Realm, f func(store.Tx) error) error {
	s.updates.Add(1)
	return s.Store.Update(ctx, realm, f)
}

// Reset counts from zero again.
func (s *Store) Reset() {
	s.views.Store(0)
	s.updates.Store(0)
}

// Views returns how many Views there were since Reset, failed ones included.
func (s *Store) Views() int { return int(s.views.Load()) }

// Updates is Views for Updates.
func (s *Store) Updates() int { return int(s.updates.Load()) }

// Total is Views and Updates together.
func (s *Store) Total() int { return s.Views() + s.Updates() }
