package usermgmt_test

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/internal/phc"
	"github.com/usermgmt-go/usermgmt/store"
)

const replacement = "brass lantern 4"

// argon2id hashes more weakly than cheapHash.
func argon2id(t testing.TB, password string) string {
	t.Helper()
	text, err := phc.Params{MemoryKiB: 16, Time: 1, Threads: 1, Salt: 16, Key: 32}.Hash(nil, password)
	require.NoError(t, err)
	return text
}

// foreignHashes are hashes of passphrase of every kind that can be imported.
func foreignHashes(t testing.TB) map[string]string {
	t.Helper()
	e := base64.RawStdEncoding
	salt := []byte("some salt")
	bc, err := bcrypt.GenerateFromPassword([]byte(passphrase), 4)
	require.NoError(t, err)
	sc, err := scrypt.Key([]byte(passphrase), salt, 1<<10, 8, 1, 32)
	require.NoError(t, err)
	pb, err := pbkdf2.Key(sha256.New, passphrase, salt, 1000, 32)
	require.NoError(t, err)
	argon := argon2id(t, passphrase)
	return map[string]string{
		"argon2id": argon,
		"bcrypt":   string(bc),
		"bcrypt2y": "$2y$" + string(bc[4:]),
		"scrypt":   fmt.Sprintf("$scrypt$ln=10,r=8,p=1$%s$%s", e.EncodeToString(salt), e.EncodeToString(sc)),
		"pbkdf2":   fmt.Sprintf("$pbkdf2-sha256$i=1000$%s$%s", e.EncodeToString(salt), e.EncodeToString(pb)),
	}
}

// TestImportedHash: it signs in, is replaced by a hash of our own at the first
// sign-in, and is known again afterwards.
func TestImportedHash(t *testing.T) {
	t.Parallel()
	for name, text := range foreignHashes(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			u, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "ada"})
			require.NoError(t, err)
			require.NoError(t, d.ImportPasswordHash(t.Context(), u.ID, text))
			imported := d.credential(t, u.ID)
			require.Equal(t, store.Digest(sha256.Sum256([]byte(text))), imported.Origin)

			_, err = d.SignIn(t.Context(), "ada", "wrong")
			require.Equal(t, usermgmt.ErrUnauthenticated, err)
			require.Equal(t, imported, d.credential(t, u.ID), "a wrong password upgrades nothing")

			first := d.signIn(t, "ada", passphrase)
			upgraded := d.credential(t, u.ID)
			require.True(t, strings.HasPrefix(upgraded.Hash, "$argon2id$v=19$m=64,t=1,p=1$"), upgraded.Hash)
			require.Equal(t, imported.Origin, upgraded.Origin)
			require.Equal(t, imported.ChangedAt, upgraded.ChangedAt, "the password is the same")
			require.Equal(t, imported.Version+1, upgraded.Version)

			second := d.signIn(t, "ada", passphrase)
			require.Equal(t, upgraded, d.credential(t, u.ID), "upgraded once")
			require.NoError(t, d.ImportPasswordHash(t.Context(), u.ID, text))
			require.Equal(t, upgraded, d.credential(t, u.ID), "it stems from that very text")
			for _, tokens := range []usermgmt.Tokens{first, second} {
				require.True(t, alive(t, d.Manager, tokens.AccessToken))
			}
			status, err := d.PasswordStatus(t.Context(), u.ID)
			require.NoError(t, err)
			require.Equal(t, usermgmt.PasswordStatus{Set: true, Imported: true, ChangedAt: imported.ChangedAt}, status)

			require.NoError(t, d.SetPassword(t.Context(), u.ID, replacement))
			require.NoError(t, d.ImportPasswordHash(t.Context(), u.ID, text), "after another password it counts again")
			d.signIn(t, "ada", passphrase)
		})
	}
}

func TestImportIsAnAdministrators(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ada, bob := d.admin(t, "ada"), d.person(t, "bob")
	helen := d.person(t, "helen", d.role(t, "helpdesk", "users.*"))
	text := foreignHashes(t)["bcrypt"]
	for _, u := range []usermgmt.User{bob, helen} {
		err := d.As(usermgmt.UserActor(u.ID)).ImportPasswordHash(t.Context(), bob.ID, text)
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
	}
	m := d.As(usermgmt.UserActor(ada.ID))
	require.NoError(t, m.ImportPasswordHash(t.Context(), bob.ID, text))
	require.ErrorIs(t, m.ImportPasswordHash(t.Context(), "unknown", text), usermgmt.ErrNotFound)
	for _, bad := range []string{"", "plain", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$AAAA", text[:len(text)-1], "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$" + strings.Repeat("A", 43)} {
		var fault *usermgmt.InvalidError
		require.ErrorAs(t, m.ImportPasswordHash(t.Context(), bob.ID, bad), &fault)
		require.Equal(t, "passwordHash", fault.Field)
	}
}

// TestUpgradeAtSignIn: parameters that were raised reach each user at his next
// sign-in, many at once included, and lowered ones change nothing.
func TestUpgradeAtSignIn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	u := d.person(t, "ada")
	strong := d.manager(t, func(o *usermgmt.Options) { o.PasswordHash.MemoryKiB = 128 })
	won := atOnce(t, 8, usermgmt.ErrBusy, func() error {
		_, err := strong.SignIn(context.Background(), "ada", passphrase)
		return err
	})
	require.Positive(t, won)
	after := d.credential(t, u.ID)
	require.Contains(t, after.Hash, "m=128,")
	d.signIn(t, "ada", passphrase)
	require.Equal(t, after, d.credential(t, u.ID))
}

// TestBcryptBeyond72Bytes: bcrypt itself would take any password that begins alike.
func TestBcryptBeyond72Bytes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	long := strings.Repeat("abcdefgh", 9)
	text, err := bcrypt.GenerateFromPassword([]byte(long), 4)
	require.NoError(t, err)
	_, err = d.CreateUser(t.Context(), usermgmt.NewUser{Username: "ada", PasswordHash: string(text)})
	require.NoError(t, err)
	_, err = d.SignIn(t.Context(), "ada", long+"x")
	require.Equal(t, usermgmt.ErrUnauthenticated, err)
	d.signIn(t, "ada", long)
	_, err = d.SignIn(t.Context(), "ada", long+"x")
	require.Equal(t, usermgmt.ErrUnauthenticated, err)
}

// TestTemporaryPassword is Dora's story: the administrator resets her
// password, and she must change it before she can do anything else.
func TestTemporaryPassword(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	ada := d.admin(t, "ada")
	dora := d.person(t, "dora", usermgmt.Grant{Role: usermgmt.RoleReadOnly, Kind: usermgmt.ScopeRealm})
	before := d.signIn(t, "dora", passphrase)
	require.NoError(t, d.As(usermgmt.UserActor(ada.ID)).ResetPassword(ctx, dora.ID, replacement))
	require.False(t, alive(t, d.Manager, before.AccessToken))
	_, err := d.SignIn(ctx, "dora", passphrase)
	require.Equal(t, usermgmt.ErrUnauthenticated, err)

	status, err := d.PasswordStatus(ctx, dora.ID)
	require.NoError(t, err)
	require.Equal(t, usermgmt.PasswordStatus{Set: true, Temporary: true,
		ExpiresAt: d.clock.Now().Add(7 * 24 * time.Hour), ChangedAt: d.clock.Now()}, status)

	tokens := d.signIn(t, "dora", replacement)
	require.True(t, tokens.PasswordChangeRequired)
	require.Empty(t, tokens.RefreshToken)
	require.Equal(t, 10*time.Minute, tokens.ExpiresIn)
	m := d.authenticated(t, tokens)
	require.True(t, m.Actor().MustChangePassword())
	_, err = m.User(ctx, dora.ID)
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	_, err = m.PasswordStatus(ctx, dora.ID)
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	require.ErrorIs(t, m.SetPassword(ctx, dora.ID, "copper kettle 5"), usermgmt.ErrForbidden)
	require.ErrorIs(t, m.ResetPassword(ctx, dora.ID, "copper kettle 5"), usermgmt.ErrForbidden)
	_, err = m.UpdateUser(ctx, dora.ID, usermgmt.UserUpdate{FirstName: new("Dora")})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	require.ErrorIs(t, m.DeleteUser(ctx, dora.ID), usermgmt.ErrForbidden)
	ok, err := m.Can(ctx, usermgmt.UsersRead, usermgmt.Realmwide)
	require.NoError(t, err)
	require.False(t, ok)

	_, err = m.ChangePassword(ctx, "wrong", "copper kettle 5")
	require.Equal(t, usermgmt.ErrUnauthenticated, err)
	for _, weak := range []string{"short", "password1", replacement, "dora", ""} {
		_, err = m.ChangePassword(ctx, replacement, weak)
		require.ErrorIs(t, err, usermgmt.ErrInvalid, weak)
	}
	fresh, err := m.ChangePassword(ctx, replacement, "copper kettle 5")
	require.NoError(t, err)
	require.False(t, fresh.PasswordChangeRequired)
	require.NotEmpty(t, fresh.RefreshToken)
	require.False(t, alive(t, d.Manager, tokens.AccessToken), "the session for the change has done its work")
	_, err = d.authenticated(t, fresh).User(ctx, dora.ID)
	require.NoError(t, err)
	_, err = d.Refresh(ctx, fresh.RefreshToken)
	require.NoError(t, err)
	_, err = d.SignIn(ctx, "dora", replacement)
	require.Equal(t, usermgmt.ErrUnauthenticated, err)
	d.clock.Advance(8 * 24 * time.Hour)
	require.False(t, d.signIn(t, "dora", "copper kettle 5").PasswordChangeRequired, "the new one lasts")

	require.Subset(t, d.actions(t), []string{
		fmt.Sprintf("user:%s password.reset user:%s", ada.ID, dora.ID),
		fmt.Sprintf("user:%s password.changed user:%s", dora.ID, dora.ID),
	})
}

func TestTemporaryPasswordExpires(t *testing.T) {
	t.Parallel()
	for after, good := range map[time.Duration]bool{-time.Microsecond: true, 0: false, time.Microsecond: false} {
		d := newDesk(t)
		dora := d.person(t, "dora")
		require.NoError(t, d.ResetPassword(t.Context(), dora.ID, replacement))
		d.clock.Advance(7*24*time.Hour + after)
		_, err := d.SignIn(t.Context(), "dora", replacement)
		_, cerr := d.As(usermgmt.UserActor(dora.ID)).ChangePassword(t.Context(), replacement, "copper kettle 5")
		if good {
			require.NoError(t, err)
			require.NoError(t, cerr)
			continue
		}
		require.Equal(t, usermgmt.ErrUnauthenticated, err, "%v after", after)
		require.Equal(t, usermgmt.ErrUnauthenticated, cerr, "%v after", after)
	}

	t.Run("and so does its session", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		a := d.temporary(t)
		d.clock.Advance(10*time.Minute - time.Microsecond)
		_, err := d.As(a).ChangePassword(t.Context(), replacement, "short")
		require.ErrorIs(t, err, usermgmt.ErrInvalid)
		d.clock.Advance(time.Microsecond)
		_, err = d.As(a).ChangePassword(t.Context(), replacement, "copper kettle 5")
		require.Equal(t, usermgmt.ErrUnauthenticated, err)
	})
}

func TestTemporaryPasswordAtCreation(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "dora", Password: passphrase, TemporaryPassword: true})
	require.NoError(t, err)
	require.True(t, d.signIn(t, "dora", passphrase).PasswordChangeRequired)
}

// TestTemporaryPasswordIsStatedOnce: what a Snapshot states is the way in, and
// does not come back once the user has chosen a password.
func TestTemporaryPasswordIsStatedOnce(t *testing.T) {
	t.Parallel()
	for _, stated := range []string{`"password":"violet cradle 77"`, `"passwordHash":"` + argon2id(t, passphrase) + `"`} {
		d := newDesk(t)
		s := parse(t, `{"users":[{"username":"dora",`+stated+`,"temporaryPassword":true}]}`)
		require.NoError(t, d.Apply(t.Context(), s))
		require.NoError(t, d.Apply(t.Context(), s))
		first := d.signIn(t, "dora", passphrase)
		require.True(t, first.PasswordChangeRequired)
		chosen, err := d.authenticated(t, first).ChangePassword(t.Context(), passphrase, replacement)
		require.NoError(t, err)
		before := d.actions(t)
		require.NoError(t, d.Apply(t.Context(), s))
		require.Equal(t, before, d.actions(t))
		require.True(t, alive(t, d.Manager, chosen.AccessToken))
		require.ErrorIs(t, second(d.SignIn(t.Context(), "dora", passphrase)), usermgmt.ErrUnauthenticated)
		require.False(t, d.signIn(t, "dora", replacement).PasswordChangeRequired)

		require.NoError(t, d.ResetPassword(t.Context(), chosen.UserID, "umbrella quarry 91"))
		require.NoError(t, d.Apply(t.Context(), s))
		require.ErrorIs(t, second(d.SignIn(t.Context(), "dora", passphrase)), usermgmt.ErrUnauthenticated, "nor after a reset")
		require.True(t, d.signIn(t, "dora", "umbrella quarry 91").PasswordChangeRequired)
	}
	d := newDesk(t)
	d.person(t, "dora")
	require.ErrorIs(t, d.Apply(t.Context(), parse(t, `{"users":[{"username":"dora","passwordHash":"no hash","temporaryPassword":true}]}`)), usermgmt.ErrInvalid)
}

// TestChangePassword: everyone changes his own, and must know it.
func TestChangePassword(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	d.person(t, "ada")
	here, there := d.signIn(t, "ada", passphrase), d.signIn(t, "ada", passphrase)
	fresh, err := d.authenticated(t, here).ChangePassword(ctx, passphrase, replacement)
	require.NoError(t, err)
	for _, tokens := range []usermgmt.Tokens{here, there} {
		require.False(t, alive(t, d.Manager, tokens.AccessToken))
		_, err := d.Refresh(ctx, tokens.RefreshToken)
		require.Equal(t, usermgmt.ErrUnauthenticated, err)
	}
	require.True(t, alive(t, d.Manager, fresh.AccessToken))
	d.signIn(t, "ada", replacement)

	for name, m := range map[string]*usermgmt.Manager{
		"host": d.Manager, "nobody": d.As(usermgmt.Actor{}), "key": d.As(usermgmt.KeyActor("k")), "vendor": d.As(usermgmt.VendorActor("v")),
	} {
		_, err := m.ChangePassword(ctx, replacement, passphrase)
		require.ErrorIs(t, err, usermgmt.ErrForbidden, name)
	}
	bob := d.person(t, "bob")
	carol, err := d.CreateUser(ctx, usermgmt.NewUser{Username: "carol"})
	require.NoError(t, err)
	require.NoError(t, d.DisableUser(ctx, bob.ID))
	for _, id := range []usermgmt.UserID{bob.ID, carol.ID, "unknown"} {
		for _, old := range []string{passphrase, "", strings.Repeat("x", 1<<20)} {
			_, err := d.As(usermgmt.UserActor(id)).ChangePassword(ctx, old, replacement)
			require.Equal(t, usermgmt.ErrUnauthenticated, err)
		}
	}
}

// TestChangePasswordDecidesAsOfNow: what happens while the new password is
// hashed counts.
func TestChangePasswordDecidesAsOfNow(t *testing.T) {
	t.Parallel()
	for name, end := range ends(t) {
		if name == "same password set" || name == "sessions ended" {
			continue // these are below, or leave the old password right
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			ada := d.person(t, "ada")
			m := d.authenticated(t, d.signIn(t, "ada", passphrase))
			m = m.With(&afterView{Store: d.store, then: func() { require.NoError(t, end(t.Context(), d, ada.ID)) }})
			_, err := m.ChangePassword(t.Context(), passphrase, "copper kettle 5")
			require.Equal(t, usermgmt.ErrUnauthenticated, err)
			_, err = d.SignIn(t.Context(), "ada", "copper kettle 5")
			require.Equal(t, usermgmt.ErrUnauthenticated, err)
		})
	}
	t.Run("the password is another, for an actor without a session", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		ada := d.person(t, "ada")
		m := d.As(usermgmt.UserActor(ada.ID))
		m = m.With(&afterView{Store: d.store, then: func() { require.NoError(t, d.SetPassword(t.Context(), ada.ID, replacement)) }})
		_, err := m.ChangePassword(t.Context(), passphrase, "copper kettle 5")
		require.Equal(t, usermgmt.ErrUnauthenticated, err)
		d.signIn(t, "ada", replacement)
	})
	t.Run("the session is ended", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		d.person(t, "ada")
		tokens := d.signIn(t, "ada", passphrase)
		m := d.authenticated(t, tokens)
		m = m.With(&afterView{Store: d.store, then: func() { require.NoError(t, d.EndSession(t.Context(), tokens.SessionID)) }})
		_, err := m.ChangePassword(t.Context(), passphrase, replacement)
		require.Equal(t, usermgmt.ErrUnauthenticated, err)
		d.signIn(t, "ada", passphrase)
	})
}

// TestSetPassword: Ada is an administrator, Helen of the help desk resets
// passwords, Otto owns an organization, Bob and Carol are users.
func TestSetPassword(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	ada, bob, carol, otto := d.admin(t, "ada"), d.person(t, "bob"), d.person(t, "carol"), d.person(t, "otto")
	helen := d.person(t, "helen", d.role(t, "helpdesk", usermgmt.UsersPasswordReset))
	org, err := d.CreateOrganization(ctx, usermgmt.NewOrganization{Name: "Acme"})
	require.NoError(t, err)
	_, err = d.AddMember(ctx, org.ID, usermgmt.NewMember{User: otto.ID, Role: usermgmt.RoleOwner})
	require.NoError(t, err)

	for _, tt := range []struct {
		who    string
		actor  usermgmt.Actor
		target usermgmt.UserID
		want   error
	}{
		{"the host, an admin's", usermgmt.HostActor(), ada.ID, nil},
		{"an admin, anyone's", usermgmt.UserActor(ada.ID), otto.ID, nil},
		{"an admin, nobody's", usermgmt.UserActor(ada.ID), "unknown", usermgmt.ErrNotFound},
		{"the help desk, a user's", usermgmt.UserActor(helen.ID), bob.ID, nil},
		{"the help desk, an admin's", usermgmt.UserActor(helen.ID), ada.ID, usermgmt.ErrForbidden},
		{"the help desk, an owner's", usermgmt.UserActor(helen.ID), otto.ID, usermgmt.ErrForbidden},
		{"the help desk, nobody's", usermgmt.UserActor(helen.ID), "unknown", usermgmt.ErrNotFound},
		{"a user, another's", usermgmt.UserActor(bob.ID), carol.ID, usermgmt.ErrForbidden},
		{"a user, nobody's", usermgmt.UserActor(bob.ID), "unknown", usermgmt.ErrForbidden},
		{"a user, his own", usermgmt.UserActor(bob.ID), bob.ID, usermgmt.ErrForbidden},
		{"an owner, a user's", usermgmt.UserActor(otto.ID), bob.ID, usermgmt.ErrForbidden},
		{"nobody", usermgmt.Actor{}, bob.ID, usermgmt.ErrForbidden},
		{"a vendor", usermgmt.VendorActor("v"), bob.ID, usermgmt.ErrForbidden},
		{"a key", usermgmt.KeyActor("k"), bob.ID, usermgmt.ErrForbidden},
		{"a confined admin", usermgmt.UserActor(ada.ID).Confined(org.ID), bob.ID, usermgmt.ErrForbidden},
	} {
		for name, act := range map[string]func(*usermgmt.Manager) error{
			"set":   func(m *usermgmt.Manager) error { return m.SetPassword(ctx, tt.target, replacement) },
			"reset": func(m *usermgmt.Manager) error { return m.ResetPassword(ctx, tt.target, replacement) },
		} {
			err := act(d.As(tt.actor))
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want, "%s: %s", tt.who, name)
				continue
			}
			require.NoError(t, err, "%s: %s", tt.who, name)
			status, err := d.PasswordStatus(ctx, tt.target)
			require.NoError(t, err)
			require.Equal(t, name == "reset", status.Temporary, "%s: %s", tt.who, name)
		}
	}
	require.NoError(t, d.As(usermgmt.UserActor(helen.ID)).ResetPassword(ctx, helen.ID, replacement))
	require.False(t, d.signIn(t, "helen", replacement).PasswordChangeRequired, "one's own lasts")
}

// TestSetPasswordSpendsNoHashWithoutTheRight: and none of the policy's work.
func TestSetPasswordSpendsNoHashWithoutTheRight(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	d := newDesk(t, func(o *usermgmt.Options) {
		o.PasswordPolicy.Forbidden = func(string) bool { asked.Add(1); return false }
	})
	ada, bob := d.person(t, "ada"), d.person(t, "bob")
	asked.Store(0)
	m := d.As(usermgmt.UserActor(bob.ID))
	require.ErrorIs(t, m.SetPassword(t.Context(), ada.ID, replacement), usermgmt.ErrForbidden)
	require.ErrorIs(t, m.ResetPassword(t.Context(), ada.ID, replacement), usermgmt.ErrForbidden)
	_, err := m.ChangePassword(t.Context(), "wrong", replacement)
	require.Equal(t, usermgmt.ErrUnauthenticated, err)
	gone := d.authenticated(t, d.signIn(t, "ada", passphrase))
	require.NoError(t, gone.SignOut(t.Context()))
	require.NoError(t, d.DisableUser(t.Context(), bob.ID))
	for _, m := range []*usermgmt.Manager{gone, m} {
		_, err := m.ChangePassword(t.Context(), passphrase, replacement)
		require.Equal(t, usermgmt.ErrUnauthenticated, err)
	}
	require.Zero(t, asked.Load())
}

// TestSetPasswordDecidesAsOfNow: the right is lost while the password is hashed.
func TestSetPasswordDecidesAsOfNow(t *testing.T) {
	t.Parallel()
	var lose atomic.Pointer[func()]
	d := newDesk(t, func(o *usermgmt.Options) {
		o.PasswordPolicy.Forbidden = func(string) bool {
			if f := lose.Load(); f != nil {
				(*f)()
			}
			return false
		}
	})
	helpdesk := d.role(t, "helpdesk", usermgmt.UsersPasswordReset)
	bob, helen := d.person(t, "bob"), d.person(t, "helen", helpdesk)
	f := func() { require.NoError(t, d.RevokeRoles(context.Background(), helen.ID, helpdesk)) }
	lose.Store(&f)
	err := d.As(usermgmt.UserActor(helen.ID)).SetPassword(t.Context(), bob.ID, replacement)
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	d.signIn(t, "bob", passphrase)
}

func TestVerifyPassword(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	ada := d.admin(t, "ada")
	bob := d.person(t, "bob")
	carol, err := d.CreateUser(ctx, usermgmt.NewUser{Username: "carol"})
	require.NoError(t, err)
	require.NoError(t, d.DisableUser(ctx, bob.ID))
	for _, tt := range []struct {
		user     usermgmt.UserID
		password string
		want     bool
	}{
		{ada.ID, passphrase, true}, {ada.ID, "wrong", false}, {ada.ID, "", false}, {bob.ID, passphrase, true},
		{carol.ID, passphrase, false}, {carol.ID, "", false}, {ada.ID, strings.Repeat("x", 1<<20), false},
	} {
		ok, err := d.VerifyPassword(ctx, tt.user, tt.password)
		require.NoError(t, err)
		require.Equal(t, tt.want, ok, "%s %.20s", tt.user, tt.password)
	}
	_, err = d.VerifyPassword(ctx, "unknown", passphrase)
	require.ErrorIs(t, err, usermgmt.ErrNotFound)
	_, err = d.As(usermgmt.UserActor(ada.ID)).VerifyPassword(ctx, ada.ID, passphrase)
	require.ErrorIs(t, err, usermgmt.ErrForbidden, "the host's alone")
}

func TestPasswordStatus(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ada, bob := d.person(t, "ada"), d.person(t, "bob")
	m := d.As(usermgmt.UserActor(ada.ID))
	status, err := m.PasswordStatus(t.Context(), ada.ID)
	require.NoError(t, err)
	require.Equal(t, usermgmt.PasswordStatus{Set: true, ChangedAt: d.clock.Now()}, status)
	for _, id := range []usermgmt.UserID{bob.ID, "unknown"} {
		_, err = m.PasswordStatus(t.Context(), id)
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
	}
	carol, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "carol"})
	require.NoError(t, err)
	status, err = d.PasswordStatus(t.Context(), carol.ID)
	require.NoError(t, err)
	require.Equal(t, usermgmt.PasswordStatus{}, status)
}
