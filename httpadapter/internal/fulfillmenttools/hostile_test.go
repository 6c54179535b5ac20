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
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func routesOf(t *testing.T, w *world) []wire.Route {
	t.Helper()
	return Mount(caller.NewGate(w.Manager, caller.Options{}), 0).Routes
}

// TestCredentials holds the rules of RFC 6750 against every route.
func TestCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	good := "Bearer " + w.token(t, "ada")
	temporary := "Bearer " + w.token(t, "dan")
	_, key, err := w.CreateKey(ctx, "acme", usermgmt.NewKey{Name: "k", Role: usermgmt.RoleOwner})
	require.NoError(t, err)
	vendor, secret, err := w.CreateVendor(ctx, usermgmt.NewVendor{Name: "V", Scopes: []string{usermgmt.ScopeVendorManage}})
	require.NoError(t, err)
	client, err := w.VendorToken(ctx, vendor.ClientID, secret)
	require.NoError(t, err)
	tests := []struct {
		name      string
		header    []string
		status    int
		challenge string
	}{
		{"none", nil, 401, `Bearer`},
		{"empty", []string{""}, 401, `Bearer`},
		{"empty_bearer", []string{"Bearer "}, 401, `Bearer`},
		{"wrong_scheme", []string{"Basic cm9vdDpyb290"}, 401, `Bearer`},
		{"garbage", []string{"Bearer garbage"}, 401, `Bearer error="invalid_token"`},
		{"truncated", []string{good[:len(good)-2]}, 401, `Bearer error="invalid_token"`},
		{"too_long", []string{"Bearer " + strings.Repeat(".", 9<<10)}, 401, `Bearer error="invalid_token"`},
		{"api_key", []string{"Bearer " + key}, 401, `Bearer error="invalid_token"`},
		{"vendor", []string{"Bearer " + client.AccessToken}, 401, `Bearer error="invalid_token"`},
		{"twice", []string{good, good}, 400, `Bearer error="invalid_request"`},
		{"two_in_one", []string{good + " " + good}, 400, `Bearer error="invalid_request"`},
		{"control_character", []string{good + "\x01"}, 400, `Bearer error="invalid_request"`},
		{"temporary_password", []string{temporary}, 403, `Bearer error="insufficient_scope"`},
	}
	for _, route := range routesOf(t, w) {
		target := strings.Replace(route.Pattern, "{userId}", string(donna), 1)
		for _, tt := range tests {
			r := httptest.NewRequest(route.Method, target, strings.NewReader("{"))
			r.Header["Authorization"] = tt.header
			rec := w.serve(r)
			require.Equal(t, tt.status, rec.Code, "%s %s", route.Name, tt.name)
			require.Equal(t, tt.challenge, rec.Header().Get("WWW-Authenticate"), "%s %s", route.Name, tt.name)
			require.Equal(t, wire.ContentTypeJSON, rec.Header().Get("Content-Type"))
			require.True(t, strings.HasPrefix(rec.Body.String(), `[{"summary":`), rec.Body.String())
		}
		r := httptest.NewRequest(route.Method, target+"?access_token="+good[7:], nil)
		require.Equal(t, 401, w.serve(r).Code, "%s takes a token from the query", route.Name)
	}
	require.NotContains(t, w.log.String(), good[7:])
	require.NotContains(t, w.log.String(), key)
}

// TestMethods: 404 and 405 come before 401.
func TestMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, allow := range map[string]string{"/api/users": "GET, HEAD, OPTIONS, POST", "/api/users/x": "DELETE, GET, HEAD, OPTIONS, PATCH"} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "BREW"} {
			rec := w.serve(httptest.NewRequest(method, path, nil))
			if strings.Contains(", "+allow+",", ", "+method+",") {
				require.Equal(t, 401, rec.Code, "%s %s", method, path)
				continue
			}
			require.Equal(t, 405, rec.Code, "%s %s", method, path)
			require.Equal(t, allow, rec.Header().Get("Allow"), "%s %s", method, path)
		}
	}
	for _, path := range []string{"/api", "/api/users/x/y", "/api/users/..", "/api/users/%2e%2e", "/api/users/x%00", "/api/Users/x", "/api/users%2fx"} {
		require.Equal(t, 404, w.serve(httptest.NewRequest("GET", path, nil)).Code, path)
	}
	// Paths that mean a user who is not there.
	for _, id := range []string{"a%2Fb", "%F0%9F%98%80", "me", strings.Repeat("a", 1_000), strings.ToUpper(string(donna)), "%20", "*", "1%20OR%201=1"} {
		status, body := w.do(t, "ada", "GET", "/api/users/"+id, "")
		require.Equal(t, 404, status, "%s: %s", id, body)
	}
}

func TestHostileBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	valid := map[string]string{
		"POST /api/users": `"firstname": "E", "lastname": "M", "username": "eve", "password": "violet cradle 78", ` +
			`"roles": [{"name": "FULFILLER", "facilities": ["F1"]}]`,
		"PATCH /api/users/<donna>": `"version": 1, "actions": [{"action": "ModifyUser", "lastname": "E"}]`,
	}
	bodies := []string{
		``, ` `, `null`, `[]`, `""`, `1`, `{`, `{}`, `{} {}`, "\xef\xbb\xbf{}", `{"a": ` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
	}
	// Members with a valid object around them.
	members := []string{
		`"x": 1, "x": 2`, `"x": "\ud800"`, `"x": "\u0000"`, "\"x\": \"\xff\"", `"x": 01`, `"x": NaN`, `"x": tru`, `"x": [1,]`, `,`,
		`"x": [` + strings.Repeat("0,", 1_000) + `0]`, `"x": "` + strings.Repeat("a", 17<<10) + `"`,
	}
	token := w.token(t, "ada")
	send := func(target, contentType, body string) *httptest.ResponseRecorder {
		method, path, _ := strings.Cut(strings.Replace(target, "<donna>", string(donna), 1), " ")
		r := w.request(t, "", method, path, body)
		r.Header.Set("Authorization", "Bearer "+token)
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
		return w.serve(r)
	}
	for target, inner := range valid {
		for _, body := range bodies {
			rec := send(target, "", body)
			require.Equal(t, 400, rec.Code, "%s %q: %s", target, body, rec.Body)
		}
		for _, member := range members {
			rec := send(target, "", "{"+inner+", "+member+"}")
			require.Equal(t, 400, rec.Code, "%s %.80q: %s", target, member, rec.Body)
		}
		for _, contentType := range []string{"text/plain", "application/xml", "application/json; charset=latin1", "x", "application/x-www-form-urlencoded"} {
			require.Equal(t, 415, send(target, contentType, "{"+inner+"}").Code, "%s %s", target, contentType)
		}
		require.Equal(t, 413, send(target, "", "{"+inner+`, "x": "`+strings.Repeat("a", 65<<10)+`"}`).Code)
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
}

// TestAttributes: deep, wide and odd objects come back as they were sent, or not
// at all.
func TestAttributes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	version := 1
	patch := func(attributes string) (int, string) {
		return w.do(t, "ada", "PATCH", "/api/users/<donna>",
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
}
