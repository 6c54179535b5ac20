package sqlitestore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql/driver"
	"slices"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

const (
	vendorExists   = "SELECT 1 FROM {vendor} WHERE realm=? AND id=?"
	vendorByClient = "SELECT data FROM {vendor} WHERE realm=? AND client_id=?"
)

func (r *reader) Vendor(ctx context.Context, id store.VendorID) (store.Vendor, error) {
	return get(ctx, r, record.DecodeVendor, "SELECT data FROM {vendor} WHERE realm=? AND id=?", r.realm, string(id))
}

func (r *reader) VendorByClientID(ctx context.Context, clientID string) (store.Vendor, error) {
	return get(ctx, r, record.DecodeVendor, vendorByClient, r.realm, clientID)
}

func (r *reader) Vendors(ctx context.Context, after store.VendorID, limit int) ([]store.Vendor, error) {
	return page(ctx, r, record.DecodeVendor, limit,
		"SELECT data FROM {vendor} WHERE realm=? AND id>? ORDER BY id LIMIT ?", r.realm, string(after))
}

func (t *tx) CreateVendor(ctx context.Context, v store.Vendor) error {
	if err := t.may(ctx, v); err != nil {
		return err
	}
	v.Version = 1
	return t.write([]rule{
		{"ID", vendorExists, []driver.Value{t.realm, string(v.ID)}},
		{"ClientID", vendorByClient, []driver.Value{t.realm, v.ClientID}},
	}, "INSERT INTO {vendor} (realm, id, client_id, data) VALUES (?, ?, ?, ?)", t.realm, string(v.ID), v.ClientID, record.EncodeVendor(v))
}

func (t *tx) UpdateVendor(ctx context.Context, v store.Vendor) error {
	if err := t.may(ctx, v); err != nil {
		return err
	}
	old, err := t.Vendor(ctx, v.ID)
	if err != nil {
		return err
	}
	if old.Version != v.Version {
		return store.ErrStale
	}
	v.CreatedAt = old.CreatedAt
	v.Version++
	err = t.write([]rule{{"ClientID", vendorByClient + " AND id<>?", []driver.Value{t.realm, v.ClientID, string(v.ID)}}},
		"UPDATE {vendor} SET client_id=?, data=? WHERE realm=? AND id=?", v.ClientID, record.EncodeVendor(v), t.realm, string(v.ID))
	if err == nil {
		t.rights = true
	}
	return err
}

func (t *tx) DeleteVendor(ctx context.Context, id store.VendorID) error {
	if _, err := t.Vendor(ctx, id); err != nil {
		return err
	}
	owns, err := t.exists("SELECT 1 FROM {organization} WHERE realm=? AND vendor=? LIMIT 1", t.realm, string(id))
	if err != nil {
		return err
	}
	if owns {
		return invalid("VendorID", "must not own organizations")
	}
	t.rights = true
	return t.run([]driver.Value{t.realm, string(id)},
		"DELETE FROM {vendor} WHERE realm=? AND id=?",
		"DELETE FROM {vendor_secret} WHERE realm=? AND vendor=?")
}

func (r *reader) VendorSecrets(ctx context.Context, vendor store.VendorID) ([]store.VendorSecret, error) {
	vs, err := all(ctx, r, record.DecodeSecret, "SELECT data FROM {vendor_secret} WHERE realm=? AND vendor=?", r.realm, string(vendor))
	slices.SortFunc(vs, func(a, b store.VendorSecret) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), bytes.Compare(a.Digest[:], b.Digest[:]))
	})
	return vs, err
}

func (t *tx) PutVendorSecret(ctx context.Context, s store.VendorSecret) error {
	if err := t.may(ctx, s); err != nil {
		return err
	}
	if err := t.refer(vendorExists, t.realm, string(s.VendorID)); err != nil {
		return err
	}
	_, err := t.db.exec("INSERT INTO {vendor_secret} (realm, vendor, digest, expires_at, data) VALUES (?, ?, ?, ?, ?)"+
		" ON CONFLICT DO UPDATE SET expires_at=excluded.expires_at, data=excluded.data",
		t.realm, string(s.VendorID), s.Digest[:], expiry(s.ExpiresAt), record.EncodeSecret(s))
	return err
}

func (t *tx) DeleteVendorSecret(ctx context.Context, vendor store.VendorID, digest store.Digest) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	return t.remove("DELETE FROM {vendor_secret} WHERE realm=? AND vendor=? AND digest=?", t.realm, string(vendor), digest[:])
}
