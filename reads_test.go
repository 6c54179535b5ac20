package usermgmt_test

import (
	"context"
	"sync"

	"github.com/usermgmt-go/usermgmt/store"
)

// readBook is a store that counts what views read of lists.
type readBook struct {
	store.Store
	mu sync.Mutex
	// calls of lists, single organizations, vendors and counts, by name, and the
	// records that lists returned.
	calls   map[string]int
	records int
}

func newReadBook(s store.Store) *readBook {
	return &readBook{Store: s, calls: map[string]int{}}
}

func (b *readBook) View(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	return b.Store.View(ctx, realm, func(r store.Reader) error { return fn(bookedReader{r, b}) })
}

func (b *readBook) note(call string, records int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[call]++
	b.records += records
}

// take returns what was read since the last time.
func (b *readBook) take() (calls map[string]int, records int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls, records = b.calls, b.records
	b.calls, b.records = map[string]int{}, 0
	return calls, records
}

type bookedReader struct {
	store.Reader
	book *readBook
}

func (r bookedReader) Users(ctx context.Context, q store.UserQuery) ([]store.User, error) {
	us, err := r.Reader.Users(ctx, q)
	r.book.note("Users", len(us))
	return us, err
}

func (r bookedReader) CountUsers(ctx context.Context, q store.UserQuery) (int64, error) {
	r.book.note("CountUsers", 0)
	return r.Reader.CountUsers(ctx, q)
}

func (r bookedReader) UsersByID(ctx context.Context, ids []store.UserID) ([]store.User, error) {
	us, err := r.Reader.UsersByID(ctx, ids)
	r.book.note("UsersByID", len(us))
	return us, err
}

func (r bookedReader) Members(ctx context.Context, q store.MemberQuery) ([]store.Membership, error) {
	ms, err := r.Reader.Members(ctx, q)
	r.book.note("Members", len(ms))
	return ms, err
}

func (r bookedReader) CountMembers(ctx context.Context, q store.MemberQuery) (int64, error) {
	r.book.note("CountMembers", 0)
	return r.Reader.CountMembers(ctx, q)
}

func (r bookedReader) Organization(ctx context.Context, id store.OrganizationID) (store.Organization, error) {
	r.book.note("Organization", 0)
	return r.Reader.Organization(ctx, id)
}

func (r bookedReader) OrganizationsByID(ctx context.Context, ids []store.OrganizationID) ([]store.Organization, error) {
	os, err := r.Reader.OrganizationsByID(ctx, ids)
	r.book.note("OrganizationsByID", len(os))
	return os, err
}

func (r bookedReader) RolesByID(ctx context.Context, ids []store.RoleID) ([]store.Role, error) {
	rs, err := r.Reader.RolesByID(ctx, ids)
	r.book.note("RolesByID", len(rs))
	return rs, err
}

func (r bookedReader) VendorByClientID(ctx context.Context, clientID string) (store.Vendor, error) {
	r.book.note("VendorByClientID", 0)
	return r.Reader.VendorByClientID(ctx, clientID)
}

func (r bookedReader) VendorSecrets(ctx context.Context, id store.VendorID) ([]store.VendorSecret, error) {
	r.book.note("VendorSecrets", 0)
	return r.Reader.VendorSecrets(ctx, id)
}
