package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/usermgmt-go/usermgmt"
)

// The demo's administrator and API key. They are public, so they are created on
// loopback addresses alone.
const (
	demoAdmin    = "admin@example.com"
	demoPassword = "demo password 42"
	demoKey      = "demo-api-key-42-for-acme"
)

// stop is one request of the tour through the dialects.
type stop struct {
	title, method, path string
	header              []string // "Name: value"
	bearer              string   // a token; the word userToken stands for the administrator's
	body                string
}

const userToken = "$T"

var tour = []stop{
	{
		title: "MSPCentric OEM: a vendor adds a user to one of his organizations", method: "POST", path: "/api/oem-api/user",
		body: `{"clientId":"your-client-id","clientSecret":"your-client-secret","grantType":"client_credentials","scope":"vendor_manage",` +
			`"data":{"email":"john.doe@partner.example","firstName":"John","lastName":"Doe","vendorUserId":"5678","vendorOrganizationId":"1234"}}`,
	},
	{
		title: "Applivery OEM users: an API key creates a user", method: "POST", path: "/v1/organizations/acme/oem/users",
		bearer: demoKey, body: `{"email":"new@example.com","firstName":"New","lastName":"User","tags":["demo"]}`,
	},
	{
		title: "organization-user: the members of an organization", method: "GET", path: "/organization-user",
		header: []string{"organization_id: org123"}, bearer: userToken,
	},
	{
		title: "fulfillmenttools: users with roles at facilities", method: "GET", path: "/api/users", bearer: userToken,
	},
	{
		title: "Socotra: users, roles and permissions", method: "GET", path: "/auth/users/list", bearer: userToken,
	},
}

// curl is the request as a line for a shell in which T is the administrator's token.
func (s stop) curl(base string) string {
	line := "curl -s "
	if s.method != "GET" {
		line += "-X " + s.method + " "
	}
	line += base + s.path
	for _, h := range s.header {
		line += " -H '" + h + "'"
	}
	if s.bearer != "" {
		line += ` -H "Authorization: Bearer ` + s.bearer + `"`
	}
	if s.body != "" {
		line += " -H 'Content-Type: application/json' -d '" + s.body + "'"
	}
	return line
}

// printTour prints a line for each dialect, if the demo's administrator is there
// to make them work.
func printTour(ctx context.Context, m *usermgmt.Manager, out io.Writer, base string) error {
	admin, err := m.UserByUsername(ctx, demoAdmin)
	if errors.Is(err, usermgmt.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if ok, err := m.VerifyPassword(ctx, admin.ID, demoPassword); err != nil || !ok {
		return err
	}
	var b strings.Builder
	signIn := stop{method: "POST", path: "/session", body: fmt.Sprintf(`{"username":%q,"password":%q}`, demoAdmin, demoPassword)}
	fmt.Fprintf(&b, "\nthe administrator signs in; the lines below use his token:\n  T=$(%s | %s)\n",
		signIn.curl(base), `sed 's/.*"access_token":"\([^"]*\)".*/\1/'`)
	for _, s := range tour {
		fmt.Fprintf(&b, "\n%s:\n  %s\n", s.title, s.curl(base))
	}
	fmt.Fprintf(&b, "\nwhat is served, in OpenAPI 3.1: %s/openapi.json\n\n", base)
	_, err = io.WriteString(out, b.String())
	return err
}
