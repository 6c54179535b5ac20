package identity

import (
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/secure/precis"
)

func TestFoldUsername(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"ASCII case":                   {"Ada.Lovelace", "ada.lovelace"},
		"printable ASCII":              {"a!\"#$%&'()*+,-./:;<=>?[\\]^_`{|}~", "a!\"#$%&'()*+,-./:;<=>?[\\]^_`{|}~"},
		"one character":                {"A", "a"},
		"composed upper case":          {"JÜRGEN", "jürgen"},
		"decomposed":                   {"ju\u0308rgen", "jürgen"},
		"full width":                   {"ＡＤＡ", "ada"},
		"half-width katakana":          {"ｱﾀﾞ", "アダ"},
		"final sigma stays":            {"ΟΔΥΣΣΕΥΣ", "οδυσσευσ"},
		"Turkish capital I with a dot": {"İ", "i\u0307"},
		"Kelvin sign is K":             {"\u212aate", "kate"},
		"Arabic":                       {"محمد", "محمد"},
		"Hebrew":                       {"דוד", "דוד"},
		"Han":                          {"山田太郎", "山田太郎"},
		"digit first":                  {"1müller", "1müller"},
		"sign last":                    {"müller_", "müller_"},
		"sign first":                   {"_Ä", "_ä"},
		"middle dot between two l":     {"PARAL·LEL", "paral·lel"},
		"e-mail address":               {"A@EXÄMPLE.com", "a@xn--exmple-cua.com"},
		"e-mail address in Punycode":   {"a@XN--EXMPLE-CUA.com", "a@xn--exmple-cua.com"},
		"no e-mail address: two signs": {"A@B@C", "a@b@c"},
		"no e-mail address: quoted":    {`"A"@b.example`, `"a"@b.example`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := FoldUsername(c.in)
			require.NoError(t, err, "FoldUsername(%q)", c.in)
			require.Equal(t, c.want, got, "FoldUsername(%q)", c.in)
			again, err := FoldUsername(got)
			require.NoError(t, err, "FoldUsername(%q)", got)
			require.Equal(t, got, again)
		})
	}
}

func TestFoldUsernameRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, reason string }{
		"empty":                        {"", "must not be empty"},
		"257 characters":               {strings.Repeat("a", 257), "must have at most 256 characters"},
		"257 wide characters":          {strings.Repeat("山", 257), "must have at most 256 characters"},
		"longer when folded":           {strings.Repeat("İ", 129), "must have at most 256 characters"},
		"invalid UTF-8":                {"a\xff", "must be valid UTF-8"},
		"surrogate":                    {"a\xed\xa0\x80", "must be valid UTF-8"},
		"U+0000":                       {"a\x00b", "must not contain control characters"},
		"line feed":                    {"a\nb", "must not contain control characters"},
		"delete":                       {"a\x7f", "must not contain control characters"},
		"C1 control":                   {"a\u0085", "must not contain control characters"},
		"space inside":                 {"ada lovelace", "must not contain white space"},
		"space before":                 {" ada", "must not contain white space"},
		"no-break space":               {"a\u00a0b", "must not contain white space"},
		"ideographic space":            {"a\u3000b", "must not contain white space"},
		"soft hyphen":                  {"a\u00adb", "must not contain the character U+00AD"},
		"zero-width space":             {"a\u200bb", "must not contain the character U+200B"},
		"zero-width non-joiner":        {"a\u200cb", "must not contain the character U+200C"},
		"joiner after virama":          {"क\u094d\u200dष", "must not contain the character U+200D"},
		"word joiner":                  {"a\u2060b", "must not contain the character U+2060"},
		"byte order mark":              {"\ufeffa", "must not contain the character U+FEFF"},
		"left-to-right mark":           {"a\u200e", "must not contain the character U+200E"},
		"right-to-left override":       {"a\u202eb", "must not contain the character U+202E"},
		"isolate":                      {"a\u2066b", "must not contain the character U+2066"},
		"combining grapheme joiner":    {"a\u034fb", "must not contain the character U+034F"},
		"variation selector":           {"a\ufe0f", "must not contain the character U+FE0F"},
		"tag":                          {"a\U000e0061", "must not contain the character U+E0061"},
		"Hangul filler":                {"\u3164", "must not contain the character U+3164"},
		"blank Braille":                {"\u2800", "must not contain the character U+2800"},
		"unassigned":                   {"a\u0378", "must not contain the character U+0378"},
		"unassigned in a late plane":   {"a\U000e0fff", "must not contain the character U+E0FFF"},
		"noncharacter":                 {"a\ufffe", "must not contain the character U+FFFE"},
		"private use":                  {"a\ue000", "must not contain the character U+E000"},
		"replacement character":        {"a\ufffd", "must not contain the character U+FFFD"},
		"long s":                       {"\u017fam", "must not contain the character U+017F"},
		"ligature":                     {"ﬁ", "must not contain the character U+FB01"},
		"emoji":                        {"a😀", "must not contain the character U+1F600"},
		"leading mark":                 {"\u0301a", "must not begin with a combining mark"},
		"stacked marks":                {"a" + strings.Repeat("\u0301", 40), "must not contain such a sequence of characters"},
		"mixed directions":             {"דודa", "must not mix directions of writing"},
		"middle dot elsewhere":         {"a·b", "must not contain the character U+00B7"},
		"address with a wide sign":     {"a＠example.com", "must write an e-mail address in its plain form"},
		"address with a wide domain":   {"a@ｅxample.com", "must write an e-mail address in its plain form"},
		"address with the Kelvin sign": {"\u212a@example.com", "must write an e-mail address in its plain form"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := FoldUsername(c.in)
			require.EqualError(t, err, c.reason, "FoldUsername(%q)", c.in)
			require.Empty(t, got)
		})
	}
}

func TestFoldUsernameLimit(t *testing.T) {
	t.Parallel()
	for _, r := range []string{"a", "ä", "山", "𠀀"} {
		s := strings.Repeat(r, MaxUsername)
		got, err := FoldUsername(s)
		require.NoError(t, err, r)
		require.Equal(t, s, got)
	}
}

// What must not be one name, and what must.
func TestCollisions(t *testing.T) {
	t.Parallel()
	groups := [][]string{
		{"mike", "MIKE", "Mike", "ｍｉｋｅ"},
		{"mİke", "mi\u0307ke"},
		{"mıke"},
		{"mіke"}, // Cyrillic і
		{"kate", "KATE", "\u212aate"},
		{"каte"}, // Cyrillic ка
		{"strasse", "STRASSE"},
		{"straße", "STRAẞE"},
		{"jose"},
		{"josé", "jose\u0301", "JOSÉ", "JOSE\u0301"},
		{"müller", "MU\u0308LLER"},
		{"mueller"},
		{"\u00e5", "\u212b", "a\u030a"}, // å, the Ångström sign
		{"ω", "\u2126", "Ω"},            // the ohm sign
		{"ο"}, {"o"}, {"о"},             // Greek, Latin, Cyrillic
		{"l"}, {"1"}, {"ӏ"},
		{"a.b"}, {"ab"}, {"a+b"},
		{"a@example.com", "A@EXAMPLE.COM"},
		{"a@exämple.com", "a@xn--exmple-cua.com", "A@EXA\u0308MPLE.COM"},
		{"a@strasse.de"},
		{"a@straße.de", "a@xn--strae-oqa.de"},
		{"a@exаmple.com"}, // Cyrillic а
		{"a@example.com.example"},
		{"a@evil-example.com"},
	}
	key := map[string]int{}
	for i, group := range groups {
		first, err := FoldUsername(group[0])
		require.NoError(t, err, "FoldUsername(%q)", group[0])
		for _, s := range group {
			got, err := FoldUsername(s)
			require.NoError(t, err, "FoldUsername(%q)", s)
			require.Equal(t, first, got, "%q and %q are one name", group[0], s)
		}
		j, taken := key[first]
		require.False(t, taken, "%q and %q are two names", groups[max(j, 0)][0], group[0])
		key[first] = i
	}
}

// The quick way of ASCII must be the profile.
func TestFoldASCIIAsProfile(t *testing.T) {
	t.Parallel()
	for c := range rune(utf8.RuneSelf) {
		s := "x" + string(c) + "y"
		got, err := fold(s)
		want, perr := precis.UsernameCaseMapped.String(s)
		require.Equal(t, perr == nil, err == nil, "fold(%q)", s)
		if err == nil {
			require.Equal(t, want, got, "fold(%q)", s)
		}
	}
}

// Every character of the first two planes, the tags, and samples of the rest:
// stable, or refused with a reason.
func TestFoldEveryCharacter(t *testing.T) {
	t.Parallel()
	accepted := 0
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) || r >= 0x20000 && r%101 != 0 && r>>12 != 0xe0 {
			continue
		}
		s := "a" + string(r) + "b"
		key, err := FoldUsername(s)
		if err != nil {
			require.Empty(t, key)
			require.NotEmpty(t, err.Error())
		} else {
			accepted++
			// Where the library's own profile accepts, it agrees.
			if want, err := precis.UsernameCaseMapped.String(s); err == nil && want != key {
				t.Fatalf("FoldUsername(%q) = %q, RFC 8265 gives %q", s, key, want)
			}
			again, err := FoldUsername(key)
			if err != nil || again != key {
				t.Fatalf("FoldUsername(%q) = %q, folded again %q, %v", s, key, again, err)
			}
		}
		if r < utf8.RuneSelf {
			continue
		}
		// No character beyond ASCII stands for an ASCII one in an address.
		if email, _, err := FoldEmail(s + "@example.com"); err == nil && isASCII(email) {
			t.Fatalf("FoldEmail(%q) = %q", s, email)
		}
		domain, err := FoldDomain(s + ".com")
		if err == nil && !strings.HasPrefix(domain, "xn--") {
			t.Fatalf("FoldDomain(%q) = %q", s+".com", domain)
		}
	}
	require.Greater(t, accepted, 40_000)
}

func TestFoldConcurrently(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				key, err := FoldUsername("JU\u0308RGEN@EXÄMPLE.COM")
				if err != nil || key != "jürgen@xn--exmple-cua.com" {
					t.Errorf("FoldUsername: %q, %v", key, err)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzFoldUsername(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		key, err := FoldUsername(s)
		if err != nil {
			if key != "" || err.Error() == "" {
				t.Fatalf("FoldUsername(%q) = %q, %v", s, key, err)
			}
			return
		}
		if n := utf8.RuneCountInString(key); !utf8.ValidString(key) || n < 1 || n > MaxUsername {
			t.Fatalf("FoldUsername(%q) = %q", s, key)
		}
		for _, r := range key {
			if r <= ' ' || r == 0x7f || r == 0xad || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e {
				t.Fatalf("FoldUsername(%q) = %q holds %U", s, key, r)
			}
		}
		again, err := FoldUsername(key)
		if err != nil || again != key {
			t.Fatalf("FoldUsername(%q) = %q, folded again %q, %v", s, key, again, err)
		}
		// An address's key belongs to addresses.
		if _, _, err := FoldEmail(key); err == nil {
			if email, _, err := FoldEmail(s); err != nil || email != key {
				t.Fatalf("FoldUsername(%q) = %q is an address, FoldEmail gives %q, %v", s, key, email, err)
			}
		}
	})
}
