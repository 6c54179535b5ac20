package storetest

import (
	"errors"
	"fmt"

	"github.com/usermgmt-go/usermgmt/store"
)

// unitCases are about what a unit of work leaves behind, and what it returns.
func unitCases() []testCase {
	fill := func(t *trial) picture {
		t.Helper()
		t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
		return t.picture(realm)
	}
	return []testCase{
		{"error_rolls_back_every_kind_of_write", func(t *trial) {
			before := fill(t)
			err := t.store.Update(t.ctx, realm, func(tx store.Tx) error {
				t.ok("the writes of the unit", stir(t.ctx, tx))
				return errWanted
			})
			t.equal("Update", err, errWanted)
			t.samePicture("after the failed unit", realm, before)
			t.update(func(tx store.Tx) error { return stir(t.ctx, tx) }) // and goes on from there
		}},
		{"panic_rolls_back_every_kind_of_write_and_is_passed_on", func(t *trial) {
			before := fill(t)
			value := &struct{ s string }{"the value"}
			got := panicOf(func() {
				_ = t.store.Update(t.ctx, realm, func(tx store.Tx) error {
					t.ok("the writes of the unit", stir(t.ctx, tx))
					panic(value)
				})
			})
			t.equal("the value of the panic is the same pointer", got == any(value), true)
			t.samePicture("after the unit that panicked", realm, before)
			t.update(func(tx store.Tx) error { return stir(t.ctx, tx) })
		}},
		{"error_rolls_back_a_realm_made_by_it", func(t *trial) {
			empty := t.picture(realm)
			err := t.store.Update(t.ctx, realm, func(tx store.Tx) error { return must(world(t.ctx, tx), errWanted) })
			t.fails("Update", err, errWanted)
			t.samePicture("after the failed unit", realm, empty)
		}},
		{"each_write_alone_is_rolled_back", func(t *trial) {
			before := fill(t)
			for _, c := range commands() {
				err := t.store.Update(t.ctx, realm, func(tx store.Tx) error { return must(c.do(t.ctx, tx), errWanted) })
				t.fails("Update", err, errWanted)
				t.samePicture("after the rollback of "+c.name, realm, before)
			}
		}},
		{"error_of_fn_comes_back_as_it_is", func(t *trial) {
			for _, want := range []error{
				errWanted, fmt.Errorf("wrapped: %w", store.ErrNotFound), store.ErrStale, &store.ExistsError{Field: "X"}, &ownError{},
			} {
				got := t.store.Update(t.ctx, realm, func(store.Tx) error { return want })
				t.equal("Update returns the same error", got == want, true)
				got = t.store.View(t.ctx, realm, func(store.Reader) error { return want })
				t.equal("View returns the same error", got == want, true)
			}
		}},
		{"panic_of_a_view_is_passed_on_and_releases_it", func(t *trial) {
			before := fill(t)
			got := panicOf(func() {
				_ = t.store.View(t.ctx, realm, func(store.Reader) error { panic("of the view") })
			})
			t.equal("the value of the panic", got, any("of the view"))
			t.samePicture("after the view that panicked", realm, before)
			t.update(func(tx store.Tx) error { return stir(t.ctx, tx) })
		}},
		{"refused_calls_leave_the_unit_usable", func(t *trial) {
			fill(t)
			late := sampleUser(5)
			t.update(func(tx store.Tx) error {
				err := tx.CreateUser(t.ctx, late)
				t.duplicate("CreateUser", tx.CreateUser(t.ctx, sampleUser(0)), "ID")
				stale := sampleUser(1)
				stale.Version = 9
				t.fails("UpdateUser", tx.UpdateUser(t.ctx, stale), store.ErrStale)
				t.invalid("CreateUser", tx.CreateUser(t.ctx, store.User{}), "ID")
				t.fails("DeleteUser", tx.DeleteUser(t.ctx, "nobody"), store.ErrNotFound)
				taken := sampleUser(1)
				taken.UsernameKey = sampleUser(2).UsernameKey
				t.duplicate("UpdateUser", tx.UpdateUser(t.ctx, taken), "UsernameKey")
				dangling := sampleMembership(5)
				dangling.OrganizationID = "nowhere"
				t.fails("CreateMembership", tx.CreateMembership(t.ctx, dangling), store.ErrNotFound)
				t.fails("CreateToken", tx.CreateToken(t.ctx, handle(store.TokenCode, userID(3), orgID(3))), store.ErrNotFound)
				_, used := tx.UseToken(t.ctx, sampleToken(0).Kind, sampleToken(0).Digest, changed)
				t.ok("UseToken", used)
				_, used = tx.UseToken(t.ctx, sampleToken(0).Kind, sampleToken(0).Digest, changed)
				t.fails("UseToken", used, store.ErrUsed)
				t.invalid("DeleteVendor", tx.DeleteVendor(t.ctx, vendorID(0)), "VendorID")
				return must(err, tx.UpdateUser(t.ctx, changeUser(sampleUser(0))), tx.DeleteUser(t.ctx, userID(3)))
			})
			t.view(func(r store.Reader) error {
				u, err := r.User(t.ctx, late.ID)
				t.equal("User written before the refused calls", u, late)
				u, errC := r.User(t.ctx, userID(0))
				t.equal("User written after the refused calls", u.Username, changeUser(sampleUser(0)).Username)
				_, gone := r.User(t.ctx, userID(3))
				t.fails("User deleted after the refused calls", gone, store.ErrNotFound)
				return must(err, errC)
			})
		}},
		{"refused_call_leaves_no_trace_for_later_ones", func(t *trial) {
			t.update(func(tx store.Tx) error {
				u, taken := plainUser("a"), plainUser("b")
				err := tx.CreateUser(t.ctx, u)
				taken.UsernameKey, taken.Email, taken.EmailKey = "free", "x", "x"
				taken.ID = "a"
				t.duplicate("CreateUser", tx.CreateUser(t.ctx, taken), "ID")
				_, none := tx.UserByUsername(t.ctx, "free")
				t.fails("UserByUsername of the refused user", none, store.ErrNotFound)
				_, none = tx.UserByEmail(t.ctx, "x")
				t.fails("UserByEmail of the refused user", none, store.ErrNotFound)
				taken.ID = "b"
				return must(err, tx.CreateUser(t.ctx, taken))
			})
		}},
		{"empty_units_are_fine", func(t *trial) {
			before := fill(t)
			t.update(func(store.Tx) error { return nil })
			t.updateIn(other, func(store.Tx) error { return nil })
			t.samePicture("after empty units", realm, before)
		}},
		{"committed_is_seen_by_whoever_comes_after", func(t *trial) {
			const writers, units = 4, 20
			errs := race(writers, func(w int) error {
				for v := range units {
					id := fmt.Sprintf("%d-%02d", w, v)
					err := t.store.Update(t.ctx, realm, func(tx store.Tx) error { return tx.CreateUser(t.ctx, plainUser(id)) })
					if err != nil {
						return err
					}
					read := make(chan error, 1)
					go func() { // from another goroutine, so perhaps over another connection
						read <- t.store.View(t.ctx, realm, func(r store.Reader) error {
							_, err := r.UserByUsername(t.ctx, id)
							return err
						})
					}()
					if err := <-read; err != nil {
						return fmt.Errorf("user %s after Update returned: %w", id, err)
					}
				}
				return nil
			})
			for _, err := range errs {
				t.ok("reading what was committed", err)
			}
		}},
		{"malformed_realm_is_invalid", func(t *trial) {
			for _, r := range []store.Realm{"", store.Realm(long(65)), "a b", "ä", "a/b", "a\x00", "a%"} {
				fn := false
				t.invalid(fmt.Sprintf("Update of realm %q", r), t.store.Update(t.ctx, r, func(store.Tx) error { fn = true; return nil }), "")
				t.invalid(fmt.Sprintf("View of realm %q", r), t.store.View(t.ctx, r, func(store.Reader) error { fn = true; return nil }), "")
				t.equal("fn ran", fn, false)
				if _, err := t.store.Generation(t.ctx, r); !errors.Is(err, errors.ErrUnsupported) {
					t.invalid(fmt.Sprintf("Generation of realm %q", r), err, "")
				}
			}
		}},
		{"lock_name_has_1_to_200_bytes", func(t *trial) {
			t.update(func(tx store.Tx) error {
				t.invalid("Lock of no name", tx.Lock(t.ctx, ""), "")
				t.invalid("Lock of 201 bytes", tx.Lock(t.ctx, long(201)), "")
				return must(tx.Lock(t.ctx, long(200)), tx.Lock(t.ctx, "a"), tx.Lock(t.ctx, "a"))
			})
			t.update(func(tx store.Tx) error { return tx.Lock(t.ctx, "a") })
		}},
	}
}

// ownError is an error whose identity can only be that of its pointer.
type ownError struct{ _ int }

func (*ownError) Error() string { return "own" }

// panicOf returns what fn panics with.
func panicOf(fn func()) (value any) {
	defer func() { value = recover() }()
	fn()
	return nil
}
