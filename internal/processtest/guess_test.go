package processtest

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// TestGuessesAreBoundedInAllProcesses: of many wrong passwords at once, at three
// processes, as many are verified as may fail; and who was refused by one is
// refused by all, until the password is set anew.
func TestGuessesAreBoundedInAllProcesses(t *testing.T) {
	t.Parallel()
	for kind := range places() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := build(t, kind, 3)
			_, err := h.m.CreateUser(t.Context(), usermgmt.NewUser{ID: ada, Username: "ada", Password: password})
			require.NoError(t, err)
			signIns := func(n int, with string) []int {
				requests := make([]request, n)
				for i := range requests {
					requests[i] = request{method: "POST", path: "/session", json: fmt.Sprintf(`{"username":"ada","password":%q}`, with)}
				}
				return h.atOnce(requests)
			}
			statuses := signIns(60, "wrong")
			require.Equal(t, 10, count(statuses, http.StatusBadRequest), statuses)
			require.Equal(t, 50, count(statuses, http.StatusTooManyRequests), statuses)
			require.Equal(t, 3, count(signIns(3, password), http.StatusTooManyRequests))
			_, err = h.m.SignIn(t.Context(), "ada", password)
			require.ErrorIs(t, err, usermgmt.ErrThrottled)

			require.NoError(t, h.m.SetPassword(t.Context(), ada, password))
			require.Equal(t, 6, count(signIns(6, password), http.StatusOK))
		})
	}
}
