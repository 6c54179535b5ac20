package orguser

import (
	"errors"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/fault"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// renderer words every error as {"error": "…"}.
type renderer struct{}

// Render implements [wire.Renderer].
func (renderer) Render(e *wire.Error) (string, any) {
	return wire.ContentTypeJSON, errorResponse{e.Message()}
}

// words are those of the Manager's errors in this dialect.
var words = fault.Words{Member: member, Missing: "User not found in the organization"}

// classify is words.Classify with what the contract words itself.
func classify(err error) *wire.Error {
	var exists *usermgmt.ExistsError
	switch {
	case errors.Is(err, usermgmt.ErrNoOrganization):
		return &wire.Error{Kind: wire.NotFound, Detail: "Organization not found", Cause: err}
	case errors.As(err, &exists) && exists.Field == "UserID":
		return &wire.Error{Kind: wire.Conflict, Detail: "User is already a member of the organization", Cause: err}
	}
	return words.Classify(err)
}

// member is the text's name for a field of the Manager's, "" for one that it
// does not know.
func member(field string) string {
	switch field {
	case "email", "username", "EmailKey", "UsernameKey": // who is invited has the address for a username
		return "email"
	case "role":
		return field
	}
	return ""
}
