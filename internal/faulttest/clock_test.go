package faulttest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"
	_ "time/tzdata" // the tests need Berlin's summer time wherever they run

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
)

const tenYears = 10 * 365 * 24 * time.Hour

// ticket is something that lets its bearer in until it ends.
type ticket struct {
	name string
	// life is how long it works; 0 for ever.
	life time.Duration
	// once is set where to use it is to spend it, signed where it says its end
	// itself: in whole seconds, and never too early.
	once, signed bool
	// get makes one, at the time that the clock shows, and returns how to use it.
	get func(t testing.TB, w *world) (use func() error)
	// revoke ends it; nil if nothing does.
	revoke func(t testing.TB, w *world)
}

// tickets are all kinds of token, and the passwords that end.
var tickets = []ticket{
	{"access token", 10 * time.Minute, false, true, func(t testing.TB, w *world) func() error {
		tokens, err := w.SignIn(t.Context(), "cleo", passphrase)
		require.NoError(t, err)
		return func() error { _, err := w.Authenticate(t.Context(), tokens.AccessToken); return err }
	}, endSessions},
	{"access token for changing the password", 10 * time.Minute, false, false, func(t testing.TB, w *world) func() error {
		require.NoError(t, w.ResetPassword(t.Context(), "cleo", replacement))
		tokens, err := w.SignIn(t.Context(), "cleo", replacement)
		require.NoError(t, err)
		return func() error { _, err := w.Authenticate(t.Context(), tokens.AccessToken); return err }
	}, endSessions},
	{"refresh token", 30 * 24 * time.Hour, true, false, func(t testing.TB, w *world) func() error {
		tokens, err := w.SignIn(t.Context(), "cleo", passphrase)
		require.NoError(t, err)
		return func() error { _, err := w.Refresh(t.Context(), tokens.RefreshToken); return err }
	}, endSessions},
	{"second refresh token", 30 * 24 * time.Hour, true, false, func(t testing.TB, w *world) func() error {
		tokens, err := w.SignIn(t.Context(), "cleo", passphrase)
		require.NoError(t, err)
		tokens, err = w.Refresh(t.Context(), tokens.RefreshToken)
		require.NoError(t, err)
		return func() error { _, err := w.Refresh(t.Context(), tokens.RefreshToken); return err }
	}, endSessions},
	{"one-time code", 5 * time.Minute, true, false, func(t testing.TB, w *world) func() error {
		c, err := w.As(vendor(w)).CreateCode(t.Context(), w.handle)
		require.NoError(t, err)
		return func() error { _, _, err := w.RedeemCode(t.Context(), c.Code); return err }
	}, func(t testing.TB, w *world) {
		require.NoError(t, w.As(vendor(w)).DeprovisionUser(t.Context(), w.handle, usermgmt.MemberRef{}))
	}},
	{"organization token", 0, false, false, func(t testing.TB, w *world) func() error {
		return func() error { _, err := w.As(vendor(w)).CreateCode(t.Context(), w.handle); return err }
	}, func(t testing.TB, w *world) {
		require.NoError(t, w.As(vendor(w)).DeprovisionUser(t.Context(), w.handle, usermgmt.MemberRef{}))
	}},
	{"organization token with an end", time.Hour, false, false, func(t testing.TB, w *world) func() error {
		const token = "umo_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		digest, end := sha256.Sum256([]byte(token)), w.clock.Now().Add(time.Hour)
		require.NoError(t, w.Apply(t.Context(), usermgmt.Snapshot{Organizations: []usermgmt.SnapshotOrganization{{ID: w.globex, Vendor: "oem-client", Members: []usermgmt.SnapshotMember{{
			User: "gus@globex.example", Role: "owner",
			TokenDigests: []usermgmt.SecretDigest{{SHA256: hex.EncodeToString(digest[:]), CreatedAt: w.clock.Now(), ExpiresAt: &end}},
		}}}}}))
		return func() error { _, err := w.As(vendor(w)).CreateCode(t.Context(), token); return err }
	}, func(t testing.TB, w *world) {
		require.NoError(t, w.As(vendor(w)).DeprovisionUser(t.Context(), w.handle, usermgmt.MemberRef{}))
	}},
	{"temporary password", 7 * 24 * time.Hour, false, false, func(t testing.TB, w *world) func() error {
		require.NoError(t, w.ResetPassword(t.Context(), "cleo", replacement))
		return func() error { _, err := w.SignIn(t.Context(), "cleo", replacement); return err }
	}, func(t testing.TB, w *world) { require.NoError(t, w.SetPassword(t.Context(), "cleo", passphrase)) }},
	{"vendor's last secret", time.Hour, false, false, func(t testing.TB, w *world) func() error {
		_, err := w.RotateVendorSecret(t.Context(), "oem", time.Hour)
		require.NoError(t, err)
		return func() error {
			_, err := w.AuthenticateVendor(t.Context(), "oem-client", w.clientSecret)
			return err
		}
	}, rotate},
	{"vendor's token", 10 * time.Minute, false, true, func(t testing.TB, w *world) func() error {
		token, err := w.VendorToken(t.Context(), "oem-client", w.clientSecret)
		require.NoError(t, err)
		return func() error { _, err := w.Authenticate(t.Context(), token.AccessToken); return err }
	}, rotate},
	{"vendor's token by his last secret", 5 * time.Minute, false, false, func(t testing.TB, w *world) func() error {
		token, err := w.VendorToken(t.Context(), "oem-client", w.clientSecret)
		require.NoError(t, err)
		_, err = w.RotateVendorSecret(t.Context(), "oem", 5*time.Minute)
		require.NoError(t, err)
		return func() error { _, err := w.Authenticate(t.Context(), token.AccessToken); return err }
	}, rotate},
	{"API key", time.Hour, false, false, func(t testing.TB, w *world) func() error {
		_, secret, err := w.CreateKey(t.Context(), "acme", usermgmt.NewKey{ID: "timed", Name: "timed", Role: "helper", ExpiresAt: w.clock.Now().Add(time.Hour)})
		require.NoError(t, err)
		return func() error { _, err := w.AuthenticateKey(t.Context(), secret); return err }
	}, func(t testing.TB, w *world) { require.NoError(t, w.DeleteKey(t.Context(), "timed")) }},
	{"API key that has been let in", time.Hour, false, false, func(t testing.TB, w *world) func() error {
		_, secret, err := w.CreateKey(t.Context(), "acme", usermgmt.NewKey{ID: "timed", Name: "timed", Role: "helper", ExpiresAt: w.clock.Now().Add(time.Hour)})
		require.NoError(t, err)
		a, err := w.AuthenticateKey(t.Context(), secret)
		require.NoError(t, err)
		return func() error {
			return w.As(a).Require(t.Context(), usermgmt.MembersList, usermgmt.InOrganization("acme"))
		}
	}, func(t testing.TB, w *world) { require.NoError(t, w.DeleteKey(t.Context(), "timed")) }},
}

func endSessions(t testing.TB, w *world) {
	_, err := w.EndSessions(t.Context(), "cleo")
	require.NoError(t, err)
}

// rotate replaces the vendor's secret at once.
func rotate(t testing.TB, w *world) {
	_, err := w.RotateVendorSecret(t.Context(), "oem", 0)
	require.NoError(t, err)
}

// starts are times at which calendars do something.
func starts(t testing.TB) map[string]time.Time {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	return map[string]time.Time{
		"an ordinary noon":                    noon,
		"before 32 bits of seconds are full":  time.Date(2038, 1, 19, 3, 14, 5, 0, time.UTC),
		"before a leap day":                   time.Date(2028, 2, 28, 23, 59, 58, 0, time.UTC),
		"before the end of a leap day":        time.Date(2028, 2, 29, 23, 59, 58, 0, time.UTC),
		"before summer time begins in Berlin": time.Date(2026, 3, 29, 1, 59, 58, 0, berlin),
		"before summer time ends in Berlin":   time.Date(2026, 10, 25, 2, 59, 58, 0, berlin),
		"between two seconds":                 noon.Add(999_999_999 * time.Nanosecond),
	}
}

// walk says where the clock is put, seen from when a ticket of that life was made:
// forward and back, and around its end.
func walk(life time.Duration) []time.Duration {
	w := []time.Duration{0, time.Second, -time.Second, time.Hour, -time.Hour, tenYears, -tenYears, 0}
	if life > 0 {
		w = append(w, life-time.Microsecond, life, life-time.Microsecond, life+time.Second, 0)
	}
	return w
}

// let reports whether a use was let in. Any other error than a refusal fails.
func let(t testing.TB, err error) bool {
	t.Helper()
	if err != nil && !errors.Is(err, usermgmt.ErrUnauthenticated) && !errors.Is(err, usermgmt.ErrUsed) && !errors.Is(err, usermgmt.ErrForbidden) {
		require.NoError(t, err)
	}
	return err == nil
}

// TestClock puts the clock forward and back while tickets of every kind are out.
// The rule: a ticket works exactly while the clock shows a time before its end,
// wherever the clock has been meanwhile. So a clock that is put back makes one
// valid again that had not been used; one that was used or revoked stays so.
func TestClock(t *testing.T) {
	t.Parallel()
	looks := 0
	for when, start := range starts(t) {
		for _, p := range tickets {
			made := func() (*world, func() error) {
				w := newWorld(t, memstore.New())
				w.clock.set(start)
				return w, p.get(t, w)
			}
			var w *world
			var use func() error
			end := p.life
			if p.signed {
				end = start.Add(p.life).Add(time.Second - 1).Truncate(time.Second).Sub(start)
			}
			for i, at := range walk(p.life) {
				if p.once || w == nil {
					w, use = made()
					if i > 0 {
						w.clock.set(start.Add(tenYears))
						require.Equal(t, p.life == 0, let(t, use()), "%s, ten years after %s", p.name, when)
					}
				}
				w.clock.set(start.Add(at))
				want := p.life == 0 || at < end
				require.Equal(t, want, let(t, use()), "%s, %s after %s", p.name, at, when)
				looks++
				if !p.once || !want {
					continue
				}
				for _, later := range walk(p.life) {
					w.clock.set(start.Add(later))
					require.False(t, let(t, use()), "%s, used %s after %s, and again %s after it", p.name, at, when, later)
					looks++
				}
			}
			// Revoked at one time, dead at all.
			for _, at := range []time.Duration{0, -tenYears, tenYears} {
				w, use := made()
				w.clock.set(start.Add(at))
				p.revoke(t, w)
				for _, later := range walk(p.life) {
					w.clock.set(start.Add(later))
					require.False(t, let(t, use()), "%s, revoked %s after %s, tried %s after it", p.name, at, when, later)
					looks++
				}
			}
		}
	}
	t.Logf("%d kinds of ticket, %d times to begin with, %d looks: 0 let in after their end, 0 revived", len(tickets), len(starts(t)), looks)
}

// TestClockSweep requires that what was swept away is gone when the clock comes
// back, and that a clock which was put back sweeps nothing that lives.
func TestClockSweep(t *testing.T) {
	t.Parallel()
	for _, p := range tickets {
		w := newWorld(t, memstore.New())
		use := p.get(t, w)
		w.clock.set(noon.Add(-tenYears))
		_, err := w.Sweep(t.Context(), 1000)
		require.NoError(t, err)
		w.clock.set(noon)
		if !p.once {
			require.True(t, let(t, use()), "%s, swept too early", p.name)
		}
		w.clock.set(noon.Add(tenYears))
		_, err = w.Sweep(t.Context(), 1000)
		require.NoError(t, err)
		w.clock.set(noon)
		// Passwords and API keys are their owners' to delete.
		stays := p.life == 0 || p.name == "temporary password" || p.name == "API key" || p.name == "API key that has been let in" || p.name == "vendor's token"
		require.Equal(t, stays, let(t, use()), "%s, after its end was swept", p.name)
	}
}

// TestClockOrder requires that the order of events, sessions and versions is that
// in which things happened, while the clock runs backwards.
func TestClockOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memstore.New())
	ctx := t.Context()
	before, err := w.Events(ctx, usermgmt.Page{Limit: usermgmt.MaxPage})
	require.NoError(t, err)
	var made []usermgmt.SessionID
	for i := range 20 {
		w.clock.set(noon.Add(-time.Duration(i) * time.Hour))
		tokens, err := w.SignIn(ctx, "cleo", passphrase)
		require.NoError(t, err)
		made = append(made, tokens.SessionID)
		u, err := w.UpdateUser(ctx, "bob", usermgmt.UserUpdate{Version: int64(i + 1), LastName: new(fmt.Sprint("name ", i))})
		require.NoError(t, err)
		require.EqualValues(t, i+2, u.Version)
	}
	sessions, err := w.Sessions(ctx, "cleo", usermgmt.Page{})
	require.NoError(t, err)
	var listed []usermgmt.SessionID
	for _, s := range sessions.Items {
		listed = append(listed, s.ID)
	}
	require.Equal(t, made, listed)
	events, err := w.Events(ctx, usermgmt.Page{Limit: usermgmt.MaxPage, After: before.Next})
	require.NoError(t, err)
	require.Len(t, events.Items, 40)
	for i, e := range events.Items {
		require.Equal(t, []string{"session.created", "user.updated"}[i%2], e.Action)
		require.Equal(t, noon.Add(-time.Duration(i/2)*time.Hour), e.At)
		require.True(t, i == 0 || events.Items[i-1].Seq < e.Seq)
	}
}

// TestClockBack runs every operation with a clock that shows ten years before
// what it works on was made: none depends on time going on.
func TestClockBack(t *testing.T) {
	t.Parallel()
	for _, c := range calls {
		w := newWorld(t, memstore.New())
		m := c.manager(t, w, true)
		if c.actor != nil {
			m = m.As(c.actor(w))
		}
		w.clock.set(noon.Add(-tenYears))
		_, err := c.on(t.Context(), w, m)
		require.NoError(t, err, c.name)
	}
}
