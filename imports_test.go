package usermgmt_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/usermgmt-go/usermgmt"

// allowedImports says what each package may import beside the standard library
// and its own internal packages, and why. Imports point one way:
// httpadapter -> usermgmt -> store <- memstore, sqlitestore, storetest.
var allowedImports = map[string]map[string]string{
	"": {
		module + "/store":              "the engine runs on the contract alone",
		module + "/internal/identity":  "canonical forms",
		module + "/internal/phc":       "password hashes",
		"github.com/google/uuid":       "ids are UUIDv7",
		"github.com/golang-jwt/jwt/v5": "access tokens",
	},
	"store":             {},
	"internal/identity": {"golang.org/x/text": "RFC 8265 profiles", "golang.org/x/net/idna": "domain names"},
	"internal/phc":      {"golang.org/x/crypto": "argon2id, bcrypt, scrypt, PBKDF2"},
	"internal/gate":     {},
	"internal/tier":     {},
	"internal/defects":  {},
	"internal/record": {
		module + "/store": "whose records it turns into bytes",
	},
	"memstore": {
		module + "/store":          "it keeps the contract",
		"github.com/tidwall/btree": "ordered trees that find an entry by its position",
	},
	"sqlitestore": {
		module + "/store":           "it keeps the contract",
		module + "/internal/record": "the form in which records are kept",
		module + "/internal/gate":   "Close waits for running units",
		"modernc.org/sqlite":        "the database, without cgo",
	},
	"pgstore": {
		module + "/store":           "it keeps the contract",
		module + "/internal/record": "the form in which records are kept",
		module + "/internal/gate":   "Close waits for running units",
		"github.com/jackc/pgx/v5":   "PostgreSQL's protocol",
	},
	"store/storetest": {
		module + "/store": "what it tests",
	},
	"httpadapter": {
		module:                        "it speaks to the Manager",
		module + "/httpadapter":       "its own internal packages",
		module + "/internal/identity": "one grammar of e-mail addresses",
		"github.com/google/uuid":      "request ids",
	},
	"httpadapter/internal/idp": {
		"github.com/go-jose/go-jose/v4": "key sets of identity providers and the tokens signed by them",
	},
	"httpadapter/internal/exchange": {
		module:                                "it brings a Manager to where a dialect says 429",
		module + "/httpadapter/internal/wire": "it plays what dialects answer",
		"github.com/stretchr/testify":         "it is for tests alone",
	},
	"httpadapter/internal/units": {
		module + "/store": "it counts what a store is asked for, for tests",
	},
	"examples": {module: "programs of the library's users"},
	"examples/existing-server": {
		module:               "an application that takes in a directory",
		"modernc.org/sqlite": "the application's own table",
	},
}

// TestImports keeps the arrows. A program that imports the engine, the memory
// store or the adapter must not link the SQLite driver, and importers' module
// graphs stay small.
func TestImports(t *testing.T) {
	t.Parallel()
	seen, used := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(name, "go.mod")); name != "." && err == nil {
				return filepath.SkipDir // a module of its own
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		dir := filepath.ToSlash(filepath.Dir(name))
		rule, allowed := ruleFor(strings.TrimPrefix(dir, "."))
		require.NotNil(t, allowed, "package %s has no row in allowedImports", dir)
		seen[rule] = true
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, i := range f.Imports {
			p := strings.Trim(i.Path.Value, `"`)
			if !strings.Contains(strings.Split(p, "/")[0], ".") {
				continue // standard library
			}
			i := slices.IndexFunc(keys(allowed), func(a string) bool { return admits(rule, a, p) })
			require.GreaterOrEqual(t, i, 0, "%s imports %s, which allowedImports does not list for %q", name, p, rule)
			used[rule+" "+keys(allowed)[i]] = true
		}
		return nil
	})
	require.NoError(t, err)
	for rule, allowed := range allowedImports {
		require.True(t, seen[rule], "allowedImports has a row for %q, which is not there", rule)
		for a := range allowed {
			require.True(t, used[rule+" "+a], "nothing of %q imports %s: its row says too much", rule, a)
		}
	}
}

// admits reports whether the row's entry a lets a package of the rule import p:
// itself, and of other modules and of the rule's own packages what is below.
func admits(rule, a, p string) bool {
	switch {
	case p == a:
		return true
	case strings.HasPrefix(rule, "examples"):
		return a == module && strings.HasPrefix(p, module+"/") && !strings.Contains(p, "/internal/")
	case strings.HasPrefix(a, module):
		return a == module+"/"+rule && strings.HasPrefix(p, a+"/")
	}
	return strings.HasPrefix(p, a+"/")
}

// ruleFor finds the row of the package or of the nearest folder above it.
func ruleFor(dir string) (string, map[string]string) {
	for d := dir; ; d = path.Dir(d) {
		if d == "." || d == "/" {
			d = ""
		}
		if a, ok := allowedImports[d]; ok && (d != "" || dir == "") {
			return d, a
		}
		if d == "" {
			return "", nil
		}
	}
}

func keys(m map[string]string) []string {
	ks := make([]string, 0, len(m))
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}
