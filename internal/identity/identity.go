// Package identity gives usernames, e-mail addresses and domains their one
// canonical form, the key by which they are unique and found.
//
//	key, err := identity.FoldUsername("Ada.Lovelace")            // "ada.lovelace"
//	key, domain, err := identity.FoldEmail("Ada@Bücher.example") // "ada@xn--bcher-kva.example"
//
// A key is computed once, here, and compared by its bytes everywhere else.
// Folding is idempotent: a key is its own key. What differs in more than
// letter case, canonical composition and, in usernames, width stays distinct:
// look-alikes of other scripts, ß and ss, ı and i.
//
// Refused are invisible, control, bidi-control, private and unassigned
// characters, white space, U+0000 and invalid UTF-8. The joiners U+200C and
// U+200D are invisible and refused too, though RFC 8265 and IDNA allow them
// between letters of some scripts.
//
// Every function that folds checks length before UTF-8 and UTF-8 before
// anything else, so the cost of hostile text is bounded. All are safe for
// concurrent use. Their errors are a reason without a subject, such as "must
// not be empty"; the caller joins it to the name of its field.
package identity

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/bidirule"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

var (
	errEmpty    = errors.New("must not be empty")
	errUTF8     = errors.New("must be valid UTF-8")
	errSpace    = errors.New("must not contain white space")
	errControl  = errors.New("must not contain control characters")
	errMark     = errors.New("must not begin with a combining mark")
	errBidi     = errors.New("must not mix directions of writing")
	errSequence = errors.New("must not contain such a sequence of characters")
	errUnstable = errors.New("has no stable canonical form")
)

func errRune(r rune) error { return fmt.Errorf("must not contain the character %U", r) }

// profile is UsernameCaseMapped of RFC 8265 but for its directionality rule,
// which fold applies itself: precis.UsernameCaseMapped applies it to text
// without right-to-left characters too, and so refuses "1müller" and "müller_".
// It is never changed.
var profile = precis.NewIdentifier(precis.FoldWidth, precis.LowerCase(), precis.Norm(norm.NFC))

// fold applies the profile UsernameCaseMapped of RFC 8265 to s, which is
// valid UTF-8 of bounded length and not empty.
func fold(s string) (string, error) {
	if isASCII(s) {
		// What the profile does to ASCII, without its buffers.
		for i := range len(s) {
			if s[i] <= ' ' || s[i] > '~' {
				return "", reason(s)
			}
		}
		return strings.ToLower(s), nil
	}
	for _, r := range s {
		if r == '\u200c' || r == '\u200d' {
			return "", errRune(r)
		}
	}
	key, err := profile.String(s)
	if err != nil {
		return "", reason(s)
	}
	if first, _ := utf8.DecodeRuneInString(key); unicode.Is(unicode.M, first) {
		return "", errMark
	}
	if bidirule.DirectionString(key) == bidi.RightToLeft && !bidirule.ValidString(key) {
		return "", errBidi
	}
	// The profile's steps are not idempotent by construction, so it is checked.
	if again, err := profile.String(key); err != nil || again != key {
		return "", errUnstable
	}
	return key, nil
}

// reason says why the profile refuses s.
func reason(s string) error {
	for _, r := range s {
		switch {
		case unicode.IsControl(r):
			return errControl
		case unicode.IsSpace(r):
			return errSpace
		}
		if _, err := profile.String(string(r)); err != nil {
			return errRune(r)
		}
	}
	return errSequence
}

// standsForASCII reports whether r, not itself ASCII, is another form of an
// ASCII character by case (K, İ), width (ｋ) or canonical equivalence (U+1FEF).
func standsForASCII(r rune) bool {
	if r < utf8.RuneSelf {
		return false
	}
	if unicode.ToLower(r) < utf8.RuneSelf {
		return true
	}
	if f := width.LookupRune(r).Folded(); f != 0 && f < utf8.RuneSelf {
		return true
	}
	d := norm.NFC.PropertiesString(string(r)).Decomposition()
	return len(d) == 1 && d[0] < utf8.RuneSelf
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
