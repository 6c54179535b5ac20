package fulfillmenttools

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/rolename"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func TestLocale(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "de_DE", "en_US", "fr", "zh-Hant-TW", "es_419", "nds_DE"} {
		require.NoError(t, checkLocale("locale", s), s)
	}
	for _, s := range []string{"d", "german", "de_", "_DE", "de__DE", "de DE", "de_D", "12_DE", "de_DE\n", "dé_DE", "de_ABCDEFGHI", "-", "_", "de.UTF-8", "*"} {
		var e *wire.Error
		require.ErrorAs(t, checkLocale("locale", s), &e, "%q", s)
		require.Equal(t, "locale", e.Field)
	}
}

func TestUserOf(t *testing.T) {
	t.Parallel()
	moment := time.Date(2020, 9, 25, 12, 6, 35, 9_999_000, time.FixedZone("", 2*3600))
	got := userOf(usermgmt.User{ID: "u", Version: 7, CreatedAt: moment, UpdatedAt: moment.Add(time.Hour), Grants: []usermgmt.Grant{
		{Permission: "users.add", Kind: usermgmt.ScopeRealm},
		{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm},
		{Role: usermgmt.RoleOwner, Kind: usermgmt.ScopeOrganization, Scopes: []string{"acme"}},
	}}, rolename.In(usermgmt.ScopeFacility))
	require.Equal(t, "2020-09-25T10:06:35.009Z", got.Created)
	require.Equal(t, "2020-09-25T11:06:35.009Z", got.LastModified)
	require.Equal(t, []role{}, got.CustomClaims.Roles, "roles of other scopes are not shown")
	require.Equal(t, []assignedRole{}, got.AssignedRoles)
}

// TestKeySets fixes the members of every answer: a new field of the Manager's
// types cannot leak.
func TestKeySets(t *testing.T) {
	t.Parallel()
	const always = "assignedRoles authenticationProvider created customClaims firstname id lastModified lastname locale username version"
	for _, tt := range []struct {
		answer any
		want   string
	}{
		{userResponse{}, always},
		{userResponse{Email: "x", CustomAttributes: []byte(`{}`)}, strings.Replace(strings.Replace(always, "created", "created customAttributes", 1), "firstname", "email firstname", 1)},
		{role{}, "facilities name"},
		{assignedRole{}, "context ref"},
		{roleContext{}, "type values"},
		{customClaims{}, "roles"},
		{authenticationProvider{}, "type"},
		{userListResponse{}, "pageInfo total users"},
		{pageInfo{}, "endCursor hasNextPage hasPreviousPage startCursor"},
	} {
		require.Equal(t, tt.want, exchange.Members(t, tt.answer), "%T", tt.answer)
	}
}

// checkRole fails unless the grants are one role at facilities as the text has it.
func checkRole(t *testing.T, grants []usermgmt.Grant) {
	t.Helper()
	if len(grants) != 1 {
		t.Fatalf("%d grants", len(grants))
	}
	g := grants[0]
	if g.Kind != usermgmt.ScopeFacility || g.Permission != "" || len(g.Scopes) > maxFacilities || slices.Contains(g.Scopes, "") {
		t.Fatalf("grant %+v", g)
	}
	switch g.Role {
	case usermgmt.RoleAdministrator:
	case usermgmt.RoleFulfiller, usermgmt.RoleSupervisor:
		if len(g.Scopes) == 0 {
			t.Fatalf("grant %+v is everywhere", g)
		}
	default:
		t.Fatalf("role %q", g.Role)
	}
}

func FuzzUserCreate(f *testing.F) {
	f.Add([]byte(`{"firstname": "Donna", "lastname": "S", "username": "dönna", "password": "fsdf6556", "roles": [{"name": "FULFILLER", "facilities": ["F1"]}]}`))
	f.Add([]byte(`{"firstname": "", "lastname": "", "username": "a", "password": "123456", "roles": [{"name": "ADMINISTRATOR"}], "locale": "de_DE", "email": null, "customAttributes": {"a": [1e3, null]}}`))
	d := &wire.Decoder{}
	f.Fuzz(func(t *testing.T, body []byte) {
		var req userCreateRequest
		if d.Unmarshal(body, &req) != nil {
			return
		}
		n, err := newUser(req)
		if err != nil {
			return
		}
		checkRole(t, n.Grants)
		for _, s := range []string{n.Username, n.Email, n.FirstName, n.LastName, n.Password, n.Locale} {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Fatalf("%q came through", s)
			}
		}
		if strings.ContainsAny(n.Username, "äöüÄÖÜßẞ") || utf8.RuneCountInString(n.Password) < minPassword {
			t.Fatalf("username %q, password %q", n.Username, n.Password)
		}
		if n.Attributes != nil && (!json.Valid(n.Attributes) || n.Attributes[0] != '{') {
			t.Fatalf("attributes %s", n.Attributes)
		}
		if n.ID != "" || n.TemporaryPassword || n.Disabled || n.PasswordHash != "" || n.Tags != nil || n.Tenants != nil {
			t.Fatalf("bound what is not of the text: %+v", n)
		}
	})
}

func FuzzActions(f *testing.F) {
	f.Add([]byte(`{"version": 1, "actions": [{"action": "ModifyUser", "firstname": "D", "password": "fsdf6556"}, {"action": "ModifyUser", "firstname": "E"}]}`))
	f.Add([]byte(`{"version": 2, "actions": [{"action": "ModifyUser", "roles": [{"name": "SUPERVISOR", "facilities": ["F1"]}], "email": null, "locale": "", "customAttributes": null}]}`))
	d := &wire.Decoder{RefuseUnknown: true}
	f.Fuzz(func(t *testing.T, body []byte) {
		var req userUpdateRequest
		if d.Unmarshal(body, &req) != nil {
			return
		}
		up, err := updateOf(req)
		if err != nil {
			return
		}
		if up.FacilityRoles != nil {
			checkRole(t, *up.FacilityRoles)
		}
		var want userUpdateRequest // in which the actions came one after the other
		for i := range req.Actions {
			want.Actions = append(want.Actions[:0:0], req.Actions[i])
			one, err := updateOf(want)
			if err != nil {
				t.Fatalf("action %d alone: %v", i, err)
			}
			later := userUpdateRequest{Actions: req.Actions[i+1:]}
			var after usermgmt.UserUpdate
			if len(later.Actions) > 0 {
				if after, err = updateOf(later); err != nil {
					t.Fatalf("actions behind %d: %v", i, err)
				}
			}
			for _, field := range [][3]*string{
				{one.FirstName, after.FirstName, up.FirstName}, {one.LastName, after.LastName, up.LastName},
				{one.Email, after.Email, up.Email}, {one.Locale, after.Locale, up.Locale}, {one.Password, after.Password, up.Password},
			} {
				if field[0] != nil && field[1] == nil && (field[2] == nil || *field[2] != *field[0]) {
					t.Fatalf("action %d was lost", i)
				}
			}
			if one.FacilityRoles != nil && after.FacilityRoles == nil && !reflect.DeepEqual(one.FacilityRoles, up.FacilityRoles) {
				t.Fatalf("the role of action %d was lost", i)
			}
		}
		if up.Password != nil && utf8.RuneCountInString(*up.Password) < minPassword {
			t.Fatalf("password %q", *up.Password)
		}
		bare := usermgmt.UserUpdate{
			FirstName: up.FirstName, LastName: up.LastName, Email: up.Email, Locale: up.Locale, Password: up.Password, Attributes: up.Attributes,
			FacilityRoles: up.FacilityRoles,
		}
		if !reflect.DeepEqual(bare, up) {
			t.Fatalf("bound what is not of the text: %+v", up)
		}
	})
}
