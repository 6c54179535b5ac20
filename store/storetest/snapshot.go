package storetest

import (
	"errors"
	"reflect"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// chance is how long a case waits for something that must not happen, or need
// not. Nothing fails because it is over.
const chance = 60 * time.Millisecond

// whileViewing runs fn in a unit of work beside a view, gives it a chance to
// commit, and runs check before and after in the view. A store may let the
// unit wait for the view to end.
func whileViewing(t *trial, fn func(tx store.Tx) error, check func(r store.Reader)) {
	t.Helper()
	done := make(chan error, 1)
	t.view(func(r store.Reader) error {
		check(r)
		go func() { done <- t.store.Update(t.ctx, realm, fn) }()
		select {
		case err := <-done:
			done <- err
		case <-time.After(chance):
		}
		check(r)
		return nil
	})
	t.ok("Update beside a view", <-done)
}

func snapshotCases() []testCase {
	return []testCase{
		{"view_does_not_see_what_commits_meanwhile", func(t *trial) {
			t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
			before := t.picture(realm)
			whileViewing(t, func(tx store.Tx) error { return stir(t.ctx, tx) }, func(r store.Reader) {
				got, err := take(t.ctx, r)
				t.ok("reading the realm", err)
				for _, k := range before.keys() {
					if !reflect.DeepEqual(got[k], before[k]) {
						t.Errorf("within the view: %s\n got: %+v\nwant: %+v", k, got[k], before[k])
					}
				}
			})
			t.equal("the realm after the unit is as before", reflect.DeepEqual(t.picture(realm), before), false)
		}},
		{"view_that_reads_late_sees_one_moment", func(t *trial) {
			t.update(func(tx store.Tx) error {
				return must(tx.CreateUser(t.ctx, plainUser("a")), tx.CreateRole(t.ctx, sampleRole(0)))
			})
			first := true
			whileViewing(t, func(tx store.Tx) error {
				return must(tx.DeleteUser(t.ctx, "a"), tx.DeleteRole(t.ctx, roleID(0)))
			}, func(r store.Reader) {
				if first { // the role is read only afterwards
					_, err := r.User(t.ctx, "a")
					t.ok("User", err)
					first = false
					return
				}
				_, err := r.Role(t.ctx, roleID(0))
				t.ok("Role, deleted with the user that was seen", err)
			})
		}},
		{"view_keeps_its_generation", func(t *trial) {
			if _, err := t.store.Generation(t.ctx, realm); errors.Is(err, errors.ErrUnsupported) {
				t.Skip("this store has no generations")
			}
			t.update(func(tx store.Tx) error { return tx.CreateRole(t.ctx, sampleRole(0)) })
			var seen []uint64
			whileViewing(t, func(tx store.Tx) error { return tx.UpdateRole(t.ctx, changeRole(sampleRole(0))) }, func(r store.Reader) {
				g, err := r.Generation(t.ctx)
				t.ok("Generation", err)
				seen = append(seen, g)
			})
			t.equal("Reader.Generation at the end of the view", seen[1], seen[0])
		}},
		{"view_that_asks_late_has_the_generation_of_its_moment", func(t *trial) {
			before := t.generation()
			t.update(func(tx store.Tx) error { return tx.CreateRole(t.ctx, sampleRole(0)) })
			first := true
			whileViewing(t, func(tx store.Tx) error { return tx.UpdateRole(t.ctx, changeRole(sampleRole(0))) }, func(r store.Reader) {
				_, err := r.Role(t.ctx, roleID(0))
				t.ok("Role", err)
				if first {
					first = false
					return
				}
				t.generation() // the store may remember the new one
				g, err := r.Generation(t.ctx)
				t.ok("Generation", err)
				t.equal("Reader.Generation", g, before)
			})
		}},
		{"view_does_not_see_an_unfinished_unit", func(t *trial) {
			wrote, finish := make(chan struct{}), make(chan struct{})
			done := make(chan error, 1)
			go func() {
				first := true
				done <- t.store.Update(t.ctx, realm, func(tx store.Tx) error {
					err := tx.CreateUser(t.ctx, plainUser("a"))
					if first {
						first = false
						close(wrote)
					}
					<-finish
					return err
				})
			}()
			<-wrote
			seen := make(chan error, 1)
			go func() {
				seen <- t.store.View(t.ctx, realm, func(r store.Reader) error {
					_, err := r.User(t.ctx, "a")
					return err
				})
			}()
			select {
			case err := <-seen: // the view did not wait for the unit
				t.fails("User of an unfinished unit", err, store.ErrNotFound)
				close(finish)
			case <-time.After(chance): // it does: then it sees the unit whole
				close(finish)
				t.ok("User of the finished unit", <-seen)
			}
			t.ok("Update", <-done)
		}},
		{"update_beside_a_view_in_another_goroutine_commits", func(t *trial) {
			ended := make(chan error, 2)
			entered, leave := make(chan struct{}), make(chan struct{})
			go func() {
				ended <- t.store.View(t.ctx, realm, func(store.Reader) error {
					close(entered)
					<-leave
					return nil
				})
			}()
			<-entered
			go func() {
				ended <- t.store.Update(t.ctx, realm, func(tx store.Tx) error { return tx.CreateUser(t.ctx, plainUser("a")) })
			}()
			select {
			case err := <-ended: // it did not wait for the view
				ended <- err
			case <-time.After(chance):
			}
			close(leave)
			t.ok("View and Update", must(<-ended, <-ended))
			t.view(func(r store.Reader) error {
				_, err := r.User(t.ctx, "a")
				return err
			})
		}},
	}
}
