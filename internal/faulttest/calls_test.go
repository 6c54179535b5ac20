package faulttest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// call is one operation of a Manager, which succeeds in a new world.
type call struct {
	// name is the method's, and a word after it where there are several.
	name string
	// actor makes the one who does it; nil for the host.
	actor func(*world) usermgmt.Actor
	do    func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error)
	// parts is set where an operation is not meant to be whole or nothing, but
	// can be done again until it is done.
	parts bool
	// counted is set where a password or an address is counted, in units of their
	// own, before the one that counts: what comes of those is no part of the dump.
	counted bool
}

// on runs the call on the Manager, which acts for whom it has to.
func (c call) on(ctx context.Context, w *world, m *usermgmt.Manager) (string, error) {
	v, err := c.do(ctx, w, m)
	var names namer
	return names.text(fmt.Sprintf("%+v", v)), err
}

func (c call) method() string {
	name, _, _ := strings.Cut(c.name, " ")
	return name
}

func user(id usermgmt.UserID) func(*world) usermgmt.Actor {
	return func(*world) usermgmt.Actor { return usermgmt.UserActor(id) }
}

func vendor(*world) usermgmt.Actor { return usermgmt.VendorActor("oem") }

var (
	root = user("root") // an administrator
	ada  = user("ada")  // acme's owner
)

// sessionOf returns the user of an access token, as the one of its session.
func sessionOf(w *world, tokens usermgmt.Tokens) usermgmt.Actor {
	a, err := w.Authenticate(context.Background(), tokens.AccessToken)
	if err != nil {
		panic(err) // the tap is armed only after the actor was made
	}
	return a
}

// theStated is a snapshot that changes something of every noun.
func theStated() usermgmt.Snapshot {
	return usermgmt.Snapshot{
		Permissions: []usermgmt.Permission{"books.lend"},
		Tenants:     []usermgmt.SnapshotTenant{{ID: "south", Name: new("South")}, {ID: "north", Name: new("Far North")}},
		Roles:       []usermgmt.SnapshotRole{{ID: "lender", Name: "lender", Permissions: []usermgmt.Permission{"books.lend"}}},
		Users: []usermgmt.SnapshotUser{
			{ID: "zoe", Username: "zoe", Password: passphrase, Roles: []usermgmt.SnapshotGrant{{Name: "lender"}}},
			{Username: "ada", LastName: new("Lovelace"), Password: replacement},
		},
		Vendors: []usermgmt.SnapshotVendor{{ID: "new", Name: new("New"), ClientID: "new", ClientSecret: "a secret of theirs"}},
		Organizations: []usermgmt.SnapshotOrganization{
			{ID: "acme", Name: new("Acme & Sons"), Members: []usermgmt.SnapshotMember{{User: "cleo", Role: "helper"}}},
			{ID: "zeta", Name: new("Zeta"), Members: []usermgmt.SnapshotMember{{User: "zoe", Role: "owner"}}, APIKeys: []usermgmt.SnapshotKey{{ID: "zkey", Name: "z", Key: "a key of theirs", Role: "member"}}},
		},
		Grants: []usermgmt.SnapshotUserGrants{{User: "cleo", Roles: []usermgmt.SnapshotGrant{{Name: "owner", Organizations: []usermgmt.OrganizationID{"zeta"}}}}},
	}
}

// pair is what operations with two results give.
type pair struct{ A, B any }

// calls are all operations that ask the store.
var calls = []call{
	{name: "CreateUser", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.CreateUser(ctx, usermgmt.NewUser{
			ID: "fay", Username: "fay", Email: "fay@fay.example", Password: passphrase, Tenants: []string{"north"},
			Grants: []usermgmt.Grant{{Role: clerk, Kind: usermgmt.ScopeRealm}, {Role: "packer", Kind: usermgmt.ScopeFacility, Scopes: []string{"dock"}}},
		})
	}},
	{name: "User", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) { return m.User(ctx, "ada") }},
	{name: "User himself", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) { return m.User(ctx, "ada") }},
	{name: "UserByUsername", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.UserByUsername(ctx, "ADA")
	}},
	{name: "UserByEmail", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.UserByEmail(ctx, "ada@ada.example")
	}},
	{name: "UsersByID", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.UsersByID(ctx, []usermgmt.UserID{"ada", "bob"})
	}},
	{name: "Users", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Users(ctx, usermgmt.UserList{Page: usermgmt.Page{Offset: 2, Limit: 2}})
	}},
	{name: "SearchUsers", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.SearchUsers(ctx, usermgmt.ByEmail, "b", usermgmt.Page{})
	}},
	{name: "UsersInReach", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		users, n, err := m.UsersInReach(ctx, usermgmt.Page{})
		return pair{users, n}, err
	}},
	{name: "UpdateUser", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.UpdateUser(ctx, "bob", usermgmt.UserUpdate{
			Version: 1, LastName: new("Builder"), Email: new("robert@bob.example"), Tags: &[]string{"short"},
			AddGrants: []usermgmt.Grant{{Role: clerk, Kind: usermgmt.ScopeRealm}}, AddTenants: []string{"north"},
		})
	}},
	{name: "UpdateUser disabled with a new password", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.UpdateUser(ctx, "cleo", usermgmt.UserUpdate{Disabled: new(true), Password: new(replacement)})
	}},
	{name: "UpdateUser himself", counted: true, actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.UpdateUser(ctx, "ada", usermgmt.UserUpdate{Email: new("countess@ada.example")})
	}},
	{name: "DisableUser", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.DisableUser(ctx, "bob")
	}},
	{name: "EnableUser", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.EnableUser(ctx, "dan")
	}},
	{name: "GrantRoles", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.GrantRoles(ctx, "bob", usermgmt.Grant{Role: clerk, Kind: usermgmt.ScopeRealm}, usermgmt.Grant{Role: usermgmt.RoleOwner, Kind: usermgmt.ScopeOrganization, Scopes: []string{"acme"}})
	}},
	{name: "RevokeRoles", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.RevokeRoles(ctx, "cleo", usermgmt.Grant{Role: clerk, Kind: usermgmt.ScopeRealm})
	}},
	{name: "DeleteUser", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.DeleteUser(ctx, "bob")
	}},
	{name: "EffectivePermissions", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.EffectivePermissions(ctx, "cleo")
	}},

	{name: "SetPassword", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.SetPassword(ctx, "ada", replacement)
	}},
	{name: "ResetPassword", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.ResetPassword(ctx, "ada", replacement)
	}},
	{name: "ImportPasswordHash", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.ImportPasswordHash(ctx, "ada", "$2b$10$CwTycUXWue0Thq9StjUM0uQxTmrjFPGa2WbvCTmDcqLxJPVN0QP3S")
	}},
	{name: "ChangePassword", counted: true, actor: func(w *world) usermgmt.Actor { return sessionOf(w, w.eve) }, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.ChangePassword(ctx, passphrase, replacement)
	}},
	{name: "VerifyPassword", do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.VerifyPassword(ctx, "ada", passphrase)
	}},
	{name: "PasswordStatus", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.PasswordStatus(ctx, "eve")
	}},
	{name: "SignIn", counted: true, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.SignIn(ctx, "cleo", passphrase)
	}},
	{name: "SignIn with a temporary password", counted: true, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.SignIn(ctx, "eve", passphrase)
	}},
	{name: "Refresh", do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Refresh(ctx, w.ada.RefreshToken)
	}},
	{name: "SignOut", actor: func(w *world) usermgmt.Actor { return sessionOf(w, w.ada) }, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) { return nil, m.SignOut(ctx) }},
	{name: "Sessions", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Sessions(ctx, "ada", usermgmt.Page{})
	}},
	{name: "EndSession", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.EndSession(ctx, w.ada.SessionID)
	}},
	{name: "EndSessions", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.EndSessions(ctx, "ada")
	}},
	{name: "Authenticate", do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Authenticate(ctx, w.ada.AccessToken)
	}},
	{name: "Authenticate a vendor", do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Authenticate(ctx, w.clientToken)
	}},
	{name: "AuthenticateUser", do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.AuthenticateUser(ctx, "ada", noon.Add(time.Minute))
	}},
	{name: "Can", actor: user("cleo"), do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Can(ctx, "books.read", usermgmt.Realmwide)
	}},
	{name: "Can in an organization", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Can(ctx, usermgmt.MembersAdd, usermgmt.InOrganization("acme"))
	}},
	{name: "Require", actor: user("bob"), do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.Require(ctx, usermgmt.UsersRead, usermgmt.AtFacility("dock"))
	}},
	{name: "Admitted", actor: func(*world) usermgmt.Actor { return usermgmt.UserActor("ada").InTenant("north") }, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.Admitted(ctx)
	}},

	{name: "CreateOrganization", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.CreateOrganization(ctx, usermgmt.NewOrganization{ID: "initech", Slug: "initech", Name: "Initech", Vendor: "oem", Domain: "initech.example", Owner: "cleo"})
	}},
	{name: "Organization", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Organization(ctx, "acme")
	}},
	{name: "OrganizationBySlug", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.OrganizationBySlug(ctx, "acme")
	}},
	{name: "OrganizationFor", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.OrganizationFor(ctx, "acme", usermgmt.MembersAdd)
	}},
	{name: "Organizations", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Organizations(ctx, usermgmt.OrganizationList{Vendor: "oem"})
	}},
	{name: "UpdateOrganization", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.UpdateOrganization(ctx, "acme", usermgmt.OrganizationUpdate{Version: 1, Name: new("Acme & Sons"), Slug: new("acme-sons")})
	}},
	{name: "DeleteOrganization", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.DeleteOrganization(ctx, "acme")
	}},
	{name: "AddMember", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.AddMember(ctx, "acme", usermgmt.NewMember{Email: "cleo@cleo.example", Role: "helper"})
	}},
	{name: "InviteMember", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.InviteMember(ctx, "acme", usermgmt.Invitation{NewMember: usermgmt.NewMember{Email: "new@new.example"}, FirstName: "New"})
	}},
	{name: "Member", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Member(ctx, "acme", "bob")
	}},
	{name: "Members", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Members(ctx, "acme", usermgmt.MemberList{})
	}},
	{name: "MembersAt", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		members, n, err := m.MembersAt(ctx, "acme", usermgmt.MemberSearch{}, 1, 1)
		return pair{members, n}, err
	}},
	{name: "Memberships", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Memberships(ctx, "ada", usermgmt.Page{})
	}},
	{name: "MyOrganizations", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.MyOrganizations(ctx, usermgmt.Page{})
	}},
	{name: "UpdateMember", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.UpdateMember(ctx, "acme", "bob", usermgmt.MemberUpdate{Version: 1, Role: new(usermgmt.RoleOwner), Tags: &[]string{"old"}})
	}},
	{name: "RemoveMember", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.RemoveMember(ctx, "acme", "bob")
	}},

	{name: "CreateKey", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		k, secret, err := m.CreateKey(ctx, "acme", usermgmt.NewKey{ID: "second", Name: "second", Role: "helper"})
		return pair{k, secret}, err
	}},
	{name: "Key", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) { return m.Key(ctx, "key") }},
	{name: "Keys", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Keys(ctx, "acme", usermgmt.Page{})
	}},
	{name: "DeleteKey", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.DeleteKey(ctx, "key")
	}},
	{name: "AuthenticateKey", do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.AuthenticateKey(ctx, w.keySecret)
	}},

	{name: "CreateVendor", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		v, secret, err := m.CreateVendor(ctx, usermgmt.NewVendor{ID: "third", Name: "Third", Scopes: []string{usermgmt.ScopeVendorManage}})
		return pair{v, secret}, err
	}},
	{name: "Vendor", actor: vendor, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) { return m.Vendor(ctx, "oem") }},
	{name: "VendorByClientID", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.VendorByClientID(ctx, "oem-client")
	}},
	{name: "Vendors", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Vendors(ctx, usermgmt.Page{})
	}},
	{name: "UpdateVendor", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.UpdateVendor(ctx, "oem", usermgmt.VendorUpdate{Version: 1, Name: new("Oem Inc"), Scopes: &[]string{}, Disabled: new(true)})
	}},
	{name: "DeleteVendor", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.DeleteVendor(ctx, "spare")
	}},
	{name: "RotateVendorSecret", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.RotateVendorSecret(ctx, "oem", time.Hour)
	}},
	{name: "AuthenticateVendor", do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.AuthenticateVendor(ctx, "oem-client", w.clientSecret)
	}},
	{name: "VendorToken", do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.VendorToken(ctx, "oem-client", w.clientSecret)
	}},
	{name: "ProvisionOrganization", actor: vendor, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		p, err := m.ProvisionOrganization(ctx, "Umbrella", usermgmt.VendorUser{Email: "uma@umbrella.example", VendorUserID: "u1"})
		return pair{p, p.Token}, err
	}},
	{name: "ProvisionUser", actor: vendor, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		p, err := m.ProvisionUser(ctx, usermgmt.VendorUser{Email: "gil@globex.example", VendorUserID: "g2"})
		return pair{p, p.Token}, err
	}},
	{name: "CreateOrganizationToken", actor: ada, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		member, token, err := m.CreateOrganizationToken(ctx, "acme", "bob")
		return pair{member, token}, err
	}},
	{name: "DeprovisionUser", actor: vendor, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.DeprovisionUser(ctx, w.handle, usermgmt.MemberRef{})
	}},
	{name: "CreateCode", actor: vendor, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.CreateCode(ctx, w.handle)
	}},
	{name: "RedeemCode", do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		a, tokens, err := m.RedeemCode(ctx, w.code)
		return pair{a, tokens}, err
	}},

	{name: "Permissions", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) { return m.Permissions(ctx) }},
	{name: "CreatePermission", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.CreatePermission(ctx, "books.burn")
	}},
	{name: "DeletePermission", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.DeletePermission(ctx, "books.write")
	}},
	{name: "CreateRole", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.CreateRole(ctx, usermgmt.NewRole{Name: "guard", Permissions: []usermgmt.Permission{"books.read"}})
	}},
	{name: "Role", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) { return m.Role(ctx, clerk) }},
	{name: "RoleByName", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.RoleByName(ctx, usermgmt.ScopeRealm, "clerk")
	}},
	{name: "Roles", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Roles(ctx, usermgmt.RoleList{})
	}},
	{name: "RolesByID", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.RolesByID(ctx, []usermgmt.RoleID{clerk, usermgmt.RoleOwner})
	}},
	{name: "FindRoles", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.FindRoles(ctx, usermgmt.ScopeRealm, []string{"clerk"})
	}},
	{name: "UpdateRole", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.UpdateRole(ctx, clerk, usermgmt.RoleUpdate{Version: 1, Name: new("chief"), Add: []usermgmt.Permission{"books.write"}})
	}},
	{name: "DeleteRole", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.DeleteRole(ctx, clerk)
	}},

	{name: "CreateTenant", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.CreateTenant(ctx, usermgmt.NewTenant{ID: "west", Name: "West"})
	}},
	{name: "Tenant", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) { return m.Tenant(ctx, "north") }},
	{name: "Tenants", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Tenants(ctx, usermgmt.Page{})
	}},
	{name: "UpdateTenant", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.UpdateTenant(ctx, "north", usermgmt.TenantUpdate{Version: 1, Name: new("Far North"), Type: new("pole")})
	}},
	{name: "DeleteTenant", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.DeleteTenant(ctx, "north")
	}},

	{name: "Events", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return m.Events(ctx, usermgmt.Page{Limit: 5})
	}},
	{name: "DropEvents", do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) { return m.DropEvents(ctx, 3) }},
	{name: "Sweep", do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		w.clock.set(noon.Add(10 * time.Minute)) // codes have ended, sessions for changing a password too
		defer w.clock.set(noon)
		return m.Sweep(ctx, 100)
	}},
	{name: "Export", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		s, err := m.Export(ctx)
		return asJSON(s), err
	}},
	{name: "ExportTo", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		var out strings.Builder
		err := m.ExportTo(ctx, &out, nil)
		return out.String(), err
	}},
	{name: "Apply", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.Apply(ctx, theStated())
	}},
	{name: "ApplyFrom", actor: root, parts: true, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.ApplyFrom(ctx, bytes.NewReader([]byte(asJSON(theStated()))), nil)
	}},
}

func asJSON(s usermgmt.Snapshot) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// asksNothing are the methods that ask the store for nothing that could fail.
var asksNothing = map[string]string{
	"As": "gives another Manager", "From": "gives another Manager", "Realm": "gives another Manager", "With": "gives another Manager",
	"Actor": "says what the Manager is", "RealmName": "says what the Manager is", "Issuer": "says what the Manager is", "JWKS": "says what the Manager is",
	"Close": "closes the store, whose error it gives back",
}

// TestCalls keeps the table complete: a method that is added to the Manager is
// broken at each of its steps, or is said to have none.
func TestCalls(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, c := range calls {
		listed[c.method()] = true
	}
	m := reflect.TypeFor[*usermgmt.Manager]()
	for i := range m.NumMethod() {
		name := m.Method(i).Name
		require.True(t, listed[name] != (asksNothing[name] != ""), "Manager.%s must be in one of calls and asksNothing", name)
		delete(listed, name)
	}
	require.Empty(t, listed, "these are no methods of Manager")
}
