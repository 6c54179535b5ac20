package mspcentric

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func (d *dialect) createOrganization(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req organizationRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	owner, err := req.Data.owner()
	if err != nil {
		return err
	}
	if m, err = d.authenticate(r, m, req.credentials()); err != nil {
		return err
	}
	made, err := m.ProvisionOrganization(r.Context(), req.Data.Name, owner)
	if err != nil {
		return err
	}
	return wire.JSON(w, http.StatusCreated, provisioned("Successfully created organization", made))
}
