package usermgmt_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// TestAdministratorEverywhere: chief, whose facility role lists no facility,
// sees everybody. Of users without a facility he may make such as have one, if
// they hold no right that he lacks, and nothing else.
func TestAdministratorEverywhere(t *testing.T) {
	t.Parallel()
	place := usermgmt.UserUpdate{AddGrants: []usermgmt.Grant{at(usermgmt.RoleFulfiller, "north")}}
	with := func(f func(*usermgmt.UserUpdate)) usermgmt.UserUpdate {
		up := place
		f(&up)
		return up
	}
	world := func(t *testing.T) *office {
		o := shops(t)
		o.person("owner")
		o.company("acme", "owner")
		o.joins("acme", "member", usermgmt.RoleMember)
		o.joins("acme", "idle", usermgmt.RoleUnassigned)
		o.person("auditor", direct(usermgmt.EventsRead))
		o.person("half", direct(usermgmt.UsersAdd), at(usermgmt.RoleFulfiller, "north"))
		o.person("lister", at(o.facilityRole("lister", usermgmt.UsersList)))
		o.person("reader", at(o.facilityRole("reader", usermgmt.UsersRead)))
		o.person("editor", at(o.facilityRole("editor", usermgmt.UsersUpdate)))
		return o
	}

	t.Run("reads", func(t *testing.T) {
		t.Parallel()
		o := world(t)
		for _, whom := range o.sees(o.as("chief")) {
			u, err := o.as("chief").User(t.Context(), whom)
			require.NoError(t, err, whom)
			byName, err := o.as("chief").UserByUsername(t.Context(), string(whom))
			require.NoError(t, err, whom)
			require.Equal(t, u, byName)
		}
		_, err := o.as("chief").EffectivePermissions(t.Context(), "clerk")
		require.NoError(t, err)
		_, err = o.as("chief").User(t.Context(), "nobody")
		require.Equal(t, usermgmt.ErrNotFound, err)
		_, err = o.as("reader").User(t.Context(), "clerk")
		require.NoError(t, err)
		// Whoever lists may not read one by one for that: the two are permissions of their own.
		require.Contains(t, o.sees(o.as("lister")), usermgmt.UserID("clerk"))
		for _, whom := range people("clerk", "fred") {
			_, err = o.as("lister").User(t.Context(), whom)
			require.ErrorIs(t, err, usermgmt.ErrForbidden)
		}
		for _, who := range people("nora", "sam") {
			for _, whom := range people("clerk", "root", "chief", "erik") {
				_, err = o.as(who).User(t.Context(), whom)
				require.Equal(t, usermgmt.ErrNotFound, err, "%s reads %s", who, whom)
			}
		}
	})

	for name, c := range map[string]struct {
		who, whom usermgmt.UserID
		up        usermgmt.UserUpdate
		want      error
	}{
		"a first facility":                             {"chief", "clerk", place, nil},
		"a first facility, as a supervisor":            {"chief", "clerk", usermgmt.UserUpdate{AddGrants: []usermgmt.Grant{at(usermgmt.RoleSupervisor, "north")}}, nil},
		"a first facility, as an administrator":        {"chief", "clerk", usermgmt.UserUpdate{AddGrants: []usermgmt.Grant{at(usermgmt.RoleAdministrator)}}, nil},
		"a first facility, to a member without rights": {"chief", "idle", place, nil},
		"by someone who updates users everywhere":      {"editor", "clerk", place, nil},
		"the last facility":                            {"chief", "erik", usermgmt.UserUpdate{RemoveGrants: []usermgmt.Grant{at(usermgmt.RoleFulfiller)}}, nil},
		"a realm admin":                                {"chief", "root", place, usermgmt.ErrForbidden},
		"an owner":                                     {"chief", "owner", place, usermgmt.ErrForbidden},
		"a member who may read there":                  {"chief", "member", place, usermgmt.ErrForbidden},
		"who reads events":                             {"chief", "auditor", place, usermgmt.ErrForbidden},
		"a right that he lacks":                        {"editor", "clerk", usermgmt.UserUpdate{AddGrants: []usermgmt.Grant{at(usermgmt.RoleSupervisor, "north")}}, usermgmt.ErrForbidden},
		"a realm role":                                 {"chief", "clerk", usermgmt.UserUpdate{AddGrants: []usermgmt.Grant{{Role: usermgmt.RoleReadOnly, Kind: usermgmt.ScopeRealm}}}, usermgmt.ErrForbidden},
		"a realm permission that he holds there":       {"chief", "clerk", usermgmt.UserUpdate{AddGrants: []usermgmt.Grant{direct(usermgmt.UsersRead)}}, usermgmt.ErrForbidden},
		"a facility, and a realm role away":            {"chief", "half", usermgmt.UserUpdate{AddGrants: place.AddGrants, RemoveGrants: []usermgmt.Grant{direct(usermgmt.UsersAdd)}}, usermgmt.ErrForbidden},
		"his name":                                     {"chief", "clerk", usermgmt.UserUpdate{FirstName: new("X")}, usermgmt.ErrForbidden},
		"a facility and his name":                      {"chief", "clerk", with(func(up *usermgmt.UserUpdate) { up.FirstName = new("X") }), usermgmt.ErrForbidden},
		"a facility and his tags":                      {"chief", "clerk", with(func(up *usermgmt.UserUpdate) { up.Tags = &[]string{"x"} }), usermgmt.ErrForbidden},
		"a facility and a password":                    {"chief", "clerk", with(func(up *usermgmt.UserUpdate) { up.Password = new("seven lamps 31") }), usermgmt.ErrForbidden},
		"a facility and a tenant":                      {"chief", "clerk", with(func(up *usermgmt.UserUpdate) { up.AddTenants = []string{} }), usermgmt.ErrForbidden},
		"disabled":                                     {"chief", "clerk", with(func(up *usermgmt.UserUpdate) { up.Disabled = new(true) }), usermgmt.ErrForbidden},
		"nothing":                                      {"chief", "clerk", usermgmt.UserUpdate{}, usermgmt.ErrForbidden},
		"by a supervisor of the facility":              {"nora", "clerk", place, usermgmt.ErrNotFound},
		"by an administrator of listed facilities":     {"local", "clerk", place, usermgmt.ErrNotFound},
		"the last facility, by a supervisor":           {"nora", "fred", usermgmt.UserUpdate{RemoveGrants: []usermgmt.Grant{at(usermgmt.RoleFulfiller)}}, usermgmt.ErrForbidden},
		"by someone who only reads":                    {"reader", "clerk", place, usermgmt.ErrForbidden},
	} {
		t.Run("gives "+name, func(t *testing.T) {
			t.Parallel()
			o := world(t)
			o.person("local", at(usermgmt.RoleAdministrator, "north", "south", "east"))
			before, err := o.m.User(t.Context(), c.whom)
			require.NoError(t, err)
			_, err = o.as(c.who).UpdateUser(t.Context(), c.whom, c.up)
			require.True(t, errors.Is(err, c.want) && (err == nil) == (c.want == nil), "%v", err)
			after, err := o.m.User(t.Context(), c.whom)
			require.NoError(t, err)
			require.Equal(t, c.want == nil, after.Version > before.Version)
		})
	}

	t.Run("does nothing else to them", func(t *testing.T) {
		t.Parallel()
		o := world(t)
		chief := o.as("chief")
		for _, whom := range people("clerk", "root", "owner") {
			require.ErrorIs(t, chief.DeleteUser(t.Context(), whom), usermgmt.ErrForbidden, "delete %s", whom)
			require.ErrorIs(t, chief.ResetPassword(t.Context(), whom, "seven lamps 31"), usermgmt.ErrForbidden, "reset %s", whom)
			require.ErrorIs(t, chief.DisableUser(t.Context(), whom), usermgmt.ErrForbidden, "disable %s", whom)
		}
		_, err := chief.CreateUser(t.Context(), usermgmt.NewUser{Username: "new"})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)
	})

	t.Run("does to one of his facilities what he does to any", func(t *testing.T) {
		t.Parallel()
		o := world(t)
		chief := o.as("chief")
		_, err := chief.UpdateUser(t.Context(), "clerk", place)
		require.NoError(t, err)
		_, err = chief.UpdateUser(t.Context(), "clerk", usermgmt.UserUpdate{FirstName: new("Clara")})
		require.NoError(t, err)
		require.NoError(t, chief.DeleteUser(t.Context(), "clerk"))
	})
}

// TestRolesByIDAtFacilities: whoever reads or lists users of a facility learns
// what roles at facilities are called, and of other roles his own alone.
func TestRolesByIDAtFacilities(t *testing.T) {
	t.Parallel()
	o := shops(t)
	packer, buyer, realm := o.facilityRole("packer"), o.orgRole("buyer"), o.realmRole("support").Role
	o.person("lister", at(o.facilityRole("lister", usermgmt.UsersList), "east"))
	o.person("reader", at(o.facilityRole("reader", usermgmt.UsersRead)))
	o.person("adder", at(o.facilityRole("adder", usermgmt.UsersAdd), "east"))
	o.person("helper", usermgmt.Grant{Role: realm, Kind: usermgmt.ScopeRealm}, at(usermgmt.RoleSupervisor, "east"))
	asked := []usermgmt.RoleID{packer, buyer, realm, usermgmt.RoleAdmin, usermgmt.RoleFulfiller, "unknown"}
	for who, want := range map[usermgmt.UserID][]string{
		"nora":   {"FULFILLER", "packer"},
		"chief":  {"FULFILLER", "packer"},
		"lister": {"FULFILLER", "packer"},
		"reader": {"FULFILLER", "packer"},
		"helper": {"FULFILLER", "packer", "support"},
		"root":   {"admin", "FULFILLER", "packer", "buyer", "support"},
	} {
		roles, err := o.as(who).RolesByID(t.Context(), asked)
		require.NoError(t, err, who)
		var names []string
		for _, r := range roles {
			names = append(names, r.Name)
		}
		require.ElementsMatch(t, want, names, who)
	}
	for _, who := range people("fred", "adder", "clerk") {
		_, err := o.as(who).RolesByID(t.Context(), asked)
		require.ErrorIs(t, err, usermgmt.ErrForbidden, who)
	}
	_, err := o.as("fred").RolesByID(t.Context(), []usermgmt.RoleID{usermgmt.RoleFulfiller})
	require.NoError(t, err)
	_, err = o.m.As(usermgmt.UserActor("nora").Confined("acme")).RolesByID(t.Context(), asked)
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
	_, err = o.m.As(usermgmt.UserActor("nora").Confined("acme")).RolesByID(t.Context(), []usermgmt.RoleID{packer})
	require.ErrorIs(t, err, usermgmt.ErrForbidden)
}

// TestFacilityRoles: they replace what a user holds at facilities, and nothing else.
func TestFacilityRoles(t *testing.T) {
	t.Parallel()
	roles := func(grants ...usermgmt.Grant) usermgmt.UserUpdate {
		return usermgmt.UserUpdate{FacilityRoles: &grants}
	}

	t.Run("other scopes stay", func(t *testing.T) {
		t.Parallel()
		o := shops(t)
		o.person("owner")
		o.company("acme", "owner")
		others := []usermgmt.Grant{realmAdmin, direct(usermgmt.UsersAdd), grantIn(usermgmt.RoleReader, "acme")}
		o.person("multi", append(others, at(usermgmt.RoleSupervisor, "north"), at(usermgmt.RoleFulfiller, "south"))...)
		u, err := o.m.UpdateUser(t.Context(), "multi", roles(at(usermgmt.RoleFulfiller, "east"), at(usermgmt.RoleFulfiller, "south")))
		require.NoError(t, err)
		require.ElementsMatch(t, append(others, at(usermgmt.RoleFulfiller, "east", "south")), u.Grants)
		u, err = o.m.UpdateUser(t.Context(), "multi", roles())
		require.NoError(t, err)
		require.ElementsMatch(t, others, u.Grants)
		require.EqualValues(t, 3, u.Version)
	})

	t.Run("those of other scopes are refused", func(t *testing.T) {
		t.Parallel()
		o := shops(t)
		for _, g := range []usermgmt.Grant{realmAdmin, direct(usermgmt.UsersAdd), {Role: usermgmt.RoleReader, Kind: usermgmt.ScopeOrganization}, {Role: usermgmt.RoleFulfiller, Scopes: []string{"north"}}} {
			_, err := o.m.UpdateUser(t.Context(), "fred", roles(at(usermgmt.RoleFulfiller, "north"), g))
			require.Equal(t, "invalid roles", field(t, err), "%v", g)
		}
		_, err := o.m.UpdateUser(t.Context(), "fred", roles(usermgmt.Grant{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeFacility}))
		require.Equal(t, "invalid roles", field(t, err))
	})

	for name, c := range map[string]struct {
		who, whom usermgmt.UserID
		grant     usermgmt.Grant
		want      error
	}{
		"of a facility of hers to another":       {"sam", "fred", at(usermgmt.RoleFulfiller, "south"), nil},
		"up":                                     {"nora", "fred", at(usermgmt.RoleSupervisor, "north"), nil},
		"down, oneself":                          {"sam", "sam", at(usermgmt.RoleFulfiller, "north"), nil},
		"wider, oneself":                         {"sam", "sam", at(usermgmt.RoleSupervisor, "north", "south", "east"), usermgmt.ErrForbidden},
		"to a facility that is not hers":         {"nora", "fred", at(usermgmt.RoleFulfiller, "south"), usermgmt.ErrForbidden},
		"everywhere":                             {"nora", "fred", at(usermgmt.RoleAdministrator), usermgmt.ErrForbidden},
		"of someone who is in part another's":    {"nora", "finn", at(usermgmt.RoleFulfiller, "north"), usermgmt.ErrForbidden},
		"of a stranger":                          {"nora", "erik", at(usermgmt.RoleFulfiller, "north"), usermgmt.ErrNotFound},
		"to someone without any":                 {"chief", "clerk", at(usermgmt.RoleFulfiller, "north"), nil},
		"by whoever changes users":               {"changer", "fred", at(usermgmt.RoleFulfiller, "south"), nil},
		"by whoever changes users, without any":  {"changer", "clerk", at(usermgmt.RoleFulfiller, "south"), nil},
		"by whoever changes roles":               {"giver", "fred", at(usermgmt.RoleFulfiller, "south"), nil},
		"that hold what the one who gives lacks": {"changer", "fred", at(usermgmt.RoleSupervisor, "north"), usermgmt.ErrForbidden},
		"where the one who gives holds it":       {"lender", "fred", at(usermgmt.RoleSupervisor, "north"), nil},
		"at one more than she holds it":          {"lender", "fred", at(usermgmt.RoleSupervisor, "north", "south"), usermgmt.ErrForbidden},
		"widened by one that she lacks":          {"lender", "nora", at(usermgmt.RoleSupervisor, "north", "south"), usermgmt.ErrForbidden},
		"by nobody":                              {"fred", "fred", at(usermgmt.RoleFulfiller, "south"), usermgmt.ErrForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := shops(t)
			o.person("changer", direct(usermgmt.UsersUpdate))
			o.person("giver", direct(usermgmt.UsersUpdateRoles))
			o.person("lender", direct(usermgmt.UsersUpdateRoles), at(usermgmt.RoleSupervisor, "north"))
			up := roles(c.grant)
			up.Version = 1
			u, err := o.as(c.who).UpdateUser(t.Context(), c.whom, up)
			require.True(t, errors.Is(err, c.want) && (err == nil) == (c.want == nil), "%v", err)
			if c.want == nil {
				require.Equal(t, []usermgmt.Grant{c.grant}, u.Grants)
			}
		})
	}
}
