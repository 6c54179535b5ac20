// Package session serves signing in and out for all dialects whose callers
// bring a bearer token, and the keys that such tokens are verified with.
// Bodies are those of RFC 6749, where it has a word for it.
//
//	mount := session.Mount(gate, &wire.Decoder{})
package session

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

type dialect struct {
	gate    *caller.Gate
	decoder *wire.Decoder
}

// Mount returns the session routes. The decoder is not changed.
func Mount(gate *caller.Gate, decoder *wire.Decoder) wire.Mount {
	d := &dialect{gate, decoder}
	anyone := func(method, pattern, name string, h caller.Handler) wire.Route {
		return wire.Route{
			Method: method, Pattern: pattern, Name: name,
			Policy: wire.Policy{Who: wire.WhoAnyone}, Handler: caller.Serve(gate.Anyone, h),
		}
	}
	return wire.Mount{
		Prefixes: []string{"/session", "/.well-known/jwks.json", "/oauth2/token"},
		Routes: []wire.Route{
			anyone(http.MethodPost, "/session", "signIn", d.signIn),
			anyone(http.MethodPost, "/session/refresh", "refreshSession", d.refresh),
			{
				Method: http.MethodDelete, Pattern: "/session", Name: "signOut",
				Policy:  wire.Policy{Who: wire.WhoUser, Scope: "self"},
				Handler: caller.Serve(gate.User, d.signOut),
			},
			{
				// The one route that is open to whoever must change his password.
				Method: http.MethodPut, Pattern: "/session/password", Name: "changePassword",
				Policy:  wire.Policy{Who: wire.WhoUser, Scope: "self"},
				Handler: caller.Serve(gate.Holder, d.changePassword),
			},
			anyone(http.MethodGet, "/.well-known/jwks.json", "fetchKeys", d.keys),
			anyone(http.MethodPost, "/oauth2/token", "issueToken", d.token),
		},
		Errors:   wire.OAuth{},
		Classify: classify,
	}
}
