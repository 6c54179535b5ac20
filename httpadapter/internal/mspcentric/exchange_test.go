package mspcentric

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/httpadapter/internal/caller"
	"github.com/usermgmt-go/usermgmt/httpadapter/internal/exchange"
)

func TestExchanges(t *testing.T) {
	t.Parallel()
	exchange.Run(t, func(t testing.TB) exchange.World {
		w := newWorld(t)
		words := maps.Clone(w.tokens)
		words["big"] = strings.Repeat("x", 64<<10)
		return exchange.World{Handler: w, Words: words}
	})
}

func TestExchangesAreComplete(t *testing.T) {
	t.Parallel()
	mount := Mount(caller.NewGate(newWorld(t).Manager, caller.Options{}), 0)
	require.Len(t, mount.Routes, 4)
	exchange.Complete(t, mount)
}
