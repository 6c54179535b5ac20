// Package storetest proves that a [store.Store] keeps its contract, clause by
// clause. A backend runs it from one test:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t testing.TB) store.Store {
//			s, err := mystore.Open(t.TempDir())
//			require.NoError(t, err)
//			return s
//		})
//	}
//
// Each case is a parallel subtest with a store of its own, named after the
// rule that it proves: a failure of TestStore/User/stale_update_is_refused says
// which promise is broken, and its message holds the call, what came of it, and
// what should have. The cases in Model run seeded random operations against a
// plain model; one that fails is replayed by its name, and STORETEST_SEED=n in
// the environment adds the seed n.
//
// Words used here: a realm's picture is all that any method of a Reader says
// about a known set of records; a sample is a valid record with every field set.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// Run proves the stores that open makes. It calls open for each case, from
// several goroutines at once, and closes the store at the end of the case; open
// must return an empty store and may leave a clean-up of its own with t, which
// may close the store again.
//
// With -short, the cases that compare with a model do less of it.
//
// Cases about generations are skipped for a store whose Generation is
// [errors.ErrUnsupported].
func Run(t *testing.T, open func(t testing.TB) store.Store) {
	for _, g := range groups() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range g.cases {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.prove(t, open)
				})
			}
		})
	}
}

// testCase is one clause of the contract.
type testCase struct {
	name string
	run  func(*trial)
}

// patience bounds a case. A store that forgets to release something fails its
// case with a context error instead of hanging the whole run.
const patience = 2 * time.Minute

// prove runs the case against a fresh store.
func (c testCase) prove(t testing.TB, open func(testing.TB) store.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	s := open(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: got %v, want nil", err)
		}
	})
	c.run(&trial{TB: t, store: s, ctx: ctx})
}

// group holds the cases of one subject.
type group struct {
	name  string
	cases []testCase
}

// groups returns every case of the suite.
func groups() []group {
	var gs []group
	for _, n := range nouns() {
		gs = append(gs, group{n.title(), n.cases()})
	}
	return append(gs,
		group{"UserQuery", userQueryCases()},
		group{"UserSearch", userSearchCases()},
		group{"UserOrder", userOrderCases()},
		group{"UserRecord", userRecordCases()},
		group{"Credential", credentialCases()},
		group{"Batch", batchCases()},
		group{"OrganizationKeys", organizationCases()},
		group{"MembershipLists", membershipCases()},
		group{"RoleLists", roleCases()},
		group{"Permission", permissionCases()},
		group{"VendorSecret", vendorSecretCases()},
		group{"TokenUse", tokenCases()},
		group{"Failures", failuresCases()},
		group{"Expiry", expiryCases()},
		group{"Event", eventCases()},
		group{"Deletion", deletionCases()},
		group{"Unit", unitCases()},
		group{"Snapshot", snapshotCases()},
		group{"Glance", glanceCases()},
		group{"Cancellation", cancelCases()},
		group{"Lifetime", lifetimeCases()},
		group{"Generation", generationCases()},
		group{"Isolation", isolationCases()},
		group{"Concurrency", concurrencyCases()},
		group{"Text", textCases()},
		group{"Number", numberCases()},
		group{"Model", modelCases()},
	)
}
