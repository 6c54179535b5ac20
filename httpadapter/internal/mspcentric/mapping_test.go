package mspcentric

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func TestSessionOf(t *testing.T) {
	t.Parallel()
	at := time.Date(2020, 9, 25, 12, 6, 35, 9_999_000, time.FixedZone("", 2*3600))
	got := sessionOf(usermgmt.Code{RedirectURL: "https://app.example/?code=x", ExpiresAt: at})
	require.Equal(t, sessionResponse{201, "Successfully created session", "https://app.example/?code=x", "2020-09-25T10:06:35.009Z"}, got)
}

// TestOther: whatever is in data that does not name somebody is refused, since
// without a name the token's own user goes.
func TestOther(t *testing.T) {
	t.Parallel()
	d := &wire.Decoder{}
	body := func(data string) removalRequest {
		var req removalRequest
		require.NoError(t, d.Unmarshal([]byte(`{"clientId": "", "clientSecret": "", "grantType": "", "scope": "", "organizationOemToken": ""`+data+`}`), &req))
		return req
	}
	for data, want := range map[string]usermgmt.MemberRef{
		``:                                   {},
		`, "Data": {"email": "a@b"}`:         {}, // another member, and ignored
		`, "data": {"email": "a@b"}`:         {Email: "a@b"},
		`, "data": {"vendorUserId": "1"}`:    {VendorUserID: "1"},
		`, "data": {"vendorUserId": " "}`:    {VendorUserID: " "},
		`, "data": {"email": "a@b", "x": 1}`: {Email: "a@b"},
		`, "data": {"email": "a@b", "vendorUserId": null}`: {Email: "a@b"},
		`, "data": {"email": "a@b", "vendorUserId": "1"}`:  {Email: "a@b", VendorUserID: "1"},
	} {
		got, err := body(data).other()
		require.NoError(t, err, data)
		require.Equal(t, want, got, data)
	}
	for data, field := range map[string]string{
		`, "data": {}`:                                       "data",
		`, "data": {"Email": "a@b"}`:                         "data",
		`, "data": {"email": null}`:                          "data",
		`, "data": {"email": null, "vendorUserId": null}`:    "data",
		`, "data": {"email": ""}`:                            "data.email",
		`, "data": {"email": "", "vendorUserId": "1"}`:       "data.email",
		`, "data": {"vendorUserId": ""}`:                     "data.vendorUserId",
		`, "data": {"email": "a@b", "vendorUserId": ""}`:     "data.vendorUserId",
		`, "data": {"email": "nobody", "vendorUserId": "1"}`: "data.email",
	} {
		_, err := body(data).other()
		var e *wire.Error
		require.ErrorAs(t, err, &e, data)
		require.Equal(t, field, e.Field, data)
	}
}

// TestKeySets fixes the members of every answer.
func TestKeySets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		answer any
		want   string
	}{
		{provisionedResponse{}, "message organizationOemToken status"},
		{statusResponse{}, "message status"},
		{sessionResponse{}, "expiresAt message redirectUrl status"},
	} {
		require.Equal(t, tt.want, exchange.Members(t, tt.answer), "%T", tt.answer)
	}
}

func FuzzUser(f *testing.F) {
	f.Add([]byte(`{"email": "john.doe@example.com", "firstName": "John", "lastName": "Doe", "vendorUserId": "5678", "vendorOrganizationId": "1234"}`))
	f.Add([]byte(`{"email": "a@b", "firstName": null, "vendorOrganizationId": null}`))
	f.Add([]byte(`{"email": "ö@bücher.example", "vendorUserId": "", "role": "owner"}`))
	d := &wire.Decoder{}
	f.Fuzz(func(t *testing.T, body []byte) {
		var data userData
		if d.Unmarshal(body, &data) != nil {
			return
		}
		u, err := data.user()
		if err != nil {
			if u != (usermgmt.VendorUser{}) {
				t.Fatalf("an error and %+v", u)
			}
			return
		}
		for _, s := range []string{u.Email, u.FirstName, u.LastName, u.VendorUserID, u.VendorOrganizationID} {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Fatalf("%q came through", s)
			}
		}
		if strings.Count(u.Email, "@") != 1 {
			t.Fatalf("%q is no e-mail address", u.Email)
		}
		if _, ok := data.VendorOrganizationID.Get(); ok != (u.VendorOrganizationID != "") {
			t.Fatalf("%+v became %+v", data, u)
		}
		organization := organizationData{"N", data.Email, data.FirstName, data.LastName, data.VendorUserID, data.VendorOrganizationID}
		if owner, err := organization.owner(); err != nil || owner != u {
			t.Fatalf("%+v as an owner, %v; %+v as a user", owner, err, u)
		}
	})
}

func FuzzRemoval(f *testing.F) {
	f.Add([]byte(`{"clientId": "c", "clientSecret": "s", "grantType": "client_credentials", "scope": "vendor_manage", "organizationOemToken": "umo_"}`))
	f.Add([]byte(`{"clientId": "", "clientSecret": "", "grantType": "", "scope": "", "organizationOemToken": "", "data": {"email": "a@b", "vendorUserId": "1"}}`))
	f.Add([]byte(`{"clientId": "", "clientSecret": "", "grantType": "", "scope": "", "organizationOemToken": "", "data": null}`))
	d := &wire.Decoder{}
	f.Fuzz(func(t *testing.T, body []byte) {
		var req removalRequest
		if d.Unmarshal(body, &req) != nil {
			return
		}
		ref, err := req.other()
		if err != nil {
			if ref != (usermgmt.MemberRef{}) {
				t.Fatalf("an error and %+v", ref)
			}
			return
		}
		var members map[string]any
		if err := json.Unmarshal(body, &members); err != nil {
			t.Fatal(err)
		}
		if _, given := members["data"]; given != (ref != usermgmt.MemberRef{}) {
			t.Fatalf("%s names %+v", body, ref)
		}
	})
}
