package usermgmt_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// The stories here are of people who try to come by rights on detours.

func TestClaimedEmailGainsNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	owner := o.person("owner")
	o.company("acme", owner)
	mallory := o.person("mallory")
	got, err := o.as(mallory).UpdateUser(t.Context(), mallory, usermgmt.UserUpdate{Email: new("ceo@acme.example")})
	require.NoError(t, err)
	require.True(t, got.EmailClaimed)

	_, err = o.as(owner).InviteMember(t.Context(), "acme", usermgmt.Invitation{NewMember: usermgmt.NewMember{Email: "CEO@acme.example", Role: usermgmt.RoleOwner}})
	require.ErrorIs(t, err, usermgmt.ErrEmailClaimed)
	_, err = o.as(owner).AddMember(t.Context(), "acme", usermgmt.NewMember{Email: "ceo@acme.example", Role: usermgmt.RoleOwner})
	require.ErrorIs(t, err, usermgmt.ErrEmailClaimed)
	o.vendor("globex")
	_, err = o.m.As(usermgmt.VendorActor("globex")).ProvisionOrganization(t.Context(), "Acme", usermgmt.VendorUser{Email: "ceo@acme.example"})
	require.ErrorIs(t, err, usermgmt.ErrEmailClaimed)
	require.False(t, can(t, o.as(mallory), usermgmt.MembersRead, usermgmt.InOrganization("acme")))

	// A backup does not launder it.
	s, err := o.m.Export(t.Context())
	require.NoError(t, err)
	before := o.log()
	require.NoError(t, o.m.Apply(t.Context(), s))
	require.Equal(t, before, o.log())
	other := newOffice(t)
	require.NoError(t, other.m.Apply(t.Context(), s))
	_, err = other.m.AddMember(t.Context(), "acme", usermgmt.NewMember{Email: "ceo@acme.example"})
	require.ErrorIs(t, err, usermgmt.ErrEmailClaimed)

	// Who may set addresses vouches for what he sets, the same one included.
	got, err = o.m.UpdateUser(t.Context(), mallory, usermgmt.UserUpdate{Email: new("ceo@acme.example")})
	require.NoError(t, err)
	require.False(t, got.EmailClaimed)
	got, err = o.as(mallory).UpdateUser(t.Context(), mallory, usermgmt.UserUpdate{Email: new("ceo@acme.example")})
	require.NoError(t, err)
	require.False(t, got.EmailClaimed, "to state it again is no claim")
	_, err = o.as(owner).AddMember(t.Context(), "acme", usermgmt.NewMember{Email: "ceo@acme.example"})
	require.NoError(t, err)
}

func TestTenantsAreNotCaughtByTheirType(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, n := range []usermgmt.NewTenant{{ID: "prod", Name: "Prod", Type: "production"}, {ID: "lab", Name: "Lab", Type: "test"}} {
		require.NoError(t, second(d.CreateTenant(t.Context(), n)))
	}
	u, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "tess", Tenants: []string{"type:test"}, Grants: []usermgmt.Grant{direct("tenants.*"), direct("users.*")}})
	require.NoError(t, err)
	tess := d.acting(u)
	require.ErrorIs(t, second(tess.UpdateTenant(t.Context(), "prod", usermgmt.TenantUpdate{Type: new("test")})), usermgmt.ErrForbidden)
	require.ErrorIs(t, tess.DeleteTenant(t.Context(), "prod"), usermgmt.ErrForbidden)
	require.ErrorIs(t, second(tess.CreateTenant(t.Context(), usermgmt.NewTenant{ID: "prod2", Name: "x", Type: "test"})), usermgmt.ErrForbidden)
	require.NoError(t, second(tess.CreateTenant(t.Context(), usermgmt.NewTenant{Name: "x", Type: "test"})))
	require.NoError(t, second(tess.UpdateTenant(t.Context(), "prod", usermgmt.TenantUpdate{Name: new("Production")})))
	require.NoError(t, second(tess.UpdateTenant(t.Context(), "lab", usermgmt.TenantUpdate{Type: new("staging")})))
	require.ErrorIs(t, second(d.UpdateTenant(t.Context(), "none", usermgmt.TenantUpdate{Type: new("x")})), usermgmt.ErrNotFound)
	require.ErrorIs(t, d.DeleteTenant(t.Context(), "none"), usermgmt.ErrNotFound)
}

func TestUsersUpdateSetsNoPasswords(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	victim := d.person(t, "victim")
	worker := d.person(t, "worker", at(usermgmt.RoleFulfiller, "F1"))
	clerk := d.acting(d.user(t, "clerk", direct(usermgmt.UsersUpdate)))
	sue := d.acting(d.user(t, "sue", at(usermgmt.RoleSupervisor, "F1")))
	up := usermgmt.UserUpdate{Password: new(replacement)}
	for _, u := range []usermgmt.User{victim, worker} {
		require.ErrorIs(t, second(clerk.UpdateUser(t.Context(), u.ID, up)), usermgmt.ErrForbidden)
	}
	require.NoError(t, second(sue.UpdateUser(t.Context(), worker.ID, up)), "a supervisor sets the passwords of his facility")
	require.ErrorIs(t, second(sue.UpdateUser(t.Context(), victim.ID, up)), usermgmt.ErrNotFound)
	resetter := d.acting(d.user(t, "resetter", direct(usermgmt.UsersPasswordReset)))
	require.NoError(t, second(resetter.UpdateUser(t.Context(), victim.ID, up)))
}

func TestPasswordIsNotTheNewName(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	u := d.person(t, "ada")
	_, err := d.UpdateUser(t.Context(), u.ID, usermgmt.UserUpdate{Username: new("brass lantern"), Password: new("brass lantern")})
	require.ErrorIs(t, err, usermgmt.ErrInvalid)
}

func TestOnlyAdministratorsBringHashes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	clerk := d.acting(d.user(t, "clerk", direct("users.*")))
	n := usermgmt.NewUser{Username: "x", PasswordHash: argon2id(t, "a")}
	require.ErrorIs(t, second(clerk.CreateUser(t.Context(), n)), usermgmt.ErrForbidden)
	require.NoError(t, second(d.acting(d.admin(t, "admin")).CreateUser(t.Context(), n)))
}

func TestAdminsHaveEveryTenant(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	require.NoError(t, second(d.CreateTenant(t.Context(), usermgmt.NewTenant{ID: "t1", Name: "One"})))
	root := d.admin(t, "root")
	require.True(t, can(t, d.As(usermgmt.UserActor(root.ID).InTenant("t1")), usermgmt.UsersRead, usermgmt.Realmwide))
	require.False(t, can(t, d.As(usermgmt.UserActor(root.ID).InTenant("none")), usermgmt.UsersRead, usermgmt.Realmwide))
	plain := d.person(t, "plain")
	_, err := d.As(usermgmt.UserActor(plain.ID).InTenant("t1")).ChangePassword(t.Context(), passphrase, replacement)
	require.ErrorIs(t, err, usermgmt.ErrForbidden, "a call tied to a tenant that is not his")
}

func TestOtherStoresShareNoRights(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	u, err := d.CreateUser(t.Context(), usermgmt.NewUser{ID: "ada", Username: "ada", Grants: []usermgmt.Grant{direct(usermgmt.UsersAdd)}})
	require.NoError(t, err)
	require.True(t, can(t, d.acting(u), usermgmt.UsersAdd, usermgmt.Realmwide))
	other := d.With(memstore.New())
	_, err = other.CreateUser(t.Context(), usermgmt.NewUser{ID: "ada", Username: "ada"})
	require.NoError(t, err)
	for _, m := range []*usermgmt.Manager{other, other.Realm(d.RealmName())} {
		require.False(t, can(t, m.As(usermgmt.UserActor("ada")), usermgmt.UsersAdd, usermgmt.Realmwide))
	}
}

func TestGrantsNameOrganizationsThatExist(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	later := usermgmt.Grant{Role: usermgmt.RoleOwner, Kind: usermgmt.ScopeOrganization, Scopes: []string{"later"}}
	_, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "eve", Grants: []usermgmt.Grant{later}})
	require.ErrorIs(t, err, usermgmt.ErrInvalid)
	_, err = d.CreateOrganization(t.Context(), usermgmt.NewOrganization{ID: "acme", Name: "Acme", Owner: d.user(t, "ann").ID})
	require.NoError(t, err)
	one := later
	one.Scopes = []string{"acme", "later"}
	_, err = d.CreateUser(t.Context(), usermgmt.NewUser{Username: "eve", Grants: []usermgmt.Grant{one}})
	require.ErrorIs(t, err, usermgmt.ErrInvalid)
	s := parse(t, `{"users":[{"username":"eve","roles":[{"name":"owner","organizations":["later"]}]}],"organizations":[{"id":"later","name":"Later"}]}`)
	require.NoError(t, d.Apply(t.Context(), s))
	before := d.actions(t)
	require.NoError(t, d.Apply(t.Context(), s))
	require.Equal(t, before, d.actions(t))
	eve, err := d.UserByUsername(t.Context(), "eve")
	require.NoError(t, err)
	require.Equal(t, []usermgmt.Grant{later}, eve.Grants)
}

func TestKeysEndWithTheirRole(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.company("acme", o.person("owner"))
	role := o.orgRole("crew", usermgmt.MembersRead)
	_, secret, err := o.m.CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "k", Role: role})
	require.NoError(t, err)
	require.NoError(t, o.m.DeleteRole(t.Context(), role))
	_, err = o.m.AuthenticateKey(t.Context(), secret)
	require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
	s, err := o.m.Export(t.Context())
	require.NoError(t, err)
	require.NoError(t, o.m.Apply(t.Context(), s))
}

func TestExpiredKeysStayExpired(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.company("acme", o.person("owner"))
	_, secret, err := o.m.CreateKey(t.Context(), "acme", usermgmt.NewKey{Name: "k", Role: usermgmt.RoleReader, ExpiresAt: o.clock.Now().Add(time.Hour)})
	require.NoError(t, err)
	o.clock.Advance(time.Hour)
	s := usermgmt.Snapshot{Organizations: []usermgmt.SnapshotOrganization{{ID: "acme", APIKeys: []usermgmt.SnapshotKey{{Name: "renamed", Key: secret, Role: "admin"}}}}}
	require.NoError(t, o.m.Apply(t.Context(), s))
	_, err = o.m.AuthenticateKey(t.Context(), secret)
	require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
}

func TestBackupMatchesNoOtherDomain(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.vendor("globex")
	v := o.m.As(usermgmt.VendorActor("globex"))
	b, err := v.ProvisionOrganization(t.Context(), "B", usermgmt.VendorUser{Email: "b@gmail.com"})
	require.NoError(t, err)
	_, err = o.as(b.Membership.UserID).UpdateOrganization(t.Context(), b.Organization.ID, usermgmt.OrganizationUpdate{Domain: new("bank.example")})
	require.NoError(t, err)
	s, err := o.m.Export(t.Context())
	require.NoError(t, err)
	other := newOffice(t)
	require.NoError(t, other.m.Apply(t.Context(), s))
	for _, m := range []*usermgmt.Manager{o.m, other.m} {
		_, err = m.As(usermgmt.VendorActor("globex")).ProvisionUser(t.Context(), usermgmt.VendorUser{Email: "x@bank.example"})
		require.ErrorIs(t, err, usermgmt.ErrNotFound)
	}
}

func TestRolesBeforeTheBuiltInOnes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	require.NoError(t, d.Apply(t.Context(), parse(t, `{"roles":[{"id":"00000000-0000-4000-8000-000000000001","name":"seed"},{"name":"other"}]}`)))
	require.ErrorIs(t, d.Apply(t.Context(), parse(t, `{"roles":[{"id":"00000000-0000-8000-8000-0000000000ff","name":"x"}]}`)), usermgmt.ErrInvalid)
	for limit := 1; limit < 17; limit++ {
		seen := map[usermgmt.RoleID]bool{}
		for p := (usermgmt.Page{Limit: limit}); ; {
			l, err := d.Roles(t.Context(), usermgmt.RoleList{Page: p})
			require.NoError(t, err)
			for _, r := range l.Items {
				require.False(t, seen[r.ID], "%s twice", r.Name)
				seen[r.ID] = true
			}
			if p.After = l.Next; l.Next == "" {
				break
			}
		}
		require.Len(t, seen, 15)
	}
}

func TestWhatAVendorOpenedEndsWithHisRight(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]usermgmt.VendorUpdate{
		"disabled":        {Disabled: new(true)},
		"scope withdrawn": {Scopes: &[]string{"other"}},
	} {
		o := newOffice(t)
		o.vendor("globex")
		v := o.m.As(usermgmt.VendorActor("globex"))
		made, err := v.ProvisionOrganization(t.Context(), "A", usermgmt.VendorUser{Email: "a@acme.example"})
		require.NoError(t, err)
		used, err := v.CreateCode(t.Context(), made.Token)
		require.NoError(t, err)
		unused, err := v.CreateCode(t.Context(), made.Token)
		require.NoError(t, err)
		_, tokens, err := o.m.RedeemCode(t.Context(), used.Code)
		require.NoError(t, err)
		require.True(t, alive(t, o.m, tokens.AccessToken))
		_, err = o.m.UpdateVendor(t.Context(), "globex", end)
		require.NoError(t, err)
		require.False(t, alive(t, o.m, tokens.AccessToken), name)
		_, err = o.m.Refresh(t.Context(), tokens.RefreshToken)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated, name)
		_, _, err = o.m.RedeemCode(t.Context(), unused.Code)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated, name)
	}
}

func TestVendorsLearnNothingOfAccountsOfOthers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.vendor("globex")
	v := o.m.As(usermgmt.VendorActor("globex"))
	secretive := o.person("secretive", realmRole(usermgmt.RoleAdmin))
	made, err := v.ProvisionOrganization(t.Context(), "A", usermgmt.VendorUser{Email: "secretive@secretive.example"})
	require.NoError(t, err)
	own, err := v.ProvisionUser(t.Context(), usermgmt.VendorUser{Email: "new@secretive.example", FirstName: "New"})
	require.NoError(t, err)
	m, err := v.Member(t.Context(), made.Organization.ID, secretive)
	require.NoError(t, err)
	require.Equal(t, usermgmt.Profile{Email: "secretive@secretive.example"}, m.Profile)
	m, err = v.Member(t.Context(), made.Organization.ID, own.Membership.UserID)
	require.NoError(t, err)
	require.Equal(t, "New", m.Profile.FirstName)
}

func TestWhoMakesVendorsHoldsWhatTheirOwnersHold(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	owner, err := o.m.Role(t.Context(), usermgmt.RoleOwner)
	require.NoError(t, err)
	all := []usermgmt.Permission{usermgmt.VendorsAdd, usermgmt.OrganizationsAdd, usermgmt.UsersAdd}
	for _, p := range owner.Permissions {
		all = append(all, usermgmt.Permission(p))
	}
	may := func(name string, ps []usermgmt.Permission) error {
		maker := o.as(o.person(name, o.realmRole(name, ps...)))
		_, _, err := maker.CreateVendor(t.Context(), usermgmt.NewVendor{Name: name})
		return err
	}
	require.NoError(t, may("whole", all))
	for i, p := range all {
		less := append(append([]usermgmt.Permission{}, all[:i]...), all[i+1:]...)
		require.ErrorIs(t, may("less"+string(rune('a'+i)), less), usermgmt.ErrForbidden, "without %s", p)
	}
}

func TestSnapshotsStateTwoVendorSecretsAtMost(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	digest := func(c string) usermgmt.SecretDigest {
		return usermgmt.SecretDigest{SHA256: strings.Repeat(c, 64), CreatedAt: d.clock.Now()}
	}
	s := usermgmt.Snapshot{Vendors: []usermgmt.SnapshotVendor{{ClientID: "v", ClientSecretDigests: []usermgmt.SecretDigest{digest("a"), digest("b"), digest("c")}}}}
	require.ErrorIs(t, d.Apply(t.Context(), s), usermgmt.ErrInvalid)
	require.Empty(t, d.actions(t))
	s.Vendors[0].ClientSecretDigests = s.Vendors[0].ClientSecretDigests[:2]
	require.NoError(t, d.Apply(t.Context(), s))
	before := d.actions(t)
	require.NoError(t, d.Apply(t.Context(), s))
	require.Equal(t, before, d.actions(t))
}

// TestAddressesVouchForNothing: nobody gets into an organization by an address
// that he gave himself, or that somebody gave him whose rights end at facilities.
func TestAddressesVouchForNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	org := o.company("acme", o.person("olga"))
	sven := o.person("sven", usermgmt.Grant{Role: usermgmt.RoleSupervisor, Kind: usermgmt.ScopeFacility, Scopes: []string{"F1"}})
	rita := o.person("rita", o.realmRole("registrar", usermgmt.UsersAdd, usermgmt.UsersUpdate, usermgmt.UsersRead))
	invite := func(address string) error {
		_, err := o.as("olga").InviteMember(t.Context(), org, usermgmt.Invitation{NewMember: usermgmt.NewMember{Email: address}})
		return err
	}
	puppet := func(by usermgmt.UserID, name string, grants ...usermgmt.Grant) usermgmt.UserID {
		u, err := o.as(by).CreateUser(t.Context(), usermgmt.NewUser{Username: name, Email: name + "@acme.example", Grants: grants})
		require.NoError(t, err)
		return u.ID
	}
	rename := func(by, of usermgmt.UserID, address string) {
		_, err := o.as(by).UpdateUser(t.Context(), of, usermgmt.UserUpdate{Email: &address})
		require.NoError(t, err)
	}
	fulfiller := usermgmt.Grant{Role: usermgmt.RoleFulfiller, Kind: usermgmt.ScopeFacility, Scopes: []string{"F1"}}

	rename(sven, sven, "cfo@acme.example")
	require.ErrorIs(t, invite("cfo@acme.example"), usermgmt.ErrEmailClaimed, "a supervisor's own")
	ceo := puppet(sven, "ceo", fulfiller)
	require.ErrorIs(t, invite("ceo@acme.example"), usermgmt.ErrEmailClaimed, "one that he gave to a user of his making")
	rename(sven, ceo, "cto@acme.example")
	require.ErrorIs(t, invite("cto@acme.example"), usermgmt.ErrEmailClaimed)
	rename(rita, rita, "hr@acme.example")
	require.ErrorIs(t, invite("hr@acme.example"), usermgmt.ErrEmailClaimed, "one's own, be one's rights realm-wide")

	rename(rita, ceo, "cto@acme.example")
	require.NoError(t, invite("cto@acme.example"), "somebody who manages users vouches for it")
	puppet(rita, "new")
	require.NoError(t, invite("new@acme.example"))
	admin := o.person("ada", realmAdmin)
	rename(admin, admin, "ada@acme.example")
	require.NoError(t, invite("ada@acme.example"))
}

// TestNobodyMakesHimselfOwner: to be the first member of an empty organization
// is to be its owner, and nobody gives himself that.
func TestNobodyMakesHimselfOwner(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	org := o.company("empty", "")
	clerk := o.person("clerk", o.realmRole("clerks", "members.*", usermgmt.OrganizationsRead))
	other := o.person("other")
	add := func(who usermgmt.UserID) error {
		_, err := o.as(clerk).AddMember(t.Context(), org, usermgmt.NewMember{User: who})
		return err
	}
	require.ErrorIs(t, add(clerk), usermgmt.ErrForbidden)
	_, err := o.as(clerk).InviteMember(t.Context(), org, usermgmt.Invitation{NewMember: usermgmt.NewMember{Email: "clerk@clerk.example"}})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	require.NoError(t, add(other), "somebody else may be the first")
	require.Equal(t, usermgmt.RoleOwner, o.role(org, other))
	require.NoError(t, add(clerk), "and then the clerk a member")
	require.Equal(t, usermgmt.RoleMember, o.role(org, clerk))

	admin := o.person("ada", realmAdmin)
	second := o.company("second", "")
	_, err = o.as(admin).AddMember(t.Context(), second, usermgmt.NewMember{User: admin})
	require.NoError(t, err, "he holds what an owner holds")
}

// TestTenantTieOfKeysAndVendors: what is tied to a tenant is for those inside.
func TestTenantTieOfKeysAndVendors(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	org := o.company("acme", o.person("olga"))
	_, err := o.m.CreateTenant(t.Context(), usermgmt.NewTenant{ID: "t1", Name: "One"})
	require.NoError(t, err)
	owned, _, err := o.as("olga").CreateKey(t.Context(), org, usermgmt.NewKey{Name: "owned", Role: usermgmt.RoleOrgAdmin})
	require.NoError(t, err)
	free, _, err := o.m.CreateKey(t.Context(), org, usermgmt.NewKey{Name: "free", Role: usermgmt.RoleOrgAdmin})
	require.NoError(t, err)
	vendor := o.vendor("globex")
	can := func(a usermgmt.Actor) bool {
		ok, err := o.m.As(a).Can(t.Context(), usermgmt.MembersAdd, usermgmt.InOrganization(org))
		require.NoError(t, err)
		admitted := o.m.As(a).Admitted(t.Context())
		require.True(t, admitted == nil || errors.Is(admitted, usermgmt.ErrForbidden))
		require.Equal(t, ok, admitted == nil, "%v", a)
		return ok
	}
	for _, a := range []usermgmt.Actor{usermgmt.UserActor("olga"), usermgmt.KeyActor(owned.ID), usermgmt.KeyActor(free.ID)} {
		require.True(t, can(a))
		require.False(t, can(a.InTenant("t1")), "%v is outside", a)
		require.False(t, can(a.InTenant("nowhere")))
	}
	require.NoError(t, o.m.As(usermgmt.VendorActor(vendor)).Admitted(t.Context()))
	require.ErrorIs(t, o.m.As(usermgmt.VendorActor(vendor).InTenant("t1")).Admitted(t.Context()), usermgmt.ErrForbidden)
	_, err = o.m.As(usermgmt.VendorActor(vendor).InTenant("t1")).ProvisionOrganization(t.Context(), "New", usermgmt.VendorUser{Email: "a@new.example"})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)

	_, err = o.m.UpdateUser(t.Context(), "olga", usermgmt.UserUpdate{AddTenants: []string{"t1"}})
	require.NoError(t, err)
	require.True(t, can(usermgmt.UserActor("olga").InTenant("t1")))
	require.True(t, can(usermgmt.KeyActor(owned.ID).InTenant("t1")), "a key is inside with its owner")
	require.False(t, can(usermgmt.KeyActor(free.ID).InTenant("t1")), "one without an owner never is")
}
