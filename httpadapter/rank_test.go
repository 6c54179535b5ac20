package httpadapter

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/store"
)

// ranksData is for a matrix: callers and targets of every rank between nobody and
// the administrator. Clerks hold one permission in the whole realm, the desk one at
// a facility, and some members one in the organization, beside those of a reader
// where it gives these.
const ranksData = `{
  "roles": [
    {"id": "people", "name": "people", "permissions": ["users.*"]},
    {"id": "desk", "name": "desk", "scope": "facility", "permissions": ["users.password-reset"]},
    {"id": "adds", "name": "adds", "scope": "organization", "permissions": ["members.add", "members.read", "members.list", "organizations.read"]},
    {"id": "updates", "name": "updates", "scope": "organization", "permissions": ["members.update", "members.read", "members.list", "organizations.read"]},
    {"id": "removes", "name": "removes", "scope": "organization", "permissions": ["members.delete"]},
    {"id": "reads", "name": "reads", "scope": "organization", "permissions": ["members.read"]}
  ],
  "users": [
    {"id": "nil", "username": "nil", "password": "violet cradle 77"},
    {"id": "passwords", "username": "passwords", "password": "violet cradle 77", "permissions": ["users.password-reset"]},
    {"id": "passwords2", "username": "passwords2", "permissions": ["users.password-reset"]},
    {"id": "native", "username": "native", "password": "violet cradle 77", "permissions": ["users.password-reset"], "tenants": ["t1"]},
    {"id": "profiles", "username": "profiles", "password": "violet cradle 77", "permissions": ["users.update"]},
    {"id": "roles", "username": "roles", "password": "violet cradle 77", "permissions": ["users.update-roles"]},
    {"id": "deletions", "username": "deletions", "password": "violet cradle 77", "permissions": ["users.delete"]},
    {"id": "reader", "username": "reader", "password": "violet cradle 77", "permissions": ["users.read"]},
    {"id": "lister", "username": "lister", "password": "violet cradle 77", "permissions": ["users.list"]},
    {"id": "people", "username": "people", "password": "violet cradle 77", "roles": [{"name": "people"}]},
    {"id": "people2", "username": "people2", "roles": [{"name": "people"}]},
    {"id": "both", "username": "both", "roles": [{"name": "FULFILLER", "facilities": ["F1", "F2"]}]},
    {"id": "lodger", "username": "lodger", "roles": [{"name": "FULFILLER", "facilities": ["F1"]}], "tenants": ["t1"]},
    {"id": "sven2", "username": "sven2", "roles": [{"name": "SUPERVISOR", "facilities": ["F1"]}]},
    {"id": "wide", "username": "wide", "password": "violet cradle 77", "roles": [{"name": "SUPERVISOR", "facilities": ["F1", "F2"]}]},
    {"id": "desk", "username": "desk", "password": "violet cradle 77", "roles": [{"name": "desk", "facilities": ["F1"]}]},
    {"id": "head", "username": "head", "password": "violet cradle 77", "roles": [{"name": "ADMINISTRATOR", "facilities": ["F1"]}]},
    {"id": "chief", "username": "chief", "password": "violet cradle 77", "roles": [{"name": "ADMINISTRATOR", "facilities": []}]},
    {"id": "partner", "username": "partner", "password": "violet cradle 77"},
    {"id": "adds", "username": "adds", "password": "violet cradle 77"},
    {"id": "updates", "username": "updates", "password": "violet cradle 77"},
    {"id": "removes", "username": "removes", "password": "violet cradle 77"},
    {"id": "reads", "username": "reads", "password": "violet cradle 77"}
  ],
  "organizations": [{"id": "acme", "members": [
    {"user": "owner", "role": "owner", "vendorUserId": "v-owner"}, {"user": "admin", "role": "admin", "vendorUserId": "v-admin"},
    {"user": "member", "role": "member", "vendorUserId": "v-member"}, {"user": "mia", "role": "unassigned", "vendorUserId": "v-mia"},
    {"user": "partner", "role": "owner", "vendorUserId": "v-partner"}, {"user": "adds", "role": "adds"}, {"user": "updates", "role": "updates"},
    {"user": "removes", "role": "removes"}, {"user": "reads", "role": "reads"}]}]
}`

// Kinds of caller that newRanks adds, by their users' ids.
var ranks = map[string]string{
	"user without any right": "nil", "clerk who sets passwords": "passwords", "clerk of a tenant who sets passwords": "native", "clerk who updates": "profiles", "clerk who gives roles": "roles",
	"clerk who deletes": "deletions", "clerk who reads": "reader", "clerk who lists": "lister", "holder of all rights over users": "people",
	"supervisor of two facilities": "wide", "facility's desk for passwords": "desk", "administrator of a facility": "head",
	"administrator of all facilities": "chief", "second owner": "partner", "member who adds": "adds", "member who updates": "updates",
	"member who removes": "removes", "member who reads": "reads",
}

// newRanks is newMatrix with the people of ranksData.
func newRanks(t testing.TB, s store.Store) *matrix {
	t.Helper()
	w := newMatrix(t, s)
	snapshot, err := usermgmt.ParseSnapshot(strings.NewReader(ranksData))
	require.NoError(t, err)
	require.NoError(t, w.m.Apply(t.Context(), snapshot))
	for kind, id := range ranks {
		w.bearer[kind] = w.signIn(t, id)
	}
	return w
}

// passwordsByRank says who sets whose password: S by Socotra's passwordreset, F
// by fulfillmenttools' PATCH. A column's order is from nobody to the administrator.
//
// Where the two differ it is by their texts: passwordreset is for holders of
// users.password-reset, which supervisors lack, and the PATCH, at a facility, for
// holders of users.update there, which the desk lacks. The last two are in a
// tenant, which only the native clerk and the administrator are in.
const passwordsByRank = `
             plain passwords2 picker picker2 both desk sven2 head chief people2 mia member admin owner again tenant lodger
  nil        .     .          .      .       .    .    .     .    .     .       .   .      .     .     .     .      .
  reader     .     .          .      .       .    .    .     .    .     .       .   .      .     .     .     .      .
  profiles   .     .          .      .       .    .    .     .    .     .       .   .      .     .     .     .      .
  roles      .     .          .      .       .    .    .     .    .     .       .   .      .     .     .     .      .
  passwords  SF    SF         SF     SF      SF   SF   .     .    .     .       SF  .      .     .     .     .      .
  native     SF    SF         SF     SF      SF   SF   .     .    .     .       SF  .      .     .     .     SF     SF
  desk       .     .          S      .       .    S    .     .    .     .       .   .      .     .     .     .      .
  sven       .     .          F      .       .    .    F     .    .     .       .   .      .     .     .     .      .
  wide       .     .          F      F       F    .    F     .    .     .       .   .      .     .     .     .      .
  head       .     .          SF     .       .    SF   SF    SF   .     .       .   .      .     .     .     .      .
  chief      .     .          SF     SF      SF   SF   SF    SF   SF    .       .   .      .     .     .     .      .
  people     SF    SF         SF     SF      SF   SF   SF    SF   SF    SF      SF  .      .     .     .     .      .
  member     .     .          .      .       .    .    .     .    .     .       .   .      .     .     .     .      .
  admin      .     .          .      .       .    .    .     .    .     .       .   .      .     .     .     .      .
  owner      .     .          .      .       .    .    .     .    .     .       .   .      .     .     .     .      .
  root       SF    SF         SF     SF      SF   SF   SF    SF   SF    SF      SF  SF     SF    SF    SF    SF     SF
`

// TestPasswordsByRank: nobody sets the password of someone above himself, by
// neither dialect that has a way to, and one that was refused is not set.
func TestPasswordsByRank(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSpace(passwordsByRank), "\n")
	targets := strings.Fields(lines[0])
	backends.Each(t, func(t *testing.T, open func() store.Store) {
		w := newRanks(t, open())
		t.Cleanup(func() { require.NoError(t, w.m.Close()) })
		ctx := t.Context()
		for _, line := range lines[1:] {
			cells := strings.Fields(line)
			actor := cells[0]
			require.Len(t, cells, len(targets)+1, actor)
			for i, target := range targets {
				got := ""
				for n, way := range []struct{ word, path, body string }{
					{"S", "/auth/users/%s/passwordreset", `%q`},
					{"F", "/api/users/%s", `{"version": 1, "actions": [{"action": "ModifyUser", "password": %q}]}`},
				} {
					// Sessions end with a password, the actor's own among them.
					require.NoError(t, w.m.SetPassword(ctx, usermgmt.UserID(actor), passphrase))
					password := fmt.Sprintf("seven lamps %s %d", actor, n)
					r := httptest.NewRequest(http.MethodPatch, fmt.Sprintf(way.path, target), strings.NewReader(fmt.Sprintf(way.body, password)))
					r.Header.Set("Authorization", "Bearer "+w.signIn(t, actor))
					rec := httptest.NewRecorder()
					w.ServeHTTP(rec, r)
					require.Contains(t, []int{200, 403, 404}, rec.Code, "%s sets %s's: %s", actor, target, rec.Body)
					set, err := w.m.VerifyPassword(ctx, usermgmt.UserID(target), password)
					require.NoError(t, err)
					require.Equal(t, rec.Code == 200, set, "%s sets %s's by %s: %d", actor, target, way.path, rec.Code)
					if set {
						got += way.word
					}
				}
				require.Equal(t, strings.Trim(cells[i+1], "."), got, "%s sets %s's", actor, target)
			}
		}
	})
}
