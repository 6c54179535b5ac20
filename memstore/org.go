package memstore

import (
	"context"
	"strings"

	"github.com/usermgmt-go/usermgmt/store"
)

// org is an organization's row: it has no lists, and there are few.
type org store.Organization

// vendorText is a key that is unique with a vendor.
type vendorText struct {
	vendor store.VendorID
	text   string
}

func (o *org) record() store.Organization { return store.Organization(*o) }

func newOrg(o store.Organization) org {
	o.ID, o.Slug, o.Name = own(o.ID), own(o.Slug), own(o.Name)
	o.Domain, o.MatchDomain = own(o.Domain), own(o.MatchDomain)
	o.VendorID, o.VendorOrganizationID = own(o.VendorID), own(o.VendorOrganizationID)
	o.CreatedBy = own(o.CreatedBy)
	return org(o)
}

func compareOrgs(a, b *org) int {
	if a == b {
		return 0
	}
	return strings.Compare(string(a.ID), string(b.ID))
}

func compareVendorOrgs(a, b *org) int {
	if c := strings.Compare(string(a.VendorID), string(b.VendorID)); c != 0 {
		return c
	}
	return compareOrgs(a, b)
}

func (x *reader) Organization(ctx context.Context, id store.OrganizationID) (store.Organization, error) {
	if err := x.ok(ctx); err != nil {
		return store.Organization{}, err
	}
	return found(x.t.orgs[id], (*org).record)
}

func (x *reader) OrganizationBySlug(ctx context.Context, slug string) (store.Organization, error) {
	if err := x.ok(ctx); err != nil {
		return store.Organization{}, err
	}
	return found(x.t.bySlug[slug], (*org).record)
}

func (x *reader) OrganizationByVendorID(ctx context.Context, vendor store.VendorID, id string) (store.Organization, error) {
	if err := x.ok(ctx); err != nil {
		return store.Organization{}, err
	}
	return found(x.t.byVendorOrg[vendorText{vendor, id}], (*org).record)
}

func (x *reader) OrganizationByDomain(ctx context.Context, vendor store.VendorID, domain string) (store.Organization, error) {
	if err := x.ok(ctx); err != nil {
		return store.Organization{}, err
	}
	return found(x.t.byMatchDomain[vendorText{vendor, domain}], (*org).record)
}

func (x *reader) OrganizationsByID(ctx context.Context, in []store.OrganizationID) ([]store.Organization, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	return byID(in, func(id store.OrganizationID) *org { return x.t.orgs[id] }, (*org).record)
}

func (x *reader) Organizations(ctx context.Context, q store.OrganizationQuery) ([]store.Organization, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	after := &org{VendorID: q.Vendor, ID: q.After}
	if q.Vendor == "" {
		return page(x.t.orgsInOrder, after, q.Limit, all, (*org).record), nil
	}
	return page(x.t.orgsByVendor, after, q.Limit,
		func(o *org) bool { return o.VendorID == q.Vendor }, (*org).record), nil
}

func (x *tx) CreateOrganization(ctx context.Context, o store.Organization) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := o.Check(); err != nil {
		return err
	}
	if x.t.orgs[o.ID] != nil {
		return exists("ID")
	}
	if err := x.t.freeOrgKeys(o, nil); err != nil {
		return err
	}
	if o.VendorID != "" && x.t.vendors[o.VendorID] == nil {
		return store.ErrNotFound
	}
	o.Version = 1
	v := newOrg(o)
	t, row := x.t, &v
	t.addOrg(row)
	x.undo(func() { t.dropOrg(row) })
	return nil
}

// freeOrgKeys reports whether another organization than self has one of the keys.
func (t *tables) freeOrgKeys(o store.Organization, self *org) error {
	if p := t.bySlug[o.Slug]; p != nil && p != self {
		return exists("Slug")
	}
	if p := t.byVendorOrg[vendorText{o.VendorID, o.VendorOrganizationID}]; p != nil && p != self {
		return exists("VendorOrganizationID")
	}
	if p := t.byMatchDomain[vendorText{o.VendorID, o.MatchDomain}]; p != nil && p != self {
		return exists("MatchDomain")
	}
	return nil
}

func (x *tx) UpdateOrganization(ctx context.Context, o store.Organization) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := o.Check(); err != nil {
		return err
	}
	t, row := x.t, x.t.orgs[o.ID]
	switch {
	case row == nil:
		return store.ErrNotFound
	case row.Version != o.Version:
		return store.ErrStale
	}
	old := *row
	o.VendorID, o.CreatedAt, o.CreatedBy = old.VendorID, old.CreatedAt, old.CreatedBy
	if err := o.Check(); err != nil { // the vendor may be another one now
		return err
	}
	if err := t.freeOrgKeys(o, row); err != nil {
		return err
	}
	o.Version++
	t.setOrg(row, newOrg(o))
	x.undo(func() { t.setOrg(row, old) })
	x.bump()
	return nil
}

func (x *tx) DeleteOrganization(ctx context.Context, id store.OrganizationID) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	t, row := x.t, x.t.orgs[id]
	if row == nil {
		return store.ErrNotFound
	}
	// Tokens of an organization are tokens of its memberships.
	for _, m := range t.membershipsIn(row) {
		x.deleteMember(m)
	}
	for _, k := range t.keysIn(row) {
		x.deleteKey(k)
	}
	for _, s := range t.sessionsIn(row, nil) {
		x.deleteSession(s)
	}
	t.dropOrg(row)
	x.undo(func() { t.addOrg(row) })
	x.bump()
	return nil
}

func (t *tables) addOrg(o *org) {
	t.orgs[o.ID] = o
	t.orgsInOrder.Set(o)
	if o.VendorID != "" {
		t.orgsByVendor.Set(o)
	}
	t.addOrgKeys(o)
}

func (t *tables) dropOrg(o *org) {
	t.dropOrgKeys(o)
	if o.VendorID != "" {
		t.orgsByVendor.Delete(o)
	}
	t.orgsInOrder.Delete(o)
	delete(t.orgs, o.ID)
}

// setOrg gives a row another content under the same id and vendor.
func (t *tables) setOrg(o *org, v org) {
	t.dropOrgKeys(o)
	*o = v
	t.orgs[o.ID] = o
	t.addOrgKeys(o)
}

func (t *tables) addOrgKeys(o *org) {
	if o.Slug != "" {
		t.bySlug[o.Slug] = o
	}
	if o.VendorOrganizationID != "" {
		t.byVendorOrg[vendorText{o.VendorID, o.VendorOrganizationID}] = o
	}
	if o.MatchDomain != "" {
		t.byMatchDomain[vendorText{o.VendorID, o.MatchDomain}] = o
	}
}

func (t *tables) dropOrgKeys(o *org) {
	delete(t.bySlug, o.Slug)
	delete(t.byVendorOrg, vendorText{o.VendorID, o.VendorOrganizationID})
	delete(t.byMatchDomain, vendorText{o.VendorID, o.MatchDomain})
}
