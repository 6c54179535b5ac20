package storetest

import (
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

func organizations() subject {
	type org = store.Organization
	return noun[org]{
		name: "Organization", base: vendorBase, sample: sampleOrganization, change: changeOrganization,
		freeze: func(o org) org {
			o.VendorID, o.CreatedAt, o.CreatedBy = vendorID(1), changed, "host"
			return o
		},
		version: func(o *org) *int64 { return &o.Version },
		create:  store.Tx.CreateOrganization,
		update:  store.Tx.UpdateOrganization,
		remove: func(tx store.Tx, ctx context.Context, o org) error {
			return tx.DeleteOrganization(ctx, o.ID)
		},
		keys: []key[org]{{
			field: "ID",
			find: func(r store.Reader, ctx context.Context, o org) (org, error) {
				return r.Organization(ctx, o.ID)
			},
			copy: func(to *org, from org) { to.ID = from.ID },
			set:  func(o *org, s string) { o.ID = store.OrganizationID(s) },
		}, {
			field: "Slug",
			find: func(r store.Reader, ctx context.Context, o org) (org, error) {
				return r.OrganizationBySlug(ctx, o.Slug)
			},
			copy:  func(to *org, from org) { to.Slug = from.Slug },
			clear: func(o *org) { o.Slug = "" },
			set:   func(o *org, s string) { o.Slug = s },
		}, {
			field: "VendorOrganizationID",
			find: func(r store.Reader, ctx context.Context, o org) (org, error) {
				return r.OrganizationByVendorID(ctx, o.VendorID, o.VendorOrganizationID)
			},
			copy:  func(to *org, from org) { to.VendorOrganizationID = from.VendorOrganizationID },
			clear: func(o *org) { o.VendorOrganizationID = "" },
			set:   func(o *org, s string) { o.VendorOrganizationID = s },
		}, {
			field: "MatchDomain",
			find: func(r store.Reader, ctx context.Context, o org) (org, error) {
				return r.OrganizationByDomain(ctx, o.VendorID, o.MatchDomain)
			},
			copy:  func(to *org, from org) { to.MatchDomain = from.MatchDomain },
			clear: func(o *org) { o.MatchDomain = "" },
			set:   func(o *org, s string) { o.MatchDomain = s },
		}},
		page: func(r store.Reader, ctx context.Context, after org, limit int) ([]org, error) {
			return r.Organizations(ctx, store.OrganizationQuery{After: after.ID, Limit: limit})
		},
		dangling: map[string]func(*org){"VendorID": func(o *org) { o.VendorID = "nobody" }},
		broken: []fault[org]{
			{"ID", func(o *org) { o.ID = "" }},
			{"VendorID", func(o *org) { o.VendorID, o.MatchDomain = "", "" }},
			{"VendorID", func(o *org) { o.VendorID, o.VendorOrganizationID = "", "" }},
			{"Slug", func(o *org) { o.Slug = long(store.MaxKey + 1) }},
			{"MatchDomain", func(o *org) { o.MatchDomain = long(store.MaxKey + 1) }},
			{"VendorOrganizationID", func(o *org) { o.VendorOrganizationID = long(store.MaxKey + 1) }},
		},
	}
}

func memberships() subject {
	type member = store.Membership
	return noun[member]{
		name: "Membership", base: memberBase, sample: sampleMembership, change: changeMembership,
		freeze: func(m member) member {
			m.CreatedAt, m.CreatedBy = changed, "host"
			return m
		},
		version: func(m *member) *int64 { return &m.Version },
		create:  store.Tx.CreateMembership,
		update:  store.Tx.UpdateMembership,
		remove: func(tx store.Tx, ctx context.Context, m member) error {
			return tx.DeleteMembership(ctx, m.OrganizationID, m.UserID)
		},
		keys: []key[member]{{
			field: "UserID",
			find: func(r store.Reader, ctx context.Context, m member) (member, error) {
				return r.Membership(ctx, m.OrganizationID, m.UserID)
			},
			copy: func(to *member, from member) {
				to.OrganizationID, to.UserID = from.OrganizationID, from.UserID
			},
		}, {
			field: "VendorUserID",
			find: func(r store.Reader, ctx context.Context, m member) (member, error) {
				return r.MembershipByVendorUser(ctx, m.OrganizationID, m.VendorUserID)
			},
			copy:  func(to *member, from member) { to.VendorUserID = from.VendorUserID },
			clear: func(m *member) { m.VendorUserID = "" },
			set:   func(m *member, s string) { m.VendorUserID = s },
		}},
		page: func(r store.Reader, ctx context.Context, after member, limit int) ([]member, error) {
			return r.Members(ctx, store.MemberQuery{Organization: orgID(0), After: after.UserID, Limit: limit})
		},
		dangling: map[string]func(*member){
			"OrganizationID": func(m *member) { m.OrganizationID = "nowhere" },
			"UserID":         func(m *member) { m.UserID = "nobody" },
		},
		broken: []fault[member]{
			{"OrganizationID", func(m *member) { m.OrganizationID = "" }},
			{"UserID", func(m *member) { m.UserID = "" }},
			{"Role", func(m *member) { m.Role = "" }},
			{"VendorUserID", func(m *member) { m.VendorUserID = long(store.MaxKey + 1) }},
		},
	}
}
