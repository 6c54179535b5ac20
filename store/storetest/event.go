package storetest

import (
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/usermgmt-go/usermgmt/store"
)

// appendEvents appends the sample events from to to-1.
func appendEvents(t *trial, from, to int) {
	t.Helper()
	t.update(func(tx store.Tx) error {
		var err error
		for i := from; i < to; i++ {
			err = must(err, tx.AppendEvent(t.ctx, sampleEvent(i)))
		}
		return err
	})
}

// events reads a realm's whole log, and checks that its numbers rise.
func events(t *trial, r store.Reader) []store.Event {
	t.Helper()
	es, err := r.Events(t.ctx, 0, math.MaxInt32)
	t.ok("Events", err)
	for i := range es {
		if es[i].Seq <= 0 || i > 0 && es[i].Seq <= es[i-1].Seq {
			t.Errorf("Events: the numbers do not rise: %+v", es)
			break
		}
	}
	return es
}

// objects names what events are about.
func objects(es []store.Event) []string {
	var out []string
	for _, e := range es {
		out = append(out, e.Object)
	}
	return out
}

func eventCases() []testCase {
	names := func(ns ...int) []string {
		var out []string
		for _, n := range ns {
			out = append(out, sampleEvent(n).Object)
		}
		return out
	}
	log := func(t *trial) (es []store.Event) {
		t.Helper()
		t.view(func(r store.Reader) error {
			es = events(t, r)
			return nil
		})
		return es
	}
	drop := func(t *trial, through int64, want int) {
		t.Helper()
		t.update(func(tx store.Tx) error {
			n, err := tx.DropEvents(t.ctx, through)
			t.equal(fmt.Sprintf("DropEvents(%d)", through), n, want)
			return err
		})
	}
	return []testCase{
		{"appended_is_read_back_whole", func(t *trial) {
			bare := store.Event{Action: "a.b"}
			t.update(func(tx store.Tx) error {
				return must(organizationBase(t.ctx, tx, 0), tx.AppendEvent(t.ctx, sampleEvent(0)), tx.AppendEvent(t.ctx, bare))
			})
			got := log(t)
			for i := range got {
				got[i].Seq = 0
			}
			t.equal("Events", got, []store.Event{sampleEvent(0), bare})
		}},
		{"numbers_rise_in_the_order_of_the_log", func(t *trial) {
			orgs(t)
			appendEvents(t, 0, 3)
			appendEvents(t, 3, 5)
			t.equal("Events", objects(log(t)), names(0, 1, 2, 3, 4))
		}},
		{"given_number_is_not_heeded", func(t *trial) {
			orgs(t)
			for i, seq := range []int64{math.MaxInt64, 1, -5, math.MinInt64, 1} {
				t.update(func(tx store.Tx) error {
					e := sampleEvent(i)
					e.Seq = seq
					return tx.AppendEvent(t.ctx, e)
				})
			}
			t.equal("Events", objects(log(t)), names(0, 1, 2, 3, 4))
		}},
		{"page_starts_after_a_number_and_has_at_most_limit_events", func(t *trial) {
			orgs(t)
			appendEvents(t, 0, 5)
			es := log(t)
			t.view(func(r store.Reader) error {
				for _, c := range []struct {
					after int64
					limit int
					want  []store.Event
				}{
					{0, 2, es[:2]}, {es[1].Seq, 2, es[2:4]}, {es[3].Seq, 9, es[4:]}, {es[4].Seq, 9, nil},
					{es[4].Seq + 100, 9, nil}, {0, 0, nil}, {0, -1, nil}, {0, math.MaxInt, es}, {es[0].Seq - 1, 1, es[:1]},
				} {
					got, err := r.Events(t.ctx, c.after, c.limit)
					t.ok("Events", err)
					t.equal(fmt.Sprintf("Events(%d, %d)", c.after, c.limit), got, c.want)
				}
				return nil
			})
		}},
		{"empty_log_is_nil", func(t *trial) {
			t.equal("Events", log(t), []store.Event(nil))
			drop(t, math.MaxInt64, 0)
		}},
		{"drop_removes_up_to_and_including_a_number", func(t *trial) {
			orgs(t)
			appendEvents(t, 0, 5)
			es := log(t)
			drop(t, es[0].Seq-1, 0)
			drop(t, es[1].Seq, 2)
			t.equal("Events", log(t), es[2:])
			drop(t, es[1].Seq, 0)
			drop(t, math.MaxInt64, 3)
			t.equal("Events", log(t), []store.Event(nil))
		}},
		{"dropped_numbers_are_not_used_again", func(t *trial) {
			orgs(t)
			last := int64(0)
			for range 3 {
				appendEvents(t, 0, 3)
				es := log(t)
				t.equal("Events", len(es), 3)
				if len(es) == 3 && es[0].Seq <= last {
					t.Errorf("AppendEvent: got Seq %d after %d was dropped, want a greater one", es[0].Seq, last)
				}
				last = es[len(es)-1].Seq
				drop(t, last, 3)
			}
			t.update(func(tx store.Tx) error { // dropped in the unit that appended
				err := tx.AppendEvent(t.ctx, sampleEvent(0))
				es := events(t, tx)
				last = es[len(es)-1].Seq
				n, errD := tx.DropEvents(t.ctx, last)
				t.equal("DropEvents within the unit", n, 1)
				return must(err, errD, tx.AppendEvent(t.ctx, sampleEvent(1)))
			})
			if es := log(t); len(es) != 1 || es[0].Seq <= last {
				t.Errorf("Events: got %+v, want one with a Seq greater than %d", es, last)
			}
		}},
		{"unit_reads_its_own_events", func(t *trial) {
			orgs(t)
			appendEvents(t, 0, 1)
			t.update(func(tx store.Tx) error {
				err := tx.AppendEvent(t.ctx, sampleEvent(1))
				t.equal("Events within the unit", objects(events(t, tx)), names(0, 1))
				return err
			})
		}},
		{"rolled_back_events_and_drops_leave_no_trace", func(t *trial) {
			orgs(t)
			appendEvents(t, 0, 2)
			before := log(t)
			err := t.store.Update(t.ctx, realm, func(tx store.Tx) error {
				err := tx.AppendEvent(t.ctx, sampleEvent(9))
				_, errD := tx.DropEvents(t.ctx, before[0].Seq)
				return must(err, errD, errWanted)
			})
			t.fails("Update", err, errWanted)
			t.equal("Events", log(t), before)
			appendEvents(t, 2, 3)
			t.equal("Events", objects(log(t)), names(0, 1, 2))
		}},
		{"invalid_event_is_refused_and_nothing_written", func(t *trial) {
			orgs(t)
			bad := append(spoilFields(func() store.Event { return sampleEvent(0) }), spoiled[store.Event]{
				"no action", "Action", store.Event{Actor: "host"},
			})
			t.update(func(tx store.Tx) error {
				for _, b := range bad {
					t.invalid("AppendEvent with "+b.what, tx.AppendEvent(t.ctx, b.record), b.field)
				}
				return nil
			})
			t.equal("Events", log(t), []store.Event(nil))
		}},
		{"fields_are_not_shared", func(t *trial) {
			orgs(t)
			t.update(func(tx store.Tx) error {
				e := sampleEvent(0)
				err := tx.AppendEvent(t.ctx, e)
				e.Fields[0] = "scribble"
				return err
			})
			for range 2 {
				es := log(t)
				t.equal("Event.Fields", es[0].Fields, sampleEvent(0).Fields)
				es[0].Fields[0] = "scribble"
			}
		}},
		{"empty_fields_come_back_nil", func(t *trial) {
			t.update(func(tx store.Tx) error {
				return tx.AppendEvent(t.ctx, store.Event{Action: "a.b", Fields: []string{}})
			})
			t.equal("Event.Fields", log(t)[0].Fields, []string(nil))
		}},
		{"times_are_kept_to_the_microsecond", func(t *trial) {
			t.update(func(tx store.Tx) error {
				var err error
				for _, m := range moments {
					err = must(err, tx.AppendEvent(t.ctx, store.Event{Action: "a.b", At: m}))
				}
				return err
			})
			for i, e := range log(t) {
				t.equal("Event.At", e.At, moments[i])
			}
		}},
		{"event_may_tell_of_what_is_not_there", func(t *trial) {
			appendEvents(t, 0, 1) // of an organization that never was
			t.equal("Events", objects(log(t)), names(0))
		}},
		{"log_outlives_what_it_tells_of", func(t *trial) {
			orgs(t)
			appendEvents(t, 0, 2)
			before := log(t)
			t.update(func(tx store.Tx) error { return tx.DeleteOrganization(t.ctx, orgID(0)) })
			t.equal("Events", log(t), before)
		}},
		{"tailing_reader_meets_each_event_once_beside_writers", func(t *trial) {
			orgs(t)
			const writers, units = 6, 25
			var running atomic.Int32
			running.Store(writers)
			seen := make(chan []store.Event, 1)
			go func() { seen <- tail(t, func() bool { return running.Load() > 0 }) }()
			errs := race(writers, func(w int) error {
				defer running.Add(-1)
				for u := range units {
					err := t.store.Update(t.ctx, realm, func(tx store.Tx) error {
						for i := range 1 + u%3 {
							e := sampleEvent(0)
							e.Object = fmt.Sprintf("user:%d.%d.%d", w, u, i)
							if err := tx.AppendEvent(t.ctx, e); err != nil {
								return err
							}
						}
						if u%5 == 4 {
							return errWanted
						}
						return nil
					})
					if (u%5 == 4) == (err == nil) {
						return fmt.Errorf("unit %d: %w", u, err)
					}
				}
				return nil
			})
			for _, err := range errs {
				t.ok("Update", err)
			}
			met := <-seen
			var want []string
			for w := range writers {
				for u := range units {
					for i := range 1 + u%3 {
						if u%5 != 4 {
							want = append(want, fmt.Sprintf("user:%d.%d.%d", w, u, i))
						}
					}
				}
			}
			got := objects(met)
			slices.Sort(got)
			slices.Sort(want)
			t.equal("events met by the tailing reader", got, want)
			t.equal("Events read at once", met, log(t))
		}},
	}
}

// tail follows the log, as far as it reaches once more after the writers have
// stopped.
func tail(t *trial, writing func() bool) (all []store.Event) {
	after, last := int64(0), false
	for {
		var es []store.Event
		err := t.store.View(t.ctx, realm, func(r store.Reader) (err error) {
			es, err = r.Events(t.ctx, after, 7)
			return err
		})
		if !t.ok("View", err) {
			return all
		}
		all = append(all, es...)
		switch {
		case len(es) > 0:
			after = es[len(es)-1].Seq
		case last:
			return all
		default:
			last = !writing()
		}
	}
}

// orgs creates the organization that sample events tell of.
func orgs(t *trial) {
	t.Helper()
	t.update(func(tx store.Tx) error { return organizationBase(t.ctx, tx, 0) })
}
