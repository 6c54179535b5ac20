package usermgmt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/usermgmt-go/usermgmt/store"
)

// UserUpdate changes what it gives; nil fields change nothing. An empty list
// that is not nil asks for the right to change it, and adds or removes nothing.
//
//	m.UpdateUser(ctx, id, usermgmt.UserUpdate{FirstName: new("Ada")})
type UserUpdate struct {
	// Version must be the user's current one, or 0 to change whatever is there.
	Version int64

	// ByRight takes the actor for anybody else where he changes himself: his own
	// profile then needs users.update over him, and so does an update of nothing.
	ByRight bool

	// FirstName, LastName, Email (empty for none) and Locale are what a user
	// may change of himself; otherwise they need users.update. An address that
	// he gives himself, or one that someone gives him whose right to it ends at
	// facilities, is marked by User.EmailClaimed.
	FirstName, LastName, Email, Locale *string

	// Username, Attributes and Tags need users.update.
	Username   *string
	Attributes *json.RawMessage
	Tags       *[]string

	// Disabled needs users.enable. Disabling ends all sessions and tokens;
	// enabling again revives none.
	Disabled *bool

	// Grants replaces all grants; AddGrants and RemoveGrants change them. They
	// need users.update-roles; for roles of the facility scope users.update at
	// the facilities before and after is enough. Adding scopes to a role joins
	// them; removing a role without scopes removes it everywhere.
	Grants                  *[]Grant
	AddGrants, RemoveGrants []Grant

	// Roles replaces the grants of realm-wide roles alone, Permissions the
	// single permissions alone. They need users.update-roles.
	Roles       *[]RoleID
	Permissions *[]Permission

	// FacilityRoles, of which all must be of the facility scope, replaces the
	// grants of that scope alone. It needs what AddGrants of them needs.
	FacilityRoles *[]Grant

	// Tenants replaces all assignments; AddTenants and RemoveTenants change
	// them. They need users.update-tenants.
	Tenants                   *[]string
	AddTenants, RemoveTenants []string

	// Password sets a new password and ends all sessions. It needs
	// users.password-reset, or users.update held at all the user's facilities;
	// users.update in the whole realm is not enough.
	Password *string
}

// UpdateUser changes a user in one step of his version. An update that changes
// nothing writes nothing, and returns the user as he is. Beside the right to
// change each field it needs that the user holds no right that the actor lacks.
// Who gives himself addresses that are others' is told of as many as
// Throttle.Account has; then it is a [*ThrottledError]. A joined Manager counts in
// the host's transaction.
//
// A right that is held at facilities reaches the users whose facilities are all
// among these. One that is held by a role at every facility also reaches users
// without any: to give them a role at a facility or to take the last one, and for
// nothing else.
func (m *Manager) UpdateUser(ctx context.Context, id UserID, up UserUpdate) (User, error) {
	if err := up.check(); err != nil {
		return User{}, err
	}
	var u store.User
	update := func(free func(store.Tx) error) error {
		hash, err := m.updatedPassword(ctx, id, up)
		if err != nil {
			return err
		}
		return m.update(ctx, func(g *guard) error {
			old, err := g.mayUpdate(ctx, id, up)
			if err != nil {
				return err
			}
			if u, err = g.updateUser(ctx, old, up); err != nil {
				return err
			}
			if up.Password != nil {
				if err := g.putPassword(ctx, id, hash, false, store.Digest{}); err != nil {
					return err
				}
			}
			return free(g.tx)
		})
	}
	if err := m.probing(ctx, id, up.Email, update); err != nil {
		return User{}, err
	}
	return User(u), nil
}

// updatedPassword hashes the new password, if there is one, after the right
// to the whole update has been checked.
func (m *Manager) updatedPassword(ctx context.Context, id UserID, up UserUpdate) (string, error) {
	if up.Password == nil {
		return "", nil
	}
	var u store.User
	var words []string
	err := m.weigh(ctx, func(g *guard) error {
		var err error
		if u, err = g.mayUpdate(ctx, id, up); err == nil {
			words, err = knownWords(ctx, g.r, u)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	after, err := up.apply(u)
	if err != nil {
		return "", err
	}
	return m.hashPassword(ctx, *up.Password, append(words, after.Username, after.Email)...)
}

func (up UserUpdate) check() error {
	for _, t := range up.AddTenants {
		if slices.Contains(up.RemoveTenants, t) {
			return invalid("tenants", "must not both add and remove "+quote(t))
		}
	}
	for _, a := range up.AddGrants {
		for _, r := range up.RemoveGrants {
			if store.CompareGrants(a, r) == 0 && overlap(a.Scopes, r.Scopes) {
				return invalid("roles", "must not both add and remove "+quote(string(a.Role)+a.Permission))
			}
		}
	}
	for _, f := range value(up.FacilityRoles) {
		if f.Kind != ScopeFacility {
			return invalid("roles", "must be of the facility scope")
		}
	}
	return nil
}

func overlap(a, b []string) bool {
	return len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func (up UserUpdate) changesGrants() bool {
	return up.Grants != nil || up.AddGrants != nil || up.RemoveGrants != nil || up.Roles != nil || up.Permissions != nil || up.FacilityRoles != nil
}

func (up UserUpdate) changesTenants() bool {
	return up.Tenants != nil || up.AddTenants != nil || up.RemoveTenants != nil
}

func (up UserUpdate) changesProfile() bool {
	return up.FirstName != nil || up.LastName != nil || up.Email != nil || up.Locale != nil || up.Username != nil || up.Attributes != nil || up.Tags != nil
}

// changesOthers reports whether the update is for more than grants.
func (up UserUpdate) changesOthers() bool {
	return up.changesProfile() || up.changesTenants() || up.Disabled != nil || up.Password != nil
}

// mayUpdate loads the user and requires the right to update him so. It
// checks all but what depends on the outcome, which updateUser checks.
func (g *guard) mayUpdate(ctx context.Context, id UserID, up UserUpdate) (store.User, error) {
	self, err := g.isSelf(ctx, id)
	if err != nil {
		return store.User{}, err
	}
	self = self && !up.ByRight
	var u store.User
	if self {
		u, err = g.r.User(ctx, id)
	} else {
		mode := reachWhole
		if up.changesGrants() && !up.changesOthers() {
			mode = reachPlaced // mayChangeGrants keeps it to facilities
		}
		var p Permission
		if p, err = g.gate(ctx, up); err == nil {
			u, err = g.user(ctx, p, mode, id)
		}
	}
	if err != nil {
		return store.User{}, err
	}
	if err := g.mayUpdateFields(ctx, u, up, self); err != nil {
		return store.User{}, err
	}
	if err := g.outranks(ctx, u); err != nil {
		return store.User{}, err
	}
	if up.Password != nil {
		if err := g.sharesTenants(ctx, u); err != nil {
			return store.User{}, err
		}
	}
	if up.Version != 0 && up.Version != u.Version {
		return store.User{}, &StaleError{Version: u.Version, Requested: up.Version}
	}
	return u, nil
}

// gate picks the permission by which an update reaches its user: the one of
// the only thing that it changes, else users.update.
func (g *guard) gate(ctx context.Context, up UserUpdate) (Permission, error) {
	for _, only := range []struct {
		is bool
		p  Permission
	}{
		{up.changesGrants(), UsersUpdateRoles},
		{up.changesTenants(), UsersUpdateTenants},
		{up.Disabled != nil, UsersEnable},
		{up.Password != nil, UsersPasswordReset},
	} {
		if !only.is || up.changesProfile() {
			continue
		}
		if ok, err := g.can(ctx, only.p, Realmwide); err != nil || ok {
			return only.p, err
		}
	}
	return UsersUpdate, nil
}

// mayUpdateFields requires the right to each kind of field that is given.
func (g *guard) mayUpdateFields(ctx context.Context, u store.User, up UserUpdate, self bool) error {
	over := func(p Permission) error { return g.reach(ctx, p, reachWhole, u) }
	if (up.FirstName != nil || up.LastName != nil || up.Email != nil || up.Locale != nil) && !self {
		if err := over(UsersUpdate); err != nil {
			return err
		}
	}
	if up.Username != nil || up.Attributes != nil || up.Tags != nil {
		if err := over(UsersUpdate); err != nil {
			return err
		}
	}
	if up.Disabled != nil {
		if err := g.need(ctx, UsersEnable, Realmwide); err != nil {
			return err
		}
	}
	if up.changesTenants() {
		if err := g.need(ctx, UsersUpdateTenants, Realmwide); err != nil {
			return err
		}
	}
	if up.changesGrants() {
		if err := g.mayChangeGrants(ctx, u, up); err != nil {
			return err
		}
	}
	if up.Password != nil {
		if err := g.need(ctx, UsersPasswordReset, Realmwide); err != nil && !(errors.Is(err, ErrForbidden) && g.managesAtFacilities(UsersUpdate, u)) {
			return err
		}
	}
	return nil
}

// managesAtFacilities reports whether the acting user holds p at every
// facility of u, of which there must be one, by roles of the facility scope.
func (g *guard) managesAtFacilities(p Permission, u store.User) bool {
	if g.rights == nil {
		return false
	}
	some := false
	for _, grant := range u.Grants {
		if grant.Kind != ScopeFacility {
			continue
		}
		some = true
		places := grant.Scopes
		if len(places) == 0 {
			places = []string{""} // every facility
		}
		for _, name := range places {
			if kind, listed := g.rights.of(AtFacility(name)); !hold(kind, p) && !hold(listed, p) {
				return false
			}
		}
	}
	return some
}

// mayChangeGrants requires users.update-roles, or, where only facility roles
// change, users.update over the user as he is and as he will be.
func (g *guard) mayChangeGrants(ctx context.Context, u store.User, up UserUpdate) error {
	if ok, err := g.can(ctx, UsersUpdateRoles, Realmwide); err != nil || ok {
		return err
	}
	after := u
	after.Grants = up.grants(u.Grants)
	if !slices.EqualFunc(withoutFacilities(u.Grants), withoutFacilities(after.Grants), equalGrants) {
		return &ForbiddenError{Permission: UsersUpdateRoles}
	}
	for _, state := range []store.User{u, after} {
		err := g.reach(ctx, UsersUpdate, reachPlaced, state)
		if errors.Is(err, ErrForbidden) || errors.Is(err, ErrNotFound) {
			return &ForbiddenError{Permission: UsersUpdateRoles}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func withoutFacilities(grants []Grant) []Grant {
	return slices.DeleteFunc(slices.Clone(grants), func(g Grant) bool { return g.Kind == ScopeFacility })
}

// updateUser writes the update and returns the user as he is then. Rights to
// the fields have been checked; the right to what is given is checked here.
func (g *guard) updateUser(ctx context.Context, old store.User, up UserUpdate) (store.User, error) {
	u, err := up.apply(old)
	if err != nil {
		return store.User{}, err
	}
	if up.Email != nil {
		if u.EmailClaimed, err = g.claims(ctx, old, u); err != nil {
			return store.User{}, err
		}
	}
	if up.changesGrants() {
		if err := g.checkGrants(ctx, u.Grants, old.Grants); err != nil {
			return store.User{}, err
		}
	}
	if up.changesTenants() {
		if err := g.checkTenants(ctx, "tenants", slices.Concat(up.AddTenants, value(up.Tenants))); err != nil {
			return store.User{}, err
		}
		if err := g.checkTenants(ctx, "removeTenants", up.RemoveTenants); err != nil {
			return store.User{}, err
		}
		gone := slices.DeleteFunc(slices.Clone(old.Tenants), func(t string) bool {
			return slices.Contains(u.Tenants, t) || slices.Contains(up.RemoveTenants, t)
		})
		if err := g.needTenants(ctx, gone); err != nil {
			return store.User{}, err
		}
	}
	fields := changedFields(old, u)
	if fields == nil {
		return old, nil
	}
	if isActiveAdmin(old) && !isActiveAdmin(u) {
		if err := g.keepAdmin(ctx, old); err != nil {
			return store.User{}, err
		}
	}
	if u.Disabled && !old.Disabled {
		if err := g.keepOwners(ctx, u.ID); err != nil {
			return store.User{}, err
		}
		if _, err := g.tx.DeleteSessions(ctx, u.ID); err != nil {
			return store.User{}, err
		}
	}
	u.UpdatedAt = g.m.now()
	if err := g.tx.UpdateUser(ctx, u); err != nil {
		return store.User{}, err
	}
	u.Version++
	return u, g.record(ctx, Event{Action: "user.updated", Object: "user:" + string(u.ID), Fields: fields})
}

// claims reports whether the address that u is given counts as claimed: by
// someone who cannot vouch for it. What the user had before stays as it was.
func (g *guard) claims(ctx context.Context, old, u store.User) (bool, error) {
	if u.EmailKey == "" {
		return false, nil
	}
	vouches, err := g.vouches(ctx, UsersUpdate, u.ID)
	return err == nil && !vouches && (old.EmailClaimed || u.EmailKey != old.EmailKey), err
}

// vouches reports whether an address that the actor gives to a user proves
// anything: people are added to organizations by it. That takes p in the whole
// realm, and for one's own address every right there is; who manages the users
// of some facilities could otherwise enter any organization by a name he made up.
func (g *guard) vouches(ctx context.Context, p Permission, id UserID) (bool, error) {
	if ok, err := g.can(ctx, All, Realmwide); err != nil || ok {
		return ok, err
	}
	if g.m.actor.UserID() == id {
		return false, nil
	}
	return g.can(ctx, p, Realmwide)
}

// apply returns the user as the update makes him; old is left alone.
func (up UserUpdate) apply(old store.User) (store.User, error) {
	u := old.Clone()
	for _, f := range []struct{ to, from *string }{
		{&u.FirstName, up.FirstName}, {&u.LastName, up.LastName}, {&u.Locale, up.Locale},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if up.Username != nil {
		if err := setUsername(&u, *up.Username); err != nil {
			return u, err
		}
	}
	if up.Email != nil {
		if err := setEmail(&u, *up.Email); err != nil {
			return u, err
		}
	}
	var err error
	if up.Attributes != nil {
		if u.Attributes, err = canonicalAttributes(*up.Attributes); err != nil {
			return u, err
		}
	}
	if up.Tags != nil {
		if u.Tags, err = tagSet(*up.Tags); err != nil {
			return u, err
		}
	}
	if up.Disabled != nil {
		u.Disabled = *up.Disabled
	}
	u.Grants = up.grants(u.Grants)
	if up.Tenants != nil {
		u.Tenants = slices.Clone(*up.Tenants)
	}
	u.Tenants = append(u.Tenants, up.AddTenants...)
	u.Tenants = sortedSet(slices.DeleteFunc(u.Tenants, func(t string) bool { return slices.Contains(up.RemoveTenants, t) }))
	return u, checkUser(u)
}

// changedFields names what differs, nil for nothing.
func changedFields(a, b store.User) []string {
	var fields []string
	for _, f := range []struct {
		name    string
		differs bool
	}{
		{"username", a.Username != b.Username},
		{"email", a.Email != b.Email || a.EmailClaimed != b.EmailClaimed},
		{"firstName", a.FirstName != b.FirstName},
		{"lastName", a.LastName != b.LastName},
		{"locale", a.Locale != b.Locale},
		{"disabled", a.Disabled != b.Disabled},
		{"attributes", !bytes.Equal(a.Attributes, b.Attributes)},
		{"tags", !slices.Equal(a.Tags, b.Tags)},
		{"roles", !slices.EqualFunc(a.Grants, b.Grants, equalGrants)},
		{"tenants", !slices.Equal(a.Tenants, b.Tenants)},
	} {
		if f.differs {
			fields = append(fields, f.name)
		}
	}
	return fields
}

// DisableUser disables a user: his sessions and tokens end, and he holds no
// rights. It needs users.enable, and no right of his that the actor lacks. A
// disabled user stays as he is. The last active admin and owners stay active.
func (m *Manager) DisableUser(ctx context.Context, id UserID) error {
	_, err := m.UpdateUser(ctx, id, UserUpdate{Disabled: new(true)})
	return err
}

// EnableUser enables a user again. Needs are those of DisableUser. What was
// revoked stays revoked.
func (m *Manager) EnableUser(ctx context.Context, id UserID) error {
	_, err := m.UpdateUser(ctx, id, UserUpdate{Disabled: new(false)})
	return err
}

// GrantRoles adds grants to a user's. It needs users.update-roles, and every
// right that is given; see UserUpdate.AddGrants.
func (m *Manager) GrantRoles(ctx context.Context, id UserID, grants ...Grant) error {
	_, err := m.UpdateUser(ctx, id, UserUpdate{AddGrants: grants})
	return err
}

// RevokeRoles removes grants from a user's; those that he lacks are ignored.
// See UserUpdate.RemoveGrants.
func (m *Manager) RevokeRoles(ctx context.Context, id UserID, grants ...Grant) error {
	_, err := m.UpdateUser(ctx, id, UserUpdate{RemoveGrants: grants})
	return err
}
