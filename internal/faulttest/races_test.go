package faulttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt"
)

// answers of racing operations that changed nothing.
const (
	ok        = "ok"
	notFound  = "not found"
	exists    = "exists"
	used      = "used"
	refused   = "refused"
	lastOwner = "last owner"
)

// said turns an error into one of the answers.
func said(err error) any {
	switch {
	case err == nil:
		return ok
	case errors.Is(err, usermgmt.ErrLastOwner):
		return lastOwner
	case errors.Is(err, usermgmt.ErrNotFound):
		return notFound
	case errors.Is(err, usermgmt.ErrExists):
		return exists
	case errors.Is(err, usermgmt.ErrUsed):
		return used
	case errors.Is(err, usermgmt.ErrUnauthenticated):
		return refused
	}
	return surprise{err}
}

// model makes a porcupine.Model of typed states, inputs and outputs.
func model[S, I any](start S, step func(S, I, any) (bool, S)) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return start },
		Step: func(state, in, out any) (bool, any) {
			legal, next := step(state.(S), in.(I), out)
			return legal, next
		},
	}
}

// versioned is a user's version and what he is called by it. As an output of an
// update that was stale it has no name.
type versioned struct {
	version int64
	name    string
}

// rename asks for a name on the condition of a version; 0 asks what there is.
type rename struct {
	version int64
	name    string
}

// turn is a use of the one-time token with the number.
type turn struct{ token int }

// chain is a session: which of its refresh tokens is good, and whether it has ended.
type chain struct {
	good  string
	ended bool
}

// link asks for the next token of a session, or by an access token who it is.
type link struct{ refresh, access string }

// claim creates a user with the address, deletes him, or asks whose it is.
type claim struct {
	create, delete usermgmt.UserID
}

// seats are the roles of two people in an organization that has a third.
type seats struct{ a, b usermgmt.RoleID }

func (s seats) of(who string) (own, other usermgmt.RoleID) {
	if who == "a" {
		return s.a, s.b
	}
	return s.b, s.a
}

func (s seats) with(who string, role usermgmt.RoleID) seats {
	if who == "a" {
		s.a = role
	} else {
		s.b = role
	}
	return s
}

// seat gives someone a role, a seat with it, or takes the seat away.
type seat struct {
	verb string // "owners", "add", "remove", "set"
	who  string
	role usermgmt.RoleID
}

// races are what the guarantees of the Manager are about.
var races = []race{
	{"versions", model(versioned{1, ""}, func(s versioned, in rename, out any) (bool, versioned) {
		switch {
		case in.version == 0:
			return out == s, s
		case in.version != s.version:
			return out == versioned{version: s.version}, s
		}
		next := versioned{s.version + 1, in.name}
		return out == next, next
	}), beginVersions},

	{"one-time codes", partitioned(model(false, func(spent bool, _ turn, out any) (bool, bool) {
		if spent {
			return out == used, true
		}
		return out == ok, true
	})), beginCodes},

	{"refresh tokens", model(chain{good: "first"}, func(s chain, in link, out any) (bool, chain) {
		switch {
		case in.access != "":
			return (out == ok) == !s.ended, s
		case s.ended:
			return out == refused, s
		case in.refresh != s.good:
			return out == refused, chain{ended: true} // it was in two hands
		}
		next, fine := out.(tokenNamed)
		return fine, chain{good: string(next)}
	}), beginRefresh},

	{"unique e-mail", model(usermgmt.UserID(""), func(holder usermgmt.UserID, in claim, out any) (bool, usermgmt.UserID) {
		switch {
		case in.create != "" && holder != "":
			return out == exists, holder
		case in.create != "":
			return out == ok, in.create
		case in.delete != "" && in.delete == holder:
			return out == ok, ""
		case in.delete != "":
			return out == notFound, holder
		}
		return out == holder, holder
	}), beginEmail},

	{"last owner", model(seats{usermgmt.RoleOwner, usermgmt.RoleOwner}, func(s seats, in seat, out any) (bool, seats) {
		own, other := s.of(in.who)
		last := own == usermgmt.RoleOwner && other != usermgmt.RoleOwner
		switch {
		case in.verb == "owners":
			var names []string
			for _, who := range []string{"a", "b"} {
				if role, _ := s.of(who); role == usermgmt.RoleOwner {
					names = append(names, who)
				}
			}
			return out == strings.Join(names, " "), s
		case in.verb == "add" && own != "":
			return out == exists, s
		case in.verb == "add":
			return out == ok, s.with(in.who, in.role)
		case own == "":
			return out == notFound, s
		case last && (in.verb == "remove" || in.role != usermgmt.RoleOwner):
			return out == lastOwner, s
		}
		return out == ok, s.with(in.who, in.role)
	}), beginOwners},
}

// partitioned checks each token by itself.
func partitioned(m porcupine.Model) porcupine.Model {
	m.Partition = func(h []porcupine.Operation) [][]porcupine.Operation {
		parts := map[turn][]porcupine.Operation{}
		for _, op := range h {
			parts[op.Input.(turn)] = append(parts[op.Input.(turn)], op)
		}
		var all [][]porcupine.Operation
		for _, p := range parts {
			all = append(all, p)
		}
		return all
	}
	return m
}

func beginVersions(t testing.TB, m *usermgmt.Manager, number int) func(*rand.Rand) act {
	id := usermgmt.UserID(fmt.Sprint("versioned-", number))
	_, err := m.CreateUser(t.Context(), usermgmt.NewUser{ID: id, Username: string(id)})
	require.NoError(t, err)
	var latest atomic.Int64 // that somebody has seen
	latest.Store(1)
	var names atomic.Int64
	return func(r *rand.Rand) act {
		if r.IntN(4) == 0 {
			return act{rename{}, func(ctx context.Context, m *usermgmt.Manager) any {
				u, err := m.User(ctx, id)
				if err != nil {
					return surprise{err}
				}
				return versioned{u.Version, u.LastName}
			}}
		}
		in := rename{latest.Load(), fmt.Sprint("name ", names.Add(1))}
		return act{in, func(ctx context.Context, m *usermgmt.Manager) any {
			u, err := m.UpdateUser(ctx, id, usermgmt.UserUpdate{Version: in.version, LastName: &in.name})
			var stale *usermgmt.StaleError
			if errors.As(err, &stale) {
				latest.Store(stale.Version)
				return versioned{version: stale.Version}
			}
			if err != nil {
				return surprise{err}
			}
			return versioned{u.Version, u.LastName}
		}}
	}
}

func beginCodes(t testing.TB, m *usermgmt.Manager, number int) func(*rand.Rand) act {
	client := usermgmt.VendorID(fmt.Sprint("vendor-", number))
	_, _, err := m.CreateVendor(t.Context(), usermgmt.NewVendor{ID: client, Name: "Vendor", Scopes: []string{usermgmt.ScopeVendorManage}})
	require.NoError(t, err)
	as := m.As(usermgmt.VendorActor(client))
	p, err := as.ProvisionOrganization(t.Context(), "Customer", usermgmt.VendorUser{Email: fmt.Sprintf("owner@customer-%d.example", number)})
	require.NoError(t, err)
	codes := make([]string, 8)
	for i := range codes {
		c, err := as.CreateCode(t.Context(), p.Token)
		require.NoError(t, err)
		codes[i] = c.Code
	}
	var asked atomic.Int64 // callers meet at the same codes
	return func(*rand.Rand) act {
		in := turn{int(asked.Add(1)/4) % len(codes)}
		return act{in, func(ctx context.Context, m *usermgmt.Manager) any {
			_, _, err := m.RedeemCode(ctx, codes[in.token])
			return said(err)
		}}
	}
}

// tokenNamed names a refresh token that was given.
type tokenNamed string

func beginRefresh(t testing.TB, m *usermgmt.Manager, number int) func(*rand.Rand) act {
	name := fmt.Sprint("refreshing-", number)
	_, err := m.CreateUser(t.Context(), usermgmt.NewUser{ID: usermgmt.UserID(name), Username: name, Password: passphrase})
	require.NoError(t, err)
	first, err := m.SignIn(t.Context(), name, passphrase)
	require.NoError(t, err)
	var mu sync.Mutex
	given := map[tokenNamed]string{"first": first.RefreshToken}
	newest := tokenNamed("first")
	return func(r *rand.Rand) act {
		if r.IntN(2) == 0 {
			return act{link{access: "any"}, func(ctx context.Context, m *usermgmt.Manager) any {
				_, err := m.Authenticate(ctx, first.AccessToken)
				return said(err)
			}}
		}
		mu.Lock()
		defer mu.Unlock()
		which := newest
		token := given[which]
		return act{link{refresh: string(which)}, func(ctx context.Context, m *usermgmt.Manager) any {
			next, err := m.Refresh(ctx, token)
			if err != nil {
				return said(err)
			}
			mu.Lock()
			defer mu.Unlock()
			newest = tokenNamed(fmt.Sprint("token ", len(given)))
			given[newest] = next.RefreshToken
			return newest
		}}
	}
}

func beginEmail(t testing.TB, m *usermgmt.Manager, number int) func(*rand.Rand) act {
	address := fmt.Sprintf("wanted-%d@example.com", number)
	var made atomic.Int64
	return func(r *rand.Rand) act {
		some := usermgmt.UserID(fmt.Sprintf("claimant-%d-%d", number, max(1, made.Load()-r.Int64N(4))))
		switch r.IntN(4) {
		case 0:
			return act{claim{}, func(ctx context.Context, m *usermgmt.Manager) any {
				u, err := m.UserByEmail(ctx, address)
				if err != nil && !errors.Is(err, usermgmt.ErrNotFound) {
					return surprise{err}
				}
				return u.ID
			}}
		case 1:
			return act{claim{delete: some}, func(ctx context.Context, m *usermgmt.Manager) any { return said(m.DeleteUser(ctx, some)) }}
		}
		id := usermgmt.UserID(fmt.Sprintf("claimant-%d-%d", number, made.Add(1)))
		return act{claim{create: id}, func(ctx context.Context, m *usermgmt.Manager) any {
			_, err := m.CreateUser(ctx, usermgmt.NewUser{ID: id, Username: string(id), Email: address})
			return said(err)
		}}
	}
}

func beginOwners(t testing.TB, m *usermgmt.Manager, number int) func(*rand.Rand) act {
	ctx := t.Context()
	org := usermgmt.OrganizationID(fmt.Sprint("owned-", number))
	user := func(who string) usermgmt.UserID { return usermgmt.UserID(fmt.Sprintf("%s-%d", who, number)) }
	for _, who := range []string{"a", "b", "c"} {
		_, err := m.CreateUser(ctx, usermgmt.NewUser{ID: user(who), Username: string(user(who))})
		require.NoError(t, err)
	}
	_, err := m.CreateOrganization(ctx, usermgmt.NewOrganization{ID: org, Name: "Owned", Owner: user("a")})
	require.NoError(t, err)
	for who, role := range map[string]usermgmt.RoleID{"b": usermgmt.RoleOwner, "c": usermgmt.RoleMember} {
		_, err = m.AddMember(ctx, org, usermgmt.NewMember{User: user(who), Role: role})
		require.NoError(t, err)
	}
	return func(r *rand.Rand) act {
		in := seat{who: []string{"a", "b"}[r.IntN(2)], verb: []string{"owners", "add", "remove", "remove", "set", "set"}[r.IntN(6)]}
		if in.verb == "add" || in.verb == "set" {
			in.role = []usermgmt.RoleID{usermgmt.RoleOwner, usermgmt.RoleMember}[r.IntN(2)]
		}
		return act{in, func(ctx context.Context, m *usermgmt.Manager) any {
			var err error
			switch in.verb {
			case "owners":
				var owners usermgmt.List[usermgmt.Member]
				if owners, err = m.Members(ctx, org, usermgmt.MemberList{Roles: []usermgmt.RoleID{usermgmt.RoleOwner}}); err != nil {
					return surprise{err}
				}
				var names []string
				for _, o := range owners.Items {
					who, _, _ := strings.Cut(string(o.UserID), "-")
					names = append(names, who)
				}
				slices.Sort(names)
				return strings.Join(names, " ")
			case "add":
				_, err = m.AddMember(ctx, org, usermgmt.NewMember{User: user(in.who), Role: in.role})
			case "remove":
				err = m.RemoveMember(ctx, org, user(in.who))
			case "set":
				_, err = m.UpdateMember(ctx, org, user(in.who), usermgmt.MemberUpdate{Role: &in.role})
			}
			return said(err)
		}}
	}
}
