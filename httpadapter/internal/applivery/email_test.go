package applivery

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rule is the text's pattern without its look-aheads, which reference adds.
var rule = regexp.MustCompile(`\A([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}\z`)

func reference(s string) bool {
	return rule.MatchString(s) && !strings.HasPrefix(s, ".") && !strings.Contains(s, "..")
}

func TestIsEmail(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"user@example.com": true, "a@b.co": true, "A.b_c'd+e-f@x.y-.museum": true, "-@1.zz": true, "_@0-0.a.bc": true, "'a@b.cd": true, "+@b.cd": true,
		"a.b.c@d.e.fg": true,

		"": false, "@": false, "a@": false, "@b.cd": false, "a": false, "a@b": false, "a@b.c": false, "a@b.c1": false, "a@.cd": false, "a@b..cd": false,
		"a@-b.cd": false, "a@b.cd.": false, "a@b.-cd": false, ".a@b.cd": false, "a.@b.cd": false, "a..b@c.de": false, "a'@b.cd": false, "a@@b.cd": false,
		"a@b@c.de": false, "a b@c.de": false, "a@b_c.de": false, "a@b.cd ": false, " a@b.cd": false, "a@b.cd\n": false, "a\x00@b.cd": false,
		"ö@b.cd": false, "a@ö.cd": false, "a@b.öö": false, "a@b.cd\xff": false, "<a@b.cd>": false, `"a"@b.cd`: false, "a@[1.2.3.4]": false, "a%b@c.de": false,
		"a!b@c.de": false, "a/b@c.de": false, "a`@b.cd": false, "a{@b.cd": false, "a@b.c[": false, "a@b.@@": false,
	} {
		require.Equal(t, want, reference(s), "reference, %q", s)
		require.Equal(t, want, isEmail(s), "%q", s)
	}
}

func FuzzIsEmail(f *testing.F) {
	for _, s := range []string{"user@example.com", "A.b_c'd+e-f@x.y-.museum", "a..b@c.de", ".a@b.cd", "a.@b.cd", "a@b.c\n", "a@@b.cd", "a'@b.-c.de", "ö@ä.de", "\xff@b.cd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := isEmail(s), reference(s); got != want {
			t.Fatalf("isEmail(%q) = %v, want %v", s, got, want)
		}
	})
}
