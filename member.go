package usermgmt

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/usermgmt-go/usermgmt/internal/identity"
	"github.com/usermgmt-go/usermgmt/store"
)

// Membership is a user's place in an organization.
type Membership struct {
	OrganizationID OrganizationID
	UserID         UserID
	// Role is the id of a role of the organization scope.
	Role RoleID
	// Tags is a sorted set.
	Tags []string
	// VendorUserID is the vendor's own id for the user, or empty. It is unique
	// in the organization and means nothing elsewhere.
	VendorUserID string
	// CreatedBy names the actor as Event.Actor does.
	CreatedBy string
	// Version is 1 at creation and grows by one with each change.
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// NewMember is a member to be added.
type NewMember struct {
	// User or Email, one of them, names an existing account.
	User  UserID
	Email string
	// Role is RoleMember if empty.
	Role RoleID
	// Tags has at most 100 entries of at most 128 characters.
	Tags []string
	// VendorUserID has at most 128 characters. It is for the vendor that owns
	// the organization, and for who holds members.add realm-wide.
	VendorUserID string
}

// AddMember makes an existing user a member. It needs members.add there, and
// every permission that the role holds: nobody gives what he lacks. The first
// member of an empty organization becomes its owner, whatever the role; who adds
// himself there needs what an owner holds.
//
// [ErrNotFound] for an unknown user; [ErrLastOwner] where the only owner is
// disabled, unless an active one is added; an [*ExistsError] for "UserID" for
// a member, and for "VendorUserID".
func (m *Manager) AddMember(ctx context.Context, org OrganizationID, n NewMember) (Member, error) {
	ms, key, err := m.membershipRecord(org, n)
	if err != nil {
		return Member{}, err
	}
	var member Member
	err = m.update(ctx, func(g *guard) error {
		if err := g.mayAdd(ctx, ms); err != nil {
			return err
		}
		var u store.User
		var err error
		if key != "" {
			u, err = g.vouched(ctx, key)
		} else {
			u, err = g.r.User(ctx, n.User)
		}
		if err != nil {
			return err
		}
		member, err = g.join(ctx, ms, u)
		return err
	})
	if err != nil {
		return Member{}, err
	}
	return member, nil
}

// Invitation is an e-mail address to be made a member.
type Invitation struct {
	// NewMember.User stays empty.
	NewMember
	// FirstName and LastName become a new account's; an existing one keeps its own.
	FirstName, LastName string
	// NewAccount refuses an address that has an account already, with an
	// [*ExistsError] for "EmailKey".
	NewAccount bool
}

// InviteMember makes whoever has the e-mail address a member: an existing
// account gains the membership and nothing else of it changes; for an unknown
// address an account is created, with the address as its username and no
// credential. Needs and errors are those of [Manager.AddMember], and an
// [*ExistsError] for "UsernameKey" where the address is someone else's username.
func (m *Manager) InviteMember(ctx context.Context, org OrganizationID, n Invitation) (Member, error) {
	if n.User != "" || n.Email == "" {
		return Member{}, invalid("email", "must be given, and no user")
	}
	ms, key, err := m.membershipRecord(org, n.NewMember)
	if err != nil {
		return Member{}, err
	}
	account, err := m.userRecord(NewUser{Username: n.Email, Email: n.Email, FirstName: n.FirstName, LastName: n.LastName})
	if err != nil {
		return Member{}, err
	}
	var member Member
	err = m.update(ctx, func(g *guard) error {
		if err := g.mayAdd(ctx, ms); err != nil {
			return err
		}
		u, err := g.vouched(ctx, key)
		switch {
		case errors.Is(err, ErrNotFound):
			u, err = account, g.createUser(ctx, account)
		case err == nil && n.NewAccount:
			err = &ExistsError{Field: "EmailKey"}
		}
		if err != nil {
			return err
		}
		member, err = g.join(ctx, ms, u)
		return err
	})
	if err != nil {
		return Member{}, err
	}
	return member, nil
}

// vouched finds the account of an address, for someone who is to get something
// by it. One that its user gave himself is as bad as none.
func (g *guard) vouched(ctx context.Context, key string) (store.User, error) {
	u, err := g.r.UserByEmail(ctx, key)
	if err == nil && u.EmailClaimed {
		err = ErrEmailClaimed
	}
	return u, err
}

// membershipRecord validates what is to become a membership, and folds the
// e-mail that names its user.
func (m *Manager) membershipRecord(org OrganizationID, n NewMember) (ms store.Membership, key string, err error) {
	if (n.User == "") == (n.Email == "") {
		return ms, "", invalid("user", "must be given by id or by e-mail")
	}
	if n.Email != "" {
		if key, _, err = identity.FoldEmail(n.Email); err != nil {
			return ms, "", invalid("email", err.Error())
		}
	}
	ms = store.Membership{OrganizationID: org, Role: n.Role, VendorUserID: n.VendorUserID}
	if ms.Role == "" {
		ms.Role = RoleMember
	}
	if ms.Tags, err = tagSet(n.Tags); err != nil {
		return ms, "", err
	}
	return ms, key, checkText("vendorUserId", n.VendorUserID, 128)
}

// mayAdd requires the right to add a member of this kind.
func (g *guard) mayAdd(ctx context.Context, ms store.Membership) error {
	if _, err := g.organization(ctx, MembersAdd, ms.OrganizationID); err != nil {
		return err
	}
	if ms.VendorUserID != "" {
		if err := g.needVendorNames(ctx, MembersAdd); err != nil {
			return err
		}
	}
	return g.needRole(ctx, ms.OrganizationID, ms.Role)
}

// needVendorNames requires the right to say which of a vendor's users someone is.
func (g *guard) needVendorNames(ctx context.Context, p Permission) error {
	if g.m.actor.kind == ActorVendor {
		return nil // who has p only in organizations of his own
	}
	return g.need(ctx, p, Realmwide)
}

// needRole requires that the role can be given in organizations, and by this actor in this one.
func (g *guard) needRole(ctx context.Context, org OrganizationID, id RoleID) error {
	r, err := g.role(ctx, id)
	if err != nil {
		return unknownAs("role", err)
	}
	if r.Scope != ScopeOrganization {
		return invalid("role", "must be a role of the organization scope")
	}
	return g.needRoleRights(ctx, org, id, "the role holds a permission that you lack")
}

// needRoleRights requires that the actor holds in the organization whatever
// the role holds there. A role that is gone holds nothing.
func (g *guard) needRoleRights(ctx context.Context, org OrganizationID, id RoleID, reason string) error {
	sets, err := roleSets(ctx, g.r, []RoleID{id})
	if err != nil || sets[id] == nil {
		return err
	}
	return g.needSet(ctx, sets[id], InOrganization(org), reason)
}

// join makes u a member. Whoever adds himself to an organization without members
// would make himself its owner, and needs an owner's rights for it.
func (g *guard) join(ctx context.Context, ms store.Membership, u store.User) (Member, error) {
	ms.UserID = u.ID
	if g.m.actor.UserID() == u.ID {
		first, err := g.r.Members(ctx, store.MemberQuery{Organization: ms.OrganizationID, Limit: 1})
		if err != nil {
			return Member{}, err
		}
		if len(first) == 0 {
			if err := g.needRoleRights(ctx, ms.OrganizationID, RoleOwner, "the first member becomes the owner"); err != nil {
				return Member{}, err
			}
		}
	}
	ms, err := g.createMembership(ctx, ms, u)
	if err != nil {
		return Member{}, err
	}
	return g.newMember(ctx, ms, u)
}

// createMembership makes u a member, heedless of the actor's rights, and keeps
// the rule of owners: the first one becomes owner, and nobody joins an
// organization whose owners are all disabled but an active owner.
func (g *guard) createMembership(ctx context.Context, ms store.Membership, u store.User) (store.Membership, error) {
	if err := g.lockOwners(ctx, ms.OrganizationID); err != nil {
		return ms, err
	}
	first, err := g.r.Members(ctx, store.MemberQuery{Organization: ms.OrganizationID, Limit: 1})
	if err != nil {
		return ms, err
	}
	if len(first) == 0 {
		ms.Role = RoleOwner
	} else if ms.Role != RoleOwner || u.Disabled {
		// A member already is told so first.
		if _, err := g.r.Membership(ctx, ms.OrganizationID, u.ID); err == nil {
			return ms, &ExistsError{Field: "UserID"}
		} else if !errors.Is(err, ErrNotFound) {
			return ms, err
		}
		if err := g.needOtherOwner(ctx, ms.OrganizationID, u.ID); err != nil {
			return ms, err
		}
	}
	ms.CreatedBy, ms.CreatedAt, ms.Version = g.m.actor.String(), g.m.now(), 1
	ms.UpdatedAt = ms.CreatedAt
	if err := g.tx.CreateMembership(ctx, ms); err != nil {
		return ms, err
	}
	return ms, g.recordMember(ctx, "member.added", ms, nil)
}

func (g *guard) recordMember(ctx context.Context, action string, ms store.Membership, fields []string) error {
	return g.record(ctx, Event{Action: action, Object: "user:" + string(ms.UserID), OrganizationID: ms.OrganizationID, Fields: fields})
}

// MemberUpdate changes what it gives; nil fields change nothing.
type MemberUpdate struct {
	// Version must be the membership's current one, or 0 to change whatever is there.
	Version int64
	Role    *RoleID
	// Tags replaces all tags.
	Tags *[]string
	// VendorUserID, empty for none, is for the vendor that owns the
	// organization, and for who holds members.update realm-wide.
	VendorUserID *string
}

// UpdateMember changes a membership. It needs members.update there, and every
// permission that the role before and the role after hold. The last active
// owner stays one, be he the only member: [ErrLastOwner]. An update that
// changes nothing writes nothing.
func (m *Manager) UpdateMember(ctx context.Context, org OrganizationID, user UserID, up MemberUpdate) (Member, error) {
	var tags []string
	if up.Tags != nil {
		var err error
		if tags, err = tagSet(*up.Tags); err != nil {
			return Member{}, err
		}
	}
	if up.VendorUserID != nil {
		if err := checkText("vendorUserId", *up.VendorUserID, 128); err != nil {
			return Member{}, err
		}
	}
	var member Member
	err := m.update(ctx, func(g *guard) error {
		if _, err := g.organization(ctx, MembersUpdate, org); err != nil {
			return err
		}
		if up.Role != nil {
			if err := g.lockOwners(ctx, org); err != nil {
				return err
			}
		}
		old, err := g.r.Membership(ctx, org, user)
		if err != nil {
			return err
		}
		ms := old.Clone()
		if up.Role != nil {
			ms.Role = *up.Role
		}
		if up.Tags != nil {
			ms.Tags = slices.Clone(tags)
		}
		if up.VendorUserID != nil {
			ms.VendorUserID = *up.VendorUserID
		}
		if ms, err = g.updateMember(ctx, old, ms, up.Version); err != nil {
			return err
		}
		u, err := g.r.User(ctx, user)
		if err != nil {
			return err
		}
		member, err = g.newMember(ctx, ms, u)
		return err
	})
	if err != nil {
		return Member{}, err
	}
	return member, nil
}

func (g *guard) updateMember(ctx context.Context, old, ms store.Membership, version int64) (store.Membership, error) {
	if err := g.needRoleRights(ctx, ms.OrganizationID, old.Role, reasonRank); err != nil {
		return ms, err
	}
	if version != 0 && version != old.Version {
		return ms, &StaleError{Version: old.Version, Requested: version}
	}
	var fields []string
	if ms.Role != old.Role {
		if err := g.needRole(ctx, ms.OrganizationID, ms.Role); err != nil {
			return ms, err
		}
		if old.Role == RoleOwner {
			if err := g.needOtherOwner(ctx, ms.OrganizationID, ms.UserID); err != nil {
				return ms, err
			}
		}
		fields = append(fields, "role")
	}
	if !slices.Equal(ms.Tags, old.Tags) {
		fields = append(fields, "tags")
	}
	if ms.VendorUserID != old.VendorUserID {
		if err := g.needVendorNames(ctx, MembersUpdate); err != nil {
			return ms, err
		}
		fields = append(fields, "vendorUserId")
	}
	if fields == nil {
		return old, nil
	}
	ms.UpdatedAt = g.m.now()
	if err := g.tx.UpdateMembership(ctx, ms); err != nil {
		return ms, err
	}
	ms.Version++
	return ms, g.recordMember(ctx, "member.updated", ms, fields)
}

// RemoveMember ends a membership, with the organization tokens, codes, API
// keys and confined sessions that hang on it; the account stays. It needs
// members.delete there, and every permission that the member's role holds:
// rights elsewhere do not count, so an owner may remove a realm admin.
// Everyone may leave. The last active owner stays while there are other
// members: [ErrLastOwner]. [ErrNotFound] for someone who is no member.
func (m *Manager) RemoveMember(ctx context.Context, org OrganizationID, user UserID) error {
	return m.update(ctx, func(g *guard) error {
		self, err := g.isOwnMembership(ctx, org, user)
		if err != nil {
			return err
		}
		if !self {
			if _, err := g.organization(ctx, MembersDelete, org); err != nil {
				return err
			}
		}
		if err := g.lockOwners(ctx, org); err != nil {
			return err
		}
		ms, err := g.r.Membership(ctx, org, user)
		if err != nil {
			return err
		}
		if !self {
			if err := g.needRoleRights(ctx, org, ms.Role, reasonRank); err != nil {
				return err
			}
		}
		return g.removeMember(ctx, ms)
	})
}

// isOwnMembership reports whether the actor is the user, a member of the
// organization. A user confined to it counts.
func (g *guard) isOwnMembership(ctx context.Context, org OrganizationID, user UserID) (bool, error) {
	if id := g.m.actor.UserID(); id == "" || id != user {
		return false, nil
	}
	if r, err := g.base(ctx); err != nil || r == nil {
		return false, err
	}
	set, err := g.member(ctx, org)
	return set != nil, err
}

// removeMember ends the membership, heedless of the actor's rights.
func (g *guard) removeMember(ctx context.Context, ms store.Membership) error {
	if err := g.keepOwner(ctx, ms.OrganizationID, ms.UserID); err != nil {
		return err
	}
	if err := g.tx.DeleteMembership(ctx, ms.OrganizationID, ms.UserID); err != nil {
		return err
	}
	return g.recordMember(ctx, "member.removed", ms, nil)
}
