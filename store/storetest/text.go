package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/usermgmt-go/usermgmt/store"
)

// lookalikes are texts that some collation, folding, normalization or trimming
// would take for one another.
var lookalikes = []string{
	"mike", "MIKE", "Mike", "mİke", "mike ", " mike", "mike\t", "mi\u200bke", "mıke",
	"kate", "Kate", "\u212aate", // Kelvin sign
	"strasse", "straße", "STRASSE", "STRAẞE",
	"\u00e9", "e\u0301", "e", // é composed, decomposed, bare
	"\u00c5", "\u212b", "A\u030a", // Å, Ångström sign, decomposed
	"sam", "ſam", "ﬁ", "fi", "Σ", "σ", "ς",
	"😀", "😁", "👩", "👩‍👩", "\ufffd", "\U0010FFFF", "\uffff",
	"0", "00", "0.0", "1e0", "null", "NULL", "a/b", "a\x1fb", "a\x01b", "a'b", `a"b`, `a\b`, "a%b", "a_b", "\u0085",
}

// malformed are texts that no record may hold.
var malformed = []string{"a\x00b", "\x00", "a\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80"}

// texts proves that the noun's keys compare by bytes.
func (n noun[R]) texts() []testCase {
	var cs []testCase
	for i, k := range n.keys {
		if k.set == nil {
			continue
		}
		cs = append(cs, testCase{n.name + "_" + k.field + "_compares_by_bytes", func(t *trial) {
			want := map[string]R{}
			t.update(func(tx store.Tx) error {
				err := n.base(t.ctx, tx, len(lookalikes))
				for j, text := range lookalikes {
					r := n.sample(j)
					k.set(&r, text)
					want[text] = r
					err = must(err, n.create(tx, t.ctx, r))
				}
				return err
			})
			t.view(func(r store.Reader) error {
				for _, text := range lookalikes {
					got, err := k.find(r, t.ctx, want[text])
					t.ok(n.name, err)
					t.equal(fmt.Sprintf("%s by %s %q", n.name, k.field, text), got, want[text])
				}
				for _, text := range []string{"MikE", "mike  ", "mik", "É", "ss", "🙂", "", "a"} {
					like := n.sample(0)
					k.set(&like, text)
					_, err := k.find(r, t.ctx, like)
					t.fails(fmt.Sprintf("%s by %s %q", n.name, k.field, text), err, store.ErrNotFound)
				}
				if i > 0 || n.page == nil {
					return nil
				}
				var start R
				var sorted []R
				for _, text := range slices.Sorted(slices.Values(lookalikes)) {
					sorted = append(sorted, want[text])
				}
				got, err := n.page(r, t.ctx, start, 1000)
				t.equal("list of "+n.name, got, sorted)
				for j, after := range sorted {
					got, err := n.page(r, t.ctx, after, 1)
					t.ok("list of "+n.name, err)
					t.equal(fmt.Sprintf("list of %s after %+q", n.name, slices.Sorted(slices.Values(lookalikes))[j]),
						got, append([]R(nil), sorted[j+1:min(j+2, len(sorted))]...))
				}
				return err
			})
		}}, testCase{n.name + "_by_malformed_" + k.field + "_is_not_found", func(t *trial) {
			n.seed(t, 1, 1)
			t.view(func(r store.Reader) error {
				for _, text := range malformed {
					like := n.sample(0)
					k.set(&like, text)
					_, err := k.find(r, t.ctx, like)
					t.fails(fmt.Sprintf("%s by %s %q", n.name, k.field, text), err, store.ErrNotFound)
				}
				return nil
			})
		}})
		if i == 0 {
			cs = append(cs, testCase{n.name + "_ID_may_have_128_bytes", func(t *trial) {
				t.update(func(tx store.Tx) error { return n.base(t.ctx, tx, 4) })
				var want []R
				for j, text := range []string{
					long(store.MaxID), long(store.MaxID-1) + "a", long(store.MaxID - 1), strings.Repeat("ß", store.MaxID/2),
				} {
					r := n.sample(j)
					k.set(&r, text)
					want = append(want, r)
				}
				t.update(func(tx store.Tx) error {
					var err error
					for _, r := range want {
						err = must(err, n.create(tx, t.ctx, r))
					}
					return err
				})
				t.view(func(r store.Reader) error {
					for _, w := range want {
						t.equal(n.name, n.get(t, r, w), w)
					}
					return nil
				})
			}})
		}
	}
	return cs
}

func textCases() []testCase {
	var cs []testCase
	for _, n := range nouns() {
		cs = append(cs, n.texts()...)
	}
	return append(cs,
		testCase{"grant_scope_and_tenant_filters_compare_by_bytes", func(t *trial) {
			t.update(func(tx store.Tx) error {
				var err error
				for i, text := range lookalikes {
					u := plainUser(fmt.Sprintf("%03d", i))
					u.Grants = []store.Grant{{Role: store.RoleID(text), Kind: store.ScopeFacility, Scopes: []string{text}}}
					u.Tenants = []string{text}
					err = must(err, tx.CreateUser(t.ctx, u))
				}
				return err
			})
			t.view(func(r store.Reader) error {
				for i, text := range lookalikes {
					for _, q := range []store.UserQuery{
						{Role: store.RoleID(text), Limit: 9},
						{Scopes: []store.ScopeRef{{Kind: store.ScopeFacility, ID: text}}, Limit: 9},
						{Tenant: text, Limit: 9},
					} {
						us, err := r.Users(t.ctx, q)
						t.ok("Users", err)
						t.equal(fmt.Sprintf("Users %+v", q), userIDs(us), []string{fmt.Sprintf("%03d", i)})
					}
				}
				return nil
			})
		}},
		testCase{"lists_of_malformed_text_are_empty", func(t *trial) {
			t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
			t.view(func(r store.Reader) error {
				for _, text := range malformed {
					none := func(call string, err error, n int) {
						t.ok(call, err)
						t.equal(fmt.Sprintf("%s of %q", call, text), n, 0)
					}
					us, err := r.Users(t.ctx, store.UserQuery{Role: store.RoleID(text), Limit: 9})
					none("Users of a role", err, len(us))
					us, err = r.Users(t.ctx, store.UserQuery{Tenant: text, Limit: 9})
					none("Users of a tenant", err, len(us))
					us, err = r.Users(t.ctx, store.UserQuery{Scopes: []store.ScopeRef{{Kind: store.ScopeFacility, ID: text}}, Limit: 9})
					none("Users of a facility", err, len(us))
					us, err = r.SearchUsers(t.ctx, store.ByUsername, text, "", 9)
					none("SearchUsers", err, len(us))
					us, err = r.UsersByID(t.ctx, []store.UserID{store.UserID(text)})
					none("UsersByID", err, len(us))
					ms, err := r.Members(t.ctx, store.MemberQuery{Organization: store.OrganizationID(text), Limit: 9})
					none("Members", err, len(ms))
					of := store.MemberQuery{Organization: orgID(0), Roles: []store.RoleID{store.RoleID(text)}, Limit: 9}
					ms, err = r.Members(t.ctx, of)
					none("Members of a role", err, len(ms))
					n, err := r.CountMembers(t.ctx, of)
					none("CountMembers of a role", err, int(n))
					os, err := r.OrganizationsByID(t.ctx, []store.OrganizationID{store.OrganizationID(text)})
					none("OrganizationsByID", err, len(os))
					ms, err = r.Memberships(t.ctx, store.UserID(text), "", 9)
					none("Memberships", err, len(ms))
					ss, err := r.Sessions(t.ctx, store.UserID(text), "", 9)
					none("Sessions", err, len(ss))
				}
				return nil
			})
		}},
		testCase{"keys_of_the_greatest_length_are_found", func(t *trial) {
			rnd := rand.New(rand.NewPCG(3, 5))
			key := func() string { // which nothing compresses
				b := make([]byte, store.MaxKey)
				for i := range b {
					b[i] = 'A' + byte(rnd.IntN(58))
				}
				return string(b)
			}
			u := plainUser(long(store.MaxID))
			u.UsernameKey, u.Email, u.EmailKey, u.Tenants = key(), "someone", key(), []string{key()}
			u.Grants = []store.Grant{
				{Permission: key(), Kind: store.ScopeRealm},
				{Role: store.RoleID(key()), Kind: store.ScopeFacility, Scopes: []string{key()}},
			}
			v, o, m := sampleVendor(0), sampleOrganization(0), sampleMembership(0)
			v.ID, o.ID, o.VendorID = store.VendorID(long(store.MaxID)), store.OrganizationID(long(store.MaxID)), store.VendorID(long(store.MaxID))
			o.Slug, o.MatchDomain, o.VendorOrganizationID = key(), key(), key()
			m.OrganizationID, m.UserID, m.VendorUserID = o.ID, u.ID, key()
			longest := store.Realm(strings.Repeat("r", 64))
			t.updateIn(longest, func(tx store.Tx) error {
				return must(tx.CreateUser(t.ctx, u), tx.CreateVendor(t.ctx, v), tx.CreateOrganization(t.ctx, o), tx.CreateMembership(t.ctx, m))
			})
			t.viewIn(longest, func(r store.Reader) error {
				name, errN := r.UserByUsername(t.ctx, u.UsernameKey)
				mail, errE := r.UserByEmail(t.ctx, u.EmailKey)
				t.equal("users by name and e-mail", []store.UserID{name.ID, mail.ID}, []store.UserID{u.ID, u.ID})
				slug, errS := r.OrganizationBySlug(t.ctx, o.Slug)
				domain, errD := r.OrganizationByDomain(t.ctx, v.ID, o.MatchDomain)
				own, errV := r.OrganizationByVendorID(t.ctx, v.ID, o.VendorOrganizationID)
				t.equal("organizations by their keys", []store.OrganizationID{slug.ID, domain.ID, own.ID}, []store.OrganizationID{o.ID, o.ID, o.ID})
				member, errM := r.MembershipByVendorUser(t.ctx, o.ID, m.VendorUserID)
				t.equal("MembershipByVendorUser", member.UserID, u.ID)
				for _, q := range []store.UserQuery{
					{Permission: u.Grants[0].Permission}, {Role: u.Grants[1].Role}, {Tenant: u.Tenants[0]},
					{Scopes: []store.ScopeRef{{Kind: store.ScopeFacility, ID: u.Grants[1].Scopes[0]}}},
				} {
					q.Limit = 9
					us, err := r.Users(t.ctx, q)
					t.ok("Users", err)
					t.equal(fmt.Sprintf("Users %+v", q), userIDs(us), []string{string(u.ID)})
				}
				return must(errN, errE, errS, errD, errV, errM)
			})
		}},
		testCase{"long_text_is_kept", func(t *trial) {
			text := strings.Repeat("Straße ", 10_000)
			r := sampleRole(0)
			r.Name, r.Description = text, text
			o := sampleOrganization(0)
			o.Name = text
			t.update(func(tx store.Tx) error {
				return must(vendorBase(t.ctx, tx, 0), tx.CreateRole(t.ctx, r), tx.CreateOrganization(t.ctx, o))
			})
			t.view(func(rd store.Reader) error {
				role, err := rd.Role(t.ctx, r.ID)
				t.equal("Role with long texts, whole", role.Name == text && role.Description == text, true)
				org, errO := rd.Organization(t.ctx, o.ID)
				t.equal("Organization with a long name, whole", org.Name == text, true)
				return must(err, errO)
			})
		}},
	)
}

func numberCases() []testCase {
	return []testCase{
		{"places_and_numbers_beyond_32_bits_are_not_cut_off", func(t *trial) {
			t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
			t.view(func(r store.Reader) error {
				for _, n := range []int64{1 << 31, 1 << 32, 1<<32 + 1, 1 << 53, 1<<63 - 1} {
					_, err := r.UserAt(t.ctx, n)
					t.fails(fmt.Sprintf("UserAt(%d)", n), err, store.ErrNotFound)
					es, err := r.Events(t.ctx, n, 9)
					t.ok("Events", err)
					t.equal(fmt.Sprintf("Events after %d", n), es, []store.Event(nil))
				}
				return nil
			})
		}},
		{"events_after_a_negative_number_are_all", func(t *trial) {
			t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
			t.view(func(r store.Reader) error {
				all, err := r.Events(t.ctx, 0, 9)
				for _, n := range []int64{-1, -1 << 32, -1 << 63} {
					es, err := r.Events(t.ctx, n, 9)
					t.ok("Events", err)
					t.equal(fmt.Sprintf("Events after %d", n), es, all)
				}
				return err
			})
		}},
	}
}
