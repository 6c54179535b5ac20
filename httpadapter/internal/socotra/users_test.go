package socotra

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/store"
)

func TestPasswordReset(t *testing.T) {
	t.Parallel()
	const fresh = `seven "lamps" 31`
	tests := []struct{ name, contentType, body, password string }{
		{"json_string", "application/json", `"seven \"lamps\" 31"`, fresh},
		{"json_string_without_type", "", ` "seven \"lamps\" 31" `, fresh},
		{"bare_text", "text/plain; charset=utf-8", fresh, fresh},
		{"bare_text_with_json_type", "application/json", fresh, fresh},
		{"bare_text_is_not_trimmed", "text/plain", " seven lamps ", " seven lamps "},
		{"quotes_of_bare_text_belong_to_it", "text/plain", `"seven lamps"`, `"seven lamps"`},
		{"bare_digits", "application/json", "9182736455", "9182736455"},
	}
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, open())
				stale := w.token(t, "bob")
				r := w.Request(t, "root", "PATCH", "/auth/users/"+string(bob)+"/passwordreset", tt.body)
				if tt.contentType != "" {
					r.Header.Set("Content-Type", tt.contentType)
				}
				require.Equal(t, 200, w.Serve(r).Code)

				_, err := w.Authenticate(t.Context(), stale)
				require.ErrorIs(t, err, usermgmt.ErrUnauthenticated, "a reset revokes the user's tokens")
				_, err = w.SignIn(t.Context(), "bob@example.com", passphrase)
				require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
				tokens, err := w.SignIn(t.Context(), "bob@example.com", tt.password)
				require.NoError(t, err)
				require.True(t, tokens.PasswordChangeRequired, "a reset by another person makes the password temporary")
			})
		}
		t.Run("ones_own_lasts", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, open())
			status, _ := w.Do(t, "carol", "PATCH", "/auth/users/<carol>/passwordreset", `"seven lamps 31"`)
			require.Equal(t, 200, status)
			tokens, err := w.SignIn(t.Context(), "carol@example.com", "seven lamps 31")
			require.NoError(t, err)
			require.False(t, tokens.PasswordChangeRequired)
		})
		for _, body := range []string{`"unfinished`, `"two" "texts"`, `["seven lamps 31"]`, "\x00even lamps 31", "seven \xff lamps", `"\u0000even lamps 31"`, ""} {
			t.Run("refused", func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, open())
				status, _ := w.Do(t, "root", "PATCH", "/auth/users/<bob>/passwordreset", body)
				require.Equal(t, 400, status, "body %q", body)
				w.token(t, "bob") // the password is still the old one
			})
		}
	})
}

func TestCreateUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		create := func(members string) {
			status, body := w.Do(t, "root", "POST", "/auth/users", `{"firstName": "E", "lastName": "M", `+members+`}`)
			require.Equal(t, 200, status, body)
		}
		create(`"userName": "eve@example.com", "password": "seven lamps 31", "temporaryPassword": true`)
		tokens, err := w.SignIn(t.Context(), "eve@example.com", "seven lamps 31")
		require.NoError(t, err)
		require.True(t, tokens.PasswordChangeRequired)
		create(`"userName": "fay@example.com", "password": "seven lamps 31", "temporaryPassword": false`)
		tokens, err = w.SignIn(t.Context(), "fay@example.com", "seven lamps 31")
		require.NoError(t, err)
		require.False(t, tokens.PasswordChangeRequired)
		create(`"userName": "gus@example.com"`)
		gus, err := w.UserByUsername(t.Context(), "gus@example.com")
		require.NoError(t, err)
		status, err := w.PasswordStatus(t.Context(), gus.ID)
		require.NoError(t, err)
		require.False(t, status.Set)
	})
}

// TestNames: who may give roles names them by locator or by name, be he
// allowed to read roles or not.
func TestNames(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		giver, err := w.CreateRole(ctx, usermgmt.NewRole{Name: "giver", Permissions: []usermgmt.Permission{usermgmt.UsersAdd, usermgmt.UsersUpdate, usermgmt.UsersUpdateRoles}})
		require.NoError(t, err)
		require.NoError(t, w.GrantRoles(ctx, bob, roleGrants([]usermgmt.RoleID{giver.ID})...))

		status, body := w.Do(t, "bob", "POST", "/auth/users", `{"firstName": "E", "lastName": "M", "userName": "eve@example.com", "roles": ["`+string(giver.ID)+`"]}`)
		require.Equal(t, 200, status, body)
		require.Contains(t, body, `"roles":["giver"]`)
		status, body = w.Do(t, "bob", "POST", "/auth/users", `{"firstName": "E", "lastName": "M", "userName": "gil@example.com", "roles": ["giver"]}`)
		require.Equal(t, 200, status, body)
		status, body = w.Do(t, "bob", "GET", "/auth/users/whoami", "")
		require.Equal(t, 200, status)
		require.Contains(t, body, `"giver"`, "one's own roles have names")
		status, body = w.Do(t, "bob", "POST", "/auth/users", `{"firstName": "E", "lastName": "M", "userName": "fay@example.com", "roles": ["nobody"]}`)
		require.Equal(t, 400, status, body)
		status, body = w.Do(t, "bob", "POST", "/auth/users", `{"firstName": "E", "lastName": "M", "userName": "fay@example.com", "roles": ["read-only"]}`)
		require.Equal(t, 403, status, body)

		// He updates Ada, whom he may not read, and takes nothing from her but what he replaces.
		status, body = w.Do(t, "root", "PATCH", "/auth/users/<ada>/roles", `{"addRoles": ["giver"], "removeRoles": ["support"]}`)
		require.Equal(t, 200, status, body)
		status, body = w.Do(t, "bob", "PATCH", "/auth/users/<ada>", `{"firstName": "Ada", "lastName": "King", "permissions": ["users.add"], "tenants": []}`)
		require.Equal(t, 200, status, body)
		u, err := w.User(ctx, ada)
		require.NoError(t, err)
		require.Equal(t, "King", u.LastName)
		require.ElementsMatch(t, []usermgmt.Grant{
			{Role: giver.ID, Kind: usermgmt.ScopeRealm},
			{Permission: "users.add", Kind: usermgmt.ScopeRealm},
		}, u.Grants)
	})
}

func TestReplaceKeepsOtherScopes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		status, body := w.Do(t, "root", "PATCH", "/auth/users/<sam>", `{"firstName": "S", "lastName": "V", "permissions": ["users.list"], "roles": ["support"], "tenants": []}`)
		require.Equal(t, 200, status, body)
		u, err := w.User(t.Context(), sam)
		require.NoError(t, err)
		require.ElementsMatch(t, []usermgmt.Grant{
			{Role: usermgmt.RoleSupervisor, Kind: usermgmt.ScopeFacility, Scopes: []string{"F1"}},
			{Role: w.support.ID, Kind: usermgmt.ScopeRealm},
			{Permission: "users.list", Kind: usermgmt.ScopeRealm},
		}, u.Grants)
	})
}

func TestDeletedUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		r := w.Request(t, "ada", "GET", "/auth/users/whoami", "")
		status, _ := w.Do(t, "root", "DELETE", "/auth/users/<ada>", "")
		require.Equal(t, 200, status)
		rec := w.Serve(r)
		require.Equal(t, 401, rec.Code, "every token of a deleted user is refused")
		require.Equal(t, `Bearer error="invalid_token"`, rec.Header().Get("WWW-Authenticate"))
		status, _ = w.Do(t, "root", "DELETE", "/auth/users/<ada>", "")
		require.Equal(t, 404, status)
	})
}

func TestDeletedRole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		status, _ := w.Do(t, "ada", "GET", "/auth/users/<bob>", "")
		require.Equal(t, 200, status)
		status, _ = w.Do(t, "root", "DELETE", "/auth/roles/<support>", "")
		require.Equal(t, 200, status)
		status, _ = w.Do(t, "ada", "GET", "/auth/users/<bob>", "")
		require.Equal(t, 403, status, "a deleted role is taken from its holders at once")
		status, body := w.Do(t, "ada", "GET", "/auth/users/whoami", "")
		require.Equal(t, 200, status)
		require.Contains(t, body, `"roles":[]`)
	})
}

func TestTenantTie(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.mount(t, caller.Options{Tenant: func(*http.Request) usermgmt.TenantID { return acme }})
		for name, want := range map[string]int{"root": 200, "ada": 200, "bob": 403, "sam": 403} {
			status, body := w.Do(t, name, "GET", "/auth/users/whoami", "")
			require.Equal(t, want, status, "%s: %s", name, body)
		}
	})
}

func TestEffectivePermissionsAreSorted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		status, body := w.Do(t, "root", "GET", "/auth/users/<root>/permissions", "")
		require.Equal(t, 200, status)
		var all, known []string
		require.NoError(t, json.Unmarshal([]byte(body), &all))
		status, body = w.Do(t, "root", "GET", "/auth/roles/permissions", "")
		require.Equal(t, 200, status)
		require.NoError(t, json.Unmarshal([]byte(body), &known))
		require.IsIncreasing(t, all)
		require.Equal(t, known, all, "an admin holds every permission")
	})
}

func TestHead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		get := w.Serve(w.Request(t, "ada", http.MethodGet, "/auth/users/whoami", ""))
		head := w.Serve(w.Request(t, "ada", http.MethodHead, "/auth/users/whoami", ""))
		require.Equal(t, 200, head.Code)
		require.Zero(t, head.Body.Len())
		require.Equal(t, get.Header().Get("Content-Length"), head.Header().Get("Content-Length"))
	})
}

// TestReplaceLosesNothing: what others give a user while his roles are replaced
// is not lost.
func TestReplaceLosesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const rounds = 60
		var want []string
		for i := range rounds {
			want = append(want, fmt.Sprintf("G%02d", i))
		}
		done := make(chan error, 1)
		go func() {
			for _, facility := range want {
				err := w.GrantRoles(t.Context(), sam, usermgmt.Grant{Role: usermgmt.RoleSupervisor, Kind: usermgmt.ScopeFacility, Scopes: []string{facility}})
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		roles := []string{"support", "clerk"}
		token := w.token(t, "root")
		for i := range rounds {
			body := fmt.Sprintf(`{"firstName": "S", "lastName": "V", "roles": [%q], "tenants": []}`, roles[i%2])
			r := w.Request(t, "", "PATCH", "/auth/users/"+string(sam), body)
			exchange.Bear(r, token)
			rec := w.Serve(r)
			require.Contains(t, []int{200, 409}, rec.Code, rec.Body.String()) // 409 after several lost races
		}
		require.NoError(t, <-done)
		u, err := w.User(t.Context(), sam)
		require.NoError(t, err)
		i := slices.IndexFunc(u.Grants, func(g usermgmt.Grant) bool { return g.Kind == usermgmt.ScopeFacility })
		require.Equal(t, append([]string{"F1"}, want...), u.Grants[i].Scopes)
	})
}
