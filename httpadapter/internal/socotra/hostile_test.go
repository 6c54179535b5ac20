package socotra

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/memstore"
)

func routesOf(t *testing.T, w *world) []wire.Route {
	t.Helper()
	return Mount(caller.NewGate(w.Manager, caller.Options{}), 0).Routes
}

func fill(pattern string) string {
	return strings.NewReplacer("{locator}", string(bob), "{username}", "bob@example.com").Replace(pattern)
}

// TestCredentials holds the rules of RFC 6750 against every route.
func TestCredentials(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		good, temporary := w.token(t, "root"), w.token(t, "dan")
		for _, route := range routesOf(t, w) {
			w.Refuses(t, route.Method, fill(route.Pattern), good, exchange.Credentials(good, temporary), func(c exchange.Credential, rec *httptest.ResponseRecorder) {
				require.Equal(t, "application/problem+json", rec.Header().Get("Content-Type"), c.Name)
			})
		}
		r := httptest.NewRequest("GET", "/auth/users/whoami", nil)
		r.Header.Set("Authorization", "bEARER   "+good)
		require.Equal(t, 200, w.Serve(r).Code, "the scheme's name is without case")
	})
}

// TestMethods: 404 and 405 come before 401, and a literal word wins over a
// parameter for every method.
func TestMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memstore.New())
	tests := []struct {
		path, allow string
	}{
		{"/auth/users", "OPTIONS, POST"},
		{"/auth/users/whoami", "GET, HEAD, OPTIONS"},
		{"/auth/users/list", "GET, HEAD, OPTIONS"},
		{"/auth/users/basic/list", "GET, HEAD, OPTIONS"},
		{"/auth/users/username/x", "GET, HEAD, OPTIONS"},
		{"/auth/users/username/permissions", "GET, HEAD, OPTIONS"},
		{"/auth/users/x", "DELETE, GET, HEAD, OPTIONS, PATCH"},
		{"/auth/users/x/permissions", "GET, HEAD, OPTIONS"},
		{"/auth/users/x/passwordreset", "OPTIONS, PATCH"},
		{"/auth/users/x/roles", "OPTIONS, PATCH"},
		{"/auth/users/x/tenants", "OPTIONS, PATCH"},
		{"/auth/roles", "OPTIONS, POST"},
		{"/auth/roles/list", "GET, HEAD, OPTIONS"},
		{"/auth/roles/permissions", "GET, HEAD, OPTIONS"},
		{"/auth/roles/x", "DELETE, GET, HEAD, OPTIONS, PATCH"},
	}
	for _, tt := range tests {
		w.Methods(t, tt.path, tt.allow, 401)
	}
	for _, path := range []string{"/auth", "/auth/users/x/y", "/auth/users/basic", "/auth/users/basic/x", "/auth/users/username", "/auth/users/LIST/x",
		"/auth/users/%6Cist", "/auth/users/..", "/auth/users/%2e%2e", "/auth/roles/x/permissions", "/auth/users/x%00", "/Auth/users/x"} {
		require.Equal(t, 404, w.Serve(httptest.NewRequest("GET", path, nil)).Code, path)
	}
}

func TestHostileBodies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		valid := map[string]string{
			"POST /auth/users":                `"firstName": "E", "lastName": "M", "userName": "eve@example.com"`,
			"PATCH /auth/users/<bob>":         `"firstName": "E", "lastName": "M", "permissions": [], "roles": [], "tenants": []`,
			"PATCH /auth/users/<bob>/roles":   `"addRoles": [], "removeRoles": []`,
			"PATCH /auth/users/<bob>/tenants": `"addTenants": [], "removeTenants": []`,
			"POST /auth/roles":                `"name": "r", "description": "", "permissions": []`,
			"PATCH /auth/roles/<support>":     `"name": "support", "description": "", "version": 1, "addPermissions": [], "removePermissions": []`,
		}
		for target, inner := range valid {
			method, path, _ := strings.Cut(target, " ")
			for _, body := range exchange.Bodies() {
				status, answer := w.Do(t, "root", method, path, body)
				require.Equal(t, 400, status, "%s %q: %s", target, body, answer)
			}
			for _, member := range exchange.Spoilers() {
				status, answer := w.Do(t, "root", method, path, "{"+inner+", "+member+"}")
				require.Equal(t, 400, status, "%s %.80q: %s", target, member, answer)
			}
			for _, name := range strings.Split(inner, ", ") {
				name, value, _ := strings.Cut(name, ": ")
				for _, wrong := range []string{"null", "{}", "true", `[1]`, `[null]`, `[["a"]]`, "1.5", `"1"`} {
					if strings.HasPrefix(value, `"`) && strings.HasPrefix(wrong, `"`) {
						continue // a string for a string
					}
					body := "{" + strings.Replace(inner, name+": "+value, name+": "+wrong, 1) + "}"
					status, answer := w.Do(t, "root", method, path, body)
					require.Equal(t, 400, status, "%s %s: %s", target, body, answer)
					require.Contains(t, answer, strings.Trim(name, `"`), "the answer names the member")
				}
			}
			for _, contentType := range exchange.OtherMedia() {
				r := w.Request(t, "root", method, path, "{"+inner+"}")
				r.Header.Set("Content-Type", contentType)
				require.Equal(t, 415, w.Serve(r).Code, "%s %s", target, contentType)
			}
			status, answer := w.Do(t, "root", method, path, "{"+inner+", "+exchange.TooLong()+"}")
			require.Equal(t, 413, status, "%s: %s", target, answer)
		}
		u, err := w.User(t.Context(), bob)
		require.NoError(t, err)
		require.EqualValues(t, 1, u.Version, "nothing of all that was written")
	})
}

func TestHostileQueries(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, path := range []string{"/auth/users/list", "/auth/users/basic/list", "/auth/roles/list"} {
			for query, want := range map[string]int{
				"": 200, "offset=0": 200, "count=1": 200, "count=99999999999999999999": 200, "extended=false": 200, "x=1;2": 400,
				"offset=99999999999999999999": 200, "offset=-1": 400, "offset=": 400, "offset=1.0": 400, "offset=1e3": 400, "offset=0x1": 400,
				"offset=+1": 400, "offset=%201": 400, "offset=01": 400, "offset=1&offset=2": 400, "offset=%00": 400, "offset=null": 400,
				"count=0": 400, "count=-5": 400, "count=ten": 400, "count=1%3BDROP": 400, "extended=yes": 400, "extended=": 400, "extended=TRUE": 400,
				"%zz": 400, "unknown=1": 200, "count=" + strings.Repeat("9", 5_000): 400,
			} {
				status, answer := w.Do(t, "root", "GET", path+"?"+query, "")
				require.Equal(t, want, status, "%s?%.60s: %s", path, query, answer)
			}
		}
	})
}

// TestEnumeration: someone without rights gets the same answer for a user who
// is there and one who is not.
func TestEnumeration(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, route := range routesOf(t, w) {
			if !strings.Contains(route.Pattern, "{") {
				continue
			}
			ask := func(locator, username string) (int, string) {
				path := strings.NewReplacer("{locator}", locator, "{username}", username).Replace(route.Pattern)
				body := ""
				if route.Method != http.MethodGet && route.Method != http.MethodDelete {
					body = `{"firstName": "E", "lastName": "M", "permissions": [], "roles": [], "tenants": [], "addRoles": [], "removeRoles": [],
					"addTenants": [], "removeTenants": [], "name": "n", "description": "", "version": 1, "addPermissions": [], "removePermissions": []}`
				}
				if strings.HasSuffix(route.Pattern, "passwordreset") {
					body = `"seven lamps 31"`
				}
				return w.Do(t, "bob", route.Method, path, body)
			}
			there := string(ada)
			if strings.HasPrefix(route.Pattern, "/auth/roles") {
				there = string(w.support.ID)
			}
			status, body := ask(there, "ada@example.com")
			missingStatus, missingBody := ask("0192a000-0000-7000-8000-0000000000ff", "zoe@example.com")
			require.Equal(t, 403, status, "%s: %s", route.Name, body)
			require.Equal(t, missingStatus, status, route.Name)
			require.Equal(t, missingBody, body, route.Name)
		}
	})
}
