package securitytest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// floors are the first versions without a flaw that was found in a module, or in
// the standard library.
var floors = map[string]string{
	"go":                            "1.26.6",  // CVE-2025-47907, CVE-2025-61725, CVE-2025-61726, CVE-2026-39820, CVE-2026-39821, CVE-2026-42499
	"github.com/golang-jwt/jwt/v5":  "v5.2.2",  // CVE-2025-30204
	"github.com/go-jose/go-jose/v4": "v4.1.4",  // CVE-2025-27144 and later ones
	"github.com/jackc/pgx/v5":       "v5.9.2",  // CVE-2024-27304, CVE-2026-33815, CVE-2026-33816, CVE-2026-41889
	"golang.org/x/text":             "v0.39.0", // CVE-2026-56852
}

// TestVersionFloors: go.mod asks for nothing that has a flaw that is known, and the
// module that checks the description of the routes for what the library asks for.
func TestVersionFloors(t *testing.T) {
	t.Parallel()
	asked := func(file string) map[string]string {
		text, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		versions := map[string]string{}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require ")); len(f) >= 2 {
				versions[f[0]] = f[1]
			}
		}
		return versions
	}
	number := func(version string) (n [3]int) {
		_, err := fmt.Sscanf(strings.TrimPrefix(version, "v"), "%d.%d.%d", &n[0], &n[1], &n[2])
		require.NoError(t, err, version)
		return n
	}
	versions := asked("go.mod")
	for module, floor := range floors {
		version := versions[module]
		require.NotEmpty(t, version, "%s is not in go.mod: take its line out of floors", module)
		have, least := number(version), number(floor)
		newer := have[0] > least[0] || have[0] == least[0] && (have[1] > least[1] || have[1] == least[1] && have[2] >= least[2])
		require.True(t, newer, "%s %s is older than %s", module, version, floor)
	}
	require.Equal(t, versions["go"], asked("httpadapter/internal/openapi/validate/go.mod")["go"])
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	require.Contains(t, string(readme), "Go "+versions["go"]+" or newer")
}
