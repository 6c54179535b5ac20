package storetest

import (
	"context"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

func (u *modelUnit) Organization(ctx context.Context, id store.OrganizationID) (store.Organization, error) {
	return u.org(ctx, func(o store.Organization) bool { return o.ID == id })
}

func (u *modelUnit) OrganizationBySlug(ctx context.Context, slug string) (store.Organization, error) {
	return u.org(ctx, func(o store.Organization) bool { return slug != "" && o.Slug == slug })
}

func (u *modelUnit) OrganizationByVendorID(ctx context.Context, v store.VendorID, id string) (store.Organization, error) {
	return u.org(ctx, func(o store.Organization) bool {
		return id != "" && o.VendorID == v && o.VendorOrganizationID == id
	})
}

func (u *modelUnit) OrganizationByDomain(ctx context.Context, v store.VendorID, domain string) (store.Organization, error) {
	return u.org(ctx, func(o store.Organization) bool {
		return domain != "" && o.VendorID == v && o.MatchDomain == domain
	})
}

func (u *modelUnit) org(ctx context.Context, pick func(store.Organization) bool) (store.Organization, error) {
	if err := u.ready(ctx); err != nil {
		return store.Organization{}, err
	}
	return one(u.orgs, pick)
}

func (u *modelUnit) OrganizationsByID(ctx context.Context, ids []store.OrganizationID) ([]store.Organization, error) {
	return first(u.orgs, len(ids), func(o store.Organization) store.OrganizationID { return o.ID },
		func(o store.Organization) bool { return slices.Contains(ids, o.ID) }), u.ready(ctx)
}

func (u *modelUnit) Organizations(ctx context.Context, q store.OrganizationQuery) ([]store.Organization, error) {
	return first(u.orgs, q.Limit, func(o store.Organization) store.OrganizationID { return o.ID },
		func(o store.Organization) bool { return o.ID > q.After && (q.Vendor == "" || q.Vendor == o.VendorID) }), u.ready(ctx)
}

func (u *modelUnit) duplicateOrganization(r store.Organization) error {
	others := func(pick func(store.Organization) bool) bool {
		return some(u.orgs, func(o store.Organization) bool { return o.ID != r.ID && pick(o) })
	}
	switch {
	case r.Slug != "" && others(func(o store.Organization) bool { return o.Slug == r.Slug }):
		return exists("Slug")
	case r.VendorOrganizationID != "" && others(func(o store.Organization) bool {
		return o.VendorID == r.VendorID && o.VendorOrganizationID == r.VendorOrganizationID
	}):
		return exists("VendorOrganizationID")
	case r.MatchDomain != "" && others(func(o store.Organization) bool {
		return o.VendorID == r.VendorID && o.MatchDomain == r.MatchDomain
	}):
		return exists("MatchDomain")
	}
	return nil
}

func (u *modelUnit) CreateOrganization(ctx context.Context, o store.Organization) error {
	if err := u.begin(ctx, o); err != nil {
		return err
	}
	duplicate := u.duplicateOrganization(o)
	if _, there := u.orgs[o.ID]; there {
		duplicate = exists("ID")
	}
	_, found := u.vendors[o.VendorID]
	if err := refused(found || o.VendorID == "", duplicate); err != nil {
		return err
	}
	o.Version = 1
	u.orgs[o.ID] = o
	return nil
}

func (u *modelUnit) UpdateOrganization(ctx context.Context, o store.Organization) error {
	if err := u.begin(ctx, o); err != nil {
		return err
	}
	old, err := at(u.orgs, o.ID)
	if err != nil {
		return err
	}
	stale := old.Version != o.Version
	o.VendorID, o.CreatedAt, o.CreatedBy = old.VendorID, old.CreatedAt, old.CreatedBy
	err = o.Check() // it may need the vendor that it does not get
	switch {
	case stale && err != nil:
		return either{store.ErrStale, err}
	case stale:
		return store.ErrStale
	case err != nil:
		return err
	}
	if err := u.duplicateOrganization(o); err != nil {
		return err
	}
	o.Version++
	u.orgs[o.ID] = o
	u.generation++
	return nil
}

func (u *modelUnit) DeleteOrganization(ctx context.Context, id store.OrganizationID) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	if _, err := at(u.orgs, id); err != nil {
		return err
	}
	delete(u.orgs, id)
	purge(u.members, func(m store.Membership) bool { return m.OrganizationID == id })
	purge(u.keys, func(k store.Key) bool { return k.OrganizationID == id })
	purge(u.tokens, func(t store.Token) bool { return t.OrganizationID == id })
	u.purgeSessions(func(s store.Session) bool { return s.OrganizationID == id })
	u.generation++
	return nil
}

func (u *modelUnit) Membership(ctx context.Context, org store.OrganizationID, user store.UserID) (store.Membership, error) {
	return u.member(ctx, func(m store.Membership) bool { return m.OrganizationID == org && m.UserID == user })
}

func (u *modelUnit) MembersByID(ctx context.Context, org store.OrganizationID, users []store.UserID) ([]store.Membership, error) {
	if err := few(users); err != nil {
		return nil, err
	}
	return cloned(first(u.members, len(users), func(m store.Membership) store.UserID { return m.UserID },
		func(m store.Membership) bool { return m.OrganizationID == org && slices.Contains(users, m.UserID) }), u.ready(ctx))
}

func (u *modelUnit) MembershipByVendorUser(ctx context.Context, org store.OrganizationID, id string) (store.Membership, error) {
	return u.member(ctx, func(m store.Membership) bool {
		return id != "" && m.OrganizationID == org && m.VendorUserID == id
	})
}

func (u *modelUnit) member(ctx context.Context, pick func(store.Membership) bool) (store.Membership, error) {
	if err := u.ready(ctx); err != nil {
		return store.Membership{}, err
	}
	m, err := one(u.members, pick)
	return m.Clone(), err
}

func (u *modelUnit) Members(ctx context.Context, q store.MemberQuery) ([]store.Membership, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	return cloned(first(u.members, q.Limit, func(m store.Membership) store.UserID { return m.UserID },
		func(m store.Membership) bool { return m.UserID > q.After && belongs(q, m) }), u.ready(ctx))
}

// belongs tells whether a query picks the member, heedless of After.
func belongs(q store.MemberQuery, m store.Membership) bool {
	return m.OrganizationID == q.Organization && (len(q.Roles) == 0 || slices.Contains(q.Roles, m.Role))
}

func (u *modelUnit) CountMembers(ctx context.Context, q store.MemberQuery) (int64, error) {
	if err := u.ready(ctx); err != nil {
		return 0, err
	}
	if err := q.Check(); err != nil {
		return 0, err
	}
	n := int64(0)
	for _, m := range u.members {
		if belongs(q, m) {
			n++
		}
	}
	return n, nil
}

func (u *modelUnit) Memberships(
	ctx context.Context, user store.UserID, after store.OrganizationID, limit int,
) ([]store.Membership, error) {
	return cloned(first(u.members, limit, func(m store.Membership) store.OrganizationID { return m.OrganizationID },
		func(m store.Membership) bool { return m.UserID == user && m.OrganizationID > after }), u.ready(ctx))
}

func (u *modelUnit) takenVendorUser(m store.Membership) bool {
	return m.VendorUserID != "" && some(u.members, func(o store.Membership) bool {
		return o.OrganizationID == m.OrganizationID && o.UserID != m.UserID && o.VendorUserID == m.VendorUserID
	})
}

func (u *modelUnit) CreateMembership(ctx context.Context, m store.Membership) error {
	if err := u.begin(ctx, m); err != nil {
		return err
	}
	var duplicate error
	key := memberKey{m.OrganizationID, m.UserID}
	if _, there := u.members[key]; there {
		duplicate = exists("UserID")
	} else if u.takenVendorUser(m) {
		duplicate = exists("VendorUserID")
	}
	_, org := u.orgs[m.OrganizationID]
	if err := refused(org && u.users[m.UserID] != nil, duplicate); err != nil {
		return err
	}
	m = m.Clone()
	m.Version = 1
	u.members[key] = m
	return nil
}

func (u *modelUnit) UpdateMembership(ctx context.Context, m store.Membership) error {
	if err := u.begin(ctx, m); err != nil {
		return err
	}
	key := memberKey{m.OrganizationID, m.UserID}
	old, err := at(u.members, key)
	if err != nil {
		return err
	}
	if old.Version != m.Version {
		return store.ErrStale
	}
	if u.takenVendorUser(m) {
		return exists("VendorUserID")
	}
	m = m.Clone()
	m.CreatedAt, m.CreatedBy = old.CreatedAt, old.CreatedBy
	m.Version++
	u.members[key] = m
	u.generation++
	return nil
}

func (u *modelUnit) DeleteMembership(ctx context.Context, org store.OrganizationID, user store.UserID) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	key := memberKey{org, user}
	if _, err := at(u.members, key); err != nil {
		return err
	}
	delete(u.members, key)
	purge(u.keys, func(k store.Key) bool { return k.OrganizationID == org && k.Owner == user })
	purge(u.tokens, func(t store.Token) bool { return t.OrganizationID == org && t.UserID == user })
	u.purgeSessions(func(s store.Session) bool { return s.OrganizationID == org && s.UserID == user })
	u.generation++
	return nil
}

// purgeSessions deletes sessions with their tokens.
func (u *modelUnit) purgeSessions(pick func(store.Session) bool) int {
	purge(u.tokens, func(t store.Token) bool {
		s, ok := u.sessions[t.SessionID]
		return ok && pick(s)
	})
	n := purge(u.sessions, pick)
	if n > 0 {
		u.generation++
	}
	return n
}
