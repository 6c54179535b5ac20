package storetest

import (
	"context"
	"errors"
	"path"
	"reflect"
	"sync"
	"testing"

	"github.com/usermgmt-go/usermgmt/store"
)

// Joined is a transaction of a host's, on a backend that is empty but for it.
type Joined struct {
	// Store has joined the transaction.
	Store store.Store
	// Outside is a store on the same data that has not.
	Outside store.Store
	// Commit and Rollback end the transaction, as the host does: not through
	// Store. The suite calls one of them, once, and from the goroutine that
	// has used Store.
	Commit, Rollback func() error
}

// RunJoined proves the stores that join a host's transaction, which begin makes:
// it calls begin for each case, from several goroutines at once, and closes
// Store and Outside at its end.
//
//	func TestIn(t *testing.T) {
//		storetest.RunJoined(t, func(t testing.TB) storetest.Joined {
//			s, db := open(t)
//			tx, err := db.Begin()
//			require.NoError(t, err)
//			return storetest.Joined{Store: mystore.In(tx), Outside: s, Commit: tx.Commit, Rollback: tx.Rollback}
//		})
//	}
//
// The cases are those of [Run], each in one transaction, and twice: in
// Committed the host commits in the end, and all that the case has left must be
// seen outside; in RolledBack it rolls back, and nothing may be there. Cases
// about several units at a time are skipped, with the reason. What only joined
// stores promise is in Joined. With -short each case ends in one of the two
// ways, and groups that are about queries rather than units are left to Run.
func RunJoined(t *testing.T, begin func(t testing.TB) Joined) {
	for _, commit := range []bool{true, false} {
		name := map[bool]string{true: "Committed", false: "RolledBack"}[commit]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && !commit {
				t.Skip("-short: the cases of a transaction that is rolled back are those of one that is committed")
			}
			for _, g := range groups() {
				t.Run(g.name, func(t *testing.T) {
					t.Parallel()
					for i, c := range g.cases {
						t.Run(c.name, func(t *testing.T) {
							t.Parallel()
							if reason := apart(g.name + "/" + c.name); reason != "" {
								t.Skip(reason)
							}
							if testing.Short() && (aboutQueries[g.name] || commit != (i%2 == 0)) {
								t.Skip("with -short each case ends in one way, and those about queries are left to Run")
							}
							c.proveJoined(t, begin, commit)
						})
					}
				})
			}
		})
	}
	t.Run("Joined", func(t *testing.T) {
		t.Parallel()
		for _, c := range joinedCases() {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.prove(t, begin)
			})
		}
	})
}

// separate are the cases that make no sense in one transaction, as patterns of
// path.Match, and why.
var separate = []struct{ pattern, reason string }{
	{"Concurrency/*", "a transaction runs one unit at a time"},
	{"*/one_of_64_*", "a transaction runs one unit at a time"},
	{"*/none_of_64_*", "a transaction runs one unit at a time"},
	{"Event/tailing_*", "a transaction runs one unit at a time"},
	{"Snapshot/*", "a transaction runs one unit at a time"},
	{"Generation/*", "a joined store has no generations"},
	{"Cancellation/waiter_*", "a transaction runs one unit at a time"},
	{"Lifetime/close_waits_*", "closing a joined store does not wait"},
	{"Unit/committed_is_seen_by_whoever_comes_after", "nothing is committed before the host does it"},
	{"Isolation/a_lock_holds_in_its_realm_alone", "a transaction runs one unit at a time"},
}

// aboutQueries are the groups that run without -short alone.
var aboutQueries = map[string]bool{
	"Isolation": true, "Text": true, "Number": true, "Model": true, "UserQuery": true, "UserSearch": true, "UserOrder": true,
}

// apart returns why the case of that name cannot be proved in one transaction,
// or "".
func apart(name string) string {
	for _, s := range separate {
		if ok, err := path.Match(s.pattern, name); ok || err != nil {
			return s.reason
		}
	}
	return ""
}

// witness is a store that notes which realms it was used for.
type witness struct {
	store.Store

	mu     sync.Mutex
	realms map[store.Realm]bool
}

func (w *witness) note(r store.Realm) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.Check() == nil {
		w.realms[r] = true
	}
}

func (w *witness) View(ctx context.Context, r store.Realm, fn func(store.Reader) error) error {
	w.note(r)
	return w.Store.View(ctx, r, fn)
}

func (w *witness) Update(ctx context.Context, r store.Realm, fn func(store.Tx) error) error {
	w.note(r)
	return w.Store.Update(ctx, r, fn)
}

// proveJoined runs the case in a transaction, ends that, and compares what is
// there with what the transaction saw.
func (c testCase) proveJoined(t testing.TB, begin func(testing.TB) Joined, commit bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	j := begin(t)
	w := &witness{Store: j.Store, realms: map[store.Realm]bool{}}
	inside, outside := &trial{TB: t, store: w, ctx: ctx}, &trial{TB: t, store: j.Outside, ctx: ctx}
	t.Cleanup(func() { // also where the case has skipped itself
		defer closing(t, "the store outside", j.Outside)
		if !commit {
			closing(t, "the joined store", j.Store)
			outside.ok("Rollback", j.Rollback())
			empty := newModel().picture(outside)
			for r := range w.realms {
				outside.samePicture("after the rollback, in realm "+string(r), r, empty)
			}
			return
		}
		left := inside.pictures(w.realms)
		closing(t, "the joined store", j.Store)
		outside.ok("Commit", j.Commit())
		for r, want := range left {
			outside.samePicture("after the commit, in realm "+string(r), r, want)
		}
	})
	c.run(inside)
}

// pictures returns those of the realms, or none if the case has closed its store.
func (t *trial) pictures(realms map[store.Realm]bool) map[store.Realm]picture {
	t.Helper()
	ps := map[store.Realm]picture{}
	for r := range realms {
		var p picture
		err := t.store.View(t.ctx, r, func(r store.Reader) (err error) {
			p, err = take(t.ctx, r)
			return err
		})
		switch {
		case err == nil:
			ps[r] = p
		case !errors.Is(err, store.ErrClosed):
			t.Errorf("View at the end of the case: got %v, want nil", err)
		}
	}
	return ps
}

func closing(t testing.TB, what string, s store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close of %s: got %v, want nil", what, err)
	}
}

// joinedCase is one clause about joined stores.
type joinedCase struct {
	name string
	// run gets trials of the joined store and of the one outside, and the
	// transaction, which it may end.
	run func(in, out *trial, j Joined)
}

// prove runs the case, and rolls back what it has not ended.
func (c joinedCase) prove(t testing.TB, begin func(testing.TB) Joined) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	j := begin(t)
	ended := false
	end := func(how func() error) func() error {
		return func() error { ended = true; return how() }
	}
	commit, rollback := end(j.Commit), end(j.Rollback)
	t.Cleanup(func() {
		if !ended {
			_ = rollback()
		}
		closing(t, "the joined store", j.Store)
		closing(t, "the store outside", j.Outside)
	})
	c.run(&trial{TB: t, store: j.Store, ctx: ctx}, &trial{TB: t, store: j.Outside, ctx: ctx},
		Joined{Store: j.Store, Outside: j.Outside, Commit: commit, Rollback: rollback})
}

func joinedCases() []joinedCase {
	user := func(t *trial, id string) {
		t.Helper()
		t.update(func(tx store.Tx) error { return tx.CreateUser(t.ctx, plainUser(id)) })
	}
	// find looks for users by id, and returns those that are there.
	find := func(t *trial, ids ...store.UserID) []string {
		t.Helper()
		var got []string
		t.view(func(r store.Reader) error {
			us, err := r.UsersByID(t.ctx, ids)
			got = userIDs(us)
			return err
		})
		return got
	}
	return []joinedCase{
		{"nothing_is_seen_outside_before_the_commit", func(in, out *trial, j Joined) {
			user(in, "a")
			in.update(func(tx store.Tx) error { return tx.AppendEvent(in.ctx, sampleEvent(0)) })
			// It may have to wait for the transaction.
			ctx, cancel := context.WithTimeout(out.ctx, chance)
			defer cancel()
			err := out.store.View(ctx, realm, func(r store.Reader) error {
				_, err := r.User(ctx, "a")
				out.fails("User before the commit", err, store.ErrNotFound)
				es, err := r.Events(ctx, 0, 9)
				out.equal("Events before the commit", len(es), 0)
				return err
			})
			if err != nil {
				out.fails("View before the commit", err, context.DeadlineExceeded)
			}
			out.ok("Commit", j.Commit())
			out.equal("users after the commit", find(out, "a"), []string{"a"})
		}},
		{"units_see_each_other_and_commit_together", func(in, out *trial, j Joined) {
			in.update(func(tx store.Tx) error { return world(in.ctx, tx) })
			in.updateIn(other, func(tx store.Tx) error { return world(in.ctx, tx) })
			in.update(func(tx store.Tx) error { return stir(in.ctx, tx) })
			main, second := in.picture(realm), in.picture(other)
			out.equal("the realms differ", reflect.DeepEqual(main, second), false)
			out.ok("Commit", j.Commit())
			out.samePicture("after the commit", realm, main)
			out.samePicture("after the commit", other, second)
			out.update(func(tx store.Tx) error { return tx.CreateUser(out.ctx, plainUser("next")) }) // and goes on from there
		}},
		{"rollback_of_the_host_leaves_nothing_of_any_unit", func(in, out *trial, j Joined) {
			empty := newModel().picture(out)
			in.update(func(tx store.Tx) error { return world(in.ctx, tx) })
			in.update(func(tx store.Tx) error { return stir(in.ctx, tx) })
			in.updateIn(other, func(tx store.Tx) error { return world(in.ctx, tx) })
			out.ok("Rollback", j.Rollback())
			out.samePicture("after the rollback", realm, empty)
			out.samePicture("after the rollback", other, empty)
			out.update(func(tx store.Tx) error { return world(out.ctx, tx) }) // its keys are free
		}},
		{"failed_units_leave_the_transaction_what_it_had", func(in, out *trial, j Joined) {
			user(in, "a")
			before := in.picture(realm)
			boom := func(tx store.Tx) error { return must(world(in.ctx, tx), tx.DeleteUser(in.ctx, "a")) }
			in.fails("Update", in.store.Update(in.ctx, realm, func(tx store.Tx) error { return must(boom(tx), errWanted) }), errWanted)
			in.samePicture("after the unit that failed", realm, before)
			got := panicOf(func() {
				_ = in.store.Update(in.ctx, realm, func(tx store.Tx) error {
					in.ok("the writes of the unit", boom(tx))
					panic("of the unit")
				})
			})
			in.equal("the value of the panic", got, any("of the unit"))
			in.samePicture("after the unit that panicked", realm, before)
			ctx, cancel := context.WithCancel(in.ctx)
			err := in.store.Update(ctx, realm, func(tx store.Tx) error {
				defer cancel()
				return boom(tx)
			})
			in.fails("Update", err, context.Canceled)
			in.samePicture("after the unit that was cancelled", realm, before)
			user(in, "b")
			out.ok("Commit", j.Commit())
			out.equal("users after the commit", find(out, "a", "b", userID(0)), []string{"a", "b"})
		}},
		{"generation_is_unsupported", func(in, _ *trial, _ Joined) {
			_, err := in.store.Generation(in.ctx, realm)
			in.fails("Generation", err, errors.ErrUnsupported)
			in.update(func(tx store.Tx) error {
				err := tx.PutPermission(in.ctx, "things.do")
				_, none := tx.Generation(in.ctx)
				in.fails("Tx.Generation", none, errors.ErrUnsupported)
				return err
			})
			in.view(func(r store.Reader) error {
				_, none := r.Generation(in.ctx)
				in.fails("Reader.Generation", none, errors.ErrUnsupported)
				return nil
			})
		}},
		{"commit_changes_the_generation_outside", func(in, out *trial, j Joined) {
			before := out.generation()
			in.update(func(tx store.Tx) error {
				return must(tx.CreateRole(in.ctx, sampleRole(0)), tx.UpdateRole(in.ctx, changeRole(sampleRole(0))))
			})
			out.equal("Generation before the commit", out.generation(), before)
			out.ok("Commit", j.Commit())
			if after := out.generation(); after == before {
				out.Errorf("Generation after the commit: got %d again, want another", after)
			}
		}},
		{"rollback_leaves_the_generation_outside", func(in, out *trial, j Joined) {
			before := out.generation()
			in.update(func(tx store.Tx) error {
				return must(tx.CreateRole(in.ctx, sampleRole(0)), tx.UpdateRole(in.ctx, changeRole(sampleRole(0))))
			})
			out.ok("Rollback", j.Rollback())
			out.equal("Generation after the rollback", out.generation(), before)
		}},
		{"events_are_numbered_on_after_the_commit", func(in, out *trial, j Joined) {
			event := func(t *trial, n int) {
				t.update(func(tx store.Tx) error { return tx.AppendEvent(t.ctx, sampleEvent(n)) })
			}
			event(in, 0)
			event(in, 1)
			_ = in.store.Update(in.ctx, realm, func(tx store.Tx) error { return must(tx.AppendEvent(in.ctx, sampleEvent(2)), errWanted) })
			event(in, 3)
			out.ok("Commit", j.Commit())
			event(out, 4)
			out.view(func(r store.Reader) error {
				es, err := r.Events(out.ctx, 0, 9)
				var actions []string
				last := int64(0)
				for _, e := range es {
					if e.Seq <= last {
						out.Errorf("Events: got number %d after %d, want a greater one", e.Seq, last)
					}
					last = e.Seq
					actions = append(actions, e.Action)
				}
				var want []string
				for _, n := range []int{0, 1, 3, 4} {
					want = append(want, sampleEvent(n).Action)
				}
				out.equal("actions of the events", actions, want)
				return err
			})
		}},
		{"unit_within_a_unit_is_refused_at_once", func(in, out *trial, j Joined) {
			ran := false
			in.update(func(tx store.Tx) error {
				err := tx.CreateUser(in.ctx, plainUser("a"))
				in.fails("Update within an Update", in.store.Update(in.ctx, realm, func(store.Tx) error { ran = true; return nil }), store.ErrBusy)
				in.fails("View within an Update", in.store.View(in.ctx, other, func(store.Reader) error { ran = true; return nil }), store.ErrBusy)
				return must(err, tx.CreateUser(in.ctx, plainUser("b")))
			})
			in.view(func(store.Reader) error {
				in.fails("Update within a View", in.store.Update(in.ctx, realm, func(store.Tx) error { ran = true; return nil }), store.ErrBusy)
				return nil
			})
			in.equal("fn ran", ran, false)
			user(in, "c")
			out.ok("Commit", j.Commit())
			out.equal("users after the commit", find(out, "a", "b", "c"), []string{"a", "b", "c"})
		}},
		{"close_leaves_the_transaction_to_the_host", func(in, out *trial, j Joined) {
			user(in, "a")
			in.ok("Close", j.Store.Close())
			in.fails("Update", in.store.Update(in.ctx, realm, func(store.Tx) error { return nil }), store.ErrClosed)
			in.fails("View", in.store.View(in.ctx, realm, func(store.Reader) error { return nil }), store.ErrClosed)
			out.ok("Commit", j.Commit())
			out.equal("users after the commit", find(out, "a"), []string{"a"})
		}},
		{"close_commits_nothing", func(in, out *trial, j Joined) {
			user(in, "a")
			in.ok("Close", j.Store.Close())
			out.ok("Rollback", j.Rollback())
			out.equal("users after the rollback", len(find(out, "a")), 0)
		}},
		{"after_the_commit_units_are_refused", func(in, out *trial, j Joined) {
			user(in, "a")
			out.ok("Commit", j.Commit())
			late(in)
			out.equal("users after the refused units", find(out, "a", "late"), []string{"a"})
		}},
		{"after_the_rollback_units_are_refused", func(in, out *trial, j Joined) {
			user(in, "a")
			out.ok("Rollback", j.Rollback())
			late(in)
			out.equal("users after the refused units", len(find(out, "a", "late")), 0)
		}},
	}
}

// late checks that a store runs nothing once its transaction has ended.
func late(t *trial) {
	t.Helper()
	ran := false
	err := t.store.Update(t.ctx, realm, func(tx store.Tx) error {
		ran = true
		return tx.CreateUser(t.ctx, plainUser("late"))
	})
	t.fails("Update after the end", err, store.ErrDone)
	err = t.store.View(t.ctx, realm, func(store.Reader) error { ran = true; return nil })
	t.fails("View after the end", err, store.ErrDone)
	t.equal("fn ran", ran, false)
	_, err = t.store.Generation(t.ctx, realm)
	t.fails("Generation after the end", err, errors.ErrUnsupported)
}
