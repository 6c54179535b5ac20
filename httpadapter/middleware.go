package httpadapter

import (
	"context"
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/fault"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

type actingKey struct{}

// acting is who makes a request, as an Adapter found out.
type acting struct {
	adapter *Adapter
	m       *usermgmt.Manager
}

// ActorFrom returns who makes the request that is served under ctx, and whether
// it passed Authenticate or Require.
func ActorFrom(ctx context.Context) (usermgmt.Actor, bool) {
	m, ok := ManagerFrom(ctx)
	if !ok {
		return usermgmt.Actor{}, false
	}
	return m.Actor(), true
}

// ManagerFrom returns the Manager of the request's realm under the authority of
// who makes the request that is served under ctx, and whether it passed
// Authenticate or Require.
func ManagerFrom(ctx context.Context) (*usermgmt.Manager, bool) {
	who, ok := ctx.Value(actingKey{}).(acting)
	return who.m, ok
}

// Authenticate lets requests with a good bearer token through to next, a route
// of the host's own, where [ActorFrom] says whose it is. Others are answered
// as RFC 6750 has it, with an application/problem+json body: 401, 400 for a
// malformed header, and 403 for someone who must change his password first.
func (a *Adapter) Authenticate(next http.Handler) http.Handler {
	return a.guarded(next, func(*http.Request, *usermgmt.Manager) error { return nil })
}

// Require is Authenticate for callers who hold the permission at the request's
// scope as well; others get 403. A nil scope is the whole realm. Rights are
// read at each request, never from the token. A permission of the host's own has
// to be made known to the realm, by [usermgmt.Manager.CreatePermission] or a
// Snapshot, for roles to hold it; one that nobody made known is an
// administrator's alone.
//
//	mux.Handle("POST /invoices", adapter.Require("invoices.approve", nil)(approve))
func (a *Adapter) Require(p usermgmt.Permission, scope func(*http.Request) usermgmt.Scope) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return a.guarded(next, func(r *http.Request, m *usermgmt.Manager) error {
			at := usermgmt.Realmwide
			if scope != nil {
				at = scope(r)
			}
			return m.Require(r.Context(), p, at)
		})
	}
}

// guarded lets a request through to next once it is known who makes it and check
// has not refused him. A panic of a hook on the way is a 500.
func (a *Adapter) guarded(next http.Handler, check func(*http.Request, *usermgmt.Manager) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := a.router.Recover(func() error {
			var m *usermgmt.Manager
			var err error
			if r, m, err = a.acting(r); err != nil {
				return err
			}
			return check(r, m)
		})
		if err != nil {
			a.router.Refuse(w, r, refusals(), err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// FromCookie lets next, a route of the host's own that browsers visit, find the
// access token that the cookie holds: as a bearer token, unless the request
// brings an Authorization header of its own. Of both, the header alone counts,
// good or bad: a bad one is refused whatever the cookie holds, and the cookie goes
// unseen. Cookies come along with requests that other sites make: set them
// HttpOnly and SameSite, and guard what changes anything by
// [http.CrossOriginProtection].
//
//	mux.Handle("GET /home", httpadapter.FromCookie("token", adapter.Authenticate(home)))
func FromCookie(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie(name); err == nil && c.Value != "" && len(r.Header["Authorization"]) == 0 {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+c.Value)
		}
		next.ServeHTTP(w, r)
	})
}

// acting returns r with the caller's Manager, which it finds out unless this very
// Adapter has before.
func (a *Adapter) acting(r *http.Request) (*http.Request, *usermgmt.Manager, error) {
	if who, ok := r.Context().Value(actingKey{}).(acting); ok && who.adapter == a {
		return r, who.m, nil
	}
	m, err := a.gate.Bearer(r)
	if err != nil {
		return r, nil, err
	}
	return a.actingAs(r, m), m, nil
}

// actingAs returns r with the Manager for ManagerFrom.
func (a *Adapter) actingAs(r *http.Request, m *usermgmt.Manager) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), actingKey{}, acting{a, m}))
}

// refusals words what Authenticate, Require and Landing refuse.
func refusals() wire.Mount {
	return wire.Mount{Errors: wire.Problem{}, Classify: fault.Words{Missing: "no such resource"}.Classify}
}
