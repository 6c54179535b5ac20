package storetest

import (
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

func users() subject {
	return noun[store.User]{
		name: "User", base: vendorBase, sample: sampleUser, change: changeUser,
		freeze: func(u store.User) store.User {
			u.CreatedAt, u.CreatedBy, u.CreatedByVendor = changed, "host", vendorID(1)
			return u
		},
		version: func(u *store.User) *int64 { return &u.Version },
		create:  store.Tx.CreateUser,
		update:  store.Tx.UpdateUser,
		remove: func(tx store.Tx, ctx context.Context, u store.User) error {
			return tx.DeleteUser(ctx, u.ID)
		},
		keys: []key[store.User]{{
			field: "ID",
			find: func(r store.Reader, ctx context.Context, u store.User) (store.User, error) {
				return r.User(ctx, u.ID)
			},
			copy: func(to *store.User, from store.User) { to.ID = from.ID },
			set:  func(u *store.User, s string) { u.ID = store.UserID(s) },
		}, {
			field: "UsernameKey",
			find: func(r store.Reader, ctx context.Context, u store.User) (store.User, error) {
				return r.UserByUsername(ctx, u.UsernameKey)
			},
			copy: func(to *store.User, from store.User) { to.UsernameKey = from.UsernameKey },
			set:  func(u *store.User, s string) { u.UsernameKey = s },
		}, {
			field: "EmailKey",
			find: func(r store.Reader, ctx context.Context, u store.User) (store.User, error) {
				return r.UserByEmail(ctx, u.EmailKey)
			},
			copy:  func(to *store.User, from store.User) { to.EmailKey = from.EmailKey },
			clear: func(u *store.User) { u.Email, u.EmailKey = "", "" },
			set:   func(u *store.User, s string) { u.Email, u.EmailKey = "someone", s },
		}},
		page: func(r store.Reader, ctx context.Context, after store.User, limit int) ([]store.User, error) {
			return r.Users(ctx, store.UserQuery{After: after.ID, Limit: limit})
		},
		dangling: map[string]func(*store.User){
			"CreatedByVendor": func(u *store.User) { u.CreatedByVendor = "nobody" },
		},
		broken: []fault[store.User]{
			{"ID", func(u *store.User) { u.ID = "" }},
			{"UsernameKey", func(u *store.User) { u.UsernameKey = "" }},
			{"EmailKey", func(u *store.User) { u.EmailKey = "" }},
			{"EmailKey", func(u *store.User) { u.Email = "" }},
			{"Grants", func(u *store.User) { u.Grants[1].Permission = "users.read" }},
			{"Grants", func(u *store.User) { u.Grants[0].Permission = "" }},
			{"Grants", func(u *store.User) { u.Grants[0].Kind = 0 }},
			{"Grants", func(u *store.User) { u.Grants[0].Kind = 4 }},
			{"Grants", func(u *store.User) { u.Grants[0], u.Grants[1] = u.Grants[1], u.Grants[0] }},
			{"Grants", func(u *store.User) { u.Grants[1] = u.Grants[2] }},
			{"Grants", func(u *store.User) { u.Grants[1].Scopes = []string{"b", "a"} }},
			{"Grants", func(u *store.User) { u.Grants[1].Scopes = []string{long(store.MaxKey + 1)} }},
			{"Grants", func(u *store.User) {
				u.Grants = []store.Grant{{Role: store.RoleID(long(store.MaxKey + 1)), Kind: store.ScopeRealm}}
			}},
			{"Grants", func(u *store.User) {
				u.Grants = []store.Grant{{Permission: long(store.MaxKey + 1), Kind: store.ScopeRealm}}
			}},
			{"Tenants", func(u *store.User) { u.Tenants = []string{long(store.MaxKey + 1)} }},
			{"UsernameKey", func(u *store.User) { u.UsernameKey = long(store.MaxKey + 1) }},
			{"EmailKey", func(u *store.User) { u.EmailKey = long(store.MaxKey + 1) }},
		},
	}
}
