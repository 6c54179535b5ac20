package identity

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// MaxEmail is the greatest length of an e-mail address, and of its key, in
// bytes (RFC 5321, section 4.5.3.1.3).
const MaxEmail = 254

var (
	errLongEmail = errors.New("must have at most 254 bytes")
	errAt        = errors.New("must have exactly one '@'")
	errLocal     = errors.New("must have a name before the '@'")
	errDots      = errors.New("must not have a dot at an end of the name before the '@', nor two in a row")
)

// FoldEmail returns the canonical form of an e-mail address, and that of its domain.
//
// The grammar is RFC 5321's Mailbox without its rarities: a dot-atom, '@', a
// domain as of [FoldDomain]. Quoted names, comments, display names and
// address literals are refused. Letters beyond ASCII may stand in both parts (RFC 6531).
//
// The local part folds by the profile UsernameCaseMapped of RFC 8265; so
// letter case is ignored, while dots and "+tags" are kept. Narrower than the
// profile, a character that is another form of an ASCII one (full-width
// letters, the Kelvin sign, İ) is refused: mail for it may reach someone else
// than the owner of the address that it would fold into.
func FoldEmail(s string) (key, domain string, err error) {
	if s == "" {
		return "", "", errEmpty
	}
	if len(s) > MaxEmail {
		return "", "", errLongEmail
	}
	if !utf8.ValidString(s) {
		return "", "", errUTF8
	}
	local, host, ok := strings.Cut(s, "@")
	if !ok || strings.Contains(host, "@") {
		return "", "", errAt
	}
	if local, err = foldLocal(local); err != nil {
		return "", "", err
	}
	if domain, err = FoldDomain(host); err != nil {
		return "", "", err
	}
	key = local + "@" + domain
	// Punycode can be longer than what it encodes.
	if len(key) > MaxEmail {
		return "", "", errLongEmail
	}
	return key, domain, nil
}

// foldLocal folds the part before the '@', valid UTF-8 of bounded length.
func foldLocal(s string) (string, error) {
	if s == "" {
		return "", errLocal
	}
	if s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return "", errDots
	}
	for _, r := range s {
		switch {
		case r >= utf8.RuneSelf:
			if standsForASCII(r) {
				return "", errRune(r)
			}
		case r == ' ' || r == '\t':
			return "", errSpace
		case r < ' ' || r == 0x7f:
			return "", errControl
		case strings.ContainsRune(`"(),:;<>[\]`, r):
			// Printable ASCII but not atext, RFC 5322, section 3.2.3.
			return "", errors.New("must not contain " + string(r) + " before the '@'")
		}
	}
	return fold(s)
}
