package applivery

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/memstore"
)

func routesOf(w *world) []wire.Route {
	return Mount(caller.NewGate(w.Manager, caller.Options{}), 0, usermgmt.RoleViewer).Routes
}

// fill names an organization and a user in a pattern.
func fill(pattern, org, user string) string {
	return strings.NewReplacer("{organizationId}", org, "{userId}", user).Replace(pattern)
}

func createPath(org string) string {
	return "/v1/organizations/" + string(organizations[org]) + "/oem/users"
}

func secretPath(org, user string) string {
	return createPath(org) + "/" + string(people[user]) + "/secret"
}

// TestCredentials holds the rules of RFC 6750 against every route.
func TestCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, key := "Bearer "+w.credential(t, "root"), "Bearer "+w.credential(t, "ownerKey")
	temporary := "Bearer " + w.credential(t, "dan")
	revoked := "Bearer " + keys["globexKey"].secret
	require.NoError(t, w.DeleteKey(t.Context(), keys["globexKey"].id))
	tests := []struct {
		name      string
		header    []string
		status    int
		code      string
		challenge string
	}{
		{"none", nil, 401, "4002", `Bearer`},
		{"empty", []string{""}, 401, "4002", `Bearer`},
		{"empty_bearer", []string{"Bearer "}, 401, "4002", `Bearer`},
		{"wrong_scheme", []string{"Basic cm9vdDpyb290"}, 401, "4002", `Bearer`},
		{"bare_key", []string{key[7:]}, 401, "4002", `Bearer`},
		{"garbage", []string{"Bearer garbage"}, 401, "4004", `Bearer error="invalid_token"`},
		{"truncated_token", []string{token[:len(token)-2]}, 401, "4004", `Bearer error="invalid_token"`},
		{"truncated_key", []string{key[:len(key)-2]}, 401, "4004", `Bearer error="invalid_token"`},
		{"key_in_other_case", []string{strings.ToUpper(key)}, 401, "4004", `Bearer error="invalid_token"`},
		{"revoked_key", []string{revoked}, 401, "4004", `Bearer error="invalid_token"`},
		{"id_of_a_key", []string{"Bearer " + string(keys["key"].id)}, 401, "4004", `Bearer error="invalid_token"`},
		{"too_long", []string{"Bearer " + strings.Repeat(".", 9<<10)}, 401, "4004", `Bearer error="invalid_token"`},
		{"twice", []string{key, key}, 400, "3000", `Bearer error="invalid_request"`},
		{"token_and_key", []string{token, key}, 400, "3000", `Bearer error="invalid_request"`},
		{"two_in_one", []string{key + ", " + key}, 400, "3000", `Bearer error="invalid_request"`},
		{"control_character", []string{key + "\x01"}, 400, "3000", `Bearer error="invalid_request"`},
		{"temporary_password", []string{temporary}, 403, "4003", `Bearer error="insufficient_scope"`},
	}
	for _, route := range routesOf(w) {
		path := fill(route.Pattern, string(organizations["acme"]), string(people["will"]))
		for _, tt := range tests {
			r := httptest.NewRequest(route.Method, path, strings.NewReader("{"))
			r.Header["Authorization"] = tt.header
			rec := w.serve(r)
			require.Equal(t, tt.status, rec.Code, "%s %s", route.Name, tt.name)
			require.Equal(t, tt.challenge, rec.Header().Get("WWW-Authenticate"), "%s %s", route.Name, tt.name)
			require.Contains(t, rec.Body.String(), `{"status":false,"error":{"code":`+tt.code+`,`, "%s %s", route.Name, tt.name)
		}
		for _, query := range []string{"?access_token=" + key[7:], "?authorization=" + key[7:]} {
			require.Equal(t, 401, w.serve(httptest.NewRequest(route.Method, path+query, nil)).Code, "%s takes a key from the query", route.Name)
		}
	}
	r := httptest.NewRequest("PUT", secretPath("acme", "will"), nil)
	r.Header.Set("Authorization", "bEARER   "+key[7:])
	require.Equal(t, 200, w.serve(r).Code, "the scheme's name is without case")
}

// TestMethods: 404 and 405 come before 401.
func TestMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, allow := range map[string]string{
		"/v1/organizations/x/oem/users":          "OPTIONS, POST",
		"/v1/organizations/x/oem/users/y/secret": "OPTIONS, PUT",
		"/v1/organizations/x/collaborators":      "GET, HEAD, OPTIONS",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "post", "BREW"} {
			rec := w.serve(httptest.NewRequest(method, path, nil))
			if strings.Contains(", "+allow+",", ", "+method+",") {
				require.Equal(t, 401, rec.Code, "%s %s", method, path)
				continue
			}
			require.Equal(t, 405, rec.Code, "%s %s", method, path)
			require.Equal(t, allow, rec.Header().Get("Allow"), "%s %s", method, path)
		}
	}
	for _, path := range []string{
		"/v1/organizations", "/v1/organizations/x", "/v1/organizations/x/oem", "/v1/organizations/x/oem/users/y", "/v1/organizations/x/oem/users/y/z",
		"/v1/organizations/x/OEM/users", "/v1/Organizations/x/oem/users", "/v1/organizations/x/oem/%75sers", "/v1/organizations/../oem/users",
		"/v1/organizations/%2e%2e/oem/users", "/v1/organizations/x%00/oem/users", "/v1/organizations//oem/users", "/v1/organizations/x/collaborators/all-csv",
	} {
		require.Equal(t, 404, w.serve(httptest.NewRequest("POST", path, nil)).Code, path)
	}
}

func TestHostileBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const inner = `"email": "eve@example.com", "firstName": "E", "lastName": "M", "tags": ["a"]`
	bodies := []string{
		``, ` `, `null`, `[]`, `""`, `1`, `{`, `{}`, `{` + inner + `} {}`, "\xef\xbb\xbf{" + inner + `}`, `{"a": ` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
		`{"Email": "eve@example.com"}`, `{"EMAIL": "eve@example.com"}`,
	}
	for _, member := range []string{ // with a valid object around them
		`"x": 1, "x": 2`, `"tags": ["b"]`, `"email": "eve@example.com"`, `"x": "\ud800"`, `"x": "\u0000"`, "\"x\": \"\xff\"", `"x": 01`, `"x": NaN`, `"x": tru`,
		`"x": [1,]`, `,`, `"x": [` + strings.Repeat("0,", 1_000) + `0]`, `"x": "` + strings.Repeat("a", 17<<10) + `"`,
	} {
		bodies = append(bodies, "{"+inner+", "+member+"}")
	}
	for _, member := range []string{ // in place of a valid one
		`"email": 1`, `"email": {}`, `"email": ["eve@example.com"]`, `"email": true`, `"email": ""`, `"email": "eve@example.com\u0000"`, `"email": "eve@example.com\n"`,
		`"email": "eve@example.com,fay@example.com"`, `"email": "ev\u0435@example.com"`,
	} {
		bodies = append(bodies, "{"+member+"}")
	}
	for _, member := range []string{
		`"firstName": 1`, `"firstName": {}`, `"lastName": false`, `"lastName": ["M"]`, `"firstName": "a\u0000"`, `"firstName": "a\nb"`, `"tags": "a"`, `"tags": {}`,
		`"tags": [null]`, `"tags": [["a"]]`, `"tags": [1.5]`, `"tags": ["a\u0007"]`, `"tags": [` + strings.Repeat(`"a", `, 1_000) + `"a"]`,
	} {
		bodies = append(bodies, `{"email": "eve@example.com", `+member+`}`)
	}
	for _, body := range bodies {
		status, answer := w.do(t, "key", "POST", createPath("acme"), body)
		require.Equal(t, 400, status, "%.80q: %s", body, answer)
		require.Contains(t, answer, `{"status":false,"error":{"code":3000,`)
	}
	for _, contentType := range []string{"text/plain", "application/xml", "application/json; charset=latin1", "x", "application/x-www-form-urlencoded"} {
		r := w.request(t, "key", "POST", createPath("acme"), "{"+inner+"}")
		r.Header.Set("Content-Type", contentType)
		require.Equal(t, 415, w.serve(r).Code, contentType)
	}
	status, answer := w.do(t, "key", "POST", createPath("acme"), "{"+inner+`, "x": "`+strings.Repeat("a", 65<<10)+`"}`)
	require.Equal(t, 413, status, answer)
	_, err := w.UserByEmail(t.Context(), "eve@example.com")
	require.Error(t, err, "nothing of all that was written")
}

// TestForeignIsMissing: to whom an organization or a member is none of his
// business, one that is there answers byte for byte like one that is not.
func TestForeignIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const none = "0192b000-0000-7000-8000-0000000000ff"
	for _, route := range routesOf(w) {
		for _, who := range []string{"bob", "gina", "globexKey", "plainKey"} {
			for _, body := range []string{`{"email": "eve@example.com"}`, `{"email": "adam@example.com"}`, `{`} {
				missing, missingBody := w.do(t, who, route.Method, fill(route.Pattern, none, none), body)
				require.Equal(t, 404, missing, "%s by %s", route.Name, who)
				for _, org := range []string{string(organizations["acme"]), "acme-works"} {
					for _, target := range []string{none, string(people["will"]), string(people["bob"])} {
						status, answer := w.do(t, who, route.Method, fill(route.Pattern, org, target), body)
						require.Equal(t, missing, status, "%s by %s", route.Name, who)
						require.Equal(t, missingBody, answer, "%s by %s", route.Name, who)
					}
				}
			}
		}
	}
	status, missing := w.do(t, "olga", "PUT", fill("/v1/organizations/acme-works/oem/users/{userId}/secret", "", none), "")
	require.Equal(t, 404, status)
	for _, outsider := range []string{"gina", "bob", "root"} {
		status, answer := w.do(t, "olga", "PUT", secretPath("acme", outsider), "")
		require.Equal(t, 404, status)
		require.Equal(t, missing, answer)
	}
}

// lockedBuffer may be written by many.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// TestLogHoldsNoSecrets: what callers send and get stays out of the log, at
// whatever level.
func TestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	w := newWorldOn(t, memstore.New(), slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	token := w.credential(t, "olga")
	for _, body := range []string{`{"email": "canary@mail.example", "firstName": "canary"}`, `{"email": "canary@mail.example"}`, `{"email": "canary`} {
		w.do(t, "key", "POST", createPath("acme"), body)
		w.do(t, "viewerKey", "POST", createPath("acme"), body)
	}
	status, answer := w.do(t, "ownerKey", "PUT", secretPath("acme", "will"), "")
	require.Equal(t, 200, status)
	_, secret, _ := strings.Cut(answer, `"oemSecret":"`)
	secret, _, _ = strings.Cut(secret, `"`)
	require.Len(t, secret, 47)
	w.do(t, "olga", "PUT", secretPath("acme", "bob"), "")
	r := w.request(t, "", "POST", createPath("acme"), "")
	r.Header.Set("Authorization", "Bearer canary-key-that-is-none")
	require.Equal(t, 401, w.serve(r).Code)
	log.mu.Lock()
	defer log.mu.Unlock()
	text := log.b.String()
	require.Contains(t, text, "/v1/organizations/{organizationId}/oem/users")
	for _, s := range []string{"canary", "mail.example", secret, secret[4:], token[:40], passphrase} {
		require.NotContains(t, text, s)
	}
}
