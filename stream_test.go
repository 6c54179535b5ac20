package usermgmt_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/sqlitestore"
)

// exported returns what ExportTo writes.
func exported(t testing.TB, m *usermgmt.Manager) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, m.ExportTo(t.Context(), &b, nil))
	return b.String()
}

func applyFrom(t testing.TB, m *usermgmt.Manager, text string, batch int) error {
	t.Helper()
	return m.ApplyFrom(t.Context(), strings.NewReader(text), &usermgmt.StreamOptions{Batch: batch})
}

// village has what makes the order of a Snapshot matter: owners who are disabled
// and stand before the active one, members of more than a batch, roles at
// organizations, tokens, keys and a vendor's organization.
func village(t testing.TB) *desk {
	t.Helper()
	d := newDesk(t)
	ctx := t.Context()
	require.NoError(t, d.Apply(ctx, sampleSnapshot(t)))
	s := usermgmt.Snapshot{
		Organizations: []usermgmt.SnapshotOrganization{{ID: "village", Name: new("Village <&>")}, {ID: "empty", Name: new("Empty")}},
		Grants: []usermgmt.SnapshotUserGrants{
			{User: "v-03", Roles: []usermgmt.SnapshotGrant{{Name: "crew", Organizations: []usermgmt.OrganizationID{"village", "org123"}}, {Name: "editor", Organizations: []usermgmt.OrganizationID{}}}},
			{User: "v-04", Roles: []usermgmt.SnapshotGrant{{Name: "viewer", Organizations: []usermgmt.OrganizationID{"village"}}}},
		},
	}
	for i := range 12 {
		name := fmt.Sprintf("v-%02d", i)
		s.Users = append(s.Users, usermgmt.SnapshotUser{ID: usermgmt.UserID(name), Username: name})
		s.Organizations[0].Members = append(s.Organizations[0].Members, usermgmt.SnapshotMember{User: name, Role: []string{"crew", "viewer", "owner"}[i%3]})
	}
	for i := range 5 {
		s.Organizations[0].APIKeys = append(s.Organizations[0].APIKeys, usermgmt.SnapshotKey{Name: "k", Key: fmt.Sprintf("key-number-%d", i), Role: "viewer", Owner: "v-11"})
	}
	require.NoError(t, d.Apply(ctx, s))
	// v-11 stays; the owners before him do not.
	for _, owner := range []usermgmt.UserID{"v-02", "v-05", "v-08"} {
		require.NoError(t, d.DisableUser(ctx, owner))
	}
	globex, err := d.AuthenticateVendor(ctx, "globex", "globex-secret-0123")
	require.NoError(t, err)
	_, err = d.As(globex).ProvisionUser(ctx, usermgmt.VendorUser{Email: "ned@acme.example", VendorOrganizationID: "1234"})
	require.NoError(t, err)
	return d
}

func TestExportTo(t *testing.T) {
	t.Parallel()
	t.Run("writes what Export returns", func(t *testing.T) {
		t.Parallel()
		d := village(t)
		want, err := d.Export(t.Context())
		require.NoError(t, err)
		require.Len(t, want.Grants, 2)
		for _, u := range want.Users {
			for _, r := range u.Roles {
				require.Empty(t, r.Organizations, "a role at a listed organization has to come after it")
			}
		}
		// The form is compared, for times and raw JSON have more than one.
		wantText, err := json.Marshal(want)
		require.NoError(t, err)
		got, err := json.Marshal(parse(t, exported(t, d.Manager)))
		require.NoError(t, err)
		require.Equal(t, string(wantText), string(got))
	})
	t.Run("an empty realm is an empty object", func(t *testing.T) {
		t.Parallel()
		text := exported(t, newDesk(t).Manager)
		require.Equal(t, "{}\n", text)
		require.NoError(t, applyFrom(t, newDesk(t).Manager, text, 0))
	})
	t.Run("is the host's and administrators' alone", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		var b bytes.Buffer
		clerk := d.user(t, "clerk", direct("users.*"), direct("roles.*"))
		require.ErrorIs(t, d.acting(clerk).ExportTo(t.Context(), &b, nil), usermgmt.ErrForbidden)
		require.Empty(t, b.String())
		admin := d.user(t, "admin", realmRole(usermgmt.RoleAdmin))
		require.NoError(t, d.acting(admin).ExportTo(t.Context(), &b, nil))
		require.Contains(t, b.String(), `"clerk"`)
	})
	t.Run("ends with the writer's error", func(t *testing.T) {
		t.Parallel()
		full := errors.New("disk full")
		r, w := io.Pipe()
		require.NoError(t, r.CloseWithError(full))
		require.ErrorIs(t, village(t).ExportTo(t.Context(), w, nil), full)
	})
	t.Run("is of one moment, however long it takes", func(t *testing.T) {
		t.Parallel()
		s, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "users.db"), nil)
		require.NoError(t, err)
		m, err := usermgmt.New(s, newDesk(t).opts)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, m.Close()) })
		var seed usermgmt.Snapshot
		for i := range 1200 {
			seed.Users = append(seed.Users, usermgmt.SnapshotUser{Username: fmt.Sprintf("u%d", i)})
		}
		seed.Organizations = []usermgmt.SnapshotOrganization{{ID: "o", Name: new("O"), Members: []usermgmt.SnapshotMember{{User: "u1", Role: "owner"}}}}
		require.NoError(t, m.Apply(t.Context(), seed))

		var text bytes.Buffer
		steps := 0
		require.NoError(t, m.ExportTo(t.Context(), &text, &usermgmt.StreamOptions{Progress: func(usermgmt.StreamProgress) {
			steps++
			late, err := m.CreateUser(t.Context(), usermgmt.NewUser{ID: usermgmt.UserID(fmt.Sprint("0000", steps)), Username: fmt.Sprint("late", steps)})
			require.NoError(t, err)
			require.NoError(t, second(m.AddMember(t.Context(), "o", usermgmt.NewMember{User: late.ID, Role: usermgmt.RoleViewer})))
		}}))
		require.Greater(t, steps, 2)
		require.NotContains(t, text.String(), "late")
		require.NoError(t, newDesk(t).ApplyFrom(t.Context(), &text, nil))
	})
}

func TestApplyFrom(t *testing.T) {
	t.Parallel()
	text := exported(t, village(t).Manager)
	for _, batch := range []int{1, 2, 3, 5, 0} {
		t.Run(fmt.Sprintf("in units of %d makes the same realm, and again writes nothing", batch), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			require.NoError(t, applyFrom(t, d.Manager, text, batch))
			require.Equal(t, text, exported(t, d.Manager))
			checkSample(t, d)
			before := d.actions(t)
			require.NoError(t, applyFrom(t, d.Manager, text, batch))
			require.Equal(t, before, d.actions(t))
		})
	}
	t.Run("broken off anywhere and run again it ends whole", func(t *testing.T) {
		t.Parallel()
		cut := errors.New("cut")
		grew := 0
		for at := 0; at < len(text); at += len(text) / 40 {
			d := newDesk(t)
			broken := io.MultiReader(strings.NewReader(text[:at]), iotest.ErrReader(cut))
			err := d.ApplyFrom(t.Context(), broken, &usermgmt.StreamOptions{Batch: 2})
			require.ErrorIs(t, err, cut)
			require.ErrorIs(t, applyFrom(t, d.Manager, text[:at], 2), usermgmt.ErrInvalid, "what ends too early is refused")
			if len(d.actions(t)) > 0 {
				grew++
			}
			require.NoError(t, applyFrom(t, d.Manager, text, 2))
			require.Equal(t, text, exported(t, d.Manager))
		}
		require.Greater(t, grew, 20, "what was committed before the break stays")
	})
	t.Run("takes roles at organizations that are written with the users", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		require.NoError(t, applyFrom(t, d.Manager, `{"users":[{"username":"a","roles":[{"name":"read-only"},{"name":"editor","organizations":["o"]}]}],"organizations":[{"id":"o","name":"O"}]}`, 1))
		a, err := d.UserByUsername(t.Context(), "a")
		require.NoError(t, err)
		require.Contains(t, a.Grants, realmRole(usermgmt.RoleReadOnly))
		require.Contains(t, a.Grants, usermgmt.Grant{Role: usermgmt.RoleEditor, Kind: usermgmt.ScopeOrganization, Scopes: []string{"o"}})
	})
	t.Run("an owner who comes late leaves the first member his role", func(t *testing.T) {
		t.Parallel()
		const late = `{"users":[{"username":"a"},{"username":"b"},{"username":"c"},{"username":"d"}],
			"organizations":[{"slug":"o-o","name":"O","members":[{"user":"a","role":"viewer"},{"user":"b","role":"viewer"},{"user":"c","role":"editor"},{"user":"d","role":"owner"}],"apiKeys":[{"name":"k","key":"key-of-o-0123","role":"admin"}]}]}`
		for batch := range 6 {
			d := newDesk(t)
			require.NoError(t, applyFrom(t, d.Manager, late, batch))
			s, err := d.Export(t.Context())
			require.NoError(t, err)
			roles := map[string]string{}
			for _, ms := range s.Organizations[0].Members {
				roles[ms.User] = ms.Role
			}
			require.Equal(t, map[string]string{"a": "viewer", "b": "viewer", "c": "editor", "d": "owner"}, roles, batch)
			before := d.actions(t)
			require.NoError(t, applyFrom(t, d.Manager, late, batch))
			require.Equal(t, before, d.actions(t))
		}
	})
	t.Run("errors name the entry of the whole, and what came before stays", func(t *testing.T) {
		t.Parallel()
		users := `{"users":[{"username":"a"},{"username":"b"},{"username":"c"},{"username":"d"}`
		for text, where := range map[string]string{
			users + `,{"username":"e","roles":[{"name":"no-such"}]}]}`: `users[4] "e": roles`,
			users + `,{"username":"e","passwordHash":"x"}]}`:           `users[4] "e": passwordHash`,
			users + `,{"name":"e"}]}`:                                  `users[4]: snapshot: has the unknown member "name"`,
			users + `,{"username":5}]}`:                                `users[4]: snapshot: username must not be a number`,
			users + `],"organizations":[{"id":"p","name":"p"},{"id":"o","name":"x","members":[{"user":"a","role":"owner"},{"user":"b","role":"viewer"},{"user":"z","role":"owner"}]}]}`:                                                                      `organizations[1] "o": members[2] "z": user`,
			users + `],"organizations":[{"id":"o","name":"x","members":[{"user":"a","role":"owner"},{"user":"b","role":"viewer"},{"role":5}]}]}`:                                                                                                             `organizations[0] "o": members[2]: snapshot: role must not be a number`,
			users + `],"organizations":[{"id":"o","name":"x","members":[{"user":"a","role":"owner"}],"apiKeys":[{"name":"k","key":"0123456789","role":"admin"},{"name":"j","key":"1234567890","role":"admin"},{"name":"l","key":"short","role":"admin"}]}]}`: `organizations[0] "o": apiKeys[2] "l": secret`,
			users + `],"organizations":[{"id":"o","name":"x"}],"grants":[{"user":"a"},{"user":"b"},{"user":"z"}]}`:                                                                                                                                           `grants[2] "z": user`,
			users + `,{"username":"e","roles":[{"name":"editor","organizations":["o"]}]},{"username":"f","roles":[{"name":"editor","organizations":["nowhere"]}]}],"organizations":[{"id":"o","name":"x"}]}`:                                                 `users[5] "f": roles`,
		} {
			d := newDesk(t)
			err := applyFrom(t, d.Manager, text, 2)
			require.ErrorIs(t, err, usermgmt.ErrInvalid, text)
			require.Contains(t, err.Error(), where)
			require.NotEmpty(t, d.actions(t))
		}
	})
	t.Run("refuses what ParseSnapshot refuses, and another order", func(t *testing.T) {
		t.Parallel()
		for text, says := range map[string]string{
			``: "ends too early", `{`: "ends too early", `[]`: "object", `5`: "object", `null x`: "", `{} {}`: "nothing after it", `{}}`: "nothing after it",
			`{"user":[]}`: `unknown member "user"`, `{"users":{}}`: "list", `{"users":[`: "ends too early", `{"users":[{]}`: "is not JSON after byte",
			`{"users":[],}`: "is not JSON", `{"users" []}`: "is not JSON", `{"users":[] "vendors":[]}`: "is not JSON", `{"users":[5]}`: "users[0]",
			`{"users":[],"roles":[]}`:                                                  "roles before users",
			`{"users":[],"users":[]}`:                                                  "each once",
			`{"organizations":[{"id":"o","owner":"x"}]}`:                               `unknown member "owner"`,
			`{"organizations":[[]]}`:                                                   "organizations[0]",
			`{"organizations":[{"id":"o","name":"x","members":{}}]}`:                   "list",
			`{"organizations":[{"id":"o","members":[],"name":"x"}]}`:                   `has "name" after members`,
			`{"organizations":[{"id":"o","name":"x","apiKeys":[],"members":[]}]}`:      "members before apiKeys",
			`{"organizations":[{"id":"o","name":"x","members":[],"members":[]}]}`:      "each once",
			`{"organizations":[{"id":"o","name":"x","members":[{"user":"a","x":1}]}]}`: `unknown member "x"`,
		} {
			err := applyFrom(t, newDesk(t).Manager, text, 0)
			require.ErrorIs(t, err, usermgmt.ErrInvalid, text)
			require.Contains(t, err.Error(), says, text)
			require.NotContains(t, err.Error(), "Go ", text)
		}
		for _, text := range []string{`{}`, `null`, ` {"USERS": null, "organizations":[{"id":"o","name":"x","MEMBERS":null,"apikeys":[]}]} `} {
			require.NoError(t, applyFrom(t, newDesk(t).Manager, text, 0), text)
		}
	})
	t.Run("refuses an entry that is too long, and reads no further", func(t *testing.T) {
		t.Parallel()
		for _, before := range []string{`{"users":[{"username":"`, `{"organizations":[{"slug":"`, `{"`, `{"users":[{"username":"a"},`} {
			fill := byte('a')
			if strings.HasSuffix(before, ",") {
				fill = ' '
			}
			endless := &endless{fill: fill}
			err := newDesk(t).ApplyFrom(t.Context(), io.MultiReader(strings.NewReader(before), endless), nil)
			require.ErrorIs(t, err, usermgmt.ErrInvalid)
			require.ErrorContains(t, err, "longer than 16 MiB")
			require.LessOrEqual(t, endless.read, 17<<20)
		}
	})
	t.Run("is the host's and administrators' alone, before anything is read", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		clerk := d.user(t, "clerk", direct("users.*"), direct("roles.*"))
		unread := &endless{fill: ' '}
		require.ErrorIs(t, d.acting(clerk).ApplyFrom(t.Context(), unread, nil), usermgmt.ErrForbidden)
		require.Zero(t, unread.read)
		admin := d.user(t, "admin", realmRole(usermgmt.RoleAdmin))
		require.NoError(t, applyFrom(t, d.acting(admin), text, 2))
		checkSample(t, d)
	})
	t.Run("tells its progress", func(t *testing.T) {
		t.Parallel()
		var steps []usermgmt.StreamProgress
		d := newDesk(t)
		require.NoError(t, d.ApplyFrom(t.Context(), strings.NewReader(text), &usermgmt.StreamOptions{Batch: 4, Progress: func(p usermgmt.StreamProgress) {
			steps = append(steps, p)
			users, err := d.Users(t.Context(), usermgmt.UserList{})
			require.NoError(t, err)
			require.Len(t, users.Items, p.Users, "what is counted is committed")
		}}))
		require.True(t, slices.IsSortedFunc(steps, func(a, b usermgmt.StreamProgress) int { return a.Users - b.Users }))
		require.Equal(t, usermgmt.StreamProgress{
			Permissions: 1, Tenants: 1, Roles: 2, Users: 16, Vendors: 1, Organizations: 3, Members: 15, APIKeys: 6, Grants: 2,
		}, steps[len(steps)-1])
	})
	t.Run("options are checked", func(t *testing.T) {
		t.Parallel()
		for _, batch := range []int{-1, usermgmt.MaxPage + 1} {
			require.ErrorIs(t, applyFrom(t, newDesk(t).Manager, `{}`, batch), usermgmt.ErrInvalid)
		}
	})
}

// endless is a document that does not end.
type endless struct {
	fill byte
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.fill
	}
	e.read += len(p)
	return len(p), nil
}

// TestApplyOwners: the active owner may be listed anywhere.
func TestApplyOwners(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := parse(t, `{"users":[{"username":"a","disabled":true},{"username":"b","disabled":true},{"username":"c"},{"username":"d"}],
		"organizations":[{"id":"o","name":"O","members":[{"user":"d","role":"viewer"},{"user":"a","role":"owner"},{"user":"b","role":"owner"},{"user":"c","role":"owner"}]}]}`)
	require.NoError(t, d.Apply(t.Context(), s))
	l, err := d.Members(t.Context(), "o", usermgmt.MemberList{Roles: []usermgmt.RoleID{usermgmt.RoleOwner}})
	require.NoError(t, err)
	require.Len(t, l.Items, 3)
}

// FuzzApplyFrom: what a stream takes into an empty realm, ParseSnapshot takes.
func FuzzApplyFrom(f *testing.F) {
	d := newDesk(f, func(o *usermgmt.Options) { o.Logger = slog.New(slog.DiscardHandler) })
	var rounds int
	f.Add([]byte(sample))
	f.Add([]byte(`{"users":[{"username":"a","roles":[{"name":"editor","organizations":["o"]}]}],"organizations":[{"id":"o","name":"O","members":[{"user":"a","role":"viewer"}],"apiKeys":[]}],"grants":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if bytes.Contains(raw, []byte(`"password"`)) {
			return // which costs a hash
		}
		if rounds++; rounds%500 == 0 { // which keeps the memory small
			require.NoError(t, d.Close())
			d.store = memstore.New()
			d.Manager = d.manager(t)
		}
		m := d.Realm(usermgmt.Realm(strconv.Itoa(rounds)))
		err := m.ApplyFrom(t.Context(), bytes.NewReader(raw), &usermgmt.StreamOptions{Batch: 2})
		if err != nil {
			return
		}
		_, err = usermgmt.ParseSnapshot(bytes.NewReader(raw))
		require.NoError(t, err)
	})
}
