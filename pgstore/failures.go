package pgstore

import (
	"context"
	"errors"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func failures() table[store.Failures] {
	return table[store.Failures]{"{failures}", []string{digestColumn}, record.DecodeFailures,
		func(f store.Failures) rowKey { return failuresKey(f.Key) }}
}

func failuresKey(d store.Digest) rowKey { return rowKey{table: "{failures}", a: hexDigest(d)} }

func (r *reader) Failures(ctx context.Context, key store.Digest) (store.Failures, error) {
	f, err := findKey(ctx, r, failures(), failuresKey(key), "digest=$2", key[:])
	if r.tx != nil && errors.Is(err, store.ErrNotFound) {
		r.tx.missing[failuresKey(key)] = true
	}
	return f, err
}

// PutFailures is one of three statements, by what the unit knows of the record.
// No uniqueness rule stands in the way of two units that have both found none,
// so the second one is to notice.
func (t *tx) PutFailures(ctx context.Context, f store.Failures) error {
	if err := t.may(ctx, f); err != nil {
		return err
	}
	key, data := failuresKey(f.Key), record.EncodeFailures(f)
	args := []any{t.realm, f.Key[:], expiry(f.ExpiresAt), data}
	old, known := t.seen[key]
	if old.data != nil {
		return replace(ctx, t, failures(), f, data, nil,
			"UPDATE {failures} SET expires_at=$3, data=$4 WHERE realm=$1 AND digest=$2 AND data=$5", append(args, old.data)...)
	}
	query := "INSERT INTO {failures} (realm, digest, expires_at, data) VALUES ($1, $2, $3, $4) ON CONFLICT "
	if !known && t.missing[key] {
		query += "DO NOTHING"
	} else {
		query += "(realm, digest) DO UPDATE SET expires_at=excluded.expires_at, data=excluded.data"
	}
	return replace(ctx, t, failures(), f, data, nil, query, args...)
}

func (t *tx) DeleteFailures(ctx context.Context, key store.Digest) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	return t.remove(ctx, failuresKey(key), failures().keys, "DELETE FROM {failures} WHERE realm=$1 AND digest=$2", t.realm, key[:])
}
