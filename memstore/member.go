package memstore

import (
	"context"
	"slices"
	"unique"

	"github.com/usermgmt-go/usermgmt/store"
)

// member is a membership's row.
type member struct {
	org              *org
	user             *user
	role             word
	tags             word // packed
	by               word
	vendorUser       string
	version          int64
	created, updated int64
}

type memberKey struct {
	org  *org
	user *user
}

// orgText is a key that is unique with an organization.
type orgText struct {
	org  *org
	text string
}

func newMember(o *org, u *user, m store.Membership) member {
	return member{
		org:        o,
		user:       u,
		role:       unique.Make(string(m.Role)),
		tags:       pack(m.Tags),
		by:         unique.Make(m.CreatedBy),
		vendorUser: own(m.VendorUserID),
		version:    m.Version,
		created:    micros(m.CreatedAt),
		updated:    micros(m.UpdatedAt),
	}
}

func (m *member) record() store.Membership {
	return store.Membership{
		OrganizationID: m.org.ID,
		UserID:         store.UserID(m.user.id()),
		Role:           store.RoleID(m.role.Value()),
		Tags:           unpack(m.tags),
		VendorUserID:   m.vendorUser,
		CreatedBy:      m.by.Value(),
		Version:        m.version,
		CreatedAt:      moment(m.created),
		UpdatedAt:      moment(m.updated),
	}
}

func compareByOrg(a, b *member) int {
	if c := compareOrgs(a.org, b.org); c != 0 {
		return c
	}
	return compareUsers(a.user, b.user)
}

func compareByRole(a, b *member) int {
	if c := compareOrgs(a.org, b.org); c != 0 {
		return c
	}
	if c := compareWords(a.role, b.role); c != 0 {
		return c
	}
	return compareUsers(a.user, b.user)
}

func compareByUser(a, b *member) int {
	if c := compareUsers(a.user, b.user); c != 0 {
		return c
	}
	return compareOrgs(a.org, b.org)
}

// member returns the row of a user in an organization, or nil.
func (t *tables) member(id store.OrganizationID, of store.UserID) *member {
	o, u := t.orgs[id], t.users[string(of)]
	if o == nil || u == nil {
		return nil
	}
	return t.members[memberKey{o, u}]
}

func (x *reader) Membership(ctx context.Context, id store.OrganizationID, of store.UserID) (store.Membership, error) {
	if err := x.ok(ctx); err != nil {
		return store.Membership{}, err
	}
	return found(x.t.member(id, of), (*member).record)
}

func (x *reader) MembersByID(ctx context.Context, id store.OrganizationID, users []store.UserID) ([]store.Membership, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	return byID(users, func(of store.UserID) *member { return x.t.member(id, of) }, (*member).record)
}

func (x *reader) MembershipByVendorUser(ctx context.Context, id store.OrganizationID, vendorUser string) (store.Membership, error) {
	if err := x.ok(ctx); err != nil {
		return store.Membership{}, err
	}
	return found(x.t.byVendorUser[orgText{x.t.orgs[id], vendorUser}], (*member).record)
}

func (x *reader) Members(ctx context.Context, q store.MemberQuery) ([]store.Membership, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	if err := q.Check(); err != nil || q.Limit <= 0 {
		return nil, err
	}
	var ms []store.Membership
	x.t.eachMember(q, q.After, func(m *member) bool {
		ms = append(ms, m.record())
		return len(ms) < q.Limit
	})
	return ms, nil
}

func (x *reader) CountMembers(ctx context.Context, q store.MemberQuery) (int64, error) {
	if err := x.ok(ctx); err != nil {
		return 0, err
	}
	if err := q.Check(); err != nil {
		return 0, err
	}
	n := int64(0)
	x.t.eachMember(q, "", func(*member) bool {
		n++
		return true
	})
	return n, nil
}

// eachMember calls f for the rows after one that the query picks, in the order
// of their users, until it returns false.
func (t *tables) eachMember(q store.MemberQuery, after store.UserID, f func(*member) bool) {
	o := t.orgs[q.Organization]
	if o == nil {
		return
	}
	first := pivot(userID, string(after))
	if len(q.Roles) == 0 {
		merge(t.membersByOrg, []run[*member]{{
			&member{org: o, user: first}, func(m *member) bool { return m.org == o },
		}}, compareByOrg, f)
		return
	}
	roles := slices.Clone(q.Roles)
	slices.Sort(roles)
	var runs []run[*member]
	for _, id := range slices.Compact(roles) {
		role := unique.Make(string(id))
		runs = append(runs, run[*member]{
			&member{org: o, role: role, user: first}, func(m *member) bool { return m.org == o && m.role == role },
		})
	}
	merge(t.membersByRole, runs, compareByOrg, f)
}

func (x *reader) Memberships(ctx context.Context, of store.UserID, after store.OrganizationID, limit int) ([]store.Membership, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	u := x.t.users[string(of)]
	if u == nil {
		return nil, nil
	}
	return page(x.t.membersByUser, &member{user: u, org: &org{ID: after}}, limit,
		func(m *member) bool { return m.user == u }, (*member).record), nil
}

// membershipsOf returns the rows of a user.
func (t *tables) membershipsOf(u *user) []*member {
	return from(t.membersByUser, &member{user: u, org: &org{}}, func(m *member) bool { return m.user == u })
}

// membershipsIn returns the rows of an organization.
func (t *tables) membershipsIn(o *org) []*member {
	return from(t.membersByOrg, &member{org: o, user: &user{}}, func(m *member) bool { return m.org == o })
}

func (x *tx) CreateMembership(ctx context.Context, m store.Membership) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := m.Check(); err != nil {
		return err
	}
	t := x.t
	o, u := t.orgs[m.OrganizationID], t.users[string(m.UserID)]
	if o == nil || u == nil {
		return store.ErrNotFound
	}
	if t.members[memberKey{o, u}] != nil {
		return exists("UserID")
	}
	if t.byVendorUser[orgText{o, m.VendorUserID}] != nil {
		return exists("VendorUserID")
	}
	m.Version = 1
	v := newMember(o, u, m)
	row := &v
	t.addMember(row)
	x.undo(func() { t.dropMember(row) })
	return nil
}

func (x *tx) UpdateMembership(ctx context.Context, m store.Membership) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := m.Check(); err != nil {
		return err
	}
	t, row := x.t, x.t.member(m.OrganizationID, m.UserID)
	switch {
	case row == nil:
		return store.ErrNotFound
	case row.version != m.Version:
		return store.ErrStale
	}
	if other := t.byVendorUser[orgText{row.org, m.VendorUserID}]; other != nil && other != row {
		return exists("VendorUserID")
	}
	old := *row
	v := newMember(old.org, old.user, m)
	v.version++
	v.created, v.by = old.created, old.by
	t.setMember(row, v)
	x.undo(func() { t.setMember(row, old) })
	x.bump()
	return nil
}

func (x *tx) DeleteMembership(ctx context.Context, id store.OrganizationID, of store.UserID) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	row := x.t.member(id, of)
	if row == nil {
		return store.ErrNotFound
	}
	x.deleteMember(row)
	return nil
}

// deleteMember removes a membership with what depends on it.
func (x *tx) deleteMember(m *member) {
	t := x.t
	for _, tok := range t.tokensIn(m.user, m.org) {
		x.deleteToken(tok)
	}
	for _, k := range t.keysOwned(m.user, m.org) {
		x.deleteKey(k)
	}
	for _, s := range t.sessionsIn(m.org, m.user) {
		x.deleteSession(s)
	}
	t.dropMember(m)
	x.undo(func() { t.addMember(m) })
	x.bump()
}

func (t *tables) addMember(m *member) {
	t.members[memberKey{m.org, m.user}] = m
	t.membersByOrg.Set(m)
	t.membersByUser.Set(m)
	t.addMemberKeys(m)
}

func (t *tables) dropMember(m *member) {
	t.dropMemberKeys(m)
	t.membersByUser.Delete(m)
	t.membersByOrg.Delete(m)
	delete(t.members, memberKey{m.org, m.user})
}

// setMember gives a row another content under the same organization and user.
func (t *tables) setMember(m *member, v member) {
	t.dropMemberKeys(m)
	*m = v
	t.addMemberKeys(m)
}

func (t *tables) addMemberKeys(m *member) {
	t.membersByRole.Set(m)
	if m.vendorUser != "" {
		t.byVendorUser[orgText{m.org, m.vendorUser}] = m
	}
}

func (t *tables) dropMemberKeys(m *member) {
	t.membersByRole.Delete(m)
	delete(t.byVendorUser, orgText{m.org, m.vendorUser})
}
