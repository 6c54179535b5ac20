package pgstore

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A unit that writes much waits for no answer after some writes, none of which
// was refused: its statements go to the server many together, and fail where they
// should change something and do not. If one does, the unit is run again, which
// then asks each time (see create), so that it is told exactly what is wrong. The
// rows that it creates go as one INSERT for each table, with an array for each
// column.
//
// A joined store's unit cannot be run again, and asks each time.
const (
	bulkFrom  = 16      // writes in a unit that are each answered by the server
	bulkSize  = 1000    // rows or statements that then go together,
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
	tables  map[string]*rows      // by the query that creates one row
	checks  map[string]*rows      // by the query that finds a parent
	fresh   map[namedRow]struct{} // records among the rows, which need no check as parents
	size    int
	bytes   int
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

// rows are rows of one table, column by column.
type rows struct {
	at      int // of the statement among those that wait
	columns []column
	n       int
}

// column has the values of one type: texts, blobs or numbers. NULLs among the
// texts are empty there, and the least number among numbers.
type column struct {
	name     string
	kind     columnKind
	nullable bool
	texts    []string
	blobs    [][]byte
	numbers  []int64
}

type columnKind uint8

const (
	allNull columnKind = iota
	isText
	isBlob
	isNumber
)

// add appends a value, nil for NULL, to a column of n, and reports whether that
// changes the statement.
func (c *column) add(n int, v any) (changes bool) {
	old, nullable := c.kind, c.nullable
	switch v := v.(type) {
	case string:
		if c.begin(isText, n) {
			c.texts = make([]string, n)
		}
		c.texts = append(c.texts, v)
	case []byte:
		if c.begin(isBlob, n) {
			c.blobs = make([][]byte, n)
		}
		c.blobs = append(c.blobs, v)
	case int64:
		if c.begin(isNumber, n) {
			for range n {
				c.numbers = append(c.numbers, math.MinInt64)
			}
		}
		c.numbers = append(c.numbers, v)
	default: // nil
		switch c.nullable = true; c.kind {
		case isText:
			c.texts = append(c.texts, "")
		case isBlob:
			c.blobs = append(c.blobs, nil)
		case isNumber:
			c.numbers = append(c.numbers, math.MinInt64)
		}
	}
	return c.kind != old || c.kind != allNull && c.nullable != nullable
}

// begin makes the column, if it has had NULLs alone so far, one of a kind.
func (c *column) begin(kind columnKind, n int) bool {
	if c.kind != allNull {
		return false
	}
	c.kind = kind
	return true
}

// arg returns the array, its type, and how a value is read from it.
func (c *column) arg() (array any, typ, value string) {
	value = "r." + c.name
	switch c.kind {
	case isText:
		array, typ = c.texts, "text[]"
		if c.nullable {
			value = "nullif(" + value + ", '')"
		}
	case isBlob:
		array, typ = c.blobs, "bytea[]"
	case isNumber:
		array, typ = c.numbers, "bigint[]"
		if c.nullable {
			value = "nullif(" + value + ", " + strconv.Itoa(math.MinInt64) + ")"
		}
	}
	return array, typ, value
}

// statement is the INSERT of all rows.
func (r *rows) statement(table string) string {
	var names, values, arrays []string
	for i := range r.columns {
		c := &r.columns[i]
		if _, typ, value := c.arg(); typ != "" {
			names, values = append(names, c.name), append(values, value)
			arrays = append(arrays, "$"+strconv.Itoa(len(names)+1)+"::"+typ)
		}
	}
	list := strings.Join(names, ", ")
	return table + " (realm, " + list + ") SELECT $1, " + strings.Join(values, ", ") +
		" FROM unnest(" + strings.Join(arrays, ", ") + ") AS r (" + list + ")"
}

// bulk says whether the unit waits for answers no more.
func (t *tx) inBulk() bool { return t.written > bulkFrom && !t.refused && t.lock == "" }

// open makes the rows be those that the connection sends next.
func (b *bulk) open(c *conn) {
	n := len(b.waiting)
	if n > 0 && n == len(c.later) && &b.waiting[0] == &c.later[0] {
		return
	}
	*b = bulk{tables: map[string]*rows{}, checks: map[string]*rows{}, fresh: map[namedRow]struct{}{}, waiting: c.later, first: len(c.later)}
}

// leaveRow leaves for later the creation of a record (see create), and sends what
// has come together if it is much.
func (t *tx) leaveRow(ctx context.Context, parents []parent, rules []rule, query string, args []any) error {
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
	return t.sendBulk(ctx)
}

// leaveChange leaves an UPDATE of one record for later.
func (t *tx) leaveChange(ctx context.Context, query string, args []any) error {
	t.changed = true
	t.conn.leave("WITH changed AS ("+query+" RETURNING 1) SELECT 1/count(*) FROM changed", args...)
	if len(t.conn.later) < bulkSize/4 {
		return nil
	}
	return t.sendBulk(ctx)
}

// sendBulk sends what waits.
func (t *tx) sendBulk(ctx context.Context) error {
	if len(t.events) >= bulkEvents {
		t.conn.later = append(t.conn.later, t.flushEvents()...)
	}
	err := t.conn.run(ctx)
	if err == nil && len(t.came) >= foldDue {
		err = t.foldCame(ctx)
	}
	return err
}

// add adds a row. The query begins with "INSERT INTO {table} (realm, column, …)",
// and the arguments are the values of these columns; others may follow.
func (b *bulk) add(c *conn, query string, args []any) {
	r := b.tables[query]
	table, list, _ := strings.Cut(query, " (")
	if r == nil {
		r = &rows{at: len(c.later)}
		list, _, _ = strings.Cut(list, ")")
		for _, name := range strings.Split(list, ", ")[1:] {
			r.columns = append(r.columns, column{name: name})
		}
		b.tables[query] = r
		c.later = append(c.later, step{})
		b.waiting = c.later
	}
	changed := r.n == 0
	for i := range r.columns {
		v := args[i+1]
		changed = r.columns[i].add(r.n, v) || changed
		switch v := v.(type) {
		case string:
			b.bytes += len(v)
		case []byte:
			b.bytes += len(v)
		}
	}
	r.n++
	b.size++
	s := &c.later[r.at]
	if changed {
		s.sql = r.statement(table)
	}
	s.args = append(s.args[:0], args[0])
	for i := range r.columns {
		if array, _, _ := r.columns[i].arg(); array != nil {
			s.args = append(s.args, array)
		}
	}
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
	r := b.checks[p.query]
	if r == nil {
		many := strings.TrimSuffix(p.query, "=$2") + "=ANY($2::text[]) ORDER BY id"
		b.before(c, step{sql: "SELECT 1/(count(*)=$3)::int FROM (" + many + locked + ") p", args: []any{p.args[0], nil, nil}})
		r = &rows{at: b.first, columns: make([]column, 1)}
		b.checks[p.query] = r
	}
	r.columns[0].add(r.n, name.a)
	r.n++
	b.fresh[name] = struct{}{} // once is enough
	c.later[r.at].args[1], c.later[r.at].args[2] = r.columns[0].texts, r.n
}

// before puts a statement before all others of the bulk.
func (b *bulk) before(c *conn, s step) {
	c.later = slices.Insert(c.later, b.first, s)
	b.waiting = c.later
	for _, group := range []map[string]*rows{b.tables, b.checks} {
		for _, r := range group {
			r.at++
		}
	}
}
