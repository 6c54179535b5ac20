package store

import "context"

// Vendor is an OEM partner: it creates organizations and users in them.
//
// Unique in the realm: ID, ClientID.
type Vendor struct {
	ID       VendorID
	Name     string
	ClientID string
	// Scopes is a sorted set.
	Scopes    []string
	Disabled  bool
	Version   int64
	CreatedAt Time
	UpdatedAt Time
}

// Check reports the first fault of the record.
func (v Vendor) Check() error {
	var c check
	c.id("ID", string(v.ID))
	c.id("ClientID", v.ClientID)
	c.text("Name", v.Name)
	set(&c, "Scopes", v.Scopes)
	c.time("CreatedAt", v.CreatedAt)
	c.time("UpdatedAt", v.UpdatedAt)
	return c.err
}

// Clone returns a copy that shares no memory that can change. Empty lists become nil.
func (v Vendor) Clone() Vendor {
	v.Scopes = cloneList(v.Scopes)
	return v
}

// VendorSecret is one of a vendor's live secrets, as a digest. It never
// leaves the engine. Unique in the realm: (VendorID, Digest).
type VendorSecret struct {
	VendorID  VendorID
	Digest    Digest
	CreatedAt Time
	// ExpiresAt is when the secret stops working; zero for never.
	ExpiresAt Time
}

// Check reports the first fault of the record.
func (s VendorSecret) Check() error {
	var c check
	c.id("VendorID", string(s.VendorID))
	c.digest("Digest", s.Digest)
	c.time("CreatedAt", s.CreatedAt)
	c.time("ExpiresAt", s.ExpiresAt)
	return c.err
}

// VendorReader finds vendors and their secrets.
type VendorReader interface {
	Vendor(ctx context.Context, id VendorID) (Vendor, error)
	VendorByClientID(ctx context.Context, clientID string) (Vendor, error)
	// Vendors returns a page in the order of ids after (exclusive) the one that is given.
	Vendors(ctx context.Context, after VendorID, limit int) ([]Vendor, error)
	// VendorSecrets returns all secrets, expired ones included, oldest first
	// (by CreatedAt, then by Digest); none for an unknown vendor.
	VendorSecrets(ctx context.Context, vendor VendorID) ([]VendorSecret, error)
}

// VendorWriter changes vendors and their secrets.
type VendorWriter interface {
	// CreateVendor fails on a duplicate "ID" or "ClientID", checked in this order.
	CreateVendor(ctx context.Context, v Vendor) error
	// UpdateVendor replaces the record but ID and CreatedAt, which stay. A
	// stale version is reported before a duplicate.
	UpdateVendor(ctx context.Context, v Vendor) error
	// DeleteVendor removes the vendor with its secrets. While it owns an
	// organization it is refused with an *InvalidError for "VendorID".
	DeleteVendor(ctx context.Context, id VendorID) error
	// PutVendorSecret adds a secret or replaces the one of the same digest.
	PutVendorSecret(ctx context.Context, s VendorSecret) error
	DeleteVendorSecret(ctx context.Context, vendor VendorID, digest Digest) error
}
