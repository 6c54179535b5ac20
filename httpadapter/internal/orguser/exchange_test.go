package orguser

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/store"
)

func TestExchanges(t *testing.T) {
	t.Parallel()
	kinds.Each(t, func(t *testing.T, open func() store.Store) {
		exchange.Run(t, func(t testing.TB) exchange.World {
			w := newWorld(t, open())
			w.audit(t, "gil")
			must[usermgmt.User](t)(w.CreateUser(t.Context(), usermgmt.NewUser{ID: "u-tina", Username: "taken@example.com"}))
			must[usermgmt.User](t)(w.CreateUser(t.Context(), usermgmt.NewUser{ID: "u-cleo", Username: "cleo"}))
			claimed := "claimed@example.com"
			must[usermgmt.User](t)(w.As(usermgmt.UserActor("u-cleo")).UpdateUser(t.Context(), "u-cleo", usermgmt.UserUpdate{Email: &claimed}))
			_, key, err := w.CreateKey(t.Context(), acme, usermgmt.NewKey{Name: "k", Role: usermgmt.RoleOwner})
			require.NoError(t, err)
			w.Words = map[string]string{"key": key}
			return w.World
		})
	})
}

func TestExchangesAreComplete(t *testing.T) {
	t.Parallel()
	mount := Mount(caller.NewGate(newWorld(t, memstore.New()).Manager, caller.Options{}), 0)
	require.Len(t, mount.Routes, 5)
	exchange.Complete(t, mount)
}
