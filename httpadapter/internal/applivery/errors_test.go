package applivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

// TestCodes holds every kind of error to the table of the dialect's page.
func TestCodes(t *testing.T) {
	t.Parallel()
	const account = `"The operation can not be completed at this time. If you already registered an account with this email address, try to log-in"`
	tests := []struct {
		err    error
		status int
		code   int
		text   string
	}{
		{wire.ErrNoCredential, 401, 4002, `"No auth token"`},
		{usermgmt.ErrUnauthenticated, 401, 4004, `"Invalid Token"`},
		{wire.InvalidToken("the access token is too long"), 401, 4004, `"Invalid Token"`},
		{&usermgmt.ForbiddenError{Permission: usermgmt.MembersAdd}, 403, 4003, `"needs members.add"`},
		{usermgmt.ErrNotFound, 404, 3001, `"Entity not found"`},
		{usermgmt.ErrNoOrganization, 404, 3001, `"Entity not found"`},
		{errFeatureBlocked, 400, 5187, `"Feature block by platform configuration"`},
		{&usermgmt.InvalidError{Field: "username", Reason: "must be shorter"}, 400, 3000, `"email: must be shorter"`},
		{&usermgmt.InvalidError{Field: "tags", Reason: "must be fewer"}, 400, 3000, `"tags: must be fewer"`},
		{&usermgmt.InvalidError{Field: "Internal", Reason: "must be shorter"}, 400, 3000, `"must be shorter"`},
		{&usermgmt.ExistsError{Field: "EmailKey"}, 403, 4009, account},
		{&usermgmt.ExistsError{Field: "UsernameKey"}, 403, 4009, account},
		{&usermgmt.ExistsError{Field: "UserID"}, 403, 4009, account},
		{usermgmt.ErrEmailClaimed, 403, 4009, account},
		{usermgmt.ErrLastOwner, 403, 4009, account},
		{wire.Errorf(wire.MethodNotAllowed, "no"), 405, 405, `"no"`},
		{wire.Errorf(wire.TooLarge, "no"), 413, 413, `"no"`},
		{wire.Errorf(wire.UnsupportedMedia, "no"), 415, 415, `"no"`},
		{&usermgmt.ThrottledError{RetryAfter: time.Second}, 429, 429, `"too many failed attempts"`},
		{&wire.Error{Detail: "secret"}, 500, 500, `"internal error"`},
		{usermgmt.ErrBusy, 503, 503, `"too busy"`},
		{usermgmt.ErrFull, 503, 503, `"the directory cannot be written now"`},
	}
	for _, tt := range tests {
		e := (*wire.Error)(nil)
		if !errors.As(tt.err, &e) {
			e = classify(fmt.Errorf("around: %w", tt.err))
		}
		require.NotNil(t, e, "%v", tt.err)
		require.Equal(t, tt.status, e.Kind.Status(), "%v", tt.err)
		contentType, body := renderer{}.Render(e)
		require.Equal(t, wire.ContentTypeJSON, contentType)
		text, err := json.Marshal(body)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf(`{"status":false,"error":{"code":%d,"message":%s}}`, tt.code, tt.text), string(text), "%v", tt.err)
	}
	require.Nil(t, classify(errors.New("disk on fire")), "what is unknown is a 500")
}

// TestInternalErrors: what fails within says nothing of itself.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		r := w.Request(t, "key", "POST", createPath("acme"), `{"email": "eve@example.com"}`)
		require.NoError(t, w.Close())
		rec := w.Serve(r)
		require.Equal(t, 500, rec.Code)
		require.JSONEq(t, `{"status": false, "error": {"code": 500, "message": "internal error"}}`, rec.Body.String())
	})
}
