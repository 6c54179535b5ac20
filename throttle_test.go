package usermgmt_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/store"
)

var home = netip.MustParseAddr("192.0.2.7")

// throttledFor requires that the error is about too many failures, and returns
// how long it asks to wait.
func throttledFor(t testing.TB, err error) time.Duration {
	t.Helper()
	require.ErrorIs(t, err, usermgmt.ErrThrottled)
	require.NotErrorIs(t, err, usermgmt.ErrUnauthenticated)
	var e *usermgmt.ThrottledError
	require.ErrorAs(t, err, &e)
	require.Positive(t, e.RetryAfter)
	return e.RetryAfter
}

// fails signs in with a wrong password n times, each of which is verified.
func fails(t testing.TB, m *usermgmt.Manager, name string, n int) {
	t.Helper()
	for i := range n {
		_, err := m.SignIn(t.Context(), name, "wrong")
		require.Equal(t, usermgmt.ErrUnauthenticated, err, "attempt %d at %s", i+1, name)
	}
}

// refused signs in with the right password and returns how long that is to wait.
func refused(t testing.TB, m *usermgmt.Manager, name string) time.Duration {
	t.Helper()
	_, err := m.SignIn(t.Context(), name, passphrase)
	return throttledFor(t, err)
}

func TestThrottleOptions(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for field, throttle := range map[string]usermgmt.Throttle{
		"Throttle.Account.Burst": {Account: usermgmt.Rate{Burst: -1}},
		"Throttle.Client.Every":  {Client: usermgmt.Rate{Every: -time.Second}},
		"Throttle.Address.Every": {Address: usermgmt.Rate{Burst: 1 << 40, Every: time.Hour}},
		"Throttle.AccountLimit":  {AccountLimit: -1},
	} {
		opts := d.opts
		opts.Throttle = throttle
		_, err := usermgmt.New(d.store, opts)
		var e *usermgmt.InvalidError
		require.ErrorAs(t, err, &e)
		require.Equal(t, field, e.Field)
	}
	opts := d.opts
	opts.Throttle.Account.Every = time.Nanosecond
	_, err := usermgmt.New(d.store, opts)
	require.ErrorIs(t, err, usermgmt.ErrInvalid)
}

func TestPasswordsAreThrottledByAccount(t *testing.T) {
	t.Parallel()

	t.Run("ten at once, then one a minute", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		d.person(t, "ada")
		fails(t, d.Manager, "ada", 10)
		require.Equal(t, time.Minute, refused(t, d.Manager, "ada"))
		d.clock.Advance(time.Minute - time.Microsecond)
		require.Equal(t, time.Microsecond, refused(t, d.Manager, "Ada"), "what is refused does not count")
		d.clock.Advance(time.Microsecond)
		fails(t, d.Manager, "ada", 1)
		require.Equal(t, time.Minute, refused(t, d.Manager, "ada"))
		d.clock.Advance(3 * time.Minute)
		fails(t, d.Manager, "ada", 3)
		require.Equal(t, time.Minute, refused(t, d.Manager, "ada"))
		d.clock.Advance(10 * time.Minute)
		fails(t, d.Manager, "ada", 10)
		refused(t, d.Manager, "ada")
	})

	t.Run("success forgets", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		d.person(t, "ada")
		for range 8 {
			fails(t, d.Manager, "ada", 9)
			d.signIn(t, "ada", passphrase)
		}
		fails(t, d.Manager, "ada", 10)
		refused(t, d.Manager, "ada")
	})

	t.Run("fifty in a row end it for a day", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		d.person(t, "ada")
		for range 50 {
			d.clock.Advance(time.Hour)
			fails(t, d.Manager, "ada", 1)
		}
		d.clock.Advance(time.Hour)
		require.Equal(t, 23*time.Hour, refused(t, d.Manager, "ada"))
		d.clock.Advance(23*time.Hour - time.Microsecond)
		require.Equal(t, time.Microsecond, refused(t, d.Manager, "ada"))
		d.clock.Advance(time.Microsecond)
		d.signIn(t, "ada", passphrase)
	})

	t.Run("a day without a failure breaks the row", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		d.person(t, "ada")
		for range 60 {
			d.clock.Advance(24 * time.Hour)
			fails(t, d.Manager, "ada", 1)
		}
	})

	t.Run("a new password starts anew, and frees", func(t *testing.T) {
		t.Parallel()
		imported := argon2id(t, passphrase)
		for name, renew := range map[string]func(*desk, usermgmt.UserID) error{
			"set":    func(d *desk, id usermgmt.UserID) error { return d.SetPassword(t.Context(), id, passphrase) },
			"reset":  func(d *desk, id usermgmt.UserID) error { return d.ResetPassword(t.Context(), id, passphrase) },
			"import": func(d *desk, id usermgmt.UserID) error { return d.ImportPasswordHash(t.Context(), id, imported) },
		} {
			d := newDesk(t, func(o *usermgmt.Options) { o.Throttle.AccountLimit = 10 })
			ada, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "ada", Email: "ada@example.com", Password: passphrase})
			require.NoError(t, err)
			for _, by := range []string{"ada", "ada@example.com"} {
				fails(t, d.Manager, by, 10)
				require.Equal(t, 24*time.Hour, refused(t, d.Manager, by))
			}
			require.NoError(t, renew(d, ada.ID), name)
			for _, by := range []string{"ada", "ada@example.com"} {
				_, err = d.SignIn(t.Context(), by, passphrase)
				require.NoError(t, err, "%s, by %s", name, by)
			}
		}
	})

	t.Run("the import of what there is frees nobody", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		ada := d.person(t, "ada")
		imported := argon2id(t, replacement)
		require.NoError(t, d.ImportPasswordHash(t.Context(), ada.ID, imported))
		fails(t, d.Manager, "ada", 10)
		require.NoError(t, d.ImportPasswordHash(t.Context(), ada.ID, imported))
		refused(t, d.Manager, "ada")
	})

	t.Run("changing one's password counts with signing in", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		ada := d.person(t, "ada")
		m := d.As(usermgmt.UserActor(ada.ID))
		fails(t, d.Manager, "ada", 4)
		for range 6 {
			_, err := m.ChangePassword(t.Context(), "wrong", replacement)
			require.Equal(t, usermgmt.ErrUnauthenticated, err)
		}
		_, err := m.ChangePassword(t.Context(), passphrase, replacement)
		require.Equal(t, time.Minute, throttledFor(t, err))
		refused(t, d.Manager, "ada")
		d.clock.Advance(time.Minute)
		_, err = m.ChangePassword(t.Context(), passphrase, "short")
		require.ErrorIs(t, err, usermgmt.ErrInvalid)
		fails(t, d.Manager, "ada", 9) // the old password was right, whatever the new one was
		_, err = m.ChangePassword(t.Context(), passphrase, replacement)
		require.NoError(t, err)
		d.signIn(t, "ada", replacement)
	})

	t.Run("verifying for the host does not count", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		ada := d.person(t, "ada")
		for range 20 {
			ok, err := d.VerifyPassword(t.Context(), ada.ID, "wrong")
			require.NoError(t, err)
			require.False(t, ok)
		}
		fails(t, d.Manager, "ada", 10)
		ok, err := d.VerifyPassword(t.Context(), ada.ID, passphrase)
		require.NoError(t, err)
		require.True(t, ok)
	})

	t.Run("off is off", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, func(o *usermgmt.Options) { o.Throttle.Off = true })
		ada := d.person(t, "ada")
		s := &afterView{Store: d.store, then: func() {}}
		fails(t, d.With(s).From(home), "ada", 200)
		require.Zero(t, s.updates.Load())
		d.signIn(t, "ada", passphrase)
		_, err := d.As(usermgmt.UserActor(ada.ID)).ChangePassword(t.Context(), passphrase, replacement)
		require.NoError(t, err)
	})

	t.Run("other names free nobody", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		d.person(t, "ada")
		fails(t, d.Manager, "ada", 10)
		for i := range 10_000 {
			_, err := d.SignIn(t.Context(), fmt.Sprint("nobody-", i), "wrong")
			require.Equal(t, usermgmt.ErrUnauthenticated, err)
			if i%100 == 0 {
				refused(t, d.Manager, "ada")
			}
		}
		_, err := d.Sweep(t.Context(), 100_000)
		require.NoError(t, err)
		refused(t, d.Manager, "ada")
		d.clock.Advance(24 * time.Hour)
		n, err := d.Sweep(t.Context(), 100_000)
		require.NoError(t, err)
		require.Equal(t, 10_001, n, "nothing stays for ever")
	})

	t.Run("realms do not meet", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		d.person(t, "ada")
		fails(t, d.Manager.Realm("other"), "ada", 10)
		refused(t, d.Manager.Realm("other"), "ada")
		d.signIn(t, "ada", passphrase)
	})
}

// TestNobodyIsThrottledLikeSomebody: answers do not tell a name that there is
// from one that there is not, in whatever order they are asked for.
func TestNobodyIsThrottledLikeSomebody(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *usermgmt.Options) { o.Throttle.AccountLimit = 25 })
	_, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "ada", Email: "lovelace@example.com", Password: passphrase})
	require.NoError(t, err)
	_, err = d.CreateUser(t.Context(), usermgmt.NewUser{Username: "carol"}) // without a password
	require.NoError(t, err)
	_, err = d.CreateUser(t.Context(), usermgmt.NewUser{Username: "lovelace@example.com", Password: replacement})
	require.NoError(t, err)
	bob := d.person(t, "bob")
	require.NoError(t, d.DisableUser(t.Context(), bob.ID))
	// The third is the e-mail of the first, and says nothing of what happened there.
	names := []string{"ada", "carol", "lovelace@example.com", "bob", "nobody", "no name\x00", ""}
	type answer struct {
		text           string
		views, updates int32
	}
	for round := range 60 {
		var first answer
		for i, name := range names {
			s := &afterView{Store: d.store, then: func() {}}
			_, err := d.With(s).SignIn(t.Context(), name, "wrong")
			got := answer{err.Error(), s.views.Load(), s.updates.Load()}
			if i == 0 {
				first = got
			}
			if name == "lovelace@example.com" { // two users, two passwords
				got.views, got.updates = first.views, first.updates
			}
			require.Equal(t, first, got, "round %d: %q", round, name)
		}
		d.clock.Advance(time.Duration(round%3) * 20 * time.Second)
	}
	require.NotContains(t, d.log.String(), passphrase)
}

// TestANameOfTwo: who has another's e-mail for his username neither frees what
// was tried at him nor shuts him out.
func TestANameOfTwo(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ada, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "ada", Email: "ada@example.com", Password: passphrase})
	require.NoError(t, err)
	mallory, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "ada@example.com", Password: replacement})
	require.NoError(t, err)
	for range 5 {
		require.Equal(t, mallory.ID, d.signIn(t, "ada@example.com", replacement).UserID)
		fails(t, d.Manager, "ada@example.com", 2)
	}
	require.Equal(t, mallory.ID, d.signIn(t, "ada@example.com", replacement).UserID)
	require.Equal(t, time.Minute, refused(t, d.Manager, "ada@example.com"))
	require.Equal(t, ada.ID, d.signIn(t, "ada", passphrase).UserID)

	d.clock.Advance(time.Hour)
	m := d.As(usermgmt.UserActor(mallory.ID))
	for range 10 { // mallory spends what his own name has
		_, err := m.ChangePassword(t.Context(), "wrong", passphrase)
		require.Equal(t, usermgmt.ErrUnauthenticated, err)
	}
	require.Equal(t, ada.ID, d.signIn(t, "ada@example.com", passphrase).UserID)
}

func TestClocksMayGoBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person(t, "ada")
	d.person(t, "bob")
	m := d.From(home)
	fails(t, d.Manager, "ada", 10)
	for range 10 {
		_, _ = d.VendorToken(t.Context(), "globex", "wrong wrong")
	}
	for i := range 100 {
		fails(t, m, fmt.Sprint("nobody", i), 1)
	}
	d.clock.Advance(-1000 * time.Hour)
	require.Equal(t, time.Minute, refused(t, d.Manager, "ada"), "as if it had happened now")
	_, err := m.SignIn(t.Context(), "bob", "wrong") // cuts the address down, like the verified ones
	require.Equal(t, usermgmt.ErrUnauthenticated, err)
	throttledFor(t, func() error { _, err := m.SignIn(t.Context(), "bob", passphrase); return err }())
	d.clock.Advance(time.Minute)
	d.signIn(t, "ada", passphrase)
	_, err = m.SignIn(t.Context(), "bob", passphrase)
	require.NoError(t, err)

	fails(t, d.Manager, "bob", 1)
	d.clock.Advance(-1000 * time.Hour)
	fails(t, d.Manager, "bob", 9) // the one is no more than one

	d.clock.Advance(3000 * time.Hour)
	for range 50 {
		d.clock.Advance(time.Hour)
		fails(t, d.Manager, "ada", 1)
	}
	d.clock.Advance(-1000 * time.Hour)
	require.Equal(t, 24*time.Hour, refused(t, d.Manager, "ada"))
	d.clock.Advance(24 * time.Hour)
	d.signIn(t, "ada", passphrase)
}

func TestManagersShareWhatTheyCount(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person(t, "ada")
	others := []*usermgmt.Manager{d.Manager, d.manager(t), d.manager(t)}
	for i := range 10 {
		fails(t, others[i%3], "ada", 1)
	}
	for _, m := range others {
		refused(t, m, "ada")
	}
	d.clock.Advance(time.Minute)
	_, err := others[1].SignIn(t.Context(), "ada", passphrase)
	require.NoError(t, err)
	fails(t, others[2], "ada", 10)
	refused(t, d.Manager, "ada")
}

func TestAddressesAreThrottled(t *testing.T) {
	t.Parallel()
	few := func(o *usermgmt.Options) { o.Throttle.Address = usermgmt.Rate{Burst: 5, Every: time.Minute} }

	t.Run("passwords are refused unseen, of whomever", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, few)
		ada := d.person(t, "ada")
		m := d.From(home)
		for i := range 5 {
			_, err := m.SignIn(t.Context(), "ada", passphrase)
			require.NoError(t, err, "success does not count")
			fails(t, m, fmt.Sprint("nobody", i), 1)
		}
		require.Equal(t, time.Minute, refused(t, m, "ada"))
		_, err := m.As(usermgmt.UserActor(ada.ID)).ChangePassword(t.Context(), passphrase, replacement)
		throttledFor(t, err)
		d.signIn(t, "ada", passphrase)
		for _, elsewhere := range []string{"192.0.2.8", "2001:db8::1"} {
			_, err := d.From(netip.MustParseAddr(elsewhere)).SignIn(t.Context(), "ada", passphrase)
			require.NoError(t, err, elsewhere)
		}
		require.Contains(t, d.log.String(), `"session.throttled"`)
		require.Contains(t, d.log.String(), `"from":"192.0.2.7/32"`)
		d.clock.Advance(time.Minute)
		_, err = m.SignIn(t.Context(), "ada", passphrase)
		require.NoError(t, err)
		fails(t, m, "ada", 1)
		refused(t, m, "ada")
	})

	t.Run("one subscriber is one address", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, few)
		d.person(t, "ada")
		for i := range 5 {
			fails(t, d.From(netip.MustParseAddr(fmt.Sprintf("2001:db8::%x:1%%eth0", i))), fmt.Sprint("nobody", i), 1)
			fails(t, d.From(netip.MustParseAddr([]string{"192.0.2.7", "::ffff:192.0.2.7"}[i%2])), fmt.Sprint("nobody", i), 1)
		}
		refused(t, d.From(netip.MustParseAddr("2001:db8::2")), "ada")
		refused(t, d.From(home), "ada")
		_, err := d.From(netip.MustParseAddr("2001:db8:0:1::2")).SignIn(t.Context(), "ada", passphrase)
		require.NoError(t, err)
	})

	t.Run("who is nowhere known does not count", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, few)
		d.person(t, "ada")
		m := d.From(home).From(netip.Addr{})
		for i := range 20 {
			fails(t, m, fmt.Sprint("nobody", i), 1)
			_, err := m.AuthenticateKey(t.Context(), "no key of ours")
			require.Equal(t, usermgmt.ErrUnauthenticated, err)
		}
	})

	t.Run("what nobody guesses passes, and keeps nobody from signing in", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t, few)
		p := o.partner("globex")
		made := p.opens(usermgmt.VendorUser{Email: "ada@example.com"})
		key, secret, err := o.m.CreateKey(t.Context(), made.Organization.ID, usermgmt.NewKey{Name: "k", Role: usermgmt.RoleReader})
		require.NoError(t, err)
		code, err := p.m.CreateCode(t.Context(), made.Token)
		require.NoError(t, err)
		again, err := p.m.CreateCode(t.Context(), made.Token)
		require.NoError(t, err)
		v, err := o.m.VendorByClientID(t.Context(), "globex")
		require.NoError(t, err)
		vendorSecret, err := o.m.RotateVendorSecret(t.Context(), v.ID, 0)
		require.NoError(t, err)
		m := o.m.From(home)
		_, tokens, err := m.RedeemCode(t.Context(), again.Code)
		require.NoError(t, err)

		unknown := strings.Repeat("x", 42) + "A"
		tries := map[string]func() error{
			"key":     func() error { _, err := m.AuthenticateKey(t.Context(), "no key of ours"); return err },
			"code":    func() error { _, _, err := m.RedeemCode(t.Context(), "umc_"+unknown); return err },
			"refresh": func() error { _, err := m.Refresh(t.Context(), "umr_"+unknown); return err },
			"vendor":  func() error { _, err := m.AuthenticateVendor(t.Context(), "globex", "wrong wrong"); return err },
			"client":  func() error { _, err := m.VendorToken(t.Context(), "nobody", "wrong wrong"); return err },
		}
		for name, try := range tries {
			require.Equal(t, usermgmt.ErrUnauthenticated, try(), name)
		}
		for _, try := range tries {
			throttledFor(t, try())
		}
		a, err := m.AuthenticateKey(t.Context(), secret)
		require.NoError(t, err)
		require.Equal(t, key.ID, a.KeyID())
		_, _, err = m.RedeemCode(t.Context(), code.Code)
		require.NoError(t, err)
		_, err = m.AuthenticateVendor(t.Context(), "globex", vendorSecret)
		require.NoError(t, err)
		_, err = m.Refresh(t.Context(), tokens.RefreshToken)
		require.NoError(t, err)
		_, err = m.Authenticate(t.Context(), "no token")
		require.Equal(t, usermgmt.ErrUnauthenticated, err, "access tokens do not count")

		ada, err := o.m.UserByUsername(t.Context(), "ada@example.com")
		require.NoError(t, err)
		require.NoError(t, o.m.SetPassword(t.Context(), ada.ID, passphrase))
		_, err = m.SignIn(t.Context(), "ada@example.com", passphrase)
		require.NoError(t, err)
	})
}

func TestClientsAreThrottled(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, secret, err := d.CreateVendor(t.Context(), usermgmt.NewVendor{Name: "Globex", ClientID: "globex", Scopes: []string{usermgmt.ScopeVendorManage}})
	require.NoError(t, err)
	initech, itsSecret, err := d.CreateVendor(t.Context(), usermgmt.NewVendor{Name: "Initech", ClientID: "initech"})
	require.NoError(t, err)
	yes := true
	_, err = d.UpdateVendor(t.Context(), initech.ID, usermgmt.VendorUpdate{Disabled: &yes})
	require.NoError(t, err)
	s := &afterView{Store: d.store, then: func() {}}
	m := d.With(s)
	clients := [][2]string{{"globex", secret + "x"}, {"nobody", secret}, {"initech", itsSecret}, {"", "wrong wrong"}}
	for i := range 100 {
		for _, c := range clients {
			_, err := m.VendorToken(t.Context(), c[0], c[1])
			require.Equal(t, usermgmt.ErrUnauthenticated, err, "attempt %d of %s", i+1, c[0])
			_, err = m.VendorToken(t.Context(), "globex", secret)
			require.NoError(t, err)
		}
	}
	written := s.updates.Load()
	require.EqualValues(t, 400, written)
	for _, c := range clients {
		_, err := m.AuthenticateVendor(t.Context(), c[0], c[1])
		require.Equal(t, 6*time.Second, throttledFor(t, err), c[0])
	}
	require.Equal(t, written, s.updates.Load(), "what is refused is not written")
	a, err := d.AuthenticateVendor(t.Context(), "globex", secret)
	require.NoError(t, err, "the right secret passes")
	require.NotEmpty(t, a.VendorID())
	require.NotContains(t, d.log.String(), secret)
	d.clock.Advance(6 * time.Second)
	for _, c := range clients {
		_, err := d.AuthenticateVendor(t.Context(), c[0], c[1])
		require.Equal(t, usermgmt.ErrUnauthenticated, err)
	}
}

// brittle is a store whose units of one kind fail.
type brittle struct {
	store.Store
	view, update error
}

func (s *brittle) View(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	if s.view != nil {
		return s.view
	}
	return s.Store.View(ctx, realm, fn)
}

func (s *brittle) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	if s.update != nil {
		return s.update
	}
	return s.Store.Update(ctx, realm, fn)
}

// TestWhatCannotBeCountedIsRefused: an attempt that the store cannot count is
// refused with the store's error, even with the right password.
func TestWhatCannotBeCountedIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ada := d.person(t, "ada")
	full := errors.New("the disk is full")
	m := d.With(&brittle{Store: d.store, update: full}).From(home)
	for name, try := range map[string]func() error{
		"sign in":      func() error { _, err := m.SignIn(t.Context(), "ada", passphrase); return err },
		"unknown name": func() error { _, err := m.SignIn(t.Context(), "nobody", passphrase); return err },
		"change password": func() error {
			_, err := m.As(usermgmt.UserActor(ada.ID)).ChangePassword(t.Context(), passphrase, replacement)
			return err
		},
		"wrong key":    func() error { _, err := m.AuthenticateKey(t.Context(), "no key of ours"); return err },
		"wrong client": func() error { _, err := m.AuthenticateVendor(t.Context(), "nobody", "wrong wrong"); return err },
	} {
		require.ErrorIs(t, try(), full, name)
	}
	unread := errors.New("the disk is gone")
	_, err := d.With(&brittle{Store: d.store, view: unread}).From(home).SignIn(t.Context(), "ada", passphrase)
	require.ErrorIs(t, err, unread)
	d.signIn(t, "ada", passphrase)
}

// salted blocks whoever asks it for a salt, within a slot, while it is stuck.
type salted struct{ stuck, asked chan struct{} }

func (s salted) Read(b []byte) (int, error) {
	if len(b) == 16 {
		select {
		case s.asked <- struct{}{}:
			<-s.stuck
		default:
		}
	}
	return rand.Read(b)
}

// TestWhoStopsWaitingHasNotGuessed: while passwords wait for a slot nobody looks at
// them, so those whose callers go away meanwhile do not count.
func TestWhoStopsWaitingHasNotGuessed(t *testing.T) {
	t.Parallel()
	random := salted{stuck: make(chan struct{}), asked: make(chan struct{})}
	d := newDesk(t, func(o *usermgmt.Options) { o.HashSlots, o.Random = 1, random })
	d.person(t, "ada")
	bob := d.user(t, "bob")
	done := make(chan error, 1)
	go func() { done <- d.SetPassword(t.Context(), bob.ID, passphrase) }()
	<-random.asked // and holds the only slot from now on
	for range 12 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, err := d.SignIn(ctx, "ada", passphrase)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	close(random.stuck)
	require.NoError(t, <-done)
	fails(t, d.Manager, "ada", 9)
	_, err := d.SignIn(t.Context(), "ada", passphrase)
	require.NoError(t, err)
}
