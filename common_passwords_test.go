package usermgmt_test

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// TestCommonPasswordsAreRefused: the list has more than 3,000 that are long
// enough for the default policy, and none of them is accepted.
func TestCommonPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("common_passwords.txt")
	require.NoError(t, err)
	d := newDesk(t)
	long := 0
	for line := range strings.Lines(string(list)) {
		password := strings.TrimSuffix(line, "\n")
		if utf8.RuneCountInString(password) < 8 {
			continue
		}
		long++
		_, err := d.CreateUser(t.Context(), usermgmt.NewUser{Username: "ada", Password: strings.ToUpper(password)})
		var invalid *usermgmt.InvalidError
		require.ErrorAs(t, err, &invalid, password)
		require.Equal(t, "must not be one of the most common passwords", invalid.Reason, password)
	}
	require.Greater(t, long, 3_000)
}
