// Package phc makes, reads and verifies password hashes in their text form,
// known as PHC strings, and bounds what hashing may use of the machine.
//
//	text, err := phc.Default().Hash(nil, password) // $argon2id$v=19$m=19456,t=2,p=1$…
//	h, err := phc.Parse(text)
//	ok, err := slots.Verify(ctx, h, password)
//	if ok && h.Weaker(phc.Default()) { … } // hash again, with the password at hand
//
// New hashes are argon2id. Read, for passwords that come from elsewhere, are
// also bcrypt ($2a$, $2b$, $2y$), scrypt and PBKDF2 with HMAC-SHA-256.
//
// A text that is read may name any cost, so [Parse] sets ceilings: a
// verification needs at most about 256 MiB, and at most a few seconds. Its
// floors refuse what is no sound hash; one that is merely cheap by today's
// measure is accepted, and [Hash.Weaker] has it replaced at the next sign-in.
//
// A password is verified exactly as given. Where an algorithm would take two
// passwords for the same (bcrypt: beyond 72 bytes, and around U+0000; scrypt
// and PBKDF2: U+0000 at the end), such passwords do not verify. Limiting the
// length of passwords is left to the caller.
//
// Errors are a reason without a subject and never hold the text they are about.
package phc

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MaxText is the greatest length of a hash's text in bytes.
const MaxText = 512

// Bounds of the lengths, in bytes, of salts and keys other than bcrypt's.
const (
	minSalt, maxSalt = 8, 64
	minKey, maxKey   = 16, 64
)

var (
	errKind    = errors.New("must be a password hash of the kind argon2id, bcrypt, scrypt or pbkdf2-sha256")
	errLong    = errors.New("must have at most 512 bytes")
	errForm    = errors.New("must be a password hash in PHC form")
	errSalt    = errors.New("must have a salt of 8 to 64 bytes in base64 without padding")
	errKey     = errors.New("must have a hash of 16 to 64 bytes in base64 without padding")
	errStretch = errors.New("must have a hash of 32 or 64 bytes in base64 without padding")
	errWork    = errors.New("must not cost more than a verification may use")
)

// Hash is a parsed password hash. It is immutable, comparable by == and safe
// for concurrent use. The zero Hash verifies no password.
type Hash struct {
	scheme    scheme
	salt, key string // raw bytes
}

// scheme is an algorithm with its cost parameters; a comparable value.
type scheme interface {
	// verify reports whether the password has the key. It does the whole work
	// even for a password that it refuses, so that time tells nothing.
	verify(password, salt, key string) bool
	text(salt, key string) string
	// memory is the number of bytes that verify needs.
	memory() int64
}

// Parse reads the text of a hash. The error says what is wrong with it.
func Parse(s string) (Hash, error) {
	if len(s) > MaxText {
		return Hash{}, errLong
	}
	if !strings.HasPrefix(s, "$") {
		return Hash{}, errKind
	}
	fields := strings.Split(s[1:], "$")
	switch fields[0] {
	case "argon2id":
		return parseArgon2id(fields[1:])
	case "2a", "2b", "2y":
		return parseBcrypt(fields[0][1], fields[1:])
	case "scrypt":
		return parseScrypt(fields[1:])
	case "pbkdf2-sha256":
		return parsePBKDF2(fields[1:])
	}
	return Hash{}, errKind
}

// Verify reports whether the hash was made of the password. It takes the same
// time wherever the keys differ. It keeps a processor busy for up to a few
// seconds, uses [Hash.Memory] bytes and cannot be interrupted: run it in [Slots].
func (h Hash) Verify(password string) bool {
	return h.scheme != nil && h.scheme.verify(password, h.salt, h.key)
}

// String returns the canonical text of the hash, which Parse reads as an
// equal Hash; for the zero Hash, "". It is as secret as the hash.
func (h Hash) String() string {
	if h.scheme == nil {
		return ""
	}
	return h.scheme.text(h.salt, h.key)
}

// Memory returns the number of bytes that one verification needs.
func (h Hash) Memory() int64 {
	if h.scheme == nil {
		return 0
	}
	return h.scheme.memory()
}

// Weaker reports whether the password should be hashed again with the given
// parameters: the hash is not argon2id, or fills less memory, or does less
// work (memory times passes), or has a shorter salt or key than they ask for.
// A hash just made with the same parameters is not weaker.
func (h Hash) Weaker(than Params) bool {
	a, ok := h.scheme.(argon2id)
	return !ok || a.memoryKiB < than.MemoryKiB || a.work() < than.scheme().work() ||
		len(h.salt) < than.Salt || len(h.key) < than.Key
}

// equal compares keys in constant time.
func equal(a []byte, b string) bool { return subtle.ConstantTimeCompare(a, []byte(b)) == 1 }

// encoding is that of PHC strings, and refuses stray bits.
func encoding() *base64.Encoding { return base64.RawStdEncoding.Strict() }

// decode reads base64 of least to most bytes: no padding, no line breaks, no
// stray bits, so that every value has one text.
func decode(s string, least, most int) (string, bool) {
	if strings.ContainsAny(s, "\r\n") { // which package base64 skips
		return "", false
	}
	b, err := encoding().DecodeString(s)
	if err != nil || len(b) < least || len(b) > most {
		return "", false
	}
	return string(b), true
}

// saltAndKey decodes the two last fields.
func saltAndKey(salt, key string) (string, string, error) {
	s, ok := decode(salt, minSalt, maxSalt)
	if !ok {
		return "", "", errSalt
	}
	k, ok := decode(key, minKey, maxKey)
	if !ok {
		return "", "", errKey
	}
	return s, k, nil
}

// numbers reads "a=1,b=2" with exactly the given names, in their order.
func numbers(s string, names ...string) ([]uint32, error) {
	parts := strings.Split(s, ",")
	if len(parts) != len(names) {
		return nil, errForm
	}
	ns := make([]uint32, len(names))
	for i, name := range names {
		digits, ok := strings.CutPrefix(parts[i], name+"=")
		if !ok {
			return nil, errForm
		}
		n, err := number(digits)
		if err != nil {
			return nil, err
		}
		ns[i] = n
	}
	return ns, nil
}

// number reads a decimal number in its shortest form.
func number(s string) (uint32, error) {
	if s == "" || s[0] == '0' && s != "0" || strings.Trim(s, "0123456789") != "" {
		return 0, errForm
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, errForm
	}
	return uint32(n), nil
}

// within checks the parameter of the given name.
func within(name string, n, least, most uint32) error {
	if n < least || n > most {
		return fmt.Errorf("must have a parameter %s from %d to %d", name, least, most)
	}
	return nil
}
