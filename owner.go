package usermgmt

import (
	"context"
	"errors"

	"github.com/usermgmt-go/usermgmt/store"
)

// The rule of owners: an organization with more than one member has an owner
// who is not disabled. Every unit of work that could break it takes the
// organization's lock before it reads memberships.

func (g *guard) lockOwners(ctx context.Context, org OrganizationID) error {
	return g.tx.Lock(ctx, "owners of "+string(org))
}

// keepOwner refuses to lose leaving as an active owner of the organization if
// he is the last one and other members remain.
func (g *guard) keepOwner(ctx context.Context, org OrganizationID, leaving UserID) error {
	if err := g.lockOwners(ctx, org); err != nil {
		return err
	}
	ms, err := g.r.Membership(ctx, org, leaving)
	if err != nil || ms.Role != RoleOwner {
		return absent(err)
	}
	two, err := g.r.Members(ctx, store.MemberQuery{Organization: org, Limit: 2})
	if err != nil || len(two) < 2 {
		return err
	}
	return g.needOtherOwner(ctx, org, leaving)
}

// keepOwners is keepOwner for every organization that the user is a member
// of. It comes before he is disabled or deleted.
func (g *guard) keepOwners(ctx context.Context, user UserID) error {
	return g.eachMembership(ctx, user, func(ms store.Membership) error {
		return g.keepOwner(ctx, ms.OrganizationID, user)
	})
}

// needOtherOwner requires an active owner of the organization beside user.
func (g *guard) needOtherOwner(ctx context.Context, org OrganizationID, user UserID) error {
	found := errors.New("found")
	err := g.eachMember(ctx, store.MemberQuery{Organization: org, Roles: []RoleID{RoleOwner}}, func(page []store.Membership) error {
		ids := make([]UserID, 0, len(page))
		for _, ms := range page {
			if ms.UserID != user {
				ids = append(ids, ms.UserID)
			}
		}
		users, err := g.r.UsersByID(ctx, ids)
		for _, u := range users {
			if !u.Disabled {
				return found
			}
		}
		return err
	})
	switch {
	case err == nil:
		return ErrLastOwner
	case errors.Is(err, found):
		return nil
	}
	return err
}

// eachMember calls f with every page of the members whom q picks. f may change them.
func (g *guard) eachMember(ctx context.Context, q store.MemberQuery, f func([]store.Membership) error) error {
	q.Limit = batch
	for {
		page, err := g.r.Members(ctx, q)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := f(page); err != nil {
			return err
		}
		if len(page) < batch {
			return nil
		}
		q.After = page[len(page)-1].UserID
	}
}

// unassignMembers makes every member who has the role unassigned, and ends the
// API keys that have it. The store knows a role's members by organization
// alone, so it asks each of them.
func (g *guard) unassignMembers(ctx context.Context, role RoleID) error {
	q := store.OrganizationQuery{Limit: batch}
	for {
		page, err := g.r.Organizations(ctx, q)
		if err != nil {
			return err
		}
		for _, o := range page {
			of := store.MemberQuery{Organization: o.ID, Roles: []RoleID{role}}
			if err := g.eachMember(ctx, of, func(page []store.Membership) error { return g.unassign(ctx, page) }); err != nil {
				return err
			}
			if err := g.endKeys(ctx, o.ID, role); err != nil {
				return err
			}
		}
		if len(page) < batch {
			return nil
		}
		q.After = page[len(page)-1].ID
	}
}

// endKeys deletes the organization's API keys of the role.
func (g *guard) endKeys(ctx context.Context, org OrganizationID, role RoleID) error {
	return pages(func(limit int, last *store.Key) ([]store.Key, error) {
		return g.r.Keys(ctx, org, value(last).ID, limit)
	}, func(k store.Key) error {
		if k.Role != role {
			return nil
		}
		return g.deleteKey(ctx, k)
	})
}

func (g *guard) unassign(ctx context.Context, members []store.Membership) error {
	for _, ms := range members {
		ms.Role, ms.UpdatedAt = RoleUnassigned, g.m.now()
		if err := g.tx.UpdateMembership(ctx, ms); err != nil {
			return err
		}
		if err := g.recordMember(ctx, "member.updated", ms, []string{"role"}); err != nil {
			return err
		}
	}
	return nil
}
