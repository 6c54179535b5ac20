package pgstore

import (
	"context"
	"crypto/sha256"

	"github.com/jackc/pgx/v5"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

func roles() table[store.Role] {
	return table[store.Role]{"{role}", []string{"id"}, record.DecodeRole, func(r store.Role) rowKey { return roleKey(r.ID) }}
}

func roleKey(id store.RoleID) rowKey { return rowKey{table: "{role}", a: string(id)} }

// nameDigest is the key by which roles are found by their name.
func nameDigest(name string) []byte {
	d := sha256.Sum256([]byte(name))
	return d[:]
}

func (r *reader) Role(ctx context.Context, id store.RoleID) (store.Role, error) {
	return findKey(ctx, r, roles(), roleKey(id), "id=$2", string(id))
}

func (r *reader) RoleByName(ctx context.Context, scope store.ScopeKind, name string) (store.Role, error) {
	return find(ctx, r, roles(), "scope=$2 AND name=$3", int64(scope), nameDigest(name))
}

func (r *reader) RolesByID(ctx context.Context, ids []store.RoleID) ([]store.Role, error) {
	return byID(ctx, r, roles(), ids)
}

func (r *reader) Roles(ctx context.Context, since store.RoleID, limit int) ([]store.Role, error) {
	return list(ctx, r, record.DecodeRole, limit,
		"SELECT data FROM {role} WHERE realm=$1 AND id>$2 ORDER BY id LIMIT $3", r.realm, after(since))
}

func (r *reader) Permissions(ctx context.Context) ([]string, error) {
	if err := r.ok(ctx); err != nil {
		return nil, err
	}
	var names []string
	err := r.conn.each(ctx, func(row pgx.Rows) error {
		var name string
		err := row.Scan(&name)
		names = append(names, name)
		return err
	}, "SELECT name FROM {permission} WHERE realm=$1 ORDER BY name", r.realm)
	return names, err
}

func (t *tx) roleNameRule(r store.Role) rule {
	return rule{"Name", "SELECT 1 FROM {role} WHERE realm=$1 AND scope=$2 AND name=$3", []any{t.realm, int64(r.Scope), nameDigest(r.Name)}}
}

func (t *tx) CreateRole(ctx context.Context, r store.Role) error {
	if err := t.may(ctx, r); err != nil {
		return err
	}
	r.Version = 1
	return t.create(ctx, nil, []rule{
		{"ID", "SELECT 1 FROM {role} WHERE realm=$1 AND id=$2", []any{t.realm, string(r.ID)}}, t.roleNameRule(r),
	}, "INSERT INTO {role} (realm, id, scope, name, data) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
		t.realm, string(r.ID), int64(r.Scope), nameDigest(r.Name), record.EncodeRole(r))
}

func (t *tx) UpdateRole(ctx context.Context, r store.Role) error {
	if err := t.may(ctx, r); err != nil {
		return err
	}
	old, err := t.Role(ctx, r.ID)
	if err != nil {
		return err
	}
	if old.Version != r.Version {
		return store.ErrStale
	}
	r.Scope, r.CreatedAt, r.CreatedBy = old.Scope, old.CreatedAt, old.CreatedBy
	r.Version++
	var rules []rule
	if r.Name != old.Name {
		rules = append(rules, t.roleNameRule(r))
	}
	data := record.EncodeRole(r)
	err = replace(ctx, t, roles(), r, data, rules, "UPDATE {role} SET name=$4, data=$5 WHERE realm=$1 AND id=$2 AND data=$3",
		t.realm, string(r.ID), t.seen[roleKey(r.ID)].data, nameDigest(r.Name), data)
	t.rights = t.rights || err == nil
	return err
}

func (t *tx) DeleteRole(ctx context.Context, id store.RoleID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	err := t.remove(ctx, roleKey(id), roles().keys, "DELETE FROM {role} WHERE realm=$1 AND id=$2", t.realm, string(id))
	t.rights = t.rights || err == nil
	return err
}

func (t *tx) PutPermission(ctx context.Context, name string) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	if name == "" || len(name) > 128 {
		return invalid("name", "must have 1 to 128 bytes")
	}
	if !record.IsText(name) {
		return invalid("name", "must be valid UTF-8 without U+0000")
	}
	n, err := t.conn.exec(ctx, "INSERT INTO {permission} (realm, name) VALUES ($1, $2) ON CONFLICT DO NOTHING", t.realm, name)
	if n > 0 {
		t.rights, t.changed = true, true
	}
	return err
}

func (t *tx) DeletePermission(ctx context.Context, name string) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	err := t.remove(ctx, rowKey{}, nil, "DELETE FROM {permission} WHERE realm=$1 AND name=$2", t.realm, name)
	t.rights = t.rights || err == nil
	return err
}
