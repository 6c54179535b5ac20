package memstore

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// Vendors and their secrets are kept as records. A vendor's id is the key of
// its secrets, which go with it.

type secretKey struct {
	vendor store.VendorID
	digest store.Digest
}

func keyOf(s *store.VendorSecret) secretKey { return secretKey{s.VendorID, s.Digest} }

func vendorRecord(v *store.Vendor) store.Vendor { return v.Clone() }

func newVendor(v store.Vendor) store.Vendor {
	v = v.Clone()
	v.ID, v.Name, v.ClientID = own(v.ID), own(v.Name), own(v.ClientID)
	for i, s := range v.Scopes {
		v.Scopes[i] = own(s)
	}
	return v
}

func compareSecrets(a, b *store.VendorSecret) int {
	if c := strings.Compare(string(a.VendorID), string(b.VendorID)); c != 0 {
		return c
	}
	if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
		return c
	}
	return bytes.Compare(a.Digest[:], b.Digest[:])
}

func compareSecretExpiry(a, b *store.VendorSecret) int {
	if c := a.ExpiresAt.Compare(b.ExpiresAt); c != 0 {
		return c
	}
	return compareSecrets(a, b)
}

func (x *reader) Vendor(ctx context.Context, id store.VendorID) (store.Vendor, error) {
	if err := x.ok(ctx); err != nil {
		return store.Vendor{}, err
	}
	return found(x.t.vendors[id], vendorRecord)
}

func (x *reader) VendorByClientID(ctx context.Context, clientID string) (store.Vendor, error) {
	if err := x.ok(ctx); err != nil {
		return store.Vendor{}, err
	}
	return found(x.t.byClientID[clientID], vendorRecord)
}

func (x *reader) Vendors(ctx context.Context, after store.VendorID, limit int) ([]store.Vendor, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	return page(x.t.vendorsInOrder, &store.Vendor{ID: after}, limit, all, vendorRecord), nil
}

func (x *reader) VendorSecrets(ctx context.Context, vendor store.VendorID) ([]store.VendorSecret, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	var ss []store.VendorSecret
	for _, s := range x.t.secretsOf(vendor) {
		ss = append(ss, *s)
	}
	return ss, nil
}

// secretsOf returns the rows of a vendor, oldest first.
func (t *tables) secretsOf(vendor store.VendorID) []*store.VendorSecret {
	first := &store.VendorSecret{VendorID: vendor, CreatedAt: time.Unix(-1<<62, 0)} // before every record's
	return from(t.secretsByVendor, first, func(s *store.VendorSecret) bool { return s.VendorID == vendor })
}

func (x *tx) CreateVendor(ctx context.Context, v store.Vendor) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := v.Check(); err != nil {
		return err
	}
	t := x.t
	if t.vendors[v.ID] != nil {
		return exists("ID")
	}
	if t.byClientID[v.ClientID] != nil {
		return exists("ClientID")
	}
	v.Version = 1
	v = newVendor(v)
	row := &v
	t.addVendor(row)
	x.undo(func() { t.dropVendor(row) })
	return nil
}

func (x *tx) UpdateVendor(ctx context.Context, v store.Vendor) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := v.Check(); err != nil {
		return err
	}
	t, row := x.t, x.t.vendors[v.ID]
	switch {
	case row == nil:
		return store.ErrNotFound
	case row.Version != v.Version:
		return store.ErrStale
	}
	if other := t.byClientID[v.ClientID]; other != nil && other != row {
		return exists("ClientID")
	}
	old := *row
	v = newVendor(v)
	v.CreatedAt = old.CreatedAt
	v.Version++
	t.setVendor(row, v)
	x.undo(func() { t.setVendor(row, old) })
	x.bump()
	return nil
}

func (x *tx) DeleteVendor(ctx context.Context, id store.VendorID) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	t, row := x.t, x.t.vendors[id]
	if row == nil {
		return store.ErrNotFound
	}
	owns := page(t.orgsByVendor, &org{VendorID: id}, 1, func(o *org) bool { return o.VendorID == id }, (*org).record)
	if len(owns) > 0 {
		return &store.InvalidError{Field: "VendorID", Reason: "still owns organizations"}
	}
	for _, s := range t.secretsOf(id) {
		x.deleteSecret(s)
	}
	t.dropVendor(row)
	x.undo(func() { t.addVendor(row) })
	x.bump()
	return nil
}

func (x *tx) PutVendorSecret(ctx context.Context, s store.VendorSecret) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := s.Check(); err != nil {
		return err
	}
	t, vendor := x.t, x.t.vendors[s.VendorID]
	if vendor == nil {
		return store.ErrNotFound
	}
	if old := t.secrets[keyOf(&s)]; old != nil {
		x.deleteSecret(old)
	}
	s.VendorID = vendor.ID
	t.addSecret(&s)
	x.undo(func() { t.dropSecret(&s) })
	return nil
}

func (x *tx) DeleteVendorSecret(ctx context.Context, vendor store.VendorID, digest store.Digest) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	s := x.t.secrets[secretKey{vendor, digest}]
	if s == nil {
		return store.ErrNotFound
	}
	x.deleteSecret(s)
	return nil
}

func (x *tx) deleteSecret(s *store.VendorSecret) {
	t := x.t
	t.dropSecret(s)
	x.undo(func() { t.addSecret(s) })
}

func (t *tables) addVendor(v *store.Vendor) {
	t.vendors[v.ID] = v
	t.byClientID[v.ClientID] = v
	t.vendorsInOrder.Set(v)
}

func (t *tables) dropVendor(v *store.Vendor) {
	t.vendorsInOrder.Delete(v)
	delete(t.byClientID, v.ClientID)
	delete(t.vendors, v.ID)
}

// setVendor gives a row another content under the same id.
func (t *tables) setVendor(v *store.Vendor, w store.Vendor) {
	delete(t.byClientID, v.ClientID)
	*v = w
	t.vendors[v.ID] = v
	t.byClientID[v.ClientID] = v
}

func (t *tables) addSecret(s *store.VendorSecret) {
	t.secrets[keyOf(s)] = s
	t.secretsByVendor.Set(s)
	if !s.ExpiresAt.IsZero() {
		t.secretsByExpiry.Set(s)
	}
}

func (t *tables) dropSecret(s *store.VendorSecret) {
	if !s.ExpiresAt.IsZero() {
		t.secretsByExpiry.Delete(s)
	}
	t.secretsByVendor.Delete(s)
	delete(t.secrets, keyOf(s))
}
