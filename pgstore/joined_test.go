package pgstore

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
	"github.com/usermgmt-go/usermgmt/store/storetest"
)

func (d *database) begin(t testing.TB) pgx.Tx {
	t.Helper()
	tx, err := d.pool.Begin(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

// Each case runs twice: in a transaction that is committed, by prepared
// statements, and in one that is rolled back, in the simple protocol.
func TestIn(t *testing.T) {
	t.Parallel()
	prepared, simple := newDatabase(t, nil), newDatabase(t, simpleProtocol)
	storetest.RunJoined(t, func(t testing.TB) storetest.Joined {
		d := prepared
		if strings.Contains(t.Name(), "/RolledBack/") {
			d = simple
		}
		s := d.open(t)
		tx := d.begin(t)
		return storetest.Joined{
			Store: In(tx, &Options{Schema: s.naming.schema}), Outside: s,
			Commit:   func() error { return tx.Commit(context.Background()) },
			Rollback: func() error { return tx.Rollback(context.Background()) },
		}
	})
}

func TestIn_tables(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, nil)
	s := d.open(t)
	use := func(o *Options, before string) error {
		tx := d.begin(t)
		defer tx.Rollback(t.Context())
		if before != "" {
			_, err := tx.Exec(t.Context(), s.naming.sql(before))
			require.NoError(t, err)
		}
		return In(tx, o).View(t.Context(), "main", func(store.Reader) error { return nil })
	}
	there := &Options{Schema: s.naming.schema}
	require.NoError(t, use(there, ""))
	require.ErrorIs(t, use(nil, ""), store.ErrSchema, "tables that are not there")
	require.ErrorIs(t, use(there, "INSERT INTO {schema} VALUES (999, 0)"), store.ErrSchema, "a newer release's")
	require.ErrorIs(t, use(there, "DELETE FROM {schema}"), store.ErrSchema, "an older one's")
	require.ErrorIs(t, use(&Options{TablePrefix: "a b"}, ""), store.ErrInvalid)
}
