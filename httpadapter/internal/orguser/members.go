package orguser

import (
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func (d *dialect) addMember(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	org, err := enter(m, r, usermgmt.MembersAdd)
	if err != nil {
		return err
	}
	var req addRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	n, err := invitationOf(org, req)
	if err != nil {
		return err
	}
	member, err := m.InviteMember(r.Context(), org, n)
	if err != nil {
		return err
	}
	return wire.JSON(w, http.StatusCreated, addedOf(member))
}

func (d *dialect) updateMember(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	org, err := enter(m, r, usermgmt.MembersUpdate)
	if err != nil {
		return err
	}
	var req updateRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	user, up, err := updateOf(org, req)
	if err != nil {
		return err
	}
	if err := mustNotBeOwnOwner(m, r, org, user); err != nil {
		return err
	}
	if _, err := m.UpdateMember(r.Context(), org, user, up); err != nil {
		return err
	}
	return wire.JSON(w, http.StatusOK, messageResponse{"User role updated successfully"})
}

func (d *dialect) deleteMember(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	// The Manager would let everyone leave; here that is for who may remove others.
	org, err := enter(m, r, usermgmt.MembersDelete)
	if err != nil {
		return err
	}
	var req deleteRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	user, err := userOf(org, req.OrganizationID, req.UserID)
	if err != nil {
		return err
	}
	if err := mustNotBeOwnOwner(m, r, org, user); err != nil {
		return err
	}
	if err := m.RemoveMember(r.Context(), org, user); err != nil {
		return err
	}
	return wire.JSON(w, http.StatusOK, messageResponse{"User deleted from organization successfully"})
}

// mustNotBeOwnOwner refuses an owner who acts on himself, before anything that
// would be wrong besides: 403 even where he is the last one.
func mustNotBeOwnOwner(m *usermgmt.Manager, r *http.Request, org usermgmt.OrganizationID, user usermgmt.UserID) error {
	if user != m.Actor().UserID() {
		return nil
	}
	self, err := m.Member(r.Context(), org, user)
	if err != nil {
		return err
	}
	if self.Role == usermgmt.RoleOwner {
		return &usermgmt.ForbiddenError{Reason: "Owner cannot delete or update himself"}
	}
	return nil
}

func (d *dialect) fetchMember(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	// The Manager would show everyone his own membership, even an unassigned one.
	org, err := enter(m, r, usermgmt.MembersRead)
	if err != nil {
		return err
	}
	member, err := m.Member(r.Context(), org, usermgmt.UserID(wire.Param(r, "user_id")))
	if err != nil {
		return err
	}
	return wire.JSON(w, http.StatusOK, memberOf(member))
}
