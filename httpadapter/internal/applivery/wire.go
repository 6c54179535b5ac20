package applivery

import "github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"

// An optional member may be null, which is as good as absent.

type createOemUserRequest struct {
	Email     string                  `json:"email" wire:"required"`
	FirstName wire.Optional[string]   `json:"firstName"`
	LastName  wire.Optional[string]   `json:"lastName"`
	Tags      wire.Optional[[]string] `json:"tags"`
}

type collaborator struct {
	ID           string   `json:"id"` // the user's
	Organization string   `json:"organization"`
	Role         string   `json:"role"`
	Tags         []string `json:"tags"`
	User         user     `json:"user"`
	// Detected is of the published shape and says nothing here.
	Detected  struct{} `json:"detected"`
	CreatedBy string   `json:"createdBy"`
	UpdatedAt string   `json:"updatedAt"`
	CreatedAt string   `json:"createdAt"`
}

type user struct {
	ID        string `json:"id"`
	Email     string `json:"email"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Role      string `json:"role"`
	// SsoUser is always false.
	SsoUser bool `json:"ssoUser"`
}

type collaboratorResponse struct {
	Status bool             `json:"status"` // true
	Data   collaboratorData `json:"data"`
}

type collaboratorData struct {
	Collaborator collaborator `json:"collaborator"`
}

type oemSecretResponse struct {
	Status bool          `json:"status"` // true
	Data   oemSecretData `json:"data"`
}

type oemSecretData struct {
	Collaborator collaborator `json:"collaborator"`
	OemSecret    string       `json:"oemSecret"`
}

type collaboratorsResponse struct {
	Status bool             `json:"status"` // true
	Data   collaboratorPage `json:"data"`
}

type collaboratorPage struct {
	Items         []collaborator `json:"items"`
	TotalDocs     int64          `json:"totalDocs"`
	Limit         int64          `json:"limit"`
	HasPrevPage   bool           `json:"hasPrevPage"`
	HasNextPage   bool           `json:"hasNextPage"`
	Page          int64          `json:"page"`
	TotalPages    int64          `json:"totalPages"`
	PrevPage      *int64         `json:"prevPage"`
	NextPage      *int64         `json:"nextPage"`
	PagingCounter int64          `json:"pagingCounter"` // of the page's first item, from 1
}

type errorResponse struct {
	Status bool        `json:"status"` // false
	Error  errorDetail `json:"error"`
}

type errorDetail struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}
