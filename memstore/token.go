package memstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

// token is a token's row. Nothing but used changes.
type token struct {
	digest                 store.Digest
	kind                   store.TokenKind
	user                   *user
	org                    *org     // nil for refresh tokens
	session                *session // nil for others
	created, expires, used int64
}

func (t *token) record() store.Token {
	r := store.Token{
		Digest:    t.digest,
		Kind:      t.kind,
		UserID:    store.UserID(t.user.id()),
		CreatedAt: moment(t.created),
		ExpiresAt: moment(t.expires),
		UsedAt:    moment(t.used),
	}
	if t.org != nil {
		r.OrganizationID = t.org.ID
	}
	if t.session != nil {
		r.SessionID = t.session.id
	}
	return r
}

func compareDigests(a, b *token) int { return bytes.Compare(a.digest[:], b.digest[:]) }

// compareTokensByUser orders by user, kind, organization and digest.
func compareTokensByUser(a, b *token) int {
	if c := compareUsers(a.user, b.user); c != 0 {
		return c
	}
	if c := cmp.Compare(a.kind, b.kind); c != 0 {
		return c
	}
	if a.org != nil && b.org != nil { // so it is for all kinds but one
		if c := compareOrgs(a.org, b.org); c != 0 {
			return c
		}
	}
	return compareDigests(a, b)
}

func compareTokensBySession(a, b *token) int {
	if c := compareSessions(a.session, b.session); c != 0 {
		return c
	}
	return compareDigests(a, b)
}

func compareTokenExpiry(a, b *token) int {
	if c := cmp.Compare(a.expires, b.expires); c != 0 {
		return c
	}
	return compareDigests(a, b)
}

func (t *tables) token(kind store.TokenKind, digest store.Digest) *token {
	row := t.tokens[digest]
	if row == nil || row.kind != kind {
		return nil
	}
	return row
}

func (x *reader) Token(ctx context.Context, kind store.TokenKind, digest store.Digest) (store.Token, error) {
	if err := x.ok(ctx); err != nil {
		return store.Token{}, err
	}
	return found(x.t.token(kind, digest), (*token).record)
}

func (x *reader) OrganizationTokens(ctx context.Context, org store.OrganizationID, users []store.UserID, after store.Digest, limit int) ([]store.Token, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	of, err := byID(users, func(id store.UserID) *user { return x.t.users[string(id)] }, func(u *user) *user { return u })
	o := x.t.orgs[org]
	if err != nil || o == nil {
		return nil, err
	}
	var ks []store.Token
	for _, u := range of {
		pivot := &token{user: u, kind: store.TokenOrganization, org: o, digest: after}
		ks = append(ks, page(x.t.tokensByUser, pivot, limit,
			func(k *token) bool { return k.user == u && k.kind == pivot.kind && k.org == o }, (*token).record)...)
	}
	slices.SortFunc(ks, func(a, b store.Token) int { return bytes.Compare(a.Digest[:], b.Digest[:]) })
	return ks[:min(len(ks), max(limit, 0))], nil
}

// tokensOf returns the rows of a user.
func (t *tables) tokensOf(u *user) []*token {
	return from(t.tokensByUser, &token{user: u}, func(tok *token) bool { return tok.user == u })
}

// codesOf returns the one-time codes of a user.
func (t *tables) codesOf(u *user) []*token {
	first := &token{user: u, kind: store.TokenCode, org: &org{}}
	return from(t.tokensByUser, first, func(tok *token) bool { return tok.user == u && tok.kind == first.kind })
}

// tokensIn returns the rows of a user in an organization.
func (t *tables) tokensIn(u *user, o *org) []*token {
	var rows []*token
	for _, kind := range []store.TokenKind{store.TokenOrganization, store.TokenCode} {
		first := &token{user: u, kind: kind, org: o}
		rows = append(rows, from(t.tokensByUser, first, func(tok *token) bool {
			return tok.user == u && tok.kind == kind && tok.org == o
		})...)
	}
	return rows
}

func (t *tables) tokensOfSession(s *session) []*token {
	return from(t.tokensBySession, &token{session: s}, func(tok *token) bool { return tok.session == s })
}

func (x *tx) CreateToken(ctx context.Context, k store.Token) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := k.Check(); err != nil {
		return err
	}
	t := x.t
	if t.tokens[k.Digest] != nil {
		return exists("Digest")
	}
	row := &token{
		digest:  k.Digest,
		kind:    k.Kind,
		user:    t.users[string(k.UserID)],
		org:     t.orgs[k.OrganizationID],
		session: t.sessions[k.SessionID],
		created: micros(k.CreatedAt),
		expires: micros(k.ExpiresAt),
		used:    micros(k.UsedAt),
	}
	switch {
	case row.user == nil,
		k.Kind == store.TokenRefresh && row.session == nil,
		k.Kind != store.TokenRefresh && t.members[memberKey{row.org, row.user}] == nil:
		return store.ErrNotFound
	}
	t.addToken(row)
	x.undo(func() { t.dropToken(row) })
	return nil
}

func (x *tx) UseToken(ctx context.Context, kind store.TokenKind, digest store.Digest, at store.Time) (store.Token, error) {
	if err := x.ok(ctx); err != nil {
		return store.Token{}, err
	}
	row := x.t.token(kind, digest)
	if row == nil {
		return store.Token{}, store.ErrNotFound
	}
	r := row.record()
	if row.used != never {
		return r, store.ErrUsed
	}
	r.UsedAt = at
	if err := r.Check(); err != nil {
		return store.Token{}, err
	}
	if at.IsZero() {
		return store.Token{}, &store.InvalidError{Field: "UsedAt", Reason: "must not be zero"}
	}
	row.used = micros(at)
	x.undo(func() { row.used = never })
	return r, nil
}

func (x *tx) DeleteToken(ctx context.Context, kind store.TokenKind, digest store.Digest) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	row := x.t.token(kind, digest)
	if row == nil {
		return store.ErrNotFound
	}
	x.deleteToken(row)
	return nil
}

func (x *tx) deleteToken(row *token) {
	t := x.t
	t.dropToken(row)
	x.undo(func() { t.addToken(row) })
}

func (t *tables) addToken(row *token) {
	t.tokens[row.digest] = row
	t.tokensByUser.Set(row)
	if row.session != nil {
		t.tokensBySession.Set(row)
	}
	if row.expires != never {
		t.tokensByExpiry.Set(row)
	}
}

func (t *tables) dropToken(row *token) {
	if row.expires != never {
		t.tokensByExpiry.Delete(row)
	}
	if row.session != nil {
		t.tokensBySession.Delete(row)
	}
	t.tokensByUser.Delete(row)
	delete(t.tokens, row.digest)
}
