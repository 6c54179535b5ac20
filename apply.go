package usermgmt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/usermgmt-go/usermgmt/internal/identity"
	"github.com/usermgmt-go/usermgmt/store"
)

// Apply brings the realm to what the Snapshot states, in one unit of work:
// whole or not at all. Applying it again changes nothing and writes nothing.
// It is the host's and the realm's administrators'. Errors name the entry, as
// in `users[2] "root@example.com": …`. Passwords in plain text cost a hash
// each, before the unit begins.
func (m *Manager) Apply(ctx context.Context, s Snapshot) error {
	return m.applyPart(ctx, part{Snapshot: s})
}

// part is a Snapshot that may be a piece of a longer one.
type part struct {
	Snapshot
	// first is where the lists of the piece begin in those of the whole, and
	// firstMember and firstKey where those of its first organization do.
	first, firstMember, firstKey int
	// late are roles of users that have waited for organizations to be there.
	late []lateGrants
}

// lateGrants are roles of an entry of users that are given after organizations.
type lateGrants struct {
	index int
	user  SnapshotUser // without what was applied before
}

// applyPart applies the part in one unit of work.
func (m *Manager) applyPart(ctx context.Context, p part) error {
	const tries = 3
	for try := 1; ; try++ {
		passwords, err := m.planPasswords(ctx, p)
		if err != nil {
			return err
		}
		err = m.update(ctx, func(g *guard) error {
			if err := g.needAll(ctx, All); err != nil {
				return err
			}
			a := applying{g, g.readAhead(), passwords}
			return a.part(ctx, p)
		})
		// A password that changed since the plan was made asks for a new plan.
		if !errors.Is(err, errPlanOutdated) || try == tries {
			return err
		}
	}
}

var errPlanOutdated = fmt.Errorf("passwords are being changed meanwhile: %w", ErrBusy)

// applying is one unit of work that applies a Snapshot.
type applying struct {
	*guard
	ahead     *ahead // which the guard reads by
	passwords []plannedPassword
}

func (a applying) part(ctx context.Context, s part) error {
	for i, p := range s.Permissions {
		if err := p.check(false); err != nil {
			return entry("permissions", s.first+i, string(p), invalid("permission", err.Error()))
		}
		if err := a.createPermission(ctx, p); err != nil {
			return entry("permissions", s.first+i, string(p), err)
		}
	}
	for i, t := range s.Tenants {
		if err := a.tenant(ctx, t); err != nil {
			return entry("tenants", s.first+i, string(t.ID), err)
		}
	}
	for i, r := range s.Roles {
		if err := a.applyRole(ctx, r); err != nil {
			return entry("roles", s.first+i, r.Name, err)
		}
	}
	if len(s.Organizations)+len(s.Grants) > 0 {
		a.ahead.keep = keepMost
	}
	for i, u := range s.Users {
		now, later := u.splitGrants()
		if later.Roles != nil {
			s.late = append(s.late, lateGrants{s.first + i, later})
		}
		if i%aheadSize == 0 {
			if err := a.ahead.lookUpUsers(ctx, s.Users[i:min(i+aheadSize, len(s.Users))]); err != nil {
				return err
			}
		}
		err := a.applyUser(ctx, now, a.passwords[i])
		if errors.Is(err, ErrExists) { // the user may have come since he was looked up
			a.ahead.forget()
			err = a.applyUser(ctx, now, a.passwords[i])
		}
		if err != nil {
			return entry("users", s.first+i, u.Username, err)
		}
	}
	for i, v := range s.Vendors {
		if err := a.applyVendor(ctx, v); err != nil {
			return entry("vendors", s.first+i, v.ClientID, err)
		}
	}
	ahead := 0 // how many organizations have been looked up
	for i, o := range s.Organizations {
		if i == ahead {
			n, err := a.lookUpOrganizations(ctx, s.Organizations[i:])
			if err != nil {
				return err
			}
			ahead += n
		}
		firstMember, firstKey := 0, 0
		if i == 0 {
			firstMember, firstKey = s.firstMember, s.firstKey
		}
		if err := a.applyOrganization(ctx, o, firstMember, firstKey); err != nil {
			return entry("organizations", s.first+i, o.label(), err)
		}
	}
	for i, l := range s.late {
		if i%aheadSize == 0 {
			if err := a.lookUpLate(ctx, s.late[i:min(i+aheadSize, len(s.late))]); err != nil {
				return err
			}
		}
		if err := a.applyLate(ctx, l.user); err != nil {
			return entry("users", l.index, l.user.Username, err)
		}
	}
	for i, u := range s.Grants {
		if i%aheadSize == 0 {
			if err := a.lookUpGrants(ctx, s.Grants[i:min(i+aheadSize, len(s.Grants))]); err != nil {
				return err
			}
		}
		if err := a.applyGrants(ctx, u); err != nil {
			return entry("grants", s.first+i, u.User, err)
		}
	}
	return nil
}

// entry says which entry of a Snapshot an error is about.
func entry(list string, i int, name string, err error) error {
	return fmt.Errorf("%s[%d] %q: %w", list, i, name, err)
}

// value returns what p points to, or the zero value for nil.
func value[T any](p *T) T {
	var v T
	if p != nil {
		v = *p
	}
	return v
}

func (a applying) tenant(ctx context.Context, t SnapshotTenant) error {
	if t.ID == "" {
		return invalid("id", "must not be empty")
	}
	_, err := a.r.Tenant(ctx, t.ID)
	if err == nil {
		_, err = a.updateTenant(ctx, t.ID, TenantUpdate{Name: t.Name, Type: t.Type})
		return err
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	record, err := a.m.tenantRecord(NewTenant{ID: t.ID, Name: value(t.Name), Type: value(t.Type)})
	if err != nil {
		return err
	}
	return a.createTenant(ctx, record)
}

var scopeKinds = map[string]ScopeKind{"": ScopeRealm, "realm": ScopeRealm, "organization": ScopeOrganization, "facility": ScopeFacility}

func (a applying) applyRole(ctx context.Context, s SnapshotRole) error {
	kind, ok := scopeKinds[s.Scope]
	if !ok {
		return invalid("scope", "must be realm, organization or facility")
	}
	role, err := a.roleByName(ctx, kind, s.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		r, err := a.m.roleRecord(NewRole{Scope: kind, Name: s.Name, Description: value(s.Description), Permissions: s.Permissions})
		if err != nil {
			return err
		}
		if s.ID != "" {
			if strings.HasPrefix(string(s.ID), builtinPrefix) {
				return invalid("id", "must not be like those of built-in roles")
			}
			r.ID = s.ID
		}
		r.CreatedBy = HostActor().String() // whoever applies, the Snapshot is the host's
		return a.createRole(ctx, r)
	case err != nil:
		return err
	case IsBuiltin(role.ID):
		return invalid("name", "is a built-in role's")
	}
	_, err = a.updateRole(ctx, store.Role(role), RoleUpdate{Description: s.Description, Add: s.Permissions})
	return err
}

// splitGrants divides an entry into what can be applied before organizations and
// the roles at listed organizations, of an entry that says nothing else.
func (s SnapshotUser) splitGrants() (now, later SnapshotUser) {
	now, later = s, SnapshotUser{ID: s.ID, Username: s.Username}
	if !slices.ContainsFunc(s.Roles, SnapshotGrant.listsOrganizations) {
		return now, later
	}
	now.Roles = nil
	for _, r := range s.Roles {
		if r.listsOrganizations() {
			later.Roles = append(later.Roles, r)
		} else {
			now.Roles = append(now.Roles, r)
		}
	}
	return now, later
}

// listsOrganizations reports whether the grant is at organizations that have to
// be there.
func (r SnapshotGrant) listsOrganizations() bool { return len(r.Organizations) > 0 }

func (a applying) applyUser(ctx context.Context, s SnapshotUser, p plannedPassword) error {
	grants, err := a.grants(ctx, s)
	if err != nil {
		return err
	}
	u, err := findUser(ctx, a.r, s)
	switch {
	case errors.Is(err, ErrNotFound):
		u, err = a.m.userRecord(NewUser{
			ID: s.ID, Username: s.Username, Email: value(s.Email), FirstName: value(s.FirstName), LastName: value(s.LastName), Locale: value(s.Locale),
			Disabled: value(s.Disabled), Attributes: s.Attributes, Tags: s.Tags, Grants: grants, Tenants: s.Tenants,
		})
		if err != nil {
			return err
		}
		u.EmailClaimed = s.EmailClaimed && u.EmailKey != ""
		if err := a.mayCreate(ctx, u); err != nil {
			return err
		}
		err = a.createUser(ctx, u)
	case err == nil:
		u, err = a.updateUser(ctx, u, s.update(u, grants))
	}
	if err != nil {
		return err
	}
	return a.applyPassword(ctx, u, s, p)
}

// applyLate gives the roles of the entry, which says nothing else.
func (a applying) applyLate(ctx context.Context, s SnapshotUser) error {
	u, err := findUser(ctx, a.r, s)
	if err != nil {
		return err
	}
	return a.addGrants(ctx, u, s.Roles)
}

func (a applying) lookUpLate(ctx context.Context, late []lateGrants) error {
	users := make([]SnapshotUser, len(late))
	var roles []SnapshotGrant
	for i, l := range late {
		users[i] = l.user
		roles = append(roles, l.user.Roles...)
	}
	return cmp.Or(a.ahead.lookUpUsers(ctx, users), a.lookUpPlaces(ctx, roles))
}

func (a applying) lookUpGrants(ctx context.Context, entries []SnapshotUserGrants) error {
	names := make([]string, len(entries))
	var roles []SnapshotGrant
	for i, e := range entries {
		names[i] = e.User
		roles = append(roles, e.Roles...)
	}
	return cmp.Or(a.ahead.lookUp(ctx, nil, names), a.lookUpPlaces(ctx, roles))
}

// lookUpPlaces looks up the organizations at which roles are stated.
func (a applying) lookUpPlaces(ctx context.Context, roles []SnapshotGrant) error {
	var ids []OrganizationID
	for _, r := range roles {
		ids = append(ids, r.Organizations...)
	}
	return a.ahead.lookUpOrganizations(ctx, ids)
}

func (a applying) applyGrants(ctx context.Context, s SnapshotUserGrants) error {
	u, err := a.userNamed(ctx, s.User)
	if err != nil {
		return unknownAs("user", err)
	}
	return a.addGrants(ctx, u, s.Roles)
}

func (a applying) addGrants(ctx context.Context, u store.User, roles []SnapshotGrant) error {
	grants, err := a.grants(ctx, SnapshotUser{Roles: roles})
	if err == nil && len(grants) > 0 {
		_, err = a.updateUser(ctx, u, UserUpdate{AddGrants: grants})
	}
	return err
}

// findUser finds the user whom the entry is about.
func findUser(ctx context.Context, r store.Reader, s SnapshotUser) (store.User, error) {
	if s.ID != "" {
		return r.User(ctx, s.ID)
	}
	key, err := identity.FoldUsername(s.Username)
	if err != nil {
		return store.User{}, invalid("username", err.Error())
	}
	return r.UserByUsername(ctx, key)
}

// update says what of u differs from what the entry states.
func (s SnapshotUser) update(u store.User, grants []Grant) UserUpdate {
	up := UserUpdate{
		Email: s.Email, FirstName: s.FirstName, LastName: s.LastName, Locale: s.Locale,
		Disabled: s.Disabled, AddGrants: grants, AddTenants: s.Tenants,
	}
	if s.EmailClaimed && u.EmailClaimed && value(s.Email) == u.Email {
		up.Email = nil // to state it again is not to vouch for it
	}
	if s.Username != u.Username {
		up.Username = &s.Username
	}
	if len(s.Attributes) > 0 && string(s.Attributes) != "{}" {
		up.Attributes = &s.Attributes
	}
	if len(s.Tags) > 0 {
		tags := slices.Concat(u.Tags, s.Tags)
		up.Tags = &tags
	}
	return up
}

// grants resolves the names of an entry's roles.
func (a applying) grants(ctx context.Context, s SnapshotUser) ([]Grant, error) {
	var grants []Grant
	for _, r := range s.Roles {
		grant := Grant{Kind: ScopeRealm, Scopes: slices.Clone(r.Facilities)}
		switch {
		case r.Facilities != nil && r.Organizations != nil:
			return nil, invalid("roles", "role "+quote(r.Name)+" must be of one scope")
		case r.Facilities != nil:
			grant.Kind = ScopeFacility
		case r.Organizations != nil:
			grant.Kind = ScopeOrganization
			for _, id := range r.Organizations {
				grant.Scopes = append(grant.Scopes, string(id))
			}
		}
		role, err := a.roleByName(ctx, grant.Kind, r.Name)
		if errors.Is(err, ErrNotFound) {
			return nil, invalid("roles", "role "+quote(r.Name)+" of the "+grant.Kind.String()+" scope is unknown")
		}
		if err != nil {
			return nil, err
		}
		grant.Role = role.ID
		grants = append(grants, grant)
	}
	for _, p := range s.Permissions {
		grants = append(grants, Grant{Permission: string(p), Kind: ScopeRealm})
	}
	return grants, nil
}
