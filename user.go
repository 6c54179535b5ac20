package usermgmt

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/usermgmt-go/usermgmt/internal/identity"
	"github.com/usermgmt-go/usermgmt/store"
)

// UserID identifies a user.
type UserID = store.UserID

// User is a person or a service account.
type User struct {
	ID UserID
	// Username as it was given, and its canonical form (RFC 8265,
	// UsernameCaseMapped), by which it is unique in the realm and found.
	Username, UsernameKey string
	// Email as it was given and its canonical form, unique in the realm too;
	// both empty for none.
	Email, EmailKey string
	// EmailClaimed says that nobody vouches for the address: the user gave it to
	// himself, or somebody did whose rights end at facilities. He is not found by
	// it where people are added to organizations. It ends when someone sets the
	// address who manages users in the whole realm.
	EmailClaimed        bool
	FirstName, LastName string
	// Locale is a language tag such as "de_DE", or empty.
	Locale string
	// Disabled users cannot sign in and hold no rights.
	Disabled bool
	// Attributes is a JSON object in canonical form, or nil. It is the host's.
	Attributes json.RawMessage
	// Tags is a sorted set.
	Tags []string
	// Grants are the user's roles and single permissions, in a fixed order.
	// What he holds as a member of organizations is not among them.
	Grants []Grant
	// Tenants is the sorted set of his assignments: ids of tenants, "any", "type:…".
	Tenants []string
	// CreatedBy names the actor as Event.Actor does.
	CreatedBy string
	// CreatedByVendor is the vendor that provisioned the user, or empty.
	CreatedByVendor VendorID
	// Version is 1 at creation and grows by one with each change, through
	// whichever operation. Passwords and memberships have no part in it.
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// NewUser is a user to be created. Only Username is required.
type NewUser struct {
	// ID is the host's own id, 1 to 128 bytes, or empty for a new UUIDv7.
	ID UserID
	// Username has 1 to 256 characters; see User.UsernameKey for what is unique.
	Username string
	// Email is an address without display name, at most 254 bytes, or empty.
	Email string
	// FirstName and LastName have at most 256 characters.
	FirstName, LastName string
	// Locale has at most 35 characters.
	Locale string
	// Password in plain text, or empty: then nobody signs in as the user until one is set.
	Password string
	// PasswordHash, instead of Password, is one made elsewhere, in PHC form:
	// argon2id, bcrypt, scrypt or PBKDF2. It needs an administrator, who holds
	// everything: no policy can look into it.
	PasswordHash string
	// TemporaryPassword makes the user change it at his first sign-in.
	TemporaryPassword bool
	// Disabled creates the user disabled.
	Disabled bool
	// Attributes is a JSON object of at most 32 KiB and a depth of 32, or nil.
	Attributes json.RawMessage
	// Tags has at most 100 entries of at most 128 characters.
	Tags []string
	// Grants may be in any order.
	Grants []Grant
	// Tenants holds ids of tenants, "any" and "type:…".
	Tenants []string
}

// CreateUser creates a user. It needs users.add, realm-wide or at all his
// facilities, and the right to give each of his roles, permissions and
// tenants: nobody gives what he lacks. A duplicate is an [*ExistsError] for
// "ID", "UsernameKey" or "EmailKey".
func (m *Manager) CreateUser(ctx context.Context, n NewUser) (User, error) {
	u, err := m.userRecord(n)
	if err != nil {
		return User{}, err
	}
	cred, err := m.newCredential(ctx, u, n)
	if err != nil {
		return User{}, err
	}
	err = m.update(ctx, func(g *guard) error {
		if err := g.mayCreate(ctx, u); err != nil {
			return err
		}
		vouches, err := g.vouches(ctx, UsersAdd, u.ID)
		if err != nil {
			return err
		}
		u.EmailClaimed = u.EmailKey != "" && !vouches
		if err := g.createUser(ctx, u); err != nil || cred == nil {
			return err
		}
		return g.tx.PutCredential(ctx, *cred)
	})
	if err != nil {
		return User{}, err
	}
	return User(u), nil
}

// newCredential makes the credential of a new user, if he is to have one. The
// right to create him is checked before a hash is spent on it.
func (m *Manager) newCredential(ctx context.Context, u store.User, n NewUser) (*store.Credential, error) {
	if n.Password == "" && n.PasswordHash == "" {
		return nil, nil
	}
	if n.Password != "" && n.PasswordHash != "" {
		return nil, invalid("passwordHash", "must be absent where a password is given")
	}
	err := m.weigh(ctx, func(g *guard) error {
		if n.PasswordHash != "" {
			if err := g.needAll(ctx, UsersPasswordReset); err != nil {
				return err
			}
		}
		return g.mayCreate(ctx, u)
	})
	if err != nil {
		return nil, err
	}
	c := store.Credential{UserID: u.ID, ChangedAt: u.CreatedAt}
	if n.Password != "" {
		c.Hash, err = m.hashPassword(ctx, n.Password, u.Username, u.Email) // of no organization yet
	} else {
		c.Hash, c.Origin, err = importHash(n.PasswordHash)
	}
	if err != nil {
		return nil, err
	}
	if n.TemporaryPassword {
		c.Temporary, c.ExpiresAt = true, u.CreatedAt.Add(m.opts.TemporaryPasswordTTL)
	}
	return &c, nil
}

// userRecord validates and folds what is to become a user.
func (m *Manager) userRecord(n NewUser) (store.User, error) {
	id, err := m.givenID("id", string(n.ID))
	if err != nil {
		return store.User{}, err
	}
	u := store.User{
		ID: UserID(id), FirstName: n.FirstName, LastName: n.LastName, Locale: n.Locale, Disabled: n.Disabled,
		CreatedBy: m.actor.String(), CreatedByVendor: m.actor.VendorID(), Version: 1, CreatedAt: m.now(),
	}
	u.UpdatedAt = u.CreatedAt
	if err := setUsername(&u, n.Username); err != nil {
		return store.User{}, err
	}
	if err := setEmail(&u, n.Email); err != nil {
		return store.User{}, err
	}
	if u.Attributes, err = canonicalAttributes(n.Attributes); err != nil {
		return store.User{}, err
	}
	if u.Tags, err = tagSet(n.Tags); err != nil {
		return store.User{}, err
	}
	u.Grants = mergeGrants(n.Grants)
	u.Tenants = sortedSet(append([]string(nil), n.Tenants...))
	return u, checkUser(u)
}

func setUsername(u *store.User, name string) error {
	key, err := identity.FoldUsername(name)
	if err != nil {
		return invalid("username", err.Error())
	}
	u.Username, u.UsernameKey = name, key
	return nil
}

func setEmail(u *store.User, email string) error {
	if email == "" {
		u.Email, u.EmailKey = "", ""
		return nil
	}
	key, _, err := identity.FoldEmail(email)
	if err != nil {
		return invalid("email", err.Error())
	}
	u.Email, u.EmailKey = email, key
	return nil
}

func checkUser(u store.User) error {
	return errors.Join(
		checkText("firstName", u.FirstName, 256),
		checkText("lastName", u.LastName, 256),
		checkText("locale", u.Locale, 35),
	)
}

// mayCreate requires the right to create exactly this user.
func (g *guard) mayCreate(ctx context.Context, u store.User) error {
	if err := g.needSomewhere(ctx, UsersAdd); err != nil {
		return err
	}
	if err := g.reach(ctx, UsersAdd, reachWhole, u); errors.Is(err, ErrNotFound) {
		return &ForbiddenError{Permission: UsersAdd, Reason: "the user would have no facility of yours"}
	} else if err != nil {
		return err
	}
	if err := g.checkGrants(ctx, u.Grants, nil); err != nil {
		return err
	}
	return g.checkTenants(ctx, "tenants", u.Tenants)
}

// createUser writes the user, heedless of rights.
func (g *guard) createUser(ctx context.Context, u store.User) error {
	if err := g.tx.CreateUser(ctx, u); err != nil {
		return err
	}
	return g.record(ctx, Event{Action: "user.created", Object: "user:" + string(u.ID)})
}

// User returns a user by his id. It needs users.read, realm-wide or at one of
// his facilities, and for a user without any by a role at every facility;
// everyone may read himself. users.list, which shows users in lists, is not enough.
func (m *Manager) User(ctx context.Context, id UserID) (User, error) {
	var u store.User
	err := m.look(ctx, func(g *guard) error {
		var err error
		u, err = g.userReadable(ctx, id)
		return err
	})
	if err != nil {
		return User{}, err
	}
	return User(u), nil
}

// userReadable loads a user whom the actor may read.
func (g *guard) userReadable(ctx context.Context, id UserID) (store.User, error) {
	self, err := g.isSelf(ctx, id)
	if err != nil {
		return store.User{}, err
	}
	if self {
		return g.r.User(ctx, id)
	}
	return g.user(ctx, UsersRead, reachShared, id)
}

// UserByUsername returns a user by his username, in whatever spelling. Needs
// are those of User.
func (m *Manager) UserByUsername(ctx context.Context, name string) (User, error) {
	key, err := identity.FoldUsername(name)
	if err != nil {
		key = "" // what is no username is nobody's
	}
	return m.userBy(ctx, func(r store.Reader) (store.User, error) {
		return r.UserByUsername(ctx, key)
	})
}

// UserByEmail returns a user by his e-mail, in whatever spelling. Needs are
// those of User.
func (m *Manager) UserByEmail(ctx context.Context, email string) (User, error) {
	key, _, err := identity.FoldEmail(email)
	if err != nil {
		key = ""
	}
	return m.userBy(ctx, func(r store.Reader) (store.User, error) {
		return r.UserByEmail(ctx, key)
	})
}

func (m *Manager) userBy(ctx context.Context, find func(store.Reader) (store.User, error)) (User, error) {
	var found store.User
	err := m.look(ctx, func(g *guard) error {
		if err := g.needSomewhere(ctx, UsersRead); err != nil {
			// Someone without the right may still ask for himself.
			u, ferr := find(g.r)
			if ferr != nil && !errors.Is(ferr, ErrNotFound) {
				return ferr
			}
			self, serr := g.isSelf(ctx, u.ID)
			if serr != nil || ferr != nil || !self {
				return errors.Join(serr, err)
			}
			found = u
			return nil
		}
		u, err := find(g.r)
		if err != nil {
			return err
		}
		if self, err := g.isSelf(ctx, u.ID); err != nil || self {
			found = u
			return err
		}
		found = u
		return g.reach(ctx, UsersRead, reachShared, u)
	})
	if err != nil {
		return User{}, err
	}
	return User(found), nil
}

// DeleteUser deletes a user for good, with his password, memberships,
// sessions, tokens and keys; every token of his is refused from then on. It
// needs users.delete over him, and no right of his that the actor lacks;
// everyone may delete himself. The realm's last active admin, and the last active
// owner of an organization with other members, stay: [ErrLastAdmin], [ErrLastOwner].
func (m *Manager) DeleteUser(ctx context.Context, id UserID) error {
	return m.update(ctx, func(g *guard) error {
		u, err := g.userOrSelf(ctx, UsersDelete, id)
		if err != nil {
			return err
		}
		if err := g.outranks(ctx, u); err != nil {
			return err
		}
		return g.deleteUser(ctx, u)
	})
}

// userOrSelf loads the user for an act that needs p over him, or that he does
// to himself.
func (g *guard) userOrSelf(ctx context.Context, p Permission, id UserID) (store.User, error) {
	self, err := g.isSelf(ctx, id)
	if err != nil {
		return store.User{}, err
	}
	if self {
		return g.r.User(ctx, id)
	}
	return g.user(ctx, p, reachWhole, id)
}

// deleteUser deletes the user, heedless of the actor's rights.
func (g *guard) deleteUser(ctx context.Context, u store.User) error {
	if err := g.keepAdmin(ctx, u); err != nil {
		return err
	}
	if err := g.keepOwners(ctx, u.ID); err != nil {
		return err
	}
	if err := g.tx.DeleteUser(ctx, u.ID); err != nil {
		return err
	}
	return g.record(ctx, Event{Action: "user.deleted", Object: "user:" + string(u.ID)})
}

// keepAdmin refuses to lose u as an active realm admin if he is the last one.
func (g *guard) keepAdmin(ctx context.Context, u store.User) error {
	if !isActiveAdmin(u) {
		return nil
	}
	if err := g.tx.Lock(ctx, "admins"); err != nil {
		return err
	}
	found := errors.New("found")
	err := g.eachUser(ctx, store.UserQuery{Role: RoleAdmin}, func(other store.User) error {
		if other.ID != u.ID && isActiveAdmin(other) {
			return found
		}
		return nil
	})
	switch {
	case err == nil:
		return ErrLastAdmin
	case errors.Is(err, found):
		return nil
	}
	return err
}

func isActiveAdmin(u store.User) bool {
	if u.Disabled {
		return false
	}
	for _, g := range u.Grants {
		if g.Role == RoleAdmin && g.Kind == ScopeRealm {
			return true
		}
	}
	return false
}

// writeLoss writes a user who has lost something of the field because what it named is gone.
func (g *guard) writeLoss(ctx context.Context, u store.User, field string) error {
	u.UpdatedAt = g.m.now()
	if err := g.tx.UpdateUser(ctx, u); err != nil {
		return err
	}
	return g.record(ctx, Event{Action: "user.updated", Object: "user:" + string(u.ID), Fields: []string{field}})
}
