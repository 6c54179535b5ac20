package pgstore

import (
	"context"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func organizations() table[store.Organization] {
	return table[store.Organization]{"{organization}", []string{"id"}, record.DecodeOrganization,
		func(o store.Organization) rowKey { return organizationKey(o.ID) }}
}

func organizationKey(id store.OrganizationID) rowKey {
	return rowKey{table: "{organization}", a: string(id)}
}

func organizationParent(t *tx, id store.OrganizationID) parent {
	return parent{"SELECT 1 FROM {organization} WHERE realm=$1 AND id=$2", []any{t.realm, string(id)}}
}

func (r *reader) Organization(ctx context.Context, id store.OrganizationID) (store.Organization, error) {
	return findKey(ctx, r, organizations(), organizationKey(id), "id=$2", string(id))
}

func (r *reader) OrganizationBySlug(ctx context.Context, slug string) (store.Organization, error) {
	return find(ctx, r, organizations(), "slug=$2", slug)
}

func (r *reader) OrganizationByVendorID(ctx context.Context, vendor store.VendorID, vendorOrganizationID string) (store.Organization, error) {
	return find(ctx, r, organizations(), "vendor_id=$2 AND vendor_org=$3", string(vendor), vendorOrganizationID)
}

func (r *reader) OrganizationByDomain(ctx context.Context, vendor store.VendorID, domain string) (store.Organization, error) {
	return find(ctx, r, organizations(), "vendor_id=$2 AND match_domain=$3", string(vendor), domain)
}

func (r *reader) OrganizationsByID(ctx context.Context, ids []store.OrganizationID) ([]store.Organization, error) {
	return byID(ctx, r, organizations(), ids)
}

func (r *reader) Organizations(ctx context.Context, q store.OrganizationQuery) ([]store.Organization, error) {
	if q.Vendor != "" {
		return list(ctx, r, record.DecodeOrganization, q.Limit,
			"SELECT data FROM {organization} WHERE realm=$1 AND vendor_id=$2 AND id>$3 ORDER BY id LIMIT $4",
			r.realm, string(q.Vendor), after(q.After))
	}
	return list(ctx, r, record.DecodeOrganization, q.Limit,
		"SELECT data FROM {organization} WHERE realm=$1 AND id>$2 ORDER BY id LIMIT $3", r.realm, after(q.After))
}

// organizationRules are the uniqueness rules for the keys in which an
// organization differs from what it was.
func (t *tx) organizationRules(old, o store.Organization) []rule {
	var rules []rule
	if o.Slug != old.Slug && o.Slug != "" {
		rules = append(rules, rule{"Slug", "SELECT 1 FROM {organization} WHERE realm=$1 AND slug=$2", []any{t.realm, o.Slug}})
	}
	if o.VendorOrganizationID != old.VendorOrganizationID && o.VendorOrganizationID != "" {
		rules = append(rules, rule{"VendorOrganizationID",
			"SELECT 1 FROM {organization} WHERE realm=$1 AND vendor_id=$2 AND vendor_org=$3",
			[]any{t.realm, string(o.VendorID), o.VendorOrganizationID}})
	}
	if o.MatchDomain != old.MatchDomain && o.MatchDomain != "" {
		rules = append(rules, rule{"MatchDomain",
			"SELECT 1 FROM {organization} WHERE realm=$1 AND vendor_id=$2 AND match_domain=$3",
			[]any{t.realm, string(o.VendorID), o.MatchDomain}})
	}
	return rules
}

func (t *tx) CreateOrganization(ctx context.Context, o store.Organization) error {
	if err := t.may(ctx, o); err != nil {
		return err
	}
	var parents []parent
	if o.VendorID != "" {
		parents = []parent{vendorParent(t, o.VendorID)}
	}
	o.Version = 1
	return t.create(ctx, parents, append([]rule{
		{"ID", "SELECT 1 FROM {organization} WHERE realm=$1 AND id=$2", []any{t.realm, string(o.ID)}},
	}, t.organizationRules(store.Organization{}, o)...),
		"INSERT INTO {organization} (realm, id, slug, vendor_id, vendor_org, match_domain, data)"+
			" SELECT $1, $2, $3, $4::text, $5, $6, $7::bytea"+
			" WHERE $4::text IS NULL OR EXISTS (SELECT 1 FROM {vendor} WHERE realm=$1 AND id=$4::text) ON CONFLICT DO NOTHING",
		t.realm, string(o.ID), orNull(o.Slug), orNull(o.VendorID), orNull(o.VendorOrganizationID), orNull(o.MatchDomain),
		record.EncodeOrganization(o))
}

func (t *tx) UpdateOrganization(ctx context.Context, o store.Organization) error {
	if err := t.may(ctx, o); err != nil {
		return err
	}
	old, err := t.Organization(ctx, o.ID)
	if err != nil {
		return err
	}
	if old.Version != o.Version {
		return store.ErrStale
	}
	o.VendorID, o.CreatedAt, o.CreatedBy = old.VendorID, old.CreatedAt, old.CreatedBy
	o.Version++
	if err := o.Check(); err != nil { // the vendor that stays may not fit
		return err
	}
	data := record.EncodeOrganization(o)
	err = replace(ctx, t, organizations(), o, data, t.organizationRules(old, o),
		"UPDATE {organization} SET slug=$4, vendor_org=$5, match_domain=$6, data=$7 WHERE realm=$1 AND id=$2 AND data=$3",
		t.realm, string(o.ID), t.seen[organizationKey(o.ID)].data,
		orNull(o.Slug), orNull(o.VendorOrganizationID), orNull(o.MatchDomain), data)
	t.rights = t.rights || err == nil
	return err
}

func (t *tx) DeleteOrganization(ctx context.Context, id store.OrganizationID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	err := t.remove(ctx, organizationKey(id), organizations().keys,
		"DELETE FROM {organization} WHERE realm=$1 AND id=$2", t.realm, string(id))
	if err != nil {
		return err
	}
	t.rights = true
	t.leaveAll([]any{t.realm, string(id)},
		"DELETE FROM {membership} WHERE realm=$1 AND org_id=$2",
		"DELETE FROM {api_key} WHERE realm=$1 AND org_id=$2",
		"SELECT 1 FROM {session} WHERE realm=$1 AND org_id=$2 ORDER BY id FOR UPDATE",
		"DELETE FROM {token} WHERE realm=$1 AND org_id=$2",
		"DELETE FROM {token} WHERE realm=$1 AND session_id IN (SELECT id FROM {session} WHERE realm=$1 AND org_id=$2)",
		"DELETE FROM {session} WHERE realm=$1 AND org_id=$2")
	return nil
}
