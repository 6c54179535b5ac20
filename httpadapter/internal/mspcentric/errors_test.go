package mspcentric

import (
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/store"
)

// TestWords: what is wrong is named as the text names it.
func TestWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err     error
		status  int
		message string
	}{
		{&usermgmt.InvalidError{Field: "username", Reason: "is odd"}, 400, "data.email: is odd"},
		{&usermgmt.InvalidError{Field: "name", Reason: "is odd"}, 400, "data.name: is odd"},
		{&usermgmt.InvalidError{Field: "scope", Reason: "is odd"}, 400, "scope: is odd"},
		{&usermgmt.InvalidError{Field: "Internal", Reason: "is odd"}, 400, "is odd"},
		{usermgmt.ErrUnauthenticated, 401, "Invalid client ID or client secret"},
		{&usermgmt.ThrottledError{RetryAfter: time.Second}, 429, "too many failed attempts"},
		{usermgmt.ErrOrganizationToken, 403, "Invalid organization token"},
		{&usermgmt.ForbiddenError{Reason: "only a vendor may do this"}, 403, "only a vendor may do this"},
		{usermgmt.ErrNoOrganization, 404, "Organization not found"},
		{usermgmt.ErrNotFound, 404, "User not found"},
		{usermgmt.ErrEmailClaimed, 409, "data.email: is taken"},
		{&usermgmt.ExistsError{Field: "UserID"}, 409, "data.email: is taken"},
		{&usermgmt.ExistsError{Field: "EmailKey"}, 409, "data.email: is taken"},
		{&usermgmt.ExistsError{Field: "UsernameKey"}, 409, "data.email: is taken"},
		{&usermgmt.ExistsError{Field: "VendorUserID"}, 409, "data.vendorUserId: is taken"},
		{&usermgmt.ExistsError{Field: "VendorOrganizationID"}, 409, "data.vendorOrganizationId: is taken"},
		{usermgmt.ErrLastOwner, 409, "the organization's last active owner must stay"},
		{usermgmt.ErrBusy, 503, "too busy"},
	} {
		e := classify(tt.err)
		require.Equal(t, tt.status, e.Kind.Status(), tt.message)
		require.Equal(t, tt.message, e.Message())
		require.Empty(t, e.Challenge, "there is no scheme to challenge with")
		require.ErrorIs(t, e, tt.err, "the log has what it was")
	}
	require.Nil(t, classify(errors.New("disk on fire")))
}

// TestRedirectIsRequired: a host without Options.RedirectURL finds the reason in
// its log, and callers learn nothing of it.
func TestRedirectIsRequired(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		var log exchange.Log
		w := newWorldWith(t, open(), func(o *usermgmt.Options) {
			o.RedirectURL, o.Logger = "", slog.New(slog.NewTextHandler(&log, nil))
		})
		w.unchanged(t, func() {
			status, body := w.do(t, partner, "POST", sessions, call{"organizationOemToken": w.tokens["pia"]})
			require.Equal(t, http.StatusInternalServerError, status)
			require.JSONEq(t, `{"status": 500, "message": "internal error"}`, body)
		})
		require.Contains(t, log.String(), "Options.RedirectURL is required")
	})
}

// TestInternalErrors: what fails within says nothing of itself.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		require.NoError(t, w.Close())
		for _, path := range []string{organizations, users, sessions} {
			status, body := w.do(t, partner, "POST", path, call{
				"data": call{"name": "N", "email": "n@new.example"}, "organizationOemToken": w.tokens["pia"],
			})
			require.Equal(t, 500, status)
			require.JSONEq(t, `{"status": 500, "message": "internal error"}`, body)
		}
	})
}

// TestLogHoldsNoSecrets: everything in testdata, logged in full, leaves no
// credential and nobody's address in the log.
func TestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		var log exchange.Log
		w := newWorldWith(t, open(), func(o *usermgmt.Options) {
			o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		for _, e := range exchange.All(t, "testdata") {
			w.Serve(e.Request(t, w.World))
		}
		text := log.String()
		require.Contains(t, text, "vendor.refused")
		require.Contains(t, text, "request failed")
		for _, secret := range secrets {
			require.NotContains(t, text, secret)
		}
		require.NotRegexp(t, regexp.MustCompile(`um[a-z]_[A-Za-z0-9_-]{20}`), text)
		require.NotContains(t, strings.ToLower(text), ".example")
		require.NotContains(t, text, "wrong secret")
	})
}
