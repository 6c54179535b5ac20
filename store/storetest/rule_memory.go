package storetest

import (
	"reflect"

	"github.com/usermgmt-go/usermgmt/store"
)

// memoryCases are about slices, on both sides of a call.
func (n noun[R]) memoryCases() []testCase {
	if !hasSlices[R]() {
		return nil
	}
	cs := []testCase{
		{"what_is_passed_in_is_not_kept", func(t *trial) {
			t.update(func(tx store.Tx) error {
				err := n.base(t.ctx, tx, 1)
				r := n.sample(0)
				err = must(err, n.create(tx, t.ctx, r))
				scribble(&r)
				t.equal(n.name+" in the unit that created it", n.get(t, tx, r), n.sample(0))
				return err
			})
			t.view(func(r store.Reader) error {
				t.equal(n.name+" after its creation", n.get(t, r, n.sample(0)), n.sample(0))
				return nil
			})
			if n.update == nil {
				return
			}
			want := n.stepped(n.change(n.sample(0)), 1)
			t.update(func(tx store.Tx) error {
				r := n.change(n.sample(0))
				err := n.update(tx, t.ctx, r)
				scribble(&r)
				t.equal(n.name+" in the unit that updated it", n.get(t, tx, r), want)
				return err
			})
			t.view(func(r store.Reader) error {
				t.equal(n.name+" after its update", n.get(t, r, want), want)
				return nil
			})
		}},
		{"what_is_returned_is_not_shared", func(t *trial) {
			n.seed(t, 1, 1)
			read := func(r store.Reader) error {
				for range 2 {
					for _, k := range n.keys {
						got, err := k.find(r, t.ctx, n.sample(0))
						t.ok(n.name+" by "+k.field, err)
						t.equal(n.name+" by "+k.field, got, n.sample(0))
						scribble(&got)
					}
					if n.page != nil {
						var start R
						got, err := n.page(r, t.ctx, start, 1)
						t.ok("list of "+n.name, err)
						t.equal("list of "+n.name, got, []R{n.sample(0)})
						for i := range got {
							scribble(&got[i])
							reflect.ValueOf(&got[i]).Elem().SetZero()
						}
					}
				}
				return nil
			}
			t.view(read)
			t.update(func(tx store.Tx) error { return read(tx) })
			t.view(read)
		}},
		{"empty_lists_come_back_nil", func(t *trial) {
			t.update(func(tx store.Tx) error { return n.base(t.ctx, tx, 2) })
			for i := range 2 {
				empty, none := emptied(n.sample(i))
				t.update(func(tx store.Tx) error {
					if i == 0 {
						err := n.create(tx, t.ctx, empty)
						t.equal(n.name+" in the unit", n.get(t, tx, empty), none)
						return err
					}
					return n.create(tx, t.ctx, none)
				})
				t.view(func(r store.Reader) error {
					t.equal(n.name, n.get(t, r, empty), none)
					return nil
				})
				if n.update == nil {
					continue
				}
				t.update(func(tx store.Tx) error { // full, then empty again
					return must(n.update(tx, t.ctx, n.sample(i)), n.update(tx, t.ctx, n.stepped(empty, 1)))
				})
				t.view(func(r store.Reader) error {
					t.equal(n.name, n.get(t, r, empty), n.stepped(none, 2))
					return nil
				})
			}
		}},
	}
	return cs
}
