package orguser

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// TestWords: what is wrong is named as the text names it.
func TestWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		message string
		status  int
		err     error
	}{
		{"email: must be shorter", 400, &usermgmt.InvalidError{Field: "email", Reason: "must be shorter"}},
		{"email: must be shorter", 400, &usermgmt.InvalidError{Field: "username", Reason: "must be shorter"}},
		{"must be shorter", 400, &usermgmt.InvalidError{Field: "Internal", Reason: "must be shorter"}},
		{"email: is taken", 409, &usermgmt.ExistsError{Field: "UsernameKey"}},
		{"User is already a member of the organization", 409, fmt.Errorf("x: %w", &usermgmt.ExistsError{Field: "UserID"})},
		{"the organization's last active owner must stay", 409, usermgmt.ErrLastOwner},
		{"User not found in the organization", 404, usermgmt.ErrNotFound},
		{"Organization not found", 404, usermgmt.ErrNoOrganization},
		{"needs members.add", 403, &usermgmt.ForbiddenError{Permission: usermgmt.MembersAdd}},
	} {
		e := classify(tt.err)
		require.Equal(t, tt.message, e.Message())
		require.Equal(t, tt.status, e.Kind.Status(), tt.message)
	}
	require.Nil(t, classify(usermgmt.ErrClosed))
}

// TestInternalErrors: what fails within says nothing of itself.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		r := w.request(t, "olga", acme, "GET", path, "")
		require.NoError(t, w.Close())
		rec := w.Serve(r)
		require.Equal(t, 500, rec.Code)
		require.Equal(t, "application/json; charset=utf-8", rec.Header().Get("Content-Type"))
		require.JSONEq(t, `{"error": "internal error"}`, rec.Body.String())
	})
}
