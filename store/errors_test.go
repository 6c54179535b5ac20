package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

func TestExistsErrorNamesTheFieldInWords(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]string{
		"ID": "id", "UserID": "user id", "UsernameKey": "username", "EmailKey": "email", "Slug": "slug",
		"MatchDomain": "match domain", "VendorOrganizationID": "vendor organization id",
	} {
		require.EqualError(t, &store.ExistsError{Field: field}, want+" already exists")
	}
}
