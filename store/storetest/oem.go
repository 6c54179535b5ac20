package storetest

import (
	"context"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

func vendors() subject {
	return noun[store.Vendor]{
		name: "Vendor", base: noBase, sample: sampleVendor, change: changeVendor,
		freeze: func(v store.Vendor) store.Vendor {
			v.CreatedAt = changed
			return v
		},
		version: func(v *store.Vendor) *int64 { return &v.Version },
		create:  store.Tx.CreateVendor,
		update:  store.Tx.UpdateVendor,
		remove: func(tx store.Tx, ctx context.Context, v store.Vendor) error {
			return tx.DeleteVendor(ctx, v.ID)
		},
		keys: []key[store.Vendor]{{
			field: "ID",
			find: func(r store.Reader, ctx context.Context, v store.Vendor) (store.Vendor, error) {
				return r.Vendor(ctx, v.ID)
			},
			copy: func(to *store.Vendor, from store.Vendor) { to.ID = from.ID },
			set:  func(v *store.Vendor, s string) { v.ID = store.VendorID(s) },
		}, {
			field: "ClientID",
			find: func(r store.Reader, ctx context.Context, v store.Vendor) (store.Vendor, error) {
				return r.VendorByClientID(ctx, v.ClientID)
			},
			copy: func(to *store.Vendor, from store.Vendor) { to.ClientID = from.ClientID },
			set:  func(v *store.Vendor, s string) { v.ClientID = s },
		}},
		page: func(r store.Reader, ctx context.Context, after store.Vendor, limit int) ([]store.Vendor, error) {
			return r.Vendors(ctx, after.ID, limit)
		},
		broken: []fault[store.Vendor]{
			{"ID", func(v *store.Vendor) { v.ID = "" }},
			{"ClientID", func(v *store.Vendor) { v.ClientID = "" }},
		},
	}
}

func vendorSecretCases() []testCase {
	seed := func(t *trial, secrets ...store.VendorSecret) {
		t.Helper()
		t.update(func(tx store.Tx) error {
			err := vendorBase(t.ctx, tx, 0)
			for _, s := range secrets {
				err = must(err, tx.PutVendorSecret(t.ctx, s))
			}
			return err
		})
	}
	list := func(t *trial, vendor store.VendorID, want ...store.VendorSecret) {
		t.Helper()
		t.view(func(r store.Reader) error {
			got, err := r.VendorSecrets(t.ctx, vendor)
			t.equal("VendorSecrets", got, want)
			return err
		})
	}
	return []testCase{
		{"list_is_oldest_first_then_by_digest", func(t *trial) {
			early, low, high := sampleSecret(0), sampleSecret(1), sampleSecret(2)
			low.Digest, high.Digest = store.Digest{31: 9}, store.Digest{0: 0xff}
			high.CreatedAt = low.CreatedAt
			seed(t, high, low, early)
			list(t, vendorID(0), early, low, high)
			list(t, vendorID(1))
			list(t, "nobody")
		}},
		{"expired_ones_are_listed", func(t *trial) {
			old, forever := sampleSecret(0), sampleSecret(1)
			old.ExpiresAt, forever.ExpiresAt = created, store.Time{}
			seed(t, old, forever)
			list(t, vendorID(0), old, forever)
		}},
		{"put_replaces_the_one_of_the_same_digest", func(t *trial) {
			seed(t, sampleSecret(0), sampleSecret(1))
			next := sampleSecret(0)
			next.CreatedAt, next.ExpiresAt = changed, store.Time{}
			t.update(func(tx store.Tx) error { return tx.PutVendorSecret(t.ctx, next) })
			list(t, vendorID(0), sampleSecret(1), next)
		}},
		{"two_vendors_may_have_the_same_digest", func(t *trial) {
			theirs := sampleSecret(0)
			theirs.VendorID = vendorID(1)
			seed(t, sampleSecret(0), theirs)
			t.update(func(tx store.Tx) error { return tx.DeleteVendorSecret(t.ctx, vendorID(0), theirs.Digest) })
			list(t, vendorID(0))
			list(t, vendorID(1), theirs)
		}},
		{"put_without_the_vendor_is_not_found", func(t *trial) {
			seed(t)
			t.update(func(tx store.Tx) error {
				s := sampleSecret(0)
				s.VendorID = "nobody"
				t.fails("PutVendorSecret", tx.PutVendorSecret(t.ctx, s), store.ErrNotFound)
				return nil
			})
			list(t, "nobody")
		}},
		{"delete_of_absent_is_not_found", func(t *trial) {
			seed(t, sampleSecret(0))
			t.update(func(tx store.Tx) error {
				t.fails("DeleteVendorSecret", tx.DeleteVendorSecret(t.ctx, vendorID(0), digest("secret", 1)), store.ErrNotFound)
				t.fails("DeleteVendorSecret", tx.DeleteVendorSecret(t.ctx, vendorID(1), digest("secret", 0)), store.ErrNotFound)
				t.fails("DeleteVendorSecret", tx.DeleteVendorSecret(t.ctx, "nobody", digest("secret", 0)), store.ErrNotFound)
				return nil
			})
			list(t, vendorID(0), sampleSecret(0))
		}},
		{"invalid_record_is_refused_and_nothing_written", func(t *trial) {
			seed(t)
			bad := append(spoilFields(func() store.VendorSecret { return sampleSecret(0) }),
				spoiled[store.VendorSecret]{"no vendor", "VendorID", store.VendorSecret{Digest: digest("secret", 0)}},
				spoiled[store.VendorSecret]{"no digest", "Digest", store.VendorSecret{VendorID: vendorID(0)}})
			t.update(func(tx store.Tx) error {
				for _, b := range bad {
					t.invalid("PutVendorSecret with "+b.what, tx.PutVendorSecret(t.ctx, b.record), b.field)
				}
				return nil
			})
			list(t, vendorID(0))
		}},
		{"times_are_kept_to_the_microsecond", func(t *trial) {
			var want []store.VendorSecret
			for i, m := range moments {
				s := sampleSecret(i)
				s.ExpiresAt = m
				want = append(want, s)
			}
			seed(t, want...)
			list(t, vendorID(0), want...)
			for _, m := range moments {
				s := sampleSecret(0)
				s.CreatedAt = m
				t.update(func(tx store.Tx) error {
					err := tx.PutVendorSecret(t.ctx, s)
					got, errL := tx.VendorSecrets(t.ctx, vendorID(0))
					t.equal("VendorSecrets holds it", slices.Contains(got, s), true)
					return must(err, errL)
				})
			}
		}},
		{"unit_reads_its_own_writes_and_rollback_takes_them_back", func(t *trial) {
			seed(t, sampleSecret(0))
			err := t.store.Update(t.ctx, realm, func(tx store.Tx) error {
				err := must(tx.PutVendorSecret(t.ctx, sampleSecret(1)), tx.DeleteVendorSecret(t.ctx, vendorID(0), digest("secret", 0)))
				got, errL := tx.VendorSecrets(t.ctx, vendorID(0))
				t.equal("VendorSecrets within the unit", got, []store.VendorSecret{sampleSecret(1)})
				return must(err, errL, errWanted)
			})
			t.fails("Update", err, errWanted)
			list(t, vendorID(0), sampleSecret(0))
		}},
		{"secrets_go_with_their_vendor", func(t *trial) {
			theirs := sampleSecret(1)
			theirs.VendorID = vendorID(1)
			seed(t, sampleSecret(0), theirs)
			t.update(func(tx store.Tx) error {
				return must(tx.DeleteVendor(t.ctx, vendorID(0)), tx.CreateVendor(t.ctx, sampleVendor(0)))
			})
			list(t, vendorID(0))
			list(t, vendorID(1), theirs)
		}},
		{"vendor_with_an_organization_is_not_deleted", func(t *trial) {
			seed(t, sampleSecret(0))
			t.update(func(tx store.Tx) error { return tx.CreateOrganization(t.ctx, sampleOrganization(0)) })
			before := t.picture(realm)
			t.update(func(tx store.Tx) error {
				t.invalid("DeleteVendor", tx.DeleteVendor(t.ctx, vendorID(0)), "VendorID")
				return nil
			})
			t.samePicture("after the refused deletion", realm, before)
			t.update(func(tx store.Tx) error {
				return must(tx.DeleteOrganization(t.ctx, orgID(0)), tx.DeleteVendor(t.ctx, vendorID(0)))
			})
		}},
	}
}
