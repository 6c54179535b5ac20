package storetest_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/usermgmt-go/usermgmt/store"
)

type ctxt = context.Context

// keyFaults concern uniqueness, versions, references and races.
func keyFaults() []fault {
	isDuplicate := func(err error, field string) bool {
		var e *store.ExistsError
		return errors.As(err, &e) && e.Field == field
	}
	return []fault{
		{
			name: "duplicate e-mail accepted",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withUser{Tx: tx, create: func(tx store.Tx, ctx ctxt, u store.User) error {
						err := tx.CreateUser(ctx, u)
						if isDuplicate(err, "EmailKey") {
							u.EmailKey += string(u.ID)
							return tx.CreateUser(ctx, u)
						}
						return err
					}}
				}}
			},
			caught: []string{"User/create_twice_is_a_duplicate_of_EmailKey", "User/rollback_takes_back_*"},
		},
		{
			name: "user name compared without case",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withUser{Tx: tx, create: func(tx store.Tx, ctx ctxt, u store.User) error {
						us, err := tx.Users(ctx, store.UserQuery{Limit: math.MaxInt32})
						if err == nil && slices.ContainsFunc(us, func(o store.User) bool {
							return o.ID != u.ID && strings.EqualFold(o.UsernameKey, u.UsernameKey)
						}) {
							return &store.ExistsError{Field: "UsernameKey"}
						}
						return tx.CreateUser(ctx, u)
					}}
				}}
			},
			caught: []string{
				"Text/User_UsernameKey_compares_by_bytes", "UserSearch/prefix_compares_by_bytes",
				"User/duplicates_before_UsernameKey_*", // it also checks in another order
			},
		},
		{
			name: "stale version accepted",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRole{Tx: tx, update: func(tx store.Tx, ctx ctxt, r store.Role) error {
						if old, err := tx.Role(ctx, r.ID); err == nil {
							r.Version = old.Version
						}
						return tx.UpdateRole(ctx, r)
					}}
				}}
			},
			caught: []string{
				"Role/stale_update_is_refused_and_changes_nothing", "Role/stale_is_reported_before_a_duplicate_of_Name",
				"Generation/is_not_changed_by_refused_calls", "Model/*",
			},
		},
		{
			name: "version not stepped",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRest{Tx: tx, updateTenant: func(tx store.Tx, ctx ctxt, t store.Tenant) error {
						old, err := tx.Tenant(ctx, t.ID)
						if err != nil || old.Version != t.Version || t.Check() != nil {
							return tx.UpdateTenant(ctx, t)
						}
						t.CreatedAt = old.CreatedAt
						return errors.Join(tx.DeleteTenant(ctx, t.ID), tx.CreateTenant(ctx, t))
					}}
				}}
			},
			caught: []string{
				"Tenant/update_steps_the_version_by_one", "Tenant/update_replaces_*", "Tenant/stale_update_*",
				"Tenant/unit_reads_its_own_writes_*", "Tenant/rollback_takes_back_*",
			},
		},
		{
			name: "version cut to 32 bits",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withUser{Tx: tx, update: func(tx store.Tx, ctx ctxt, u store.User) error {
						u.Version = int64(int32(u.Version))
						return tx.UpdateUser(ctx, u)
					}}
				}}
			},
			caught: []string{"User/stale_update_is_refused_and_changes_nothing"},
		},
		{
			name: "uniqueness checked before the unit",
			faulty: func() *faulty {
				return &faulty{update: crowd, tx: func(f *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRest{Tx: tx, createVendor: func(tx store.Tx, ctx ctxt, v store.Vendor) error {
						err := tx.CreateVendor(ctx, v)
						if f.crowded.Load() && isDuplicate(err, "ClientID") {
							v.ClientID += string(v.ID) // both were told that it is free
							return tx.CreateVendor(ctx, v)
						}
						return err
					}}
				}}
			},
			caught: []string{"Concurrency/one_of_64_takes_a_Vendor_ClientID"},
		},
		{
			name: "token read, then marked",
			faulty: func() *faulty {
				return &faulty{update: crowd, tx: func(f *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRest{Tx: tx, useToken: func(tx store.Tx, ctx ctxt, k store.TokenKind, d store.Digest, at store.Time) (store.Token, error) {
						t, err := tx.UseToken(ctx, k, d, at)
						if f.crowded.Load() && errors.Is(err, store.ErrUsed) {
							err = nil // both have read it unused
						}
						return t, err
					}}
				}}
			},
			caught: []string{"TokenUse/one_of_64_uses_a_token"},
		},
		{
			name: "failures put by the first alone",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRest{Tx: tx, putFailures: func(tx store.Tx, ctx ctxt, f store.Failures) error {
						if _, err := tx.Failures(ctx, f.Key); err == nil && f.Check() == nil {
							return nil // ON CONFLICT DO NOTHING
						}
						return tx.PutFailures(ctx, f)
					}}
				}}
			},
			caught: []string{
				"Failures/put_replaces_the_whole_record", "Failures/none_of_64_is_lost", "Failures/none_of_64_is_lost_under_a_lock",
				"Failures/times_are_kept_to_the_microsecond", "Failures/unit_reads_its_own_writes_*",
				"Failures/put_where_none_was_and_again_after_a_sweep",
			},
		},
		{
			name: "failures read before the unit",
			faulty: func() *faulty {
				return &faulty{update: crowd, tx: func(f *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRest{Tx: tx, failures: func(tx store.Tx, ctx ctxt, key store.Digest) (store.Failures, error) {
						r, err := tx.Failures(ctx, key)
						if f.crowded.Load() && err == nil && r.Count < 1<<40 {
							r.Count-- // the others had not written yet
						}
						return r, err
					}}
				}}
			},
			caught: []string{"Failures/none_of_64_is_lost", "Failures/none_of_64_is_lost_under_a_lock"},
			alone:  true,
		},
		{
			name: "expired failures not found",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRest{Tx: tx, failures: func(tx store.Tx, ctx ctxt, key store.Digest) (store.Failures, error) {
						r, err := tx.Failures(ctx, key)
						if err == nil && r.ExpiresAt.Year() < 2025 {
							return store.Failures{}, store.ErrNotFound
						}
						return r, err
					}}
				}}
			},
			caught: []string{"Failures/expired_ones_are_found", "Failures/times_are_kept_*", "Expiry/*"},
		},
		{
			name: "realm ignored in one lookup",
			faulty: func() *faulty {
				return &faulty{tx: func(f *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRest{Tx: tx, keyByDigest: func(tx store.Tx, ctx ctxt, d store.Digest) (store.Key, error) {
						k, err := tx.KeyByDigest(ctx, d)
						if errors.Is(err, store.ErrNotFound) {
							_ = f.Store.View(ctx, "main", func(r store.Reader) error {
								if other, errO := r.KeyByDigest(ctx, d); errO == nil {
									k, err = other, nil
								}
								return nil
							})
						}
						return k, err
					}}
				}}
			},
			caught: []string{
				"Isolation/KeyByDigest_finds_nothing_of_another_realm",
				// It finds what its own unit has deleted, too.
				"Key/unit_reads_its_own_writes_*",
				"Isolation/the_same_ids_and_keys_live_in_two_realms",
			},
		},
		{
			name: "deleted user's credential stays",
			faulty: func() *faulty {
				return &faulty{tx: func(f *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withUser{Tx: tx, delete: func(tx store.Tx, ctx ctxt, id store.UserID) error {
						if c, err := tx.Credential(ctx, id); err == nil {
							remember(f, id, func(store.Credential) store.Credential { return c })
						}
						return tx.DeleteUser(ctx, id)
					}, create: func(tx store.Tx, ctx ctxt, u store.User) error {
						err := tx.CreateUser(ctx, u)
						c := remember(f, u.ID, func(c store.Credential) store.Credential { return c })
						if err != nil || c.Hash == "" {
							return err
						}
						c.Version = 0
						return tx.PutCredential(ctx, c)
					}}
				}}
			},
			caught: []string{"Deletion/user_created_again_under_the_id_finds_nothing"},
		},
		{
			name: "deleted membership's sessions stay",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withUser{Tx: tx, members: func(tx store.Tx, ctx ctxt, o store.OrganizationID, u store.UserID) error {
						ss, _ := tx.Sessions(ctx, u, "", 100)
						err := tx.DeleteMembership(ctx, o, u)
						for _, s := range ss {
							if s.OrganizationID == o && err == nil {
								err = tx.CreateSession(ctx, s)
							}
						}
						return err
					}}
				}}
			},
			caught: []string{"Deletion/membership_goes_with_the_users_tokens_keys_and_sessions_there"},
		},
		{
			name: "codes outlive the sessions",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRest{Tx: tx, deleteSessions: func(tx store.Tx, ctx ctxt, u store.UserID) (int, error) {
						ss, err := tx.Sessions(ctx, u, "", 100)
						for _, s := range ss {
							err = errors.Join(err, tx.DeleteSession(ctx, s.ID))
						}
						return len(ss), err
					}}
				}}
			},
			caught: []string{
				"TokenUse/DeleteSessions_removes_a_users_sessions_their_tokens_and_codes",
				"TokenUse/DeleteSessions_without_a_session_removes_codes",
			},
		},
		{
			name: "vendor ignored in one lookup",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRest{Tx: tx, byDomain: func(tx store.Tx, ctx ctxt, _ store.VendorID, domain string) (store.Organization, error) {
						os, err := tx.Organizations(ctx, store.OrganizationQuery{Limit: 1000})
						for _, o := range os {
							if domain != "" && o.MatchDomain == domain {
								return o, nil
							}
						}
						return store.Organization{}, errors.Join(err, store.ErrNotFound)
					}}
				}}
			},
			caught: []string{"OrganizationKeys/vendors_do_not_collide_nor_find_each_others", "OrganizationKeys/update_is_checked_*"},
		},
		{
			name: "generation not bumped by a role update",
			faulty: func() *faulty {
				type updates struct{}
				less := func(f *faulty, g uint64, err error) (uint64, error) {
					return g - remember(f, updates{}, func(n uint64) uint64 { return n }), err
				}
				return &faulty{
					tx: func(f *faulty, _ store.Realm, tx store.Tx) store.Tx {
						return withRole{Tx: tx, update: func(tx store.Tx, ctx ctxt, r store.Role) error {
							err := tx.UpdateRole(ctx, r)
							if err == nil {
								remember(f, updates{}, func(n uint64) uint64 { return n + 1 })
							}
							return err
						}, gen: func(tx store.Tx, ctx ctxt) (uint64, error) {
							g, err := tx.Generation(ctx)
							return less(f, g, err)
						}}
					},
					update: func(f *faulty, ctx ctxt, r store.Realm, fn func(store.Tx) error) error {
						before := remember(f, updates{}, func(n uint64) uint64 { return n })
						err := f.Store.Update(ctx, r, fn)
						if err != nil {
							remember(f, updates{}, func(uint64) uint64 { return before })
						}
						return err
					},
					generation: func(f *faulty, ctx ctxt, r store.Realm) (uint64, error) {
						g, err := f.Store.Generation(ctx, r)
						return less(f, g, err)
					},
				}
			},
			caught: []string{
				"Generation/changes_when_a_role_is_updated", "Generation/never_comes_back_to_an_earlier_number",
				"Generation/is_seen_by_everybody_as_soon_as_Update_returns",
			},
		},
	}
}
