package mspcentric

import "github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"

// The text marks nothing as required. What must be there is what there is
// nothing to do without; an optional member may be null, which is as good as
// absent, unless its tag says otherwise.

type organizationRequest struct {
	ClientID     string           `json:"clientId" wire:"required"`
	ClientSecret string           `json:"clientSecret" wire:"required"`
	GrantType    string           `json:"grantType" wire:"required"`
	Scope        string           `json:"scope" wire:"required"`
	Data         organizationData `json:"data" wire:"required"`
}

func (r organizationRequest) credentials() credentials {
	return credentials{r.ClientID, r.ClientSecret, r.GrantType, r.Scope}
}

type organizationData struct {
	Name                 string                `json:"name" wire:"required"`
	Email                string                `json:"email" wire:"required"`
	FirstName            wire.Optional[string] `json:"firstName"`
	LastName             wire.Optional[string] `json:"lastName"`
	VendorUserID         wire.Optional[string] `json:"vendorUserId"`
	VendorOrganizationID wire.Optional[string] `json:"vendorOrganizationId"`
}

type userRequest struct {
	ClientID     string   `json:"clientId" wire:"required"`
	ClientSecret string   `json:"clientSecret" wire:"required"`
	GrantType    string   `json:"grantType" wire:"required"`
	Scope        string   `json:"scope" wire:"required"`
	Data         userData `json:"data" wire:"required"`
}

func (r userRequest) credentials() credentials {
	return credentials{r.ClientID, r.ClientSecret, r.GrantType, r.Scope}
}

type userData struct {
	Email                string                `json:"email" wire:"required"`
	FirstName            wire.Optional[string] `json:"firstName"`
	LastName             wire.Optional[string] `json:"lastName"`
	VendorUserID         wire.Optional[string] `json:"vendorUserId"`
	VendorOrganizationID wire.Optional[string] `json:"vendorOrganizationId"`
}

type removalRequest struct {
	ClientID             string `json:"clientId" wire:"required"`
	ClientSecret         string `json:"clientSecret" wire:"required"`
	GrantType            string `json:"grantType" wire:"required"`
	Scope                string `json:"scope" wire:"required"`
	OrganizationOEMToken string `json:"organizationOemToken" wire:"required"`
	// Data is beyond the text: another member of the token's organization.
	Data wire.Optional[memberData] `json:"data" wire:"notnull"`
}

func (r removalRequest) credentials() credentials {
	return credentials{r.ClientID, r.ClientSecret, r.GrantType, r.Scope}
}

type memberData struct {
	Email        wire.Optional[string] `json:"email"`
	VendorUserID wire.Optional[string] `json:"vendorUserId"`
}

type sessionRequest struct {
	ClientID             string `json:"clientId" wire:"required"`
	ClientSecret         string `json:"clientSecret" wire:"required"`
	GrantType            string `json:"grantType" wire:"required"`
	Scope                string `json:"scope" wire:"required"`
	OrganizationOEMToken string `json:"organizationOemToken" wire:"required"`
}

func (r sessionRequest) credentials() credentials {
	return credentials{r.ClientID, r.ClientSecret, r.GrantType, r.Scope}
}

type provisionedResponse struct {
	Status               int    `json:"status"`
	Message              string `json:"message"`
	OrganizationOEMToken string `json:"organizationOemToken"`
}

// statusResponse is the answer that says no more than how it went: also that of
// every error.
type statusResponse struct {
	Status  int    `json:"status"` // that of HTTP, again
	Message string `json:"message"`
}

type sessionResponse struct {
	Status      int    `json:"status"`
	Message     string `json:"message"`
	RedirectURL string `json:"redirectUrl"`
	ExpiresAt   string `json:"expiresAt"`
}
