package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// text is the page of all defects: what came of those that were planted now, and
// what the page before says of the others.
func text(at time.Time, all []defect, results []result, before string) string {
	rows := map[string]string{}
	for _, r := range results {
		rows[r.name] = r.cells() + r.verdict() + " | " + at.UTC().Format(time.DateOnly) + " |"
	}
	var b strings.Builder
	for _, d := range all {
		row := cmp.Or(rows[d.name], d.row(before), d.cells()+"**not run** | |")
		b.WriteString(row + "\n")
	}
	table := b.String()
	return fmt.Sprintf("# Planted faults\n\n"+
		"%d faults, of which %d were found. `make defects` (`go run ./internal/defects -page docs/defects.md`) plants them, last on %s, and writes this page.\n\n"+
		"Each is planted alone, by a build overlay, and a test of the package that is named has to fail; the first that did is named. A test of this\n"+
		"repository fails where a fault of the list is not here as it is planted, or was not found.\n\n"+
		"| what is broken | file | what is changed | found by | last run |\n| --- | --- | --- | --- | --- |\n%s",
		len(all), strings.Count(table, "` | 20"), at.UTC().Format(time.DateOnly), table)
}

// cells is the beginning of the defect's line of the page: all but what came of it.
func (d defect) cells() string {
	change := code(d.old) + " becomes " + code(d.new)
	if d.new == "" {
		change = code(d.old) + " is gone"
	}
	return fmt.Sprintf("| %s | `%s` | %s | ", d.name, d.file, change)
}

// row is the defect's line of the page if that says it was found as it is now, and else empty.
func (d defect) row(page string) string {
	for line := range strings.Lines(page) {
		if rest, ok := strings.CutPrefix(line, d.cells()); ok && strings.HasPrefix(rest, "`") {
			return strings.TrimSuffix(line, "\n")
		}
	}
	return ""
}

func (r result) verdict() string {
	if r.outcome != found {
		return "**" + r.outcome.String() + "**"
	}
	return code(strings.TrimPrefix(r.folder+" ", ". ") + r.by)
}

// code is text as code in a cell of a table, on one line.
func code(s string) string {
	s = strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
	if strings.Contains(s, "`") {
		return "`` " + s + " ``"
	}
	return "`" + s + "`"
}
