package store

import "context"

// Event says what happened: who did what to what, and when. It never holds a
// secret, nor the values that were changed.
type Event struct {
	// Seq is set by the store: greater than that of every event of the realm
	// committed before, and never used again. Gaps are allowed.
	Seq int64
	At  Time
	// Actor is "host", or a kind and an id: "user:…", "key:…", "vendor:…".
	Actor string
	// Action is "noun.verb", such as "user.created".
	Action string
	// Object is a kind and an id, such as "user:…".
	Object string
	// OrganizationID is the organization that it happened in, or empty.
	OrganizationID OrganizationID
	// Fields is the sorted set of the names of changed fields.
	Fields []string
}

// Check reports the first fault of the record.
func (e Event) Check() error {
	var c check
	c.text("Actor", e.Actor)
	if e.Action == "" {
		c.fail("Action", "must not be empty")
	}
	c.text("Action", e.Action)
	c.text("Object", e.Object)
	c.optionalID("OrganizationID", string(e.OrganizationID))
	set(&c, "Fields", e.Fields)
	c.time("At", e.At)
	return c.err
}

// Clone returns a copy that shares no memory that can change. Empty lists become nil.
func (e Event) Clone() Event {
	e.Fields = cloneList(e.Fields)
	return e
}

// EventReader reads the log.
type EventReader interface {
	// Events returns up to limit events with Seq greater than after, in its
	// order. A reader that passes the last Seq on as the next after sees every
	// event exactly once, concurrent writers or not.
	Events(ctx context.Context, after int64, limit int) ([]Event, error)
}

// EventWriter writes the log.
type EventWriter interface {
	// AppendEvent adds an event, heedless of its Seq. What it names need not
	// be there (any more).
	AppendEvent(ctx context.Context, e Event) error
	// DropEvents removes the events with Seq up to and including through, and
	// returns how many. Their numbers are not used again.
	DropEvents(ctx context.Context, through int64) (int, error)
}
