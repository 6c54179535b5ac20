package fulfillmenttools

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/memstore"
)

func routesOf(t *testing.T, w *world) []wire.Route {
	t.Helper()
	return Mount(caller.NewGate(w.Manager, caller.Options{}), 0).Routes
}

// TestCredentials holds the rules of RFC 6750 against every route.
func TestCredentials(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		good, temporary := w.token(t, "ada"), w.token(t, "dan")
		_, key, err := w.CreateKey(ctx, "acme", usermgmt.NewKey{Name: "k", Role: usermgmt.RoleOwner})
		require.NoError(t, err)
		vendor, secret, err := w.CreateVendor(ctx, usermgmt.NewVendor{Name: "V", Scopes: []string{usermgmt.ScopeVendorManage}})
		require.NoError(t, err)
		client, err := w.VendorToken(ctx, vendor.ClientID, secret)
		require.NoError(t, err)
		cs := append(exchange.Credentials(good, temporary),
			exchange.Refused("API key", exchange.InvalidToken, "Bearer "+key),
			exchange.Refused("vendor", exchange.InvalidToken, "Bearer "+client.AccessToken),
		)
		for _, route := range routesOf(t, w) {
			w.Refuses(t, route.Method, strings.Replace(route.Pattern, "{userId}", string(donna), 1), good, cs, func(c exchange.Credential, rec *httptest.ResponseRecorder) {
				require.Equal(t, wire.ContentTypeJSON, rec.Header().Get("Content-Type"), "%s %s", route.Name, c.Name)
				require.True(t, strings.HasPrefix(rec.Body.String(), `[{"summary":`), "%s %s: %s", route.Name, c.Name, rec.Body)
			})
		}
		require.NotContains(t, w.log.String(), good)
		require.NotContains(t, w.log.String(), key)
	})
}

// TestMethods: 404 and 405 come before 401.
func TestMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memstore.New())
	for path, allow := range map[string]string{"/api/users": "GET, HEAD, OPTIONS, POST", "/api/users/x": "DELETE, GET, HEAD, OPTIONS, PATCH"} {
		w.Methods(t, path, allow, 401)
	}
	for _, path := range []string{"/api", "/api/users/x/y", "/api/users/..", "/api/users/%2e%2e", "/api/users/x%00", "/api/Users/x", "/api/users%2fx"} {
		require.Equal(t, 404, w.Serve(httptest.NewRequest("GET", path, nil)).Code, path)
	}
	// Paths that mean a user who is not there.
	for _, id := range []string{"a%2Fb", "%F0%9F%98%80", "me", strings.Repeat("a", 1_000), strings.ToUpper(string(donna)), "%20", "*", "1%20OR%201=1"} {
		status, body := w.Do(t, "ada", "GET", "/api/users/"+id, "")
		require.Equal(t, 404, status, "%s: %s", id, body)
	}
}

func TestHostileBodies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		valid := map[string]string{
			"POST /api/users": `"firstname": "E", "lastname": "M", "username": "eve", "password": "violet cradle 78", ` +
				`"roles": [{"name": "FULFILLER", "facilities": ["F1"]}]`,
			"PATCH /api/users/<donna>": `"version": 1, "actions": [{"action": "ModifyUser", "lastname": "E"}]`,
		}
		token := w.token(t, "ada")
		send := func(target, contentType, body string) *httptest.ResponseRecorder {
			method, path, _ := strings.Cut(target, " ")
			r := w.Request(t, "", method, path, body)
			exchange.Bear(r, token)
			if contentType != "" {
				r.Header.Set("Content-Type", contentType)
			}
			return w.Serve(r)
		}
		for target, inner := range valid {
			for _, body := range exchange.Bodies() {
				rec := send(target, "", body)
				require.Equal(t, 400, rec.Code, "%s %q: %s", target, body, rec.Body)
			}
			for _, member := range exchange.Spoilers() {
				rec := send(target, "", "{"+inner+", "+member+"}")
				require.Equal(t, 400, rec.Code, "%s %.80q: %s", target, member, rec.Body)
			}
			for _, contentType := range exchange.OtherMedia() {
				require.Equal(t, 415, send(target, contentType, "{"+inner+"}").Code, "%s %s", target, contentType)
			}
			require.Equal(t, 413, send(target, "", "{"+inner+", "+exchange.TooLong()+"}").Code)
		}
		// Every member of the wrong type, named in the answer.
		for name, value := range map[string]string{
			"firstname": `"E"`, "lastname": `"M"`, "username": `"eve"`, "password": `"violet cradle 78"`, "roles": `[{"name": "FULFILLER", "facilities": ["F1"]}]`,
		} {
			for _, wrong := range []string{"null", "{}", "true", `[1]`, `[null]`, `[["a"]]`, "1.5"} {
				rec := send("POST /api/users", "", "{"+strings.Replace(valid["POST /api/users"], `"`+name+`": `+value, `"`+name+`": `+wrong, 1)+"}")
				require.Equal(t, 400, rec.Code, "%s %s: %s", name, wrong, rec.Body)
				require.Contains(t, rec.Body.String(), name)
			}
		}
		for _, name := range []string{"firstname", "lastname", "password", "locale", "roles", "email", "customAttributes", "action"} {
			for _, wrong := range []string{"true", `[1]`, `[null]`, "1.5", `[["a"]]`, `"` + strings.Repeat("a", 17<<10) + `"`} {
				action := fmt.Sprintf(`"action": "ModifyUser", %q: %s`, name, wrong)
				rec := send("PATCH /api/users/<donna>", "", `{"version": 1, "actions": [{`+action+`}]}`)
				require.Equal(t, 400, rec.Code, "%s: %s", action, rec.Body)
				require.Contains(t, rec.Body.String(), "actions[0]."+name)
			}
		}
		// Members by another name are others: unknown, and so missing or refused.
		for _, name := range []string{"Version", "VERSION", "ver\u017fion"} {
			require.Equal(t, 400, send("PATCH /api/users/<donna>", "", strings.Replace("{"+valid["PATCH /api/users/<donna>"]+"}", "version", name, 1)).Code, name)
		}
		require.EqualValues(t, 1, w.get(t, "donna").Version, "nothing of all that was written")
		_, err := w.UserByUsername(t.Context(), "eve")
		require.ErrorIs(t, err, usermgmt.ErrNotFound)
		require.NotContains(t, w.log.String(), "violet cradle")
		require.NotContains(t, w.log.String(), token)
	})
}

// TestAttributes: deep, wide and odd objects come back as they were sent, or not
// at all.
func TestAttributes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		version := 1
		patch := func(attributes string) (int, string) {
			return w.Do(t, "ada", "PATCH", "/api/users/<donna>",
				fmt.Sprintf(`{"version": %d, "actions": [{"action": "ModifyUser", "customAttributes": %s}]}`, version, attributes))
		}
		for _, same := range []string{
			`{"<b>&\u2028":"</script>"}`, `{"n":12345678901234567890.10}`, `{"":{"a":[null,true,{}]}}`,
			`{"actions":[{"action":"DeleteUser"}],"version":0}`, `{"d":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`,
		} {
			status, body := patch(same)
			require.Equal(t, http.StatusOK, status, "%s: %s", same, body)
			require.Contains(t, body, `"customAttributes":`+same)
			version++
		}
		for _, refused := range []string{
			`{"a":1,"a":2}`, `{"a":"\u0000"}`, `[{}]`, `"{}"`, `{"d":` + strings.Repeat("[", 33) + strings.Repeat("]", 33) + `}`,
			`{"w":[` + strings.Repeat(`"aaaaaaaaaaaaaaa",`, 2_000) + `1]}`,
		} {
			status, body := patch(refused)
			require.Equal(t, 400, status, "%.80s: %s", refused, body)
			require.Contains(t, body, "customAttributes")
		}
	})
}
