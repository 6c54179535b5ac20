package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The faults are to be planted in the code as it is now.
func TestDefectsFitTheCode(t *testing.T) {
	t.Parallel()
	root, err := moduleRoot(t.Context())
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, d := range defects() {
		require.False(t, seen[d.name], "%s: twice", d.name)
		seen[d.name] = true
		broken, err := d.apply(root)
		require.NoError(t, err, d.name)
		sound, err := os.ReadFile(filepath.Join(root, d.file))
		require.NoError(t, err)
		require.NotEqual(t, sound, broken, d.name)
	}
}

// The page says of every fault, as it is planted now, that a test has found it,
// and no more than that.
func TestPageSaysWhatIsFound(t *testing.T) {
	t.Parallel()
	root, err := moduleRoot(t.Context())
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join(root, "docs", "defects.md"))
	require.NoError(t, err)
	all := defects()
	require.GreaterOrEqual(t, len(all), 60)
	var rows []string
	for _, d := range all {
		row := d.row(string(page))
		require.NotEmpty(t, row, "docs/defects.md does not say that this was found, as it is now: %s\nTo plant what it lacks: go run ./internal/defects -page docs/defects.md -open", d.name)
		rows = append(rows, row)
	}
	_, table, _ := strings.Cut(string(page), "| --- | --- | --- | --- | --- |\n")
	require.Equal(t, rows, strings.Split(strings.TrimSuffix(table, "\n"), "\n"))
}

// A line counts only for the fault as it is, and only where that was found.
func TestRow(t *testing.T) {
	t.Parallel()
	d := defect{name: "any secret opens", file: "door.go", old: "	if a || b {\n		return `c`", new: "	if a {\n		return `c`", folder: "house", test: "TestDoor"}
	at := time.Date(2026, 3, 1, 23, 0, 0, 0, time.UTC)
	page := text(at, []defect{d}, []result{{d, found, "TestDoor/locked"}}, "")
	row := "| any secret opens | `door.go` | `` if a \\|\\| b { return `c` `` becomes `` if a { return `c` `` | `house TestDoor/locked` | 2026-03-01 |"
	require.Contains(t, page, "1 faults, of which 1 were found.")
	require.Equal(t, row, d.row(page))
	require.Equal(t, page, text(at, []defect{d}, nil, page), "what is not planted again stays")

	changed := d
	changed.new = "	if b {\n		return `c`"
	require.Empty(t, changed.row(page))
	for _, o := range []outcome{survived, unbuilt} {
		after := text(at, []defect{d}, []result{{d, o, ""}}, page)
		require.Empty(t, d.row(after))
		require.Contains(t, after, "1 faults, of which 0 were found.")
		require.Contains(t, after, "**"+o.String()+"**")
	}
	require.Contains(t, text(at, []defect{changed}, nil, page), "**not run**")
}

func TestFailure(t *testing.T) {
	t.Parallel()
	require.Equal(t, "TestA/b/c", failure("--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\n        --- FAIL: TestA/b/c (0.00s)\n            x.go:1\n--- FAIL: TestB (0.00s)\n", "Test"))
	require.Equal(t, "TestA|TestB", failure("panic: stop\n", "TestA|TestB"))
}
