package usermgmt_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// TestWhatIsMadeIsWhatIsRead: to create and to update return what is read
// afterwards, to the last detail: an empty list is nil in both.
func TestWhatIsMadeIsWhatIsRead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()

	role, err := d.CreateRole(ctx, usermgmt.NewRole{Name: "nothing", Permissions: []usermgmt.Permission{}})
	require.NoError(t, err)
	read, err := d.Role(ctx, role.ID)
	require.NoError(t, err)
	require.Equal(t, read, role)
	for _, up := range []usermgmt.RoleUpdate{
		{Add: []usermgmt.Permission{usermgmt.UsersRead}}, {Remove: []usermgmt.Permission{usermgmt.UsersRead}},
	} {
		role, err = d.UpdateRole(ctx, role.ID, up)
		require.NoError(t, err)
		read, err = d.Role(ctx, role.ID)
		require.NoError(t, err)
		require.Equal(t, read, role)
	}
	refused, err := d.CreateRole(ctx, usermgmt.NewRole{Name: "nothing"})
	require.ErrorIs(t, err, usermgmt.ErrExists)
	require.Zero(t, refused)

	user, err := d.CreateUser(ctx, usermgmt.NewUser{Username: "ada", Tags: []string{}, Tenants: []string{}, Grants: []usermgmt.Grant{}})
	require.NoError(t, err)
	same := func() {
		t.Helper()
		read, err := d.User(ctx, user.ID)
		require.NoError(t, err)
		require.Equal(t, read, user)
	}
	same()
	realm := usermgmt.Grant{Role: usermgmt.RoleReadOnly, Kind: usermgmt.ScopeRealm, Scopes: []string{}}
	for _, up := range []usermgmt.UserUpdate{
		{Tags: &[]string{"a"}, Tenants: &[]string{"any"}, Grants: &[]usermgmt.Grant{realm}},
		{Tags: &[]string{}, Tenants: &[]string{}, Grants: &[]usermgmt.Grant{}},
		{AddTenants: []string{"any"}, AddGrants: []usermgmt.Grant{realm}},
		{RemoveTenants: []string{"any"}, RemoveGrants: []usermgmt.Grant{realm}},
	} {
		user, err = d.UpdateUser(ctx, user.ID, up)
		require.NoError(t, err)
		same()
	}

	vendor, _, err := d.CreateVendor(ctx, usermgmt.NewVendor{Name: "OEM", Scopes: []string{}})
	require.NoError(t, err)
	for _, scopes := range [][]string{nil, {"reports"}, {}} {
		if scopes != nil {
			vendor, err = d.UpdateVendor(ctx, vendor.ID, usermgmt.VendorUpdate{Scopes: &scopes})
			require.NoError(t, err)
		}
		read, err := d.Vendor(ctx, vendor.ID)
		require.NoError(t, err)
		require.Equal(t, read, vendor)
	}

	org, err := d.CreateOrganization(ctx, usermgmt.NewOrganization{Name: "Acme"})
	require.NoError(t, err)
	found, err := d.Organization(ctx, org.ID)
	require.NoError(t, err)
	require.Equal(t, found, org)

	member, err := d.AddMember(ctx, org.ID, usermgmt.NewMember{User: user.ID, Tags: []string{}})
	require.NoError(t, err)
	for _, tags := range [][]string{nil, {"a"}, {}} {
		if tags != nil {
			member, err = d.UpdateMember(ctx, org.ID, user.ID, usermgmt.MemberUpdate{Tags: &tags})
			require.NoError(t, err)
		}
		read, err := d.Member(ctx, org.ID, user.ID)
		require.NoError(t, err)
		require.Equal(t, read, member)
	}

	key, _, err := d.CreateKey(ctx, org.ID, usermgmt.NewKey{Name: "key", Role: usermgmt.RoleMember, ExpiresAt: d.clock.Now().Add(time.Hour)})
	require.NoError(t, err)
	kept, err := d.Key(ctx, key.ID)
	require.NoError(t, err)
	require.Equal(t, kept, key)
}
