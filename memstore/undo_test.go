package memstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/usermgmt-go/usermgmt/store"
)

// dice makes random records out of few ids and texts, so that they collide.
type dice struct{ *rand.Rand }

func (d dice) pick(prefix string, n int) string { return fmt.Sprint(prefix, d.IntN(n)) }

func (d dice) maybe(s string) string {
	if d.IntN(2) == 0 {
		return ""
	}
	return s
}

func (d dice) set(prefix string, n int) []string {
	var vs []string
	for i := range n {
		if d.IntN(3) == 0 {
			vs = append(vs, fmt.Sprint(prefix, i))
		}
	}
	return vs
}

// moment is a time within an hour, or none.
func (d dice) moment() time.Time {
	if d.IntN(3) == 0 {
		return time.Time{}
	}
	return time.Unix(int64(d.IntN(3600)), 0).UTC()
}

func (d dice) digest() store.Digest { return store.Digest{1, byte(d.IntN(12))} }

// kindOf makes a digest always be of the same kind, so that it is found.
func kindOf(d store.Digest) store.TokenKind { return store.TokenKind(1 + d[1]%3) }

func (d dice) user() store.User {
	u := store.User{
		ID:          store.UserID(d.pick("u", 6)),
		UsernameKey: d.pick("n", 20),
		FirstName:   d.maybe("Ada"),
		LastName:    d.maybe("Lovelace"),
		Locale:      d.maybe("de_DE"),
		Disabled:    d.IntN(4) == 0,
		Attributes:  []byte(d.maybe(`{"a":1}`)),
		Tags:        d.set("tag", 3),
		Tenants:     d.set("tenant", 3),
		CreatedBy:   "host",
		UpdatedAt:   d.moment(),
		CreatedAt:   d.moment(),
	}
	u.CreatedByVendor = store.VendorID(d.maybe(d.pick("v", 4)))
	u.Username = d.maybe(u.UsernameKey)
	switch d.IntN(3) {
	case 0:
		u.EmailKey = u.UsernameKey
	case 1:
		u.EmailKey = d.pick("mail", 10)
	}
	if u.EmailKey != "" {
		u.Email = u.EmailKey + d.maybe("!")
	}
	for i := range 3 {
		for kind := store.ScopeRealm; kind <= store.ScopeFacility; kind++ {
			if d.IntN(5) == 0 {
				u.Grants = append(u.Grants, store.Grant{Role: store.RoleID(fmt.Sprint("r", i)), Kind: kind, Scopes: d.set("s", 3)})
			}
		}
	}
	if d.IntN(3) == 0 {
		u.Grants = append(u.Grants, store.Grant{Permission: "a.b", Kind: store.ScopeRealm})
	}
	slices.SortFunc(u.Grants, store.CompareGrants)
	return u
}

func (d dice) org() store.Organization {
	o := store.Organization{
		ID: store.OrganizationID(d.pick("o", 4)), Slug: d.maybe(d.pick("slug", 6)), Name: d.pick("Org ", 9),
		VendorID: store.VendorID(d.maybe(d.pick("v", 4))), CreatedBy: "host", CreatedAt: d.moment(),
	}
	if o.VendorID != "" {
		o.VendorOrganizationID, o.MatchDomain = d.maybe(d.pick("vo", 4)), d.maybe(d.pick("d", 4))
	}
	return o
}

func (d dice) member() store.Membership {
	return store.Membership{
		OrganizationID: store.OrganizationID(d.pick("o", 4)), UserID: store.UserID(d.pick("u", 6)),
		Role: store.RoleID(d.pick("r", 3)), Tags: d.set("t", 3), VendorUserID: d.maybe(d.pick("vu", 6)),
		CreatedBy: "host", CreatedAt: d.moment(),
	}
}

func (d dice) token() store.Token {
	k := store.Token{
		Digest: d.digest(), UserID: store.UserID(d.pick("u", 6)),
		CreatedAt: d.moment(), ExpiresAt: d.moment(),
	}
	if d.IntN(4) == 0 {
		k.UsedAt = d.moment()
	}
	k.Kind = kindOf(k.Digest)
	if k.Kind == store.TokenRefresh {
		k.SessionID = store.SessionID(d.pick("s", 4))
	} else {
		k.OrganizationID = store.OrganizationID(d.pick("o", 4))
	}
	return k
}

// act is one mutating method with random arguments.
type act struct {
	name string
	run  func(context.Context, *tx, dice) error
}

func acts() []act {
	return []act{
		{"CreateUser", func(ctx context.Context, x *tx, d dice) error { return x.CreateUser(ctx, d.user()) }},
		{"UpdateUser", func(ctx context.Context, x *tx, d dice) error {
			u := d.user()
			old, err := x.User(ctx, u.ID)
			u.Version = old.Version
			return errors.Join(err, x.UpdateUser(ctx, u))
		}},
		{"DeleteUser", func(ctx context.Context, x *tx, d dice) error {
			return x.DeleteUser(ctx, store.UserID(d.pick("u", 6)))
		}},
		{"PutCredential", func(ctx context.Context, x *tx, d dice) error {
			id := store.UserID(d.pick("u", 6))
			old, _ := x.Credential(ctx, id)
			return x.PutCredential(ctx, store.Credential{UserID: id, Hash: d.pick("$", 99), Version: old.Version, ExpiresAt: d.moment()})
		}},
		{"DeleteCredential", func(ctx context.Context, x *tx, d dice) error {
			return x.DeleteCredential(ctx, store.UserID(d.pick("u", 6)))
		}},
		{"CreateOrganization", func(ctx context.Context, x *tx, d dice) error { return x.CreateOrganization(ctx, d.org()) }},
		{"UpdateOrganization", func(ctx context.Context, x *tx, d dice) error {
			o := d.org()
			old, err := x.Organization(ctx, o.ID)
			o.Version = old.Version
			return errors.Join(err, x.UpdateOrganization(ctx, o))
		}},
		{"DeleteOrganization", func(ctx context.Context, x *tx, d dice) error {
			return x.DeleteOrganization(ctx, store.OrganizationID(d.pick("o", 4)))
		}},
		{"CreateMembership", func(ctx context.Context, x *tx, d dice) error { return x.CreateMembership(ctx, d.member()) }},
		{"UpdateMembership", func(ctx context.Context, x *tx, d dice) error {
			m := d.member()
			old, err := x.Membership(ctx, m.OrganizationID, m.UserID)
			m.Version = old.Version
			return errors.Join(err, x.UpdateMembership(ctx, m))
		}},
		{"DeleteMembership", func(ctx context.Context, x *tx, d dice) error {
			return x.DeleteMembership(ctx, store.OrganizationID(d.pick("o", 4)), store.UserID(d.pick("u", 6)))
		}},
		{"CreateRole", func(ctx context.Context, x *tx, d dice) error {
			return x.CreateRole(ctx, store.Role{ID: store.RoleID(d.pick("r", 5)), Scope: store.ScopeRealm, Name: d.pick("R", 5)})
		}},
		{"UpdateRole", func(ctx context.Context, x *tx, d dice) error {
			old, err := x.Role(ctx, store.RoleID(d.pick("r", 5)))
			old.Name, old.Permissions = d.pick("R", 5), d.set("p.", 4)
			return errors.Join(err, x.UpdateRole(ctx, old))
		}},
		{"DeleteRole", func(ctx context.Context, x *tx, d dice) error { return x.DeleteRole(ctx, store.RoleID(d.pick("r", 5))) }},
		{"PutPermission", func(ctx context.Context, x *tx, d dice) error { return x.PutPermission(ctx, d.pick("p.", 6)) }},
		{"DeletePermission", func(ctx context.Context, x *tx, d dice) error { return x.DeletePermission(ctx, d.pick("p.", 6)) }},
		{"CreateTenant", func(ctx context.Context, x *tx, d dice) error {
			return x.CreateTenant(ctx, store.Tenant{ID: store.TenantID(d.pick("t", 4)), Name: d.pick("T", 9)})
		}},
		{"UpdateTenant", func(ctx context.Context, x *tx, d dice) error {
			old, err := x.Tenant(ctx, store.TenantID(d.pick("t", 4)))
			old.Name = d.pick("T", 9)
			return errors.Join(err, x.UpdateTenant(ctx, old))
		}},
		{"DeleteTenant", func(ctx context.Context, x *tx, d dice) error {
			return x.DeleteTenant(ctx, store.TenantID(d.pick("t", 4)))
		}},
		{"CreateVendor", func(ctx context.Context, x *tx, d dice) error {
			return x.CreateVendor(ctx, store.Vendor{ID: store.VendorID(d.pick("v", 4)), ClientID: d.pick("c", 5), Scopes: d.set("x", 3)})
		}},
		{"UpdateVendor", func(ctx context.Context, x *tx, d dice) error {
			old, err := x.Vendor(ctx, store.VendorID(d.pick("v", 4)))
			old.ClientID, old.Scopes = d.pick("c", 5), d.set("x", 3)
			return errors.Join(err, x.UpdateVendor(ctx, old))
		}},
		{"DeleteVendor", func(ctx context.Context, x *tx, d dice) error {
			return x.DeleteVendor(ctx, store.VendorID(d.pick("v", 4)))
		}},
		{"PutVendorSecret", func(ctx context.Context, x *tx, d dice) error {
			return x.PutVendorSecret(ctx, store.VendorSecret{
				VendorID: store.VendorID(d.pick("v", 4)), Digest: store.Digest{2, byte(d.IntN(4))}, CreatedAt: d.moment(), ExpiresAt: d.moment(),
			})
		}},
		{"DeleteVendorSecret", func(ctx context.Context, x *tx, d dice) error {
			return x.DeleteVendorSecret(ctx, store.VendorID(d.pick("v", 4)), store.Digest{2, byte(d.IntN(4))})
		}},
		{"CreateKey", func(ctx context.Context, x *tx, d dice) error {
			return x.CreateKey(ctx, store.Key{
				ID: store.KeyID(d.pick("k", 8)), OrganizationID: store.OrganizationID(d.pick("o", 4)), Role: "admin",
				Owner: store.UserID(d.maybe(d.pick("u", 6))), Digest: d.digest(), ExpiresAt: d.moment(),
			})
		}},
		{"DeleteKey", func(ctx context.Context, x *tx, d dice) error { return x.DeleteKey(ctx, store.KeyID(d.pick("k", 8))) }},
		{"CreateSession", func(ctx context.Context, x *tx, d dice) error {
			return x.CreateSession(ctx, store.Session{
				ID: store.SessionID(d.pick("s", 4)), UserID: store.UserID(d.pick("u", 6)),
				OrganizationID: store.OrganizationID(d.maybe(d.pick("o", 4))), ExpiresAt: d.moment(),
			})
		}},
		{"DeleteSession", func(ctx context.Context, x *tx, d dice) error {
			return x.DeleteSession(ctx, store.SessionID(d.pick("s", 4)))
		}},
		{"DeleteSessions", func(ctx context.Context, x *tx, d dice) error {
			_, err := x.DeleteSessions(ctx, store.UserID(d.pick("u", 6)))
			return err
		}},
		{"CreateToken", func(ctx context.Context, x *tx, d dice) error { return x.CreateToken(ctx, d.token()) }},
		{"UseToken", func(ctx context.Context, x *tx, d dice) error {
			digest := d.digest()
			_, err := x.UseToken(ctx, kindOf(digest), digest, time.Unix(5, 0).UTC())
			return err
		}},
		{"DeleteToken", func(ctx context.Context, x *tx, d dice) error {
			digest := d.digest()
			return x.DeleteToken(ctx, kindOf(digest), digest)
		}},
		{"DeleteExpired", func(ctx context.Context, x *tx, d dice) error {
			_, err := x.DeleteExpired(ctx, time.Unix(int64(d.IntN(1200)), 0), d.IntN(4))
			return err
		}},
		{"PutFailures", func(ctx context.Context, x *tx, d dice) error {
			return x.PutFailures(ctx, store.Failures{
				Key: store.Digest{3, byte(d.IntN(8))}, Count: 1 + d.Int64N(9), Until: d.moment(), ExpiresAt: time.Unix(int64(d.IntN(3600)), 0).UTC(),
			})
		}},
		{"DeleteFailures", func(ctx context.Context, x *tx, d dice) error {
			return x.DeleteFailures(ctx, store.Digest{3, byte(d.IntN(8))})
		}},
		{"AppendEvent", func(ctx context.Context, x *tx, d dice) error {
			return x.AppendEvent(ctx, store.Event{Actor: "host", Action: "a.b", Object: d.pick("user:u", 6), Fields: d.set("f", 3), At: d.moment()})
		}},
		{"DropEvents", func(ctx context.Context, x *tx, d dice) error {
			first := int64(0)
			if len(x.t.events) > 0 {
				first = x.t.events[0].seq
			}
			_, err := x.DropEvents(ctx, first+int64(d.IntN(3)))
			return err
		}},
	}
}

// end is how a unit of work ends.
type end int

const (
	commits end = iota
	fails
	panics
	exits // its goroutine
)

// TestUndo runs random units, half of which do not commit: those must leave
// everything as it was, and all of them every index exact.
func TestUndo(t *testing.T) {
	t.Parallel()
	const name = store.Realm("r")
	done := map[string]int{}
	for seed := range uint64(12) {
		s, d := New(), dice{rand.New(rand.NewPCG(seed, 7))}
		for i := range 400 {
			before := pictureOf(s, name)
			how := max(end(d.IntN(6))-2, commits)
			runUnit(t, s, name, d, how, done)
			check(t, s, name)
			if how != commits {
				require.Equal(t, before, pictureOf(s, name), "seed %d, unit %d: a unit that ends by %d leaves something", seed, i, how)
			}
		}
	}
	t.Log("undone calls:", done)
	for _, a := range acts() {
		require.Greater(t, done[a.name], 5, "undone calls of %s", a.name)
	}
}

// runUnit runs a unit of random acts, and counts in done those that did something and were undone.
func runUnit(t *testing.T, s *Store, name store.Realm, d dice, how end, done map[string]int) {
	t.Helper()
	ctx, all := t.Context(), acts()
	errEnd := errors.New("end")
	ran := make(chan error)
	go func() {
		err := errors.New("no return")
		defer func() {
			if v := recover(); v != nil {
				err = v.(error)
			}
			ran <- err
		}()
		err = s.Update(ctx, name, func(x store.Tx) error {
			for range d.IntN(30) {
				a := all[d.IntN(len(all))]
				if strings.HasPrefix(a.name, "Delete") && d.IntN(4) > 0 {
					a = all[d.IntN(len(all))] // or little would live to be updated
				}
				undo := len(x.(*tx).log)
				err := a.run(ctx, x.(*tx), d)
				switch did := len(x.(*tx).log) > undo; {
				case did && err != nil:
					return fmt.Errorf("%s: refused with %w, and yet it did something", a.name, err)
				case did && how != commits:
					done[a.name]++
				}
			}
			switch how {
			case fails:
				return errEnd
			case panics:
				panic(errEnd)
			case exits:
				runtime.Goexit()
			}
			return nil
		})
	}()
	switch err := <-ran; how {
	case commits:
		require.NoError(t, err)
	case exits:
		require.EqualError(t, err, "no return")
	default:
		require.Equal(t, errEnd, err)
	}
}
