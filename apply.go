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
	const tries = 3
	for try := 1; ; try++ {
		passwords, err := m.planPasswords(ctx, s.Users)
		if err != nil {
			return err
		}
		err = m.update(ctx, func(g *guard) error {
			if err := g.needAll(ctx, All); err != nil {
				return err
			}
			a := applying{g, passwords}
			return a.snapshot(ctx, s)
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
	passwords []plannedPassword
}

func (a applying) snapshot(ctx context.Context, s Snapshot) error {
	for i, p := range s.Permissions {
		if err := p.check(false); err != nil {
			return entry("permissions", i, string(p), invalid("permission", err.Error()))
		}
		if err := a.createPermission(ctx, p); err != nil {
			return entry("permissions", i, string(p), err)
		}
	}
	for i, t := range s.Tenants {
		if err := a.tenant(ctx, t); err != nil {
			return entry("tenants", i, string(t.ID), err)
		}
	}
	for i, r := range s.Roles {
		if err := a.applyRole(ctx, r); err != nil {
			return entry("roles", i, r.Name, err)
		}
	}
	for i, u := range s.Users {
		if err := a.applyUser(ctx, u, a.passwords[i]); err != nil {
			return entry("users", i, u.Username, err)
		}
	}
	for i, v := range s.Vendors {
		if err := a.applyVendor(ctx, v); err != nil {
			return entry("vendors", i, v.ClientID, err)
		}
	}
	for i, o := range s.Organizations {
		if err := a.applyOrganization(ctx, o); err != nil {
			return entry("organizations", i, cmp.Or(string(o.ID), value(o.Slug), value(o.Name)), err)
		}
	}
	for i, u := range s.Users {
		if err := a.applyOrganizationGrants(ctx, u); err != nil {
			return entry("users", i, u.Username, err)
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
	_, err := a.tx.Tenant(ctx, t.ID)
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

func (a applying) applyUser(ctx context.Context, s SnapshotUser, p plannedPassword) error {
	grants, err := a.grants(ctx, s)
	if err != nil {
		return err
	}
	// The organizations that grants list come later.
	grants = slices.DeleteFunc(grants, func(g Grant) bool { return g.Kind == ScopeOrganization })
	u, err := findUser(ctx, a.tx, s)
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

func (a applying) applyOrganizationGrants(ctx context.Context, s SnapshotUser) error {
	grants, err := a.grants(ctx, s)
	if err != nil {
		return err
	}
	grants = slices.DeleteFunc(grants, func(g Grant) bool { return g.Kind != ScopeOrganization })
	if len(grants) == 0 {
		return nil
	}
	u, err := findUser(ctx, a.tx, s)
	if err == nil {
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
