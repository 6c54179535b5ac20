package storetest

import (
	"context"
	"errors"

	"github.com/usermgmt-go/usermgmt/store"
)

// generation returns the committed one, and skips the case without one.
func (t *trial) generation() uint64 {
	t.Helper()
	g, err := t.store.Generation(t.ctx, realm)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("this store has no generations")
	}
	t.ok("Generation", err)
	return g
}

// editUser reads a user, changes him and writes him back.
func editUser(ctx context.Context, tx store.Tx, edit func(*store.User)) error {
	u, err := tx.User(ctx, userID(0))
	if err != nil {
		return err
	}
	edit(&u)
	return tx.UpdateUser(ctx, u)
}

func generationCases() []testCase {
	type (
		ctx = context.Context
		tx  = store.Tx
	)
	moving := []command{
		{"a_user_is_deleted", func(c ctx, x tx) error { return x.DeleteUser(c, userID(1)) }},
		{"a_user_is_disabled", func(c ctx, x tx) error {
			return editUser(c, x, func(u *store.User) { u.Disabled = !u.Disabled })
		}},
		{"a_user_loses_a_grant", func(c ctx, x tx) error {
			return editUser(c, x, func(u *store.User) { u.Grants = u.Grants[:1] })
		}},
		{"a_user_loses_all_grants", func(c ctx, x tx) error {
			return editUser(c, x, func(u *store.User) { u.Grants = nil })
		}},
		{"a_grant_changes_its_scopes", func(c ctx, x tx) error {
			return editUser(c, x, func(u *store.User) { u.Grants[1].Scopes = []string{"org-001"} })
		}},
		{"a_grant_becomes_unbounded", func(c ctx, x tx) error {
			return editUser(c, x, func(u *store.User) { u.Grants[1].Scopes = nil })
		}},
		{"a_user_changes_tenants", func(c ctx, x tx) error {
			return editUser(c, x, func(u *store.User) { u.Tenants = []string{"any"} })
		}},
		{"a_membership_is_updated", func(c ctx, x tx) error {
			return x.UpdateMembership(c, changeMembership(sampleMembership(0)))
		}},
		{"a_membership_is_deleted", func(c ctx, x tx) error { return x.DeleteMembership(c, orgID(0), userID(1)) }},
		{"an_organization_is_updated", func(c ctx, x tx) error {
			return x.UpdateOrganization(c, changeOrganization(sampleOrganization(0)))
		}},
		{"an_organization_is_deleted", func(c ctx, x tx) error { return x.DeleteOrganization(c, orgID(1)) }},
		{"a_role_is_updated", func(c ctx, x tx) error { return x.UpdateRole(c, changeRole(sampleRole(0))) }},
		{"a_role_is_deleted", func(c ctx, x tx) error { return x.DeleteRole(c, roleID(1)) }},
		{"a_tenant_is_updated", func(c ctx, x tx) error { return x.UpdateTenant(c, changeTenant(sampleTenant(0))) }},
		{"a_tenant_is_deleted", func(c ctx, x tx) error { return x.DeleteTenant(c, tenantID(1)) }},
		{"a_vendor_is_updated", func(c ctx, x tx) error { return x.UpdateVendor(c, changeVendor(sampleVendor(0))) }},
		{"a_vendor_is_deleted", func(c ctx, x tx) error { return x.DeleteVendor(c, vendorID(1)) }},
		{"a_key_is_deleted", func(c ctx, x tx) error { return x.DeleteKey(c, keyID(0)) }},
		{"a_session_is_deleted", func(c ctx, x tx) error { return x.DeleteSession(c, sessionID(1)) }},
		{"the_sessions_of_a_user_are_deleted", func(c ctx, x tx) error {
			n, err := x.DeleteSessions(c, sampleSession(1).UserID)
			if n == 0 {
				return must(err, errWanted)
			}
			return err
		}},
		{"a_session_expires_and_is_deleted", func(c ctx, x tx) error {
			_, err := x.DeleteExpired(c, sampleSession(1).ExpiresAt, 1_000)
			if _, gone := x.Session(c, sessionID(1)); !errors.Is(gone, store.ErrNotFound) {
				return must(err, errWanted)
			}
			return err
		}},
		{"a_permission_is_put", func(c ctx, x tx) error { return x.PutPermission(c, "things.new") }},
		{"a_permission_is_deleted", func(c ctx, x tx) error { return x.DeletePermission(c, "things.do-0") }},
	}
	still := []command{
		{"creation", func(c ctx, x tx) error {
			var err error
			for _, n := range nouns() {
				if n.title() != "Token" {
					err = must(err, n.fill(c, x, worldSize, worldSize+1))
				}
			}
			return err
		}},
		{"credentials", func(c ctx, x tx) error {
			again := sampleCredential(0)
			again.Version = 1
			return must(x.PutCredential(c, again), x.DeleteCredential(c, userID(1)))
		}},
		{"a_user_without_sessions", func(c ctx, x tx) error {
			n, err := x.DeleteSessions(c, "nobody")
			if n != 0 {
				return must(err, errWanted)
			}
			return err
		}},
		{"tokens", func(c ctx, x tx) error {
			_, err := x.UseToken(c, sampleToken(0).Kind, sampleToken(0).Digest, changed)
			return must(err, x.CreateToken(c, sampleToken(7)), x.DeleteToken(c, sampleToken(1).Kind, sampleToken(1).Digest))
		}},
		{"failures", func(c ctx, x tx) error {
			return must(x.PutFailures(c, sampleFailures(worldSize)), x.PutFailures(c, changeFailures(sampleFailures(0))),
				x.DeleteFailures(c, sampleFailures(1).Key))
		}},
		{"events", func(c ctx, x tx) error {
			_, err := x.DropEvents(c, 1<<62)
			return must(err, x.AppendEvent(c, sampleEvent(7)))
		}},
		{"refused_calls", func(c ctx, x tx) error {
			stale, gone := sampleRole(0), store.ErrNotFound
			stale.Version = 9
			if err := x.UpdateRole(c, stale); !errors.Is(err, store.ErrStale) {
				return must(errWanted, err)
			}
			if err := x.DeleteUser(c, "nobody"); !errors.Is(err, gone) {
				return must(errWanted, err)
			}
			return nil
		}},
	}
	fill := func(t *trial) uint64 {
		t.Helper()
		t.generation()
		t.update(func(x store.Tx) error { return world(t.ctx, x) })
		return t.generation()
	}
	var cs []testCase
	for _, act := range moving {
		cs = append(cs, testCase{"changes_when_" + act.name, func(t *trial) {
			before := fill(t)
			err := t.store.Update(t.ctx, realm, func(x store.Tx) error { return must(act.do(t.ctx, x), errWanted) })
			t.fails("Update", err, errWanted)
			t.equal("Generation after the rollback", t.generation(), before)
			t.update(func(x store.Tx) error { return act.do(t.ctx, x) })
			after := t.generation()
			if after == before {
				t.Errorf("Generation: got %d again after the commit, want another", after)
			}
			t.view(func(r store.Reader) error {
				g, err := r.Generation(t.ctx)
				t.equal("Reader.Generation", g, after)
				return err
			})
			t.equal("Generation asked again", t.generation(), after)
		}})
	}
	for _, act := range still {
		cs = append(cs, testCase{"is_not_changed_by_" + act.name, func(t *trial) {
			before := fill(t)
			t.update(func(x store.Tx) error { return act.do(t.ctx, x) })
			t.equal("Generation", t.generation(), before)
		}})
	}
	return append(cs,
		testCase{"never_comes_back_to_an_earlier_number", func(t *trial) {
			t.generation()
			seen := map[uint64]bool{}
			t.update(func(x store.Tx) error { return x.CreateRole(t.ctx, sampleRole(0)) })
			seen[t.generation()] = true
			for v := range 40 {
				r := sampleRole(0)
				r.Version = int64(v) + 1
				if v%4 == 3 { // a rolled-back unit in between
					_ = t.store.Update(t.ctx, realm, func(x store.Tx) error { return must(x.UpdateRole(t.ctx, r), errWanted) })
				}
				t.update(func(x store.Tx) error { return x.UpdateRole(t.ctx, r) })
				g := t.generation()
				if seen[g] {
					t.Fatalf("Generation: got %d a second time after update %d, want a new number", g, v)
				}
				seen[g] = true
			}
		}},
		testCase{"is_seen_by_everybody_as_soon_as_Update_returns", func(t *trial) {
			t.generation()
			t.update(func(x store.Tx) error {
				var err error
				for i := range 4 {
					err = must(err, x.CreateRole(t.ctx, sampleRole(i)))
				}
				return err
			})
			errs := race(4, func(i int) error {
				for v := range 20 {
					before, err := t.store.Generation(t.ctx, realm)
					if err != nil {
						return err
					}
					r := sampleRole(i)
					r.Version = int64(v) + 1
					if err := t.store.Update(t.ctx, realm, func(x store.Tx) error { return x.UpdateRole(t.ctx, r) }); err != nil {
						return err
					}
					after, err := t.store.Generation(t.ctx, realm)
					if err != nil {
						return err
					}
					if after == before {
						return errors.New("Generation is the same right after a commit")
					}
				}
				return nil
			})
			t.ok("updates of four roles at once", must(errs...))
		}},
	)
}
