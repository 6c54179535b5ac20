package storetest

import (
	"errors"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

func lifetimeCases() []testCase {
	return []testCase{
		{"reader_is_done_when_its_view_has_ended", func(t *trial) {
			t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
			var kept store.Reader
			t.view(func(r store.Reader) error {
				kept = r
				return nil
			})
			for _, q := range queries() {
				_, err := q.ask(t.ctx, kept)
				t.fails(q.name+" after the view", err, store.ErrDone)
			}
		}},
		{"tx_is_done_when_its_unit_has_ended", func(t *trial) {
			t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
			before := t.picture(realm)
			var kept []store.Tx
			keep := func(tx store.Tx) error {
				kept = append(kept, tx)
				return nil
			}
			t.update(keep)
			_ = t.store.Update(t.ctx, realm, func(tx store.Tx) error { return must(keep(tx), errWanted) })
			panicOf(func() {
				_ = t.store.Update(t.ctx, realm, func(tx store.Tx) error { panic(keep(tx)) })
			})
			for i, tx := range kept {
				how := []string{"committed", "rolled back", "left by a panic"}[i]
				for _, q := range queries() {
					_, err := q.ask(t.ctx, tx)
					t.fails(q.name+" after the unit was "+how, err, store.ErrDone)
				}
				for _, c := range commands() {
					t.fails(c.name+" after the unit was "+how, c.do(t.ctx, tx), store.ErrDone)
				}
			}
			t.samePicture("after the late calls", realm, before)
		}},
		{"closed_store_answers_ErrClosed", func(t *trial) {
			t.update(func(tx store.Tx) error { return tx.CreateUser(t.ctx, plainUser("a")) })
			t.ok("Close", t.store.Close())
			ran := false
			err := t.store.View(t.ctx, realm, func(store.Reader) error { ran = true; return nil })
			t.fails("View", err, store.ErrClosed)
			err = t.store.Update(t.ctx, realm, func(store.Tx) error { ran = true; return nil })
			t.fails("Update", err, store.ErrClosed)
			if _, err = t.store.Generation(t.ctx, realm); !errors.Is(err, errors.ErrUnsupported) {
				t.fails("Generation", err, store.ErrClosed)
			}
			t.equal("fn ran", ran, false)
		}},
		{"close_again_is_nil", func(t *trial) {
			for range 3 {
				t.ok("Close", t.store.Close())
			}
			t.ok("Close by many at once", must(race(8, func(int) error { return t.store.Close() })...))
		}},
		{"close_waits_for_running_views", func(t *trial) {
			t.update(func(tx store.Tx) error { return tx.CreateUser(t.ctx, plainUser("a")) })
			closeBeside(t, func(work func(r store.Reader) error) error {
				return t.store.View(t.ctx, realm, work)
			})
		}},
		{"close_waits_for_running_updates", func(t *trial) {
			t.update(func(tx store.Tx) error { return tx.CreateUser(t.ctx, plainUser("a")) })
			closeBeside(t, func(work func(r store.Reader) error) error {
				return t.store.Update(t.ctx, realm, func(tx store.Tx) error { return must(tx.CreateUser(t.ctx, plainUser("b")), work(tx)) })
			})
		}},
	}
}

// closeBeside closes the store while a unit runs, which reads on meanwhile.
func closeBeside(t *trial, unit func(work func(r store.Reader) error) error) {
	t.Helper()
	entered, leave := make(chan struct{}), make(chan struct{})
	ran, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		ran <- unit(func(r store.Reader) error {
			close(entered)
			<-leave
			_, err := r.User(t.ctx, "a")
			return err
		})
	}()
	<-entered
	go func() { closed <- t.store.Close() }()
	select {
	case err := <-closed:
		t.Errorf("Close: returned %v beside a running unit, want it to wait", err)
		closed <- err
	case <-time.After(chance):
	}
	close(leave)
	t.ok("the unit that ran beside Close", <-ran)
	t.ok("Close", <-closed)
}
