package pgstore

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func (r *reader) Events(ctx context.Context, since int64, limit int) ([]store.Event, error) {
	if err := r.ok(ctx); err != nil || limit <= 0 {
		return nil, err
	}
	if r.tx != nil {
		r.conn.later = append(r.conn.later, r.tx.flushEvents()...)
	}
	var vs []store.Event
	err := r.conn.each(ctx, func(row pgx.Rows) error {
		var seq int64
		var data []byte
		if err := row.Scan(&seq, &data); err != nil {
			return err
		}
		v, err := record.DecodeEvent(data)
		v.Seq = seq
		vs = append(vs, v)
		return err
	}, "SELECT seq, data FROM {event} WHERE realm=$1 AND seq>$2 ORDER BY seq LIMIT $3", r.realm, since, int64(limit))
	if err != nil {
		return nil, err
	}
	return vs, nil
}

func (t *tx) AppendEvent(ctx context.Context, v store.Event) error {
	if err := t.may(ctx, v); err != nil {
		return err
	}
	t.changed = true
	t.events = append(t.events, record.EncodeEvent(v))
	return nil
}

// flushEvents writes the unit's events with the next numbers of the realm. It
// locks the row of log, so that whoever is given later numbers commits later,
// and a reader who has seen a number has seen all below it. That makes units
// with events commit one after another; so it is the last that they do.
func (t *tx) flushEvents() []step {
	if len(t.events) == 0 {
		return nil
	}
	if len(t.events) > bulkSize && t.inBulk() {
		return t.copyEvents()
	}
	s := step{
		sql: "WITH l AS (INSERT INTO {log} AS l (realm, last) VALUES ($1, $2::bigint)" +
			" ON CONFLICT (realm) DO UPDATE SET last=l.last+excluded.last RETURNING last-$2::bigint AS before)" +
			" INSERT INTO {event} (realm, seq, data) SELECT $1, l.before+e.n, e.data" +
			" FROM l, unnest($3::bytea[]) WITH ORDINALITY AS e (data, n)",
		args: []any{t.realm, int64(len(t.events)), t.events},
	}
	t.events = nil
	return []step{s}
}

// copyEvents is flushEvents of many.
func (t *tx) copyEvents() []step {
	var last int64
	events := t.events
	t.events = nil
	rows := newRows(3, len(events)*128)
	rows.late = func() {
		for i, data := range events {
			rows.add([]any{t.realm, last - int64(len(events)-1-i), data})
		}
	}
	return []step{{
		sql: "INSERT INTO {log} AS l (realm, last) VALUES ($1, $2::bigint)" +
			" ON CONFLICT (realm) DO UPDATE SET last=l.last+excluded.last RETURNING last",
		args: []any{t.realm, int64(len(events))}, row: into(&last),
	}, {
		sql: "COPY {event} (realm, seq, data) FROM STDIN (FORMAT binary)", copied: rows,
	}}
}

func (t *tx) DropEvents(ctx context.Context, through int64) (int, error) {
	if err := t.ok(ctx); err != nil {
		return 0, err
	}
	t.conn.later = append(t.conn.later, t.flushEvents()...)
	n, err := t.conn.exec(ctx, "DELETE FROM {event} WHERE realm=$1 AND seq<=$2", t.realm, through)
	t.changed = t.changed || n > 0
	return int(n), err
}
