package phc

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"fmt"
	"strings"
)

// Bounds of PBKDF2's iterations; the most take about a second. Every 32 bytes
// of key take them anew, and count against the ceiling.
const minIterations, maxIterations = 1_000, 5_000_000

// hashPBKDF2 is the function of RFC 8018 with HMAC-SHA-256.
type hashPBKDF2 struct{ iterations uint32 }

// parsePBKDF2 reads i=… (or i=…,l=… with the length of the key, or the bare
// number of passlib), the salt and the key. A '.' in the base64 is passlib's for '+'.
func parsePBKDF2(fields []string) (Hash, error) {
	if len(fields) != 3 {
		return Hash{}, errForm
	}
	n, length, err := iterations(fields[0])
	if err != nil {
		return Hash{}, err
	}
	if err := within("i", n, minIterations, maxIterations); err != nil {
		return Hash{}, err
	}
	salt, key, err := saltAndKey(strings.ReplaceAll(fields[1], ".", "+"), strings.ReplaceAll(fields[2], ".", "+"))
	if err != nil {
		return Hash{}, err
	}
	if !stretched(key) || length >= 0 && length != int64(len(key)) {
		return Hash{}, errStretch
	}
	if int(n)*len(key)/sha256.Size > maxIterations {
		return Hash{}, errWork
	}
	return Hash{hashPBKDF2{n}, salt, key}, nil
}

// iterations reads the parameters; the length is -1 if it is not among them.
func iterations(s string) (n uint32, length int64, err error) {
	if !strings.Contains(s, "=") {
		n, err = number(s)
		return n, -1, err
	}
	if !strings.Contains(s, ",") {
		ns, err := numbers(s, "i")
		if err != nil {
			return 0, 0, err
		}
		return ns[0], -1, nil
	}
	ns, err := numbers(s, "i", "l")
	if err != nil {
		return 0, 0, err
	}
	return ns[0], int64(ns[1]), nil
}

func (p hashPBKDF2) derive(password, salt string, size int) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, []byte(salt), int(p.iterations), size)
}

func (p hashPBKDF2) verify(password, salt, key string) bool {
	got, err := p.derive(password, salt, len(key))
	return err == nil && equal(got, key) && !padded(password)
}

func (p hashPBKDF2) text(salt, key string) string {
	e := encoding()
	return fmt.Sprintf("$pbkdf2-sha256$i=%d$%s$%s", p.iterations, e.EncodeToString([]byte(salt)), e.EncodeToString([]byte(key)))
}

// memory is that of two SHA-256 states and the key, rounded up.
func (p hashPBKDF2) memory() int64 { return 4 << 10 }
