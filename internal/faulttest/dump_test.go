package faulttest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// all is more than any list of a world has.
const all = 10_000

// dump returns every record of the realm as a line, events, sessions and
// tokens included, read past the tap. The ids that were made up are numbered in the order in
// which they are met, so that two worlds with the same past are equal.
func (w *world) dump(t testing.TB) []string {
	t.Helper()
	lines, err := w.describe(t.Context())
	require.NoError(t, err)
	return lines
}

func (w *world) describe(ctx context.Context) ([]string, error) {
	var d dump
	err := w.tap.Store.View(ctx, w.RealmName(), func(r store.Reader) error {
		d = dump{ctx: ctx, r: r}
		return d.realm(w.tap.known())
	})
	return d.lines, err
}

// known returns the keys of all tokens that there may be, in order.
func (s *tap) known() []tokenKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Keys(s.tokens), func(a, b tokenKey) int { return slices.Compare(a.digest[:], b.digest[:]) })
}

// dump writes down what a Reader gives, up to its first error.
type dump struct {
	ctx   context.Context
	r     store.Reader
	lines []string
	names namer
	err   error
}

func (d *dump) put(record any) {
	d.lines = append(d.lines, d.names.text(fmt.Sprintf("%T%+v", record, record)))
}

// list puts every record of an answer and returns them.
func list[T any](d *dump) func([]T, error) []T {
	return func(records []T, err error) []T {
		d.err = errors.Join(d.err, err)
		for _, record := range records {
			d.put(record)
		}
		return records
	}
}

func (d *dump) realm(tokens []tokenKey) error {
	ctx, r := d.ctx, d.r
	list[string](d)(r.Permissions(ctx))
	list[store.Tenant](d)(r.Tenants(ctx, "", all))
	list[store.Role](d)(r.Roles(ctx, "", all))
	users := list[store.User](d)(r.Users(ctx, store.UserQuery{Limit: all}))
	ids := make([]store.UserID, len(users))
	for i, u := range users {
		ids[i] = u.ID
		list[store.Session](d)(r.Sessions(ctx, u.ID, "", all))
		list[store.Membership](d)(r.Memberships(ctx, u.ID, "", all))
	}
	list[store.Credential](d)(r.CredentialsByID(ctx, ids))
	for _, v := range list[store.Vendor](d)(r.Vendors(ctx, "", all)) {
		list[store.VendorSecret](d)(r.VendorSecrets(ctx, v.ID))
	}
	for _, o := range list[store.Organization](d)(r.Organizations(ctx, store.OrganizationQuery{Limit: all})) {
		list[store.Key](d)(r.Keys(ctx, o.ID, "", all))
	}
	for _, k := range tokens {
		t, err := r.Token(ctx, k.kind, k.digest)
		switch {
		case err == nil:
			d.put(t)
		case !errors.Is(err, store.ErrNotFound):
			d.err = errors.Join(d.err, err)
		}
	}
	list[store.Event](d)(r.Events(ctx, 0, all))
	return d.err
}

// namer numbers the ids that were made up.
type namer map[string]string

// text replaces UUIDs of version 7; those of roles that are built in are of version 8.
func (n *namer) text(s string) string {
	if *n == nil {
		*n = namer{}
	}
	var b strings.Builder
	for {
		i := madeUp(s)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		id := s[i : i+36]
		if (*n)[id] == "" {
			(*n)[id] = fmt.Sprintf("<%d>", len(*n)+1)
		}
		b.WriteString(s[:i])
		b.WriteString((*n)[id])
		s = s[i+36:]
	}
}

// madeUp returns where a UUID of version 7 begins, or -1. Regular expressions
// took most of the time of the tests.
func madeUp(s string) int {
	for i := 8; i+28 <= len(s); i++ {
		if s[i] == '-' && s[i+5] == '-' && s[i+6] == '7' && s[i+10] == '-' && s[i+15] == '-' {
			return i - 8
		}
	}
	return -1
}
