package usermgmt

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/usermgmt-go/usermgmt/internal/identity"
	"github.com/usermgmt-go/usermgmt/store"
)

// MemberSearch picks those members of one organization whom all of it fits.
// The zero value picks everybody.
type MemberSearch struct {
	// Roles picks the members of any of these roles, at most 20; none picks all.
	Roles []RoleID
	// Email picks the member who has exactly this address, in whatever
	// spelling, confirmed or not. What is no address picks nobody.
	Email string
	// Tags picks those who have all of these tags. They are compared by bytes.
	Tags []string
}

// MembersAt returns up to limit members, 1 to [MaxPage], after the first n of
// those whom q picks, in the order of Members, and how many q picks in all. It
// is for numbered pages.
//
// An actor who walks the pages one after another, each n being the sum of what
// he got, goes on where his page before ended, as with [Page.Offset], at the
// same cost at any depth; any other n is counted off from the beginning. With
// Email it is a single look-up; with Tags it reads every member of the roles.
// Needs are those of Members.
func (m *Manager) MembersAt(ctx context.Context, org OrganizationID, q MemberSearch, n, limit int) ([]Member, int, error) {
	switch {
	case n < 0:
		return nil, 0, invalid("offset", "must not be negative")
	case limit < 1 || limit > MaxPage:
		return nil, 0, invalid("limit", "must be 1 to 10000")
	}
	if err := checkMemberRoles(q.Roles); err != nil {
		return nil, 0, err
	}
	of := store.MemberQuery{Organization: org, Roles: sortedSet(slices.Clone(q.Roles))}
	// A sum, since callers choose how long the text is.
	walk := m.walk(fmt.Sprintf("members of %q %x", org, sha256.Sum256(fmt.Appendf(nil, "%q", of.Roles))), Page{Offset: int64(n)})
	var (
		members []Member
		page    memberPage
	)
	err := m.view(ctx, func(g *guard) error {
		if err := g.mayList(ctx, org, MembersRead, MembersList); err != nil {
			return err
		}
		var err error
		switch {
		case q.Email != "":
			page, err = g.memberByEmail(ctx, of, q, n)
		case len(q.Tags) > 0:
			page, err = g.membersByTags(ctx, of, q.Tags, n, limit)
		default:
			page, err = g.membersWalked(ctx, of, walk, limit)
		}
		if err != nil {
			return err
		}
		members, err = g.joined(ctx, page.items)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	walk.done(len(page.items), page.next)
	return members, page.total, nil
}

// memberPage is a numbered page, with the number of members on all of them.
type memberPage struct {
	items []store.Membership
	total int
	// next is the cursor of the page after it, if there is one and a walk goes on by it.
	next string
}

// membersWalked returns the page of a walk through whom q picks.
func (g *guard) membersWalked(ctx context.Context, q store.MemberQuery, w walk, limit int) (memberPage, error) {
	total, err := g.r.CountMembers(ctx, q)
	if err != nil {
		return memberPage{}, err
	}
	p := memberPage{total: int(total)}
	after, err := w.start(func(n int64) (string, error) {
		if n >= total {
			return "", ErrNotFound
		}
		id, err := g.memberAt(ctx, q, n)
		return string(id), err
	})
	if err != nil {
		return p, absent(err)
	}
	q.After, q.Limit = UserID(after), limit+1
	found, err := g.r.Members(ctx, q)
	list := newList(found, limit, func(ms store.Membership) string { return string(ms.UserID) })
	p.items, p.next = list.Items, list.Next
	return p, err
}

// memberAt returns the user of the member before whom n others stand. It reads them.
func (g *guard) memberAt(ctx context.Context, q store.MemberQuery, n int64) (UserID, error) {
	var id UserID
	found := errors.New("found")
	err := g.eachMember(ctx, q, func(page []store.Membership) error {
		if n < int64(len(page)) {
			id = page[n].UserID
			return found
		}
		n -= int64(len(page))
		return nil
	})
	switch {
	case err == nil:
		return "", ErrNotFound
	case errors.Is(err, found):
		return id, nil
	}
	return "", err
}

// memberByEmail returns the one member with the address, if the rest of the
// search fits him and the page begins at him.
func (g *guard) memberByEmail(ctx context.Context, of store.MemberQuery, q MemberSearch, n int) (memberPage, error) {
	key, _, err := identity.FoldEmail(q.Email)
	if err != nil {
		return memberPage{}, nil // nobody can have it
	}
	u, err := g.r.UserByEmail(ctx, key)
	if err != nil {
		return memberPage{}, absent(err)
	}
	ms, err := g.r.Membership(ctx, of.Organization, u.ID)
	if err != nil {
		return memberPage{}, absent(err)
	}
	if len(of.Roles) > 0 && !slices.Contains(of.Roles, ms.Role) || !hasTags(ms, q.Tags) {
		return memberPage{}, nil
	}
	p := memberPage{total: 1}
	if n == 0 {
		p.items = []store.Membership{ms}
	}
	return p, nil
}

// membersByTags goes through all whom q picks: stores have no index of tags.
func (g *guard) membersByTags(ctx context.Context, q store.MemberQuery, tags []string, n, limit int) (memberPage, error) {
	var p memberPage
	err := g.eachMember(ctx, q, func(page []store.Membership) error {
		for _, ms := range page {
			if !hasTags(ms, tags) {
				continue
			}
			if p.total >= n && len(p.items) < limit {
				p.items = append(p.items, ms)
			}
			p.total++
		}
		return nil
	})
	return p, err
}

// hasTags reports whether the member has all of the tags.
func hasTags(ms store.Membership, tags []string) bool {
	for _, t := range tags {
		if _, ok := slices.BinarySearch(ms.Tags, t); !ok {
			return false
		}
	}
	return true
}
