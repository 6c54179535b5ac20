package usermgmt

import (
	"context"
	"slices"
	"strings"

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
		member = g.newMember(ms, u)
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
	// Role picks the members of one role; empty picks all.
	Role RoleID
}

// Members returns a page of an organization's members in the order of their
// users' ids. It needs members.list or members.read there.
func (m *Manager) Members(ctx context.Context, org OrganizationID, q MemberList) (List[Member], error) {
	limit, err := q.cursor()
	if err != nil {
		return List[Member]{}, err
	}
	var list List[Member]
	err = m.view(ctx, func(g *guard) error {
		if err := g.mayList(ctx, org, MembersRead, MembersList); err != nil {
			return err
		}
		found, err := g.r.Members(ctx, store.MemberQuery{Organization: org, Role: q.Role, After: UserID(q.After), Limit: limit + 1})
		if err != nil {
			return err
		}
		page := newList(found, limit, func(ms store.Membership) string { return string(ms.UserID) })
		items, err := g.profiles(ctx, page.Items)
		list = List[Member]{Items: items, Next: page.Next}
		return err
	})
	return list, err
}

// MembersAt returns up to limit members, 1 to [MaxPage], after the first n,
// in the order of Members, and how many there are in all; role picks as in
// [MemberList]. It is for numbered pages, and reads every membership of the
// organization to count them. Needs are those of Members.
func (m *Manager) MembersAt(ctx context.Context, org OrganizationID, role RoleID, n, limit int) ([]Member, int, error) {
	switch {
	case n < 0:
		return nil, 0, invalid("offset", "must not be negative")
	case limit < 1 || limit > MaxPage:
		return nil, 0, invalid("limit", "must be 1 to 10000")
	}
	var members []Member
	var total int
	err := m.view(ctx, func(g *guard) error {
		if err := g.mayList(ctx, org, MembersRead, MembersList); err != nil {
			return err
		}
		total = 0
		var wanted []store.Membership
		err := g.eachMember(ctx, store.MemberQuery{Organization: org, Role: role}, func(page []store.Membership) error {
			from := min(max(n-total, 0), len(page))
			to := min(from+limit-len(wanted), len(page))
			wanted = append(wanted, page[from:to]...)
			total += len(page)
			return nil
		})
		if err != nil {
			return err
		}
		members, err = g.profiles(ctx, wanted)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return members, total, nil
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

// profiles joins memberships with their users, in one read.
func (g *guard) profiles(ctx context.Context, page []store.Membership) ([]Member, error) {
	members := make([]Member, 0, len(page))
	if len(page) == 0 {
		return members, nil
	}
	ids := make([]UserID, len(page))
	for i, ms := range page {
		ids[i] = ms.UserID
	}
	users, err := g.r.UsersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, ms := range page {
		i, ok := slices.BinarySearchFunc(users, ms.UserID, func(u store.User, id UserID) int { return strings.Compare(string(u.ID), string(id)) })
		if ok {
			members = append(members, g.newMember(ms, users[i]))
		}
	}
	return members, nil
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
		all := make([]OwnOrganization, len(found))
		for i, ms := range found {
			o, err := g.r.Organization(ctx, ms.OrganizationID)
			if err != nil {
				return err
			}
			all[i] = OwnOrganization{Organization(o), Membership(ms)}
		}
		list = newList(all, limit, func(o OwnOrganization) string { return string(o.ID) })
		return nil
	})
	return list, err
}

func (g *guard) ownMemberships(ctx context.Context, after OrganizationID, limit int) ([]store.Membership, error) {
	a := g.m.actor
	if a.kind != ActorUser {
		return nil, &ForbiddenError{Reason: "only a user has organizations of his own"}
	}
	if r, err := g.base(ctx); err != nil {
		return nil, err
	} else if r == nil {
		return nil, &ForbiddenError{Reason: "you may do nothing here"}
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
