package storetest_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/usermgmt-go/usermgmt/store"
	"github.com/usermgmt-go/usermgmt/store/storetest"
)

// faulty is a store that is right but for what a fault replaces.
type faulty struct {
	store.Store

	// tx replaces methods of a unit, those that read in views too.
	tx func(f *faulty, realm store.Realm, tx store.Tx) store.Tx
	// update, generation and close replace the store's own.
	update     func(f *faulty, ctx context.Context, realm store.Realm, fn func(store.Tx) error) error
	generation func(f *faulty, ctx context.Context, realm store.Realm) (uint64, error)
	close      func(f *faulty) error

	inFlight atomic.Int32 // units that run or wait
	crowded  atomic.Bool  // several units have met, see crowd

	mu    sync.Mutex // guards what faults remember
	notes map[any]any
}

func (f *faulty) wrap(realm store.Realm, tx store.Tx) store.Tx {
	if f.tx == nil {
		return tx
	}
	return f.tx(f, realm, tx)
}

func (f *faulty) View(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	f.inFlight.Add(1)
	defer f.inFlight.Add(-1)
	return f.Store.View(ctx, realm, func(r store.Reader) error {
		return fn(f.wrap(realm, r.(store.Tx))) // the model's Reader is one
	})
}

func (f *faulty) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	f.inFlight.Add(1)
	defer f.inFlight.Add(-1)
	wrapped := func(tx store.Tx) error { return fn(f.wrap(realm, tx)) }
	if f.update != nil {
		return f.update(f, ctx, realm, wrapped)
	}
	return f.Store.Update(ctx, realm, wrapped)
}

func (f *faulty) Generation(ctx context.Context, realm store.Realm) (uint64, error) {
	if f.generation != nil {
		return f.generation(f, ctx, realm)
	}
	return f.Store.Generation(ctx, realm)
}

func (f *faulty) Close() error {
	if f.close != nil {
		return f.close(f)
	}
	return f.Store.Close()
}

// crowd lets units meet before they run, as they do where each takes its time.
func crowd(f *faulty, ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	for range 1000 {
		if f.inFlight.Load() > 1 {
			f.crowded.Store(true)
			break
		}
		runtime.Gosched()
	}
	return f.Store.Update(ctx, realm, fn)
}

// remember returns the note under a key after edit has replaced it.
func remember[V any](f *faulty, key any, edit func(V) V) V {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, _ := f.notes[key].(V)
	v := edit(old)
	f.notes[key] = v
	return v
}

// open makes a store with the fault.
func (ft fault) open(t testing.TB) store.Store {
	f := ft.faulty() // a new one, with the fault's replacements
	f.Store = storetest.NewModel(t)
	f.notes = map[any]any{}
	return f
}

// The wrappers below replace one method of a unit, or a few that belong
// together; each is used by one fault of the table.

type withUser struct {
	store.Tx
	create  func(store.Tx, context.Context, store.User) error
	update  func(store.Tx, context.Context, store.User) error
	delete  func(store.Tx, context.Context, store.UserID) error
	search  func(store.Tx, context.Context, store.UserField, string, string, int) ([]store.User, error)
	userAt  func(store.Tx, context.Context, int64) (store.UserID, error)
	members func(store.Tx, context.Context, store.OrganizationID, store.UserID) error
}

func (w withUser) CreateUser(ctx context.Context, u store.User) error {
	if w.create == nil {
		return w.Tx.CreateUser(ctx, u)
	}
	return w.create(w.Tx, ctx, u)
}

func (w withUser) UpdateUser(ctx context.Context, u store.User) error {
	if w.update == nil {
		return w.Tx.UpdateUser(ctx, u)
	}
	return w.update(w.Tx, ctx, u)
}

func (w withUser) DeleteUser(ctx context.Context, id store.UserID) error {
	if w.delete == nil {
		return w.Tx.DeleteUser(ctx, id)
	}
	return w.delete(w.Tx, ctx, id)
}

func (w withUser) SearchUsers(ctx context.Context, by store.UserField, prefix, after string, limit int) ([]store.User, error) {
	if w.search == nil {
		return w.Tx.SearchUsers(ctx, by, prefix, after, limit)
	}
	return w.search(w.Tx, ctx, by, prefix, after, limit)
}

func (w withUser) UserAt(ctx context.Context, n int64) (store.UserID, error) {
	if w.userAt == nil {
		return w.Tx.UserAt(ctx, n)
	}
	return w.userAt(w.Tx, ctx, n)
}

func (w withUser) DeleteMembership(ctx context.Context, org store.OrganizationID, user store.UserID) error {
	if w.members == nil {
		return w.Tx.DeleteMembership(ctx, org, user)
	}
	return w.members(w.Tx, ctx, org, user)
}

type withList struct {
	store.Tx
	users        func(store.Tx, context.Context, store.UserQuery) ([]store.User, error)
	countUsers   func(store.Tx, context.Context, store.UserQuery) (int64, error)
	members      func(store.Tx, context.Context, store.MemberQuery) ([]store.Membership, error)
	countMembers func(store.Tx, context.Context, store.MemberQuery) (int64, error)
	orgsByID     func(store.Tx, context.Context, []store.OrganizationID) ([]store.Organization, error)
}

func (w withList) Users(ctx context.Context, q store.UserQuery) ([]store.User, error) {
	if w.users == nil {
		return w.Tx.Users(ctx, q)
	}
	return w.users(w.Tx, ctx, q)
}

func (w withList) CountUsers(ctx context.Context, q store.UserQuery) (int64, error) {
	if w.countUsers == nil {
		return w.Tx.CountUsers(ctx, q)
	}
	return w.countUsers(w.Tx, ctx, q)
}

func (w withList) Members(ctx context.Context, q store.MemberQuery) ([]store.Membership, error) {
	if w.members == nil {
		return w.Tx.Members(ctx, q)
	}
	return w.members(w.Tx, ctx, q)
}

func (w withList) CountMembers(ctx context.Context, q store.MemberQuery) (int64, error) {
	if w.countMembers == nil {
		return w.Tx.CountMembers(ctx, q)
	}
	return w.countMembers(w.Tx, ctx, q)
}

func (w withList) OrganizationsByID(ctx context.Context, ids []store.OrganizationID) ([]store.Organization, error) {
	if w.orgsByID == nil {
		return w.Tx.OrganizationsByID(ctx, ids)
	}
	return w.orgsByID(w.Tx, ctx, ids)
}

type withRole struct {
	store.Tx
	role   func(store.Tx, context.Context, store.RoleID) (store.Role, error)
	roles  func(store.Tx, context.Context, store.RoleID, int) ([]store.Role, error)
	create func(store.Tx, context.Context, store.Role) error
	update func(store.Tx, context.Context, store.Role) error
	byName func(store.Tx, context.Context, store.ScopeKind, string) (store.Role, error)
	perms  func(store.Tx, context.Context) ([]string, error)
	gen    func(store.Tx, context.Context) (uint64, error)
}

func (w withRole) Role(ctx context.Context, id store.RoleID) (store.Role, error) {
	if w.role == nil {
		return w.Tx.Role(ctx, id)
	}
	return w.role(w.Tx, ctx, id)
}

func (w withRole) Roles(ctx context.Context, after store.RoleID, limit int) ([]store.Role, error) {
	if w.roles == nil {
		return w.Tx.Roles(ctx, after, limit)
	}
	return w.roles(w.Tx, ctx, after, limit)
}

func (w withRole) RoleByName(ctx context.Context, scope store.ScopeKind, name string) (store.Role, error) {
	if w.byName == nil {
		return w.Tx.RoleByName(ctx, scope, name)
	}
	return w.byName(w.Tx, ctx, scope, name)
}

func (w withRole) CreateRole(ctx context.Context, r store.Role) error {
	if w.create == nil {
		return w.Tx.CreateRole(ctx, r)
	}
	return w.create(w.Tx, ctx, r)
}

func (w withRole) UpdateRole(ctx context.Context, r store.Role) error {
	if w.update == nil {
		return w.Tx.UpdateRole(ctx, r)
	}
	return w.update(w.Tx, ctx, r)
}

func (w withRole) Permissions(ctx context.Context) ([]string, error) {
	if w.perms == nil {
		return w.Tx.Permissions(ctx)
	}
	return w.perms(w.Tx, ctx)
}

func (w withRole) Generation(ctx context.Context) (uint64, error) {
	if w.gen == nil {
		return w.Tx.Generation(ctx)
	}
	return w.gen(w.Tx, ctx)
}

type withRest struct {
	store.Tx
	tenant         func(store.Tx, context.Context, store.TenantID) (store.Tenant, error)
	tenants        func(store.Tx, context.Context, store.TenantID, int) ([]store.Tenant, error)
	updateTenant   func(store.Tx, context.Context, store.Tenant) error
	createVendor   func(store.Tx, context.Context, store.Vendor) error
	vendor         func(store.Tx, context.Context, store.VendorID) (store.Vendor, error)
	byDomain       func(store.Tx, context.Context, store.VendorID, string) (store.Organization, error)
	keyByDigest    func(store.Tx, context.Context, store.Digest) (store.Key, error)
	useToken       func(store.Tx, context.Context, store.TokenKind, store.Digest, store.Time) (store.Token, error)
	deleteSessions func(store.Tx, context.Context, store.UserID) (int, error)
	events         func(store.Tx, context.Context, int64, int) ([]store.Event, error)
	drop           func(store.Tx, context.Context, int64) (int, error)
	failures       func(store.Tx, context.Context, store.Digest) (store.Failures, error)
	putFailures    func(store.Tx, context.Context, store.Failures) error
}

func (w withRest) Failures(ctx context.Context, key store.Digest) (store.Failures, error) {
	if w.failures == nil {
		return w.Tx.Failures(ctx, key)
	}
	return w.failures(w.Tx, ctx, key)
}

func (w withRest) PutFailures(ctx context.Context, f store.Failures) error {
	if w.putFailures == nil {
		return w.Tx.PutFailures(ctx, f)
	}
	return w.putFailures(w.Tx, ctx, f)
}

func (w withRest) Tenant(ctx context.Context, id store.TenantID) (store.Tenant, error) {
	if w.tenant == nil {
		return w.Tx.Tenant(ctx, id)
	}
	return w.tenant(w.Tx, ctx, id)
}

func (w withRest) Tenants(ctx context.Context, after store.TenantID, limit int) ([]store.Tenant, error) {
	if w.tenants == nil {
		return w.Tx.Tenants(ctx, after, limit)
	}
	return w.tenants(w.Tx, ctx, after, limit)
}

func (w withRest) UpdateTenant(ctx context.Context, t store.Tenant) error {
	if w.updateTenant == nil {
		return w.Tx.UpdateTenant(ctx, t)
	}
	return w.updateTenant(w.Tx, ctx, t)
}

func (w withRest) CreateVendor(ctx context.Context, v store.Vendor) error {
	if w.createVendor == nil {
		return w.Tx.CreateVendor(ctx, v)
	}
	return w.createVendor(w.Tx, ctx, v)
}

func (w withRest) Vendor(ctx context.Context, id store.VendorID) (store.Vendor, error) {
	if w.vendor == nil {
		return w.Tx.Vendor(ctx, id)
	}
	return w.vendor(w.Tx, ctx, id)
}

func (w withRest) OrganizationByDomain(ctx context.Context, v store.VendorID, domain string) (store.Organization, error) {
	if w.byDomain == nil {
		return w.Tx.OrganizationByDomain(ctx, v, domain)
	}
	return w.byDomain(w.Tx, ctx, v, domain)
}

func (w withRest) KeyByDigest(ctx context.Context, d store.Digest) (store.Key, error) {
	if w.keyByDigest == nil {
		return w.Tx.KeyByDigest(ctx, d)
	}
	return w.keyByDigest(w.Tx, ctx, d)
}

func (w withRest) UseToken(ctx context.Context, k store.TokenKind, d store.Digest, at store.Time) (store.Token, error) {
	if w.useToken == nil {
		return w.Tx.UseToken(ctx, k, d, at)
	}
	return w.useToken(w.Tx, ctx, k, d, at)
}

func (w withRest) DeleteSessions(ctx context.Context, user store.UserID) (int, error) {
	if w.deleteSessions == nil {
		return w.Tx.DeleteSessions(ctx, user)
	}
	return w.deleteSessions(w.Tx, ctx, user)
}

func (w withRest) Events(ctx context.Context, after int64, limit int) ([]store.Event, error) {
	if w.events == nil {
		return w.Tx.Events(ctx, after, limit)
	}
	return w.events(w.Tx, ctx, after, limit)
}

func (w withRest) DropEvents(ctx context.Context, through int64) (int, error) {
	if w.drop == nil {
		return w.Tx.DropEvents(ctx, through)
	}
	return w.drop(w.Tx, ctx, through)
}
