package storetest

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

func (u *modelUnit) Vendor(ctx context.Context, id store.VendorID) (store.Vendor, error) {
	return u.vendor(ctx, func(v store.Vendor) bool { return v.ID == id })
}

func (u *modelUnit) VendorByClientID(ctx context.Context, client string) (store.Vendor, error) {
	return u.vendor(ctx, func(v store.Vendor) bool { return v.ClientID == client })
}

func (u *modelUnit) vendor(ctx context.Context, pick func(store.Vendor) bool) (store.Vendor, error) {
	if err := u.ready(ctx); err != nil {
		return store.Vendor{}, err
	}
	v, err := one(u.vendors, pick)
	return v.Clone(), err
}

func (u *modelUnit) Vendors(ctx context.Context, after store.VendorID, limit int) ([]store.Vendor, error) {
	return cloned(first(u.vendors, limit, func(v store.Vendor) store.VendorID { return v.ID },
		func(v store.Vendor) bool { return v.ID > after }), u.ready(ctx))
}

func (u *modelUnit) takenClient(v store.Vendor) bool {
	return some(u.vendors, func(o store.Vendor) bool { return o.ID != v.ID && o.ClientID == v.ClientID })
}

func (u *modelUnit) CreateVendor(ctx context.Context, v store.Vendor) error {
	if err := u.begin(ctx, v); err != nil {
		return err
	}
	if _, there := u.vendors[v.ID]; there {
		return exists("ID")
	}
	if u.takenClient(v) {
		return exists("ClientID")
	}
	v = v.Clone()
	v.Version = 1
	u.vendors[v.ID] = v
	return nil
}

func (u *modelUnit) UpdateVendor(ctx context.Context, v store.Vendor) error {
	if err := u.begin(ctx, v); err != nil {
		return err
	}
	old, err := at(u.vendors, v.ID)
	if err != nil {
		return err
	}
	if old.Version != v.Version {
		return store.ErrStale
	}
	if u.takenClient(v) {
		return exists("ClientID")
	}
	v = v.Clone()
	v.CreatedAt = old.CreatedAt
	v.Version++
	u.vendors[v.ID] = v
	u.generation++
	return nil
}

func (u *modelUnit) DeleteVendor(ctx context.Context, id store.VendorID) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	if _, err := at(u.vendors, id); err != nil {
		return err
	}
	if some(u.orgs, func(o store.Organization) bool { return o.VendorID == id }) {
		return &store.InvalidError{Field: "VendorID", Reason: "owns an organization"}
	}
	delete(u.vendors, id)
	purge(u.secrets, func(s store.VendorSecret) bool { return s.VendorID == id })
	u.generation++
	return nil
}

func (u *modelUnit) VendorSecrets(ctx context.Context, vendor store.VendorID) ([]store.VendorSecret, error) {
	var out []store.VendorSecret
	for _, s := range u.secrets {
		if s.VendorID == vendor {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b store.VendorSecret) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), bytes.Compare(a.Digest[:], b.Digest[:]))
	})
	return out, u.ready(ctx)
}

func (u *modelUnit) PutVendorSecret(ctx context.Context, s store.VendorSecret) error {
	if err := u.begin(ctx, s); err != nil {
		return err
	}
	if _, err := at(u.vendors, s.VendorID); err != nil {
		return err
	}
	u.secrets[secretKey{s.VendorID, s.Digest}] = s
	return nil
}

func (u *modelUnit) DeleteVendorSecret(ctx context.Context, vendor store.VendorID, digest store.Digest) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	_, err := at(u.secrets, secretKey{vendor, digest})
	delete(u.secrets, secretKey{vendor, digest})
	return err
}
