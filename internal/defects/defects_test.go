package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The faults are to be planted in the code as it is now.
func TestDefectsFitTheCode(t *testing.T) {
	t.Parallel()
	root, err := moduleRoot(t.Context())
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, d := range defects() {
		require.False(t, seen[d.name], "%s: twice", d.name)
		seen[d.name] = true
		broken, err := d.apply(root)
		require.NoError(t, err, d.name)
		sound, err := os.ReadFile(filepath.Join(root, d.file))
		require.NoError(t, err)
		require.NotEqual(t, sound, broken, d.name)
	}
}
