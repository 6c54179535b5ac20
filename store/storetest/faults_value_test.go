package storetest_test

import (
	"slices"
	"strings"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// valueFaults concern what becomes of a record on its way.
func valueFaults() []fault {
	return []fault{
		{
			name: "slice shared with the caller",
			faulty: func() *faulty {
				type given struct{ own, copy []string }
				return &faulty{tx: func(f *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRole{Tx: tx, role: func(tx store.Tx, ctx ctxt, id store.RoleID) (store.Role, error) {
						r, err := tx.Role(ctx, id)
						if err != nil {
							return r, err
						}
						// As long as the role is as it was, the same memory is given out.
						g := remember(f, id, func(g given) given {
							if g.own == nil || !slices.Equal(g.copy, r.Permissions) {
								return given{r.Permissions, slices.Clone(r.Permissions)}
							}
							return g
						})
						r.Permissions = g.own
						return r, nil
					}}
				}}
			},
			caught: []string{"Role/what_is_returned_is_not_shared"},
		},
		{
			name: "slice of the caller kept",
			faulty: func() *faulty {
				type given struct{ own, copy []string }
				return &faulty{tx: func(f *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRole{Tx: tx, create: func(tx store.Tx, ctx ctxt, r store.Role) error {
						remember(f, r.ID, func(given) given { return given{r.Permissions, slices.Clone(r.Permissions)} })
						return tx.CreateRole(ctx, r)
					}, role: func(tx store.Tx, ctx ctxt, id store.RoleID) (store.Role, error) {
						r, err := tx.Role(ctx, id)
						g := remember(f, id, func(g given) given { return g })
						if err == nil && len(g.own) > 0 && slices.Equal(g.copy, r.Permissions) {
							r.Permissions = slices.Clone(g.own)
						}
						return r, err
					}}
				}}
			},
			caught: []string{"Role/what_is_passed_in_is_not_kept"},
		},
		{
			name: "empty list not nil",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRole{Tx: tx, role: func(tx store.Tx, ctx ctxt, id store.RoleID) (store.Role, error) {
						r, err := tx.Role(ctx, id)
						if err == nil && r.Permissions == nil {
							r.Permissions = []string{}
						}
						return r, err
					}}
				}}
			},
			caught: []string{"Role/empty_lists_come_back_nil"},
		},
		{
			name: "times lose their microseconds",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRest{Tx: tx, tenant: func(tx store.Tx, ctx ctxt, id store.TenantID) (store.Tenant, error) {
						t, err := tx.Tenant(ctx, id)
						if t.CreatedAt.Year() > 3000 {
							t.CreatedAt = t.CreatedAt.Truncate(time.Millisecond)
						}
						return t, err
					}}
				}}
			},
			caught: []string{"Tenant/times_are_kept_to_the_microsecond"},
		},
		{
			name: "the epoch taken for no time",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRest{Tx: tx, vendor: func(tx store.Tx, ctx ctxt, id store.VendorID) (store.Vendor, error) {
						v, err := tx.Vendor(ctx, id)
						if v.CreatedAt.UnixMicro() == 0 {
							v.CreatedAt = time.Time{}
						}
						return v, err
					}}
				}}
			},
			caught: []string{"Vendor/times_are_kept_to_the_microsecond"},
		},
		{
			name: "trailing space trimmed",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRole{Tx: tx, byName: func(tx store.Tx, ctx ctxt, scope store.ScopeKind, name string) (store.Role, error) {
						return tx.RoleByName(ctx, scope, strings.TrimRight(name, " "))
					}}
				}}
			},
			caught: []string{"Text/Role_Name_compares_by_bytes"},
		},
	}
}
