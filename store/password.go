package store

import "context"

// Credential is what a user's password is verified against. It is a secret:
// it never leaves the engine.
type Credential struct {
	UserID UserID
	// Hash in PHC form, such as "$argon2id$v=19$m=19456,t=2,p=1$…".
	Hash string
	// Origin is the digest of the imported PHC text that the credential stems
	// from, upgraded meanwhile or not; the zero value if it was set as a password.
	Origin Digest
	// Temporary passwords must be replaced at the next sign-in.
	Temporary bool
	// ExpiresAt is when a temporary password stops working.
	ExpiresAt Time
	Version   int64
	ChangedAt Time
}

// Check reports the first fault of the record.
func (c Credential) Check() error {
	var k check
	k.id("UserID", string(c.UserID))
	if c.Hash == "" {
		k.fail("Hash", "must not be empty")
	}
	k.text("Hash", c.Hash)
	k.time("ExpiresAt", c.ExpiresAt)
	k.time("ChangedAt", c.ChangedAt)
	return k.err
}

// CredentialReader finds credentials.
type CredentialReader interface {
	Credential(ctx context.Context, user UserID) (Credential, error)
	// CredentialsByID returns those of the users who have one, in the order of
	// their ids, each once. More than 10,000 ids are [ErrInvalid].
	CredentialsByID(ctx context.Context, users []UserID) ([]Credential, error)
}

// CredentialWriter changes credentials.
type CredentialWriter interface {
	// PutCredential stores the user's one credential with Version+1. Version 0
	// says that there is none yet. ErrNotFound without the user; ErrStale if
	// the stored version, or 0 where none is stored, differs.
	PutCredential(ctx context.Context, c Credential) error
	DeleteCredential(ctx context.Context, user UserID) error
}
