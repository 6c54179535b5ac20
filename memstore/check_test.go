package memstore

import (
	"context"
	"maps"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"github.com/usermgmt-go/usermgmt/store"
)

// picture is every record of a realm.
type picture struct {
	Users         []store.User
	Credentials   []store.Credential
	Organizations []store.Organization
	Memberships   []store.Membership
	Roles         []store.Role
	Permissions   []string
	Tenants       []store.Tenant
	Vendors       []store.Vendor
	Secrets       []store.VendorSecret
	Keys          []store.Key
	Sessions      []store.Session
	Tokens        []store.Token
	Failures      []store.Failures
	Events        []store.Event
	LastSeq       int64
	Generation    uint64
}

// pictureOf reads the rows behind the back of the gate.
func pictureOf(s *Store, name store.Realm) picture {
	r, err := s.realm(context.Background(), name)
	if err != nil {
		panic(err)
	}
	t := r.t
	p := picture{
		Users:         records(t.usersInOrder, (*user).record),
		Organizations: records(t.orgsInOrder, (*org).record),
		Memberships:   records(t.membersByOrg, (*member).record),
		Roles:         records(t.rolesInOrder, roleRecord),
		Permissions:   from(t.permissions, "", all),
		Tenants:       records(t.tenantsInOrder, value),
		Vendors:       records(t.vendorsInOrder, vendorRecord),
		Secrets:       records(t.secretsByVendor, value),
		Keys:          records(t.keysByOrg, (*key).record),
		Sessions:      records(t.sessionsByUser, (*session).record),
		Tokens:        records(t.tokensByUser, (*token).record),
		Failures:      records(t.failuresByExpiry, value),
		LastSeq:       t.lastSeq,
		Generation:    r.gen.Load(),
	}
	t.usersInOrder.Scan(func(u *user) bool {
		if u.cred != nil {
			p.Credentials = append(p.Credentials, *u.cred)
		}
		return true
	})
	for _, e := range t.events {
		p.Events = append(p.Events, e.record())
	}
	return p
}

func records[T, R any](t *tree[*T], record func(*T) R) []R {
	var rs []R
	t.Scan(func(v *T) bool {
		rs = append(rs, record(v))
		return true
	})
	return rs
}

// check proves that every index of a realm holds exactly what its rows say,
// and that rows name only rows that are there.
func check(tb testing.TB, s *Store, name store.Realm) {
	tb.Helper()
	r, err := s.realm(context.Background(), name)
	require.NoError(tb, err)
	t := r.t

	users, orgs, members := slices.Collect(maps.Values(t.users)), slices.Collect(maps.Values(t.orgs)), slices.Collect(maps.Values(t.members))
	mailed := filter(users, func(u *user) bool { return u.emailKey() != "" })
	sameMap(tb, "users", t.users, users, (*user).id)
	sameMap(tb, "byName", t.byName, users, func(u *user) string { return u.part(usernameKey) })
	sameMap(tb, "byMail", t.byMail, mailed, (*user).emailKey)
	sameTree(tb, "usersInOrder", t.usersInOrder, users)
	sameTree(tb, "namesInOrder", t.namesInOrder, users)
	sameTree(tb, "mailsInOrder", t.mailsInOrder, mailed)
	var marks []marked
	for _, u := range users {
		for i, m := range u.marks {
			again := slices.ContainsFunc(u.marks[:i], func(o mark) bool { return o.what == m.what })
			if m.what.Value().kind.sought() && !again {
				marks = append(marks, marked{m.what, u})
			}
		}
		if u.cred != nil {
			require.Equal(tb, u.id(), string(u.cred.UserID), "credential")
		}
	}
	sameTree(tb, "marks", t.marks, marks)
	for _, m := range []map[string]*user{t.users, t.byName, t.byMail} {
		for k, u := range m {
			at, start := uintptr(unsafe.Pointer(unsafe.StringData(k))), uintptr(unsafe.Pointer(unsafe.StringData(u.text)))
			require.True(tb, start <= at && at < start+uintptr(len(u.text)), "key %q keeps an old text", k)
		}
	}

	owned := filter(orgs, func(o *org) bool { return o.VendorID != "" })
	sameMap(tb, "orgs", t.orgs, orgs, func(o *org) store.OrganizationID { return o.ID })
	sameMap(tb, "bySlug", t.bySlug, filter(orgs, func(o *org) bool { return o.Slug != "" }), func(o *org) string { return o.Slug })
	sameMap(tb, "byVendorOrg", t.byVendorOrg, filter(orgs, func(o *org) bool { return o.VendorOrganizationID != "" }),
		func(o *org) vendorText { return vendorText{o.VendorID, o.VendorOrganizationID} })
	sameMap(tb, "byMatchDomain", t.byMatchDomain, filter(orgs, func(o *org) bool { return o.MatchDomain != "" }),
		func(o *org) vendorText { return vendorText{o.VendorID, o.MatchDomain} })
	sameTree(tb, "orgsInOrder", t.orgsInOrder, orgs)
	sameTree(tb, "orgsByVendor", t.orgsByVendor, owned)
	for _, o := range owned {
		require.NotNil(tb, t.vendors[o.VendorID], "vendor of %s", o.ID)
	}

	hasUser := func(what string, u *user) { require.Same(tb, t.users[u.id()], u, "user of %s", what) }
	hasOrg := func(what string, o *org) { require.Same(tb, t.orgs[o.ID], o, "organization of %s", what) }
	sameMap(tb, "members", t.members, members, func(m *member) memberKey { return memberKey{m.org, m.user} })
	sameMap(tb, "byVendorUser", t.byVendorUser, filter(members, func(m *member) bool { return m.vendorUser != "" }),
		func(m *member) orgText { return orgText{m.org, m.vendorUser} })
	for _, m := range members {
		hasUser("membership", m.user)
		hasOrg("membership", m.org)
	}
	sameTree(tb, "membersByOrg", t.membersByOrg, members)
	sameTree(tb, "membersByRole", t.membersByRole, members)
	sameTree(tb, "membersByUser", t.membersByUser, members)

	roles := slices.Collect(maps.Values(t.roles))
	sameMap(tb, "roles", t.roles, roles, func(r *store.Role) store.RoleID { return r.ID })
	sameMap(tb, "byRoleName", t.byRoleName, roles, nameOf)
	sameTree(tb, "rolesInOrder", t.rolesInOrder, roles)
	tenants := slices.Collect(maps.Values(t.tenants))
	sameMap(tb, "tenants", t.tenants, tenants, func(n *store.Tenant) store.TenantID { return n.ID })
	sameTree(tb, "tenantsInOrder", t.tenantsInOrder, tenants)

	vendors, secrets := slices.Collect(maps.Values(t.vendors)), slices.Collect(maps.Values(t.secrets))
	sameMap(tb, "vendors", t.vendors, vendors, func(v *store.Vendor) store.VendorID { return v.ID })
	sameMap(tb, "byClientID", t.byClientID, vendors, func(v *store.Vendor) string { return v.ClientID })
	sameTree(tb, "vendorsInOrder", t.vendorsInOrder, vendors)
	sameMap(tb, "secrets", t.secrets, secrets, keyOf)
	sameTree(tb, "secretsByVendor", t.secretsByVendor, secrets)
	sameTree(tb, "secretsByExpiry", t.secretsByExpiry, filter(secrets, func(s *store.VendorSecret) bool { return !s.ExpiresAt.IsZero() }))
	for _, s := range secrets {
		require.NotNil(tb, t.vendors[s.VendorID], "vendor of a secret")
	}

	keys := slices.Collect(maps.Values(t.keys))
	sameMap(tb, "keys", t.keys, keys, func(k *key) store.KeyID { return k.ID })
	sameMap(tb, "byKeyDigest", t.byKeyDigest, keys, func(k *key) store.Digest { return k.Digest })
	sameTree(tb, "keysByOrg", t.keysByOrg, keys)
	sameTree(tb, "keysByOwner", t.keysByOwner, filter(keys, func(k *key) bool { return k.owner != nil }))
	for _, k := range keys {
		hasOrg("key", k.org)
		if k.owner != nil {
			hasUser("key", k.owner)
		}
	}

	sessions := slices.Collect(maps.Values(t.sessions))
	sameMap(tb, "sessions", t.sessions, sessions, func(s *session) store.SessionID { return s.id })
	sameTree(tb, "sessionsByUser", t.sessionsByUser, sessions)
	sameTree(tb, "sessionsByOrg", t.sessionsByOrg, filter(sessions, func(s *session) bool { return s.org != nil }))
	sameTree(tb, "sessionsByExpiry", t.sessionsByExpiry, filter(sessions, func(s *session) bool { return s.expires != never }))
	for _, s := range sessions {
		hasUser("session", s.user)
		if s.org != nil {
			hasOrg("session", s.org)
		}
	}

	tokens := slices.Collect(maps.Values(t.tokens))
	sameMap(tb, "tokens", t.tokens, tokens, func(k *token) store.Digest { return k.digest })
	sameTree(tb, "tokensByUser", t.tokensByUser, tokens)
	sameTree(tb, "tokensBySession", t.tokensBySession, filter(tokens, func(k *token) bool { return k.session != nil }))
	sameTree(tb, "tokensByExpiry", t.tokensByExpiry, filter(tokens, func(k *token) bool { return k.expires != never }))
	for _, k := range tokens {
		hasUser("token", k.user)
		if k.session != nil {
			require.Same(tb, t.sessions[k.session.id], k.session, "session of a token")
		} else {
			require.NotNil(tb, t.members[memberKey{k.org, k.user}], "membership of a token")
		}
	}

	failures := slices.Collect(maps.Values(t.failures))
	sameMap(tb, "failures", t.failures, failures, func(f *store.Failures) store.Digest { return f.Key })
	sameTree(tb, "failuresByExpiry", t.failuresByExpiry, failures)

	require.True(tb, slices.IsSortedFunc(t.events, func(a, b event) int { return int(a.seq - b.seq) }), "events")
	require.LessOrEqual(tb, t.dropped, len(t.events), "dropped events that are kept")
}

func filter[T any](vs []T, is func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(vs), func(v T) bool { return !is(v) })
}

func sameMap[K, V comparable](tb testing.TB, name string, got map[K]V, rows []V, of func(V) K) {
	tb.Helper()
	want := make(map[K]V, len(rows))
	for _, v := range rows {
		want[of(v)] = v
	}
	if len(want) != len(rows) || !maps.Equal(got, want) {
		tb.Fatalf("index %s: got %v, want %v", name, got, want)
	}
}

func sameTree[T comparable](tb testing.TB, name string, got *tree[T], want []T) {
	tb.Helper()
	want = slices.Clone(want)
	slices.SortFunc(want, func(a, b T) int {
		switch {
		case got.Less(a, b):
			return -1
		case got.Less(b, a):
			return 1
		}
		return 0
	})
	var is []T
	got.Scan(func(v T) bool {
		is = append(is, v)
		return true
	})
	if !slices.Equal(is, want) {
		tb.Fatalf("index %s: got %v, want %v", name, is, want)
	}
	for i := range is {
		if v, ok := got.GetAt(i); !ok || v != is[i] {
			tb.Fatalf("index %s: entry %d is %v, want %v", name, i, v, is[i])
		}
	}
}
