package sqlitestore

import (
	"context"
	"database/sql/driver"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

const (
	organizationExists   = "SELECT 1 FROM {organization} WHERE realm=? AND id=?"
	organizationBySlug   = "SELECT data FROM {organization} WHERE realm=? AND slug=?"
	organizationByVendor = "SELECT data FROM {organization} WHERE realm=? AND vendor=? AND vendor_org=?"
	organizationByDomain = "SELECT data FROM {organization} WHERE realm=? AND vendor=? AND match_domain=?"
)

func (r *reader) Organization(ctx context.Context, id store.OrganizationID) (store.Organization, error) {
	return get(ctx, r, record.DecodeOrganization, "SELECT data FROM {organization} WHERE realm=? AND id=?", r.realm, string(id))
}

func (r *reader) OrganizationBySlug(ctx context.Context, slug string) (store.Organization, error) {
	return get(ctx, r, record.DecodeOrganization, organizationBySlug, r.realm, slug)
}

func (r *reader) OrganizationByVendorID(ctx context.Context, vendor store.VendorID, vendorOrganizationID string) (store.Organization, error) {
	return get(ctx, r, record.DecodeOrganization, organizationByVendor, r.realm, string(vendor), vendorOrganizationID)
}

func (r *reader) OrganizationByDomain(ctx context.Context, vendor store.VendorID, domain string) (store.Organization, error) {
	return get(ctx, r, record.DecodeOrganization, organizationByDomain, r.realm, string(vendor), domain)
}

func (r *reader) OrganizationsByID(ctx context.Context, ids []store.OrganizationID) ([]store.Organization, error) {
	return allByID(ctx, r, record.DecodeOrganization,
		"SELECT data FROM {organization} WHERE realm=? AND id IN (SELECT value FROM json_each(?)) ORDER BY id", ids)
}

func (r *reader) Organizations(ctx context.Context, q store.OrganizationQuery) ([]store.Organization, error) {
	if q.Vendor != "" {
		return page(ctx, r, record.DecodeOrganization, q.Limit,
			"SELECT data FROM {organization} WHERE realm=? AND vendor=? AND id>? ORDER BY id LIMIT ?", r.realm, string(q.Vendor), string(q.After))
	}
	return page(ctx, r, record.DecodeOrganization, q.Limit,
		"SELECT data FROM {organization} WHERE realm=? AND id>? ORDER BY id LIMIT ?", r.realm, string(q.After))
}

// rules are the uniqueness rules but that of the id; more is added to each query.
func (t *tx) organizationRules(o store.Organization, more string, args ...driver.Value) []rule {
	on := func(field, query string, keys ...driver.Value) rule {
		return rule{field, query + more, append(append([]driver.Value{t.realm}, keys...), args...)}
	}
	return []rule{
		on("Slug", organizationBySlug, o.Slug),
		on("VendorOrganizationID", organizationByVendor, string(o.VendorID), o.VendorOrganizationID),
		on("MatchDomain", organizationByDomain, string(o.VendorID), o.MatchDomain),
	}
}

func (t *tx) CreateOrganization(ctx context.Context, o store.Organization) error {
	if err := t.may(ctx, o); err != nil {
		return err
	}
	if o.VendorID != "" {
		if err := t.refer(vendorExists, t.realm, string(o.VendorID)); err != nil {
			return err
		}
	}
	o.Version = 1
	rules := append([]rule{{"ID", organizationExists, []driver.Value{t.realm, string(o.ID)}}}, t.organizationRules(o, "")...)
	return t.write(rules,
		"INSERT INTO {organization} (realm, id, slug, vendor, vendor_org, match_domain, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
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
	err = t.write(t.organizationRules(o, " AND id<>?", string(o.ID)),
		"UPDATE {organization} SET slug=?, vendor_org=?, match_domain=?, data=? WHERE realm=? AND id=?",
		orNull(o.Slug), orNull(o.VendorOrganizationID), orNull(o.MatchDomain), record.EncodeOrganization(o), t.realm, string(o.ID))
	if err == nil {
		t.rights = true
	}
	return err
}

func (t *tx) DeleteOrganization(ctx context.Context, id store.OrganizationID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	if err := t.remove("DELETE FROM {organization} WHERE realm=? AND id=?", t.realm, string(id)); err != nil {
		return err
	}
	t.rights = true
	return t.run([]driver.Value{t.realm, string(id)},
		"DELETE FROM {membership} WHERE realm=? AND organization=?",
		"DELETE FROM {api_key} WHERE realm=? AND organization=?",
		"DELETE FROM {token} WHERE realm=? AND organization=?",
		"DELETE FROM {token} WHERE realm=?1 AND session IN (SELECT id FROM {session} WHERE realm=?1 AND organization=?2)",
		"DELETE FROM {session} WHERE realm=? AND organization=?")
}
