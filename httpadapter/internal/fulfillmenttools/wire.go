package fulfillmenttools

import (
	"encoding/json"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

type userCreateRequest struct {
	Username         string                        `json:"username" wire:"required"`
	Password         string                        `json:"password" wire:"required"`
	Firstname        string                        `json:"firstname" wire:"required"`
	Lastname         string                        `json:"lastname" wire:"required"`
	Roles            []role                        `json:"roles" wire:"required"`
	Locale           wire.Optional[string]         `json:"locale"`
	Email            wire.Optional[string]         `json:"email"`
	CustomAttributes wire.Optional[map[string]any] `json:"customAttributes"`
}

// role is one of the text's three roles, and where it holds.
type role struct {
	Name       string   `json:"name" wire:"required"`
	Facilities []string `json:"facilities"`
}

type userUpdateRequest struct {
	Version int64    `json:"version" wire:"required"`
	Actions []action `json:"actions" wire:"required"`
}

// action changes what it gives. Only email and customAttributes may be null,
// which removes them.
type action struct {
	Action           string                        `json:"action" wire:"required"`
	Firstname        wire.Optional[string]         `json:"firstname" wire:"notnull"`
	Lastname         wire.Optional[string]         `json:"lastname" wire:"notnull"`
	Password         wire.Optional[string]         `json:"password" wire:"notnull"`
	Roles            wire.Optional[[]role]         `json:"roles" wire:"notnull"`
	Locale           wire.Optional[string]         `json:"locale" wire:"notnull"`
	Email            wire.Optional[string]         `json:"email"`
	CustomAttributes wire.Optional[map[string]any] `json:"customAttributes"`
}

type userResponse struct {
	ID                     string                 `json:"id"`
	Username               string                 `json:"username"`
	Firstname              string                 `json:"firstname"`
	Lastname               string                 `json:"lastname"`
	Email                  string                 `json:"email,omitempty"`
	Locale                 string                 `json:"locale"`
	CustomClaims           customClaims           `json:"customClaims"`
	AssignedRoles          []assignedRole         `json:"assignedRoles"`
	AuthenticationProvider authenticationProvider `json:"authenticationProvider"`
	CustomAttributes       json.RawMessage        `json:"customAttributes,omitempty"`
	Created                string                 `json:"created"`
	LastModified           string                 `json:"lastModified"`
	Version                int64                  `json:"version"`
}

type customClaims struct {
	Roles []role `json:"roles"`
}

// assignedRole is a role in the form of the text's later generation.
type assignedRole struct {
	Ref     string        `json:"ref"`
	Context []roleContext `json:"context"`
}

type roleContext struct {
	Type   string   `json:"type"`
	Values []string `json:"values"`
}

type authenticationProvider struct {
	Type string `json:"type"`
}

type userListResponse struct {
	Total    int            `json:"total"`
	Users    []userResponse `json:"users"`
	PageInfo pageInfo       `json:"pageInfo"`
}

// pageInfo has null for the cursors of an empty page.
type pageInfo struct {
	StartCursor     *string `json:"startCursor"`
	EndCursor       *string `json:"endCursor"`
	HasNextPage     bool    `json:"hasNextPage"`
	HasPreviousPage bool    `json:"hasPreviousPage"`
}

// errorItem is the one element of the array that every error answers. The
// versions are there where they differ.
type errorItem struct {
	Summary        string `json:"summary"`
	Description    string `json:"description,omitempty"`
	Version        *int64 `json:"version,omitempty"`
	RequestVersion *int64 `json:"requestVersion,omitempty"`
}
