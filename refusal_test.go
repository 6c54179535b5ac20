package usermgmt_test

import (
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// typed is what somebody gives who takes one field for another.
const typed = "umk_typed into\nthe wrong field"

// refusals is a desk with somebody of each kind who can be refused, asked from one address.
type refusals struct {
	*desk
	m                            *usermgmt.Manager
	ada, disabled, bare, expired usermgmt.User
	org                          usermgmt.OrganizationID
	vendor                       usermgmt.Vendor
	vendorSecret, member         string
	key                          usermgmt.Key
	keySecret                    string
}

func newRefusals(t testing.TB) *refusals {
	t.Helper()
	d := newDesk(t, func(o *usermgmt.Options) {
		o.RedirectURL = "https://app.example/enter"
		o.Throttle.Account.Burst, o.Throttle.Client.Burst, o.Throttle.Address.Burst = 2, 2, 3
	})
	w := &refusals{desk: d, m: d.From(netip.MustParseAddr("192.0.2.7"))}
	ctx := t.Context()
	w.ada, w.disabled, w.expired = d.person(t, "ada"), d.person(t, "bob"), d.person(t, "dora")
	var err error
	w.bare, err = d.CreateUser(ctx, usermgmt.NewUser{Username: "carol"})
	require.NoError(t, err)
	require.NoError(t, d.ResetPassword(ctx, w.expired.ID, replacement))
	d.clock.Advance(7 * 24 * time.Hour)
	require.NoError(t, d.DisableUser(ctx, w.disabled.ID))
	w.vendor, w.vendorSecret, err = d.CreateVendor(ctx, usermgmt.NewVendor{Name: "OEM", ClientID: "oem", Scopes: []string{usermgmt.ScopeVendorManage}})
	require.NoError(t, err)
	org, err := d.CreateOrganization(ctx, usermgmt.NewOrganization{Name: "Acme", Vendor: w.vendor.ID, VendorOrganizationID: "1", Owner: w.ada.ID})
	require.NoError(t, err)
	w.org = org.ID
	w.key, w.keySecret, err = d.CreateKey(ctx, org.ID, usermgmt.NewKey{Name: "key", Role: usermgmt.RoleMember, ExpiresAt: d.clock.Now().Add(time.Hour)})
	require.NoError(t, err)
	_, w.member, err = d.CreateOrganizationToken(ctx, org.ID, w.ada.ID)
	require.NoError(t, err)
	return w
}

func (w *refusals) code(t testing.TB) string {
	t.Helper()
	code, err := w.As(usermgmt.VendorActor(w.vendor.ID)).CreateCode(t.Context(), w.member)
	require.NoError(t, err)
	return code.Code
}

// TestRefusalsLeaveOneRecord: who, what, when and from where, and nothing of
// what was given.
func TestRefusalsLeaveOneRecord(t *testing.T) {
	t.Parallel()
	type attrs map[string]string
	user := func(u usermgmt.User, more ...string) attrs {
		a := attrs{"user": string(u.ID)}
		for i := 0; i < len(more); i += 2 {
			a[more[i]] = more[i+1]
		}
		return a
	}
	signIn := func(name, password string) func(testing.TB, *refusals) error {
		return func(t testing.TB, w *refusals) error { return second(w.m.SignIn(t.Context(), name, password)) }
	}
	again := func(n int, act func(testing.TB, *refusals) error) func(testing.TB, *refusals) (then func() error) {
		return func(t testing.TB, w *refusals) func() error {
			for range n {
				require.Error(t, act(t, w))
			}
			return func() error { return act(t, w) }
		}
	}
	once := func(act func(testing.TB, *refusals) error) func(testing.TB, *refusals) func() error {
		return again(0, act)
	}
	byVendor := func(id, secret string) func(testing.TB, *refusals) error {
		return func(t testing.TB, w *refusals) error { return second(w.m.AuthenticateVendor(t.Context(), id, secret)) }
	}
	byKey := func(secret string) func(testing.TB, *refusals) error {
		return func(t testing.TB, w *refusals) error { return second(w.m.AuthenticateKey(t.Context(), secret)) }
	}
	byCode := func(code string) func(testing.TB, *refusals) error {
		return func(t testing.TB, w *refusals) error { return third(w.m.RedeemCode(t.Context(), code)) }
	}
	unknown := strings.Repeat("A", 43)
	const info, warn, debug = "INFO", "WARN", "DEBUG"
	for _, tt := range []struct {
		name  string
		begin func(testing.TB, *refusals) (then func() error)
		level string
		event string
		// who is what names somebody, given the desk.
		who func(*refusals) attrs
	}{
		{"sign-in, wrong password", once(signIn("ada", typed)), info, "session.refused",
			func(w *refusals) attrs { return user(w.ada, "cause", "the password is wrong") }},
		{"sign-in, unknown name", once(signIn(typed, typed)), info, "session.refused",
			func(*refusals) attrs { return attrs{"cause": "the name is unknown"} }},
		{"sign-in, disabled", once(signIn("bob", passphrase)), info, "session.refused",
			func(w *refusals) attrs { return user(w.disabled, "cause", "the user is disabled") }},
		{"sign-in, no password", once(signIn("carol", typed)), info, "session.refused",
			func(w *refusals) attrs { return user(w.bare, "cause", "the user has no password") }},
		{"sign-in, expired password", once(signIn("dora", replacement)), info, "session.refused",
			func(w *refusals) attrs { return user(w.expired, "cause", "the temporary password has expired") }},
		{"sign-in, too long", once(signIn("ada", strings.Repeat("x", 1<<13))), info, "session.refused",
			func(*refusals) attrs { return attrs{"cause": "the password is too long"} }},
		{"sign-in, throttled", again(2, signIn("ada", typed)), warn, "session.throttled",
			func(w *refusals) attrs { return user(w.ada, "cause", "too many failures by the name") }},
		{"sign-in, throttled, unknown", again(2, signIn(typed, typed)), warn, "session.throttled",
			func(*refusals) attrs { return attrs{"cause": "too many failures by the name"} }},
		{"sign-in, throttled by address", func(t testing.TB, w *refusals) func() error {
			for _, name := range []string{"no", "nobody", "none"} {
				require.Error(t, signIn(name, typed)(t, w))
			}
			return func() error { return signIn("ada", passphrase)(t, w) }
		}, warn, "session.throttled", func(*refusals) attrs { return attrs{"cause": "too many failures from the address"} }},
		{"change, wrong password", once(func(t testing.TB, w *refusals) error {
			return second(w.m.As(usermgmt.UserActor(w.ada.ID)).ChangePassword(t.Context(), typed, replacement))
		}), info, "password.refused", func(w *refusals) attrs { return user(w.ada, "cause", "the password is wrong") }},
		{"change, too long", once(func(t testing.TB, w *refusals) error {
			return second(w.m.As(usermgmt.UserActor(w.ada.ID)).ChangePassword(t.Context(), strings.Repeat("x", 1<<13), replacement))
		}), info, "password.refused", func(w *refusals) attrs { return user(w.ada, "cause", "it is too long") }},
		{"change, throttled", again(2, func(t testing.TB, w *refusals) error {
			return second(w.m.As(usermgmt.UserActor(w.ada.ID)).ChangePassword(t.Context(), typed, replacement))
		}), warn, "password.throttled", func(w *refusals) attrs { return user(w.ada, "cause", "too many failures by the name") }},
		{"change, after signing out", func(t testing.TB, w *refusals) func() error {
			m := w.authenticated(t, w.signIn(t, "ada", passphrase)).From(netip.MustParseAddr("192.0.2.7"))
			require.NoError(t, m.SignOut(t.Context()))
			return func() error { return second(m.ChangePassword(t.Context(), passphrase, replacement)) }
		}, info, "password.refused", func(w *refusals) attrs { return user(w.ada, "cause", "the session has ended", "session", "*") }},
		{"change by a key", once(func(t testing.TB, w *refusals) error {
			return second(w.m.As(usermgmt.KeyActor(w.key.ID)).ChangePassword(t.Context(), typed, replacement))
		}), info, "right.refused", func(w *refusals) attrs { return attrs{"actor": "key:" + string(w.key.ID), "cause": "*"} }},
		{"client, unknown", once(byVendor(typed, typed)), info, "vendor.refused",
			func(*refusals) attrs { return attrs{"cause": "the client is unknown, or the secret wrong"} }},
		{"client, wrong secret", once(byVendor("oem", typed)), info, "vendor.refused",
			func(w *refusals) attrs {
				return attrs{"vendor": string(w.vendor.ID), "cause": "the client is unknown, or the secret wrong"}
			}},
		{"client, disabled", func(t testing.TB, w *refusals) func() error {
			_, err := w.UpdateVendor(t.Context(), w.vendor.ID, usermgmt.VendorUpdate{Disabled: new(true)})
			require.NoError(t, err)
			return func() error { return second(w.m.VendorToken(t.Context(), "oem", w.vendorSecret)) }
		}, info, "vendor.refused", func(w *refusals) attrs {
			return attrs{"vendor": string(w.vendor.ID), "cause": "the vendor is disabled"}
		}},
		{"client, throttled", again(2, byVendor("oem", typed)), warn, "vendor.throttled",
			func(w *refusals) attrs {
				return attrs{"vendor": string(w.vendor.ID), "cause": "the client is unknown, or the secret wrong"}
			}},
		{"key, unknown", once(byKey(typed)), info, "key.refused", func(*refusals) attrs { return attrs{"cause": "it is unknown"} }},
		{"key, no key", once(byKey("typed")), info, "key.refused", func(*refusals) attrs { return attrs{"cause": "not of a key's length"} }},
		{"key, throttled", again(3, byKey(typed)), warn, "key.throttled", func(*refusals) attrs { return attrs{"cause": "it is unknown"} }},
		{"key, expired", func(t testing.TB, w *refusals) func() error {
			w.clock.Advance(time.Hour)
			return func() error { return byKey(w.keySecret)(t, w) }
		}, info, "key.refused", func(w *refusals) attrs {
			return attrs{"key": string(w.key.ID), "cause": "it has expired, or its owner is disabled"}
		}},
		{"code, no code", once(byCode(typed)), info, "code.refused", func(*refusals) attrs { return attrs{"cause": "it is no code"} }},
		{"code, unknown", once(byCode("umc_" + unknown)), info, "code.refused", func(*refusals) attrs { return attrs{"cause": "it is unknown"} }},
		{"code, expired", func(t testing.TB, w *refusals) func() error {
			code := w.code(t)
			w.clock.Advance(time.Hour)
			return func() error { return byCode(code)(t, w) }
		}, info, "code.refused", func(w *refusals) attrs {
			return user(w.ada, "organization", string(w.org), "cause", "it has ended, or what it is for")
		}},
		{"code, used", func(t testing.TB, w *refusals) func() error {
			code := w.code(t)
			require.NoError(t, byCode(code)(t, w))
			return func() error { return byCode(code)(t, w) }
		}, warn, "code.reused", func(w *refusals) attrs {
			return user(w.ada, "organization", string(w.org), "cause", "it was used before")
		}},
		{"refresh, no token", once(func(t testing.TB, w *refusals) error { return second(w.m.Refresh(t.Context(), typed)) }),
			info, "token.refused", func(*refusals) attrs { return attrs{"cause": "it is no refresh token"} }},
		{"refresh, unknown", once(func(t testing.TB, w *refusals) error { return second(w.m.Refresh(t.Context(), "umr_"+unknown)) }),
			info, "token.refused", func(*refusals) attrs { return attrs{"cause": "it is unknown"} }},
		{"refresh, expired", func(t testing.TB, w *refusals) func() error {
			tokens := w.signIn(t, "ada", passphrase)
			w.clock.Advance(366 * 24 * time.Hour)
			return func() error { return second(w.m.Refresh(t.Context(), tokens.RefreshToken)) }
		}, info, "token.refused", func(w *refusals) attrs { return user(w.ada, "session", "*", "cause", "the session has ended") }},
		{"refresh, used", func(t testing.TB, w *refusals) func() error {
			tokens := w.signIn(t, "ada", passphrase)
			require.NoError(t, second(w.m.Refresh(t.Context(), tokens.RefreshToken)))
			return func() error { return second(w.m.Refresh(t.Context(), tokens.RefreshToken)) }
		}, warn, "token.reused", func(w *refusals) attrs { return user(w.ada, "session", "*") }},
		{"access token, no token", once(func(t testing.TB, w *refusals) error {
			return second(w.m.Authenticate(t.Context(), "typed into.the wrong.field"))
		}),
			info, "token.refused", func(*refusals) attrs { return attrs{"cause": "it is malformed"} }},
		{"access token, forged", func(t testing.TB, w *refusals) func() error {
			token := w.signIn(t, "ada", passphrase).AccessToken
			return func() error {
				return second(w.m.Authenticate(t.Context(), token[:strings.LastIndexByte(token, '.')+1]+strings.Repeat("A", 86)))
			}
		}, info, "token.refused", func(*refusals) attrs { return attrs{"cause": "*"} }},
		{"access token, expired", func(t testing.TB, w *refusals) func() error {
			tokens := w.signIn(t, "ada", passphrase)
			w.clock.Advance(time.Hour)
			return func() error { return second(w.m.Authenticate(t.Context(), tokens.AccessToken)) }
		}, debug, "token.refused", func(*refusals) attrs { return attrs{"cause": "*"} }},
		{"access token, signed out", func(t testing.TB, w *refusals) func() error {
			tokens := w.signIn(t, "ada", passphrase)
			require.NoError(t, w.EndSession(t.Context(), tokens.SessionID))
			return func() error { return second(w.m.Authenticate(t.Context(), tokens.AccessToken)) }
		}, info, "token.refused", func(w *refusals) attrs { return user(w.ada, "session", "*", "cause", "the session has ended") }},
		{"vendor's token, rotated secret", func(t testing.TB, w *refusals) func() error {
			token, err := w.VendorToken(t.Context(), "oem", w.vendorSecret)
			require.NoError(t, err)
			require.NoError(t, second(w.RotateVendorSecret(t.Context(), w.vendor.ID, 0)))
			return func() error { return second(w.m.Authenticate(t.Context(), token.AccessToken)) }
		}, info, "token.refused", func(w *refusals) attrs {
			return attrs{"vendor": string(w.vendor.ID), "cause": "the vendor or his secret has ended"}
		}},
		{"identity provider's user, unknown", once(func(t testing.TB, w *refusals) error {
			return second(w.m.AuthenticateUser(t.Context(), typed, time.Time{}))
		}), info, "user.refused", func(*refusals) attrs { return attrs{"cause": "there is no such user"} }},
		{"identity provider's user, disabled", once(func(t testing.TB, w *refusals) error {
			return second(w.m.AuthenticateUser(t.Context(), w.disabled.ID, time.Time{}))
		}), info, "user.refused", func(w *refusals) attrs { return user(w.disabled, "cause", "the user is disabled") }},
		{"organization token, unknown", once(func(t testing.TB, w *refusals) error {
			return second(w.m.As(usermgmt.VendorActor(w.vendor.ID)).CreateCode(t.Context(), typed))
		}), info, "right.refused", func(w *refusals) attrs {
			return attrs{"actor": "vendor:" + string(w.vendor.ID), "cause": "forbidden: the organization token is not valid"}
		}},
		{"a right to act", once(func(t testing.TB, w *refusals) error {
			return w.m.As(usermgmt.UserActor(w.ada.ID)).DeleteUser(t.Context(), w.bare.ID)
		}), info, "right.refused", func(w *refusals) attrs {
			return attrs{"actor": "user:" + string(w.ada.ID), "cause": "forbidden: needs users.delete"}
		}},
		{"a right to act, weighed before", once(func(t testing.TB, w *refusals) error {
			return second(w.m.As(usermgmt.UserActor(w.ada.ID)).CreateUser(t.Context(), usermgmt.NewUser{Username: typed[4:8], Password: typed}))
		}), info, "right.refused", func(w *refusals) attrs {
			return attrs{"actor": "user:" + string(w.ada.ID), "cause": "forbidden: needs users.add"}
		}},
		{"a right to take everything along", once(func(t testing.TB, w *refusals) error {
			return second(w.m.As(usermgmt.UserActor(w.ada.ID)).Export(t.Context()))
		}), info, "right.refused", func(w *refusals) attrs { return attrs{"actor": "user:" + string(w.ada.ID), "cause": "*"} }},
		{"a right that is required", once(func(t testing.TB, w *refusals) error {
			return w.m.As(usermgmt.UserActor(w.ada.ID)).Require(t.Context(), usermgmt.UsersAdd, usermgmt.Realmwide)
		}), info, "right.refused", func(w *refusals) attrs {
			return attrs{"actor": "user:" + string(w.ada.ID), "cause": "forbidden: needs users.add"}
		}},
		{"a right to read", once(func(t testing.TB, w *refusals) error {
			return second(w.m.As(usermgmt.UserActor(w.ada.ID)).User(t.Context(), w.bare.ID))
		}), debug, "right.refused", func(w *refusals) attrs {
			return attrs{"actor": "user:" + string(w.ada.ID), "cause": "forbidden: needs users.read"}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newRefusals(t)
			act := tt.begin(t, w)
			before := len(w.log.String())
			require.Error(t, act())
			records := strings.Split(strings.TrimSuffix(w.log.String()[before:], "\n"), "\n")
			require.Len(t, records, 1, "%q", records)
			var record map[string]any
			require.NoError(t, json.Unmarshal([]byte(records[0]), &record))
			_, err := time.Parse(time.RFC3339, record["time"].(string))
			require.NoError(t, err)
			require.Equal(t, tt.event, record["msg"])
			require.Equal(t, tt.level, record["level"])
			require.Equal(t, string(w.RealmName()), record["realm"])
			require.Equal(t, "192.0.2.7/32", record["from"])
			who := tt.who(w)
			for name, want := range who {
				require.NotEmpty(t, record[name], name)
				if want != "*" {
					require.Equal(t, want, record[name], name)
				}
			}
			if strings.HasSuffix(tt.event, ".throttled") {
				require.Positive(t, record["retryAfter"])
				delete(record, "retryAfter")
			}
			known := slices.Concat([]string{"time", "level", "msg", "realm", "from"}, slices.Collect(maps.Keys(who)))
			require.ElementsMatch(t, known, slices.Collect(maps.Keys(record)), "and nothing else")
			for _, given := range []string{"typed", "umk_", "umc_", "umr_", "umv_", passphrase, replacement, w.keySecret, w.vendorSecret} {
				require.NotContains(t, records[0], given)
			}
		})
	}
}

// TestQuestionsLeaveNoRecord: who asks what he may is not refused anything, and
// what succeeds is an event.
func TestQuestionsLeaveNoRecord(t *testing.T) {
	t.Parallel()
	w := newRefusals(t)
	before := len(w.log.String())
	m := w.m.As(usermgmt.UserActor(w.ada.ID))
	ok, err := m.Can(t.Context(), usermgmt.UsersAdd, usermgmt.Realmwide)
	require.NoError(t, err)
	require.False(t, ok)
	require.NoError(t, second(m.User(t.Context(), w.ada.ID)))
	require.ErrorIs(t, second(w.m.User(t.Context(), "nobody")), usermgmt.ErrNotFound)
	require.NoError(t, second(w.m.SignIn(t.Context(), "ada", passphrase)))
	require.NoError(t, second(w.m.AuthenticateKey(t.Context(), w.keySecret)))
	require.NoError(t, second(w.m.AuthenticateVendor(t.Context(), "oem", w.vendorSecret)))
	require.Empty(t, w.log.String()[before:])

	token, err := w.m.VendorToken(t.Context(), "oem", w.vendorSecret)
	require.NoError(t, err)
	record := w.log.String()[before:]
	require.Contains(t, record, `"msg":"vendor.signed-in","vendor":"`+string(w.vendor.ID)+`"`, "he has no session whose event would tell")
	require.NotContains(t, record, token.AccessToken)
}

func third[A, B any](_ A, _ B, err error) error { return err }
