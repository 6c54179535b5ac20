package sqlitestore

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// file makes an SQLite file as another program would.
func file(t *testing.T, queries ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "host.db")
	c, err := openConn("file://"+path, names(""))
	require.NoError(t, err)
	for _, q := range queries {
		_, err := c.exec(q)
		require.NoError(t, err)
	}
	require.NoError(t, c.close())
	return path
}

func pragma(t *testing.T, c *conn, name string) string {
	t.Helper()
	row, err := c.first("PRAGMA " + name)
	require.NoError(t, err)
	return fmt.Sprint(row[0])
}

func TestPragmas(t *testing.T) {
	t.Parallel()
	for mode, want := range map[Synchronous]string{Full: "2", Normal: "1"} {
		s, _ := newStore(t, &Options{Synchronous: mode, Readers: 3, MMapSize: 1 << 20})
		require.Len(t, s.readers, 3)
		cs := []*conn{s.writer.conn, <-s.readers, <-s.readers, <-s.readers}
		for i, c := range cs {
			require.Equal(t, "wal", pragma(t, c, "journal_mode"))
			require.Equal(t, want, pragma(t, c, "synchronous"))
			require.Equal(t, map[bool]string{true: "2", false: "5000"}[i == 0], pragma(t, c, "busy_timeout"))
			require.Equal(t, "1048576", pragma(t, c, "mmap_size"))
			require.Equal(t, map[bool]string{true: "0", false: "1"}[i == 0], pragma(t, c, "query_only"))
		}
		for _, c := range cs[1:] {
			s.readers <- c
		}
	}
}

// A foreign file is refused and stays as it is, byte for byte.
func TestForeignFilesAreRefused(t *testing.T) {
	t.Parallel()
	garbage := func(b string) string {
		path := filepath.Join(t.TempDir(), "garbage")
		require.NoError(t, os.WriteFile(path, []byte(b), 0o600))
		return path
	}
	newer := func() string {
		s, path := newStore(t, nil)
		_, err := s.writer.conn.exec("INSERT INTO {schema} (number, applied_at) VALUES (1000, 0)")
		require.NoError(t, err)
		require.NoError(t, s.Close())
		return path
	}
	for name, path := range map[string]string{
		"short text":                 garbage("hello"),
		"long text":                  garbage(strings.Repeat("not a database\n", 2000)),
		"zeros":                      garbage(strings.Repeat("\x00", 8192)),
		"another application":        file(t, "PRAGMA application_id = 77", "CREATE TABLE t (x)"),
		"another application in WAL": file(t, "PRAGMA application_id = 77", "PRAGMA journal_mode = WAL", "CREATE TABLE t (x)"),
		"newer schema":               newer(),
		"a table of the host's has the name of ours": file(t, "CREATE TABLE usermgmt_schema (x)"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, err := os.ReadFile(path)
			require.NoError(t, err)
			_, err = Open(t.Context(), path, nil)
			require.ErrorIs(t, err, store.ErrSchema)
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, sha256.Sum256(before), sha256.Sum256(after))
		})
	}
}

func TestHostsFileIsShared(t *testing.T) {
	t.Parallel()
	path := file(t, "CREATE TABLE user (id INTEGER)", "INSERT INTO user VALUES (7)", "PRAGMA user_version = 12")
	a := openStore(t, path, &Options{TablePrefix: "a_"})
	b := openStore(t, path, &Options{TablePrefix: "B"})
	require.NoError(t, a.Update(t.Context(), "main", creates(t, 1)))
	require.NoError(t, b.Update(t.Context(), "main", creates(t, 2)))
	require.True(t, present(t, a, 1))
	require.False(t, present(t, a, 2))
	require.False(t, present(t, b, 1))
	require.Equal(t, "12", pragma(t, a.writer.conn, "user_version"))
	require.Equal(t, "0", pragma(t, a.writer.conn, "application_id"))
	row, err := a.writer.conn.first("SELECT id FROM user")
	require.NoError(t, err)
	require.EqualValues(t, 7, number(row[0]))
	row, err = a.writer.conn.first("SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'a\\_%' ESCAPE '\\' AND name NOT LIKE 'B%' AND name NOT LIKE 'sqlite%'")
	require.NoError(t, err)
	require.EqualValues(t, 1, number(row[0]), "names without a prefix")
}

func TestHostsApplicationID(t *testing.T) {
	t.Parallel()
	path := file(t, "PRAGMA application_id = -5", "CREATE TABLE t (x)")
	_, err := Open(t.Context(), path, nil)
	require.ErrorIs(t, err, store.ErrSchema)
	s := openStore(t, path, &Options{ApplicationID: -5})
	require.Equal(t, "-5", pragma(t, s.writer.conn, "application_id"))
}

func TestHostsTableInTheWay(t *testing.T) {
	t.Parallel()
	path := file(t, "CREATE TABLE usermgmt_token (x)")
	_, err := Open(t.Context(), path, nil)
	require.ErrorIs(t, err, store.ErrSchema)
	c, err := openConn("file://"+path, names(""))
	require.NoError(t, err)
	defer c.close()
	row, err := c.first("SELECT count(*) FROM sqlite_schema")
	require.NoError(t, err)
	require.EqualValues(t, 1, number(row[0]), "a migration that fails leaves nothing")
}

func TestNewFileIsMarkedAndPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "üser ?#%41&.db") // nothing in a name is special
	s := openStore(t, path, nil)
	require.NoError(t, s.Update(t.Context(), "main", creates(t, 1)))
	require.Equal(t, fmt.Sprint(applicationID), pragma(t, s.writer.conn, "application_id"))
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, f := range found {
		names = append(names, f.Name())
		info, err := f.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode(), f.Name())
	}
	base := filepath.Base(path)
	require.ElementsMatch(t, []string{base, base + "-wal", base + "-shm"}, names)
	require.NoError(t, s.Close())
	require.True(t, present(t, openStore(t, path, nil), 1))
}

func TestWrongOptionsAreRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "users.db")
	for _, o := range []Options{
		{TablePrefix: "a-b"}, {TablePrefix: "1a"}, {TablePrefix: `a"; --`}, {TablePrefix: strings.Repeat("a", 33)},
		{TablePrefix: "sqlite_x"}, {Readers: -1}, {GroupLimit: -1}, {BusyTimeout: -1}, {MMapSize: -1}, {Synchronous: 2},
	} {
		_, err := Open(t.Context(), path, &o)
		require.ErrorIs(t, err, store.ErrInvalid, "%+v", o)
	}
	for _, path := range []string{"", ":memory:", "file:users.db"} {
		_, err := Open(t.Context(), path, nil)
		require.ErrorIs(t, err, store.ErrInvalid, "%q", path)
	}
	require.NoFileExists(t, path)
}
