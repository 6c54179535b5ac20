package usermgmt

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// VendorID identifies a vendor. It is no secret.
type VendorID = store.VendorID

// ScopeVendorManage is the scope that lets a vendor manage organizations.
// Without it, his other scopes are words for the host.
const ScopeVendorManage = "vendor_manage"

// vendorPrefix begins the vendors' secrets that are made here.
const vendorPrefix = "umv_"

// Vendor is an OEM partner: it creates organizations and users in them, and
// acts by a client id and a secret, of which up to two work at a time.
type Vendor struct {
	ID   VendorID
	Name string
	// ClientID is unique in the realm and no secret.
	ClientID string
	// Scopes is a sorted set.
	Scopes []string
	// Disabled vendors hold no rights and cannot authenticate; one-time codes
	// that they asked for are refused.
	Disabled bool
	// Version is 1 at creation and grows by one with each change. Secrets have
	// no part in it.
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// vendorRights are what a vendor may do in the organizations that he owns.
var vendorRights = newPermissionSet([]Permission{
	OrganizationsRead, OrganizationsList, OrganizationsUpdate, "members.*", SessionsAdd,
})

// vendorPowers are what a vendor can bring about: he makes organizations, and
// signs in as their owners.
var vendorPowers = newVendorPowers()

func newVendorPowers() *permissionSet {
	owner, _ := builtinByID(RoleOwner)
	return newPermissionSet(append(owner.copy().Permissions, string(OrganizationsAdd), string(UsersAdd)))
}

// vendorCan reports whether the acting vendor holds p at s: in organizations
// of his own alone.
func (g *guard) vendorCan(ctx context.Context, p Permission, s Scope) (bool, error) {
	if s.kind != store.ScopeOrganization || s.id == "" || !vendorRights.has(p) {
		return false, nil
	}
	v, err := g.actingVendor(ctx)
	if errors.Is(err, ErrForbidden) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	o, err := g.r.Organization(ctx, OrganizationID(s.id))
	return err == nil && o.VendorID == v.ID, absent(err)
}

// actingVendor returns the vendor who acts, if he may manage organizations now.
func (g *guard) actingVendor(ctx context.Context) (store.Vendor, error) {
	refusal := &ForbiddenError{Reason: "only a vendor with the scope " + ScopeVendorManage + " may do this"}
	id := g.m.actor.VendorID()
	if id == "" || g.m.actor.tenant != "" { // a vendor is in no tenant
		return store.Vendor{}, refusal
	}
	v, err := g.r.Vendor(ctx, id)
	asked := strings.Fields(g.m.actor.scopes)
	if len(asked) > 0 && !slices.Contains(asked, ScopeVendorManage) {
		return store.Vendor{}, refusal
	}
	if errors.Is(err, ErrNotFound) || err == nil && (v.Disabled || !slices.Contains(v.Scopes, ScopeVendorManage)) {
		return store.Vendor{}, refusal
	}
	return v, err
}

// NewVendor is a vendor to be created.
type NewVendor struct {
	// ID is the host's own, or empty for a new one.
	ID VendorID
	// Name has 1 to 256 characters.
	Name string
	// ClientID has 1 to 128 bytes; it is the ID if empty.
	ClientID string
	// Secret is one made elsewhere, of 8 to 256 bytes, or empty for a new
	// one of 256 random bits. Only its digest is kept, and that without salt,
	// so it must not be a word that someone thought of.
	Secret string
	// Scopes are scope tokens of RFC 6749; [ScopeVendorManage] is the one that
	// means something here.
	Scopes []string
}

// CreateVendor creates a vendor and returns it with its secret, which nothing
// shows again. It needs vendors.add, and realm-wide every permission that a
// vendor has or can obtain. [*ExistsError] for "ID" or "ClientID".
func (m *Manager) CreateVendor(ctx context.Context, n NewVendor) (Vendor, string, error) {
	v, err := m.vendorRecord(n)
	if err != nil {
		return Vendor{}, "", err
	}
	secret, err := m.givenSecret("secret", n.Secret, vendorPrefix)
	if err != nil {
		return Vendor{}, "", err
	}
	err = m.update(ctx, func(g *guard) error {
		if err := g.need(ctx, VendorsAdd, Realmwide); err != nil {
			return err
		}
		if err := g.needVendorPowers(ctx); err != nil {
			return err
		}
		if err := g.createVendor(ctx, v); err != nil {
			return err
		}
		return g.tx.PutVendorSecret(ctx, store.VendorSecret{VendorID: v.ID, Digest: secretDigest(secret), CreatedAt: v.CreatedAt})
	})
	if err != nil {
		return Vendor{}, "", err
	}
	return Vendor(v), secret, nil
}

// vendorRecord validates what is to become a vendor, without a secret.
func (m *Manager) vendorRecord(n NewVendor) (store.Vendor, error) {
	id, err := m.givenID("id", string(n.ID))
	if err != nil {
		return store.Vendor{}, err
	}
	v := store.Vendor{ID: VendorID(id), Name: n.Name, ClientID: n.ClientID, Scopes: sortedSet(slices.Clone(n.Scopes)), Version: 1, CreatedAt: m.now()}
	v.UpdatedAt = v.CreatedAt
	if v.ClientID == "" {
		v.ClientID = id
	}
	return v, checkVendor(v)
}

// createVendor writes the vendor, heedless of rights and without a secret.
func (g *guard) createVendor(ctx context.Context, v store.Vendor) error {
	if err := g.tx.CreateVendor(ctx, v); err != nil {
		return err
	}
	return g.record(ctx, Event{Action: "vendor.created", Object: "vendor:" + string(v.ID)})
}

func (g *guard) needVendorPowers(ctx context.Context) error {
	return g.needSet(ctx, vendorPowers, Realmwide, "the vendor would hold rights that you lack")
}

func checkVendor(v store.Vendor) error {
	if err := checkName("name", v.Name, 256); err != nil {
		return err
	}
	if len(v.ClientID) > store.MaxID {
		return invalid("clientId", "must have at most 128 bytes")
	}
	if err := checkName("clientId", v.ClientID, store.MaxID); err != nil {
		return err
	}
	if len(v.Scopes) > 100 {
		return invalid("scopes", "must have at most 100 entries")
	}
	for _, s := range v.Scopes {
		if !isScopeToken(s) {
			return invalid("scopes", "must hold scope tokens of 1 to 128 characters")
		}
	}
	return nil
}

// isScopeToken reports whether s is a scope-token of RFC 6749, section 3.3.
func isScopeToken(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// Vendor returns a vendor by its id. It needs vendors.read; a vendor may read
// himself.
func (m *Manager) Vendor(ctx context.Context, id VendorID) (Vendor, error) {
	return m.vendor(ctx, func(g *guard) (store.Vendor, error) {
		if id != "" && id == m.actor.VendorID() {
			return g.actingVendor(ctx)
		}
		if err := g.need(ctx, VendorsRead, Realmwide); err != nil {
			return store.Vendor{}, err
		}
		return g.r.Vendor(ctx, id)
	})
}

// VendorByClientID returns a vendor by its client id. It needs vendors.read.
func (m *Manager) VendorByClientID(ctx context.Context, clientID string) (Vendor, error) {
	return m.vendor(ctx, func(g *guard) (store.Vendor, error) {
		if err := g.need(ctx, VendorsRead, Realmwide); err != nil {
			return store.Vendor{}, err
		}
		return g.r.VendorByClientID(ctx, clientID)
	})
}

func (m *Manager) vendor(ctx context.Context, find func(*guard) (store.Vendor, error)) (Vendor, error) {
	var v store.Vendor
	err := m.look(ctx, func(g *guard) error {
		var err error
		v, err = find(g)
		return err
	})
	if err != nil {
		return Vendor{}, err
	}
	return Vendor(v), nil
}

// Vendors returns a page of vendors in the order of their ids. It needs
// vendors.read or vendors.list.
func (m *Manager) Vendors(ctx context.Context, p Page) (List[Vendor], error) {
	limit, err := p.cursor()
	if err != nil {
		return List[Vendor]{}, err
	}
	var list List[Vendor]
	err = m.look(ctx, func(g *guard) error {
		if err := g.needAny(ctx, Realmwide, VendorsRead, VendorsList); err != nil {
			return err
		}
		found, err := g.r.Vendors(ctx, VendorID(p.After), limit+1)
		if err != nil {
			return err
		}
		vendors := make([]Vendor, len(found))
		for i, v := range found {
			vendors[i] = Vendor(v)
		}
		list = newList(vendors, limit, func(v Vendor) string { return string(v.ID) })
		return nil
	})
	return list, err
}

// VendorUpdate changes what it gives; nil fields change nothing.
type VendorUpdate struct {
	// Version must be the vendor's current one, or 0 to change whatever is there.
	Version int64
	Name    *string
	// Scopes replaces all scopes.
	Scopes *[]string
	// Disabled ends all of the vendor's rights at once.
	Disabled *bool
}

// UpdateVendor changes a vendor. It needs vendors.update, and, to give scopes
// or to enable, what CreateVendor needs. An update that changes nothing writes nothing.
func (m *Manager) UpdateVendor(ctx context.Context, id VendorID, up VendorUpdate) (Vendor, error) {
	var v store.Vendor
	err := m.update(ctx, func(g *guard) error {
		if err := g.need(ctx, VendorsUpdate, Realmwide); err != nil {
			return err
		}
		old, err := g.tx.Vendor(ctx, id)
		if err != nil {
			return err
		}
		if up.Version != 0 && up.Version != old.Version {
			return &StaleError{Version: old.Version, Requested: up.Version}
		}
		v, err = g.updateVendor(ctx, old, up)
		return err
	})
	if err != nil {
		return Vendor{}, err
	}
	return Vendor(v), nil
}

func (g *guard) updateVendor(ctx context.Context, old store.Vendor, up VendorUpdate) (store.Vendor, error) {
	v := old.Clone()
	var fields []string
	if up.Name != nil && *up.Name != old.Name {
		v.Name, fields = *up.Name, append(fields, "name")
	}
	if up.Scopes != nil {
		v.Scopes = sortedSet(slices.Clone(*up.Scopes))
	}
	scopes := !slices.Equal(v.Scopes, old.Scopes)
	if scopes {
		fields = append(fields, "scopes")
	}
	if up.Disabled != nil && *up.Disabled != old.Disabled {
		v.Disabled, fields = *up.Disabled, append(fields, "disabled")
	}
	if scopes || old.Disabled && !v.Disabled {
		if err := g.needVendorPowers(ctx); err != nil {
			return v, err
		}
	}
	if fields == nil {
		return old, nil
	}
	if err := checkVendor(v); err != nil {
		return v, err
	}
	v.UpdatedAt = g.m.now()
	if err := g.tx.UpdateVendor(ctx, v); err != nil {
		return v, err
	}
	v.Version++
	return v, g.record(ctx, Event{Action: "vendor.updated", Object: "vendor:" + string(v.ID), Fields: fields})
}

// DeleteVendor deletes a vendor with its secrets. It needs vendors.delete.
// While the vendor owns organizations it is refused with a [*ConflictError].
func (m *Manager) DeleteVendor(ctx context.Context, id VendorID) error {
	return m.update(ctx, func(g *guard) error {
		if err := g.need(ctx, VendorsDelete, Realmwide); err != nil {
			return err
		}
		owned, err := g.r.Organizations(ctx, store.OrganizationQuery{Vendor: id, Limit: 1})
		if err != nil {
			return err
		}
		if id != "" && len(owned) > 0 {
			return &ConflictError{"the vendor owns organizations"}
		}
		if err := g.tx.DeleteVendor(ctx, id); err != nil {
			return err
		}
		return g.record(ctx, Event{Action: "vendor.deleted", Object: "vendor:" + string(id)})
	})
}

// maxOverlap bounds how long an old secret may go on working.
const maxOverlap = 366 * 24 * time.Hour

// RotateVendorSecret gives a vendor a new secret of 256 random bits and
// returns it; nothing shows it again. The one before stops working when
// overlap, 0 to 366 days, has passed, or when it would have anyway; those
// before it stop at once. It needs vendors.update, and what CreateVendor needs.
func (m *Manager) RotateVendorSecret(ctx context.Context, id VendorID, overlap time.Duration) (string, error) {
	if overlap < 0 || overlap > maxOverlap {
		return "", invalid("overlap", "must be 0 to 366 days")
	}
	secret, err := m.newSecret(vendorPrefix)
	if err != nil {
		return "", err
	}
	err = m.update(ctx, func(g *guard) error {
		if err := g.need(ctx, VendorsUpdate, Realmwide); err != nil {
			return err
		}
		if err := g.needVendorPowers(ctx); err != nil {
			return err
		}
		v, err := g.tx.Vendor(ctx, id)
		if err != nil {
			return err
		}
		return g.rotateSecret(ctx, v, secretDigest(secret), overlap)
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// rotateSecret makes the digest that of the vendor's one secret without an
// end; the one before it goes on for the overlap.
func (g *guard) rotateSecret(ctx context.Context, v store.Vendor, digest store.Digest, overlap time.Duration) error {
	secrets, err := g.tx.VendorSecrets(ctx, v.ID)
	if err != nil {
		return err
	}
	now := g.m.now()
	end := store.Micro(now.Add(overlap))
	last, created := -1, now
	for i, s := range secrets {
		// Tokens name their secret by this time, so no two share it, whatever the clock does.
		if !created.After(s.CreatedAt) {
			created = s.CreatedAt.Add(time.Microsecond)
		}
		// The newest, but one that has an end only if there is none without.
		if !ended(s.ExpiresAt, now) && (last < 0 || s.ExpiresAt.IsZero() || !secrets[last].ExpiresAt.IsZero()) {
			last = i
		}
	}
	for i, s := range secrets {
		if i != last || overlap == 0 {
			err = g.tx.DeleteVendorSecret(ctx, v.ID, s.Digest)
		} else if s.ExpiresAt.IsZero() || s.ExpiresAt.After(end) {
			s.ExpiresAt = end
			err = g.tx.PutVendorSecret(ctx, s)
		}
		if err != nil {
			return err
		}
	}
	if err := g.tx.PutVendorSecret(ctx, store.VendorSecret{VendorID: v.ID, Digest: digest, CreatedAt: created}); err != nil {
		return err
	}
	return g.record(ctx, Event{Action: "vendor.secret-rotated", Object: "vendor:" + string(v.ID)})
}

// AuthenticateVendor returns the vendor with the client id and secret, as an
// actor who holds the scopes, or all of his if none is named. An unknown
// client, a wrong or ended secret and a disabled vendor are all
// [ErrUnauthenticated], after the same work, and a [*ThrottledError] where there
// were too many of them by the client id or from the address; the right secret
// always passes. A scope that the vendor lacks is an
// [*InvalidError] for "scope", and that only after the secret was right. Whose
// authority the Manager acts under plays no part.
func (m *Manager) AuthenticateVendor(ctx context.Context, clientID, secret string, scopes ...string) (Actor, error) {
	v, _, err := m.vendorOf(ctx, clientID, secret, scopes)
	if err != nil {
		return Actor{}, err
	}
	a := VendorActor(v.ID)
	a.scopes = strings.Join(scopes, " ")
	return a, nil
}

// vendorOf returns the vendor with the client id, and which secret of his it is.
func (m *Manager) vendorOf(ctx context.Context, clientID, secret string, scopes []string) (store.Vendor, store.VendorSecret, error) {
	var v store.Vendor
	var right store.VendorSecret
	known := false
	refused := func(why string, tallies ...tally) (store.Vendor, store.VendorSecret, error) {
		var who []slog.Attr
		if known {
			who = append(who, slog.String("vendor", string(v.ID)))
		}
		return store.Vendor{}, store.VendorSecret{}, m.fail(ctx, "vendor", why, tallies, who...)
	}
	if len(clientID) > store.MaxID || len(secret) > maxSecret {
		return refused("the credentials are too long")
	}
	tallies := append(m.addressTally(ofSecrets), m.clientTally(clientID))
	err := m.store.View(ctx, m.realm, func(r store.Reader) error {
		var err error
		v, err = r.VendorByClientID(ctx, clientID)
		known = err == nil
		if err := absent(err); err != nil {
			return err
		}
		// An unknown client's secrets are looked for, and compared, like others'.
		secrets, err := r.VendorSecrets(ctx, v.ID)
		right = matching(secrets, secretDigest(secret), m.now())
		return err
	})
	switch {
	case err != nil:
		return store.Vendor{}, store.VendorSecret{}, err
	case !known || right.VendorID == "":
		return refused("the client is unknown, or the secret wrong", tallies...)
	case v.Disabled:
		return refused("the vendor is disabled", tallies...)
	}
	for _, s := range scopes {
		if !slices.Contains(v.Scopes, s) {
			return store.Vendor{}, store.VendorSecret{}, invalid("scope", "must be one that the client has")
		}
	}
	return v, right, nil
}

// matching returns the live secret of the digest, or the zero value. It
// compares two, if there are no more, in constant time.
func matching(secrets []store.VendorSecret, digest store.Digest, now time.Time) store.VendorSecret {
	var right store.VendorSecret
	for i := range max(2, len(secrets)) {
		var s store.VendorSecret
		if i < len(secrets) && !ended(secrets[i].ExpiresAt, now) {
			s = secrets[i]
		}
		if subtle.ConstantTimeCompare(s.Digest[:], digest[:]) == 1 {
			right = s
		}
	}
	return right
}
