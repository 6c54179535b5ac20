package usermgmt_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/store"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	ada, err := d.CreateUser(ctx, usermgmt.NewUser{Username: "Ada", Email: "ada@example.com", Password: passphrase})
	require.NoError(t, err)
	bob := d.person(t, "bob")
	require.NoError(t, d.DisableUser(ctx, bob.ID))
	_, err = d.CreateUser(ctx, usermgmt.NewUser{Username: "carol"})
	require.NoError(t, err)
	before := d.actions(t)

	t.Run("unknown, wrong, disabled and absent passwords are refused alike", func(t *testing.T) {
		for _, c := range [][2]string{
			{"nobody", passphrase}, {"", passphrase}, {"not a name\x00", passphrase}, {"ada", ""},
			{"ada", passphrase + " "}, {"ada", " " + passphrase}, {"ada", strings.ToUpper(passphrase)}, {"ada", passphrase[:len(passphrase)-1]},
			{"ada", passphrase + "\x00"}, {"ada", strings.Repeat("x", 1<<20)},
			{"bob", passphrase}, {"bob", "wrong"}, {"carol", ""}, {"carol", passphrase}, {string(ada.ID), passphrase},
		} {
			tokens, err := d.SignIn(ctx, c[0], c[1])
			require.Equal(t, usermgmt.ErrUnauthenticated, err, "%q %.40q", c[0], c[1])
			require.Equal(t, usermgmt.Tokens{}, tokens)
		}
		require.Equal(t, before, d.actions(t), "a failed sign-in writes nothing")
		u, err := d.User(ctx, bob.ID)
		require.NoError(t, err)
		require.True(t, u.Disabled, "a sign-in enables nobody")
	})

	t.Run("by username or e-mail, in whatever case", func(t *testing.T) {
		for _, name := range []string{"Ada", "ada", "ADA", "ada@example.com", "Ada@Example.COM"} {
			tokens, err := d.SignIn(ctx, name, passphrase)
			require.NoError(t, err, name)
			require.Equal(t, ada.ID, tokens.UserID)
			require.False(t, tokens.PasswordChangeRequired)
			require.Contains(t, d.actions(t), fmt.Sprintf("user:%s session.created session:%s", ada.ID, tokens.SessionID))
		}
	})

	t.Run("who takes another's e-mail for a username does not shut him out", func(t *testing.T) {
		mallory, err := d.CreateUser(ctx, usermgmt.NewUser{Username: "ada@example.com", Password: "mallory was here"})
		require.NoError(t, err)
		require.Equal(t, ada.ID, d.signIn(t, "ada@example.com", passphrase).UserID)
		require.Equal(t, mallory.ID, d.signIn(t, "ada@example.com", "mallory was here").UserID)
	})

	t.Run("a done context is told as such", func(t *testing.T) {
		done, cancel := context.WithCancel(ctx)
		cancel()
		_, err := d.SignIn(done, "ada", passphrase)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// afterUpdate is a store that calls then when an Update has ended.
type afterUpdate struct {
	store.Store
	then func()
}

func (s *afterUpdate) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	defer s.then()
	return s.Store.Update(ctx, realm, fn)
}

// TestSignInWorksForEveryoneAlike: whoever the name means, nobody included, one
// password is verified. With a context that ends before that, each sign-in
// must have come to wait for a slot.
func TestSignInWorksForEveryoneAlike(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.person(t, "ada")
	bob := d.person(t, "bob")
	require.NoError(t, d.DisableUser(t.Context(), bob.ID))
	_, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "carol"})
	require.NoError(t, err)
	for _, name := range []string{"ada", "bob", "carol", "nobody", "", "no name\x00"} {
		ctx, cancel := context.WithCancel(t.Context())
		m := d.With(&afterUpdate{d.store, cancel}) // it is counted, and then verified
		_, err := m.SignIn(ctx, name, "wrong")
		require.ErrorIs(t, err, context.Canceled, "a password for %q was not verified", name)
	}
}

// TestRefusalsBeginNoWork: a right password of a disabled user takes no more
// steps than a wrong one, and an endless one takes none.
func TestRefusalsBeginNoWork(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	bob, dora := d.person(t, "bob"), d.person(t, "dora")
	require.NoError(t, d.DisableUser(t.Context(), bob.ID))
	require.NoError(t, d.ResetPassword(t.Context(), dora.ID, replacement))
	d.clock.Advance(7 * 24 * time.Hour)
	for _, c := range []struct {
		name, password string
		views, updates int32 // of which one counts the attempt
	}{{"bob", passphrase, 2, 1}, {"bob", "wrong", 2, 1}, {"nobody", "wrong", 2, 1}, {"dora", replacement, 2, 1}, {"bob", strings.Repeat("x", 4097), 0, 0}} {
		s := &afterView{Store: d.store, then: func() {}}
		_, err := d.With(s).SignIn(t.Context(), c.name, c.password)
		require.Equal(t, usermgmt.ErrUnauthenticated, err)
		require.Equal(t, c.views, s.views.Load(), "views for %s", c.name)
		require.Equal(t, c.updates, s.updates.Load(), "updates for %s", c.name)
	}
}

// TestDecoyCostsWhatAPasswordCosts compares the quickest of many, until they
// are alike; without the decoy the ratio stays over a hundred.
func TestDecoyCostsWhatAPasswordCosts(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *usermgmt.Options) {
		o.PasswordHash.MemoryKiB, o.PasswordHash.Time = 8<<10, 2
		o.Throttle.Off = true
	})
	d.person(t, "ada")
	_, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "carol"}) // without a password
	require.NoError(t, err)
	quickest := map[string]time.Duration{"ada": time.Hour, "carol": time.Hour, "nobody": time.Hour}
	for range 50 {
		for name, best := range quickest {
			start := time.Now()
			_, err := d.SignIn(t.Context(), name, "wrong")
			quickest[name] = min(best, time.Since(start))
			require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
		}
		if 3*quickest["nobody"] > quickest["ada"] && 3*quickest["carol"] > quickest["ada"] {
			return
		}
	}
	t.Errorf("a wrong password, no password and no user cost %v", quickest)
}

// TestSignInDecidesAsOfNow: what happens between the verification and the
// session counts.
func TestSignInDecidesAsOfNow(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(*desk, usermgmt.UserID) error{
		"disabled": func(d *desk, id usermgmt.UserID) error { return d.DisableUser(context.Background(), id) },
		"deleted":  func(d *desk, id usermgmt.UserID) error { return d.DeleteUser(context.Background(), id) },
		"password set": func(d *desk, id usermgmt.UserID) error {
			return d.SetPassword(context.Background(), id, "brass lantern 4")
		},
		"password reset": func(d *desk, id usermgmt.UserID) error {
			return d.ResetPassword(context.Background(), id, "brass lantern 4")
		},
		"created anew": func(d *desk, id usermgmt.UserID) error {
			if err := d.DeleteUser(context.Background(), id); err != nil {
				return err
			}
			_, err := d.CreateUser(context.Background(), usermgmt.NewUser{ID: id, Username: "ada", Password: "brass lantern 4"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			ada := d.person(t, "ada")
			m := d.With(&afterView{Store: d.store, then: func() { require.NoError(t, act(d, ada.ID)) }})
			_, err := m.SignIn(t.Context(), "ada", passphrase)
			require.Equal(t, usermgmt.ErrUnauthenticated, err)
		})
	}
}

// ends lists the acts that end all of a user's tokens.
func ends(t testing.TB) map[string]func(context.Context, *desk, usermgmt.UserID) error {
	other := "brass lantern 4"
	hashed := argon2id(t, other)
	return map[string]func(context.Context, *desk, usermgmt.UserID) error{
		"disabled": func(ctx context.Context, d *desk, id usermgmt.UserID) error { return d.DisableUser(ctx, id) },
		"disabled and enabled again": func(ctx context.Context, d *desk, id usermgmt.UserID) error {
			if err := d.DisableUser(ctx, id); err != nil {
				return err
			}
			return d.EnableUser(ctx, id)
		},
		"deleted": func(ctx context.Context, d *desk, id usermgmt.UserID) error { return d.DeleteUser(ctx, id) },
		"deleted and created again under the same id": func(ctx context.Context, d *desk, id usermgmt.UserID) error {
			if err := d.DeleteUser(ctx, id); err != nil {
				return err
			}
			_, err := d.CreateUser(ctx, usermgmt.NewUser{ID: id, Username: "ada", Password: passphrase})
			return err
		},
		"password set": func(ctx context.Context, d *desk, id usermgmt.UserID) error { return d.SetPassword(ctx, id, other) },
		"same password set": func(ctx context.Context, d *desk, id usermgmt.UserID) error {
			return d.SetPassword(ctx, id, passphrase)
		},
		"password reset": func(ctx context.Context, d *desk, id usermgmt.UserID) error { return d.ResetPassword(ctx, id, other) },
		"password updated": func(ctx context.Context, d *desk, id usermgmt.UserID) error {
			_, err := d.UpdateUser(ctx, id, usermgmt.UserUpdate{Password: &other})
			return err
		},
		"password changed": func(ctx context.Context, d *desk, id usermgmt.UserID) error {
			_, err := d.As(usermgmt.UserActor(id)).ChangePassword(ctx, passphrase, other)
			return err
		},
		"hash imported": func(ctx context.Context, d *desk, id usermgmt.UserID) error {
			return d.ImportPasswordHash(ctx, id, hashed)
		},
		"sessions ended": func(ctx context.Context, d *desk, id usermgmt.UserID) error {
			n, err := d.EndSessions(ctx, id)
			if n != 1 {
				return fmt.Errorf("%d sessions", n)
			}
			return err
		},
	}
}

// TestTokensEndWithTheirReason: at the next request, in every process, for good.
func TestTokensEndWithTheirReason(t *testing.T) {
	t.Parallel()
	for name, end := range ends(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			ada, bob := d.person(t, "ada"), d.person(t, "bob")
			elsewhere := d.manager(t)
			hers, his := d.signIn(t, "ada", passphrase), d.signIn(t, "bob", passphrase)
			for _, m := range []*usermgmt.Manager{d.Manager, elsewhere} {
				require.True(t, alive(t, m, hers.AccessToken)) // the signature is known from now on
			}
			require.NoError(t, end(t.Context(), d, ada.ID))
			for _, m := range []*usermgmt.Manager{d.Manager, elsewhere} {
				require.False(t, alive(t, m, hers.AccessToken))
				_, err := m.Refresh(t.Context(), hers.RefreshToken)
				require.Equal(t, usermgmt.ErrUnauthenticated, err)
				require.True(t, alive(t, m, his.AccessToken), "another user's stay")
			}
			_, err := d.Refresh(t.Context(), his.RefreshToken)
			require.NoError(t, err)
			require.NotEqual(t, bob.ID, ada.ID)
		})
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	t.Run("rotates within the session", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		d.person(t, "ada")
		first := d.signIn(t, "ada", passphrase)
		d.clock.Advance(11 * time.Minute)
		require.False(t, alive(t, d.Manager, first.AccessToken))
		second, err := d.Refresh(t.Context(), first.RefreshToken)
		require.NoError(t, err)
		require.Equal(t, first.SessionID, second.SessionID)
		require.NotEqual(t, first.RefreshToken, second.RefreshToken)
		require.True(t, alive(t, d.Manager, second.AccessToken))
		third, err := d.Refresh(t.Context(), second.RefreshToken)
		require.NoError(t, err)
		require.True(t, alive(t, d.Manager, third.AccessToken))
	})

	t.Run("a spent token ends the whole session", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		ada := d.person(t, "ada")
		first, other := d.signIn(t, "ada", passphrase), d.signIn(t, "ada", passphrase)
		second, err := d.Refresh(t.Context(), first.RefreshToken)
		require.NoError(t, err)
		third, err := d.Refresh(t.Context(), second.RefreshToken)
		require.NoError(t, err)
		_, err = d.Refresh(t.Context(), first.RefreshToken)
		require.Equal(t, usermgmt.ErrUnauthenticated, err)
		for _, tokens := range []usermgmt.Tokens{first, second, third} {
			require.False(t, alive(t, d.Manager, tokens.AccessToken))
			_, err = d.Refresh(t.Context(), tokens.RefreshToken)
			require.Equal(t, usermgmt.ErrUnauthenticated, err)
		}
		require.True(t, alive(t, d.Manager, other.AccessToken), "another sign-in stays")
		_, err = d.Refresh(t.Context(), other.RefreshToken)
		require.NoError(t, err)
		actions := d.actions(t)
		require.Equal(t, fmt.Sprintf("user:%s session.revoked session:%s", ada.ID, first.SessionID), actions[len(actions)-1], "once")
	})

	t.Run("of 64 racers at most one wins", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		d.person(t, "ada")
		for range 8 {
			tokens := d.signIn(t, "ada", passphrase)
			won := atOnce(t, 64, usermgmt.ErrUnauthenticated, func() error {
				_, err := d.Refresh(context.Background(), tokens.RefreshToken)
				return err
			})
			require.Equal(t, 1, won)
			require.False(t, alive(t, d.Manager, tokens.AccessToken), "the others were reuse")
		}
	})

	t.Run("ends with the session, which it does not prolong", func(t *testing.T) {
		t.Parallel()
		for after, good := range map[time.Duration]bool{-time.Microsecond: true, 0: false, time.Microsecond: false} {
			d := newDesk(t)
			d.person(t, "ada")
			first := d.signIn(t, "ada", passphrase)
			d.clock.Advance(29 * 24 * time.Hour)
			second, err := d.Refresh(t.Context(), first.RefreshToken)
			require.NoError(t, err)
			d.clock.Advance(24*time.Hour + after)
			_, err = d.Refresh(t.Context(), second.RefreshToken)
			if good {
				require.NoError(t, err)
			} else {
				require.Equal(t, usermgmt.ErrUnauthenticated, err, "%v after", after)
			}
		}
	})

	t.Run("what is no token is refused, every truncation included", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		d.person(t, "ada")
		tokens := d.signIn(t, "ada", passphrase)
		require.Regexp(t, `^umr_[A-Za-z0-9_-]{43}$`, tokens.RefreshToken)
		for _, text := range []string{"", "umr_", "umr_" + strings.Repeat("A", 43), tokens.RefreshToken + "A", strings.ToUpper(tokens.RefreshToken),
			"umk_" + tokens.RefreshToken[4:], strings.Repeat("x", 1<<20)} {
			_, err := d.Refresh(t.Context(), text)
			require.Equal(t, usermgmt.ErrUnauthenticated, err)
		}
		for i := range tokens.RefreshToken {
			_, err := d.Refresh(t.Context(), tokens.RefreshToken[:i])
			require.Equal(t, usermgmt.ErrUnauthenticated, err)
		}
		_, err := d.Refresh(t.Context(), tokens.RefreshToken)
		require.NoError(t, err, "none of this spent it")
	})
}

// TestConfinedSession: a session that is confined authenticates and refreshes as confined.
func TestConfinedSession(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	admin := d.admin(t, "ada")
	org, err := d.CreateOrganization(t.Context(), usermgmt.NewOrganization{Name: "Acme"})
	require.NoError(t, err)
	_, err = d.AddMember(t.Context(), org.ID, usermgmt.NewMember{User: admin.ID, Role: usermgmt.RoleOwner})
	require.NoError(t, err)
	refresh := "umr_" + strings.Repeat("A", 43)
	now := d.clock.Now()
	err = d.store.Update(t.Context(), d.RealmName(), func(tx store.Tx) error {
		if err := tx.CreateSession(t.Context(), store.Session{
			ID: "s", UserID: admin.ID, OrganizationID: org.ID, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		}); err != nil {
			return err
		}
		return tx.CreateToken(t.Context(), store.Token{
			Digest: sha256.Sum256([]byte(refresh)), Kind: store.TokenRefresh, UserID: admin.ID, SessionID: "s",
			CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		})
	})
	require.NoError(t, err)
	for range 2 {
		tokens, err := d.Refresh(t.Context(), refresh)
		require.NoError(t, err)
		m := d.authenticated(t, tokens)
		require.Equal(t, org.ID, m.Actor().ConfinedTo())
		ok, err := m.Can(t.Context(), usermgmt.UsersAdd, usermgmt.Realmwide)
		require.NoError(t, err)
		require.False(t, ok, "the realm role does not count")
		ok, err = m.Can(t.Context(), usermgmt.MembersAdd, usermgmt.InOrganization(org.ID))
		require.NoError(t, err)
		require.True(t, ok)

		_, err = m.ChangePassword(t.Context(), passphrase, "brass lantern 4")
		require.ErrorIs(t, err, usermgmt.ErrForbidden, "no change of credentials")
		require.ErrorIs(t, m.SetPassword(t.Context(), admin.ID, "brass lantern 4"), usermgmt.ErrForbidden)
		_, err = m.Sessions(t.Context(), admin.ID, usermgmt.Page{})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		_, err = m.EndSessions(t.Context(), admin.ID)
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		refresh = tokens.RefreshToken
	}
	tokens, err := d.Refresh(t.Context(), refresh)
	require.NoError(t, err)
	require.NoError(t, d.authenticated(t, tokens).SignOut(t.Context()), "signing out is every session's")
	require.False(t, alive(t, d.Manager, tokens.AccessToken))
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ada := d.person(t, "ada")
	one, two := d.signIn(t, "ada", passphrase), d.signIn(t, "ada", passphrase)
	m := d.authenticated(t, one)
	require.NoError(t, m.SignOut(t.Context()))
	require.False(t, alive(t, d.Manager, one.AccessToken))
	_, err := d.Refresh(t.Context(), one.RefreshToken)
	require.Equal(t, usermgmt.ErrUnauthenticated, err)
	require.True(t, alive(t, d.Manager, two.AccessToken), "the other device stays")
	n := len(d.actions(t))
	require.NoError(t, m.SignOut(t.Context()), "twice is no error")
	require.Len(t, d.actions(t), n, "and writes nothing")
	require.ErrorIs(t, d.SignOut(t.Context()), usermgmt.ErrInvalid, "the host has no session")
	require.ErrorIs(t, d.As(usermgmt.UserActor(ada.ID)).SignOut(t.Context()), usermgmt.ErrInvalid)
}

// TestSessions: Ada is an administrator, Helen works at the help desk, Bob and
// Carol are users.
func TestSessions(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	ada, bob, carol := d.admin(t, "ada"), d.person(t, "bob"), d.person(t, "carol")
	helen := d.person(t, "helen", d.role(t, "helpdesk", usermgmt.SessionsList, usermgmt.SessionsDelete))
	hers := d.signIn(t, "ada", passphrase)
	var his []usermgmt.SessionID
	for range 5 {
		his = append(his, d.signIn(t, "bob", passphrase).SessionID)
	}
	as := func(u usermgmt.User) *usermgmt.Manager { return d.As(usermgmt.UserActor(u.ID)) }

	for name, m := range map[string]*usermgmt.Manager{"bob": as(bob), "helen": as(helen), "ada": as(ada), "the host": d.Manager} {
		var met []usermgmt.SessionID
		p := usermgmt.Page{Limit: 2}
		for {
			list, err := m.Sessions(ctx, bob.ID, p)
			require.NoError(t, err, name)
			for _, s := range list.Items {
				require.Equal(t, usermgmt.Session{ID: s.ID, UserID: bob.ID, CreatedAt: d.clock.Now(),
					ExpiresAt: d.clock.Now().Add(30 * 24 * time.Hour)}, s)
				met = append(met, s.ID)
			}
			if p.After = list.Next; p.After == "" {
				break
			}
		}
		require.ElementsMatch(t, his, met, name)
	}
	for name, m := range map[string]*usermgmt.Manager{"carol": as(carol), "nobody": d.As(usermgmt.Actor{}),
		"bob's temporary password": d.As(d.temporary(t))} {
		for _, user := range []usermgmt.UserID{bob.ID, "unknown"} {
			_, err := m.Sessions(ctx, user, usermgmt.Page{})
			require.ErrorIs(t, err, usermgmt.ErrForbidden, name)
			_, err = m.EndSessions(ctx, user)
			require.ErrorIs(t, err, usermgmt.ErrForbidden, name)
		}
		for _, id := range []usermgmt.SessionID{his[0], "unknown"} {
			require.ErrorIs(t, m.EndSession(ctx, id), usermgmt.ErrForbidden, "%s learns nothing of sessions", name)
		}
	}
	_, err := d.Sessions(ctx, "unknown", usermgmt.Page{})
	require.ErrorIs(t, err, usermgmt.ErrNotFound)
	_, err = d.Sessions(ctx, bob.ID, usermgmt.Page{Offset: 1})
	require.ErrorIs(t, err, usermgmt.ErrInvalid)
	_, err = d.Sessions(ctx, bob.ID, usermgmt.Page{Limit: -1})
	require.ErrorIs(t, err, usermgmt.ErrInvalid)

	require.ErrorIs(t, as(helen).EndSession(ctx, hers.SessionID), usermgmt.ErrForbidden, "Ada outranks Helen")
	_, err = as(helen).EndSessions(ctx, ada.ID)
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	require.True(t, alive(t, d.Manager, hers.AccessToken))

	require.NoError(t, as(bob).EndSession(ctx, his[0]))
	require.NoError(t, as(helen).EndSession(ctx, his[1]))
	require.ErrorIs(t, as(helen).EndSession(ctx, his[1]), usermgmt.ErrNotFound)
	n, err := as(bob).EndSessions(ctx, bob.ID)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	events := len(d.actions(t))
	n, err = as(helen).EndSessions(ctx, bob.ID)
	require.NoError(t, err)
	require.Zero(t, n)
	require.Len(t, d.actions(t), events, "nothing to end writes nothing")

	d.clock.Advance(30 * 24 * time.Hour)
	list, err := as(ada).Sessions(ctx, ada.ID, usermgmt.Page{})
	require.NoError(t, err)
	require.Empty(t, list.Items, "expired ones are left out")
	require.NotNil(t, list.Items)
}

// TestForeignSessions: sessions of whoever is out of reach are those of nobody.
// An owner's right to sessions is no right over the sessions of his members, who
// have others elsewhere.
func TestForeignSessions(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	bob, olga, mia := d.person(t, "bob"), d.person(t, "olga"), d.person(t, "mia")
	hers := d.signIn(t, "mia", passphrase)
	his := d.signIn(t, "bob", passphrase)
	role, err := d.CreateRole(ctx, usermgmt.NewRole{
		Name: "desk", Scope: usermgmt.ScopeFacility, Permissions: []usermgmt.Permission{usermgmt.SessionsList, usermgmt.SessionsDelete},
	})
	require.NoError(t, err)
	local := d.person(t, "local", at(role.ID, "F1"))
	org, err := d.CreateOrganization(ctx, usermgmt.NewOrganization{Name: "Acme", Owner: olga.ID})
	require.NoError(t, err)
	for _, u := range []usermgmt.User{bob, mia} {
		require.NoError(t, second(d.AddMember(ctx, org.ID, usermgmt.NewMember{User: u.ID})))
	}
	key, _, err := d.CreateKey(ctx, org.ID, usermgmt.NewKey{Name: "k", Role: usermgmt.RoleOwner})
	require.NoError(t, err)
	blue := d.Realm("blue")
	root, err := blue.CreateUser(ctx, usermgmt.NewUser{Username: "root", Grants: []usermgmt.Grant{realmRole(usermgmt.RoleAdmin)}})
	require.NoError(t, err)
	_, err = blue.CreateUser(ctx, usermgmt.NewUser{ID: bob.ID, Username: "bob"})
	require.NoError(t, err)

	before := d.actions(t)
	asks := func(m *usermgmt.Manager, user usermgmt.UserID, session usermgmt.SessionID) map[string]error {
		_, read := m.Sessions(ctx, user, usermgmt.Page{})
		_, all := m.EndSessions(ctx, user)
		return map[string]error{"Sessions": read, "EndSession": m.EndSession(ctx, session), "EndSessions": all}
	}
	for who, c := range map[string]struct {
		m    *usermgmt.Manager
		want error
	}{
		"owner of his organization":       {d.acting(olga), usermgmt.ErrForbidden},
		"member of his organization":      {d.acting(mia), usermgmt.ErrForbidden},
		"key of his organization":         {d.As(usermgmt.KeyActor(key.ID)), usermgmt.ErrForbidden},
		"owner who is confined to it":     {d.As(usermgmt.UserActor(olga.ID).Confined(org.ID)), usermgmt.ErrForbidden},
		"he himself, confined to it":      {d.As(usermgmt.UserActor(bob.ID).Confined(org.ID)), usermgmt.ErrForbidden},
		"unknown user":                    {d.As(usermgmt.UserActor("none")), usermgmt.ErrForbidden},
		"desk of a facility without him":  {d.acting(local), usermgmt.ErrNotFound},
		"admin of another realm":          {blue.As(usermgmt.UserActor(root.ID)), usermgmt.ErrNotFound},
		"another realm":                   {blue, usermgmt.ErrNotFound},
		"unknown user of another realm":   {blue.As(usermgmt.UserActor("none")), usermgmt.ErrForbidden},
		"who has his id in another realm": {blue.As(usermgmt.UserActor(bob.ID)), usermgmt.ErrForbidden},
	} {
		user := bob.ID
		if c.m.RealmName() == blue.RealmName() {
			user = mia.ID // of whom there is nobody else there
		}
		session := his.SessionID
		if user == mia.ID {
			session = hers.SessionID
		}
		foreign, missing := asks(c.m, user, session), asks(c.m, "missing", "missing")
		for what, err := range foreign {
			require.ErrorIs(t, err, c.want, "%s: %s", who, what)
		}
		require.Equal(t, missing, foreign, who)
	}
	require.ErrorIs(t, blue.As(usermgmt.UserActor(bob.ID)).EndSession(ctx, his.SessionID), usermgmt.ErrForbidden, "of the same id")
	list, err := blue.Sessions(ctx, bob.ID, usermgmt.Page{})
	require.NoError(t, err)
	require.Empty(t, list.Items)
	require.Equal(t, before, d.actions(t))
	require.True(t, alive(t, d.Manager, his.AccessToken))
	require.True(t, alive(t, d.Manager, hers.AccessToken))
}

// temporary returns the actor of a user who must change his password.
func (d *desk) temporary(t testing.TB) usermgmt.Actor {
	t.Helper()
	u := d.person(t, "dora")
	require.NoError(t, d.ResetPassword(t.Context(), u.ID, "brass lantern 4"))
	return d.authenticated(t, d.signIn(t, "dora", "brass lantern 4")).Actor()
}

// TestLogHoldsNoSecrets: refusals are logged with their cause, and never with
// what was given.
func TestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ada := d.person(t, "ada")
	tokens := d.signIn(t, "ada", passphrase)
	given := []string{passphrase, "wrong horse 12", "typed-into-the-wrong-field", tokens.AccessToken, tokens.RefreshToken}
	for _, name := range []string{"ada", "typed-into-the-wrong-field"} {
		_, err := d.SignIn(t.Context(), name, "wrong horse 12")
		require.Error(t, err)
	}
	for i := range 8 {
		alive(t, d.Manager, tokens.AccessToken[:len(tokens.AccessToken)-i])
	}
	for range 3 {
		d.Refresh(t.Context(), tokens.RefreshToken)
	}
	alive(t, d.Manager, tokens.AccessToken)
	_, err := d.As(usermgmt.UserActor(ada.ID)).ChangePassword(t.Context(), "wrong horse 12", passphrase)
	require.Error(t, err)
	text := d.log.String()
	for _, s := range given {
		require.NotContains(t, text, s)
	}
	for _, s := range []string{"session.refused", "the password is wrong", "the name is unknown", "token.refused", "token.reused", "password.refused"} {
		require.Contains(t, text, s)
	}
	require.NotContains(t, strings.Join(d.actions(t), " "), "umr_")
}
