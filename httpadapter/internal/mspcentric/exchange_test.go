package mspcentric

import (
	"maps"
	"strings"
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
			w := newWorldWith(t, open(), func(o *usermgmt.Options) { o.Throttle.Client.Burst = 1 })
			_, err := w.AuthenticateVendor(t.Context(), "nobody-at-all", "not a secret")
			require.ErrorIs(t, err, usermgmt.ErrUnauthenticated) // and that has been tried for long enough
			w.Words = maps.Clone(w.Words)
			w.Words["big"] = strings.Repeat("x", 64<<10)
			return w.World
		})
	})
}

func TestExchangesAreComplete(t *testing.T) {
	t.Parallel()
	mount := Mount(caller.NewGate(newWorld(t, memstore.New()).Manager, caller.Options{}), 0)
	require.Len(t, mount.Routes, 4)
	exchange.Complete(t, mount)
}
