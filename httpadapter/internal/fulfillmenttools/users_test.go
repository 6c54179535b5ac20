package fulfillmenttools

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/units"
	"github.com/usermgmt-go/usermgmt/store"
)

// rename is the body of a PATCH of a user that nobody has changed.
const rename = `{"version": 1, "actions": [{"action": "ModifyUser", "firstname": "Renamed"}]}`

// promote is rename with a role.
func promote(version int64, name string, facilities ...string) string {
	list, _ := json.Marshal(append([]string{}, facilities...))
	return fmt.Sprintf(`{"version": %d, "actions": [{"action": "ModifyUser", "roles": [{"name": %q, "facilities": %s}]}]}`, version, name, list)
}

// TestReach: who sees, changes and deletes whom.
func TestReach(t *testing.T) {
	t.Parallel()
	tests := []struct {
		who, whom          string
		get, patch, delete int
	}{
		{"root", "donna", 200, 200, 200},
		{"root", "olga", 200, 200, 409}, // her organization's last owner
		{"root", "otto", 200, 200, 200},
		{"root", "ada", 200, 200, 200},
		{"ada", "donna", 200, 200, 200},
		{"ada", "sven", 200, 200, 200},
		{"ada", "finn", 200, 200, 200},
		{"ada", "ada", 200, 200, 200},
		{"ada", "root", 200, 403, 403},
		{"ada", "noah", 200, 403, 403}, // without a facility: hers to place, and no more
		{"ada", "olga", 200, 403, 403},
		{"alf", "donna", 404, 404, 404},
		{"alf", "sven", 200, 403, 403}, // one of his facilities is not alf's
		{"alf", "finn", 200, 403, 403},
		{"alf", "ada", 404, 404, 404}, // everywhere is more than alf's facility
		{"alf", "root", 404, 404, 404},
		{"sven", "donna", 200, 200, 200},
		{"sven", "sven", 200, 200, 200},
		{"sven", "finn", 200, 403, 403},
		{"sven", "gil", 404, 404, 404},
		{"sven", "sue", 404, 404, 404},
		{"sven", "alf", 200, 403, 403}, // an administrator there
		{"sven", "root", 404, 404, 404},
		{"sven", "noah", 404, 404, 404},
		{"sue", "gil", 200, 200, 200},
		{"sue", "finn", 200, 403, 403},
		{"sue", "donna", 404, 404, 404},
		{"donna", "donna", 200, 403, 200},
		{"donna", "gil", 404, 404, 404},
		{"donna", "sven", 404, 404, 404},
		{"gil", "finn", 404, 404, 404}, // to share a facility is not enough
		{"noah", "noah", 200, 403, 200},
		{"noah", "donna", 404, 404, 404},
		{"olga", "otto", 404, 404, 404}, // an organization's owner has no reach here
		{"rita", "donna", 200, 403, 403},
		{"rita", "nobody", 404, 404, 404},
		{"hank", "donna", 404, 404, 404},
	}
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		for _, tt := range tests {
			t.Run(tt.who+"_"+tt.whom, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, open())
				target := "/api/users/<" + tt.whom + ">"
				if tt.whom == "nobody" {
					target = "/api/users/nobody"
				}
				status, body := w.Do(t, tt.who, "GET", target, "")
				require.Equal(t, tt.get, status, "GET: %s", body)
				status, body = w.Do(t, tt.who, "PATCH", target, rename)
				require.Equal(t, tt.patch, status, "PATCH: %s", body)
				if tt.patch == 200 {
					require.Equal(t, "Renamed", w.get(t, tt.whom).FirstName)
				}
				status, body = w.Do(t, tt.who, "DELETE", target, "")
				require.Equal(t, tt.delete, status, "DELETE: %s", body)
				if tt.delete != 200 && tt.whom != "nobody" {
					require.Equal(t, tt.patch == 200, w.get(t, tt.whom).Version == 2)
				}
			})
		}
	})
}

// TestForeignIsMissing: whoever is out of reach answers exactly as nobody does.
func TestForeignIsMissing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for who, strangers := range map[string][]string{
			"sven": {"gil", "sue", "root", "ada", "noah", "olga"}, "alf": {"donna", "ada", "otto"},
			"donna": {"sven", "gil", "root"}, "noah": {"donna", "olga"}, "olga": {"otto"}, "hank": {"donna", "root"},
		} {
			token := w.token(t, who)
			ask := func(id, method, body string) string {
				r := w.Request(t, "", method, "/api/users/"+id, body)
				exchange.Bear(r, token)
				r.Header.Set("X-Request-Id", "one")
				rec := w.Serve(r)
				return fmt.Sprint(rec.Code, rec.Header(), rec.Body)
			}
			for _, stranger := range strangers {
				for _, act := range [][2]string{
					{"GET", ""}, {"DELETE", ""}, {"PATCH", rename}, {"PATCH", strings.Replace(rename, "1", "9", 1)},
					{"PATCH", promote(1, "FULFILLER", north)}, {"PATCH", promote(9, "ADMINISTRATOR")},
				} {
					foreign := ask(string(idOf(stranger)), act[0], act[1])
					require.Equal(t, ask("0192a000-0000-7000-8000-0000000000ff", act[0], act[1]), foreign, "%s: %s %s", who, act[0], stranger)
					require.True(t, strings.HasPrefix(foreign, "404 "), foreign)
				}
			}
		}
	})
}

func TestCreateUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		create := func(who, members string) (int, string) {
			return w.Do(t, who, "POST", "/api/users", `{"firstname": "E", "lastname": "M", `+members+`}`)
		}
		at := func(facility string) string {
			return `"roles": [{"name": "FULFILLER", "facilities": ["` + facility + `"]}]`
		}
		status, body := create("sven", `"username": "Jürgen", "email": "j@mail.example", "password": "seven lamps 31", `+at(north))
		require.Equal(t, 201, status, body)
		require.Contains(t, body, `"username":"Juergen"`)
		require.NotContains(t, body, "seven lamps")
		for _, name := range []string{"juergen", "Juergen"} {
			tokens, err := w.SignIn(t.Context(), name, "seven lamps 31")
			require.NoError(t, err, name)
			require.False(t, tokens.PasswordChangeRequired)
		}
		for _, name := range []string{"Jürgen", "JÜRGEN", "ju\u0308rgen", "juergen", "ＪＵＥＲＧＥＮ"} {
			status, body = create("sven", `"username": "`+name+`", "password": "seven lamps 31", `+at(south))
			require.Equal(t, 400, status, "%s: %s", name, body)
			require.Contains(t, body, "username: is taken")
		}
		status, body = create("sven", `"username": "jo", "email": "J@mail.example", "password": "seven lamps 31", `+at(north))
		require.Equal(t, 400, status, body)
		require.Contains(t, body, "email: is taken")
		// The policy knows the name as it is kept.
		status, body = create("sven", `"username": "groß-müller", "password": "gross-mueller", `+at(north))
		require.Equal(t, 400, status, body)
		_, err := w.UserByUsername(t.Context(), "jo")
		require.ErrorIs(t, err, usermgmt.ErrNotFound)
	})
}

// TestReplaceKeepsOtherScopes: a role of a PATCH takes the place of all roles at
// facilities, and of nothing else.
func TestReplaceKeepsOtherScopes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		packer := w.hostRole(t, "packer", west)
		others := []usermgmt.Grant{
			{Permission: "roles.read", Kind: usermgmt.ScopeRealm},
			{Role: usermgmt.RoleReadOnly, Kind: usermgmt.ScopeRealm},
		}
		require.NoError(t, w.GrantRoles(ctx, donna, append(others, at(usermgmt.RoleSupervisor, north, west), at(packer, west))...))

		status, body := w.Do(t, "root", "GET", "/api/users/<donna>", "")
		require.Equal(t, 200, status, body)
		var u userResponse
		require.NoError(t, json.Unmarshal([]byte(body), &u))
		require.Equal(t, []role{{"FULFILLER", []string{south}}, {"SUPERVISOR", []string{north, west}}, {"packer", []string{west}}}, u.CustomClaims.Roles)
		require.Equal(t, assignedRole{"SUPERVISOR", []roleContext{{"FACILITY", []string{north, west}}}}, u.AssignedRoles[1])

		status, body = w.Do(t, "root", "PATCH", "/api/users/<donna>", promote(2, "FULFILLER", west))
		require.Equal(t, 200, status, body)
		require.ElementsMatch(t, append(others, at(usermgmt.RoleFulfiller, west)), w.get(t, "donna").Grants)
		require.EqualValues(t, 3, w.get(t, "donna").Version)

		status, body = w.Do(t, "root", "PATCH", "/api/users/<noah>", promote(1, "ADMINISTRATOR"))
		require.Equal(t, 200, status, body)
		require.Equal(t, []usermgmt.Grant{{Role: usermgmt.RoleAdministrator, Kind: usermgmt.ScopeFacility}}, w.get(t, "noah").Grants)
	})
}

// TestOwnProfile: the right to change oneself is the right to change such users,
// and the right to give roles is another.
func TestOwnProfile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for name, p := range map[string]usermgmt.Permission{"gina": usermgmt.UsersUpdateRoles, "ulla": usermgmt.UsersUpdate} {
			_, err := w.CreateUser(t.Context(), usermgmt.NewUser{
				ID: usermgmt.UserID(name), Username: name, Password: passphrase,
				Grants: []usermgmt.Grant{at(usermgmt.RoleFulfiller, north), {Permission: string(p), Kind: usermgmt.ScopeRealm}},
			})
			require.NoError(t, err)
		}
		for _, body := range []string{rename, `{"version": 1, "actions": [{"action": "ModifyUser"}]}`} {
			status, answer := w.Do(t, "gina", "PATCH", "/api/users/gina", body)
			require.Equal(t, 403, status, answer)
			require.Contains(t, answer, `"needs users.update"`)
		}
		status, answer := w.Do(t, "gina", "PATCH", "/api/users/gina", promote(1, "FULFILLER", south))
		require.Equal(t, 200, status, answer)
		status, answer = w.Do(t, "ulla", "PATCH", "/api/users/ulla", rename)
		require.Equal(t, 200, status, answer)
		status, answer = w.Do(t, "ulla", "PATCH", "/api/users/<donna>", promote(1, "FULFILLER", west))
		require.Equal(t, 200, status, answer)
		require.Equal(t, []usermgmt.Grant{at(usermgmt.RoleFulfiller, west)}, w.get(t, "donna").Grants)
	})
}

// TestUnitsOfWork: beside the authentication one unit of work serves a request,
// and one more where a password is hashed, which is for who may set it.
func TestUnitsOfWork(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		s := units.Count(open())
		w := newWorld(t, s)
		token := w.token(t, "sven")
		for _, tt := range []struct {
			method, target, body string
			units                int
		}{
			{"GET", "/api/users", "", 1},
			{"GET", "/api/users/" + string(donna), "", 1},
			{"PATCH", "/api/users/" + string(donna), rename, 1},
			{"PATCH", "/api/users/" + string(donna), promote(2, "SUPERVISOR", south), 1},
			{"PATCH", "/api/users/" + string(donna), `{"version": 3, "actions": [{"action": "ModifyUser", "password": "seven lamps 31"}]}`, 2},
			{"POST", "/api/users", `{"firstname": "E", "lastname": "M", "username": "em", "password": "seven lamps 31", "roles": [{"name": "FULFILLER", "facilities": ["` + south + `"]}]}`, 2},
			{"DELETE", "/api/users/" + string(donna), "", 1},
		} {
			_, err := w.Authenticate(t.Context(), token) // so that the caller is known
			require.NoError(t, err)
			_, err = w.As(usermgmt.UserActor(idOf("sven"))).Can(t.Context(), usermgmt.UsersRead, usermgmt.AtFacility(north))
			require.NoError(t, err)
			r := w.Request(t, "", tt.method, tt.target, tt.body)
			exchange.Bear(r, token)
			s.Reset()
			rec := w.Serve(r)
			require.Less(t, rec.Code, 300, rec.Body.String())
			require.Equal(t, tt.units, s.Total(), "%s %s %s", tt.method, tt.target, tt.body)
		}
	})
}

// TestFirstRole: an administrator everywhere gives those their first role at a
// facility who hold no right that he lacks; from then on they are his.
func TestFirstRole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for whom, want := range map[string]int{"root": 403, "olga": 403, "otto": 403, "rita": 403, "hank": 403, "noah": 200} {
			status, body := w.Do(t, "sven", "PATCH", "/api/users/<"+whom+">", promote(1, "FULFILLER", north))
			require.Equal(t, 404, status, "%s: %s", whom, body)
			status, body = w.Do(t, "alf", "PATCH", "/api/users/<"+whom+">", promote(1, "FULFILLER", north))
			require.Equal(t, 404, status, "%s: %s", whom, body)
			status, body = w.Do(t, "ada", "PATCH", "/api/users/<"+whom+">", promote(1, "FULFILLER", north))
			require.Equal(t, want, status, "%s: %s", whom, body)
			if want == 200 {
				status, body = w.Do(t, "ada", "PATCH", "/api/users/<"+whom+">", strings.Replace(rename, "1", "2", 1))
				require.Equal(t, 200, status, "%s: %s", whom, body)
			}
		}
	})
}

// TestAdministrators: without facilities one is an administrator everywhere,
// with facilities there alone.
func TestAdministrators(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		create := func(who, name, role string, facilities ...string) int {
			list, err := json.Marshal(append([]string{}, facilities...))
			require.NoError(t, err)
			status, _ := w.Do(t, who, "POST", "/api/users", fmt.Sprintf(
				`{"firstname": "E", "lastname": "M", "username": %q, "password": %q, "roles": [{"name": %q, "facilities": %s}]}`, name, passphrase, role, list))
			return status
		}
		require.Equal(t, 201, create("ada", "ann", "ADMINISTRATOR"))
		require.Equal(t, 201, create("ann", "abe", "ADMINISTRATOR", south, west))
		require.Equal(t, 201, create("abe", "amy", "ADMINISTRATOR", west))
		require.Equal(t, 201, create("amy", "fay", "SUPERVISOR", west))
		require.Equal(t, 403, create("amy", "fred", "FULFILLER", south))
		require.Equal(t, 403, create("abe", "fred", "ADMINISTRATOR"))
		require.Equal(t, 403, create("fay", "fred", "ADMINISTRATOR", west))
		require.Equal(t, 201, create("fay", "fred", "FULFILLER", west))
	})
}

// TestNothingChanges: what changes nothing writes nothing.
func TestNothingChanges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		patch := func(body string) userResponse {
			t.Helper()
			w.now.Add(time.Minute.Microseconds())
			status, answer := w.Do(t, "ada", "PATCH", "/api/users/<donna>", body)
			require.Equal(t, 200, status, answer)
			var u userResponse
			require.NoError(t, json.Unmarshal([]byte(answer), &u))
			return u
		}
		first := patch(`{"version": 1, "actions": [{"action": "ModifyUser", "customAttributes": {"b": 1, "a": [2.50]}, "email": "D@mail.example"}]}`)
		require.EqualValues(t, 2, first.Version)
		require.Equal(t, "2026-03-01T12:01:00.000Z", first.LastModified)
		require.Equal(t, "2020-09-25T10:06:35.009Z", first.Created)
		for _, actions := range []string{
			`{"action": "ModifyUser"}`,
			`{"action": "ModifyUser", "customAttributes": {"a": [2.50], "b": 1}}`,
			`{"action": "ModifyUser", "firstname": "X", "roles": [{"name": "SUPERVISOR", "facilities": ["` + west + `"]}]}, ` +
				`{"action": "ModifyUser", "firstname": "Donna", "roles": [{"name": "FULFILLER", "facilities": ["` + south + `", "` + south + `"]}]}`,
		} {
			require.Equal(t, first, patch(`{"version": 2, "actions": [`+actions+`]}`), actions)
		}
		second := patch(`{"version": 2, "actions": [{"action": "ModifyUser", "lastname": "S"}, {"action": "ModifyUser", "customAttributes": null, "email": null}]}`)
		require.EqualValues(t, 3, second.Version, "several actions are one step")
		require.Equal(t, "2026-03-01T12:05:00.000Z", second.LastModified)
		require.Empty(t, second.CustomAttributes)
		require.Empty(t, second.Email)
		require.Equal(t, "D@mail.example", first.Email)
	})
}

// TestVersion: the user has one version, whoever changes him.
func TestVersion(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		_, err := w.UpdateUser(t.Context(), donna, usermgmt.UserUpdate{Tags: &[]string{"changed elsewhere"}})
		require.NoError(t, err)
		for _, body := range []string{rename, promote(1, "SUPERVISOR", south), promote(3, "SUPERVISOR", south)} {
			status, answer := w.Do(t, "sven", "PATCH", "/api/users/<donna>", body)
			require.Equal(t, 409, status, answer)
			require.Contains(t, answer, `"version":2`)
		}
		// A stale password is not set, nor is any token revoked.
		stale := w.Request(t, "donna", "GET", "/api/users/"+string(donna), "")
		status, answer := w.Do(t, "sven", "PATCH", "/api/users/<donna>", `{"version": 1, "actions": [{"action": "ModifyUser", "password": "seven lamps 31"}]}`)
		require.Equal(t, 409, status, answer)
		require.Equal(t, 200, w.Serve(stale).Code)
		w.token(t, "donna")
	})
}

// TestOneWinner: of those who change the same version, one succeeds.
func TestOneWinner(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		tokens := []string{w.token(t, "root"), w.token(t, "ada"), w.token(t, "root")}
		for version := int64(1); version <= 20; version++ {
			bodies := []string{
				fmt.Sprintf(`{"version": %d, "actions": [{"action": "ModifyUser", "firstname": "A%d"}]}`, version, version),
				promote(version, "FULFILLER", fmt.Sprintf("F%d", version)),
				fmt.Sprintf(`{"version": %d, "actions": [{"action": "ModifyUser", "customAttributes": {"n": %d}}]}`, version, version),
			}
			codes := make([]int, len(bodies))
			var wg sync.WaitGroup
			for i, body := range bodies {
				r := w.Request(t, "", "PATCH", "/api/users/"+string(donna), body)
				exchange.Bear(r, tokens[i])
				wg.Go(func() { codes[i] = w.Serve(r).Code })
			}
			wg.Wait()
			require.ElementsMatch(t, []int{200, 409, 409}, codes)
			require.Equal(t, version+1, w.get(t, "donna").Version)
		}
	})
}

// interposed is a store in which something happens before the next change.
type interposed struct {
	store.Store
	before func()
}

func (i *interposed) Update(ctx context.Context, realm store.Realm, f func(store.Tx) error) error {
	if before := i.before; before != nil {
		i.before = nil
		before()
	}
	return i.Store.Update(ctx, realm, f)
}

// TestReplaceLosesNothing: what others give a user while his role is replaced is
// not lost, and who guessed the version that was about to be replaces by it.
func TestReplaceLosesNothing(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		for version, want := range map[int64]usermgmt.Grant{1: at(usermgmt.RoleFulfiller, south), 2: at(usermgmt.RoleSupervisor, south)} {
			s := open()
			w := newWorld(t, s)
			given := usermgmt.Grant{Permission: "roles.read", Kind: usermgmt.ScopeRealm}
			token := w.token(t, "root")
			between := &interposed{Store: s, before: func() { require.NoError(t, w.GrantRoles(t.Context(), donna, given)) }}
			w.mount(t, w.With(between), caller.Options{})
			r := w.Request(t, "", "PATCH", "/api/users/"+string(donna), promote(version, "SUPERVISOR", south))
			exchange.Bear(r, token)
			rec := w.Serve(r)
			if version == 1 {
				require.Equal(t, 409, rec.Code, rec.Body.String())
				require.Contains(t, rec.Body.String(), `"version":2,"requestVersion":1`)
			} else {
				require.Equal(t, 200, rec.Code, rec.Body.String())
			}
			require.ElementsMatch(t, []usermgmt.Grant{given, want}, w.get(t, "donna").Grants)
		}
	})
}

func TestPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		stale := w.Request(t, "donna", "GET", "/api/users/"+string(donna), "")
		require.Equal(t, 200, w.Serve(stale).Code)
		status, body := w.Do(t, "sven", "PATCH", "/api/users/<donna>",
			`{"version": 1, "actions": [{"action": "ModifyUser", "password": "fifty lamps 50", "firstname": "D"}, {"action": "ModifyUser", "password": "seven lamps 31"}]}`)
		require.Equal(t, 200, status, body)
		require.NotContains(t, body, "lamps")
		require.Equal(t, 401, w.Serve(stale).Code, "every token is revoked")
		_, err := w.SignIn(t.Context(), "donna", passphrase)
		require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
		tokens, err := w.SignIn(t.Context(), "donna", "seven lamps 31")
		require.NoError(t, err)
		require.False(t, tokens.PasswordChangeRequired)
		require.EqualValues(t, 2, w.get(t, "donna").Version)
		require.NotContains(t, w.log.String(), "lamps")

		// A refused one changes nothing, the name beside it included.
		status, body = w.Do(t, "sven", "PATCH", "/api/users/<donna>", `{"version": 2, "actions": [{"action": "ModifyUser", "password": "password1", "firstname": "E"}]}`)
		require.Equal(t, 400, status, body)
		require.Equal(t, "D", w.get(t, "donna").FirstName)
	})
}

func TestDeletedUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		mine := w.Request(t, "donna", "GET", "/api/users/"+string(donna), "")
		status, body := w.Do(t, "sven", "DELETE", "/api/users/<donna>", "")
		require.Equal(t, 200, status)
		require.Empty(t, body)
		rec := w.Serve(mine)
		require.Equal(t, 401, rec.Code, "every token of a deleted user is refused")
		require.Equal(t, `Bearer error="invalid_token"`, rec.Header().Get("WWW-Authenticate"))
		status, _ = w.Do(t, "sven", "DELETE", "/api/users/<donna>", "")
		require.Equal(t, 404, status)
		_, err := w.CreateUser(t.Context(), usermgmt.NewUser{ID: donna, Username: "donna", Password: passphrase})
		require.NoError(t, err)
		require.Equal(t, 401, w.Serve(mine).Code, "a user of the same id revives no token")

		// Whoever deletes himself is out.
		mine = w.Request(t, "sven", "DELETE", "/api/users/"+string(idOf("sven")), "")
		require.Equal(t, 200, w.Serve(mine).Code)
		require.Equal(t, 401, w.Serve(mine).Code)
	})
}

// TestDemotion: rights are read at each request.
func TestDemotion(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		r := func() *http.Request { return w.Request(t, "sven", "GET", "/api/users/"+string(donna), "") }
		before := r()
		require.Equal(t, 200, w.Serve(before).Code)
		status, body := w.Do(t, "sven", "PATCH", "/api/users/<sven>", promote(1, "FULFILLER", north))
		require.Equal(t, 200, status, body)
		require.Equal(t, 404, w.Serve(before).Code)
		status, body = w.Do(t, "sven", "PATCH", "/api/users/<sven>", promote(2, "SUPERVISOR", north))
		require.Equal(t, 403, status, body)
	})
}

// TestConfined: who signed in through a vendor sees and changes nobody here.
func TestConfined(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		actor := usermgmt.UserActor(idOf("root")).Confined("acme")
		w.mount(t, w.Manager, caller.Options{
			Verify: func(context.Context, *usermgmt.Manager, string) (usermgmt.Actor, bool, error) {
				return actor, true, nil
			},
		})
		for who, want := range map[string]int{"donna": 404, "nobody": 404, "root": 403} {
			for method, body := range map[string]string{"GET": "", "DELETE": "", "PATCH": rename} {
				r := w.Request(t, "", method, "/api/users/"+string(idOf(who)), body)
				r.Header.Set("Authorization", "Bearer x")
				require.Equal(t, want, w.Serve(r).Code, "%s %s", method, who)
			}
		}
	})
}

func TestHead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		get := w.Serve(w.Request(t, "sven", http.MethodGet, "/api/users/"+string(donna), ""))
		head := w.Serve(w.Request(t, "sven", http.MethodHead, "/api/users/"+string(donna), ""))
		require.Equal(t, 200, head.Code)
		require.Zero(t, head.Body.Len())
		require.Equal(t, get.Header().Get("Content-Length"), head.Header().Get("Content-Length"))
	})
}
