package storetest

import (
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

func tenants() subject {
	return noun[store.Tenant]{
		name: "Tenant", base: noBase, sample: sampleTenant, change: changeTenant,
		freeze: func(t store.Tenant) store.Tenant {
			t.CreatedAt = changed
			return t
		},
		version: func(t *store.Tenant) *int64 { return &t.Version },
		create:  store.Tx.CreateTenant,
		update:  store.Tx.UpdateTenant,
		remove: func(tx store.Tx, ctx context.Context, t store.Tenant) error {
			return tx.DeleteTenant(ctx, t.ID)
		},
		keys: []key[store.Tenant]{{
			field: "ID",
			find: func(r store.Reader, ctx context.Context, t store.Tenant) (store.Tenant, error) {
				return r.Tenant(ctx, t.ID)
			},
			copy: func(to *store.Tenant, from store.Tenant) { to.ID = from.ID },
			set:  func(t *store.Tenant, s string) { t.ID = store.TenantID(s) },
		}},
		page: func(r store.Reader, ctx context.Context, after store.Tenant, limit int) ([]store.Tenant, error) {
			return r.Tenants(ctx, after.ID, limit)
		},
		broken: []fault[store.Tenant]{{"ID", func(t *store.Tenant) { t.ID = "" }}},
	}
}
