package httpadapter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/idp"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// IdentityProvider lets users in by access tokens that somebody else issues, on
// every route that takes the Manager's own. It says who calls and nothing more:
// rights are the user's in the directory, read at each request.
//
// A token must be a JWT that is signed by a key of the provider's set and names
// issuer, audience, subject, time of issue and expiry; clocks may differ by 30
// seconds. Its type is "at+jwt" (RFC 9068), "JWT" or absent, since few providers
// state it: only the audience tells an access token from an ID token, so it must
// be this API's, and not a client's id. A token without a key id is verified by
// the only key there is. Deleting or disabling the user ends what it is good
// for, at once; ending sessions does not, since there is none. A user who is
// created again does not get back what was issued before, as far as the clocks
// agree: a token counts from the second after its user was created.
type IdentityProvider struct {
	// Issuer and Audience are what "iss" and "aud" must be. The issuer is not
	// the Manager's own.
	Issuer, Audience string
	// Algorithm is the one that tokens are signed by: RS256, RS384, RS512, PS256,
	// PS384, PS512, ES256, ES384, ES512 or EdDSA. What a token says counts for
	// nothing.
	Algorithm string
	// KeysURL is the provider's key set (RFC 7517): https, or http on a loopback
	// address. It is fetched when it is needed, at most every 30 seconds, and
	// again after 5 minutes; while it cannot be had, the keys of the last hour
	// go on.
	KeysURL string
	// Client fetches the keys; a client with a time limit of 10 seconds if nil.
	// Redirects are not followed.
	Client *http.Client
	// Realm is whose users they are; the Manager's own if empty. Tokens are
	// refused in other realms.
	Realm usermgmt.Realm
	// User finds the user whom a verified token is for; the one whose id is the
	// subject if nil, whom the host created with that subject as NewUser.ID. It may create him, and has to know that he is the one whom
	// the token means: the rule about users who are created again is for subjects
	// alone. It is called concurrently. An error that matches
	// [usermgmt.ErrUnauthenticated] or [usermgmt.ErrNotFound] is 401.
	User func(ctx context.Context, id Identity) (usermgmt.UserID, error)
}

// Identity is what a verified token of an identity provider says.
type Identity struct {
	Issuer, Subject     string
	IssuedAt, ExpiresAt time.Time
	// Claims is the whole payload, a JSON object. It is the provider's word; an
	// e-mail address in it proves nothing unless the provider verifies it.
	Claims json.RawMessage
}

// verifier builds what a caller.Gate asks.
func (p IdentityProvider) verifier(m *usermgmt.Manager) (func(context.Context, *usermgmt.Manager, string) (usermgmt.Actor, bool, error), error) {
	realm := p.Realm
	if realm == "" {
		realm = m.RealmName()
	}
	if err := realm.Check(); err != nil {
		return nil, err
	}
	if p.Issuer == m.Issuer() {
		return nil, fmt.Errorf("the issuer %q is the Manager's own", p.Issuer)
	}
	v, err := idp.New(idp.Config{
		Issuer: p.Issuer, Audience: p.Audience, Algorithm: p.Algorithm, KeysURL: p.KeysURL, Client: p.Client,
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, m *usermgmt.Manager, token string) (usermgmt.Actor, bool, error) {
		claims, mine, err := v.Verify(ctx, token)
		if !mine {
			return usermgmt.Actor{}, false, nil
		}
		if err == nil && m.RealmName() != realm {
			err = fmt.Errorf("%w: its users are those of another realm", idp.ErrRefused)
		}
		if err != nil {
			return usermgmt.Actor{}, true, refusal(err)
		}
		id, issued := usermgmt.UserID(claims.Subject), claims.IssuedAt
		if p.User != nil {
			issued = time.Time{}
			id, err = p.User(ctx, Identity{
				Issuer: p.Issuer, Subject: claims.Subject, IssuedAt: claims.IssuedAt, ExpiresAt: claims.ExpiresAt, Claims: claims.All,
			})
			if errors.Is(err, usermgmt.ErrNotFound) {
				err = usermgmt.ErrUnauthenticated
			}
			if err != nil {
				return usermgmt.Actor{}, true, err
			}
		}
		actor, err := m.AuthenticateUser(ctx, id, issued)
		return actor, true, err
	}, nil
}

// refusal is what the caller learns of an error of Verify, and the log.
func refusal(err error) error {
	if errors.Is(err, idp.ErrRefused) {
		e := caller.InvalidToken()
		e.Cause = err
		return e
	}
	return &wire.Error{Kind: wire.Unavailable, Detail: "tokens of the identity provider cannot be verified now", RetryAfter: time.Second, Cause: err}
}
