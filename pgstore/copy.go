package pgstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// rows are those of a COPY, in its binary format (PostgreSQL's manual, COPY,
// "Binary Format"). The columns are of the types text, bytea and bigint.
type rows struct {
	columns int // of each
	data    []byte
	late    func() // adds more, once all statements before the COPY are answered
}

// newRows has room for so many bytes from the start.
func newRows(columns, room int) *rows {
	const header = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00" // no flags, nothing more
	return &rows{columns: columns, data: append(make([]byte, 0, room), header...)}
}

// add adds a row of the first values, of which nil is NULL.
func (r *rows) add(values []any) {
	r.data = binary.BigEndian.AppendUint16(r.data, uint16(r.columns))
	for _, v := range values[:r.columns] {
		switch v := v.(type) {
		case nil:
			r.data = append(r.data, 0xff, 0xff, 0xff, 0xff)
		case string:
			r.data = append(r.length(len(v)), v...)
		case []byte:
			r.data = append(r.length(len(v)), v...)
		case int64:
			r.data = binary.BigEndian.AppendUint64(r.length(8), uint64(v))
		default:
			panic(fmt.Sprintf("pgstore: no column takes a %T", v))
		}
	}
}

// length is the data with the length of the next value.
func (r *rows) length(n int) []byte { return binary.BigEndian.AppendUint32(r.data, uint32(n)) }

// copyIn runs a COPY on the connection of a pool.
func (c *conn) copyIn(ctx context.Context, s step) error {
	if s.copied.late != nil {
		s.copied.late()
	}
	data := binary.BigEndian.AppendUint16(s.copied.data, 0xffff) // the end
	_, err := c.sender.(*pgx.Conn).PgConn().CopyFrom(ctx, bytes.NewReader(data), c.naming.sql(s.sql))
	return err
}
