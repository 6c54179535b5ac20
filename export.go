package usermgmt

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"

	"github.com/usermgmt-go/usermgmt/store"
)

// Export states all that the realm holds, as of one moment: applied to an
// empty realm it makes one in which every password, vendor secret, API key and
// organization token works as before. Sessions, one-time codes and events are
// not part of it, nor are times, versions and who created what. It holds password
// hashes, so treat it as a secret. It is the host's and the realm's
// administrators'. The whole of it is held in memory; see [Manager.ExportTo].
func (m *Manager) Export(ctx context.Context) (Snapshot, error) {
	var s Snapshot
	if err := m.export(ctx, func(entry any) error { s.add(entry); return nil }); err != nil {
		return Snapshot{}, err
	}
	return s, nil
}

// add appends an entry as export gives it.
func (s *Snapshot) add(entry any) {
	switch e := entry.(type) {
	case Permission:
		s.Permissions = append(s.Permissions, e)
	case SnapshotTenant:
		s.Tenants = append(s.Tenants, e)
	case SnapshotRole:
		s.Roles = append(s.Roles, e)
	case SnapshotUser:
		s.Users = append(s.Users, e)
	case SnapshotVendor:
		s.Vendors = append(s.Vendors, e)
	case SnapshotOrganization:
		s.Organizations = append(s.Organizations, e)
	case SnapshotMember:
		o := &s.Organizations[len(s.Organizations)-1]
		o.Members = append(o.Members, e)
	case SnapshotKey:
		o := &s.Organizations[len(s.Organizations)-1]
		o.APIKeys = append(o.APIKeys, e)
	case SnapshotUserGrants:
		s.Grants = append(s.Grants, e)
	}
}

// export gives every entry of the realm to put, in the order of a Snapshot. An
// organization comes without its members and its keys, which come next, active
// owners first. It reads by pages and keeps none of them.
//
// The rights are those of the snapshot itself: a View that may run again would
// write again.
func (m *Manager) export(ctx context.Context, put func(entry any) error) error {
	return m.denied(ctx, slog.LevelInfo, m.store.View(ctx, m.realm, func(r store.Reader) error {
		g := &guard{m: m, r: r}
		if err := g.needAll(ctx, All); err != nil {
			return err
		}
		e := exporting{guard: g, put: put, roles: map[RoleID]string{}}
		return e.realm(ctx)
	}))
}

// exporting is one snapshot of the realm being written down.
type exporting struct {
	*guard
	put func(entry any) error
	// roles are names of roles that were met, at most maxRoleNames.
	roles map[RoleID]string
}

const maxRoleNames = 4096

func (e *exporting) realm(ctx context.Context) error {
	custom, err := e.r.Permissions(ctx)
	if err != nil {
		return err
	}
	for _, p := range custom {
		if err := e.put(Permission(p)); err != nil {
			return err
		}
	}
	for _, export := range []func(context.Context) error{e.exportTenants, e.exportRoles, e.exportUsers, e.exportVendors, e.exportOrganizations, e.exportGrants} {
		if err := export(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pages reads a list to its end.
func pages[T any](read func(limit int, last *T) ([]T, error), each func(T) error) error {
	var last *T
	for {
		page, err := read(batch, last)
		if err != nil {
			return err
		}
		for _, item := range page {
			if err := each(item); err != nil {
				return err
			}
		}
		if len(page) < batch {
			return nil
		}
		last = &page[len(page)-1]
	}
}

func (e *exporting) exportTenants(ctx context.Context) error {
	return pages(func(limit int, last *store.Tenant) ([]store.Tenant, error) {
		return e.r.Tenants(ctx, value(last).ID, limit)
	}, func(t store.Tenant) error {
		return e.put(SnapshotTenant{ID: t.ID, Name: &t.Name, Type: &t.Type})
	})
}

// eachRole calls f for every role that the realm made.
func (e *exporting) eachRole(ctx context.Context, f func(store.Role) error) error {
	return pages(func(limit int, last *store.Role) ([]store.Role, error) {
		return e.r.Roles(ctx, value(last).ID, limit)
	}, f)
}

func (e *exporting) exportRoles(ctx context.Context) error {
	return e.eachRole(ctx, func(r store.Role) error {
		e.named(r.ID, r.Name)
		s := SnapshotRole{ID: r.ID, Name: r.Name, Scope: r.Scope.String(), Description: &r.Description}
		for _, p := range r.Permissions {
			s.Permissions = append(s.Permissions, Permission(p))
		}
		return e.put(s)
	})
}

// roleName returns the name of a role, empty for one that is gone.
func (e *exporting) roleName(ctx context.Context, id RoleID) (string, error) {
	if name, ok := e.roles[id]; ok {
		return name, nil
	}
	r, err := e.role(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", err
	}
	e.named(id, r.Name)
	return r.Name, nil
}

func (e *exporting) named(id RoleID, name string) {
	evict(e.roles, maxRoleNames)
	e.roles[id] = name
}

func (e *exporting) exportUsers(ctx context.Context) error {
	q := store.UserQuery{Limit: batch}
	for {
		page, err := e.r.Users(ctx, q)
		if err != nil || len(page) == 0 {
			return err
		}
		ids := make([]UserID, len(page))
		for i, u := range page {
			ids[i] = u.ID
		}
		found, err := e.r.CredentialsByID(ctx, ids)
		if err != nil {
			return err
		}
		credentials := make(map[UserID]store.Credential, len(found))
		for _, c := range found {
			credentials[c.UserID] = c
		}
		for _, u := range page {
			if err := e.exportUser(ctx, u, credentials[u.ID]); err != nil {
				return err
			}
		}
		if len(page) < batch {
			return nil
		}
		q.After = page[len(page)-1].ID
	}
}

// exportUser writes a user with his credential, the zero one if he has none.
func (e *exporting) exportUser(ctx context.Context, u store.User, c store.Credential) error {
	s := SnapshotUser{
		ID: u.ID, Username: u.Username, Email: &u.Email, EmailClaimed: u.EmailClaimed, FirstName: &u.FirstName, LastName: &u.LastName, Locale: &u.Locale,
		PasswordHash: c.Hash, TemporaryPassword: c.Temporary,
		Disabled: &u.Disabled, Attributes: u.Attributes, Tags: u.Tags, Tenants: u.Tenants,
	}
	for _, g := range u.Grants {
		if g.Permission != "" {
			s.Permissions = append(s.Permissions, Permission(g.Permission))
			continue
		}
		grant, err := e.grant(ctx, g)
		if err != nil {
			return err
		}
		if grant.Name != "" && !grant.listsOrganizations() {
			s.Roles = append(s.Roles, grant)
		}
	}
	return e.put(s)
}

// grant states a grant of a role. Its name is empty for a role that is gone,
// which gives nothing.
func (e *exporting) grant(ctx context.Context, g Grant) (SnapshotGrant, error) {
	name, err := e.roleName(ctx, g.Role)
	s := SnapshotGrant{Name: name}
	switch g.Kind {
	case ScopeFacility:
		s.Facilities = append([]string{}, g.Scopes...)
	case ScopeOrganization:
		s.Organizations = []OrganizationID{}
		for _, id := range g.Scopes {
			s.Organizations = append(s.Organizations, OrganizationID(id))
		}
	}
	return s, err
}

func (e *exporting) exportVendors(ctx context.Context) error {
	return pages(func(limit int, last *store.Vendor) ([]store.Vendor, error) {
		return e.r.Vendors(ctx, value(last).ID, limit)
	}, func(v store.Vendor) error {
		s := SnapshotVendor{ID: v.ID, Name: &v.Name, ClientID: v.ClientID, Scopes: v.Scopes, Disabled: &v.Disabled}
		secrets, err := e.r.VendorSecrets(ctx, v.ID)
		if err != nil {
			return err
		}
		for _, secret := range secrets {
			s.ClientSecretDigests = append(s.ClientSecretDigests, exportDigest(secret.Digest, secret.CreatedAt, secret.ExpiresAt))
		}
		return e.put(s)
	})
}

func exportDigest(d store.Digest, created, expires store.Time) SecretDigest {
	s := SecretDigest{SHA256: hex.EncodeToString(d[:]), CreatedAt: created}
	if !expires.IsZero() {
		s.ExpiresAt = &expires
	}
	return s
}

// exportGrants writes who holds a role at listed organizations, role by role.
func (e *exporting) exportGrants(ctx context.Context) error {
	for _, b := range builtins {
		if b.role.Scope != ScopeOrganization {
			continue
		}
		if err := e.exportHolders(ctx, b.role.ID); err != nil {
			return err
		}
	}
	return e.eachRole(ctx, func(r store.Role) error {
		if r.Scope != ScopeOrganization {
			return nil
		}
		return e.exportHolders(ctx, r.ID)
	})
}

func (e *exporting) exportHolders(ctx context.Context, role RoleID) error {
	return e.eachUser(ctx, store.UserQuery{Role: role}, func(u store.User) error {
		for _, g := range u.Grants {
			if g.Role != role {
				continue
			}
			grant, err := e.grant(ctx, g)
			if err != nil {
				return err
			}
			if !grant.listsOrganizations() {
				continue
			}
			if err := e.put(SnapshotUserGrants{User: u.Username, Roles: []SnapshotGrant{grant}}); err != nil {
				return err
			}
		}
		return nil
	})
}
