package sqlitestore

import (
	"context"
	"database/sql/driver"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

const (
	membershipExists   = "SELECT 1 FROM {membership} WHERE realm=? AND organization=? AND user=?"
	membershipByVendor = "SELECT data FROM {membership} WHERE realm=? AND organization=? AND vendor_user=?"
)

func (r *reader) Membership(ctx context.Context, org store.OrganizationID, user store.UserID) (store.Membership, error) {
	return get(ctx, r, record.DecodeMembership,
		"SELECT data FROM {membership} WHERE realm=? AND organization=? AND user=?", r.realm, string(org), string(user))
}

func (r *reader) MembersByID(ctx context.Context, org store.OrganizationID, users []store.UserID) ([]store.Membership, error) {
	if err := r.ok(ctx); err != nil {
		return nil, err
	}
	want, err := idList(users)
	if err != nil {
		return nil, err
	}
	return all(ctx, r, record.DecodeMembership,
		"SELECT data FROM {membership} WHERE realm=? AND organization=? AND user IN (SELECT value FROM json_each(?)) ORDER BY user",
		r.realm, string(org), want)
}

func (r *reader) MembershipByVendorUser(ctx context.Context, org store.OrganizationID, vendorUserID string) (store.Membership, error) {
	return get(ctx, r, record.DecodeMembership, membershipByVendor, r.realm, string(org), vendorUserID)
}

func (r *reader) Members(ctx context.Context, q store.MemberQuery) ([]store.Membership, error) {
	if err := r.ok(ctx); err != nil {
		return nil, err
	}
	if err := q.Check(); err != nil {
		return nil, err
	}
	args := []driver.Value{r.realm, string(q.Organization), string(q.After)}
	if len(q.Roles) == 0 {
		return page(ctx, r, record.DecodeMembership, q.Limit,
			"SELECT data FROM {membership} WHERE realm=? AND organization=? AND user>? ORDER BY user LIMIT ?", args...)
	}
	roles := padded(q.Roles) // an empty role is nobody's
	for _, role := range roles {
		args = append(args, string(role))
	}
	users := union("SELECT user FROM {membership} WHERE realm=?1 AND organization=?2 AND user>?3 AND role=?", len(roles))
	return page(ctx, r, record.DecodeMembership, q.Limit,
		"SELECT m.data FROM ("+users+" ORDER BY user LIMIT ?) i"+
			" CROSS JOIN {membership} m ON m.realm=?1 AND m.organization=?2 AND m.user=i.user ORDER BY i.user", args...)
}

func (r *reader) CountMembers(ctx context.Context, q store.MemberQuery) (int64, error) {
	if err := r.ok(ctx); err != nil {
		return 0, err
	}
	if err := q.Check(); err != nil {
		return 0, err
	}
	const members = "SELECT count(*) FROM {membership} WHERE realm=? AND organization=?"
	if len(q.Roles) == 0 {
		return r.count(members, r.realm, string(q.Organization))
	}
	roles, err := idList(q.Roles)
	if err != nil {
		return 0, err
	}
	return r.count(members+" AND role IN (SELECT value FROM json_each(?))", r.realm, string(q.Organization), roles)
}

func (r *reader) Memberships(ctx context.Context, user store.UserID, after store.OrganizationID, limit int) ([]store.Membership, error) {
	return page(ctx, r, record.DecodeMembership, limit,
		"SELECT data FROM {membership} WHERE realm=? AND user=? AND organization>? ORDER BY organization LIMIT ?",
		r.realm, string(user), string(after))
}

func (t *tx) CreateMembership(ctx context.Context, m store.Membership) error {
	if err := t.may(ctx, m); err != nil {
		return err
	}
	if err := t.refer(organizationExists, t.realm, string(m.OrganizationID)); err != nil {
		return err
	}
	if err := t.refer(userExists, t.realm, string(m.UserID)); err != nil {
		return err
	}
	m.Version = 1
	return t.write([]rule{
		{"UserID", membershipExists, []driver.Value{t.realm, string(m.OrganizationID), string(m.UserID)}},
		{"VendorUserID", membershipByVendor, []driver.Value{t.realm, string(m.OrganizationID), m.VendorUserID}},
	}, "INSERT INTO {membership} (realm, organization, user, role, vendor_user, data) VALUES (?, ?, ?, ?, ?, ?)",
		t.realm, string(m.OrganizationID), string(m.UserID), string(m.Role), orNull(m.VendorUserID), record.EncodeMembership(m))
}

func (t *tx) UpdateMembership(ctx context.Context, m store.Membership) error {
	if err := t.may(ctx, m); err != nil {
		return err
	}
	old, err := t.Membership(ctx, m.OrganizationID, m.UserID)
	if err != nil {
		return err
	}
	if old.Version != m.Version {
		return store.ErrStale
	}
	m.CreatedAt, m.CreatedBy = old.CreatedAt, old.CreatedBy
	m.Version++
	err = t.write([]rule{
		{"VendorUserID", membershipByVendor + " AND user<>?",
			[]driver.Value{t.realm, string(m.OrganizationID), m.VendorUserID, string(m.UserID)}},
	}, "UPDATE {membership} SET role=?, vendor_user=?, data=? WHERE realm=? AND organization=? AND user=?",
		string(m.Role), orNull(m.VendorUserID), record.EncodeMembership(m), t.realm, string(m.OrganizationID), string(m.UserID))
	if err == nil {
		t.rights = true
	}
	return err
}

func (t *tx) DeleteMembership(ctx context.Context, org store.OrganizationID, user store.UserID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	args := []driver.Value{t.realm, string(org), string(user)}
	if err := t.remove("DELETE FROM {membership} WHERE realm=? AND organization=? AND user=?", args...); err != nil {
		return err
	}
	t.rights = true
	return t.run(args,
		"DELETE FROM {api_key} WHERE realm=? AND organization=? AND owner=?",
		"DELETE FROM {token} WHERE realm=? AND organization=? AND user=?",
		"DELETE FROM {token} WHERE realm=?1 AND session IN"+
			" (SELECT id FROM {session} WHERE realm=?1 AND organization=?2 AND user=?3)",
		"DELETE FROM {session} WHERE realm=? AND organization=? AND user=?")
}
