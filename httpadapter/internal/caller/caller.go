// Package caller finds out who makes a request, for all dialects alike.
//
//	m, err := gate.User(r)
//	if err != nil {
//		return err // 400, 401, 403 or 404, with its challenge
//	}
//	u, err := m.User(r.Context(), id)
//
// A [Gate] holds the host's Manager and gives it to no one: what its methods
// return acts for the caller, or for nobody.
package caller

import (
	"errors"
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Gate turns requests into Managers. It is safe for concurrent use.
type Gate struct {
	manager *usermgmt.Manager
	realm   func(*http.Request) usermgmt.Realm
	tenant  func(*http.Request) usermgmt.TenantID
}

// NewGate returns a Gate. Without realm, requests are for the Manager's own;
// without tenant, and where it returns "", they are tied to none.
func NewGate(m *usermgmt.Manager, realm func(*http.Request) usermgmt.Realm, tenant func(*http.Request) usermgmt.TenantID) *Gate {
	return &Gate{manager: m.As(usermgmt.Actor{}), realm: realm, tenant: tenant}
}

// Anyone returns the Manager of the request's realm without any authority: it
// can do what asks for none, such as signing in. A realm that cannot exist is
// 404, so that a host name which the host does not know falls into no realm.
func (g *Gate) Anyone(r *http.Request) (*usermgmt.Manager, error) {
	if g.realm == nil {
		return g.manager, nil
	}
	realm := g.realm(r)
	if err := realm.Check(); err != nil {
		return nil, &wire.Error{Kind: wire.NotFound, Detail: "no such resource", Cause: err}
	}
	return g.manager.Realm(realm), nil
}

// Holder returns the Manager of the request's realm, acting for the holder of
// its bearer token, even one who must change his password first. Without a
// credential the error is 401 with a bare challenge; with one that is bad,
// expired or revoked, 401 invalid_token; with two or a malformed one, 400.
func (g *Gate) Holder(r *http.Request) (*usermgmt.Manager, error) {
	m, err := g.Anyone(r)
	if err != nil {
		return nil, err
	}
	token, err := wire.Bearer(r)
	if err != nil {
		return nil, err
	}
	actor, err := m.Authenticate(r.Context(), token)
	if errors.Is(err, usermgmt.ErrUnauthenticated) {
		return nil, InvalidToken()
	}
	if err != nil {
		return nil, err
	}
	if g.tenant != nil {
		if id := g.tenant(r); id != "" {
			actor = actor.InTenant(id)
		}
	}
	return m.As(actor), nil
}

// Bearer is Holder for all routes but the change of one's password: 403 for one
// who must do that first.
func (g *Gate) Bearer(r *http.Request) (*usermgmt.Manager, error) {
	m, err := g.Holder(r)
	if err == nil && m.Actor().MustChangePassword() {
		return nil, wire.InsufficientScope("the temporary password must be changed first")
	}
	return m, err
}

// User is Bearer for routes that are users' alone: the token of a vendor is as
// good as none, 401 invalid_token.
func (g *Gate) User(r *http.Request) (*usermgmt.Manager, error) {
	m, err := g.Bearer(r)
	if err == nil && m.Actor().Kind() != usermgmt.ActorUser {
		return nil, InvalidToken()
	}
	return m, err
}

// InvalidToken is the 401 for a token that is not accepted, whatever is wrong with it.
func InvalidToken() *wire.Error {
	return wire.InvalidToken("the access token is invalid, expired or revoked")
}

// Handler is a [wire.Handler] that is given the Manager to use, which acts for
// the caller.
type Handler func(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error

// Serve makes a wire.Handler of h; enter is a method of a Gate.
func Serve(enter func(*http.Request) (*usermgmt.Manager, error), h Handler) wire.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		m, err := enter(r)
		if err != nil {
			return err
		}
		return h(m, w, r)
	}
}
