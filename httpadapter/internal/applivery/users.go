package applivery

import (
	"errors"
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func (d *dialect) createOemUser(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	org, err := provisioned(m, r, usermgmt.MembersAdd)
	if err != nil {
		return err
	}
	var req createOemUserRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	n, err := invitation(req, d.role)
	if err != nil {
		return err
	}
	member, err := m.InviteMember(r.Context(), org.ID, n)
	if err != nil {
		return err
	}
	return wire.JSON(w, http.StatusOK, collaboratorResponse{Status: true, Data: collaboratorData{collaboratorOf(member)}})
}

func (d *dialect) refreshOemSecret(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	org, err := provisioned(m, r, ownersOwn)
	if errors.Is(err, usermgmt.ErrForbidden) {
		return wire.InsufficientScope("OEM secrets are for owners to hand out")
	}
	if err != nil {
		return err
	}
	member, secret, err := m.CreateOrganizationToken(r.Context(), org.ID, usermgmt.UserID(wire.Param(r, "userId")))
	if err != nil {
		return err
	}
	return wire.JSON(w, http.StatusOK, oemSecretResponse{
		Status: true, Data: oemSecretData{Collaborator: collaboratorOf(member), OemSecret: secret},
	})
}

// provisioned is organization for one that lets its users be provisioned.
func provisioned(m *usermgmt.Manager, r *http.Request, p usermgmt.Permission) (usermgmt.Organization, error) {
	org, err := organization(m, r, p)
	if err == nil && !org.OEMProvisioning {
		err = errFeatureBlocked
	}
	return org, err
}
