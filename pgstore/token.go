package pgstore

import (
	"cmp"
	"context"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func tokens() table[store.Token] {
	return table[store.Token]{"{token}", []string{digestColumn}, record.DecodeToken, func(k store.Token) rowKey { return tokenKey(k.Digest) }}
}

func tokenKey(d store.Digest) rowKey { return rowKey{table: "{token}", a: hexDigest(d)} }

// lockAbove locks what a token hangs on that is about to be locked, in the next
// round trip: its user, and its session, which a refresh token is the key to, or
// its organization and membership.
func (t *tx) lockAbove(kind store.TokenKind, d store.Digest) {
	lock := cmp.Or(t.lock, locked)
	of := func(columns string) string {
		return "(SELECT " + columns + " FROM {token} WHERE realm=$1 AND digest=$2)"
	}
	args := []any{t.realm, d[:]}
	t.leaveAll(args, "SELECT 1 FROM {user} WHERE realm=$1 AND id="+of("user_id")+lock)
	if kind == store.TokenRefresh {
		t.leaveAll(args, "SELECT 1 FROM {session} WHERE realm=$1 AND id="+of("session_id")+" FOR NO KEY UPDATE")
		return
	}
	t.leaveAll(args,
		"SELECT 1 FROM {organization} WHERE realm=$1 AND id="+of("org_id")+lock,
		"SELECT 1 FROM {membership} WHERE realm=$1 AND (org_id, user_id)="+of("org_id, user_id")+lock)
}

func (r *reader) Token(ctx context.Context, kind store.TokenKind, digest store.Digest) (store.Token, error) {
	if r.lock != "" {
		r.tx.lockAbove(kind, digest)
	}
	return find(ctx, r, tokens(), "digest=$2 AND kind=$3", digest[:], int64(kind))
}

func (r *reader) OrganizationTokens(ctx context.Context, org store.OrganizationID, users []store.UserID, since store.Digest, limit int) ([]store.Token, error) {
	want, err := record.Batch(users)
	if err != nil {
		return nil, err
	}
	return list(ctx, r, record.DecodeToken, limit,
		"SELECT data FROM {token} WHERE realm=$1 AND org_id=$2 AND user_id=ANY($3::text[]) AND kind=$4 AND digest>$5 ORDER BY digest LIMIT $6",
		r.realm, string(org), want, int64(store.TokenOrganization), since[:])
}

func (t *tx) CreateToken(ctx context.Context, k store.Token) error {
	if err := t.may(ctx, k); err != nil {
		return err
	}
	parents := []parent{userParent(t, k.UserID)}
	place := "EXISTS (SELECT 1 FROM {membership} WHERE realm=$1 AND org_id=$5::text AND user_id=$4)"
	if k.Kind == store.TokenRefresh {
		parents = append(parents, parent{"SELECT 1 FROM {session} WHERE realm=$1 AND id=$2", []any{t.realm, string(k.SessionID)}})
		place = "EXISTS (SELECT 1 FROM {session} WHERE realm=$1 AND id=$6::text)"
	} else {
		parents = append(parents, membershipParent(t, k.OrganizationID, k.UserID))
	}
	return t.create(ctx, parents,
		[]rule{{"Digest", "SELECT 1 FROM {token} WHERE realm=$1 AND digest=$2", []any{t.realm, k.Digest[:]}}},
		"INSERT INTO {token} (realm, digest, kind, user_id, org_id, session_id, expires_at, data)"+
			" SELECT $1, $2::bytea, $3::bigint, $4, $5::text, $6::text, $7::bigint, $8::bytea"+
			" WHERE EXISTS (SELECT 1 FROM {user} WHERE realm=$1 AND id=$4) AND "+place+" ON CONFLICT DO NOTHING",
		t.realm, k.Digest[:], int64(k.Kind), string(k.UserID), orNull(k.OrganizationID), orNull(k.SessionID),
		expiry(k.ExpiresAt), record.EncodeToken(k))
}

func (t *tx) UseToken(ctx context.Context, kind store.TokenKind, digest store.Digest, at store.Time) (store.Token, error) {
	if err := t.ok(ctx); err != nil {
		return store.Token{}, err
	}
	if t.lock == "" { // which Token does otherwise
		t.lockAbove(kind, digest)
	}
	k, err := t.Token(ctx, kind, digest)
	if err != nil {
		return store.Token{}, err
	}
	if !k.UsedAt.IsZero() {
		return k, store.ErrUsed
	}
	if at.IsZero() {
		return store.Token{}, invalid("UsedAt", "must not be zero")
	}
	k.UsedAt = at
	if err := k.Check(); err != nil {
		return store.Token{}, err
	}
	data := record.EncodeToken(k)
	err = replace(ctx, t, tokens(), k, data, nil, "UPDATE {token} SET data=$4 WHERE realm=$1 AND digest=$2 AND data=$3",
		t.realm, digest[:], t.seen[tokenKey(digest)].data, data)
	if err != nil {
		return store.Token{}, err
	}
	return k, nil
}

func (t *tx) DeleteToken(ctx context.Context, kind store.TokenKind, digest store.Digest) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	t.lockAbove(kind, digest)
	return t.remove(ctx, tokenKey(digest), tokens().keys, "DELETE FROM {token} WHERE realm=$1 AND digest=$2 AND kind=$3",
		t.realm, digest[:], int64(kind))
}
