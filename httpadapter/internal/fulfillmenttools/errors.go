package fulfillmenttools

import (
	"errors"
	"net/http"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/fault"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// words are those of the Manager's errors in this dialect.
var words = fault.Words{Member: member, Missing: "no such user"}

// classify is words.Classify, except that what is taken is 400: a 409 with a
// version in it is what clients of this dialect retry.
func classify(err error) *wire.Error {
	e := words.Classify(err)
	if e == nil || !errors.Is(err, usermgmt.ErrExists) {
		return e
	}
	taken := *e
	taken.Kind = wire.Invalid
	return &taken
}

// member is the text's name for a field of the Manager's, "" for one that it
// does not know.
func member(field string) string {
	switch field {
	case "username", "UsernameKey":
		return "username"
	case "email", "EmailKey":
		return "email"
	case "firstName":
		return "firstname"
	case "lastName":
		return "lastname"
	case "attributes":
		return "customAttributes"
	case "limit":
		return "size"
	case "after":
		return "startAfterId"
	case "password", "roles", "locale":
		return field
	}
	return ""
}

// renderer words errors as an array of one errorItem.
type renderer struct{}

// Render implements [wire.Renderer].
func (renderer) Render(e *wire.Error) (string, any) {
	item := errorItem{Summary: http.StatusText(e.Kind.Status())}
	if text := e.Message(); text != item.Summary {
		item.Description = text
	}
	var stale *usermgmt.StaleError
	if errors.As(e.Cause, &stale) {
		item.Version, item.RequestVersion = &stale.Version, &stale.Requested
	}
	return wire.ContentTypeJSON, []errorItem{item}
}
