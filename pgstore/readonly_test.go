package pgstore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/store"
)

// A store on a standby reads, and refuses every unit that might write before
// anything of it is done.
func TestStandbyIsReadOnly(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server := pgtest.Start(t, pgtest.Config{})
	database, err := server.Database(ctx)
	require.NoError(t, err)
	primary, err := Open(ctx, server.URL(database), nil)
	require.NoError(t, err)
	defer primary.Close()
	update(t, primary, func(tx store.Tx) error { return tx.CreateUser(ctx, person("ada")) })
	standby := server.Standby(t)
	// The next commit returns only when the standby has it too.
	update(t, primary, func(tx store.Tx) error { return tx.CreateUser(ctx, person("bob")) })

	for name, mode := range map[string]string{"prepared": "", "simple_protocol": "&default_query_exec_mode=simple_protocol"} {
		s, err := Open(ctx, standby.URL(database)+mode, nil)
		require.NoError(t, err, name)
		require.Eventually(t, func() bool { // it has the commit, and shows it soon
			n, err := countUsers(ctx, s)
			require.NoError(t, err, name)
			return n == 2
		}, patience, time.Millisecond, name)
		err = s.Update(ctx, realm, func(tx store.Tx) error { return tx.CreateUser(ctx, person("eve")) })
		require.ErrorIs(t, err, store.ErrReadOnly, name)
		err = s.Update(ctx, realm, func(tx store.Tx) error {
			_, err := tx.User(ctx, "ada")
			require.ErrorIs(t, err, store.ErrReadOnly, name)
			return nil
		})
		require.ErrorIs(t, err, store.ErrReadOnly, "what fn makes of it does not matter")
		require.NoError(t, s.Close())
	}
}

// Read-only by default is no more than a default.
func TestReadOnlyByDefault(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), pgtest.URL(t)+"&default_transaction_read_only=on", nil)
	require.NoError(t, err)
	defer s.Close()
	update(t, s, func(tx store.Tx) error { return tx.CreateUser(t.Context(), person("ada")) })
}
