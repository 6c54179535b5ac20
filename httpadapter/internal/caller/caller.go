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
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Options of a Gate; the zero Options are a Manager's own realm, tied to no
// tenant, with the Manager's own tokens alone. All functions are called
// concurrently.
type Options struct {
	// Realm says which realm a request is for.
	Realm func(*http.Request) usermgmt.Realm
	// Tenant ties a request to a tenant; "" ties it to none.
	Tenant func(*http.Request) usermgmt.TenantID
	// Address says where a request comes from; the zero Addr if that is not known.
	Address func(*http.Request) netip.Addr
	// Verify tells whose token it is, if it is one that somebody else than the
	// Manager issued; mine is false if it is none of these. A bad one of them is
	// usermgmt.ErrUnauthenticated.
	Verify func(ctx context.Context, m *usermgmt.Manager, token string) (actor usermgmt.Actor, mine bool, err error)
}

// Gate turns requests into Managers. It is safe for concurrent use.
type Gate struct {
	manager *usermgmt.Manager
	options Options
}

// NewGate returns a Gate to the Manager.
func NewGate(m *usermgmt.Manager, o Options) *Gate {
	return &Gate{manager: m.As(usermgmt.Actor{}), options: o}
}

// Anyone returns the Manager of the request's realm and address without any
// authority: it can do what asks for none, such as signing in. A realm that cannot exist is
// 404, so that a host name which the host does not know falls into no realm.
func (g *Gate) Anyone(r *http.Request) (*usermgmt.Manager, error) {
	m := g.manager
	if g.options.Realm != nil {
		realm := g.options.Realm(r)
		if err := realm.Check(); err != nil {
			return nil, &wire.Error{Kind: wire.NotFound, Detail: "no such resource", Cause: err}
		}
		m = m.Realm(realm)
	}
	if g.options.Address != nil {
		m = m.From(g.options.Address(r))
	}
	return m, nil
}

// Holder returns the Manager of the request's realm, acting for the holder of
// its bearer token, even one who must change his password first. Without a
// credential the error is 401 with a bare challenge; with one that is bad,
// expired or revoked, 401 invalid_token; with two or a malformed one, 400. Access
// tokens are not guessed, so none is 429.
func (g *Gate) Holder(r *http.Request) (*usermgmt.Manager, error) {
	m, err := g.Anyone(r)
	if err != nil {
		return nil, err
	}
	token, err := wire.Bearer(r)
	if err != nil {
		return nil, err
	}
	actor, err := g.user(r.Context(), m, token)
	return g.admit(r, m, actor, err)
}

// user returns the user or vendor whose token it is.
func (g *Gate) user(ctx context.Context, m *usermgmt.Manager, token string) (usermgmt.Actor, error) {
	if g.options.Verify != nil {
		if actor, mine, err := g.options.Verify(ctx, m, token); mine || err != nil {
			return actor, err
		}
	}
	return m.Authenticate(ctx, token)
}

// admit returns m acting for whom err did not refuse.
func (g *Gate) admit(r *http.Request, m *usermgmt.Manager, actor usermgmt.Actor, err error) (*usermgmt.Manager, error) {
	if errors.Is(err, usermgmt.ErrUnauthenticated) {
		return nil, InvalidToken()
	}
	if err != nil {
		return nil, err
	}
	return g.As(r, m, actor)
}

// As returns m acting for the actor, who came with the request. One who is
// outside of the tenant that the request is tied to gets 403.
func (g *Gate) As(r *http.Request, m *usermgmt.Manager, actor usermgmt.Actor) (*usermgmt.Manager, error) {
	wire.SetCaller(r.Context(), actor.String())
	if g.options.Tenant == nil {
		return m.As(actor), nil
	}
	id := g.options.Tenant(r)
	if id == "" {
		return m.As(actor), nil
	}
	m = m.As(actor.InTenant(id))
	return m, m.Admitted(r.Context())
}

// Bearer is Holder for all routes but the change of one's password: 403 for one
// who must do that first.
func (g *Gate) Bearer(r *http.Request) (*usermgmt.Manager, error) {
	m, err := g.Holder(r)
	if err == nil && m.Actor().MustChangePassword() {
		return nil, mustChangePassword()
	}
	return m, err
}

// Changer is Holder for the change of one's password: the token of a vendor is as
// good as none, 401 invalid_token.
func (g *Gate) Changer(r *http.Request) (*usermgmt.Manager, error) {
	m, err := g.Holder(r)
	if err == nil && m.Actor().Kind() != usermgmt.ActorUser {
		return nil, InvalidToken()
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

// UserOrKey is User for routes that API keys may call too. What has the form of
// an access token and is none may still be a key that was made elsewhere. A bad
// key from an address with too many of them is 429.
func (g *Gate) UserOrKey(r *http.Request) (*usermgmt.Manager, error) {
	m, err := g.Anyone(r)
	if err != nil {
		return nil, err
	}
	token, err := wire.Bearer(r)
	if err != nil {
		return nil, err
	}
	actor, err := usermgmt.Actor{}, usermgmt.ErrUnauthenticated
	if strings.Count(token, ".") == 2 { // RFC 7515 section 3.1
		actor, err = g.user(r.Context(), m, token)
	}
	if errors.Is(err, usermgmt.ErrUnauthenticated) {
		actor, err = m.AuthenticateKey(r.Context(), token)
	}
	m, err = g.admit(r, m, actor, err)
	switch {
	case err != nil:
		return nil, err
	case actor.Kind() == usermgmt.ActorVendor:
		return nil, InvalidToken()
	case actor.MustChangePassword():
		return nil, mustChangePassword()
	}
	return m, nil
}

func mustChangePassword() *wire.Error {
	return wire.InsufficientScope("the temporary password must be changed first")
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
