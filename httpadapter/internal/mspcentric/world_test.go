package mspcentric

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/units"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/units/stores"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/pgstore"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

// cheapHash takes some microseconds; it is for tests alone.
var cheapHash = usermgmt.PasswordHash{MemoryKiB: 64, Time: 1, Threads: 1}

// Clients of the world. The first is the one of the text.
const (
	partner  = "your-client-id" // has the organizations 1234, solo.example, acme.example and bücher.example
	initech  = "initech"        // another vendor, with the organizations 1234, 9 and only.example
	reporter = "reporter"       // has another scope than vendor_manage
	gone     = "gone"           // is disabled
)

var secrets = map[string]string{
	partner: "your-client-secret", initech: "the red stapler", reporter: "numbers and graphs", gone: "once upon a time",
}

// world is a realm with vendors and the people whom they provisioned, behind
// the dialect. tokens are the people's organization tokens.
type world struct {
	*usermgmt.Manager
	exchange.World
	vendors map[string]usermgmt.VendorID
	tokens  map[string]string
	now     time.Time
	store   *units.Store
}

var (
	kinds = stores.Of(memstore.New, sqlitestore.Open, pgstore.Open, pgtest.URL)
	// each runs a test in a world on each kind of store.
	each = stores.Worlds(kinds, newWorld)
)

func newWorld(t testing.TB, s store.Store) *world {
	t.Helper()
	return newWorldWith(t, s, func(*usermgmt.Options) {})
}

// newWorldWith is newWorld with other options.
func newWorldWith(t testing.TB, s store.Store, change func(*usermgmt.Options)) *world {
	t.Helper()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	w := &world{
		vendors: map[string]usermgmt.VendorID{}, tokens: map[string]string{},
		now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), store: units.Count(s),
	}
	o := usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash, HashSlots: 2, RedirectURL: "https://app.example/enter",
		Clock: func() time.Time { return w.now }, Logger: slog.New(slog.DiscardHandler),
	}
	change(&o)
	w.Manager, err = usermgmt.New(w.store, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	ctx := t.Context()
	for client, secret := range secrets {
		n := usermgmt.NewVendor{Name: client, ClientID: client, Secret: secret, Scopes: []string{usermgmt.ScopeVendorManage, "billing"}}
		if client == reporter {
			n.Scopes = []string{"reports"}
		}
		v, _, err := w.CreateVendor(ctx, n)
		require.NoError(t, err)
		w.vendors[client] = v.ID
	}
	disabled := true
	_, err = w.UpdateVendor(ctx, w.vendors[gone], usermgmt.VendorUpdate{Disabled: &disabled})
	require.NoError(t, err)

	w.populate(t)
	w.Words = w.tokens
	w.Handler, err = wire.NewRouter(wire.Options{Logger: o.Logger}, Mount(caller.NewGate(w.Manager, caller.Options{}), 0))
	require.NoError(t, err)
	return w
}

// populate has the vendors make organizations and users, and the host some who
// are in none.
func (w *world) populate(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	for _, n := range []struct{ client, id, email, userID string }{
		{partner, "1234", "pia@partner.example", "1"},
		{partner, "", "sol@solo.example", ""},
		{partner, "", "ada@acme.example", ""},
		{partner, "", "greta@bücher.example", ""},
		{initech, "1234", "ian@initech.example", "1"},
		{initech, "9", "nina@initech.example", "9"},
		{initech, "", "otto@only.example", ""},
	} {
		made, err := w.by(n.client).ProvisionOrganization(ctx, "Company of "+n.email, vendorUser(n.email, n.userID, n.id))
		require.NoError(t, err)
		w.keep(n.email, made)
	}
	for _, n := range []struct{ client, id, email, userID string }{
		{partner, "1234", "max@partner.example", "2"},
		{partner, "1234", "rex@partner.example", "3"},
		{partner, "", "bob@acme.example", "4"},
		{initech, "9", "tom@initech.example", "5"},
	} {
		made, err := w.by(n.client).ProvisionUser(ctx, vendorUser(n.email, n.userID, n.id))
		require.NoError(t, err)
		w.keep(n.email, made)
	}
	require.NoError(t, w.by(partner).DeprovisionUser(ctx, w.tokens["rex"], usermgmt.MemberRef{}))

	_, err := w.CreateUser(ctx, usermgmt.NewUser{Username: "eve@elsewhere.example", Email: "eve@elsewhere.example", FirstName: "Eve", LastName: "Elsewhere", Password: "violet cradle 77"})
	require.NoError(t, err)
	// Mallory gave himself the address of a colleague-to-be of Pia's.
	mallory, err := w.CreateUser(ctx, usermgmt.NewUser{Username: "mallory", Password: "violet cradle 77"})
	require.NoError(t, err)
	claimed := "victim@partner.example"
	_, err = w.As(usermgmt.UserActor(mallory.ID)).UpdateUser(ctx, mallory.ID, usermgmt.UserUpdate{Email: &claimed})
	require.NoError(t, err)
}

func vendorUser(email, userID, id string) usermgmt.VendorUser {
	return usermgmt.VendorUser{Email: email, FirstName: "First", LastName: "Last", VendorUserID: userID, VendorOrganizationID: id}
}

// by is the Manager acting for the client.
func (w *world) by(client string) *usermgmt.Manager {
	return w.As(usermgmt.VendorActor(w.vendors[client]))
}

// keep remembers a person's token by what is before the address's @.
func (w *world) keep(email string, made usermgmt.Provisioned) {
	name, _, _ := strings.Cut(email, "@")
	w.tokens[name] = made.Token
}

// call is a body without credentials, of members that are text or objects.
type call map[string]any

// request makes a request for the client, with credentials beside what the call
// has, and its own where it has some.
func (w *world) request(t testing.TB, client, method, path string, c call) *http.Request {
	t.Helper()
	body := call{"clientId": client, "clientSecret": secrets[client], "grantType": "client_credentials", "scope": "vendor_manage"}
	for name, value := range c {
		body[name] = value
	}
	text, err := json.Marshal(body)
	require.NoError(t, err)
	return httptest.NewRequest(method, path, strings.NewReader(string(text)))
}

const (
	organizations = "/api/oem-api/organization"
	users         = "/api/oem-api/user"
	sessions      = "/api/oem-api/organization/session"
)

// do makes a request for the client and returns status and body.
func (w *world) do(t testing.TB, client, method, path string, c call) (int, string) {
	t.Helper()
	rec := w.Serve(w.request(t, client, method, path, c))
	return rec.Code, rec.Body.String()
}

// token makes a request that must succeed and returns its organization token.
func (w *world) token(t testing.TB, client, path string, data call) string {
	t.Helper()
	status, body := w.do(t, client, "POST", path, call{"data": data})
	require.Equal(t, 201, status, body)
	var res provisionedResponse
	require.NoError(t, json.Unmarshal([]byte(body), &res))
	require.Equal(t, 201, res.Status)
	return res.OrganizationOEMToken
}

// unchanged has act change nothing of what the realm holds.
func (w *world) unchanged(t testing.TB, act func()) {
	t.Helper()
	before, err := w.Export(t.Context())
	require.NoError(t, err)
	act()
	after, err := w.Export(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
}
