package pgstore

import (
	"crypto/ed25519"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// A permission is not given to anybody while it is deleted: who gives it waits,
// and finds it gone.
func TestPermissionGivenWhileItIsDeleted(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const name = "permission given while it is deleted"
	d := newDatabase(t, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["application_name"] = name })
	s := d.open(t)
	m, err := usermgmt.New(s, usermgmt.Options{SigningKeys: []usermgmt.SigningKey{{ID: "k", Key: ed25519.NewKeyFromSeed(make([]byte, 32))}}})
	require.NoError(t, err)
	ada, err := m.CreateUser(ctx, usermgmt.NewUser{Username: "ada"})
	require.NoError(t, err)
	for what, give := range map[string]func() error{
		"to a role": func() error {
			_, err := m.CreateRole(ctx, usermgmt.NewRole{Scope: usermgmt.ScopeRealm, Name: "opener", Permissions: []usermgmt.Permission{"parcels.open"}})
			return err
		},
		"to a user": func() error {
			_, err := m.UpdateUser(ctx, ada.ID, usermgmt.UserUpdate{AddGrants: []usermgmt.Grant{{Permission: "parcels.open", Kind: usermgmt.ScopeRealm}}})
			return err
		},
		"by a Snapshot": func() error {
			return m.Apply(ctx, usermgmt.Snapshot{Roles: []usermgmt.SnapshotRole{{Name: "opener", Scope: "realm", Permissions: []usermgmt.Permission{"parcels.open"}}}})
		},
	} {
		require.NoError(t, m.CreatePermission(ctx, "parcels.open"))
		host, err := d.pool.Begin(ctx)
		require.NoError(t, err)
		require.NoError(t, m.With(In(host, &Options{Schema: s.naming.schema})).DeletePermission(ctx, "parcels.open"))
		done := make(chan error, 1)
		go func() { done <- give() }()
		for waits := false; !waits; {
			require.NoError(t, d.pool.QueryRow(ctx,
				"SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name=$1 AND wait_event_type='Lock')", name).Scan(&waits))
		}
		require.NoError(t, host.Commit(ctx))
		require.ErrorIs(t, <-done, usermgmt.ErrInvalid, what)
	}
}
