package applivery

import (
	"net/netip"
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
			_, err := w.From(netip.MustParseAddr("192.0.2.66")).AuthenticateKey(t.Context(), "not a key")
			require.ErrorIs(t, err, usermgmt.ErrUnauthenticated) // and with that there has tried long enough
			return w.World
		})
	})
}

func TestExchangesAreComplete(t *testing.T) {
	t.Parallel()
	mount := Mount(caller.NewGate(newWorld(t, memstore.New()).Manager, caller.Options{}), 0, usermgmt.RoleViewer)
	require.Len(t, mount.Routes, 3)
	exchange.Complete(t, mount)
}
