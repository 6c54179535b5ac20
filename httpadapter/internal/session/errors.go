package session

import (
	"errors"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/fault"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// invalidGrant is RFC 6749's 400 for a credential that is not accepted, whatever
// is wrong with it.
func invalidGrant(detail string) *wire.Error {
	return &wire.Error{Kind: wire.Invalid, Code: "invalid_grant", Detail: detail}
}

// words are those of the Manager's errors here. The password that the policy
// speaks of is always a new one.
var words = fault.Words{Member: func(field string) string {
	if field == "password" {
		return "new_password"
	}
	return ""
}}

// classify words the Manager's errors; nil is a 500.
func classify(err error) *wire.Error {
	if errors.Is(err, usermgmt.ErrForbidden) {
		e := wire.InsufficientScope("the session does not admit to this")
		e.Cause = err
		return e
	}
	return words.Classify(err)
}
