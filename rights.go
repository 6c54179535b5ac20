package usermgmt

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/usermgmt-go/usermgmt/store"
)

// Scope is where a permission is asked for or holds. The zero Scope is Realmwide.
type Scope struct {
	kind ScopeKind
	id   string
}

// Realmwide is the whole realm, every organization and facility included.
var Realmwide = Scope{}

// InOrganization is one organization.
func InOrganization(id OrganizationID) Scope { return Scope{store.ScopeOrganization, string(id)} }

// AtFacility is one facility.
func AtFacility(name string) Scope { return Scope{store.ScopeFacility, name} }

func (s Scope) String() string {
	if s.kind == 0 {
		return "realm"
	}
	return s.kind.String() + " " + s.id
}

// rights are an actor's permissions, compiled. They never change once made.
//
// A permission held realm-wide holds at every scope; one held for a whole kind
// of scope holds at every scope of the kind.
type rights struct {
	realm         []*permissionSet
	organizations []*permissionSet
	facilities    []*permissionSet
	at            map[Scope][]*permissionSet
	tenants       []string
}

func (r *rights) of(s Scope) (kind, listed []*permissionSet) {
	switch s.kind {
	case store.ScopeOrganization:
		kind = r.organizations
	case store.ScopeFacility:
		kind = r.facilities
	}
	if s.kind != 0 && r.at != nil {
		listed = r.at[s]
	}
	return kind, listed
}

// has reports whether p is held at s, memberships aside.
func (r *rights) has(p Permission, s Scope) bool {
	if hold(r.realm, p) {
		return true
	}
	kind, listed := r.of(s)
	return hold(kind, p) || hold(listed, p)
}

func hold(sets []*permissionSet, p Permission) bool {
	for _, s := range sets {
		if s.has(p) {
			return true
		}
	}
	return false
}

// compile makes rights of grants. Roles that do not exist give nothing.
func compile(grants []Grant, tenants []string, roles map[RoleID]*permissionSet) *rights {
	r := &rights{tenants: tenants}
	var direct []Permission
	for _, g := range grants {
		if g.Permission != "" {
			direct = append(direct, Permission(g.Permission))
			continue
		}
		set := roles[g.Role]
		if set == nil {
			continue
		}
		switch {
		case g.Kind == store.ScopeRealm:
			r.realm = append(r.realm, set)
		case len(g.Scopes) == 0 && g.Kind == store.ScopeOrganization:
			r.organizations = append(r.organizations, set)
		case len(g.Scopes) == 0:
			r.facilities = append(r.facilities, set)
		default:
			if r.at == nil {
				r.at = map[Scope][]*permissionSet{}
			}
			for _, id := range g.Scopes {
				s := Scope{g.Kind, id}
				r.at[s] = append(r.at[s], set)
			}
		}
	}
	if direct != nil {
		r.realm = append(r.realm, newPermissionSet(direct))
	}
	return r
}

// inTenant reports whether tenants admit to the one: by its id, by its type,
// or by "any".
func inTenant(tenants []string, id TenantID, typ string) bool {
	return slices.Contains(tenants, AnyTenant) || slices.Contains(tenants, string(id)) ||
		typ != "" && slices.Contains(tenants, tenantTypePrefix+typ)
}

// roleSets compiles the roles that are named, built-in and stored ones.
func roleSets(ctx context.Context, r store.Reader, ids []RoleID) (map[RoleID]*permissionSet, error) {
	sets := make(map[RoleID]*permissionSet, len(ids))
	var stored []RoleID
	for _, id := range ids {
		if b, ok := builtinByID(id); ok {
			sets[id] = b.set
		} else if !slices.Contains(stored, id) {
			stored = append(stored, id)
		}
	}
	if stored == nil {
		return sets, nil
	}
	roles, err := r.RolesByID(ctx, stored)
	for _, role := range roles {
		sets[role.ID] = newPermissionSet(role.Permissions)
	}
	return sets, err
}

func grantRoles(grants []Grant) []RoleID {
	var ids []RoleID
	for _, g := range grants {
		if g.Role != "" {
			ids = append(ids, g.Role)
		}
	}
	return ids
}

// userRights compiles what a user holds by his grants. Disabled and absent
// users hold nothing: nil.
func userRights(ctx context.Context, r store.Reader, id UserID) (*rights, error) {
	u, err := r.User(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && u.Disabled {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sets, err := roleSets(ctx, r, grantRoles(u.Grants))
	if err != nil {
		return nil, err
	}
	return compile(u.Grants, u.Tenants, sets), nil
}

// memberSet compiles what a user's membership of an organization gives him
// there; nil for no membership.
func memberSet(ctx context.Context, r store.Reader, org OrganizationID, user UserID) (*permissionSet, error) {
	ms, err := r.Membership(ctx, org, user)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sets, err := roleSets(ctx, r, []RoleID{ms.Role})
	if err != nil {
		return nil, err
	}
	if set := sets[ms.Role]; set != nil {
		return set, nil
	}
	return &permissionSet{}, nil
}

// rightsCache keeps compiled rights of a realm's users, and their sessions, while
// they are exact: an entry counts only under the generation it was read at. It
// holds what exists alone, so that creating anything need not end it.
type rightsCache struct {
	limit    int // of each map; the entry that makes room is the one that its own order gives
	mu       sync.RWMutex
	users    map[UserID]userEntry
	members  map[memberKey]memberEntry
	sessions map[SessionID]sessionEntry
}

type sessionEntry struct {
	generation uint64
	session    store.Session
}

type memberKey struct {
	user UserID
	org  OrganizationID
}

type userEntry struct {
	generation uint64
	// first is one of the realm's sets in rights, or nil. It answers most
	// questions without a look into rights, which are seldom near.
	first  *permissionSet
	rights *rights
}

type memberEntry struct {
	generation uint64
	set        *permissionSet
}

// kept returns the user's entry, of whatever generation, or the zero entry.
func (c *rightsCache) kept(id UserID) userEntry {
	c.mu.RLock()
	e := c.users[id]
	c.mu.RUnlock()
	return e
}

// user returns the zero entry unless there is one of the generation.
func (c *rightsCache) user(id UserID, generation uint64) userEntry {
	if e := c.kept(id); e.generation == generation {
		return e
	}
	return userEntry{}
}

func (c *rightsCache) member(k memberKey, generation uint64) *permissionSet {
	c.mu.RLock()
	e := c.members[k]
	c.mu.RUnlock()
	if e.generation != generation {
		return nil
	}
	return e.set
}

// session returns a session that was there under its entry's generation, and
// whether one is known.
func (c *rightsCache) session(id SessionID) (sessionEntry, bool) {
	c.mu.RLock()
	e, ok := c.sessions[id]
	c.mu.RUnlock()
	return e, ok
}

func (c *rightsCache) putSession(s store.Session, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions == nil {
		c.sessions = map[SessionID]sessionEntry{}
	}
	evict(c.sessions, c.limit)
	c.sessions[s.ID] = sessionEntry{generation, s}
}

func (c *rightsCache) putUser(id UserID, generation uint64, r *rights) {
	e := userEntry{generation: generation, rights: r}
	if len(r.realm) > 0 {
		e.first = r.realm[0]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users == nil {
		c.users = map[UserID]userEntry{}
	}
	evict(c.users, c.limit)
	c.users[id] = e
}

func (c *rightsCache) putMember(k memberKey, e memberEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.members == nil {
		c.members = map[memberKey]memberEntry{}
	}
	evict(c.members, c.limit)
	c.members[k] = e
}

// realmCaches has one rightsCache for each realm in use.
type realmCaches struct {
	limit  int // of each rightsCache
	mu     sync.Mutex
	realms map[Realm]*rightsCache
}

const maxRealms = 1024

func (c *realmCaches) of(realm Realm) *rightsCache {
	c.mu.Lock()
	defer c.mu.Unlock()
	if rc := c.realms[realm]; rc != nil {
		return rc
	}
	if c.realms == nil {
		c.realms = map[Realm]*rightsCache{}
	}
	evict(c.realms, maxRealms)
	rc := &rightsCache{limit: c.limit}
	c.realms[realm] = rc
	return rc
}

// evict makes room for one more of at most limit entries.
func evict[K comparable, V any](m map[K]V, limit int) {
	if len(m) < limit {
		return
	}
	for k := range m {
		delete(m, k)
		return
	}
}

// keptRights returns the acting user's entry, which was exact at its generation
// and need not be now, or the zero entry if there is none.
func (m *Manager) keptRights() userEntry {
	if m.actor.kind != ActorUser || m.actor.organization != "" || m.actor.passwordChange || m.actor.tenant != "" {
		return userEntry{}
	}
	return m.rights.kept(UserID(m.actor.id))
}

// cachedRights returns the acting user's entry if it is exact now, or else the
// zero entry.
func (m *Manager) cachedRights(ctx context.Context) userEntry {
	e := m.keptRights()
	if e.rights == nil {
		return e
	}
	if g, err := m.store.Generation(ctx, m.realm); err != nil || g != e.generation {
		return userEntry{}
	}
	return e
}

// Can reports whether the actor holds the permission at the scope now, as the
// store has it: after a change of rights that has been committed by any
// process, the next call knows. The host holds everything; someone unknown or
// disabled holds nothing. An error means that the store could not be asked.
func (m *Manager) Can(ctx context.Context, p Permission, s Scope) (bool, error) {
	if m.actor.kind == ActorHost {
		return true, nil
	}
	e := m.cachedRights(ctx)
	if e.first != nil && e.first.has(p) {
		return true, nil
	}
	if e.rights != nil {
		if e.rights.has(p, s) {
			return true, nil
		}
		if s.kind != store.ScopeOrganization {
			return false, nil
		}
		if set := m.rights.member(memberKey{UserID(m.actor.id), OrganizationID(s.id)}, e.generation); set != nil {
			return set.has(p), nil
		}
	}
	return canFromStore(ctx, *m, p, s)
}

// canFromStore takes the Manager by value, so that one made for a single
// question, as in m.As(actor).Can(…), stays on the stack.
func canFromStore(ctx context.Context, m Manager, p Permission, s Scope) (bool, error) {
	var can bool
	err := m.store.View(ctx, m.realm, func(r store.Reader) error {
		var err error
		g := &guard{m: &m, r: r, fill: true}
		can, err = g.can(ctx, p, s)
		return err
	})
	return can, err
}

// Require returns nil if the actor holds the permission at the scope, and a
// [*ForbiddenError] if not.
func (m *Manager) Require(ctx context.Context, p Permission, s Scope) error {
	ok, err := m.Can(ctx, p, s)
	if err == nil && !ok {
		err = m.denied(ctx, slog.LevelInfo, &ForbiddenError{Permission: p})
	}
	return err
}

// Admitted returns nil unless the actor is tied to a tenant that he is outside
// of (see [Actor.InTenant]): then he may do nothing, and it is a
// [*ForbiddenError]. Every operation asks this for itself; a host asks it where
// it serves something that takes no right.
func (m *Manager) Admitted(ctx context.Context) error {
	if m.actor.tenant == "" {
		return nil
	}
	return m.weigh(ctx, func(g *guard) error {
		ok, err := g.admitted(ctx)
		if err == nil && !ok {
			err = &ForbiddenError{Reason: "you are outside of the tenant"}
		}
		return err
	})
}
