package phc

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// Ceilings on argon2id parameters.
const (
	maxMemoryKiB = 256 << 10
	maxTime      = 16
	maxThreads   = 16
	// maxArgon2Work bounds memory in KiB times passes: about a second.
	maxArgon2Work = 1 << 20
)

var errVersion = errors.New("must have version 19 of argon2id")

// argon2id is the function of RFC 9106 in its version 0x13.
type argon2id struct {
	memoryKiB, time uint32
	threads         uint8
}

// check reports the first parameter out of bounds.
func (a argon2id) check() error {
	if err := within("p", uint32(a.threads), 1, maxThreads); err != nil {
		return err
	}
	// Less than eight blocks a lane is not argon2.
	if err := within("m", a.memoryKiB, 8*uint32(a.threads), maxMemoryKiB); err != nil {
		return err
	}
	if err := within("t", a.time, 1, maxTime); err != nil {
		return err
	}
	if a.work() > maxArgon2Work {
		return errWork
	}
	return nil
}

// parseArgon2id reads v=19, m=…,t=…,p=…, the salt and the key. An absent
// version means 16, which is another function.
func parseArgon2id(fields []string) (Hash, error) {
	if len(fields) != 4 {
		return Hash{}, errForm
	}
	if fields[0] != "v=19" {
		return Hash{}, errVersion
	}
	ns, err := numbers(fields[1], "m", "t", "p")
	if err != nil {
		return Hash{}, err
	}
	a := argon2id{memoryKiB: ns[0], time: ns[1], threads: uint8(min(ns[2], 255))}
	if err := a.check(); err != nil {
		return Hash{}, err
	}
	salt, key, err := saltAndKey(fields[2], fields[3])
	if err != nil {
		return Hash{}, err
	}
	return Hash{a, salt, key}, nil
}

func (a argon2id) derive(password, salt string, size int) []byte {
	return argon2.IDKey([]byte(password), []byte(salt), a.time, a.memoryKiB, a.threads, uint32(size))
}

func (a argon2id) verify(password, salt, key string) bool {
	return equal(a.derive(password, salt, len(key)), key)
}

func (a argon2id) text(salt, key string) string {
	e := encoding()
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memoryKiB, a.time, a.threads,
		e.EncodeToString([]byte(salt)), e.EncodeToString([]byte(key)))
}

func (a argon2id) memory() int64 { return int64(a.memoryKiB) << 10 }

func (a argon2id) work() uint64 { return uint64(a.memoryKiB) * uint64(a.time) }
