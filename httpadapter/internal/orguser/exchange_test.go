package orguser

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
)

func TestExchanges(t *testing.T) {
	t.Parallel()
	exchange.Run(t, func(t testing.TB) exchange.World {
		w := newWorld(t)
		w.audit(t, "gil")
		must[usermgmt.User](t)(w.CreateUser(t.Context(), usermgmt.NewUser{ID: "u-tina", Username: "taken@example.com"}))
		must[usermgmt.User](t)(w.CreateUser(t.Context(), usermgmt.NewUser{ID: "u-cleo", Username: "cleo"}))
		claimed := "claimed@example.com"
		must[usermgmt.User](t)(w.As(usermgmt.UserActor("u-cleo")).UpdateUser(t.Context(), "u-cleo", usermgmt.UserUpdate{Email: &claimed}))
		_, key, err := w.CreateKey(t.Context(), acme, usermgmt.NewKey{Name: "k", Role: usermgmt.RoleOwner})
		require.NoError(t, err)
		return exchange.World{
			Handler: w, Words: map[string]string{"key": key},
			Authorize: func(r *http.Request, as string) { r.Header.Set("Authorization", "Bearer "+w.token(t, as)) },
		}
	})
}

func TestExchangesAreComplete(t *testing.T) {
	t.Parallel()
	mount := Mount(newWorld(t).gate, 0)
	require.Len(t, mount.Routes, 5)
	exchange.Complete(t, mount)
}
