package pgstore

import (
	"context"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func memberships() table[store.Membership] {
	return table[store.Membership]{"{membership}", []string{"org_id", "user_id"}, record.DecodeMembership,
		func(m store.Membership) rowKey { return membershipKey(m.OrganizationID, m.UserID) }}
}

func membershipKey(org store.OrganizationID, user store.UserID) rowKey {
	return rowKey{"{membership}", string(org), string(user)}
}

func membershipParent(t *tx, org store.OrganizationID, user store.UserID) parent {
	return parent{"SELECT 1 FROM {membership} WHERE realm=$1 AND org_id=$2 AND user_id=$3", []any{t.realm, string(org), string(user)}}
}

func (r *reader) Membership(ctx context.Context, org store.OrganizationID, user store.UserID) (store.Membership, error) {
	return findKey(ctx, r, memberships(), membershipKey(org, user), "org_id=$2 AND user_id=$3", string(org), string(user))
}

func (r *reader) MembersByID(ctx context.Context, org store.OrganizationID, users []store.UserID) ([]store.Membership, error) {
	if !record.IsText(string(org)) {
		return nil, r.ok(ctx)
	}
	return batch(ctx, r, memberships(), "user_id", users, " AND org_id=$3", string(org))
}

func (r *reader) MembershipByVendorUser(ctx context.Context, org store.OrganizationID, vendorUserID string) (store.Membership, error) {
	return find(ctx, r, memberships(), "org_id=$2 AND vendor_user=$3", string(org), vendorUserID)
}

// texts returns the roles that a member can have.
func texts(roles []store.RoleID) []string {
	vs := []string{}
	for _, role := range roles {
		if record.IsText(string(role)) {
			vs = append(vs, string(role))
		}
	}
	return vs
}

func (r *reader) Members(ctx context.Context, q store.MemberQuery) ([]store.Membership, error) {
	if err := r.ok(ctx); err != nil {
		return nil, err
	}
	if err := q.Check(); err != nil {
		return nil, err
	}
	if len(q.Roles) == 0 {
		return list(ctx, r, record.DecodeMembership, q.Limit,
			"SELECT data FROM {membership} WHERE realm=$1 AND org_id=$2 AND user_id>$3 ORDER BY user_id LIMIT $4",
			r.realm, string(q.Organization), after(q.After))
	}
	return list(ctx, r, record.DecodeMembership, q.Limit, // see Users
		"SELECT (SELECT data FROM {membership} WHERE realm=$1 AND org_id=$2 AND user_id=p.user_id) FROM ("+
			"SELECT DISTINCT i.user_id FROM unnest($4::text[]) AS e (role) CROSS JOIN LATERAL ("+
			"SELECT user_id FROM {membership} WHERE realm=$1 AND org_id=$2 AND role=e.role AND user_id>$3 ORDER BY user_id LIMIT $5) i"+
			" ORDER BY i.user_id LIMIT $5) p ORDER BY p.user_id",
		r.realm, string(q.Organization), after(q.After), texts(q.Roles))
}

func (r *reader) CountMembers(ctx context.Context, q store.MemberQuery) (int64, error) {
	if err := r.ok(ctx); err != nil {
		return 0, err
	}
	if err := q.Check(); err != nil {
		return 0, err
	}
	const members = "SELECT count(*) FROM {membership} WHERE realm=$1 AND org_id=$2"
	if len(q.Roles) == 0 {
		return r.count(ctx, members, r.realm, string(q.Organization))
	}
	return r.count(ctx, members+" AND role=ANY($3::text[])", r.realm, string(q.Organization), texts(q.Roles))
}

func (r *reader) Memberships(ctx context.Context, user store.UserID, since store.OrganizationID, limit int) ([]store.Membership, error) {
	return list(ctx, r, record.DecodeMembership, limit,
		"SELECT data FROM {membership} WHERE realm=$1 AND user_id=$2 AND org_id>$3 ORDER BY org_id LIMIT $4",
		r.realm, string(user), after(since))
}

func (t *tx) vendorUserRule(m store.Membership) rule {
	return rule{"VendorUserID", "SELECT 1 FROM {membership} WHERE realm=$1 AND org_id=$2 AND vendor_user=$3",
		[]any{t.realm, string(m.OrganizationID), m.VendorUserID}}
}

func (t *tx) CreateMembership(ctx context.Context, m store.Membership) error {
	if err := t.may(ctx, m); err != nil {
		return err
	}
	rules := []rule{{"UserID", "SELECT 1 FROM {membership} WHERE realm=$1 AND org_id=$2 AND user_id=$3",
		[]any{t.realm, string(m.OrganizationID), string(m.UserID)}}}
	if m.VendorUserID != "" {
		rules = append(rules, t.vendorUserRule(m))
	}
	m.Version = 1
	return t.create(ctx, []parent{organizationParent(t, m.OrganizationID), userParent(t, m.UserID)}, rules,
		"INSERT INTO {membership} (realm, org_id, user_id, role, vendor_user, data) SELECT $1, $2, $3, $4, $5, $6::bytea"+
			" WHERE EXISTS (SELECT 1 FROM {organization} WHERE realm=$1 AND id=$2)"+
			" AND EXISTS (SELECT 1 FROM {user} WHERE realm=$1 AND id=$3) ON CONFLICT DO NOTHING",
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
	var rules []rule
	if m.VendorUserID != old.VendorUserID && m.VendorUserID != "" {
		rules = append(rules, t.vendorUserRule(m))
	}
	data := record.EncodeMembership(m)
	err = replace(ctx, t, memberships(), m, data, rules,
		"UPDATE {membership} SET role=$5, vendor_user=$6, data=$7 WHERE realm=$1 AND org_id=$2 AND user_id=$3 AND data=$4",
		t.realm, string(m.OrganizationID), string(m.UserID), t.seen[membershipKey(m.OrganizationID, m.UserID)].data,
		string(m.Role), orNull(m.VendorUserID), data)
	t.rights = t.rights || err == nil
	return err
}

func (t *tx) DeleteMembership(ctx context.Context, org store.OrganizationID, user store.UserID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	args := []any{t.realm, string(org), string(user)}
	err := t.remove(ctx, membershipKey(org, user), memberships().keys,
		"DELETE FROM {membership} WHERE realm=$1 AND org_id=$2 AND user_id=$3", args...)
	if err != nil {
		return err
	}
	t.rights = true
	t.leaveAll(args,
		"DELETE FROM {api_key} WHERE realm=$1 AND org_id=$2 AND owner=$3",
		"SELECT 1 FROM {session} WHERE realm=$1 AND org_id=$2 AND user_id=$3 ORDER BY id FOR UPDATE",
		"DELETE FROM {token} WHERE realm=$1 AND org_id=$2 AND user_id=$3",
		"DELETE FROM {token} WHERE realm=$1 AND session_id IN"+
			" (SELECT id FROM {session} WHERE realm=$1 AND org_id=$2 AND user_id=$3)",
		"DELETE FROM {session} WHERE realm=$1 AND org_id=$2 AND user_id=$3")
	return nil
}
