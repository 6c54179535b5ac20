package memstore

import (
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/tidwall/btree"
	"github.com/usermgmt-go/usermgmt/store"
)

// tables are the rows and indexes of one realm. Rows are pointers that stay
// the same for the life of a record, so that indexes and other rows may hold
// them; their content is changed in place by the one writer. Each noun's file
// has the functions that add, set and drop its rows in all indexes at once;
// they are each other's inverse, and nothing else touches the indexes.
type tables struct {
	users         map[string]*user
	byName        map[string]*user // by UsernameKey
	byMail        map[string]*user // by EmailKey
	usersInOrder  *tree[*user]
	namesInOrder  *tree[*user]
	mailsInOrder  *tree[*user]
	marks         *tree[marked] // roles, scopes and tenants to users
	orgs          map[store.OrganizationID]*org
	bySlug        map[string]*org
	byVendorOrg   map[vendorText]*org
	byMatchDomain map[vendorText]*org
	orgsInOrder   *tree[*org]
	orgsByVendor  *tree[*org]

	members       map[memberKey]*member
	byVendorUser  map[orgText]*member
	membersByOrg  *tree[*member]
	membersByRole *tree[*member]
	membersByUser *tree[*member]

	roles        map[store.RoleID]*store.Role
	byRoleName   map[roleName]*store.Role
	rolesInOrder *tree[*store.Role]
	permissions  *tree[string]

	tenants        map[store.TenantID]*store.Tenant
	tenantsInOrder *tree[*store.Tenant]

	vendors         map[store.VendorID]*store.Vendor
	byClientID      map[string]*store.Vendor
	vendorsInOrder  *tree[*store.Vendor]
	secrets         map[secretKey]*store.VendorSecret
	secretsByVendor *tree[*store.VendorSecret]
	secretsByExpiry *tree[*store.VendorSecret]

	keys        map[store.KeyID]*key
	byKeyDigest map[store.Digest]*key
	keysByOrg   *tree[*key]
	keysByOwner *tree[*key]

	sessions         map[store.SessionID]*session
	sessionsByUser   *tree[*session]
	sessionsByOrg    *tree[*session]
	sessionsByExpiry *tree[*session]

	tokens          map[store.Digest]*token
	tokensByUser    *tree[*token]
	tokensBySession *tree[*token]
	tokensByExpiry  *tree[*token]

	failures         map[store.Digest]*store.Failures
	failuresByExpiry *tree[*store.Failures]

	events  []event // in the order of their numbers
	dropped int     // events before them in the same memory, at most
	lastSeq int64
}

func newTables() *tables {
	return &tables{
		users:         map[string]*user{},
		byName:        map[string]*user{},
		byMail:        map[string]*user{},
		usersInOrder:  newTree(compareUsers),
		namesInOrder:  newTree(func(a, b *user) int { return strings.Compare(a.part(usernameKey), b.part(usernameKey)) }),
		mailsInOrder:  newTree(func(a, b *user) int { return strings.Compare(a.emailKey(), b.emailKey()) }),
		marks:         newTree(compareMarked),
		orgs:          map[store.OrganizationID]*org{},
		bySlug:        map[string]*org{},
		byVendorOrg:   map[vendorText]*org{},
		byMatchDomain: map[vendorText]*org{},
		orgsInOrder:   newTree(compareOrgs),
		orgsByVendor:  newTree(compareVendorOrgs),

		members:       map[memberKey]*member{},
		byVendorUser:  map[orgText]*member{},
		membersByOrg:  newTree(compareByOrg),
		membersByRole: newTree(compareByRole),
		membersByUser: newTree(compareByUser),

		roles:        map[store.RoleID]*store.Role{},
		byRoleName:   map[roleName]*store.Role{},
		rolesInOrder: newTree(func(a, b *store.Role) int { return strings.Compare(string(a.ID), string(b.ID)) }),
		permissions:  newTree(strings.Compare),

		tenants:        map[store.TenantID]*store.Tenant{},
		tenantsInOrder: newTree(func(a, b *store.Tenant) int { return strings.Compare(string(a.ID), string(b.ID)) }),

		vendors:         map[store.VendorID]*store.Vendor{},
		byClientID:      map[string]*store.Vendor{},
		vendorsInOrder:  newTree(func(a, b *store.Vendor) int { return strings.Compare(string(a.ID), string(b.ID)) }),
		secrets:         map[secretKey]*store.VendorSecret{},
		secretsByVendor: newTree(compareSecrets),
		secretsByExpiry: newTree(compareSecretExpiry),

		keys:        map[store.KeyID]*key{},
		byKeyDigest: map[store.Digest]*key{},
		keysByOrg:   newTree(compareKeysByOrg),
		keysByOwner: newTree(compareKeysByOwner),

		sessions:         map[store.SessionID]*session{},
		sessionsByUser:   newTree(compareSessionsByUser),
		sessionsByOrg:    newTree(compareSessionsByOrg),
		sessionsByExpiry: newTree(compareSessionExpiry),

		tokens:          map[store.Digest]*token{},
		tokensByUser:    newTree(compareTokensByUser),
		tokensBySession: newTree(compareTokensBySession),
		tokensByExpiry:  newTree(compareTokenExpiry),

		failures:         map[store.Digest]*store.Failures{},
		failuresByExpiry: newTree(compareFailuresExpiry),
	}
}

// tree is an ordered set.
type tree[T any] = btree.BTreeG[T]

// newTree returns a tree without a lock of its own: the realm's gate is one.
func newTree[T any](compare func(a, b T) int) *tree[T] {
	return btree.NewBTreeGOptions(func(a, b T) bool { return compare(a, b) < 0 }, btree.Options{NoLocks: true})
}

// page returns what comes after pivot, which need not be in the tree, up to
// limit entries and while they satisfy in.
func page[T, R any](t *tree[T], pivot T, limit int, in func(T) bool, record func(T) R) []R {
	if limit <= 0 {
		return nil
	}
	var rs []R
	t.Ascend(pivot, func(v T) bool {
		if !in(v) {
			return false
		}
		if rs == nil {
			if !t.Less(pivot, v) {
				return true // pivot itself
			}
			rs = make([]R, 0, min(limit, t.Len(), 1000))
		}
		rs = append(rs, record(v))
		return len(rs) < limit
	})
	return rs
}

// run is what comes after pivot, which need not be in the tree, while it satisfies in.
type run[T any] struct {
	pivot T
	in    func(T) bool
}

// merge calls f for the entries of several runs of a tree in the order of
// compare, in which each run must be sorted, until it returns false. It costs
// what f is called for, and a search for each run.
func merge[T any](t *tree[T], runs []run[T], compare func(a, b T) int, f func(T) bool) {
	type cursor struct {
		btree.IterG[T]
		in func(T) bool
	}
	byItem := func(a, b *cursor) int { return compare(a.Item(), b.Item()) }
	cursors := make([]*cursor, 0, len(runs)) // in the order of the entries that they stand on
	for _, r := range runs {
		c := &cursor{in: r.in}
		c.Init(t, false)
		ok := c.Seek(r.pivot)
		if ok && !t.Less(r.pivot, c.Item()) {
			ok = c.Next() // past pivot itself
		}
		if ok && c.in(c.Item()) {
			cursors = append(cursors, c)
		}
	}
	slices.SortFunc(cursors, byItem)
	for len(cursors) > 0 {
		c := cursors[0]
		if !f(c.Item()) {
			return
		}
		rest := cursors[1:]
		if !c.Next() || !c.in(c.Item()) {
			cursors = rest
			continue
		}
		i, _ := slices.BinarySearchFunc(rest, c, byItem)
		copy(cursors, rest[:i])
		cursors[i] = c
	}
}

// from returns the entries from pivot on that satisfy in, for callers that
// change the tree while they go through them.
func from[T any](t *tree[T], pivot T, in func(T) bool) []T {
	var vs []T
	t.Ascend(pivot, func(v T) bool {
		if !in(v) {
			return false
		}
		vs = append(vs, v)
		return true
	})
	return vs
}

func all[T any](T) bool { return true }

// value returns the record behind a pointer row, for rows that are records.
func value[T any](p *T) T { return *p }

// found returns the record of a row, or ErrNotFound if there is no row.
func found[T, R any](row *T, record func(*T) R) (R, error) {
	if row == nil {
		var none R
		return none, store.ErrNotFound
	}
	return record(row), nil
}

// word is a text that many rows share.
type word = unique.Handle[string]

func compareWords(a, b word) int {
	if a == b {
		return 0
	}
	return strings.Compare(a.Value(), b.Value())
}

// pack makes one text of a set; U+0000 is in no entry.
func pack(vs []string) word { return unique.Make(strings.Join(vs, "\x00")) }

func unpack(w word) []string {
	if w.Value() == "" {
		return nil
	}
	return strings.Split(w.Value(), "\x00")
}

// Moments are kept as microseconds since 1970, of which the zero time is one.

func micros(t store.Time) int64 { return t.UnixMicro() }

func moment(us int64) store.Time { return time.UnixMicro(us).UTC() }

// never is the zero time.
var never = micros(store.Time{})

// own returns a copy of a text that came from outside, where it may be part of
// something larger.
func own[S ~string](s S) S { return S(strings.Clone(string(s))) }

// byID returns the records of those of the ids that have a row, in the order
// of the ids and each once, or an error if there are too many.
func byID[S ~string, T, R any](in []S, row func(S) *T, record func(*T) R) ([]R, error) {
	if len(in) > 10_000 {
		return nil, &store.InvalidError{Field: "ids", Reason: "must be at most 10,000"}
	}
	ids := slices.Clone(in)
	slices.Sort(ids)
	var rs []R
	for _, id := range slices.Compact(ids) {
		if v := row(id); v != nil {
			rs = append(rs, record(v))
		}
	}
	return rs, nil
}

func exists(field string) error { return &store.ExistsError{Field: field} }
