package wire

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBearer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", maxToken)
	tests := []struct {
		values    []string
		token     string
		challenge string // of the error; ErrNoCredential if neither is set
	}{
		{values: nil},
		{values: []string{""}},
		{values: []string{"Bearer"}},
		{values: []string{"Bearer  "}},
		{values: []string{"Basic dTpw"}},
		{values: []string{"Bearers abc"}},
		{values: []string{"abc"}},
		{values: []string{"Bearer abc"}, token: "abc"},
		{values: []string{"bEARER   a.b-c_~+/= "}, token: "a.b-c_~+/="},
		{values: []string{"Bearer " + long}, token: long},
		{values: []string{"Bearer " + long + "a"}, challenge: ChallengeInvalidToken},
		{values: []string{"Bearer a b"}, challenge: ChallengeInvalidRequest},
		{values: []string{"Bearer a, Bearer b"}, challenge: ChallengeInvalidRequest},
		{values: []string{"Bearer\tabc"}, challenge: ChallengeInvalidRequest},
		{values: []string{"Bearer a\x00"}, challenge: ChallengeInvalidRequest},
		{values: []string{"Bearer a\x7f"}, challenge: ChallengeInvalidRequest},
		{values: []string{"Bearer é"}, challenge: ChallengeInvalidRequest},
		{values: []string{"Bearer \xff"}, challenge: ChallengeInvalidRequest},
		{values: []string{"Bearer a", "Bearer a"}, challenge: ChallengeInvalidRequest},
		{values: []string{"Bearer a", ""}, challenge: ChallengeInvalidRequest},
		{values: []string{"Basic a", "Bearer a"}, challenge: ChallengeInvalidRequest},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", "/?access_token=fromurl", nil)
		r.Header["Authorization"] = tt.values
		token, err := Bearer(r)
		require.Equal(t, tt.token, token, "%.40q", tt.values)
		var e *Error
		switch {
		case tt.token != "":
			require.NoError(t, err, "%.40q", tt.values)
		case tt.challenge == "":
			require.ErrorIs(t, err, ErrNoCredential, "%.40q", tt.values)
		default:
			require.True(t, errors.As(err, &e), "%.40q", tt.values)
			require.Equal(t, tt.challenge, e.Challenge, "%.40q", tt.values)
			want := Invalid
			if tt.challenge == ChallengeInvalidToken {
				want = Unauthenticated
			}
			require.Equal(t, want, e.Kind)
		}
	}
}
