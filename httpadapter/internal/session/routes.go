// Package session serves signing in and out for all dialects whose callers
// bring a bearer token, and the keys that such tokens are verified with.
// Bodies are those of RFC 6749, where it has a word for it.
//
//	mount := session.Mount(gate, &wire.Decoder{})
package session

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt"
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
	anyone := func(method, pattern, name string, h caller.Handler, doc wire.Doc) wire.Route {
		return wire.Route{
			Method: method, Pattern: pattern, Name: name, Doc: doc,
			Policy: wire.Policy{Who: wire.WhoAnyone}, Handler: caller.Serve(gate.Anyone, h),
		}
	}
	return wire.Mount{
		Title:    "Signing in and out",
		Prefixes: []string{"/session", "/.well-known/jwks.json", "/oauth2/token"},
		Routes: []wire.Route{
			anyone(http.MethodPost, "/session", "signIn", d.signIn,
				wire.Doc{Summary: "Signs a user in.", Request: signInRequest{}, Status: 200, Answer: tokensResponse{}, Errors: []int{400, 429}}),
			anyone(http.MethodPost, "/session/refresh", "refreshSession", d.refresh,
				wire.Doc{Summary: "Spends a refresh token.", Request: refreshRequest{}, Status: 200, Answer: tokensResponse{}, Errors: []int{400, 429}}),
			{
				Method: http.MethodDelete, Pattern: "/session", Name: "signOut",
				Policy:  wire.Policy{Who: wire.WhoUser, Scope: "self"},
				Handler: caller.Serve(gate.User, d.signOut),
				Doc:     wire.Doc{Summary: "Ends the session, with all its tokens.", Status: 204, Errors: []int{403}},
			},
			{
				// The one route that is open to whoever must change his password.
				Method: http.MethodPut, Pattern: "/session/password", Name: "changePassword",
				Policy:  wire.Policy{Who: wire.WhoUser, Scope: "self"},
				Handler: caller.Serve(gate.Changer, d.changePassword),
				Doc:     wire.Doc{Summary: "Changes the caller's password, and signs him in anew.", Request: passwordRequest{}, Status: 200, Answer: tokensResponse{}, Errors: []int{400, 403, 429}},
			},
			anyone(http.MethodGet, "/.well-known/jwks.json", "fetchKeys", d.keys,
				wire.Doc{Summary: "Returns the public keys that access tokens are signed with (RFC 7517).", Status: 200, Answer: usermgmt.JWKS{}}),
			anyone(http.MethodPost, "/oauth2/token", "issueToken", d.token, wire.Doc{
				Summary: "Gives a vendor an access token (RFC 6749, section 4.4).",
				Request: tokenRequest{}, Media: []string{wire.MediaForm}, Status: 200, Answer: clientTokenResponse{}, Errors: []int{400, 401, 429},
			}),
		},
		Errors:   wire.OAuth{},
		Classify: classify,
	}
}
