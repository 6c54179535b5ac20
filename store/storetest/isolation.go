package storetest

import (
	"reflect"

	"github.com/usermgmt-go/usermgmt/store"
)

// isolationCases prove that no method reaches out of its realm. The main realm
// is filled; the unit runs in the other one.
func isolationCases() []testCase {
	fill := func(t *trial, realms ...store.Realm) {
		t.Helper()
		for _, r := range realms {
			t.updateIn(r, func(tx store.Tx) error { return world(t.ctx, tx) })
		}
	}
	var cs []testCase
	for _, q := range queries() {
		if q.name == "Generation" {
			continue
		}
		cs = append(cs, testCase{q.name + "_finds_nothing_of_another_realm", func(t *trial) {
			fill(t, realm)
			look := func(r store.Reader) error {
				got, err := q.ask(t.ctx, r)
				if err != nil {
					t.fails(q.name, err, store.ErrNotFound)
				} else if v := reflect.ValueOf(got); !v.IsZero() {
					t.Errorf("%s in an empty realm: got %+v, want nothing", q.name, got)
				}
				return nil
			}
			t.viewIn(other, look)
			t.updateIn(other, func(tx store.Tx) error { return look(tx) })
			t.view(func(r store.Reader) error { // and it does find it in its own
				got, err := q.ask(t.ctx, r)
				if v := reflect.ValueOf(got); q.name != "UserAt" && v.IsZero() {
					t.Errorf("%s in the filled realm: got nothing", q.name)
				}
				return err
			})
		}})
	}
	for _, c := range commands() {
		cs = append(cs, testCase{c.name + "_touches_nothing_of_another_realm", func(t *trial) {
			fill(t, realm)
			before := t.picture(realm)
			// In an empty realm: there is nothing to act on.
			_ = t.store.Update(t.ctx, other, func(tx store.Tx) error {
				_ = c.do(t.ctx, tx)
				return nil
			})
			t.samePicture("after "+c.name+" in an empty realm", realm, before)
			// In a realm that holds the same records.
			fill(t, "third")
			t.updateIn("third", func(tx store.Tx) error { return c.do(t.ctx, tx) })
			t.samePicture("after "+c.name+" in a realm of the same content", realm, before)
		}})
	}
	return append(cs,
		testCase{"the_same_ids_and_keys_live_in_two_realms", func(t *trial) {
			fill(t, realm, other)
			before := t.picture(other)
			t.updateIn(other, func(tx store.Tx) error { return stir(t.ctx, tx) })
			changed := t.picture(other)
			t.equal("the other realm is unchanged", reflect.DeepEqual(before, changed), false)
			t.update(func(tx store.Tx) error { return stir(t.ctx, tx) })
			t.samePicture("after the same in the main realm", other, changed)
		}},
		testCase{"references_do_not_reach_into_another_realm", func(t *trial) {
			fill(t, realm)
			t.updateIn(other, func(tx store.Tx) error {
				for name, err := range map[string]error{
					"CreateUser":         tx.CreateUser(t.ctx, sampleUser(7)),
					"CreateOrganization": tx.CreateOrganization(t.ctx, sampleOrganization(7)),
					"CreateMembership":   tx.CreateMembership(t.ctx, sampleMembership(0)),
					"CreateKey":          tx.CreateKey(t.ctx, sampleKey(7)),
					"CreateSession":      tx.CreateSession(t.ctx, sampleSession(7)),
					"CreateToken":        tx.CreateToken(t.ctx, sampleToken(7)),
					"PutCredential":      tx.PutCredential(t.ctx, sampleCredential(0)),
					"PutVendorSecret":    tx.PutVendorSecret(t.ctx, sampleSecret(7)),
				} {
					t.fails(name, err, store.ErrNotFound)
				}
				return nil
			})
		}},
		testCase{"deletions_count_their_own_realm_alone", func(t *trial) {
			fill(t, realm)
			t.updateIn(other, func(tx store.Tx) error {
				n, err := tx.DeleteSessions(t.ctx, userID(0))
				t.equal("DeleteSessions", n, 0)
				m, errE := tx.DeleteExpired(t.ctx, expires, 100)
				t.equal("DeleteExpired", m, 0)
				d, errD := tx.DropEvents(t.ctx, 1<<62)
				t.equal("DropEvents", d, 0)
				return must(err, errE, errD)
			})
		}},
		testCase{"realms_differ_by_case", func(t *trial) {
			t.update(func(tx store.Tx) error { return tx.CreateUser(t.ctx, plainUser("a")) })
			for _, name := range []store.Realm{"MAIN", "Main", "main.", "main-", "mai", store.Realm(long(64))} {
				t.viewIn(name, func(r store.Reader) error {
					_, err := r.User(t.ctx, "a")
					t.fails("User in realm "+string(name), err, store.ErrNotFound)
					return nil
				})
			}
		}},
		testCase{"realm_and_id_are_not_joined_into_one_key", func(t *trial) {
			t.updateIn("a", func(tx store.Tx) error { return tx.CreateUser(t.ctx, plainUser("b.c")) })
			t.updateIn("a.b", func(tx store.Tx) error { return tx.CreateUser(t.ctx, plainUser("c")) })
			for name, id := range map[store.Realm]string{"a": "b.c", "a.b": "c"} {
				t.viewIn(name, func(r store.Reader) error {
					us, err := r.Users(t.ctx, store.UserQuery{Limit: 9})
					t.equal("Users in realm "+string(name), userIDs(us), []string{id})
					return err
				})
			}
		}},
		testCase{"a_lock_holds_in_its_realm_alone", func(t *trial) {
			// Units of other realms may wait for each other, but must not for ever.
			errs := race(8, func(i int) error {
				r := store.Realm([]string{"main", "Main"}[i%2])
				return t.store.Update(t.ctx, r, func(tx store.Tx) error {
					return must(tx.Lock(t.ctx, "a"), tx.PutPermission(t.ctx, string(rune('a'+i))))
				})
			})
			t.ok("Update", must(errs...))
			for _, r := range []store.Realm{realm, other} {
				t.viewIn(r, func(rd store.Reader) error {
					got, err := rd.Permissions(t.ctx)
					t.equal("Permissions", len(got), 4)
					return err
				})
			}
		}},
	)
}
