package faulttest

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"runtime/pprof"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/pgstore"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

const (
	passphrase  = "violet cradle 77"
	replacement = "brass lantern 42"
)

// hand is a clock that is moved by hand.
type hand struct {
	mu  sync.Mutex
	now time.Time
}

func (c *hand) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *hand) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// dice is randomness that can be had again, so that the same operation makes
// the same secrets.
type dice struct {
	mu  sync.Mutex
	src *rand.ChaCha8
}

func (d *dice) Read(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.src.Read(b)
}

func (d *dice) reset(seed byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.src = rand.NewChaCha8([32]byte{seed})
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// signingKey is everybody's: to make one costs more than a world.
var signingKey = sync.OnceValues(func() (usermgmt.SigningKey, error) { return usermgmt.GenerateSigningKey(nil) })

// options are those of every Manager here: hashes cost microseconds, one at a
// time, so that a slot that is not given back stops the next operation.
func options(t testing.TB, clock func() time.Time, random io.Reader) usermgmt.Options {
	t.Helper()
	key, err := signingKey()
	require.NoError(t, err)
	return usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: usermgmt.PasswordHash{MemoryKiB: 8, Time: 1, Threads: 1}, HashSlots: 1,
		Clock: clock, Random: random, RedirectURL: "https://app.example/enter", Logger: slog.New(slog.DiscardHandler),
		// Of sign-ins that break, a world sees many at one moment.
		Throttle: usermgmt.Throttle{Account: usermgmt.Rate{Burst: 1000}, AccountLimit: 1000},
	}
}

// openers open an empty store of each kind.
var openers = map[string]func(testing.TB) store.Store{
	"memstore": func(testing.TB) store.Store { return memstore.New() },
	"sqlitestore": func(t testing.TB) store.Store {
		s, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "users.db"), nil)
		require.NoError(t, err)
		return s
	},
	"pgstore": func(t testing.TB) store.Store {
		if testing.Short() {
			t.Skip("left out of short runs: a PostgreSQL server takes seconds to start")
		}
		// The pool and the server outlive a run, so their goroutines are none of it.
		url, opened := pgtest.URL(t), make(chan struct{})
		var s store.Store
		var err error
		go func() {
			defer close(opened)
			pprof.SetGoroutineLabels(context.Background())
			s, err = pgstore.Open(t.Context(), url, nil)
		}()
		<-opened
		require.NoError(t, err)
		return s
	},
}

// world is a directory with something of every noun in it, behind a tap.
type world struct {
	*usermgmt.Manager // the host's
	tap               *tap
	clock             *hand
	dice              *dice

	ada, eve     usermgmt.Tokens // eve's are good for changing her password alone
	old          string          // a refresh token of ada's that has been spent
	globex       usermgmt.OrganizationID
	handle, code string          // organization token of globex's owner, and a code by it
	confined     usermgmt.Tokens // of globex's owner in globex, once the code is redeemed
	clientSecret string
	clientToken  string
	keySecret    string
}

const clerk = usermgmt.RoleID("clerk") // the realm role that cleo holds

// newWorld fills an empty store. Ids are given wherever they can be.
func newWorld(t testing.TB, s store.Store) *world {
	t.Helper()
	w := &world{tap: &tap{Store: s}, clock: &hand{now: noon}, dice: &dice{}}
	w.dice.reset(1)
	var err error
	w.Manager, err = usermgmt.New(w.tap, options(t, w.clock.Now, w.dice))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		require.NoError(t, err)
	}

	must(w.CreatePermission(ctx, "books.read"))
	must(w.CreatePermission(ctx, "books.write"))
	_, err = w.CreateTenant(ctx, usermgmt.NewTenant{ID: "north", Name: "North", Type: "region"})
	must(err)
	must(w.Apply(ctx, usermgmt.Snapshot{Roles: []usermgmt.SnapshotRole{ // which may name their ids
		{ID: clerk, Name: "clerk", Permissions: []usermgmt.Permission{"books.read"}},
		{ID: "helper", Name: "helper", Scope: "organization", Permissions: []usermgmt.Permission{usermgmt.MembersList}},
		{ID: "packer", Name: "packer", Scope: "facility", Permissions: []usermgmt.Permission{usermgmt.UsersRead}},
	}}))
	for _, n := range []usermgmt.NewUser{
		{ID: "root", Grants: []usermgmt.Grant{{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm}}},
		{ID: "ada", Password: passphrase, Tenants: []string{"north"}},
		{ID: "bob", Tags: []string{"tall"}, Grants: []usermgmt.Grant{{Role: "packer", Kind: usermgmt.ScopeFacility, Scopes: []string{"dock"}}}},
		{ID: "cleo", Password: passphrase, Grants: []usermgmt.Grant{{Role: clerk, Kind: usermgmt.ScopeRealm}, {Permission: "books.write", Kind: usermgmt.ScopeRealm}}},
		{ID: "dan", Disabled: true},
		{ID: "eve", Password: passphrase, TemporaryPassword: true},
	} {
		n.Username, n.Email, n.FirstName = string(n.ID), string(n.ID)+"@"+string(n.ID)+".example", "First "+string(n.ID)
		_, err = w.CreateUser(ctx, n)
		must(err)
	}
	_, err = w.CreateOrganization(ctx, usermgmt.NewOrganization{ID: "acme", Slug: "acme", Name: "Acme", Domain: "acme.example", Owner: "ada"})
	must(err)
	_, err = w.AddMember(ctx, "acme", usermgmt.NewMember{User: "bob", Role: "helper", Tags: []string{"new"}})
	must(err)
	_, w.keySecret, err = w.CreateKey(ctx, "acme", usermgmt.NewKey{ID: "key", Name: "key", Role: "helper", ExpiresAt: noon.Add(time.Hour)})
	must(err)
	_, w.clientSecret, err = w.CreateVendor(ctx, usermgmt.NewVendor{ID: "oem", Name: "Oem", ClientID: "oem-client", Scopes: []string{usermgmt.ScopeVendorManage}})
	must(err)
	_, _, err = w.CreateVendor(ctx, usermgmt.NewVendor{ID: "spare", Name: "Spare"})
	must(err)
	token, err := w.VendorToken(ctx, "oem-client", w.clientSecret)
	must(err)
	w.clientToken = token.AccessToken
	p, err := w.As(usermgmt.VendorActor("oem")).ProvisionOrganization(ctx, "Globex", usermgmt.VendorUser{Email: "gus@globex.example", VendorUserID: "g1"})
	must(err)
	w.globex, w.handle = p.Organization.ID, p.Token
	code, err := w.As(usermgmt.VendorActor("oem")).CreateCode(ctx, w.handle)
	must(err)
	w.code = code.Code
	first, err := w.SignIn(ctx, "ada", passphrase)
	must(err)
	w.old = first.RefreshToken
	w.ada, err = w.Refresh(ctx, first.RefreshToken)
	must(err)
	w.eve, err = w.SignIn(ctx, "eve", passphrase)
	must(err)
	return w
}
