package mspcentric

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// member is a user with his memberships, found by his username.
func (w *world) member(t testing.TB, username string) (usermgmt.User, []usermgmt.Membership) {
	t.Helper()
	u, err := w.UserByUsername(t.Context(), username)
	require.NoError(t, err)
	ms, err := w.Memberships(t.Context(), u.ID, usermgmt.Page{})
	require.NoError(t, err)
	return u, ms.Items
}

// TestQuickStart is the text's complete example.
func TestQuickStart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.token(t, partner, organizations, call{
			"name": "Example Corp", "email": "john.doe@example.com", "firstName": "John", "lastName": "Doe", "vendorOrganizationId": "12345",
		})
		john, ms := w.member(t, "john.doe@example.com")
		require.Len(t, ms, 1)
		require.Equal(t, usermgmt.RoleOwner, ms[0].Role)
		require.Equal(t, []string{"John", "Doe", "john.doe@example.com"}, []string{john.FirstName, john.LastName, john.Email})

		code := w.session(t, partner, token)
		actor, tokens, err := w.RedeemCode(t.Context(), code)
		require.NoError(t, err)
		require.Equal(t, john.ID, actor.UserID())
		require.Equal(t, ms[0].OrganizationID, actor.ConfinedTo())
		again, err := w.Authenticate(t.Context(), tokens.AccessToken)
		require.NoError(t, err)
		require.Equal(t, actor, again)
	})
}

// TestUserRoles: the first user is the owner, every later one a member.
func TestUserRoles(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.token(t, partner, users, call{"email": "jim@acme.example", "vendorUserId": "7"})
		_, ms := w.member(t, "jim@acme.example")
		require.Len(t, ms, 1)
		require.Equal(t, usermgmt.RoleMember, ms[0].Role)
		require.Equal(t, "7", ms[0].VendorUserID)
		_, owner := w.member(t, "ada@acme.example")
		require.Equal(t, owner[0].OrganizationID, ms[0].OrganizationID, "jim is where the domain points")

		status, body := w.do(t, partner, "DELETE", users, call{"organizationOemToken": w.tokens["sol"]})
		require.Equal(t, 201, status, body)
		w.token(t, partner, users, call{"email": "sally@solo.example"})
		_, ms = w.member(t, "sally@solo.example")
		require.Equal(t, usermgmt.RoleOwner, ms[0].Role, "the first one in an empty organization owns it")
	})
}

// TestExistingAccount: a vendor who adds an account by its address gains nothing
// over it.
func TestExistingAccount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		before, _ := w.member(t, "eve@elsewhere.example")
		signIn := func() {
			_, err := w.SignIn(t.Context(), "eve@elsewhere.example", "violet cradle 77")
			require.NoError(t, err)
		}
		tokens, err := w.SignIn(t.Context(), "eve@elsewhere.example", "violet cradle 77")
		require.NoError(t, err)
		token := w.token(t, partner, organizations, call{
			"name": "Trap", "email": "EVE@elsewhere.example", "firstName": "Not", "lastName": "Eve", "vendorOrganizationId": "trap",
		})
		after, ms := w.member(t, "eve@elsewhere.example")
		require.Equal(t, before, after, "nothing of the account changed")
		require.Len(t, ms, 1)
		signIn()

		eve, _, err := w.RedeemCode(t.Context(), w.session(t, partner, token))
		require.NoError(t, err)
		name := "Mallory"
		_, err = w.As(eve).UpdateUser(t.Context(), eve.UserID(), usermgmt.UserUpdate{FirstName: &name})
		require.ErrorIs(t, err, usermgmt.ErrForbidden)

		status, body := w.do(t, partner, "DELETE", users, call{"organizationOemToken": token})
		require.Equal(t, 201, status, body)
		after, ms = w.member(t, "eve@elsewhere.example")
		require.Equal(t, before, after)
		require.Empty(t, ms)
		signIn()
		_, err = w.Authenticate(t.Context(), tokens.AccessToken)
		require.NoError(t, err, "her own session goes on")
	})
}

// TestDeletedAccounts: an account goes with the last that it is there for, if the
// vendor made it.
func TestDeletedAccounts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		shared := w.token(t, initech, users, call{"email": "max@partner.example", "vendorOrganizationId": "9"})
		for _, tt := range []struct {
			client, token string
			stays         bool
		}{
			{partner, w.tokens["max"], true}, // initech has him too
			{initech, shared, true},          // who did not make him
		} {
			status, body := w.do(t, tt.client, "DELETE", users, call{"organizationOemToken": tt.token})
			require.Equal(t, 201, status, body)
			_, err := w.UserByUsername(t.Context(), "max@partner.example")
			require.NoError(t, err)
		}
		status, body := w.do(t, partner, "DELETE", users, call{"organizationOemToken": w.tokens["bob"]})
		require.Equal(t, 201, status, body)
		_, err := w.UserByUsername(t.Context(), "bob@acme.example")
		require.ErrorIs(t, err, usermgmt.ErrNotFound)
	})
}

// TestOrganizationTokens: each names one user in one organization, stays valid
// beside later ones, and dies with the membership for good.
func TestOrganizationTokens(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		_, ms := w.member(t, "max@partner.example")
		_, second, err := w.CreateOrganizationToken(t.Context(), ms[0].OrganizationID, ms[0].UserID)
		require.NoError(t, err)
		require.NotEqual(t, w.tokens["max"], second)
		for _, token := range []string{w.tokens["max"], second, w.tokens["max"]} {
			w.session(t, partner, token)
		}
		require.Equal(t, 201, w.remove(t, partner, second))
		for _, token := range []string{w.tokens["max"], second} {
			require.Equal(t, 403, w.remove(t, partner, token))
		}
		again := w.token(t, partner, users, call{"email": "max@partner.example", "vendorUserId": "2", "vendorOrganizationId": "1234"})
		for _, token := range []string{w.tokens["max"], second} {
			require.Equal(t, 403, w.remove(t, partner, token), "a token of the first time")
		}
		require.Equal(t, 409, w.remove(t, partner, w.tokens["pia"]), "the owner, while there is a member")
		require.Equal(t, 201, w.remove(t, partner, again))
		require.Equal(t, 201, w.remove(t, partner, w.tokens["pia"]), "the sole one")
	})
}

// remove returns the status of the documented DELETE.
func (w *world) remove(t testing.TB, client, token string) int {
	t.Helper()
	status, _ := w.do(t, client, "DELETE", users, call{"organizationOemToken": token})
	return status
}
