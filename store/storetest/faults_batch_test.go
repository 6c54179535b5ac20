package storetest_test

import (
	"cmp"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

// withBatch replaces methods that look up many records at once.
type withBatch struct {
	store.Tx
	users       func(store.Tx, ctxt, []string) ([]store.User, error)
	credentials func(store.Tx, ctxt, []store.UserID) ([]store.Credential, error)
	tokens      func(store.Tx, ctxt, store.OrganizationID, []store.UserID, store.Digest, int) ([]store.Token, error)
	members     func(store.Tx, ctxt, store.OrganizationID, []store.UserID) ([]store.Membership, error)
}

func (w withBatch) UsersByUsername(ctx ctxt, keys []string) ([]store.User, error) {
	if w.users == nil {
		return w.Tx.UsersByUsername(ctx, keys)
	}
	return w.users(w.Tx, ctx, keys)
}

func (w withBatch) CredentialsByID(ctx ctxt, users []store.UserID) ([]store.Credential, error) {
	if w.credentials == nil {
		return w.Tx.CredentialsByID(ctx, users)
	}
	return w.credentials(w.Tx, ctx, users)
}

func (w withBatch) OrganizationTokens(
	ctx ctxt, org store.OrganizationID, users []store.UserID, after store.Digest, limit int,
) ([]store.Token, error) {
	if w.tokens == nil {
		return w.Tx.OrganizationTokens(ctx, org, users, after, limit)
	}
	return w.tokens(w.Tx, ctx, org, users, after, limit)
}

func (w withBatch) MembersByID(ctx ctxt, org store.OrganizationID, users []store.UserID) ([]store.Membership, error) {
	if w.members == nil {
		return w.Tx.MembersByID(ctx, org, users)
	}
	return w.members(w.Tx, ctx, org, users)
}

// batchFaults concern look-ups of many records at once.
func batchFaults() []fault {
	with := func(w withBatch) func() *faulty {
		return func() *faulty {
			return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
				w := w
				w.Tx = tx
				return w
			}}
		}
	}
	return []fault{
		{
			name: "users by username in the order of their ids",
			faulty: with(withBatch{users: func(tx store.Tx, ctx ctxt, keys []string) ([]store.User, error) {
				us, err := tx.UsersByUsername(ctx, keys)
				slices.SortFunc(us, func(a, b store.User) int { return cmp.Compare(a.ID, b.ID) })
				return us, err
			}}),
			caught: []string{"Batch/UsersByUsername_*"},
		},
		{
			name: "user asked for twice is there twice",
			faulty: with(withBatch{users: func(tx store.Tx, ctx ctxt, keys []string) (us []store.User, err error) {
				if len(keys) > 10_000 {
					return tx.UsersByUsername(ctx, keys)
				}
				sorted := slices.Sorted(slices.Values(keys))
				for _, key := range sorted {
					u, err := tx.UsersByUsername(ctx, []string{key})
					if err != nil {
						return nil, err
					}
					us = append(us, u...)
				}
				return us, nil
			}}),
			caught: []string{"Batch/UsersByUsername_*"},
		},
		{
			name: "batch of any size",
			faulty: with(withBatch{users: func(tx store.Tx, ctx ctxt, keys []string) ([]store.User, error) {
				return tx.UsersByUsername(ctx, keys[:min(len(keys), 10_000)])
			}}),
			caught: []string{"Batch/batches_take_10000_and_no_more"},
		},
		{
			name: "credentials of those who follow the first that has none are left out",
			faulty: with(withBatch{credentials: func(tx store.Tx, ctx ctxt, users []store.UserID) ([]store.Credential, error) {
				for i, id := range users {
					if _, err := tx.Credential(ctx, id); err != nil {
						users = users[:i]
						break
					}
				}
				return tx.CredentialsByID(ctx, users)
			}}),
			caught: []string{"Batch/CredentialsByID_*", "Batch/batches_*"},
		},
		{
			name: "tokens of one user after another",
			faulty: with(withBatch{tokens: func(
				tx store.Tx, ctx ctxt, org store.OrganizationID, users []store.UserID, after store.Digest, limit int,
			) ([]store.Token, error) {
				ks, err := tx.OrganizationTokens(ctx, org, users, after, limit)
				slices.SortStableFunc(ks, func(a, b store.Token) int { return cmp.Compare(a.UserID, b.UserID) })
				return ks, err
			}}),
			caught: []string{"Batch/OrganizationTokens_*"},
		},
		{
			name: "members of any organization",
			faulty: with(withBatch{members: func(tx store.Tx, ctx ctxt, org store.OrganizationID, users []store.UserID) ([]store.Membership, error) {
				ms, err := tx.MembersByID(ctx, org, users)
				for _, id := range users {
					if len(ms) == 0 && err == nil {
						ms, err = tx.Memberships(ctx, id, "", 1)
					}
				}
				return ms, err
			}}),
			caught: []string{"Batch/MembersByID_*", "Batch/batches_of_malformed_*"},
		},
		{
			name: "members of no batch are not nil",
			faulty: with(withBatch{members: func(tx store.Tx, ctx ctxt, org store.OrganizationID, users []store.UserID) ([]store.Membership, error) {
				ms, err := tx.MembersByID(ctx, org, users)
				if ms == nil && err == nil {
					ms = []store.Membership{}
				}
				return ms, err
			}}),
			caught: []string{"Batch/MembersByID_*", "Batch/batches_of_malformed_*", "Isolation/MembersByID_*"},
		},
	}
}
