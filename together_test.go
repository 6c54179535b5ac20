package usermgmt_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/store"
)

var errStuck = errors.New("sessions cannot be deleted")

// stuckSessions is a store that cannot delete sessions.
type stuckSessions struct{ store.Store }

func (s stuckSessions) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	return s.Store.Update(ctx, realm, func(tx store.Tx) error { return fn(stuckTx{tx}) })
}

type stuckTx struct{ store.Tx }

func (stuckTx) DeleteSessions(context.Context, store.UserID) (int, error) { return 0, errStuck }

// TestSessionsEndWithTheActOrNeitherHappens: where sessions cannot be ended, the
// password stays what it was and the user enabled.
func TestSessionsEndWithTheActOrNeitherHappens(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	ada := d.person(t, "ada")
	tokens := d.signIn(t, "ada", passphrase)
	before, credential := d.actions(t), d.credential(t, ada.ID)
	stuck := d.With(stuckSessions{d.store})
	for what, act := range map[string]func() error{
		"reset":         func() error { return stuck.ResetPassword(ctx, ada.ID, replacement) },
		"new password":  func() error { return stuck.SetPassword(ctx, ada.ID, replacement) },
		"imported hash": func() error { return stuck.ImportPasswordHash(ctx, ada.ID, argon2id(t, replacement)) },
		"update": func() error {
			return second(stuck.UpdateUser(ctx, ada.ID, usermgmt.UserUpdate{Password: new(replacement)}))
		},
		"change": func() error {
			return second(stuck.As(usermgmt.UserActor(ada.ID)).ChangePassword(ctx, passphrase, replacement))
		},
		"disabling": func() error { return stuck.DisableUser(ctx, ada.ID) },
	} {
		require.ErrorIs(t, act(), errStuck, what)
		require.Equal(t, credential, d.credential(t, ada.ID), what)
		require.Equal(t, before, d.actions(t), what)
		u, err := d.User(ctx, ada.ID)
		require.NoError(t, err)
		require.Equal(t, ada, u, what)
		require.True(t, alive(t, d.Manager, tokens.AccessToken), what)
	}
	require.NoError(t, d.SetPassword(ctx, ada.ID, replacement))
	require.False(t, alive(t, d.Manager, tokens.AccessToken))
}
