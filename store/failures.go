package store

import "context"

// Failures counts the attempts at a secret that have failed in a row. What a
// key is made of and what the numbers mean is the engine's business. Unique in
// the realm: Key.
type Failures struct {
	// Key is the digest of what was tried at.
	Key Digest
	// Count is how many there were, 1 at least.
	Count int64
	// Until is the engine's own; zero for none.
	Until Time
	// ExpiresAt is when the record may be removed; it is never zero.
	ExpiresAt Time
}

// Check reports the first fault of the record.
func (f Failures) Check() error {
	var c check
	c.digest("Key", f.Key)
	if f.Count < 1 {
		c.fail("Count", "must be 1 or more")
	}
	c.time("Until", f.Until)
	if f.ExpiresAt.IsZero() {
		c.fail("ExpiresAt", "must not be zero")
	}
	c.time("ExpiresAt", f.ExpiresAt)
	return c.err
}

// FailuresReader finds counts. Expired ones are found like others.
type FailuresReader interface {
	Failures(ctx context.Context, key Digest) (Failures, error)
}

// FailuresWriter changes counts.
type FailuresWriter interface {
	// PutFailures creates the record of the key or replaces it. A unit that has
	// read the record, or that there was none, counts on what it read.
	PutFailures(ctx context.Context, f Failures) error
	DeleteFailures(ctx context.Context, key Digest) error
}
