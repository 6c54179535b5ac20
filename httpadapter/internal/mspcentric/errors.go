package mspcentric

import (
	"errors"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/fault"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// renderer words errors as the text words successes: the status again, and a
// message.
type renderer struct{}

func (renderer) Render(e *wire.Error) (string, any) {
	return wire.ContentTypeJSON, statusResponse{Status: e.Kind.Status(), Message: e.Message()}
}

var words = fault.Words{Member: member, Missing: "User not found", NoBearer: true}

// classify words the Manager's errors; nil is a 500. Sentences that the text has
// are the text's.
func classify(err error) *wire.Error {
	switch exists := (*usermgmt.ExistsError)(nil); {
	case errors.Is(err, usermgmt.ErrUnauthenticated):
		return &wire.Error{Kind: wire.Unauthenticated, Detail: "Invalid client ID or client secret", Cause: err}
	case errors.Is(err, usermgmt.ErrOrganizationToken):
		return &wire.Error{Kind: wire.Forbidden, Detail: "Invalid organization token", Cause: err}
	case errors.Is(err, usermgmt.ErrNoOrganization):
		return &wire.Error{Kind: wire.NotFound, Detail: "Organization not found", Cause: err}
	case errors.Is(err, usermgmt.ErrEmailClaimed):
		// What is refused for the sake of an account elsewhere must look as if
		// the user were a member already.
		e := words.Classify(&usermgmt.ExistsError{Field: "UserID"})
		e.Cause = err
		return e
	case errors.As(err, &exists) && exists.Field == "MatchDomain":
		return &wire.Error{Kind: wire.Conflict, Field: "data.email", Detail: "its domain is that of another organization without vendorOrganizationId", Cause: err}
	}
	return words.Classify(err)
}

// member is the text's name for a field of the Manager's, "" for one that it
// does not know.
func member(field string) string {
	switch field {
	case "email", "username", "domain", "UserID", "EmailKey", "UsernameKey":
		return "data.email"
	case "name", "firstName", "lastName", "vendorUserId", "vendorOrganizationId":
		return "data." + field
	case "VendorUserID":
		return "data.vendorUserId"
	case "VendorOrganizationID":
		return "data.vendorOrganizationId"
	case "scope":
		return field
	}
	return ""
}
