package identity

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/idna"
)

func TestFoldDomain(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	for in, want := range map[string]string{
		"example.com":             "example.com",
		"EXAMPLE.com":             "example.com",
		"localhost":               "localhost",
		"a-b.c1.example":          "a-b.c1.example",
		"1.2.3.x4":                "1.2.3.x4",
		"bücher.example":          "xn--bcher-kva.example",
		"bu\u0308cher.example":    "xn--bcher-kva.example",
		"BÜCHER.EXAMPLE":          "xn--bcher-kva.example",
		"XN--BCHER-KVA.example":   "xn--bcher-kva.example",
		"faß.de":                  "xn--fa-hia.de",
		"fass.de":                 "fass.de",
		"βόλος.com":               "xn--nxasmm1c.com",
		"βόλοσ.com":               "xn--nxasmq6b.com",
		"рф.рф":                   "xn--p1ai.xn--p1ai",
		"paral·lel.cat":           "xn--parallel-koa.cat",
		"例え.テスト":                  "xn--r8jz45g.xn--zckzah",
		"دوד"[:0] + "مثال.إختبار": "xn--mgbh0fb.xn--kgbechtv",
		label + ".example":        label + ".example",
	} {
		got, err := FoldDomain(in)
		require.NoError(t, err, "FoldDomain(%q)", in)
		require.Equal(t, want, got, "FoldDomain(%q)", in)
		again, err := FoldDomain(got)
		require.NoError(t, err)
		require.Equal(t, got, again)
	}
}

func TestFoldDomainRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"empty":                      "",
		"dot":                        ".",
		"leading dot":                ".example.com",
		"trailing dot":               "example.com.",
		"empty label":                "a..com",
		"leading hyphen":             "-a.com",
		"trailing hyphen":            "a-.com",
		"reserved label":             "ab--c.com",
		"underscore":                 "_dmarc.example.com",
		"space":                      "exa mple.com",
		"star":                       "*.example.com",
		"port":                       "example.com:25",
		"slash":                      "example.com/x",
		"U+0000":                     "example\x00.com",
		"invalid UTF-8":              "ex\xffample.com",
		"IPv4":                       "127.0.0.1",
		"number":                     "12345",
		"IPv6":                       "[::1]",
		"label of 64":                strings.Repeat("a", 64) + ".com",
		"254 bytes":                  strings.Repeat("a.", 125) + "abcd",
		"label of 64 in Punycode":    strings.Repeat("ü", 60) + ".com",
		"full width":                 "ｅxample.com",
		"full-width dot":             "example．com",
		"ideographic dot":            "example。com",
		"half-width dot":             "example｡com",
		"soft hyphen":                "exam\u00adple.com",
		"zero-width space":           "exam\u200bple.com",
		"zero-width non-joiner":      "نامه\u200cای.com",
		"the same in Punycode":       "xn--mgba3gch31f060k.com",
		"zero-width joiner":          "क\u094d\u200dष.com",
		"word joiner":                "exam\u2060ple.com",
		"variation selector":         "exam\ufe0fple.com",
		"Kelvin sign":                "\u212aate.com",
		"İ":                          "İx.com",
		"long s":                     "\u017fam.com",
		"ligature":                   "ﬁ.com",
		"circled":                    "ⓔxample.com",
		"emoji":                      "😀.com",
		"emoji in Punycode":          "xn--e28h.com",
		"symbol":                     "☃.com",
		"blank Braille":              "a\u2800.com",
		"leading mark":               "\u0301a.com",
		"mixed directions":           "דודa.com",
		"unassigned":                 "a\u0378.com",
		"Punycode of ASCII":          "xn--example-.com",
		"Punycode of ASCII, short":   "xn--a-.com",
		"Punycode of nothing":        "xn--.com",
		"Punycode that is none":      "xn--\u00fc.com",
		"Punycode that overflows":    "xn--99999999999.com",
		"Punycode of upper case":     "xn--bcher-2pa.com",
		"Punycode of decomposed":     "xn--bucher-xyd.com",
		"Punycode of Punycode":       "xn--xn--bcher-u9a.com",
		"Punycode of the full width": "xn--xample-hy68a.com",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := FoldDomain(in)
			require.Error(t, err, "FoldDomain(%q) = %q", in, got)
			require.Empty(t, got)
		})
	}
}

// What UTS 46 maps into another name must not reach it here.
func TestFoldDomainMapsNothing(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"ｅｘａｍｐｌｅ.com", "exam\u00adple.com", "example。com", "ⓔxample.com", "𝐞xample.com", "ℯxample.com"} {
		mapped, err := idna.Lookup.ToASCII(in)
		require.NoError(t, err)
		require.Equal(t, "example.com", mapped, "the premise")
		_, err = FoldDomain(in)
		require.Error(t, err, "FoldDomain(%q)", in)
	}
}

// Whether these are taken depends on the version of Unicode; that nobody else
// reads them as another name does not.
func TestFoldDomainAgreesWithLookup(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"STRAẞE.de", "\u04c0.com", "A\u030a.com", "\u212b.com", "ΒΌΛΟΣ.com", "Ⴀ.com", "Ꭰ.com", "ꭰ.com"} {
		got, err := FoldDomain(in)
		if err != nil {
			continue
		}
		found, err := idna.Lookup.ToASCII(in)
		require.NoError(t, err, "FoldDomain(%q) = %q", in, got)
		require.Equal(t, found, got, "FoldDomain(%q)", in)
	}
}

func FuzzFoldDomain(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		key, err := FoldDomain(s)
		if err != nil {
			return
		}
		again, err := FoldDomain(key)
		if err != nil || again != key {
			t.Fatalf("FoldDomain(%q) = %q, folded again %q, %v", s, key, again, err)
		}
		// Wherever we accept, lookup agrees with us.
		want, err := idna.Lookup.ToASCII(s)
		if err != nil || want != key {
			t.Fatalf("FoldDomain(%q) = %q, lookup gives %q, %v", s, key, want, err)
		}
		u, err := idna.Lookup.ToUnicode(key)
		if err != nil {
			t.Fatalf("ToUnicode(%q): %v", key, err)
		}
		if back, err := FoldDomain(u); err != nil || back != key {
			t.Fatalf("FoldDomain(%q) = %q, its Unicode form %q gives %q, %v", s, key, u, back, err)
		}
	})
}
