package socotra

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/memstore"
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
	http.Handler
	support, clerk usermgmt.Role
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, tenant ...usermgmt.TenantID) *world {
	t.Helper()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	m, err := usermgmt.New(memstore.New(), usermgmt.Options{
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
	var tie func(*http.Request) usermgmt.TenantID
	if len(tenant) > 0 {
		tie = func(*http.Request) usermgmt.TenantID { return tenant[0] }
	}
	w.Handler, err = wire.NewRouter(wire.Options{}, Mount(caller.NewGate(m, caller.Options{Tenant: tie}), 0))
	require.NoError(t, err)
	return w
}

// words are the ids of the world by their names.
func (w *world) words() map[string]string {
	words := map[string]string{
		"acme": acme, "globex": globex, "support": string(w.support.ID), "clerk": string(w.clerk.ID),
		"admin": string(usermgmt.RoleAdmin), "owner": string(usermgmt.RoleOwner),
	}
	for name, id := range people {
		words[name] = string(id)
	}
	return words
}

func (w *world) token(t testing.TB, name string) string {
	t.Helper()
	tokens, err := w.SignIn(t.Context(), name+"@example.com", passphrase)
	require.NoError(t, err, "sign-in of %s", name)
	return tokens.AccessToken
}

// request makes a request by name, unless that is empty.
func (w *world) request(t testing.TB, name, method, target, body string) *http.Request {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, reader)
	if name != "" {
		r.Header.Set("Authorization", "Bearer "+w.token(t, name))
	}
	return r
}

func (w *world) serve(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

// do makes a request by name and returns status and body, <names> replaced
// both ways.
func (w *world) do(t testing.TB, name, method, target, body string) (int, string) {
	t.Helper()
	var there, back []string
	for word, id := range w.words() {
		there = append(there, "<"+word+">", id)
		back = append(back, id, "<"+word+">")
	}
	forth := strings.NewReplacer(there...)
	rec := w.serve(w.request(t, name, method, forth.Replace(target), forth.Replace(body)))
	return rec.Code, strings.NewReplacer(back...).Replace(rec.Body.String())
}
