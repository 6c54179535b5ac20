// Package tier says how long a test may take. Tests whose worth grows with
// their number of rounds ask it for that number:
//
//	rounds := tier.Count(5, 50, 1_000, 10_000)
//
// There are four tiers: "go test -short" is for the time between two edits,
// the usual one for every change, and two that are asked for by the
// environment variable USERMGMT_TIER: "night" for what runs for hours,
// "release" for what runs before a version is given out.
package tier

import (
	"fmt"
	"os"
	"testing"
)

// Variable is the environment variable that asks for a tier: "night" or
// "release". Empty or unset it asks for none.
const Variable = "USERMGMT_TIER"

// Count returns the number that belongs to the tier of this run: short under
// "go test -short", night or release where [Variable] names it, usual if
// nothing is said. The variable wins over -short: who sets it means it. Another
// value of it panics, since a misspelled release run must not pass as one.
//
// It is for tests alone, once their flags are parsed, and safe for concurrent use.
func Count(short, usual, night, release int) int {
	return count(os.Getenv(Variable), testing.Short(), short, usual, night, release)
}

func count(name string, brief bool, short, usual, night, release int) int {
	switch {
	case name == "night":
		return night
	case name == "release":
		return release
	case name != "":
		panic(fmt.Sprintf("tier: %s is %q, which is neither night nor release", Variable, name))
	case brief:
		return short
	}
	return usual
}
