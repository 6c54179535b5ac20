package usermgmt

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// TenantID identifies a tenant.
type TenantID = store.TenantID

// Tenant is a data partition that users are assigned to. What it partitions
// is the host's data: tenants bound what a user may do there, not whom he sees.
type Tenant struct {
	ID   TenantID
	Name string
	// Type is the host's word, such as "test" or "production".
	Type string
	// Version is 1 at creation and grows by one with each change.
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// AnyTenant, in a user's Tenants, assigns him to every tenant.
const AnyTenant = "any"

// tenantTypePrefix, in a user's Tenants, assigns him to every tenant of a type.
const tenantTypePrefix = "type:"

// NewTenant is a tenant to be created.
type NewTenant struct {
	// ID is the host's own, or empty for a new one.
	ID TenantID
	// Name has 1 to 256 characters.
	Name string
	// Type is a word of at most 64 letters, digits and '-', or empty.
	Type string
}

// CreateTenant creates a tenant. It needs tenants.add, and every tenant for one
// with an id of the host's own. The id may not be "any" or begin with "type:".
func (m *Manager) CreateTenant(ctx context.Context, n NewTenant) (Tenant, error) {
	t, err := m.tenantRecord(n)
	if err != nil {
		return Tenant{}, err
	}
	err = m.update(ctx, func(g *guard) error {
		if err := g.need(ctx, TenantsAdd, Realmwide); err != nil {
			return err
		}
		if n.ID != "" {
			if all, err := g.holdsEveryTenant(ctx); err != nil || !all {
				return errors.Join(err, &ForbiddenError{Permission: TenantsAdd, Reason: "only who has every tenant chooses an id"})
			}
		}
		return g.createTenant(ctx, t)
	})
	return Tenant(t), err
}

func (m *Manager) tenantRecord(n NewTenant) (store.Tenant, error) {
	id, err := m.givenID("id", string(n.ID))
	if err != nil {
		return store.Tenant{}, err
	}
	t := store.Tenant{ID: TenantID(id), Name: n.Name, Type: n.Type, Version: 1, CreatedAt: m.now()}
	t.UpdatedAt = t.CreatedAt
	return t, checkTenant(t)
}

func (g *guard) createTenant(ctx context.Context, t store.Tenant) error {
	if err := g.tx.CreateTenant(ctx, t); err != nil {
		return err
	}
	return g.record(ctx, Event{Action: "tenant.created", Object: "tenant:" + string(t.ID)})
}

func checkTenant(t store.Tenant) error {
	switch {
	case t.ID == AnyTenant || strings.HasPrefix(string(t.ID), tenantTypePrefix):
		return invalid("id", "must not be a reserved word")
	case strings.TrimSpace(t.Name) == "":
		return invalid("name", "must not be empty")
	case t.Type != "" && (len(t.Type) > 64 || !isWord(strings.ToLower(t.Type))):
		return invalid("type", "must have at most 64 letters, digits and '-'")
	}
	return checkText("name", t.Name, 256)
}

// Tenant returns a tenant by its id. It needs tenants.read.
func (m *Manager) Tenant(ctx context.Context, id TenantID) (Tenant, error) {
	var t store.Tenant
	err := m.look(ctx, func(g *guard) error {
		if err := g.need(ctx, TenantsRead, Realmwide); err != nil {
			return err
		}
		var err error
		t, err = g.r.Tenant(ctx, id)
		return err
	})
	return Tenant(t), err
}

// Tenants returns a page of tenants in the order of their ids. It needs
// tenants.read or tenants.list.
func (m *Manager) Tenants(ctx context.Context, p Page) (List[Tenant], error) {
	limit, err := p.limit()
	if err != nil {
		return List[Tenant]{}, err
	}
	var list List[Tenant]
	err = m.look(ctx, func(g *guard) error {
		if err := g.needAny(ctx, Realmwide, TenantsRead, TenantsList); err != nil {
			return err
		}
		found, err := g.r.Tenants(ctx, TenantID(p.After), limit+1)
		if err != nil {
			return err
		}
		tenants := make([]Tenant, len(found))
		for i, t := range found {
			tenants[i] = Tenant(t)
		}
		list = newList(tenants, limit, func(t Tenant) string { return string(t.ID) })
		return nil
	})
	return list, err
}

// TenantUpdate changes what it gives; nil fields change nothing.
type TenantUpdate struct {
	// Version must be the tenant's current one, or 0 to change whatever is there.
	Version int64
	Name    *string
	Type    *string
}

// UpdateTenant changes a tenant. It needs tenants.update, and for the Type the
// tenant itself: whoever is assigned to a type has its tenants. An update that
// changes nothing writes nothing.
func (m *Manager) UpdateTenant(ctx context.Context, id TenantID, up TenantUpdate) (Tenant, error) {
	var t store.Tenant
	err := m.update(ctx, func(g *guard) error {
		if err := g.need(ctx, TenantsUpdate, Realmwide); err != nil {
			return err
		}
		if up.Type != nil {
			// Whoever has the type would have the tenant.
			if err := g.checkTenants(ctx, "id", []string{string(id)}); err != nil {
				return absentTenant(err)
			}
		}
		var err error
		t, err = g.updateTenant(ctx, id, up)
		return err
	})
	return Tenant(t), err
}

func (g *guard) updateTenant(ctx context.Context, id TenantID, up TenantUpdate) (store.Tenant, error) {
	old, err := g.tx.Tenant(ctx, id)
	if err != nil {
		return store.Tenant{}, err
	}
	if up.Version != 0 && up.Version != old.Version {
		return store.Tenant{}, &StaleError{Version: old.Version, Requested: up.Version}
	}
	t := old
	var fields []string
	if up.Name != nil && *up.Name != old.Name {
		t.Name, fields = *up.Name, append(fields, "name")
	}
	if up.Type != nil && *up.Type != old.Type {
		t.Type, fields = *up.Type, append(fields, "type")
	}
	if fields == nil {
		return old, nil
	}
	if err := checkTenant(t); err != nil {
		return store.Tenant{}, err
	}
	t.UpdatedAt = g.m.now()
	if err := g.tx.UpdateTenant(ctx, t); err != nil {
		return store.Tenant{}, err
	}
	t.Version++
	return t, g.record(ctx, Event{Action: "tenant.updated", Object: "tenant:" + string(id), Fields: fields})
}

// absentTenant words that a tenant is unknown as it is worded of objects.
func absentTenant(err error) error {
	if errors.Is(err, ErrInvalid) {
		return ErrNotFound
	}
	return err
}

// DeleteTenant deletes a tenant and ends every assignment to it in the same
// unit of work, whose length grows with their number. It needs tenants.delete,
// and the tenant itself.
func (m *Manager) DeleteTenant(ctx context.Context, id TenantID) error {
	return m.update(ctx, func(g *guard) error {
		if err := g.need(ctx, TenantsDelete, Realmwide); err != nil {
			return err
		}
		if err := g.checkTenants(ctx, "id", []string{string(id)}); err != nil {
			return absentTenant(err)
		}
		if err := g.tx.DeleteTenant(ctx, id); err != nil {
			return err
		}
		err := g.eachUser(ctx, store.UserQuery{Tenant: string(id)}, func(u store.User) error {
			u.Tenants = slices.DeleteFunc(u.Tenants, func(t string) bool { return t == string(id) })
			return g.writeLoss(ctx, u, "tenants")
		})
		if err != nil {
			return err
		}
		return g.record(ctx, Event{Action: "tenant.deleted", Object: "tenant:" + string(id)})
	})
}

// checkTenants requires of each assignment that it is given by someone who has
// it, and that it exists. Someone without "any" gets the same refusal for a
// tenant that is not his, existing or not.
func (g *guard) checkTenants(ctx context.Context, field string, tenants []string) error {
	if len(tenants) == 0 {
		return nil
	}
	if all, err := g.holdsEveryTenant(ctx); err != nil {
		return err
	} else if !all {
		return g.needTenants(ctx, tenants) // what he has exists
	}
	for _, t := range tenants {
		if typ, ok := strings.CutPrefix(t, tenantTypePrefix); t == AnyTenant || ok && isWord(strings.ToLower(typ)) {
			continue
		}
		if _, err := g.r.Tenant(ctx, TenantID(t)); errors.Is(err, ErrNotFound) {
			return invalid(field, "tenant "+quote(t)+" is unknown")
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (g *guard) holdsEveryTenant(ctx context.Context) (bool, error) {
	if ok, err := g.can(ctx, All, Realmwide); err != nil || ok {
		return ok, err
	}
	return g.rights != nil && slices.Contains(g.rights.tenants, AnyTenant), nil
}

// needTenants requires of each assignment that the actor has it himself, or "any".
func (g *guard) needTenants(ctx context.Context, assignments []string) error {
	if len(assignments) == 0 {
		return nil
	}
	all, err := g.holdsEveryTenant(ctx)
	if err != nil || all {
		return err
	}
	for _, a := range assignments {
		if err := g.needTenant(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// sharesTenants requires of whoever sets a user's password that he is in all of
// that user's tenants: the password lets into them.
func (g *guard) sharesTenants(ctx context.Context, u store.User) error {
	err := g.needTenants(ctx, u.Tenants)
	if errors.Is(err, ErrForbidden) {
		err = &ForbiddenError{Permission: UsersPasswordReset, Reason: "the user is in tenants that you are not in"}
	}
	return err
}

// needTenant requires that the actor, who lacks "any", has the assignment
// himself: literally, or for a tenant through its type.
func (g *guard) needTenant(ctx context.Context, assignment string) error {
	refusal := &ForbiddenError{Reason: "the tenant is not yours"}
	if g.rights == nil {
		return refusal
	}
	if slices.Contains(g.rights.tenants, assignment) {
		return nil
	}
	t, err := g.r.Tenant(ctx, TenantID(assignment))
	switch {
	case errors.Is(err, ErrNotFound):
		return refusal
	case err != nil:
		return err
	case !inTenant(g.rights.tenants, t.ID, t.Type):
		return refusal
	}
	return nil
}
