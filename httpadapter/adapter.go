// Package httpadapter serves a [usermgmt.Manager] over HTTP, in published
// dialects, beside whatever else the host serves.
//
//	adapter, err := httpadapter.New(m, httpadapter.Options{})
//	if err != nil {
//		return err
//	}
//	return http.ListenAndServe("127.0.0.1:8080", adapter)
//
// A dialect is a set of routes, bodies and errors that someone published and
// clients rely on; docs/dialects describes each, with what we decided where its
// text is silent. All dialects serve one realm: a user created through one is
// there in the others. An actor is who calls; the adapter never acts with more
// than his authority.
package httpadapter

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/openapi"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/session"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Options of an Adapter. The zero Options serve every dialect.
type Options struct {
	// Dialects to serve; all if empty. One given twice is an error.
	Dialects []Dialect
	// OEMRole is the role of whom Applivery's route makes a member, a built-in one
	// of organizations; RoleViewer if empty. Whoever calls must hold what it holds.
	OEMRole usermgmt.RoleID
	// NoSessions leaves out signing in and out (/session), the key set
	// (/.well-known/jwks.json) and vendors' tokens (/oauth2/token), for hosts
	// with a sign-in of their own.
	NoSessions bool
	// NoDescription leaves out /openapi.json, the description of what is served
	// (OpenAPI 3.1). It names routes and what they need, and no data.
	NoDescription bool
	// Prefix lies before all paths, as "/accounts", with or without a slash at its
	// end; the host does not strip it.
	Prefix string
	// MaxBody is the greatest size of a request's body in bytes; 64 KiB if 0.
	// More is 413.
	MaxBody int64
	// Realm says which realm a request is for, by its host name for instance;
	// the Manager's own if nil. A request for a realm that cannot exist, such
	// as "", is 404. It is called concurrently, as is Tenant.
	Realm func(*http.Request) usermgmt.Realm
	// Tenant ties a request to a tenant: a caller outside of it gets 403, be he a
	// user, an API key whose owner is outside or that has none, or a vendor. A
	// request is tied to none if Tenant is nil or returns "".
	Tenant func(*http.Request) usermgmt.TenantID
	// ClientAddress says where a request comes from, so that failed attempts count
	// by address too (see [usermgmt.Throttle]). [RemoteAddress] is for servers
	// that callers connect to themselves. Behind a proxy it would have all
	// callers share one address, and each could shut out the others: there the
	// host takes what its own proxy says, and no header that a caller may have
	// set. With nil, or for the zero Addr, the address is not known and
	// nothing counts by it. It is called concurrently.
	ClientAddress func(*http.Request) netip.Addr
	// IdentityProvider, if not nil, lets users in by the tokens that it issues
	// too.
	IdentityProvider *IdentityProvider
	// Logger gets a line per request and the full text of errors of which
	// callers see a fixed sentence; nothing is logged if it is nil. No line holds
	// a credential, a body or a query; at debug level, why a request was refused
	// may quote a name in it.
	Logger *slog.Logger
}

// Adapter serves a Manager. It is an [http.Handler], immutable and safe for
// concurrent use.
type Adapter struct {
	gate   *caller.Gate
	router *wire.Router
}

// organizationRoles are what Options.OEMRole may be.
var organizationRoles = []usermgmt.RoleID{
	usermgmt.RoleOwner, usermgmt.RoleOrgAdmin, usermgmt.RoleEditor, usermgmt.RoleWriter,
	usermgmt.RoleViewer, usermgmt.RoleReader, usermgmt.RoleMember, usermgmt.RoleUnassigned,
}

// New returns an Adapter for the Manager, which stays the caller's. Whose
// authority it acts under plays no part: requests are served under their own.
func New(m *usermgmt.Manager, o Options) (*Adapter, error) {
	if m == nil {
		return nil, errors.New("httpadapter: the Manager is nil")
	}
	if o.MaxBody < 0 {
		return nil, errors.New("httpadapter: Options.MaxBody is negative")
	}
	if o.OEMRole != "" && !slices.Contains(organizationRoles, o.OEMRole) {
		return nil, fmt.Errorf("httpadapter: Options.OEMRole %q is no built-in role of organizations", o.OEMRole)
	}
	dialects, err := pick(o.Dialects)
	if err != nil {
		return nil, fmt.Errorf("httpadapter: %w", err)
	}
	entry := caller.Options{Realm: o.Realm, Tenant: o.Tenant, Address: o.ClientAddress}
	if o.IdentityProvider != nil {
		if entry.Verify, err = o.IdentityProvider.verifier(m); err != nil {
			return nil, fmt.Errorf("httpadapter: identity provider: %w", err)
		}
	}
	gate := caller.NewGate(m, entry)
	var mounts []wire.Mount
	if !o.NoSessions {
		mounts = append(mounts, session.Mount(gate, &wire.Decoder{MaxBytes: o.MaxBody}))
	}
	for _, mount := range dialects {
		mounts = append(mounts, mount(gate, o))
	}
	if !o.NoDescription {
		description, err := openapi.Mount(o.Prefix, mounts)
		if err != nil {
			return nil, fmt.Errorf("httpadapter: %w", err)
		}
		mounts = append(mounts, description)
	}
	router, err := wire.NewRouter(wire.Options{Prefix: o.Prefix, Logger: o.Logger}, mounts...)
	if err != nil {
		return nil, fmt.Errorf("httpadapter: %w", err)
	}
	return &Adapter{gate, router}, nil
}

// ServeHTTP implements [http.Handler].
func (a *Adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.router.ServeHTTP(w, r) }
