package memstore

import (
	"encoding/json"
	"math"
	"strings"
	"unique"

	"github.com/usermgmt-go/usermgmt/store"
)

// user is a user's row, made to be small: there are more of them than of
// anything else. It has 128 bytes, and text and marks of their own.
type user struct {
	// text is the user's own texts one after another; part i ends at ends[i].
	text   string
	ends   [parts]uint32
	flags  flag
	locale word
	origin unique.Handle[origin]
	// marks is his tags, tenants and grants, in the order of the record; the
	// scopes of a grant follow it.
	marks            []mark
	version          int64
	created, updated int64
	cred             *store.Credential // nil without one
}

// Parts of a user's text.
const (
	userID = iota
	usernameKey
	username // empty if flagged sameName
	emailKey // empty if flagged mailIsName
	email    // empty if flagged sameMail
	firstName
	lastName
	attributes
	parts
)

type flag uint8

const (
	disabled   flag = 1 << iota
	sameName        // Username equals UsernameKey
	sameMail        // Email equals EmailKey
	mailIsName      // EmailKey equals UsernameKey
	emailClaimed
)

// origin is where a user came from.
type origin struct {
	by     string
	vendor store.VendorID
}

// mark is a word about a user that others share.
type mark struct {
	what unique.Handle[topic]
	// scope is the kind of scope of a grant, and zero for others.
	scope store.ScopeKind
}

// topic is what a mark says.
type topic struct {
	kind topicKind
	text string
}

type topicKind uint8

// Kinds of topic beside those of scopes, which have the numbers of store.ScopeKind.
const (
	hasRole       topicKind = 8
	hasPermission topicKind = 9
	hasTenant     topicKind = 10
	hasTag        topicKind = 11
)

// sought reports whether users are picked by such marks.
func (k topicKind) sought() bool { return k != hasTag }

// marked is an entry of the index from marks to users.
type marked struct {
	what unique.Handle[topic]
	user *user
}

func compareMarked(a, b marked) int {
	if a.what == b.what {
		return compareUsers(a.user, b.user)
	}
	v, w := a.what.Value(), b.what.Value()
	if v.kind != w.kind {
		return int(v.kind) - int(w.kind)
	}
	return strings.Compare(v.text, w.text)
}

func compareUsers(a, b *user) int {
	if a == b {
		return 0
	}
	return strings.Compare(a.id(), b.id())
}

// newUser makes a row of a record, which must be valid.
func newUser(u store.User) (user, error) {
	v := user{
		locale:  unique.Make(u.Locale),
		origin:  unique.Make(origin{u.CreatedBy, u.CreatedByVendor}),
		marks:   marksOf(u),
		version: u.Version,
		created: micros(u.CreatedAt),
		updated: micros(u.UpdatedAt),
	}
	texts := [parts]string{
		string(u.ID), u.UsernameKey, u.Username, u.EmailKey, u.Email, u.FirstName, u.LastName, string(u.Attributes),
	}
	if u.Disabled {
		v.flags |= disabled
	}
	if u.EmailClaimed {
		v.flags |= emailClaimed
	}
	if u.Username == u.UsernameKey {
		v.flags |= sameName
		texts[username] = ""
	}
	if u.Email == u.EmailKey {
		v.flags |= sameMail
		texts[email] = ""
	}
	if u.EmailKey == u.UsernameKey {
		v.flags |= mailIsName
		texts[emailKey] = ""
	}
	n := 0
	for i, t := range texts {
		n += len(t)
		if n > math.MaxUint32 {
			return user{}, &store.InvalidError{Field: "Attributes", Reason: "the texts must have less than 4 GiB"}
		}
		v.ends[i] = uint32(n)
	}
	v.text = strings.Join(texts[:], "")
	return v, nil
}

// pivot returns a row for comparisons that has nothing but one part.
func pivot(part int, text string) *user {
	u := &user{text: text}
	for i := part; i < parts; i++ {
		u.ends[i] = uint32(len(text))
	}
	return u
}

func marksOf(u store.User) []mark {
	n := len(u.Tags) + len(u.Tenants) + len(u.Grants)
	for _, g := range u.Grants {
		n += len(g.Scopes)
	}
	if n == 0 {
		return nil
	}
	ms := make([]mark, 0, n)
	add := func(k topicKind, text string, scope store.ScopeKind) {
		ms = append(ms, mark{unique.Make(topic{k, text}), scope})
	}
	for _, t := range u.Tags {
		add(hasTag, t, 0)
	}
	for _, t := range u.Tenants {
		add(hasTenant, t, 0)
	}
	for _, g := range u.Grants {
		if g.Role != "" {
			add(hasRole, string(g.Role), g.Kind)
		} else {
			add(hasPermission, g.Permission, g.Kind)
		}
		for _, s := range g.Scopes {
			add(topicKind(g.Kind), s, 0)
		}
	}
	return ms
}

// part returns a part of the text as it is kept.
func (u *user) part(i int) string {
	if i == 0 {
		return u.text[:u.ends[0]]
	}
	return u.text[u.ends[i-1]:u.ends[i]]
}

func (u *user) has(f flag) bool { return u.flags&f != 0 }

func (u *user) id() string { return u.text[:u.ends[userID]] }

func (u *user) emailKey() string {
	if u.has(mailIsName) {
		return u.part(usernameKey)
	}
	return u.part(emailKey)
}

// record returns the user as the contract has it.
func (u *user) record() store.User {
	from := u.origin.Value()
	r := store.User{
		ID:              store.UserID(u.id()),
		UsernameKey:     u.part(usernameKey),
		Username:        u.part(username),
		EmailKey:        u.emailKey(),
		Email:           u.part(email),
		FirstName:       u.part(firstName),
		LastName:        u.part(lastName),
		Locale:          u.locale.Value(),
		Disabled:        u.has(disabled),
		EmailClaimed:    u.has(emailClaimed),
		CreatedBy:       from.by,
		CreatedByVendor: from.vendor,
		Version:         u.version,
		CreatedAt:       moment(u.created),
		UpdatedAt:       moment(u.updated),
	}
	if u.has(sameName) {
		r.Username = r.UsernameKey
	}
	if u.has(sameMail) {
		r.Email = r.EmailKey
	}
	if a := u.part(attributes); a != "" {
		r.Attributes = json.RawMessage(a)
	}
	u.unmark(&r)
	return r
}

// unmark fills in the lists of a record.
func (u *user) unmark(r *store.User) {
	grants, scopes := 0, 0
	for _, m := range u.marks {
		switch {
		case m.scope != 0:
			grants++
		case grants > 0:
			scopes++
		}
	}
	if grants > 0 {
		r.Grants = make([]store.Grant, 0, grants)
	}
	var pool []string // of the scopes of all grants
	if scopes > 0 {
		pool = make([]string, 0, scopes)
	}
	for _, m := range u.marks {
		what := m.what.Value()
		switch what.kind {
		case hasTag:
			r.Tags = append(r.Tags, what.text)
		case hasTenant:
			r.Tenants = append(r.Tenants, what.text)
		case hasRole:
			r.Grants = append(r.Grants, store.Grant{Role: store.RoleID(what.text), Kind: m.scope})
		case hasPermission:
			r.Grants = append(r.Grants, store.Grant{Permission: what.text, Kind: m.scope})
		default:
			g := &r.Grants[len(r.Grants)-1]
			pool = append(pool, what.text)
			i := len(pool) - 1 - len(g.Scopes)
			g.Scopes = pool[i:len(pool):len(pool)]
		}
	}
}
