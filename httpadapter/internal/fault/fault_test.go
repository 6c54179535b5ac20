package fault

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/wire"
)

var words = Words{
	Missing: "no such thing",
	Member: func(field string) string {
		return map[string]string{"username": "userName", "EmailKey": "email"}[field]
	},
}

func TestClassify(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err     error
		status  int
		message string
	}{
		{&usermgmt.InvalidError{Field: "username", Reason: "must be shorter"}, 400, "userName: must be shorter"},
		{&usermgmt.InvalidError{Field: "Internal", Reason: "must be shorter"}, 400, "must be shorter"},
		{usermgmt.ErrUnauthenticated, 401, "the access token is invalid, expired or revoked"},
		{&usermgmt.ThrottledError{RetryAfter: time.Minute}, 429, "too many failed attempts"},
		{&usermgmt.ForbiddenError{Permission: "users.add"}, 403, "needs users.add"},
		{&usermgmt.ForbiddenError{Permission: "users.add", Reason: "no"}, 403, "no"},
		{usermgmt.ErrNotFound, 404, "no such thing"},
		{usermgmt.ErrNoOrganization, 404, "no such thing"},
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
		e := words.Classify(fmt.Errorf("wrapped: %w", tt.err))
		require.NotNil(t, e, "%v", tt.err)
		require.Equal(t, tt.status, e.Kind.Status(), "%v", tt.err)
		require.Equal(t, tt.message, e.Message())
	}
	require.Nil(t, words.Classify(errors.New("disk on fire")), "what is unknown is a 500")
	require.Nil(t, words.Classify(context.Canceled))
	require.Positive(t, words.Classify(usermgmt.ErrBusy).RetryAfter)
	require.Equal(t, time.Minute, words.Classify(&usermgmt.ThrottledError{RetryAfter: time.Minute}).RetryAfter)
}

func TestChallenges(t *testing.T) {
	t.Parallel()
	for err, challenge := range map[error]string{
		usermgmt.ErrUnauthenticated: wire.ChallengeInvalidToken,
		usermgmt.ErrForbidden:       "",
		&usermgmt.ForbiddenError{}:  wire.ChallengeInsufficientScope,
	} {
		if challenge != "" {
			require.Equal(t, challenge, words.Classify(err).Challenge)
		}
		silent := words
		silent.NoBearer = true
		if e := silent.Classify(err); e != nil {
			require.Empty(t, e.Challenge, "%v", err)
		}
	}
}

func TestBlame(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("wrapped: %w", &usermgmt.InvalidError{Field: "roles", Reason: "no such role"})
	var e *wire.Error
	require.ErrorAs(t, Blame(err, "roles", "addRoles"), &e)
	require.Equal(t, "addRoles: no such role", e.Message())
	require.Equal(t, err, Blame(err, "tenants", "addTenants"))
}
