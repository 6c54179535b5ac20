package securitytest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
)

// forms are the ways in which a secret may be written down: as it is, as the
// bytes that it stands for, and either in base64 or hexadecimal digits.
func forms(secret string) [][]byte {
	texts := [][]byte{[]byte(secret)}
	if _, tail, ok := strings.Cut(secret, "_"); ok {
		if raw, err := base64.RawURLEncoding.DecodeString(tail); err == nil && len(raw) == 32 {
			texts = append(texts, raw)
		}
	}
	var all [][]byte
	for _, text := range texts {
		all = append(all, text, []byte(base64.RawStdEncoding.EncodeToString(text)), []byte(hex.EncodeToString(text)))
	}
	return all
}

// requireNone requires that a dump holds no secret of the scene, and that it
// does hold the digests of the newest, so that something was looked at.
func (sc *scene) requireNone(t testing.TB, what string, dump []byte, digests bool) {
	t.Helper()
	require.Greater(t, len(sc.secrets), 20)
	for i, secret := range sc.secrets {
		require.NotEmpty(t, secret)
		for _, form := range forms(secret) {
			require.False(t, bytes.Contains(dump, form), "%s holds secret %d, %.8q…", what, i, secret)
		}
	}
	if !digests {
		return
	}
	digest := sha256.Sum256([]byte(sc.clientSecret))
	require.True(t, bytes.Contains(dump, digest[:]) || bytes.Contains(dump, []byte(hex.EncodeToString(digest[:]))),
		"%s: the digest of what works should be there", what)
}

// TestDatabaseHoldsNoSecret: neither passwords nor tokens, keys, codes and
// signing keys can be read from what is stored, whether they work, were used or
// have ended, nor from the log, the events and a snapshot.
func TestDatabaseHoldsNoSecret(t *testing.T) {
	t.Parallel()
	t.Run("sqlitestore", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s, err := sqlitestore.Open(t.Context(), filepath.Join(dir, "users.db"), &sqlitestore.Options{Synchronous: sqlitestore.Normal})
		require.NoError(t, err)
		sc := newScene(t, s)
		sc.requireNone(t, "the database and its log", files(t, dir), true)

		var out bytes.Buffer
		require.NoError(t, sc.ExportTo(t.Context(), &out, nil))
		require.Contains(t, out.String(), "$argon2id$")
		events, err := sc.Events(t.Context(), usermgmt.Page{Limit: usermgmt.MaxPage})
		require.NoError(t, err)
		require.Greater(t, len(events.Items), 20)
		require.NoError(t, json.NewEncoder(&out).Encode(events))
		out.WriteString(sc.log.String())
		require.Contains(t, out.String(), "session.refused")
		sc.requireNone(t, "the snapshot, the events or the log", out.Bytes(), false)

		require.NoError(t, sc.Close())
		sc.requireNone(t, "the database", files(t, dir), true)
	})
	t.Run("pgstore", func(t *testing.T) {
		t.Parallel()
		pool, s := tappedPostgres(t, nil)
		sc := newScene(t, s)
		rows, err := pool.Query(t.Context(), "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid=c.relnamespace WHERE c.relkind='r' AND n.nspname=current_schema()")
		require.NoError(t, err)
		tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		require.Greater(t, len(tables), 10)
		var dump bytes.Buffer
		for _, table := range tables {
			rows, err := pool.Query(t.Context(), fmt.Sprintf("SELECT t::text FROM %s t", table))
			require.NoError(t, err)
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			require.NoError(t, err)
			dump.WriteString(strings.Join(lines, "\n"))
		}
		sc.requireNone(t, "the database", dump.Bytes(), true)
	})
}

// files is all that lies in a folder.
func files(t testing.TB, dir string) []byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var all []byte
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		all = append(all, text...)
	}
	return all
}

// TestNothingComesByDefault: a new directory has nobody in it who could get in.
func TestNothingComesByDefault(t *testing.T) {
	t.Parallel()
	s := memstore.New()
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(t, err)
	m, err := usermgmt.New(s, usermgmt.Options{
		SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: usermgmt.PasswordHash{MemoryKiB: 64, Time: 1, Threads: 1},
		Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	defer m.Close()
	ctx := t.Context()
	users, err := m.Users(ctx, usermgmt.UserList{})
	require.NoError(t, err)
	require.Empty(t, users.Items)
	vendors, err := m.Vendors(ctx, usermgmt.Page{})
	require.NoError(t, err)
	require.Empty(t, vendors.Items)
	organizations, err := m.Organizations(ctx, usermgmt.OrganizationList{})
	require.NoError(t, err)
	require.Empty(t, organizations.Items, "and so no API keys")
	for _, name := range []string{"admin", "root", "administrator", "usermgmt"} {
		for _, password := range []string{"", name, "password", "changeme"} {
			_, err := m.SignIn(ctx, name, password)
			require.ErrorIs(t, err, usermgmt.ErrUnauthenticated)
		}
	}
	_, err = usermgmt.New(s, usermgmt.Options{})
	require.Error(t, err, "there is no signing key by default")
}
