//go:build !linux

package sqlitestore

// walIndex is not to be had: there is no safe way to find SQLite's mapping.
type walIndex struct{}

func findWalIndex(string) *walIndex { return nil }

func (*walIndex) header() (walHeader, bool) { return walHeader{}, false }
