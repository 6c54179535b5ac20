package memstore

import (
	"context"
	"strings"

	"github.com/usermgmt-go/usermgmt/store"
)

// key is an API key's row. It never changes.
type key struct {
	store.Key // but OrganizationID and Owner
	org       *org
	owner     *user // nil for none
}

func (k *key) record() store.Key {
	r := k.Key
	r.OrganizationID = k.org.ID
	if k.owner != nil {
		r.Owner = store.UserID(k.owner.id())
	}
	return r
}

func compareKeysByOrg(a, b *key) int {
	if c := compareOrgs(a.org, b.org); c != 0 {
		return c
	}
	return strings.Compare(string(a.ID), string(b.ID))
}

func compareKeysByOwner(a, b *key) int {
	if c := compareUsers(a.owner, b.owner); c != 0 {
		return c
	}
	return compareKeysByOrg(a, b)
}

func (x *reader) Key(ctx context.Context, id store.KeyID) (store.Key, error) {
	if err := x.ok(ctx); err != nil {
		return store.Key{}, err
	}
	return found(x.t.keys[id], (*key).record)
}

func (x *reader) KeyByDigest(ctx context.Context, digest store.Digest) (store.Key, error) {
	if err := x.ok(ctx); err != nil {
		return store.Key{}, err
	}
	return found(x.t.byKeyDigest[digest], (*key).record)
}

func (x *reader) Keys(ctx context.Context, id store.OrganizationID, after store.KeyID, limit int) ([]store.Key, error) {
	if err := x.ok(ctx); err != nil {
		return nil, err
	}
	o := x.t.orgs[id]
	if o == nil {
		return nil, nil
	}
	return page(x.t.keysByOrg, &key{org: o, Key: store.Key{ID: after}}, limit,
		func(k *key) bool { return k.org == o }, (*key).record), nil
}

// keysIn returns the rows of an organization.
func (t *tables) keysIn(o *org) []*key {
	return from(t.keysByOrg, &key{org: o}, func(k *key) bool { return k.org == o })
}

// keysOf returns the rows that a user owns.
func (t *tables) keysOf(u *user) []*key {
	return from(t.keysByOwner, &key{owner: u, org: &org{}}, func(k *key) bool { return k.owner == u })
}

// keysOwned returns the rows that a user owns in an organization.
func (t *tables) keysOwned(u *user, o *org) []*key {
	return from(t.keysByOwner, &key{owner: u, org: o}, func(k *key) bool { return k.owner == u && k.org == o })
}

func (x *tx) CreateKey(ctx context.Context, k store.Key) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	if err := k.Check(); err != nil {
		return err
	}
	t := x.t
	if t.keys[k.ID] != nil {
		return exists("ID")
	}
	if t.byKeyDigest[k.Digest] != nil {
		return exists("Digest")
	}
	row := &key{Key: k, org: t.orgs[k.OrganizationID], owner: t.users[string(k.Owner)]}
	if row.org == nil || row.owner == nil && k.Owner != "" {
		return store.ErrNotFound
	}
	row.OrganizationID, row.Owner = "", ""
	row.ID, row.Name, row.Role = own(k.ID), own(k.Name), own(k.Role)
	t.addKey(row)
	x.undo(func() { t.dropKey(row) })
	return nil
}

func (x *tx) DeleteKey(ctx context.Context, id store.KeyID) error {
	if err := x.ok(ctx); err != nil {
		return err
	}
	row := x.t.keys[id]
	if row == nil {
		return store.ErrNotFound
	}
	x.deleteKey(row)
	return nil
}

func (x *tx) deleteKey(k *key) {
	t := x.t
	t.dropKey(k)
	x.undo(func() { t.addKey(k) })
	x.bump()
}

func (t *tables) addKey(k *key) {
	t.keys[k.ID] = k
	t.byKeyDigest[k.Digest] = k
	t.keysByOrg.Set(k)
	if k.owner != nil {
		t.keysByOwner.Set(k)
	}
}

func (t *tables) dropKey(k *key) {
	if k.owner != nil {
		t.keysByOwner.Delete(k)
	}
	t.keysByOrg.Delete(k)
	delete(t.byKeyDigest, k.Digest)
	delete(t.keys, k.ID)
}
