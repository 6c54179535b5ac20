package storetest

import (
	"errors"

	"github.com/usermgmt-go/usermgmt/store"
)

func failuresCases() []testCase {
	get := func(t *trial, n int, want store.Failures) {
		t.Helper()
		t.view(func(r store.Reader) error {
			got, err := r.Failures(t.ctx, sampleFailures(n).Key)
			t.equal("Failures", got, want)
			return err
		})
	}
	put := func(t *trial, f store.Failures) {
		t.Helper()
		t.update(func(tx store.Tx) error { return tx.PutFailures(t.ctx, f) })
	}
	// count adds one to the record of a key, as the engine does.
	count := func(t *trial, tx store.Tx, key store.Digest) error {
		f, err := tx.Failures(t.ctx, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return tx.PutFailures(t.ctx, store.Failures{Key: key, Count: f.Count + 1, ExpiresAt: expires})
	}
	return []testCase{
		{"put_is_read_back_whole", func(t *trial) {
			put(t, sampleFailures(0))
			get(t, 0, sampleFailures(0))
			least := store.Failures{Key: sampleFailures(1).Key, Count: 1, ExpiresAt: expires}
			put(t, least)
			get(t, 1, least)
			get(t, 0, sampleFailures(0))
		}},
		{"put_replaces_the_whole_record", func(t *trial) {
			put(t, sampleFailures(0))
			put(t, changeFailures(sampleFailures(0)))
			get(t, 0, changeFailures(sampleFailures(0)))
			t.update(func(tx store.Tx) error { // also where the unit has read it
				_, err := tx.Failures(t.ctx, sampleFailures(0).Key)
				return must(err, tx.PutFailures(t.ctx, sampleFailures(0)))
			})
			get(t, 0, sampleFailures(0))
		}},
		{"absent_is_not_found", func(t *trial) {
			put(t, sampleFailures(0))
			t.update(func(tx store.Tx) error {
				for _, key := range []store.Digest{sampleFailures(1).Key, {}, {31: 1}} {
					got, err := tx.Failures(t.ctx, key)
					t.fails("Failures", err, store.ErrNotFound)
					t.equal("Failures", got, store.Failures{})
					t.fails("DeleteFailures", tx.DeleteFailures(t.ctx, key), store.ErrNotFound)
				}
				return nil
			})
			get(t, 0, sampleFailures(0))
		}},
		{"deleted_is_gone_and_starts_anew", func(t *trial) {
			put(t, sampleFailures(0))
			put(t, sampleFailures(1))
			key := sampleFailures(0).Key
			t.update(func(tx store.Tx) error { return tx.DeleteFailures(t.ctx, key) })
			t.update(func(tx store.Tx) error {
				_, err := tx.Failures(t.ctx, key)
				t.fails("Failures", err, store.ErrNotFound)
				return must(tx.PutFailures(t.ctx, sampleFailures(0)), tx.DeleteFailures(t.ctx, key), count(t, tx, key))
			})
			get(t, 0, store.Failures{Key: key, Count: 1, ExpiresAt: expires})
			get(t, 1, sampleFailures(1))
		}},
		{"put_where_none_was_and_again_after_a_sweep", func(t *trial) {
			key := sampleFailures(0).Key
			t.update(func(tx store.Tx) error {
				_, err := tx.Failures(t.ctx, key)
				t.fails("Failures", err, store.ErrNotFound)
				if err := tx.PutFailures(t.ctx, changeFailures(sampleFailures(0))); err != nil {
					return err
				}
				_, err = tx.DeleteExpired(t.ctx, created, 10)
				return must(err, tx.PutFailures(t.ctx, sampleFailures(0)))
			})
			get(t, 0, sampleFailures(0))
		}},
		{"expired_ones_are_found", func(t *trial) {
			old := sampleFailures(0)
			old.ExpiresAt = created
			put(t, old)
			get(t, 0, old)
		}},
		{"invalid_record_is_refused_and_nothing_written", func(t *trial) {
			put(t, sampleFailures(0))
			bad := spoilFields(func() store.Failures { return sampleFailures(0) })
			for field, spoil := range map[string]func(*store.Failures){
				"Key":       func(f *store.Failures) { f.Key = store.Digest{} },
				"Count":     func(f *store.Failures) { f.Count = 0 },
				"ExpiresAt": func(f *store.Failures) { f.ExpiresAt = store.Time{} },
			} {
				f := sampleFailures(0)
				spoil(&f)
				bad = append(bad, spoiled[store.Failures]{"a broken " + field, field, f})
			}
			t.update(func(tx store.Tx) error {
				for _, b := range bad {
					t.invalid("PutFailures with "+b.what, tx.PutFailures(t.ctx, b.record), b.field)
				}
				return nil
			})
			get(t, 0, sampleFailures(0))
		}},
		{"times_are_kept_to_the_microsecond", func(t *trial) {
			for _, m := range moments {
				f := sampleFailures(0)
				f.Until = m
				if !m.IsZero() {
					f.ExpiresAt = m
				}
				put(t, f)
				get(t, 0, f)
			}
		}},
		{"unit_reads_its_own_writes_and_rollback_takes_them_back", func(t *trial) {
			put(t, sampleFailures(0))
			put(t, sampleFailures(1))
			before := t.picture(realm)
			next := changeFailures(sampleFailures(0))
			err := t.store.Update(t.ctx, realm, func(tx store.Tx) error {
				err := must(tx.PutFailures(t.ctx, next), tx.PutFailures(t.ctx, sampleFailures(2)), tx.DeleteFailures(t.ctx, sampleFailures(1).Key))
				for _, want := range []store.Failures{next, sampleFailures(2)} {
					got, errF := tx.Failures(t.ctx, want.Key)
					t.ok("Failures within the unit", errF)
					t.equal("Failures within the unit", got, want)
				}
				_, gone := tx.Failures(t.ctx, sampleFailures(1).Key)
				t.fails("Failures within the unit", gone, store.ErrNotFound)
				return must(err, errWanted)
			})
			t.fails("Update", err, errWanted)
			t.samePicture("after the rollback", realm, before)
		}},
		{"none_of_64_is_lost", func(t *trial) {
			key := sampleFailures(0).Key
			t.ok("Update", must(race(64, func(int) error {
				return t.store.Update(t.ctx, realm, func(tx store.Tx) error { return count(t, tx, key) })
			})...))
			get(t, 0, store.Failures{Key: key, Count: 64, ExpiresAt: expires})
		}},
		{"none_of_64_is_lost_under_a_lock", func(t *trial) {
			key := sampleFailures(0).Key
			t.ok("Update", must(race(64, func(int) error {
				return t.store.Update(t.ctx, realm, func(tx store.Tx) error {
					return must(tx.Lock(t.ctx, "failures"), count(t, tx, key))
				})
			})...))
			get(t, 0, store.Failures{Key: key, Count: 64, ExpiresAt: expires})
		}},
	}
}
