package usermgmt_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/usermgmt-go/usermgmt"
)

// sample is a Snapshot that uses every member of the format.
const sample = `{"permissions": ["invoices.approve"],
 "tenants": [{"id": "0192aaaa-0000-7000-8000-000000000001", "name": "Acme test", "type": "test"}],
 "roles": [{"name": "support", "scope": "realm", "description": "Helps", "permissions": ["users.read", "users.list", "invoices.approve"]},
           {"name": "crew", "scope": "organization", "permissions": ["members.read"]}],
 "users": [{"id": "u-1", "username": "root@example.com", "email": "root@example.com", "firstName": "R", "lastName": "T",
            "password": "violet cradle 77", "temporaryPassword": false, "disabled": false, "attributes": {"k": 1},
            "tags": ["staff"], "roles": [{"name": "admin"}, {"name": "SUPERVISOR", "facilities": ["F1", "F2"]}, {"name": "ADMINISTRATOR", "facilities": []}],
            "permissions": ["invoices.approve"], "tenants": ["any"]},
           {"username": "hashed@example.com", "passwordHash": %q},
           {"username": "nobody", "disabled": true, "roles": [{"name": "support"}]}],
 "vendors": [{"name": "Globex", "clientId": "globex", "clientSecret": "globex-secret-0123", "scopes": ["vendor_manage"]}],
 "organizations": [{"id": "org123", "slug": "acme", "name": "Acme", "domain": "acme.example",
                    "vendor": "globex", "vendorOrganizationId": "1234", "oemProvisioning": true,
                    "members": [{"user": "hashed@example.com", "role": "crew"},
                                {"user": "root@example.com", "role": "owner", "tags": ["x"], "vendorUserId": "5678"}],
                    "apiKeys": [{"name": "ci", "key": "key-of-ci-012345", "role": "admin"}]}]}`

func parse(t testing.TB, text string) usermgmt.Snapshot {
	t.Helper()
	s, err := usermgmt.ParseSnapshot(strings.NewReader(text))
	require.NoError(t, err)
	return s
}

func sampleSnapshot(t testing.TB) usermgmt.Snapshot {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("imported phrase"), bcrypt.MinCost)
	require.NoError(t, err)
	return parse(t, fmt.Sprintf(sample, hash))
}

func TestApply(t *testing.T) {
	t.Parallel()
	t.Run("makes what it states, and applied again writes nothing", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		s := sampleSnapshot(t)
		require.NoError(t, d.Apply(t.Context(), s))
		checkSample(t, d)
		before := d.actions(t)
		tokens := d.signIn(t, "root@example.com", passphrase)
		signedIn := d.actions(t)
		require.NoError(t, d.Apply(t.Context(), s))
		require.Equal(t, signedIn, d.actions(t))
		require.Greater(t, len(signedIn), len(before))
		require.True(t, alive(t, d.Manager, tokens.AccessToken), "applying again ended a session")
		checkSample(t, d)
	})
	t.Run("a hash counts as applied after it was upgraded at sign-in", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		s := sampleSnapshot(t)
		require.NoError(t, d.Apply(t.Context(), s))
		tokens := d.signIn(t, "hashed@example.com", "imported phrase")
		u, err := d.UserByUsername(t.Context(), "hashed@example.com")
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(d.credential(t, u.ID).Hash, "$argon2id$"))
		require.NoError(t, d.Apply(t.Context(), s))
		require.True(t, alive(t, d.Manager, tokens.AccessToken))
	})
	t.Run("puts right what was lost, and leaves alone what it does not list", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		s := sampleSnapshot(t)
		require.NoError(t, d.Apply(t.Context(), s))
		ctx := t.Context()
		require.NoError(t, d.RevokeRoles(ctx, "u-1", at(usermgmt.RoleSupervisor)))
		nobody, err := d.UserByUsername(ctx, "nobody")
		require.NoError(t, err)
		require.NoError(t, d.EnableUser(ctx, nobody.ID))
		require.NoError(t, d.GrantRoles(ctx, nobody.ID, realmRole(usermgmt.RoleReadOnly)))
		require.NoError(t, second(d.UpdateUser(ctx, nobody.ID, usermgmt.UserUpdate{FirstName: new("No")})))
		hashed, err := d.UserByUsername(ctx, "hashed@example.com")
		require.NoError(t, err)
		require.NoError(t, d.RemoveMember(ctx, "org123", hashed.ID))
		require.NoError(t, d.SetPassword(ctx, "u-1", "another phrase"))
		support, err := d.RoleByName(ctx, usermgmt.ScopeRealm, "support")
		require.NoError(t, err)
		require.NoError(t, second(d.UpdateRole(ctx, support.ID, usermgmt.RoleUpdate{Remove: []usermgmt.Permission{usermgmt.UsersRead}, Add: []usermgmt.Permission{usermgmt.RolesRead}})))

		require.NoError(t, d.Apply(ctx, s))
		checkSample(t, d)
		nobody, err = d.User(ctx, nobody.ID)
		require.NoError(t, err)
		require.True(t, nobody.Disabled)
		require.Equal(t, "No", nobody.FirstName)
		require.Contains(t, nobody.Grants, realmRole(usermgmt.RoleReadOnly))
		support, err = d.Role(ctx, support.ID)
		require.NoError(t, err)
		require.Equal(t, []string{"invoices.approve", "roles.read", "users.list", "users.read"}, support.Permissions)
	})
	t.Run("is whole or not at all, and its errors name the entry", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		for text, where := range map[string]string{
			`{"users":[{"username":"a"},{"username":"b","roles":[{"name":"no-such"}]}]}`:             `users[1] "b": roles`,
			`{"users":[{"username":"a"}],"roles":[{"name":"r","permissions":["users.fly"]}]}`:        `roles[0] "r": permissions`,
			`{"users":[{"username":"a","password":"short"}]}`:                                        `users[0] "a": password`,
			`{"users":[{"username":"a","passwordHash":"x"}]}`:                                        `users[0] "a": passwordHash`,
			`{"users":[{"username":""}]}`:                                                            `users[0] "": username`,
			`{"roles":[{"name":"admin"}]}`:                                                           `roles[0] "admin": name`,
			`{"roles":[{"name":"x","scope":"galaxy"}]}`:                                              `roles[0] "x": scope`,
			`{"permissions":["x"]}`:                                                                  `permissions[0] "x": permission`,
			`{"tenants":[{"id":"any","name":"x"}]}`:                                                  `tenants[0] "any": id`,
			`{"vendors":[{"clientId":"v","clientSecret":"short"}]}`:                                  `vendors[0] "v": clientSecret`,
			`{"organizations":[{"name":"x"}]}`:                                                       `organizations[0] "x": id`,
			`{"users":[{"username":"a"}],"organizations":[{"id":"o","name":"x","vendor":"nobody"}]}`: `organizations[0] "o": vendor`,
			`{"users":[{"username":"a"}],"organizations":[{"id":"o","name":"x","members":[{"user":"a","role":"owner"},{"user":"z","role":"owner"}]}]}`: `organizations[0] "o": members[1] "z": user`,
			`{"organizations":[{"id":"o","name":"x","apiKeys":[{"name":"k","role":"admin"}]}]}`:                                                        `organizations[0] "o": apiKeys[0] "k": key`,
		} {
			err := d.Apply(t.Context(), parse(t, text))
			require.ErrorIs(t, err, usermgmt.ErrInvalid, text)
			require.Contains(t, err.Error(), where)
		}
		require.Empty(t, d.actions(t))
	})
	t.Run("is the host's and administrators' alone", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		s := sampleSnapshot(t)
		clerk := d.user(t, "clerk", direct("users.*"), direct("roles.*"))
		require.ErrorIs(t, d.acting(clerk).Apply(t.Context(), s), usermgmt.ErrForbidden)
		_, err := d.acting(clerk).Export(t.Context())
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
		admin := d.user(t, "admin", realmRole(usermgmt.RoleAdmin))
		require.NoError(t, d.acting(admin).Apply(t.Context(), s))
		checkSample(t, d)
	})
	t.Run("keeps the owner whom it made of the first member", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		s := parse(t, `{"users":[{"username":"vi"}],"organizations":[{"id":"o","name":"O","members":[{"user":"vi","role":"viewer","tags":["x"]}]}]}`)
		require.NoError(t, d.Apply(t.Context(), s))
		before := d.actions(t)
		require.NoError(t, d.Apply(t.Context(), s))
		require.Equal(t, before, d.actions(t))
		l, err := d.Members(t.Context(), "o", usermgmt.MemberList{})
		require.NoError(t, err)
		require.Equal(t, usermgmt.RoleOwner, l.Items[0].Role)
	})
	t.Run("a new vendor secret takes the place of the one that ends first", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		v, first, err := d.CreateVendor(t.Context(), usermgmt.NewVendor{Name: "Globex", ClientID: "globex"})
		require.NoError(t, err)
		second, err := d.RotateVendorSecret(t.Context(), v.ID, time.Hour)
		require.NoError(t, err)
		require.NoError(t, d.Apply(t.Context(), parse(t, `{"vendors":[{"clientId":"globex","clientSecret":"the third secret"}]}`)))
		for secret, want := range map[string]error{first: usermgmt.ErrUnauthenticated, second: nil, "the third secret": nil} {
			_, err := d.AuthenticateVendor(t.Context(), "globex", secret)
			require.Equal(t, want, err)
		}
	})
	t.Run("does not take the last admin", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		_ = d.user(t, "root", realmRole(usermgmt.RoleAdmin))
		require.ErrorIs(t, d.Apply(t.Context(), parse(t, `{"users":[{"username":"root","disabled":true}]}`)), usermgmt.ErrLastAdmin)
	})
}

// checkSample requires that the realm holds what the sample states.
func checkSample(t testing.TB, d *desk) {
	t.Helper()
	ctx := t.Context()
	root, err := d.User(ctx, "u-1")
	require.NoError(t, err)
	require.Equal(t, "root@example.com", root.Username)
	require.Equal(t, []string{"staff"}, root.Tags)
	require.Equal(t, []string{"any"}, root.Tenants)
	require.Equal(t, `{"k":1}`, string(root.Attributes))
	for _, g := range []usermgmt.Grant{realmRole(usermgmt.RoleAdmin), at(usermgmt.RoleSupervisor, "F1", "F2"), {Role: usermgmt.RoleAdministrator, Kind: usermgmt.ScopeFacility}, direct("invoices.approve")} {
		require.Contains(t, root.Grants, g)
	}
	ok, err := d.VerifyPassword(ctx, "u-1", passphrase)
	require.NoError(t, err)
	require.True(t, ok)
	hashed, err := d.UserByUsername(ctx, "hashed@example.com")
	require.NoError(t, err)
	ok, err = d.VerifyPassword(ctx, hashed.ID, "imported phrase")
	require.NoError(t, err)
	require.True(t, ok)
	role, err := d.RoleByName(ctx, usermgmt.ScopeRealm, "support")
	require.NoError(t, err)
	require.Equal(t, "host", role.CreatedBy)
	org, err := d.OrganizationBySlug(ctx, "acme")
	require.NoError(t, err)
	require.Equal(t, usermgmt.OrganizationID("org123"), org.ID)
	require.True(t, org.OEMProvisioning)
	require.Equal(t, "1234", org.VendorOrganizationID)
	owner, err := d.Member(ctx, "org123", "u-1")
	require.NoError(t, err)
	require.Equal(t, usermgmt.RoleOwner, owner.Role)
	require.Equal(t, "5678", owner.VendorUserID)
	_, err = d.Member(ctx, "org123", hashed.ID)
	require.NoError(t, err)
	_, err = d.AuthenticateVendor(ctx, "globex", "globex-secret-0123", usermgmt.ScopeVendorManage)
	require.NoError(t, err)
	key, err := d.AuthenticateKey(ctx, "key-of-ci-012345")
	require.NoError(t, err)
	require.True(t, can(t, d.As(key), usermgmt.MembersAdd, usermgmt.InOrganization("org123")))
}

func TestExport(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	require.NoError(t, d.Apply(t.Context(), sampleSnapshot(t)))
	globex, err := d.AuthenticateVendor(t.Context(), "globex", "globex-secret-0123")
	require.NoError(t, err)
	ned, err := d.As(globex).ProvisionUser(t.Context(), usermgmt.VendorUser{Email: "ned@acme.example", VendorOrganizationID: "1234"})
	require.NoError(t, err)
	out, err := d.Export(t.Context())
	require.NoError(t, err)
	text, err := json.Marshal(out)
	require.NoError(t, err)
	for _, plain := range []string{passphrase, "imported phrase", "globex-secret-0123", "key-of-ci-012345", ned.Token} {
		require.NotContains(t, string(text), plain)
	}

	t.Run("applied to an empty realm it makes the same one", func(t *testing.T) {
		t.Parallel()
		other := newDesk(t)
		other.clock.Advance(time.Hour) // times of secrets come along
		in, err := usermgmt.ParseSnapshot(bytes.NewReader(text))
		require.NoError(t, err)
		require.NoError(t, other.Apply(t.Context(), in))
		checkSample(t, other)
		again, err := other.Export(t.Context())
		require.NoError(t, err)
		require.Equal(t, out, again)
		// An organization token that is out in the world works as before.
		vendor, err := other.AuthenticateVendor(t.Context(), "globex", "globex-secret-0123")
		require.NoError(t, err)
		require.NoError(t, other.As(vendor).DeprovisionUser(t.Context(), ned.Token, usermgmt.MemberRef{}))
		_, err = other.Member(t.Context(), "org123", ned.Membership.UserID)
		require.ErrorIs(t, err, usermgmt.ErrNotFound)
	})
	t.Run("applied to its own realm it changes nothing", func(t *testing.T) {
		t.Parallel()
		before := d.actions(t)
		require.NoError(t, d.Apply(t.Context(), out))
		require.Equal(t, before, d.actions(t))
	})
}

func TestParseSnapshot(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, `{`, `[]`, `null x`, `{} {}`, `{"user":[]}`, `{"users":[{"name":"x"}]}`, `{"users":{}}`, `{"users":[{"username":1}]}`,
		`{"users":[{"username":"a","disabled":"false"}]}`, `{"users":[{"username":"a","disabled":0}]}`, `{"organizations":[{"id":"o","owner":"x"}]}`,
	} {
		_, err := usermgmt.ParseSnapshot(strings.NewReader(text))
		require.ErrorIs(t, err, usermgmt.ErrInvalid, text)
		require.NotContains(t, err.Error(), "Go ", text)
	}
}

func FuzzParseSnapshot(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(`{"users":[{"username":"a","roles":[{"name":"SUPERVISOR","facilities":null}]}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := usermgmt.ParseSnapshot(bytes.NewReader(raw))
		if err != nil {
			return
		}
		out, err := json.Marshal(s)
		require.NoError(t, err)
		again, err := usermgmt.ParseSnapshot(bytes.NewReader(out))
		require.NoError(t, err)
		twice, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(out), string(twice))
	})
}
