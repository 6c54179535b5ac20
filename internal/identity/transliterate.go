package identity

import "strings"

// Transliterate writes the German letters ä, ö, ü and ß as ae, oe, ue and ss,
// composed or decomposed; Ä, Ö, Ü and ẞ become Ae, Oe, Ue and SS. Everything else
// stays as it is. It does not fold: its result is a username as given.
func Transliterate(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.NewReplacer(
		"ä", "ae", "a\u0308", "ae", "Ä", "Ae", "A\u0308", "Ae",
		"ö", "oe", "o\u0308", "oe", "Ö", "Oe", "O\u0308", "Oe",
		"ü", "ue", "u\u0308", "ue", "Ü", "Ue", "U\u0308", "Ue",
		"ß", "ss", "ẞ", "SS",
	).Replace(s)
}
