package session

import (
	"errors"
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func (d *dialect) signIn(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req signInRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	t, err := m.SignIn(r.Context(), req.Username, req.Password)
	if errors.Is(err, usermgmt.ErrUnauthenticated) {
		return invalidGrant("the username or the password is wrong")
	}
	if err != nil {
		return err
	}
	return answer(w, t)
}

func (d *dialect) refresh(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req refreshRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	t, err := m.Refresh(r.Context(), req.RefreshToken)
	if errors.Is(err, usermgmt.ErrUnauthenticated) {
		return invalidGrant("the refresh token is invalid, expired or spent")
	}
	if err != nil {
		return err
	}
	return answer(w, t)
}

func (d *dialect) signOut(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	if m.Actor().SessionID() == "" {
		return wire.InsufficientScope("the token is of no session here: who issued it can end it")
	}
	if err := m.SignOut(r.Context()); err != nil {
		return err
	}
	return wire.Void(w, http.StatusNoContent)
}

func (d *dialect) changePassword(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req passwordRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	t, err := m.ChangePassword(r.Context(), req.Password, req.NewPassword)
	if errors.Is(err, usermgmt.ErrUnauthenticated) {
		return invalidGrant("the password is wrong")
	}
	if err != nil {
		return err
	}
	return answer(w, t)
}

// keysAge is how long the key set may be kept by those who verify tokens: a
// new key must be known to them before the first token that it signs.
const keysAge = "public, max-age=300"

func (d *dialect) keys(m *usermgmt.Manager, w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", keysAge)
	return wire.JSON(w, http.StatusOK, m.JWKS())
}

func answer(w http.ResponseWriter, t usermgmt.Tokens) error {
	w.Header().Set("Pragma", "no-cache") // RFC 6749 section 5.1; Cache-Control is set already
	return wire.JSON(w, http.StatusOK, tokensOf(t))
}
