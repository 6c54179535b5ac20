package usermgmt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/usermgmt-go/usermgmt/internal/identity"
	"github.com/usermgmt-go/usermgmt/internal/phc"
	"github.com/usermgmt-go/usermgmt/store"
)

// SessionID identifies a session. It is no secret.
type SessionID = store.SessionID

// Session is one sign-in of a user. It ends by signing out, by its expiry, and
// with whatever ends the user's right to it: a change of his password,
// disabling or deleting him, the end of the membership that it is confined to.
type Session struct {
	ID     SessionID
	UserID UserID
	// OrganizationID confines the session to one organization; empty for none.
	OrganizationID OrganizationID
	// PasswordChange marks a session that is good for changing a temporary
	// password alone.
	PasswordChange bool
	CreatedAt      time.Time
	// ExpiresAt is fixed at sign-in; refreshing does not move it.
	ExpiresAt time.Time
}

// Tokens are what a sign-in yields. They are secrets: printing, logging or
// JSON-encoding the struct leaves them out.
type Tokens struct {
	// AccessToken is sent with each request; see [Manager.Authenticate].
	AccessToken string `json:"-"`
	// RefreshToken gets the next Tokens, once; see [Manager.Refresh]. It is
	// empty where PasswordChangeRequired is set.
	RefreshToken string `json:"-"`
	// ExpiresIn is how long the access token is good for.
	ExpiresIn time.Duration
	// SessionID is the session that they belong to, UserID whose it is.
	SessionID SessionID
	UserID    UserID
	// PasswordChangeRequired says that the password was a temporary one, and
	// that the access token is good for ChangePassword alone.
	PasswordChangeRequired bool
}

// Format prints all but the secrets, whatever the verb.
func (t Tokens) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "Tokens(session %q of user %q)", t.SessionID, t.UserID)
}

// LogValue is all but the secrets.
func (t Tokens) LogValue() slog.Value {
	return slog.GroupValue(slog.String("session", string(t.SessionID)), slog.String("user", string(t.UserID)))
}

// attempts is how often a sign-in starts over because the credential changed
// under it, which it does when another sign-in upgrades the hash.
const attempts = 3

// errCredentialChanged ends a unit whose credential is not the one that was verified.
var errCredentialChanged = errors.New("the credential has changed")

// SignIn opens a session for whoever knows the password of the user with the
// username, or, where that fails, with the e-mail. An unknown name, a wrong
// password, a disabled user, one without a password and an expired temporary
// one are all [ErrUnauthenticated], after the same work; only an imported hash
// costs what its kind costs, until its first sign-in. Too many of them are a
// [*ThrottledError], whatever the password; see [Throttle]. A temporary password
// gives a session that is good for [Manager.ChangePassword] alone.
//
// A hash that is weaker than Options.PasswordHash is replaced. Whose
// authority the Manager acts under plays no part; nothing that is disabled is
// enabled. [ErrBusy] if too many wait for a password to be verified.
func (m *Manager) SignIn(ctx context.Context, username, password string) (Tokens, error) {
	if len(password) > maxPassword {
		return Tokens{}, m.refuse(ctx, slog.LevelInfo, "session.refused", slog.String("cause", "the password is too long"))
	}
	if err := m.refusePasswords(ctx, "session"); err != nil {
		return Tokens{}, err
	}
	g := &guess{m: m}
	defer g.end(false)
	for range attempts {
		t, err := m.signIn(ctx, g, username, password)
		if !errors.Is(err, errCredentialChanged) {
			return t, err
		}
	}
	return Tokens{}, ErrBusy
}

// login is a user with the credential that a password is verified against.
type login struct {
	user store.User
	cred store.Credential
	hash phc.Hash
	// words are the user's, where a new password is to follow.
	words []string
}

func (m *Manager) signIn(ctx context.Context, g *guess, username, password string) (Tokens, error) {
	key, err := identity.FoldUsername(username)
	if err != nil {
		key = "" // what is no username is nobody's
	}
	logins, err := m.logins(ctx, key)
	if err != nil {
		return Tokens{}, err
	}
	if key == "" {
		key = username // counted like any other
	}
	cause := "the name is unknown"
	var wait time.Duration
	for _, l := range logins {
		w, err := g.begin(ctx, m.loginTally(key, l))
		if err != nil {
			return Tokens{}, err
		}
		if w > 0 {
			wait = max(wait, w)
			continue
		}
		ok, err := g.verify(ctx, l, password)
		if err != nil {
			return Tokens{}, err
		}
		switch {
		case l.cred.UserID == "" && l.user.ID != "":
			cause = "the user has no password"
		case l.cred.UserID == "":
		case !ok:
			cause = "the password is wrong"
		case l.user.Disabled:
			cause = "the user is disabled"
		case l.cred.Temporary && !m.now().Before(l.cred.ExpiresAt):
			cause = "the temporary password has expired"
		default:
			t, err := m.openSession(ctx, g, l, password)
			if errors.Is(err, errCredentialChanged) { // it was right for what there was
				err = cmp.Or(g.prove(ctx), err)
			}
			return t, err
		}
	}
	if wait > 0 {
		return Tokens{}, m.throttled(ctx, "session", wait, append(whoever(logins[0].user.ID), slog.String("cause", "too many failures by the name"))...)
	}
	return Tokens{}, m.failPassword(ctx, "session", cause, logins[0].user.ID)
}

// logins returns whom a folded name may mean: the user of that username, and the
// one of that e-mail if he is another, so that nobody shuts a user out by
// taking his address for a username. Who has no credential gets the decoy, so
// that he costs the same as others; so does nobody.
func (m *Manager) logins(ctx context.Context, key string) ([]login, error) {
	var logins []login
	err := m.store.View(ctx, m.realm, func(r store.Reader) error {
		logins = nil
		for _, find := range []func(context.Context, string) (store.User, error){r.UserByUsername, r.UserByEmail} {
			u, err := find(ctx, key)
			if errors.Is(err, ErrNotFound) || err == nil && len(logins) > 0 && logins[0].user.ID == u.ID {
				continue
			}
			if err != nil {
				return err
			}
			l, err := m.login(ctx, r, u)
			if err != nil {
				return err
			}
			logins = append(logins, l)
		}
		if logins == nil {
			// A look-up less would tell that nobody has the name.
			l, err := m.login(ctx, r, store.User{})
			if err != nil {
				return err
			}
			logins = []login{{hash: l.hash}}
		}
		return nil
	})
	return logins, err
}

// login reads the user's credential; the decoy stands in where there is none, and
// is parsed as a credential is.
func (m *Manager) login(ctx context.Context, r store.Reader, u store.User) (login, error) {
	l := login{user: u}
	var err error
	l.cred, err = r.Credential(ctx, u.ID)
	text := l.cred.Hash
	if errors.Is(err, ErrNotFound) {
		l.cred, text, err = store.Credential{}, m.decoy.String(), nil
	}
	if err != nil {
		return l, err
	}
	if l.hash, err = phc.Parse(text); err != nil {
		return l, fmt.Errorf("credential of user %s: %w", u.ID, err)
	}
	return l, nil
}

// openSession gives a session to the user whose password was verified, if his
// credential is still the same one. With it goes what was counted against him.
func (m *Manager) openSession(ctx context.Context, try *guess, l login, password string) (Tokens, error) {
	upgraded := l.cred.Hash
	if l.hash.Weaker(m.opts.PasswordHash.params()) {
		var err error
		if upgraded, err = m.slotHash(ctx, password); err != nil {
			return Tokens{}, err
		}
	}
	refresh, err := m.newRefresh(l.cred.Temporary)
	if err != nil {
		return Tokens{}, err
	}
	var s store.Session
	err = m.As(UserActor(l.user.ID)).update(ctx, func(g *guard) error {
		cred, err := g.tx.Credential(ctx, l.user.ID)
		switch {
		case errors.Is(err, ErrNotFound) || err == nil && (cred.Hash != l.cred.Hash || cred.Temporary != l.cred.Temporary):
			return errCredentialChanged
		case err != nil:
			return err
		}
		if upgraded != cred.Hash {
			cred.Hash = upgraded
			if err := g.tx.PutCredential(ctx, cred); err != nil {
				return err
			}
		}
		if err := try.forget(ctx, g.tx); err != nil {
			return err
		}
		if s, err = g.createSession(ctx, l.user.ID, "", cred.Temporary); err != nil {
			return err
		}
		return g.createRefresh(ctx, s, refresh)
	})
	if errors.Is(err, ErrUnauthenticated) {
		return Tokens{}, m.refuse(ctx, slog.LevelInfo, "session.refused",
			slog.String("cause", "the user is disabled"), slog.String("user", string(l.user.ID)))
	}
	if err != nil {
		return Tokens{}, err
	}
	try.end(true)
	return m.issue(s, refresh)
}

// createSession opens a session, confined to an organization unless that is
// empty, with an event. The user must be there and enabled, and a member of the
// organization: otherwise [ErrUnauthenticated]. A session for changing the
// password lives as long as an access token, others as long as a refresh token.
func (g *guard) createSession(ctx context.Context, user UserID, confined OrganizationID, passwordChange bool) (store.Session, error) {
	u, err := g.tx.User(ctx, user)
	if err == nil && confined != "" {
		_, err = g.tx.Membership(ctx, confined, user)
	}
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && u.Disabled:
		return store.Session{}, ErrUnauthenticated
	case err != nil:
		return store.Session{}, err
	}
	id, err := g.m.newID()
	if err != nil {
		return store.Session{}, err
	}
	now, ttl := g.m.now(), g.m.opts.RefreshTokenTTL
	if passwordChange {
		ttl = g.m.opts.AccessTokenTTL
	}
	s := store.Session{
		ID: SessionID(id), UserID: user, OrganizationID: confined, PasswordChange: passwordChange,
		CreatedAt: now, ExpiresAt: store.Micro(now.Add(ttl)),
	}
	if err := g.tx.CreateSession(ctx, s); err != nil {
		return store.Session{}, err
	}
	return s, g.record(ctx, Event{Action: "session.created", Object: "session:" + id, OrganizationID: confined})
}

// newRefresh returns a new refresh token, or none for a session that is good
// for changing the password alone.
func (m *Manager) newRefresh(passwordChange bool) (string, error) {
	if passwordChange {
		return "", nil
	}
	return m.newSecret(refreshPrefix)
}

// createRefresh stores the refresh token of the session, if it has one.
func (g *guard) createRefresh(ctx context.Context, s store.Session, secret string) error {
	if secret == "" {
		return nil
	}
	return g.tx.CreateToken(ctx, store.Token{
		Digest: secretDigest(secret), Kind: store.TokenRefresh, UserID: s.UserID, SessionID: s.ID,
		CreatedAt: g.m.now(), ExpiresAt: s.ExpiresAt,
	})
}

// issue makes the Tokens of a session that has been committed.
func (m *Manager) issue(s store.Session, refresh string) (Tokens, error) {
	token, ttl, err := m.mint(s)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{
		AccessToken: token, RefreshToken: refresh, ExpiresIn: ttl,
		SessionID: s.ID, UserID: s.UserID, PasswordChangeRequired: s.PasswordChange,
	}, nil
}

// Refresh spends a refresh token and returns new Tokens of the same session.
// Of any number of callers with the same token at most one gets them. A token
// that was spent before has been in two hands: its session ends at once, with every
// token of it, access tokens included. All refusals are [ErrUnauthenticated], but
// for a [*ThrottledError] where one is unknown and its address has had too many
// of these.
func (m *Manager) Refresh(ctx context.Context, refreshToken string) (Tokens, error) {
	if !isSecret(refreshToken, refreshPrefix) {
		return Tokens{}, m.refuse(ctx, slog.LevelInfo, "token.refused", slog.String("cause", "it is no refresh token"))
	}
	next, err := m.newSecret(refreshPrefix)
	if err != nil {
		return Tokens{}, err
	}
	var s store.Session
	var t store.Token
	spent := false
	err = m.store.Update(ctx, m.realm, func(tx store.Tx) error {
		now := m.now()
		var err error
		t, err = tx.UseToken(ctx, store.TokenRefresh, secretDigest(refreshToken), now)
		if spent = errors.Is(err, ErrUsed); spent {
			// This must be committed, so it is no error of the unit.
			return m.As(UserActor(t.UserID)).guarding(tx).deleteSession(ctx, t.SessionID, "session.revoked")
		}
		if err != nil {
			return err
		}
		if s, err = tx.Session(ctx, t.SessionID); err != nil {
			return err
		}
		if !now.Before(t.ExpiresAt) || !now.Before(s.ExpiresAt) {
			return errSessionEnded
		}
		if s.OrganizationID != "" {
			if err := vendorLives(ctx, tx, s.OrganizationID); err != nil {
				return err
			}
		}
		return m.guarding(tx).createRefresh(ctx, s, next)
	})
	who := []slog.Attr{slog.String("session", string(t.SessionID)), slog.String("user", string(t.UserID))}
	switch {
	case err == nil && spent:
		return Tokens{}, m.refuse(ctx, slog.LevelWarn, "token.reused", who...)
	case errors.Is(err, ErrNotFound) && t.SessionID == "":
		return Tokens{}, m.fail(ctx, "token", "it is unknown", m.addressTally(ofSecrets))
	case errors.Is(err, ErrNotFound):
		return Tokens{}, m.fail(ctx, "token", "the vendor has ended", m.addressTally(ofSecrets), who...)
	case errors.Is(err, errSessionEnded):
		return Tokens{}, m.refuse(ctx, slog.LevelInfo, "token.refused", append(who, slog.String("cause", err.Error()))...)
	case err != nil:
		return Tokens{}, err
	}
	return m.issue(s, next)
}

// guarding returns a guard of a unit that is under way.
func (m *Manager) guarding(tx store.Tx) *guard { return &guard{m: m, r: tx, tx: tx} }

// deleteSession ends a session with its tokens, if it is there.
func (g *guard) deleteSession(ctx context.Context, id SessionID, action string) error {
	s, err := g.tx.Session(ctx, id)
	if err == nil {
		err = g.tx.DeleteSession(ctx, id)
	}
	if err != nil {
		return absent(err)
	}
	return g.record(ctx, Event{Action: action, Object: "session:" + string(id), OrganizationID: s.OrganizationID})
}

// SignOut ends the session that the actor signed in by, with all its tokens.
// That it has ended already is no error. An actor without a session gets [ErrInvalid].
func (m *Manager) SignOut(ctx context.Context) error {
	if m.actor.session == "" {
		return invalid("session", "the actor has none")
	}
	return m.update(ctx, func(g *guard) error {
		return g.deleteSession(ctx, m.actor.session, "session.deleted")
	})
}

// Sessions returns a page of a user's sessions in the order of their ids,
// which is that of their creation. Those that have expired are left out, so a page may
// be shorter than its limit. It needs sessions.list over the user;
// everyone may list his own.
func (m *Manager) Sessions(ctx context.Context, user UserID, p Page) (List[Session], error) {
	limit, err := p.limit()
	if err != nil {
		return List[Session]{}, err
	}
	if p.Offset != 0 {
		return List[Session]{}, invalid("offset", "must be absent in this list")
	}
	var list List[Session]
	err = m.look(ctx, func(g *guard) error {
		self, err := g.isSelf(ctx, user)
		if err != nil {
			return err
		}
		if !self {
			if _, err := g.user(ctx, SessionsList, reachShared, user); err != nil {
				return err
			}
		}
		found, err := g.r.Sessions(ctx, user, SessionID(p.After), limit+1)
		if err != nil {
			return err
		}
		sessions := make([]Session, len(found))
		for i, s := range found {
			sessions[i] = Session(s)
		}
		list = newList(sessions, limit, func(s Session) string { return string(s.ID) })
		now := m.now()
		list.Items = slices.DeleteFunc(list.Items, func(s Session) bool { return !now.Before(s.ExpiresAt) })
		return nil
	})
	return list, err
}

// EndSession ends one session with its tokens. It needs sessions.delete over
// the session's user, and no right of his that the actor lacks; everyone may
// end his own.
func (m *Manager) EndSession(ctx context.Context, id SessionID) error {
	return m.update(ctx, func(g *guard) error {
		s, err := g.tx.Session(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if self, serr := g.isSelf(ctx, s.UserID); serr != nil {
			return serr
		} else if !self {
			// Before it is known whether the session exists.
			if err := g.needSomewhere(ctx, SessionsDelete); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		if err := g.mayEndSessions(ctx, s.UserID); err != nil {
			return err
		}
		return g.deleteSession(ctx, id, "session.deleted")
	})
}

// EndSessions ends all sessions of a user, with their tokens and his one-time
// codes, and returns how many sessions there were. Needs are those of EndSession.
func (m *Manager) EndSessions(ctx context.Context, user UserID) (int, error) {
	var n int
	err := m.update(ctx, func(g *guard) error {
		if err := g.mayEndSessions(ctx, user); err != nil {
			return err
		}
		var err error
		if n, err = g.tx.DeleteSessions(ctx, user); err != nil || n == 0 {
			return err
		}
		return g.record(ctx, Event{Action: "sessions.deleted", Object: "user:" + string(user)})
	})
	return n, err
}

func (g *guard) mayEndSessions(ctx context.Context, user UserID) error {
	u, err := g.userOrSelf(ctx, SessionsDelete, user)
	if err != nil {
		return err
	}
	return g.outranks(ctx, u)
}
