package memstore

import (
	"cmp"
	"context"
	"strings"

	"github.com/usermgmt-go/usermgmt/store"
)

// session is a session's row. It never changes.
type session struct {
	id               store.SessionID
	user             *user
	org              *org // nil for none
	passwordChange   bool
	created, expires int64
}

func (s *session) record() store.Session {
	r := store.Session{
		ID:             s.id,
		UserID:         store.UserID(s.user.id()),
		PasswordChange: s.passwordChange,
		CreatedAt:      moment(s.created),
		ExpiresAt:      moment(s.expires),
	}
	if s.org != nil {
		r.OrganizationID = s.org.ID
	}
	return r
}

func compareSessions(a, b *session) int {
	if a == b {
		return 0
	}
	return strings.Compare(string(a.id), string(b.id))
}

func compareSessionsByUser(a, b *session) int {
	if c := compareUsers(a.user, b.user); c != 0 {
		return c
	}
	return compareSessions(a, b)
}

func compareSessionsByOrg(a, b *session) int {
	if c := compareOrgs(a.org, b.org); c != 0 {
		return c
	}
	return compareSessionsByUser(a, b)
}

func compareSessionExpiry(a, b *session) int {
	if c := cmp.Compare(a.expires, b.expires); c != 0 {
		return c
	}
	return compareSessions(a, b)
}

func (x *reader) Session(ctx context.Context, id store.SessionID) (store.Session, error) {
	if err := x.ok(ctx); err != nil {
		return store.Session{}, err
	}
	return found(x.t.sessions[id], (*session).record)
}

func (x *reader) Sessions(ctx context.Context, of store.UserID, after store.SessionID, limit int) ([]store.Session, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	u := x.t.users[string(of)]
	if u == nil {
		return nil, nil
	}
	return page(x.t.sessionsByUser, &session{user: u, id: after}, limit,
		func(s *session) bool { return s.user == u }, (*session).record), nil
}

// sessionsOf returns the rows of a user.
func (t *tables) sessionsOf(u *user) []*session {
	return from(t.sessionsByUser, &session{user: u}, func(s *session) bool { return s.user == u })
}

// sessionsIn returns the rows confined to an organization, of one user or, if
// that is nil, of all.
func (t *tables) sessionsIn(o *org, u *user) []*session {
	if u == nil {
		return from(t.sessionsByOrg, &session{org: o, user: &user{}}, func(s *session) bool { return s.org == o })
	}
	return from(t.sessionsByOrg, &session{org: o, user: u}, func(s *session) bool { return s.org == o && s.user == u })
}

func (x *tx) CreateSession(ctx context.Context, s store.Session) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := s.Check(); err != nil {
		return err
	}
	t := x.t
	if t.sessions[s.ID] != nil {
		return exists("ID")
	}
	row := &session{
		id:             own(s.ID),
		user:           t.users[string(s.UserID)],
		org:            t.orgs[s.OrganizationID],
		passwordChange: s.PasswordChange,
		created:        micros(s.CreatedAt),
		expires:        micros(s.ExpiresAt),
	}
	if row.user == nil || row.org == nil && s.OrganizationID != "" {
		return store.ErrNotFound
	}
	t.addSession(row)
	x.undo(func() { t.dropSession(row) })
	return nil
}

func (x *tx) DeleteSession(ctx context.Context, id store.SessionID) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	row := x.t.sessions[id]
	if row == nil {
		return store.ErrNotFound
	}
	x.deleteSession(row)
	return nil
}

func (x *tx) DeleteSessions(ctx context.Context, of store.UserID) (int, error) {
	if err := x.ok(ctx); err != nil {
		return 0, err
	}
	u := x.t.users[string(of)]
	if u == nil {
		return 0, nil
	}
	ss := x.t.sessionsOf(u)
	for _, s := range ss {
		x.deleteSession(s)
	}
	for _, c := range x.t.codesOf(u) {
		x.deleteToken(c)
	}
	return len(ss), nil
}

// deleteSession removes a session with its tokens.
func (x *tx) deleteSession(s *session) {
	t := x.t
	for _, tok := range t.tokensOfSession(s) {
		x.deleteToken(tok)
	}
	t.dropSession(s)
	x.undo(func() { t.addSession(s) })
	x.bump()
}

// DeleteExpired takes tokens before sessions: those that go with a session
// without having expired themselves are not counted.
func (x *tx) DeleteExpired(ctx context.Context, now store.Time, limit int) (int, error) {
	if err := x.ok(ctx); err != nil {
		return 0, err
	}
	t, n, us := x.t, 0, micros(now)
	for ; n < limit; n++ {
		tok, is := t.tokensByExpiry.Min()
		if !is || tok.expires > us {
			break
		}
		x.deleteToken(tok)
	}
	for ; n < limit; n++ {
		s, is := t.secretsByExpiry.Min()
		if !is || micros(s.ExpiresAt) > us {
			break
		}
		x.deleteSecret(s)
	}
	for ; n < limit; n++ {
		s, is := t.sessionsByExpiry.Min()
		if !is || s.expires > us {
			break
		}
		x.deleteSession(s)
	}
	for ; n < limit; n++ {
		f, is := t.failuresByExpiry.Min()
		if !is || micros(f.ExpiresAt) > us {
			break
		}
		x.deleteFailures(f)
	}
	return n, nil
}

func (t *tables) addSession(s *session) {
	t.sessions[s.id] = s
	t.sessionsByUser.Set(s)
	if s.org != nil {
		t.sessionsByOrg.Set(s)
	}
	if s.expires != never {
		t.sessionsByExpiry.Set(s)
	}
}

func (t *tables) dropSession(s *session) {
	if s.expires != never {
		t.sessionsByExpiry.Delete(s)
	}
	if s.org != nil {
		t.sessionsByOrg.Delete(s)
	}
	t.sessionsByUser.Delete(s)
	delete(t.sessions, s.id)
}
