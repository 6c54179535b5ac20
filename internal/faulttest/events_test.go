package faulttest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/memstore"
	"github.com/usermgmt-go/usermgmt/store"
)

var rewrite = flag.Bool("update", false, "write testdata/events.golden anew")

// quiet are the calls that change something and leave no event, with the reason.
// Whatever else changes something leaves one.
var quiet = map[string]string{
	"Refresh": "one token of a session takes the place of another; the session's beginning and end are events",
	"Sweep":   "what goes had ended before, at a time that was known when it was made",

	"EndSessions of who has a code alone": "the store tells how many sessions it has ended, and not how many codes",
}

// asThemselves are the calls whose events are by whom the secret belongs to,
// whoever the Manager acts for.
var asThemselves = map[string]string{
	"SignIn": "user:cleo", "SignIn with a temporary password": "user:eve", "RedeemCode": "user:<gus>",
	"Refresh with a spent token": "user:ada", "Refresh with a spent token in an organization": "user:<gus>",
}

// further are calls that are here for their events. Those that need more than a
// world has make it along with their actor, before anybody looks.
var further = []call{
	{name: "Apply of secrets", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.Apply(ctx, theSecrets(w))
	}},
	{name: "Apply of secrets a second time", actor: func(w *world) usermgmt.Actor {
		return rootAfter(w.Apply(context.Background(), theSecrets(w)))
	}, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.Apply(ctx, theSecrets(w))
	}},
	{name: "Apply a second time", actor: func(w *world) usermgmt.Actor {
		return rootAfter(w.Apply(context.Background(), theStated()))
	}, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.Apply(ctx, theStated())
	}},
	{name: "DeleteOrganization that a grant lists", actor: func(w *world) usermgmt.Actor {
		return rootAfter(w.GrantRoles(context.Background(), "cleo", usermgmt.Grant{Role: usermgmt.RoleOwner, Kind: usermgmt.ScopeOrganization, Scopes: []string{"acme"}}))
	}, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.DeleteOrganization(ctx, "acme")
	}},
	{name: "DeletePermission of a role", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.DeletePermission(ctx, "books.read")
	}},
	{name: "DeleteRole of members and keys", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.DeleteRole(ctx, "helper")
	}},
	{name: "EndSession in an organization", actor: func(w *world) usermgmt.Actor { return rootAfter(redeem(w)) }, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, m.EndSession(ctx, w.confined.SessionID)
	}},
	{name: "EndSessions of who has a code alone", actor: root, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		u, err := w.UserByEmail(ctx, "gus@globex.example")
		if err != nil {
			return nil, err
		}
		return m.EndSessions(ctx, u.ID)
	}},
	{name: "Refresh with a spent token", do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, refusal(m.Refresh(ctx, w.old))
	}},
	{name: "Refresh with a spent token in an organization", actor: func(w *world) usermgmt.Actor {
		err := redeem(w)
		if err == nil {
			_, err = w.Refresh(context.Background(), w.confined.RefreshToken)
		}
		return rootAfter(err)
	}, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) {
		return nil, refusal(m.Refresh(ctx, w.confined.RefreshToken))
	}},
	{name: "SignOut in an organization", actor: func(w *world) usermgmt.Actor {
		_ = rootAfter(redeem(w))
		return sessionOf(w, w.confined)
	}, do: func(ctx context.Context, w *world, m *usermgmt.Manager) (any, error) { return nil, m.SignOut(ctx) }},
}

// rootAfter returns the administrator as an actor, once what has to be before has been done.
func rootAfter(err error) usermgmt.Actor {
	if err != nil {
		panic(err)
	}
	return usermgmt.UserActor("root")
}

func redeem(w *world) error {
	var err error
	_, w.confined, err = w.RedeemCode(context.Background(), w.code)
	return err
}

// refusal turns the refusal that a call is about into its success.
func refusal(_ usermgmt.Tokens, err error) error {
	if errors.Is(err, usermgmt.ErrUnauthenticated) {
		return nil
	}
	return fmt.Errorf("want a refusal, got %w", err)
}

// theSecrets is a snapshot with an organization token for bob, and another name for a key.
func theSecrets(w *world) usermgmt.Snapshot {
	return usermgmt.Snapshot{Organizations: []usermgmt.SnapshotOrganization{{
		ID: "acme", Members: []usermgmt.SnapshotMember{{
			User: "bob", Role: "helper", TokenDigests: []usermgmt.SecretDigest{{SHA256: strings.Repeat("ab", 32), CreatedAt: noon}},
		}},
		APIKeys: []usermgmt.SnapshotKey{{Name: "another name", Key: w.keySecret, Role: "helper"}},
	}}}
}

// realms is a store that remembers in which realms something was written.
type realms struct {
	store.Store
	mu      sync.Mutex
	written map[store.Realm]bool
}

func (s *realms) Update(ctx context.Context, realm store.Realm, fn func(store.Tx) error) error {
	s.mu.Lock()
	s.written[realm] = true
	s.mu.Unlock()
	return s.Store.Update(ctx, realm, fn)
}

// TestEventsOfEveryCall holds every operation to its events: exactly those that
// testdata/events.golden has for it, which -run EventsOfEveryCall -update writes
// anew. Whatever the file says, one that changes something leaves an event, with
// a name for each record that has changed, by who acted, at that time, in his realm.
func TestEventsOfEveryCall(t *testing.T) {
	t.Parallel()
	listed := slices.Concat(calls, further)
	blocks := make([]string, len(listed))
	t.Run("calls", func(t *testing.T) {
		for i, c := range listed {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				blocks[i] = c.tell(t)
			})
		}
	})
	if t.Failed() {
		return
	}
	file, got := filepath.Join("testdata", "events.golden"), strings.Join(blocks, "")
	if *rewrite {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, strings.Split(string(want), "\n"), strings.Split(got, "\n"))
}

// The exceptions are of calls that there are.
func TestEventsOfEveryCallExceptions(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	for _, c := range slices.Concat(calls, further) {
		require.False(t, named[c.name], "%s: twice", c.name)
		named[c.name] = true
	}
	for name := range maps.Keys(quiet) {
		require.True(t, named[name], name)
	}
	for name := range maps.Keys(asThemselves) {
		require.True(t, named[name], name)
	}
}

// tell does the call in a new world, checks its events and returns its block of
// the golden file.
func (c call) tell(t *testing.T) string {
	t.Helper()
	ctx := t.Context()
	s := &realms{Store: memstore.New(), written: map[store.Realm]bool{}}
	w := newWorld(t, s)
	m := w.Manager
	if c.actor != nil {
		m = w.As(c.actor(w))
	}
	gus, err := w.UserByEmail(ctx, "gus@globex.example")
	require.NoError(t, err)
	known := strings.NewReplacer(string(w.globex), "<globex>", string(gus.ID), "<gus>", string(w.ada.SessionID), "<ada's session>")
	log := w.log(t)
	last := log[len(log)-1].Seq
	before, versions := w.dump(t), w.versions(t)

	_, err = c.do(ctx, w, m)
	require.NoError(t, err)

	log = slices.DeleteFunc(w.log(t), func(e store.Event) bool { return e.Seq <= last })
	require.Equal(t, map[store.Realm]bool{w.RealmName(): true}, s.written, "realms that were written to")
	acting := known.Replace(m.Actor().String())
	by := acting
	if asThemselves[c.name] != "" {
		by = asThemselves[c.name]
	}
	var names namer
	var b strings.Builder
	fmt.Fprintf(&b, "%s as %s\n", c.name, acting)
	for _, e := range log {
		require.Equal(t, by, known.Replace(e.Actor), "%+v", e)
		require.Equal(t, noon, e.At, "%+v", e)
		require.NotEmpty(t, e.Object, "%+v", e)
		line := fmt.Sprintf("\tby %s: %s %s", e.Actor, e.Action, e.Object)
		if e.OrganizationID != "" {
			line += " in " + string(e.OrganizationID)
		}
		if len(e.Fields) > 0 {
			line += " of " + strings.Join(e.Fields, ", ")
		}
		b.WriteString(names.text(known.Replace(line)) + "\n")
	}
	if len(log) == 0 {
		b.WriteString("\tnone\n")
	}

	changed := !slices.Equal(withoutEvents(before), withoutEvents(w.dump(t)))
	reason, still := quiet[c.name]
	require.Equal(t, still, changed && len(log) == 0, "it changed the store: %t, left events: %d, is said to be quiet: %q", changed, len(log), reason)
	for _, record := range changes(versions, w.versions(t)) {
		require.True(t, slices.ContainsFunc(log, record.named), "no event names %v, which is another than before, or gone: %s", record, b.String())
	}
	return b.String()
}

// log returns all events, read past the tap.
func (w *world) log(t testing.TB) []store.Event {
	t.Helper()
	var log []store.Event
	require.NoError(t, w.tap.Store.View(t.Context(), w.RealmName(), func(r store.Reader) error {
		var err error
		log, err = r.Events(t.Context(), 0, all)
		return err
	}))
	return log
}

func withoutEvents(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.HasPrefix(l, "store.Event") })
}

// thing is a record as events name it.
type thing struct {
	object string
	in     usermgmt.OrganizationID // of a membership or a key
}

// named reports whether the event tells that something happened to the thing,
// or to what takes it along.
func (o thing) named(e store.Event) bool {
	return e.Object == o.object && e.OrganizationID == o.in ||
		e.Action == "organization.deleted" && e.OrganizationID == o.in ||
		e.Action == "user.deleted" && e.Object == o.object
}

// versions returns what there is that has a version, with it; keys do not change.
func (w *world) versions(t testing.TB) map[thing]int64 {
	t.Helper()
	v := map[thing]int64{}
	ctx := t.Context()
	require.NoError(t, w.tap.Store.View(ctx, w.RealmName(), func(r store.Reader) error {
		d := &dump{ctx: ctx, r: r}
		for _, p := range list[string](d)(r.Permissions(ctx)) {
			v[thing{object: "permission:" + p}] = 0
		}
		for _, n := range list[store.Tenant](d)(r.Tenants(ctx, "", all)) {
			v[thing{object: "tenant:" + string(n.ID)}] = n.Version
		}
		for _, o := range list[store.Role](d)(r.Roles(ctx, "", all)) {
			v[thing{object: "role:" + string(o.ID)}] = o.Version
		}
		for _, n := range list[store.Vendor](d)(r.Vendors(ctx, "", all)) {
			v[thing{object: "vendor:" + string(n.ID)}] = n.Version
		}
		for _, u := range list[store.User](d)(r.Users(ctx, store.UserQuery{Limit: all})) {
			v[thing{object: "user:" + string(u.ID)}] = u.Version
			for _, ms := range list[store.Membership](d)(r.Memberships(ctx, u.ID, "", all)) {
				v[thing{"user:" + string(u.ID), ms.OrganizationID}] = ms.Version
			}
		}
		for _, o := range list[store.Organization](d)(r.Organizations(ctx, store.OrganizationQuery{Limit: all})) {
			v[thing{"organization:" + string(o.ID), o.ID}] = o.Version
			for _, k := range list[store.Key](d)(r.Keys(ctx, o.ID, "", all)) {
				v[thing{"key:" + string(k.ID), o.ID}] = 0
			}
		}
		return d.err
	}))
	return v
}

// changes returns what is in one of both alone, or in another version.
func changes(before, after map[thing]int64) []thing {
	var found []thing
	for o, version := range before {
		if now, there := after[o]; !there || now != version {
			found = append(found, o)
		}
	}
	for o := range after {
		if _, there := before[o]; !there {
			found = append(found, o)
		}
	}
	slices.SortFunc(found, func(a, b thing) int { return strings.Compare(a.object+" "+string(a.in), b.object+" "+string(b.in)) })
	return found
}
