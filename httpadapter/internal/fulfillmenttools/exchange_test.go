package fulfillmenttools

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
)

func TestExchanges(t *testing.T) {
	t.Parallel()
	exchange.Run(t, func(t testing.TB) exchange.World {
		w := newWorld(t)
		w.hostRole(t, "driver", west, "dan")
		return exchange.World{
			Handler: w, Words: w.words(),
			Authorize: func(r *http.Request, as string) { r.Header.Set("Authorization", "Bearer "+w.token(t, as)) },
		}
	})
}

func TestExchangesAreComplete(t *testing.T) {
	t.Parallel()
	mount := Mount(caller.NewGate(newWorld(t).Manager, caller.Options{}), 0)
	require.Len(t, mount.Routes, 5)
	exchange.Complete(t, mount)
}
