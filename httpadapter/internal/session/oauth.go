package session

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// token gives a vendor an access token for his client id and secret: RFC 6749,
// section 4.4. Nothing is looked up before the grant type is the one there is.
func (d *dialect) token(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	form, err := d.form(w, r)
	if err != nil {
		return err
	}
	switch grant := form.Get("grant_type"); grant {
	case "client_credentials":
	case "":
		return wire.Invalidf("grant_type", "is required")
	default:
		return &wire.Error{Kind: wire.Invalid, Code: "unsupported_grant_type", Detail: "the grant type must be client_credentials"}
	}
	id, secret, err := client(r, form)
	if err != nil {
		return err
	}
	token, err := m.VendorToken(r.Context(), id, secret, strings.Fields(form.Get("scope"))...)
	var invalid *usermgmt.InvalidError
	switch {
	case errors.Is(err, usermgmt.ErrUnauthenticated):
		return invalidClient()
	case errors.As(err, &invalid):
		return &wire.Error{Kind: wire.Invalid, Code: "invalid_scope", Detail: "the scope must be one that the client has", Cause: err}
	case err != nil:
		return err
	}
	w.Header().Set("Pragma", "no-cache")
	return wire.JSON(w, http.StatusOK, clientTokenResponse{
		AccessToken: token.AccessToken, TokenType: "Bearer", ExpiresIn: int64(token.ExpiresIn / time.Second), Scope: strings.Join(token.Scopes, " "),
	})
}

// form reads a body of form parameters, each of which comes once (RFC 6749,
// section 3.2).
func (d *dialect) form(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	data, media, err := d.decoder.Read(w, r, wire.MediaForm)
	if err != nil {
		return nil, err
	}
	if media != wire.MediaForm {
		return nil, wire.Errorf(wire.UnsupportedMedia, "Content-Type must be %s", wire.MediaForm)
	}
	text, err := wire.Text(data)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, wire.Invalidf("", "body must be form parameters")
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, wire.Invalidf(name, "must not be given twice")
		}
	}
	return form, nil
}

// client returns the client's credentials, from the one place that they are in:
// the Authorization header (Basic) or the body, never the URL (RFC 6749,
// section 2.3.1).
func client(r *http.Request, form url.Values) (id, secret string, err error) {
	headers := r.Header.Values("Authorization")
	switch {
	case len(headers) > 1 || len(headers) == 1 && form.Has("client_secret"):
		return "", "", wire.Invalidf("", "credentials must be given once")
	case len(headers) == 0:
		if !form.Has("client_id") || !form.Has("client_secret") {
			return "", "", invalidClient()
		}
		return form.Get("client_id"), form.Get("client_secret"), nil
	}
	user, password, ok := r.BasicAuth()
	id, idErr := url.QueryUnescape(user)
	secret, secretErr := url.QueryUnescape(password)
	if !ok || idErr != nil || secretErr != nil {
		return "", "", invalidClient()
	}
	if form.Has("client_id") && form.Get("client_id") != id {
		return "", "", wire.Invalidf("client_id", "must be the one of the Authorization header")
	}
	return id, secret, nil
}

// invalidClient is RFC 6749's answer to credentials that are not accepted,
// whatever is wrong with them.
func invalidClient() *wire.Error {
	return &wire.Error{
		Kind: wire.Unauthenticated, Code: "invalid_client", Detail: "the client is unknown or its secret wrong",
		Challenge: `Basic realm="usermgmt"`,
	}
}
