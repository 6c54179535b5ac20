package securitytest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// floors are the first versions without a flaw that was found in a module.
var floors = map[string]string{
	"github.com/golang-jwt/jwt/v5":  "v5.2.2",  // CVE-2025-30204
	"github.com/go-jose/go-jose/v4": "v4.1.4",  // CVE-2025-27144 and later ones
	"github.com/jackc/pgx/v5":       "v5.9.2",  // CVE-2024-27304, CVE-2026-33815, CVE-2026-33816, CVE-2026-41889
	"golang.org/x/text":             "v0.39.0", // CVE-2026-56852
}

// TestVersionFloors: go.mod asks for nothing that has a flaw that is known.
func TestVersionFloors(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	versions := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require ")); len(f) >= 2 {
			versions[f[0]] = f[1]
		}
	}
	number := func(version string) (n [3]int) {
		_, err := fmt.Sscanf(version, "v%d.%d.%d", &n[0], &n[1], &n[2])
		require.NoError(t, err, version)
		return n
	}
	for module, floor := range floors {
		version := versions[module]
		require.NotEmpty(t, version, "%s is not in go.mod: take its line out of floors", module)
		have, least := number(version), number(floor)
		newer := have[0] > least[0] || have[0] == least[0] && (have[1] > least[1] || have[1] == least[1] && have[2] >= least[2])
		require.True(t, newer, "%s %s is older than %s", module, version, floor)
	}
}
