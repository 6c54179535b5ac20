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

// BeginJoined begins a transaction on a model that keeps the whole contract but
// for the faults.
func BeginJoined(faults ...string) Joined { return beginJoined(faults...) }

// JoinedCase is a case of RunJoined.
type JoinedCase struct {
	Name  string
	Prove func(t testing.TB, begin func(testing.TB) Joined)
}

// JoinedCases returns all of RunJoined, without the cases that it skips.
func JoinedCases() []JoinedCase {
	var out []JoinedCase
	for _, g := range groups() {
		for _, c := range g.cases {
			name := g.name + "/" + c.name
			if apart(name) != "" {
				continue
			}
			for _, commit := range []bool{true, false} {
				how := map[bool]string{true: "Committed/", false: "RolledBack/"}[commit]
				out = append(out, JoinedCase{how + name, func(t testing.TB, begin func(testing.TB) Joined) {
					c.proveJoined(t, begin, commit)
				}})
			}
		}
	}
	for _, c := range joinedCases() {
		out = append(out, JoinedCase{"Joined/" + c.name, c.prove})
	}
	return out
}

// Separate returns the patterns of the cases that RunJoined skips.
func Separate() []string {
	var out []string
	for _, s := range separate {
		out = append(out, s.pattern)
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
