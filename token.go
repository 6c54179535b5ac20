package usermgmt

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/usermgmt-go/usermgmt/store"
)

// Access tokens are signed JWTs (RFC 9068). They name a session and hold no
// rights: these are read from the store at each use. Refresh tokens and other
// opaque secrets are 32 random bytes behind a prefix of their kind, and only
// their digests are stored. No kind of token stands in for another.

const (
	// tokenType is the "typ" of access tokens, so that no other JWT that is
	// signed with the same key passes for one.
	tokenType = "at+jwt"
	// maxToken is the greatest length of an access token that is looked into, in bytes.
	maxToken = 8 << 10
	// refreshPrefix begins refresh tokens.
	refreshPrefix = "umr_"
)

// newSecret returns 256 random bits in base64url, 43 characters, behind the prefix.
func (e *engine) newSecret(prefix string) (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(e.opts.Random, b[:]); err != nil {
		return "", fmt.Errorf("no random bytes for a secret: %w", err)
	}
	return prefix + base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// secretDigest is what is stored of an opaque secret, prefix included. Secrets
// have 256 random bits, so that neither salt nor slow hash adds anything.
func secretDigest(secret string) store.Digest {
	var buf [1 << 10]byte // spares the usual access token an allocation
	return sha256.Sum256(append(buf[:0], secret...))
}

// isSecret reports whether s has the form of newSecret with the prefix, so
// that other text costs no look-up.
func isSecret(s, prefix string) bool {
	if len(s) != len(prefix)+43 || s[:len(prefix)] != prefix {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(s[len(prefix):])
	return err == nil && !strings.ContainsAny(s, "\r\n") // which the decoder skips
}

// access is what a verified access token says.
type access struct {
	realm   Realm
	user    UserID
	session SessionID
	// client, scope and secret are set instead of user and session in a vendor's.
	client  VendorID
	scope   string
	secret  int64
	expires time.Time
}

// tokenKeys signs and verifies access tokens.
type tokenKeys struct {
	// signers are those of Options.SigningKeys, in their order; the first signs.
	signers  []*signer
	issuer   string
	audience string
	ttl      time.Duration
	parser   *jwt.Parser
	verified verifiedTokens
}

func newTokenKeys(opts Options) (*tokenKeys, error) {
	if len(opts.SigningKeys) == 0 {
		return nil, errors.New("a signing key is required")
	}
	t := &tokenKeys{issuer: opts.Issuer, audience: opts.Audience, ttl: opts.AccessTokenTTL}
	t.verified.limit = min(opts.CacheSize, maxVerified)
	var methods []string
	for _, k := range opts.SigningKeys {
		if t.signer(k.ID) != nil {
			return nil, fmt.Errorf("signing key %q: the id is taken by another", k.ID)
		}
		s, err := newSigner(k)
		if err != nil {
			return nil, err
		}
		t.signers = append(t.signers, s)
		methods = append(methods, s.method.Alg())
	}
	t.parser = jwt.NewParser(
		jwt.WithValidMethods(methods),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(opts.Clock),
		jwt.WithExpirationRequired(),
		jwt.WithIssuer(opts.Issuer),
		jwt.WithAudience(opts.Audience),
	)
	return t, nil
}

func (t *tokenKeys) signer(id string) *signer {
	for _, s := range t.signers {
		if s.id == id {
			return s
		}
	}
	return nil
}

// claims are those of an access token.
type claims struct {
	jwt.RegisteredClaims
	Session SessionID `json:"sid,omitempty"`
	Realm   Realm     `json:"realm"`
	// Client is the client id in a vendor's token, whose subject he is (RFC
	// 9068 section 2.2), Scope what he asked for, and Secret when the secret was made that he
	// asked with, in microseconds: it names the secret and tells nothing of it.
	Client string `json:"client_id,omitempty"`
	Scope  string `json:"scope,omitempty"`
	Secret int64  `json:"secret_at,omitempty"`
}

// Validate is called by the parser, after the registered claims.
func (c *claims) Validate() error {
	// What names nobody, no session or no realm is refused where it is used.
	if len(c.Audience) != 1 {
		return errors.New("the token is meant for others too")
	}
	return nil
}

// mint returns an access token for the session and how long it is good for. It
// ends with the session, if not before. It signs, so call it outside of units
// of work.
func (m *Manager) mint(s store.Session) (string, time.Duration, error) {
	ttl := min(m.engine.tokens.ttl, s.ExpiresAt.Sub(m.now()))
	text, err := m.sign(&claims{RegisteredClaims: jwt.RegisteredClaims{Subject: string(s.UserID)}, Session: s.ID}, ttl)
	return text, ttl, err
}

// sign completes the claims and returns the token.
func (m *Manager) sign(c *claims, ttl time.Duration) (string, error) {
	t := m.engine.tokens
	now := m.now()
	id, err := m.newID()
	if err != nil {
		return "", err
	}
	c.Issuer, c.Audience, c.ID, c.Realm = t.issuer, jwt.ClaimStrings{t.audience}, id, m.realm
	c.IssuedAt = jwt.NewNumericDate(now)
	// Whole seconds: never shorter than promised, longer by less than one.
	c.ExpiresAt = jwt.NewNumericDate(now.Add(ttl + time.Second - 1))
	token := jwt.NewWithClaims(t.signers[0].method, c)
	token.Header["typ"] = tokenType
	token.Header["kid"] = t.signers[0].id
	return token.SignedString(t.signers[0].private)
}

// verify returns what a token of the realm says. The error is for the log.
func (t *tokenKeys) verify(token string, realm Realm, now time.Time) (access, error) {
	if len(token) > maxToken {
		return access{}, errors.New("the token is too long")
	}
	// The base64 decoder skips line breaks, so that one token had many forms.
	if strings.ContainsAny(token, "\r\n") {
		return access{}, errors.New("the token has line breaks")
	}
	digest := secretDigest(token)
	a, ok := t.verified.get(digest, now)
	if !ok {
		var c claims
		parsed, err := t.parser.ParseWithClaims(token, &c, t.key)
		if err != nil {
			return access{}, err
		}
		if !parsed.Valid {
			return access{}, errors.New("the token is not valid")
		}
		a = access{
			realm: c.Realm, user: UserID(c.Subject), session: c.Session, expires: c.ExpiresAt.Time,
			scope: c.Scope, secret: c.Secret,
		}
		if c.Client != "" {
			vendor, _ := strings.CutPrefix(c.Subject, VendorActor("").String())
			a.user, a.client = "", VendorID(vendor)
		}
		t.verified.put(digest, a)
	}
	if a.realm != realm {
		return access{}, errors.New("the token is of another realm")
	}
	return a, nil
}

// key picks the key that the header names. The header may hold nothing else
// than what mint writes: no other key ("jwk", "jku", "x5c", "x5u"), no "crit".
func (t *tokenKeys) key(token *jwt.Token) (any, error) {
	kid, _ := token.Header["kid"].(string)
	typ, _ := token.Header["typ"].(string)
	s := t.signer(kid)
	switch {
	case s == nil:
		return nil, errors.New("the key is unknown")
	case token.Method != s.method:
		return nil, errors.New("the algorithm is not the key's")
	case typ != tokenType:
		return nil, errors.New("the type is another")
	case len(token.Header) != 3: // alg, kid, typ
		return nil, errors.New("the header says more than it may")
	}
	return s.public, nil
}

// verifiedTokens remembers tokens whose signature and claims were found good,
// by their digest, until they expire: verifying a signature costs a hundred
// times as much. It knows nothing of sessions, which are asked for each time.
type verifiedTokens struct {
	limit  int
	mu     sync.RWMutex
	tokens map[store.Digest]access
}

// maxVerified bounds the remembered tokens; some 8 MiB.
const maxVerified = 1 << 15

func (v *verifiedTokens) get(d store.Digest, now time.Time) (access, bool) {
	v.mu.RLock()
	a, ok := v.tokens[d]
	v.mu.RUnlock()
	if ok && !now.Before(a.expires) {
		v.mu.Lock()
		delete(v.tokens, d)
		v.mu.Unlock()
		return access{}, false
	}
	return a, ok
}

// put remembers a token. When there is no room, another one goes.
func (v *verifiedTokens) put(d store.Digest, a access) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tokens == nil {
		v.tokens = map[store.Digest]access{}
	}
	evict(v.tokens, v.limit)
	v.tokens[d] = a
}

// Authenticate returns the user whose access token it is, as an actor: of that
// session, confined as it is, and good for changing the password alone if it
// is. It asks the store each time whether anything was revoked, so that a session
// that was ended in any process is refused from then on: by signing out, a
// password change, disabling or deleting the user. Expiry is exact, without leeway. A token of
// [Manager.VendorToken] gives the vendor.
//
// Everything that is wrong with a token is [ErrUnauthenticated]; why goes to
// the log, for one that has merely expired at debug level. Whose authority the
// Manager acts under plays no part.
func (m *Manager) Authenticate(ctx context.Context, accessToken string) (Actor, error) {
	now := m.now()
	a, err := m.engine.tokens.verify(accessToken, m.realm, now)
	if err != nil {
		level := slog.LevelInfo
		switch {
		case errors.Is(err, jwt.ErrTokenExpired): // clients learn by it that they have to refresh
			level = slog.LevelDebug
		case errors.Is(err, jwt.ErrTokenMalformed): // it may quote what was given
			err = errors.New("it is malformed")
		}
		return Actor{}, m.refuse(ctx, level, "token.refused", slog.String("cause", err.Error()))
	}
	if a.client != "" {
		return m.authenticateVendor(ctx, a)
	}
	s, err := m.liveSession(ctx, a.session)
	switch {
	case errors.Is(err, ErrNotFound):
		err = errSessionEnded
	case err != nil:
		return Actor{}, err
	case s.UserID != a.user:
		err = errors.New("the session is another user's")
	case !now.Before(s.ExpiresAt):
		err = errSessionEnded
	default:
		return Actor{
			kind: ActorUser, id: string(s.UserID), session: s.ID,
			organization: s.OrganizationID, passwordChange: s.PasswordChange,
		}, nil
	}
	return Actor{}, m.refuse(ctx, slog.LevelInfo, "token.refused", slog.String("cause", err.Error()),
		slog.String("session", string(a.session)), slog.String("user", string(a.user)))
}

// liveSession returns a session that is there now, whether or not it has
// expired. What is known of it counts while the store's generation stands,
// which ends with every session that is deleted.
func (m *Manager) liveSession(ctx context.Context, id SessionID) (store.Session, error) {
	if e, ok := m.rights.session(id); ok {
		if now, err := m.store.Generation(ctx, m.realm); err == nil && now == e.generation {
			return e.session, nil
		}
	}
	var s store.Session
	var generation uint64
	var exact bool
	err := store.Glance(ctx, m.store, m.realm, func(r store.Reader) error {
		var err error
		if s, err = r.Session(ctx, id); err != nil {
			return err
		}
		generation, err = r.Generation(ctx)
		exact = err == nil
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		if s.OrganizationID == "" {
			return nil
		}
		return vendorLives(ctx, r, s.OrganizationID)
	})
	if err == nil && exact {
		m.rights.putSession(s, generation)
	}
	return s, err
}

// AuthenticateUser returns the user with the id, as an actor, on the word of
// somebody whom the host trusts, such as an identity provider, who gave it at
// the time that is named. The caller has verified that word.
//
// An unknown user, a disabled one, and one created after that time are
// [ErrUnauthenticated]: an id that is used again revives no token. A time in whole
// seconds is before what happened later in that second. The zero time is of one
// who speaks of the account as it is now. The actor has
// no session, so that ending sessions does not end what rests on such a word;
// disabling or deleting the user does.
func (m *Manager) AuthenticateUser(ctx context.Context, id UserID, at time.Time) (Actor, error) {
	var u store.User
	err := store.Glance(ctx, m.store, m.realm, func(r store.Reader) error {
		var err error
		u, err = r.User(ctx, id)
		return err
	})
	cause := ""
	switch {
	case errors.Is(err, ErrNotFound):
		cause = "there is no such user"
	case err != nil:
		return Actor{}, err
	case u.Disabled:
		cause = "the user is disabled"
	case !at.IsZero() && at.Before(u.CreatedAt):
		cause = "the user was created since"
	default:
		return UserActor(u.ID), nil
	}
	who := []slog.Attr{slog.String("cause", cause)}
	if err == nil { // or the id is whatever somebody said
		who = append(who, slog.String("user", string(id)))
	}
	return Actor{}, m.refuse(ctx, slog.LevelInfo, "user.refused", who...)
}

var errSessionEnded = errors.New("the session has ended")
