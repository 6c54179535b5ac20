package orguser

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// TestCredentials holds the rules of RFC 6750 against every route; they go
// before all else, the header and the body included.
func TestCredentials(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		good, temporary := w.token(t, "olga"), w.token(t, "dan")
		for _, q := range requests("user789") {
			w.Refuses(t, q.method, q.target, good, exchange.Credentials(good, temporary), func(c exchange.Credential, rec *httptest.ResponseRecorder) {
				require.Contains(t, rec.Body.String(), `{"error":"`, "%s %s", q.name, c.Name)
			})
		}
		r := w.request(t, "", acme, "GET", path, "")
		r.Header.Set("Authorization", "bEARER   "+good)
		require.Equal(t, 200, w.Serve(r).Code, "the scheme's name is without case")
	})
}

// TestHeader: which organization is meant leaves no doubt, on any route.
func TestHeader(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const required = `{"error":"Organization ID is required"}`
		tests := []struct {
			name                  string
			underscored, hyphened []string
			status                int
			body                  string // if not empty
		}{
			{"missing", nil, nil, 400, required},
			{"no_values", []string{}, []string{}, 400, required},
			{"empty", []string{""}, nil, 400, required},
			{"empty_hyphenated", nil, []string{""}, 400, required},
			{"empty_beside_the_other", []string{"org123"}, []string{""}, 400, required},
			{"empty_before_the_other", []string{""}, []string{"org123"}, 400, required},
			{"twice", []string{"org123", "org123"}, nil, 400, ""},
			{"twice_hyphenated", nil, []string{"org123", "org123"}, 400, ""},
			{"twice_different", []string{"org123", "org999"}, nil, 400, ""},
			{"different", []string{"org123"}, []string{"org999"}, 400, ""},
			{"different_the_other_way", []string{"org999"}, []string{"org123"}, 400, ""},
			{"different_in_case", []string{"org123"}, []string{"ORG123"}, 400, ""},
			{"too_long", []string{strings.Repeat("o", 129)}, nil, 400, ""},
			{"huge", nil, []string{strings.Repeat("o", 20_000)}, 400, ""},
			{"invalid_utf8", []string{"org\xff"}, nil, 400, ""},
			{"nul", []string{"org123\x00"}, nil, 400, ""},
			{"longest", []string{strings.Repeat("o", 128)}, nil, 403, ""},
			{"joined_by_a_proxy", []string{"org123, org123"}, nil, 403, ""},
			{"case_counts", []string{"ORG123"}, nil, 403, ""},
			{"space", []string{"org123 "}, nil, 403, ""},
			{"wildcard", []string{"*"}, nil, 403, ""},
			{"path", []string{"../org123"}, nil, 403, ""},
		}
		good := "Bearer " + w.token(t, "jane.smith")
		for _, tt := range tests {
			for _, q := range requests("user000") {
				r := httptest.NewRequest(q.method, q.target+"?organization_id=org123", strings.NewReader(`{"organization_id": "org123"}`))
				r.Header["Authorization"] = []string{good}
				r.Header[withUnderscore], r.Header[withHyphen] = tt.underscored, tt.hyphened
				rec := w.Serve(r)
				require.Equal(t, tt.status, rec.Code, "%s %s: %s", tt.name, q.name, rec.Body)
				if tt.body != "" {
					require.Equal(t, tt.body, rec.Body.String(), "%s %s", tt.name, q.name)
				}
			}
		}
		for _, name := range []string{"organization_id", "Organization_id", "ORGANIZATION_ID", "organization-id", "Organization-Id", "ORGANIZATION-ID"} {
			r := w.request(t, "", "", "GET", path, "")
			r.Header.Set("Authorization", good)
			r.Header.Set(name, "org123")
			require.Equal(t, 200, w.Serve(r).Code, name)
		}
	})
}

func TestHostileBodies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		valid := map[string]string{
			"POST":   `"email": "eve@example.com", "role": "member"`,
			"PUT":    `"user_id": "user789", "role": "admin"`,
			"DELETE": `"user_id": "user789"`,
		}
		members := append(exchange.Spoilers(), // and of this dialect, with a valid object around them
			`"x": 1, "X": 2`, `"ſ": 1, "s": 2`,
			`"organization_id": "org999"`, `"organization_id": "ORG123"`, `"organization_id": ""`, `"organization_id": 1`, `"organization_id": ["org123"]`,
			`"ORGANIZATION_ID": "org999"`, `"organization_id": "org123", "Organization_Id": "org123"`,
		)
		for method, inner := range valid {
			token := "Bearer " + w.token(t, "olga")
			do := func(contentType, body string) (int, string) {
				r := w.request(t, "", acme, method, path, body)
				r.Header.Set("Authorization", token)
				if contentType != "" {
					r.Header.Set("Content-Type", contentType)
				}
				rec := w.Serve(r)
				return rec.Code, rec.Body.String()
			}
			for _, body := range exchange.Bodies() {
				status, answer := do("", body)
				require.Equal(t, 400, status, "%s %q: %s", method, body, answer)
			}
			for _, member := range members {
				status, answer := do("", "{"+inner+", "+member+"}")
				require.Equal(t, 400, status, "%s %.80q: %s", method, member, answer)
			}
			for _, pair := range strings.Split(inner, ", ") {
				name, value, _ := strings.Cut(pair, ": ")
				for _, wrong := range []string{"null", "{}", "true", `["user789"]`, `[null]`, "1.5", `""`, value + ", " + strings.ToUpper(name) + ": " + value} {
					status, answer := do("", "{"+strings.Replace(inner, pair, name+": "+wrong, 1)+"}")
					require.Equal(t, 400, status, "%s %s %s: %s", method, name, wrong, answer)
					require.Contains(t, strings.ToLower(answer), strings.Trim(name, `"`), "the answer names the member")
				}
			}
			for _, contentType := range exchange.OtherMedia() {
				status, answer := do(contentType, "{"+inner+"}")
				require.Equal(t, 415, status, "%s %s: %s", method, contentType, answer)
			}
			status, answer := do("", "{"+inner+", "+exchange.TooLong()+"}")
			require.Equal(t, 413, status, "%s: %s", method, answer)
		}
		john := must[usermgmt.Member](t)(w.Member(t.Context(), acme, "user789"))
		require.EqualValues(t, 1, john.Version, "nothing of all that was written")
		_, err := w.UserByUsername(t.Context(), "eve@example.com")
		require.ErrorIs(t, err, usermgmt.ErrNotFound)
	})
}

// TestHostileIDs: an id of whatever form is unknown, and no route is reached by
// another spelling.
func TestHostileIDs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := "Bearer " + w.token(t, "olga")
		for target, want := range map[string]int{
			"/organization-user/":                              200,
			"//organization-user":                              200,
			"/organization-user/USER456":                       404,
			"/organization-user/user456%20":                    404,
			"/organization-user/user456%2F":                    404,
			"/organization-user/%75ser456":                     200,
			"/organization-user/user456%00":                    404,
			"/organization-user/..":                            404,
			"/organization-user/%2e%2e":                        404,
			"/organization-user/*":                             404,
			"/organization-user/%ff":                           404,
			"/organization-user/user456/role":                  404,
			"/Organization-User":                               404,
			"/organization_user":                               404,
			"/organization-user/" + strings.Repeat("u", 1_024): 404,
			"/organization-user/" + strings.Repeat("u", 9_000): 404,
			"/organization-user/'%20OR%201=1--":                404,
		} {
			r := httptest.NewRequest("GET", target, nil)
			r.Header.Set("Authorization", token)
			r.Header.Set("organization_id", "org123")
			require.Equal(t, want, w.Serve(r).Code, "%.60s", target)
		}
		for _, id := range []string{" user789", "USER789", "u\u200bser789", strings.Repeat("u", 10_000), "user789' OR '1'='1", "user789,user456"} {
			for method, members := range map[string]string{"PUT": `, "role": "reader"`, "DELETE": ""} {
				status, answer := w.do(t, "olga", acme, method, path, `{"user_id": "`+id+`"`+members+`}`)
				require.Equal(t, 404, status, "%s %.40q: %s", method, id, answer)
			}
		}
	})
}

// TestHostileAddresses: what is no address is 400, and makes nobody.
func TestHostileAddresses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := "Bearer " + w.token(t, "olga")
		for _, email := range []string{
			"@", "a@", "@b", "a", "a@@b", "a b@c", ".a@b", "a..b@c", "a@b.", "a@-b", "a@[1.2.3.4]", "<a@b>", "Eve <eve@example.com>", "eve@example.com,bob@example.com",
			`e\u200bve@example.com`, `eve\u202e@example.com`, `eve@example.com\n`, strings.Repeat("a", 250) + "@b.cd", strings.Repeat("a", 16_000) + "@b.cd",
		} {
			r := w.request(t, "", acme, "POST", path, `{"email": "`+email+`", "role": "member"}`)
			r.Header.Set("Authorization", token)
			rec := w.Serve(r)
			require.Equal(t, 400, rec.Code, "%.60s: %s", email, rec.Body)
			require.Contains(t, rec.Body.String(), `{"error":"email: `)
		}
		users := must[usermgmt.List[usermgmt.User]](t)(w.Users(t.Context(), usermgmt.UserList{Page: usermgmt.Page{Limit: usermgmt.MaxPage}}))
		require.Len(t, users.Items, len(people))
	})
}

// TestMethods: 404 and 405 come before 401.
func TestMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memstore.New())
	for target, allow := range map[string]string{
		path: "DELETE, GET, HEAD, OPTIONS, POST, PUT", path + "/x": "GET, HEAD, OPTIONS",
	} {
		w.Methods(t, target, allow, 401)
	}
}
