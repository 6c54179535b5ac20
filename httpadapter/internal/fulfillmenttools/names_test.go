package fulfillmenttools

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/units"
	"github.com/usermgmt-go/usermgmt/store"
)

// hostRole makes a role of the host's own at facilities, and gives it to people there.
func (w *world) hostRole(t testing.TB, name, facility string, people ...string) usermgmt.RoleID {
	t.Helper()
	r, err := w.CreateRole(t.Context(), usermgmt.NewRole{Scope: usermgmt.ScopeFacility, Name: name})
	require.NoError(t, err)
	for _, who := range people {
		require.NoError(t, w.GrantRoles(t.Context(), idOf(who), at(r.ID, facility)))
	}
	return r.ID
}

// TestHostRoles: a role of the host's own is shown by its name to whoever sees
// its holder, at the price of one unit of work however many there are.
func TestHostRoles(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		s := units.Count(open())
		w := newWorld(t, s)
		w.hostRole(t, "packer", south, "donna", "sven")
		w.hostRole(t, "driver", west, "gil", "noah")
		roles := func(u userResponse) (names []string) {
			for i, r := range u.CustomClaims.Roles {
				require.Equal(t, r.Name, u.AssignedRoles[i].Ref)
				names = append(names, r.Name)
			}
			return names
		}
		for _, tt := range []struct {
			who, whom string
			want      []string
		}{
			{"sven", "donna", []string{"FULFILLER", "packer"}},
			{"root", "donna", []string{"FULFILLER", "packer"}},
			{"ada", "noah", []string{"driver"}},
			{"sue", "gil", []string{"FULFILLER", "driver"}},
			{"rita", "gil", []string{"FULFILLER", "driver"}},
			{"donna", "donna", []string{"FULFILLER", "packer"}}, // who sees nobody else
			{"noah", "noah", []string{"driver"}},
		} {
			token := w.token(t, tt.who)
			_, err := w.Authenticate(t.Context(), token)
			require.NoError(t, err)
			_, err = w.As(usermgmt.UserActor(idOf(tt.who))).Can(t.Context(), usermgmt.UsersRead, usermgmt.Realmwide)
			require.NoError(t, err)
			get := func(target string) []byte {
				r := w.Request(t, "", "GET", target, "")
				exchange.Bear(r, token)
				s.Reset()
				rec := w.Serve(r)
				require.Equal(t, 200, rec.Code, rec.Body.String())
				require.Equal(t, 2, s.Total())
				return rec.Body.Bytes()
			}
			var one userResponse
			require.NoError(t, json.Unmarshal(get("/api/users/"+string(idOf(tt.whom))), &one))
			require.ElementsMatch(t, tt.want, roles(one), "%s of %s", tt.who, tt.whom)
			var page userListResponse
			require.NoError(t, json.Unmarshal(get("/api/users?size=100"), &page))
			require.Contains(t, page.Users, one)
		}
	})
}
