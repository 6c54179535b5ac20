package usermgmt_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// permissionForm is the form of a permission's name, and wildcardForm that of
// what a role may hold.
var (
	permissionForm = regexp.MustCompile(`^[a-z0-9-]+\.[a-z0-9-]+$`)
	wildcardForm   = regexp.MustCompile(`^([a-z0-9-]+\.([a-z0-9-]+|\*)|\*\.\*)$`)
)

// FuzzPermission: a permission is known once it was created, which its form
// alone decides; and what a role with a pattern holds is what its text says, no
// more: by prefix, by case or by a wildcard of some other kind nothing is held.
func FuzzPermission(f *testing.F) {
	o := newOffice(f)
	admin := o.as(o.person("root", realmAdmin))
	asker := o.person("asker")
	for _, pattern := range []string{"users.*", "*.*", "users.read", "*.read", "users.**", "users.", ".*", "*", "users", "Users.read", "user.*", "users.read.*", "users.*\x00", "a-b.*", "ünit.read"} {
		for _, asked := range []string{"users.read", "users.*", "*.*", "usersx.read", "users.read2", "roles.read", "users"} {
			f.Add(pattern, asked)
		}
	}
	f.Add(strings.Repeat("a", 64)+"."+strings.Repeat("b", 63), "users.read")
	f.Add(strings.Repeat("a", 64)+"."+strings.Repeat("b", 64), "users.read")
	f.Fuzz(func(t *testing.T, pattern, asked string) {
		ctx := t.Context()
		defer forget(t, o.m)
		p := usermgmt.Permission(pattern)
		known, err := admin.Permissions(ctx)
		require.NoError(t, err)
		err = admin.CreatePermission(ctx, p)
		if sound := permissionForm.MatchString(pattern) && len(pattern) <= 128; sound != (err == nil) || !sound && !errors.Is(err, usermgmt.ErrInvalid) {
			t.Fatalf("CreatePermission(%q): %v", p, err)
		}
		made := err == nil
		now, err := admin.Permissions(ctx)
		require.NoError(t, err)
		if isNew := len(now) > len(known); isNew {
			defer func() { require.NoError(t, admin.DeletePermission(ctx, p)) }()
		} else {
			require.Equal(t, known, now)
		}
		r, err := admin.CreateRole(ctx, usermgmt.NewRole{Name: "tried", Permissions: []usermgmt.Permission{p}})
		if err != nil {
			if made || !errors.Is(err, usermgmt.ErrInvalid) {
				t.Fatalf("a role with %q: %v", p, err)
			}
			return
		}
		defer func() { require.NoError(t, admin.DeleteRole(ctx, r.ID)) }()
		if !wildcardForm.MatchString(pattern) {
			t.Fatalf("a role holds %q", p)
		}
		require.Equal(t, []string{pattern}, r.Permissions)
		require.NoError(t, admin.GrantRoles(ctx, asker, usermgmt.Grant{Role: r.ID, Kind: usermgmt.ScopeRealm}))
		got, err := o.as(asker).Can(ctx, usermgmt.Permission(asked), usermgmt.Realmwide)
		require.NoError(t, err)
		group, action, _ := strings.Cut(pattern, ".")
		want := pattern == "*.*" || pattern == asked || action == "*" && strings.HasPrefix(asked, group+".") ||
			action == "*" && asked == group // a word without an action is of the group it names
		if got != want {
			t.Fatalf("who holds %q can %q: %t", pattern, asked, got)
		}
	})
}

// forget drops what happened, so that millions of rounds need no more memory than one.
func forget(t *testing.T, m *usermgmt.Manager) {
	t.Helper()
	require.NoError(t, second(m.DropEvents(t.Context(), math.MaxInt64)))
}

// FuzzRoleName: a name is refused, or kept to the byte and found by it; and no
// role that has another name is found.
func FuzzRoleName(f *testing.F) {
	o := newOffice(f)
	for _, s := range []string{"admin", "Admin", " admin", "admin\u00a0", "", "\t", "a\x00b", "\xff", "é", "e\u0301", strings.Repeat("ü", 128), strings.Repeat("ü", 129), "FULFILLER", "a\u202eb"} {
		f.Add(s, int8(1))
		f.Add(s, int8(3))
	}
	f.Fuzz(func(t *testing.T, name string, scope int8) {
		ctx := t.Context()
		defer forget(t, o.m)
		kind := usermgmt.ScopeKind(scope)
		before, beforeErr := o.m.RoleByName(ctx, kind, name)
		r, err := o.m.CreateRole(ctx, usermgmt.NewRole{Name: name, Scope: kind})
		if err != nil {
			if taken := errors.Is(err, usermgmt.ErrExists); taken != (beforeErr == nil) || !taken && !errors.Is(err, usermgmt.ErrInvalid) {
				t.Fatalf("CreateRole(%q, %d): %v, and before it was %v", name, scope, err, beforeErr)
			}
			if beforeErr == nil && before.Name != name {
				t.Fatalf("%q finds %q", name, before.Name)
			}
			return
		}
		defer func() { require.NoError(t, o.m.DeleteRole(ctx, r.ID)) }()
		if r.Name != name || strings.TrimSpace(name) != name || !utf8.ValidString(name) || utf8.RuneCountInString(name) > 128 {
			t.Fatalf("CreateRole(%q) makes %q", name, r.Name)
		}
		found, err := o.m.RoleByName(ctx, r.Scope, name)
		require.NoError(t, err)
		require.Equal(t, r.ID, found.ID)
		require.Equal(t, name, found.Name)
	})
}

// FuzzAttributes: attributes are a JSON object that encoding/json reads alike,
// in a form that is its own form, and within the bound that holds for what is
// given.
func FuzzAttributes(f *testing.F) {
	o := newOffice(f)
	ada := o.person("ada")
	for _, s := range []string{
		`{}`, `null`, `[]`, `{"b":1,"a":[1.0,1e400,-0]}`, `{"a":1,"a":2}`, `{"\ud800":"\u0000"}`, `{"a":"<>&\u2028"}`, `{} {}`, `{"a":}`, ` {"a" : true} `,
		`{"a":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`, `{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`,
		`{"a":"` + strings.Repeat("x", 32<<10-8) + `"}`, `{"a":"` + strings.Repeat("\u2028", 10<<10) + `"}`, `{"é":"e\u0301"}`, `{"a":"\\u0000"}`, "{}\x00", `{}]`, `{"a":1}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		defer forget(t, o.m)
		raw := json.RawMessage(text)
		set := func(raw json.RawMessage) (json.RawMessage, error) {
			u, err := o.m.UpdateUser(t.Context(), ada, usermgmt.UserUpdate{Attributes: &raw})
			return u.Attributes, err
		}
		kept, err := set(bytes.Clone(raw))
		if err != nil {
			require.ErrorIs(t, err, usermgmt.ErrInvalid)
			return
		}
		if len(text) == 0 {
			require.Empty(t, kept)
			return
		}
		given := exactly(t, text)
		if kept == nil {
			require.Empty(t, given)
			return
		}
		if !reflect.DeepEqual(given, exactly(t, kept)) {
			t.Fatalf("%q became %q", text, kept)
		}
		again, err := set(bytes.Clone(kept))
		require.NoError(t, err, "what was read cannot be written: %d bytes became %d", len(text), len(kept))
		require.Equal(t, string(kept), string(again))
	})
}

// exactly reads a JSON object, and its numbers digit by digit.
func exactly(t *testing.T, text []byte) (object map[string]any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&object), "%q", text)
	require.True(t, json.Valid(text), "%q", text)
	return object
}
