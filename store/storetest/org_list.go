package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/usermgmt-go/usermgmt/store"
)

// plainOrganization has an id alone.
func plainOrganization(id string) store.Organization {
	return store.Organization{ID: store.OrganizationID(id), Version: 1}
}

func organizationCases() []testCase {
	// seed creates an organization of each of two vendors with the same keys.
	seed := func(t *trial) (ours, theirs store.Organization) {
		t.Helper()
		ours, theirs = sampleOrganization(0), sampleOrganization(0)
		theirs.ID, theirs.Slug, theirs.VendorID = orgID(1), "theirs", vendorID(1)
		t.update(func(tx store.Tx) error {
			return must(vendorBase(t.ctx, tx, 0), tx.CreateOrganization(t.ctx, ours), tx.CreateOrganization(t.ctx, theirs))
		})
		return ours, theirs
	}
	return []testCase{
		{"bare_record_keeps_empty_fields_empty", func(t *trial) {
			t.update(func(tx store.Tx) error {
				return must(tx.CreateOrganization(t.ctx, plainOrganization("a")), tx.CreateOrganization(t.ctx, plainOrganization("b")))
			})
			t.view(func(r store.Reader) error {
				got, err := r.Organizations(t.ctx, store.OrganizationQuery{Limit: 9})
				t.equal("Organizations", got, []store.Organization{plainOrganization("a"), plainOrganization("b")})
				_, none := r.OrganizationBySlug(t.ctx, "")
				t.fails("OrganizationBySlug of an empty one", none, store.ErrNotFound)
				_, none = r.OrganizationByVendorID(t.ctx, "", "")
				t.fails("OrganizationByVendorID of empty ones", none, store.ErrNotFound)
				_, none = r.OrganizationByDomain(t.ctx, "", "")
				t.fails("OrganizationByDomain of empty ones", none, store.ErrNotFound)
				return err
			})
		}},
		{"vendors_do_not_collide_nor_find_each_others", func(t *trial) {
			ours, theirs := seed(t)
			t.view(func(r store.Reader) error {
				for v, want := range []store.Organization{ours, theirs} {
					got, err := r.OrganizationByVendorID(t.ctx, vendorID(v), ours.VendorOrganizationID)
					t.ok("OrganizationByVendorID", err)
					t.equal("OrganizationByVendorID", got, want)
					got, err = r.OrganizationByDomain(t.ctx, vendorID(v), ours.MatchDomain)
					t.ok("OrganizationByDomain", err)
					t.equal("OrganizationByDomain", got, want)
				}
				for _, v := range []store.VendorID{"", "nobody"} {
					_, err := r.OrganizationByVendorID(t.ctx, v, ours.VendorOrganizationID)
					t.fails(fmt.Sprintf("OrganizationByVendorID of %q", v), err, store.ErrNotFound)
					_, err = r.OrganizationByDomain(t.ctx, v, ours.MatchDomain)
					t.fails(fmt.Sprintf("OrganizationByDomain of %q", v), err, store.ErrNotFound)
				}
				return nil
			})
		}},
		{"update_is_checked_under_the_vendor_that_stays", func(t *trial) {
			_, theirs := seed(t)
			late := sampleOrganization(2) // ours, with other keys
			t.update(func(tx store.Tx) error { return tx.CreateOrganization(t.ctx, late) })
			t.update(func(tx store.Tx) error {
				o := late
				o.VendorID, o.MatchDomain = vendorID(1), theirs.MatchDomain
				t.duplicate("UpdateOrganization to a domain of its vendor's", tx.UpdateOrganization(t.ctx, o), "MatchDomain")
				return nil
			})
			t.update(func(tx store.Tx) error { // free it for the own vendor only
				o := sampleOrganization(0)
				o.MatchDomain = ""
				return tx.UpdateOrganization(t.ctx, o)
			})
			t.update(func(tx store.Tx) error {
				o := late
				o.VendorID, o.MatchDomain = vendorID(1), theirs.MatchDomain
				return tx.UpdateOrganization(t.ctx, o)
			})
			t.view(func(r store.Reader) error {
				got, err := r.OrganizationByDomain(t.ctx, vendorID(0), theirs.MatchDomain)
				t.equal("OrganizationByDomain, its id", got.ID, late.ID)
				return err
			})
		}},
		{"update_cannot_give_an_organization_without_vendor_a_vendors_key", func(t *trial) {
			t.update(func(tx store.Tx) error {
				return must(vendorBase(t.ctx, tx, 0), tx.CreateOrganization(t.ctx, plainOrganization("a")))
			})
			before := t.picture(realm)
			t.update(func(tx store.Tx) error {
				// The record is valid as given, but its vendor is not taken over.
				o := plainOrganization("a")
				o.VendorID, o.MatchDomain = vendorID(0), "x.example"
				t.invalid("UpdateOrganization", tx.UpdateOrganization(t.ctx, o), "VendorID")
				o.MatchDomain, o.VendorOrganizationID = "", "x"
				t.invalid("UpdateOrganization", tx.UpdateOrganization(t.ctx, o), "VendorID")
				return nil
			})
			t.samePicture("after the refused updates", realm, before)
		}},
		{"domain_without_match_is_not_unique_and_finds_nothing", func(t *trial) {
			a, b := sampleOrganization(0), sampleOrganization(1)
			a.MatchDomain, b.MatchDomain, b.Domain = "", "", a.Domain
			t.update(func(tx store.Tx) error {
				return must(vendorBase(t.ctx, tx, 0), tx.CreateOrganization(t.ctx, a), tx.CreateOrganization(t.ctx, b))
			})
			t.view(func(r store.Reader) error {
				_, err := r.OrganizationByDomain(t.ctx, vendorID(0), a.Domain)
				t.fails("OrganizationByDomain", err, store.ErrNotFound)
				return nil
			})
		}},
		{"OrganizationsByID_returns_those_that_exist_in_order_each_once", func(t *trial) {
			t.update(func(tx store.Tx) error {
				err := vendorBase(t.ctx, tx, 0)
				for _, i := range []int{2, 0, 1, 3} {
					err = must(err, tx.CreateOrganization(t.ctx, sampleOrganization(i)))
				}
				return err
			})
			many := make([]store.OrganizationID, 10_000)
			for i := range many {
				many[i] = store.OrganizationID(fmt.Sprintf("absent-%05d", i))
			}
			many[0], many[5_000], many[9_999] = orgID(3), orgID(0), orgID(2)
			t.view(func(r store.Reader) error {
				for _, c := range []struct {
					ask  []store.OrganizationID
					want []store.Organization
				}{
					{nil, nil},
					{[]store.OrganizationID{"x", "", "ORG-000"}, nil},
					{[]store.OrganizationID{orgID(2), orgID(0), "nowhere", orgID(2)}, []store.Organization{sampleOrganization(0), sampleOrganization(2)}},
					{many, []store.Organization{sampleOrganization(0), sampleOrganization(2), sampleOrganization(3)}},
				} {
					asked := slices.Clone(c.ask)
					os, err := r.OrganizationsByID(t.ctx, asked)
					t.ok("OrganizationsByID", err)
					call := fmt.Sprintf("OrganizationsByID(%d ids)", len(asked))
					t.equal(call, os, c.want)
					t.equal("the ids that were asked for", asked, slices.Clone(c.ask))
				}
				return nil
			})
		}},
		{"query_by_vendor_pages_its_own_alone", func(t *trial) {
			t.update(func(tx store.Tx) error {
				err := must(vendorBase(t.ctx, tx, 0), tx.CreateOrganization(t.ctx, plainOrganization("org-xxx")))
				for i := range 8 {
					o := sampleOrganization(i)
					o.VendorID = vendorID(i % 2)
					err = must(err, tx.CreateOrganization(t.ctx, o))
				}
				return err
			})
			t.view(func(r store.Reader) error {
				for _, c := range []struct {
					q    store.OrganizationQuery
					want string
				}{
					{store.OrganizationQuery{Vendor: vendorID(0), Limit: 9}, "[org-000 org-002 org-004 org-006]"},
					{store.OrganizationQuery{Vendor: vendorID(1), Limit: 2}, "[org-001 org-003]"},
					{store.OrganizationQuery{Vendor: vendorID(1), Limit: 2, After: orgID(3)}, "[org-005 org-007]"},
					{store.OrganizationQuery{Vendor: vendorID(1), Limit: 2, After: orgID(4)}, "[org-005 org-007]"},
					{store.OrganizationQuery{Vendor: vendorID(1), Limit: 2, After: orgID(7)}, "[]"},
					{store.OrganizationQuery{Vendor: vendorID(1)}, "[]"},
					{store.OrganizationQuery{Vendor: "nobody", Limit: 9}, "[]"},
					{store.OrganizationQuery{Limit: 3, After: orgID(6)}, "[org-007 org-xxx]"},
				} {
					os, err := r.Organizations(t.ctx, c.q)
					t.ok("Organizations", err)
					var ids []store.OrganizationID
					for _, o := range os {
						ids = append(ids, o.ID)
					}
					t.equal(fmt.Sprintf("Organizations(%+v)", c.q), fmt.Sprint(ids), c.want)
					t.equal("an empty list is nil", os == nil, c.want == "[]")
				}
				return nil
			})
		}},
	}
}

func membershipCases() []testCase {
	// seed makes users 0 to 5 members of organization 0, the odd ones of
	// organization 1 too; roles by thirds.
	seed := func(t *trial) {
		t.Helper()
		t.update(func(tx store.Tx) error {
			err := must(memberBase(t.ctx, tx, 7), tx.CreateOrganization(t.ctx, sampleOrganization(1)))
			for i := range 6 {
				m := sampleMembership(i)
				m.Role = roleID(i % 3)
				err = must(err, tx.CreateMembership(t.ctx, m))
				if i%2 == 1 {
					m.OrganizationID = orgID(1)
					err = must(err, tx.CreateMembership(t.ctx, m))
				}
			}
			return err
		})
	}
	members := func(t *trial, q store.MemberQuery, want string) {
		t.Helper()
		t.view(func(r store.Reader) error {
			ms, err := r.Members(t.ctx, q)
			var ids []store.UserID
			for _, m := range ms {
				ids = append(ids, m.UserID)
				t.equal("Membership.OrganizationID", m.OrganizationID, q.Organization)
			}
			t.equal(fmt.Sprintf("Members(%+v)", q), fmt.Sprint(ids), want)
			t.equal("an empty list is nil", ms == nil, want == "[]")
			return err
		})
	}
	return []testCase{
		{"members_are_those_of_the_organization_and_role", func(t *trial) {
			seed(t)
			members(t, store.MemberQuery{Organization: orgID(1), Limit: 9}, "[user-001 user-003 user-005]")
			members(t, store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{roleID(1)}, Limit: 9}, "[user-001 user-004]")
			members(t, store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{roleID(1)}, Limit: 1}, "[user-001]")
			members(t, store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{roleID(1)}, After: userID(1), Limit: 9}, "[user-004]")
			members(t, store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{roleID(1)}, After: userID(2), Limit: 9}, "[user-004]")
			members(t, store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{roleID(1)}, After: userID(4), Limit: 9}, "[]")
			members(t, store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{roleID(1)}}, "[]")
			members(t, store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{"none"}, Limit: 9}, "[]")
			members(t, store.MemberQuery{Organization: "nowhere", Limit: 9}, "[]")
			members(t, store.MemberQuery{Limit: 9}, "[]")
		}},
		{"roles_pick_the_members_of_any_of_them_each_once_in_order", func(t *trial) {
			seed(t)
			of := func(roles ...store.RoleID) store.MemberQuery {
				return store.MemberQuery{Organization: orgID(0), Roles: roles, Limit: 9}
			}
			members(t, of(), "[user-000 user-001 user-002 user-003 user-004 user-005]")
			members(t, of(roleID(2), roleID(0)), "[user-000 user-002 user-003 user-005]")
			members(t, of(roleID(1), roleID(2), roleID(1), "none"), "[user-001 user-002 user-004 user-005]")
			members(t, of(roleID(2), roleID(1), roleID(0)), "[user-000 user-001 user-002 user-003 user-004 user-005]")
			members(t, of(""), "[]")
			members(t, of("", roleID(1)), "[user-001 user-004]")
			members(t, store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{}, Limit: 1}, "[user-000]")
			q := of(roleID(2), roleID(1))
			for _, step := range []string{"[user-001]", "[user-002]", "[user-004]", "[user-005]", "[]"} {
				q.Limit = 1
				members(t, q, step)
				q.After = store.UserID(strings.Trim(step, "[]"))
			}
			q.After = "user-0010"
			q.Limit = 2
			members(t, q, "[user-002 user-004]")
		}},
		{"count_of_members_heeds_neither_After_nor_Limit", func(t *trial) {
			seed(t)
			count := func(q store.MemberQuery, want int64) {
				t.Helper()
				t.view(func(r store.Reader) error {
					n, err := r.CountMembers(t.ctx, q)
					t.equal(fmt.Sprintf("CountMembers(%+v)", q), n, want)
					return err
				})
			}
			count(store.MemberQuery{Organization: orgID(0)}, 6)
			count(store.MemberQuery{Organization: orgID(1), After: userID(3), Limit: 1}, 3)
			count(store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{roleID(2), roleID(1)}, After: userID(9), Limit: -1}, 4)
			count(store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{roleID(1), roleID(1), "none", ""}}, 2)
			count(store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{""}}, 0)
			count(store.MemberQuery{Organization: "nowhere"}, 0)
			count(store.MemberQuery{}, 0)
		}},
		{"twenty_roles_may_be_asked_for_and_no_more", func(t *trial) {
			seed(t)
			q := store.MemberQuery{Organization: orgID(0), Limit: 9}
			for i := range store.MaxMemberRoles {
				q.Roles = append(q.Roles, roleID(store.MaxMemberRoles-i))
			}
			members(t, q, "[user-001 user-002 user-004 user-005]")
			q.Roles = append(q.Roles, roleID(0))
			t.view(func(r store.Reader) error {
				_, err := r.Members(t.ctx, q)
				t.invalid("Members of 21 roles", err, "Roles")
				_, err = r.CountMembers(t.ctx, q)
				t.invalid("CountMembers of 21 roles", err, "Roles")
				return nil
			})
		}},
		{"members_of_a_role_follow_updates", func(t *trial) {
			seed(t)
			t.update(func(tx store.Tx) error {
				m, err := tx.Membership(t.ctx, orgID(0), userID(1))
				m.Role = roleID(2)
				err = must(err, tx.UpdateMembership(t.ctx, m), tx.DeleteMembership(t.ctx, orgID(0), userID(2)))
				n, errN := tx.CountMembers(t.ctx, store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{roleID(2)}})
				t.equal("CountMembers of a role within the unit", n, int64(2))
				all, errA := tx.CountMembers(t.ctx, store.MemberQuery{Organization: orgID(0)})
				t.equal("CountMembers within the unit", all, int64(5))
				return must(err, errN, errA)
			})
			members(t, store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{roleID(1)}, Limit: 9}, "[user-004]")
			members(t, store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{roleID(2)}, Limit: 9}, "[user-001 user-005]")
			members(t, store.MemberQuery{Organization: orgID(1), Roles: []store.RoleID{roleID(1)}, Limit: 9}, "[user-001]")
		}},
		{"memberships_of_a_user_page_by_organization", func(t *trial) {
			seed(t)
			t.view(func(r store.Reader) error {
				for _, c := range []struct {
					user  store.UserID
					after store.OrganizationID
					limit int
					want  string
				}{
					{userID(1), "", 9, "[org-000 org-001]"},
					{userID(1), "", 1, "[org-000]"},
					{userID(1), orgID(0), 9, "[org-001]"},
					{userID(1), "org-0000", 9, "[org-001]"},
					{userID(1), orgID(1), 9, "[]"},
					{userID(1), "", 0, "[]"},
					{userID(1), "", -3, "[]"},
					{userID(2), "", 9, "[org-000]"},
					{userID(6), "", 9, "[]"},
					{"nobody", "", 9, "[]"},
					{"", "", 9, "[]"},
				} {
					ms, err := r.Memberships(t.ctx, c.user, c.after, c.limit)
					t.ok("Memberships", err)
					var ids []store.OrganizationID
					for _, m := range ms {
						ids = append(ids, m.OrganizationID)
						t.equal("Membership.UserID", m.UserID, c.user)
					}
					t.equal(fmt.Sprintf("Memberships(%q, %q, %d)", c.user, c.after, c.limit), fmt.Sprint(ids), c.want)
					t.equal("an empty list is nil", ms == nil, c.want == "[]")
				}
				return nil
			})
		}},
		{"VendorUserID_is_unique_within_its_organization_alone", func(t *trial) {
			seed(t)
			t.view(func(r store.Reader) error {
				for _, org := range []store.OrganizationID{orgID(0), orgID(1)} {
					m, err := r.MembershipByVendorUser(t.ctx, org, sampleMembership(1).VendorUserID)
					t.ok("MembershipByVendorUser", err)
					t.equal("MembershipByVendorUser", [2]string{string(m.OrganizationID), string(m.UserID)}, [2]string{string(org), "user-001"})
				}
				_, err := r.MembershipByVendorUser(t.ctx, orgID(1), sampleMembership(2).VendorUserID)
				t.fails("MembershipByVendorUser of another organization's", err, store.ErrNotFound)
				_, err = r.MembershipByVendorUser(t.ctx, "", sampleMembership(1).VendorUserID)
				t.fails("MembershipByVendorUser of no organization", err, store.ErrNotFound)
				return nil
			})
		}},
		{"ids_are_not_joined_into_one_key", func(t *trial) {
			t.update(func(tx store.Tx) error {
				var err error
				for _, id := range []string{"a", "a/b", "b", "b/c", "c", "a\x1fb", "b\x1fc"} {
					err = must(err, tx.CreateUser(t.ctx, plainUser(id)), tx.CreateOrganization(t.ctx, plainOrganization(id)))
				}
				for _, p := range [][2]string{{"a", "b/c"}, {"a/b", "c"}, {"a", "b\x1fc"}, {"a\x1fb", "c"}} {
					err = must(err, tx.CreateMembership(t.ctx, store.Membership{
						OrganizationID: store.OrganizationID(p[0]), UserID: store.UserID(p[1]), Role: "r",
					}))
				}
				return err
			})
			members(t, store.MemberQuery{Organization: "a", Limit: 9}, "[b\x1fc b/c]")
			members(t, store.MemberQuery{Organization: "a/b", Limit: 9}, "[c]")
			members(t, store.MemberQuery{Organization: "a\x1fb", Limit: 9}, "[c]")
		}},
	}
}
