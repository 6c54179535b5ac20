package usermgmt

import (
	"cmp"
	"context"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

// Member returns a member of an organization. It needs members.read there;
// everyone may read his own membership.
func (m *Manager) Member(ctx context.Context, org OrganizationID, user UserID) (Member, error) {
	var member Member
	err := m.view(ctx, func(g *guard) error {
		self, err := g.isOwnMembership(ctx, org, user)
		if err != nil {
			return err
		}
		if !self {
			if _, err := g.organization(ctx, MembersRead, org); err != nil {
				return err
			}
		}
		ms, err := g.r.Membership(ctx, org, user)
		if err != nil {
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

// cursor is limit for a list that knows no offsets.
func (p Page) cursor() (int, error) {
	if p.Offset != 0 {
		return 0, invalid("offset", "must be absent in this list")
	}
	return p.limit()
}

// MemberList picks members of one organization.
type MemberList struct {
	Page
	// Roles picks the members of any of these roles, at most 20; none picks all.
	Roles []RoleID
}

// Members returns a page of an organization's members in the order of their
// users' ids. It needs members.list or members.read there.
func (m *Manager) Members(ctx context.Context, org OrganizationID, q MemberList) (List[Member], error) {
	limit, err := q.cursor()
	if err != nil {
		return List[Member]{}, err
	}
	if err := checkMemberRoles(q.Roles); err != nil {
		return List[Member]{}, err
	}
	var list List[Member]
	err = m.view(ctx, func(g *guard) error {
		if err := g.mayList(ctx, org, MembersRead, MembersList); err != nil {
			return err
		}
		found, err := g.r.Members(ctx, store.MemberQuery{Organization: org, Roles: q.Roles, After: UserID(q.After), Limit: limit + 1})
		if err != nil {
			return err
		}
		page := newList(found, limit, func(ms store.Membership) string { return string(ms.UserID) })
		items, err := g.joined(ctx, page.Items)
		list = List[Member]{Items: items, Next: page.Next}
		return err
	})
	return list, err
}

// checkMemberRoles refuses more roles than a store is asked for.
func checkMemberRoles(roles []RoleID) error {
	if len(roles) > store.MaxMemberRoles {
		return invalid("roles", "must have at most 20 entries")
	}
	return nil
}

// mayList requires one of both permissions in an organization that exists.
func (g *guard) mayList(ctx context.Context, org OrganizationID, read, list Permission) error {
	p := list
	if ok, err := g.can(ctx, read, InOrganization(org)); err != nil {
		return err
	} else if ok {
		p = read
	}
	_, err := g.organization(ctx, p, org)
	return err
}

// Memberships returns a page of a user's memberships in the order of the
// organizations' ids. Everyone may list his own; others' need users.read
// realm-wide.
func (m *Manager) Memberships(ctx context.Context, user UserID, p Page) (List[Membership], error) {
	limit, err := p.cursor()
	if err != nil {
		return List[Membership]{}, err
	}
	var list List[Membership]
	err = m.view(ctx, func(g *guard) error {
		self, err := g.isSelf(ctx, user)
		if err != nil {
			return err
		}
		if !self {
			if err := g.need(ctx, UsersRead, Realmwide); err != nil {
				return err
			}
			if _, err := g.r.User(ctx, user); err != nil {
				return err
			}
		}
		found, err := g.r.Memberships(ctx, user, OrganizationID(p.After), limit+1)
		if err != nil {
			return err
		}
		all := make([]Membership, len(found))
		for i, ms := range found {
			all[i] = Membership(ms)
		}
		list = newList(all, limit, func(ms Membership) string { return string(ms.OrganizationID) })
		return nil
	})
	return list, err
}

// OwnOrganization is an organization with the acting user's place in it.
type OwnOrganization struct {
	Organization
	Membership Membership
}

// MyOrganizations returns a page of the organizations of which the acting
// user is a member, in the order of their ids; a confined one gets that
// organization alone. It is for users: others get [ErrForbidden].
func (m *Manager) MyOrganizations(ctx context.Context, p Page) (List[OwnOrganization], error) {
	limit, err := p.cursor()
	if err != nil {
		return List[OwnOrganization]{}, err
	}
	var list List[OwnOrganization]
	err = m.view(ctx, func(g *guard) error {
		found, err := g.ownMemberships(ctx, OrganizationID(p.After), limit+1)
		if err != nil {
			return err
		}
		page := newList(found, limit, func(ms store.Membership) string { return string(ms.OrganizationID) })
		items, err := g.ownOrganizations(ctx, page.Items)
		list = List[OwnOrganization]{Items: items, Next: page.Next}
		return err
	})
	return list, err
}

// ownOrganizations joins memberships of different organizations with these, in one read.
func (g *guard) ownOrganizations(ctx context.Context, page []store.Membership) ([]OwnOrganization, error) {
	ids := make([]OrganizationID, len(page))
	for i, ms := range page {
		ids[i] = ms.OrganizationID
	}
	found, err := g.r.OrganizationsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	own := make([]OwnOrganization, 0, len(page))
	for _, ms := range page {
		i, ok := slices.BinarySearchFunc(found, ms.OrganizationID, func(o store.Organization, id OrganizationID) int { return cmp.Compare(o.ID, id) })
		if ok {
			own = append(own, OwnOrganization{Organization(found[i]), Membership(ms)})
		}
	}
	return own, nil
}

func (g *guard) ownMemberships(ctx context.Context, after OrganizationID, limit int) ([]store.Membership, error) {
	a := g.m.actor
	if _, err := g.actingUser(ctx, "only a user has organizations of his own"); err != nil {
		return nil, err
	}
	if a.organization == "" {
		return g.r.Memberships(ctx, UserID(a.id), after, limit)
	}
	ms, err := g.r.Membership(ctx, a.organization, UserID(a.id))
	if err != nil || ms.OrganizationID <= after {
		return nil, absent(err)
	}
	return []store.Membership{ms}, nil
}
