package processtest

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// atOnce sends requests at the same moment, each to the next of the servers,
// round and round, and returns the answers' statuses.
func (h *house) atOnce(requests []request) []int {
	h.t.Helper()
	statuses, errs := make([]int, len(requests)), make([]error, len(requests))
	ctx, begin := h.t.Context(), make(chan struct{})
	var group sync.WaitGroup
	for i, q := range requests {
		group.Go(func() {
			<-begin
			statuses[i], _, errs[i] = send(ctx, h.servers[i%len(h.servers)], q)
		})
	}
	close(begin)
	group.Wait()
	for _, err := range errs {
		require.NoError(h.t, err)
	}
	return statuses
}

func count(statuses []int, status int) (n int) {
	for _, s := range statuses {
		if s == status {
			n++
		}
	}
	return n
}

// TestStartTogether: processes that open the same empty data at once all find it
// ready, and the same.
func TestStartTogether(t *testing.T) {
	t.Parallel()
	for kind := range places() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			at, keyFile := found(t, kind)
			h := &house{t: t, servers: starts(t, 7, kind, at, keyFile)}
			h.enter(kind, at, keyFile)
			_, err := h.m.CreateUser(t.Context(), usermgmt.NewUser{ID: ada, Username: "ada", Password: password})
			require.NoError(t, err)
			requests := make([]request, len(h.servers))
			for i := range requests {
				requests[i] = request{method: "POST", path: "/session", json: fmt.Sprintf(`{"username":"ada","password":%q}`, password)}
			}
			require.Equal(t, len(requests), count(h.atOnce(requests), http.StatusOK))
			sessions, err := h.m.Sessions(t.Context(), ada, usermgmt.Page{Limit: 100})
			require.NoError(t, err)
			require.Len(t, sessions.Items, len(requests))
		})
	}
}

// TestARefreshTokenIsUsedOnce: of many processes that are given the same refresh
// token at once, one takes it; and as it has been in two hands, its session ends.
func TestARefreshTokenIsUsedOnce(t *testing.T) {
	t.Parallel()
	for kind := range places() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := build(t, kind, 3)
			_, err := h.m.CreateUser(t.Context(), usermgmt.NewUser{ID: ada, Username: "ada", Password: password})
			require.NoError(t, err)
			for range 10 {
				tokens, err := h.m.SignIn(t.Context(), "ada", password)
				require.NoError(t, err)
				requests := make([]request, 12)
				for i := range requests {
					requests[i] = request{method: "POST", path: "/session/refresh", json: fmt.Sprintf(`{"refresh_token":%q}`, tokens.RefreshToken)}
				}
				statuses := h.atOnce(requests)
				require.Equal(t, 1, count(statuses, http.StatusOK), statuses)
				require.Equal(t, 11, count(statuses, http.StatusBadRequest), statuses)
				_, err = h.m.Authenticate(t.Context(), tokens.AccessToken)
				require.Equal(t, usermgmt.ErrUnauthenticated, err)
			}
		})
	}
}

// TestAnAdminStays: of two admins who delete each other at once, each at a
// process of his own, one succeeds.
func TestAnAdminStays(t *testing.T) {
	t.Parallel()
	for kind := range places() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h, ctx := build(t, kind, 2), t.Context()
			var left usermgmt.UserID // of the round before
			for round := range 20 {
				var ids []usermgmt.UserID
				for _, name := range []string{"ann", "ben"} {
					id := usermgmt.UserID(fmt.Sprintf("%s-%d", name, round))
					_, err := h.m.CreateUser(ctx, usermgmt.NewUser{
						ID: id, Username: string(id), Password: password, Grants: []usermgmt.Grant{{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm}},
					})
					require.NoError(t, err)
					ids = append(ids, id)
				}
				if left != "" {
					require.NoError(t, h.m.DeleteUser(ctx, left))
				}
				var requests []request
				for i, id := range ids {
					tokens, err := h.m.SignIn(ctx, string(id), password)
					require.NoError(t, err)
					requests = append(requests, request{method: "DELETE", path: "/api/users/" + string(ids[1-i]), token: tokens.AccessToken})
				}
				statuses := h.atOnce(requests)
				require.Equal(t, 1, count(statuses, http.StatusOK), statuses)
				for i, id := range ids {
					_, err := h.m.User(ctx, id)
					if statuses[i] == http.StatusOK {
						require.NoError(t, err)
						left = id
					} else {
						require.ErrorIs(t, err, usermgmt.ErrNotFound)
					}
				}
			}
		})
	}
}
