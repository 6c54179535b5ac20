package usermgmt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/usermgmt-go/usermgmt/internal/identity"
	"github.com/usermgmt-go/usermgmt/store"
)

// OrganizationID identifies an organization.
type OrganizationID = store.OrganizationID

// ErrNoOrganization: the organization is not there, or the actor has no part
// in it; which of the two stays untold. It matches [ErrNotFound], and tells
// this from a member or a key that is not found in an organization.
var ErrNoOrganization error = fmt.Errorf("organization %w", ErrNotFound)

// Organization is a group of users, each with a [Membership] in it.
type Organization struct {
	ID OrganizationID
	// Slug is a short name for URLs, unique in the realm, or empty.
	Slug string
	Name string
	// Domain is the e-mail domain in canonical form, or empty.
	Domain string
	// MatchDomain is Domain where the vendor's new users are matched to this
	// organization by it, otherwise empty.
	MatchDomain string
	// VendorID is the vendor that owns the organization, or empty.
	VendorID VendorID
	// VendorOrganizationID is the vendor's own id for it, or empty. It is
	// unique among the vendor's organizations and means nothing elsewhere.
	VendorOrganizationID string
	// OEMProvisioning allows users to be provisioned by API keys.
	OEMProvisioning bool
	// CreatedBy names the actor as Event.Actor does.
	CreatedBy string
	// Version is 1 at creation and grows by one with each change. Members and
	// keys have no part in it.
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// NewOrganization is an organization to be created. Only Name is required.
type NewOrganization struct {
	// ID is the host's own id, 1 to 128 bytes, or empty for a new one.
	ID OrganizationID
	// Slug has 3 to 64 characters of [a-z0-9-], or is empty.
	Slug string
	// Name has 1 to 256 characters.
	Name string
	// Domain is an e-mail domain in whatever spelling, or empty.
	Domain string
	// Vendor owns the organization, or empty for none; see
	// [Manager.ProvisionOrganization] for what a vendor creates himself.
	Vendor VendorID
	// VendorOrganizationID is the vendor's own id, at most 128 characters.
	// Where it is empty the vendor's users are matched by Domain, unless that
	// is a public mail provider's.
	VendorOrganizationID string
	// OEMProvisioning allows users to be provisioned by API keys.
	OEMProvisioning bool
	// Owner becomes the first member, as owner; without one the organization
	// stays empty, and whoever is added first becomes its owner.
	Owner UserID
}

// CreateOrganization creates an organization. It needs organizations.add,
// and for one of a vendor vendors.update too. A duplicate is an [*ExistsError]
// for "ID", "Slug", "VendorOrganizationID" or "MatchDomain".
func (m *Manager) CreateOrganization(ctx context.Context, n NewOrganization) (Organization, error) {
	o, err := m.organizationRecord(n)
	if err != nil {
		return Organization{}, err
	}
	err = m.update(ctx, func(g *guard) error {
		if err := g.need(ctx, OrganizationsAdd, Realmwide); err != nil {
			return err
		}
		if o.VendorID != "" {
			if err := g.need(ctx, VendorsUpdate, Realmwide); err != nil {
				return err
			}
			if _, err := g.r.Vendor(ctx, o.VendorID); err != nil {
				return unknownAs("vendor", err)
			}
		}
		if err := g.createOrganization(ctx, o); err != nil || n.Owner == "" {
			return err
		}
		owner, err := g.r.User(ctx, n.Owner)
		if err != nil {
			return unknownAs("owner", err)
		}
		_, err = g.createMembership(ctx, store.Membership{OrganizationID: o.ID, UserID: owner.ID, Role: RoleOwner}, owner)
		return err
	})
	if err != nil {
		return Organization{}, err
	}
	return Organization(o), nil
}

// unknownAs is err, but where it says that what a request names is not there,
// a fault of the request's field.
func unknownAs(field string, err error) error {
	if errors.Is(err, ErrNotFound) {
		return invalid(field, "is unknown")
	}
	return err
}

// organizationRecord validates and folds what is to become an organization.
func (m *Manager) organizationRecord(n NewOrganization) (store.Organization, error) {
	id, err := m.givenID("id", string(n.ID))
	if err != nil {
		return store.Organization{}, err
	}
	o := store.Organization{
		ID: OrganizationID(id), Slug: n.Slug, Name: n.Name, VendorID: n.Vendor, VendorOrganizationID: n.VendorOrganizationID,
		OEMProvisioning: n.OEMProvisioning, CreatedBy: m.actor.String(), Version: 1, CreatedAt: m.now(),
	}
	o.UpdatedAt = o.CreatedAt
	if err := setDomain(&o, n.Domain); err != nil {
		return store.Organization{}, err
	}
	if o.VendorID == "" && o.VendorOrganizationID != "" {
		return store.Organization{}, invalid("vendorOrganizationId", "must be empty without a vendor")
	}
	if o.VendorOrganizationID == "" {
		o.MatchDomain = matchDomain(o)
	}
	return o, checkOrganization(o)
}

func setDomain(o *store.Organization, domain string) error {
	o.Domain = ""
	if domain == "" {
		return nil
	}
	key, err := identity.FoldDomain(domain)
	if err != nil {
		return invalid("domain", err.Error())
	}
	o.Domain = key
	return nil
}

// matchDomain is the domain that the vendor's users are matched by. A public
// mail provider's says nothing about an organization, so it matches nobody.
func matchDomain(o store.Organization) string {
	if o.VendorID == "" || identity.PublicMailDomain(o.Domain) {
		return ""
	}
	return o.Domain
}

func checkOrganization(o store.Organization) error {
	if o.Slug != "" && (len(o.Slug) < 3 || len(o.Slug) > 64 || !isWord(o.Slug)) {
		return invalid("slug", "must have 3 to 64 lower-case letters, digits and '-'")
	}
	if err := checkName("name", o.Name, 256); err != nil {
		return err
	}
	return checkText("vendorOrganizationId", o.VendorOrganizationID, 128)
}

// checkName requires a text that shows.
func checkName(field, name string, maximum int) error {
	if strings.TrimSpace(name) == "" {
		return invalid(field, "must not be empty")
	}
	return checkText(field, name, maximum)
}

// createOrganization writes the organization, heedless of rights. Ids and
// slugs share one name space, since a path may hold either.
func (g *guard) createOrganization(ctx context.Context, o store.Organization) error {
	if err := g.freeSlug(ctx, o); err != nil {
		return err
	}
	if _, err := g.r.OrganizationBySlug(ctx, string(o.ID)); err == nil {
		return &ExistsError{Field: "ID"}
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	if err := g.tx.CreateOrganization(ctx, o); err != nil {
		return err
	}
	return g.record(ctx, Event{Action: "organization.created", Object: "organization:" + string(o.ID), OrganizationID: o.ID})
}

func (g *guard) freeSlug(ctx context.Context, o store.Organization) error {
	if o.Slug == "" {
		return nil
	}
	other, err := g.r.Organization(ctx, OrganizationID(o.Slug))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err == nil && other.ID != o.ID:
		return &ExistsError{Field: "Slug"}
	}
	return err
}

// needIn requires p in the organization. One who has no part in it learns
// nothing about it: [ErrNoOrganization], whether it exists or not.
func (g *guard) needIn(ctx context.Context, p Permission, id OrganizationID) error {
	if ok, err := g.can(ctx, p, InOrganization(id)); err != nil || ok {
		return err
	}
	inside, err := g.inside(ctx, id)
	if err != nil {
		return err
	}
	if !inside {
		return ErrNoOrganization
	}
	return &ForbiddenError{Permission: p}
}

// inside reports whether the actor may know of the organization: by a
// membership, whatever its role, or by some right in it.
func (g *guard) inside(ctx context.Context, id OrganizationID) (bool, error) {
	if ok, err := g.can(ctx, OrganizationsRead, InOrganization(id)); err != nil || ok || id == "" {
		return ok, err
	}
	switch a := g.m.actor; a.kind {
	case ActorUser:
		r, err := g.base(ctx)
		if err != nil || r == nil {
			return false, err
		}
		if len(r.organizations) > 0 || len(r.at[InOrganization(id)]) > 0 {
			return true, nil
		}
		set, err := g.member(ctx, id)
		return set != nil, err
	case ActorKey:
		k, _, err := g.liveKey(ctx, KeyID(a.id))
		return err == nil && k.OrganizationID == id, absent(err)
	}
	return false, nil
}

// absent is err, but nil where it says that something is not there.
func absent(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// organization loads the organization for an act that needs p in it.
func (g *guard) organization(ctx context.Context, p Permission, id OrganizationID) (store.Organization, error) {
	if err := g.needIn(ctx, p, id); err != nil {
		return store.Organization{}, err
	}
	o, err := g.r.Organization(ctx, id)
	if errors.Is(err, ErrNotFound) {
		err = ErrNoOrganization
	}
	return o, err
}

// Organization returns an organization by its id. It needs organizations.read
// there.
func (m *Manager) Organization(ctx context.Context, id OrganizationID) (Organization, error) {
	var o store.Organization
	err := m.look(ctx, func(g *guard) error {
		var err error
		o, err = g.organization(ctx, OrganizationsRead, id)
		return err
	})
	if err != nil {
		return Organization{}, err
	}
	return Organization(o), nil
}

// OrganizationBySlug returns an organization by its slug. It needs
// organizations.read there.
func (m *Manager) OrganizationBySlug(ctx context.Context, slug string) (Organization, error) {
	var o store.Organization
	err := m.look(ctx, func(g *guard) error {
		var err error
		if o, err = g.r.OrganizationBySlug(ctx, slug); errors.Is(err, ErrNotFound) {
			return ErrNoOrganization
		} else if err != nil {
			return err
		}
		return g.needIn(ctx, OrganizationsRead, o.ID)
	})
	if err != nil {
		return Organization{}, err
	}
	return Organization(o), nil
}

// OrganizationFor returns the organization whose id or slug it is, to an actor
// who holds the permission there: the right to an act and what it is done in, as
// of one moment. No slug is another organization's id. [ErrNoOrganization] for
// one that is not there or that the actor has no part in, and a
// [*ForbiddenError] for one in which he lacks the permission.
func (m *Manager) OrganizationFor(ctx context.Context, idOrSlug string, p Permission) (Organization, error) {
	var o store.Organization
	err := m.view(ctx, func(g *guard) error {
		var err error
		if o, err = g.r.Organization(ctx, OrganizationID(idOrSlug)); errors.Is(err, ErrNotFound) {
			o, err = g.r.OrganizationBySlug(ctx, idOrSlug)
		}
		if errors.Is(err, ErrNotFound) {
			return ErrNoOrganization
		}
		if err != nil {
			return err
		}
		return g.needIn(ctx, p, o.ID)
	})
	if err != nil {
		return Organization{}, err
	}
	return Organization(o), nil
}

// OrganizationList picks organizations.
type OrganizationList struct {
	Page
	// Vendor picks those of one vendor; empty picks all.
	Vendor VendorID
}

// Organizations returns a page of the realm's organizations in the order of
// their ids. It needs organizations.read or organizations.list, realm-wide; a
// vendor gets his own. A user's own are [Manager.MyOrganizations].
func (m *Manager) Organizations(ctx context.Context, q OrganizationList) (List[Organization], error) {
	limit, err := q.cursor()
	if err != nil {
		return List[Organization]{}, err
	}
	var list List[Organization]
	err = m.view(ctx, func(g *guard) error {
		vendor := q.Vendor
		if own := g.m.actor.VendorID(); own != "" {
			if _, err := g.actingVendor(ctx); err != nil {
				return err
			}
			if vendor != "" && vendor != own {
				return &ForbiddenError{Permission: OrganizationsList}
			}
			vendor = own
		} else if err := g.needAny(ctx, Realmwide, OrganizationsRead, OrganizationsList); err != nil {
			return err
		}
		found, err := g.r.Organizations(ctx, store.OrganizationQuery{Vendor: vendor, After: OrganizationID(q.After), Limit: limit + 1})
		if err != nil {
			return err
		}
		os := make([]Organization, len(found))
		for i, o := range found {
			os[i] = Organization(o)
		}
		list = newList(os, limit, func(o Organization) string { return string(o.ID) })
		return nil
	})
	return list, err
}

// OrganizationUpdate changes what it gives; nil fields change nothing.
type OrganizationUpdate struct {
	// Version must be the organization's current one, or 0 to change whatever is there.
	Version int64
	Name    *string
	// Slug may be empty for none.
	Slug *string
	// Domain may be empty for none. Where the vendor's users are matched by
	// it, it is for the vendor, and for who holds organizations.update realm-wide.
	Domain *string
	// OEMProvisioning is for who holds organizations.update realm-wide.
	OEMProvisioning *bool
}

// UpdateOrganization changes an organization. It needs organizations.update
// there. An update that changes nothing writes nothing.
func (m *Manager) UpdateOrganization(ctx context.Context, id OrganizationID, up OrganizationUpdate) (Organization, error) {
	var o store.Organization
	err := m.update(ctx, func(g *guard) error {
		old, err := g.organization(ctx, OrganizationsUpdate, id)
		if err != nil {
			return err
		}
		if up.Version != 0 && up.Version != old.Version {
			return &StaleError{Version: old.Version, Requested: up.Version}
		}
		o, err = g.updateOrganization(ctx, old, up)
		return err
	})
	if err != nil {
		return Organization{}, err
	}
	return Organization(o), nil
}

func (g *guard) updateOrganization(ctx context.Context, old store.Organization, up OrganizationUpdate) (store.Organization, error) {
	o := old
	var fields []string
	if up.Name != nil && *up.Name != old.Name {
		o.Name, fields = *up.Name, append(fields, "name")
	}
	if up.Slug != nil && *up.Slug != old.Slug {
		o.Slug, fields = *up.Slug, append(fields, "slug")
	}
	if up.Domain != nil {
		if err := setDomain(&o, *up.Domain); err != nil {
			return o, err
		}
		if o.Domain != old.Domain {
			fields = append(fields, "domain")
		}
	}
	if o.Domain != old.Domain && old.MatchDomain != "" {
		if g.m.actor.kind != ActorVendor {
			if err := g.need(ctx, OrganizationsUpdate, Realmwide); err != nil {
				return o, err
			}
		}
		o.MatchDomain = matchDomain(o)
	}
	if up.OEMProvisioning != nil && *up.OEMProvisioning != old.OEMProvisioning {
		if err := g.need(ctx, OrganizationsUpdate, Realmwide); err != nil {
			return o, err
		}
		o.OEMProvisioning, fields = *up.OEMProvisioning, append(fields, "oemProvisioning")
	}
	if fields == nil {
		return old, nil
	}
	if err := checkOrganization(o); err != nil {
		return o, err
	}
	if err := g.freeSlug(ctx, o); err != nil {
		return o, err
	}
	o.UpdatedAt = g.m.now()
	if err := g.tx.UpdateOrganization(ctx, o); err != nil {
		return o, err
	}
	o.Version++
	return o, g.record(ctx, Event{Action: "organization.updated", Object: "organization:" + string(o.ID), OrganizationID: o.ID, Fields: fields})
}

// DeleteOrganization deletes an organization with its memberships, keys,
// tokens and the sessions confined to it, and takes it out of every grant that
// lists it; a grant that listed nothing else ends. Users stay. It needs
// organizations.delete there. The unit of work grows with what goes.
func (m *Manager) DeleteOrganization(ctx context.Context, id OrganizationID) error {
	return m.update(ctx, func(g *guard) error {
		if _, err := g.organization(ctx, OrganizationsDelete, id); err != nil {
			return err
		}
		if err := g.tx.DeleteOrganization(ctx, id); err != nil {
			return err
		}
		if err := g.takeScope(ctx, store.ScopeRef{Kind: ScopeOrganization, ID: string(id)}); err != nil {
			return err
		}
		return g.record(ctx, Event{Action: "organization.deleted", Object: "organization:" + string(id), OrganizationID: id})
	})
}

// takeScope takes a scope out of every grant that lists it. A grant left with
// none would hold everywhere, so it goes.
func (g *guard) takeScope(ctx context.Context, ref store.ScopeRef) error {
	return g.eachUser(ctx, store.UserQuery{Scopes: []store.ScopeRef{ref}}, func(u store.User) error {
		u.Grants = slices.DeleteFunc(u.Grants, func(grant Grant) bool {
			return grant.Kind == ref.Kind && slices.Equal(grant.Scopes, []string{ref.ID})
		})
		for i, grant := range u.Grants {
			if grant.Kind == ref.Kind {
				u.Grants[i].Scopes = slices.DeleteFunc(grant.Scopes, func(s string) bool { return s == ref.ID })
			}
		}
		return g.writeLoss(ctx, u, "roles")
	})
}
