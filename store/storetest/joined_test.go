package storetest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/usermgmt-go/usermgmt/store/storetest"
)

// The model's transactions keep the contract.
func TestJoinedModel(t *testing.T) {
	storetest.RunJoined(t, func(testing.TB) storetest.Joined { return storetest.BeginJoined() })
}

// joinedFaults are ways in which a joined store could be wrong, each with the
// cases that it fails, as patterns of path.Match. The first names it.
func joinedFaults() map[string][]string {
	undone := []string{ // whatever has a unit that fails
		"Joined/failed_units_leave_the_transaction_what_it_had", "Joined/events_*", "*/Unit/error_*", "*/Unit/panic_rolls_*",
		"*/Unit/each_write_*", "*/Event/rolled_back_*", "*/Role/rollback_*", "*/Cancellation/unit_*", "*/Lifetime/tx_*",
	}
	return map[string][]string{
		"units commit": {
			"Joined/nothing_is_seen_outside_before_the_commit", "Joined/rollback_*", "Joined/close_commits_nothing",
			"Joined/commit_changes_the_generation_outside", "Joined/after_the_rollback_*", "RolledBack/*/*",
		},
		"failed units stay":                  undone,
		"failed unit undoes the transaction": undone,
		"failed unit ends the transaction":   undone,
		"panicking units stay":               {"Joined/failed_units_leave_the_transaction_what_it_had", "*/Unit/panic_rolls_*"},
		"done contexts are not heeded":       {"Joined/failed_units_leave_the_transaction_what_it_had", "*/Cancellation/unit_*"},
		"rollback keeps events":              {"Joined/rollback_of_the_host_leaves_nothing_of_any_unit", "RolledBack/*/*"},
		"events are written outside": {
			"Joined/nothing_is_seen_outside_before_the_commit", "Joined/rollback_of_the_host_*", "RolledBack/*/*",
		},
		"rollback keeps the generation": {"Joined/rollback_leaves_the_generation_outside"},
		"commit loses a realm":          {"Joined/units_see_each_other_and_commit_together"},
		"views read outside":            {"Joined/units_see_each_other_and_commit_together", "Joined/failed_*", "Joined/generation_*", "Committed/*/*", "RolledBack/*/*"},
		"has generations":               {"Joined/generation_is_unsupported", "Joined/after_*", "*/Lifetime/closed_*"},
		"readers have generations":      {"Joined/generation_is_unsupported"},
		"units nest":                    {"Joined/unit_within_a_unit_is_refused_at_once"},
		"outlives its transaction":      {"Joined/after_the_commit_units_are_refused", "Joined/after_the_rollback_units_are_refused"},
		// The transaction that the host comes to end has ended.
		"close commits":    {"Joined/close_commits_nothing", "Joined/close_leaves_*", "Committed/*/*", "RolledBack/*/*"},
		"close rolls back": {"Joined/close_leaves_the_transaction_to_the_host", "Joined/close_commits_nothing", "Committed/*/*", "RolledBack/*/*"},
	}
}

// sampled are the cases that are tried on every fault; all would take long.
var sampled = []string{"Joined/*", "*/Unit/*", "*/Event/*", "*/Role/*", "*/Cancellation/unit_*", "*/Cancellation/nested_*", "*/Lifetime/*"}

// Each fault is caught by the case that names it, and by none that does not
// have to do with it.
func TestRunJoined_catches(t *testing.T) {
	t.Parallel()
	for name, caught := range joinedFaults() {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			seen := false
			for _, c := range storetest.JoinedCases() {
				if !matches(c.Name, sampled) || testing.Short() && !matches(c.Name, caught[:1]) {
					continue
				}
				report := failing(t, func(t testing.TB) {
					c.Prove(t, func(testing.TB) storetest.Joined { return storetest.BeginJoined(name) })
				})
				if report == "" {
					continue
				}
				if !matches(c.Name, caught) {
					t.Errorf("%s fails, want it to pass:\n%.600s", c.Name, report)
				}
				seen = seen || matches(c.Name, caught[:1])
			}
			if !seen {
				t.Errorf("%s passes, want it to fail", caught[0])
			}
		})
	}
}

// No pattern of what is skipped is there without a case, and most cases run.
func TestRunJoined_skips_what_it_must(t *testing.T) {
	t.Parallel()
	var skipped int
	for _, p := range storetest.Separate() {
		n := 0
		for _, c := range storetest.Cases() {
			if matches(c.Name, []string{p}) {
				n++
			}
		}
		if n == 0 {
			t.Errorf("%q: no case is of that name", p)
		}
		skipped += n
	}
	run := slices.DeleteFunc(storetest.Cases(), func(c storetest.Case) bool { return matches(c.Name, storetest.Separate()) })
	if len(run) < 5*skipped {
		t.Errorf("got %d cases that run and %d that are skipped, want it to be five times as many", len(run), skipped)
	}
	t.Logf("%d cases run twice, %d are skipped", len(run), skipped)
}
