package sqlitestore

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store/storetest"
)

// hostOf opens the file as a host does, with settings of modernc.org/sqlite.
func hostOf(t testing.TB, path, settings string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"+settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func begin(t testing.TB, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(context.Background(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

func TestIn(t *testing.T) {
	t.Parallel()
	storetest.RunJoined(t, func(t testing.TB) storetest.Joined {
		s, path := newStore(t, &Options{Synchronous: Normal, Readers: 1})
		tx := begin(t, hostOf(t, path, "&_txlock=immediate&_pragma=synchronous(OFF)"))
		return storetest.Joined{Store: In(tx, nil), Outside: s, Commit: tx.Commit, Rollback: tx.Rollback}
	})
}
