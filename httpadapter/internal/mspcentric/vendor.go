package mspcentric

import (
	"net/http"
	"slices"
	"strings"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// grantClientCredentials is the one grant type that there is.
const grantClientCredentials = "client_credentials"

// credentials are those of a body; scope is a list as of RFC 6749, section 3.3.
type credentials struct {
	clientID, clientSecret, grantType, scope string
}

// authenticate returns m acting for the vendor whose credentials they are. The
// secret is looked at after everything else is right, save for the scope, which
// would say what a client may do.
func (d *dialect) authenticate(r *http.Request, m *usermgmt.Manager, c credentials) (*usermgmt.Manager, error) {
	if len(r.Header["Authorization"]) > 0 {
		return nil, wire.Invalidf("", "credentials must be in the body alone, without an Authorization header")
	}
	if c.grantType != grantClientCredentials {
		return nil, wire.Invalidf("grantType", "must be %s", grantClientCredentials)
	}
	scopes := strings.Fields(c.scope)
	actor, err := m.AuthenticateVendor(r.Context(), c.clientID, c.clientSecret, scopes...)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(scopes, usermgmt.ScopeVendorManage) {
		return nil, wire.Invalidf("scope", "must contain %s", usermgmt.ScopeVendorManage)
	}
	return d.gate.As(r, m, actor)
}
