package socotra

import (
	"errors"
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/rolename"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func (d *dialect) createUser(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	var req userCreateRequest
	if err := d.decoder.Decode(w, r, &req); err != nil {
		return err
	}
	if err := m.Require(r.Context(), usermgmt.UsersAdd, usermgmt.Realmwide); err != nil {
		return err
	}
	n, err := newUser(req)
	if err != nil {
		return err
	}
	names := roleNames()
	roles, err := resolve(r.Context(), m, names, "roles", req.Roles.Value)
	if err != nil {
		return err
	}
	n.Grants = roleGrants(roles)
	u, err := m.CreateUser(r.Context(), n)
	if err != nil {
		return err
	}
	return answerUser(w, r, m, u, names)
}

func (d *dialect) whoami(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	u, err := m.User(r.Context(), m.Actor().UserID())
	if err != nil {
		return err
	}
	return answerUser(w, r, m, u, roleNames())
}

func (d *dialect) user(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	u, err := m.User(r.Context(), locator(r))
	if err != nil {
		return err
	}
	return answerUser(w, r, m, u, roleNames())
}

// userByName answers a list of one or none: usernames are unique.
func (d *dialect) userByName(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	found := []userResponse{}
	u, err := m.UserByUsername(r.Context(), wire.Param(r, "username"))
	if errors.Is(err, usermgmt.ErrNotFound) {
		return wire.JSON(w, http.StatusOK, found)
	}
	if err != nil {
		return err
	}
	if err := needIfSelf(r, m, u.ID, usermgmt.UsersRead); err != nil {
		return err
	}
	names := roleNames()
	if err := names.Learn(r.Context(), m, u); err != nil {
		return err
	}
	return wire.JSON(w, http.StatusOK, append(found, userOf(u, names)))
}

func (d *dialect) users(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	page, err := pageOf(r, maxCount)
	if err != nil {
		return err
	}
	list, err := m.Users(r.Context(), usermgmt.UserList{Page: page})
	if err != nil {
		return err
	}
	names := roleNames()
	if err := names.Learn(r.Context(), m, list.Items...); err != nil {
		return err
	}
	items := make([]userResponse, len(list.Items))
	for i, u := range list.Items {
		items[i] = userOf(u, names)
	}
	return wire.JSON(w, http.StatusOK, userListResponse{ListCompleted: list.Next == "", Items: items})
}

func (d *dialect) basicUsers(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	page, err := pageOf(r, maxBasicCount)
	if err != nil {
		return err
	}
	list, err := m.Users(r.Context(), usermgmt.UserList{Page: page})
	if err != nil {
		return err
	}
	items := make([]basicUserResponse, len(list.Items))
	for i, u := range list.Items {
		items[i] = basicUserResponse{
			Locator: string(u.ID), UserName: u.Username, FirstName: u.FirstName, LastName: u.LastName,
		}
	}
	return wire.JSON(w, http.StatusOK, basicUserListResponse{ListCompleted: list.Next == "", Items: items})
}

func (d *dialect) deleteUser(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	if err := needIfSelf(r, m, locator(r), usermgmt.UsersDelete); err != nil {
		return err
	}
	if err := m.DeleteUser(r.Context(), locator(r)); err != nil {
		return err
	}
	return wire.Void(w, http.StatusOK)
}

func (d *dialect) resetPassword(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	data, media, err := d.decoder.Read(w, r, wire.MediaText)
	if err != nil {
		return err
	}
	password, err := d.passwordOf(data, media)
	if err != nil {
		return err
	}
	if err := m.ResetPassword(r.Context(), locator(r), password); err != nil {
		return err
	}
	return wire.Void(w, http.StatusOK)
}

func (d *dialect) userPermissions(m *usermgmt.Manager, w http.ResponseWriter, r *http.Request) error {
	held, err := m.EffectivePermissions(r.Context(), locator(r))
	if err != nil {
		return err
	}
	return wire.JSON(w, http.StatusOK, wire.List(held))
}

func locator(r *http.Request) usermgmt.UserID { return usermgmt.UserID(wire.Param(r, "locator")) }

// needIfSelf requires the permission of someone who acts on himself, for routes
// without the text's "custom": the Manager would let him.
func needIfSelf(r *http.Request, m *usermgmt.Manager, id usermgmt.UserID, p usermgmt.Permission) error {
	if id != m.Actor().UserID() {
		return nil
	}
	return m.Require(r.Context(), p, usermgmt.Realmwide)
}

// answerUser answers a user; names holds those of his roles that are known already.
func answerUser(w http.ResponseWriter, r *http.Request, m *usermgmt.Manager, u usermgmt.User, names *rolename.Names) error {
	if err := names.Learn(r.Context(), m, u); err != nil {
		return err
	}
	return wire.JSON(w, http.StatusOK, userOf(u, names))
}
