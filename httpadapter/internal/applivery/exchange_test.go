package applivery

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
)

func TestExchanges(t *testing.T) {
	t.Parallel()
	exchange.Run(t, func(t testing.TB) exchange.World {
		w := newWorld(t)
		return exchange.World{
			Handler: w, Words: ids(),
			Authorize: func(r *http.Request, as string) { r.Header.Set("Authorization", "Bearer "+w.credential(t, as)) },
		}
	})
}

func TestExchangesAreComplete(t *testing.T) {
	t.Parallel()
	mount := Mount(caller.NewGate(newWorld(t).Manager, caller.Options{}), 0, usermgmt.RoleViewer)
	require.Len(t, mount.Routes, 3)
	exchange.Complete(t, mount)
}
