package identity

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestFoldEmail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, key, domain string }{
		"case":                 {"Ada@Example.COM", "ada@example.com", "example.com"},
		"all of atext":         {"a!#$%&'*+-/=?^_`{|}~@x.example", "a!#$%&'*+-/=?^_`{|}~@x.example", "x.example"},
		"tag":                  {"ada+list@example.com", "ada+list@example.com", "example.com"},
		"dots":                 {"a.b.c@example.com", "a.b.c@example.com", "example.com"},
		"apostrophe":           {"O'Neil@example.ie", "o'neil@example.ie", "example.ie"},
		"one label":            {"root@localhost", "root@localhost", "localhost"},
		"digits":               {"1@2.example3", "1@2.example3", "2.example3"},
		"Unicode name":         {"JÜRGEN@example.de", "jürgen@example.de", "example.de"},
		"decomposed":           {"ju\u0308rgen@example.de", "jürgen@example.de", "example.de"},
		"Unicode domain":       {"a@BÜCHER.example", "a@xn--bcher-kva.example", "xn--bcher-kva.example"},
		"Punycode domain":      {"a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example", "xn--bcher-kva.example"},
		"right to left name":   {"דוד@example.com", "דוד@example.com", "example.com"},
		"right to left domain": {"a@דוד.example", "a@xn--7dbaf.example", "xn--7dbaf.example"},
		"ß in both":            {"Straße@straße.de", "straße@xn--strae-oqa.de", "xn--strae-oqa.de"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, domain, err := FoldEmail(c.in)
			require.NoError(t, err, "FoldEmail(%q)", c.in)
			require.Equal(t, c.key, key)
			require.Equal(t, c.domain, domain)
			username, err := FoldUsername(c.in)
			require.NoError(t, err)
			require.Equal(t, key, username, "the same text as a username")
		})
	}
}

func TestFoldEmailRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, reason string }{
		"empty":                 {"", "must not be empty"},
		"255 bytes":             {strings.Repeat("a", 243) + "@example.com", "must have at most 254 bytes"},
		"longer in Punycode":    {strings.Repeat("a", 230) + "@ü.ü.ü.ü.ü.de", "must have at most 254 bytes"},
		"invalid UTF-8":         {"a\xff@example.com", "must be valid UTF-8"},
		"no sign":               {"example.com", "must have exactly one '@'"},
		"two signs":             {"a@b@example.com", "must have exactly one '@'"},
		"no name":               {"@example.com", "must have a name before the '@'"},
		"no domain":             {"a@", "must have a domain"},
		"leading dot":           {".a@example.com", errDots.Error()},
		"trailing dot":          {"a.@example.com", errDots.Error()},
		"double dot":            {"a..b@example.com", errDots.Error()},
		"space":                 {"a b@example.com", "must not contain white space"},
		"leading space":         {" a@example.com", "must not contain white space"},
		"trailing space":        {"a@example.com ", errLabel.Error()},
		"U+0000 in the name":    {"a\x00@example.com", "must not contain control characters"},
		"U+0000 in the domain":  {"a@example.com\x00", errLabel.Error()},
		"line break":            {"a@example.com\r\nBcc: b", errLabel.Error()},
		"quoted":                {`"a"@example.com`, `must not contain " before the '@'`},
		"comment":               {"a(b)@example.com", "must not contain ( before the '@'"},
		"display name":          {"Ada<a@example.com>", "must not contain < before the '@'"},
		"list":                  {"a,b@example.com", "must not contain , before the '@'"},
		"backslash":             {`a\b@example.com`, `must not contain \ before the '@'`},
		"address literal":       {"a@[127.0.0.1]", errLabel.Error()},
		"IPv4 address":          {"a@127.0.0.1", errNumber.Error()},
		"trailing dot domain":   {"a@example.com.", errLabel.Error()},
		"double dot domain":     {"a@example..com", errLabel.Error()},
		"underscore domain":     {"a@ex_ample.com", errLabel.Error()},
		"wide sign":             {"a＠example.com", "must have exactly one '@'"},
		"wide name":             {"ａda@example.com", "must not contain the character U+FF41"},
		"wide dot in the name":  {"a．b@example.com", "must not contain the character U+FF0E"},
		"Kelvin sign":           {"\u212aate@example.com", "must not contain the character U+212A"},
		"İ":                     {"mİke@example.com", "must not contain the character U+0130"},
		"long s":                {"\u017fam@example.com", "must not contain the character U+017F"},
		"Greek varia":           {"a\u1fef@example.com", "must not contain the character U+1FEF"},
		"soft hyphen":           {"a\u00ad@example.com", "must not contain the character U+00AD"},
		"zero-width joiner":     {"a\u200d@example.com", "must not contain the character U+200D"},
		"right-to-left mark":    {"a\u200f@example.com", "must not contain the character U+200F"},
		"unassigned":            {"a\u0378@example.com", "must not contain the character U+0378"},
		"soft hyphen in domain": {"a@exam\u00adple.com", errIDN.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, domain, err := FoldEmail(c.in)
			require.EqualError(t, err, c.reason, "FoldEmail(%q)", c.in)
			require.Empty(t, key)
			require.Empty(t, domain)
		})
	}
}

func TestFoldEmailLimit(t *testing.T) {
	t.Parallel()
	s := strings.Repeat("a", 242) + "@example.com"
	key, _, err := FoldEmail(s)
	require.NoError(t, err)
	require.Equal(t, s, key)
}

// A mebibyte of whatever is refused by its length, before it is looked at.
func TestHostileLength(t *testing.T) { // not parallel, for AllocsPerRun
	for name, unit := range map[string]string{
		"dots": ".", "at": "@", "atoms": "a.", "labels": "a@b.", "marks": "\u0301", "kelvin": "\u212a",
		"bad UTF-8": "\xff", "half a rune": "\xe2\x80", "Punycode": "xn--a", "quotes": `"\`, "wide": "ｅ",
	} {
		s := strings.Repeat(unit, 1<<20/len(unit))
		for fn, fold := range map[string]func(string) error{
			"FoldUsername": func(s string) error { _, err := FoldUsername(s); return err },
			"FoldEmail":    func(s string) error { _, _, err := FoldEmail(s); return err },
			"FoldDomain":   func(s string) error { _, err := FoldDomain(s); return err },
		} {
			require.ErrorContains(t, fold(s), "at most", "%s of %s", fn, name)
			require.Zero(t, testing.AllocsPerRun(1, func() { _ = fold(s) }), "%s of %s", fn, name)
		}
	}
}

// The costliest texts within the limits. The bound is generous for a busy
// machine; what it catches is a parser that is worse than linear.
func TestHostileContent(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"marks":           "a" + strings.Repeat("\u0301", 255),
		"marks reordered": "a" + strings.Repeat("\u0301\u0323", 127),
		"Kelvin signs":    strings.Repeat("\u212a", 256),
		"Hangul":          strings.Repeat("\u1100\u1161\u11a8", 85),
		"Punycode":        "a@xn--" + strings.Repeat("9", 240),
		"many labels":     "a@" + strings.Repeat("ü.", 80) + "de",
		"long label":      "a@" + strings.Repeat("ü", 120),
	} {
		best := time.Hour
		for range 5 {
			start := time.Now()
			_, _ = FoldUsername(s)
			_, _, _ = FoldEmail(s)
			_, _ = FoldDomain(s[strings.IndexByte(s, '@')+1:])
			best = min(best, time.Since(start))
		}
		require.Less(t, best, 50*time.Millisecond, name)
	}
}

func FuzzFoldEmail(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		key, domain, err := FoldEmail(s)
		if err != nil {
			if key != "" || domain != "" || err.Error() == "" {
				t.Fatalf("FoldEmail(%q) = %q, %q, %v", s, key, domain, err)
			}
			return
		}
		if !utf8.ValidString(key) || len(key) > MaxEmail || strings.Count(key, "@") != 1 || !strings.HasSuffix(key, "@"+domain) {
			t.Fatalf("FoldEmail(%q) = %q, %q", s, key, domain)
		}
		if !isASCII(domain) || strings.ToLower(domain) != domain {
			t.Fatalf("FoldEmail(%q): domain %q", s, domain)
		}
		again, host, err := FoldEmail(key)
		if err != nil || again != key || host != domain {
			t.Fatalf("FoldEmail(%q) = %q, folded again %q, %v", s, key, again, err)
		}
		alone, err := FoldDomain(s[strings.IndexByte(s, '@')+1:])
		if err != nil || alone != domain {
			t.Fatalf("FoldDomain of %q = %q, %v, want %q", s, alone, err, domain)
		}
		if isASCII(key) && !isASCII(s) && !strings.Contains(domain, "xn--") {
			t.Fatalf("FoldEmail(%q) = %q: text beyond ASCII became ASCII", s, key)
		}
		username, err := FoldUsername(s)
		if err != nil || username != key {
			t.Fatalf("FoldUsername(%q) = %q, %v, want the address's key %q", s, username, err, key)
		}
	})
}
