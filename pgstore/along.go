package pgstore

import (
	"maps"
	"slices"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

// above names what a record hangs on: it goes with the first of them that goes.
// A removal names what it removes, and an empty one there stands for any.
type above struct {
	org     store.OrganizationID
	user    store.UserID
	session store.SessionID
}

// takes reports whether a removal of a may take the record along. It is not
// wrong to say so of one that stays: that one is read again.
func (a above) takes(key rowKey, data []byte) bool {
	var of above
	var err error
	switch key.table {
	case "{credential}":
		of.user = store.UserID(key.a)
	case "{membership}":
		of.org, of.user = store.OrganizationID(key.a), store.UserID(key.b)
	case "{session}":
		var s store.Session
		s, err = record.DecodeSession(data)
		of.org, of.user = s.OrganizationID, s.UserID
	case "{api_key}":
		var k store.Key
		k, err = record.DecodeKey(data)
		of.org, of.user = k.OrganizationID, k.Owner
	case "{token}":
		var k store.Token
		k, err = record.DecodeToken(data)
		of = above{k.OrganizationID, k.UserID, k.SessionID}
		if k.SessionID != "" {
			of.org = a.org // its session's may be, which is not in the token
		}
	}
	return err != nil || (a.org == "" || a.org == of.org) && (a.user == "" || a.user == of.user) && (a.session == "" || a.session == of.session)
}

// along makes the unit forget the records of some tables that a removal takes
// along: they are not there any more, neither to be read nor to be as they were
// when the unit commits. The statements, which come before those that remove
// them, fail unless they were so up to here.
func (t *tx) along(a above, tables ...string) []step {
	goes := func(key rowKey, row seenRow) bool {
		return row.data != nil && slices.Contains(tables, key.table) && a.takes(key, row.data)
	}
	steps := t.same(goes)
	maps.DeleteFunc(t.seen, goes)
	return steps
}

// leaveAlong is along for what goes with a record that has been removed, with
// the statements left for later.
func (t *tx) leaveAlong(removed rowKey) {
	var a above
	switch removed.table {
	case "{user}":
		a.user = store.UserID(removed.a)
	case "{organization}":
		a.org = store.OrganizationID(removed.a)
	case "{membership}":
		a.org, a.user = store.OrganizationID(removed.a), store.UserID(removed.b)
	case "{session}":
		a.session = store.SessionID(removed.a)
	default: // nothing hangs on it that a unit remembers
		return
	}
	t.conn.later = append(t.conn.later, t.along(a, "{credential}", "{membership}", "{api_key}", "{session}", "{token}")...)
}
