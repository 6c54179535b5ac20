package phc

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// Ceilings on scrypt's parameters.
const (
	maxScryptLn, maxScryptR, maxScryptP = 18, 16, 16
	maxScryptMemory                     = 256 << 20
	// maxScryptWork bounds N·r·p: about a second.
	maxScryptWork = 1 << 21
)

// hashScrypt is the function of RFC 7914 with N = 1<<ln.
type hashScrypt struct{ ln, r, p uint8 }

// parseScrypt reads ln=…,r=…,p=…, the salt and the key.
func parseScrypt(fields []string) (Hash, error) {
	if len(fields) != 3 {
		return Hash{}, errForm
	}
	ns, err := numbers(fields[0], "ln", "r", "p")
	if err != nil {
		return Hash{}, err
	}
	for i, name := range []string{"ln", "r", "p"} {
		if err := within(name, ns[i], 1, [...]uint32{maxScryptLn, maxScryptR, maxScryptP}[i]); err != nil {
			return Hash{}, err
		}
	}
	s := hashScrypt{uint8(ns[0]), uint8(ns[1]), uint8(ns[2])}
	if 128*s.blocks() > maxScryptMemory || s.blocks()*int64(s.p) > maxScryptWork {
		return Hash{}, errWork
	}
	salt, key, err := saltAndKey(fields[1], fields[2])
	if err != nil {
		return Hash{}, err
	}
	if !stretched(key) {
		return Hash{}, errStretch
	}
	return Hash{s, salt, key}, nil
}

// stretched reports whether a key that PBKDF2 puts out has a length in use.
// The beginning of such a key is the key of a shorter length; with any length
// allowed, a text that lost its end would verify. (One of 64 bytes that lost
// exactly half may.)
func stretched(key string) bool { return len(key) == 32 || len(key) == 64 }

// padded reports whether HMAC, which fills its key with zeros, takes the
// password for a shorter one.
func padded(password string) bool { return strings.HasSuffix(password, "\x00") }

func (s hashScrypt) derive(password, salt string, size int) ([]byte, error) {
	return scrypt.Key([]byte(password), []byte(salt), 1<<s.ln, int(s.r), int(s.p), size)
}

func (s hashScrypt) verify(password, salt, key string) bool {
	got, err := s.derive(password, salt, len(key))
	return err == nil && equal(got, key) && !padded(password)
}

func (s hashScrypt) text(salt, key string) string {
	e := encoding()
	return fmt.Sprintf("$scrypt$ln=%d,r=%d,p=%d$%s$%s", s.ln, s.r, s.p, e.EncodeToString([]byte(salt)), e.EncodeToString([]byte(key)))
}

// blocks is N·r, the number of blocks of 128 bytes.
func (s hashScrypt) blocks() int64 { return int64(s.r) << s.ln }

func (s hashScrypt) memory() int64 { return 128 * (s.blocks() + int64(s.r)*int64(s.p) + 2*int64(s.r)) }
