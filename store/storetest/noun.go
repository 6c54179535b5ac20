package storetest

import (
	"context"
	"errors"
	"reflect"

	"github.com/usermgmt-go/usermgmt/store"
)

// record is what every noun's record can do.
type record interface{ Check() error }

// noun tells the rules that are the same for all nouns how to handle one of
// them. Fields that do not apply are nil.
type noun[R record] struct {
	name string
	// base creates what the samples 0 to n-1 refer to.
	base func(ctx context.Context, tx store.Tx, n int) error
	// sample returns the n-th sample, as it is stored.
	sample func(n int) R
	// change gives other values to all fields that an update may change.
	change func(R) R
	// freeze gives other values to all fields that an update leaves as they are.
	freeze func(R) R
	// version points to the record's version.
	version func(*R) *int64

	create func(store.Tx, context.Context, R) error
	update func(store.Tx, context.Context, R) error
	remove func(store.Tx, context.Context, R) error

	// keys are the uniqueness rules in the order in which they are checked;
	// the first is the id.
	keys []key[R]
	// page lists the samples in the order of ids; the zero record starts it.
	page func(r store.Reader, ctx context.Context, after R, limit int) ([]R, error)
	// dangling makes a record refer to something that is not there.
	dangling map[string]func(*R)
	// broken breaks a rule of the type that spoil does not know, by field.
	broken []fault[R]
}

// key is one uniqueness rule.
type key[R any] struct {
	// field is the name by which an ExistsError calls it.
	field string
	// find gets the record that has the key of another.
	find func(r store.Reader, ctx context.Context, like R) (R, error)
	// copy gives a record the key of another.
	copy func(to *R, from R)
	// clear empties the key; nil if it cannot be empty.
	clear func(*R)
	// set gives the key a text; nil if it is no text or refers to something.
	set func(*R, string)
}

type fault[R any] struct {
	field string
	spoil func(*R)
}

// subject is a noun without its type.
type subject interface {
	title() string
	cases() []testCase
	// look adds what each unique key of the samples 0 to n-1, changed or not, finds.
	look(ctx context.Context, r store.Reader, n int, p picture) error
	// fill creates the samples from to to-1.
	fill(ctx context.Context, tx store.Tx, from, to int) error
	// alter changes the n-th sample, if the noun can be updated.
	alter(ctx context.Context, tx store.Tx, n int) error
	// drop removes the n-th sample.
	drop(ctx context.Context, tx store.Tx, n int) error
	races() []testCase
	texts() []testCase
}

// nouns returns all nouns, each after those that its samples refer to.
func nouns() []subject {
	return []subject{
		vendors(), organizations(), users(), memberships(), roles(), tenants(), keys(), sessions(), tokens(),
	}
}

func (n noun[R]) title() string { return n.name }

func (n noun[R]) look(ctx context.Context, r store.Reader, count int, p picture) error {
	for i := range count {
		likes := []R{n.sample(i)}
		if n.change != nil {
			likes = append(likes, n.change(n.sample(i)))
		}
		for v, like := range likes {
			for _, k := range n.keys {
				if v > 0 && k.copy != nil {
					same := likes[0]
					k.copy(&same, like)
					if reflect.DeepEqual(same, likes[0]) { // the key stays, and was asked for
						continue
					}
				}
				got, err := k.find(r, ctx, like)
				if err = p.add(err, got, "%s %d by %s, variant %d", n.name, i, k.field, v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (n noun[R]) fill(ctx context.Context, tx store.Tx, from, to int) error {
	var errs []error
	for i := from; i < to; i++ {
		errs = append(errs, n.create(tx, ctx, n.sample(i)))
	}
	return errors.Join(errs...)
}

func (n noun[R]) alter(ctx context.Context, tx store.Tx, i int) error {
	if n.update == nil {
		return nil
	}
	return n.update(tx, ctx, n.change(n.sample(i)))
}

func (n noun[R]) drop(ctx context.Context, tx store.Tx, i int) error {
	return n.remove(tx, ctx, n.sample(i))
}

// seed creates what samples refer to, and the first count of them.
func (n noun[R]) seed(t *trial, refs, count int) {
	t.Helper()
	t.update(func(tx store.Tx) error {
		return must(n.base(t.ctx, tx, refs), n.fill(t.ctx, tx, 0, count))
	})
}

// get reads the record by its id.
func (n noun[R]) get(t *trial, r store.Reader, like R) R {
	t.Helper()
	got, err := n.keys[0].find(r, t.ctx, like)
	t.ok(n.name, err)
	return got
}

// stepped returns the record as an update stores it.
func (n noun[R]) stepped(r R, by int64) R {
	*n.version(&r) += by
	return r
}

// cases returns the rules that hold for every noun, as far as they apply to this one.
func (n noun[R]) cases() []testCase {
	cs := n.createCases()
	if n.update != nil {
		cs = append(cs, n.updateCases()...)
	}
	cs = append(cs, n.deleteCases()...)
	cs = append(cs, n.validityCases()...)
	if n.page != nil {
		cs = append(cs, n.pageCases()...)
	}
	cs = append(cs, n.memoryCases()...)
	return append(cs, n.unitCases()...)
}

// base functions, each a superset of the one before.

func noBase(context.Context, store.Tx, int) error { return nil }

func vendorBase(ctx context.Context, tx store.Tx, _ int) error {
	return must(tx.CreateVendor(ctx, sampleVendor(0)), tx.CreateVendor(ctx, sampleVendor(1)))
}

func organizationBase(ctx context.Context, tx store.Tx, _ int) error {
	return must(vendorBase(ctx, tx, 0), tx.CreateOrganization(ctx, sampleOrganization(0)))
}

// memberBase has n users in one organization, none of them a member.
func memberBase(ctx context.Context, tx store.Tx, n int) error {
	err := organizationBase(ctx, tx, 0)
	for i := range max(n, 1) {
		err = must(err, tx.CreateUser(ctx, sampleUser(i)))
	}
	return err
}

// sessionBase has one member with one session.
func sessionBase(ctx context.Context, tx store.Tx, _ int) error {
	return must(
		memberBase(ctx, tx, 1),
		tx.CreateMembership(ctx, sampleMembership(0)),
		tx.CreateSession(ctx, sampleSession(0)),
	)
}
