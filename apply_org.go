package usermgmt

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/usermgmt-go/usermgmt/internal/identity"
	"github.com/usermgmt-go/usermgmt/store"
)

func (a applying) applyVendor(ctx context.Context, s SnapshotVendor) error {
	v, err := a.tx.VendorByClientID(ctx, s.ClientID)
	switch {
	case errors.Is(err, ErrNotFound):
		v, err = a.m.vendorRecord(NewVendor{ID: s.ID, Name: cmp.Or(value(s.Name), s.ClientID), ClientID: s.ClientID, Scopes: s.Scopes})
		if err != nil {
			return err
		}
		v.Disabled = value(s.Disabled)
		err = a.createVendor(ctx, v)
	case err == nil:
		scopes := slices.Concat(v.Scopes, s.Scopes)
		v, err = a.updateVendor(ctx, v, VendorUpdate{Name: s.Name, Scopes: &scopes, Disabled: s.Disabled})
	}
	if err != nil {
		return err
	}
	return a.applyVendorSecrets(ctx, v, s)
}

// applyVendorSecrets adds the secrets that the vendor lacks. A secret in plain
// text that is new takes the place of the oldest where two are live already.
func (a applying) applyVendorSecrets(ctx context.Context, v store.Vendor, s SnapshotVendor) error {
	wanted := make([]store.VendorSecret, 0, len(s.ClientSecretDigests)+1)
	for _, d := range s.ClientSecretDigests {
		digest, err := d.digest()
		if err != nil {
			return err
		}
		wanted = append(wanted, store.VendorSecret{VendorID: v.ID, Digest: digest, CreatedAt: store.Micro(d.CreatedAt), ExpiresAt: store.Micro(value(d.ExpiresAt))})
	}
	if s.ClientSecret != "" {
		secret, err := a.m.givenSecret("clientSecret", s.ClientSecret, vendorPrefix)
		if err != nil {
			return err
		}
		wanted = append(wanted, store.VendorSecret{VendorID: v.ID, Digest: secretDigest(secret), CreatedAt: a.m.now()})
	}
	wanted = slices.DeleteFunc(wanted, func(w store.VendorSecret) bool { return ended(w.ExpiresAt, a.m.now()) })
	if len(wanted) > 2 {
		return invalid("clientSecretDigests", "must have at most two that have not ended, clientSecret included")
	}
	for _, w := range wanted {
		if err := a.applyVendorSecret(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func (a applying) applyVendorSecret(ctx context.Context, w store.VendorSecret) error {
	have, err := a.tx.VendorSecrets(ctx, w.VendorID)
	if err != nil {
		return err
	}
	live := slices.DeleteFunc(have, func(h store.VendorSecret) bool { return ended(h.ExpiresAt, a.m.now()) })
	if slices.ContainsFunc(live, func(h store.VendorSecret) bool { return h.Digest == w.Digest }) {
		return nil
	}
	// As in rotateSecret: tokens name their secret by this time, and who is the
	// older is told by it. Of two that state the same one, the later stated is later.
	for slices.ContainsFunc(live, func(h store.VendorSecret) bool { return h.CreatedAt.Equal(w.CreatedAt) }) {
		w.CreatedAt = w.CreatedAt.Add(time.Microsecond)
	}
	if len(live) > 1 {
		// The one that ends first anyway, or the oldest.
		first := slices.MinFunc(live, func(x, y store.VendorSecret) int {
			return cmp.Or(endOf(x).Compare(endOf(y)), x.CreatedAt.Compare(y.CreatedAt))
		})
		if err := a.tx.DeleteVendorSecret(ctx, w.VendorID, first.Digest); err != nil {
			return err
		}
	}
	if err := a.tx.PutVendorSecret(ctx, w); err != nil {
		return err
	}
	return a.record(ctx, Event{Action: "vendor.secret-rotated", Object: "vendor:" + string(w.VendorID)})
}

// endOf is when a secret ends; a far day for never.
func endOf(s store.VendorSecret) time.Time {
	if s.ExpiresAt.IsZero() {
		return time.Unix(1<<40, 0)
	}
	return s.ExpiresAt
}

// digest reads the hexadecimal form.
func (d SecretDigest) digest() (store.Digest, error) {
	raw, err := hex.DecodeString(d.SHA256)
	if err != nil || len(raw) != len(store.Digest{}) {
		return store.Digest{}, invalid("sha256", "must have 64 hexadecimal digits")
	}
	return store.Digest(raw), nil
}

// label names the entry in errors.
func (s SnapshotOrganization) label() string {
	return cmp.Or(string(s.ID), value(s.Slug), value(s.Name))
}

// applyOrganization applies an entry whose members and keys begin at firstMember
// and firstKey in those of the whole.
func (a applying) applyOrganization(ctx context.Context, s SnapshotOrganization, firstMember, firstKey int) error {
	var vendor VendorID
	if s.Vendor != "" {
		v, err := a.tx.VendorByClientID(ctx, s.Vendor)
		if err != nil {
			return unknownAs("vendor", err)
		}
		vendor = v.ID
	}
	o, err := a.findOrganization(ctx, s, vendor)
	switch {
	case errors.Is(err, ErrNotFound):
		o, err = a.m.organizationRecord(NewOrganization{
			ID: s.ID, Slug: value(s.Slug), Name: value(s.Name), Domain: value(s.Domain), Vendor: vendor,
			VendorOrganizationID: s.VendorOrganizationID, OEMProvisioning: value(s.OEMProvisioning),
		})
		if err != nil {
			return err
		}
		if s.MatchDomain != nil {
			o.MatchDomain = ""
			if *s.MatchDomain {
				o.MatchDomain = o.Domain
			}
		}
		err = a.createOrganization(ctx, o)
	case err == nil:
		if s.Vendor != "" && o.VendorID != vendor {
			return invalid("vendor", "is another one than the organization has")
		}
		o, err = a.updateOrganization(ctx, o, OrganizationUpdate{Slug: s.Slug, Name: s.Name, Domain: s.Domain, OEMProvisioning: s.OEMProvisioning})
	}
	if err != nil {
		return err
	}
	if err := a.applyMembers(ctx, o.ID, s.Members, firstMember); err != nil {
		return err
	}
	for i, k := range s.APIKeys {
		if err := a.applyKey(ctx, o.ID, k); err != nil {
			return entry("apiKeys", firstKey+i, k.Name, err)
		}
	}
	return nil
}

// lookUpOrganizations looks up the first of the organizations, with their members'
// users, about aheadSize of both, and returns how many organizations they are.
func (a applying) lookUpOrganizations(ctx context.Context, entries []SnapshotOrganization) (n int, err error) {
	var ids []OrganizationID
	var names []string
	for n == 0 || n < min(len(entries), aheadSize) && len(names)+len(entries[n].Members) <= aheadSize {
		if id := entries[n].ID; id != "" {
			ids = append(ids, id)
		}
		for _, m := range entries[n].Members {
			names = append(names, m.User)
		}
		n++
	}
	names = names[:min(len(names), aheadSize)] // the rest is looked up in its turn
	return n, cmp.Or(a.ahead.lookUpOrganizations(ctx, ids), a.ahead.lookUp(ctx, nil, names))
}

// findOrganization finds the organization that the entry is about.
func (a applying) findOrganization(ctx context.Context, s SnapshotOrganization, vendor VendorID) (store.Organization, error) {
	switch {
	case s.ID != "":
		return a.r.Organization(ctx, s.ID)
	case value(s.Slug) != "":
		return a.tx.OrganizationBySlug(ctx, *s.Slug)
	case s.VendorOrganizationID != "":
		return a.tx.OrganizationByVendorID(ctx, vendor, s.VendorOrganizationID)
	}
	return store.Organization{}, invalid("id", "must be given, or the slug, or the vendorOrganizationId")
}

// applyMembers applies owners first, and of them active ones: an organization is
// never without one, and nobody else joins one whose owners are all disabled.
func (a applying) applyMembers(ctx context.Context, org OrganizationID, members []SnapshotMember, first int) error {
	if len(members) == 0 {
		return nil
	}
	// What is looked up before the lock is had may change until then.
	if err := a.lockOwners(ctx, org); err != nil {
		return err
	}
	var owners, disabled, others []int
	for i, s := range members {
		if s.Role == "owner" {
			owners = append(owners, i)
		} else {
			others = append(others, i)
		}
	}
	each := func(list []int, later func(SnapshotMember) bool) error {
		for part := range slices.Chunk(list, aheadSize) {
			entries := make([]SnapshotMember, len(part))
			for j, i := range part {
				entries[j] = members[i]
			}
			if err := a.ahead.lookUpMembers(ctx, org, entries); err != nil {
				return err
			}
			for _, i := range part {
				if later(members[i]) {
					disabled = append(disabled, i)
					continue
				}
				if err := a.applyMember(ctx, org, members[i]); err != nil {
					return entry("members", first+i, members[i].User, err)
				}
			}
		}
		return nil
	}
	err := each(owners, func(s SnapshotMember) bool {
		u, err := a.userNamed(ctx, s.User)
		return err == nil && u.Disabled
	})
	if err != nil {
		return err
	}
	return each(append(disabled, others...), func(SnapshotMember) bool { return false })
}

func (a applying) applyMember(ctx context.Context, org OrganizationID, s SnapshotMember) error {
	u, err := a.userNamed(ctx, s.User)
	if err != nil {
		return unknownAs("user", err)
	}
	role, err := a.roleByName(ctx, ScopeOrganization, s.Role)
	if err != nil {
		return unknownAs("role", err)
	}
	old, err := a.r.Membership(ctx, org, u.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		ms, _, err := a.m.membershipRecord(org, NewMember{User: u.ID, Role: role.ID, Tags: s.Tags, VendorUserID: value(s.VendorUserID)})
		if err != nil {
			return err
		}
		ms.UserID = u.ID
		if _, err := a.createMembership(ctx, ms, u); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if err := a.lockOwners(ctx, org); err != nil {
			return err
		}
		ms := old.Clone()
		if ms.Role, err = a.statedRole(ctx, old, role.ID); err != nil {
			return err
		}
		if ms.Tags, err = tagSet(slices.Concat(ms.Tags, s.Tags)); err != nil {
			return err
		}
		if s.VendorUserID != nil {
			ms.VendorUserID = *s.VendorUserID
		}
		if _, err := a.updateMember(ctx, old, ms, 0); err != nil {
			return err
		}
	}
	for _, d := range s.TokenDigests {
		if err := a.applyToken(ctx, org, u.ID, d); err != nil {
			return err
		}
	}
	return nil
}

// statedRole is the role that the entry states, but for the last active owner:
// he stays one, whatever is stated, as whoever is added first becomes one.
func (a applying) statedRole(ctx context.Context, old store.Membership, stated RoleID) (RoleID, error) {
	if old.Role != RoleOwner || stated == RoleOwner {
		return stated, nil
	}
	err := a.needOtherOwner(ctx, old.OrganizationID, old.UserID)
	if errors.Is(err, ErrLastOwner) {
		return RoleOwner, nil
	}
	return stated, err
}

func (a applying) applyToken(ctx context.Context, org OrganizationID, user UserID, d SecretDigest) error {
	digest, err := d.digest()
	if err != nil {
		return err
	}
	if t, err := a.tx.Token(ctx, store.TokenOrganization, digest); err == nil {
		if t.OrganizationID != org || t.UserID != user {
			return invalid("tokenDigests", "belongs to another membership")
		}
		return nil
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	expires := store.Micro(value(d.ExpiresAt))
	if ended(expires, a.m.now()) {
		return nil
	}
	return a.putOrganizationToken(ctx, store.Token{
		Digest: digest, UserID: user, OrganizationID: org, CreatedAt: store.Micro(d.CreatedAt), ExpiresAt: expires,
	})
}

func (a applying) applyKey(ctx context.Context, org OrganizationID, s SnapshotKey) error {
	role, err := a.roleByName(ctx, ScopeOrganization, s.Role)
	if err != nil {
		return unknownAs("role", err)
	}
	var owner UserID
	if s.Owner != "" {
		u, err := a.userNamed(ctx, s.Owner)
		if err != nil {
			return unknownAs("owner", err)
		}
		owner = u.ID
	}
	k, err := a.snapshotKey(org, s, role.ID)
	if err != nil {
		return err
	}
	k.Owner = owner
	old, err := a.tx.KeyByDigest(ctx, k.Digest)
	switch {
	case errors.Is(err, ErrNotFound):
		return a.createKey(ctx, k)
	case err != nil:
		return err
	case old.OrganizationID != org:
		return invalid("key", "belongs to another organization")
	case old.Name == k.Name && old.Role == k.Role && old.Owner == k.Owner:
		return nil
	}
	// Keys do not change: the one with the stated properties takes its place.
	k.ID, k.CreatedAt = old.ID, old.CreatedAt
	if s.KeyDigest == nil {
		k.ExpiresAt = old.ExpiresAt
	}
	if err := a.deleteKey(ctx, old); err != nil {
		return err
	}
	return a.createKey(ctx, k)
}

// snapshotKey makes the record of a stated key, whose secret is known by
// itself or by its digest.
func (a applying) snapshotKey(org OrganizationID, s SnapshotKey, role RoleID) (store.Key, error) {
	if (s.Key == "") == (s.KeyDigest == nil) {
		return store.Key{}, invalid("key", "must be given, by itself or by its digest")
	}
	k, _, err := a.m.keyRecord(org, NewKey{ID: s.ID, Name: s.Name, Role: role, Secret: s.Key})
	if err != nil || s.KeyDigest == nil {
		return k, err
	}
	if k.Digest, err = s.KeyDigest.digest(); err != nil {
		return k, err
	}
	k.CreatedAt, k.ExpiresAt = store.Micro(s.KeyDigest.CreatedAt), store.Micro(value(s.KeyDigest.ExpiresAt))
	return k, nil
}

func (a applying) userNamed(ctx context.Context, name string) (store.User, error) {
	key, err := identity.FoldUsername(name)
	if err != nil {
		return store.User{}, invalid("user", err.Error())
	}
	return a.r.UserByUsername(ctx, key)
}
