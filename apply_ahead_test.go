package usermgmt_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// A unit of work that has looked up many entries at once does what units of one
// entry each do, also where an entry is about what another one has changed.
func TestApplyLooksAhead(t *testing.T) {
	t.Parallel()
	type (
		user   = usermgmt.SnapshotUser
		member = usermgmt.SnapshotMember
		grant  = usermgmt.SnapshotGrant
		org    = usermgmt.SnapshotOrganization
	)
	at := func(ids ...usermgmt.OrganizationID) []usermgmt.OrganizationID { return ids }
	s := usermgmt.Snapshot{
		Permissions: []usermgmt.Permission{"boats.sail"},
		Tenants:     []usermgmt.SnapshotTenant{{ID: "live", Name: new("Live")}, {ID: "live", Name: new("Lively")}},
		Roles: []usermgmt.SnapshotRole{
			{ID: "sailor", Name: "sailor", Permissions: []usermgmt.Permission{"boats.sail"}},
			{Name: "sailor", Permissions: []usermgmt.Permission{"users.read"}},
			{ID: "mate", Name: "mate", Scope: "organization", Permissions: []usermgmt.Permission{"boats.sail"}},
		},
		Users: []user{
			{ID: "a", Username: "ann", Email: new("ann@example.com"), Roles: []grant{{Name: "sailor"}}},
			{ID: "a", Username: "anna", FirstName: new("Anna")},                 // renamed,
			{Username: "Anna", LastName: new("Lee"), Tenants: []string{"live"}}, // known by the new name,
			{ID: "b", Username: "ann", Tags: []string{"b"}},                     // and the old one is another's
			{Username: "ann", Email: new("ann@example.org"), Permissions: []usermgmt.Permission{"boats.sail"}},
			{ID: "c", Username: "cat", PasswordHash: "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"},
			{ID: "c", Username: "cat", Disabled: new(true)},
		},
		Organizations: []org{
			{ID: "o", Name: new("O"), Members: []member{{User: "anna", Role: "owner"}, {User: "cat", Role: "mate"}, {User: "ann", Role: "member"}}},
			{ID: "o", Name: new("Oh"), Members: []member{{User: "cat", Role: "viewer", Tags: []string{"x"}}, {User: "anna", Role: "owner", Tags: []string{"y"}}}},
			{ID: "p", Name: new("P"), Members: []member{{User: "u-0007", Role: "owner"}, {User: "ann", Role: "owner"}}},
			{ID: "o", Members: []member{{User: "u-0001", Role: "member"}, {User: "ann", Role: "mate", VendorUserID: new("v")}}},
			{ID: "many", Name: new("Many"), Members: []member{{User: "u-0000", Role: "owner"}}},
		},
		Grants: []usermgmt.SnapshotUserGrants{
			{User: "ann", Roles: []grant{{Name: "mate", Organizations: at("o")}}},
			{User: "anna", Roles: []grant{{Name: "mate", Organizations: at("p", "o")}}},
			{User: "ann", Roles: []grant{{Name: "mate", Organizations: at("p", "many")}}},
		},
	}
	const n = 4300 // more than are looked up at once
	for i := range n {
		id := fmt.Sprintf("u-%04d", i)
		s.Users = append(s.Users, user{ID: usermgmt.UserID(id), Username: id})
		if i > 0 {
			last := &s.Organizations[len(s.Organizations)-1]
			last.Members = append(last.Members, member{User: id, Role: []string{"member", "mate", "viewer"}[i%3]})
		}
		if i%100 == 99 { // of one who was looked up with these or before
			again := fmt.Sprintf("u-%04d", i*7%(i+1))
			s.Users = append(s.Users, user{Username: again, FirstName: new(fmt.Sprint("again ", i)), Roles: []grant{{Name: "sailor"}}})
		}
	}
	text, err := json.Marshal(s)
	require.NoError(t, err)

	for name, open := range map[string]func(*testing.T) *desk{
		"empty": func(t *testing.T) *desk { return newDesk(t) },
		"some of it there": func(t *testing.T) *desk {
			d := newDesk(t)
			few := usermgmt.Snapshot{Permissions: s.Permissions, Roles: s.Roles, Users: []user{{ID: "b", Username: "bert"}, {ID: "u-0003", Username: "u-0003"}}}
			few.Organizations = []org{{ID: "o", Name: new("O"), Members: []member{{User: "u-0003", Role: "owner"}}}}
			require.NoError(t, d.Apply(t.Context(), few))
			return d
		},
		"names are another's": func(t *testing.T) *desk {
			d := newDesk(t)
			require.NoError(t, d.Apply(t.Context(), usermgmt.Snapshot{Users: []user{{ID: "z", Username: "u-1200"}}}))
			return d
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole, single := open(t), open(t)
			errWhole, errSingle := whole.Apply(t.Context(), s), applyFrom(t, single.Manager, string(text), 1)
			require.Equal(t, name == "names are another's", errSingle != nil)
			if errSingle != nil {
				require.EqualError(t, errWhole, errSingle.Error())
				return
			}
			require.NoError(t, errWhole)
			require.Equal(t, exported(t, single.Manager), exported(t, whole.Manager))
			before := exported(t, whole.Manager)
			require.NoError(t, applyFrom(t, whole.Manager, before, 0))
			require.Equal(t, before, exported(t, whole.Manager))
		})
	}
}
