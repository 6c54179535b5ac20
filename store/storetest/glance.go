package storetest

import (
	"context"
	"errors"
	"reflect"
	"sync"

	"github.com/usermgmt-go/usermgmt/store"
)

// glance reads by the store's Glance, or by its View if it has none.
func (t *trial) glance(fn func(r store.Reader) error) {
	t.Helper()
	t.ok("Glance", store.Glance(t.ctx, t.store, realm, fn))
}

func glanceCases() []testCase {
	return []testCase{
		{"finds_what_a_view_finds", func(t *trial) {
			compare := func() {
				for _, q := range queries() {
					var want, got any
					var wantErr, gotErr error
					t.view(func(r store.Reader) error { want, wantErr = q.ask(t.ctx, r); return nil })
					t.glance(func(r store.Reader) error {
						if got, gotErr = q.ask(t.ctx, r); errors.Is(gotErr, store.ErrGlance) {
							return gotErr
						}
						return nil
					})
					t.equal(q.name, got, want)
					if !errors.Is(gotErr, wantErr) && !agree(gotErr, wantErr) {
						t.Errorf("%s: got error %v, want %v", q.name, gotErr, wantErr)
					}
				}
			}
			compare() // nothing is there
			t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
			compare()
		}},
		{"finds_nothing_by_what_is_no_text", func(t *trial) {
			t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
			for _, id := range []store.UserID{"", "a\x00", "\xff"} {
				t.glance(func(r store.Reader) error {
					_, err := r.User(t.ctx, id)
					if errors.Is(err, store.ErrGlance) {
						return err
					}
					t.fails("User", err, store.ErrNotFound)
					return nil
				})
			}
		}},
		{"whoever_reads_more_is_answered_by_a_view", func(t *trial) {
			t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
			var names []string
			t.glance(func(r store.Reader) error {
				names = nil
				for i := range 3 {
					u, err := r.User(t.ctx, userID(i))
					if err != nil {
						return err
					}
					names = append(names, u.UsernameKey)
				}
				return nil
			})
			t.equal("users", names, []string{sampleUser(0).UsernameKey, sampleUser(1).UsernameKey, sampleUser(2).UsernameKey})
		}},
		{"a_refusal_is_not_lost_on_the_way", func(t *trial) {
			t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
			for _, q := range queries() {
				var first, second error
				err := store.Glance(t.ctx, t.store, realm, func(r store.Reader) error {
					_, first = r.User(t.ctx, userID(0))
					_, second = q.ask(t.ctx, r)
					return nil
				})
				t.ok("Glance", err)
				t.ok("User", first)
				if q.name == "Generation" && errors.Is(second, errors.ErrUnsupported) {
					continue // as it is for this store
				}
				t.ok(q.name+" after a User", second)
			}
		}},
		{"generation_is_of_the_record_s_moment", func(t *trial) {
			t.generation()
			t.update(func(tx store.Tx) error { return tx.CreateRole(t.ctx, sampleRole(0)) })
			var mu sync.Mutex
			generations := map[int64]map[uint64]bool{} // by the role's version
			errs := race(4, func(i int) error {
				for v := range 40 {
					if i == 0 {
						r := sampleRole(0)
						r.Version = int64(v) + 1
						if err := t.store.Update(t.ctx, realm, func(tx store.Tx) error { return tx.UpdateRole(t.ctx, r) }); err != nil {
							return err
						}
						continue
					}
					var role store.Role
					var generation uint64
					err := store.Glance(t.ctx, t.store, realm, func(r store.Reader) (err error) {
						if role, err = r.Role(t.ctx, roleID(0)); err != nil {
							return err
						}
						generation, err = r.Generation(t.ctx)
						return err
					})
					if err != nil {
						return err
					}
					mu.Lock()
					if generations[role.Version] == nil {
						generations[role.Version] = map[uint64]bool{}
					}
					generations[role.Version][generation] = true
					mu.Unlock()
				}
				return nil
			})
			t.ok("glances beside updates", must(errs...))
			for version, found := range generations {
				if len(found) != 1 {
					t.Errorf("Generation beside version %d of a role that each update changes: got %v, want one", version, found)
				}
			}
		}},
		{"does_not_see_an_earlier_moment_than_the_last_commit", func(t *trial) {
			t.generation()
			t.update(func(tx store.Tx) error { return tx.CreateRole(t.ctx, sampleRole(0)) })
			for v := range int64(5) {
				r := sampleRole(0)
				r.Version = v + 1
				t.update(func(tx store.Tx) error { return tx.UpdateRole(t.ctx, r) })
				want := t.generation()
				t.glance(func(rd store.Reader) error {
					role, err := rd.Role(t.ctx, roleID(0))
					if err != nil {
						return err
					}
					g, err := rd.Generation(t.ctx)
					if err != nil {
						return err
					}
					t.equal("Role.Version", role.Version, v+2)
					t.equal("Generation", g, want)
					return nil
				})
			}
		}},
		{"passes_on_errors_and_ends_with_its_context", func(t *trial) {
			err := store.Glance(t.ctx, t.store, realm, func(store.Reader) error { return errWanted })
			t.equal("error of fn", err, errWanted)
			t.fails("Glance of a malformed realm", store.Glance(t.ctx, t.store, "no realm", func(store.Reader) error { return nil }), store.ErrInvalid)
			var kept store.Reader
			t.glance(func(r store.Reader) error { kept = r; return nil })
			_, err = kept.User(t.ctx, userID(0))
			t.fails("User after the glance", err, store.ErrDone)
			ctx, cancel := context.WithCancel(t.ctx)
			cancel()
			err = store.Glance(ctx, t.store, realm, func(r store.Reader) error {
				_, err := r.User(ctx, userID(0))
				return err
			})
			t.equal("error of a done context", reflect.DeepEqual(err, context.Canceled), true)
			t.ok("Close", t.store.Close())
			t.fails("Glance", store.Glance(t.ctx, t.store, realm, func(store.Reader) error { return nil }), store.ErrClosed)
		}},
	}
}
