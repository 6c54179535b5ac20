package usermgmt_test

import (
	"crypto/ed25519"
	"errors"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
)

func TestCode(t *testing.T) {
	t.Parallel()

	t.Run("signs its user in to its organization alone", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.partner("globex")
		o.person("root", realmAdmin)
		made := p.opens(usermgmt.VendorUser{Email: "root@root.example"})
		org := made.Organization.ID
		o.company("other", "root")
		code, err := p.m.CreateCode(t.Context(), made.Token)
		require.NoError(t, err)
		require.Equal(t, o.clock.Now().Add(5*time.Minute), code.ExpiresAt)
		actor, tokens, err := o.m.RedeemCode(t.Context(), code.Code)
		require.NoError(t, err)
		require.Equal(t, usermgmt.UserID("root"), actor.UserID())
		require.Equal(t, org, actor.ConfinedTo())
		byToken, err := o.m.Authenticate(t.Context(), tokens.AccessToken)
		require.NoError(t, err)
		require.Equal(t, actor, byToken)
		tokens, err = o.m.Refresh(t.Context(), tokens.RefreshToken)
		require.NoError(t, err)
		byToken, err = o.m.Authenticate(t.Context(), tokens.AccessToken)
		require.NoError(t, err)
		require.Equal(t, actor, byToken, "refreshing must not set free")

		m := o.m.As(actor)
		ok, err := m.Can(t.Context(), usermgmt.OrganizationsDelete, usermgmt.InOrganization(org))
		require.NoError(t, err)
		require.True(t, ok)
		for _, s := range []usermgmt.Scope{usermgmt.Realmwide, usermgmt.InOrganization("other"), usermgmt.AtFacility("f")} {
			ok, err = m.Can(t.Context(), usermgmt.OrganizationsRead, s)
			require.NoError(t, err)
			require.False(t, ok, s)
		}
		require.Subset(t, o.log(), []string{
			"vendor:globex code.created user:root " + string(org),
			"user:root session.created session:" + string(actor.SessionID()) + " " + string(org),
		})

		require.NoError(t, p.m.DeprovisionUser(t.Context(), made.Token, usermgmt.MemberRef{}))
		_, err = o.m.Authenticate(t.Context(), tokens.AccessToken)
		require.Equal(t, usermgmt.ErrUnauthenticated, err, "the session ends with the membership")
	})

	t.Run("goes nowhere but to an absolute http(s) URL", func(t *testing.T) {
		t.Parallel()
		key, err := usermgmt.GenerateSigningKey(nil)
		require.NoError(t, err)
		for _, base := range []string{"/enter", "javascript:alert(1)", "not a url", "//host/x", "ftp://host/x"} {
			_, err := usermgmt.New(memstore.New(), usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash, RedirectURL: base})
			require.ErrorIs(t, err, usermgmt.ErrInvalid, base)
		}
	})

	t.Run("is sent to the configured address", func(t *testing.T) {
		t.Parallel()
		for base, want := range map[string]string{
			"https://app.example/enter?from=oem#top": "https://app.example/enter?from=oem&code=CODE#top",
			"http://localhost:8080":                  "http://localhost:8080?code=CODE",
			"":                                       "",
		} {
			o := newOffice(t, func(opts *usermgmt.Options) { opts.RedirectURL = base })
			p := o.partner("globex")
			made := p.opens(usermgmt.VendorUser{Email: "ada@acme.example"})
			code, err := p.m.CreateCode(t.Context(), made.Token)
			if want == "" {
				require.Error(t, err, base)
				continue
			}
			require.NoError(t, err, base)
			u, err := url.Parse(code.RedirectURL)
			require.NoError(t, err)
			require.Equal(t, code.Code, u.Query().Get("code"))
			q := u.Query()
			q.Del("code")
			wanted, err := url.Parse(want)
			require.NoError(t, err)
			wq := wanted.Query()
			wq.Del("code")
			require.Equal(t, wq, q)
			u.RawQuery, wanted.RawQuery = "", ""
			require.Equal(t, wanted, u)
		}
	})

	t.Run("expires at the very instant", func(t *testing.T) {
		t.Parallel()
		for past, want := range map[time.Duration]error{-time.Microsecond: nil, 0: usermgmt.ErrUnauthenticated, time.Microsecond: usermgmt.ErrUnauthenticated} {
			o := newOffice(t, func(opts *usermgmt.Options) { opts.CodeTTL = time.Minute })
			p := o.partner("globex")
			code, err := p.m.CreateCode(t.Context(), p.opens(usermgmt.VendorUser{Email: "ada@acme.example"}).Token)
			require.NoError(t, err)
			o.clock.Advance(time.Minute + past)
			_, _, err = o.m.RedeemCode(t.Context(), code.Code)
			require.Equal(t, want, err, past)
		}
	})

	t.Run("lives minutes at most", func(t *testing.T) {
		t.Parallel()
		key := usermgmt.SigningKey{ID: "k", Key: ed25519.NewKeyFromSeed(make([]byte, 32))}
		for ttl, want := range map[time.Duration]error{15 * time.Minute: nil, 15*time.Minute + 1: usermgmt.ErrInvalid} {
			_, err := usermgmt.New(memstore.New(), usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}, CodeTTL: ttl})
			require.ErrorIs(t, err, want, ttl)
		}
	})

	t.Run("works once", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		p := o.partner("globex")
		code, err := p.m.CreateCode(t.Context(), p.opens(usermgmt.VendorUser{Email: "ada@acme.example"}).Token)
		require.NoError(t, err)
		const racers = 64
		start := make(chan struct{})
		var all sync.WaitGroup
		errs := make([]error, racers)
		for i := range racers {
			all.Go(func() {
				<-start
				_, _, errs[i] = o.m.RedeemCode(t.Context(), code.Code)
			})
		}
		close(start)
		all.Wait()
		losers := slices.DeleteFunc(errs, func(err error) bool { return err == nil })
		require.Len(t, losers, racers-1)
		for _, err := range losers {
			require.True(t, errors.Is(err, usermgmt.ErrUsed), "%v", err)
		}
		o.clock.Advance(time.Hour)
		_, _, err = o.m.RedeemCode(t.Context(), code.Code)
		require.Equal(t, usermgmt.ErrUsed, err)
	})

	for name, lose := range map[string]func(p partner, made usermgmt.Provisioned) error{
		"the user is disabled": func(p partner, made usermgmt.Provisioned) error {
			return p.office.m.DisableUser(p.t.Context(), made.Membership.UserID)
		},
		"the user is deleted": func(p partner, made usermgmt.Provisioned) error {
			return p.office.m.DeleteUser(p.t.Context(), made.Membership.UserID)
		},
		"the membership has ended": func(p partner, made usermgmt.Provisioned) error {
			return p.m.DeprovisionUser(p.t.Context(), made.Token, usermgmt.MemberRef{})
		},
		"the membership was renewed": func(p partner, made usermgmt.Provisioned) error {
			if err := p.m.DeprovisionUser(p.t.Context(), made.Token, usermgmt.MemberRef{}); err != nil {
				return err
			}
			p.hires(usermgmt.VendorUser{Email: "ada@acme.example"})
			return nil
		},
		"the organization is deleted": func(p partner, made usermgmt.Provisioned) error {
			return p.office.m.DeleteOrganization(p.t.Context(), made.Organization.ID)
		},
		"the vendor is disabled": func(p partner, _ usermgmt.Provisioned) error {
			_, err := p.office.m.UpdateVendor(p.t.Context(), "globex", usermgmt.VendorUpdate{Disabled: new(true)})
			return err
		},
	} {
		t.Run("is refused once "+name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			p := o.partner("globex")
			made := p.opens(usermgmt.VendorUser{Email: "ada@acme.example"})
			code, err := p.m.CreateCode(t.Context(), made.Token)
			require.NoError(t, err)
			require.NoError(t, lose(p, made))
			_, _, err = o.m.RedeemCode(t.Context(), code.Code)
			require.Equal(t, usermgmt.ErrUnauthenticated, err)
			_, err = p.m.CreateCode(t.Context(), made.Token)
			require.ErrorIs(t, err, usermgmt.ErrForbidden)
		})
	}
}
