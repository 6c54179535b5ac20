package sqlitestore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/usermgmt-go/usermgmt/store"
)

// hashes are those of a folder's files, by name.
func hashes(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	sums := map[string][32]byte{}
	for _, f := range found {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		require.NoError(t, err)
		sums[f.Name()] = sha256.Sum256(b)
	}
	return sums
}

// written is a file with fifty users.
func written(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "users.db")
	s, err := Open(t.Context(), path, nil)
	require.NoError(t, err)
	for i := range 50 {
		require.NoError(t, s.Update(t.Context(), "main", creates(t, i)))
	}
	require.NoError(t, s.Close())
	return path
}

// TestDamagedFilesAreRefused: a file that has lost its end is not opened, and
// stays as it is for whoever wants to rescue something of it.
func TestDamagedFilesAreRefused(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(written(t))
	require.NoError(t, err)
	sizes := []int{50, 100, 1000, 4096, 5000, len(whole) / 2, len(whole) - 4096}
	for _, size := range sizes {
		path := filepath.Join(t.TempDir(), "users.db")
		require.NoError(t, os.WriteFile(path, whole[:size], 0o600))
		before := hashes(t, filepath.Dir(path))
		_, err := Open(t.Context(), path, nil)
		require.Error(t, err, "%d bytes of %d", size, len(whole))
		require.Equal(t, sqlite3.SQLITE_CORRUPT, code(err), "%d bytes of %d: %v", size, len(whole), err)
		require.Equal(t, before, hashes(t, filepath.Dir(path)))
	}
	t.Logf("%d truncated files: all refused as damaged, 0 changed", len(sizes))
}

func TestNoPlaceForTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := Open(t.Context(), filepath.Join(dir, "missing", "users.db"), nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Empty(t, hashes(t, dir))
	_, err = Open(t.Context(), dir, nil)
	require.ErrorContains(t, err, "is a directory")
	var pathError *fs.PathError
	require.ErrorAs(t, err, &pathError)
	require.Empty(t, hashes(t, dir))
}

// TestFileIsTakenAway: nothing is acknowledged that goes into a file which nobody
// will find again.
func TestFileIsTakenAway(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(t *testing.T, path string){
		"its folder is removed": func(t *testing.T, path string) { require.NoError(t, os.RemoveAll(filepath.Dir(path))) },
		"its folder is moved": func(t *testing.T, path string) {
			require.NoError(t, os.Rename(filepath.Dir(path), filepath.Dir(path)+"2"))
		},
		"it is removed": func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
		"another file is moved over it": func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path+"2", nil, 0o600))
			require.NoError(t, os.Rename(path+"2", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "folder", "users.db")
			require.NoError(t, os.Mkdir(filepath.Dir(path), 0o700))
			s := openStore(t, path, nil)
			require.NoError(t, s.Update(t.Context(), "main", creates(t, 1)))
			take(t, path)
			for range 2 {
				require.ErrorIs(t, s.Update(t.Context(), "main", creates(t, 2)), store.ErrReadOnly)
			}
			require.True(t, present(t, s, 1), "reads go on")
			require.False(t, present(t, s, 2))
		})
	}
}

// TestFileIsPutBack: a file that is back under its name is written again.
func TestFileIsPutBack(t *testing.T) {
	t.Parallel()
	s, path := newStore(t, nil)
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 1)))
	require.NoError(t, os.Rename(path, path+".away"))
	require.ErrorIs(t, s.Update(t.Context(), "main", creates(t, 2)), store.ErrReadOnly)
	require.NoError(t, os.Rename(path+".away", path))
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 2)))
	require.NoError(t, s.Close())
	s = openStore(t, path, nil)
	require.True(t, present(t, s, 1))
	require.True(t, present(t, s, 2))
}

// tellRefusal opens the file, writes to it, and prints what kept it from that.
func tellRefusal(ctx context.Context, path string) error {
	s, err := Open(ctx, path, nil)
	if err == nil {
		err = s.Update(ctx, "main", func(tx store.Tx) error { return createWithEvent(ctx, tx, benchUser(1000)) })
		if err := s.Close(); err != nil {
			return err
		}
	}
	for name, kind := range map[string]error{"read-only": store.ErrReadOnly, "missing": fs.ErrNotExist, "schema": store.ErrSchema} {
		if errors.Is(err, kind) {
			fmt.Println(name)
		}
	}
	fmt.Println(err)
	return nil
}

// TestFilesWithoutPermission: what the process may not write stays as it is,
// byte for byte, and it is told so. An empty log may come to stand beside it.
func TestFilesWithoutPermission(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, folder os.FileMode
		want         string
	}{
		"the file":            {0o400, 0o700, "read-only"},
		"the folder":          {0o600, 0o500, "read-only"},
		"the file and folder": {0o400, 0o500, "read-only"},
		"nor read":            {0, 0o700, "sqlitestore: unable to open database file (14)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := written(t)
			dir := filepath.Dir(path)
			before := hashes(t, dir)[filepath.Base(path)]
			require.NoError(t, os.Chmod(path, c.file))
			require.NoError(t, os.Chmod(dir, c.folder))
			t.Cleanup(func() { require.NoError(t, os.Chmod(dir, 0o700)) })
			cmd := command(t, "refusal", path)
			var out strings.Builder
			cmd.Stdout = &out
			isolate(t, cmd, false)
			require.NoError(t, cmd.Wait())
			require.Contains(t, strings.Split(out.String(), "\n"), c.want)
			require.NoError(t, os.Chmod(path, 0o600))
			require.NoError(t, os.Chmod(dir, 0o700))
			require.Equal(t, before, hashes(t, dir)[filepath.Base(path)])
		})
	}
}
