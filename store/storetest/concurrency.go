package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/usermgmt-go/usermgmt/store"
)

const racers = 64

// oneWinner checks that exactly one call succeeded and that all others were
// refused alike, and returns the winner.
func oneWinner(t *trial, call string, errs []error, refusal error) int {
	t.Helper()
	winner, wins := -1, 0
	for i, err := range errs {
		if err == nil {
			winner = i
			wins++
			continue
		}
		t.fails(fmt.Sprintf("%s by a racer", call), err, refusal)
	}
	t.equal(fmt.Sprintf("winners of %d in %s", len(errs), call), wins, 1)
	return winner
}

// races lets many create records at once that differ in all but one key.
func (n noun[R]) races() []testCase {
	var cs []testCase
	for _, k := range n.keys {
		cs = append(cs, testCase{"one_of_64_takes_a_" + n.name + "_" + k.field, func(t *trial) {
			t.update(func(tx store.Tx) error { return n.base(t.ctx, tx, racers) })
			rival := func(i int) R {
				r := n.sample(i)
				k.copy(&r, n.sample(0))
				return r
			}
			errs := race(racers, func(i int) error {
				return t.store.Update(t.ctx, realm, func(tx store.Tx) error { return n.create(tx, t.ctx, rival(i)) })
			})
			winner := oneWinner(t, "Create"+n.name, errs, store.ErrExists)
			for i, err := range errs {
				if i != winner {
					t.duplicate("Create"+n.name, err, k.field)
				}
			}
			if winner < 0 {
				return
			}
			t.view(func(r store.Reader) error {
				got, err := k.find(r, t.ctx, rival(winner))
				t.equal(n.name+" by "+k.field, got, rival(winner))
				if n.page != nil {
					var start R
					all, errL := n.page(r, t.ctx, start, 100)
					t.equal("records created", len(all), 1)
					err = must(err, errL)
				}
				return err
			})
		}})
	}
	return cs
}

func concurrencyCases() []testCase {
	var cs []testCase
	for _, n := range nouns() {
		cs = append(cs, n.races()...)
	}
	// count reads the counter that users keep in their first name.
	count := func(u store.User) (n int) {
		_, _ = fmt.Sscan(u.FirstName, &n)
		return n
	}
	seed := func(t *trial) {
		t.Helper()
		t.update(func(tx store.Tx) error { return tx.CreateUser(t.ctx, plainUser("a")) })
	}
	counted := func(t *trial, want int) {
		t.Helper()
		t.view(func(r store.Reader) error {
			u, err := r.User(t.ctx, "a")
			t.equal("increments that are there", count(u), want)
			t.equal("User.Version", u.Version, int64(want)+1)
			return err
		})
	}
	return append(cs,
		testCase{"versions_prevent_lost_updates", func(t *trial) {
			seed(t)
			const racers = 32 // each of whom tries again as often as others win
			errs := race(racers, func(int) error {
				for {
					var u store.User
					err := t.store.View(t.ctx, realm, func(r store.Reader) (err error) {
						u, err = r.User(t.ctx, "a")
						return err
					})
					if err != nil {
						return err
					}
					u.FirstName = fmt.Sprint(count(u) + 1)
					err = t.store.Update(t.ctx, realm, func(tx store.Tx) error { return tx.UpdateUser(t.ctx, u) })
					if !errors.Is(err, store.ErrStale) {
						return err
					}
				}
			})
			t.ok("UpdateUser by racers", must(errs...))
			counted(t, racers)
		}},
		testCase{"units_appear_to_run_one_after_another", func(t *trial) {
			seed(t)
			errs := race(racers, func(int) error {
				return t.store.Update(t.ctx, realm, func(tx store.Tx) error {
					u, err := tx.User(t.ctx, "a")
					if err != nil {
						return err
					}
					u.FirstName = fmt.Sprint(count(u) + 1)
					return tx.UpdateUser(t.ctx, u)
				})
			})
			t.ok("read and write in one unit, by racers", must(errs...))
			counted(t, racers)
		}},
		testCase{"one_of_64_deletes_a_record", func(t *trial) {
			seed(t)
			errs := race(racers, func(int) error {
				return t.store.Update(t.ctx, realm, func(tx store.Tx) error { return tx.DeleteUser(t.ctx, "a") })
			})
			oneWinner(t, "DeleteUser", errs, store.ErrNotFound)
		}},
		testCase{"lock_keeps_a_rule_over_several_records", func(t *trial) {
			owner := store.RoleID("owner")
			t.update(func(tx store.Tx) error {
				err := memberBase(t.ctx, tx, 2)
				for i := range 2 {
					err = must(err, tx.CreateMembership(t.ctx, sampleMembership(i)))
				}
				return err
			})
			for round := range 15 {
				t.update(func(tx store.Tx) error { // both are owners
					var err error
					for i := range 2 {
						m, errM := tx.Membership(t.ctx, orgID(0), userID(i))
						m.Role = owner
						err = must(err, errM, tx.UpdateMembership(t.ctx, m))
					}
					return err
				})
				errs := race(2, func(i int) error {
					return t.store.Update(t.ctx, realm, func(tx store.Tx) error {
						if err := tx.Lock(t.ctx, "owners/"+string(orgID(0))); err != nil {
							return err
						}
						owners, err := tx.Members(t.ctx, store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{owner}, Limit: 2})
						if err != nil {
							return err
						}
						if len(owners) < 2 {
							return errWanted
						}
						m, err := tx.Membership(t.ctx, orgID(0), userID(i))
						if err != nil {
							return err
						}
						m.Role = "member"
						return tx.UpdateMembership(t.ctx, m)
					})
				})
				oneWinner(t, fmt.Sprintf("the step down of two owners in round %d", round), errs, errWanted)
			}
		}},
		testCase{"walk_beside_writers_meets_each_lasting_user_once", func(t *trial) {
			const lasting, writers, units = 120, 3, 20
			t.update(func(tx store.Tx) error {
				var err error
				for i := range lasting {
					err = must(err, tx.CreateUser(t.ctx, plainUser(fmt.Sprintf("%04d", i*10))))
				}
				return err
			})
			var running atomic.Int32
			running.Store(writers)
			walked := make(chan error, 1)
			go func() {
				for more := true; more; {
					more = running.Load() > 0
					if err := walkLasting(t, lasting); err != nil {
						walked <- err
						return
					}
				}
				walked <- nil
			}()
			errs := race(writers, func(w int) error {
				defer running.Add(-1)
				for u := range units {
					// Users come and go between those that last.
					err := t.store.Update(t.ctx, realm, func(tx store.Tx) error {
						for i := range 8 {
							id := fmt.Sprintf("%04d", (u*37+i*150)%(lasting*10)/10*10+1+w)
							err := tx.CreateUser(t.ctx, plainUser(id))
							if errors.Is(err, store.ErrExists) {
								err = tx.DeleteUser(t.ctx, store.UserID(id))
							}
							if err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
			t.ok("the writers", must(errs...))
			t.ok("the walk", <-walked)
		}},
		testCase{"duplicate_is_seen_against_a_deletion_in_flight", func(t *trial) {
			// Whoever creates the name while others delete it succeeds or is told
			// of the duplicate; in the end the index agrees with the records.
			seed(t)
			errs := race(16, func(i int) error {
				for v := range 5 {
					u := plainUser(fmt.Sprintf("u%02d-%d", i, v))
					u.UsernameKey = "same"
					err := t.store.Update(t.ctx, realm, func(tx store.Tx) error { return tx.CreateUser(t.ctx, u) })
					if err == nil {
						err = t.store.Update(t.ctx, realm, func(tx store.Tx) error { return tx.DeleteUser(t.ctx, u.ID) })
					} else if errors.Is(err, store.ErrExists) {
						err = nil
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
			t.ok("the racers", must(errs...))
			t.view(func(r store.Reader) error {
				_, err := r.UserByUsername(t.ctx, "same")
				t.fails("UserByUsername", err, store.ErrNotFound)
				n, err := r.CountUsers(t.ctx, store.UserQuery{})
				t.equal("CountUsers", n, int64(1))
				return err
			})
		}},
	)
}

// walkLasting walks once and checks that it met the users that are there throughout.
func walkLasting(t *trial, lasting int) error {
	q := store.UserQuery{Limit: 7}
	met, last := 0, ""
	for {
		var page []store.User
		err := t.store.View(t.ctx, realm, func(r store.Reader) (err error) {
			page, err = r.Users(t.ctx, q)
			return err
		})
		if err != nil {
			return err
		}
		for _, u := range page {
			if string(u.ID) <= last {
				return fmt.Errorf("the walk met %q after %q", u.ID, last)
			}
			last = string(u.ID)
			if last[len(last)-1] == '0' {
				met++
			}
			q.After = u.ID
		}
		if len(page) == 0 {
			break
		}
	}
	if met != lasting {
		return fmt.Errorf("the walk met %d lasting users, want %d", met, lasting)
	}
	return nil
}
