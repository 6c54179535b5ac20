package identity

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// MaxDomain is the greatest length of a domain, and of its canonical form, in bytes.
const MaxDomain = 253

var (
	errNoDomain   = errors.New("must have a domain")
	errLongDomain = errors.New("must have a domain of at most 253 bytes")
	errLabel      = errors.New("must have a domain whose labels have 1 to 63 letters, digits and inner hyphens")
	errNumber     = errors.New("must have a domain that does not end in a number")
	errIDN        = errors.New("must have a domain that is valid by IDNA 2008")
)

// FoldDomain returns the canonical form of a domain: lower-case ASCII, with
// labels beyond ASCII in Punycode ("xn--…").
//
// It applies letter case, NFC, and then IDNA 2008's registration protocol (RFC
// 5891, section 4). Unicode and Punycode of one name fold alike, and ß is not
// ss. A domain that merely maps into another by UTS 46 (full-width letters,
// soft hyphens, other dots) is refused, as are symbols and emoji, Punycode of
// plain ASCII, and what UTS 46 reads as another name.
//
// One label is enough, for hosts of an intranet. A trailing dot, an empty
// label, an underscore, an address literal and a last label of digits alone
// (an IPv4 address) are refused.
func FoldDomain(s string) (string, error) {
	if s == "" {
		return "", errNoDomain
	}
	if len(s) > MaxDomain {
		return "", errLongDomain
	}
	if !utf8.ValidString(s) {
		return "", errUTF8
	}
	key := s
	if isASCII(s) {
		key = strings.ToLower(s)
	}
	if !isASCII(s) || strings.Contains(key, "xn--") {
		var err error
		if key, err = foldIDN(s); err != nil {
			return "", err
		}
	}
	if len(key) > MaxDomain {
		return "", errLongDomain
	}
	if err := checkLabels(key); err != nil {
		return "", err
	}
	return key, nil
}

// foldIDN returns the ASCII form of a domain with labels beyond ASCII.
func foldIDN(s string) (string, error) {
	for _, r := range s {
		if standsForASCII(r) {
			return "", errRune(r)
		}
	}
	lower := norm.NFC.String(strings.Map(unicode.ToLower, s))
	key, err := idna.Registration.ToASCII(lower)
	if err != nil {
		return "", errIDN
	}
	// Others must not read the name otherwise: UTS 46 took ẞ for ss until
	// Unicode 15.1, and knows no lower case of Ӏ (U+04C0).
	if found, err := idna.Lookup.ToASCII(s); err != nil || found != key {
		return "", errIDN
	}
	// The way back must lead to the same name, through labels that are
	// identifiers in canonical form. This is stricter than the package idna,
	// which lets symbols and joiners pass.
	u, err := idna.Registration.ToUnicode(key)
	if err != nil {
		return "", errIDN
	}
	again, err := idna.Registration.ToASCII(u)
	if err != nil || again != key {
		return "", errIDN
	}
	names := strings.Split(key, ".")
	labels := strings.Split(u, ".")
	if len(names) != len(labels) {
		return "", errIDN
	}
	for i, label := range labels {
		if isASCII(label) {
			if label != names[i] {
				return "", errIDN
			}
			continue
		}
		folded, err := fold(label)
		if err != nil {
			return "", err
		}
		if folded != label {
			return "", errIDN
		}
	}
	return key, nil
}

// checkLabels checks a domain in lower-case ASCII against RFC 1123, section
// 2.1, and RFC 5890, section 2.3.1: a label with hyphens in third and fourth
// place is Punycode or nothing.
func checkLabels(s string) error {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return errLabel
		}
		if len(label) > 3 && label[2:4] == "--" && label[:2] != "xn" {
			return errLabel
		}
		for i := range len(label) {
			if c := label[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return errLabel
			}
		}
	}
	last := s[strings.LastIndexByte(s, '.')+1:]
	if strings.Trim(last, "0123456789") == "" {
		return errNumber
	}
	return nil
}
