package socotra

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err     error
		status  int
		message string
	}{
		{&usermgmt.InvalidError{Field: "username", Reason: "must be shorter"}, 400, "userName: must be shorter"},
		{&usermgmt.InvalidError{Field: "Internal", Reason: "must be shorter"}, 400, "must be shorter"},
		{fmt.Errorf("x: %w", usermgmt.ErrUnauthenticated), 401, "the access token is invalid, expired or revoked"},
		{&usermgmt.ForbiddenError{Permission: "users.add"}, 403, "needs users.add"},
		{&usermgmt.ForbiddenError{Permission: "users.add", Reason: "no"}, 403, "no"},
		{usermgmt.ErrNotFound, 404, "no such user or role"},
		{&usermgmt.ExistsError{Field: "EmailKey"}, 409, "email: is taken"},
		{&usermgmt.StaleError{Version: 2, Requested: 1}, 409, "version: is not the current one"},
		{usermgmt.ErrLastAdmin, 409, "the realm's last active admin must stay"},
		{usermgmt.ErrLastOwner, 409, "the organization's last active owner must stay"},
		{usermgmt.ErrBusy, 503, "too busy"},
		{usermgmt.ErrFull, 503, "the directory cannot be written now"},
		{usermgmt.ErrReadOnly, 503, "the directory cannot be written now"},
		{usermgmt.ErrUnknownOutcome, 503, "the directory cannot be written now"},
	}
	for _, tt := range tests {
		e := classify(fmt.Errorf("wrapped: %w", tt.err))
		require.NotNil(t, e, "%v", tt.err)
		require.Equal(t, tt.status, e.Kind.Status(), "%v", tt.err)
		require.Equal(t, tt.message, e.Message())
	}
	require.Nil(t, classify(errors.New("disk on fire")), "what is unknown is a 500")
	require.Nil(t, classify(context.Canceled))
}

// TestInternalErrors: what fails within says nothing of itself.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.request(t, "root", "GET", "/auth/users/list", "")
	require.NoError(t, w.Close())
	rec := w.serve(r)
	require.Equal(t, 500, rec.Code)
	require.Equal(t, "application/problem+json", rec.Header().Get("Content-Type"))
	require.JSONEq(t, `{"type": "about:blank", "title": "Internal Server Error", "status": 500, "detail": "internal error"}`, rec.Body.String())
}

func TestBusy(t *testing.T) {
	t.Parallel()
	e := classify(usermgmt.ErrBusy)
	require.Equal(t, wire.Unavailable, e.Kind)
	require.Positive(t, e.RetryAfter)
}
