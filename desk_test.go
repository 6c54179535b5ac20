package usermgmt_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/store"
)

// handClock is a clock that is moved by hand.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// logBook collects what is logged, down to debug level.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// desk is where people sign in: a Manager on a fresh memory store.
type desk struct {
	*usermgmt.Manager
	store store.Store
	clock *handClock
	log   *logBook
	opts  usermgmt.Options
}

// cheapHash takes some microseconds; they are for tests alone.
var cheapHash = usermgmt.PasswordHash{MemoryKiB: 64, Time: 1, Threads: 1}

// passphrase is a password that every policy here accepts.
const passphrase = "violet cradle 77"

func newDesk(t testing.TB, change ...func(*usermgmt.Options)) *desk {
	t.Helper()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	d := &desk{
		store: memstore.New(),
		clock: &handClock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)},
		log:   &logBook{},
	}
	d.opts = usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash, HashSlots: 2, Clock: d.clock.Now,
		Logger: slog.New(slog.NewJSONHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&d.opts)
	}
	d.Manager = d.manager(t)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// manager returns another Manager on the same store, as another process has it.
func (d *desk) manager(t testing.TB, change ...func(*usermgmt.Options)) *usermgmt.Manager {
	t.Helper()
	opts := d.opts
	for _, f := range change {
		f(&opts)
	}
	m, err := usermgmt.New(d.store, opts)
	require.NoError(t, err)
	return m
}

// person creates a user with the password passphrase.
func (d *desk) person(t testing.TB, name string, grants ...usermgmt.Grant) usermgmt.User {
	t.Helper()
	u, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: name, Password: passphrase, Grants: grants})
	require.NoError(t, err)
	return u
}

// role creates a realm role and returns the grant of it.
func (d *desk) role(t testing.TB, name string, ps ...usermgmt.Permission) usermgmt.Grant {
	t.Helper()
	r, err := d.CreateRole(t.Context(), usermgmt.NewRole{Name: name, Permissions: ps})
	require.NoError(t, err)
	return usermgmt.Grant{Role: r.ID, Kind: usermgmt.ScopeRealm}
}

func (d *desk) admin(t testing.TB, name string) usermgmt.User {
	t.Helper()
	return d.person(t, name, usermgmt.Grant{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm})
}

func (d *desk) signIn(t testing.TB, name, password string) usermgmt.Tokens {
	t.Helper()
	tokens, err := d.SignIn(t.Context(), name, password)
	require.NoError(t, err)
	return tokens
}

// authenticated returns the Manager under the authority of the token's user.
func (d *desk) authenticated(t testing.TB, tokens usermgmt.Tokens) *usermgmt.Manager {
	t.Helper()
	a, err := d.Authenticate(t.Context(), tokens.AccessToken)
	require.NoError(t, err)
	return d.As(a)
}

// alive reports whether the access token is accepted.
func alive(t testing.TB, m *usermgmt.Manager, accessToken string) bool {
	t.Helper()
	a, err := m.Authenticate(t.Context(), accessToken)
	if err == nil {
		return true
	}
	require.Equal(t, usermgmt.ErrUnauthenticated, err, "a refusal must say no more")
	require.Equal(t, usermgmt.Actor{}, a)
	return false
}

func (d *desk) credential(t testing.TB, user usermgmt.UserID) store.Credential {
	t.Helper()
	var c store.Credential
	err := d.store.View(t.Context(), d.RealmName(), func(r store.Reader) error {
		var err error
		c, err = r.Credential(t.Context(), user)
		return err
	})
	require.NoError(t, err)
	return c
}

// actions lists what happened, in order.
func (d *desk) actions(t testing.TB) []string {
	t.Helper()
	list, err := d.Events(t.Context(), usermgmt.Page{Limit: usermgmt.MaxPage})
	require.NoError(t, err)
	var actions []string
	for _, e := range list.Items {
		actions = append(actions, e.Actor+" "+e.Action+" "+e.Object)
	}
	return actions
}

// afterView is a store that calls then, once, when its first View has ended:
// between reading and acting. It counts units of work.
type afterView struct {
	store.Store
	once           sync.Once
	then           func()
	views, updates atomic.Int32
}

func (s *afterView) View(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	s.views.Add(1)
	err := s.Store.View(ctx, realm, fn)
	s.once.Do(s.then)
	return err
}

func (s *afterView) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	s.updates.Add(1)
	return s.Store.Update(ctx, realm, fn)
}

// atOnce runs f n times at once and returns how many succeeded; every other
// error must be the one that is given.
func atOnce(t testing.TB, n int, allowed error, f func() error) int {
	t.Helper()
	start := make(chan struct{})
	errs := make(chan error, n)
	for range n {
		go func() {
			<-start
			errs <- f()
		}()
	}
	close(start)
	good := 0
	for range n {
		switch err := <-errs; err {
		case nil:
			good++
		default:
			require.ErrorIs(t, err, allowed)
		}
	}
	return good
}
