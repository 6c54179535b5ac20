package storetest

import (
	"fmt"
	"math"
	"strings"

	"github.com/usermgmt-go/usermgmt/store"
)

func userSearchCases() []testCase {
	// seed creates users with these user names; their ids run against them, so
	// that the order of ids is not that of names.
	seed := func(t *trial, names ...string) {
		t.Helper()
		t.update(func(tx store.Tx) error {
			var err error
			for i, name := range names {
				u := plainUser(fmt.Sprintf("%03d", len(names)-i))
				u.Username, u.UsernameKey = name, name
				if !strings.HasPrefix(name, "no mail") {
					u.Email, u.EmailKey = name+"@x", name+"@x"
				}
				err = must(err, tx.CreateUser(t.ctx, u))
			}
			return err
		})
	}
	search := func(t *trial, by store.UserField, prefix, after string, limit int, want ...string) {
		t.Helper()
		t.view(func(r store.Reader) error {
			us, err := r.SearchUsers(t.ctx, by, prefix, after, limit)
			var got []string
			for _, u := range us {
				if by == store.ByEmail {
					got = append(got, u.EmailKey)
				} else {
					got = append(got, u.UsernameKey)
				}
			}
			t.equal(fmt.Sprintf("SearchUsers(%d, %q, %q, %d)", by, prefix, after, limit), got, want)
			return err
		})
	}
	return []testCase{
		{"prefix_finds_by_user_name_in_its_order", func(t *trial) {
			seed(t, "ab", "abc", "a", "b", "abd", "ac")
			search(t, store.ByUsername, "ab", "", 9, "ab", "abc", "abd")
			search(t, store.ByUsername, "abc", "", 9, "abc")
			search(t, store.ByUsername, "abcd", "", 9)
			search(t, store.ByUsername, "", "", 9, "a", "ab", "abc", "abd", "ac", "b")
		}},
		{"prefix_finds_by_email_in_its_order", func(t *trial) {
			seed(t, "ab", "abc", "b")
			search(t, store.ByEmail, "ab", "", 9, "ab@x", "abc@x")
			search(t, store.ByEmail, "ab@", "", 9, "ab@x")
			search(t, store.ByEmail, "x", "", 9)
		}},
		{"users_without_email_are_not_found_by_it", func(t *trial) {
			seed(t, "no mail 1", "a", "no mail 2")
			search(t, store.ByEmail, "", "", 9, "a@x")
			search(t, store.ByUsername, "no", "", 9, "no mail 1", "no mail 2")
		}},
		{"after_is_exclusive_and_need_not_exist", func(t *trial) {
			seed(t, "a1", "a2", "a3", "b1")
			search(t, store.ByUsername, "a", "a1", 9, "a2", "a3")
			search(t, store.ByUsername, "a", "a15", 9, "a2", "a3")
			search(t, store.ByUsername, "a", "a3", 9)
			search(t, store.ByUsername, "b", "a3", 9, "b1")
			search(t, store.ByUsername, "a", "b", 9)
			search(t, store.ByUsername, "a", "A", 9, "a1", "a2", "a3")
		}},
		{"limit_is_kept", func(t *trial) {
			seed(t, "a1", "a2", "a3")
			search(t, store.ByUsername, "a", "", 2, "a1", "a2")
			search(t, store.ByUsername, "a", "a2", 2, "a3")
			search(t, store.ByUsername, "a", "", math.MaxInt, "a1", "a2", "a3")
			for _, limit := range []int{0, -1} {
				t.view(func(r store.Reader) error {
					us, err := r.SearchUsers(t.ctx, store.ByUsername, "a", "", limit)
					t.equal("SearchUsers without a limit", us, []store.User(nil))
					return err
				})
			}
		}},
		{"prefix_has_no_wildcards", func(t *trial) {
			seed(t, "a%b", "a_b", "axb", `a\b`, "a*b", "a?b", "a[x]b", "a'b", `a"b`)
			for _, name := range []string{"a%", "a_", `a\`, "a*", "a?", "a[", "a'", `a"`} {
				rest := map[string]string{"a[": "x]b"}[name]
				if rest == "" {
					rest = "b"
				}
				search(t, store.ByUsername, name, "", 9, name+rest)
			}
			search(t, store.ByUsername, "%", "", 9)
			search(t, store.ByUsername, "_", "", 9)
		}},
		{"prefix_compares_by_bytes", func(t *trial) {
			seed(t, "Ab", "ab", "ÄB", "äb", "a\u0308b", "z", "\U0010FFFF", "\U0010FFFF\U0010FFFF", "\uFFFF")
			search(t, store.ByUsername, "a", "", 9, "ab", "a\u0308b")
			search(t, store.ByUsername, "A", "", 9, "Ab")
			search(t, store.ByUsername, "ä", "", 9, "äb")
			search(t, store.ByUsername, "\U0010FFFF", "", 9, "\U0010FFFF", "\U0010FFFF\U0010FFFF")
			search(t, store.ByUsername, "\uFFFF", "", 9, "\uFFFF")
			search(t, store.ByUsername, "", "z", 9, "ÄB", "äb", "\uFFFF", "\U0010FFFF", "\U0010FFFF\U0010FFFF")
		}},
		{"search_follows_update_and_deletion", func(t *trial) {
			seed(t, "a1", "a2", "a3")
			t.update(func(tx store.Tx) error {
				u, err := tx.UserByUsername(t.ctx, "a2")
				d, errD := tx.UserByUsername(t.ctx, "a1")
				u.UsernameKey, u.Email, u.EmailKey = "a4", "", ""
				return must(err, errD, tx.UpdateUser(t.ctx, u), tx.DeleteUser(t.ctx, d.ID))
			})
			search(t, store.ByUsername, "a", "", 9, "a3", "a4")
			search(t, store.ByEmail, "a", "", 9, "a3@x")
		}},
		{"walk_by_pages_meets_each_once", func(t *trial) {
			seed(t, "a5", "a3", "a1", "a4", "a2")
			t.view(func(r store.Reader) error {
				var got []string
				for after := ""; len(got) < 9; {
					us, err := r.SearchUsers(t.ctx, store.ByEmail, "a", after, 2)
					t.ok("SearchUsers", err)
					if len(us) == 0 {
						break
					}
					for _, u := range us {
						got = append(got, u.UsernameKey)
						after = u.EmailKey
					}
				}
				t.equal("SearchUsers in pages of 2", got, []string{"a1", "a2", "a3", "a4", "a5"})
				return nil
			})
		}},
	}
}
