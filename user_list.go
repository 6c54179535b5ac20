package usermgmt

import (
	"context"
	"errors"

	"github.com/usermgmt-go/usermgmt/internal/identity"
	"github.com/usermgmt-go/usermgmt/store"
)

// UsersByID returns those of the users that exist, in the order of their ids.
// At most 10,000 may be asked for. It needs users.read or users.list.
func (m *Manager) UsersByID(ctx context.Context, ids []UserID) ([]User, error) {
	if len(ids) > MaxPage {
		return nil, invalid("ids", "must have at most 10000 entries")
	}
	var users []User
	err := m.look(ctx, func(g *guard) error {
		if err := g.needAny(ctx, Realmwide, UsersRead, UsersList); err != nil {
			return err
		}
		found, err := g.r.UsersByID(ctx, ids)
		users = usersOf(found)
		return err
	})
	return users, err
}

func usersOf(records []store.User) []User {
	users := make([]User, len(records))
	for i, u := range records {
		users[i] = User(u)
	}
	return users
}

// UserList says which users are wanted. At most one of Facility, Role and
// Tenant is set.
type UserList struct {
	Page
	// Facility picks those who hold a grant that lists it.
	Facility string
	// Role picks those who hold a grant of the role, at whatever scope.
	Role RoleID
	// Tenant picks those whose assignments hold exactly this entry.
	Tenant string
}

// Users returns a page of users in the order of their ids. It needs users.read
// or users.list, realm-wide or, with Facility, at that facility.
func (m *Manager) Users(ctx context.Context, l UserList) (List[User], error) {
	limit, err := l.limit()
	if err != nil {
		return List[User]{}, err
	}
	q := store.UserQuery{Role: l.Role, Tenant: l.Tenant, After: UserID(l.After), Limit: limit + 1}
	scope := Realmwide
	if l.Facility != "" {
		scope = AtFacility(l.Facility)
		q.Scopes = []store.ScopeRef{{Kind: ScopeFacility, ID: l.Facility}}
	}
	if err := q.Check(); err != nil {
		return List[User]{}, err
	}
	filtered := q.Role != "" || q.Tenant != "" || len(q.Scopes) > 0
	if filtered && l.Offset != 0 {
		return List[User]{}, invalid("offset", "must be absent where a filter is given")
	}
	walk := m.walk("users", l.Page)
	var list List[User]
	err = m.look(ctx, func(g *guard) error {
		if err := g.needAny(ctx, scope, UsersRead, UsersList); err != nil {
			return err
		}
		q := q
		after, err := walk.start(func(n int64) (string, error) {
			id, err := g.r.UserAt(ctx, n)
			return string(id), err
		})
		if errors.Is(err, ErrNotFound) {
			list = newList([]User{}, limit, nil)
			return nil
		}
		if err != nil {
			return err
		}
		if after != "" {
			q.After = UserID(after)
		}
		found, err := g.r.Users(ctx, q)
		if err != nil {
			return err
		}
		list = newList(usersOf(found), limit, func(u User) string { return string(u.ID) })
		return nil
	})
	if err == nil {
		walk.done(len(list.Items), list.Next)
	}
	return list, err
}

// UserField names a field that users are searched by.
type UserField = store.UserField

// Fields for [Manager.SearchUsers].
const (
	ByUsername = store.ByUsername
	ByEmail    = store.ByEmail
)

// SearchUsers returns a page of the users whose username or e-mail begins with
// prefix, in whatever spelling, ordered by that field's canonical form; the
// cursor is of this order. It needs users.read or users.list.
func (m *Manager) SearchUsers(ctx context.Context, by UserField, prefix string, p Page) (List[User], error) {
	limit, err := p.limit()
	if err != nil {
		return List[User]{}, err
	}
	if by != ByUsername && by != ByEmail {
		return List[User]{}, invalid("by", "must be the username or the e-mail")
	}
	if p.Offset != 0 {
		return List[User]{}, invalid("offset", "must be absent in a search")
	}
	key := prefix
	if prefix != "" {
		if key, err = identity.FoldUsername(prefix); err != nil {
			return List[User]{}, invalid("prefix", err.Error())
		}
	}
	cursor := func(u User) string { return u.UsernameKey }
	if by == ByEmail {
		cursor = func(u User) string { return u.EmailKey }
	}
	var list List[User]
	err = m.look(ctx, func(g *guard) error {
		if err := g.needAny(ctx, Realmwide, UsersRead, UsersList); err != nil {
			return err
		}
		found, err := g.r.SearchUsers(ctx, by, key, p.After, limit+1)
		if err != nil {
			return err
		}
		list = newList(usersOf(found), limit, cursor)
		return nil
	})
	return list, err
}
