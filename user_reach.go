package usermgmt

import (
	"cmp"
	"context"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

// UsersInReach returns a page of the users whom the acting user may see, in the
// order of their ids, and how many these are in all.
//
// Whoever holds users.read or users.list in the whole realm, or by a role at
// every facility, sees all users of the realm, those without a facility
// included. Whoever holds one of them at listed facilities sees everyone with a
// role that lists one of these. Everybody sees himself, and those who hold
// neither see nobody else. The host sees all users.
//
// It is for users: API keys, vendors and sign-ins that are confined to an
// organization get a [*ForbiddenError]. The page has no offset. It costs the
// same at any depth; the total costs what there are of users in reach, and
// for someone of more than 100 facilities a read of each.
func (m *Manager) UsersInReach(ctx context.Context, p Page) (List[User], int, error) {
	limit, err := p.cursor()
	if err != nil {
		return List[User]{}, 0, err
	}
	var (
		list  List[User]
		total int
	)
	err = m.view(ctx, func(g *guard) error {
		s, err := g.sight(ctx)
		if err != nil {
			return err
		}
		found, n, err := s.users(ctx, g, UserID(p.After), limit+1)
		if err != nil {
			return err
		}
		list, total = newList(usersOf(found), limit, func(u User) string { return string(u.ID) }), n
		return nil
	})
	if err != nil {
		return List[User]{}, 0, err
	}
	return list, total, nil
}

// sight is whom an actor sees in a list of users.
type sight struct {
	everybody bool
	// facilities are those of whose users he sees all, each once. With none of
	// them he sees himself. As they come of grants that list them, he is among
	// their users.
	facilities []store.ScopeRef
	self       UserID
}

// sight returns what the actor sees by users.read and users.list.
func (g *guard) sight(ctx context.Context) (sight, error) {
	if g.m.actor.kind == ActorHost {
		return sight{everybody: true}, nil
	}
	const reason = "only a user sees others by his rights over users"
	r, err := g.actingUser(ctx, reason)
	if err != nil {
		return sight{}, err
	}
	if g.m.actor.organization != "" {
		return sight{}, &ForbiddenError{Reason: reason}
	}
	holds := func(sets []*permissionSet) bool { return hold(sets, UsersRead) || hold(sets, UsersList) }
	s := sight{everybody: holds(r.realm) || holds(r.facilities), self: UserID(g.m.actor.id)}
	for at, sets := range r.at {
		if at.kind == store.ScopeFacility && holds(sets) {
			s.facilities = append(s.facilities, store.ScopeRef{Kind: at.kind, ID: at.id})
		}
	}
	return s, nil
}

// actingUser returns the rights of an acting user who may act at all; reason
// is for actors of other kinds.
func (g *guard) actingUser(ctx context.Context, reason string) (*rights, error) {
	if g.m.actor.kind != ActorUser {
		return nil, &ForbiddenError{Reason: reason}
	}
	r, err := g.base(ctx)
	if err == nil && r == nil {
		err = &ForbiddenError{Reason: "you may do nothing here"}
	}
	return r, err
}

// users returns up to limit of the users in sight after one, and how many are in sight.
func (s sight) users(ctx context.Context, g *guard, after UserID, limit int) ([]store.User, int, error) {
	q := store.UserQuery{After: after, Limit: limit}
	switch {
	case s.everybody:
	case len(s.facilities) == 0:
		u, err := g.r.User(ctx, s.self)
		if err != nil || u.ID <= after {
			return nil, 1, err
		}
		return []store.User{u}, 1, nil
	case len(s.facilities) > store.MaxScopes:
		return s.usersOfMany(ctx, g, q)
	default:
		q.Scopes = s.facilities
	}
	found, err := g.r.Users(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	n, err := g.r.CountUsers(ctx, q)
	return found, int(n), err
}

// usersOfMany is users for more facilities than one query names. The pages of
// several are merged; since they overlap, users are counted by their ids.
func (s sight) usersOfMany(ctx context.Context, g *guard, q store.UserQuery) ([]store.User, int, error) {
	var found []store.User
	ids := map[UserID]struct{}{}
	for part := range slices.Chunk(s.facilities, store.MaxScopes) {
		q.Scopes = part
		page, err := g.r.Users(ctx, q)
		if err != nil {
			return nil, 0, err
		}
		found = append(found, page...)
		err = g.eachUser(ctx, store.UserQuery{Scopes: part}, func(u store.User) error {
			ids[u.ID] = struct{}{}
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	slices.SortFunc(found, func(a, b store.User) int { return cmp.Compare(a.ID, b.ID) })
	found = slices.CompactFunc(found, func(a, b store.User) bool { return a.ID == b.ID })
	return found[:min(len(found), q.Limit)], len(ids), nil
}
