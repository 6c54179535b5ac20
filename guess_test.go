package usermgmt_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/store"
)

// TestGuessesAtOnceAreBounded: of any number of wrong guesses at the same time
// as many are verified as may fail, whichever Manager they are made at.
func TestGuessesAtOnceAreBounded(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ada", "nobody"} {
		d := newDesk(t)
		d.person(t, "ada")
		managers := []*usermgmt.Manager{d.Manager, d.manager(t), d.manager(t)}
		next := make(chan *usermgmt.Manager, 200)
		for i := range 200 {
			next <- managers[i%3]
		}
		var mu sync.Mutex
		verified := 0
		atOnce(t, 200, usermgmt.ErrThrottled, func() error {
			_, err := (<-next).SignIn(t.Context(), name, "wrong")
			if errors.Is(err, usermgmt.ErrUnauthenticated) {
				mu.Lock()
				defer mu.Unlock()
				verified++
				return nil
			}
			return err
		})
		require.Equal(t, 10, verified, name)
		refused(t, d.Manager, name)
	}
}

// TestRightOnesAtOnceAllPass: who is there with twenty browsers is no attacker,
// even after some failures.
func TestRightOnesAtOnceAllPass(t *testing.T) {
	t.Parallel()
	for failures := range 10 {
		d := newDesk(t)
		ada := d.person(t, "ada")
		fails(t, d.Manager, "ada", failures)
		require.Equal(t, 40, atOnce(t, 40, nil, func() error {
			_, err := d.SignIn(t.Context(), "ada", passphrase)
			return err
		}), "after %d failures", failures)
		sessions, err := d.Sessions(t.Context(), ada.ID, usermgmt.Page{Limit: 100})
		require.NoError(t, err)
		require.Len(t, sessions.Items, 40)
		fails(t, d.Manager, "ada", 10)
		refused(t, d.Manager, "ada")
	}
}

// TestUpgradesAtOncePass: sign-ins that start over, since another has upgraded
// the hash, are no failures.
func TestUpgradesAtOncePass(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *usermgmt.Options) { o.Throttle.Account.Burst = 2 })
	u, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "ada", PasswordHash: argon2id(t, passphrase)})
	require.NoError(t, err)
	require.Equal(t, 20, atOnce(t, 20, nil, func() error {
		_, err := d.SignIn(t.Context(), "ada", passphrase)
		return err
	}))
	require.NoError(t, d.DeleteUser(t.Context(), u.ID))
}

// gated is a store whose Updates wait until they are let through.
type gated struct {
	store.Store
	gate chan struct{} // nil lets all through
}

func (s *gated) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	err := s.Store.Update(ctx, realm, fn)
	if s.gate != nil {
		<-s.gate
	}
	return err
}

// TestWaitingGuesses follows guesses that find no room while others are under way.
func TestWaitingGuesses(t *testing.T) {
	t.Parallel()
	// run starts a sign-in and returns a function that says what came of it, or
	// nil if it still waits.
	type outcome func() (err error, ended bool)
	start := func(ctx context.Context, m *usermgmt.Manager, password string) outcome {
		ended := make(chan error, 1)
		go func() {
			_, err := m.SignIn(ctx, "ada", password)
			ended <- err
		}()
		return func() (error, bool) {
			select {
			case err := <-ended:
				return err, true
			default:
				return nil, false
			}
		}
	}
	world := func(t *testing.T) (*usermgmt.Manager, *gated) {
		key, err := usermgmt.GenerateSigningKey(nil)
		require.NoError(t, err)
		s := &gated{Store: memstore.New()}
		m, err := usermgmt.New(s, usermgmt.Options{
			SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash,
			Throttle: usermgmt.Throttle{Account: usermgmt.Rate{Burst: 1, Every: time.Hour}},
		})
		require.NoError(t, err)
		_, err = m.CreateUser(t.Context(), usermgmt.NewUser{Username: "ada", Password: passphrase})
		require.NoError(t, err)
		s.gate = make(chan struct{})
		return m, s
	}
	still := func(t *testing.T, os ...outcome) {
		t.Helper()
		synctest.Wait()
		for i, o := range os {
			err, ended := o()
			require.False(t, ended, "attempt %d: %v", i, err)
		}
	}
	ends := func(t *testing.T, o outcome, want error) {
		t.Helper()
		synctest.Wait()
		err, ended := o()
		require.True(t, ended)
		require.ErrorIs(t, err, want)
	}

	t.Run("are refused once those have failed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m, s := world(t)
			wrong := start(t.Context(), m, "wrong")
			still(t, wrong) // counted, not verified
			right := start(t.Context(), m, passphrase)
			still(t, right)
			s.gate <- struct{}{}
			ends(t, wrong, usermgmt.ErrUnauthenticated)
			ends(t, right, usermgmt.ErrThrottled)
		})
	})
	t.Run("go on once one of those was right", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m, s := world(t)
			first := start(t.Context(), m, passphrase)
			still(t, first)
			second, third := start(t.Context(), m, passphrase), start(t.Context(), m, passphrase)
			still(t, second, third)
			s.gate <- struct{}{}
			still(t, first, second, third) // verified, its session not committed
			for range 5 {                  // two units of each
				s.gate <- struct{}{}
				synctest.Wait()
			}
			ends(t, first, nil)
			ends(t, second, nil)
			ends(t, third, nil)
		})
	})
	t.Run("end with their context", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m, s := world(t)
			first := start(t.Context(), m, "wrong")
			still(t, first)
			ctx, cancel := context.WithCancel(t.Context())
			for range 3 { // one of them has the turn and waits for news, or all wait for it
				o := start(ctx, m, passphrase)
				still(t, o)
				defer func() { ends(t, o, context.Canceled) }()
			}
			cancel()
			synctest.Wait()
			s.gate <- struct{}{}
			ends(t, first, usermgmt.ErrUnauthenticated)
		})
	})
}

// TestABusyServerThrottlesNobody: what could not be verified was no guess.
func TestABusyServerThrottlesNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *usermgmt.Options) {
		o.HashSlots = 1
		o.PasswordHash = usermgmt.PasswordHash{MemoryKiB: 2 << 10, Time: 1, Threads: 1}
		o.Throttle.Account.Burst, o.Throttle.AccountLimit = 1000, 1000
	})
	d.person(t, "ada")
	var mu sync.Mutex
	verified, busy := 0, 0
	atOnce(t, 400, nil, func() error { // the queue has 256 places
		_, err := d.SignIn(t.Context(), "ada", "wrong")
		mu.Lock()
		defer mu.Unlock()
		switch {
		case errors.Is(err, usermgmt.ErrUnauthenticated):
			verified++
		case errors.Is(err, usermgmt.ErrBusy):
			busy++
		default:
			return err
		}
		return nil
	})
	require.Positive(t, busy)
	m := d.manager(t, func(o *usermgmt.Options) {
		o.Throttle.Account.Burst, o.Throttle.AccountLimit = verified+1, 1000
		o.PasswordHash = cheapHash
	})
	fails(t, m, "ada", 1)
	refused(t, m, "ada")
}

// overtaken is a store on which the sign-ins of one context wait before their
// session, until one of another has been told that there is no room.
type overtaken struct {
	store.Store
	early          context.Context // nil before they are to wait
	updates, views atomic.Int32    // of the early one, and of the other
	told           chan struct{}
	ended          chan error
}

func (s *overtaken) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	if ctx == s.early && s.updates.Add(1) == 2 { // by the first it was counted
		<-s.told
	}
	return s.Store.Update(ctx, realm, fn)
}

func (s *overtaken) View(ctx context.Context, realm store.Realm, fn func(store.Reader) error) error {
	err := s.Store.View(ctx, realm, fn)
	if s.early != nil && ctx != s.early && s.views.Add(1) == 2 { // the first was of the user
		close(s.told)
		err = errors.Join(err, <-s.ended)
	}
	return err
}

// TestAnOvertakenGuessTriesAgain: who was told that there is no room by what the
// store said before another proved right is not refused for that.
func TestAnOvertakenGuessTriesAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *usermgmt.Options) { o.Throttle.Account.Burst = 1 })
	d.person(t, "ada")
	early, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := &overtaken{Store: d.store, told: make(chan struct{}), ended: make(chan error, 1)}
	m := d.With(s)
	s.early = early
	go func() {
		_, err := m.SignIn(early, "ada", passphrase)
		s.ended <- err
	}()
	for s.updates.Load() < 2 { // it is counted, and right
		runtime.Gosched()
	}
	_, err := m.SignIn(t.Context(), "ada", passphrase)
	require.NoError(t, err)
}
