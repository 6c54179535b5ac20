package storetest

import (
	"fmt"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

func credentialCases() []testCase {
	seed := func(t *trial) {
		t.Helper()
		t.update(func(tx store.Tx) error { return memberBase(t.ctx, tx, 3) })
	}
	get := func(t *trial, n int, want store.Credential) {
		t.Helper()
		t.view(func(r store.Reader) error {
			got, err := r.Credential(t.ctx, userID(n))
			t.equal("Credential", got, want)
			return err
		})
	}
	version := func(c store.Credential, v int64) store.Credential {
		c.Version = v
		return c
	}
	put := func(t *trial, c store.Credential) {
		t.Helper()
		t.update(func(tx store.Tx) error { return tx.PutCredential(t.ctx, c) })
	}
	return []testCase{
		{"put_is_read_back_whole_with_version_1", func(t *trial) {
			seed(t)
			put(t, sampleCredential(0))
			get(t, 0, version(sampleCredential(0), 1))
			plain := store.Credential{UserID: userID(1), Hash: "x"}
			put(t, plain)
			get(t, 1, version(plain, 1))
		}},
		{"put_replaces_the_whole_record_and_steps_the_version", func(t *trial) {
			seed(t)
			put(t, sampleCredential(0))
			for v := range int64(3) {
				next := store.Credential{UserID: userID(0), Hash: fmt.Sprint(v), ChangedAt: changed, Version: v + 1}
				put(t, next)
				get(t, 0, version(next, v+2))
			}
		}},
		{"put_with_a_stale_version_is_refused_and_changes_nothing", func(t *trial) {
			seed(t)
			put(t, sampleCredential(0))
			put(t, version(sampleCredential(0), 1))
			for _, v := range []int64{0, 1, 3, -1, 2 + 1<<32, 1<<63 - 1} {
				t.update(func(tx store.Tx) error {
					c := version(sampleCredential(1), v)
					c.UserID = userID(0)
					t.fails(fmt.Sprintf("PutCredential of version %d over 2", v), tx.PutCredential(t.ctx, c), store.ErrStale)
					return nil
				})
			}
			get(t, 0, version(sampleCredential(0), 2))
		}},
		{"put_of_a_first_one_needs_version_0", func(t *trial) {
			seed(t)
			t.update(func(tx store.Tx) error {
				for _, v := range []int64{1, -1, 1 << 32} {
					err := tx.PutCredential(t.ctx, version(sampleCredential(0), v))
					t.fails(fmt.Sprintf("PutCredential of version %d over none", v), err, store.ErrStale)
				}
				_, err := tx.Credential(t.ctx, userID(0))
				t.fails("Credential", err, store.ErrNotFound)
				return nil
			})
		}},
		{"put_without_the_user_is_not_found", func(t *trial) {
			seed(t)
			t.update(func(tx store.Tx) error {
				t.fails("PutCredential", tx.PutCredential(t.ctx, sampleCredential(7)), store.ErrNotFound)
				_, err := tx.Credential(t.ctx, userID(7))
				t.fails("Credential", err, store.ErrNotFound)
				return nil
			})
		}},
		{"absent_is_not_found", func(t *trial) {
			seed(t)
			t.update(func(tx store.Tx) error {
				_, err := tx.Credential(t.ctx, userID(0))
				t.fails("Credential", err, store.ErrNotFound)
				t.fails("DeleteCredential", tx.DeleteCredential(t.ctx, userID(0)), store.ErrNotFound)
				t.fails("DeleteCredential", tx.DeleteCredential(t.ctx, "nobody"), store.ErrNotFound)
				return nil
			})
		}},
		{"deleted_is_gone_and_starts_anew", func(t *trial) {
			seed(t)
			put(t, sampleCredential(0))
			put(t, sampleCredential(1))
			t.update(func(tx store.Tx) error { return tx.DeleteCredential(t.ctx, userID(0)) })
			t.update(func(tx store.Tx) error {
				_, err := tx.Credential(t.ctx, userID(0))
				t.fails("Credential", err, store.ErrNotFound)
				t.fails("PutCredential", tx.PutCredential(t.ctx, version(sampleCredential(0), 1)), store.ErrStale)
				return tx.PutCredential(t.ctx, sampleCredential(0))
			})
			get(t, 0, version(sampleCredential(0), 1))
			get(t, 1, version(sampleCredential(1), 1))
		}},
		{"invalid_record_is_refused_and_nothing_written", func(t *trial) {
			seed(t)
			put(t, sampleCredential(0))
			sample := func() store.Credential { return version(sampleCredential(0), 1) }
			bad := append(spoilFields(sample),
				spoiled[store.Credential]{"no hash", "Hash", store.Credential{UserID: userID(0), Version: 1}},
				spoiled[store.Credential]{"no user", "UserID", store.Credential{Hash: "x", Version: 1}})
			t.update(func(tx store.Tx) error {
				for _, b := range bad {
					t.invalid("PutCredential with "+b.what, tx.PutCredential(t.ctx, b.record), b.field)
				}
				return nil
			})
			get(t, 0, sample())
		}},
		{"times_are_kept_to_the_microsecond", func(t *trial) {
			seed(t)
			for v, m := range moments {
				c := version(sampleCredential(0), int64(v))
				c.ChangedAt, c.ExpiresAt = m, m
				put(t, c)
				get(t, 0, version(c, int64(v)+1))
			}
		}},
		{"unit_reads_its_own_writes_and_rollback_takes_them_back", func(t *trial) {
			seed(t)
			put(t, sampleCredential(0))
			before := t.picture(realm)
			err := t.store.Update(t.ctx, realm, func(tx store.Tx) error {
				err := must(tx.PutCredential(t.ctx, sampleCredential(1)), tx.DeleteCredential(t.ctx, userID(0)))
				got, errC := tx.Credential(t.ctx, userID(1))
				t.equal("Credential within the unit", got, version(sampleCredential(1), 1))
				_, gone := tx.Credential(t.ctx, userID(0))
				t.fails("Credential within the unit", gone, store.ErrNotFound)
				return must(err, errC, errWanted)
			})
			t.fails("Update", err, errWanted)
			t.samePicture("after the rollback", realm, before)
		}},
		{"user_update_leaves_it_alone", func(t *trial) {
			seed(t)
			put(t, sampleCredential(0))
			t.update(func(tx store.Tx) error { return tx.UpdateUser(t.ctx, changeUser(sampleUser(0))) })
			get(t, 0, version(sampleCredential(0), 1))
		}},
		{"one_of_64_sets_the_first_password", func(t *trial) {
			seed(t)
			errs := race(64, func(i int) error {
				return t.store.Update(t.ctx, realm, func(tx store.Tx) error {
					c := sampleCredential(0)
					c.ChangedAt = created.Add(time.Duration(i) * time.Second)
					return tx.PutCredential(t.ctx, c)
				})
			})
			won := oneWinner(t, "PutCredential", errs, store.ErrStale)
			c := version(sampleCredential(0), 1)
			c.ChangedAt = created.Add(time.Duration(won) * time.Second)
			get(t, 0, c)
		}},
	}
}
