package fulfillmenttools

import (
	"errors"
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/rolename"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func (d *dialect) createUser(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req userCreateRequest
	if err := d.create.Decode(w, r, &req); err != nil {
		return err
	}
	n, err := newUser(req)
	if err != nil {
		return err
	}
	u, err := m.CreateUser(r.Context(), n)
	if err != nil {
		return err
	}
	return answer(w, r, m, http.StatusCreated, u)
}

func (d *dialect) user(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	u, err := visible(m, r)
	if err != nil {
		return err
	}
	return answer(w, r, m, http.StatusOK, u)
}

// noVersion is a version that no user ever has. To the Manager 0 would mean any.
const noVersion = -1

func (d *dialect) updateUser(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req userUpdateRequest
	if err := d.update.Decode(w, r, &req); err != nil {
		return err
	}
	up, err := updateOf(req)
	if err != nil {
		return err
	}
	if up.Version = req.Version; up.Version == 0 {
		up.Version = noVersion
	}
	// The Manager lets everyone change his own profile. Here that takes the right
	// to change such users.
	up.ByRight = true
	u, err := m.UpdateUser(r.Context(), userID(r), up)
	if stale := (*usermgmt.StaleError)(nil); errors.As(err, &stale) {
		return &usermgmt.StaleError{Version: stale.Version, Requested: req.Version}
	}
	if err != nil {
		return unlessUnseen(m, r, err)
	}
	return answer(w, r, m, http.StatusOK, u)
}

func (d *dialect) deleteUser(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	if err := m.DeleteUser(r.Context(), userID(r)); err != nil {
		return unlessUnseen(m, r, err)
	}
	return wire.Void(w, http.StatusOK)
}

// answer answers a user. Roles that the host made take a unit of work to name.
func answer(w http.ResponseWriter, r *http.Request, m *usermgmt.Manager, status int, u usermgmt.User) error {
	names := rolename.In(usermgmt.ScopeFacility)
	if err := names.Learn(r.Context(), m, u); err != nil {
		return err
	}
	return wire.JSON(w, status, userOf(u, names))
}

func userID(r *http.Request) usermgmt.UserID { return usermgmt.UserID(wire.Param(r, "userId")) }

// visible returns the user of the path. Who may read nobody but himself is told
// that others are not there.
func visible(m *usermgmt.Manager, r *http.Request) (usermgmt.User, error) {
	u, err := m.User(r.Context(), userID(r))
	if errors.Is(err, usermgmt.ErrForbidden) && userID(r) != m.Actor().UserID() {
		return usermgmt.User{}, usermgmt.ErrNotFound
	}
	return u, err
}

// unlessUnseen returns err, the failure of an act on the user of the path, or
// ErrNotFound where it is a refusal and the caller does not even see the user.
func unlessUnseen(m *usermgmt.Manager, r *http.Request, err error) error {
	if !errors.Is(err, usermgmt.ErrForbidden) {
		return err
	}
	if _, unseen := visible(m, r); errors.Is(unseen, usermgmt.ErrNotFound) {
		return unseen
	}
	return err
}
