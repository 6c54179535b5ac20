// Package wire is the HTTP that all dialects have in common: routing, strict
// JSON, query parameters, bearer credentials, errors, request ids and logs. It
// knows nothing of users, roles or the engine behind them.
//
// A dialect is a [Mount]: the path prefixes it owns, its routes, and how it
// words errors. [NewRouter] serves any number of mounts:
//
//	routes := []wire.Route{{
//		Method: "GET", Pattern: "/auth/users/{locator}", Name: "fetchUser",
//		Policy:  wire.Policy{Who: wire.WhoUser, Permission: "users.read", Scope: "realm"},
//		Handler: func(w http.ResponseWriter, r *http.Request) error {
//			return wire.JSON(w, http.StatusOK, find(wire.Param(r, "locator")))
//		},
//	}}
//	router, err := wire.NewRouter(wire.Options{Logger: logger},
//		wire.Mount{Prefixes: []string{"/auth"}, Routes: routes, Errors: wire.Problem{}})
//
// Words: a pattern is a path of literal words and {parameters}; the owner of a
// path is the mount with the longest prefix of it, which also words its 404 and
// 405; an [Error] is a failure with a [Kind], and what is no Error is a 500
// whose text only the log sees.
package wire
