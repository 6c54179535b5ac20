// Package securitytest holds docs/security.md against the tests that it names, and
// the databases against what must not be in them.
package securitytest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usermgmt-go/usermgmt/store"
	"github.com/usermgmt-go/usermgmt/store/storetest"
)

// root is the top of the module.
const root = "../.."

// How many lines of each kind the page has: R01 to R60, F01 to F51.
const requirements, flaws = 60, 51

// line is a row of one of the page's tables.
type line struct {
	id, text, how string
	evidence      []string
}

// status is what the third column begins with, up to a colon.
func (l line) status() (status, reason string) {
	status, reason, _ = strings.Cut(l.how, ":")
	return status, strings.TrimSpace(reason)
}

var (
	rowPattern  = regexp.MustCompile(`^\| *([RF][0-9]+) *\|(.*)\|(.*)\|(.*)\|$`)
	spanPattern = regexp.MustCompile("`([^`]+)`")
)

// lines are the rows of a page, in order.
func lines(page string) []line {
	var ls []line
	for text := range strings.Lines(page) {
		m := rowPattern.FindStringSubmatch(strings.TrimSpace(text))
		if m == nil {
			continue
		}
		l := line{id: m[1], text: strings.TrimSpace(m[2]), how: strings.TrimSpace(m[3])}
		for _, span := range spanPattern.FindAllStringSubmatch(m[4], -1) {
			l.evidence = append(l.evidence, span[1])
		}
		ls = append(ls, l)
	}
	return ls
}

// statuses say of each word of the third column whether it asks for tests.
var statuses = map[string]bool{
	"Met": true, "Half": true, "Not met": false, "Left to the host": false, "Cannot occur": false,
}

// complaints are what is wrong with a page, apart from the tests that it names.
func complaints(ls []line) []string {
	var found []string
	seen := map[string]int{}
	for _, l := range ls {
		seen[l.id]++
		status, reason := l.status()
		tested, known := statuses[status]
		switch {
		case !known:
			found = append(found, l.id+": its status is none of ours")
		case tested && len(l.evidence) == 0:
			found = append(found, l.id+": no test")
		case len(reason) < 10:
			found = append(found, l.id+": no reason")
		}
		if len(l.text) < 10 {
			found = append(found, l.id+": no text")
		}
	}
	for kind, n := range map[string]int{"R": requirements, "F": flaws} {
		for i := range n {
			id := fmt.Sprintf("%s%02d", kind, i+1)
			if seen[id] != 1 {
				found = append(found, fmt.Sprintf("%s: there %d times", id, seen[id]))
			}
			delete(seen, id)
		}
	}
	for id := range seen {
		found = append(found, id+": unknown")
	}
	return found
}

// storeCases are the names of the cases of storetest, as "Group/case".
func storeCases(t *testing.T) map[string]bool {
	t.Helper()
	names := make(chan string, 1<<16)
	t.Run("cases", func(t *testing.T) {
		storetest.Run(t, func(t testing.TB) store.Store {
			names <- t.Name()
			t.SkipNow() // the name is all that is wanted
			return nil
		})
	})
	close(names)
	cases := map[string]bool{}
	for name := range names {
		_, name, _ = strings.Cut(name, "/cases/")
		cases[name] = true
	}
	return cases
}

// source is what is known of a test file: its tests and the strings in it.
type source struct {
	tests, texts map[string]bool
}

// blanks are what testing makes an underscore of in the name of a subtest.
var blanks = strings.NewReplacer(" ", "_", "\t", "_", "\n", "_")

func parse(t testing.TB, file string) source {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	s := source{map[string]bool{}, map[string]bool{}}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil {
				s.tests[n.Name.Name] = true
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				text, err := strconv.Unquote(n.Value)
				require.NoError(t, err)
				s.texts[blanks.Replace(text)] = true
			}
		}
		return true
	})
	return s
}

// sources parses the test files of a directory once.
type sources map[string][]source

func (all sources) of(t testing.TB, dir string) []source {
	t.Helper()
	if found, ok := all[dir]; ok {
		return found
	}
	files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		all[dir] = append(all[dir], parse(t, file))
	}
	return all[dir]
}

// exists reports whether there is a test, "Test…" or "dir Test…", with the
// subtest that may stand behind a slash. The name of a subtest, or each part
// of it, is a string in the file of its test.
func (all sources) exists(t testing.TB, name string) bool {
	t.Helper()
	dir, test, inDir := strings.Cut(name, " ")
	if !inDir {
		dir, test = "", name
	}
	test, sub, hasSub := strings.Cut(test, "/")
	if !strings.HasPrefix(test, "Test") && !strings.HasPrefix(test, "Fuzz") {
		return false
	}
	for _, s := range all.of(t, dir) {
		if !s.tests[test] {
			continue
		}
		if !hasSub || s.texts[sub] {
			return true
		}
		for part := range strings.SplitSeq(sub, "/") {
			if !s.texts[part] {
				return false
			}
		}
		return true
	}
	return false
}

func readPage(t testing.TB) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs/security.md"))
	require.NoError(t, err)
	return string(page)
}

// TestPage: every requirement and every flaw has one line, each line has a test
// or a reason, and what it names is there.
func TestPage(t *testing.T) {
	t.Parallel()
	ls := lines(readPage(t))
	require.Empty(t, complaints(ls))
	cases := storeCases(t)
	require.Greater(t, len(cases), 100)
	all := sources{}
	for _, l := range ls {
		for _, e := range l.evidence {
			switch name, inStore := strings.CutPrefix(e, "storetest "); {
			case inStore:
				require.True(t, cases[name], "%s: there is no case %q", l.id, e)
			case strings.HasSuffix(e, ".http"):
				require.FileExists(t, filepath.Join(root, e), l.id)
			default:
				require.True(t, all.exists(t, e), "%s: there is no test %q", l.id, e)
			}
		}
	}
}

// TestPageIsRead: a page that is wrong in one way is told so.
func TestPageIsRead(t *testing.T) {
	t.Parallel()
	page := readPage(t)
	require.Len(t, lines(page), requirements+flaws)
	first := lines(page)[0]
	for what, change := range map[string]func(l *line){
		"unknown id": func(l *line) { l.id = "R61" },
		"id twice":   func(l *line) { l.id = "R02" },
		"no test":    func(l *line) { l.how, l.evidence = "Met: by the very nature of things", nil },
		"no reason":  func(l *line) { l.how = "Not met" },
		"no status":  func(l *line) { l.how = "Probably: nobody has looked so far" },
		"no text":    func(l *line) { l.text = "" },
	} {
		ls := lines(page)
		change(&ls[0])
		require.NotEqual(t, first, ls[0], what)
		require.NotEmpty(t, complaints(ls), what)
	}
	require.NotEmpty(t, complaints(lines(page)[1:]), "a line less")

	all := sources{}
	const dir = "internal/securitytest"
	for name, want := range map[string]bool{
		dir + " TestPage": true, dir + " TestPages": false, "TestPage": false, dir + " storeCases": false,
		dir + " TestPageIsRead/no_test": true, dir + " TestPageIsRead/no_tests": false, dir + " TestPageIsRead/no test": false,
		dir + " TestPageIsRead/no_test/unknown_id": true, dir + " TestPageIsRead/no_test/another": false,
	} {
		require.Equal(t, want, all.exists(t, name), name)
	}
}
