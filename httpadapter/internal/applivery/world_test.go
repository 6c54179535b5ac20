package applivery

import (
	"log/slog"
	"net/http"
	"net/netip"
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
var people = map[string]usermgmt.UserID{
	"root":  "0192a000-0000-7000-8000-00000000000a", // the realm's admin; a member of nothing
	"olga":  "0192a000-0000-7000-8000-00000000000b", // owner of acme and plain
	"adam":  "0192a000-0000-7000-8000-00000000000c", // admin of acme and plain
	"will":  "0192a000-0000-7000-8000-00000000000d", // writer in acme, tagged
	"mia":   "0192a000-0000-7000-8000-00000000000e", // member of acme, and holder of the realm role admin
	"una":   "0192a000-0000-7000-8000-00000000000f", // unassigned in acme
	"gina":  "0192a000-0000-7000-8000-000000000010", // owner of globex
	"bob":   "0192a000-0000-7000-8000-000000000011", // nothing at all
	"rae":   "0192a000-0000-7000-8000-000000000012", // realm role read-only
	"dan":   "0192a000-0000-7000-8000-000000000013", // a temporary password
	"clara": "0192a000-0000-7000-8000-000000000014", // gave herself the address clara@mine.example
}

// Organizations of the world; acme has the slug acme-works. plain alone has no
// OEM provisioning; empty has no members.
var organizations = map[string]usermgmt.OrganizationID{
	"acme":   "0192b000-0000-7000-8000-00000000000a",
	"plain":  "0192b000-0000-7000-8000-00000000000b",
	"globex": "0192b000-0000-7000-8000-00000000000c",
	"empty":  "0192b000-0000-7000-8000-00000000000d",
	"orphan": "0192b000-0000-7000-8000-00000000000e", // its one owner, gone, is disabled
}

// keys are API keys by name: each is a key of that organization and role, and
// adamsKey is adam's own.
var keys = map[string]struct {
	id     usermgmt.KeyID
	org    string
	role   usermgmt.RoleID
	secret string
}{
	"key":       {"0192c000-0000-7000-8000-00000000000a", "acme", usermgmt.RoleOrgAdmin, "canary-key-of-an-admin"},
	"ownerKey":  {"0192c000-0000-7000-8000-00000000000b", "acme", usermgmt.RoleOwner, "canary-key-of-an-owner"},
	"viewerKey": {"0192c000-0000-7000-8000-00000000000c", "acme", usermgmt.RoleViewer, "canary-key-of-a-viewer"},
	"idleKey":   {"0192c000-0000-7000-8000-00000000000d", "acme", usermgmt.RoleUnassigned, "canary-key-of-nobody"},
	"globexKey": {"0192c000-0000-7000-8000-00000000000e", "globex", usermgmt.RoleOwner, "canary-key-of-globex"},
	"plainKey":  {"0192c000-0000-7000-8000-00000000000f", "plain", usermgmt.RoleOrgAdmin, "canary-key-of-plain"},
	"emptyKey":  {"0192c000-0000-7000-8000-000000000010", "empty", usermgmt.RoleOrgAdmin, "canary-key-of-empty"},
	"orphanKey": {"0192c000-0000-7000-8000-000000000011", "orphan", usermgmt.RoleOrgAdmin, "canary-key-of-orphan"},
	"adamsKey":  {"0192c000-0000-7000-8000-000000000012", "acme", usermgmt.RoleOrgAdmin, "canary-key-of-adam"},
}

// world is a realm with some people and organizations, behind the dialect.
type world struct {
	*usermgmt.Manager
	exchange.World
	custom usermgmt.Role // of the organization scope, with members.add alone
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var (
	kinds = stores.Of(memstore.New, sqlitestore.Open, pgstore.Open, pgtest.URL)
	// each runs a test in a world on each kind of store.
	each = stores.Worlds(kinds, newWorld)
)

func newWorld(t testing.TB, s store.Store) *world {
	t.Helper()
	return newWorldWith(t, s, slog.DiscardHandler)
}

// newWorldWith is newWorld with a log.
func newWorldWith(t testing.TB, s store.Store, log slog.Handler) *world {
	t.Helper()
	logger := slog.New(log)
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	m, err := usermgmt.New(s, usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash, HashSlots: 2,
		Clock: func() time.Time { return noon }, Logger: logger, RedirectURL: "https://app.example/landing",
		Throttle: usermgmt.Throttle{Address: usermgmt.Rate{Burst: 1}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	w := &world{Manager: m}
	w.Words, w.Token = ids(), w.credential
	w.populate(t)
	w.Handler, err = wire.NewRouter(wire.Options{Logger: logger}, Mount(caller.NewGate(m, caller.Options{Address: claimed}), 0, usermgmt.RoleViewer))
	require.NoError(t, err)
	return w
}

// claimed takes a request's word for where it comes from.
func claimed(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddr(r.Header.Get("From-Address"))
	return addr
}

func (w *world) populate(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	realm := func(role usermgmt.RoleID) []usermgmt.Grant {
		return []usermgmt.Grant{{Role: role, Kind: usermgmt.ScopeRealm}}
	}
	for _, n := range []usermgmt.NewUser{
		{Username: "root", Grants: realm(usermgmt.RoleAdmin)},
		{Username: "olga", FirstName: "Olga", LastName: "Owner"},
		{Username: "adam", FirstName: "Adam", LastName: "Admin"},
		{Username: "will", FirstName: "Will", LastName: "Writer"},
		{Username: "mia", Grants: realm(usermgmt.RoleAdmin)},
		{Username: "una"},
		{Username: "gina"},
		{Username: "bob"},
		{Username: "rae", Grants: realm(usermgmt.RoleReadOnly)},
		{Username: "dan", TemporaryPassword: true, Grants: realm(usermgmt.RoleAdmin)},
		{Username: "clara"},
	} {
		n.ID, n.Password = people[n.Username], passphrase
		n.Username += "@example.com"
		n.Email = n.Username
		_, err := w.CreateUser(ctx, n)
		require.NoError(t, err)
	}
	_, err := w.As(usermgmt.UserActor(people["clara"])).UpdateUser(ctx, people["clara"], usermgmt.UserUpdate{Email: new("clara@mine.example")})
	require.NoError(t, err)
	gone, err := w.CreateUser(ctx, usermgmt.NewUser{Username: "gone@example.com"})
	require.NoError(t, err)
	owners := map[string]usermgmt.UserID{"acme": people["olga"], "plain": people["olga"], "globex": people["gina"], "orphan": gone.ID}
	for name, id := range organizations {
		_, err := w.CreateOrganization(ctx, usermgmt.NewOrganization{
			ID: id, Name: name, Slug: name + "-works", OEMProvisioning: name != "plain", Owner: owners[name],
		})
		require.NoError(t, err)
	}
	require.NoError(t, w.DisableUser(ctx, gone.ID))
	w.join(t, "acme", "adam", usermgmt.RoleOrgAdmin)
	w.join(t, "acme", "will", usermgmt.RoleWriter, "night shift", "paris")
	w.join(t, "acme", "mia", usermgmt.RoleMember, "paris")
	w.join(t, "acme", "una", usermgmt.RoleUnassigned)
	w.join(t, "plain", "adam", usermgmt.RoleOrgAdmin)
	w.custom, err = w.CreateRole(ctx, usermgmt.NewRole{
		Name: "recruiter", Scope: usermgmt.ScopeOrganization, Permissions: []usermgmt.Permission{usermgmt.MembersAdd},
	})
	require.NoError(t, err)
	for name, k := range keys {
		m := w.Manager
		if name == "adamsKey" {
			m = w.As(usermgmt.UserActor(people["adam"]))
		}
		_, _, err := m.CreateKey(ctx, organizations[k.org], usermgmt.NewKey{ID: k.id, Name: name, Role: k.role, Secret: k.secret})
		require.NoError(t, err)
	}
}

func (w *world) join(t testing.TB, org, name string, role usermgmt.RoleID, tags ...string) {
	t.Helper()
	_, err := w.AddMember(t.Context(), organizations[org], usermgmt.NewMember{User: people[name], Role: role, Tags: tags})
	require.NoError(t, err)
}

// ids are those of the world by their names.
func ids() map[string]string {
	words := map[string]string{}
	for name, id := range people {
		words[name] = string(id)
	}
	for name, id := range organizations {
		words[name] = string(id)
	}
	for name, k := range keys {
		words[name] = string(k.id)
	}
	return words
}

// credential is the secret of the key of that name, or an access token of the
// user of that name.
func (w *world) credential(t testing.TB, name string) string {
	t.Helper()
	if k, ok := keys[name]; ok {
		return k.secret
	}
	tokens, err := w.SignIn(t.Context(), name+"@example.com", passphrase)
	require.NoError(t, err, "sign-in of %s", name)
	return tokens.AccessToken
}
