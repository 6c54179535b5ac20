package storetest

import (
	"errors"

	"github.com/usermgmt-go/usermgmt/store"
)

// unitCases are about a noun within units of work.
func (n noun[R]) unitCases() []testCase {
	// work creates the sample 3, changes 0 and deletes 1.
	work := func(t *trial, tx store.Tx) error {
		return must(n.create(tx, t.ctx, n.sample(3)), n.alter(t.ctx, tx, 0), n.drop(t.ctx, tx, 1))
	}
	// worked checks that it is done, by every key.
	worked := func(t *trial, where string, r store.Reader) {
		t.Helper()
		now := []R{n.sample(0), n.sample(2), n.sample(3)}
		if n.update != nil {
			now[0] = n.stepped(n.change(n.sample(0)), 1)
		}
		for i, k := range n.keys {
			call := n.name + " by " + k.field + " " + where
			for _, want := range now {
				got, err := k.find(r, t.ctx, want)
				t.ok(call, err)
				t.equal(call, got, want)
			}
			_, err := k.find(r, t.ctx, n.sample(1))
			t.fails(call+", deleted", err, store.ErrNotFound)
			if i > 0 && n.update != nil {
				_, err := k.find(r, t.ctx, n.sample(0))
				t.fails(call+", replaced", err, store.ErrNotFound)
			}
		}
	}
	return []testCase{
		{"unit_reads_its_own_writes_by_every_key", func(t *trial) {
			n.seed(t, 4, 3)
			t.update(func(tx store.Tx) error {
				err := work(t, tx)
				worked(t, "within the unit", tx)
				return err
			})
			t.view(func(r store.Reader) error {
				worked(t, "after the unit", r)
				return nil
			})
		}},
		{"rollback_takes_back_creation_update_and_deletion", func(t *trial) {
			n.seed(t, 4, 3)
			before := t.picture(realm)
			err := t.store.Update(t.ctx, realm, func(tx store.Tx) error {
				return errors.Join(work(t, tx), errWanted)
			})
			t.fails("Update", err, errWanted)
			t.samePicture("after the rolled-back unit", realm, before)
			// The keys that it took are free, and those that it freed are taken.
			t.update(func(tx store.Tx) error {
				for _, k := range n.keys {
					r := n.sample(3)
					k.copy(&r, n.sample(1))
					t.duplicate("Create"+n.name, n.create(tx, t.ctx, r), k.field)
				}
				return work(t, tx)
			})
			t.view(func(r store.Reader) error {
				worked(t, "when done again", r)
				return nil
			})
		}},
	}
}
