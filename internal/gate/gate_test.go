package gate_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/internal/gate"
)

func TestCloseWaitsForThoseInside(t *testing.T) {
	t.Parallel()
	var g gate.Gate
	require.True(t, g.Enter())
	require.True(t, g.Enter())
	inside := 2
	closed := make(chan int)
	go func() {
		g.Close()
		closed <- inside
	}()
	for !g.Closed() {
		runtime.Gosched()
	}
	require.False(t, g.Enter(), "the gate is shut")
	require.False(t, g.Close(), "somebody else closes it")
	for inside > 0 {
		inside--
		g.Leave()
	}
	require.Zero(t, <-closed, "callers inside when Close returned")
	require.False(t, g.Enter())
	require.False(t, g.Close())
}

func TestCloseOfAnEmptyGateReturns(t *testing.T) {
	t.Parallel()
	var g gate.Gate
	require.True(t, g.Enter())
	g.Leave()
	require.True(t, g.Close())
}
