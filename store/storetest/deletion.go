package storetest

import (
	"fmt"

	"github.com/usermgmt-go/usermgmt/store"
)

// town is two members of two organizations with all that can be theirs.
// Everything is named after its owner and place.
type town struct {
	members  []store.Membership
	sessions []store.Session
	keys     []store.Key
	tokens   []store.Token
}

// settle fills the main realm: for each of two users and two organizations a
// membership, a confined session with its refresh token, a key owned, an
// organization token and a code; for each user a free session with its refresh
// token and a credential; for each organization a key that nobody owns.
func settle(t *trial) town {
	t.Helper()
	var w town
	key := func(name string, owner store.UserID, org store.OrganizationID) store.Key {
		return store.Key{
			ID: store.KeyID(name), OrganizationID: org, Role: roleID(0), Owner: owner, Digest: digest(name, 0),
			CreatedAt: created,
		}
	}
	add := func(s store.Session) {
		w.sessions = append(w.sessions, s)
		w.tokens = append(w.tokens, refresh(s))
	}
	for u := range 2 {
		for o := range 2 {
			m := sampleMembership(u)
			m.OrganizationID = orgID(o)
			w.members = append(w.members, m)
			place := fmt.Sprintf("%d%d", u, o)
			add(session("confined-"+place, userID(u), orgID(o)))
			w.keys = append(w.keys, key("key-"+place, userID(u), orgID(o)))
			w.tokens = append(w.tokens,
				handle(store.TokenOrganization, userID(u), orgID(o)), handle(store.TokenCode, userID(u), orgID(o)))
		}
		add(session(fmt.Sprintf("free-%d", u), userID(u), ""))
		w.keys = append(w.keys, key(fmt.Sprintf("unowned-%d", u), "", orgID(u)))
	}
	t.update(func(tx store.Tx) error {
		err := must(memberBase(t.ctx, tx, 2), tx.CreateOrganization(t.ctx, sampleOrganization(1)),
			tx.PutCredential(t.ctx, sampleCredential(0)), tx.PutCredential(t.ctx, sampleCredential(1)))
		for _, m := range w.members {
			err = must(err, tx.CreateMembership(t.ctx, m))
		}
		for _, s := range w.sessions {
			err = must(err, tx.CreateSession(t.ctx, s))
		}
		for _, k := range w.keys {
			err = must(err, tx.CreateKey(t.ctx, k))
		}
		for _, tok := range w.tokens {
			err = must(err, tx.CreateToken(t.ctx, tok))
		}
		return err
	})
	return w
}

// remains checks what of the town is there: exactly that which does not belong
// to what was deleted.
func (w town) remains(t *trial, gone func(user store.UserID, org store.OrganizationID) bool) {
	t.Helper()
	sessionOrg := map[store.SessionID]store.OrganizationID{}
	t.view(func(r store.Reader) error {
		check := func(what string, err error, user store.UserID, org store.OrganizationID) {
			t.Helper()
			if gone(user, org) {
				t.fails(what+", to be gone", err, store.ErrNotFound)
			} else {
				t.ok(what+", to stay", err)
			}
		}
		for _, m := range w.members {
			_, err := r.Membership(t.ctx, m.OrganizationID, m.UserID)
			check(fmt.Sprintf("Membership of %s in %s", m.UserID, m.OrganizationID), err, m.UserID, m.OrganizationID)
			_, err = r.MembershipByVendorUser(t.ctx, m.OrganizationID, m.VendorUserID)
			check("MembershipByVendorUser", err, m.UserID, m.OrganizationID)
			handles, err := r.OrganizationTokens(t.ctx, m.OrganizationID, []store.UserID{m.UserID}, store.Digest{}, 9)
			t.ok("OrganizationTokens", err)
			t.equal(fmt.Sprintf("OrganizationTokens of %s in %s are there", m.UserID, m.OrganizationID),
				len(handles) > 0, !gone(m.UserID, m.OrganizationID))
		}
		for _, s := range w.sessions {
			sessionOrg[s.ID] = s.OrganizationID
			_, err := r.Session(t.ctx, s.ID)
			check("Session "+string(s.ID), err, s.UserID, s.OrganizationID)
		}
		for _, k := range w.keys {
			_, err := r.Key(t.ctx, k.ID)
			check("Key "+string(k.ID), err, k.Owner, k.OrganizationID)
			_, err = r.KeyByDigest(t.ctx, k.Digest)
			check("KeyByDigest "+string(k.ID), err, k.Owner, k.OrganizationID)
		}
		for _, tok := range w.tokens {
			org := tok.OrganizationID
			if tok.Kind == store.TokenRefresh {
				org = sessionOrg[tok.SessionID]
			}
			_, err := r.Token(t.ctx, tok.Kind, tok.Digest)
			check(fmt.Sprintf("Token of kind %d of %s in %s%s", tok.Kind, tok.UserID, tok.OrganizationID, tok.SessionID), err, tok.UserID, org)
		}
		return nil
	})
}

func deletionCases() []testCase {
	return []testCase{
		{"user_goes_with_all_that_is_his", func(t *trial) {
			w := settle(t)
			t.update(func(tx store.Tx) error { return tx.DeleteUser(t.ctx, userID(0)) })
			w.remains(t, func(user store.UserID, _ store.OrganizationID) bool { return user == userID(0) })
			t.view(func(r store.Reader) error {
				_, err := r.Credential(t.ctx, userID(0))
				t.fails("Credential of the deleted user", err, store.ErrNotFound)
				_, err = r.Credential(t.ctx, userID(1))
				return err
			})
		}},
		{"user_created_again_under_the_id_finds_nothing", func(t *trial) {
			w := settle(t)
			t.update(func(tx store.Tx) error {
				return must(tx.DeleteUser(t.ctx, userID(0)), tx.CreateUser(t.ctx, sampleUser(0)))
			})
			w.remains(t, func(user store.UserID, _ store.OrganizationID) bool { return user == userID(0) })
			t.view(func(r store.Reader) error {
				_, err := r.Credential(t.ctx, userID(0))
				t.fails("Credential", err, store.ErrNotFound)
				ss, errS := r.Sessions(t.ctx, userID(0), "", 9)
				t.equal("Sessions", ss, []store.Session(nil))
				ms, errM := r.Memberships(t.ctx, userID(0), "", 9)
				t.equal("Memberships", ms, []store.Membership(nil))
				members, errO := r.Members(t.ctx, store.MemberQuery{Organization: orgID(0), Limit: 9})
				t.equal("Members", members, w.members[2:3])
				return must(errS, errM, errO)
			})
			t.update(func(tx store.Tx) error { // and can be given it all anew
				return must(tx.CreateMembership(t.ctx, w.members[0]), tx.CreateSession(t.ctx, w.sessions[0]),
					tx.CreateKey(t.ctx, w.keys[0]), tx.CreateToken(t.ctx, w.tokens[0]), tx.PutCredential(t.ctx, sampleCredential(0)))
			})
		}},
		{"organization_goes_with_members_keys_tokens_and_confined_sessions", func(t *trial) {
			w := settle(t)
			t.update(func(tx store.Tx) error { return tx.DeleteOrganization(t.ctx, orgID(0)) })
			w.remains(t, func(_ store.UserID, org store.OrganizationID) bool { return org == orgID(0) })
			t.view(func(r store.Reader) error {
				for u := range 2 {
					got, err := r.User(t.ctx, userID(u))
					t.ok("User", err)
					t.equal("User, grants that list it included", got, sampleUser(u))
				}
				return nil
			})
		}},
		{"organization_created_again_under_the_id_finds_nothing", func(t *trial) {
			w := settle(t)
			t.update(func(tx store.Tx) error {
				return must(tx.DeleteOrganization(t.ctx, orgID(0)), tx.CreateOrganization(t.ctx, sampleOrganization(0)))
			})
			w.remains(t, func(_ store.UserID, org store.OrganizationID) bool { return org == orgID(0) })
			t.view(func(r store.Reader) error {
				ms, err := r.Members(t.ctx, store.MemberQuery{Organization: orgID(0), Limit: 9})
				t.equal("Members", ms, []store.Membership(nil))
				ks, errK := r.Keys(t.ctx, orgID(0), "", 9)
				t.equal("Keys", ks, []store.Key(nil))
				return must(err, errK)
			})
		}},
		{"membership_goes_with_the_users_tokens_keys_and_sessions_there", func(t *trial) {
			w := settle(t)
			t.update(func(tx store.Tx) error { return tx.DeleteMembership(t.ctx, orgID(0), userID(0)) })
			w.remains(t, func(user store.UserID, org store.OrganizationID) bool {
				return user == userID(0) && org == orgID(0)
			})
		}},
		{"session_goes_with_its_tokens", func(t *trial) {
			w := settle(t)
			gone := w.sessions[0]
			t.update(func(tx store.Tx) error { return tx.DeleteSession(t.ctx, gone.ID) })
			t.view(func(r store.Reader) error {
				t.equal("its refresh token is there", has(t, r, refresh(gone)), false)
				for _, tok := range w.tokens {
					if tok.SessionID != gone.ID {
						t.equal("another token is there", has(t, r, tok), true)
					}
				}
				return nil
			})
		}},
		{"role_stays_named_by_grants_and_members", func(t *trial) {
			t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
			t.update(func(tx store.Tx) error { return tx.DeleteRole(t.ctx, roleID(0)) })
			t.view(func(r store.Reader) error {
				u, err := r.User(t.ctx, userID(0))
				t.equal("User", u, sampleUser(0))
				m, errM := r.Membership(t.ctx, orgID(0), userID(0))
				t.equal("Membership", m, sampleMembership(0))
				n, errN := r.CountUsers(t.ctx, store.UserQuery{Role: roleID(0)})
				t.equal("CountUsers of the role", n, int64(worldSize))
				return must(err, errM, errN)
			})
		}},
		{"tenant_stays_assigned", func(t *trial) {
			t.update(func(tx store.Tx) error { return world(t.ctx, tx) })
			t.update(func(tx store.Tx) error { return tx.DeleteTenant(t.ctx, tenantID(0)) })
			t.view(func(r store.Reader) error {
				u, err := r.User(t.ctx, userID(0))
				t.equal("User", u, sampleUser(0))
				n, errN := r.CountUsers(t.ctx, store.UserQuery{Tenant: string(tenantID(0))})
				t.equal("CountUsers of the tenant", n, int64(worldSize))
				return must(err, errN)
			})
		}},
		{"cascade_is_rolled_back_whole", func(t *trial) {
			w := settle(t)
			err := t.store.Update(t.ctx, realm, func(tx store.Tx) error {
				return must(tx.DeleteUser(t.ctx, userID(0)), tx.DeleteOrganization(t.ctx, orgID(1)), errWanted)
			})
			t.fails("Update", err, errWanted)
			w.remains(t, func(store.UserID, store.OrganizationID) bool { return false })
		}},
	}
}
