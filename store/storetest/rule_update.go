package storetest

import (
	"github.com/usermgmt-go/usermgmt/store"
)

func (n noun[R]) updateCases() []testCase {
	cs := []testCase{
		{"update_replaces_all_fields_but_those_that_stay", func(t *trial) {
			n.seed(t, 1, 1)
			t.update(func(tx store.Tx) error {
				return n.update(tx, t.ctx, n.freeze(n.change(n.sample(0))))
			})
			want := n.stepped(n.change(n.sample(0)), 1)
			t.view(func(r store.Reader) error {
				for _, k := range n.keys {
					got, err := k.find(r, t.ctx, want)
					t.ok(n.name+" by "+k.field, err)
					t.equal(n.name+" by "+k.field, got, want)
				}
				return nil
			})
		}},
		{"update_steps_the_version_by_one", func(t *trial) {
			n.seed(t, 1, 1)
			for v := range int64(3) {
				t.update(func(tx store.Tx) error {
					return n.update(tx, t.ctx, n.stepped(n.sample(0), v))
				})
				t.view(func(r store.Reader) error {
					t.equal(n.name, n.get(t, r, n.sample(0)), n.stepped(n.sample(0), v+1))
					return nil
				})
			}
			t.update(func(tx store.Tx) error { // several steps in one unit
				for v := int64(3); v < 6; v++ {
					t.ok("Update"+n.name, n.update(tx, t.ctx, n.stepped(n.sample(0), v)))
				}
				return nil
			})
			t.view(func(r store.Reader) error {
				t.equal(n.name, n.get(t, r, n.sample(0)), n.stepped(n.sample(0), 6))
				return nil
			})
		}},
		{"stale_update_is_refused_and_changes_nothing", func(t *trial) {
			n.seed(t, 2, 2)
			t.update(func(tx store.Tx) error { return n.update(tx, t.ctx, n.sample(0)) }) // now 2
			before := t.picture(realm)
			for _, v := range []int64{1, 3, 0, -1, -2, 2 + 1<<8, 2 + 1<<32, 1<<53 + 2, 1<<63 - 1, -1 << 63} {
				t.update(func(tx store.Tx) error {
					r := n.change(n.sample(0))
					*n.version(&r) = v
					t.fails("Update"+n.name, n.update(tx, t.ctx, r), store.ErrStale)
					return nil
				})
			}
			t.samePicture("after the stale updates", realm, before)
		}},
		{"update_of_absent_is_not_found", func(t *trial) {
			n.seed(t, 3, 2)
			before := t.picture(realm)
			t.update(func(tx store.Tx) error {
				for _, v := range []int64{0, 1, 2} {
					r := n.sample(2)
					*n.version(&r) = v
					t.fails("Update"+n.name, n.update(tx, t.ctx, r), store.ErrNotFound)
				}
				return nil
			})
			t.samePicture("after the refused updates", realm, before)
		}},
		{"update_of_deleted_is_not_found", func(t *trial) {
			n.seed(t, 1, 1)
			t.update(func(tx store.Tx) error {
				t.ok("Delete"+n.name, n.drop(t.ctx, tx, 0))
				t.fails("Update"+n.name, n.update(tx, t.ctx, n.sample(0)), store.ErrNotFound)
				return nil
			})
			t.update(func(tx store.Tx) error {
				t.fails("Update"+n.name, n.update(tx, t.ctx, n.sample(0)), store.ErrNotFound)
				return nil
			})
		}},
	}
	for _, k := range n.keys[1:] {
		cs = append(cs,
			testCase{"update_to_a_taken_key_is_a_duplicate_of_" + k.field, func(t *trial) {
				n.seed(t, 2, 2)
				before := t.picture(realm)
				t.update(func(tx store.Tx) error {
					r := n.sample(0)
					k.copy(&r, n.sample(1))
					t.duplicate("Update"+n.name, n.update(tx, t.ctx, r), k.field)
					r = n.change(n.sample(0)) // with other keys changed too
					k.copy(&r, n.sample(1))
					t.duplicate("Update"+n.name, n.update(tx, t.ctx, r), k.field)
					return nil
				})
				t.samePicture("after the refused updates", realm, before)
			}},
			testCase{"stale_is_reported_before_a_duplicate_of_" + k.field, func(t *trial) {
				n.seed(t, 2, 2)
				t.update(func(tx store.Tx) error {
					r := n.stepped(n.sample(0), 1)
					k.copy(&r, n.sample(1))
					t.fails("Update"+n.name, n.update(tx, t.ctx, r), store.ErrStale)
					return nil
				})
			}},
			testCase{"update_frees_the_old_" + k.field, func(t *trial) {
				n.seed(t, 2, 2)
				t.update(func(tx store.Tx) error { return n.alter(t.ctx, tx, 0) })
				t.view(func(r store.Reader) error {
					_, err := k.find(r, t.ctx, n.sample(0))
					t.fails(n.name+" by its old "+k.field, err, store.ErrNotFound)
					return nil
				})
				late := n.sample(1)
				k.copy(&late, n.sample(0))
				t.update(func(tx store.Tx) error { return n.update(tx, t.ctx, late) })
				t.view(func(r store.Reader) error {
					got, err := k.find(r, t.ctx, n.sample(0))
					t.ok(n.name+" by the freed "+k.field, err)
					t.equal(n.name+" by the freed "+k.field, got, n.stepped(late, 1))
					return nil
				})
			}},
			testCase{"two_records_can_swap_their_" + k.field, func(t *trial) {
				n.seed(t, 2, 2)
				a, b, between := n.sample(0), n.sample(1), n.sample(0)
				k.copy(&between, n.change(n.sample(0)))
				k.copy(&a, n.sample(1))
				k.copy(&b, n.sample(0))
				t.update(func(tx store.Tx) error {
					return must(
						n.update(tx, t.ctx, between),
						n.update(tx, t.ctx, b),
						n.update(tx, t.ctx, n.stepped(a, 1)),
					)
				})
				t.view(func(r store.Reader) error {
					got, err := k.find(r, t.ctx, n.sample(1))
					t.ok(n.name+" by "+k.field, err)
					t.equal(n.name+" by "+k.field, got, n.stepped(a, 2))
					got, err = k.find(r, t.ctx, n.sample(0))
					t.ok(n.name+" by "+k.field, err)
					t.equal(n.name+" by "+k.field, got, n.stepped(b, 1))
					_, err = k.find(r, t.ctx, between)
					t.fails(n.name+" by the "+k.field+" in between", err, store.ErrNotFound)
					return nil
				})
			}},
		)
		if k.clear != nil {
			cs = append(cs, testCase{"update_can_empty_and_set_" + k.field, func(t *trial) {
				n.seed(t, 2, 2)
				bare := n.sample(0)
				k.clear(&bare)
				t.update(func(tx store.Tx) error { return n.update(tx, t.ctx, bare) })
				t.view(func(r store.Reader) error {
					_, err := k.find(r, t.ctx, n.sample(0))
					t.fails(n.name+" by its old "+k.field, err, store.ErrNotFound)
					t.equal(n.name, n.get(t, r, bare), n.stepped(bare, 1))
					return nil
				})
				t.update(func(tx store.Tx) error { return n.update(tx, t.ctx, n.stepped(n.sample(0), 1)) })
				t.view(func(r store.Reader) error {
					got, err := k.find(r, t.ctx, n.sample(0))
					t.ok(n.name+" by "+k.field, err)
					t.equal(n.name+" by "+k.field, got, n.stepped(n.sample(0), 2))
					return nil
				})
			}})
		}
	}
	if len(n.keys) > 2 {
		cs = append(cs, testCase{"duplicates_of_an_update_are_reported_in_order", func(t *trial) {
			n.seed(t, 3, 3)
			t.update(func(tx store.Tx) error {
				for i := 1; i < len(n.keys); i++ {
					for j := i + 1; j < len(n.keys); j++ {
						r := n.sample(0)
						n.keys[j].copy(&r, n.sample(1))
						n.keys[i].copy(&r, n.sample(2))
						t.duplicate("Update"+n.name, n.update(tx, t.ctx, r), n.keys[i].field)
					}
				}
				return nil
			})
		}})
	}
	return cs
}
