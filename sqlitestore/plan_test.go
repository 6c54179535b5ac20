package sqlitestore

import (
	"context"
	"database/sql/driver"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// planned is a db that notes how SQLite runs each query.
type planned struct {
	db
	plans [][]string
}

func (p *planned) explain(query string, args []driver.Value) error {
	var plan []string
	err := p.db.each(func(row []driver.Value) error {
		plan = append(plan, text(row[3]))
		return nil
	}, "EXPLAIN QUERY PLAN "+query, args...)
	p.plans = append(p.plans, plan)
	return err
}

func (p *planned) first(query string, args ...driver.Value) ([]driver.Value, error) {
	if err := p.explain(query, args); err != nil {
		return nil, err
	}
	return p.db.first(query, args...)
}

func (p *planned) each(row func([]driver.Value) error, query string, args ...driver.Value) error {
	if err := p.explain(query, args); err != nil {
		return err
	}
	return p.db.each(row, query, args...)
}

// TestLists_sort_nothing holds lists to what their indexes give: a page must
// not gather and sort all whom it is a page of, nor a count read their records.
func TestLists_sort_nothing(t *testing.T) {
	t.Parallel()
	const (
		byID      = "SEARCH usermgmt_user USING PRIMARY KEY (realm=? AND id>?)"
		byEntry   = "SEARCH usermgmt_user_index USING PRIMARY KEY (realm=? AND kind=? AND key=? AND user>?)"
		byMember  = "SEARCH usermgmt_membership USING PRIMARY KEY (realm=? AND organization=? AND user>?)"
		ofRole    = "SEARCH usermgmt_membership USING COVERING INDEX usermgmt_membership_role (realm=? AND organization=? AND role=? AND user>?)"
		counted   = "SEARCH usermgmt_membership USING COVERING INDEX usermgmt_membership_role (realm=? AND organization=?)"
		countedOf = "SEARCH usermgmt_membership USING COVERING INDEX usermgmt_membership_role (realm=? AND organization=? AND role=?)"
	)
	type ask = func(context.Context, store.Reader) error
	scopes := func(n int) store.UserQuery { return store.UserQuery{Scopes: make([]store.ScopeRef, n), Limit: 10} }
	roles := func(n int) store.MemberQuery {
		return store.MemberQuery{Organization: "o", Roles: make([]store.RoleID, n), Limit: 10}
	}
	users := func(q store.UserQuery) ask {
		return func(ctx context.Context, r store.Reader) error {
			_, err := r.Users(ctx, q)
			return err
		}
	}
	countUsers := func(q store.UserQuery) ask {
		return func(ctx context.Context, r store.Reader) error {
			_, err := r.CountUsers(ctx, q)
			return err
		}
	}
	members := func(q store.MemberQuery) ask {
		return func(ctx context.Context, r store.Reader) error {
			_, err := r.Members(ctx, q)
			return err
		}
	}
	countMembers := func(q store.MemberQuery) ask {
		return func(ctx context.Context, r store.Reader) error {
			_, err := r.CountMembers(ctx, q)
			return err
		}
	}
	for _, c := range []struct {
		name   string
		ask    ask
		search string // a step of the plan
		times  int    // how often it is there
	}{
		{"users", users(store.UserQuery{Limit: 10}), byID, 1},
		{"users_of_a_role", users(store.UserQuery{Role: "r", Limit: 10}), byEntry, 1},
		{"users_of_1_scope", users(scopes(1)), byEntry, 1},
		{"users_of_10_scopes", users(scopes(10)), byEntry, 16},
		{"users_of_100_scopes", users(scopes(100)), byEntry, 128},
		{"count_of_users_of_1_scope", countUsers(scopes(1)), byEntry, 1},
		{"count_of_users_of_10_scopes", countUsers(scopes(10)), byEntry, 16},
		{"members", members(roles(0)), byMember, 1},
		{"members_of_1_role", members(roles(1)), ofRole, 1},
		{"members_of_3_roles", members(roles(3)), ofRole, 4},
		{"count_of_members", countMembers(roles(0)), counted, 1},
		{"count_of_members_of_3_roles", countMembers(roles(3)), countedOf, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _ := newStore(t, nil)
			p := &planned{}
			require.NoError(t, s.View(t.Context(), "main", func(r store.Reader) error {
				own := r.(*viewer)
				p.db = own.db
				own.db = p
				return c.ask(t.Context(), own)
			}))
			require.Len(t, p.plans, 1)
			found := 0
			for _, step := range p.plans[0] {
				require.NotContains(t, step, "TEMP B-TREE")
				require.NotContains(t, step, "MATERIALIZE")
				if step == c.search {
					found++
				}
			}
			require.Equal(t, c.times, found, "%q", p.plans[0])
		})
	}
}
