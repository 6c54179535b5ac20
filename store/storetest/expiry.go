package storetest

import (
	"fmt"
	"math"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

func expiryCases() []testCase {
	// seed creates a session, an organization token, a vendor secret and a count
	// of failures that expire at each of the moments, and one of each but the
	// last that never does.
	moments := []store.Time{{}, created, created.Add(time.Microsecond), created.Add(time.Hour)}
	seed := func(t *trial) {
		t.Helper()
		t.update(func(tx store.Tx) error {
			err := must(memberBase(t.ctx, tx, len(moments)))
			for i, m := range moments {
				s, tok, secret := sampleSession(i), handle(store.TokenOrganization, userID(i), orgID(0)), sampleSecret(i)
				s.ExpiresAt, tok.ExpiresAt, secret.ExpiresAt = m, m, m
				err = must(err, tx.CreateMembership(t.ctx, sampleMembership(i)),
					tx.CreateSession(t.ctx, s), tx.CreateToken(t.ctx, tok), tx.PutVendorSecret(t.ctx, secret))
				if f := sampleFailures(i); !m.IsZero() {
					f.ExpiresAt = m
					err = must(err, tx.PutFailures(t.ctx, f))
				}
			}
			return err
		})
	}
	// left counts what is there of each moment.
	left := func(t *trial, want ...int) {
		t.Helper()
		t.view(func(r store.Reader) error {
			got := make([]int, len(moments))
			secrets, err := r.VendorSecrets(t.ctx, vendorID(0))
			for i := range moments {
				if _, err := r.Session(t.ctx, sessionID(i)); err == nil {
					got[i]++
				}
				tok := handle(store.TokenOrganization, userID(i), orgID(0))
				if _, err := r.Token(t.ctx, tok.Kind, tok.Digest); err == nil {
					got[i]++
				}
				if _, err := r.Failures(t.ctx, sampleFailures(i).Key); err == nil {
					got[i]++
				}
				for _, s := range secrets {
					if s.Digest == sampleSecret(i).Digest {
						got[i]++
					}
				}
			}
			t.equal("records left by moment", got, want)
			return err
		})
	}
	drop := func(t *trial, now store.Time, limit, want int) {
		t.Helper()
		t.update(func(tx store.Tx) error {
			n, err := tx.DeleteExpired(t.ctx, now, limit)
			t.equal(fmt.Sprintf("DeleteExpired(%v, %d)", now, limit), n, want)
			return err
		})
	}
	return []testCase{
		{"expired_are_those_not_after_now", func(t *trial) {
			seed(t)
			drop(t, created.Add(-time.Microsecond), 100, 0)
			left(t, 3, 4, 4, 4)
			drop(t, created, 100, 4)
			left(t, 3, 0, 4, 4)
			drop(t, created.Add(time.Minute), 100, 4)
			left(t, 3, 0, 0, 4)
			drop(t, expires, math.MaxInt, 4)
			left(t, 3, 0, 0, 0)
			drop(t, expires, 100, 0)
		}},
		{"limit_bounds_the_sum", func(t *trial) {
			seed(t)
			drop(t, expires, 0, 0)
			drop(t, expires, -1, 0)
			left(t, 3, 4, 4, 4)
			drop(t, expires, 5, 5)
			drop(t, expires, 5, 5)
			drop(t, expires, 5, 2)
			left(t, 3, 0, 0, 0)
		}},
		{"expired_ones_are_found_until_then", func(t *trial) {
			seed(t)
			left(t, 3, 4, 4, 4)
			t.view(func(r store.Reader) error {
				s, err := r.Session(t.ctx, sessionID(1))
				t.equal("Session.ExpiresAt", s.ExpiresAt, created)
				return err
			})
		}},
		{"keys_and_credentials_stay", func(t *trial) {
			k, c := sampleKey(0), sampleCredential(0)
			k.ExpiresAt, c.ExpiresAt = created, created
			t.update(func(tx store.Tx) error {
				return must(memberBase(t.ctx, tx, 1), tx.CreateKey(t.ctx, k), tx.PutCredential(t.ctx, c))
			})
			before := t.picture(realm)
			drop(t, expires, 100, 0)
			t.samePicture("after DeleteExpired", realm, before)
		}},
		{"rollback_takes_it_back", func(t *trial) {
			seed(t)
			err := t.store.Update(t.ctx, realm, func(tx store.Tx) error {
				n, err := tx.DeleteExpired(t.ctx, expires, 100)
				t.equal("DeleteExpired", n, 12)
				return must(err, errWanted)
			})
			t.fails("Update", err, errWanted)
			left(t, 3, 4, 4, 4)
			drop(t, expires, 100, 12)
		}},
	}
}
