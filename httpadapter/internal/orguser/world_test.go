package orguser

import (
	"log/slog"
	"net/http"
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

// The organizations. Acme is the text's own.
const (
	acme    usermgmt.OrganizationID = "org123"
	globex  usermgmt.OrganizationID = "org999"  // nobody of Acme is there but Rita
	hollow  usermgmt.OrganizationID = "org-0"   // has no members
	partner usermgmt.OrganizationID = "org-oem" // is a vendor's
)

// People of the world; their names are their usernames before @example.com.
var people = []struct {
	id          usermgmt.UserID
	name        string
	first, last string
	member      map[usermgmt.OrganizationID]usermgmt.RoleID
}{
	{"root", "root", "Root", "Admin", nil}, // the realm's admin
	{"u-olga", "olga", "Olga", "Owner", in(acme, usermgmt.RoleOwner)},
	{"user456", "jane.smith", "Jane", "Smith", in(acme, usermgmt.RoleOrgAdmin)},
	{"user789", "john.doe", "John", "Doe", in(acme, usermgmt.RoleMember)},
	{"u-will", "will", "Will", "Writer", in(acme, usermgmt.RoleWriter)},
	{"u-edda", "edda", "Edda", "Editor", in(acme, usermgmt.RoleEditor)},
	{"u-rita", "rita", "Rita", "Reader", map[usermgmt.OrganizationID]usermgmt.RoleID{acme: usermgmt.RoleReader, globex: usermgmt.RoleOrgAdmin}},
	{"u-vic", "vic", "Vic", "Viewer", in(acme, usermgmt.RoleViewer)},
	{"u-una", "una", "Una", "Assigned", in(acme, usermgmt.RoleUnassigned)},
	{"u-gus", "gus", "Gus", "Globex", in(globex, usermgmt.RoleOwner)},
	{"u-gil", "gil", "Gil", "Globex", in(globex, usermgmt.RoleMember)},
	{"u-bob", "bob", "Bob", "Builder", nil}, // in no organization
	{"u-dan", "dan", "Dan", "Debut", nil},   // a temporary password
}

func in(org usermgmt.OrganizationID, role usermgmt.RoleID) map[usermgmt.OrganizationID]usermgmt.RoleID {
	return map[usermgmt.OrganizationID]usermgmt.RoleID{org: role}
}

// noon is when the world begins; John's and Rita's memberships are a day and
// four hours younger.
var noon = time.Date(2024, 12, 1, 10, 0, 0, 0, time.UTC)

// world is a realm with a few people, behind the dialect.
type world struct {
	*usermgmt.Manager
	exchange.World
	// auditor is a role of the organization scope that the realm made.
	auditor usermgmt.Role
	log     *slog.Logger
}

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
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	w := &world{log: slog.New(log)}
	now := noon
	m, err := usermgmt.New(s, usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash, HashSlots: 2,
		RedirectURL: "https://app.example/enter", Clock: func() time.Time { return now }, Logger: w.log,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	w.Manager = m
	ctx := t.Context()
	w.auditor, err = m.CreateRole(ctx, usermgmt.NewRole{
		Scope: usermgmt.ScopeOrganization, Name: "auditor",
		Permissions: []usermgmt.Permission{usermgmt.MembersList, usermgmt.EventsRead},
	})
	require.NoError(t, err)
	for _, id := range []usermgmt.OrganizationID{acme, globex, hollow} {
		_, err := m.CreateOrganization(ctx, usermgmt.NewOrganization{ID: id, Name: string(id)})
		require.NoError(t, err)
	}
	for _, p := range people {
		n := usermgmt.NewUser{
			ID: p.id, Username: p.name + "@example.com", Email: p.name + "@example.com", FirstName: p.first, LastName: p.last,
			Password: passphrase, TemporaryPassword: p.name == "dan",
		}
		if p.name == "root" {
			n.Grants = []usermgmt.Grant{{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm}}
		}
		_, err := m.CreateUser(ctx, n)
		require.NoError(t, err)
	}
	for _, young := range []bool{false, true} {
		if young {
			now = noon.Add(28 * time.Hour)
		}
		for _, p := range people {
			if (p.id == "user789" || p.id == "u-rita") != young {
				continue
			}
			for org, role := range p.member {
				_, err := m.AddMember(ctx, org, usermgmt.NewMember{User: p.id, Role: role})
				require.NoError(t, err)
			}
		}
	}
	w.Token = w.token
	w.mount(t, caller.Options{})
	return w
}

// mount puts the dialect before the realm.
func (w *world) mount(t testing.TB, o caller.Options) {
	t.Helper()
	var err error
	w.Handler, err = wire.NewRouter(wire.Options{Logger: w.log}, Mount(caller.NewGate(w.Manager, o), 0))
	require.NoError(t, err)
}

// must returns v if err is nil.
func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

// audit makes someone a member of Acme with a role that the realm made.
func (w *world) audit(t testing.TB, name string) {
	t.Helper()
	must[usermgmt.Member](t)(w.AddMember(t.Context(), acme, usermgmt.NewMember{Email: name + "@example.com", Role: w.auditor.ID}))
}

func (w *world) role(t testing.TB, org usermgmt.OrganizationID, user usermgmt.UserID) usermgmt.RoleID {
	t.Helper()
	return must[usermgmt.Member](t)(w.Member(t.Context(), org, user)).Role
}

func (w *world) token(t testing.TB, name string) string {
	t.Helper()
	tokens, err := w.SignIn(t.Context(), name+"@example.com", passphrase)
	require.NoError(t, err, "sign-in of %s", name)
	return tokens.AccessToken
}

// request makes a request by name about an organization, unless these are empty.
func (w *world) request(t testing.TB, name string, org usermgmt.OrganizationID, method, target, body string) *http.Request {
	t.Helper()
	r := w.Request(t, name, method, target, body)
	if org != "" {
		r.Header.Set("organization_id", string(org))
	}
	return r
}

// do makes a request by name and returns status and body.
func (w *world) do(t testing.TB, name string, org usermgmt.OrganizationID, method, target, body string) (int, string) {
	t.Helper()
	rec := w.Serve(w.request(t, name, org, method, target, body))
	return rec.Code, rec.Body.String()
}

const path = "/organization-user"

// requests is a well-formed request for each route, about a user.
func requests(user string) []struct{ name, method, target, body string } {
	return []struct{ name, method, target, body string }{
		{"addMember", "POST", path, `{"email": "new@example.com", "role": "member"}`},
		{"updateMember", "PUT", path, `{"user_id": "` + user + `", "role": "reader"}`},
		{"deleteMember", "DELETE", path, `{"user_id": "` + user + `"}`},
		{"listMembers", "GET", path, ""},
		{"fetchMember", "GET", path + "/" + user, ""},
	}
}
