package store

import "context"

// Digest is the SHA-256 of a secret. The zero value means "none".
type Digest [32]byte

func (c *check) digest(field string, d Digest) {
	if d == (Digest{}) {
		c.fail(field, "must not be zero")
	}
}

// Key is an organization's API key; only its digest is kept.
//
// Unique in the realm: ID, Digest.
type Key struct {
	ID             KeyID
	OrganizationID OrganizationID
	Name           string
	// Role is the id of a role of the organization scope.
	Role RoleID
	// Owner is the user whose rights bound the key's, or empty for none.
	Owner     UserID
	Digest    Digest
	CreatedAt Time
	// ExpiresAt is when the key stops working; zero for never.
	ExpiresAt Time
}

// Check reports the first fault of the record.
func (k Key) Check() error {
	var c check
	c.id("ID", string(k.ID))
	c.id("OrganizationID", string(k.OrganizationID))
	c.text("Name", k.Name)
	c.id("Role", string(k.Role))
	c.optionalID("Owner", string(k.Owner))
	c.digest("Digest", k.Digest)
	c.time("CreatedAt", k.CreatedAt)
	c.time("ExpiresAt", k.ExpiresAt)
	return c.err
}

// KeyReader finds API keys.
type KeyReader interface {
	Key(ctx context.Context, id KeyID) (Key, error)
	KeyByDigest(ctx context.Context, digest Digest) (Key, error)
	// Keys returns a page of an organization's keys in the order of ids after
	// (exclusive) the one that is given.
	Keys(ctx context.Context, org OrganizationID, after KeyID, limit int) ([]Key, error)
}

// KeyWriter changes API keys.
type KeyWriter interface {
	// CreateKey fails on a duplicate "ID" or "Digest", checked in this order.
	CreateKey(ctx context.Context, k Key) error
	DeleteKey(ctx context.Context, id KeyID) error
}

// Session is one sign-in of a user. Access tokens name it; refresh tokens are
// Tokens of it. While it is there, its user is there and is not disabled: the
// engine deletes sessions with the act that ends their right.
type Session struct {
	ID     SessionID
	UserID UserID
	// OrganizationID confines the session to one organization; empty for none.
	OrganizationID OrganizationID
	// PasswordChange marks a session that is good for changing the password alone.
	PasswordChange bool
	CreatedAt      Time
	ExpiresAt      Time
}

// Check reports the first fault of the record.
func (s Session) Check() error {
	var c check
	c.id("ID", string(s.ID))
	c.id("UserID", string(s.UserID))
	c.optionalID("OrganizationID", string(s.OrganizationID))
	c.time("CreatedAt", s.CreatedAt)
	c.time("ExpiresAt", s.ExpiresAt)
	return c.err
}

// SessionReader finds sessions. Expired ones are found like others.
type SessionReader interface {
	Session(ctx context.Context, id SessionID) (Session, error)
	// Sessions returns a page of a user's sessions in the order of ids after
	// (exclusive) the one that is given.
	Sessions(ctx context.Context, user UserID, after SessionID, limit int) ([]Session, error)
}

// SessionWriter changes sessions.
type SessionWriter interface {
	// CreateSession fails on a duplicate "ID".
	CreateSession(ctx context.Context, s Session) error
	// DeleteSession removes the session with its tokens.
	DeleteSession(ctx context.Context, id SessionID) error
	// DeleteSessions removes all sessions of a user with their tokens, and
	// his one-time codes, and returns the number of sessions. None is no error.
	DeleteSessions(ctx context.Context, user UserID) (int, error)
}

// TokenKind is a kind of opaque token; one cannot stand in for another.
type TokenKind uint8

// Kinds of token. The numbers are stored; they never change.
const (
	// TokenRefresh renews a session; it belongs to one.
	TokenRefresh TokenKind = 1
	// TokenOrganization is a vendor's permanent handle on one user in one organization.
	TokenOrganization TokenKind = 2
	// TokenCode signs one user in to one organization, once.
	TokenCode TokenKind = 3
)

// Token is an opaque secret handed out, as its digest. Unique in the realm: Digest.
type Token struct {
	Digest Digest
	Kind   TokenKind
	UserID UserID
	// OrganizationID is set for organization tokens and codes.
	OrganizationID OrganizationID
	// SessionID is set for refresh tokens.
	SessionID SessionID
	CreatedAt Time
	// ExpiresAt is when the token stops working; zero for never.
	ExpiresAt Time
	// UsedAt is when the token was used, zero before.
	UsedAt Time
}

// Check reports the first fault of the record.
func (t Token) Check() error {
	var c check
	c.digest("Digest", t.Digest)
	if t.Kind < TokenRefresh || t.Kind > TokenCode {
		c.fail("Kind", "must be a kind of token")
	}
	c.id("UserID", string(t.UserID))
	if (t.Kind == TokenRefresh) != (t.SessionID != "") {
		c.fail("SessionID", "must be set exactly for refresh tokens")
	}
	if (t.Kind == TokenRefresh) == (t.OrganizationID != "") {
		c.fail("OrganizationID", "must be set exactly for organization tokens and codes")
	}
	c.optionalID("OrganizationID", string(t.OrganizationID))
	c.optionalID("SessionID", string(t.SessionID))
	c.time("CreatedAt", t.CreatedAt)
	c.time("ExpiresAt", t.ExpiresAt)
	c.time("UsedAt", t.UsedAt)
	return c.err
}

// TokenReader finds tokens. Used and expired ones are found like others.
type TokenReader interface {
	Token(ctx context.Context, kind TokenKind, digest Digest) (Token, error)
	// OrganizationTokens returns a page of the organization tokens that any of
	// the users have in the organization, in the order of their digests after
	// (exclusive) the one that is given; none for an unknown membership. It costs
	// what there are of those users' tokens. More than 10,000 users are [ErrInvalid].
	OrganizationTokens(ctx context.Context, org OrganizationID, users []UserID, after Digest, limit int) ([]Token, error)
}

// TokenWriter changes tokens.
type TokenWriter interface {
	// CreateToken fails on a duplicate "Digest". ErrNotFound without the user,
	// the session that SessionID names, or the membership that UserID and
	// OrganizationID name.
	CreateToken(ctx context.Context, t Token) error
	// UseToken marks an unused token of the kind as used at a moment, which
	// must be one that a record may hold, and returns it so marked. A used one is [ErrUsed], with the token as it is;
	// of any number of concurrent calls exactly one succeeds. It does not
	// look at ExpiresAt.
	UseToken(ctx context.Context, kind TokenKind, digest Digest, at Time) (Token, error)
	DeleteToken(ctx context.Context, kind TokenKind, digest Digest) error
}
