// Package usermgmt is a user directory to put inside a program: users,
// organizations, roles, tenants and OEM partners, on a store of the host's
// choice.
//
//	m, err := usermgmt.New(memstore.New(), usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}})
//	ada, err := m.CreateUser(ctx, usermgmt.NewUser{Username: "ada@example.com", Password: "correct horse"})
//	err = m.GrantRoles(ctx, ada.ID, usermgmt.Grant{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm})
//	ok, err := m.As(usermgmt.UserActor(ada.ID)).Can(ctx, usermgmt.UsersAdd, usermgmt.Realmwide)
//
// Its words:
//
//   - A realm is one closed population. A [Manager] serves one realm of a
//     store; [Manager.Realm] gives the same Manager on another.
//   - A [User] is a person or a service account; an [Organization] a group of
//     them, in which each has a [Membership]; a [Vendor] an OEM partner who
//     provisions organizations and their users; a [Tenant] a data partition
//     that users are assigned to.
//   - A [Permission] "group.action" is what a right is made of; a [Role] is a
//     named set of them for one kind of scope; a [Grant] gives a user a role,
//     everywhere or at listed scopes.
//   - An [Actor] is who asks. The Manager that [New] returns acts for the host
//     and may do everything; [Manager.As] gives the same Manager under an
//     actor's authority. Every operation checks it, in the same unit of work
//     in which it acts.
//   - An [Event] says what happened. It is written in the unit of work of the
//     change itself.
//
// A Manager and all it returns are safe for concurrent use, but for one that
// has joined a transaction; see [Manager.With].
package usermgmt

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"runtime"
	"time"

	"github.com/usermgmt-go/usermgmt/internal/phc"
	"github.com/usermgmt-go/usermgmt/store"
)

// Realm names one closed population: 1 to 64 bytes of [A-Za-z0-9._-].
type Realm = store.Realm

// DefaultRealm is the realm of a Manager whose Options name none.
const DefaultRealm Realm = "main"

// Options configure a Manager. SigningKeys is required; everything else has a default.
type Options struct {
	// Realm that the Manager serves; DefaultRealm if empty.
	Realm Realm
	// SigningKeys sign and verify access tokens. The first signs, all verify:
	// put a new key first and keep the old one until its tokens have expired.
	// There is no default: New fails without a sound key.
	SigningKeys []SigningKey
	// Issuer is the "iss" of access tokens; "usermgmt" if empty.
	Issuer string
	// Audience is the "aud" of access tokens; the issuer if empty. It is
	// always checked, and so is the realm.
	Audience string
	// AccessTokenTTL, RefreshTokenTTL and CodeTTL are the lives of access
	// tokens (10 minutes), refresh tokens and with them sessions (30 days) and
	// one-time codes (5 minutes; 15 at most).
	AccessTokenTTL, RefreshTokenTTL, CodeTTL time.Duration
	// TemporaryPasswordTTL is how long a temporary password works; 7 days.
	TemporaryPasswordTTL time.Duration
	// RedirectURL is where a vendor's users are sent with a one-time code. It
	// comes from here alone, never from a request. Sessions for vendors'
	// users fail without it.
	RedirectURL string
	// PasswordPolicy says which new passwords are accepted.
	PasswordPolicy PasswordPolicy
	// PasswordHash are the parameters of new password hashes; argon2id with
	// 19 MiB, two passes and one lane if zero. Weaker hashes are replaced at
	// their owner's next sign-in.
	PasswordHash PasswordHash
	// HashSlots is how many passwords are hashed at a time; one less than
	// GOMAXPROCS, at least one, if zero. Callers wait for a slot as long as
	// their context lasts.
	HashSlots int
	// CacheSize is how many users, memberships and sessions of a realm, and how
	// many access tokens, the Manager remembers at most, of each: 262,144 if zero, but
	// 32,768 access tokens at most. What is forgotten costs a read the next time. One
	// user with a membership and two or three sessions takes a KiB or so.
	CacheSize int
	// Throttle says how fast secrets may be guessed.
	Throttle Throttle
	// Clock gives the time; time.Now if nil.
	Clock func() time.Time
	// Random gives secrets and ids; crypto/rand if nil. It must be safe for
	// concurrent use.
	Random io.Reader
	// Logger gets one record for each refusal; slog.Default() if nil. What
	// succeeds is an [Event], but for [Manager.VendorToken], which is a record too.
	//
	// The message says what was refused: "session.refused" (a sign-in),
	// "password.refused" (the old one, at a change), "vendor.refused",
	// "key.refused", "code.refused", "token.refused" (access and refresh tokens),
	// "user.refused" (by [Manager.AuthenticateUser]), and "right.refused" for a
	// [*ForbiddenError]; "address.throttled" is a user who gave himself too many addresses
	// that are taken. With "throttled" in place of "refused" there were too many;
	// "token.reused" and "code.reused" are secrets that came twice. These are
	// warnings; the others are at level Info, but at Debug for access tokens that
	// have merely expired, and for a right to read, as programs ask by trying.
	// [Manager.Require] is at Info whatever the right, and [Manager.Can] leaves none.
	//
	// Each has the realm and, as far as they are known, the cause, who it is (user,
	// session, vendor, key, actor; ids of the directory alone) and from which
	// address, as [Manager.From] counts it. No record holds a secret or a name that
	// the caller gave.
	Logger *slog.Logger
}

// PasswordHash are the parameters of argon2id, by which new passwords are
// hashed. Salts have 16 bytes, keys 32.
type PasswordHash struct {
	// MemoryKiB is the memory that is filled, in KiB: 8 for each thread to 256 MiB.
	MemoryKiB uint32
	// Time is the number of passes over the memory, 1 to 16; memory times
	// passes are at most 1 GiB.
	Time uint32
	// Threads is the number of lanes that are computed at once, 1 to 16.
	Threads uint8
}

// params are those of the hashing package.
func (h PasswordHash) params() phc.Params {
	p := phc.Default()
	p.MemoryKiB, p.Time, p.Threads = h.MemoryKiB, h.Time, h.Threads
	return p
}

// Manager is a user directory under one actor's authority. Its zero value is
// of no use; see [New]. Copies made by As, Realm and With share everything
// else with the Manager they come from, and cost next to nothing.
type Manager struct {
	*engine
	store store.Store
	realm Realm
	// derived is what is kept of the store, rights that of the realm.
	derived *derived
	rights  *rightsCache
	actor   Actor
	// from is where the caller is, as far as it counts; the zero Prefix if that
	// is not known.
	from netip.Prefix
}

// derived is what a Manager keeps in memory of one store.
type derived struct {
	caches  realmCaches
	walks   walks
	guesses guesses
}

// engine is what all Managers that stem from one New share.
type engine struct {
	opts   Options
	slots  *phc.Slots
	tokens *tokenKeys
	// decoy is verified against where there is no credential, so that it costs the same.
	decoy phc.Hash
}

// New returns a Manager on the store, acting for the host. The store stays
// the caller's until Close, which closes it.
func New(s store.Store, opts Options) (*Manager, error) {
	if s == nil {
		return nil, errors.New("usermgmt: the store is nil")
	}
	if err := opts.setDefaults(); err != nil {
		return nil, fmt.Errorf("usermgmt: %w", err)
	}
	keys, err := newTokenKeys(opts)
	if err != nil {
		return nil, fmt.Errorf("usermgmt: %w", err)
	}
	e := &engine{opts: opts, slots: phc.NewSlots(opts.HashSlots, 0), tokens: keys}
	if e.decoy, err = newDecoy(opts); err != nil {
		return nil, fmt.Errorf("usermgmt: %w", err)
	}
	return (&Manager{engine: e, realm: opts.Realm, actor: HostActor()}).With(s), nil
}

func (o *Options) setDefaults() error {
	if o.Realm == "" {
		o.Realm = DefaultRealm
	}
	if err := o.Realm.Check(); err != nil {
		return err
	}
	if o.Issuer == "" {
		o.Issuer = "usermgmt"
	}
	if o.Audience == "" {
		o.Audience = o.Issuer
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"AccessTokenTTL", &o.AccessTokenTTL, 10 * time.Minute},
		{"RefreshTokenTTL", &o.RefreshTokenTTL, 30 * 24 * time.Hour},
		{"CodeTTL", &o.CodeTTL, 5 * time.Minute},
		{"TemporaryPasswordTTL", &o.TemporaryPasswordTTL, 7 * 24 * time.Hour},
	} {
		if *d.value == 0 {
			*d.value = d.def
		}
		if *d.value < 0 {
			return invalid(d.name, "must not be negative")
		}
	}
	if o.CodeTTL > maxCodeTTL {
		return invalid("CodeTTL", "must be at most 15 minutes")
	}
	if o.RedirectURL != "" {
		if err := checkRedirect(o.RedirectURL); err != nil {
			return err
		}
	}
	if o.CacheSize < 0 {
		return invalid("CacheSize", "must not be negative")
	}
	if o.CacheSize == 0 {
		o.CacheSize = 1 << 18
	}
	if o.HashSlots < 0 {
		return invalid("HashSlots", "must not be negative")
	}
	if o.HashSlots == 0 {
		o.HashSlots = max(1, runtime.GOMAXPROCS(0)-1)
	}
	if o.PasswordHash == (PasswordHash{}) {
		d := phc.Default()
		o.PasswordHash = PasswordHash{d.MemoryKiB, d.Time, d.Threads}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if err := o.Throttle.setDefaults(); err != nil {
		return err
	}
	return o.PasswordPolicy.setDefaults()
}

// As returns the same Manager under the actor's authority.
func (m *Manager) As(a Actor) *Manager {
	c := *m
	c.actor = a
	return &c
}

// Actor returns whose authority the Manager acts under.
func (m *Manager) Actor() Actor { return m.actor }

// Realm returns the same Manager on another realm of the store. The name is
// checked by the operations: [ErrInvalid] for one that is malformed.
func (m *Manager) Realm(name Realm) *Manager {
	c := *m
	c.realm = name
	c.rights = m.derived.caches.of(name)
	return &c
}

// Issuer returns the "iss" of the access tokens that the Manager signs.
func (m *Manager) Issuer() string { return m.opts.Issuer }

// RealmName returns the name of the realm that the Manager serves.
func (m *Manager) RealmName() Realm { return m.realm }

// With returns the same Manager on another view of its store, such as one that
// has joined the host's transaction: what it changes, events included, commits
// or vanishes with that.
//
//	in := m.With(sqlitestore.In(tx, nil))
//	ada, err := in.CreateUser(ctx, n) // and the host's own rows by tx
//	err = tx.Commit()
//
// It decides by what the transaction sees, rights that are not committed yet
// included, and shares nothing that it learns with m, which knows of the
// changes once they are committed. Passwords are hashed before a unit of work
// begins, but not before the transaction does: what the host has locked stays
// so meanwhile. Sign-ins and refreshes are better left to m, since a rollback
// takes back the session, and the end of one whose token was stolen, and with
// them what was counted of failed attempts; until then others who try the same
// password wait for the transaction.
//
// A joined Manager serves one goroutine at a time, and only until the
// transaction ends; then its operations fail with store.ErrDone. It need not be closed.
func (m *Manager) With(s store.Store) *Manager {
	c := *m
	c.store, c.derived = s, &derived{caches: realmCaches{limit: m.opts.CacheSize}}
	c.rights = c.derived.caches.of(c.realm)
	return &c
}

// Close closes the store, for every Manager on it; see With for others.
func (m *Manager) Close() error { return m.store.Close() }

func (e *engine) now() time.Time { return store.Micro(e.opts.Clock()) }

// view runs fn on a snapshot, with a guard that knows the actor's rights. fn
// may run twice, so it must set what it returns anew.
func (m *Manager) view(ctx context.Context, fn func(*guard) error) error {
	return m.denied(ctx, slog.LevelDebug, m.store.View(ctx, m.realm, m.guarded(ctx, fn)))
}

// look is view for an fn that asks one thing of the store, beside rights.
func (m *Manager) look(ctx context.Context, fn func(*guard) error) error {
	return m.denied(ctx, slog.LevelDebug, store.Glance(ctx, m.store, m.realm, m.guarded(ctx, fn)))
}

// weigh is view for what comes before an act, whose refusal this is.
func (m *Manager) weigh(ctx context.Context, fn func(*guard) error) error {
	return m.denied(ctx, slog.LevelInfo, m.store.View(ctx, m.realm, m.guarded(ctx, fn)))
}

func (m *Manager) guarded(ctx context.Context, fn func(*guard) error) func(store.Reader) error {
	kept := m.keptRights()
	return func(r store.Reader) error {
		if kept.rights != nil {
			err := fn(&guard{m: m, r: r, rights: kept.rights, fill: true})
			// What was decided by kept rights counts if they are those of the
			// snapshot. A store over a network answers this with what it read before.
			if now, gerr := r.Generation(ctx); gerr == nil && now == kept.generation {
				return err
			}
		}
		return fn(&guard{m: m, r: r, fill: true})
	}
}

// update runs fn as one unit of work, with a guard that knows the actor's
// rights as of that unit. fn may run again, so it must set what it returns anew.
func (m *Manager) update(ctx context.Context, fn func(*guard) error) error {
	return m.denied(ctx, slog.LevelInfo, m.store.Update(ctx, m.realm, func(tx store.Tx) error {
		return fn(&guard{m: m, r: tx, tx: tx})
	}))
}
