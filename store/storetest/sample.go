package storetest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/usermgmt-go/usermgmt/store"
)

// Samples are valid records with every field set. Two samples of a noun share
// no unique key, their ids rise with n, and whatever a sample refers to is a
// sample with the number 0.

var (
	created = time.Date(2024, 2, 29, 12, 34, 56, 789_012_000, time.UTC)
	changed = time.Date(2025, 3, 30, 1, 2, 3, 4_000, time.UTC)
	expires = time.Date(2031, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
)

func userID(n int) store.UserID        { return store.UserID(fmt.Sprintf("user-%03d", n)) }
func orgID(n int) store.OrganizationID { return store.OrganizationID(fmt.Sprintf("org-%03d", n)) }
func roleID(n int) store.RoleID        { return store.RoleID(fmt.Sprintf("role-%03d", n)) }
func tenantID(n int) store.TenantID    { return store.TenantID(fmt.Sprintf("tenant-%03d", n)) }
func vendorID(n int) store.VendorID    { return store.VendorID(fmt.Sprintf("vendor-%03d", n)) }
func keyID(n int) store.KeyID          { return store.KeyID(fmt.Sprintf("key-%03d", n)) }
func sessionID(n int) store.SessionID  { return store.SessionID(fmt.Sprintf("session-%03d", n)) }
func digest(kind string, n int) store.Digest {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d", kind, n))
}

func sampleUser(n int) store.User {
	return store.User{
		ID:          userID(n),
		Username:    fmt.Sprintf("Zoë-%03d", n),
		UsernameKey: fmt.Sprintf("zoë-%03d", n),
		Email:       fmt.Sprintf("Zoe%03d@Example.org", n),
		EmailKey:    fmt.Sprintf("zoe%03d@example.org", n),
		FirstName:   "Zoë",
		LastName:    "O'Neil",
		Locale:      "de_DE",
		Disabled:    n%2 == 1, EmailClaimed: n%3 == 1,
		Attributes: json.RawMessage(fmt.Sprintf(`{"n":%d,"team":"red"}`, n)),
		Tags:       []string{"blue", "red"},
		Grants: []store.Grant{
			{Permission: "users.read", Kind: store.ScopeRealm},
			{Role: roleID(0), Kind: store.ScopeOrganization, Scopes: []string{"org-000", "org-001"}},
			{Role: roleID(1), Kind: store.ScopeFacility, Scopes: []string{"berlin"}},
		},
		Tenants:         []string{"any", "tenant-000", "type:test"},
		CreatedBy:       "vendor:vendor-000",
		CreatedByVendor: vendorID(0),
		Version:         1,
		CreatedAt:       created,
		UpdatedAt:       created,
	}
}

func changeUser(u store.User) store.User {
	id := string(u.ID)
	u.Username, u.UsernameKey = "Changed "+id, "changed "+id
	u.Email, u.EmailKey = "Changed-"+id+"@Example.com", "changed-"+id+"@example.com"
	u.FirstName, u.LastName, u.Locale = "Ada", "", "en"
	u.Disabled, u.EmailClaimed = !u.Disabled, !u.EmailClaimed
	u.Attributes = json.RawMessage(`{"team":"blue"}`)
	u.Tags = []string{"green"}
	u.Grants = []store.Grant{{Role: roleID(2), Kind: store.ScopeRealm}}
	u.Tenants = []string{"tenant-001"}
	u.UpdatedAt = changed
	return u
}

func sampleOrganization(n int) store.Organization {
	return store.Organization{
		ID:                   orgID(n),
		Slug:                 fmt.Sprintf("slug-%03d", n),
		Name:                 "Straße & Söhne",
		Domain:               fmt.Sprintf("domain-%03d.example", n),
		MatchDomain:          fmt.Sprintf("domain-%03d.example", n),
		VendorID:             vendorID(0),
		VendorOrganizationID: fmt.Sprintf("theirs-%03d", n),
		OEMProvisioning:      true,
		CreatedBy:            "vendor:vendor-000",
		Version:              1,
		CreatedAt:            created,
		UpdatedAt:            created,
	}
}

func changeOrganization(o store.Organization) store.Organization {
	id := string(o.ID)
	o.Slug, o.Name = "changed-"+id, "Changed"
	o.Domain, o.MatchDomain = "changed-"+id+".example", "changed-"+id+".example"
	o.VendorOrganizationID = "changed-" + id
	o.OEMProvisioning = !o.OEMProvisioning
	o.UpdatedAt = changed
	return o
}

func sampleMembership(n int) store.Membership {
	return store.Membership{
		OrganizationID: orgID(0),
		UserID:         userID(n),
		Role:           roleID(0),
		Tags:           []string{"early", "late"},
		VendorUserID:   fmt.Sprintf("their-user-%03d", n),
		CreatedBy:      "key:key-000",
		Version:        1,
		CreatedAt:      created,
		UpdatedAt:      created,
	}
}

func changeMembership(m store.Membership) store.Membership {
	m.Role = roleID(1)
	m.Tags = []string{"changed"}
	m.VendorUserID = "changed-" + string(m.UserID)
	m.UpdatedAt = changed
	return m
}

func sampleRole(n int) store.Role {
	return store.Role{
		ID:          roleID(n),
		Scope:       store.ScopeOrganization,
		Name:        fmt.Sprintf("Role %03d", n),
		Description: "Reads users.",
		Permissions: []string{"users.list", "users.read"},
		CreatedBy:   "user:user-000",
		Version:     1,
		CreatedAt:   created,
		UpdatedAt:   created,
	}
}

func changeRole(r store.Role) store.Role {
	r.Name = "Changed " + string(r.ID)
	r.Description = ""
	r.Permissions = []string{"users.*"}
	r.UpdatedAt = changed
	return r
}

func sampleTenant(n int) store.Tenant {
	return store.Tenant{
		ID: tenantID(n), Name: "Tenant", Type: "test",
		Version: 1, CreatedAt: created, UpdatedAt: created,
	}
}

func changeTenant(t store.Tenant) store.Tenant {
	t.Name, t.Type, t.UpdatedAt = "Changed", "production", changed
	return t
}

func sampleVendor(n int) store.Vendor {
	return store.Vendor{
		ID:        vendorID(n),
		Name:      "Vendor",
		ClientID:  fmt.Sprintf("client-%03d", n),
		Scopes:    []string{"organizations", "users"},
		Disabled:  n%2 == 1,
		Version:   1,
		CreatedAt: created,
		UpdatedAt: created,
	}
}

func changeVendor(v store.Vendor) store.Vendor {
	v.Name = "Changed"
	v.ClientID = "changed-" + string(v.ID)
	v.Scopes = []string{"users"}
	v.Disabled = !v.Disabled
	v.UpdatedAt = changed
	return v
}

func sampleSecret(n int) store.VendorSecret {
	return store.VendorSecret{
		VendorID: vendorID(0), Digest: digest("secret", n),
		CreatedAt: created.Add(time.Duration(n) * time.Second), ExpiresAt: expires,
	}
}

func sampleCredential(n int) store.Credential {
	return store.Credential{
		UserID: userID(n), Hash: fmt.Sprintf("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$%03d", n),
		Origin: digest("origin", n), Temporary: true, ExpiresAt: expires, ChangedAt: created,
	}
}

func sampleKey(n int) store.Key {
	return store.Key{
		ID: keyID(n), OrganizationID: orgID(0), Name: "Key", Role: roleID(0), Owner: userID(0),
		Digest: digest("key", n), CreatedAt: created, ExpiresAt: expires,
	}
}

func sampleSession(n int) store.Session {
	return store.Session{
		ID: sessionID(n), UserID: userID(0), OrganizationID: orgID(0), PasswordChange: n%2 == 1,
		CreatedAt: created, ExpiresAt: expires,
	}
}

// sampleToken gives the three kinds in turn.
func sampleToken(n int) store.Token {
	t := store.Token{
		Digest: digest("token", n), Kind: store.TokenRefresh + store.TokenKind(n%3), UserID: userID(0),
		CreatedAt: created, ExpiresAt: expires, UsedAt: changed,
	}
	if t.Kind == store.TokenRefresh {
		t.SessionID = sessionID(0)
	} else {
		t.OrganizationID = orgID(0)
	}
	return t
}

// freshToken is a sample that has not been used.
func freshToken(n int) store.Token {
	t := sampleToken(n)
	t.UsedAt = store.Time{}
	return t
}

func sampleFailures(n int) store.Failures {
	return store.Failures{Key: digest("failures", n), Count: 1<<40 + int64(n), Until: changed, ExpiresAt: expires}
}

func changeFailures(f store.Failures) store.Failures {
	f.Count, f.Until, f.ExpiresAt = f.Count+1, store.Time{}, changed
	return f
}

func sampleEvent(n int) store.Event {
	return store.Event{
		At: created, Actor: "host", Action: "user.updated", Object: fmt.Sprintf("user:user-%03d", n),
		OrganizationID: orgID(0), Fields: []string{"Email", "Tags"},
	}
}
