package identity

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPublicMailDomain(t *testing.T) {
	t.Parallel()
	for _, d := range []string{
		"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.co.uk", "live.com", "msn.com", "yahoo.com", "yahoo.co.jp",
		"gmx.de", "gmx.net", "web.de", "icloud.com", "me.com", "proton.me", "protonmail.com", "mail.ru", "yandex.ru", "qq.com", "163.com",
		"126.com", "naver.com", "aol.com", "zoho.com", "t-online.de", "orange.fr", "libero.it", "seznam.cz", "wp.pl", "comcast.net", "mailinator.com",
	} {
		require.True(t, PublicMailDomain(d), d)
	}
	for _, d := range []string{
		"", "com", "example.com", "evilgmail.com", "gmail.com.evil.example", "mail.gmail.com", "gmail.co", "Gmail.com", "gmail.com\n", "google.com", "microsoft.com", "\n",
	} {
		require.False(t, PublicMailDomain(d), d)
	}
}

func TestPublicMailListForm(t *testing.T) {
	t.Parallel()
	require.True(t, strings.HasSuffix(publicMail, "\n"))
	lines := strings.Split(strings.TrimSuffix(publicMail, "\n"), "\n")
	require.Greater(t, len(lines), 300)
	for i, d := range lines {
		got, err := FoldDomain(d)
		require.NoError(t, err, d)
		require.Equal(t, d, got, "line %d is in canonical form", i+1)
		require.Contains(t, d, ".", "line %d", i+1)
		require.True(t, PublicMailDomain(d), d)
	}
	require.True(t, slices.IsSorted(lines), "sorted by bytes")
	require.Len(t, slices.Compact(slices.Clone(lines)), len(lines), "without repeats")
	require.Len(t, publicMailSet(), len(lines))
}
