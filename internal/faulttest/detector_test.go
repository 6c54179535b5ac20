//go:build race

package faulttest

// detector says that the race detector watches. A database in Go is twenty times
// slower under it, and one operation after the other has nothing to show it.
const detector = true
