package applivery

import (
	"errors"
	"strconv"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/fault"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// Codes of the text and of its siblings. An error of another kind has its status
// for a code.
const (
	codeInvalid     = 3000
	codeNotFound    = 3001
	codeNoToken     = 4002
	codeForbidden   = 4003
	codeBadToken    = 4004
	codeAccountHere = 4009
	codeFeature     = 5187
)

// renderer words errors in the text's envelope.
type renderer struct{}

func (renderer) Render(e *wire.Error) (string, any) {
	code, message := e.Kind.Status(), e.Message()
	switch e.Kind {
	case wire.Invalid:
		code = codeInvalid
	case wire.Unauthenticated:
		code, message = codeBadToken, "Invalid Token"
	case wire.Forbidden:
		code = codeForbidden
	case wire.NotFound:
		code, message = codeNotFound, "Entity not found"
	}
	if own, err := strconv.Atoi(e.Code); err == nil {
		code, message = own, e.Message()
	}
	return wire.ContentTypeJSON, errorResponse{Error: errorDetail{Code: code, Message: message}}
}

// errFeatureBlocked is for organizations without OEM provisioning.
var errFeatureBlocked = &wire.Error{Kind: wire.Invalid, Detail: "Feature block by platform configuration", Code: strconv.Itoa(codeFeature)}

var words = fault.Words{Member: member, Missing: "Entity not found"}

// classify words the Manager's errors; nil is a 500. There is no 409: whatever
// stands against a new user is the 403 for an address that has an account.
func classify(err error) *wire.Error {
	switch {
	case errors.Is(err, wire.ErrNoCredential):
		e := wire.Unauthorized()
		e.Detail, e.Code = "No auth token", strconv.Itoa(codeNoToken)
		return e
	case errors.Is(err, usermgmt.ErrExists), errors.Is(err, usermgmt.ErrConflict):
		return &wire.Error{
			Kind: wire.Forbidden, Code: strconv.Itoa(codeAccountHere), Cause: err,
			Detail: "The operation can not be completed at this time. If you already registered an account with this email address, try to log-in",
		}
	}
	return words.Classify(err)
}

// member is the text's name for a field of the Manager's, "" for one that it
// does not know.
func member(field string) string {
	switch field {
	case "username":
		return "email"
	case "email", "firstName", "lastName", "tags":
		return field
	}
	return ""
}
