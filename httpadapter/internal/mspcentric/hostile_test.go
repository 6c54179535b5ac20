package mspcentric

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// inner are the members of a valid body of each route, in the order in which
// tests can take them apart.
func (w *world) inner() map[string][]string {
	credentials := []string{`"clientId": "your-client-id"`, `"clientSecret": "your-client-secret"`, `"grantType": "client_credentials"`, `"scope": "vendor_manage"`}
	with := func(members ...string) []string { return append(credentials[:4:4], members...) }
	return map[string][]string{
		"POST " + organizations: with(`"data": {"name": "N", "email": "n@new.example"}`),
		"POST " + users:         with(`"data": {"email": "n@acme.example"}`),
		"DELETE " + users:       with(`"organizationOemToken": "` + w.tokens["max"] + `"`),
		"POST " + sessions:      with(`"organizationOemToken": "` + w.tokens["max"] + `"`),
	}
}

func (w *world) raw(target, body string) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(target, " ")
	return w.Serve(httptest.NewRequest(method, path, strings.NewReader(body)))
}

func TestHostileBodies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.unchanged(t, func() {
			for target, inner := range w.inner() {
				refused := func(body, names string) {
					t.Helper()
					rec := w.raw(target, body)
					require.Equal(t, 400, rec.Code, "%s %.300s: %s", target, body, rec.Body)
					require.Contains(t, rec.Body.String(), names, "%s %.300s", target, body)
					require.NotContains(t, rec.Body.String(), "your-client-secret")
					var res statusResponse
					require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &res))
					require.Equal(t, 400, res.Status)
				}
				whole := strings.Join(inner, ", ")
				for _, body := range exchange.Bodies() {
					refused(body, "")
				}
				for _, member := range exchange.Spoilers() {
					refused("{"+whole+", "+member+"}", "")
				}
				for i, member := range inner {
					name, _, _ := strings.Cut(member, ": ")
					others := strings.Join(append(inner[:i:i], inner[i+1:]...), ", ")
					refused("{"+others+"}", strings.Trim(name, `"`)+": is required")
					refused("{"+whole+", "+member+"}", strings.Trim(name, `"`)+": must not be given twice")
					refused("{"+others+", "+strings.ToUpper(name)+`: "x"}`, strings.Trim(name, `"`)+": is required")
					for _, wrong := range []string{"null", "true", "1", "[]", `["a"]`} {
						refused("{"+others+", "+name+": "+wrong+"}", strings.Trim(name, `"`)+": must be ")
					}
				}
			}
		})
	})
}

func TestHostileMembers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		inner := w.inner()
		w.unchanged(t, func() {
			for _, tt := range []struct{ target, names, value string }{
				{"POST " + organizations, "data.name", `{"name": %, "email": "n@new.example"}`},
				{"POST " + organizations, "data.email", `{"name": "N", "email": %}`},
				{"POST " + users, "data.email", `{"email": %}`},
				{"POST " + users, "data.firstName", `{"email": "n@acme.example", "firstName": %}`},
				{"POST " + users, "data.lastName", `{"email": "n@acme.example", "lastName": %}`},
				{"POST " + users, "data.vendorUserId", `{"email": "n@acme.example", "vendorUserId": %}`},
				{"POST " + users, "data.vendorOrganizationId", `{"email": "n@acme.example", "vendorOrganizationId": %}`},
				{"POST " + organizations, "data.vendorOrganizationId", `{"name": "N", "email": "n@acme.example", "vendorOrganizationId": %}`},
				{"DELETE " + users, "data.email", `{"email": %}`},
			} {
				credentials := strings.Join(inner[tt.target][:4], ", ")
				if strings.HasPrefix(tt.target, "DELETE") {
					credentials = strings.Join(inner[tt.target], ", ")
				}
				for _, value := range []string{`1`, `false`, `{}`, `[]`, `"\n"`, `"\u007f"`, `"` + strings.Repeat("ö", 4_000) + `"`} {
					rec := w.raw(tt.target, "{"+credentials+`, "data": `+strings.Replace(tt.value, "%", value, 1)+"}")
					require.Equal(t, 400, rec.Code, "%s %s %.20s: %s", tt.target, tt.names, value, rec.Body)
					require.Contains(t, rec.Body.String(), `"`+tt.names+": ", value)
				}
			}
		})
	})
}

func TestMediaAndSize(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.unchanged(t, func() {
			for target, inner := range w.inner() {
				method, path, _ := strings.Cut(target, " ")
				whole := strings.Join(inner, ", ")
				for _, contentType := range exchange.OtherMedia() {
					r := httptest.NewRequest(method, path, strings.NewReader("{"+whole+"}"))
					r.Header.Set("Content-Type", contentType)
					require.Equal(t, 415, w.Serve(r).Code, "%s %s", target, contentType)
				}
				rec := w.raw(target, "{"+whole+", "+exchange.TooLong()+"}")
				require.Equal(t, 413, rec.Code, target)
				r := httptest.NewRequest(method, path, strings.NewReader("{"))
				r.ContentLength = 1 << 40
				require.Equal(t, 413, w.Serve(r).Code, target)
			}
		})
	})
}

// TestLimit: the host's limit of a body's size is every route's.
func TestLimit(t *testing.T) {
	t.Parallel()
	mount := Mount(caller.NewGate(newWorld(t, memstore.New()).Manager, caller.Options{}), 64)
	for _, route := range mount.Routes {
		r := httptest.NewRequest(route.Method, route.Pattern, strings.NewReader(`{"x": "`+strings.Repeat("a", 64)+`"}`))
		require.ErrorContains(t, route.Handler(httptest.NewRecorder(), r), "64 bytes")
	}
}

// TestCredentialsElsewhere: they are taken from the body and nowhere else, and
// are never in two places.
func TestCredentialsElsewhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.unchanged(t, func() {
			for target, inner := range w.inner() {
				method, path, _ := strings.Cut(target, " ")
				for _, header := range []string{"Bearer x", "Basic eW91ci1jbGllbnQtaWQ6eW91ci1jbGllbnQtc2VjcmV0", ""} {
					r := httptest.NewRequest(method, path, strings.NewReader("{"+strings.Join(inner, ", ")+"}"))
					r.Header.Set("Authorization", header)
					rec := w.Serve(r)
					require.Equal(t, 400, rec.Code, "%s %q", target, header)
					require.Empty(t, rec.Header().Get("WWW-Authenticate"))

					r = httptest.NewRequest(method, path, strings.NewReader("{"+inner[4]+"}"))
					r.Header.Set("Authorization", header)
					require.Equal(t, 400, w.Serve(r).Code, "%s %q instead of the body", target, header)
				}
				query := "?clientId=your-client-id&clientSecret=your-client-secret&grantType=client_credentials&scope=vendor_manage"
				require.Equal(t, 400, w.raw(target+query, "{"+inner[4]+"}").Code, target)
			}
		})
	})
}

// TestMethods: 404 and 405 come before everything else.
func TestMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memstore.New())
	for path, allow := range map[string]string{organizations: "OPTIONS, POST", users: "DELETE, OPTIONS, POST", sessions: "OPTIONS, POST"} {
		w.Methods(t, path, allow, 400)
	}
	for _, path := range []string{"/api/oem-api", "/api/oem-api/", "/api/oem-api/users", "/api/oem-api/user/x", "/api/oem-api/organization/x",
		"/api/oem-api/organization/session/x", "/api/oem-api/%75ser", "/api/oem-api/USER", "/api/oem-api/x/../user", "/api/oem-api/user%00"} {
		require.Equal(t, 404, w.Serve(httptest.NewRequest("POST", path, nil)).Code, path)
	}
}
