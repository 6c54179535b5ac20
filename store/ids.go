package store

import (
	"time"
	"unicode/utf8"
)

// Ids are opaque strings of 1 to 128 bytes, valid UTF-8 without U+0000,
// ordered by their bytes. They are never secrets.
type (
	UserID         string
	OrganizationID string
	RoleID         string
	TenantID       string
	VendorID       string
	KeyID          string
	SessionID      string
)

// MaxID is the greatest length of an id in bytes.
const MaxID = 128

// MaxKey is the greatest length in bytes of a text that is no id and by which
// records are unique or found, such as [User.UsernameKey] or a tenant of a
// user's. The names of roles have no such limit.
const MaxKey = 1024

// Time is a moment in UTC with microseconds; its zero value means "none".
type Time = time.Time

// Micro converts t to UTC with whole microseconds, the form that records hold;
// the zero time stays zero.
func Micro(t time.Time) Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// check gathers the first fault of a record's fields.
type check struct{ err error }

func (c *check) fail(field, reason string) {
	if c.err == nil {
		c.err = invalid(field, reason)
	}
}

func (c *check) id(field string, v string) {
	switch {
	case v == "":
		c.fail(field, "must not be empty")
	default:
		c.optionalID(field, v)
	}
}

func (c *check) optionalID(field string, v string) {
	if len(v) > MaxID {
		c.fail(field, "must have at most 128 bytes")
		return
	}
	c.text(field, v)
}

// key checks texts by which records are unique or found.
func (c *check) key(field string, vs ...string) {
	for _, v := range vs {
		if len(v) > MaxKey {
			c.fail(field, "must have at most 1024 bytes")
		}
	}
	c.text(field, vs...)
}

func (c *check) text(field string, vs ...string) {
	if c.err != nil {
		return
	}
	for _, v := range vs {
		if !utf8.ValidString(v) {
			c.fail(field, "must be valid UTF-8")
			return
		}
		for i := range len(v) {
			if v[i] == 0 {
				c.fail(field, "must not contain U+0000")
				return
			}
		}
	}
}

func (c *check) time(field string, t Time) {
	if t.IsZero() {
		return
	}
	if t.Location() != time.UTC || t.Nanosecond()%1000 != 0 {
		c.fail(field, "must be UTC with whole microseconds")
	}
}

// set checks a list that stands for a set: sorted by bytes, without repeats or empty entries.
func set[T ~string](c *check, field string, vs []T) {
	for i, v := range vs {
		c.text(field, string(v))
		if v == "" {
			c.fail(field, "must not hold an empty entry")
		}
		if i > 0 && vs[i-1] >= v {
			c.fail(field, "must be sorted, without repeats")
		}
	}
}
