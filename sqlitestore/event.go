package sqlitestore

import (
	"context"
	"database/sql/driver"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func (r *reader) Events(ctx context.Context, after int64, limit int) ([]store.Event, error) {
	if err := r.ok(ctx); err != nil || limit <= 0 {
		return nil, err
	}
	var vs []store.Event
	err := r.db.each(func(row []driver.Value) error {
		v, err := record.DecodeEvent(blob(row[1]))
		v.Seq = number(row[0])
		vs = append(vs, v)
		return err
	}, "SELECT seq, data FROM {event} WHERE realm=? AND seq>? ORDER BY seq LIMIT ?", r.realm, after, int64(limit))
	if err != nil {
		return nil, err
	}
	return vs, nil
}

// lastEvent returns the greatest number of an event that was ever committed in
// the realm or given out in this transaction.
func (t *tx) lastEvent() (int64, error) {
	if n, ok := t.pending.events[t.realm]; ok {
		return n, nil
	}
	row, err := t.db.first("SELECT max(coalesce((SELECT max(seq) FROM {event} WHERE realm=?1), 0),"+
		" coalesce((SELECT dropped FROM {realm} WHERE realm=?1), 0))", t.realm)
	if err != nil {
		return 0, err
	}
	return number(row[0]), nil
}

func (t *tx) AppendEvent(ctx context.Context, v store.Event) error {
	if err := t.may(ctx, v); err != nil {
		return err
	}
	n, err := t.lastEvent()
	if err != nil {
		return err
	}
	if t.pending.events == nil {
		t.pending.events = make(map[string]int64)
	}
	n++
	t.pending.events[t.realm] = n
	_, err = t.db.exec("INSERT INTO {event} (realm, seq, data) VALUES (?, ?, ?)", t.realm, n, record.EncodeEvent(v))
	return err
}

func (t *tx) DropEvents(ctx context.Context, through int64) (int, error) {
	if err := t.ok(ctx); err != nil {
		return 0, err
	}
	// The greatest number so far outlives its event.
	last, err := t.lastEvent()
	if err != nil {
		return 0, err
	}
	n, err := t.db.exec("DELETE FROM {event} WHERE realm=? AND seq<=?", t.realm, through)
	if err != nil || n == 0 {
		return 0, err
	}
	_, err = t.db.exec("INSERT INTO {realm} (realm, dropped) VALUES (?, ?)"+
		" ON CONFLICT DO UPDATE SET dropped=max(dropped, excluded.dropped)", t.realm, last)
	return int(n), err
}
