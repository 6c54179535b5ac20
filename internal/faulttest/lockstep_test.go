package faulttest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/usermgmt-go/usermgmt"
	"github.com/usermgmt-go/usermgmt/internal/tier"
	"github.com/usermgmt-go/usermgmt/store"
)

// lockstep is two Managers on two kinds of store, of which the same is asked.
type lockstep struct {
	ctx   context.Context
	sides [2]*world
	clock *hand
	// roles and tokens are what either side made, in the same order.
	roles  [][2]usermgmt.RoleID
	tokens [][2]usermgmt.Tokens
	// asked counts questions, granted those that had no error for an answer.
	asked, granted int
}

// newLockstep makes two Managers with the same clock and the same randomness, on
// a realm of the stores that nobody has used: u0 holds everything and owns o0, of
// which u1 is a member.
func newLockstep(t testing.TB, stores [2]store.Store, realm usermgmt.Realm) *lockstep {
	t.Helper()
	l := &lockstep{ctx: t.Context(), clock: &hand{now: noon}}
	for i, s := range stores {
		w := &world{tap: &tap{Store: s}, clock: l.clock, dice: &dice{}}
		w.dice.reset(1)
		opts := options(t, l.clock.Now, w.dice)
		opts.Realm = realm
		var err error
		w.Manager, err = usermgmt.New(w.tap, opts)
		require.NoError(t, err)
		l.sides[i] = w
		admin := usermgmt.Grant{Role: usermgmt.RoleAdmin, Kind: usermgmt.ScopeRealm}
		for _, n := range []usermgmt.NewUser{{ID: "u0", Username: "ann", Grants: []usermgmt.Grant{admin}}, {ID: "u1", Username: "ben"}} {
			n.Password = passphrase
			_, err = w.CreateUser(l.ctx, n)
			require.NoError(t, err)
		}
		_, err = w.CreateOrganization(l.ctx, usermgmt.NewOrganization{ID: "o0", Name: "Org", Owner: "u0"})
		require.NoError(t, err)
		_, err = w.AddMember(l.ctx, "o0", usermgmt.NewMember{User: "u1"})
		require.NoError(t, err)
	}
	return l
}

// both asks both sides the same, as the host or as a user, and requires the
// same answer or the same error. It reports whether it was an answer.
func (l *lockstep) both(t *rapid.T, what string, do func(side int, m *usermgmt.Manager) (any, error)) bool {
	t.Helper()
	actor := rapid.SampledFrom([]usermgmt.UserID{"", "", "u0", "u1", "u2"}).Draw(t, "actor")
	var said [2]string
	for i, w := range l.sides {
		m := w.Manager
		if actor != "" {
			m = m.As(usermgmt.UserActor(actor))
		}
		v, err := do(i, m)
		var names namer
		said[i] = names.text(fmt.Sprintf("%+v, %s", v, verdict(err)))
	}
	require.Equal(t, said[0], said[1], what)
	l.asked++
	fine := strings.HasSuffix(said[0], ", fine")
	if fine {
		l.granted++
	}
	return fine
}

// verdict is an error's category, and what it says where the words are the
// engine's own.
func verdict(err error) string {
	var wrong *usermgmt.InvalidError
	var there *usermgmt.ExistsError
	var stale *usermgmt.StaleError
	var forbidden *usermgmt.ForbiddenError
	switch {
	case err == nil:
		return "fine"
	case errors.As(err, &wrong), errors.As(err, &there), errors.As(err, &stale), errors.As(err, &forbidden):
		return err.Error()
	}
	for _, kind := range []error{usermgmt.ErrNotFound, usermgmt.ErrLastOwner, usermgmt.ErrUnauthenticated, usermgmt.ErrUsed, usermgmt.ErrStale, usermgmt.ErrConflict} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	return "unexpected: " + err.Error()
}

func pick[T any](t *rapid.T, what string, from ...T) T { return rapid.SampledFrom(from).Draw(t, what) }

func someUser(t *rapid.T) usermgmt.UserID {
	return pick[usermgmt.UserID](t, "user", "u0", "u1", "u2", "u3")
}

func someOrg(t *rapid.T) usermgmt.OrganizationID {
	return pick[usermgmt.OrganizationID](t, "organization", "o0", "o1")
}

func someName(t *rapid.T) string {
	return pick(t, "name", "ann", "ANN", "ben", "çelik", "ÇELIK", "dot")
}

// someRole is one of the built-in roles or of those that were made, gone ones included.
func (l *lockstep) someRole(t *rapid.T) [2]usermgmt.RoleID {
	from := [][2]usermgmt.RoleID{
		{usermgmt.RoleOwner, usermgmt.RoleOwner}, {usermgmt.RoleOwner, usermgmt.RoleOwner},
		{usermgmt.RoleMember, usermgmt.RoleMember}, {usermgmt.RoleAdmin, usermgmt.RoleAdmin}, {"none", "none"},
	}
	return pick(t, "role", append(from, l.roles...)...)
}

func (l *lockstep) someGrant(t *rapid.T) [2]usermgmt.Grant {
	roles := l.someRole(t)
	kind := pick(t, "kind", usermgmt.ScopeRealm, usermgmt.ScopeOrganization)
	var g [2]usermgmt.Grant
	for i := range g {
		g[i] = usermgmt.Grant{Role: roles[i], Kind: kind}
		if kind == usermgmt.ScopeOrganization {
			g[i].Scopes = []string{"o0"}
		}
	}
	return g
}

// acts are what is asked at random.
func (l *lockstep) acts() map[string]func(*rapid.T) {
	ctx := l.ctx
	return map[string]func(*rapid.T){
		"create user": func(t *rapid.T) {
			n := usermgmt.NewUser{ID: someUser(t), Username: someName(t), Password: passphrase, TemporaryPassword: rapid.Bool().Draw(t, "temporary")}
			n.Email = pick(t, "email", "", "a@one.example", "A@ONE.example", "b@two.example")
			l.both(t, "CreateUser", func(_ int, m *usermgmt.Manager) (any, error) { return m.CreateUser(ctx, n) })
		},
		"update user": func(t *rapid.T) {
			id, grants := someUser(t), l.someGrant(t)
			up := usermgmt.UserUpdate{Version: pick[int64](t, "version", 0, 0, 1, 2, 3)}
			switch pick(t, "what", "name", "username", "email", "tags", "add", "remove", "password") {
			case "name":
				up.LastName = new(someName(t))
			case "username":
				up.Username = new(someName(t))
			case "email":
				up.Email = new(pick(t, "email", "", "a@one.example", "c@three.example"))
			case "tags":
				up.Tags = &[]string{someName(t), someName(t)}
			case "add":
				up.AddGrants = grants[:1]
			case "remove":
				up.RemoveGrants = grants[:1]
			case "password":
				up.Password = new(pick(t, "password", passphrase, replacement, "short"))
			}
			l.both(t, "UpdateUser", func(side int, m *usermgmt.Manager) (any, error) {
				up := up
				if up.AddGrants != nil {
					up.AddGrants = grants[side : side+1]
				}
				if up.RemoveGrants != nil {
					up.RemoveGrants = grants[side : side+1]
				}
				return m.UpdateUser(ctx, id, up)
			})
		},
		"disable or enable": func(t *rapid.T) {
			id, disable := someUser(t), rapid.Bool().Draw(t, "disable")
			l.both(t, "DisableUser", func(_ int, m *usermgmt.Manager) (any, error) {
				if disable {
					return nil, m.DisableUser(ctx, id)
				}
				return nil, m.EnableUser(ctx, id)
			})
		},
		"delete user": func(t *rapid.T) {
			id := someUser(t)
			l.both(t, "DeleteUser", func(_ int, m *usermgmt.Manager) (any, error) { return nil, m.DeleteUser(ctx, id) })
		},
		"read users": func(t *rapid.T) {
			id, page := someUser(t), usermgmt.Page{Limit: 2, Offset: pick[int64](t, "offset", 0, 1, 2)}
			l.both(t, "Users", func(_ int, m *usermgmt.Manager) (any, error) {
				u, err := m.User(ctx, id)
				list, lerr := m.Users(ctx, usermgmt.UserList{Page: page})
				return []any{u, verdict(err), list}, lerr
			})
		},
		"create role": func(t *rapid.T) {
			n := usermgmt.NewRole{
				Name: someName(t), Scope: pick(t, "scope", usermgmt.ScopeRealm, usermgmt.ScopeOrganization),
				Permissions: []usermgmt.Permission{pick(t, "permission", usermgmt.MembersList, usermgmt.MembersRead)},
			}
			var ids [2]usermgmt.RoleID
			if l.both(t, "CreateRole", func(side int, m *usermgmt.Manager) (any, error) {
				r, err := m.CreateRole(ctx, n)
				ids[side] = r.ID
				return r, err
			}) {
				l.roles = append(l.roles, ids)
			}
		},
		"update or delete role": func(t *rapid.T) {
			ids, name, remove := l.someRole(t), someName(t), rapid.Bool().Draw(t, "delete")
			l.both(t, "UpdateRole", func(side int, m *usermgmt.Manager) (any, error) {
				if remove {
					return nil, m.DeleteRole(ctx, ids[side])
				}
				return m.UpdateRole(ctx, ids[side], usermgmt.RoleUpdate{Name: &name, Add: []usermgmt.Permission{usermgmt.UsersRead, usermgmt.MembersRead}[1:]})
			})
		},
		"create or delete organization": func(t *rapid.T) {
			id, owner := someOrg(t), pick[usermgmt.UserID](t, "owner", "", "u0", "u1")
			l.both(t, "CreateOrganization", func(_ int, m *usermgmt.Manager) (any, error) {
				o, err := m.CreateOrganization(ctx, usermgmt.NewOrganization{ID: id, Name: "Org", Slug: "slug", Owner: owner})
				if errors.Is(err, usermgmt.ErrExists) {
					return nil, m.DeleteOrganization(ctx, id)
				}
				return o, err
			})
		},
		"add member": func(t *rapid.T) {
			org, id, roles := someOrg(t), someUser(t), l.someRole(t)
			l.both(t, "AddMember", func(side int, m *usermgmt.Manager) (any, error) {
				return m.AddMember(ctx, org, usermgmt.NewMember{User: id, Role: roles[side], Tags: []string{"b", "a"}})
			})
		},
		"update member": func(t *rapid.T) {
			org, id, roles, version := someOrg(t), someUser(t), l.someRole(t), pick[int64](t, "version", 0, 1, 2)
			l.both(t, "UpdateMember", func(side int, m *usermgmt.Manager) (any, error) {
				return m.UpdateMember(ctx, org, id, usermgmt.MemberUpdate{Version: version, Role: &roles[side]})
			})
		},
		"remove member": func(t *rapid.T) {
			org, id := someOrg(t), someUser(t)
			l.both(t, "RemoveMember", func(_ int, m *usermgmt.Manager) (any, error) { return nil, m.RemoveMember(ctx, org, id) })
		},
		"read members": func(t *rapid.T) {
			org := someOrg(t)
			l.both(t, "Members", func(_ int, m *usermgmt.Manager) (any, error) { return m.Members(ctx, org, usermgmt.MemberList{}) })
		},
		"sign in": func(t *rapid.T) {
			name, password := someName(t), pick(t, "password", passphrase, passphrase, replacement)
			var tokens [2]usermgmt.Tokens
			if l.both(t, "SignIn", func(side int, m *usermgmt.Manager) (any, error) {
				var err error
				tokens[side], err = m.SignIn(ctx, name, password)
				return tokens[side], err
			}) {
				l.tokens = append(l.tokens, tokens)
			}
		},
		"use a session": func(t *rapid.T) {
			if len(l.tokens) == 0 {
				t.Skip("nobody has signed in")
			}
			given := pick(t, "tokens", l.tokens...)
			how := pick(t, "how", "access", "access", "refresh", "end")
			var next [2]usermgmt.Tokens
			if l.both(t, how, func(side int, m *usermgmt.Manager) (any, error) {
				switch how {
				case "access":
					return m.Authenticate(ctx, given[side].AccessToken)
				case "refresh":
					var err error
					next[side], err = m.Refresh(ctx, given[side].RefreshToken)
					return next[side], err
				}
				return nil, m.EndSession(ctx, given[side].SessionID)
			}) && how == "refresh" {
				l.tokens = append(l.tokens, next)
			}
		},
		"list sessions": func(t *rapid.T) {
			id := someUser(t)
			l.both(t, "Sessions", func(_ int, m *usermgmt.Manager) (any, error) { return m.Sessions(ctx, id, usermgmt.Page{}) })
		},
		"let time pass": func(t *rapid.T) {
			d := pick(t, "time", time.Second, time.Minute, 11*time.Minute, 8*24*time.Hour, 31*24*time.Hour)
			l.clock.set(l.clock.Now().Add(d))
			l.both(t, "Sweep", func(_ int, m *usermgmt.Manager) (any, error) {
				_, err := m.Sweep(ctx, 1000) // which may count a session's tokens or not
				return nil, err
			})
		},
	}
}

// end requires that both sides hold the same, and that it is sound.
func (l *lockstep) end(t *rapid.T) {
	var lines [2][]string
	for i, w := range l.sides {
		var err error
		lines[i], err = w.describe(l.ctx)
		require.NoError(t, err)
	}
	require.Equal(t, lines[0], lines[1])
	m := l.sides[0]
	orgs, err := m.Organizations(l.ctx, usermgmt.OrganizationList{})
	require.NoError(t, err)
	for _, o := range orgs.Items {
		members, err := m.Members(l.ctx, o.ID, usermgmt.MemberList{})
		require.NoError(t, err)
		owners := 0
		for _, member := range members.Items {
			if member.Role == usermgmt.RoleOwner && !member.Profile.Disabled {
				owners++
			}
		}
		require.True(t, len(members.Items) < 2 || owners > 0, "%s has %d members and no active owner", o.ID, len(members.Items))
	}
	for _, tokens := range l.tokens {
		a, err := m.Authenticate(l.ctx, tokens[0].AccessToken)
		if err != nil {
			continue
		}
		u, err := m.User(l.ctx, a.UserID())
		require.NoError(t, err, "a token of someone who is gone was let in")
		require.False(t, u.Disabled, "a token of someone disabled was let in")
	}
}

// TestLockstep asks Managers on two kinds of store the same at random: they give
// the same answers and the same kinds of error, and end with the same records. A
// failure is made small, and comes with the flag that repeats it.
func TestLockstep(t *testing.T) {
	// Not parallel, nor are its parts: the flags are the whole package's.
	setFlag(t, "rapid.seed", tier.Count(1, 1, 0, 0)) // any other in the night
	setFlag(t, "rapid.nofailfile", 1)
	for _, part := range []struct {
		kind      string
		histories int
	}{
		{"sqlitestore", tier.Count(20, 160, 5_000, 50_000)},
		{"pgstore", tier.Count(0, 40, 5_000, 50_000)},
	} {
		t.Run(part.kind, func(t *testing.T) {
			setFlag(t, "rapid.checks", part.histories)
			stores := [2]store.Store{openers["memstore"](t), openers[part.kind](t)}
			t.Cleanup(func() {
				for _, s := range stores {
					require.NoError(t, s.Close())
				}
			})
			realms, asked, granted := 0, 0, 0
			rapid.Check(t, func(rt *rapid.T) {
				realms++
				l := newLockstep(t, stores, usermgmt.Realm(fmt.Sprint("realm-", realms)))
				rt.Repeat(l.acts())
				l.end(rt)
				asked, granted = asked+l.asked, granted+l.granted
			})
			t.Logf("%s and memstore: %d histories, %d questions, %d of them granted, every answer the same", part.kind, realms, asked, granted)
		})
	}
}

// setFlag sets a flag of rapid's until the test ends, unless the command line has.
func setFlag(t testing.TB, name string, value int) {
	t.Helper()
	f := flag.Lookup(name)
	old := f.Value.String()
	if old != f.DefValue {
		return
	}
	require.NoError(t, f.Value.Set(strconv.Itoa(value)))
	t.Cleanup(func() { require.NoError(t, f.Value.Set(old)) })
}
