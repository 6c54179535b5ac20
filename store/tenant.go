package store

import "context"

// Tenant is a data partition that users are assigned to.
type Tenant struct {
	ID   TenantID
	Name string
	// Type is the host's word, such as "test" or "production".
	Type      string
	Version   int64
	CreatedAt Time
	UpdatedAt Time
}

// Check reports the first fault of the record.
func (t Tenant) Check() error {
	var c check
	c.id("ID", string(t.ID))
	c.text("Name", t.Name)
	c.text("Type", t.Type)
	c.time("CreatedAt", t.CreatedAt)
	c.time("UpdatedAt", t.UpdatedAt)
	return c.err
}

// TenantReader finds tenants.
type TenantReader interface {
	Tenant(ctx context.Context, id TenantID) (Tenant, error)
	// Tenants returns a page in the order of ids after (exclusive) the one that is given.
	Tenants(ctx context.Context, after TenantID, limit int) ([]Tenant, error)
}

// TenantWriter changes tenants.
type TenantWriter interface {
	// CreateTenant fails on a duplicate "ID".
	CreateTenant(ctx context.Context, t Tenant) error
	// UpdateTenant replaces the record but ID and CreatedAt, which stay.
	UpdateTenant(ctx context.Context, t Tenant) error
	// DeleteTenant removes the tenant; assignments are left to the caller.
	DeleteTenant(ctx context.Context, id TenantID) error
}
