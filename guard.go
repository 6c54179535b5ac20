package usermgmt

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/usermgmt-go/usermgmt/store"
)

// guard is one unit of work under an actor's authority. Every operation of
// the Manager goes through one.
type guard struct {
	m *Manager
	r store.Reader
	// tx is nil in a View.
	tx store.Tx
	// rights are the acting user's, by his grants; nil before they are loaded.
	rights *rights
	// nobody is set once the acting user proved to be absent or disabled.
	nobody bool
	// fill allows what is loaded to be cached. It is never set in an Update,
	// where the generation may be that of a unit that is rolled back.
	fill    bool
	members map[OrganizationID]*permissionSet
}

// base returns the acting user's rights by his grants, or nil for nobody.
func (g *guard) base(ctx context.Context) (*rights, error) {
	if g.rights != nil || g.nobody {
		return g.rights, nil
	}
	a := g.m.actor
	r, err := g.personal(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case r == nil || a.passwordChange:
		g.nobody = true
	case a.organization != "":
		g.rights = &rights{}
	default:
		g.rights = r
	}
	return g.rights, nil
}

// personal returns what the acting user holds by his grants, whatever he may use
// of it here; nil for nobody, and outside of the tenant that he is tied to.
func (g *guard) personal(ctx context.Context) (*rights, error) {
	a := g.m.actor
	id := UserID(a.id)
	generation, err := g.r.Generation(ctx)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	known := err == nil
	var r *rights
	if known {
		r = g.m.rights.user(id, generation).rights
	}
	if r == nil {
		if r, err = userRights(ctx, g.r, id); err != nil {
			return nil, err
		}
		if known && g.fill && r != nil {
			g.m.rights.putUser(id, generation, r)
		}
	}
	if r == nil || a.tenant == "" {
		return r, nil
	}
	return g.withinTenant(ctx, r, a.tenant)
}

// withinTenant returns r if it admits to the tenant, else nil.
func (g *guard) withinTenant(ctx context.Context, r *rights, id TenantID) (*rights, error) {
	t, err := g.r.Tenant(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if err != nil || !r.has(All, Realmwide) && !inTenant(r.tenants, id, t.Type) {
		return nil, nil
	}
	return r, nil
}

// admitted reports whether the actor is inside the tenant that he is tied to, if
// he is to any: by his own assignments, or as a key by those of its owner.
// Vendors are in none.
func (g *guard) admitted(ctx context.Context) (bool, error) {
	a := g.m.actor
	if a.tenant == "" || a.kind == ActorHost {
		return true, nil
	}
	var r *rights
	var err error
	switch a.kind {
	case ActorUser:
		r, err = g.personal(ctx)
	case ActorKey:
		if _, r, err = g.liveKey(ctx, KeyID(a.id)); err == nil && r != nil {
			r, err = g.withinTenant(ctx, r, a.tenant)
		}
		err = absent(err)
	}
	return r != nil, err
}

// member returns what the acting user's membership gives him in org, nil for none.
func (g *guard) member(ctx context.Context, org OrganizationID) (*permissionSet, error) {
	if set, ok := g.members[org]; ok {
		return set, nil
	}
	a := g.m.actor
	if a.organization != "" && a.organization != org {
		return nil, nil
	}
	key := memberKey{UserID(a.id), org}
	generation, err := g.r.Generation(ctx)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	known := err == nil
	var set *permissionSet
	if known {
		set = g.m.rights.member(key, generation)
	}
	if set == nil {
		if set, err = memberSet(ctx, g.r, org, key.user); err != nil {
			return nil, err
		}
		if known && g.fill && set != nil {
			g.m.rights.putMember(key, memberEntry{generation, set})
		}
	}
	if g.members == nil {
		g.members = map[OrganizationID]*permissionSet{}
	}
	g.members[org] = set
	return set, nil
}

// can reports whether the actor holds p at s, as of this unit of work.
func (g *guard) can(ctx context.Context, p Permission, s Scope) (bool, error) {
	switch g.m.actor.kind {
	case ActorHost:
		return true, nil
	case ActorUser:
		r, err := g.base(ctx)
		if err != nil || r == nil {
			return false, err
		}
		if r.has(p, s) {
			return true, nil
		}
		if s.kind != store.ScopeOrganization || s.id == "" {
			return false, nil
		}
		set, err := g.member(ctx, OrganizationID(s.id))
		return set != nil && set.has(p), err
	case ActorKey:
		return g.keyCan(ctx, p, s)
	case ActorVendor:
		return g.vendorCan(ctx, p, s)
	}
	return false, nil
}

// need returns a *ForbiddenError unless the actor holds p at s.
func (g *guard) need(ctx context.Context, p Permission, s Scope) error {
	ok, err := g.can(ctx, p, s)
	if err == nil && !ok {
		err = &ForbiddenError{Permission: p}
	}
	return err
}

// needAny is need for permissions that are alternatives.
func (g *guard) needAny(ctx context.Context, s Scope, ps ...Permission) error {
	for _, p := range ps {
		if ok, err := g.can(ctx, p, s); err != nil || ok {
			return err
		}
	}
	return &ForbiddenError{Permission: ps[0]}
}

// needAll requires "*.*" realm-wide, and names p as what it is needed for.
func (g *guard) needAll(ctx context.Context, p Permission) error {
	ok, err := g.can(ctx, All, Realmwide)
	if err == nil && !ok {
		err = &ForbiddenError{Permission: p, Reason: string(p) + " of this kind is an administrator's"}
	}
	return err
}

// needSet requires that the actor holds every permission of the set at s:
// nobody gives what he lacks.
func (g *guard) needSet(ctx context.Context, set *permissionSet, s Scope, reason string) error {
	var failure error
	set.each(func(p Permission) bool {
		ok, err := g.can(ctx, p, s)
		if err == nil && !ok {
			err = &ForbiddenError{Permission: p, Reason: reason}
		}
		failure = err
		return err == nil
	})
	return failure
}

// isSelf reports whether the actor is the user himself, free to act for himself.
func (g *guard) isSelf(ctx context.Context, id UserID) (bool, error) {
	a := g.m.actor
	if a.kind != ActorUser || a.id != string(id) || a.organization != "" {
		return false, nil
	}
	r, err := g.base(ctx)
	return r != nil, err
}

const reasonRank = "the user holds rights that you lack"

// outranks requires that the target holds no permission, in any scope, that
// the actor lacks there. Whether the target is disabled does not count: he may
// be enabled again.
func (g *guard) outranks(ctx context.Context, target store.User) error {
	if ok, err := g.can(ctx, All, Realmwide); err != nil || ok {
		return err
	}
	if ok, err := g.isSelf(ctx, target.ID); err != nil || ok {
		return err
	}
	sets, err := roleSets(ctx, g.r, grantRoles(target.Grants))
	if err != nil {
		return err
	}
	theirs := compile(target.Grants, target.Tenants, sets)
	check := func(sets []*permissionSet, s Scope) error {
		for _, set := range sets {
			if err := g.needSet(ctx, set, s, reasonRank); err != nil {
				return err
			}
		}
		return nil
	}
	if err := errors.Join(
		check(theirs.realm, Realmwide),
		check(theirs.organizations, Scope{kind: store.ScopeOrganization}),
		check(theirs.facilities, Scope{kind: store.ScopeFacility}),
	); err != nil {
		return err
	}
	for s, sets := range theirs.at {
		if err := check(sets, s); err != nil {
			return err
		}
	}
	return g.eachMembership(ctx, target.ID, func(ms store.Membership) error {
		sets, err := roleSets(ctx, g.r, []RoleID{ms.Role})
		if err != nil || sets[ms.Role] == nil {
			return err
		}
		return check([]*permissionSet{sets[ms.Role]}, InOrganization(ms.OrganizationID))
	})
}

// batch is how many records a unit of work reads at a time where it must see all.
const batch = 500

func (g *guard) eachMembership(ctx context.Context, user UserID, f func(store.Membership) error) error {
	var after OrganizationID
	for {
		page, err := g.r.Memberships(ctx, user, after, batch)
		if err != nil {
			return err
		}
		for _, ms := range page {
			if err := f(ms); err != nil {
				return err
			}
		}
		if len(page) < batch {
			return nil
		}
		after = page[len(page)-1].OrganizationID
	}
}

// eachUser calls f for every user whom q picks. f may change them.
func (g *guard) eachUser(ctx context.Context, q store.UserQuery, f func(store.User) error) error {
	q.Limit = batch
	for {
		page, err := g.r.Users(ctx, q)
		if err != nil {
			return err
		}
		for _, u := range page {
			if err := f(u); err != nil {
				return err
			}
		}
		if len(page) < batch {
			return nil
		}
		q.After = page[len(page)-1].ID
	}
}

// reachMode says how many of a user's facilities an act needs.
type reachMode uint8

const (
	// reachShared: one shared facility is enough (to read).
	reachShared reachMode = iota
	// reachWhole: all of the user's facilities are needed, of which there must
	// be one (to change).
	reachWhole
	// reachPlaced: as reachWhole, or the user has none (to give him his first
	// role at a facility, or to take his last).
	reachPlaced
)

// reach requires p over the user: realm-wide, or at his facilities. A user
// who shares no facility with the actor is as good as missing; an actor who
// holds p nowhere is refused before that.
//
// A user without a facility is within reach of who holds p by a role at every
// facility, as the administrator's is without scopes: such a one sees him, and
// may place him at facilities, where his rank allows it. What else is changed of
// him reaches beyond facilities, and is for who holds p in the whole realm.
func (g *guard) reach(ctx context.Context, p Permission, mode reachMode, u store.User) error {
	if ok, err := g.can(ctx, p, Realmwide); err != nil || ok {
		return err
	}
	if err := g.needSomewhere(ctx, p); err != nil {
		return err
	}
	if len(withoutFacilities(u.Grants)) == len(u.Grants) && hold(g.rights.facilities, p) {
		if mode == reachWhole {
			return &ForbiddenError{Permission: p, Reason: "the user has no facility"}
		}
		return nil
	}
	held, lacked := 0, 0
	for _, grant := range u.Grants {
		if grant.Kind != store.ScopeFacility {
			continue
		}
		places := grant.Scopes
		if len(places) == 0 {
			places = []string{""} // every facility
		}
		for _, name := range places {
			if g.rights.has(p, AtFacility(name)) {
				held++
			} else {
				lacked++
			}
		}
	}
	switch {
	case held == 0:
		return ErrNotFound
	case lacked > 0 && mode != reachShared:
		return &ForbiddenError{Permission: p, Reason: "the user has facilities beyond yours"}
	}
	return nil
}

// needSomewhere requires p realm-wide or at some facility, so that one who
// has no business with users learns nothing about them.
func (g *guard) needSomewhere(ctx context.Context, p Permission) error {
	if ok, err := g.can(ctx, p, Realmwide); err != nil || ok {
		return err
	}
	if g.m.actor.kind == ActorUser && g.rights != nil {
		if hold(g.rights.facilities, p) {
			return nil
		}
		for s, sets := range g.rights.at {
			if s.kind == store.ScopeFacility && hold(sets, p) {
				return nil
			}
		}
	}
	return &ForbiddenError{Permission: p}
}

// user loads the user for an act that needs p over him.
func (g *guard) user(ctx context.Context, p Permission, mode reachMode, id UserID) (store.User, error) {
	if err := g.needSomewhere(ctx, p); err != nil {
		return store.User{}, err
	}
	u, err := g.r.User(ctx, id)
	if err != nil {
		return store.User{}, err
	}
	return u, g.reach(ctx, p, mode, u)
}

// record writes an event of what the actor did, in this unit of work.
func (g *guard) record(ctx context.Context, e Event) error {
	e.At = g.m.now()
	e.Actor = g.m.actor.String()
	slices.Sort(e.Fields)
	return g.tx.AppendEvent(ctx, store.Event(e))
}

func quote(s string) string { return strconv.Quote(s) }
