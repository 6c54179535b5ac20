package usermgmt

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// KeyID identifies an API key. It is no secret.
type KeyID = store.KeyID

// keyPrefix begins the API keys that are made here; a host may bring others.
const keyPrefix = "umk_"

// Bounds of a secret that is brought along, in bytes. What it is worth is up to
// whoever brings it; those made here have 256 random bits.
const minSecret, maxSecret = 8, 256

// Key is an organization's API key, without its secret, of which only a
// digest is kept. It holds the rights of its role in that organization, and of
// these no more than its owner has there now.
type Key struct {
	ID             KeyID
	OrganizationID OrganizationID
	Name           string
	// Role is the id of a role of the organization scope.
	Role RoleID
	// Owner is the user whose rights bound the key's, or empty for none. The
	// key ends with his membership and with his account.
	Owner     UserID
	CreatedAt time.Time
	// ExpiresAt is when the key stops working; zero for never.
	ExpiresAt time.Time
}

func newKey(k store.Key) Key {
	return Key{ID: k.ID, OrganizationID: k.OrganizationID, Name: k.Name, Role: k.Role, Owner: k.Owner, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt}
}

// NewKey is an API key to be created.
type NewKey struct {
	// ID is the host's own, or empty for a new one.
	ID KeyID
	// Name has 1 to 128 characters. It need not be unique.
	Name string
	// Role is required.
	Role RoleID
	// Secret is one made elsewhere, of 8 to 256 bytes, or empty for a new
	// one of 256 random bits. Only its digest is kept, and that without salt,
	// so it must not be a word that someone thought of.
	Secret string
	// ExpiresAt is when the key stops working; zero for never.
	ExpiresAt time.Time
}

// CreateKey creates an API key and returns it with its secret, which nothing
// shows again. It needs keys.add in the organization, and every permission that
// the role holds. A user owns the keys that he creates; one that the host
// creates has no owner. An API key and a confined sign-in create none: what they
// left behind would outlive them. [*ExistsError] for "ID" or "Digest".
func (m *Manager) CreateKey(ctx context.Context, org OrganizationID, n NewKey) (Key, string, error) {
	k, secret, err := m.keyRecord(org, n)
	if err != nil {
		return Key{}, "", err
	}
	err = m.update(ctx, func(g *guard) error {
		if _, err := g.organization(ctx, KeysAdd, org); err != nil {
			return err
		}
		if g.m.actor.kind == ActorKey {
			return &ForbiddenError{Permission: KeysAdd, Reason: "an API key creates no other"}
		}
		if g.m.actor.organization != "" {
			return &ForbiddenError{Permission: KeysAdd, Reason: "a confined sign-in creates no API key"}
		}
		if err := g.needRole(ctx, org, k.Role); err != nil {
			return err
		}
		return g.createKey(ctx, k)
	})
	if err != nil {
		return Key{}, "", err
	}
	return newKey(k), secret, nil
}

// keyRecord validates what is to become a key, and makes its secret.
func (m *Manager) keyRecord(org OrganizationID, n NewKey) (store.Key, string, error) {
	id, err := m.givenID("id", string(n.ID))
	if err != nil {
		return store.Key{}, "", err
	}
	k := store.Key{
		ID: KeyID(id), OrganizationID: org, Name: n.Name, Role: n.Role, Owner: m.actor.UserID(),
		CreatedAt: m.now(), ExpiresAt: store.Micro(n.ExpiresAt),
	}
	if err := checkName("name", k.Name, 128); err != nil {
		return store.Key{}, "", err
	}
	if ended(k.ExpiresAt, k.CreatedAt) {
		return store.Key{}, "", invalid("expiresAt", "must be in the future")
	}
	secret, err := m.givenSecret("secret", n.Secret, keyPrefix)
	k.Digest = secretDigest(secret)
	return k, secret, err
}

// givenSecret returns the secret that is brought along, or a new one for none.
func (m *Manager) givenSecret(field, secret, prefix string) (string, error) {
	if secret == "" {
		return m.newSecret(prefix)
	}
	if len(secret) < minSecret || len(secret) > maxSecret {
		return "", invalid(field, "must have 8 to 256 bytes")
	}
	return secret, checkText(field, secret, maxSecret)
}

// ended reports whether something that ends at expires has done so. The end
// itself is part of the time after; the zero time means "never".
func ended(expires, now time.Time) bool { return !expires.IsZero() && !now.Before(expires) }

// createKey writes the key, heedless of rights.
func (g *guard) createKey(ctx context.Context, k store.Key) error {
	if err := g.tx.CreateKey(ctx, k); err != nil {
		return err
	}
	return g.record(ctx, Event{Action: "key.created", Object: "key:" + string(k.ID), OrganizationID: k.OrganizationID})
}

// Key returns an API key by its id. It needs keys.read in its organization.
func (m *Manager) Key(ctx context.Context, id KeyID) (Key, error) {
	var k store.Key
	err := m.look(ctx, func(g *guard) error {
		var err error
		k, err = g.key(ctx, KeysRead, id)
		return err
	})
	if err != nil {
		return Key{}, err
	}
	return newKey(k), nil
}

// key loads a key for an act that needs p in its organization. The key of an
// organization that the actor has no part in is as good as missing.
func (g *guard) key(ctx context.Context, p Permission, id KeyID) (store.Key, error) {
	k, err := g.r.Key(ctx, id)
	if err != nil {
		return store.Key{}, err
	}
	if err := g.needIn(ctx, p, k.OrganizationID); errors.Is(err, ErrNotFound) {
		return store.Key{}, ErrNotFound
	} else if err != nil {
		return store.Key{}, err
	}
	return k, nil
}

// Keys returns a page of an organization's API keys in the order of their
// ids, expired ones included. It needs keys.list or keys.read there.
func (m *Manager) Keys(ctx context.Context, org OrganizationID, p Page) (List[Key], error) {
	limit, err := p.cursor()
	if err != nil {
		return List[Key]{}, err
	}
	var list List[Key]
	err = m.look(ctx, func(g *guard) error {
		if err := g.mayList(ctx, org, KeysRead, KeysList); err != nil {
			return err
		}
		found, err := g.r.Keys(ctx, org, KeyID(p.After), limit+1)
		if err != nil {
			return err
		}
		keys := make([]Key, len(found))
		for i, k := range found {
			keys[i] = newKey(k)
		}
		list = newList(keys, limit, func(k Key) string { return string(k.ID) })
		return nil
	})
	return list, err
}

// DeleteKey deletes an API key; the next call with it is refused. It needs
// keys.delete in its organization and, unless the key is the actor's own, every
// permission that its role holds.
func (m *Manager) DeleteKey(ctx context.Context, id KeyID) error {
	return m.update(ctx, func(g *guard) error {
		k, err := g.key(ctx, KeysDelete, id)
		if err != nil {
			return err
		}
		if k.Owner == "" || k.Owner != g.m.actor.UserID() {
			if err := g.needRoleRights(ctx, k.OrganizationID, k.Role, "the key holds rights that you lack"); err != nil {
				return err
			}
		}
		return g.deleteKey(ctx, k)
	})
}

// deleteKey deletes the key, heedless of rights.
func (g *guard) deleteKey(ctx context.Context, k store.Key) error {
	if err := g.tx.DeleteKey(ctx, k.ID); err != nil {
		return err
	}
	return g.record(ctx, Event{Action: "key.deleted", Object: "key:" + string(k.ID), OrganizationID: k.OrganizationID})
}

// AuthenticateKey returns the API key with the secret, as an actor. An
// unknown, deleted or expired one, or one whose owner is disabled, is
// [ErrUnauthenticated], and a [*ThrottledError] from an address with too many of
// them; a good one always passes. Whose authority the Manager acts under plays
// no part.
func (m *Manager) AuthenticateKey(ctx context.Context, secret string) (Actor, error) {
	if len(secret) < minSecret || len(secret) > maxSecret {
		return Actor{}, m.refuse(ctx, slog.LevelInfo, "key.refused", slog.String("cause", "not of a key's length"))
	}
	var k store.Key
	err := m.store.View(ctx, m.realm, func(r store.Reader) error {
		// Secrets are found by their digest, so that the time this takes says
		// nothing of how much of one was right.
		var err error
		if k, err = r.KeyByDigest(ctx, secretDigest(secret)); err != nil {
			return err
		}
		_, _, err = (&guard{m: m, r: r}).liveKey(ctx, k.ID)
		return err
	})
	switch {
	case errors.Is(err, ErrNotFound) && k.ID == "":
		return Actor{}, m.fail(ctx, "key", "it is unknown", m.addressTally(ofSecrets))
	case errors.Is(err, ErrNotFound):
		return Actor{}, m.fail(ctx, "key", "it has expired, or its owner is disabled", m.addressTally(ofSecrets), slog.String("key", string(k.ID)))
	case err != nil:
		return Actor{}, err
	}
	return KeyActor(k.ID), nil
}

// liveKey loads a key that works, with its owner's rights by his grants, nil
// for a key without one. [ErrNotFound] for a key that is gone or expired, or
// whose owner is disabled.
func (g *guard) liveKey(ctx context.Context, id KeyID) (store.Key, *rights, error) {
	k, err := g.r.Key(ctx, id)
	if err != nil {
		return store.Key{}, nil, err
	}
	if ended(k.ExpiresAt, g.m.now()) {
		return store.Key{}, nil, ErrNotFound
	}
	if k.Owner == "" {
		return k, nil, nil
	}
	owner, err := userRights(ctx, g.r, k.Owner)
	if err == nil && owner == nil {
		err = ErrNotFound
	}
	return k, owner, err
}

// keyCan reports whether the acting key holds p at s: by its role, in its
// organization alone, and only while its owner holds p there.
func (g *guard) keyCan(ctx context.Context, p Permission, s Scope) (bool, error) {
	if s.kind != store.ScopeOrganization || s.id == "" {
		return false, nil
	}
	k, owner, err := g.liveKey(ctx, KeyID(g.m.actor.id))
	if err != nil || InOrganization(k.OrganizationID) != s {
		return false, absent(err)
	}
	sets, err := roleSets(ctx, g.r, []RoleID{k.Role})
	if err != nil || sets[k.Role] == nil || !sets[k.Role].has(p) {
		return false, err
	}
	if g.m.actor.tenant != "" {
		if ok, err := g.admitted(ctx); err != nil || !ok {
			return false, err
		}
	}
	if k.Owner == "" || owner.has(p, s) {
		return true, nil
	}
	set, err := memberSet(ctx, g.r, k.OrganizationID, k.Owner)
	return set != nil && set.has(p), err
}
