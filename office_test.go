package usermgmt_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/store"
)

// office is a directory with nobody in it, and people who come to it.
type office struct {
	t     testing.TB
	m     *usermgmt.Manager
	store store.Store
	clock *handClock
}

func newOffice(t testing.TB, options ...func(*usermgmt.Options)) *office {
	t.Helper()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	o := &office{t: t, store: memstore.New(), clock: &handClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
	opts := usermgmt.Options{
		SigningKeys:  []usermgmt.SigningKey{key},
		PasswordHash: usermgmt.PasswordHash{MemoryKiB: 8, Time: 1, Threads: 1},
		Clock:        o.clock.Now,
		RedirectURL:  "https://app.example/enter?from=oem#top",
		Logger:       slog.New(slog.DiscardHandler),
	}
	for _, set := range options {
		set(&opts)
	}
	o.m, err = usermgmt.New(o.store, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.m.Close()) })
	return o
}

// person creates a user with the name for an id, and an e-mail of his own domain.
func (o *office) person(name string, grants ...usermgmt.Grant) usermgmt.UserID {
	o.t.Helper()
	u, err := o.m.CreateUser(o.t.Context(), usermgmt.NewUser{
		ID: usermgmt.UserID(name), Username: name, Email: name + "@" + name + ".example", FirstName: "First " + name, Grants: grants,
	})
	require.NoError(o.t, err)
	return u.ID
}

func (o *office) as(id usermgmt.UserID) *usermgmt.Manager { return o.m.As(usermgmt.UserActor(id)) }

// company creates an organization with the id, and a person as its owner unless owner is empty.
func (o *office) company(id usermgmt.OrganizationID, owner usermgmt.UserID) usermgmt.OrganizationID {
	o.t.Helper()
	org, err := o.m.CreateOrganization(o.t.Context(), usermgmt.NewOrganization{ID: id, Name: "Company " + string(id), Owner: owner})
	require.NoError(o.t, err)
	return org.ID
}

// joins makes a new person a member with the role.
func (o *office) joins(org usermgmt.OrganizationID, name string, role usermgmt.RoleID) usermgmt.UserID {
	o.t.Helper()
	id := o.person(name)
	_, err := o.m.AddMember(o.t.Context(), org, usermgmt.NewMember{User: id, Role: role})
	require.NoError(o.t, err)
	return id
}

func (o *office) role(org usermgmt.OrganizationID, id usermgmt.UserID) usermgmt.RoleID {
	o.t.Helper()
	member, err := o.m.Member(o.t.Context(), org, id)
	require.NoError(o.t, err)
	return member.Role
}

// realmRole creates a realm role with the permissions and returns a grant of it.
func (o *office) realmRole(name string, ps ...usermgmt.Permission) usermgmt.Grant {
	o.t.Helper()
	return usermgmt.Grant{Role: o.roleOf(usermgmt.ScopeRealm, name, ps...), Kind: usermgmt.ScopeRealm}
}

func (o *office) orgRole(name string, ps ...usermgmt.Permission) usermgmt.RoleID {
	o.t.Helper()
	return o.roleOf(usermgmt.ScopeOrganization, name, ps...)
}

func (o *office) facilityRole(name string, ps ...usermgmt.Permission) usermgmt.RoleID {
	o.t.Helper()
	return o.roleOf(usermgmt.ScopeFacility, name, ps...)
}

func (o *office) roleOf(scope usermgmt.ScopeKind, name string, ps ...usermgmt.Permission) usermgmt.RoleID {
	o.t.Helper()
	r, err := o.m.CreateRole(o.t.Context(), usermgmt.NewRole{Name: name, Scope: scope, Permissions: ps})
	require.NoError(o.t, err)
	return r.ID
}

// log returns the realm's events as "actor action object organization".
func (o *office) log() []string {
	o.t.Helper()
	events, err := o.m.Events(o.t.Context(), usermgmt.Page{Limit: usermgmt.MaxPage})
	require.NoError(o.t, err)
	lines := make([]string, len(events.Items))
	for i, e := range events.Items {
		lines[i] = e.Actor + " " + e.Action + " " + e.Object + " " + string(e.OrganizationID)
	}
	return lines
}

// writesNothing requires that f leaves no event.
func (o *office) writesNothing(f func()) {
	o.t.Helper()
	before := o.log()
	f()
	require.Equal(o.t, before, o.log())
}

func field(t testing.TB, err error) string {
	t.Helper()
	var exists *usermgmt.ExistsError
	var wrong *usermgmt.InvalidError
	switch {
	case err == nil:
	case errors.As(err, &exists):
		return "exists " + exists.Field
	case errors.As(err, &wrong):
		return "invalid " + wrong.Field
	}
	require.FailNow(t, "no error with a field", "%v", err)
	return ""
}

func grantIn(role usermgmt.RoleID, orgs ...string) usermgmt.Grant {
	return usermgmt.Grant{Role: role, Kind: usermgmt.ScopeOrganization, Scopes: orgs}
}

var realmAdmin = usermgmt.Grant{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm}
