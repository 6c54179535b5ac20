package socotra

import "github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"

// What the text marks as required must be there, except what its later
// generation lets clients leave out; an optional member may be null, which is
// as good as absent, unless its tag says otherwise.

type userCreateRequest struct {
	FirstName         string                  `json:"firstName" wire:"required"`
	LastName          string                  `json:"lastName" wire:"required"`
	UserName          string                  `json:"userName" wire:"required"`
	Password          wire.Optional[string]   `json:"password" wire:"notnull"`
	TemporaryPassword bool                    `json:"temporaryPassword"`
	Email             wire.Optional[string]   `json:"email"`
	Roles             wire.Optional[[]string] `json:"roles"`
	Tenants           wire.Optional[[]string] `json:"tenants"`
}

type userUpdateRequest struct {
	FirstName   string                `json:"firstName" wire:"required"`
	LastName    string                `json:"lastName" wire:"required"`
	Permissions []string              `json:"permissions"`
	Roles       []string              `json:"roles"`
	Tenants     []string              `json:"tenants" wire:"required"`
	Email       wire.Optional[string] `json:"email"`
}

type userRolesUpdateRequest struct {
	AddRoles    []string `json:"addRoles" wire:"required"`
	RemoveRoles []string `json:"removeRoles" wire:"required"`
}

type userTenantsUpdateRequest struct {
	AddTenants    []string `json:"addTenants" wire:"required"`
	RemoveTenants []string `json:"removeTenants" wire:"required"`
}

type userResponse struct {
	Locator     string   `json:"locator"`
	FirstName   string   `json:"firstName"`
	LastName    string   `json:"lastName"`
	UserName    string   `json:"userName"`
	Tenants     []string `json:"tenants"`
	Email       string   `json:"email,omitempty"`
	Permissions []string `json:"permissions"` // the direct ones
	Roles       []string `json:"roles"`       // names, of the realm scope alone
	// ServiceAccount is of a later generation of the text, and always false.
	ServiceAccount bool `json:"serviceAccount"`
}

type userListResponse struct {
	ListCompleted bool           `json:"listCompleted"`
	Items         []userResponse `json:"items"`
}

type basicUserResponse struct {
	Locator   string `json:"locator"`
	UserName  string `json:"userName"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
}

type basicUserListResponse struct {
	ListCompleted bool                `json:"listCompleted"`
	Items         []basicUserResponse `json:"items"`
}

type roleCreateRequest struct {
	Name        string   `json:"name" wire:"required"`
	Description string   `json:"description" wire:"required"`
	Permissions []string `json:"permissions" wire:"required"`
}

type roleUpdateRequest struct {
	Name              string   `json:"name" wire:"required"`
	Description       string   `json:"description" wire:"required"`
	Version           int64    `json:"version" wire:"required"`
	AddPermissions    []string `json:"addPermissions" wire:"required"`
	RemovePermissions []string `json:"removePermissions" wire:"required"`
}

type roleResponse struct {
	Locator     string   `json:"locator"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Version     int64    `json:"version"`
	CreatedAt   string   `json:"createdAt"`
	CreatedBy   string   `json:"createdBy"`
	Permissions []string `json:"permissions"`
}

type roleListResponse struct {
	ListCompleted bool           `json:"listCompleted"`
	Items         []roleResponse `json:"items"`
}
