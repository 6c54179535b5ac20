package socotra

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/units/stores"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/pgstore"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

// passphrase is everyone's password.
const passphrase = "violet cradle 77"

// cheapHash takes some microseconds; it is for tests alone.
var cheapHash = usermgmt.PasswordHash{MemoryKiB: 64, Time: 1, Threads: 1}

// People of the world, by what the exchanges call them.
const (
	root  usermgmt.UserID = "0192a000-0000-7000-8000-00000000000a" // the one admin
	ada   usermgmt.UserID = "0192a000-0000-7000-8000-00000000000b" // support: reads users and roles; tenant acme
	bob   usermgmt.UserID = "0192a000-0000-7000-8000-00000000000c" // nothing at all
	carol usermgmt.UserID = "0192a000-0000-7000-8000-00000000000d" // clerk: manages users, not roles; tenant acme
	sam   usermgmt.UserID = "0192a000-0000-7000-8000-00000000000e" // supervisor of the facility F1, and holds roles.read
	dan   usermgmt.UserID = "0192a000-0000-7000-8000-00000000000f" // a temporary password

	acme   = "0192b000-0000-7000-8000-00000000000a"
	globex = "0192b000-0000-7000-8000-00000000000b"
)

var people = map[string]usermgmt.UserID{"root": root, "ada": ada, "bob": bob, "carol": carol, "sam": sam, "dan": dan}

// world is a realm with a few people, behind the dialect.
type world struct {
	*usermgmt.Manager
	exchange.World
	support, clerk usermgmt.Role
}

var (
	kinds = stores.Of(memstore.New, sqlitestore.Open, pgstore.Open, pgtest.URL)
	// each runs a test in a world on each kind of store.
	each = stores.Worlds(kinds, newWorld)
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, s store.Store) *world {
	t.Helper()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	m, err := usermgmt.New(s, usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash, HashSlots: 2,
		Clock: func() time.Time { return noon }, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	w := &world{Manager: m}
	ctx := t.Context()
	for id, name := range map[usermgmt.TenantID]string{acme: "Acme", globex: "Globex"} {
		_, err := m.CreateTenant(ctx, usermgmt.NewTenant{ID: id, Name: name, Type: "test"})
		require.NoError(t, err)
	}
	w.support, err = m.CreateRole(ctx, usermgmt.NewRole{
		Name: "support", Description: "Answers the phone",
		Permissions: []usermgmt.Permission{usermgmt.UsersRead, usermgmt.UsersList, usermgmt.RolesRead},
	})
	require.NoError(t, err)
	w.clerk, err = m.CreateRole(ctx, usermgmt.NewRole{
		Name: "clerk", Permissions: []usermgmt.Permission{"users.*", usermgmt.RolesRead},
	})
	require.NoError(t, err)
	realm := func(roles ...usermgmt.RoleID) []usermgmt.Grant { return roleGrants(roles) }
	for _, n := range []usermgmt.NewUser{
		{ID: root, Username: "root@example.com", FirstName: "Root", LastName: "Admin", Grants: realm(usermgmt.RoleAdmin), Tenants: []string{"any"}},
		{ID: ada, Username: "ada@example.com", Email: "ada@mail.example", FirstName: "Ada", LastName: "Lovelace", Grants: realm(w.support.ID), Tenants: []string{acme}},
		{ID: bob, Username: "Bob@example.com", FirstName: "Bob", LastName: "Builder"},
		{ID: carol, Username: "carol@example.com", FirstName: "Carol", LastName: "Clerk", Grants: realm(w.clerk.ID), Tenants: []string{acme}},
		{ID: sam, Username: "sam@example.com", FirstName: "Sam", LastName: "Visor", Grants: []usermgmt.Grant{
			{Role: usermgmt.RoleSupervisor, Kind: usermgmt.ScopeFacility, Scopes: []string{"F1"}},
			{Permission: "roles.read", Kind: usermgmt.ScopeRealm},
		}},
		{ID: dan, Username: "dan@example.com", FirstName: "Dan", LastName: "Debut", TemporaryPassword: true, Grants: realm(usermgmt.RoleReadOnly)},
	} {
		n.Password = passphrase
		_, err := m.CreateUser(ctx, n)
		require.NoError(t, err)
	}
	w.World = exchange.World{Token: w.token, Words: map[string]string{
		"acme": acme, "globex": globex, "support": string(w.support.ID), "clerk": string(w.clerk.ID),
		"admin": string(usermgmt.RoleAdmin), "owner": string(usermgmt.RoleOwner),
	}}
	for name, id := range people {
		w.Words[name] = string(id)
	}
	w.mount(t, caller.Options{})
	return w
}

// mount puts the dialect before the realm.
func (w *world) mount(t testing.TB, o caller.Options) {
	t.Helper()
	var err error
	w.Handler, err = wire.NewRouter(wire.Options{}, Mount(caller.NewGate(w.Manager, o), 0))
	require.NoError(t, err)
}

func (w *world) token(t testing.TB, name string) string {
	t.Helper()
	tokens, err := w.SignIn(t.Context(), name+"@example.com", passphrase)
	require.NoError(t, err, "sign-in of %s", name)
	return tokens.AccessToken
}
