package applivery

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/store"
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
	each(t, func(t *testing.T, w *world) {
		token, key, temporary := w.credential(t, "root"), w.credential(t, "ownerKey"), w.credential(t, "dan")
		require.NoError(t, w.DeleteKey(t.Context(), keys["globexKey"].id))
		bearer := "Bearer " + key
		cs := append(exchange.Credentials(key, temporary),
			exchange.Refused("truncated token", exchange.InvalidToken, "Bearer "+token[:len(token)-2]),
			exchange.Refused("key in other case", exchange.InvalidToken, strings.ToUpper(bearer)),
			exchange.Refused("revoked key", exchange.InvalidToken, "Bearer "+keys["globexKey"].secret),
			exchange.Refused("id of a key", exchange.InvalidToken, "Bearer "+string(keys["key"].id)),
			exchange.Ambiguous("token and key", "Bearer "+token, bearer),
			exchange.Ambiguous("list", bearer+", "+bearer),
		)
		codes := map[string]string{
			exchange.NoCredential: "4002", exchange.InvalidToken: "4004", exchange.InvalidRequest: "3000", exchange.InsufficientScope: "4003",
		}
		for _, route := range routesOf(w) {
			path := fill(route.Pattern, string(organizations["acme"]), string(people["will"]))
			w.Refuses(t, route.Method, path, key, cs, func(c exchange.Credential, rec *httptest.ResponseRecorder) {
				require.Contains(t, rec.Body.String(), `{"status":false,"error":{"code":`+codes[c.Challenge]+`,`, "%s %s", route.Name, c.Name)
			})
		}
		r := httptest.NewRequest("PUT", secretPath("acme", "will"), nil)
		r.Header.Set("Authorization", "bEARER   "+key)
		require.Equal(t, 200, w.Serve(r).Code, "the scheme's name is without case")
	})
}

// TestMethods: 404 and 405 come before 401.
func TestMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memstore.New())
	for path, allow := range map[string]string{
		"/v1/organizations/x/oem/users":          "OPTIONS, POST",
		"/v1/organizations/x/oem/users/y/secret": "OPTIONS, PUT",
		"/v1/organizations/x/collaborators":      "GET, HEAD, OPTIONS",
	} {
		w.Methods(t, path, allow, 401)
	}
	for _, path := range []string{
		"/v1/organizations", "/v1/organizations/x", "/v1/organizations/x/oem", "/v1/organizations/x/oem/users/y", "/v1/organizations/x/oem/users/y/z",
		"/v1/organizations/x/OEM/users", "/v1/Organizations/x/oem/users", "/v1/organizations/x/oem/%75sers", "/v1/organizations/../oem/users",
		"/v1/organizations/%2e%2e/oem/users", "/v1/organizations/x%00/oem/users", "/v1/organizations//oem/users", "/v1/organizations/x/collaborators/all-csv",
	} {
		require.Equal(t, 404, w.Serve(httptest.NewRequest("POST", path, nil)).Code, path)
	}
}

func TestHostileBodies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const inner = `"email": "eve@example.com", "firstName": "E", "lastName": "M", "tags": ["a"]`
		bodies := append(exchange.Bodies(),
			`{`+inner+`} {}`, "\xef\xbb\xbf{"+inner+`}`, `{"Email": "eve@example.com"}`, `{"EMAIL": "eve@example.com"}`,
		)
		for _, member := range append(exchange.Spoilers(), `"tags": ["b"]`, `"email": "eve@example.com"`) { // with a valid object around them
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
			status, answer := w.Do(t, "key", "POST", createPath("acme"), body)
			require.Equal(t, 400, status, "%.80q: %s", body, answer)
			require.Contains(t, answer, `{"status":false,"error":{"code":3000,`)
		}
		for _, contentType := range exchange.OtherMedia() {
			r := w.Request(t, "key", "POST", createPath("acme"), "{"+inner+"}")
			r.Header.Set("Content-Type", contentType)
			require.Equal(t, 415, w.Serve(r).Code, contentType)
		}
		status, answer := w.Do(t, "key", "POST", createPath("acme"), "{"+inner+", "+exchange.TooLong()+"}")
		require.Equal(t, 413, status, answer)
		_, err := w.UserByEmail(t.Context(), "eve@example.com")
		require.Error(t, err, "nothing of all that was written")
	})
}

// TestForeignIsMissing: to whom an organization or a member is none of his
// business, one that is there answers byte for byte like one that is not.
func TestForeignIsMissing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const none = "0192b000-0000-7000-8000-0000000000ff"
		for _, route := range routesOf(w) {
			for _, who := range []string{"bob", "gina", "globexKey", "plainKey"} {
				for _, body := range []string{`{"email": "eve@example.com"}`, `{"email": "adam@example.com"}`, `{`} {
					missing, missingBody := w.Do(t, who, route.Method, fill(route.Pattern, none, none), body)
					require.Equal(t, 404, missing, "%s by %s", route.Name, who)
					for _, org := range []string{string(organizations["acme"]), "acme-works"} {
						for _, target := range []string{none, string(people["will"]), string(people["bob"])} {
							status, answer := w.Do(t, who, route.Method, fill(route.Pattern, org, target), body)
							require.Equal(t, missing, status, "%s by %s", route.Name, who)
							require.Equal(t, missingBody, answer, "%s by %s", route.Name, who)
						}
					}
				}
			}
		}
		status, missing := w.Do(t, "olga", "PUT", fill("/v1/organizations/acme-works/oem/users/{userId}/secret", "", none), "")
		require.Equal(t, 404, status)
		for _, outsider := range []string{"gina", "bob", "root"} {
			status, answer := w.Do(t, "olga", "PUT", secretPath("acme", outsider), "")
			require.Equal(t, 404, status)
			require.Equal(t, missing, answer)
		}
	})
}

// TestLogHoldsNoSecrets: what callers send and get stays out of the log, at
// whatever level.
func TestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		var log exchange.Log
		w := newWorldWith(t, open(), slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		token := w.credential(t, "olga")
		for _, body := range []string{`{"email": "canary@mail.example", "firstName": "canary"}`, `{"email": "canary@mail.example"}`, `{"email": "canary`} {
			w.Do(t, "key", "POST", createPath("acme"), body)
			w.Do(t, "viewerKey", "POST", createPath("acme"), body)
		}
		status, answer := w.Do(t, "ownerKey", "PUT", secretPath("acme", "will"), "")
		require.Equal(t, 200, status)
		_, secret, _ := strings.Cut(answer, `"oemSecret":"`)
		secret, _, _ = strings.Cut(secret, `"`)
		require.Len(t, secret, 47)
		w.Do(t, "olga", "PUT", secretPath("acme", "bob"), "")
		r := w.Request(t, "", "POST", createPath("acme"), "")
		r.Header.Set("Authorization", "Bearer canary-key-that-is-none")
		require.Equal(t, 401, w.Serve(r).Code)
		text := log.String()
		require.Contains(t, text, "/v1/organizations/{organizationId}/oem/users")
		for _, s := range []string{"canary", "mail.example", secret, secret[4:], token[:40], passphrase} {
			require.NotContains(t, text, s)
		}
	})
}
