package storetest

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/usermgmt-go/usermgmt/store"
)

// model is a store so plain that it is obviously right: maps of records, every
// rule a search through all of them, every unit a copy of the whole realm. The
// random cases compare a store with it.
type model struct {
	writing chan struct{} // holds one value while a unit writes

	mu     sync.Mutex
	idle   *sync.Cond
	realms map[store.Realm]*data
	open   int
	closed bool
}

func newModel() *model {
	m := &model{writing: make(chan struct{}, 1), realms: map[store.Realm]*data{}}
	m.idle = sync.NewCond(&m.mu)
	return m
}

type (
	memberKey struct {
		org  store.OrganizationID
		user store.UserID
	}
	secretKey struct {
		vendor store.VendorID
		digest store.Digest
	}
)

// data is one realm. Committed data is never changed, nor are records.
type data struct {
	users       map[store.UserID]*store.User
	credentials map[store.UserID]store.Credential
	orgs        map[store.OrganizationID]store.Organization
	members     map[memberKey]store.Membership
	roles       map[store.RoleID]store.Role
	permissions map[string]bool
	tenants     map[store.TenantID]store.Tenant
	vendors     map[store.VendorID]store.Vendor
	secrets     map[secretKey]store.VendorSecret
	keys        map[store.KeyID]store.Key
	sessions    map[store.SessionID]store.Session
	tokens      map[store.Digest]store.Token
	failures    map[store.Digest]store.Failures
	events      []store.Event
	seq         int64
	generation  uint64
}

func newData() *data {
	return &data{
		map[store.UserID]*store.User{}, map[store.UserID]store.Credential{},
		map[store.OrganizationID]store.Organization{}, map[memberKey]store.Membership{},
		map[store.RoleID]store.Role{}, map[string]bool{}, map[store.TenantID]store.Tenant{},
		map[store.VendorID]store.Vendor{}, map[secretKey]store.VendorSecret{}, map[store.KeyID]store.Key{},
		map[store.SessionID]store.Session{}, map[store.Digest]store.Token{}, map[store.Digest]store.Failures{}, nil, 0, 0,
	}
}

func (d *data) clone() *data {
	return &data{
		maps.Clone(d.users), maps.Clone(d.credentials), maps.Clone(d.orgs), maps.Clone(d.members),
		maps.Clone(d.roles), maps.Clone(d.permissions), maps.Clone(d.tenants), maps.Clone(d.vendors),
		maps.Clone(d.secrets), maps.Clone(d.keys), maps.Clone(d.sessions), maps.Clone(d.tokens),
		maps.Clone(d.failures),
		slices.Clone(d.events), d.seq, d.generation,
	}
}

// enter begins a unit and returns the committed data.
func (m *model) enter(ctx context.Context, realm store.Realm) (*data, error) {
	if err := realm.Check(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.open++
	if d := m.realms[realm]; d != nil {
		return d, nil
	}
	return newData(), nil
}

func (m *model) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open--
	m.idle.Broadcast()
}

func (m *model) View(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	d, err := m.enter(ctx, realm)
	if err != nil {
		return err
	}
	defer m.leave()
	u := &modelUnit{data: d}
	defer func() { u.ended = true }()
	return fn(u)
}

func (m *model) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	if _, err := m.enter(ctx, realm); err != nil {
		return err
	}
	defer m.leave()
	select {
	case m.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-m.writing }()

	m.mu.Lock()
	d := m.realms[realm]
	m.mu.Unlock()
	if d == nil {
		d = newData()
	}
	u := &modelUnit{data: d.clone()}
	defer func() { u.ended = true }()
	if err := fn(u); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.realms[realm] = u.data
	return nil
}

func (m *model) Generation(ctx context.Context, realm store.Realm) (uint64, error) {
	d, err := m.enter(ctx, realm)
	if err != nil {
		return 0, err
	}
	defer m.leave()
	return d.generation, nil
}

func (m *model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for m.open > 0 {
		m.idle.Wait()
	}
	return nil
}

// modelUnit is a unit of work on its own copy of the realm.
type modelUnit struct {
	*data
	order []store.UserID // all of them in order, nil when it must be found out
	ended bool
}

func (u *modelUnit) ready(ctx context.Context) error {
	if u.ended {
		return store.ErrDone
	}
	return ctx.Err()
}

// begin is ready for a method that writes a record.
func (u *modelUnit) begin(ctx context.Context, r record) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	return r.Check()
}

// either is the error of a call that breaks two rules of which the contract
// does not say which one is reported.
type either []error

func (e either) Error() string   { return errors.Join(e...).Error() }
func (e either) Unwrap() []error { return e }

// refused joins a missing reference and a duplicate.
func refused(found bool, duplicate error) error {
	switch {
	case found:
		return duplicate
	case duplicate == nil:
		return store.ErrNotFound
	}
	return either{store.ErrNotFound, duplicate}
}

func exists(field string) error { return &store.ExistsError{Field: field} }

// first returns the records that are picked, in the order of what rank says.
func first[K comparable, R any, O cmp.Ordered](m map[K]R, limit int, rank func(R) O, pick func(R) bool) []R {
	var out []R
	for _, r := range m {
		if pick(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b R) int { return cmp.Compare(rank(a), rank(b)) })
	if limit = max(limit, 0); len(out) > limit {
		out = out[:limit]
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// few refuses to look up more than 10,000 keys at once.
func few[K any](keys []K) error {
	if len(keys) > 10_000 {
		return &store.InvalidError{Field: "ids", Reason: "must be at most 10,000"}
	}
	return nil
}

// one returns the only record that is picked.
func one[K comparable, R any](m map[K]R, pick func(R) bool) (R, error) {
	for _, r := range m {
		if pick(r) {
			return r, nil
		}
	}
	var none R
	return none, store.ErrNotFound
}

// at returns the record under a key.
func at[K comparable, R any](m map[K]R, k K) (R, error) {
	r, ok := m[k]
	if !ok {
		return r, store.ErrNotFound
	}
	return r, nil
}

// some tells whether a record is picked.
func some[K comparable, R any](m map[K]R, pick func(R) bool) bool {
	_, err := one(m, pick)
	return err == nil
}

// purge deletes the records that are picked and returns how many.
func purge[K comparable, R any](m map[K]R, pick func(R) bool) int {
	n := len(m)
	maps.DeleteFunc(m, func(_ K, r R) bool { return pick(r) })
	return n - len(m)
}

// cloned copies records on their way out.
func cloned[R interface{ Clone() R }](rs []R, err error) ([]R, error) {
	for i := range rs {
		rs[i] = rs[i].Clone()
	}
	return rs, err
}
