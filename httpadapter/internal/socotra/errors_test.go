package socotra

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// TestWords: what is wrong is named as the text names it.
func TestWords(t *testing.T) {
	t.Parallel()
	for message, err := range map[string]error{
		"userName: must be shorter": &usermgmt.InvalidError{Field: "username", Reason: "must be shorter"},
		"count: must be less":       &usermgmt.InvalidError{Field: "limit", Reason: "must be less"},
		"must be shorter":           &usermgmt.InvalidError{Field: "Internal", Reason: "must be shorter"},
		"email: is taken":           &usermgmt.ExistsError{Field: "EmailKey"},
		"name: is taken":            &usermgmt.ExistsError{Field: "Name"},
		"no such user or role":      usermgmt.ErrNotFound,
	} {
		require.Equal(t, message, words.Classify(err).Message())
	}
}

// TestInternalErrors: what fails within says nothing of itself.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		r := w.Request(t, "root", "GET", "/auth/users/list", "")
		require.NoError(t, w.Close())
		rec := w.Serve(r)
		require.Equal(t, 500, rec.Code)
		require.Equal(t, "application/problem+json", rec.Header().Get("Content-Type"))
		require.JSONEq(t, `{"type": "about:blank", "title": "Internal Server Error", "status": 500, "detail": "internal error"}`, rec.Body.String())
	})
}
