package faulttest

import (
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

// tx is a Tx whose every call is a step of its tap.
type tx struct {
	reader
	w store.Tx
}

var _ store.Tx = (*tx)(nil)

func (x *tx) CreateUser(ctx context.Context, u store.User) error {
	return pass(x.tap, ctx, x.at("CreateUser"), func(ctx context.Context) error { return x.w.CreateUser(ctx, u) })
}

func (x *tx) UpdateUser(ctx context.Context, u store.User) error {
	return pass(x.tap, ctx, x.at("UpdateUser"), func(ctx context.Context) error { return x.w.UpdateUser(ctx, u) })
}

func (x *tx) DeleteUser(ctx context.Context, id store.UserID) error {
	return pass(x.tap, ctx, x.at("DeleteUser"), func(ctx context.Context) error { return x.w.DeleteUser(ctx, id) })
}

func (x *tx) PutCredential(ctx context.Context, c store.Credential) error {
	return pass(x.tap, ctx, x.at("PutCredential"), func(ctx context.Context) error { return x.w.PutCredential(ctx, c) })
}

func (x *tx) DeleteCredential(ctx context.Context, user store.UserID) error {
	return pass(x.tap, ctx, x.at("DeleteCredential"), func(ctx context.Context) error { return x.w.DeleteCredential(ctx, user) })
}

func (x *tx) CreateOrganization(ctx context.Context, o store.Organization) error {
	return pass(x.tap, ctx, x.at("CreateOrganization"), func(ctx context.Context) error { return x.w.CreateOrganization(ctx, o) })
}

func (x *tx) UpdateOrganization(ctx context.Context, o store.Organization) error {
	return pass(x.tap, ctx, x.at("UpdateOrganization"), func(ctx context.Context) error { return x.w.UpdateOrganization(ctx, o) })
}

func (x *tx) DeleteOrganization(ctx context.Context, id store.OrganizationID) error {
	return pass(x.tap, ctx, x.at("DeleteOrganization"), func(ctx context.Context) error { return x.w.DeleteOrganization(ctx, id) })
}

func (x *tx) CreateMembership(ctx context.Context, m store.Membership) error {
	return pass(x.tap, ctx, x.at("CreateMembership"), func(ctx context.Context) error { return x.w.CreateMembership(ctx, m) })
}

func (x *tx) UpdateMembership(ctx context.Context, m store.Membership) error {
	return pass(x.tap, ctx, x.at("UpdateMembership"), func(ctx context.Context) error { return x.w.UpdateMembership(ctx, m) })
}

func (x *tx) DeleteMembership(ctx context.Context, org store.OrganizationID, user store.UserID) error {
	return pass(x.tap, ctx, x.at("DeleteMembership"), func(ctx context.Context) error { return x.w.DeleteMembership(ctx, org, user) })
}

func (x *tx) CreateRole(ctx context.Context, r store.Role) error {
	return pass(x.tap, ctx, x.at("CreateRole"), func(ctx context.Context) error { return x.w.CreateRole(ctx, r) })
}

func (x *tx) UpdateRole(ctx context.Context, r store.Role) error {
	return pass(x.tap, ctx, x.at("UpdateRole"), func(ctx context.Context) error { return x.w.UpdateRole(ctx, r) })
}

func (x *tx) DeleteRole(ctx context.Context, id store.RoleID) error {
	return pass(x.tap, ctx, x.at("DeleteRole"), func(ctx context.Context) error { return x.w.DeleteRole(ctx, id) })
}

func (x *tx) PutPermission(ctx context.Context, name string) error {
	return pass(x.tap, ctx, x.at("PutPermission"), func(ctx context.Context) error { return x.w.PutPermission(ctx, name) })
}

func (x *tx) DeletePermission(ctx context.Context, name string) error {
	return pass(x.tap, ctx, x.at("DeletePermission"), func(ctx context.Context) error { return x.w.DeletePermission(ctx, name) })
}

func (x *tx) CreateTenant(ctx context.Context, t store.Tenant) error {
	return pass(x.tap, ctx, x.at("CreateTenant"), func(ctx context.Context) error { return x.w.CreateTenant(ctx, t) })
}

func (x *tx) UpdateTenant(ctx context.Context, t store.Tenant) error {
	return pass(x.tap, ctx, x.at("UpdateTenant"), func(ctx context.Context) error { return x.w.UpdateTenant(ctx, t) })
}

func (x *tx) DeleteTenant(ctx context.Context, id store.TenantID) error {
	return pass(x.tap, ctx, x.at("DeleteTenant"), func(ctx context.Context) error { return x.w.DeleteTenant(ctx, id) })
}

func (x *tx) CreateVendor(ctx context.Context, v store.Vendor) error {
	return pass(x.tap, ctx, x.at("CreateVendor"), func(ctx context.Context) error { return x.w.CreateVendor(ctx, v) })
}

func (x *tx) UpdateVendor(ctx context.Context, v store.Vendor) error {
	return pass(x.tap, ctx, x.at("UpdateVendor"), func(ctx context.Context) error { return x.w.UpdateVendor(ctx, v) })
}

func (x *tx) DeleteVendor(ctx context.Context, id store.VendorID) error {
	return pass(x.tap, ctx, x.at("DeleteVendor"), func(ctx context.Context) error { return x.w.DeleteVendor(ctx, id) })
}

func (x *tx) PutVendorSecret(ctx context.Context, s store.VendorSecret) error {
	return pass(x.tap, ctx, x.at("PutVendorSecret"), func(ctx context.Context) error { return x.w.PutVendorSecret(ctx, s) })
}

func (x *tx) DeleteVendorSecret(ctx context.Context, vendor store.VendorID, digest store.Digest) error {
	return pass(x.tap, ctx, x.at("DeleteVendorSecret"), func(ctx context.Context) error { return x.w.DeleteVendorSecret(ctx, vendor, digest) })
}

func (x *tx) CreateKey(ctx context.Context, k store.Key) error {
	return pass(x.tap, ctx, x.at("CreateKey"), func(ctx context.Context) error { return x.w.CreateKey(ctx, k) })
}

func (x *tx) DeleteKey(ctx context.Context, id store.KeyID) error {
	return pass(x.tap, ctx, x.at("DeleteKey"), func(ctx context.Context) error { return x.w.DeleteKey(ctx, id) })
}

func (x *tx) CreateSession(ctx context.Context, s store.Session) error {
	return pass(x.tap, ctx, x.at("CreateSession"), func(ctx context.Context) error { return x.w.CreateSession(ctx, s) })
}

func (x *tx) DeleteSession(ctx context.Context, id store.SessionID) error {
	return pass(x.tap, ctx, x.at("DeleteSession"), func(ctx context.Context) error { return x.w.DeleteSession(ctx, id) })
}

func (x *tx) DeleteSessions(ctx context.Context, user store.UserID) (int, error) {
	return answer(x.tap, ctx, x.at("DeleteSessions"), func(ctx context.Context) (int, error) { return x.w.DeleteSessions(ctx, user) })
}

func (x *tx) CreateToken(ctx context.Context, t store.Token) error {
	x.tap.note(t)
	return pass(x.tap, ctx, x.at("CreateToken"), func(ctx context.Context) error { return x.w.CreateToken(ctx, t) })
}

func (x *tx) UseToken(ctx context.Context, kind store.TokenKind, digest store.Digest, at store.Time) (store.Token, error) {
	return answer(x.tap, ctx, x.at("UseToken"), func(ctx context.Context) (store.Token, error) { return x.w.UseToken(ctx, kind, digest, at) })
}

func (x *tx) DeleteToken(ctx context.Context, kind store.TokenKind, digest store.Digest) error {
	return pass(x.tap, ctx, x.at("DeleteToken"), func(ctx context.Context) error { return x.w.DeleteToken(ctx, kind, digest) })
}

func (x *tx) PutFailures(ctx context.Context, f store.Failures) error {
	return pass(x.tap, ctx, x.at("PutFailures"), func(ctx context.Context) error { return x.w.PutFailures(ctx, f) })
}

func (x *tx) DeleteFailures(ctx context.Context, key store.Digest) error {
	return pass(x.tap, ctx, x.at("DeleteFailures"), func(ctx context.Context) error { return x.w.DeleteFailures(ctx, key) })
}

func (x *tx) AppendEvent(ctx context.Context, e store.Event) error {
	return pass(x.tap, ctx, x.at("AppendEvent"), func(ctx context.Context) error { return x.w.AppendEvent(ctx, e) })
}

func (x *tx) DropEvents(ctx context.Context, through int64) (int, error) {
	return answer(x.tap, ctx, x.at("DropEvents"), func(ctx context.Context) (int, error) { return x.w.DropEvents(ctx, through) })
}

func (x *tx) Lock(ctx context.Context, name string) error {
	return pass(x.tap, ctx, x.at("Lock"), func(ctx context.Context) error { return x.w.Lock(ctx, name) })
}

func (x *tx) DeleteExpired(ctx context.Context, now store.Time, limit int) (int, error) {
	return answer(x.tap, ctx, x.at("DeleteExpired"), func(ctx context.Context) (int, error) { return x.w.DeleteExpired(ctx, now, limit) })
}
