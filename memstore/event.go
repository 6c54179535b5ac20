package memstore

import (
	"context"
	"slices"
	"sort"
	"unique"

	"github.com/usermgmt-go/usermgmt/store"
)

// event is an entry of the log. It never changes. Its organization may be gone.
type event struct {
	seq, at       int64
	actor, action word
	object        string
	org           word
	fields        word // packed
}

func (e *event) record() store.Event {
	return store.Event{
		Seq:            e.seq,
		At:             moment(e.at),
		Actor:          e.actor.Value(),
		Action:         e.action.Value(),
		Object:         e.object,
		OrganizationID: store.OrganizationID(e.org.Value()),
		Fields:         unpack(e.fields),
	}
}

// eventsTo returns how many events have numbers up to and including seq.
func (t *tables) eventsTo(seq int64) int {
	return sort.Search(len(t.events), func(i int) bool { return t.events[i].seq > seq })
}

func (x *reader) Events(ctx context.Context, after int64, limit int) ([]store.Event, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	rest := x.t.events[x.t.eventsTo(after):]
	n := min(limit, len(rest))
	if n <= 0 {
		return nil, nil
	}
	es := make([]store.Event, n)
	for i := range es {
		es[i] = rest[i].record()
	}
	return es, nil
}

func (x *tx) AppendEvent(ctx context.Context, e store.Event) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := e.Check(); err != nil {
		return err
	}
	t := x.t
	t.lastSeq++
	t.events = append(t.events, event{
		seq:    t.lastSeq,
		at:     micros(e.At),
		actor:  unique.Make(e.Actor),
		action: unique.Make(e.Action),
		object: own(e.Object),
		org:    unique.Make(string(e.OrganizationID)),
		fields: pack(e.Fields),
	})
	x.undo(func() {
		last := len(t.events) - 1
		t.events[last] = event{}
		t.events = t.events[:last]
		t.lastSeq--
	})
	return nil
}

func (x *tx) DropEvents(ctx context.Context, through int64) (int, error) {
	if err := x.ok(ctx); err != nil {
		return 0, err
	}
	t := x.t
	n, old, dropped := t.eventsTo(through), t.events, t.dropped
	if n == 0 {
		return 0, nil
	}
	// The dropped ones stay in memory until they outnumber the others, so that
	// dropping one has a constant cost. The old events stay as they are, to go
	// back to: later ones are appended behind them or elsewhere.
	t.events = old[n:]
	t.dropped += n
	if t.dropped > len(t.events) {
		t.events, t.dropped = slices.Clone(t.events), 0
	}
	x.undo(func() { t.events, t.dropped = old, dropped })
	return n, nil
}
