package mspcentric

import (
	"errors"
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func (d *dialect) createUser(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req userRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	user, err := req.Data.user()
	if err != nil {
		return err
	}
	if m, err = d.authenticate(r, m, req.credentials()); err != nil {
		return err
	}
	made, err := m.ProvisionUser(r.Context(), user)
	if errors.Is(err, usermgmt.ErrLastOwner) {
		// Its sentence is about someone who goes; here someone comes.
		return &wire.Error{Kind: wire.Conflict, Detail: "the organization has no active owner", Cause: err}
	}
	if err != nil {
		return err
	}
	return wire.JSON(w, http.StatusCreated, provisioned("Successfully created a user for the organization", made))
}

func (d *dialect) deleteUser(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req removalRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	other, err := req.other()
	if err != nil {
		return err
	}
	if m, err = d.authenticate(r, m, req.credentials()); err != nil {
		return err
	}
	if err := m.DeprovisionUser(r.Context(), req.OrganizationOEMToken, other); err != nil {
		return err
	}
	return wire.JSON(w, http.StatusCreated, statusResponse{Status: http.StatusCreated, Message: "Success: User Deleted"})
}
