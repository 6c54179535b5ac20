package usermgmt_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
	"github.com/usermgmt-go/usermgmt/store"
)

// cursorIDs are ids that sort in other ways by rune, by case or by a database's
// own collation.
var cursorIDs = []string{"A", "Z", "a", "a b", "a%", "a_", "aa", "b'", "z", "É", "é", "\uffff", "\U0001f600"}

// FuzzCursor: whatever a cursor, a limit and an offset say, a page is refused,
// or holds what is behind the cursor in the order of bytes, no more than the
// limit, and says whether that was all. Two kinds of store agree on it.
func FuzzCursor(f *testing.F) {
	key, err := usermgmt.GenerateSigningKey(nil)
	require.NoError(f, err)
	database, err := sqlitestore.Open(f.Context(), filepath.Join(f.TempDir(), "users.db"), nil)
	require.NoError(f, err)
	var managers []*usermgmt.Manager
	for _, s := range []store.Store{memstore.New(), database} {
		m, err := usermgmt.New(s, usermgmt.Options{SigningKeys: []usermgmt.SigningKey{key}, PasswordHash: cheapHash})
		require.NoError(f, err)
		f.Cleanup(func() { require.NoError(f, m.Close()) })
		managers = append(managers, m)
		ctx := f.Context()
		org, err := m.CreateOrganization(ctx, usermgmt.NewOrganization{ID: "acme", Name: "Acme"})
		require.NoError(f, err)
		for i, id := range cursorIDs {
			_, err := m.CreateUser(ctx, usermgmt.NewUser{ID: usermgmt.UserID(id), Username: string(rune('a'+i)) + "@example.com"})
			require.NoError(f, err)
			_, err = m.AddMember(ctx, org.ID, usermgmt.NewMember{User: usermgmt.UserID(id), Role: usermgmt.RoleReader})
			require.NoError(f, err)
			_, _, err = m.CreateKey(ctx, org.ID, usermgmt.NewKey{ID: usermgmt.KeyID(id), Name: "k", Role: usermgmt.RoleReader})
			require.NoError(f, err)
		}
	}
	lists := []struct {
		name    string
		offsets bool
		list    func(t *testing.T, m *usermgmt.Manager, p usermgmt.Page) ([]string, string, error)
	}{
		{"users", true, func(t *testing.T, m *usermgmt.Manager, p usermgmt.Page) ([]string, string, error) {
			l, err := m.Users(t.Context(), usermgmt.UserList{Page: p})
			return idsOf(l.Items, func(u usermgmt.User) string { return string(u.ID) }), l.Next, err
		}},
		{"members", false, func(t *testing.T, m *usermgmt.Manager, p usermgmt.Page) ([]string, string, error) {
			l, err := m.Members(t.Context(), "acme", usermgmt.MemberList{Page: p})
			return idsOf(l.Items, func(m usermgmt.Member) string { return string(m.UserID) }), l.Next, err
		}},
		{"keys", false, func(t *testing.T, m *usermgmt.Manager, p usermgmt.Page) ([]string, string, error) {
			l, err := m.Keys(t.Context(), "acme", p)
			return idsOf(l.Items, func(k usermgmt.Key) string { return string(k.ID) }), l.Next, err
		}},
	}
	for i := range lists {
		for _, after := range append(slices.Clone(cursorIDs), "", "\x00", "a\x00", "\xff", "a\xff", "'", "%", "\U0010ffff", "9223372036854775808", "-1") {
			f.Add(uint8(i), after, 2, int64(0))
		}
		f.Add(uint8(i), "", -1, int64(0))
		f.Add(uint8(i), "", usermgmt.MaxPage+1, int64(0))
		f.Add(uint8(i), "", 3, int64(5))
		f.Add(uint8(i), "", 3, int64(-1))
		f.Add(uint8(i), "a", 3, int64(1))
		f.Add(uint8(i), "", 0, int64(1<<62))
	}
	f.Fuzz(func(t *testing.T, which uint8, after string, limit int, offset int64) {
		l := lists[int(which)%len(lists)]
		page := usermgmt.Page{After: after, Limit: limit, Offset: offset}
		sound := limit >= 0 && limit <= usermgmt.MaxPage && (offset == 0 || offset > 0 && after == "" && l.offsets)
		size := limit
		if size <= 0 {
			size = 100 // unless it is refused
		}
		var want []string
		for i, id := range cursorIDs {
			if id > after && int64(i) >= offset {
				want = append(want, id)
			}
		}
		next := ""
		if len(want) > size {
			want = want[:size]
			next = want[size-1]
		}
		for i, m := range managers {
			got, gotNext, err := l.list(t, m, page)
			switch {
			case err != nil && (sound || !errors.Is(err, usermgmt.ErrInvalid)):
				t.Fatalf("%s, store %d: %+v: %v", l.name, i, page, err)
			case err == nil && (!sound || !slices.Equal(got, want) || gotNext != next):
				t.Fatalf("%s, store %d: %+v gives %q and %q, want %q and %q", l.name, i, page, got, gotNext, want, next)
			}
		}
	})
}

func idsOf[T any](items []T, id func(T) string) []string {
	var ids []string
	for _, item := range items {
		ids = append(ids, id(item))
	}
	return ids
}

// FuzzEventCursor: the log is read from a number on, and by no other text.
func FuzzEventCursor(f *testing.F) {
	o := newOffice(f)
	for _, name := range []string{"ada", "bob", "cora"} {
		o.person(name)
	}
	all, err := o.m.Events(f.Context(), usermgmt.Page{})
	require.NoError(f, err)
	for _, s := range []string{"", "0", "1", "+1", "01", "-0", "9223372036854775807", "9223372036854775808", "1.0", "1 ", "1_0", "٣", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, after string) {
		l, err := o.m.Events(t.Context(), usermgmt.Page{After: after})
		if err != nil {
			require.ErrorIs(t, err, usermgmt.ErrInvalid)
			return
		}
		// From its own cursor on there is nothing new, and it stays where it is.
		rest, err := o.m.Events(t.Context(), usermgmt.Page{After: l.Next})
		require.NoError(t, err)
		require.Empty(t, rest.Items)
		require.Equal(t, l.Next, rest.Next)
		require.Equal(t, all.Items[len(all.Items)-len(l.Items):], l.Items)
	})
}
