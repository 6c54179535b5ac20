package httpadapter

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDocs: the pages in docs/dialects name every route that is served.
func TestDocs(t *testing.T) {
	t.Parallel()
	for _, r := range newSite(t, Options{}).router.Routes() {
		page, _, ok := strings.Cut(r.Name, ".")
		if !ok {
			page = "session"
		}
		text, err := os.ReadFile("../docs/dialects/" + page + ".md")
		require.NoError(t, err)
		require.Contains(t, string(text), "`"+r.Method+" "+r.Pattern+"`", "route %s in the table of %s.md", r.Name, page)
		require.Contains(t, string(text), "## "+r.Method+" "+r.Pattern+"\n", "route %s in %s.md", r.Name, page)
	}
}
