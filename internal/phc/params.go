package phc

import (
	"crypto/rand"
	"fmt"
	"io"
)

// Params says how new passwords are hashed: with argon2id of this cost.
type Params struct {
	// MemoryKiB is the memory that is filled, in KiB: 8 for each thread to 256 MiB.
	MemoryKiB uint32
	// Time is the number of passes over the memory: 1 to 16. Memory times
	// passes must be at most 1 GiB.
	Time uint32
	// Threads is the number of lanes, computed at once: 1 to 16. More than
	// one answers sooner and hashes no more passwords in all.
	Threads uint8
	// Salt and Key are lengths in bytes: 8 to 64, and 16 to 64.
	Salt, Key int
}

// Default returns the parameters that OWASP's Password Storage Cheat Sheet
// puts first: 19 MiB, two passes, one thread; salts of 16 and keys of 32 bytes.
func Default() Params {
	return Params{MemoryKiB: 19 << 10, Time: 2, Threads: 1, Salt: 16, Key: 32}
}

func (p Params) scheme() argon2id { return argon2id{p.MemoryKiB, p.Time, p.Threads} }

// Check reports the first parameter out of bounds. The bounds are those of
// [Parse], so that what Hash writes can be read; they ask for no strength.
func (p Params) Check() error {
	if err := p.scheme().check(); err != nil {
		return err
	}
	if p.Salt < minSalt || p.Salt > maxSalt {
		return fmt.Errorf("must have a salt of %d to %d bytes", minSalt, maxSalt)
	}
	if p.Key < minKey || p.Key > maxKey {
		return fmt.Errorf("must have a key of %d to %d bytes", minKey, maxKey)
	}
	return nil
}

// Memory returns the number of bytes that one hashing needs.
func (p Params) Memory() int64 { return p.scheme().memory() }

// Hash hashes the password with a salt from random (crypto/rand's if nil) and
// returns the text. It fails if the parameters do not pass Check, and with
// random's error. Like [Hash.Verify] it cannot be interrupted.
func (p Params) Hash(random io.Reader, password string) (string, error) {
	if err := p.Check(); err != nil {
		return "", err
	}
	if random == nil {
		random = rand.Reader
	}
	salt := make([]byte, p.Salt)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("salt: %w", err)
	}
	a := p.scheme()
	return a.text(string(salt), string(a.derive(password, string(salt), p.Key))), nil
}
