package pgstore_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/pgstore"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
)

// counted is a connection that counts what is sent: as each message of the
// driver's goes out in one piece, that is the round trips.
type counted struct {
	net.Conn
	n *atomic.Int64
}

func (c counted) Write(b []byte) (int, error) {
	c.n.Add(1)
	return c.Conn.Write(b)
}

// How many times a call of the Manager goes to the server and back. The numbers
// are what they are; that they do not grow with what is asked for is the rule.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	require.NoError(t, err)
	var trips atomic.Int64
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		return counted{c, &trips}, err
	}
	config.MaxConns = 1 // so that its statements are prepared once
	pool, err := pgxpool.NewWithConfig(ctx, config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	s, err := pgstore.New(ctx, pool, nil)
	require.NoError(t, err)
	key := usermgmt.SigningKey{ID: "k", Key: ed25519.NewKeyFromSeed(make([]byte, 32))}
	m, err := usermgmt.New(s, usermgmt.Options{
		SigningKeys:  []usermgmt.SigningKey{key},
		PasswordHash: usermgmt.PasswordHash{MemoryKiB: 64, Time: 1, Threads: 1},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close() })

	admin, err := m.CreateUser(ctx, usermgmt.NewUser{Username: "admin", Grants: []usermgmt.Grant{{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm}}})
	require.NoError(t, err)
	org, err := m.CreateOrganization(ctx, usermgmt.NewOrganization{Name: "Acme"})
	require.NoError(t, err)
	as := m.As(usermgmt.UserActor(admin.ID))
	// Each user is a member and has a role of his own and a session.
	n := 0
	grow := func(count int) (ids []usermgmt.UserID) {
		for range count {
			n++
			name := fmt.Sprintf("user-%d", n)
			role, err := m.CreateRole(ctx, usermgmt.NewRole{Scope: usermgmt.ScopeRealm, Name: name, Permissions: []usermgmt.Permission{"users.read"}})
			require.NoError(t, err)
			u, err := m.CreateUser(ctx, usermgmt.NewUser{Username: name, Grants: []usermgmt.Grant{{Role: role.ID, Kind: usermgmt.ScopeRealm}}})
			require.NoError(t, err)
			_, err = m.AddMember(ctx, org.ID, usermgmt.NewMember{User: u.ID})
			require.NoError(t, err)
			ids = append(ids, u.ID)
		}
		return ids
	}
	var session usermgmt.Tokens
	calls := []struct {
		name  string
		trips int64 // at most
		call  func(ids []usermgmt.UserID) error
	}{
		{"Can", 1, func([]usermgmt.UserID) error {
			_, err := as.Can(ctx, usermgmt.UsersRead, usermgmt.Realmwide)
			return err
		}},
		{"Authenticate", 1, func([]usermgmt.UserID) error {
			_, err := m.Authenticate(ctx, session.AccessToken)
			return err
		}},
		{"User", 1, func(ids []usermgmt.UserID) error {
			_, err := as.User(ctx, ids[0])
			return err
		}},
		{"UsersByID", 1, func(ids []usermgmt.UserID) error {
			us, err := as.UsersByID(ctx, ids)
			require.Len(t, us, len(ids))
			return err
		}},
		{"Users", 1, func([]usermgmt.UserID) error {
			_, err := as.Users(ctx, usermgmt.UserList{})
			return err
		}},
		{"Users at an offset", 3, func(ids []usermgmt.UserID) error {
			_, err := as.Users(ctx, usermgmt.UserList{Page: usermgmt.Page{Offset: int64(len(ids))}})
			return err
		}},
		{"Members", 4, func([]usermgmt.UserID) error {
			_, err := as.Members(ctx, org.ID, usermgmt.MemberList{})
			return err
		}},
		{"Roles", 1, func([]usermgmt.UserID) error {
			_, err := as.Roles(ctx, usermgmt.RoleList{})
			return err
		}},
		{"CreateUser", 3, func([]usermgmt.UserID) error {
			n++
			_, err := as.CreateUser(ctx, usermgmt.NewUser{Username: fmt.Sprintf("user-%d", n)})
			return err
		}},
		{"UpdateUser", 3, func(ids []usermgmt.UserID) error {
			name := fmt.Sprintf("Ada %d", n)
			_, err := as.UpdateUser(ctx, ids[0], usermgmt.UserUpdate{FirstName: &name})
			return err
		}},
		{"DisableUser and EnableUser", 15, func(ids []usermgmt.UserID) error {
			return errors.Join(as.DisableUser(ctx, ids[0]), as.EnableUser(ctx, ids[0]))
		}},
	}
	few, many := grow(2), grow(60)
	require.NoError(t, m.SetPassword(ctx, few[1], "correct horse battery staple"))
	session, err = m.SignIn(ctx, "user-2", "correct horse battery staple")
	require.NoError(t, err)
	for _, c := range calls {
		count := func(ids []usermgmt.UserID) int64 {
			before := trips.Load()
			require.NoError(t, c.call(ids), c.name)
			// What a View leaves behind ends its transaction after it has returned.
			idle, err := pool.Acquire(ctx)
			require.NoError(t, err)
			idle.Release()
			return trips.Load() - before
		}
		// The first calls prepare their statements, and read what is kept.
		for _, warm := range [][]usermgmt.UserID{few[1:], many} {
			count(warm)
		}
		one, all := count(few[1:]), count(many)
		t.Logf("%-27s %d for one, %d for %d", c.name, one, all, len(many))
		require.LessOrEqual(t, all, c.trips, c.name)
		require.LessOrEqual(t, one, c.trips, c.name)
	}
}
