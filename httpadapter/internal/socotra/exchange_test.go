package socotra

import (
	"testing"

	"github.com/stretchr/testify/require"

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
			exchange.Exhaust(t, w.Manager, sam)
			return w.World
		})
	})
}

func TestExchangesAreComplete(t *testing.T) {
	t.Parallel()
	mount := Mount(caller.NewGate(newWorld(t, memstore.New()).Manager, caller.Options{}), 0)
	require.Len(t, mount.Routes, 18)
	exchange.Complete(t, mount)
}
