package record

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/usermgmt-go/usermgmt/store"
)

// Kinds of entries. The numbers are stored; they never change.
const (
	entryRole       = 1
	entryTenant     = 2
	entryPermission = 3
	entryScope      = 16 // and the kind of the scope
)

// Entry is what a user is found by in an index of what users hold.
type Entry struct {
	Kind int64
	Key  string
}

// CompareEntries orders entries by (Kind, Key).
func CompareEntries(a, b Entry) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
}

// Entries returns what the user is found by, sorted, each once.
func Entries(u store.User) []Entry {
	var es []Entry
	for _, t := range u.Tenants {
		es = append(es, Entry{entryTenant, t})
	}
	for _, g := range u.Grants {
		if g.Role != "" {
			es = append(es, Entry{entryRole, string(g.Role)})
		} else {
			es = append(es, Entry{entryPermission, g.Permission})
		}
		for _, s := range g.Scopes {
			es = append(es, Entry{entryScope + int64(g.Kind), s})
		}
	}
	slices.SortFunc(es, CompareEntries)
	return slices.Compact(es)
}

// Wanted returns the entries of which the query wants any, none if it wants all users.
func Wanted(q store.UserQuery) []Entry {
	switch {
	case q.Role != "":
		return []Entry{{entryRole, string(q.Role)}}
	case q.Permission != "":
		return []Entry{{entryPermission, q.Permission}}
	case q.Tenant != "":
		return []Entry{{entryTenant, q.Tenant}}
	}
	var es []Entry
	for _, s := range q.Scopes {
		es = append(es, Entry{entryScope + int64(s.Kind), s.ID})
	}
	return es
}

// RightsDiffer reports whether two records of a user differ in what rights are
// made of, so that the realm's generation has to change.
func RightsDiffer(a, b store.User) bool {
	return a.Disabled != b.Disabled || !slices.Equal(a.Tenants, b.Tenants) ||
		!slices.EqualFunc(a.Grants, b.Grants, func(a, b store.Grant) bool {
			return store.CompareGrants(a, b) == 0 && slices.Equal(a.Scopes, b.Scopes)
		})
}

// PrefixEnd returns the least text that is greater than all with the prefix, which
// must be valid UTF-8; false if there is none.
func PrefixEnd(prefix string) (string, bool) {
	for prefix != "" {
		r, n := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-n]
		if r == utf8.MaxRune {
			continue
		}
		if r++; r == 0xd800 { // no text holds surrogates
			r = 0xe000
		}
		return prefix + string(r), true
	}
	return "", false
}

// IsText reports whether a record can hold the text. Nothing is found by another.
func IsText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// Batch returns the ids that are asked for at once, sorted, each once, without
// those that no record can have. More than 10,000 are [store.ErrInvalid].
func Batch[T ~string](ids []T) ([]string, error) {
	if len(ids) > 10_000 {
		return nil, &store.InvalidError{Field: "ids", Reason: "must not be more than 10,000"}
	}
	vs := make([]string, 0, len(ids))
	for _, id := range ids {
		if s := string(id); IsText(s) {
			vs = append(vs, s)
		}
	}
	slices.Sort(vs)
	return slices.Compact(vs), nil
}
