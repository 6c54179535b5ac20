package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/pgstore/pgtest"
	"github.com/usermgmt-go/usermgmt/store"
)

const (
	passphrase = "violet cradle 77"
	people     = 600 // more than a unit of work takes
)

// directory opens the database for the time of the test.
func directory(t *testing.T, db string) *usermgmt.Manager {
	t.Helper()
	m, err := open(t.Context(), db, string(usermgmt.DefaultRealm))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

// settle fills the directory at the database, closes it again, and returns the
// organization token of a vendor's user.
func settle(t *testing.T, db string) string {
	t.Helper()
	m, err := open(t.Context(), db, string(usermgmt.DefaultRealm))
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	ctx := t.Context()
	s, err := usermgmt.ParseSnapshot(strings.NewReader(`{"permissions":["invoices.approve"],
		"tenants":[{"id":"0192aaaa-0000-7000-8000-000000000001","name":"Acme test","type":"test"}],
		"roles":[{"name":"clerk","permissions":["invoices.approve"]},{"name":"crew","scope":"organization","permissions":["members.read"]}],
		"users":[{"username":"ada@example.com","email":"ada@example.com","password":"` + passphrase + `","attributes":{"k":1},"tenants":["type:test"],
			"roles":[{"name":"clerk"},{"name":"SUPERVISOR","facilities":["F1"]},{"name":"crew","organizations":["acme"]}]},
			{"username":"gone","disabled":true}],
		"vendors":[{"clientId":"globex","name":"Globex","clientSecret":"globex-secret-0123","scopes":["vendor_manage"]}],
		"organizations":[{"id":"acme","name":"Acme","vendor":"globex","vendorOrganizationId":"42",
			"members":[{"user":"gone","role":"owner"},{"user":"ada@example.com","role":"owner","tags":["x"]}],
			"apiKeys":[{"name":"ci","key":"key-of-ci-012345","role":"admin","owner":"ada@example.com"}]}]}`))
	require.NoError(t, err)
	for i := range people {
		name := fmt.Sprintf("p%04d", i)
		s.Users = append(s.Users, usermgmt.SnapshotUser{Username: name})
		s.Organizations[0].Members = append(s.Organizations[0].Members, usermgmt.SnapshotMember{User: name, Role: "crew"})
	}
	require.NoError(t, m.Apply(ctx, s))
	globex, err := m.AuthenticateVendor(ctx, "globex", "globex-secret-0123")
	require.NoError(t, err)
	ned, err := m.As(globex).ProvisionUser(ctx, usermgmt.VendorUser{Email: "ned@acme.example", VendorOrganizationID: "42"})
	require.NoError(t, err)
	return ned.Token
}

// migrate runs the program and returns what it prints on its two outputs.
func migrate(t *testing.T, args ...string) (string, string) {
	t.Helper()
	var out, errout bytes.Buffer
	require.NoError(t, run(t.Context(), args, &out, &errout), "%s", &errout)
	return out.String(), errout.String()
}

// places are kinds of databases to move to.
var places = map[string]func(t *testing.T) string{
	"sqlite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "new.db") },
	"postgresql": func(t *testing.T) string { return pgtest.URL(t) },
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	from := filepath.Join(t.TempDir(), "old.db")
	token := settle(t, from)
	old := directory(t, from)
	for name, place := range places {
		t.Run("all works at the new place, and moves on from there: "+name, func(t *testing.T) {
			t.Parallel()
			to := place(t)
			out, progress := migrate(t, "-from", from, "-to", to)
			require.Contains(t, out, "1 permissions, 1 tenants, 2 roles, 603 users, 1 vendors, 1 organizations, 603 members, 1 API keys, 1 roles at organizations: all there")
			require.Contains(t, progress, "\r1 permissions, 1 tenants, 2 roles, 500 users\r")
			moved := directory(t, to)
			requireSame(t, old, moved)
			further := filepath.Join(t.TempDir(), "further.db")
			migrate(t, "-from", to, "-to", further)
			requireSame(t, old, directory(t, further))
			worksAtNewPlace(t, moved, token)
		})
		t.Run("run twice it changes nothing: "+name, func(t *testing.T) {
			t.Parallel()
			to := place(t)
			migrate(t, "-from", from, "-to", to)
			moved := directory(t, to)
			tokens, err := moved.SignIn(t.Context(), "ada@example.com", passphrase)
			require.NoError(t, err)
			before := lastEvent(t, moved)
			migrate(t, "-from", from, "-to", to)
			require.Equal(t, before, lastEvent(t, moved))
			_, err = moved.Authenticate(t.Context(), tokens.AccessToken)
			require.NoError(t, err, "moving again ended a session")
		})
		t.Run("broken off in the middle and run again it ends whole: "+name, func(t *testing.T) {
			t.Parallel()
			to := place(t)
			moved := directory(t, to)
			for _, enough := range []func(usermgmt.StreamProgress) bool{
				func(p usermgmt.StreamProgress) bool { return p.Users > 0 },
				func(p usermgmt.StreamProgress) bool { return p.Members > 0 },
			} {
				ctx, cancel := context.WithCancel(t.Context())
				done, err := move(ctx, old, moved, func(p usermgmt.StreamProgress) {
					if enough(p) {
						cancel()
					}
				})
				require.ErrorIs(t, err, context.Canceled)
				require.True(t, enough(done))
				require.Less(t, done.Members, people)
			}
			migrate(t, "-from", from, "-to", to)
			requireSame(t, old, moved)
		})
	}
}

// requireSame requires that the directories hold the same.
func requireSame(t *testing.T, want, got *usermgmt.Manager) {
	t.Helper()
	w, g := strings.Split(export(t, want), "\n"), strings.Split(export(t, got), "\n")
	for i := range min(len(w), len(g)) {
		require.Equal(t, w[i], g[i], "line %d", i+1)
	}
	require.Len(t, g, len(w))
}

// worksAtNewPlace tries every credential, and everything that is granted.
func worksAtNewPlace(t *testing.T, m *usermgmt.Manager, token string) {
	t.Helper()
	ctx := t.Context()
	tokens, err := m.SignIn(ctx, "Ada@Example.com", passphrase)
	require.NoError(t, err)
	ada, err := m.Authenticate(ctx, tokens.AccessToken)
	require.NoError(t, err)
	for scope, p := range map[usermgmt.Scope]usermgmt.Permission{
		usermgmt.Realmwide: "invoices.approve", usermgmt.AtFacility("F1"): usermgmt.UsersUpdate, usermgmt.InOrganization("acme"): usermgmt.MembersAdd,
	} {
		require.NoError(t, m.As(ada).Require(ctx, p, scope))
	}
	require.NoError(t, m.As(ada.InTenant("0192aaaa-0000-7000-8000-000000000001")).Admitted(ctx))
	key, err := m.AuthenticateKey(ctx, "key-of-ci-012345")
	require.NoError(t, err)
	require.NoError(t, m.As(key).Require(ctx, usermgmt.MembersAdd, usermgmt.InOrganization("acme")))
	globex, err := m.AuthenticateVendor(ctx, "globex", "globex-secret-0123")
	require.NoError(t, err)
	require.NoError(t, m.As(globex).DeprovisionUser(ctx, token, usermgmt.MemberRef{}))
	ned, err := m.UserByUsername(ctx, "ned@acme.example")
	require.NoError(t, err, "which vendor made the account has not come along, so that the account stays")
	_, err = m.Member(ctx, "acme", ned.ID)
	require.ErrorIs(t, err, usermgmt.ErrNotFound)
}

func export(t *testing.T, m *usermgmt.Manager) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, m.ExportTo(t.Context(), &b, nil))
	return b.String()
}

// lastEvent is the number of what happened last.
func lastEvent(t *testing.T, m *usermgmt.Manager) string {
	t.Helper()
	next := ""
	for {
		l, err := m.Events(t.Context(), usermgmt.Page{After: next, Limit: usermgmt.MaxPage})
		require.NoError(t, err)
		if len(l.Items) == 0 {
			return next
		}
		next = l.Next
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "a.db")
	settled := filepath.Join(dir, "old.db")
	settle(t, settled)
	for says, args := range map[string][]string{
		"must be given":           {"-from", file},
		"the same":                {"-from", file, "-to", file},
		"unexpected argument":     {"-from", file, "-to", settled, "x"},
		"-from: stat":             {"-from", file, "-to", settled},
		"only PostgreSQL":         {"-from", settled, "-to", "mysql://me:secret@h/x"},
		"-to postgres://me:xxxxx": {"-from", settled, "-to", "postgres://me:secret@127.0.0.1:1/x"},
	} {
		err := run(t.Context(), args, io.Discard, io.Discard)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "secret")
	}
	require.NoFileExists(t, file)

	// Either side's own error is the one that is told.
	old := directory(t, settled)
	closed, err := open(t.Context(), filepath.Join(dir, "b.db"), "main")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	for _, pair := range [][2]*usermgmt.Manager{{old, closed}, {closed, old}} {
		_, err := move(t.Context(), pair[0], pair[1], func(usermgmt.StreamProgress) {})
		require.ErrorIs(t, err, store.ErrClosed)
		require.False(t, errors.Is(err, context.Canceled))
	}
}
