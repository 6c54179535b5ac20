package sqlitestore

import (
	"context"
	"database/sql/driver"
	"strings"
	"unicode/utf8"

	"github.com/usermgmt-go/usermgmt/internal/record"
	"github.com/usermgmt-go/usermgmt/store"
)

const roleByName = "SELECT data FROM {role} WHERE realm=? AND scope=? AND name=?"

func (r *reader) Role(ctx context.Context, id store.RoleID) (store.Role, error) {
	return get(ctx, r, record.DecodeRole, "SELECT data FROM {role} WHERE realm=? AND id=?", r.realm, string(id))
}

func (r *reader) RoleByName(ctx context.Context, scope store.ScopeKind, name string) (store.Role, error) {
	return get(ctx, r, record.DecodeRole, roleByName, r.realm, int64(scope), name)
}

func (r *reader) RolesByID(ctx context.Context, ids []store.RoleID) ([]store.Role, error) {
	return allByID(ctx, r, record.DecodeRole,
		"SELECT data FROM {role} WHERE realm=? AND id IN (SELECT value FROM json_each(?)) ORDER BY id", ids)
}

func (r *reader) Roles(ctx context.Context, after store.RoleID, limit int) ([]store.Role, error) {
	return page(ctx, r, record.DecodeRole, limit,
		"SELECT data FROM {role} WHERE realm=? AND id>? ORDER BY id LIMIT ?", r.realm, string(after))
}

func (r *reader) Permissions(ctx context.Context) ([]string, error) {
	if err := r.ok(ctx); err != nil {
		return nil, err
	}
	return r.texts("SELECT name FROM {permission} WHERE realm=? ORDER BY name", r.realm)
}

func (t *tx) CreateRole(ctx context.Context, r store.Role) error {
	if err := t.may(ctx, r); err != nil {
		return err
	}
	r.Version = 1
	return t.write([]rule{
		{"ID", "SELECT 1 FROM {role} WHERE realm=? AND id=?", []driver.Value{t.realm, string(r.ID)}},
		{"Name", roleByName, []driver.Value{t.realm, int64(r.Scope), r.Name}},
	}, "INSERT INTO {role} (realm, id, scope, name, data) VALUES (?, ?, ?, ?, ?)",
		t.realm, string(r.ID), int64(r.Scope), r.Name, record.EncodeRole(r))
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
	err = t.write([]rule{
		{"Name", roleByName + " AND id<>?", []driver.Value{t.realm, int64(r.Scope), r.Name, string(r.ID)}},
	}, "UPDATE {role} SET name=?, data=? WHERE realm=? AND id=?", r.Name, record.EncodeRole(r), t.realm, string(r.ID))
	if err == nil {
		t.rights = true
	}
	return err
}

func (t *tx) DeleteRole(ctx context.Context, id store.RoleID) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	err := t.remove("DELETE FROM {role} WHERE realm=? AND id=?", t.realm, string(id))
	if err == nil {
		t.rights = true
	}
	return err
}

func (t *tx) PutPermission(ctx context.Context, name string) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	if name == "" || len(name) > 128 {
		return invalid("name", "must have 1 to 128 bytes")
	}
	if !utf8.ValidString(name) || strings.Contains(name, "\x00") {
		return invalid("name", "must be valid UTF-8 without U+0000")
	}
	n, err := t.db.exec("INSERT INTO {permission} (realm, name) VALUES (?, ?) ON CONFLICT DO NOTHING", t.realm, name)
	if n > 0 {
		t.rights = true
	}
	return err
}

func (t *tx) DeletePermission(ctx context.Context, name string) error {
	if err := t.ok(ctx); err != nil {
		return err
	}
	err := t.remove("DELETE FROM {permission} WHERE realm=? AND name=?", t.realm, name)
	if err == nil {
		t.rights = true
	}
	return err
}
