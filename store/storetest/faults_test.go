package storetest_test

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
	"github.com/usermgmt-go/usermgmt/store/storetest"
)

// fault is one way in which a store could be wrong.
type fault struct {
	name   string
	faulty func() *faulty
	// caught are the cases that fail, as patterns of path.Match. The first is
	// that which names the fault.
	caught []string
	// alone says to run no other cases: they fail by chance or wait for long.
	alone bool
}

// slow are patterns of cases that only run for faults that name them.
var slow = []string{"Concurrency/*", "Snapshot/*", "Cancellation/*", "Lifetime/*", "Model/*", "UserOrder/UserAt_and_*", "Event/tailing_*"}

func matches(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		if err != nil {
			panic(err)
		}
		return ok
	})
}

// Each fault is caught by the case that names it, and by none that does not
// have to do with it.
func TestSuite_catches(t *testing.T) {
	t.Parallel()
	for _, ft := range faults() {
		t.Run(strings.ReplaceAll(ft.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			caught := map[string]bool{}
			for _, c := range storetest.Cases() {
				named := matches(c.Name, ft.caught)
				if !named && (ft.alone || testing.Short() || matches(c.Name, slow)) {
					continue
				}
				report := failure(t, c, ft.open)
				if report == "" {
					continue
				}
				if !named {
					t.Errorf("%s fails, want it to pass:\n%.600s", c.Name, report)
				}
				for _, p := range ft.caught {
					caught[p] = caught[p] || matches(c.Name, []string{p})
				}
			}
			for _, p := range ft.caught {
				if !caught[p] {
					t.Errorf("%s passes, want it to fail", p)
				}
			}
		})
	}
}

// A right store passes in the recorder too.
func TestSuite_passes_a_right_store(t *testing.T) {
	t.Parallel()
	for _, c := range storetest.Cases() {
		if matches(c.Name, slow) {
			continue
		}
		if report := failure(t, c, fault{faulty: func() *faulty { return &faulty{} }}.open); report != "" {
			t.Errorf("%s fails:\n%s", c.Name, report)
		}
	}
}

func TestFaults_are_many(t *testing.T) {
	t.Parallel()
	if n := len(faults()); n < 14 {
		t.Errorf("got %d faults, want 14 or more", n)
	}
}

// unitFaults concern whole units of work.
func unitFaults() []fault {
	return []fault{
		{
			name: "rollback forgotten",
			faulty: func() *faulty {
				return &faulty{update: func(f *faulty, ctx context.Context, r store.Realm, fn func(store.Tx) error) error {
					var kept error
					err := f.Store.Update(ctx, r, func(tx store.Tx) error {
						kept = fn(tx)
						return nil
					})
					return errors.Join(err, kept)
				}}
			},
			caught: []string{
				"Unit/error_rolls_back_every_kind_of_write", "Unit/error_rolls_back_a_realm_made_by_it",
				"Unit/each_write_alone_is_rolled_back", "*/rollback_takes_back_creation_update_and_deletion",
				"*/unit_reads_its_own_writes_and_rollback_takes_them_back", "*/rolled_back_*", "Deletion/cascade_is_rolled_back_whole",
				"Expiry/rollback_takes_it_back", "Generation/changes_when_*", "Generation/never_comes_back_*",
				// Its joined error is not the one that fn returned.
				"Unit/error_of_fn_comes_back_as_it_is",
			},
		},
		{
			name: "panic commits",
			faulty: func() *faulty {
				return &faulty{update: func(f *faulty, ctx context.Context, r store.Realm, fn func(store.Tx) error) error {
					var value any
					err := f.Store.Update(ctx, r, func(tx store.Tx) (err error) {
						defer func() { value = recover() }()
						return fn(tx)
					})
					if value != nil {
						panic(value)
					}
					return err
				}}
			},
			caught: []string{"Unit/panic_rolls_back_every_kind_of_write_and_is_passed_on"},
		},
		{
			name: "panic swallowed",
			faulty: func() *faulty {
				return &faulty{update: func(f *faulty, ctx context.Context, r store.Realm, fn func(store.Tx) error) (err error) {
					defer func() {
						if v := recover(); v != nil {
							err = errors.New("panic")
						}
					}()
					return f.Store.Update(ctx, r, fn)
				}}
			},
			caught: []string{"Unit/panic_rolls_back_every_kind_of_write_and_is_passed_on"},
		},
		{
			name: "cancelled context ignored at the commit",
			faulty: func() *faulty {
				turn := make(chan struct{}, 1)
				return &faulty{update: func(f *faulty, ctx context.Context, r store.Realm, fn func(store.Tx) error) error {
					select {
					case turn <- struct{}{}:
						defer func() { <-turn }()
					case <-ctx.Done():
						return ctx.Err()
					}
					if ctx.Err() != nil {
						return ctx.Err()
					}
					return f.Store.Update(context.WithoutCancel(ctx), r, fn)
				}}
			},
			caught: []string{
				"Cancellation/unit_cancelled_before_it_ends_leaves_nothing", "Cancellation/unit_past_its_deadline_leaves_nothing",
			},
		},
		{
			name: "driver's own error for a cancelled context",
			faulty: func() *faulty {
				return &faulty{update: func(f *faulty, ctx context.Context, r store.Realm, fn func(store.Tx) error) error {
					err := f.Store.Update(ctx, r, fn)
					if err != nil && ctx.Err() != nil {
						return errors.New("transaction has already been committed or rolled back")
					}
					return err
				}}
			},
			caught: []string{
				"Cancellation/unit_with_a_done_context_is_refused", "Cancellation/unit_cancelled_*", "Cancellation/unit_past_*",
				"Cancellation/waiter_*",
			},
		},
		{
			name: "Update returns before the commit",
			faulty: func() *faulty {
				return &faulty{update: func(f *faulty, ctx context.Context, r store.Realm, fn func(store.Tx) error) error {
					ran := make(chan error, 2)
					go func() {
						ran <- f.Store.Update(ctx, r, func(tx store.Tx) error {
							err := fn(tx)
							ran <- err
							time.Sleep(time.Millisecond) // the commit takes its time
							return err
						})
					}()
					return <-ran
				}}
			},
			caught: []string{"Unit/committed_is_seen_by_whoever_comes_after"},
			alone:  true,
		},
		{
			name: "view reads what is newest",
			faulty: func() *faulty {
				return &faulty{tx: func(f *faulty, r store.Realm, tx store.Tx) store.Tx {
					return withRole{Tx: tx, role: func(tx store.Tx, ctx context.Context, id store.RoleID) (role store.Role, err error) {
						if f.inFlight.Load() > 1 { // an update runs or waits, or has just ended
							return tx.Role(ctx, id)
						}
						errV := f.Store.View(ctx, r, func(now store.Reader) error {
							role, err = now.Role(ctx, id)
							return nil
						})
						return role, errors.Join(errV, err)
					}}
				}}
			},
			caught: []string{"Snapshot/view_that_reads_late_sees_one_moment", "Snapshot/view_does_not_see_what_commits_meanwhile"},
			alone:  true,
		},
		{
			name: "Close does not wait",
			faulty: func() *faulty {
				return &faulty{close: func(f *faulty) error {
					if f.inFlight.Load() == 0 {
						return f.Store.Close()
					}
					go func() { _ = f.Store.Close() }()
					return nil
				}}
			},
			caught: []string{"Lifetime/close_waits_for_running_views", "Lifetime/close_waits_for_running_updates"},
		},
		{
			name: "reader lives on after its view",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRole{Tx: tx, perms: func(tx store.Tx, ctx context.Context) ([]string, error) {
						ps, err := tx.Permissions(ctx)
						if errors.Is(err, store.ErrDone) {
							err = nil
						}
						return ps, err
					}}
				}}
			},
			caught: []string{"Lifetime/reader_is_done_when_its_view_has_ended", "Lifetime/tx_is_done_when_its_unit_has_ended"},
		},
		{
			name: "unit is lost after a refused call",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					aborted := false
					return withUser{Tx: tx, create: func(tx store.Tx, ctx context.Context, u store.User) error {
						if aborted {
							return errors.New("current transaction is aborted")
						}
						err := tx.CreateUser(ctx, u)
						aborted = errors.Is(err, store.ErrExists)
						return err
					}, update: func(tx store.Tx, ctx context.Context, u store.User) error {
						if aborted {
							return errors.New("current transaction is aborted")
						}
						return tx.UpdateUser(ctx, u)
					}}
				}}
			},
			caught: []string{
				"Unit/refused_calls_leave_the_unit_usable", "Unit/refused_call_leaves_no_trace_for_later_ones",
				"User/duplicates_before_*", "User/rollback_takes_back_*",
			},
		},
	}
}

func faults() []fault {
	return slices.Concat(unitFaults(), keyFaults(), listFaults(), batchFaults(), valueFaults())
}
