package usermgmt

import (
	"cmp"
	"context"
	"hash/maphash"
	"slices"

	"github.com/usermgmt-go/usermgmt/internal/identity"
	"github.com/usermgmt-go/usermgmt/store"
)

// aheadSize is how many entries of a list are looked up together, and so how
// many users are held in memory meanwhile.
const aheadSize = 4000

// keepMost is how many users are held in memory where members are to be told of.
const keepMost = 1 << 17

// ahead is a Reader that has looked up in few calls what is then asked one by
// one, and remembers what it was told, absence included. That is exact within a
// unit of work, which sees the realm as nobody else changes it, as long as it
// hears of the unit's own writes; see aheadTx. Its own lists come from the store.
type ahead struct {
	store.Reader
	users       map[UserID]store.User          // Version 0: nobody
	names       map[string]UserID              // by UsernameKey; empty for nobody, else one of users
	credentials map[UserID]store.Credential    // Version 0: none
	members     map[memberKey]store.Membership // Version 0: none
	pages       map[OrganizationID][]memberAnswer
	roles       map[RoleID]store.Role // Version 0: none
	roleNames   map[roleName]RoleID   // empty for none
	tenants     map[TenantID]store.Tenant
	permissions []string                              // nil for not known
	orgs        map[OrganizationID]store.Organization // Version 0: none
	empty       map[OrganizationID]bool               // that came with this unit, and have no members yet
	// fresh are users that came with this unit and have no sessions, at most
	// aheadSize of them; true for those who have no credential either.
	fresh map[UserID]bool
	// came, if it is not nil, says that the realm had no users before the unit. It
	// has the digests of all ids and names that users had since.
	came  map[uint64]struct{}
	seed  maphash.Seed // of came
	asked bool         // whether the realm has users
	// keep is how many users are remembered at least. It is 0 if nothing will be
	// said any more of those who come to an empty realm.
	keep int
}

type roleName struct {
	scope ScopeKind
	name  string
}

// memberAnswer is what a query for members returned.
type memberAnswer struct {
	q    store.MemberQuery
	page []store.Membership
}

func newAhead(r store.Reader) *ahead {
	a := &ahead{Reader: r}
	a.forget()
	return a
}

// forget makes everything be asked again.
func (a *ahead) forget() {
	*a = ahead{
		Reader: a.Reader,
		users:  map[UserID]store.User{}, names: map[string]UserID{}, credentials: map[UserID]store.Credential{},
		members: map[memberKey]store.Membership{}, pages: map[OrganizationID][]memberAnswer{},
		roles: map[RoleID]store.Role{}, roleNames: map[roleName]RoleID{}, tenants: map[TenantID]store.Tenant{},
		orgs: map[OrganizationID]store.Organization{}, empty: map[OrganizationID]bool{}, fresh: map[UserID]bool{},
		asked: a.asked, keep: a.keep,
	}
}

// lookUpMembers looks up the users of entries, and what memberships of the
// organization they have. Who writes has taken its lock before.
func (a *ahead) lookUpMembers(ctx context.Context, org OrganizationID, entries []SnapshotMember) error {
	clear(a.members)
	names := make([]string, len(entries))
	for i, s := range entries {
		names[i] = s.User
	}
	if err := a.lookUp(ctx, nil, names); err != nil {
		return err
	}
	var ids []UserID
	for _, name := range names {
		if key, err := identity.FoldUsername(name); err == nil && a.names[key] != "" {
			ids = append(ids, a.names[key])
		}
	}
	var ms []store.Membership
	if len(ids) > 0 && !a.empty[org] {
		var err error
		if ms, err = a.Reader.MembersByID(ctx, org, ids); err != nil {
			return err
		}
	}
	for _, id := range ids {
		a.members[memberKey{id, org}] = store.Membership{}
	}
	for _, m := range ms {
		a.members[memberKey{m.UserID, org}] = m
	}
	return nil
}

// lookUpOrganizations looks up organizations by their ids.
func (a *ahead) lookUpOrganizations(ctx context.Context, ids []OrganizationID) error {
	clear(a.orgs)
	for part := range slices.Chunk(ids, MaxPage) {
		os, err := a.Reader.OrganizationsByID(ctx, part)
		if err != nil {
			return err
		}
		for _, id := range part {
			a.orgs[id] = store.Organization{}
		}
		for _, o := range os {
			a.orgs[o.ID] = o
		}
	}
	return nil
}

// found is the error for a record that has the version 0.
func found(version int64) error {
	if version == 0 {
		return ErrNotFound
	}
	return nil
}

func (a *ahead) Membership(ctx context.Context, org OrganizationID, user UserID) (store.Membership, error) {
	m, ok := a.members[memberKey{user, org}]
	if !ok {
		return a.Reader.Membership(ctx, org, user)
	}
	return m.Clone(), found(m.Version)
}

// Members answers the questions of the rule of owners, which each member raises.
func (a *ahead) Members(ctx context.Context, q store.MemberQuery) ([]store.Membership, error) {
	for _, p := range a.pages[q.Organization] {
		if p.q.After == q.After && p.q.Limit == q.Limit && slices.Equal(p.q.Roles, q.Roles) {
			return cloneMembers(p.page), nil
		}
	}
	var page []store.Membership
	var err error
	if !a.empty[q.Organization] {
		page, err = a.Reader.Members(ctx, q)
	}
	if err == nil {
		q.Roles = slices.Clone(q.Roles)
		a.pages[q.Organization] = append(a.pages[q.Organization], memberAnswer{q, cloneMembers(page)})
	}
	return page, err
}

func cloneMembers(ms []store.Membership) []store.Membership {
	ms = slices.Clone(ms)
	for i := range ms {
		ms[i] = ms[i].Clone()
	}
	return ms
}

// joined brings the organization's pages up to date.
func (a *ahead) joined(m store.Membership) {
	pages := a.pages[m.OrganizationID]
	for i, p := range pages {
		if len(p.q.Roles) > 0 && !slices.Contains(p.q.Roles, m.Role) || m.UserID <= p.q.After {
			continue
		}
		at, _ := slices.BinarySearchFunc(p.page, m.UserID, func(e store.Membership, id UserID) int { return cmp.Compare(e.UserID, id) })
		if at < p.q.Limit {
			page := slices.Insert(p.page, at, m.Clone())
			pages[i].page = page[:min(len(page), p.q.Limit)]
		}
	}
}

func (a *ahead) Role(ctx context.Context, id RoleID) (store.Role, error) {
	r, ok := a.roles[id]
	if !ok {
		var err error
		if r, err = a.Reader.Role(ctx, id); absent(err) != nil {
			return r, err
		}
		evict(a.roles, maxRoleNames)
		a.roles[id] = r
	}
	return r.Clone(), found(r.Version)
}

func (a *ahead) RoleByName(ctx context.Context, scope ScopeKind, name string) (store.Role, error) {
	key := roleName{scope, name}
	if id, ok := a.roleNames[key]; ok && id != "" {
		return a.Role(ctx, id)
	} else if ok {
		return store.Role{}, ErrNotFound
	}
	r, err := a.Reader.RoleByName(ctx, scope, name)
	if absent(err) != nil {
		return r, err
	}
	if err == nil {
		a.rememberRole(r)
	} else {
		evict(a.roleNames, maxRoleNames)
		a.roleNames[key] = ""
	}
	return r.Clone(), err
}

func (a *ahead) rememberRole(r store.Role) {
	evict(a.roles, maxRoleNames)
	evict(a.roleNames, maxRoleNames)
	a.roles[r.ID], a.roleNames[roleName{r.Scope, r.Name}] = r, r.ID
}

func (a *ahead) Tenant(ctx context.Context, id TenantID) (store.Tenant, error) {
	t, ok := a.tenants[id]
	if !ok {
		var err error
		if t, err = a.Reader.Tenant(ctx, id); absent(err) != nil {
			return t, err
		}
		evict(a.tenants, maxRoleNames)
		a.tenants[id] = t
	}
	return t, found(t.Version)
}

func (a *ahead) Permissions(ctx context.Context) ([]string, error) {
	if a.permissions == nil {
		ps, err := a.Reader.Permissions(ctx)
		if err != nil {
			return nil, err
		}
		a.permissions = append([]string{}, ps...)
	}
	return slices.Clone(a.permissions), nil
}

func (a *ahead) Organization(ctx context.Context, id OrganizationID) (store.Organization, error) {
	o, ok := a.orgs[id]
	if !ok {
		return a.Reader.Organization(ctx, id)
	}
	return o, found(o.Version)
}

func (a *ahead) OrganizationsByID(ctx context.Context, ids []OrganizationID) ([]store.Organization, error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var os []store.Organization
	for _, id := range ids {
		o, ok := a.orgs[id]
		if !ok {
			return a.Reader.OrganizationsByID(ctx, ids)
		}
		if o.Version > 0 {
			os = append(os, o)
		}
	}
	return os, nil
}
