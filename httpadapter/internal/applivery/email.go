package applivery

import "strings"

// isEmail tells whether s is an address by the text's rule,
//
//	^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$
//
// whose look-aheads package regexp does not have: ASCII alone, one '@', no dot
// at the beginning of the name before it, nor two in a row.
func isEmail(s string) bool {
	local, domain, _ := strings.Cut(s, "@")
	return isLocalPart(local) && isDomain(domain)
}

func isLocalPart(s string) bool {
	if s == "" || s[0] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && strings.IndexByte("_+-'.", c) < 0 {
			return false
		}
	}
	last := s[len(s)-1]
	return last != '\'' && last != '.'
}

// isDomain wants labels that begin with a letter or a digit, and a top-level
// domain of two letters or more.
func isDomain(s string) bool {
	dot := strings.LastIndexByte(s, '.')
	if dot < 0 || len(s)-dot-1 < 2 {
		return false
	}
	for label := range strings.SplitSeq(s[:dot], ".") {
		if label == "" || label[0] == '-' {
			return false
		}
		for i := range len(label) {
			if !alphanumeric(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	for _, c := range []byte(s[dot+1:]) {
		if !letter(c) {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func alphanumeric(c byte) bool { return letter(c) || '0' <= c && c <= '9' }
