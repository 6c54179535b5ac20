package httpadapter

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/store"
)

// Targets of a request: an object within the caller's world, one that somebody
// else has, and none.
var targets = []string{"own", "foreign", "missing"}

// ask is a request of a route that would be served to whoever may, on each of
// the targets. The words {user}, {role}, {organization}, {facility}, {vendorOrganization},
// {token} and {client} stand for what the target and the caller are.
type ask struct {
	path, body string
	// objects are what the words stand for on each target; none for routes
	// without an object.
	objects map[string][3]string
}

// Objects by their target.
var (
	realmUser    = map[string][3]string{"{user}": {"plain", "alien", "nobody"}}
	facilityUser = map[string][3]string{"{user}": {"picker", "picker2", "nobody"}}
	facility     = map[string][3]string{"{facility}": {"F1", "F2", "F9"}}
	memberOf     = map[string][3]string{"{organization}": {"acme", "other", "nowhere"}, "{user}": {"mia", "mia2", "nobody"}}
	vendorOwn    = map[string][3]string{"{vendorOrganization}": {"1", "2", "9"}}
	role         = map[string][3]string{"{role}": {"team", "crew", "nowhere"}}
	vendorToken  = map[string][3]string{"{token}": {"own", "foreign", "umo_" + strings.Repeat("A", 43)}}
)

const (
	profileBody = `{"firstName": "A", "lastName": "B", "tenants": []}`
	profileOnly = `{"addRoles": [], "removeRoles": []}`
)

// asks has a row for every route that asks for a credential.
func asks() map[string]ask {
	return map[string]ask{
		"signOut":        {path: "/session"},
		"changePassword": {path: "/session/password", body: `{"password": "` + passphrase + `", "new_password": "seven lamps 31"}`},

		"mspcentric.createOrganization": {path: "/api/oem-api/organization", body: `{{client}, "data": {"name": "New", "email": "new@new.example", "vendorOrganizationId": "3"}}`},
		"mspcentric.createUser":         {"/api/oem-api/user", `{{client}, "data": {"email": "new@new.example", "vendorOrganizationId": "{vendorOrganization}"}}`, vendorOwn},
		"mspcentric.deleteUser":         {"/api/oem-api/user", `{{client}, "organizationOemToken": "{token}"}`, vendorToken},
		"mspcentric.createSession":      {"/api/oem-api/organization/session", `{{client}, "organizationOemToken": "{token}"}`, vendorToken},

		"applivery.createOemUser":     {"/v1/organizations/{organization}/oem/users", `{"email": "new@new.example"}`, memberOf},
		"applivery.refreshOemSecret":  {"/v1/organizations/{organization}/oem/users/{user}/secret", "", memberOf},
		"applivery.listCollaborators": {"/v1/organizations/{organization}/collaborators", "", memberOf},

		"organization-user.addMember":    {"/organization-user", `{"email": "new@new.example", "role": "member"}`, memberOf},
		"organization-user.updateMember": {"/organization-user", `{"user_id": "{user}", "role": "reader"}`, memberOf},
		"organization-user.deleteMember": {"/organization-user", `{"user_id": "{user}"}`, memberOf},
		"organization-user.listMembers":  {"/organization-user", "", memberOf},
		"organization-user.fetchMember":  {"/organization-user/{user}", "", memberOf},

		"fulfillmenttools.createUser": {"/api/users", `{"username": "new", "password": "seven lamps 31", "firstname": "N", "lastname": "N",
			"roles": [{"name": "FULFILLER", "facilities": ["{facility}"]}]}`, facility},
		"fulfillmenttools.updateUser": {"/api/users/{user}", `{"version": 1, "actions": [{"action": "ModifyUser", "firstname": "X"}]}`, facilityUser},
		"fulfillmenttools.deleteUser": {"/api/users/{user}", "", facilityUser},
		"fulfillmenttools.fetchUser":  {"/api/users/{user}", "", facilityUser},
		"fulfillmenttools.listUsers":  {path: "/api/users"},

		"socotra.createUser":                  {path: "/auth/users", body: `{"firstName": "N", "lastName": "N", "userName": "new@new.example"}`},
		"socotra.fetchMyUserDetails":          {path: "/auth/users/whoami"},
		"socotra.fetchUserByName":             {"/auth/users/username/{user}", "", realmUser},
		"socotra.fetchUserByLocator":          {"/auth/users/{user}", "", realmUser},
		"socotra.fetchMultipleUsers":          {path: "/auth/users/list"},
		"socotra.fetchMultipleBasicUsers":     {path: "/auth/users/basic/list"},
		"socotra.updateUser":                  {"/auth/users/{user}", profileBody, realmUser},
		"socotra.resetUserPassword":           {"/auth/users/{user}/passwordreset", `"seven lamps 31"`, realmUser},
		"socotra.deleteUser":                  {"/auth/users/{user}", "", realmUser},
		"socotra.fetchUserPermissions":        {"/auth/users/{user}/permissions", "", realmUser},
		"socotra.updateUserRoles":             {"/auth/users/{user}/roles", profileOnly, realmUser},
		"socotra.updateUserTenantAssignments": {"/auth/users/{user}/tenants", `{"addTenants": [], "removeTenants": []}`, realmUser},
		"socotra.createRole":                  {path: "/auth/roles", body: `{"name": "new", "description": "", "permissions": []}`},
		"socotra.getRole":                     {"/auth/roles/{role}", "", role},
		"socotra.updateRole":                  {"/auth/roles/{role}", `{"name": "renamed", "description": "", "version": 1, "addPermissions": [], "removePermissions": []}`, role},
		"socotra.fetchMultipleRoles":          {path: "/auth/roles/list"},
		"socotra.deleteRole":                  {"/auth/roles/{role}", "", role},
		"socotra.fetchAvailablePermissions":   {path: "/auth/roles/permissions"},
	}
}

// open are the routes that ask for no credential.
var open = []string{"describe", "fetchKeys", "issueToken", "refreshSession", "signIn"}

// givesMore are routes on which the needed permission alone is not enough, since
// nobody gives or takes away what he lacks.
var givesMore = map[string]string{
	"organization-user.addMember":    "the role that is given reads the organization",
	"organization-user.updateMember": "the role that is given reads the organization",
	"applivery.createOemUser":        "the role that is given reads the organization",
	"applivery.refreshOemSecret":     "it takes all that an owner holds",
}

// request makes the request of a kind of caller on a target.
func (w *matrix) request(t testing.TB, route wire.Route, a ask, kind string, target int) *http.Request {
	t.Helper()
	var words []string
	for word, objects := range a.objects {
		value := objects[target]
		if token, ok := w.organizationTokens[value]; ok {
			value = token
		}
		if word == "{token}" && kind == kindClientForeign {
			value = w.organizationTokens["foreign"]
		}
		if word == "{token}" && kind == kindClientRevoked {
			value = w.organizationTokens["revoked"]
		}
		words = append(words, word, value)
	}
	id, secret := "nobody", "no secret at all"
	switch kind {
	case kindClient, kindClientForeign, kindClientRevoked:
		id, secret = clientID, clientSecret
	case kindClientWrong:
		id = clientID
	case kindRival:
		id, secret = rivalID, rivalSecret
	}
	words = append(words, "{client}", fmt.Sprintf(`"clientId": %q, "clientSecret": %q, "grantType": "client_credentials", "scope": "vendor_manage"`, id, secret))
	fill := strings.NewReplacer(words...)
	r := httptest.NewRequest(route.Method, fill.Replace(a.path), strings.NewReader(fill.Replace(a.body)))
	if a.body == "" {
		r = httptest.NewRequest(route.Method, fill.Replace(a.path), nil)
	}
	if strings.HasPrefix(route.Name, "organization-user.") {
		r.Header.Set("organization_id", a.objects["{organization}"][target])
	}
	w.authorize(t, r, route, kind)
	return r
}

// TestAuthorization walks every route as every kind of caller on every target,
// on each store, and compares who was let through with the golden file, which
// -run Authorization/memstore -update writes anew. Whoever does not reach a
// foreign object gets the very answer of a missing one.
func TestAuthorization(t *testing.T) {
	t.Parallel()
	backends.Each(t, func(t *testing.T, open func() store.Store) {
		exchange.Golden(t, filepath.Join("testdata", "authorization.golden"), walk(t, open))
	})
}

// walk returns the table: a line for each route and kind of caller.
func walk(t *testing.T, openStore func() store.Store) string {
	t.Helper()
	w := newMatrix(t, openStore())
	table := asks()
	var b strings.Builder
	for _, route := range w.router.Routes() {
		if route.Policy.Who == wire.WhoAnyone {
			require.Contains(t, open, route.Name, "a new route without a credential")
			continue
		}
		a, ok := table[route.Name]
		require.True(t, ok, "route %s has no row in asks", route.Name)
		delete(table, route.Name)
		answers := map[string]string{}
		for _, kind := range kinds {
			var cells []string
			var bodies [3]string
			var statuses [3]int
			for target, word := range targets {
				if len(a.objects) == 0 && target > 0 {
					break
				}
				rec := httptest.NewRecorder()
				w.ServeHTTP(rec, w.request(t, route, a, kind, target))
				statuses[target], bodies[target] = rec.Code, rec.Body.String()
				cells = append(cells, fmt.Sprintf("%s %d", word, rec.Code))
				if rec.Code < 300 && route.Method != http.MethodGet {
					require.NoError(t, w.m.Close())
					w = newMatrix(t, openStore()) // what it changed must not tell in the next cell
				}
			}
			where := fmt.Sprintf("%s as %s", route.Name, kind)
			beyond := 1
			if foreignIsTheirs(kind, a) {
				beyond = 0
			}
			if len(a.objects) > 0 && statuses[beyond] >= 300 && !ownByKind(kind, route.Name) {
				require.Equal(t, statuses[2], statuses[beyond], "%s: foreign differs from missing", where)
				require.Equal(t, bodies[2], bodies[beyond], "%s: foreign differs from missing", where)
			}
			checkPolicy(t, where, route, kind, statuses[0], len(a.objects) == 0)
			answers[kind] = strings.Join(cells, ", ")
			if twin, ok := twins[kind]; ok && route.Name != "signOut" { // who has no session here ends none
				require.Equal(t, answers[twin], answers[kind], "%s: whose token it is does not count", where)
			}
			fmt.Fprintf(&b, "%-36s %-36s %s\n", route.Name, kind, answers[kind])
		}
	}
	require.Empty(t, table, "rows in asks for routes that are not mounted")
	require.NoError(t, w.m.Close())
	return b.String()
}

// foreignIsTheirs: the other organization is where they belong, and the first one
// is foreign to them.
func foreignIsTheirs(kind string, a ask) bool {
	_, inOrganization := a.objects["{organization}"]
	return inOrganization && strings.HasSuffix(kind, "of another") || kind == kindRival
}

// ownByKind: these kinds of client bring a token of their own, whatever the target.
func ownByKind(kind, route string) bool {
	return (kind == kindClientForeign || kind == kindClientRevoked) && (route == "mspcentric.deleteUser" || route == "mspcentric.createSession")
}

// checkPolicy holds a route's answer on its own object against its Policy. Without
// an object, a caller who acts on himself needs no permission.
func checkPolicy(t *testing.T, where string, route wire.Route, kind string, status int, noObject bool) {
	t.Helper()
	self := noObject && strings.HasSuffix(route.Policy.Scope, "self")
	i := slices.Index(kinds, kind)
	stale := slices.Index(kinds, "JWT of a user created again")
	switch {
	case i <= stale && route.Policy.Who != wire.WhoVendor:
		require.Contains(t, []int{400, 401}, status, "%s: not authenticated", where)
	case kind == kindTemporary && route.Policy.Who != wire.WhoVendor && route.Name != "changePassword":
		require.Equal(t, 403, status, "%s: the password must be changed first", where)
	case kind == kindConfined && route.Policy.Permission != "" && !strings.Contains(route.Policy.Scope, "organization") && !self:
		require.GreaterOrEqual(t, status, 403, "%s: confined to an organization", where)
	case kind == kindOnly && route.Policy.Permission != "" && givesMore[route.Name] == "":
		require.Less(t, status, 300, "%s: the permission of the policy is enough", where)
	case kind == kindAllBut && route.Policy.Permission != "" && !self:
		require.GreaterOrEqual(t, status, 403, "%s: the permission of the policy is needed", where)
		require.LessOrEqual(t, status, 404, where)
	case kind == kindRoot && route.Policy.Who != wire.WhoVendor:
		require.Less(t, status, 300, where)
	case strings.HasPrefix(kind, "API key") && route.Policy.Who == wire.WhoUser,
		strings.HasPrefix(kind, "client") && route.Policy.Who != wire.WhoVendor:
		require.Equal(t, 401, status, "%s: a credential of another kind", where)
	}
}
