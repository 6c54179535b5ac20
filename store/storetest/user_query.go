package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/usermgmt-go/usermgmt/store"
)

// plainUser has an id and a user name alone.
func plainUser(id string) store.User {
	return store.User{ID: store.UserID(id), Username: id, UsernameKey: id, Version: 1}
}

// userIDs returns the ids of users.
func userIDs(us []store.User) []string {
	var ids []string
	for _, u := range us {
		ids = append(ids, string(u.ID))
	}
	return ids
}

// granted creates users whose grants and tenants differ:
// a and c hold the role r, b and c list the facility x, b lists the
// organization x, d the tenants.
func granted(t *trial) {
	t.Helper()
	role := func(role string, kind store.ScopeKind, scopes ...string) store.Grant {
		return store.Grant{Role: store.RoleID(role), Kind: kind, Scopes: scopes}
	}
	grants := map[string][]store.Grant{
		"a": {role("r", store.ScopeRealm)},
		"b": {
			role("q", store.ScopeOrganization, "x", "y"),
			role("s", store.ScopeFacility, "x"),
		},
		"c": {
			role("r", store.ScopeRealm),
			role("r", store.ScopeOrganization, "y"),
			role("r", store.ScopeFacility, "x", "z"),
			role("s", store.ScopeFacility, "x"),
		},
		"d": {{Permission: "users.read", Kind: store.ScopeRealm}},
		"e": nil,
	}
	tenants := map[string][]string{"c": {"any"}, "d": {"any", "t", "type:test"}, "e": {"type:test"}}
	t.update(func(tx store.Tx) error {
		var err error
		for _, id := range []string{"e", "b", "d", "a", "c"} {
			u := plainUser(id)
			u.Grants, u.Tenants = grants[id], tenants[id]
			err = must(err, tx.CreateUser(t.ctx, u))
		}
		return err
	})
}

// crossed creates nine users, of whom the n-th lists the facilities 2 to 9 that
// divide n, by several grants, and, if 3 does, the organization 3.
func crossed(t *trial) {
	t.Helper()
	t.update(func(tx store.Tx) error {
		var err error
		for n := 9; n > 0; n-- {
			u := plainUser(string(rune('a' + n - 1)))
			for _, role := range []store.RoleID{"r", "s"} {
				g := store.Grant{Role: role, Kind: store.ScopeFacility}
				for f := 2; f <= n; f++ {
					if n%f == 0 && (role == "s" || f != 4) {
						g.Scopes = append(g.Scopes, fmt.Sprint(f))
					}
				}
				if n%3 == 0 {
					u.Grants = append(u.Grants, store.Grant{Role: role, Kind: store.ScopeOrganization, Scopes: []string{"3"}})
				}
				u.Grants = append(u.Grants, g)
			}
			err = must(err, tx.CreateUser(t.ctx, u))
		}
		return err
	})
}

// picks checks whom a query picks, in pages of every size, and their count.
func picks(t *trial, q store.UserQuery, want string) {
	t.Helper()
	t.view(func(r store.Reader) error {
		call := fmt.Sprintf("Users %+v", q)
		count, err := r.CountUsers(t.ctx, q)
		t.ok("CountUsers", err)
		t.equal("Count"+call, count, int64(len(want)))
		for limit := 1; limit <= len(want)+1; limit++ {
			var got strings.Builder
			q := q
			for q.Limit = limit; got.Len() <= len(want); {
				us, err := r.Users(t.ctx, q)
				t.ok(call, err)
				if len(us) == 0 {
					break
				}
				got.WriteString(strings.Join(userIDs(us), ""))
				q.After = us[len(us)-1].ID
			}
			t.equal(fmt.Sprintf("%s in pages of %d", call, limit), got.String(), want)
		}
		return nil
	})
}

func userQueryCases() []testCase {
	facility := func(id string) store.ScopeRef { return store.ScopeRef{Kind: store.ScopeFacility, ID: id} }
	organization := func(id string) store.ScopeRef {
		return store.ScopeRef{Kind: store.ScopeOrganization, ID: id}
	}
	return []testCase{
		{"role_picks_holders_at_whatever_scope_each_once", func(t *trial) {
			granted(t)
			picks(t, store.UserQuery{Role: "r"}, "ac")
			picks(t, store.UserQuery{Role: "s"}, "bc")
			picks(t, store.UserQuery{Role: "unknown"}, "")
			picks(t, store.UserQuery{Role: "R"}, "")
		}},
		{"permission_picks_those_who_hold_it_singly", func(t *trial) {
			granted(t)
			picks(t, store.UserQuery{Permission: "users.read"}, "d")
			picks(t, store.UserQuery{Permission: "users"}, "")
			picks(t, store.UserQuery{Permission: "r"}, "")
			picks(t, store.UserQuery{Role: "users.read"}, "")
			t.update(func(tx store.Tx) error {
				u, err := tx.User(t.ctx, "a")
				u.Grants = append(u.Grants, store.Grant{Permission: "users.read", Kind: store.ScopeRealm})
				slices.SortFunc(u.Grants, store.CompareGrants)
				return must(err, tx.UpdateUser(t.ctx, u))
			})
			picks(t, store.UserQuery{Permission: "users.read"}, "ad")
		}},
		{"scope_picks_those_who_list_it_by_kind_each_once", func(t *trial) {
			granted(t)
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{facility("x")}}, "bc")
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{facility("z")}}, "c")
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{organization("x")}}, "b")
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{organization("y")}}, "bc")
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{organization("z")}}, "")
		}},
		{"scopes_pick_those_who_list_any_of_them_each_once_in_order", func(t *trial) {
			crossed(t)
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{facility("2"), facility("3")}}, "bcdfhi")
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{facility("5"), facility("3"), facility("2")}}, "bcdefhi")
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{facility("4"), organization("3"), facility("5")}}, "cdefhi")
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{facility("7"), organization("2")}}, "g")
		}},
		{"scopes_may_repeat_and_be_nobodys", func(t *trial) {
			crossed(t)
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{facility("3"), facility("2"), facility("3"), facility("3")}}, "bcdfhi")
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{facility("x"), facility("3"), {}, organization("")}}, "cfi")
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{{}}}, "")
			for kind := range 256 { // kinds that are none are not those of other filters
				if k := store.ScopeKind(kind); k != store.ScopeOrganization && k != store.ScopeFacility {
					picks(t, store.UserQuery{Scopes: []store.ScopeRef{{Kind: k, ID: "2"}, {Kind: k, ID: "r"}}}, "")
				}
			}
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{}}, "abcdefghi")
		}},
		{"a_hundred_scopes_may_be_asked_for_and_no_more", func(t *trial) {
			crossed(t)
			var q store.UserQuery
			for i := range store.MaxScopes {
				q.Scopes = append(q.Scopes, facility(fmt.Sprint(store.MaxScopes-i)))
			}
			picks(t, q, "bcdefghi")
			q.Scopes, q.Limit = append(q.Scopes, facility("2")), 9
			t.view(func(r store.Reader) error {
				_, err := r.Users(t.ctx, q)
				t.invalid("Users of 101 scopes", err, "Scopes")
				_, err = r.CountUsers(t.ctx, q)
				t.invalid("CountUsers of 101 scopes", err, "Scopes")
				return nil
			})
		}},
		{"tenant_picks_those_who_hold_exactly_this_entry", func(t *trial) {
			granted(t)
			picks(t, store.UserQuery{Tenant: "any"}, "cd")
			picks(t, store.UserQuery{Tenant: "t"}, "d")
			picks(t, store.UserQuery{Tenant: "type:test"}, "de")
			picks(t, store.UserQuery{Tenant: "type:"}, "")
		}},
		{"no_filter_picks_everybody", func(t *trial) {
			granted(t)
			picks(t, store.UserQuery{}, "abcde")
		}},
		{"two_filters_are_invalid", func(t *trial) {
			granted(t)
			t.view(func(r store.Reader) error {
				for _, q := range []store.UserQuery{
					{Role: "r", Tenant: "any", Limit: 1},
					{Role: "r", Permission: "users.read", Limit: 1},
					{Role: "r", Scopes: []store.ScopeRef{facility("x")}, Limit: 1},
					{Scopes: []store.ScopeRef{facility("x")}, Tenant: "any", Limit: 1},
					{Role: "r", Scopes: []store.ScopeRef{facility("x")}, Tenant: "any"},
				} {
					_, err := r.Users(t.ctx, q)
					t.invalid(fmt.Sprintf("Users %+v", q), err, "")
					_, err = r.CountUsers(t.ctx, q)
					t.invalid(fmt.Sprintf("CountUsers %+v", q), err, "")
				}
				return nil
			})
		}},
		{"filters_follow_update_and_deletion", func(t *trial) {
			granted(t)
			t.update(func(tx store.Tx) error {
				a, errA := tx.User(t.ctx, "a")
				c, errC := tx.User(t.ctx, "c")
				a.Grants, c.Grants = c.Grants, a.Grants
				a.Tenants, c.Tenants = []string{"t"}, nil
				err := must(errA, errC, tx.UpdateUser(t.ctx, a), tx.UpdateUser(t.ctx, c), tx.DeleteUser(t.ctx, "b"))
				us, errU := tx.Users(t.ctx, store.UserQuery{Scopes: []store.ScopeRef{facility("x")}, Limit: 9})
				t.equal("Users of a facility within the unit", userIDs(us), []string{"a"})
				return must(err, errU)
			})
			picks(t, store.UserQuery{Role: "r"}, "ac")
			picks(t, store.UserQuery{Role: "s"}, "a")
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{facility("x")}}, "a")
			picks(t, store.UserQuery{Scopes: []store.ScopeRef{organization("y")}}, "a")
			picks(t, store.UserQuery{Tenant: "any"}, "d")
			picks(t, store.UserQuery{Tenant: "t"}, "ad")
		}},
		{"count_heeds_neither_After_nor_Limit", func(t *trial) {
			granted(t)
			t.view(func(r store.Reader) error {
				for _, c := range []struct {
					q    store.UserQuery
					want int64
				}{
					{store.UserQuery{After: "c", Limit: 1}, 5},
					{store.UserQuery{After: "zzz"}, 5},
					{store.UserQuery{Role: "r", After: "b", Limit: -1}, 2},
					{store.UserQuery{Tenant: "any", After: "d", Limit: 1}, 2},
					{store.UserQuery{Scopes: []store.ScopeRef{facility("z"), facility("x")}, After: "b", Limit: 1}, 2},
				} {
					n, err := r.CountUsers(t.ctx, c.q)
					t.ok("CountUsers", err)
					t.equal(fmt.Sprintf("CountUsers %+v", c.q), n, c.want)
				}
				return nil
			})
		}},
		{"filtered_page_starts_after_any_id", func(t *trial) {
			granted(t)
			t.view(func(r store.Reader) error {
				for after, want := range map[store.UserID][]string{
					"": {"a", "c"}, "a": {"c"}, "b": {"c"}, "bb": {"c"}, "c": nil, "\U0010FFFF": nil,
				} {
					us, err := r.Users(t.ctx, store.UserQuery{Role: "r", After: after, Limit: 9})
					t.ok("Users", err)
					t.equal(fmt.Sprintf("Users of a role after %q", after), userIDs(us), want)
				}
				us, err := r.Users(t.ctx, store.UserQuery{Role: "r"})
				t.equal("Users with limit 0", us, []store.User(nil))
				return err
			})
		}},
	}
}

func userRecordCases() []testCase {
	// keeps stores a user and reads him back.
	keeps := func(t *trial, u store.User) {
		t.Helper()
		u.Version = 1
		t.update(func(tx store.Tx) error { return tx.CreateUser(t.ctx, u) })
		t.view(func(r store.Reader) error {
			got, err := r.User(t.ctx, u.ID)
			t.equal("User", got, u)
			return err
		})
	}
	return []testCase{
		{"bare_record_keeps_empty_fields_empty", func(t *trial) { keeps(t, plainUser("a")) }},
		{"attributes_are_kept_byte_by_byte", func(t *trial) {
			for i, text := range []string{
				`{}`, `{"aa":1,"b":2}`, `{"a":1.0,"b":1e400,"c":12345678901234567890123,"d":-0}`,
				`{"a":"\u0000<>&\u00e9é"}`, `{"A":1,"a":2,"ä":[{},[],null]}`,
			} {
				u := plainUser(fmt.Sprint(i))
				u.Attributes = json.RawMessage(text)
				keeps(t, u)
			}
		}},
		{"attributes_of_64_KiB_are_kept", func(t *trial) {
			u := plainUser("a")
			u.Attributes = json.RawMessage(`{"a":"` + strings.Repeat("ß", 32<<10) + `"}`)
			keeps(t, u)
		}},
		{"long_lists_are_kept", func(t *trial) {
			u := plainUser("a")
			for i := range 500 {
				s := fmt.Sprintf("%04d", i)
				u.Tags = append(u.Tags, s)
				u.Tenants = append(u.Tenants, s)
				scopes := []string{"here", "there"}
				if i%2 == 1 {
					scopes = []string{s}
				}
				u.Grants = append(u.Grants, store.Grant{
					Role: store.RoleID(s), Kind: store.ScopeFacility, Scopes: scopes,
				})
			}
			keeps(t, u)
			t.view(func(r store.Reader) error {
				n, err := r.CountUsers(t.ctx, store.UserQuery{Role: "0499"})
				t.equal("CountUsers of the last role", n, int64(1))
				return err
			})
		}},
		{"grants_of_one_role_at_several_kinds_are_kept_apart", func(t *trial) {
			u := plainUser("a")
			u.Grants = []store.Grant{
				{Permission: "a.b", Kind: store.ScopeRealm},
				{Role: "r", Kind: store.ScopeRealm},
				{Role: "r", Kind: store.ScopeOrganization},
				{Role: "r", Kind: store.ScopeFacility, Scopes: []string{"x"}},
			}
			keeps(t, u)
		}},
		{"empty_scopes_of_a_grant_come_back_nil", func(t *trial) {
			u := plainUser("a")
			u.Grants = []store.Grant{{Role: "r", Kind: store.ScopeOrganization, Scopes: []string{}}}
			t.update(func(tx store.Tx) error { return tx.CreateUser(t.ctx, u) })
			u.Grants[0].Scopes = nil
			t.view(func(r store.Reader) error {
				got, err := r.User(t.ctx, "a")
				t.equal("User", got, u)
				return err
			})
		}},
		{"scopes_of_grants_are_not_shared", func(t *trial) {
			want := sampleUser(0)
			t.update(func(tx store.Tx) error {
				u := sampleUser(0)
				err := must(vendorBase(t.ctx, tx, 0), tx.CreateUser(t.ctx, u))
				u.Grants[1].Scopes[0] = "scribble"
				return err
			})
			t.view(func(r store.Reader) error {
				for range 2 {
					got, err := r.User(t.ctx, want.ID)
					t.ok("User", err)
					if !t.equal("User", got, want) {
						break
					}
					got.Grants[1].Scopes[0] = "scribble"
					byID, err := r.UsersByID(t.ctx, []store.UserID{want.ID})
					t.ok("UsersByID", err)
					if !t.equal("UsersByID", byID, []store.User{want}) {
						break
					}
					byID[0].Grants[1].Scopes[0] = "scribble"
					byID[0].Tags[0] = "scribble"
					found, err := r.SearchUsers(t.ctx, store.ByEmail, "zoe", "", 1)
					t.ok("SearchUsers", err)
					if !t.equal("SearchUsers", found, []store.User{want}) {
						break
					}
					found[0].Grants[2].Scopes[0] = "scribble"
					found[0].Attributes[0] = '#'
				}
				return nil
			})
		}},
		{"user_outlives_the_vendor_that_created_him", func(t *trial) {
			t.update(func(tx store.Tx) error {
				return must(vendorBase(t.ctx, tx, 0), tx.CreateUser(t.ctx, sampleUser(0)), tx.DeleteVendor(t.ctx, vendorID(0)))
			})
			t.update(func(tx store.Tx) error {
				u, err := tx.User(t.ctx, userID(0))
				return must(err, tx.UpdateUser(t.ctx, changeUser(u)))
			})
		}},
	}
}
