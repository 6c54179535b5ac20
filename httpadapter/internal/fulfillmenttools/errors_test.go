package fulfillmenttools

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// TestWords: what is wrong is named as the text names it.
func TestWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err     error
		status  int
		message string
	}{
		{&usermgmt.InvalidError{Field: "firstName", Reason: "is long"}, 400, "firstname: is long"},
		{&usermgmt.InvalidError{Field: "lastName", Reason: "is long"}, 400, "lastname: is long"},
		{&usermgmt.InvalidError{Field: "attributes", Reason: "is deep"}, 400, "customAttributes: is deep"},
		{&usermgmt.InvalidError{Field: "limit", Reason: "is much"}, 400, "size: is much"},
		{&usermgmt.InvalidError{Field: "Internal", Reason: "is odd"}, 400, "is odd"},
		{fmt.Errorf("wrapped: %w", &usermgmt.ExistsError{Field: "UsernameKey"}), 400, "username: is taken"},
		{&usermgmt.ExistsError{Field: "EmailKey"}, 400, "email: is taken"},
		{usermgmt.ErrNotFound, 404, "no such user"},
		{usermgmt.ErrLastAdmin, 409, "the realm's last active admin must stay"},
		{usermgmt.ErrBusy, 503, "too busy"},
	} {
		e := classify(tt.err)
		require.Equal(t, tt.status, e.Kind.Status())
		require.Equal(t, tt.message, e.Message())
	}
	require.Nil(t, classify(fmt.Errorf("disk on fire")))
}

func TestRenderer(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]*wire.Error{
		`[{"summary":"Conflict","description":"version: is not the current one","version":7,"requestVersion":0}]`: classify(
			fmt.Errorf("wrapped: %w", &usermgmt.StaleError{Version: 7})),
		`[{"summary":"Conflict","description":"version: is not the current one"}]`: classify(usermgmt.ErrStale),
		`[{"summary":"Not Found"}]`: {Kind: wire.NotFound},
		`[{"summary":"Internal Server Error","description":"internal error"}]`:       {Detail: "disk on fire", Field: "x"},
		`[{"summary":"Bad Request","description":"actions[0].action: is required"}]`: wire.Invalidf("actions[0].action", "is required"),
	} {
		media, body := renderer{}.Render(e)
		require.Equal(t, wire.ContentTypeJSON, media)
		text, err := json.Marshal(body)
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
}

// TestInternalErrors: what fails within says nothing of itself.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		r := w.Request(t, "root", "GET", "/api/users/"+string(donna), "")
		require.NoError(t, w.Close())
		rec := w.Serve(r)
		require.Equal(t, 500, rec.Code)
		require.JSONEq(t, `[{"summary": "Internal Server Error", "description": "internal error"}]`, rec.Body.String())
	})
}
