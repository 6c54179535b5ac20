package usermgmt

import (
	"cmp"
	"context"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

// Member is a membership with what the organization may know of its user.
type Member struct {
	Membership
	// RoleName is the name of the membership's role.
	RoleName string
	Profile  Profile
}

// Profile is what an organization sees of a member's account. His roles,
// memberships and attributes elsewhere are no part of it.
type Profile struct {
	// Email is empty for none.
	Username, Email     string
	FirstName, LastName string
	Disabled            bool
	// Admin says that he holds the built-in realm role admin.
	Admin bool
}

// newMember makes what the actor may know of a member.
func (g *guard) newMember(ctx context.Context, ms store.Membership, u store.User) (Member, error) {
	names, err := g.roleNames(ctx, []store.Membership{ms})
	if err != nil {
		return Member{}, err
	}
	return Member{Membership(ms), names[ms.Role], g.profile(u)}, nil
}

// roleNames returns the names of the memberships' roles. It reads, at once,
// those that are not built in.
func (g *guard) roleNames(ctx context.Context, page []store.Membership) (map[RoleID]string, error) {
	names := map[RoleID]string{}
	var made []RoleID
	for _, ms := range page {
		if _, ok := names[ms.Role]; ok {
			continue
		}
		b, ok := builtinByID(ms.Role)
		if !ok {
			made = append(made, ms.Role)
		}
		names[ms.Role] = b.role.Name
	}
	if made == nil {
		return names, nil
	}
	roles, err := g.r.RolesByID(ctx, made)
	for _, r := range roles {
		names[r.ID] = r.Name
	}
	return names, err
}

// profile is what the actor may know of a member's account. To a vendor it is
// the address alone, unless he created the account.
func (g *guard) profile(u store.User) Profile {
	if v := g.m.actor.VendorID(); v != "" && u.CreatedByVendor != v {
		return Profile{Email: u.Email}
	}
	return Profile{
		Username: u.Username, Email: u.Email, FirstName: u.FirstName, LastName: u.LastName, Disabled: u.Disabled,
		Admin: slices.ContainsFunc(u.Grants, func(g Grant) bool { return g.Role == RoleAdmin && g.Kind == ScopeRealm }),
	}
}

// joined joins memberships with their users and roles, in one read each.
func (g *guard) joined(ctx context.Context, page []store.Membership) ([]Member, error) {
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
	names, err := g.roleNames(ctx, page)
	if err != nil {
		return nil, err
	}
	for _, ms := range page {
		i, ok := slices.BinarySearchFunc(users, ms.UserID, func(u store.User, id UserID) int { return cmp.Compare(u.ID, id) })
		if ok {
			members = append(members, Member{Membership(ms), names[ms.Role], g.profile(users[i])})
		}
	}
	return members, nil
}
