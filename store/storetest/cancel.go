package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// ended returns contexts that are done, by how.
func ended(t *trial) map[string]context.Context {
	cancelled, cancel := context.WithCancel(t.ctx)
	cancel()
	late, stop := context.WithDeadline(t.ctx, time.Now().Add(-time.Hour))
	t.Cleanup(stop)
	caused, because := context.WithCancelCause(t.ctx)
	because(errWanted)
	return map[string]context.Context{"cancelled": cancelled, "past its deadline": late, "cancelled with a cause": caused}
}

func cancelCases() []testCase {
	fill := func(t *trial) picture {
		t.Helper()
		t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
		return t.picture(realm)
	}
	// works checks that the store is as it was and as good as ever.
	works := func(t *trial, before picture) {
		t.Helper()
		t.samePicture("after the cancelled unit", realm, before)
		t.update(func(tx store.Tx) error { return stir(t.ctx, tx) })
	}
	return []testCase{
		{"unit_with_a_done_context_is_refused", func(t *trial) {
			before := fill(t)
			for how, ctx := range ended(t) {
				err := t.store.Update(ctx, realm, func(tx store.Tx) error { return stir(t.ctx, tx) })
				t.fails("Update with a context "+how, err, ctx.Err())
				err = t.store.View(ctx, realm, func(r store.Reader) error {
					_, err := r.User(ctx, userID(0))
					return err
				})
				t.fails("View with a context "+how, err, ctx.Err())
				if _, err := t.store.Generation(ctx, realm); !errors.Is(err, errors.ErrUnsupported) && err != nil {
					t.fails("Generation with a context "+how, err, ctx.Err())
				}
			}
			works(t, before)
		}},
		{"unit_cancelled_before_it_ends_leaves_nothing", func(t *trial) {
			before := fill(t)
			ctx, cancel := context.WithCancel(t.ctx)
			err := t.store.Update(ctx, realm, func(tx store.Tx) error {
				t.ok("the writes of the unit", stir(ctx, tx))
				cancel()
				return nil
			})
			t.fails("Update", err, context.Canceled)
			works(t, before)
		}},
		{"unit_past_its_deadline_leaves_nothing", func(t *trial) {
			before := fill(t)
			ctx, cancel := context.WithTimeout(t.ctx, 20*time.Millisecond)
			defer cancel()
			err := t.store.Update(ctx, realm, func(tx store.Tx) error {
				err := tx.CreateUser(t.ctx, sampleUser(5))
				<-ctx.Done()
				return err
			})
			t.fails("Update", err, context.DeadlineExceeded)
			works(t, before)
		}},
		{"unit_cancelled_between_two_calls_leaves_nothing", func(t *trial) {
			before := fill(t)
			ctx, cancel := context.WithCancel(t.ctx)
			err := t.store.Update(ctx, realm, func(tx store.Tx) error {
				t.ok("CreateUser", tx.CreateUser(ctx, sampleUser(5)))
				cancel()
				err := tx.CreateUser(ctx, sampleUser(6))
				t.fails("CreateUser with the cancelled context", err, context.Canceled)
				return err
			})
			t.fails("Update", err, context.Canceled)
			works(t, before)
		}},
		{"every_write_with_a_done_context_is_refused", func(t *trial) {
			before := fill(t)
			for how, ctx := range ended(t) {
				for _, c := range commands() {
					err := t.store.Update(t.ctx, realm, func(tx store.Tx) error { return c.do(ctx, tx) })
					t.fails(c.name+" with a context "+how, err, ctx.Err())
				}
			}
			works(t, before)
		}},
		{"every_read_with_a_done_context_is_refused", func(t *trial) {
			before := fill(t)
			for how, ctx := range ended(t) {
				for _, q := range queries() {
					err := t.store.View(t.ctx, realm, func(r store.Reader) error {
						_, err := q.ask(ctx, r)
						return err
					})
					t.fails(q.name+" with a context "+how, err, ctx.Err())
				}
			}
			works(t, before)
		}},
		{"waiter_behind_a_long_unit_returns_when_cancelled", func(t *trial) {
			before := fill(t)
			entered, leave, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			go func() {
				first := true
				done <- t.store.Update(t.ctx, realm, func(tx store.Tx) error {
					err := tx.Lock(t.ctx, "owners")
					if first {
						first = false
						close(entered)
					}
					<-leave
					return err
				})
			}()
			<-entered
			wait := func(ctx context.Context) error {
				// Whatever the design, it waits for the unit or for the lock.
				return t.store.Update(ctx, realm, func(tx store.Tx) error {
					return must(tx.Lock(ctx, "owners"), tx.CreateUser(ctx, sampleUser(5)))
				})
			}
			late, stop := context.WithTimeout(t.ctx, chance/2)
			t.fails("Update that waits", wait(late), context.DeadlineExceeded)
			stop()
			early, cancel := context.WithCancel(t.ctx)
			waited := make(chan error, 1)
			go func() { waited <- wait(early) }()
			cancel()
			t.fails("Update that waits", <-waited, context.Canceled)
			close(leave)
			t.ok("Update that was waited for", <-done)
			works(t, before)
		}},
		{"lock_is_released_however_its_unit_ends", func(t *trial) {
			ctx, cancel := context.WithCancel(t.ctx)
			_ = t.store.Update(ctx, realm, func(tx store.Tx) error {
				err := tx.Lock(ctx, "a")
				cancel()
				return err
			})
			panicOf(func() {
				_ = t.store.Update(t.ctx, realm, func(tx store.Tx) error {
					t.ok("Lock", tx.Lock(t.ctx, "a"))
					panic("released")
				})
			})
			err := t.store.Update(t.ctx, realm, func(tx store.Tx) error { return must(tx.Lock(t.ctx, "a"), errWanted) })
			t.fails("Update", err, errWanted)
			t.update(func(tx store.Tx) error { return tx.Lock(t.ctx, "a") })
		}},
		{"nested_unit_under_a_deadline_comes_back", func(t *trial) {
			// It must not be called at all; a deadline still has to get the
			// caller out of it, and the outer unit is none the worse.
			t.update(func(tx store.Tx) error {
				err := tx.CreateUser(t.ctx, plainUser("outer"))
				ctx, cancel := context.WithTimeout(t.ctx, chance/2)
				defer cancel()
				_ = t.store.Update(ctx, realm, func(tx store.Tx) error { return must(tx.Lock(ctx, "a"), errWanted) })
				return must(err, tx.CreateUser(t.ctx, plainUser("outer-2")))
			})
			t.view(func(r store.Reader) error {
				us, err := r.UsersByID(t.ctx, []store.UserID{"outer", "outer-2"})
				t.equal("users of the outer unit", len(us), 2)
				return err
			})
		}},
	}
}
