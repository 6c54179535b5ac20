package storetest

import (
	"maps"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

func (n noun[R]) createCases() []testCase {
	cs := []testCase{
		{"created_is_read_back_whole_by_every_key", func(t *trial) {
			n.seed(t, 3, 3)
			t.view(func(r store.Reader) error {
				for i := range 3 {
					for _, k := range n.keys {
						got, err := k.find(r, t.ctx, n.sample(i))
						if t.ok(n.name+" by "+k.field, err) {
							t.equal(n.name+" by "+k.field, got, n.sample(i))
						}
					}
				}
				return nil
			})
		}},
		{"absent_is_not_found_by_any_key", func(t *trial) {
			n.seed(t, 3, 2)
			t.view(func(r store.Reader) error {
				for _, k := range n.keys {
					got, err := k.find(r, t.ctx, n.sample(2))
					t.fails(n.name+" by "+k.field, err, store.ErrNotFound)
					var none R
					t.equal(n.name+" by "+k.field, got, none)
				}
				return nil
			})
		}},
	}
	if n.version != nil {
		cs = append(cs, testCase{"creation_stores_version_1_whatever_the_record_says", func(t *trial) {
			t.update(func(tx store.Tx) error { return n.base(t.ctx, tx, 4) })
			for i, v := range []int64{0, 7, -1, 1<<63 - 1} {
				t.update(func(tx store.Tx) error {
					r := n.sample(i)
					*n.version(&r) = v
					return n.create(tx, t.ctx, r)
				})
				t.view(func(r store.Reader) error {
					t.equal(n.name, n.get(t, r, n.sample(i)), n.sample(i))
					return nil
				})
			}
		}})
	}
	for i, k := range n.keys {
		cs = append(cs, testCase{"create_twice_is_a_duplicate_of_" + k.field, func(t *trial) {
			n.seed(t, 3, 2)
			before := t.picture(realm)
			t.update(func(tx store.Tx) error {
				late := n.sample(2)
				k.copy(&late, n.sample(0))
				t.duplicate("Create"+n.name, n.create(tx, t.ctx, late), k.field)
				return nil
			})
			t.samePicture("after the refused creation", realm, before)
		}})
		if i > 0 {
			cs = append(cs, testCase{"duplicates_before_" + k.field + "_are_reported_first", func(t *trial) {
				n.seed(t, 4, 3)
				t.update(func(tx store.Tx) error {
					for j := range i {
						late := n.sample(3)
						k.copy(&late, n.sample(0))
						n.keys[j].copy(&late, n.sample(1))
						t.duplicate("Create"+n.name, n.create(tx, t.ctx, late), n.keys[j].field)
					}
					return nil
				})
			}})
		}
		if k.clear != nil {
			cs = append(cs, testCase{"empty_" + k.field + "_is_no_duplicate_and_finds_nothing", func(t *trial) {
				t.update(func(tx store.Tx) error {
					err := n.base(t.ctx, tx, 3)
					for i := range 3 {
						r := n.sample(i)
						k.clear(&r)
						err = must(err, n.create(tx, t.ctx, r))
					}
					return err
				})
				t.view(func(r store.Reader) error {
					like := n.sample(0)
					k.clear(&like)
					_, err := k.find(r, t.ctx, like)
					t.fails(n.name+" by an empty "+k.field, err, store.ErrNotFound)
					t.equal(n.name, n.get(t, r, like), like)
					return nil
				})
			}})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.dangling)) {
		spoil := n.dangling[name]
		cs = append(cs, testCase{"dangling_" + name + "_is_not_found", func(t *trial) {
			n.seed(t, 3, 2)
			before := t.picture(realm)
			t.update(func(tx store.Tx) error {
				r := n.sample(2)
				spoil(&r)
				t.fails("Create"+n.name, n.create(tx, t.ctx, r), store.ErrNotFound)
				return nil
			})
			t.samePicture("after the refused creation", realm, before)
		}})
	}
	return cs
}

func (n noun[R]) deleteCases() []testCase {
	return []testCase{
		{"delete_of_absent_is_not_found", func(t *trial) {
			n.seed(t, 3, 2)
			before := t.picture(realm)
			t.update(func(tx store.Tx) error {
				t.fails("Delete"+n.name, n.remove(tx, t.ctx, n.sample(2)), store.ErrNotFound)
				return nil
			})
			t.samePicture("after the refused deletion", realm, before)
		}},
		{"deleted_is_found_by_no_key_and_others_stay", func(t *trial) {
			n.seed(t, 3, 3)
			t.update(func(tx store.Tx) error { return n.drop(t.ctx, tx, 1) })
			t.view(func(r store.Reader) error {
				for _, k := range n.keys {
					_, err := k.find(r, t.ctx, n.sample(1))
					t.fails(n.name+" by "+k.field, err, store.ErrNotFound)
					for _, i := range []int{0, 2} {
						got, err := k.find(r, t.ctx, n.sample(i))
						t.ok(n.name+" by "+k.field, err)
						t.equal(n.name+" by "+k.field, got, n.sample(i))
					}
				}
				return nil
			})
			t.update(func(tx store.Tx) error {
				t.fails("Delete"+n.name+" again", n.drop(t.ctx, tx, 1), store.ErrNotFound)
				return nil
			})
		}},
		{"deleted_frees_its_keys", func(t *trial) {
			n.seed(t, 3, 2)
			heir := n.sample(2)
			for _, k := range n.keys[1:] {
				k.copy(&heir, n.sample(0))
			}
			t.update(func(tx store.Tx) error { return n.drop(t.ctx, tx, 0) })
			t.update(func(tx store.Tx) error { return n.create(tx, t.ctx, heir) })
			t.view(func(r store.Reader) error {
				for _, k := range n.keys {
					got, err := k.find(r, t.ctx, heir)
					t.ok(n.name+" by "+k.field, err)
					t.equal(n.name+" by "+k.field, got, heir)
				}
				return nil
			})
		}},
		{"created_again_under_its_id_is_new", func(t *trial) {
			n.seed(t, 1, 1)
			if n.update != nil {
				t.update(func(tx store.Tx) error { return n.alter(t.ctx, tx, 0) })
			}
			t.update(func(tx store.Tx) error { return n.drop(t.ctx, tx, 0) })
			t.update(func(tx store.Tx) error { return n.create(tx, t.ctx, n.sample(0)) })
			t.view(func(r store.Reader) error {
				t.equal(n.name, n.get(t, r, n.sample(0)), n.sample(0))
				return nil
			})
		}},
		{"deleted_and_created_in_one_unit", func(t *trial) {
			n.seed(t, 1, 1)
			t.update(func(tx store.Tx) error {
				return must(n.drop(t.ctx, tx, 0), n.create(tx, t.ctx, n.sample(0)), n.drop(t.ctx, tx, 0), n.create(tx, t.ctx, n.sample(0)))
			})
			t.view(func(r store.Reader) error {
				for _, k := range n.keys {
					got, err := k.find(r, t.ctx, n.sample(0))
					t.ok(n.name+" by "+k.field, err)
					t.equal(n.name+" by "+k.field, got, n.sample(0))
				}
				return nil
			})
		}},
	}
}
