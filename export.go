package usermgmt

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/usermgmt-go/usermgmt/store"
)

// Export states all that the realm holds, as of one moment: applied to an
// empty realm it makes one in which every password, vendor secret, API key and
// organization token works as before. Sessions, one-time codes and events are
// not part of it, nor are times and versions. It holds password hashes, so
// treat it as a secret. It is the host's and the realm's administrators'. The
// whole of it is held in memory.
func (m *Manager) Export(ctx context.Context) (Snapshot, error) {
	var s Snapshot
	err := m.view(ctx, func(g *guard) error {
		if err := g.needAll(ctx, All); err != nil {
			return err
		}
		e := exporting{guard: g, roles: map[RoleID]Role{}, usernames: map[UserID]string{}}
		if err := e.realm(ctx); err != nil {
			return err
		}
		s = e.out
		return nil
	})
	return s, err
}

// exporting is one snapshot of the realm being written down.
type exporting struct {
	*guard
	out       Snapshot
	roles     map[RoleID]Role
	usernames map[UserID]string
}

func (e *exporting) realm(ctx context.Context) error {
	custom, err := e.r.Permissions(ctx)
	if err != nil {
		return err
	}
	for _, p := range custom {
		e.out.Permissions = append(e.out.Permissions, Permission(p))
	}
	for _, export := range []func(context.Context) error{e.exportTenants, e.exportRoles, e.exportUsers, e.exportVendors, e.exportOrganizations} {
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
		e.out.Tenants = append(e.out.Tenants, SnapshotTenant{ID: t.ID, Name: &t.Name, Type: &t.Type})
		return nil
	})
}

func (e *exporting) exportRoles(ctx context.Context) error {
	for _, b := range builtins {
		e.roles[b.role.ID] = b.role
	}
	return pages(func(limit int, last *store.Role) ([]store.Role, error) {
		return e.r.Roles(ctx, value(last).ID, limit)
	}, func(r store.Role) error {
		e.roles[r.ID] = Role(r)
		s := SnapshotRole{ID: r.ID, Name: r.Name, Scope: r.Scope.String(), Description: &r.Description}
		for _, p := range r.Permissions {
			s.Permissions = append(s.Permissions, Permission(p))
		}
		e.out.Roles = append(e.out.Roles, s)
		return nil
	})
}

func (e *exporting) exportUsers(ctx context.Context) error {
	return e.eachUser(ctx, store.UserQuery{}, func(u store.User) error {
		e.usernames[u.ID] = u.Username
		s := SnapshotUser{
			ID: u.ID, Username: u.Username, Email: &u.Email, EmailClaimed: u.EmailClaimed, FirstName: &u.FirstName, LastName: &u.LastName, Locale: &u.Locale,
			Disabled: &u.Disabled, Attributes: u.Attributes, Tags: u.Tags, Tenants: u.Tenants,
		}
		for _, g := range u.Grants {
			e.exportGrant(&s, g)
		}
		c, err := e.r.Credential(ctx, u.ID)
		switch {
		case err == nil:
			s.PasswordHash, s.TemporaryPassword = c.Hash, c.Temporary
		case !errors.Is(err, ErrNotFound):
			return err
		}
		e.out.Users = append(e.out.Users, s)
		return nil
	})
}

func (e *exporting) exportGrant(s *SnapshotUser, g Grant) {
	if g.Permission != "" {
		s.Permissions = append(s.Permissions, Permission(g.Permission))
		return
	}
	grant := SnapshotGrant{Name: e.roles[g.Role].Name}
	switch g.Kind {
	case ScopeFacility:
		grant.Facilities = append([]string{}, g.Scopes...)
	case ScopeOrganization:
		grant.Organizations = []OrganizationID{}
		for _, id := range g.Scopes {
			grant.Organizations = append(grant.Organizations, OrganizationID(id))
		}
	}
	s.Roles = append(s.Roles, grant)
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
		e.out.Vendors = append(e.out.Vendors, s)
		return nil
	})
}

func exportDigest(d store.Digest, created, expires store.Time) SecretDigest {
	s := SecretDigest{SHA256: hex.EncodeToString(d[:]), CreatedAt: created}
	if !expires.IsZero() {
		s.ExpiresAt = &expires
	}
	return s
}

func (e *exporting) exportOrganizations(ctx context.Context) error {
	return pages(func(limit int, last *store.Organization) ([]store.Organization, error) {
		return e.r.Organizations(ctx, store.OrganizationQuery{After: value(last).ID, Limit: limit})
	}, func(o store.Organization) error {
		matches := o.MatchDomain != ""
		s := SnapshotOrganization{
			MatchDomain: &matches,
			ID:          o.ID, Slug: &o.Slug, Name: &o.Name, Domain: &o.Domain, VendorOrganizationID: o.VendorOrganizationID, OEMProvisioning: &o.OEMProvisioning,
		}
		i := slices.IndexFunc(e.out.Vendors, func(v SnapshotVendor) bool { return v.ID == o.VendorID })
		if i >= 0 {
			s.Vendor = e.out.Vendors[i].ClientID
		}
		if err := e.exportMembers(ctx, &s); err != nil {
			return err
		}
		if err := e.exportKeys(ctx, &s); err != nil {
			return err
		}
		e.out.Organizations = append(e.out.Organizations, s)
		return nil
	})
}

func (e *exporting) exportMembers(ctx context.Context, s *SnapshotOrganization) error {
	err := pages(func(limit int, last *store.Membership) ([]store.Membership, error) {
		return e.r.Members(ctx, store.MemberQuery{Organization: s.ID, After: value(last).UserID, Limit: limit})
	}, func(ms store.Membership) error {
		member := SnapshotMember{User: e.usernames[ms.UserID], Role: e.roles[ms.Role].Name, Tags: ms.Tags, VendorUserID: &ms.VendorUserID}
		err := pages(func(limit int, last *store.Token) ([]store.Token, error) {
			return e.r.OrganizationTokens(ctx, s.ID, ms.UserID, value(last).Digest, limit)
		}, func(t store.Token) error {
			member.TokenDigests = append(member.TokenDigests, exportDigest(t.Digest, t.CreatedAt, t.ExpiresAt))
			return nil
		})
		if err != nil {
			return err
		}
		s.Members = append(s.Members, member)
		return nil
	})
	slices.SortStableFunc(s.Members, func(a, b SnapshotMember) int { return strings.Compare(a.User, b.User) })
	return err
}

func (e *exporting) exportKeys(ctx context.Context, s *SnapshotOrganization) error {
	return pages(func(limit int, last *store.Key) ([]store.Key, error) {
		return e.r.Keys(ctx, s.ID, value(last).ID, limit)
	}, func(k store.Key) error {
		digest := exportDigest(k.Digest, k.CreatedAt, k.ExpiresAt)
		s.APIKeys = append(s.APIKeys, SnapshotKey{ID: k.ID, Name: k.Name, KeyDigest: &digest, Role: e.roles[k.Role].Name, Owner: e.usernames[k.Owner]})
		return nil
	})
}
