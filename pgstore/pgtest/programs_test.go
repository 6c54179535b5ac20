//go:build unix

package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFindPrograms(t *testing.T) {
	t.Parallel()
	// folder makes one with programs that do nothing.
	folder := func(t *testing.T, path string, programs ...string) string {
		path = filepath.Join(t.TempDir(), path)
		require.NoError(t, os.MkdirAll(path, 0o700))
		for _, p := range programs {
			require.NoError(t, os.WriteFile(filepath.Join(path, p), []byte("#!/bin/sh\n"), 0o700))
		}
		return path
	}
	all := []string{"initdb", "postgres", "pg_ctl"}
	in := func(paths map[string]string) func(string) (string, error) {
		return func(program string) (string, error) {
			if p, ok := paths[program]; ok {
				return p, nil
			}
			return "", exec.ErrNotFound
		}
	}
	t.Run("in PATH", func(t *testing.T) {
		t.Parallel()
		bin := folder(t, "bin", all...)
		found, err := findPrograms(in(map[string]string{"initdb": filepath.Join(bin, "initdb")}), folder(t, "none"))
		require.NoError(t, err)
		require.Equal(t, bin, found)
	})
	t.Run("by a link in PATH", func(t *testing.T) {
		t.Parallel()
		bin, link := folder(t, "bin", all...), filepath.Join(t.TempDir(), "initdb")
		require.NoError(t, os.Symlink(filepath.Join(bin, "initdb"), link))
		found, err := findPrograms(in(map[string]string{"initdb": link}), folder(t, "none"))
		require.NoError(t, err)
		require.Equal(t, bin, found)
	})
	t.Run("by pg_config", func(t *testing.T) {
		t.Parallel()
		bin := folder(t, "bin", all...)
		config := filepath.Join(t.TempDir(), "pg_config")
		require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, "#!/bin/sh\n[ $1 = --bindir ] && echo %s\n", bin), 0o700))
		found, err := findPrograms(in(map[string]string{"pg_config": config}), folder(t, "none"))
		require.NoError(t, err)
		require.Equal(t, bin, found)
	})
	t.Run("the highest version that is whole", func(t *testing.T) {
		t.Parallel()
		root := t.TempDir()
		for v, programs := range map[string][]string{"9.6": all, "13": all, "15": all, "18": {"pg_config", "pg_ctl"}} {
			require.NoError(t, os.Rename(folder(t, "bin", programs...), at(t, root, v)))
		}
		found, err := findPrograms(in(nil), filepath.Join(root, "*", "bin"))
		require.NoError(t, err)
		require.Equal(t, filepath.Join(root, "15", "bin"), found)
	})
	t.Run("nowhere", func(t *testing.T) {
		t.Parallel()
		_, err := findPrograms(in(nil), filepath.Join(t.TempDir(), "*", "bin"))
		require.ErrorIs(t, err, errNone)
	})
}

// at returns the path of a version's programs, whose parent it makes.
func at(t *testing.T, root, version string) string {
	require.NoError(t, os.Mkdir(filepath.Join(root, version), 0o700))
	return filepath.Join(root, version, "bin")
}
