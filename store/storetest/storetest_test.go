package storetest_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/usermgmt-go/usermgmt/store"
	"github.com/usermgmt-go/usermgmt/store/storetest"
)

// The model that random cases compare with keeps the contract itself.
func TestModel(t *testing.T) { storetest.Run(t, storetest.NewModel) }

func TestCases_are_many_and_named_once(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range storetest.Cases() {
		if seen[c.Name] || strings.ContainsAny(c.Name, " #") {
			t.Errorf("case %q: its name is taken or holds blanks", c.Name)
		}
		seen[c.Name] = true
	}
	if len(seen) <= 120 {
		t.Errorf("got %d cases, want more than 120", len(seen))
	}
	t.Logf("%d cases", len(seen))
}

// Cancellation, isolation and the end of a unit are proved for every method.
func TestCalls_cover_every_method(t *testing.T) {
	t.Parallel()
	var want []string
	tx := reflect.TypeFor[store.Tx]()
	for i := range tx.NumMethod() {
		want = append(want, tx.Method(i).Name)
	}
	got := storetest.Calls()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("calls of a Tx\n got: %q\nwant: %q", got, want)
	}
}
