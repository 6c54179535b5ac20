package fulfillmenttools

import (
	"log/slog"
	"strings"
	"sync/atomic"
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

// The facilities of the world; the first two are the text's.
const (
	north = "0AMSoRCbm7kSM3LJPoeH"
	south = "0T1vKaEar0nuG58CxzA5"
	west  = "0WestKLPoeH3aEar0nuG"
)

// donna is the text's user.
const donna usermgmt.UserID = "x5jrZrDHvYYs6HpaDICKYG4QuIk2"

// people of the world, by their usernames; the ids are in this order.
var people = []struct {
	name   string
	grants []usermgmt.Grant
}{
	{"root", []usermgmt.Grant{realm(usermgmt.RoleAdmin)}},
	{"ada", []usermgmt.Grant{at(usermgmt.RoleAdministrator)}},
	{"alf", []usermgmt.Grant{at(usermgmt.RoleAdministrator, north)}},
	{"sven", []usermgmt.Grant{at(usermgmt.RoleSupervisor, north, south)}},
	{"sue", []usermgmt.Grant{at(usermgmt.RoleSupervisor, west)}},
	{"finn", []usermgmt.Grant{at(usermgmt.RoleFulfiller, north, west)}}, // partly sven's, partly sue's
	{"gil", []usermgmt.Grant{at(usermgmt.RoleFulfiller, west)}},
	{"noah", nil}, // nothing at all
	{"olga", nil}, // owns the organization acme
	{"otto", nil}, // a member of it
	{"rita", []usermgmt.Grant{realm(usermgmt.RoleReadOnly)}},
	{"hank", []usermgmt.Grant{{Permission: "users.add", Kind: usermgmt.ScopeRealm}}},
	{"dan", []usermgmt.Grant{at(usermgmt.RoleSupervisor, west)}}, // a temporary password, of this very noon
}

func realm(id usermgmt.RoleID) usermgmt.Grant {
	return usermgmt.Grant{Role: id, Kind: usermgmt.ScopeRealm}
}

func at(id usermgmt.RoleID, facilities ...string) usermgmt.Grant {
	return usermgmt.Grant{Role: id, Kind: usermgmt.ScopeFacility, Scopes: facilities}
}

// idOf is the id of one of the people.
func idOf(name string) usermgmt.UserID {
	if name == "donna" {
		return donna
	}
	for i, p := range people {
		if p.name == name {
			return usermgmt.UserID("0192a000-0000-7000-8000-0000000000" + string("0123456789abcdef"[i/16]) + string("0123456789abcdef"[i%16]))
		}
	}
	return usermgmt.UserID(name)
}

// world is a realm with a few people, behind the dialect. It came to be in 2020,
// and it is 2026 now.
type world struct {
	*usermgmt.Manager
	exchange.World
	now atomic.Int64 // microseconds
	log exchange.Log // down to debug level
}

var (
	kinds = stores.Of(memstore.New, sqlitestore.Open, pgstore.Open, pgtest.URL)
	// each runs a test in a world on each kind of store.
	each = stores.Worlds(kinds, newWorld)
)

var (
	founded = time.Date(2020, 9, 25, 10, 6, 35, 9_000_000, time.UTC)
	noon    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func newWorld(t testing.TB, s store.Store) *world {
	t.Helper()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	w := &world{}
	w.now.Store(founded.UnixMicro())
	w.Manager, err = usermgmt.New(s, usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash, HashSlots: 2, Logger: w.logger(),
		Clock: func() time.Time { return time.UnixMicro(w.now.Load()).UTC() },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	for _, p := range people {
		if p.name == "dan" {
			w.now.Store(noon.UnixMicro())
		}
		_, err := w.CreateUser(t.Context(), usermgmt.NewUser{
			ID: idOf(p.name), Username: p.name, FirstName: strings.ToUpper(p.name[:1]) + p.name[1:], LastName: "Miller",
			Password: passphrase, TemporaryPassword: p.name == "dan", Grants: p.grants,
		})
		require.NoError(t, err)
	}
	w.now.Store(founded.UnixMicro())
	_, err = w.CreateUser(t.Context(), usermgmt.NewUser{
		ID: donna, Username: "donna", FirstName: "Donna", LastName: "Sheridan-Carmichael", Locale: "en_US", Password: passphrase,
		Grants: []usermgmt.Grant{at(usermgmt.RoleFulfiller, south)},
	})
	require.NoError(t, err)
	_, err = w.CreateOrganization(t.Context(), usermgmt.NewOrganization{ID: "acme", Name: "Acme", Owner: idOf("olga")})
	require.NoError(t, err)
	_, err = w.AddMember(t.Context(), "acme", usermgmt.NewMember{User: idOf("otto"), Role: usermgmt.RoleMember})
	require.NoError(t, err)
	w.now.Store(noon.UnixMicro())
	w.Token, w.Words = w.token, map[string]string{"donna": string(donna)}
	for _, p := range people {
		w.Words[p.name] = string(idOf(p.name))
	}
	w.mount(t, w.Manager, caller.Options{})
	return w
}

func (w *world) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// mount puts the dialect before a Manager.
func (w *world) mount(t testing.TB, m *usermgmt.Manager, o caller.Options) {
	t.Helper()
	var err error
	w.Handler, err = wire.NewRouter(wire.Options{Logger: w.logger()}, Mount(caller.NewGate(m, o), 0))
	require.NoError(t, err)
}

func (w *world) token(t testing.TB, name string) string {
	t.Helper()
	tokens, err := w.SignIn(t.Context(), name, passphrase)
	require.NoError(t, err, "sign-in of %s", name)
	return tokens.AccessToken
}

// get returns the user as the Manager has him.
func (w *world) get(t testing.TB, name string) usermgmt.User {
	t.Helper()
	u, err := w.User(t.Context(), idOf(name))
	require.NoError(t, err)
	return u
}
