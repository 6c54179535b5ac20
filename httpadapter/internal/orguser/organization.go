package orguser

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// organizationParam is the header that organizationOf reads.
var organizationParam = wire.Parameter{
	In: "header", Name: "organization_id", Type: "string", Required: true,
	Summary: "The organization's id, at most 128 bytes. Organization-Id is as good, for proxies that drop names with an underscore.",
}

// The header's two spellings, as net/http has them.
const (
	withUnderscore = "Organization_id"
	withHyphen     = "Organization-Id"
)

// maxOrganizationID is the greatest length of an organization's id, in bytes.
const maxOrganizationID = 128

// organizationOf reads which organization the request is for. Proxies drop the
// name with the underscore or turn it into the other one, so either is taken;
// two values that differ, and a value twice, are 400: what checks the first must
// not serve the second.
func organizationOf(r *http.Request) (usermgmt.OrganizationID, error) {
	id := ""
	for _, name := range []string{withUnderscore, withHyphen} {
		values := r.Header[name]
		switch {
		case len(values) == 0:
			continue
		case len(values) > 1:
			return "", wire.Invalidf(organizationParam.Name, "must not be given twice")
		case values[0] == "":
			return "", errNoOrganizationID
		case id != "" && values[0] != id:
			return "", wire.Invalidf(organizationParam.Name, "must not differ from Organization-Id")
		}
		id = values[0]
	}
	switch {
	case id == "":
		return "", errNoOrganizationID
	case len(id) > maxOrganizationID:
		return "", wire.Invalidf(organizationParam.Name, "must have at most %d bytes", maxOrganizationID)
	case !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl):
		return "", wire.Invalidf(organizationParam.Name, "must be valid UTF-8 without control characters")
	}
	return usermgmt.OrganizationID(id), nil
}

var errNoOrganizationID = &wire.Error{Kind: wire.Invalid, Detail: "Organization ID is required"}

// enter returns the organization that the request is for, once the caller
// proved to hold the permission in it. Who has no part in it gets the same 403
// whether it exists or not.
func enter(m *usermgmt.Manager, r *http.Request, p usermgmt.Permission) (usermgmt.OrganizationID, error) {
	org, err := organizationOf(r)
	if err != nil {
		return "", err
	}
	return org, m.Require(r.Context(), p, usermgmt.InOrganization(org))
}
