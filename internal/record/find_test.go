package record

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

func TestPrefixEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		prefix, end string
		ok          bool
	}{
		{"", "", false}, {"a", "b", true}, {"ab", "ac", true}, {"a\x7f", "a\u0080", true}, {"\ud7ff", "\ue000", true},
		{"a\U0010ffff", "b", true}, {"\U0010ffff\U0010ffff", "", false}, {"\uffff", "\U00010000", true},
	} {
		end, ok := PrefixEnd(c.prefix)
		require.Equal(t, c.ok, ok, "%q", c.prefix)
		require.Equal(t, c.end, end, "%q", c.prefix)
		if ok {
			require.Greater(t, end, c.prefix+"\U0010ffff\U0010ffff")
		}
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	ids, err := Batch([]store.UserID{"b", "a", "b", "\xff", "x\x00"})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, ids)
	_, err = Batch(make([]store.UserID, 10_001))
	require.ErrorIs(t, err, store.ErrInvalid)
}
