package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// Units that write so much that they wait for no answers keep the contract.
func TestUnitsInBulk(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*pgxpool.Config){"prepared": nil, "simple_protocol": simpleProtocol} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDatabase(t, edit)
			for name, test := range map[string]func(*testing.T, *Store){
				"a refused call is told exactly":        bulkRefusals,
				"a unit goes on after a refusal":        bulkGoesOn,
				"all kinds of records are read back":    bulkRecords,
				"a unit reads what it has written":      bulkReads,
				"events keep their order":               bulkEventsInOrder,
				"nothing is left of what is not wanted": bulkUndone,
				"users are counted":                     bulkCounts,
				"users are counted before others":       bulkCountsBefore,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, d.open(t))
				})
			}
		})
	}
}

func numbered(i int) store.User { return person(fmt.Sprintf("user-%06d", i)) }

// crowd creates users from one number up to another.
func crowd(ctx context.Context, tx store.Tx, from, to int) error {
	for i := from; i < to; i++ {
		if err := tx.CreateUser(ctx, numbered(i)); err != nil {
			return err
		}
	}
	return nil
}

func usersIn(t *testing.T, s *Store) (n int64) {
	t.Helper()
	require.NoError(t, s.View(t.Context(), realm, func(r store.Reader) (err error) {
		n, err = r.CountUsers(t.Context(), store.UserQuery{})
		return err
	}))
	return n
}

func bulkRefusals(t *testing.T, s *Store) {
	ctx := t.Context()
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.CreateUser(ctx, person("old")), tx.CreateOrganization(ctx, store.Organization{ID: "org"}))
	})
	join := func(user string) func(store.Tx) error {
		return func(tx store.Tx) error {
			return tx.CreateMembership(ctx, store.Membership{OrganizationID: "org", UserID: store.UserID(user), Role: "member"})
		}
	}
	named := func(id, name string) func(store.Tx) error {
		return func(tx store.Tx) error {
			u := person(id)
			u.UsernameKey = name
			return tx.CreateUser(ctx, u)
		}
	}
	for name, c := range map[string]struct {
		call func(store.Tx) error
		want error
	}{
		"a duplicate of an older id":   {named("old", "new"), &store.ExistsError{Field: "ID"}},
		"a duplicate of an older name": {named("new", "old"), &store.ExistsError{Field: "UsernameKey"}},
		"a duplicate within the unit":  {named("new", "user-000100"), &store.ExistsError{Field: "UsernameKey"}},
		"a member who is nobody":       {join("nobody"), store.ErrNotFound},
		"a member who comes later":     {join("user-000160"), store.ErrNotFound},
		"a credential of nobody": {func(tx store.Tx) error {
			return tx.PutCredential(ctx, store.Credential{UserID: "nobody", Hash: "x"})
		}, store.ErrNotFound},
		"a membership twice": {func(tx store.Tx) error {
			if err := join("old")(tx); err != nil {
				return fmt.Errorf("the first: %w", err)
			}
			return join("old")(tx)
		}, &store.ExistsError{Field: "UserID"}},
		"a stale version": {func(tx store.Tx) error {
			u := numbered(100)
			u.Version = 2
			return tx.UpdateUser(ctx, u)
		}, store.ErrStale},
		"a name that is taken": {func(tx store.Tx) error {
			u := numbered(100)
			u.Version, u.UsernameKey = 1, "old"
			return tx.UpdateUser(ctx, u)
		}, &store.ExistsError{Field: "UsernameKey"}},
		"a token without a membership": {func(tx store.Tx) error {
			return tx.CreateToken(ctx, store.Token{Digest: store.Digest{1}, Kind: store.TokenOrganization, UserID: "user-000100", OrganizationID: "org"})
		}, store.ErrNotFound},
	} {
		runs := 0
		err := s.Update(ctx, realm, func(tx store.Tx) error {
			runs++
			if err := crowd(ctx, tx, 0, 150); err != nil {
				return err
			}
			if err := c.call(tx); err != nil {
				return fmt.Errorf("here: %w", err)
			}
			return crowd(ctx, tx, 150, 170)
		})
		require.EqualError(t, err, "here: "+c.want.Error(), name)
		require.LessOrEqual(t, runs, 2, name)
		require.EqualValues(t, 1, usersIn(t, s), name)
	}
}

func bulkGoesOn(t *testing.T, s *Store) {
	ctx := t.Context()
	update(t, s, func(tx store.Tx) error { return crowd(ctx, tx, 100, 110) })
	var refused int
	update(t, s, func(tx store.Tx) error {
		refused = 0
		for i := range 300 {
			switch err := tx.CreateUser(ctx, numbered(i)); {
			case errors.Is(err, store.ErrExists):
				refused++
			case err != nil:
				return err
			}
		}
		return nil
	})
	require.Equal(t, 10, refused)
	require.EqualValues(t, 300, usersIn(t, s))
}

// bulkRecords writes records with and without what may be absent, in various
// orders, and compares what is there with what single units have written.
func bulkRecords(t *testing.T, s *Store) {
	ctx := t.Context()
	const n = 60
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var all []func(store.Tx) error
	add := func(f func(store.Tx) error) { all = append(all, f) }
	for i := range n {
		u := numbered(i)
		if i%3 == 1 {
			u.Email, u.EmailKey = u.Username, u.UsernameKey
		}
		if i%2 == 1 {
			u.Grants = []store.Grant{{Role: "r", Kind: store.ScopeFacility, Scopes: []string{fmt.Sprint(i % 5)}}}
			u.Tenants = []string{"any"}
		}
		o := store.Organization{ID: store.OrganizationID(fmt.Sprint("org-", i))}
		if i >= n/2 {
			o.Slug = fmt.Sprint("slug-", i)
		}
		add(func(tx store.Tx) error { return tx.CreateUser(ctx, u) })
		add(func(tx store.Tx) error { return tx.CreateOrganization(ctx, o) })
		add(func(tx store.Tx) error {
			return tx.PutCredential(ctx, store.Credential{UserID: u.ID, Hash: fmt.Sprint("hash-", i)})
		})
		m := store.Membership{OrganizationID: o.ID, UserID: u.ID, Role: "member"}
		if i < n/2 {
			m.VendorUserID = fmt.Sprint("theirs-", i)
		}
		add(func(tx store.Tx) error { return tx.CreateMembership(ctx, m) })
		ss := store.Session{ID: store.SessionID(fmt.Sprint("s-", i)), UserID: u.ID, CreatedAt: at}
		if i%2 == 0 {
			ss.ExpiresAt = at.Add(time.Duration(i) * time.Hour)
			ss.OrganizationID = o.ID
		}
		add(func(tx store.Tx) error { return tx.CreateSession(ctx, ss) })
		add(func(tx store.Tx) error {
			return tx.CreateToken(ctx, store.Token{Digest: store.Digest{1, byte(i)}, Kind: store.TokenOrganization, UserID: u.ID, OrganizationID: o.ID})
		})
		add(func(tx store.Tx) error {
			return tx.CreateRole(ctx, store.Role{ID: store.RoleID(fmt.Sprint("r-", i)), Scope: store.ScopeRealm, Name: fmt.Sprint(i)})
		})
		add(func(tx store.Tx) error {
			return tx.CreateTenant(ctx, store.Tenant{ID: store.TenantID(fmt.Sprint("t-", i))})
		})
		v := store.Vendor{ID: store.VendorID(fmt.Sprint("v-", i)), ClientID: fmt.Sprint("client-", i)}
		add(func(tx store.Tx) error { return tx.CreateVendor(ctx, v) })
		secret := store.VendorSecret{VendorID: v.ID, Digest: store.Digest{2, byte(i)}, CreatedAt: at}
		k := store.Key{ID: store.KeyID(fmt.Sprint("k-", i)), OrganizationID: o.ID, Digest: store.Digest{3, byte(i)}, Name: "key", Role: "reader"}
		if i%2 == 0 {
			secret.ExpiresAt, k.Owner = at.Add(time.Hour), u.ID
		}
		add(func(tx store.Tx) error { return tx.PutVendorSecret(ctx, secret) })
		add(func(tx store.Tx) error { return tx.CreateKey(ctx, k) })
		if i%7 == 6 {
			add(func(tx store.Tx) error {
				changed := u
				changed.Version, changed.LastName, changed.Grants = 1, "Changed", nil
				return tx.UpdateUser(ctx, changed)
			})
		}
	}
	one, other := s, &Store{pool: s.pool, naming: s.naming}
	update(t, one, func(tx store.Tx) error {
		for i, f := range all {
			if err := f(tx); err != nil {
				return fmt.Errorf("call %d: %w", i, err)
			}
		}
		return nil
	})
	for _, f := range all {
		require.NoError(t, other.Update(ctx, "other", f))
	}
	require.Equal(t, tables(t, s, "other"), tables(t, s, realm))
}

// tables returns the rows of a realm, their times and versions included.
func tables(t *testing.T, s *Store, of store.Realm) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, name := range []string{"user", "user_index", "credential", "organization", "membership", "session", "token", "role", "tenant", "vendor", "vendor_secret", "api_key"} {
		rows, err := s.pool.Query(t.Context(), s.naming.sql("SELECT (to_jsonb(r)-'realm')::text FROM {"+name+"} r WHERE realm=$1 ORDER BY 1"), string(of))
		require.NoError(t, err)
		for rows.Next() {
			var row string
			require.NoError(t, rows.Scan(&row))
			found[name] = append(found[name], row)
		}
		require.NoError(t, rows.Err())
		require.NotEmpty(t, found[name], name)
	}
	return found
}

func bulkReads(t *testing.T, s *Store) {
	ctx := t.Context()
	update(t, s, func(tx store.Tx) error {
		for i := range 200 {
			if err := tx.CreateUser(ctx, numbered(i)); err != nil {
				return err
			}
			if i%20 != 19 {
				continue
			}
			n, err := tx.CountUsers(ctx, store.UserQuery{})
			require.EqualValues(t, i+1, n)
			if err != nil {
				return err
			}
			us, err := tx.UsersByID(ctx, []store.UserID{numbered(i).ID, numbered(i + 1).ID})
			require.Len(t, us, 1)
			if err != nil {
				return err
			}
			if err := tx.DeleteUser(ctx, numbered(i).ID); err != nil {
				return err
			}
			if err := tx.CreateUser(ctx, numbered(i)); err != nil {
				return err
			}
		}
		return nil
	})
	require.EqualValues(t, 200, usersIn(t, s))
}

func bulkEventsInOrder(t *testing.T, s *Store) {
	ctx := t.Context()
	const n = 2*bulkSize + 10
	update(t, s, func(tx store.Tx) error {
		for i := range n {
			err := errors.Join(tx.CreateUser(ctx, numbered(i)), tx.AppendEvent(ctx, store.Event{Actor: "host", Action: "user.created", Object: fmt.Sprint(i)}))
			if err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, s.View(ctx, realm, func(r store.Reader) error {
		vs, err := r.Events(ctx, 0, n+1)
		require.Len(t, vs, n)
		for i, v := range vs {
			require.Equal(t, fmt.Sprint(i), v.Object)
		}
		return err
	}))
}

func bulkUndone(t *testing.T, s *Store) {
	const n = bulkSize + 100
	errOwn := errors.New("own")
	require.ErrorIs(t, s.Update(t.Context(), realm, func(tx store.Tx) error {
		return errors.Join(crowd(t.Context(), tx, 0, n), errOwn)
	}), errOwn)
	require.PanicsWithValue(t, "own", func() {
		_ = s.Update(t.Context(), realm, func(tx store.Tx) error {
			require.NoError(t, crowd(t.Context(), tx, 0, n))
			panic("own")
		})
	})
	ctx, cancel := context.WithCancel(t.Context())
	require.ErrorIs(t, s.Update(ctx, realm, func(tx store.Tx) error {
		if err := crowd(ctx, tx, 0, n); err != nil {
			return err
		}
		cancel()
		return nil
	}), context.Canceled)
	require.Zero(t, usersIn(t, s))
	update(t, s, func(tx store.Tx) error { return crowd(t.Context(), tx, 0, n) }) // nothing is in the way
	require.EqualValues(t, n, usersIn(t, s))
}

// bulkCounts creates users in several orders, while others come and go by other
// units, and then finds each at his place.
func bulkCounts(t *testing.T, s *Store) {
	ctx := t.Context()
	const n = 3*foldDue + 100
	there := map[int]bool{}
	update(t, s, func(tx store.Tx) error { return crowd(ctx, tx, 2*n, 2*n+50) })
	beside := func(fn func(store.Tx) error) { // a unit of another connection, which waits for nothing
		require.NoError(t, s.Update(ctx, realm, fn))
	}
	once := false
	update(t, s, func(tx store.Tx) error {
		there = map[int]bool{}
		for i := range 50 {
			there[2*n+i] = true
		}
		for i := range n {
			id := i * 7919 % n
			if err := tx.CreateUser(ctx, numbered(id)); err != nil {
				return err
			}
			there[id] = true
			if i == n/2 {
				if !once {
					once = true
					beside(func(tx store.Tx) error { return crowd(ctx, tx, 3*n, 3*n+20) })
					beside(func(tx store.Tx) error { return tx.DeleteUser(ctx, numbered(2*n).ID) })
				}
				for k := range 20 {
					there[3*n+k] = true
				}
				delete(there, 2*n)
			}
			if i%1000 == 999 {
				if err := tx.DeleteUser(ctx, numbered(id).ID); err != nil {
					return err
				}
				delete(there, id)
			}
		}
		got, err := tx.CountUsers(ctx, store.UserQuery{})
		require.EqualValues(t, len(there), got)
		return err
	})
	var want []store.UserID
	for i := range there {
		want = append(want, numbered(i).ID)
	}
	slices.Sort(want)
	inTheirPlaces(t, s, want)
	var ranges int
	require.NoError(t, s.pool.QueryRow(ctx, s.naming.sql("SELECT count(*) FROM {user_range}")).Scan(&ranges))
	require.Greater(t, ranges, n/rangeFull/2, "the unit has counted in ranges")
}

// bulkCountsBefore creates users before others, who are counted in the first range
// already, but for one.
func bulkCountsBefore(t *testing.T, s *Store) {
	ctx := t.Context()
	const n, others = 2 * foldDue, changesDue + 100
	update(t, s, func(tx store.Tx) error { return crowd(ctx, tx, n, n+others) })
	update(t, s, func(tx store.Tx) error { return crowd(ctx, tx, n+others, n+others+1) })
	update(t, s, func(tx store.Tx) error { return crowd(ctx, tx, 0, n) })
	var want []store.UserID
	for i := range n + others + 1 {
		want = append(want, numbered(i).ID)
	}
	inTheirPlaces(t, s, want)
}

// inTheirPlaces finds users by their numbers in the order of ids.
func inTheirPlaces(t *testing.T, s *Store, want []store.UserID) {
	t.Helper()
	ctx := t.Context()
	require.EqualValues(t, len(want), usersIn(t, s))
	require.NoError(t, s.View(ctx, realm, func(r store.Reader) error {
		for i := 0; i < len(want); i += 97 {
			id, err := r.UserAt(ctx, int64(i))
			if err != nil {
				return err
			}
			require.Equal(t, want[i], id)
		}
		_, err := r.UserAt(ctx, int64(len(want)))
		require.ErrorIs(t, err, store.ErrNotFound)
		return nil
	}))
}

// What goes with a row may come when the rows before it have just been sent.
func TestBulkIndexes(t *testing.T) {
	t.Parallel()
	s := newDatabase(t, nil).open(t)
	const n = 3 * bulkSize
	update(t, s, func(tx store.Tx) error {
		for i := range n {
			u := person(fmt.Sprintf("user-%05d", i))
			if i > bulkSize/2 { // so that rows of both tables are sent at every point
				u.Grants = []store.Grant{{Role: "role", Kind: store.ScopeFacility, Scopes: []string{"a", "b"}}}
			}
			if err := tx.CreateUser(t.Context(), u); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, s.View(t.Context(), realm, func(r store.Reader) error {
		for _, q := range []store.UserQuery{{Role: "role"}, {Scopes: []store.ScopeRef{{Kind: store.ScopeFacility, ID: "b"}}}} {
			count, err := r.CountUsers(t.Context(), q)
			require.NoError(t, err)
			require.EqualValues(t, n-bulkSize/2-1, count)
		}
		return nil
	}))
}
