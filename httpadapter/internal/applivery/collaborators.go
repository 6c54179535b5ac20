package applivery

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func (d *dialect) listCollaborators(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	org, err := organization(m, r, usermgmt.MembersList)
	if err != nil {
		return err
	}
	q, err := listQueryOf(r)
	if err != nil {
		return err
	}
	members, total, err := m.MembersAt(r.Context(), org.ID, q.search, q.skip(), q.limit)
	if err != nil {
		return err
	}
	items := make([]collaborator, len(members))
	for i, member := range members {
		items[i] = collaboratorOf(member)
	}
	return wire.JSON(w, http.StatusOK, collaboratorsResponse{Status: true, Data: pageOf(q, items, total)})
}
