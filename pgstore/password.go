package pgstore

import (
	"context"
	"errors"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func credentials() table[store.Credential] {
	return table[store.Credential]{"{credential}", []string{"user_id"}, record.DecodeCredential,
		func(c store.Credential) rowKey { return credentialKey(c.UserID) }}
}

func credentialKey(user store.UserID) rowKey { return rowKey{table: "{credential}", a: string(user)} }

// lockUser locks a user before what hangs on him, in the next round trip.
func (t *tx) lockUser(id store.UserID, lock string) {
	t.conn.leave("SELECT 1 FROM {user} WHERE realm=$1 AND id=$2"+lock, t.realm, string(id))
}

func (r *reader) Credential(ctx context.Context, user store.UserID) (store.Credential, error) {
	if r.lock != "" && record.IsText(string(user)) {
		r.tx.lockUser(user, r.lock)
	}
	return findKey(ctx, r, credentials(), credentialKey(user), "user_id=$2", string(user))
}

func (r *reader) CredentialsByID(ctx context.Context, users []store.UserID) ([]store.Credential, error) {
	return batch(ctx, r, credentials(), "user_id", users, "")
}

func (t *tx) PutCredential(ctx context.Context, c store.Credential) error {
	if err := t.may(ctx, c); err != nil {
		return err
	}
	if c.Version == 0 {
		parents := []parent{userParent(t, c.UserID)}
		c.Version = 1
		err := t.create(ctx, parents, []rule{{"", "SELECT 1 FROM {credential} WHERE realm=$1 AND user_id=$2", []any{t.realm, string(c.UserID)}}},
			"INSERT INTO {credential} (realm, user_id, data) SELECT $1, $2, $3::bytea"+
				" WHERE EXISTS (SELECT 1 FROM {user} WHERE realm=$1 AND id=$2) ON CONFLICT DO NOTHING",
			t.realm, string(c.UserID), record.EncodeCredential(c))
		if errors.Is(err, store.ErrExists) { // one is there, and its version is not 0
			return store.ErrStale
		}
		return err
	}
	// Those who change one credential wait for each other here, before they end the
	// sessions of the old one.
	n, err := t.conn.exec(ctx, "SELECT 1 FROM {user} WHERE realm=$1 AND id=$2 FOR NO KEY UPDATE", t.realm, string(c.UserID))
	if err != nil {
		return err
	}
	if n == 0 {
		return store.ErrNotFound
	}
	old, err := t.Credential(ctx, c.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if old.Version != c.Version {
		return store.ErrStale
	}
	c.Version++
	data := record.EncodeCredential(c)
	return replace(ctx, t, credentials(), c, data, nil, "UPDATE {credential} SET data=$4 WHERE realm=$1 AND user_id=$2 AND data=$3",
		t.realm, string(c.UserID), t.seen[credentialKey(c.UserID)].data, data)
}

func (t *tx) DeleteCredential(ctx context.Context, user store.UserID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	if !record.IsText(string(user)) {
		return store.ErrNotFound
	}
	t.lockUser(user, " FOR NO KEY UPDATE")
	return t.remove(ctx, credentialKey(user), credentials().keys, "DELETE FROM {credential} WHERE realm=$1 AND user_id=$2", t.realm, string(user))
}
