package storetest

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

// batchCases prove the methods that look up many records at once by a key of
// another kind than their own id.
func batchCases() []testCase {
	// seed makes users 0 to 3 and organizations 0 and 1; 0, 1 and 3 have
	// credentials, 0 and 3 are members of organization 0, and 1 of organization 1.
	seed := func(t *trial) {
		t.Helper()
		t.update(func(tx store.Tx) error {
			err := must(memberBase(t.ctx, tx, 4), tx.CreateOrganization(t.ctx, store.Organization{ID: "other"}))
			for _, i := range []int{3, 0, 1} {
				c, m := sampleCredential(i), sampleMembership(i)
				c.UserID, m.UserID, m.OrganizationID = userID(i), userID(i), orgID(0)
				if i == 1 {
					m.OrganizationID = "other"
				}
				err = must(err, tx.PutCredential(t.ctx, c), tx.CreateMembership(t.ctx, m))
			}
			return err
		})
	}
	return []testCase{
		{"UsersByUsername_returns_those_that_exist_in_the_order_of_keys_each_once", func(t *trial) {
			// Their ids stand in the opposite order.
			t.update(func(tx store.Tx) error {
				var err error
				for i, key := range []string{"c", "b", "a", "A2"} {
					u := plainUser(fmt.Sprint(i))
					u.UsernameKey = key
					err = must(err, tx.CreateUser(t.ctx, u))
				}
				return err
			})
			t.view(func(r store.Reader) error {
				for _, c := range []struct{ ask, want []string }{
					{nil, nil},
					{[]string{"x", "", "0"}, nil},
					{[]string{"c", "a", "nobody", "c", "b", "a", "A"}, []string{"2", "1", "0"}},
					{[]string{"b", "A2"}, []string{"3", "1"}},
				} {
					asked := slices.Clone(c.ask)
					us, err := r.UsersByUsername(t.ctx, asked)
					t.ok("UsersByUsername", err)
					t.equal(fmt.Sprintf("UsersByUsername(%q)", c.ask), userIDs(us), c.want)
					t.equal("the keys that were asked for", asked, slices.Clone(c.ask))
					for _, u := range us {
						whole, err := r.User(t.ctx, u.ID)
						t.ok("User", err)
						t.equal("UsersByUsername", u, whole)
					}
					if len(c.want) == 0 {
						t.equal("UsersByUsername", us, []store.User(nil))
					}
				}
				return nil
			})
		}},
		{"CredentialsByID_returns_those_that_exist_in_order_each_once", func(t *trial) {
			seed(t)
			t.view(func(r store.Reader) error {
				got, err := r.CredentialsByID(t.ctx, []store.UserID{userID(3), userID(2), "nobody", userID(0), userID(3), ""})
				t.ok("CredentialsByID", err)
				var want []store.Credential
				for _, i := range []int{0, 3} {
					c, err := r.Credential(t.ctx, userID(i))
					t.ok("Credential", err)
					want = append(want, c)
				}
				t.equal("CredentialsByID", got, want)
				for _, ask := range [][]store.UserID{nil, {userID(2), "nobody"}} {
					got, err := r.CredentialsByID(t.ctx, ask)
					t.ok("CredentialsByID", err)
					t.equal(fmt.Sprintf("CredentialsByID(%q)", ask), got, []store.Credential(nil))
				}
				return nil
			})
		}},
		{"MembersByID_returns_those_of_the_organization_in_order_each_once", func(t *trial) {
			seed(t)
			t.view(func(r store.Reader) error {
				all := []store.UserID{userID(3), userID(2), "nobody", userID(1), userID(0), userID(3), ""}
				for org, users := range map[store.OrganizationID][]int{orgID(0): {0, 3}, "other": {1}, "nothing": nil} {
					var want []store.Membership
					for _, i := range users {
						m, err := r.Membership(t.ctx, org, userID(i))
						t.ok("Membership", err)
						want = append(want, m)
					}
					got, err := r.MembersByID(t.ctx, org, all)
					t.ok("MembersByID", err)
					t.equal(fmt.Sprintf("MembersByID of %q", org), got, want)
				}
				got, err := r.MembersByID(t.ctx, orgID(0), nil)
				t.equal("MembersByID of nobody", got, []store.Membership(nil))
				return err
			})
		}},
		{"OrganizationTokens_of_several_users_come_in_the_order_of_digests", func(t *trial) {
			seed(t)
			var want []store.Token
			t.update(func(tx store.Tx) error {
				var err error
				for i := range 9 {
					k := store.Token{Digest: digest("handle", i), Kind: store.TokenOrganization, UserID: userID(3 * (i % 2)), OrganizationID: orgID(0)}
					if i == 8 { // of another organization's member
						k.UserID, k.OrganizationID = userID(1), "other"
					} else {
						want = append(want, k)
					}
					err = must(err, tx.CreateToken(t.ctx, k))
				}
				return err
			})
			slices.SortFunc(want, func(a, b store.Token) int { return bytes.Compare(a.Digest[:], b.Digest[:]) })
			t.view(func(r store.Reader) error {
				ask := []store.UserID{userID(3), "nobody", userID(0), userID(1), userID(3)}
				for size := range 10 {
					var got []store.Token
					var after store.Digest
					for {
						page, err := r.OrganizationTokens(t.ctx, orgID(0), ask, after, size+1)
						t.ok("OrganizationTokens", err)
						got = append(got, page...)
						if len(page) <= size {
							break
						}
						after = page[size].Digest
					}
					t.equal(fmt.Sprintf("OrganizationTokens by pages of %d", size+1), got, want)
				}
				got, err := r.OrganizationTokens(t.ctx, orgID(0), nil, store.Digest{}, 9)
				t.equal("OrganizationTokens of nobody", got, []store.Token(nil))
				return err
			})
		}},
		{"batches_see_what_their_unit_has_done", func(t *trial) {
			seed(t)
			t.update(func(tx store.Tx) error {
				u := plainUser("new")
				c, m := sampleCredential(2), sampleMembership(2)
				c.UserID, m.UserID, m.OrganizationID = "new", "new", orgID(0)
				m.VendorUserID = "new's"
				err := must(tx.DeleteUser(t.ctx, userID(3)), tx.CreateUser(t.ctx, u), tx.PutCredential(t.ctx, c), tx.CreateMembership(t.ctx, m))
				if err != nil {
					return err
				}
				ids := []store.UserID{userID(3), "new"}
				us, err := tx.UsersByUsername(t.ctx, []string{sampleUser(3).UsernameKey, u.UsernameKey})
				t.ok("UsersByUsername", err)
				t.equal("UsersByUsername", userIDs(us), []string{"new"})
				cs, err := tx.CredentialsByID(t.ctx, ids)
				t.ok("CredentialsByID", err)
				t.equal("number of CredentialsByID", len(cs), 1)
				ms, err := tx.MembersByID(t.ctx, orgID(0), ids)
				t.ok("MembersByID", err)
				t.equal("number of MembersByID", len(ms), 1)
				return nil
			})
		}},
		{"batches_take_10000_and_no_more", func(t *trial) {
			seed(t)
			t.view(func(r store.Reader) error {
				keys := make([]string, 10_001)
				ids := make([]store.UserID, 10_001)
				for i := range ids {
					keys[i] = fmt.Sprintf("absent-%05d", i)
					ids[i] = store.UserID(keys[i])
				}
				keys[9_999], ids[9_999] = sampleUser(3).UsernameKey, userID(3)
				us, err := r.UsersByUsername(t.ctx, keys[:10_000])
				t.ok("UsersByUsername", err)
				t.equal("UsersByUsername", userIDs(us), []string{string(userID(3))})
				cs, err := r.CredentialsByID(t.ctx, ids[:10_000])
				t.ok("CredentialsByID", err)
				t.equal("number of CredentialsByID", len(cs), 1)
				ms, err := r.MembersByID(t.ctx, orgID(0), ids[:10_000])
				t.ok("MembersByID", err)
				t.equal("number of MembersByID", len(ms), 1)

				_, err = r.OrganizationTokens(t.ctx, orgID(0), ids[:10_000], store.Digest{}, 1)
				t.ok("OrganizationTokens", err)
				_, err = r.OrganizationTokens(t.ctx, orgID(0), ids, store.Digest{}, 1)
				t.fails("OrganizationTokens of 10,001", err, store.ErrInvalid)
				_, err = r.UsersByUsername(t.ctx, keys)
				t.fails("UsersByUsername of 10,001", err, store.ErrInvalid)
				_, err = r.CredentialsByID(t.ctx, ids)
				t.fails("CredentialsByID of 10,001", err, store.ErrInvalid)
				_, err = r.MembersByID(t.ctx, orgID(0), ids)
				t.fails("MembersByID of 10,001", err, store.ErrInvalid)
				return nil
			})
		}},
		{"batches_of_malformed_text_are_empty", func(t *trial) {
			seed(t)
			t.view(func(r store.Reader) error {
				for _, text := range malformed {
					us, err := r.UsersByUsername(t.ctx, []string{text})
					t.ok("UsersByUsername", err)
					t.equal(fmt.Sprintf("UsersByUsername of %q", text), us, []store.User(nil))
					cs, err := r.CredentialsByID(t.ctx, []store.UserID{store.UserID(text)})
					t.ok("CredentialsByID", err)
					t.equal(fmt.Sprintf("CredentialsByID of %q", text), cs, []store.Credential(nil))
					ms, err := r.MembersByID(t.ctx, store.OrganizationID(text), []store.UserID{userID(0)})
					t.ok("MembersByID", err)
					t.equal(fmt.Sprintf("MembersByID of %q", text), ms, []store.Membership(nil))
				}
				return nil
			})
		}},
	}
}
