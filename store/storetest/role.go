package storetest

import (
	"context"
	"strconv"

	"github.com/usermgmt-go/usermgmt/store"
)

func roles() subject {
	return noun[store.Role]{
		name: "Role", base: noBase, sample: sampleRole, change: changeRole,
		freeze: func(r store.Role) store.Role {
			r.Scope, r.CreatedAt, r.CreatedBy = store.ScopeFacility, changed, "host"
			return r
		},
		version: func(r *store.Role) *int64 { return &r.Version },
		create:  store.Tx.CreateRole,
		update:  store.Tx.UpdateRole,
		remove: func(tx store.Tx, ctx context.Context, r store.Role) error {
			return tx.DeleteRole(ctx, r.ID)
		},
		keys: []key[store.Role]{{
			field: "ID",
			find: func(r store.Reader, ctx context.Context, role store.Role) (store.Role, error) {
				return r.Role(ctx, role.ID)
			},
			copy: func(to *store.Role, from store.Role) { to.ID = from.ID },
			set:  func(r *store.Role, s string) { r.ID = store.RoleID(s) },
		}, {
			field: "Name",
			find: func(r store.Reader, ctx context.Context, role store.Role) (store.Role, error) {
				return r.RoleByName(ctx, role.Scope, role.Name)
			},
			copy: func(to *store.Role, from store.Role) { to.Scope, to.Name = from.Scope, from.Name },
			set:  func(r *store.Role, s string) { r.Name = s },
		}},
		page: func(r store.Reader, ctx context.Context, after store.Role, limit int) ([]store.Role, error) {
			return r.Roles(ctx, after.ID, limit)
		},
		broken: []fault[store.Role]{
			{"ID", func(r *store.Role) { r.ID = "" }},
			{"Name", func(r *store.Role) { r.Name = "" }},
			{"Scope", func(r *store.Role) { r.Scope = 0 }},
			{"Scope", func(r *store.Role) { r.Scope = 4 }},
		},
	}
}

func roleCases() []testCase {
	return []testCase{
		{"name_is_unique_within_its_scope_alone", func(t *trial) {
			t.update(func(tx store.Tx) error {
				var err error
				for i := range 3 {
					r := sampleRole(i)
					r.Name, r.Scope = "admin", store.ScopeRealm+store.ScopeKind(i)
					err = must(err, tx.CreateRole(t.ctx, r))
				}
				return err
			})
			t.view(func(r store.Reader) error {
				for i := range 3 {
					got, err := r.RoleByName(t.ctx, store.ScopeRealm+store.ScopeKind(i), "admin")
					t.ok("RoleByName", err)
					t.equal("RoleByName, its id", got.ID, roleID(i))
				}
				_, err := r.RoleByName(t.ctx, 0, "admin")
				t.fails("RoleByName of no scope", err, store.ErrNotFound)
				return nil
			})
		}},
		{"update_is_checked_under_the_scope_that_stays", func(t *trial) {
			a, b := sampleRole(0), sampleRole(1)
			c := sampleRole(2)
			c.Scope, c.Name = store.ScopeRealm, a.Name
			t.update(func(tx store.Tx) error {
				return must(tx.CreateRole(t.ctx, a), tx.CreateRole(t.ctx, b), tx.CreateRole(t.ctx, c))
			})
			t.update(func(tx store.Tx) error {
				b := b
				b.Scope, b.Name = store.ScopeFacility, a.Name
				t.duplicate("UpdateRole to a name of its scope", tx.UpdateRole(t.ctx, b), "Name")
				a := a
				a.Scope = store.ScopeRealm // the name is taken there
				return tx.UpdateRole(t.ctx, a)
			})
		}},
		{"RolesByID_returns_those_that_exist_in_order_each_once", func(t *trial) {
			t.update(func(tx store.Tx) error {
				return must(tx.CreateRole(t.ctx, sampleRole(2)), tx.CreateRole(t.ctx, sampleRole(0)), tx.CreateRole(t.ctx, sampleRole(1)))
			})
			t.view(func(r store.Reader) error {
				got, err := r.RolesByID(t.ctx, []store.RoleID{roleID(1), "none", roleID(0), roleID(1), "", "ROLE-000"})
				t.equal("RolesByID", got, []store.Role{sampleRole(0), sampleRole(1)})
				for _, ids := range [][]store.RoleID{nil, {}, {"none"}} {
					none, err := r.RolesByID(t.ctx, ids)
					t.ok("RolesByID", err)
					t.equal("RolesByID of nothing", none, []store.Role(nil))
				}
				many := make([]store.RoleID, 10_000)
				for i := range many {
					many[i] = roleID(i + 2)
				}
				got, errMany := r.RolesByID(t.ctx, many)
				t.equal("RolesByID of 10,000 ids", got, []store.Role{sampleRole(2)})
				return must(err, errMany)
			})
		}},
		{"RolesByID_shares_no_memory", func(t *trial) {
			t.update(func(tx store.Tx) error { return tx.CreateRole(t.ctx, sampleRole(0)) })
			t.view(func(r store.Reader) error {
				for range 2 {
					got, err := r.RolesByID(t.ctx, []store.RoleID{roleID(0)})
					t.ok("RolesByID", err)
					if t.equal("RolesByID", got, []store.Role{sampleRole(0)}) {
						got[0].Permissions[0] = "scribble"
					}
				}
				return nil
			})
		}},
	}
}

func permissionCases() []testCase {
	list := func(t *trial, want ...string) {
		t.Helper()
		t.view(func(r store.Reader) error {
			got, err := r.Permissions(t.ctx)
			t.equal("Permissions", got, want)
			return err
		})
	}
	put := func(t *trial, names ...string) {
		t.Helper()
		t.update(func(tx store.Tx) error {
			var err error
			for _, name := range names {
				err = must(err, tx.PutPermission(t.ctx, name))
			}
			return err
		})
	}
	return []testCase{
		{"list_is_sorted_by_bytes", func(t *trial) {
			put(t, "b.x", "a.y", "B.x", "ä.x", "a.x")
			list(t, "B.x", "a.x", "a.y", "b.x", "ä.x")
		}},
		{"empty_list_is_nil", func(t *trial) {
			list(t)
			put(t, "a.x")
			t.update(func(tx store.Tx) error { return tx.DeletePermission(t.ctx, "a.x") })
			list(t)
		}},
		{"put_again_changes_nothing", func(t *trial) {
			put(t, "a.x", "a.x")
			put(t, "a.x")
			list(t, "a.x")
		}},
		{"deleted_is_gone_and_others_stay", func(t *trial) {
			put(t, "a.x", "b.x", "c.x")
			t.update(func(tx store.Tx) error { return tx.DeletePermission(t.ctx, "b.x") })
			list(t, "a.x", "c.x")
			put(t, "b.x")
			list(t, "a.x", "b.x", "c.x")
		}},
		{"delete_of_absent_is_not_found", func(t *trial) {
			put(t, "a.x")
			t.update(func(tx store.Tx) error {
				t.fails("DeletePermission", tx.DeletePermission(t.ctx, "A.x"), store.ErrNotFound)
				return nil
			})
			list(t, "a.x")
		}},
		{"name_has_1_to_128_bytes_of_text", func(t *trial) {
			t.update(func(tx store.Tx) error {
				for _, name := range append([]string{"", long(129)}, malformed...) {
					t.invalid("PutPermission of "+strconv.Quote(name), tx.PutPermission(t.ctx, name), "")
				}
				return nil
			})
			list(t)
			put(t, "a", long(128))
			list(t, "a", long(128))
		}},
		{"unit_reads_its_own_writes_and_rollback_takes_them_back", func(t *trial) {
			put(t, "a.x", "b.x")
			err := t.store.Update(t.ctx, realm, func(tx store.Tx) error {
				err := must(tx.PutPermission(t.ctx, "c.x"), tx.DeletePermission(t.ctx, "a.x"))
				got, errL := tx.Permissions(t.ctx)
				t.equal("Permissions within the unit", got, []string{"b.x", "c.x"})
				return must(err, errL, errWanted)
			})
			t.fails("Update", err, errWanted)
			list(t, "a.x", "b.x")
		}},
		{"list_is_not_shared", func(t *trial) {
			put(t, "a.x", "b.x")
			t.view(func(r store.Reader) error {
				for range 2 {
					got, err := r.Permissions(t.ctx)
					t.ok("Permissions", err)
					if t.equal("Permissions", got, []string{"a.x", "b.x"}) {
						got[0] = "scribble"
					}
				}
				return nil
			})
		}},
	}
}
