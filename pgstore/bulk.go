package pgstore

import (
	"slices"
	"strings"
)

// A unit that writes much waits for no answer after some writes, none of which
// was refused: its statements go to the server many together, while it goes on,
// and fail where they should change something and do not. If one does, the unit
// is run again, which then asks each time (see create), so that it is told exactly
// what is wrong. The rows that it creates go as one COPY for each table.
//
// A joined store's unit cannot be run again, and asks each time.
const (
	bulkFrom  = 16      // writes in a unit that are each answered by the server
	bulkSize  = 2000    // rows or statements that then go together,
	bulkBytes = 1 << 20 // if they have not so many bytes before
	// bulkEvents is how many events a unit keeps in memory at most. With more it
	// takes their numbers before its end, and the events of others wait for it.
	bulkEvents = 1 << 17
)

// bulk are rows to be created that are among the statements which the
// connection has left for later.
type bulk struct {
	// waiting is the connection's later as the bulk has left it. If it is not so
	// any more, the rows have been sent, or something is to come after them.
	waiting []step
	first   int                   // of the bulk's statements, of which the checks come first
	tables  map[string]int        // the statements of rows, by the query that creates one
	checks  map[string]int        // those about parents, by the query that finds one
	fresh   map[namedRow]struct{} // records among the rows, which need no check as parents
	size    int
	bytes   int
	room    map[string]int // bytes that the rows by a query had in the bulk before
}

// namedRow is what a query is about that finds one record by one or two texts.
type namedRow struct{ query, a, b string }

func nameRow(query string, args []any) (n namedRow, ok bool) {
	n.query = query
	for i, to := range []*string{&n.a, &n.b}[:min(len(args)-1, 2)] {
		if *to, ok = args[i+1].(string); !ok {
			return n, false
		}
	}
	return n, ok && len(args) <= 3
}

// inBulk says whether the unit waits for answers no more.
func (t *tx) inBulk() bool { return t.written > bulkFrom && !t.refused && t.lock == "" }

// open makes the rows be those that the connection sends next.
func (b *bulk) open(c *conn) {
	n := len(b.waiting)
	if n > 0 && n == len(c.later) && &b.waiting[0] == &c.later[0] {
		return
	}
	room := map[string]int{}
	for query, at := range b.tables {
		room[query] = len(b.waiting[at].copied.data)
	}
	*b = bulk{
		waiting: c.later, first: len(c.later), tables: map[string]int{}, checks: map[string]int{}, fresh: map[namedRow]struct{}{},
		room: room,
	}
}

// leaveRow leaves for later the creation of a record (see create), and sends what
// has come together if it is much.
func (t *tx) leaveRow(parents []parent, rules []rule, query string, args []any) error {
	t.changed = true
	t.rows.open(t.conn)
	for _, p := range parents {
		t.rows.check(t.conn, p)
	}
	t.rows.add(t.conn, query, args)
	if len(rules) > 0 {
		if name, ok := nameRow(rules[0].query, rules[0].args); ok {
			t.rows.fresh[name] = struct{}{}
		}
	}
	if t.rows.size < bulkSize && t.rows.bytes < bulkBytes {
		return nil
	}
	return t.sendBulk()
}

// leaveChange leaves an UPDATE of one record for later.
func (t *tx) leaveChange(query string, args []any) error {
	t.changed = true
	t.conn.leave("WITH changed AS ("+query+" RETURNING 1) SELECT 1/count(*) FROM changed", args...)
	if len(t.conn.later) < bulkSize/4 {
		return nil
	}
	return t.sendBulk()
}

// sendBulk sends what waits, while the unit goes on.
func (t *tx) sendBulk() error {
	if len(t.events) >= bulkEvents {
		t.conn.later = append(t.conn.later, t.flushEvents()...)
	}
	var came []string
	if len(t.came) >= foldDue && len(t.went) == 0 { // a split goes by those in user_change
		came, t.came, t.folded = t.came, nil, t.total
	}
	return t.conn.goOn(func(c *conn) {
		if err := c.run(t.unit); err == nil && came != nil {
			_ = countCame(t.unit, c, t.realm, came)
		}
	})
}

// add adds a row. The query begins with "INSERT INTO {table} (realm, column, …)",
// and the first arguments are the values of these columns.
func (b *bulk) add(c *conn, query string, args []any) {
	at, there := b.tables[query]
	if !there {
		into, _, _ := strings.Cut(strings.TrimPrefix(query, "INSERT INTO "), ")")
		at = len(c.later)
		c.later = append(c.later, step{
			sql:    "COPY " + into + ") FROM STDIN (FORMAT binary)",
			copied: newRows(1+strings.Count(into, ","), b.room[query]),
		})
		b.tables[query], b.waiting = at, c.later
	}
	rows := c.later[at].copied
	before := len(rows.data)
	rows.add(args)
	b.bytes += len(rows.data) - before
	b.size++
}

// check adds the condition that a parent is there, and locks it, unless it is
// among the rows. One that is created after is not there.
func (b *bulk) check(c *conn, p parent) {
	name, ok := nameRow(p.query, p.args)
	if _, there := b.fresh[name]; ok && there {
		return
	}
	b.size++
	if !ok || len(p.args) != 2 {
		b.before(c, step{sql: "SELECT 1/count(*) FROM (" + p.query + locked + ") p", args: p.args})
		return
	}
	at, there := b.checks[p.query]
	if !there {
		many := strings.TrimSuffix(p.query, "=$2") + "=ANY($2::text[]) ORDER BY id"
		at = b.first
		b.before(c, step{
			sql:  "SELECT 1/(count(*)=cardinality($2::text[]))::int FROM (" + many + locked + ") p",
			args: []any{p.args[0], []string(nil)},
		})
		b.checks[p.query] = at
	}
	ids := &c.later[at].args[1]
	*ids = append((*ids).([]string), name.a)
	b.fresh[name] = struct{}{} // once is enough
}

// before puts a statement before all others of the bulk.
func (b *bulk) before(c *conn, s step) {
	c.later = slices.Insert(c.later, b.first, s)
	b.waiting = c.later
	for _, group := range []map[string]int{b.tables, b.checks} {
		for query := range group {
			group[query]++
		}
	}
}
