package pgstore

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func vendors() table[store.Vendor] {
	return table[store.Vendor]{"{vendor}", []string{"id"}, record.DecodeVendor, func(v store.Vendor) rowKey { return vendorKey(v.ID) }}
}

func vendorKey(id store.VendorID) rowKey { return rowKey{table: "{vendor}", a: string(id)} }

func vendorParent(t *tx, id store.VendorID) parent {
	return parent{"SELECT 1 FROM {vendor} WHERE realm=$1 AND id=$2", []any{t.realm, string(id)}}
}

func (r *reader) Vendor(ctx context.Context, id store.VendorID) (store.Vendor, error) {
	return findKey(ctx, r, vendors(), vendorKey(id), "id=$2", string(id))
}

func (r *reader) VendorByClientID(ctx context.Context, clientID string) (store.Vendor, error) {
	return find(ctx, r, vendors(), "client_id=$2", clientID)
}

func (r *reader) Vendors(ctx context.Context, since store.VendorID, limit int) ([]store.Vendor, error) {
	return list(ctx, r, record.DecodeVendor, limit,
		"SELECT data FROM {vendor} WHERE realm=$1 AND id>$2 ORDER BY id LIMIT $3", r.realm, after(since))
}

func (t *tx) clientRule(v store.Vendor) rule {
	return rule{"ClientID", "SELECT 1 FROM {vendor} WHERE realm=$1 AND client_id=$2", []any{t.realm, v.ClientID}}
}

func (t *tx) CreateVendor(ctx context.Context, v store.Vendor) error {
	if err := t.may(ctx, v); err != nil {
		return err
	}
	v.Version = 1
	return t.create(ctx, nil, []rule{
		{"ID", "SELECT 1 FROM {vendor} WHERE realm=$1 AND id=$2", []any{t.realm, string(v.ID)}}, t.clientRule(v),
	}, "INSERT INTO {vendor} (realm, id, client_id, data) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
		t.realm, string(v.ID), v.ClientID, record.EncodeVendor(v))
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
	var rules []rule
	if v.ClientID != old.ClientID {
		rules = append(rules, t.clientRule(v))
	}
	data := record.EncodeVendor(v)
	err = replace(ctx, t, vendors(), v, data, rules, "UPDATE {vendor} SET client_id=$4, data=$5 WHERE realm=$1 AND id=$2 AND data=$3",
		t.realm, string(v.ID), t.seen[vendorKey(v.ID)].data, v.ClientID, data)
	t.rights = t.rights || err == nil
	return err
}

func (t *tx) DeleteVendor(ctx context.Context, id store.VendorID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	if !record.IsText(string(id)) {
		return store.ErrNotFound
	}
	// Nobody can give the vendor an organization once the row is locked.
	var there, owns bool
	err := t.conn.run(ctx,
		step{sql: "SELECT true FROM {vendor} WHERE realm=$1 AND id=$2 FOR UPDATE", args: []any{t.realm, string(id)}, row: into(&there)},
		step{sql: "SELECT EXISTS (SELECT 1 FROM {organization} WHERE realm=$1 AND vendor_id=$2)", args: []any{t.realm, string(id)}, row: into(&owns)})
	switch {
	case err != nil:
		return err
	case !there:
		return store.ErrNotFound
	case owns:
		return invalid("VendorID", "must not own organizations")
	}
	if err := t.remove(ctx, vendorKey(id), vendors().keys, "DELETE FROM {vendor} WHERE realm=$1 AND id=$2", t.realm, string(id)); err != nil {
		return err
	}
	t.rights = true
	t.leaveAll([]any{t.realm, string(id)}, "DELETE FROM {vendor_secret} WHERE realm=$1 AND vendor_id=$2")
	return nil
}

func (r *reader) VendorSecrets(ctx context.Context, vendor store.VendorID) ([]store.VendorSecret, error) {
	vs, err := all(ctx, r, record.DecodeSecret, "SELECT data FROM {vendor_secret} WHERE realm=$1 AND vendor_id=$2", r.realm, string(vendor))
	slices.SortFunc(vs, func(a, b store.VendorSecret) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), bytes.Compare(a.Digest[:], b.Digest[:]))
	})
	return vs, err
}

func (t *tx) PutVendorSecret(ctx context.Context, s store.VendorSecret) error {
	if err := t.may(ctx, s); err != nil {
		return err
	}
	return t.create(ctx, []parent{vendorParent(t, s.VendorID)}, nil,
		"INSERT INTO {vendor_secret} (realm, vendor_id, digest, expires_at, data) SELECT $1, $2, $3::bytea, $4::bigint, $5::bytea"+
			" WHERE EXISTS (SELECT 1 FROM {vendor} WHERE realm=$1 AND id=$2)"+
			" ON CONFLICT (realm, vendor_id, digest) DO UPDATE SET expires_at=excluded.expires_at, data=excluded.data",
		t.realm, string(s.VendorID), s.Digest[:], expiry(s.ExpiresAt), record.EncodeSecret(s))
}

func (t *tx) DeleteVendorSecret(ctx context.Context, vendor store.VendorID, digest store.Digest) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	return t.remove(ctx, rowKey{}, nil, "DELETE FROM {vendor_secret} WHERE realm=$1 AND vendor_id=$2 AND digest=$3",
		t.realm, string(vendor), digest[:])
}
