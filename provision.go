package usermgmt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/usermgmt-go/usermgmt/internal/identity"
	"github.com/usermgmt-go/usermgmt/store"
)

// organizationPrefix begins organization tokens.
const organizationPrefix = "umo_"

// ErrOrganizationToken: the organization token is unknown or spent, or of an
// organization that is not the acting vendor's; which of these stays untold. It
// matches [ErrForbidden].
var ErrOrganizationToken error = &ForbiddenError{Reason: "the organization token is not valid"}

// VendorUser is a user as a vendor provisions him.
type VendorUser struct {
	// Email is required. It finds the account, or becomes a new one's username.
	Email string
	// FirstName and LastName become a new account's; an existing one keeps its own.
	FirstName, LastName string
	// VendorUserID is the vendor's own id for the user, at most 128
	// characters, or empty. It is unique in the organization.
	VendorUserID string
	// VendorOrganizationID is the vendor's own id for the organization, at
	// most 128 characters, or empty for one that is known by its e-mail domain.
	VendorOrganizationID string
}

// Provisioned is what a vendor gets for a user. The token is a secret:
// printing, logging or JSON-encoding the struct leaves it out.
type Provisioned struct {
	Organization Organization
	Membership   Membership
	// Token is the vendor's permanent handle on this user in this
	// organization. Nothing shows it again. Tokens handed out before stay
	// valid; all end with the membership.
	Token string `json:"-"`
}

// Format prints all but the token, whatever the verb.
func (p Provisioned) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "Provisioned(user %q of organization %q)", p.Membership.UserID, p.Organization.ID)
}

// LogValue is all but the token.
func (p Provisioned) LogValue() slog.Value {
	return slog.GroupValue(slog.String("user", string(p.Membership.UserID)), slog.String("organization", string(p.Organization.ID)))
}

// provision is a VendorUser, validated.
type provision struct {
	VendorUser
	emailKey, domain string
	// account is what is created if there is none.
	account store.User
	token   string
}

func (m *Manager) provision(n VendorUser) (provision, error) {
	p := provision{VendorUser: n}
	var err error
	if p.emailKey, p.domain, err = identity.FoldEmail(n.Email); err != nil {
		return p, invalid("email", err.Error())
	}
	if identity.PublicMailDomain(p.domain) {
		p.domain = ""
	}
	if err := checkText("vendorUserId", n.VendorUserID, 128); err != nil {
		return p, err
	}
	if err := checkText("vendorOrganizationId", n.VendorOrganizationID, 128); err != nil {
		return p, err
	}
	p.account, err = m.userRecord(NewUser{Username: n.Email, Email: n.Email, FirstName: n.FirstName, LastName: n.LastName})
	if err != nil {
		return p, err
	}
	p.token, err = m.newSecret(organizationPrefix)
	return p, err
}

// ProvisionOrganization creates an organization that the acting vendor owns,
// with its first user as owner. Without a VendorOrganizationID it is known by
// the domain of the user's e-mail, unless that is a public mail provider's.
//
// An [*ExistsError] for "VendorOrganizationID" or "MatchDomain" if the vendor
// has such an organization already; other vendors' do not matter. An existing
// account becomes the owner and nothing else of it changes.
func (m *Manager) ProvisionOrganization(ctx context.Context, name string, owner VendorUser) (Provisioned, error) {
	p, err := m.provision(owner)
	if err != nil {
		return Provisioned{}, err
	}
	o, err := m.organizationRecord(NewOrganization{
		Name: name, Domain: p.domain, Vendor: m.actor.VendorID(), VendorOrganizationID: m.ownName(p),
	})
	if err != nil {
		return Provisioned{}, err
	}
	var made Provisioned
	err = m.update(ctx, func(g *guard) error {
		if _, err := g.actingVendor(ctx); err != nil {
			return err
		}
		if err := g.createOrganization(ctx, o); err != nil {
			return err
		}
		made, err = g.provisionUser(ctx, o, p)
		return err
	})
	if err != nil {
		return Provisioned{}, err
	}
	return made, nil
}

// ownName is the vendor's own id for the organization, and nothing where no
// vendor acts, which is refused later, for that reason.
func (m *Manager) ownName(p provision) string {
	if m.actor.kind != ActorVendor {
		return ""
	}
	return p.VendorOrganizationID
}

// ProvisionUser makes a user a member of one of the acting vendor's
// organizations: of the one with the VendorOrganizationID, or without one of
// that without one which has the domain of the user's e-mail. There is no
// other way from one to the other: [ErrNoOrganization]. The first user of an
// empty organization becomes its owner.
//
// An existing account gains the membership, and nothing else of it changes or
// is told. An [*ExistsError] for "UserID" for a member, and for "VendorUserID".
func (m *Manager) ProvisionUser(ctx context.Context, n VendorUser) (Provisioned, error) {
	p, err := m.provision(n)
	if err != nil {
		return Provisioned{}, err
	}
	var made Provisioned
	err = m.update(ctx, func(g *guard) error {
		v, err := g.actingVendor(ctx)
		if err != nil {
			return err
		}
		var o store.Organization
		if p.VendorOrganizationID != "" {
			o, err = g.r.OrganizationByVendorID(ctx, v.ID, p.VendorOrganizationID)
		} else {
			o, err = g.r.OrganizationByDomain(ctx, v.ID, p.domain)
		}
		if errors.Is(err, ErrNotFound) {
			return ErrNoOrganization
		} else if err != nil {
			return err
		}
		made, err = g.provisionUser(ctx, o, p)
		return err
	})
	if err != nil {
		return Provisioned{}, err
	}
	return made, nil
}

func (g *guard) provisionUser(ctx context.Context, o store.Organization, p provision) (Provisioned, error) {
	u, err := g.vouched(ctx, p.emailKey)
	if errors.Is(err, ErrNotFound) {
		u, err = p.account, g.createUser(ctx, p.account)
	}
	if err != nil {
		return Provisioned{}, err
	}
	ms, err := g.createMembership(ctx, store.Membership{
		OrganizationID: o.ID, UserID: u.ID, Role: RoleMember, VendorUserID: p.VendorUserID,
	}, u)
	if err != nil {
		return Provisioned{}, err
	}
	if err := g.createOrganizationToken(ctx, ms, p.token); err != nil {
		return Provisioned{}, err
	}
	return Provisioned{Organization: Organization(o), Membership: Membership(ms), Token: p.token}, nil
}

func (g *guard) createOrganizationToken(ctx context.Context, ms store.Membership, secret string) error {
	return g.putOrganizationToken(ctx, store.Token{
		Digest: secretDigest(secret), UserID: ms.UserID, OrganizationID: ms.OrganizationID, CreatedAt: g.m.now(),
	})
}

// putOrganizationToken writes the token, heedless of rights.
func (g *guard) putOrganizationToken(ctx context.Context, t store.Token) error {
	t.Kind = store.TokenOrganization
	if err := g.tx.CreateToken(ctx, t); err != nil {
		return err
	}
	return g.record(ctx, Event{Action: "token.created", Object: "user:" + string(t.UserID), OrganizationID: t.OrganizationID})
}

// CreateOrganizationToken hands out another organization token for a member,
// and returns him with it; nothing shows it again. Earlier ones stay valid. It
// needs members.update in the organization, and all that an owner holds there;
// confined sign-ins are refused, since it would outlive them.
func (m *Manager) CreateOrganizationToken(ctx context.Context, org OrganizationID, user UserID) (Member, string, error) {
	secret, err := m.newSecret(organizationPrefix)
	if err != nil {
		return Member{}, "", err
	}
	var member Member
	err = m.update(ctx, func(g *guard) error {
		if _, err := g.organization(ctx, MembersUpdate, org); err != nil {
			return err
		}
		if g.m.actor.organization != "" {
			return &ForbiddenError{Permission: MembersUpdate, Reason: "a confined sign-in hands out no organization token"}
		}
		if err := g.needRoleRights(ctx, org, RoleOwner, "organization tokens are for owners to hand out"); err != nil {
			return err
		}
		ms, err := g.r.Membership(ctx, org, user)
		if err != nil {
			return err
		}
		u, err := g.r.User(ctx, user)
		if err != nil {
			return err
		}
		if member, err = g.newMember(ctx, ms, u); err != nil {
			return err
		}
		return g.createOrganizationToken(ctx, ms, secret)
	})
	if err != nil {
		return Member{}, "", err
	}
	return member, secret, nil
}

// organizationToken returns what the token names, if it is of an organization
// of the acting vendor.
func (g *guard) organizationToken(ctx context.Context, token string) (store.Token, error) {
	v, err := g.actingVendor(ctx)
	if err != nil {
		return store.Token{}, err
	}
	if !isSecret(token, organizationPrefix) {
		return store.Token{}, ErrOrganizationToken
	}
	t, err := g.r.Token(ctx, store.TokenOrganization, secretDigest(token))
	if err == nil && ended(t.ExpiresAt, g.m.now()) {
		err = ErrNotFound
	}
	var o store.Organization
	if err == nil {
		o, err = g.r.Organization(ctx, t.OrganizationID)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return store.Token{}, ErrOrganizationToken
	case err != nil:
		return store.Token{}, err
	case o.VendorID != v.ID:
		return store.Token{}, ErrOrganizationToken
	}
	return t, nil
}

// MemberRef names a member of an organization. The empty one names nobody.
type MemberRef struct {
	Email, VendorUserID string
}

// DeprovisionUser ends the membership that the organization token was handed
// out for or, if other names someone, his membership of the same organization:
// [ErrNotFound] if he has none, [ErrInvalid] if its fields name different
// people. The organization's last active owner stays while there are other
// members: [ErrLastOwner]. Someone else than the token's holder whose account
// this vendor did not create must not have a role there with a right that the vendor
// lacks: [ErrForbidden].
//
// The account goes too if this vendor created it, it is not disabled, and no
// membership, role, permission or tenant is left of it.
func (m *Manager) DeprovisionUser(ctx context.Context, token string, other MemberRef) error {
	var key string
	if other.Email != "" {
		var err error
		if key, _, err = identity.FoldEmail(other.Email); err != nil {
			return invalid("email", err.Error())
		}
	}
	return m.update(ctx, func(g *guard) error {
		t, err := g.organizationToken(ctx, token)
		if err != nil {
			return err
		}
		if err := g.lockOwners(ctx, t.OrganizationID); err != nil {
			return err
		}
		ms, err := g.memberOf(ctx, t, key, other.VendorUserID)
		if err != nil {
			return err
		}
		if ms.UserID != t.UserID {
			if err := g.mayDeprovision(ctx, ms); err != nil {
				return err
			}
		}
		if err := g.removeMember(ctx, ms); err != nil {
			return err
		}
		return g.dropAccount(ctx, ms.UserID)
	})
}

// mayDeprovision requires rank over a member whom the vendor names by another's
// token. The account that he created himself is his to take out.
func (g *guard) mayDeprovision(ctx context.Context, ms store.Membership) error {
	if err := g.keepOwner(ctx, ms.OrganizationID, ms.UserID); err != nil {
		return err
	}
	u, err := g.r.User(ctx, ms.UserID)
	if err != nil || u.CreatedByVendor == g.m.actor.VendorID() {
		return err
	}
	return g.needRoleRights(ctx, ms.OrganizationID, ms.Role, reasonRank)
}

// memberOf finds the member of the token's organization by a folded e-mail
// and a vendor's user id, of which either or both may be empty.
func (g *guard) memberOf(ctx context.Context, t store.Token, emailKey, vendorUserID string) (store.Membership, error) {
	if emailKey == "" && vendorUserID == "" {
		return g.r.Membership(ctx, t.OrganizationID, t.UserID)
	}
	var named []store.Membership
	if emailKey != "" {
		u, err := g.r.UserByEmail(ctx, emailKey)
		if err != nil {
			return store.Membership{}, err
		}
		ms, err := g.r.Membership(ctx, t.OrganizationID, u.ID)
		if err != nil {
			return store.Membership{}, err
		}
		named = append(named, ms)
	}
	if vendorUserID != "" {
		ms, err := g.r.MembershipByVendorUser(ctx, t.OrganizationID, vendorUserID)
		if err != nil {
			return store.Membership{}, err
		}
		named = append(named, ms)
	}
	if slices.ContainsFunc(named, func(ms store.Membership) bool { return ms.UserID != named[0].UserID }) {
		return store.Membership{}, invalid("vendorUserId", "must name the same person as the e-mail")
	}
	return named[0], nil
}

// dropAccount deletes the user if the acting vendor created him and nothing is
// left that he is here for. A disabled one stays, or the vendor would undo that
// by creating him anew.
func (g *guard) dropAccount(ctx context.Context, id UserID) error {
	u, err := g.r.User(ctx, id)
	if err != nil {
		return err
	}
	if u.Disabled || u.CreatedByVendor == "" || u.CreatedByVendor != g.m.actor.VendorID() || len(u.Grants)+len(u.Tenants) > 0 {
		return nil
	}
	left, err := g.r.Memberships(ctx, id, "", 1)
	if err != nil || len(left) > 0 {
		return err
	}
	return g.deleteUser(ctx, u)
}
