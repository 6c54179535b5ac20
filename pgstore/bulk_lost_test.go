package pgstore

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
)

// A unit whose connection ends while its rows go to the server, or before its
// COMMIT does, is run again: that it has not committed is certain.
func TestConnectionLostInBulk(t *testing.T) {
	t.Parallel()
	const n = 3*bulkSize + 10
	ctx := t.Context()
	for name, end := range map[string]int{
		"before the first rows":  bulkFrom + 1,
		"between rows":           bulkSize + bulkFrom + 10,
		"before the last events": n - 1,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newDatabase(t, nil).open(t)
			runs := 0
			update(t, s, func(tx store.Tx) error {
				runs++
				for i := range n {
					err := errors.Join(tx.CreateUser(ctx, numbered(i)), tx.AppendEvent(ctx, store.Event{Actor: "host", Action: "user.created", Object: fmt.Sprint(i)}))
					if err != nil {
						return err
					}
					if i == end && runs == 1 {
						terminate(t, s, tx)
					}
				}
				return nil
			})
			require.Equal(t, 2, runs)
			require.EqualValues(t, n, usersIn(t, s))
			require.NoError(t, s.View(ctx, realm, func(r store.Reader) error {
				vs, err := r.Events(ctx, 0, n+1)
				require.Len(t, vs, n)
				return err
			}))
		})
	}
}

// terminate ends the unit's session, and returns when it has ended.
func terminate(t *testing.T, s *Store, of store.Tx) {
	t.Helper()
	c := of.(*tx).conn
	require.NoError(t, c.settle())
	var gone bool
	require.NoError(t, s.pool.QueryRow(t.Context(), "SELECT pg_terminate_backend($1, 60000)", c.sender.(*pgx.Conn).PgConn().PID()).Scan(&gone))
	require.True(t, gone)
}

// What a unit is told does not depend on whether its rows are still on their way.
func TestBulkFailsInTheMiddle(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newDatabase(t, nil).open(t)
	update(t, s, func(tx store.Tx) error { return tx.CreateUser(ctx, person("taken")) })
	runs, told := 0, 0
	err := s.Update(ctx, realm, func(tx store.Tx) error {
		runs++
		if err := crowd(ctx, tx, 0, bulkFrom+1); err != nil {
			return err
		}
		if err := tx.CreateUser(ctx, person("taken")); err != nil {
			require.ErrorIs(t, err, store.ErrExists)
			told++
			return err
		}
		return crowd(ctx, tx, bulkFrom+1, 3*bulkSize)
	})
	require.ErrorIs(t, err, store.ErrExists)
	require.Equal(t, []int{2, 1}, []int{runs, told}, "the second run is told at the call")
	require.EqualValues(t, 1, usersIn(t, s))
}
