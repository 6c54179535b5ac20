package storetest

import (
	"testing"

	"github.com/usermgmt-go/usermgmt/store"
)

// NewModel opens a store that keeps the whole contract.
func NewModel(testing.TB) store.Store { return newModel() }

// Case is a case of the suite, for tests of the suite itself.
type Case struct {
	Name  string
	Prove func(t testing.TB, open func(testing.TB) store.Store)
}

// Cases returns the whole suite.
func Cases() []Case {
	var out []Case
	for _, g := range groups() {
		for _, c := range g.cases {
			out = append(out, Case{g.name + "/" + c.name, c.prove})
		}
	}
	return out
}

// Calls returns the names of the methods that the tables of calls cover.
func Calls() []string {
	var out []string
	for _, q := range queries() {
		out = append(out, q.name)
	}
	for _, c := range commands() {
		out = append(out, c.name)
	}
	return out
}
