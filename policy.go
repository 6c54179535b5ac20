package usermgmt

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// PasswordPolicy says which new passwords are accepted. Those that are stored
// already go on working when it changes. The zero policy asks for 8 characters
// and refuses well-known passwords.
//
// Whatever it says, a password that is set in plain text must not be the user's
// username, his e-mail or one half of that, nor the name or the slug of an
// organization that he is a member of then; of more than 24 those count that come
// first by their ids. Case, blanks and punctuation make no difference.
type PasswordPolicy struct {
	// MinLength is the least number of characters (code points); 8 if 0. Where
	// no second factor stands beside the password, 15 is better.
	MinLength int
	// MaxBytes is the greatest length in bytes, 256 to 4096; 1024 if 0.
	MaxBytes int
	// MinDigits, MinLower, MinUpper and MinSpecial are the least numbers of
	// characters of each kind, for contracts that ask for them. Special are
	// those that are neither letters, digits nor white space.
	MinDigits, MinLower, MinUpper, MinSpecial int
	// AllowCommon accepts passwords that are on the built-in list of some
	// 6,000 well-known ones, and those of one character repeated.
	AllowCommon bool
	// Forbidden refuses further passwords where it returns true, such as those
	// of a list of the host's. It is called outside of units of work, by many at once.
	Forbidden func(password string) bool
}

// maxPassword is the greatest length of a password that is verified, in bytes.
const maxPassword = 4096

// setDefaults reports the first setting that makes no sense.
func (p *PasswordPolicy) setDefaults() error {
	if p.MinLength == 0 {
		p.MinLength = 8
	}
	if p.MaxBytes == 0 {
		p.MaxBytes = 1024
	}
	if p.MaxBytes < 256 || p.MaxBytes > maxPassword {
		return invalid("PasswordPolicy.MaxBytes", "must be 256 to 4096")
	}
	for _, n := range []struct {
		name  string
		value int
	}{
		{"MinLength", p.MinLength}, {"MinDigits", p.MinDigits}, {"MinLower", p.MinLower},
		{"MinUpper", p.MinUpper}, {"MinSpecial", p.MinSpecial},
	} {
		if n.value < 0 || n.value > p.MaxBytes/utf8.UTFMax {
			return invalid("PasswordPolicy."+n.name, "must be 0 to a quarter of MaxBytes")
		}
	}
	return nil
}

// check reports why the password is not accepted, as an [*InvalidError] for
// "password" that does not hold it. The words are what is known of its user:
// his username, e-mail, organizations; the password may be none of them.
func (p PasswordPolicy) check(password string, words ...string) error {
	fault := func(reason string) error { return invalid("password", reason) }
	switch {
	case len(password) > p.MaxBytes:
		return fault(fmt.Sprintf("must have at most %d bytes", p.MaxBytes))
	case !utf8.ValidString(password):
		return fault("must be valid UTF-8")
	case strings.ContainsRune(password, 0):
		return fault("must not contain U+0000")
	case utf8.RuneCountInString(password) < p.MinLength:
		return fault(fmt.Sprintf("must have at least %d characters", p.MinLength))
	}
	if err := p.checkKinds(password); err != nil {
		return fault(err.Error())
	}
	lower := strings.ToLower(password)
	switch {
	case isKnownWord(lower, words):
		return fault("must not be the name or the address of the user, nor the name of an organization of his")
	case !p.AllowCommon && isCommon(lower):
		return fault("must not be one of the most common passwords")
	case p.Forbidden != nil && p.Forbidden(password):
		return fault("must not be a forbidden one")
	}
	return nil
}

// checkKinds requires enough characters of each kind.
func (p PasswordPolicy) checkKinds(password string) error {
	var digits, lower, upper, special int
	for _, r := range password {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLower(r):
			lower++
		case unicode.IsUpper(r):
			upper++
		case !unicode.IsLetter(r) && !unicode.IsSpace(r):
			special++
		}
	}
	for _, k := range []struct {
		have, need int
		name       string
	}{
		{digits, p.MinDigits, "digits"}, {lower, p.MinLower, "lower-case letters"},
		{upper, p.MinUpper, "upper-case letters"}, {special, p.MinSpecial, "special characters"},
	} {
		if k.have < k.need {
			return errors.New(fmt.Sprint("must have at least ", k.need, " ", k.name))
		}
	}
	return nil
}

// isKnownWord reports whether a password in lower case is one of the words, or
// the part of one before or after an '@'.
func isKnownWord(lower string, words []string) bool {
	lower = unpunctuated(lower)
	return slices.ContainsFunc(words, func(w string) bool {
		w = unpunctuated(strings.ToLower(w))
		name, domain, _ := strings.Cut(w, "@")
		return lower == w || lower == name || lower == domain
	})
}

// unpunctuated returns s without blanks, punctuation and symbols, but for an
// '@'; s itself if nothing is left.
func unpunctuated(s string) string {
	rest := strings.Map(func(r rune) rune {
		if r != '@' && (unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r)) {
			return -1
		}
		return r
	}, s)
	return cmp.Or(rest, s)
}

// commonPasswords holds passwords that are tried first by whoever guesses, in
// lower case, one per line, sorted by bytes.
//
//go:embed common_passwords.txt
var commonPasswords string

// commonSet is built at the first question and never changed.
var commonSet = sync.OnceValue(func() map[string]struct{} {
	set := make(map[string]struct{}, strings.Count(commonPasswords, "\n"))
	for line := range strings.Lines(commonPasswords) {
		set[strings.TrimSuffix(line, "\n")] = struct{}{}
	}
	return set
})

// isCommon reports whether a password in lower case is well known.
func isCommon(lower string) bool {
	first, size := utf8.DecodeRuneInString(lower)
	if strings.Count(lower, lower[:size]) == utf8.RuneCountInString(lower) && first != utf8.RuneError {
		return true
	}
	_, ok := commonSet()[lower]
	return ok
}
