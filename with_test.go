package usermgmt_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

// hostTx is a transaction of a host's.
type hostTx interface {
	Commit() error
	Rollback() error
}

// joinables returns desks whose store a host's transaction can join, by store.
// begin begins one.
func joinables() map[string]func(t *testing.T, change ...func(*usermgmt.Options)) (d *desk, begin func() (hostTx, store.Store)) {
	return map[string]func(t *testing.T, change ...func(*usermgmt.Options)) (*desk, func() (hostTx, store.Store)){
		"memstore": func(t *testing.T, change ...func(*usermgmt.Options)) (*desk, func() (hostTx, store.Store)) {
			d := newDesk(t, change...)
			return d, func() (hostTx, store.Store) {
				tx := d.store.(*memstore.Store).Begin()
				t.Cleanup(func() { _ = tx.Rollback() })
				return tx, tx
			}
		},
		"sqlitestore": func(t *testing.T, change ...func(*usermgmt.Options)) (*desk, func() (hostTx, store.Store)) {
			file := filepath.Join(t.TempDir(), "users.db")
			s, err := sqlitestore.Open(t.Context(), file, &sqlitestore.Options{Synchronous: sqlitestore.Normal})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)")
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			d := newDesk(t, change...)
			d.store, d.Manager = s, d.With(s)
			return d, func() (hostTx, store.Store) {
				tx, err := db.Begin()
				require.NoError(t, err)
				t.Cleanup(func() { _ = tx.Rollback() })
				return tx, sqlitestore.In(tx, nil)
			}
		},
	}
}

// eachJoinable runs a test on every store that a host's transaction can join.
func eachJoinable(t *testing.T, test func(t *testing.T, d *desk, begin func() (hostTx, store.Store)), change ...func(*usermgmt.Options)) {
	t.Parallel()
	for name, open := range joinables() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, begin := open(t, change...)
			test(t, d, begin)
		})
	}
}

var adminGrant = usermgmt.Grant{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm}

// may asks the Manager for the user's right to delete users.
func may(t testing.TB, m *usermgmt.Manager, u usermgmt.User) bool {
	t.Helper()
	ok, err := m.As(usermgmt.UserActor(u.ID)).Can(soon(t), usermgmt.UsersDelete, usermgmt.Realmwide)
	require.NoError(t, err)
	return ok
}

// soon is a context for what must not wait for the transaction that is open.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// What a joined Manager does, events and all, is there after the host's commit
// and nowhere after its rollback.
func TestWith_ends_as_the_host_ends_it(t *testing.T) {
	eachJoinable(t, func(t *testing.T, d *desk, begin func() (hostTx, store.Store)) {
		ctx := t.Context()
		d.admin(t, "root")
		before := d.actions(t)
		for _, commit := range []bool{false, true} {
			tx, s := begin()
			in := d.With(s)
			ada, err := in.CreateUser(ctx, usermgmt.NewUser{ID: "ada", Username: "ada", Password: passphrase, Grants: []usermgmt.Grant{adminGrant}})
			require.NoError(t, err)
			org, err := in.As(usermgmt.UserActor(ada.ID)).CreateOrganization(ctx, usermgmt.NewOrganization{ID: "acme", Name: "Acme"})
			require.NoError(t, err)
			_, err = in.AddMember(ctx, org.ID, usermgmt.NewMember{User: ada.ID, Role: usermgmt.RoleOwner})
			require.NoError(t, err)
			_, err = in.CreateUser(ctx, usermgmt.NewUser{Username: "ada"})
			require.ErrorIs(t, err, usermgmt.ErrExists, "a refusal costs the transaction nothing")
			tokens, err := in.SignIn(ctx, "ada", passphrase)
			require.NoError(t, err)
			require.True(t, alive(t, in, tokens.AccessToken))
			require.True(t, may(t, in, ada))
			require.NoError(t, in.Apply(ctx, usermgmt.Snapshot{Users: []usermgmt.SnapshotUser{{Username: "bert"}}}))
			_, err = in.Export(ctx)
			require.NoError(t, err)
			list, err := in.Users(ctx, usermgmt.UserList{})
			require.NoError(t, err)
			require.Len(t, list.Items, 3)

			if !commit {
				require.NoError(t, tx.Rollback())
				require.False(t, alive(t, d.Manager, tokens.AccessToken), "a session that never was")
				require.Equal(t, before, d.actions(t))
				_, err = d.User(ctx, ada.ID)
				require.ErrorIs(t, err, usermgmt.ErrNotFound)
			} else {
				require.NoError(t, tx.Commit())
				require.True(t, alive(t, d.Manager, tokens.AccessToken))
				require.Contains(t, d.actions(t), "host user.created user:ada")
				require.Contains(t, d.actions(t), "user:ada organization.created organization:acme")
				require.Greater(t, len(d.actions(t)), len(before)+4)
			}
			require.Equal(t, commit, may(t, d.Manager, ada))
			_, err = in.User(ctx, ada.ID)
			require.ErrorIs(t, err, store.ErrDone)
			_, err = in.CreateUser(ctx, usermgmt.NewUser{Username: "late"})
			require.ErrorIs(t, err, store.ErrDone)
		}
	})
}

// Rights that a joined Manager sees are those of the transaction, and never get
// into what other Managers keep.
func TestWith_rights_do_not_leak(t *testing.T) {
	eachJoinable(t, func(t *testing.T, d *desk, begin func() (hostTx, store.Store)) {
		ctx := t.Context()
		d.admin(t, "root")
		ada, bert := d.admin(t, "ada"), d.person(t, "bert")
		require.True(t, may(t, d.Manager, ada)) // and now it is kept
		require.False(t, may(t, d.Manager, bert))
		swap := func(m *usermgmt.Manager) {
			require.NoError(t, m.RevokeRoles(ctx, ada.ID, adminGrant))
			require.NoError(t, m.GrantRoles(ctx, bert.ID, adminGrant))
		}
		for range 3 {
			tx, s := begin()
			in := d.With(s)
			require.True(t, may(t, in, ada))
			swap(in)
			require.True(t, may(t, d.Manager, ada), "beside the transaction")
			require.False(t, may(t, in, ada)) // last, so that nothing covers what it might have left
			require.True(t, may(t, in, bert))
			require.NoError(t, tx.Rollback())
			// Two other changes come to the number that its two came to.
			require.NoError(t, d.DisableUser(ctx, bert.ID))
			require.NoError(t, d.EnableUser(ctx, bert.ID))
			require.True(t, may(t, d.Manager, ada), "after the rollback")
			require.False(t, may(t, d.Manager, bert), "after the rollback")
		}
		tx, s := begin()
		swap(d.With(s))
		require.NoError(t, tx.Commit())
		require.False(t, may(t, d.Manager, ada), "after the commit")
		require.True(t, may(t, d.Manager, bert), "after the commit")
	})
}

// The same of memberships, with what a Manager keeps of them.
func TestWith_memberships_do_not_leak(t *testing.T) {
	eachJoinable(t, func(t *testing.T, d *desk, begin func() (hostTx, store.Store)) {
		ctx := t.Context()
		d.admin(t, "root")
		ada, bert := d.person(t, "ada"), d.person(t, "bert")
		org, err := d.CreateOrganization(ctx, usermgmt.NewOrganization{Name: "Acme"})
		require.NoError(t, err)
		for _, n := range []usermgmt.NewMember{{User: ada.ID, Role: usermgmt.RoleOwner}, {User: bert.ID, Role: usermgmt.RoleViewer}} {
			_, err := d.AddMember(ctx, org.ID, n)
			require.NoError(t, err)
		}
		may := func(m *usermgmt.Manager) bool {
			ok, err := m.As(usermgmt.UserActor(bert.ID)).Can(soon(t), usermgmt.MembersAdd, usermgmt.InOrganization(org.ID))
			require.NoError(t, err)
			return ok
		}
		promote := func(m *usermgmt.Manager) {
			_, err := m.UpdateMember(ctx, org.ID, bert.ID, usermgmt.MemberUpdate{Role: new(usermgmt.RoleOrgAdmin)})
			require.NoError(t, err)
			require.True(t, may(m))
		}
		require.False(t, may(d.Manager))
		tx, s := begin()
		in := d.With(s)
		promote(in)
		require.False(t, may(d.Manager))
		require.True(t, may(in))
		require.NoError(t, tx.Rollback())
		_, err = d.UpdateMember(ctx, org.ID, bert.ID, usermgmt.MemberUpdate{Role: new(usermgmt.RoleReader)})
		require.NoError(t, err)
		require.False(t, may(d.Manager))
		tx, s = begin()
		promote(d.With(s))
		require.NoError(t, tx.Commit())
		require.True(t, may(d.Manager))
	})
}

// Sessions end with the commit of what ends them.
func TestWith_sessions_do_not_leak(t *testing.T) {
	eachJoinable(t, func(t *testing.T, d *desk, begin func() (hostTx, store.Store)) {
		ctx := t.Context()
		ada := d.admin(t, "ada")
		token := d.signIn(t, "ada", passphrase).AccessToken
		require.True(t, alive(t, d.Manager, token))
		for _, commit := range []bool{false, true} {
			tx, s := begin()
			in := d.With(s)
			require.True(t, alive(t, in, token))
			n, err := in.EndSessions(ctx, ada.ID)
			require.NoError(t, err)
			require.Positive(t, n)
			require.False(t, alive(t, in, token))
			_, err = d.Authenticate(soon(t), token)
			require.NoError(t, err, "beside the transaction")
			if commit {
				require.NoError(t, tx.Commit())
			} else {
				require.NoError(t, tx.Rollback())
				// Another change comes to the number that the transaction came to.
				require.NoError(t, d.DeleteUser(ctx, d.person(t, "bert").ID))
			}
			require.Equal(t, !commit, alive(t, d.Manager, token))
		}
	})
}

// Where a page ended in a transaction is no mark for pages of others.
func TestWith_walks_do_not_leak(t *testing.T) {
	eachJoinable(t, func(t *testing.T, d *desk, begin func() (hostTx, store.Store)) {
		ctx := t.Context()
		for i := range 6 {
			_, err := d.CreateUser(ctx, usermgmt.NewUser{ID: usermgmt.UserID(fmt.Sprint("u", i)), Username: fmt.Sprint("user-", i)})
			require.NoError(t, err)
		}
		page := func(m *usermgmt.Manager, offset int64) (ids []usermgmt.UserID) {
			list, err := m.Users(ctx, usermgmt.UserList{Page: usermgmt.Page{Offset: offset, Limit: 2}})
			require.NoError(t, err)
			for _, u := range list.Items {
				ids = append(ids, u.ID)
			}
			return ids
		}
		tx, s := begin()
		in := d.With(s)
		require.NoError(t, in.DeleteUser(ctx, "u0"))
		require.NoError(t, in.DeleteUser(ctx, "u1"))
		require.Equal(t, []usermgmt.UserID{"u2", "u3"}, page(in, 0))
		require.Equal(t, []usermgmt.UserID{"u4", "u5"}, page(in, 2))
		require.NoError(t, tx.Rollback())
		require.Equal(t, []usermgmt.UserID{"u2", "u3"}, page(d.Manager, 2))
	})
}

// counting counts the units that write.
type counting struct {
	store.Store
	updates atomic.Int32
}

func (c *counting) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	c.updates.Add(1)
	return c.Store.Update(ctx, realm, fn)
}

// halting gives randomness, but for the first read after it was told to halt.
type halting struct {
	halt    atomic.Bool
	reached chan struct{}
	goOn    chan struct{}
}

func (h *halting) Read(b []byte) (int, error) {
	if h.halt.CompareAndSwap(true, false) {
		close(h.reached)
		<-h.goOn
	}
	return rand.Read(b)
}

// Passwords are hashed before the transaction is touched: while no slot for
// hashing is free, no unit begins.
func TestWith_hashes_before_the_unit(t *testing.T) {
	t.Parallel()
	for name, open := range joinables() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := &halting{reached: make(chan struct{}), goOn: make(chan struct{})}
			d, begin := open(t, func(o *usermgmt.Options) { o.HashSlots, o.Random = 1, random })
			ada, bert := d.person(t, "ada"), d.person(t, "bert")
			slow := make(chan error, 1)
			random.halt.Store(true)
			go func() { slow <- d.SetPassword(context.WithoutCancel(t.Context()), bert.ID, passphrase+"!") }() // its salt takes its time
			<-random.reached

			tx, s := begin()
			counted := &counting{Store: s}
			in := d.With(counted)
			calls := map[string]func(context.Context) error{
				"CreateUser": func(ctx context.Context) error {
					_, err := in.CreateUser(ctx, usermgmt.NewUser{Username: "cleo", Password: passphrase})
					return err
				},
				"SetPassword": func(ctx context.Context) error { return in.SetPassword(ctx, ada.ID, passphrase+"?") },
				"Apply": func(ctx context.Context) error {
					return in.Apply(ctx, usermgmt.Snapshot{Users: []usermgmt.SnapshotUser{{Username: "dora", Password: passphrase}}})
				},
			}
			for call, do := range calls {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
				require.ErrorIs(t, do(ctx), context.DeadlineExceeded, call)
				cancel()
			}
			require.Zero(t, counted.updates.Load())
			require.NoError(t, tx.Rollback()) // memory's lock is held by the Views too
			close(random.goOn)
			require.NoError(t, <-slow)

			tx, s = begin()
			counted.Store = s
			for call, do := range calls {
				require.NoError(t, do(t.Context()), call)
			}
			require.NoError(t, tx.Commit())
			require.EqualValues(t, 3, counted.updates.Load())
			require.NotEmpty(t, d.signIn(t, "ada", passphrase+"?").AccessToken)
		})
	}
}
