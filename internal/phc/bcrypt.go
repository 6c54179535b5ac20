package phc

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// Bounds of bcrypt's cost, the binary logarithm of its rounds; 14 takes about a second.
const minBcryptCost, maxBcryptCost = 4, 14

// Lengths of bcrypt's parts: in bytes, and the salt in characters.
const (
	bcryptSalt, bcryptKey = 16, 23
	bcryptSaltText        = 22
	maxBcryptPassword     = 72
)

var errBcrypt = errors.New("must have 22 characters of salt and 31 of hash in bcrypt's base64")

// hashBcrypt is bcrypt of a cost. The variants a, b and y name the same
// function; they are kept for the sake of the text.
type hashBcrypt struct {
	variant byte
	cost    uint8
}

func bcryptEncoding() *base64.Encoding {
	return base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").
		WithPadding(base64.NoPadding).Strict()
}

// parseBcrypt reads two digits of cost and the salt with the key.
func parseBcrypt(variant byte, fields []string) (Hash, error) {
	if len(fields) != 2 || len(fields[0]) != 2 {
		return Hash{}, errForm
	}
	// A cost below ten has a leading zero.
	cost, err := number(strings.TrimPrefix(fields[0], "0"))
	if err != nil {
		return Hash{}, err
	}
	if err := within("cost", cost, minBcryptCost, maxBcryptCost); err != nil {
		return Hash{}, err
	}
	body := fields[1]
	if len(body) < bcryptSaltText || strings.ContainsAny(body, "\r\n") {
		return Hash{}, errBcrypt
	}
	e := bcryptEncoding()
	salt, err := e.DecodeString(body[:bcryptSaltText])
	if err != nil || len(salt) != bcryptSalt {
		return Hash{}, errBcrypt
	}
	key, err := e.DecodeString(body[bcryptSaltText:])
	if err != nil || len(key) != bcryptKey {
		return Hash{}, errBcrypt
	}
	return Hash{hashBcrypt{variant, uint8(cost)}, string(salt), string(key)}, nil
}

// verify refuses passwords that bcrypt confuses with others: it ignores what
// follows 72 bytes, and repeats the password with a U+0000 behind it, so that
// "a" and "a\x00a" are one.
func (b hashBcrypt) verify(password, salt, key string) bool {
	exact := len(password) <= maxBcryptPassword && !strings.Contains(password, "\x00")
	password = password[:min(len(password), maxBcryptPassword)]
	err := bcrypt.CompareHashAndPassword([]byte(b.text(salt, key)), []byte(password))
	return err == nil && exact
}

func (b hashBcrypt) text(salt, key string) string {
	e := bcryptEncoding()
	return fmt.Sprintf("$2%c$%02d$%s%s", b.variant, b.cost, e.EncodeToString([]byte(salt)), e.EncodeToString([]byte(key)))
}

// memory is that of Blowfish's boxes and subkeys, rounded up.
func (b hashBcrypt) memory() int64 { return 8 << 10 }
