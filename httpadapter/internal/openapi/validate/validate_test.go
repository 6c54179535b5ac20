package validate

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/memstore"
)

// operation is where the description has one.
type operation struct {
	path, method string
	item         *openapi3.PathItem
	*openapi3.Operation
}

// description is what an adapter with all dialects says of itself.
type description struct {
	doc        *openapi3.T
	operations map[string]operation
}

func newAdapter(t testing.TB, o httpadapter.Options) (*httpadapter.Adapter, *usermgmt.Manager) {
	t.Helper()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	m, err := usermgmt.New(memstore.New(), usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, Logger: slog.New(slog.DiscardHandler),
		PasswordHash: usermgmt.PasswordHash{MemoryKiB: 64, Time: 1, Threads: 1},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	a, err := httpadapter.New(m, o)
	require.NoError(t, err)
	return a, m
}

func describe(t testing.TB, h http.Handler, prefix string) description {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", prefix+"/openapi.json", nil))
	require.Equal(t, 200, rec.Code)
	doc, err := openapi3.NewLoader().LoadFromData(rec.Body.Bytes())
	require.NoError(t, err)
	require.NoError(t, doc.Validate(context.Background()))
	d := description{doc: doc, operations: map[string]operation{}}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			d.operations[op.OperationID] = operation{path, method, item, op}
		}
	}
	return d
}

// close forbids members of answers that the description does not have. To
// clients it leaves them open.
func (d description) close() {
	for name, schema := range d.doc.Components.Schemas {
		if !strings.HasSuffix(name, "Request") && schema.Value.Properties != nil {
			no := false
			schema.Value.AdditionalProperties = openapi3.BoolSchema{Has: &no}
		}
	}
}

func TestDescription(t *testing.T) {
	t.Parallel()
	a, _ := newAdapter(t, httpadapter.Options{})
	d := describe(t, a, "")
	require.Equal(t, "3.1.0", d.doc.OpenAPI)
	require.Contains(t, d.operations, "socotra.createUser")
	require.Empty(t, d.doc.Servers)
	action := d.doc.Components.Schemas["fulfillmenttools.ActionRequest"].Value
	for member, admitted := range map[string][]string{"firstname": {"string"}, "roles": {"array"}, "email": {"string", "null"}} {
		require.Equal(t, admitted, action.Properties[member].Value.Type.Slice(), member)
	}
	require.Equal(t, []string{"action"}, action.Required)

	a, _ = newAdapter(t, httpadapter.Options{Prefix: "/directory/", Dialects: []httpadapter.Dialect{httpadapter.Applivery}, NoSessions: true})
	d = describe(t, a, "/directory")
	require.Equal(t, "/directory", d.doc.Servers[0].URL)
	require.Contains(t, d.operations, "describe")
	for id := range d.operations {
		require.True(t, id == "describe" || strings.HasPrefix(id, "applivery."), "%s is not mounted", id)
	}

	a, _ = newAdapter(t, httpadapter.Options{NoDescription: true})
	rec := httptest.NewRecorder()
	a.ServeHTTP(rec, httptest.NewRequest("GET", "/openapi.json", nil))
	require.Equal(t, 404, rec.Code)
}

var word = regexp.MustCompile(`<([a-zA-Z0-9_:-]+)>`)

// check holds a request that was answered, and its answer, against the operation.
func (d description) check(t testing.TB, op operation, r *http.Request, status int, header http.Header, body string) {
	t.Helper()
	options := &openapi3filter.Options{
		AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
		IncludeResponseStatus: true,
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: pathParams(op.path, r.URL.Path), QueryParams: r.URL.Query(), Options: options,
		Route: &routers.Route{Spec: d.doc, Path: op.path, PathItem: op.item, Method: op.method, Operation: op.Operation},
	}
	if status < 300 {
		if r.Header.Get("Content-Type") == "" && r.ContentLength != 0 {
			r.Header.Set("Content-Type", "application/json") // what none counts as
		}
		require.NoError(t, openapi3filter.ValidateRequest(t.Context(), input))
	}
	require.NoError(t, openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Options: options,
	}), "the answer %d", status)
}

// pathParams matches a path with a pattern; empty segments count for nothing.
func pathParams(pattern, path string) map[string]string {
	params := map[string]string{}
	fields := func(s string) []string { return strings.FieldsFunc(s, func(c rune) bool { return c == '/' }) }
	got := fields(path)
	for i, s := range fields(pattern) {
		if strings.HasPrefix(s, "{") && i < len(got) {
			params[strings.Trim(s, "{}")] = got[i]
		}
	}
	return params
}

// tolerated are requests that are served for the sake of clients that exist,
// though they are none of what is described.
var tolerated = map[string]bool{
	"socotra/resetUserPassword-bare_text_as_json": true,
	"orguser/addMember-hyphenated_header":         true,
	"orguser/addMember-names_of_the_web_client":   true,
	"orguser/updateMember-names_in_capitals":      true,
}

// TestExchanges: what the dialects' tests have seen requested and answered is
// what the description says.
func TestExchanges(t *testing.T) {
	t.Parallel()
	a, _ := newAdapter(t, httpadapter.Options{})
	d := describe(t, a, "")
	d.close()
	for folder, prefix := range map[string]string{
		"mspcentric": "mspcentric", "applivery": "applivery", "orguser": "organization-user",
		"fulfillmenttools": "fulfillmenttools", "socotra": "socotra",
	} {
		for _, x := range exchange.All(t, "../../"+folder+"/testdata") {
			if x.Route == exchange.AnyRoute {
				continue
			}
			t.Run(folder+"/"+x.Name(), func(t *testing.T) {
				op, ok := d.operations[prefix+"."+x.Route]
				require.True(t, ok, "the description has no %s.%s", prefix, x.Route)
				status, header, body := x.Response(t)
				target := word.ReplaceAllString(x.Target, "$1")
				if tolerated[folder+"/"+x.Name()] {
					return
				}
				r := httptest.NewRequest(x.Method, target, strings.NewReader(word.ReplaceAllString(x.Body, "$1")))
				for name, values := range x.Header {
					r.Header[name] = values
				}
				d.check(t, op, r, status, header, body)
			})
		}
	}
}

// TestSessions: the routes that all dialects share.
func TestSessions(t *testing.T) {
	t.Parallel()
	a, m := newAdapter(t, httpadapter.Options{})
	d := describe(t, a, "")
	d.close()
	_, err := m.CreateUser(t.Context(), usermgmt.NewUser{Username: "ada", Password: "violet cradle 77"})
	require.NoError(t, err)
	_, _, err = m.CreateVendor(t.Context(), usermgmt.NewVendor{Name: "Globex", ClientID: "globex", Secret: "seven lamps 31"})
	require.NoError(t, err)
	tokens, err := m.SignIn(t.Context(), "ada", "violet cradle 77")
	require.NoError(t, err)
	const media, form = "application/json", "application/x-www-form-urlencoded"
	for _, x := range []struct {
		operation, media, body string
		status                 int
	}{
		{"signIn", media, `{"username":"ada","password":"violet cradle 77"}`, 200},
		{"signIn", media, `{"username":"ada","password":"wrong"}`, 400},
		{"refreshSession", media, `{"refresh_token":"` + tokens.RefreshToken + `"}`, 200},
		{"changePassword", media, `{"password":"wrong","new_password":"seven lamps 31"}`, 400},
		{"fetchKeys", "", "", 200},
		{"issueToken", form, "grant_type=client_credentials&client_id=globex&client_secret=seven+lamps+31", 200},
		{"issueToken", form, "grant_type=client_credentials&client_id=globex&client_secret=wrong", 401},
		{"signOut", "", "", 204},
		{"signOut", "", "", 401},
		{"describe", "", "", 200},
	} {
		op, ok := d.operations[x.operation]
		require.True(t, ok, x.operation)
		request := func() *http.Request {
			r := httptest.NewRequest(op.method, op.path, bytes.NewReader([]byte(x.body)))
			r.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
			if x.operation == "issueToken" {
				r.Header.Del("Authorization")
			}
			if x.media != "" {
				r.Header.Set("Content-Type", x.media)
			}
			return r
		}
		rec := httptest.NewRecorder()
		a.ServeHTTP(rec, request())
		require.Equal(t, x.status, rec.Code, "%s: %s", x.operation, rec.Body)
		d.check(t, op, request(), rec.Code, rec.Header(), rec.Body.String())
	}
}
