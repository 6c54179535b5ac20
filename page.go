package usermgmt

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/usermgmt-go/usermgmt/store"
)

// MaxPage is the greatest number of entries that a list returns at a time.
const MaxPage = 10_000

// Page says which part of a list is wanted. Lists are ordered by id, so that
// a walk from page to page meets everything that is there throughout exactly
// once, and costs the same per page at any depth.
type Page struct {
	// After is the cursor: List.Next of the page before, or empty to begin.
	After string
	// Offset, instead of After, counts entries from the beginning. An actor
	// who walks a list by offsets, each the sum of the ones that he got, goes
	// on where his page before ended, whatever came or went meanwhile; any
	// other offset is counted afresh. Lists of users and roles have it, others
	// refuse it.
	Offset int64
	// Limit is the greatest number of entries, 1 to MaxPage; 100 if 0.
	Limit int
}

func (p Page) limit() (int, error) {
	switch {
	case p.Offset < 0:
		return 0, invalid("offset", "must not be negative")
	case p.Offset > 0 && p.After != "":
		return 0, invalid("offset", "must be absent where a cursor is given")
	case p.Limit == 0:
		return 100, nil
	case p.Limit < 0 || p.Limit > MaxPage:
		return 0, invalid("limit", "must be 1 to 10000")
	}
	return p.Limit, nil
}

// List is a page of a list.
type List[T any] struct {
	// Items is never nil.
	Items []T
	// Next is the cursor of the next page, empty at the end of the list.
	Next string
}

// newList makes a page of at most limit items, of which one more was read to
// know whether there is a next page.
func newList[T any](items []T, limit int, cursor func(T) string) List[T] {
	l := List[T]{Items: items}
	if len(items) > limit {
		l.Items = items[:limit:limit]
		l.Next = cursor(items[limit-1])
	}
	if l.Items == nil {
		l.Items = []T{}
	}
	return l
}

// newID returns a new id: a UUIDv7, so that ids are in the order of creation.
func (e *engine) newID() (string, error) {
	id, err := uuid.NewV7FromReader(e.opts.Random)
	if err != nil {
		return "", errors.New("no random bytes for an id: " + err.Error())
	}
	return id.String(), nil
}

// givenID returns the id that a host brings, or a new one for an empty id.
func (e *engine) givenID(field, id string) (string, error) {
	if id == "" {
		return e.newID()
	}
	if len(id) > store.MaxID {
		return "", invalid(field, "must have at most 128 bytes")
	}
	return id, checkText(field, id, store.MaxID)
}

// checkText requires valid UTF-8 without control characters, of at most a
// number of characters.
func checkText(field, s string, maximum int) error {
	if len(s) > 4*maximum || !utf8.ValidString(s) {
		if !utf8.ValidString(s) {
			return invalid(field, "must be valid UTF-8")
		}
		return tooLong(field, maximum)
	}
	n := 0
	for _, r := range s {
		if n++; r < ' ' || r == 0x7f {
			return invalid(field, "must not contain control characters")
		}
	}
	if n > maximum {
		return tooLong(field, maximum)
	}
	return nil
}

// sortedSet sorts in place and drops repeats. An empty set is nil, as stores give it.
func sortedSet[S ~[]E, E ~string](s S) S {
	if len(s) == 0 {
		return nil
	}
	slices.Sort(s)
	return slices.Compact(s)
}

func tooLong(field string, maximum int) error {
	return invalid(field, fmt.Sprintf("must have at most %d characters", maximum))
}
