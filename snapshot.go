package usermgmt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Snapshot states what a realm holds. [Manager.Apply] brings a realm there,
// [Manager.Export] writes one: this is how a host seeds, tests and migrates.
//
// It states what is listed and leaves alone what is not: objects, entries of
// lists, and members of entries (nil here) that are absent are left as they
// are. Its JSON form refuses unknown members.
type Snapshot struct {
	// Permissions are the realm's own.
	Permissions   []Permission           `json:"permissions,omitempty"`
	Tenants       []SnapshotTenant       `json:"tenants,omitempty"`
	Roles         []SnapshotRole         `json:"roles,omitempty"`
	Users         []SnapshotUser         `json:"users,omitempty"`
	Vendors       []SnapshotVendor       `json:"vendors,omitempty"`
	Organizations []SnapshotOrganization `json:"organizations,omitempty"`
	// Grants come last: roles at organizations, which have to be there.
	Grants []SnapshotUserGrants `json:"grants,omitempty"`
}

// SnapshotTenant states a tenant, known by its id.
type SnapshotTenant struct {
	ID   TenantID `json:"id"`
	Name *string  `json:"name,omitempty"`
	Type *string  `json:"type,omitempty"`
}

// SnapshotRole states a role, known by its scope and name.
type SnapshotRole struct {
	// ID is the role's id where it is created; a new one if empty.
	ID   RoleID `json:"id,omitempty"`
	Name string `json:"name"`
	// Scope is "realm", "organization" or "facility"; realm if empty.
	Scope       string  `json:"scope,omitempty"`
	Description *string `json:"description,omitempty"`
	// Permissions are added to those that the role has.
	Permissions []Permission `json:"permissions,omitempty"`
}

// SnapshotUser states a user, known by his id, or without one by his username.
type SnapshotUser struct {
	ID       UserID  `json:"id,omitempty"`
	Username string  `json:"username"`
	Email    *string `json:"email,omitempty"`
	// EmailClaimed is User.EmailClaimed, where the user is created.
	EmailClaimed bool    `json:"emailClaimed,omitempty"`
	FirstName    *string `json:"firstName,omitempty"`
	LastName     *string `json:"lastName,omitempty"`
	Locale       *string `json:"locale,omitempty"`
	// Password in plain text: one that verifies already changes nothing,
	// another replaces what is there and ends the user's sessions.
	Password string `json:"password,omitempty"`
	// PasswordHash in PHC form counts as applied while the user's password
	// stems from it, upgraded since or not.
	PasswordHash string `json:"passwordHash,omitempty"`
	// TemporaryPassword makes the password one to sign in with and to change, for
	// a user who has none yet: it replaces no other, nor one that has expired.
	TemporaryPassword bool            `json:"temporaryPassword,omitempty"`
	Disabled          *bool           `json:"disabled,omitempty"`
	Attributes        json.RawMessage `json:"attributes,omitempty"`
	Tags              []string        `json:"tags,omitempty"`
	// Roles and Permissions are added to those that the user holds, Tenants
	// to those that he is assigned to.
	Roles       []SnapshotGrant `json:"roles,omitempty"`
	Permissions []Permission    `json:"permissions,omitempty"`
	Tenants     []string        `json:"tenants,omitempty"`
}

// SnapshotGrant states that a user holds a role, by its name.
type SnapshotGrant struct {
	Name string `json:"name"`
	// Facilities names the role as one of the facility scope, even if it is
	// empty but not nil; then the role holds at every facility.
	Facilities []string `json:"facilities,omitzero"`
	// Organizations names the role as one of the organization scope likewise.
	Organizations []OrganizationID `json:"organizations,omitzero"`
}

// SnapshotUserGrants states that a user holds roles, beside those of his
// SnapshotUser. [Manager.Export] and [Manager.ExportTo] write roles at listed
// organizations here.
type SnapshotUserGrants struct {
	// User is a username.
	User string `json:"user"`
	// Roles are added to those that the user holds.
	Roles []SnapshotGrant `json:"roles,omitempty"`
}

// SnapshotVendor states a vendor, known by his client id.
type SnapshotVendor struct {
	ID       VendorID `json:"id,omitempty"`
	Name     *string  `json:"name,omitempty"`
	ClientID string   `json:"clientId"`
	// ClientSecret in plain text, or its digest as Export writes it.
	ClientSecret        string         `json:"clientSecret,omitempty"`
	ClientSecretDigests []SecretDigest `json:"clientSecretDigests,omitempty"`
	// Scopes are added to those that the vendor has.
	Scopes   []string `json:"scopes,omitempty"`
	Disabled *bool    `json:"disabled,omitempty"`
}

// SnapshotOrganization states an organization, known by its id, or without
// one by its slug, or by its vendor and his id for it.
type SnapshotOrganization struct {
	ID     OrganizationID `json:"id,omitempty"`
	Slug   *string        `json:"slug,omitempty"`
	Name   *string        `json:"name,omitempty"`
	Domain *string        `json:"domain,omitempty"`
	// Vendor is a client id.
	Vendor               string `json:"vendor,omitempty"`
	VendorOrganizationID string `json:"vendorOrganizationId,omitempty"`
	// MatchDomain says, where the organization is created, whether its vendor's
	// new users are matched to it by Domain; nil leaves that to the rule.
	MatchDomain     *bool            `json:"matchDomain,omitempty"`
	OEMProvisioning *bool            `json:"oemProvisioning,omitempty"`
	Members         []SnapshotMember `json:"members,omitempty"`
	APIKeys         []SnapshotKey    `json:"apiKeys,omitempty"`
}

// SnapshotMember states a membership, known by the user.
type SnapshotMember struct {
	// User is a username.
	User string `json:"user"`
	// Role is the name of a role of the organization scope.
	Role string `json:"role"`
	// Tags are added to those that the membership has.
	Tags         []string `json:"tags,omitempty"`
	VendorUserID *string  `json:"vendorUserId,omitempty"`
	// TokenDigests are those of the organization tokens, as Export writes them.
	TokenDigests []SecretDigest `json:"tokenDigests,omitempty"`
}

// SnapshotKey states an API key, known by its secret.
type SnapshotKey struct {
	ID   KeyID  `json:"id,omitempty"`
	Name string `json:"name"`
	// Key in plain text, at least 8 bytes, or its digest as Export writes it.
	Key       string        `json:"key,omitempty"`
	KeyDigest *SecretDigest `json:"keyDigest,omitempty"`
	// Role is the name of a role of the organization scope.
	Role string `json:"role"`
	// Owner is the username of the user whose rights bound the key's.
	Owner string `json:"owner,omitempty"`
}

// ParseSnapshot reads a Snapshot's JSON form to its end. Unknown members and
// anything after the object are refused with an [*InvalidError].
func ParseSnapshot(r io.Reader) (Snapshot, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return Snapshot{}, fmt.Errorf("read snapshot: %w", err)
	}
	var s Snapshot
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Snapshot{}, invalid("snapshot", jsonFault(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Snapshot{}, errTrailing()
	}
	return s, nil
}

func errTrailing() error {
	return invalid("snapshot", "must hold one JSON object and nothing after it")
}

// jsonFault says what is wrong in words of the document, not of Go.
func jsonFault(err error) string {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("is not JSON at byte %d", syntax.Offset)
	case errors.As(err, &typ):
		return fmt.Sprintf("%s must not be a %s", typ.Field, typ.Value)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "ends too early"
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return "has the unknown member " + name
	}
	var inv *InvalidError
	if errors.As(err, &inv) {
		return inv.Error()
	}
	return "is not a Snapshot"
}

// SecretDigest is a secret as the store keeps it: enough to recognize it, and
// of no use to whoever reads it.
type SecretDigest struct {
	// SHA256 of the secret, in hexadecimal.
	SHA256    string     `json:"sha256"`
	CreatedAt time.Time  `json:"createdAt"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
}
