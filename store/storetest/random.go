package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/usermgmt-go/usermgmt/store"
)

// seedVariable names an environment variable that holds a further seed for the
// random cases.
const seedVariable = "STORETEST_SEED"

func modelCases() []testCase {
	seeds := []uint64{1, 2, 3, 4, 5, 6}
	if testing.Short() {
		seeds = seeds[:3]
	}
	if n, err := strconv.ParseUint(os.Getenv(seedVariable), 10, 64); err == nil && n > uint64(len(seeds)) {
		seeds = append(seeds, n)
	}
	var cs []testCase
	for _, seed := range seeds {
		cs = append(cs, testCase{fmt.Sprintf("random_operations_agree_with_seed_%d", seed), func(t *trial) {
			compare(t, seed, 30)
		}})
	}
	return cs
}

// operation is a call with its arguments drawn.
type operation struct {
	text string
	run  func(tx store.Tx) (any, error)
}

// compare does the same random work in the store and in a model, in units some
// of which are rolled back, and compares every result and then the realm.
func compare(t *trial, seed uint64, units int) {
	var (
		rnd  = rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
		m    = newModel()
		done []string
	)
	if seed%2 == 1 { // with a start: more of the work finds something to do
		fill := func(tx store.Tx) error { return world(t.ctx, tx) }
		t.ok("Update of the model", m.Update(t.ctx, realm, fill))
		t.update(fill)
	}
	for unit := range units {
		give := error(nil)
		if rnd.IntN(4) == 0 {
			give = errWanted
		}
		// The model goes first, and says which operations there are and what
		// comes of them: a unit of the store may run twice.
		var (
			ops    []operation
			values []any
			errs   []error
		)
		err := m.Update(t.ctx, realm, func(tx store.Tx) error {
			for range 1 + rnd.IntN(24) {
				op := (&draw{rnd, t.ctx, tx}).operation()
				v, err := op.run(tx)
				ops, values, errs = append(ops, op), append(values, v), append(errs, err)
			}
			return give
		})
		t.equal("Update of the model", err, give)
		err = t.store.Update(t.ctx, realm, func(tx store.Tx) error {
			for i, op := range ops {
				v, err := op.run(tx)
				if !agree(err, errs[i]) || !reflect.DeepEqual(v, values[i]) {
					t.Errorf("unit %d: %s\n got: %+v, error %v\nwant: %+v, error %v", unit, op.text, v, err, values[i], errs[i])
				}
			}
			return give
		})
		if give == nil {
			t.ok("Update", err)
		} else {
			t.fails("Update", err, give)
		}
		for _, op := range ops {
			done = append(done, fmt.Sprintf("%d: %s", unit, op.text))
		}
		got, want := t.picture(realm), m.picture(t)
		for _, k := range want.keys() {
			if g, w := numberless(got[k]), numberless(want[k]); !reflect.DeepEqual(g, w) {
				t.Errorf("after unit %d: %s\n got: %+v\nwant: %+v", unit, k, g, w)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d (%s=%d adds it to a run); the last operations:\n%s",
				seed, seedVariable, seed, strings.Join(done[max(0, len(done)-25):], "\n"))
		}
	}
}

func (m *model) picture(t *trial) picture {
	var p picture
	t.ok("View of the model", m.View(t.ctx, realm, func(r store.Reader) (err error) {
		p, err = take(t.ctx, r)
		return err
	}))
	return p
}

// numberless takes the numbers off events, which may have gaps.
func numberless(v any) any {
	if es, ok := v.([]store.Event); ok {
		for i := range es {
			es[i].Seq = 0
		}
	}
	return v
}

// agree compares the categories of errors.
func agree(got, want error) bool {
	var open either
	if errors.As(want, &open) {
		for _, w := range open {
			if agree(got, w) {
				return true
			}
		}
		return false
	}
	var e, f *store.ExistsError
	if errors.As(want, &e) {
		return errors.As(got, &f) && e.Field == f.Field
	}
	for _, category := range []error{store.ErrNotFound, store.ErrStale, store.ErrUsed, store.ErrInvalid} {
		if errors.Is(want, category) {
			return errors.Is(got, category)
		}
	}
	return got == nil && want == nil
}

// draw draws operations. It reads the model to draw some that succeed.
type draw struct {
	*rand.Rand
	ctx context.Context
	tx  store.Tx
}

const population = worldSize + 1

func (d *draw) n() int { return d.IntN(population) }

// from picks one of some values.
func from[T any](d *draw, vs ...T) T { return vs[d.IntN(len(vs))] }

// version is mostly the one that is stored.
func (d *draw) version(stored int64) int64 {
	if d.IntN(3) == 0 {
		return stored + int64(d.IntN(3)) - 1
	}
	return stored
}

func (d *draw) user() store.User {
	u := sampleUser(d.n())
	if d.IntN(2) == 0 {
		u = changeUser(u)
	}
	u.UsernameKey = sampleUser(d.n()).UsernameKey
	u.EmailKey = sampleUser(d.n()).EmailKey
	if d.IntN(3) == 0 {
		u.Email, u.EmailKey = "", ""
	}
	u.CreatedByVendor = from(d, "", vendorID(d.n()))
	u.Tenants = from(d, nil, []string{"any"}, []string{"tenant-000", "type:test"}, []string{"b", "a"})
	return u
}

func (d *draw) organization() store.Organization {
	o := sampleOrganization(d.n())
	o.VendorID = from(d, vendorID(0), vendorID(d.n()), "")
	o.Slug = from(d, "", o.Slug, sampleOrganization(d.n()).Slug)
	o.MatchDomain = from(d, "", "", sampleOrganization(d.n()).MatchDomain)
	o.VendorOrganizationID = from(d, "", "", sampleOrganization(d.n()).VendorOrganizationID)
	return o
}

func (d *draw) membership() store.Membership {
	m := sampleMembership(d.n())
	m.OrganizationID = orgID(d.IntN(3))
	m.VendorUserID = from(d, "", sampleMembership(d.n()).VendorUserID)
	m.Role = roleID(d.n())
	return m
}

func (d *draw) role() store.Role {
	r := sampleRole(d.n())
	r.Scope = store.ScopeKind(d.IntN(4))
	r.Name = sampleRole(d.n()).Name
	return r
}

func (d *draw) vendor() store.Vendor {
	v := sampleVendor(d.n())
	v.ClientID = sampleVendor(d.n()).ClientID
	return v
}

func (d *draw) token() store.Token {
	t := freshToken(d.IntN(9))
	t.UserID = userID(d.n())
	t.ExpiresAt = from(d, store.Time{}, created, expires)
	if t.Kind == store.TokenRefresh {
		t.SessionID, t.ExpiresAt = sessionID(d.IntN(3)*2), store.Time{}
	} else {
		t.OrganizationID = orgID(d.IntN(3))
	}
	return t
}

// session expires if its number is odd: those have no tokens, of which the
// contract does not say whether they are counted with it.
func (d *draw) session() store.Session {
	i := d.n()
	s := sampleSession(i)
	s.UserID, s.OrganizationID = userID(d.n()), from(d, "", orgID(d.IntN(3)))
	s.ExpiresAt = created
	if i%2 == 0 {
		s.ExpiresAt = store.Time{}
	}
	return s
}

// call makes an operation without a value.
func call(text string, arg any, run func(store.Tx) error) operation {
	return operation{fmt.Sprintf("%s(%+v)", text, arg), func(tx store.Tx) (any, error) { return nil, run(tx) }}
}

func (d *draw) operation() operation {
	c := d.ctx
	switch d.IntN(44) {
	case 0, 1, 2, 3:
		u := d.user()
		return call("CreateUser", u, func(x store.Tx) error { return x.CreateUser(c, u) })
	case 4, 5, 6:
		u := d.user()
		old, _ := d.tx.User(c, u.ID)
		u.Version = d.version(old.Version)
		return call("UpdateUser", u, func(x store.Tx) error { return x.UpdateUser(c, u) })
	case 7:
		id := userID(d.n())
		return call("DeleteUser", id, func(x store.Tx) error { return x.DeleteUser(c, id) })
	case 8, 9:
		cr := sampleCredential(d.n())
		old, _ := d.tx.Credential(c, cr.UserID)
		cr.Version = d.version(old.Version)
		return call("PutCredential", cr, func(x store.Tx) error { return x.PutCredential(c, cr) })
	case 10:
		id := userID(d.n())
		return call("DeleteCredential", id, func(x store.Tx) error { return x.DeleteCredential(c, id) })
	case 11, 12, 13:
		o := d.organization()
		return call("CreateOrganization", o, func(x store.Tx) error { return x.CreateOrganization(c, o) })
	case 14, 15:
		o := d.organization()
		old, _ := d.tx.Organization(c, o.ID)
		o.Version = d.version(old.Version)
		return call("UpdateOrganization", o, func(x store.Tx) error { return x.UpdateOrganization(c, o) })
	case 16:
		id := orgID(d.n())
		return call("DeleteOrganization", id, func(x store.Tx) error { return x.DeleteOrganization(c, id) })
	case 17, 18, 19:
		m := d.membership()
		return call("CreateMembership", m, func(x store.Tx) error { return x.CreateMembership(c, m) })
	case 20, 21:
		m := d.membership()
		old, _ := d.tx.Membership(c, m.OrganizationID, m.UserID)
		m.Version = d.version(old.Version)
		return call("UpdateMembership", m, func(x store.Tx) error { return x.UpdateMembership(c, m) })
	case 22:
		o, u := orgID(d.IntN(3)), userID(d.n())
		return call("DeleteMembership", []any{o, u}, func(x store.Tx) error { return x.DeleteMembership(c, o, u) })
	case 23:
		r := d.role()
		return call("CreateRole", r, func(x store.Tx) error { return x.CreateRole(c, r) })
	case 24:
		r := d.role()
		old, _ := d.tx.Role(c, r.ID)
		r.Version = d.version(old.Version)
		return call("UpdateRole", r, func(x store.Tx) error { return x.UpdateRole(c, r) })
	case 25:
		id := roleID(d.n())
		return call("DeleteRole", id, func(x store.Tx) error { return x.DeleteRole(c, id) })
	case 26:
		t := sampleTenant(d.n())
		return call("CreateTenant", t, func(x store.Tx) error { return x.CreateTenant(c, t) })
	case 27:
		id := tenantID(d.n())
		return call("DeleteTenant", id, func(x store.Tx) error { return x.DeleteTenant(c, id) })
	case 28, 29:
		v := d.vendor()
		return call("CreateVendor", v, func(x store.Tx) error { return x.CreateVendor(c, v) })
	case 30:
		v := d.vendor()
		old, _ := d.tx.Vendor(c, v.ID)
		v.Version = d.version(old.Version)
		return call("UpdateVendor", v, func(x store.Tx) error { return x.UpdateVendor(c, v) })
	case 31:
		id := vendorID(d.n())
		return call("DeleteVendor", id, func(x store.Tx) error { return x.DeleteVendor(c, id) })
	case 32:
		s := sampleSecret(d.n())
		s.VendorID, s.ExpiresAt = vendorID(d.n()), from(d, store.Time{}, created)
		return call("PutVendorSecret", s, func(x store.Tx) error { return x.PutVendorSecret(c, s) })
	case 33, 34:
		k := sampleKey(d.n())
		k.OrganizationID, k.Owner, k.Digest = orgID(d.IntN(3)), from(d, "", userID(d.n())), digest("key", d.n())
		return call("CreateKey", k, func(x store.Tx) error { return x.CreateKey(c, k) })
	default:
		return d.lesser()
	}
}

// lesser draws from sessions, tokens, counts of failures, events, permissions and questions.
func (d *draw) lesser() operation {
	c := d.ctx
	switch d.IntN(15) {
	case 11, 12:
		f := sampleFailures(d.n())
		f.Count, f.ExpiresAt = int64(d.IntN(4)), from(d, created, expires)
		return call("PutFailures", f, func(x store.Tx) error { return x.PutFailures(c, f) })
	case 13:
		key := sampleFailures(d.n()).Key
		return call("DeleteFailures", key, func(x store.Tx) error { return x.DeleteFailures(c, key) })
	case 0, 1:
		s := d.session()
		return call("CreateSession", s, func(x store.Tx) error { return x.CreateSession(c, s) })
	case 2:
		id := sessionID(d.n())
		return call("DeleteSession", id, func(x store.Tx) error { return x.DeleteSession(c, id) })
	case 3:
		id := userID(d.n())
		return operation{fmt.Sprintf("DeleteSessions(%s)", id), func(x store.Tx) (any, error) { return ask(x.DeleteSessions(c, id)) }}
	case 4, 5:
		t := d.token()
		return call("CreateToken", t, func(x store.Tx) error { return x.CreateToken(c, t) })
	case 6:
		t := freshToken(d.IntN(9))
		return operation{fmt.Sprintf("UseToken(%d, %x)", t.Kind, t.Digest), func(x store.Tx) (any, error) {
			return ask(x.UseToken(c, t.Kind, t.Digest, changed))
		}}
	case 7:
		return operation{"DeleteExpired", func(x store.Tx) (any, error) { return ask(x.DeleteExpired(c, created, 1000)) }}
	case 8:
		e := sampleEvent(d.n())
		e.OrganizationID = ""
		return call("AppendEvent", e, func(x store.Tx) error { return x.AppendEvent(c, e) })
	case 9:
		n := d.IntN(3)
		return operation{fmt.Sprintf("DropEvents of the first %d", n), func(x store.Tx) (any, error) {
			es, err := x.Events(c, 0, n)
			if err != nil || len(es) == 0 {
				return 0, err
			}
			return ask(x.DropEvents(c, es[len(es)-1].Seq))
		}}
	case 10:
		name, put := fmt.Sprintf("things.do-%d", d.n()), d.IntN(2) == 0
		if put {
			return call("PutPermission", name, func(x store.Tx) error { return x.PutPermission(c, name) })
		}
		return call("DeletePermission", name, func(x store.Tx) error { return x.DeletePermission(c, name) })
	default:
		qs := queries()
		q := qs[d.IntN(len(qs)-2)] // all but events, which are numbered, and the generation
		return operation{q.name, func(x store.Tx) (any, error) { return q.ask(c, x) }}
	}
}
