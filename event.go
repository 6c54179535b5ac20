package usermgmt

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// Event says what happened: who did what to what, and when. It holds neither
// secrets nor the values that were changed.
type Event struct {
	// Seq orders the events of the realm. Gaps are possible.
	Seq int64
	At  time.Time
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

// Events returns a page of the realm's events in the order of their Seq. A
// reader that passes List.Next on sees every event exactly once, those
// included that are written meanwhile; Next is given even at the end of the
// list, to go on from later. It needs events.read or events.list.
func (m *Manager) Events(ctx context.Context, p Page) (List[Event], error) {
	limit, err := p.limit()
	if err != nil {
		return List[Event]{}, err
	}
	var after int64
	if p.After != "" {
		if after, err = strconv.ParseInt(p.After, 10, 64); err != nil || after < 0 {
			return List[Event]{}, invalid("after", "must be a cursor of this list")
		}
	}
	var list List[Event]
	err = m.view(ctx, func(g *guard) error {
		if err := g.needAny(ctx, Realmwide, EventsRead, EventsList); err != nil {
			return err
		}
		found, err := g.r.Events(ctx, after, limit)
		if err != nil {
			return err
		}
		list = List[Event]{Items: make([]Event, len(found)), Next: strconv.FormatInt(after, 10)}
		for i, e := range found {
			list.Items[i] = Event(e)
			list.Next = strconv.FormatInt(e.Seq, 10)
		}
		return nil
	})
	return list, err
}

// DropEvents removes the events up to and including a Seq, and returns how
// many: the host's way to bound the log. It is the host's alone.
func (m *Manager) DropEvents(ctx context.Context, through int64) (int, error) {
	if m.actor.kind != ActorHost {
		return 0, m.denied(ctx, slog.LevelInfo, &ForbiddenError{Reason: "only the host drops events"})
	}
	var n int
	err := m.store.Update(ctx, m.realm, func(tx store.Tx) error {
		var err error
		n, err = tx.DropEvents(ctx, through)
		return err
	})
	return n, err
}

// Sweep removes expired sessions, tokens, vendor secrets and counts of failed
// attempts, at most limit of each call, and returns how many. Nothing depends on it but the size of the
// store; a host calls it now and then. It is the host's alone.
func (m *Manager) Sweep(ctx context.Context, limit int) (int, error) {
	if m.actor.kind != ActorHost {
		return 0, m.denied(ctx, slog.LevelInfo, &ForbiddenError{Reason: "only the host sweeps"})
	}
	var n int
	err := m.store.Update(ctx, m.realm, func(tx store.Tx) error {
		var err error
		n, err = tx.DeleteExpired(ctx, m.now(), limit)
		return err
	})
	return n, err
}
