package usermgmt

import (
	"context"

	"github.com/usermgmt-go/usermgmt/store"
)

// aheadTx is a Tx that tells an ahead what is written. Reads go by that one.
type aheadTx struct {
	store.Tx
	known *ahead
	locks map[string]bool // that are held
	free  bool            // they are had without asking
}

// readAhead gives the guard a Tx and a Reader that look up in few calls.
func (g *guard) readAhead() *ahead {
	a := newAhead(g.tx)
	g.r = a
	g.tx = &aheadTx{Tx: g.tx, known: a, locks: map[string]bool{}}
	return a
}

// Lock takes a lock once. Users, members and permissions that were read before it
// was had do not count any more.
func (t *aheadTx) Lock(ctx context.Context, name string) error {
	if t.locks[name] {
		return nil
	}
	if !t.free {
		if err := t.Tx.Lock(ctx, name); err != nil {
			return err
		}
		t.known.forgetUsers()
		t.known.permissions = nil
		clear(t.known.members)
		clear(t.known.pages)
	}
	t.locks[name] = true
	return nil
}

func (t *aheadTx) CreateUser(ctx context.Context, u store.User) error {
	if err := t.Tx.CreateUser(ctx, u); err != nil {
		return err
	}
	t.known.created(u)
	return nil
}

func (t *aheadTx) UpdateUser(ctx context.Context, u store.User) error {
	old := t.known.users[u.ID]
	delete(t.known.users, u.ID)
	delete(t.known.names, old.UsernameKey)
	delete(t.known.names, u.UsernameKey)
	t.known.goesBy(u)
	return t.Tx.UpdateUser(ctx, u)
}

func (t *aheadTx) DeleteUser(ctx context.Context, id UserID) error {
	t.known.forget()
	return t.Tx.DeleteUser(ctx, id)
}

// Credential is asked of a Tx where the credential is to be put next.
func (t *aheadTx) Credential(ctx context.Context, user UserID) (store.Credential, error) {
	return t.known.Credential(ctx, user)
}

func (t *aheadTx) PutCredential(ctx context.Context, c store.Credential) error {
	delete(t.known.credentials, c.UserID)
	if t.known.fresh[c.UserID] {
		t.known.fresh[c.UserID] = false
	}
	return t.Tx.PutCredential(ctx, c)
}

func (t *aheadTx) DeleteCredential(ctx context.Context, user UserID) error {
	delete(t.known.credentials, user)
	return t.Tx.DeleteCredential(ctx, user)
}

func (t *aheadTx) CreateSession(ctx context.Context, s store.Session) error {
	delete(t.known.fresh, s.UserID)
	return t.Tx.CreateSession(ctx, s)
}

func (t *aheadTx) CreateToken(ctx context.Context, k store.Token) error {
	delete(t.known.fresh, k.UserID)
	return t.Tx.CreateToken(ctx, k)
}

func (t *aheadTx) DeleteSessions(ctx context.Context, user UserID) (int, error) {
	if _, ok := t.known.fresh[user]; ok {
		return 0, nil
	}
	return t.Tx.DeleteSessions(ctx, user)
}

func (t *aheadTx) CreateMembership(ctx context.Context, m store.Membership) error {
	if err := t.Tx.CreateMembership(ctx, m); err != nil {
		return err
	}
	delete(t.known.members, memberKey{m.UserID, m.OrganizationID})
	m.Version = 1
	t.known.joined(m)
	delete(t.known.empty, m.OrganizationID)
	return nil
}

func (t *aheadTx) UpdateMembership(ctx context.Context, m store.Membership) error {
	t.changes(m.OrganizationID, m.UserID)
	return t.Tx.UpdateMembership(ctx, m)
}

func (t *aheadTx) DeleteMembership(ctx context.Context, org OrganizationID, user UserID) error {
	t.changes(org, user)
	return t.Tx.DeleteMembership(ctx, org, user)
}

func (t *aheadTx) changes(org OrganizationID, user UserID) {
	delete(t.known.members, memberKey{user, org})
	delete(t.known.pages, org)
}

func (t *aheadTx) CreateOrganization(ctx context.Context, o store.Organization) error {
	delete(t.known.orgs, o.ID)
	if err := t.Tx.CreateOrganization(ctx, o); err != nil {
		return err
	}
	evict(t.known.empty, aheadSize)
	t.known.empty[o.ID] = true
	// Nobody else knows of the organization, so its lock is as good as had.
	t.free = true
	defer func() { t.free = false }()
	return (&guard{tx: t}).lockOwners(ctx, o.ID)
}

func (t *aheadTx) DeleteOrganization(ctx context.Context, id OrganizationID) error {
	t.known.forget()
	return t.Tx.DeleteOrganization(ctx, id)
}

func (t *aheadTx) UpdateOrganization(ctx context.Context, o store.Organization) error {
	delete(t.known.orgs, o.ID)
	return t.Tx.UpdateOrganization(ctx, o)
}

func (t *aheadTx) CreateRole(ctx context.Context, r store.Role) error {
	if err := t.Tx.CreateRole(ctx, r); err != nil {
		return err
	}
	r = r.Clone()
	r.Version = 1
	t.known.rememberRole(r)
	return nil
}

func (t *aheadTx) UpdateRole(ctx context.Context, r store.Role) error {
	t.forgetRoles()
	return t.Tx.UpdateRole(ctx, r)
}

func (t *aheadTx) DeleteRole(ctx context.Context, id RoleID) error {
	t.forgetRoles()
	return t.Tx.DeleteRole(ctx, id)
}

func (t *aheadTx) forgetRoles() {
	clear(t.known.roles)
	clear(t.known.roleNames)
}

func (t *aheadTx) PutPermission(ctx context.Context, name string) error {
	t.known.permissions = nil
	return t.Tx.PutPermission(ctx, name)
}

func (t *aheadTx) DeletePermission(ctx context.Context, name string) error {
	t.known.permissions = nil
	return t.Tx.DeletePermission(ctx, name)
}

func (t *aheadTx) CreateTenant(ctx context.Context, n store.Tenant) error {
	delete(t.known.tenants, n.ID)
	return t.Tx.CreateTenant(ctx, n)
}

func (t *aheadTx) UpdateTenant(ctx context.Context, n store.Tenant) error {
	delete(t.known.tenants, n.ID)
	return t.Tx.UpdateTenant(ctx, n)
}

func (t *aheadTx) DeleteTenant(ctx context.Context, id TenantID) error {
	delete(t.known.tenants, id)
	return t.Tx.DeleteTenant(ctx, id)
}
