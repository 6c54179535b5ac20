package securitytest

import (
	"crypto/ed25519"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/store"
)

// mark is in every text that the scene gives, whatever it is for. In lower case
// it stands in what is folded too.
const mark = `canary';--"`

// Passwords of the people of the scene, in letters that nothing escapes.
const firstPassword, secondPassword = "canary violet cradle", "canary brass lantern"

// scene is a directory in which every noun has been created, read, listed and
// changed, with all secrets that there can be.
type scene struct {
	*usermgmt.Manager
	key usermgmt.SigningKey
	log strings.Builder
	// secrets were handed out; some were used, some have ended.
	secrets []string
	// clientSecret is the one of the partner's that works.
	clientSecret string
}

func newScene(t testing.TB, s store.Store) *scene {
	t.Helper()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	sc := &scene{key: key, secrets: []string{firstPassword, secondPassword, string(key.Key.(ed25519.PrivateKey).Seed())}}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	sc.Manager, err = usermgmt.New(s, usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: usermgmt.PasswordHash{MemoryKiB: 64, Time: 1, Threads: 1}, HashSlots: 1,
		Clock: func() time.Time { return now }, RedirectURL: "https://app.example/enter",
		Logger: slog.New(slog.NewTextHandler(&sc.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(t, err)
	sc.people(t)
	sc.roles(t)
	sc.organization(t)
	sc.partner(t)
	sc.lists(t)
	return sc
}

// keep remembers secrets.
func (sc *scene) keep(secrets ...string) { sc.secrets = append(sc.secrets, secrets...) }

func (sc *scene) people(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	_, err := sc.CreateTenant(ctx, usermgmt.NewTenant{ID: mark, Name: mark, Type: "x"})
	require.NoError(t, err)
	_, err = sc.UpdateTenant(ctx, mark, usermgmt.TenantUpdate{Name: new(mark + "2")})
	require.NoError(t, err)
	for _, name := range []string{"ada", "bea"} {
		_, err = sc.CreateUser(ctx, usermgmt.NewUser{
			ID: usermgmt.UserID(mark + name), Username: mark + name, Email: name + "canary'--@canary.example", FirstName: mark, LastName: mark,
			Locale: "en_GB", Password: firstPassword, Attributes: []byte(`{"canary": "canary'"}`), Tags: []string{mark}, Tenants: []string{mark},
			Grants: []usermgmt.Grant{
				{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm}, {Role: usermgmt.RoleSupervisor, Kind: usermgmt.ScopeFacility, Scopes: []string{mark}},
			},
		})
		require.NoError(t, err)
	}
	_, err = sc.UpdateUser(ctx, mark+"bea", usermgmt.UserUpdate{LastName: new(mark + "2"), Username: new(mark + "beatrice")})
	require.NoError(t, err)
	first, err := sc.SignIn(ctx, mark+"ada", firstPassword)
	require.NoError(t, err)
	second, err := sc.Refresh(ctx, first.RefreshToken)
	require.NoError(t, err)
	ada, err := sc.Authenticate(ctx, second.AccessToken)
	require.NoError(t, err)
	third, err := sc.As(ada).ChangePassword(ctx, firstPassword, secondPassword)
	require.NoError(t, err)
	fourth, err := sc.SignIn(ctx, mark+"ada", secondPassword)
	require.NoError(t, err)
	for _, tokens := range []usermgmt.Tokens{first, second, third, fourth} {
		sc.keep(tokens.AccessToken, tokens.RefreshToken)
	}
	_, err = sc.SignIn(ctx, mark+"ada", firstPassword)
	require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
	_, err = sc.Refresh(ctx, first.RefreshToken)
	require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
	require.NoError(t, sc.ResetPassword(ctx, mark+"bea", secondPassword))
}

func (sc *scene) roles(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, sc.CreatePermission(ctx, "canary.read"))
	require.NoError(t, sc.CreatePermission(ctx, "canary.write"))
	r, err := sc.CreateRole(ctx, usermgmt.NewRole{Name: mark, Description: mark, Permissions: []usermgmt.Permission{"canary.read"}})
	require.NoError(t, err)
	_, err = sc.UpdateRole(ctx, r.ID, usermgmt.RoleUpdate{Name: new(mark + "2"), Add: []usermgmt.Permission{"canary.write"}})
	require.NoError(t, err)
	require.NoError(t, sc.GrantRoles(ctx, mark+"bea", usermgmt.Grant{Role: r.ID, Kind: usermgmt.ScopeRealm}))
	require.NoError(t, sc.DeletePermission(ctx, "canary.write"))
	require.NoError(t, sc.DeleteRole(ctx, r.ID))
	_, err = sc.FindRoles(ctx, usermgmt.ScopeRealm, []string{mark})
	require.Error(t, err)
}

func (sc *scene) organization(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	v, secret, err := sc.CreateVendor(ctx, usermgmt.NewVendor{ID: mark, Name: mark, ClientID: mark, Scopes: []string{usermgmt.ScopeVendorManage}})
	require.NoError(t, err)
	sc.clientSecret, err = sc.RotateVendorSecret(ctx, v.ID, time.Hour)
	require.NoError(t, err)
	sc.keep(secret, sc.clientSecret)
	_, err = sc.UpdateVendor(ctx, v.ID, usermgmt.VendorUpdate{Name: new(mark + "2")})
	require.NoError(t, err)
	_, err = sc.CreateOrganization(ctx, usermgmt.NewOrganization{
		ID: mark, Slug: "canary", Name: mark, Domain: "canary.example", Vendor: v.ID, VendorOrganizationID: mark, OEMProvisioning: true, Owner: mark + "ada",
	})
	require.NoError(t, err)
	_, err = sc.UpdateOrganization(ctx, mark, usermgmt.OrganizationUpdate{Name: new(mark + "2")})
	require.NoError(t, err)
	_, err = sc.AddMember(ctx, mark, usermgmt.NewMember{User: mark + "bea", Role: usermgmt.RoleMember, Tags: []string{mark}, VendorUserID: mark})
	require.NoError(t, err)
	_, err = sc.UpdateMember(ctx, mark, mark+"bea", usermgmt.MemberUpdate{Role: new(usermgmt.RoleWriter), Tags: &[]string{mark + "2"}})
	require.NoError(t, err)
	_, err = sc.InviteMember(ctx, mark, usermgmt.Invitation{NewMember: usermgmt.NewMember{Email: "new-canary@canary.example"}, FirstName: mark})
	require.NoError(t, err)
	for _, id := range []usermgmt.KeyID{mark, mark + "2"} {
		_, secret, err = sc.CreateKey(ctx, mark, usermgmt.NewKey{ID: id, Name: mark, Role: usermgmt.RoleOrgAdmin})
		require.NoError(t, err)
		sc.keep(secret)
		_, err = sc.AuthenticateKey(ctx, secret)
		require.NoError(t, err)
	}
	require.NoError(t, sc.DeleteKey(ctx, mark+"2"))
}

func (sc *scene) partner(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	oem, err := sc.AuthenticateVendor(ctx, mark, sc.clientSecret)
	require.NoError(t, err)
	client, err := sc.VendorToken(ctx, mark, sc.clientSecret)
	require.NoError(t, err)
	made, err := sc.As(oem).ProvisionUser(ctx, usermgmt.VendorUser{
		Email: "oem-canary@canary.example", FirstName: mark, LastName: mark, VendorUserID: mark + "3", VendorOrganizationID: mark,
	})
	require.NoError(t, err)
	gone, err := sc.As(oem).ProvisionUser(ctx, usermgmt.VendorUser{Email: "gone-canary@canary.example", VendorOrganizationID: mark})
	require.NoError(t, err)
	require.NoError(t, sc.As(oem).DeprovisionUser(ctx, gone.Token, usermgmt.MemberRef{Email: "gone-canary@canary.example"}))
	used, err := sc.As(oem).CreateCode(ctx, made.Token)
	require.NoError(t, err)
	open, err := sc.As(oem).CreateCode(ctx, made.Token)
	require.NoError(t, err)
	_, tokens, err := sc.RedeemCode(ctx, used.Code)
	require.NoError(t, err)
	_, _, err = sc.RedeemCode(ctx, used.Code)
	require.ErrorIs(t, err, usermgmt.ErrUsed)
	sc.keep(client.AccessToken, made.Token, gone.Token, used.Code, open.Code, tokens.AccessToken, tokens.RefreshToken)
}

// lists asks for everything by every key, with cursors that are no ids of ours.
func (sc *scene) lists(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	after := usermgmt.Page{After: mark, Limit: 2}
	for what, ask := range map[string]func() error{
		"Users":               func() error { _, err := sc.Users(ctx, usermgmt.UserList{Page: after}); return err },
		"Users at":            func() error { _, err := sc.Users(ctx, usermgmt.UserList{Facility: mark}); return err },
		"Users of a role":     func() error { _, err := sc.Users(ctx, usermgmt.UserList{Role: mark}); return err },
		"Users of a tenant":   func() error { _, err := sc.Users(ctx, usermgmt.UserList{Tenant: mark}); return err },
		"SearchUsers":         func() error { _, err := sc.SearchUsers(ctx, usermgmt.ByUsername, mark, after); return err },
		"SearchUsers by mail": func() error { _, err := sc.SearchUsers(ctx, usermgmt.ByEmail, mark, after); return err },
		"UsersByID":           func() error { _, err := sc.UsersByID(ctx, []usermgmt.UserID{mark, mark + "ada"}); return err },
		"UserByEmail":         func() error { _, err := sc.UserByEmail(ctx, "adacanary'--@canary.example"); return err },
		"Organizations": func() error {
			_, err := sc.Organizations(ctx, usermgmt.OrganizationList{Page: after, Vendor: mark})
			return err
		},
		"OrganizationBySlug": func() error { _, err := sc.OrganizationBySlug(ctx, "canary"); return err },
		"Members": func() error {
			_, err := sc.Members(ctx, mark, usermgmt.MemberList{Page: after, Roles: []usermgmt.RoleID{mark}})
			return err
		},
		"MembersAt": func() error {
			_, _, err := sc.MembersAt(ctx, mark, usermgmt.MemberSearch{Tags: []string{mark}, Email: "adacanary'--@canary.example"}, 0, 10)
			return err
		},
		"Memberships": func() error { _, err := sc.Memberships(ctx, mark+"bea", after); return err },
		"Keys":        func() error { _, err := sc.Keys(ctx, mark, after); return err },
		"Roles":       func() error { _, err := sc.Roles(ctx, usermgmt.RoleList{Page: after}); return err },
		"Tenants":     func() error { _, err := sc.Tenants(ctx, after); return err },
		"Vendors":     func() error { _, err := sc.Vendors(ctx, after); return err },
		"Sessions":    func() error { _, err := sc.Sessions(ctx, mark+"ada", after); return err },
	} {
		require.NoError(t, ask(), what)
	}
	_, err := sc.Events(ctx, usermgmt.Page{After: mark})
	require.ErrorIs(t, err, usermgmt.ErrInvalid, "the number of an event is a number")
	_, err = sc.EndSessions(ctx, mark+"bea")
	require.NoError(t, err)
	require.NoError(t, sc.DeleteUser(ctx, mark+"bea"))
	_, err = sc.User(ctx, mark+"bea")
	require.ErrorIs(t, err, usermgmt.ErrNotFound)
	_, err = sc.Sweep(ctx, 10)
	require.NoError(t, err)
}
