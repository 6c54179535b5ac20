package pgtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// debian is where Debian and its kin install the programs of each version.
const debian = "/usr/lib/postgresql/*/bin"

// findPrograms returns the folder with PostgreSQL's programs: the one in which
// look, which is [exec.LookPath] or the like, finds initdb; the one that
// pg_config names; or that of the highest version among the installed ones,
// which is a pattern. It returns errNone if there is none.
func findPrograms(look func(program string) (string, error), installed string) (string, error) {
	var folders []string
	if p, err := look("initdb"); err == nil {
		// A link may stand alone in its folder, without the other programs.
		if p, err = filepath.EvalSymlinks(p); err == nil {
			folders = append(folders, filepath.Dir(p))
		}
	}
	if p, err := look("pg_config"); err == nil {
		if out, err := exec.Command(p, "--bindir").Output(); err == nil {
			folders = append(folders, strings.TrimSpace(string(out)))
		}
	}
	versions, err := filepath.Glob(installed)
	if err != nil {
		return "", err
	}
	slices.SortFunc(versions, func(a, b string) int { return version(b) - version(a) })
	for _, f := range append(folders, versions...) {
		if complete(f) {
			return f, nil
		}
	}
	return "", errNone
}

// complete reports whether a folder has what a server needs.
func complete(folder string) bool {
	for _, program := range []string{"initdb", "postgres", "pg_ctl"} {
		if i, err := os.Stat(filepath.Join(folder, program)); err != nil || i.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

// version is the 15 of /usr/lib/postgresql/15/bin, and 9 for the 9.6 of old.
func version(bin string) int {
	major, _, _ := strings.Cut(filepath.Base(filepath.Dir(bin)), ".")
	n, _ := strconv.Atoi(major)
	return n
}
