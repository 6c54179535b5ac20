package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// session makes a session of a user, confined to an organization unless it is empty.
func session(id string, user store.UserID, org store.OrganizationID) store.Session {
	return store.Session{
		ID: store.SessionID(id), UserID: user, OrganizationID: org, CreatedAt: created, ExpiresAt: expires,
	}
}

// refresh makes a refresh token of a session, with its id for a secret.
func refresh(s store.Session) store.Token {
	return store.Token{
		Digest: digest(string(s.ID), 1), Kind: store.TokenRefresh, UserID: s.UserID, SessionID: s.ID,
		CreatedAt: created, ExpiresAt: expires,
	}
}

// handle makes an organization token or a code.
func handle(kind store.TokenKind, user store.UserID, org store.OrganizationID) store.Token {
	return store.Token{
		Digest: digest(fmt.Sprint(user, org), int(kind)), Kind: kind, UserID: user, OrganizationID: org,
		CreatedAt: created, ExpiresAt: expires,
	}
}

// has tells whether a token is there.
func has(t *trial, r store.Reader, tok store.Token) bool {
	t.Helper()
	got, err := r.Token(t.ctx, tok.Kind, tok.Digest)
	if err == nil {
		return t.equal("Token", got, tok)
	}
	t.fails("Token", err, store.ErrNotFound)
	return false
}

func tokenCases() []testCase {
	seed := func(t *trial, toks ...store.Token) {
		t.Helper()
		t.update(func(tx store.Tx) error {
			err := sessionBase(t.ctx, tx, 1)
			for _, tok := range toks {
				err = must(err, tx.CreateToken(t.ctx, tok))
			}
			return err
		})
	}
	kinds := []store.TokenKind{store.TokenRefresh, store.TokenOrganization, store.TokenCode}
	return []testCase{
		{"organization_tokens_are_paged_by_membership_in_the_order_of_digests", func(t *trial) {
			var want []store.Token
			others := []store.Token{handle(store.TokenCode, userID(0), orgID(0)), handle(store.TokenOrganization, userID(1), orgID(0)), freshToken(0)}
			for i := range 7 {
				tok := handle(store.TokenOrganization, userID(0), orgID(0))
				tok.Digest = digest("handle", i)
				want = append(want, tok)
			}
			seed(t)
			t.update(func(tx store.Tx) error {
				err := tx.CreateUser(t.ctx, sampleUser(1))
				other := sampleMembership(0)
				other.UserID, other.VendorUserID = userID(1), "another"
				err = must(err, tx.CreateMembership(t.ctx, other))
				for _, tok := range append(others, want...) {
					err = must(err, tx.CreateToken(t.ctx, tok))
				}
				return err
			})
			slices.SortFunc(want, func(a, b store.Token) int { return bytes.Compare(a.Digest[:], b.Digest[:]) })
			t.view(func(r store.Reader) error {
				var got []store.Token
				var after store.Digest
				for {
					page, err := r.OrganizationTokens(t.ctx, orgID(0), []store.UserID{userID(0)}, after, 3)
					if err != nil || len(page) == 0 {
						t.equal("a walk of OrganizationTokens", got, want)
						return err
					}
					got = append(got, page...)
					after = page[len(page)-1].Digest
				}
			})
			t.view(func(r store.Reader) error {
				for _, limit := range []int{0, -1} {
					page, err := r.OrganizationTokens(t.ctx, orgID(0), []store.UserID{userID(0)}, store.Digest{}, limit)
					t.equal("OrganizationTokens without a limit", page, []store.Token(nil))
					if err != nil {
						return err
					}
				}
				page, err := r.OrganizationTokens(t.ctx, "nowhere", []store.UserID{userID(0)}, store.Digest{}, 3)
				t.equal("OrganizationTokens of an unknown organization", page, []store.Token(nil))
				return err
			})
		}},
		{"one_kind_cannot_stand_in_for_another", func(t *trial) {
			seed(t, freshToken(0), freshToken(1), freshToken(2))
			before := t.picture(realm)
			t.update(func(tx store.Tx) error {
				for i := range 3 {
					tok := freshToken(i)
					for _, kind := range append(kinds, 0, 4, 255) {
						if kind == tok.Kind {
							continue
						}
						call := fmt.Sprintf("of a token of kind %d as one of %d", tok.Kind, kind)
						_, err := tx.Token(t.ctx, kind, tok.Digest)
						t.fails("Token "+call, err, store.ErrNotFound)
						_, err = tx.UseToken(t.ctx, kind, tok.Digest, changed)
						t.fails("UseToken "+call, err, store.ErrNotFound)
						t.fails("DeleteToken "+call, tx.DeleteToken(t.ctx, kind, tok.Digest), store.ErrNotFound)
					}
				}
				return nil
			})
			t.samePicture("after the refused calls", realm, before)
		}},
		{"digest_is_unique_over_all_kinds", func(t *trial) {
			seed(t, freshToken(0))
			t.update(func(tx store.Tx) error {
				tok := freshToken(1)
				tok.Digest = freshToken(0).Digest
				t.duplicate("CreateToken", tx.CreateToken(t.ctx, tok), "Digest")
				return nil
			})
		}},
		{"use_marks_the_token_and_returns_it_so", func(t *trial) {
			seed(t, freshToken(0), freshToken(1), freshToken(2))
			for i := range 3 {
				want := sampleToken(i) // used at the moment changed
				t.update(func(tx store.Tx) error {
					got, err := tx.UseToken(t.ctx, want.Kind, want.Digest, changed)
					t.equal("UseToken", got, want)
					again, errT := tx.Token(t.ctx, want.Kind, want.Digest)
					t.equal("Token within the unit", again, want)
					return must(err, errT)
				})
				t.view(func(r store.Reader) error {
					t.equal("the used token is found", has(t, r, want), true)
					return nil
				})
			}
		}},
		{"use_of_a_used_token_is_ErrUsed_with_the_token_as_it_is", func(t *trial) {
			seed(t, sampleToken(0), freshToken(1))
			t.update(func(tx store.Tx) error {
				used := sampleToken(0)
				got, err := tx.UseToken(t.ctx, used.Kind, used.Digest, changed.AddDate(1, 0, 0))
				t.fails("UseToken of one that was created used", err, store.ErrUsed)
				t.equal("UseToken", got, used)
				_, err = tx.UseToken(t.ctx, freshToken(1).Kind, freshToken(1).Digest, changed)
				t.ok("UseToken", err)
				got, err = tx.UseToken(t.ctx, freshToken(1).Kind, freshToken(1).Digest, changed.AddDate(1, 0, 0))
				t.fails("UseToken again in the unit", err, store.ErrUsed)
				t.equal("UseToken again in the unit", got, sampleToken(1))
				return nil
			})
			t.update(func(tx store.Tx) error {
				got, err := tx.UseToken(t.ctx, freshToken(1).Kind, freshToken(1).Digest, changed.AddDate(1, 0, 0))
				t.fails("UseToken in a later unit", err, store.ErrUsed)
				t.equal("UseToken in a later unit", got, sampleToken(1))
				return nil
			})
			t.view(func(r store.Reader) error {
				t.equal("the token is as it was", has(t, r, sampleToken(0)) && has(t, r, sampleToken(1)), true)
				return nil
			})
		}},
		{"use_of_an_absent_token_is_not_found", func(t *trial) {
			seed(t)
			t.update(func(tx store.Tx) error {
				for _, kind := range kinds {
					_, err := tx.UseToken(t.ctx, kind, digest("none", 1), changed)
					t.fails("UseToken", err, store.ErrNotFound)
				}
				return nil
			})
		}},
		{"use_at_a_moment_that_no_record_may_hold_is_invalid", func(t *trial) {
			seed(t, freshToken(0))
			before := t.picture(realm)
			t.update(func(tx store.Tx) error {
				for _, at := range []store.Time{created.Add(1), created.In(time.FixedZone("CET", 3600))} {
					_, err := tx.UseToken(t.ctx, freshToken(0).Kind, freshToken(0).Digest, at)
					t.invalid(fmt.Sprintf("UseToken at %v", at), err, "")
				}
				return nil
			})
			t.samePicture("after the refused uses", realm, before)
		}},
		{"use_does_not_look_at_ExpiresAt", func(t *trial) {
			tok := freshToken(1)
			tok.ExpiresAt = created
			seed(t, tok)
			t.update(func(tx store.Tx) error {
				got, err := tx.UseToken(t.ctx, tok.Kind, tok.Digest, changed)
				tok.UsedAt = changed
				t.equal("UseToken", got, tok)
				return err
			})
		}},
		{"rolled_back_use_leaves_the_token_unused", func(t *trial) {
			seed(t, freshToken(0))
			err := t.store.Update(t.ctx, realm, func(tx store.Tx) error {
				_, err := tx.UseToken(t.ctx, freshToken(0).Kind, freshToken(0).Digest, changed)
				return must(err, errWanted)
			})
			t.fails("Update", err, errWanted)
			t.update(func(tx store.Tx) error {
				_, err := tx.UseToken(t.ctx, freshToken(0).Kind, freshToken(0).Digest, changed)
				return err
			})
		}},
		{"one_of_64_uses_a_token", func(t *trial) {
			for i := range 3 {
				tok := freshToken(i)
				if i == 0 {
					seed(t, tok)
				} else {
					t.update(func(tx store.Tx) error { return tx.CreateToken(t.ctx, tok) })
				}
				got := make([]store.Token, 64)
				errs := race(64, func(j int) error {
					return t.store.Update(t.ctx, realm, func(tx store.Tx) (err error) {
						got[j], err = tx.UseToken(t.ctx, tok.Kind, tok.Digest, changed)
						return err
					})
				})
				oneWinner(t, "UseToken", errs, store.ErrUsed)
				for _, g := range got {
					t.equal("UseToken", g, sampleToken(i))
				}
			}
		}},
		{"token_needs_its_membership", func(t *trial) {
			seed(t)
			t.update(func(tx store.Tx) error {
				err := must(tx.CreateUser(t.ctx, sampleUser(1)), tx.CreateOrganization(t.ctx, sampleOrganization(1)))
				for _, kind := range kinds[1:] {
					t.fails("CreateToken of no member", tx.CreateToken(t.ctx, handle(kind, userID(1), orgID(0))), store.ErrNotFound)
					t.fails("CreateToken of a member elsewhere", tx.CreateToken(t.ctx, handle(kind, userID(0), orgID(1))), store.ErrNotFound)
				}
				return err
			})
		}},
		{"DeleteSessions_removes_a_users_sessions_their_tokens_and_codes", func(t *trial) {
			a0, a1, a2 := session("a0", userID(0), ""), session("a1", userID(0), orgID(0)), session("a2", userID(0), "")
			b := session("b", userID(1), orgID(0))
			gone := []store.Token{
				refresh(a0), refresh(a1), refresh(a2), handle(store.TokenCode, userID(0), orgID(0)), handle(store.TokenCode, userID(0), orgID(1)),
			}
			stay := []store.Token{
				refresh(b), handle(store.TokenCode, userID(1), orgID(0)), handle(store.TokenOrganization, userID(0), orgID(0)),
				handle(store.TokenOrganization, userID(1), orgID(0)),
			}
			elsewhere := sampleMembership(0)
			elsewhere.OrganizationID = orgID(1)
			t.update(func(tx store.Tx) error {
				err := must(memberBase(t.ctx, tx, 3), tx.CreateOrganization(t.ctx, sampleOrganization(1)),
					tx.CreateMembership(t.ctx, sampleMembership(0)), tx.CreateMembership(t.ctx, sampleMembership(1)),
					tx.CreateMembership(t.ctx, elsewhere))
				for _, s := range []store.Session{a0, a1, a2, b} {
					err = must(err, tx.CreateSession(t.ctx, s))
				}
				for _, tok := range append(gone, stay...) {
					err = must(err, tx.CreateToken(t.ctx, tok))
				}
				return err
			})
			t.update(func(tx store.Tx) error {
				n, err := tx.DeleteSessions(t.ctx, userID(0))
				t.equal("DeleteSessions", n, 3)
				return err
			})
			t.view(func(r store.Reader) error {
				ss, err := r.Sessions(t.ctx, userID(0), "", 9)
				t.equal("Sessions", ss, []store.Session(nil))
				ss, errB := r.Sessions(t.ctx, userID(1), "", 9)
				t.equal("Sessions of another user", ss, []store.Session{b})
				for i, tok := range gone {
					t.equal(fmt.Sprintf("token %d of those to go is there", i), has(t, r, tok), false)
				}
				for i, tok := range stay {
					t.equal(fmt.Sprintf("token %d of those to stay is there", i), has(t, r, tok), true)
				}
				return must(err, errB)
			})
			t.update(func(tx store.Tx) error {
				for _, id := range []store.UserID{userID(0), userID(2), "nobody"} {
					n, err := tx.DeleteSessions(t.ctx, id)
					t.ok("DeleteSessions of none", err)
					t.equal("DeleteSessions of none", n, 0)
				}
				return nil
			})
		}},
		{"DeleteSessions_without_a_session_removes_codes", func(t *trial) {
			code := handle(store.TokenCode, userID(0), orgID(0))
			t.update(func(tx store.Tx) error {
				return must(memberBase(t.ctx, tx, 1), tx.CreateMembership(t.ctx, sampleMembership(0)), tx.CreateToken(t.ctx, code))
			})
			t.update(func(tx store.Tx) error {
				n, err := tx.DeleteSessions(t.ctx, userID(0))
				t.equal("DeleteSessions", n, 0)
				return err
			})
			t.view(func(r store.Reader) error {
				t.equal("the code is there", has(t, r, code), false)
				return nil
			})
		}},
		{"sessions_are_listed_by_user", func(t *trial) {
			t.update(func(tx store.Tx) error {
				err := memberBase(t.ctx, tx, 2)
				for i, id := range []string{"c", "a", "d", "b"} {
					err = must(err, tx.CreateSession(t.ctx, session(id, userID(i%2), "")))
				}
				return err
			})
			t.view(func(r store.Reader) error {
				for u, want := range [][]store.Session{
					{session("c", userID(0), ""), session("d", userID(0), "")},
					{session("a", userID(1), ""), session("b", userID(1), "")},
				} {
					got, err := r.Sessions(t.ctx, userID(u), "", 9)
					t.ok("Sessions", err)
					t.equal("Sessions", got, want)
					got, err = r.Sessions(t.ctx, userID(u), want[0].ID, 9)
					t.ok("Sessions", err)
					t.equal("Sessions after the first", got, want[1:])
				}
				for _, u := range []store.UserID{"nobody", ""} {
					got, err := r.Sessions(t.ctx, u, "", 9)
					t.ok("Sessions", err)
					t.equal("Sessions of nobody", got, []store.Session(nil))
				}
				return nil
			})
		}},
		{"keys_are_listed_by_organization", func(t *trial) {
			a, b := sampleKey(0), sampleKey(1)
			b.OrganizationID, b.Owner, b.ExpiresAt = orgID(1), "", store.Time{}
			t.update(func(tx store.Tx) error {
				return must(memberBase(t.ctx, tx, 1), tx.CreateOrganization(t.ctx, sampleOrganization(1)),
					tx.CreateKey(t.ctx, a), tx.CreateKey(t.ctx, b))
			})
			t.view(func(r store.Reader) error {
				for org, want := range map[store.OrganizationID][]store.Key{orgID(0): {a}, orgID(1): {b}, "nowhere": nil, "": nil} {
					got, err := r.Keys(t.ctx, org, "", 9)
					t.ok("Keys", err)
					t.equal(fmt.Sprintf("Keys of %q", org), got, want)
				}
				return nil
			})
		}},
	}
}
