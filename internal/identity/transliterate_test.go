package identity

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTransliterate(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                      "",
		"ada":                   "ada",
		"äöüß":                  "aeoeuess",
		"Ä Ö Ü ẞ":               "Ae Oe Ue SS",
		"a\u0308o\u0308u\u0308": "aeoeue",
		"A\u0308O\u0308U\u0308": "AeOeUe",
		"Jörg.Müßig@köln.de":    "Joerg.Muessig@koeln.de",
		"e\u0308 é å ø":         "e\u0308 é å ø",
		"a\u0301\u0308":         "a\u0301\u0308",
		"äx\xff":                "aex\xff",
	} {
		got := Transliterate(in)
		require.Equal(t, want, got, "Transliterate(%q)", in)
		require.Equal(t, got, Transliterate(got), "again")
	}
}

func TestTransliterateBeforeFolding(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, s := range []string{"MÜLLER", "mu\u0308ller", "mueller", "MUELLER"} {
		key, err := FoldUsername(Transliterate(s))
		require.NoError(t, err)
		keys = append(keys, key)
	}
	require.Equal(t, []string{"mueller", "mueller", "mueller", "mueller"}, keys)
}
