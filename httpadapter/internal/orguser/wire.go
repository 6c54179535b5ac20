package orguser

import "github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"

// A body may name the organization too; null is as good as absent.

type addRequest struct {
	Email          string                `json:"email" wire:"required"`
	Role           string                `json:"role" wire:"required"`
	OrganizationID wire.Optional[string] `json:"organization_id"`
}

type updateRequest struct {
	UserID         string                `json:"user_id" wire:"required"`
	Role           string                `json:"role" wire:"required"`
	OrganizationID wire.Optional[string] `json:"organization_id"`
}

type deleteRequest struct {
	UserID         string                `json:"user_id" wire:"required"`
	OrganizationID wire.Optional[string] `json:"organization_id"`
}

// addResponse has what each generation of the contract answers.
type addResponse struct {
	OrganizationID string `json:"organization_id"`
	UserID         string `json:"user_id"`
	Role           string `json:"role"`
	Email          string `json:"email"` // empty for none, as below
	FirstName      string `json:"first_name"`
	LastName       string `json:"last_name"`
}

type messageResponse struct {
	Message string `json:"message"`
}

type memberResponse struct {
	OrganizationID string `json:"organization_id"`
	UserID         string `json:"user_id"`
	Role           string `json:"role"`
	CreatedAt      string `json:"created_at"` // of the membership, RFC 3339
	UpdatedAt      string `json:"updated_at"`
	FirstName      string `json:"first_name"`
	LastName       string `json:"last_name"`
	Email          string `json:"email"`
}

type listedMember struct {
	UserID    string `json:"user_id"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Role      string `json:"role"`
	Email     string `json:"email"`
	CreatedAt string `json:"created_at"` // of the membership, listTime
}

type errorResponse struct {
	Error string `json:"error"`
}
