package usermgmt

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/usermgmt-go/usermgmt/internal/phc"
	"github.com/usermgmt-go/usermgmt/store"
)

// newDecoy returns a hash of a password that nobody knows, made with the
// parameters of new hashes, which it checks by the way.
func newDecoy(opts Options) (phc.Hash, error) {
	text, err := opts.PasswordHash.params().Hash(opts.Random, rand.Text())
	if err != nil {
		return phc.Hash{}, fmt.Errorf("PasswordHash: %w", err)
	}
	return phc.Parse(text)
}

// maxNamed is how many of a user's organizations forbid him their names: the first
// by their ids. The work of a user of thousands is that of one of two dozen.
const maxNamed = 24

// knownWords are what is known of a user: his names, and those of his
// organizations, in two reads. See PasswordPolicy.check.
func knownWords(ctx context.Context, r store.Reader, u store.User) ([]string, error) {
	words := []string{u.Username, u.Email}
	members, err := r.Memberships(ctx, u.ID, "", maxNamed)
	if err != nil || len(members) == 0 {
		return words, err
	}
	ids := make([]OrganizationID, len(members))
	for i, ms := range members {
		ids[i] = ms.OrganizationID
	}
	named, err := r.OrganizationsByID(ctx, ids)
	for _, o := range named {
		words = append(words, o.Name, o.Slug)
	}
	return words, err
}

// hashPassword checks a new password against the policy and hashes it, waiting
// for a slot as long as the context lasts. The words are what is known of the
// user; see PasswordPolicy.check. Call it outside of units of work, and only
// after the actor's right to set the password has been checked.
func (m *Manager) hashPassword(ctx context.Context, password string, words ...string) (string, error) {
	if err := m.opts.PasswordPolicy.check(password, words...); err != nil {
		return "", err
	}
	return m.slotHash(ctx, password)
}

// slotHash hashes in a slot, heedless of the policy.
func (m *Manager) slotHash(ctx context.Context, password string) (string, error) {
	text, err := m.slots.Hash(ctx, m.opts.PasswordHash.params(), m.opts.Random, password)
	return text, slotError(err)
}

// slotVerify verifies in a slot.
func (m *Manager) slotVerify(ctx context.Context, h phc.Hash, password string) (bool, error) {
	ok, err := m.slots.Verify(ctx, h, password)
	return ok, slotError(err)
}

func slotError(err error) error {
	if errors.Is(err, phc.ErrBusy) {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}

// importHash reads a hash that was made elsewhere. It returns the canonical
// text, and the digest of the given one, by which it is known again.
func importHash(text string) (string, store.Digest, error) {
	h, err := phc.Parse(text)
	if err != nil {
		return "", store.Digest{}, invalid("passwordHash", err.Error())
	}
	return h.String(), sha256.Sum256([]byte(text)), nil
}

// putPassword replaces the user's credential and ends all his sessions, their
// tokens and his one-time codes. The origin is zero unless the hash is an imported one.
func (g *guard) putPassword(ctx context.Context, user UserID, hash string, temporary bool, origin store.Digest) error {
	old, err := g.tx.Credential(ctx, user)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	now := g.m.now()
	c := store.Credential{UserID: user, Hash: hash, Origin: origin, Temporary: temporary, Version: old.Version, ChangedAt: now}
	if temporary {
		c.ExpiresAt = store.Micro(now.Add(g.m.opts.TemporaryPasswordTTL))
	}
	if err := g.tx.PutCredential(ctx, c); err != nil {
		return err
	}
	if _, err := g.tx.DeleteSessions(ctx, user); err != nil {
		return err
	}
	action := "password.reset"
	switch {
	case origin != store.Digest{}:
		action = "password.imported"
	case g.m.actor.UserID() == user:
		action = "password.changed"
	}
	return g.record(ctx, Event{Action: action, Object: "user:" + string(user)})
}

// SetPassword gives a user a new password that lasts. It ends all his
// sessions. It needs users.password-reset over him, and no right of his that the actor
// lacks. A password that the policy refuses is an [*InvalidError] for "password".
func (m *Manager) SetPassword(ctx context.Context, user UserID, password string) error {
	return m.replacePassword(ctx, user, password, false)
}

// ResetPassword gives a user a temporary password: it works until
// Options.TemporaryPasswordTTL has passed, and signs in to
// change it alone. A user who resets his own gets one that lasts. Otherwise it is SetPassword.
func (m *Manager) ResetPassword(ctx context.Context, user UserID, password string) error {
	return m.replacePassword(ctx, user, password, m.actor.UserID() != user)
}

func (m *Manager) replacePassword(ctx context.Context, user UserID, password string, temporary bool) error {
	var words []string
	err := m.weigh(ctx, func(g *guard) error {
		u, err := g.maySetPassword(ctx, user)
		if err == nil {
			words, err = knownWords(ctx, g.r, u)
		}
		return err
	})
	if err != nil {
		return err
	}
	hash, err := m.hashPassword(ctx, password, words...)
	if err != nil {
		return err
	}
	return m.update(ctx, func(g *guard) error {
		if _, err := g.maySetPassword(ctx, user); err != nil {
			return err
		}
		return g.putPassword(ctx, user, hash, temporary, store.Digest{})
	})
}

// maySetPassword loads the user whose password the actor may set.
func (g *guard) maySetPassword(ctx context.Context, user UserID) (store.User, error) {
	u, err := g.user(ctx, UsersPasswordReset, reachWhole, user)
	if err != nil {
		return store.User{}, err
	}
	if err := g.outranks(ctx, u); err != nil {
		return store.User{}, err
	}
	return u, g.sharesTenants(ctx, u)
}

// ImportPasswordHash gives a user the password of a hash that was made
// elsewhere, in PHC form: argon2id, bcrypt, scrypt or PBKDF2. It ends all his
// sessions. While his credential stems from that very text, upgraded meanwhile
// or not, nothing changes. It needs an administrator, who holds everything.
func (m *Manager) ImportPasswordHash(ctx context.Context, user UserID, text string) error {
	hash, origin, err := importHash(text)
	if err != nil {
		return err
	}
	return m.update(ctx, func(g *guard) error {
		if err := g.needAll(ctx, UsersPasswordReset); err != nil {
			return err
		}
		if _, err := g.tx.User(ctx, user); err != nil {
			return err
		}
		return g.importPassword(ctx, user, hash, origin)
	})
}

// importPassword puts the hash unless the credential stems from it.
func (g *guard) importPassword(ctx context.Context, user UserID, hash string, origin store.Digest) error {
	old, err := g.tx.Credential(ctx, user)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err == nil && old.Origin == origin {
		return nil
	}
	return g.putPassword(ctx, user, hash, false, origin)
}

// ChangePassword replaces the acting user's own password, which he must know,
// ends all his sessions, this one included, and returns the tokens of a new one.
// It is what a session with a temporary password is good for. A wrong, expired
// or missing old password, and a session that has ended, are
// [ErrUnauthenticated], and too many wrong ones a [*ThrottledError], counted with
// those of sign-ins by the username; a new one that the policy refuses, or that is the old
// one, is an [*InvalidError] for "password". Confined actors are refused.
func (m *Manager) ChangePassword(ctx context.Context, old, password string) (Tokens, error) {
	a := m.actor
	if a.kind != ActorUser || a.organization != "" {
		return Tokens{}, m.denied(ctx, slog.LevelInfo, &ForbiddenError{Reason: "only a user changes his own password"})
	}
	if err := m.refusePasswords(ctx, "password", whoever(a.UserID())...); err != nil {
		return Tokens{}, err
	}
	try := &guess{m: m}
	defer try.end(false)
	for range attempts {
		t, err := m.changePassword(ctx, try, old, password)
		switch {
		case errors.Is(err, errSessionEnded):
			return Tokens{}, m.refuse(ctx, slog.LevelInfo, "password.refused", slog.String("cause", err.Error()),
				slog.String("session", string(a.session)), slog.String("user", a.id))
		case !errors.Is(err, errCredentialChanged):
			return t, err
		}
	}
	return Tokens{}, ErrBusy
}

func (m *Manager) changePassword(ctx context.Context, try *guess, old, password string) (Tokens, error) {
	l, err := m.verifiedOwner(ctx, try, old)
	if err != nil {
		return Tokens{}, err
	}
	if password == old {
		return Tokens{}, invalid("password", "must differ from the old one")
	}
	hash, err := m.hashPassword(ctx, password, l.words...)
	if err != nil {
		return Tokens{}, err
	}
	refresh, err := m.newRefresh(false)
	if err != nil {
		return Tokens{}, err
	}
	var s store.Session
	err = m.update(ctx, func(g *guard) error {
		if err := g.sessionLives(ctx); err != nil {
			return err
		}
		cred, err := g.tx.Credential(ctx, l.user.ID)
		if errors.Is(err, ErrNotFound) || err == nil && cred.Hash != l.cred.Hash {
			return errCredentialChanged
		}
		if err != nil {
			return err
		}
		if err := g.putPassword(ctx, l.user.ID, hash, false, store.Digest{}); err != nil {
			return err
		}
		if s, err = g.createSession(ctx, l.user.ID, "", false); err != nil {
			return err
		}
		return g.createRefresh(ctx, s, refresh)
	})
	if errors.Is(err, ErrUnauthenticated) {
		return Tokens{}, m.refuse(ctx, slog.LevelInfo, "password.refused", append(whoever(l.user.ID), slog.String("cause", "the user is disabled"))...)
	}
	if err != nil {
		return Tokens{}, err
	}
	return m.issue(s, refresh)
}

// verifiedOwner returns the acting user if the password is his. Then it is no
// failure, whatever becomes of the new one.
func (m *Manager) verifiedOwner(ctx context.Context, try *guess, password string) (login, error) {
	var l login
	err := m.store.View(ctx, m.realm, func(r store.Reader) error {
		if err := (&guard{m: m, r: r}).sessionLives(ctx); err != nil {
			return err
		}
		u, err := r.User(ctx, UserID(m.actor.id))
		if err == nil {
			l, err = m.login(ctx, r, u)
		}
		if err == nil {
			l.words, err = knownWords(ctx, r, u)
		}
		return err
	})
	who, cause := whoever(UserID(m.actor.id)), "the password is wrong"
	switch {
	case errors.Is(err, ErrNotFound):
		cause, l = "the user is deleted", login{user: store.User{ID: UserID(m.actor.id)}, hash: m.decoy}
	case err != nil:
		return login{}, m.denied(ctx, slog.LevelInfo, err)
	case len(password) > maxPassword:
		return login{}, m.refuse(ctx, slog.LevelInfo, "password.refused", append(who, slog.String("cause", "it is too long"))...)
	}
	wait, err := try.begin(ctx, m.loginTally(l.user.UsernameKey, l))
	if err != nil {
		return login{}, err
	}
	if wait > 0 {
		return login{}, m.throttled(ctx, "password", wait, append(who, slog.String("cause", "too many failures by the name"))...)
	}
	ok, err := try.verify(ctx, l, password)
	switch {
	case err != nil:
		return login{}, err
	case l.user.Disabled:
		cause = "the user is disabled"
	case l.cred.Temporary && !m.now().Before(l.cred.ExpiresAt):
		cause = "the temporary password has expired"
	case ok && l.cred.UserID != "":
		return l, try.prove(ctx)
	}
	return login{}, m.failPassword(ctx, "password", cause, UserID(m.actor.id))
}

// sessionLives requires that the session that the actor signed in by, if he
// did, has not been ended: errSessionEnded.
func (g *guard) sessionLives(ctx context.Context) error {
	if t := g.m.actor.tenant; t != "" {
		r, err := userRights(ctx, g.r, g.m.actor.UserID())
		if err == nil && r != nil {
			r, err = g.withinTenant(ctx, r, t)
		}
		if err == nil && r == nil {
			err = &ForbiddenError{Reason: "the tenant is not yours"}
		}
		if err != nil {
			return err
		}
	}
	id := g.m.actor.session
	if id == "" {
		return nil
	}
	s, err := g.r.Session(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && !g.m.now().Before(s.ExpiresAt) {
		return errSessionEnded
	}
	return err
}

// VerifyPassword reports whether the password is the user's, temporary and
// expired ones and those of disabled users included: it is no sign-in, and is not
// counted. It is the host's alone.
func (m *Manager) VerifyPassword(ctx context.Context, user UserID, password string) (bool, error) {
	if m.actor.kind != ActorHost {
		return false, m.denied(ctx, slog.LevelInfo, &ForbiddenError{Reason: "only the host verifies passwords"})
	}
	var l login
	err := m.store.View(ctx, m.realm, func(r store.Reader) error {
		u, err := r.User(ctx, user)
		if err == nil {
			l, err = m.login(ctx, r, u)
		}
		return err
	})
	if err != nil || len(password) > maxPassword {
		return false, err
	}
	return m.slotVerify(ctx, l.hash, password)
}

// PasswordStatus says what is known of a user's password, which is not what it is.
type PasswordStatus struct {
	// Set is false for a user without a password, who cannot sign in.
	Set bool
	// Temporary passwords sign in to be changed alone, until ExpiresAt.
	Temporary bool
	ExpiresAt time.Time
	// Imported passwords stem from a hash that was made elsewhere.
	Imported  bool
	ChangedAt time.Time
}

// PasswordStatus returns the status of a user's password. It needs users.read
// over him; everyone may ask for his own.
func (m *Manager) PasswordStatus(ctx context.Context, user UserID) (PasswordStatus, error) {
	var status PasswordStatus
	err := m.view(ctx, func(g *guard) error {
		status = PasswordStatus{}
		if _, err := g.userReadable(ctx, user); err != nil {
			return err
		}
		c, err := g.r.Credential(ctx, user)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		status = PasswordStatus{
			Set: true, Temporary: c.Temporary, ExpiresAt: c.ExpiresAt,
			Imported: c.Origin != store.Digest{}, ChangedAt: c.ChangedAt,
		}
		return nil
	})
	return status, err
}
