package usermgmt_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

// noGenerations is a store that lets nothing be kept.
type noGenerations struct{ store.Store }

func (noGenerations) Generation(context.Context, store.Realm) (uint64, error) {
	return 0, errors.ErrUnsupported
}

// pair are two Managers, as of two processes, on the same data.
type pair struct {
	one, other *usermgmt.Manager
	clock      *handClock
}

// pairs returns a pair on each way to share data.
func pairs(t *testing.T) map[string]func(t *testing.T) pair {
	t.Helper()
	open := func(t *testing.T, stores ...store.Store) pair {
		key, err := usermgmt.GenerateSigningKey(nil)
		require.NoError(t, err)
		clock := &handClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
		var ms []*usermgmt.Manager
		for _, s := range stores {
			m, err := usermgmt.New(s, usermgmt.Options{
				SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: usermgmt.PasswordHash{MemoryKiB: 8, Time: 1, Threads: 1},
				Clock: clock.Now, RedirectURL: "https://app.example/enter", Logger: slog.New(slog.DiscardHandler), AccessTokenTTL: time.Hour,
			})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, m.Close()) })
			ms = append(ms, m)
		}
		return pair{ms[0], ms[1], clock}
	}
	return map[string]func(t *testing.T) pair{
		"memstore": func(t *testing.T) pair {
			s := memstore.New()
			return open(t, s, s)
		},
		"sqlitestore": func(t *testing.T) pair {
			file := filepath.Join(t.TempDir(), "users.db")
			var stores []store.Store
			for range 2 {
				s, err := sqlitestore.Open(t.Context(), file, &sqlitestore.Options{Synchronous: sqlitestore.Normal})
				require.NoError(t, err)
				stores = append(stores, s)
			}
			return open(t, stores...)
		},
		"no_generations": func(t *testing.T) pair {
			s := noGenerations{memstore.New()}
			return open(t, s, s)
		},
	}
}

// TestRevocationIsImmediate: whatever ends a session through one Manager, the
// other one refuses its token at the next call, though it has just accepted it.
func TestRevocationIsImmediate(t *testing.T) {
	t.Parallel()
	const password = "violet cradle 77"
	type visit struct {
		token, refresh string
		session        usermgmt.SessionID
		as             *usermgmt.Manager // ada, by her session
	}
	acts := map[string]func(ctx context.Context, p pair, v visit) error{
		"sign-out":         func(ctx context.Context, _ pair, v visit) error { return v.as.SignOut(ctx) },
		"end of a session": func(ctx context.Context, p pair, v visit) error { return p.one.EndSession(ctx, v.session) },
		"end of all":       func(ctx context.Context, p pair, _ visit) error { _, err := p.one.EndSessions(ctx, "ada"); return err },
		"new password": func(ctx context.Context, p pair, _ visit) error {
			return p.one.SetPassword(ctx, "ada", "seven lamps 31")
		},
		"reset": func(ctx context.Context, p pair, _ visit) error {
			return p.one.ResetPassword(ctx, "ada", "seven lamps 31")
		},
		"change of password": func(ctx context.Context, _ pair, v visit) error {
			_, err := v.as.ChangePassword(ctx, password, "seven lamps 31")
			return err
		},
		"password in an update": func(ctx context.Context, p pair, _ visit) error {
			next := "seven lamps 31"
			_, err := p.one.UpdateUser(ctx, "ada", usermgmt.UserUpdate{Password: &next})
			return err
		},
		"disabling": func(ctx context.Context, p pair, _ visit) error { return p.one.DisableUser(ctx, "ada") },
		"disabled and enabled": func(ctx context.Context, p pair, _ visit) error {
			return errors.Join(p.one.DisableUser(ctx, "ada"), p.one.EnableUser(ctx, "ada"))
		},
		"deletion": func(ctx context.Context, p pair, _ visit) error { return p.one.DeleteUser(ctx, "ada") },
		"a refresh token used twice": func(ctx context.Context, p pair, v visit) error {
			if _, err := p.one.Refresh(ctx, v.refresh); err != nil {
				return err
			}
			if _, err := p.one.Refresh(ctx, v.refresh); !errors.Is(err, usermgmt.ErrUnauthenticated) {
				return errors.New("the second use was not refused")
			}
			return nil
		},
		"its end and a sweep, though the clock goes back": func(ctx context.Context, p pair, _ visit) error {
			p.clock.Advance(40 * 24 * time.Hour)
			_, err := p.one.Sweep(ctx, 1_000)
			p.clock.Advance(-40 * 24 * time.Hour)
			return err
		},
	}
	for name, open := range pairs(t) {
		for what, act := range acts {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				p, ctx := open(t), t.Context()
				_, err := p.one.CreateUser(ctx, usermgmt.NewUser{ID: "ada", Username: "ada", Password: password})
				require.NoError(t, err)
				tokens, err := p.one.SignIn(ctx, "ada", password)
				require.NoError(t, err)
				for range 2 { // the second time from what is known
					_, err = p.other.Authenticate(ctx, tokens.AccessToken)
					require.NoError(t, err)
				}
				actor, err := p.one.Authenticate(ctx, tokens.AccessToken)
				require.NoError(t, err)
				require.NoError(t, act(ctx, p, visit{tokens.AccessToken, tokens.RefreshToken, tokens.SessionID, p.one.As(actor)}))
				for _, m := range []*usermgmt.Manager{p.other, p.one} {
					_, err = m.Authenticate(ctx, tokens.AccessToken)
					require.Equal(t, usermgmt.ErrUnauthenticated, err)
				}
			})
		}
	}
}

// TestConfinedRevocationIsImmediate is TestRevocationIsImmediate for a vendor's
// sign-in, which ends with more.
func TestConfinedRevocationIsImmediate(t *testing.T) {
	t.Parallel()
	acts := map[string]func(ctx context.Context, m *usermgmt.Manager, org usermgmt.OrganizationID, user usermgmt.UserID, vendor usermgmt.VendorID) error{
		"the membership ends": func(ctx context.Context, m *usermgmt.Manager, org usermgmt.OrganizationID, user usermgmt.UserID, _ usermgmt.VendorID) error {
			return m.RemoveMember(ctx, org, user)
		},
		"the organization is deleted": func(ctx context.Context, m *usermgmt.Manager, org usermgmt.OrganizationID, _ usermgmt.UserID, _ usermgmt.VendorID) error {
			return m.DeleteOrganization(ctx, org)
		},
		"the vendor is disabled": func(ctx context.Context, m *usermgmt.Manager, _ usermgmt.OrganizationID, _ usermgmt.UserID, vendor usermgmt.VendorID) error {
			disabled := true
			_, err := m.UpdateVendor(ctx, vendor, usermgmt.VendorUpdate{Disabled: &disabled})
			return err
		},
		"the vendor loses his scope": func(ctx context.Context, m *usermgmt.Manager, _ usermgmt.OrganizationID, _ usermgmt.UserID, vendor usermgmt.VendorID) error {
			_, err := m.UpdateVendor(ctx, vendor, usermgmt.VendorUpdate{Scopes: &[]string{}})
			return err
		},
	}
	for name, open := range pairs(t) {
		for what, act := range acts {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				p, ctx := open(t), t.Context()
				vendor, _, err := p.one.CreateVendor(ctx, usermgmt.NewVendor{Name: "Globex", Scopes: []string{usermgmt.ScopeVendorManage}})
				require.NoError(t, err)
				globex := p.one.As(usermgmt.VendorActor(vendor.ID))
				made, err := globex.ProvisionOrganization(ctx, "Acme", usermgmt.VendorUser{Email: "ada@acme.example"})
				require.NoError(t, err)
				code, err := globex.CreateCode(ctx, made.Token)
				require.NoError(t, err)
				_, tokens, err := p.one.RedeemCode(ctx, code.Code)
				require.NoError(t, err)
				for range 2 {
					actor, err := p.other.Authenticate(ctx, tokens.AccessToken)
					require.NoError(t, err)
					require.Equal(t, made.Organization.ID, actor.ConfinedTo())
				}
				require.NoError(t, act(ctx, p.one, made.Organization.ID, made.Membership.UserID, vendor.ID))
				_, err = p.other.Authenticate(ctx, tokens.AccessToken)
				require.Equal(t, usermgmt.ErrUnauthenticated, err)
			})
		}
	}
}
