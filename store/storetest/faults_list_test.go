package storetest_test

import (
	"math"
	"slices"
	"strings"

	"github.com/usermgmt-go/usermgmt/store"
)

// listFaults concern lists, searches and the log.
func listFaults() []fault {
	return []fault{
		{
			name: "page starts at its After",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRest{Tx: tx, tenants: func(tx store.Tx, ctx ctxt, after store.TenantID, limit int) ([]store.Tenant, error) {
						ts, err := tx.Tenants(ctx, after, limit)
						if t, errT := tx.Tenant(ctx, after); errT == nil && limit > 0 {
							ts = append([]store.Tenant{t}, ts[:min(len(ts), limit-1)]...)
						}
						return ts, err
					}}
				}}
			},
			caught: []string{
				"Tenant/page_starts_after_the_given_id", "Tenant/page_after_the_last_id_is_nil", "Tenant/walk_meets_each_record_once",
				"Tenant/page_goes_on_after_a_vanished_id", "Text/Tenant_ID_compares_by_bytes",
			},
		},
		{
			name: "page loses a row after a deletion",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRole{Tx: tx, roles: func(tx store.Tx, ctx ctxt, after store.RoleID, limit int) ([]store.Role, error) {
						rs, err := tx.Roles(ctx, after, limit)
						if _, errR := tx.Role(ctx, after); after != "" && errR != nil && len(rs) > 0 {
							rs = rs[1:]
						}
						return rs, err
					}}
				}}
			},
			caught: []string{"Role/page_goes_on_after_a_vanished_id"},
		},
		{
			name: "empty page is not nil",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRole{Tx: tx, roles: func(tx store.Tx, ctx ctxt, after store.RoleID, limit int) ([]store.Role, error) {
						rs, err := tx.Roles(ctx, after, limit)
						if rs == nil && err == nil {
							rs = []store.Role{}
						}
						return rs, err
					}}
				}}
			},
			caught: []string{
				"Role/page_of_nothing_is_nil", "Role/page_of_limit_0_or_less_is_nil", "Role/page_after_the_last_id_is_nil",
				"Isolation/Roles_finds_nothing_of_another_realm", "Text/Role_ID_compares_by_bytes",
			},
		},
		{
			name: "user of two scopes listed for each",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withList{Tx: tx, users: func(tx store.Tx, ctx ctxt, q store.UserQuery) ([]store.User, error) {
						return eachScope(q, func(q store.UserQuery) ([]store.User, error) { return tx.Users(ctx, q) })
					}}
				}}
			},
			caught: []string{"UserQuery/scopes_pick_*", "UserQuery/scopes_may_repeat_*", "UserQuery/a_hundred_*"},
		},
		{
			name: "user of two scopes counted for each",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withList{Tx: tx, countUsers: func(tx store.Tx, ctx ctxt, q store.UserQuery) (int64, error) {
						if len(q.Scopes) < 2 || q.Check() != nil {
							return tx.CountUsers(ctx, q)
						}
						q.After, q.Limit = "", math.MaxInt32
						us, err := eachScope(q, func(q store.UserQuery) ([]store.User, error) { return tx.Users(ctx, q) })
						return int64(len(us)), err
					}}
				}}
			},
			caught: []string{
				"UserQuery/scopes_pick_*", "UserQuery/scopes_may_repeat_*", "UserQuery/a_hundred_*", "UserQuery/count_heeds_*",
			},
		},
		{
			name: "any number of scopes and roles taken",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withList{Tx: tx, users: func(tx store.Tx, ctx ctxt, q store.UserQuery) ([]store.User, error) {
						q.Scopes = q.Scopes[:min(len(q.Scopes), store.MaxScopes)]
						return tx.Users(ctx, q)
					}, members: func(tx store.Tx, ctx ctxt, q store.MemberQuery) ([]store.Membership, error) {
						q.Roles = q.Roles[:min(len(q.Roles), store.MaxMemberRoles)]
						return tx.Members(ctx, q)
					}}
				}}
			},
			caught: []string{"UserQuery/a_hundred_*", "MembershipLists/twenty_roles_*"},
		},
		{
			name: "members ordered by role first",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withList{Tx: tx, members: func(tx store.Tx, ctx ctxt, q store.MemberQuery) ([]store.Membership, error) {
						ms, err := tx.Members(ctx, q)
						if len(q.Roles) > 1 {
							slices.SortStableFunc(ms, func(a, b store.Membership) int { return strings.Compare(string(a.Role), string(b.Role)) })
						}
						return ms, err
					}}
				}}
			},
			caught: []string{"MembershipLists/roles_pick_*", "MembershipLists/twenty_roles_*"},
		},
		{
			name: "only the first role counted",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withList{Tx: tx, countMembers: func(tx store.Tx, ctx ctxt, q store.MemberQuery) (int64, error) {
						if q.Check() == nil {
							q.Roles = q.Roles[:min(len(q.Roles), 1)]
						}
						return tx.CountMembers(ctx, q)
					}}
				}}
			},
			caught: []string{"MembershipLists/count_of_members_*"},
		},
		{
			name: "members counted from After",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withList{Tx: tx, countMembers: func(tx store.Tx, ctx ctxt, q store.MemberQuery) (int64, error) {
						n, err := tx.CountMembers(ctx, q)
						q.Limit = math.MaxInt32
						if ms, errM := tx.Members(ctx, q); err == nil && errM == nil {
							n = int64(len(ms))
						}
						return n, err
					}}
				}}
			},
			caught: []string{"MembershipLists/count_of_members_*"},
		},
		{
			name: "organizations in the order that was asked for",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withList{Tx: tx, orgsByID: func(tx store.Tx, ctx ctxt, ids []store.OrganizationID) ([]store.Organization, error) {
						var found []store.Organization
						for _, id := range ids {
							os, err := tx.OrganizationsByID(ctx, []store.OrganizationID{id})
							if err != nil {
								return nil, err
							}
							found = append(found, os...)
						}
						return found, nil
					}}
				}}
			},
			caught: []string{"OrganizationKeys/OrganizationsByID_*"},
		},
		{
			name: "prefix has wildcards",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withUser{Tx: tx, search: func(tx store.Tx, ctx ctxt, by store.UserField, prefix, after string, limit int) ([]store.User, error) {
						if i := strings.IndexAny(prefix, "%"); i >= 0 {
							prefix = prefix[:i]
						}
						return tx.SearchUsers(ctx, by, prefix, after, limit)
					}}
				}}
			},
			caught: []string{"UserSearch/prefix_has_no_wildcards"},
		},
		{
			name: "place of a user wrong at a chunk's end",
			faulty: func() *faulty {
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withUser{Tx: tx, userAt: func(tx store.Tx, ctx ctxt, n int64) (store.UserID, error) {
						if n > 0 && n%512 == 0 {
							n--
						}
						return tx.UserAt(ctx, n)
					}}
				}}
			},
			caught: []string{"UserOrder/UserAt_and_count_agree_with_a_model_of_thousands"},
			alone:  true,
		},
		{
			name: "numbers of dropped events used again",
			faulty: func() *faulty {
				all := func(tx store.Tx, ctx ctxt) ([]store.Event, []int64, error) {
					es, err := tx.Events(ctx, 0, math.MaxInt32)
					var seqs []int64
					for i := range es {
						seqs = append(seqs, es[i].Seq)
						es[i].Seq = int64(i) + 1
					}
					return es, seqs, err
				}
				return &faulty{tx: func(_ *faulty, _ store.Realm, tx store.Tx) store.Tx {
					return withRest{Tx: tx, events: func(tx store.Tx, ctx ctxt, after int64, limit int) ([]store.Event, error) {
						es, _, err := all(tx, ctx)
						var out []store.Event
						for _, e := range es {
							if e.Seq > after && len(out) < limit {
								out = append(out, e)
							}
						}
						return out, err
					}, drop: func(tx store.Tx, ctx ctxt, through int64) (int, error) {
						_, seqs, err := all(tx, ctx)
						if err != nil || through < 1 || len(seqs) == 0 {
							return 0, err
						}
						return tx.DropEvents(ctx, seqs[min(through, int64(len(seqs)))-1])
					}}
				}}
			},
			caught: []string{"Event/dropped_numbers_are_not_used_again", "Event/drop_removes_up_to_and_including_a_number"},
		},
	}
}

// eachScope joins the answers to a query for each of its scopes alone.
func eachScope(q store.UserQuery, ask func(store.UserQuery) ([]store.User, error)) ([]store.User, error) {
	if len(q.Scopes) < 2 || q.Check() != nil {
		return ask(q)
	}
	var found []store.User
	scopes := q.Scopes
	for i := range scopes {
		q.Scopes = scopes[i : i+1]
		us, err := ask(q)
		if err != nil {
			return nil, err
		}
		found = append(found, us...)
	}
	slices.SortFunc(found, func(a, b store.User) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return found[:min(len(found), max(q.Limit, 0))], nil
}
