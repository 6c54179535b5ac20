// Package record is the form in which databases keep the records of package
// store: one value each. A page of fifty users is then fifty columns instead of
// nine hundred, and the columns are what a page costs.
//
//	data := record.EncodeUser(u)
//	u, err := record.DecodeUser(data)
//
// A value begins with the version of its layout, 1 so far, and holds the
// fields in the order of the record: texts with their length before them,
// numbers as variable-length integers. A later layout gets a later number and
// its decoder reads the earlier ones, so that no migration rewrites a table.
package record

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

const layout = 1

// ErrDamaged is the error for a value that no release can have written.
var ErrDamaged = errors.New("a stored record cannot be read")

type encoder struct{ b []byte }

func encode() *encoder {
	return &encoder{b: append(make([]byte, 0, 256), layout)}
}

func (e *encoder) uint(n uint64) { e.b = binary.AppendUvarint(e.b, n) }

func (e *encoder) int(n int64) { e.b = binary.AppendVarint(e.b, n) }

func (e *encoder) flag(v bool) {
	if v {
		e.b = append(e.b, 1)
	} else {
		e.b = append(e.b, 0)
	}
}

func (e *encoder) text(vs ...string) {
	for _, v := range vs {
		e.uint(uint64(len(v)))
		e.b = append(e.b, v...)
	}
}

// time writes 0 for none, else the zigzag form of the microseconds plus one:
// the first moment of 1970 is a moment too.
func (e *encoder) time(ts ...store.Time) {
	for _, t := range ts {
		if t.IsZero() {
			e.uint(0)
			continue
		}
		us := t.UnixMicro()
		e.uint(uint64(us)<<1 ^ uint64(us>>63) + 1)
	}
}

func (e *encoder) digest(d store.Digest) { e.b = append(e.b, d[:]...) }

func list[T ~string](e *encoder, vs []T) {
	e.uint(uint64(len(vs)))
	for _, v := range vs {
		e.text(string(v))
	}
}

// decoder reads what an encoder wrote. Texts share the memory of the value,
// which is this record's alone and never changes.
type decoder struct {
	s   string
	bad bool
}

// decode reads a value whole.
func decode[T any](b []byte, read func(*decoder) T) (T, error) {
	d := &decoder{s: string(b)}
	d.bad = d.byte() != layout
	v := read(d)
	if d.bad || d.s != "" {
		var none T
		return none, ErrDamaged
	}
	return v, nil
}

func (d *decoder) take(n uint64) string {
	if n > uint64(len(d.s)) {
		d.bad, d.s = true, ""
		return ""
	}
	v := d.s[:n]
	d.s = d.s[n:]
	return v
}

func (d *decoder) byte() byte {
	if v := d.take(1); v != "" {
		return v[0]
	}
	return 0
}

func (d *decoder) uint() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		b := d.byte()
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
	d.bad = true
	return 0
}

func (d *decoder) int() int64 {
	n := d.uint()
	return int64(n>>1) ^ -int64(n&1)
}

func (d *decoder) flag() bool { return d.byte() != 0 }

func (d *decoder) text() string { return d.take(d.uint()) }

func (d *decoder) time() store.Time {
	n := d.uint()
	if n == 0 {
		return time.Time{}
	}
	n--
	return time.UnixMicro(int64(n>>1) ^ -int64(n&1)).UTC()
}

func (d *decoder) digest() (v store.Digest) {
	copy(v[:], d.take(uint64(len(v))))
	return v
}

// count reads the length of a list, each entry of which takes a byte at least.
func (d *decoder) count() int {
	n := d.uint()
	if n > uint64(len(d.s)) {
		d.bad = true
		return 0
	}
	return int(n)
}

func unlist[T ~string](d *decoder) []T {
	n := d.count()
	if n == 0 {
		return nil
	}
	vs := make([]T, n)
	for i := range vs {
		vs[i] = T(d.text())
	}
	return vs
}
