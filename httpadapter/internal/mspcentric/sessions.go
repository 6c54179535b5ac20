package mspcentric

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func (d *dialect) createSession(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req sessionRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	m, err := d.authenticate(r, m, req.credentials())
	if err != nil {
		return err
	}
	code, err := m.CreateCode(r.Context(), req.OrganizationOEMToken)
	if err != nil {
		return err
	}
	return wire.JSON(w, http.StatusCreated, sessionOf(code))
}
