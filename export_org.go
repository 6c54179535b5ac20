package usermgmt

import (
	"cmp"
	"context"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

func (e *exporting) exportOrganizations(ctx context.Context) error {
	var vendor store.Vendor // of the organization before, as often of this one
	return pages(func(limit int, last *store.Organization) ([]store.Organization, error) {
		return e.r.Organizations(ctx, store.OrganizationQuery{After: value(last).ID, Limit: limit})
	}, func(o store.Organization) error {
		if o.VendorID != vendor.ID {
			vendor = store.Vendor{}
			if o.VendorID != "" {
				var err error
				if vendor, err = e.r.Vendor(ctx, o.VendorID); err != nil {
					return err
				}
			}
		}
		matches := o.MatchDomain != ""
		err := e.put(SnapshotOrganization{
			ID: o.ID, Slug: &o.Slug, Name: &o.Name, Domain: &o.Domain, Vendor: vendor.ClientID, VendorOrganizationID: o.VendorOrganizationID,
			MatchDomain: &matches, OEMProvisioning: &o.OEMProvisioning,
		})
		if err != nil {
			return err
		}
		if err := e.exportMembers(ctx, o.ID); err != nil {
			return err
		}
		return e.exportKeys(ctx, o.ID)
	})
}

// exportMembers writes active owners first, and then other owners: whoever is
// added before an active owner would be refused, or be made one.
func (e *exporting) exportMembers(ctx context.Context, org OrganizationID) error {
	owners := store.MemberQuery{Organization: org, Roles: []RoleID{RoleOwner}}
	disabled := false
	err := e.exportMembersOf(ctx, owners, func(_ store.Membership, u store.User) bool {
		disabled = disabled || u.Disabled
		return !u.Disabled
	})
	if err == nil && disabled {
		err = e.exportMembersOf(ctx, owners, func(_ store.Membership, u store.User) bool { return u.Disabled })
	}
	if err != nil {
		return err
	}
	return e.exportMembersOf(ctx, store.MemberQuery{Organization: org}, func(ms store.Membership, _ store.User) bool { return ms.Role != RoleOwner })
}

func (e *exporting) exportMembersOf(ctx context.Context, q store.MemberQuery, pick func(store.Membership, store.User) bool) error {
	return e.eachMember(ctx, q, func(page []store.Membership) error {
		ids := make([]UserID, len(page))
		for i, ms := range page {
			ids[i] = ms.UserID
		}
		found, err := e.r.UsersByID(ctx, ids)
		if err != nil {
			return err
		}
		users := make(map[UserID]store.User, len(found))
		for _, u := range found {
			users[u.ID] = u
		}
		picked := slices.DeleteFunc(slices.Clone(page), func(ms store.Membership) bool { return !pick(ms, users[ms.UserID]) })
		tokens, err := e.memberTokens(ctx, q.Organization, picked)
		if err != nil {
			return err
		}
		for _, ms := range picked {
			if err := e.exportMember(ctx, ms, users[ms.UserID], tokens[ms.UserID]); err != nil {
				return err
			}
		}
		return nil
	})
}

// memberTokens returns the organization tokens of members by their users. Those
// whose tokens are too many to be held together are left out.
func (e *exporting) memberTokens(ctx context.Context, org OrganizationID, members []store.Membership) (map[UserID][]store.Token, error) {
	if len(members) == 0 {
		return nil, nil
	}
	ids := make([]UserID, len(members))
	tokens := make(map[UserID][]store.Token, len(members))
	for i, ms := range members {
		ids[i], tokens[ms.UserID] = ms.UserID, []store.Token{}
	}
	found, err := e.r.OrganizationTokens(ctx, org, ids, store.Digest{}, 2*batch)
	if err != nil || len(found) == 2*batch {
		return nil, err
	}
	for _, t := range found {
		tokens[t.UserID] = append(tokens[t.UserID], t)
	}
	return tokens, nil
}

// exportMember writes a membership; nil tokens are read.
func (e *exporting) exportMember(ctx context.Context, ms store.Membership, u store.User, tokens []store.Token) error {
	role, err := e.roleName(ctx, ms.Role)
	if err != nil {
		return err
	}
	// A role that is gone gives nothing, as unassigned does.
	s := SnapshotMember{User: u.Username, Role: cmp.Or(role, "unassigned"), Tags: ms.Tags, VendorUserID: &ms.VendorUserID}
	if tokens == nil {
		err = pages(func(limit int, last *store.Token) ([]store.Token, error) {
			return e.r.OrganizationTokens(ctx, ms.OrganizationID, []UserID{ms.UserID}, value(last).Digest, limit)
		}, func(t store.Token) error {
			tokens = append(tokens, t)
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, t := range tokens {
		s.TokenDigests = append(s.TokenDigests, exportDigest(t.Digest, t.CreatedAt, t.ExpiresAt))
	}
	return e.put(s)
}

func (e *exporting) exportKeys(ctx context.Context, org OrganizationID) error {
	return pages(func(limit int, last *store.Key) ([]store.Key, error) {
		return e.r.Keys(ctx, org, value(last).ID, limit)
	}, func(k store.Key) error {
		role, err := e.roleName(ctx, k.Role)
		if err != nil || role == "" {
			return err
		}
		var owner store.User
		if k.Owner != "" {
			// A key whose owner is gone is dead; without an owner it would live.
			if owner, err = e.r.User(ctx, k.Owner); err != nil {
				return absent(err)
			}
		}
		digest := exportDigest(k.Digest, k.CreatedAt, k.ExpiresAt)
		return e.put(SnapshotKey{ID: k.ID, Name: k.Name, KeyDigest: &digest, Role: role, Owner: owner.Username})
	})
}
