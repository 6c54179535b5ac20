package tier

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		brief bool
		want  int
	}{
		{"", true, 1}, {"", false, 2},
		{"night", true, 3}, {"night", false, 3},
		{"release", true, 4}, {"release", false, 4},
	} {
		require.Equal(t, c.want, count(c.name, c.brief, 1, 2, 3, 4), "%q, short is %t", c.name, c.brief)
	}
	require.PanicsWithValue(t, `tier: USERMGMT_TIER is "nightly", which is neither night nor release`,
		func() { count("nightly", false, 1, 2, 3, 4) })
}
