// Command defects plants one-line faults in the code, one at a time and in a
// build overlay alone, and reports which test finds each. One that none finds
// fails the run.
//
//	go run ./internal/defects            # all of them; some minutes on 2 cores
//	go run ./internal/defects -only rank # those whose name contains "rank"
//	go run ./internal/defects -page docs/defects.md
//
// A fault is a condition dropped, only the first element checked, a claim
// trusted, a comparison weakened: what reviews overlook. Whoever adds a rule adds
// the fault that breaks it, with the test that has to notice.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// defect is a fault and what finds it.
type defect struct {
	name string // what is broken, as a sentence without a capital
	file string // from the module's root
	// old is replaced by new. It occurs once in the file.
	old, new string
	// test is a pattern for "go test -run", in the package of the folder.
	folder, test string
}

// outcome is what came of planting a defect.
type outcome int

const (
	found    outcome = iota
	survived         // the tests passed
	unbuilt          // it does not compile, so it proves nothing
)

func (o outcome) String() string { return [...]string{"found", "SURVIVED", "DOES NOT BUILD"}[o] }

func main() {
	only := flag.String("only", "", "plant only defects whose name or file contains this")
	page := flag.String("page", "", "write the result to this file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *only, *page); err != nil {
		fmt.Fprintln(os.Stderr, "defects:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only, page string) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	began, missed := time.Now(), 0
	var lines []string
	for _, d := range defects() {
		if !strings.Contains(d.name, only) && !strings.Contains(d.file, only) {
			continue
		}
		start := time.Now()
		o, tests, err := plant(ctx, root, d)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		if o != found {
			missed++
		}
		lines = append(lines, fmt.Sprintf("| %s | `%s` | %s |", d.name, d.file, verdict(d, o, tests)))
		fmt.Printf("%-14s %5.1fs  %s (%s) %s\n", o, time.Since(start).Seconds(), d.name, d.file, strings.Join(tests, " "))
	}
	summary := fmt.Sprintf("%d faults planted, %d found, in %.0f s", len(lines), len(lines)-missed, time.Since(began).Seconds())
	fmt.Println(summary)
	if page != "" {
		if err := os.WriteFile(page, []byte(text(lines)), 0o644); err != nil {
			return err
		}
	}
	if missed > 0 {
		return fmt.Errorf("%d were not found", missed)
	}
	return nil
}

func verdict(d defect, o outcome, tests []string) string {
	if o != found {
		return "**" + o.String() + "**"
	}
	return fmt.Sprintf("`%s` in `%s`", tests[0], d.folder)
}

func text(lines []string) string {
	return "# Planted faults\n\nWritten by `go run ./internal/defects -page docs/defects.md`: each fault is planted alone, by a build overlay, and the tests of\n" +
		"the folder that is named have to fail. All of them are run again before a release.\n\n| what is broken | in | found by |\n| --- | --- | --- |\n" +
		strings.Join(lines, "\n") + "\n"
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	return strings.TrimSpace(string(out)), err
}

// plant runs the defect's test against the code with the defect, and returns
// the tests that failed.
func plant(ctx context.Context, root string, d defect) (outcome, []string, error) {
	broken, err := d.apply(root)
	if err != nil {
		return 0, nil, err
	}
	dir, err := os.MkdirTemp("", "defect")
	if err != nil {
		return 0, nil, err
	}
	defer os.RemoveAll(dir)
	file, overlay := filepath.Join(dir, "broken.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, d.file): file}})
	if err != nil {
		return 0, nil, err
	}
	if err := os.WriteFile(file, broken, 0o600); err != nil {
		return 0, nil, err
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return 0, nil, err
	}
	test := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-count=1", "-short", "-failfast", "-timeout=5m", "-vet=off",
		"-run", d.test, "./"+d.folder)
	test.Dir = root
	var out bytes.Buffer
	test.Stdout, test.Stderr = &out, &out
	if err = test.Run(); ctx.Err() != nil {
		return 0, nil, ctx.Err()
	}
	switch text := out.String(); {
	case err == nil:
		return survived, nil, nil
	case strings.Contains(text, "[build failed]"), strings.Contains(text, "[setup failed]"):
		fmt.Println(text)
		return unbuilt, nil, nil
	default:
		return found, failures(text, d.test), nil
	}
}

// apply returns the file's text with the defect in it.
func (d defect) apply(root string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(root, d.file))
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(b, []byte(d.old)); n != 1 {
		return nil, fmt.Errorf("%s has %d times %q, want once", d.file, n, d.old)
	}
	return bytes.Replace(b, []byte(d.old), []byte(d.new), 1), nil
}

// failures returns the tests that a run says have failed, or the pattern where
// it crashed without a word.
func failures(output, pattern string) []string {
	var tests []string
	for line := range strings.Lines(output) {
		if name, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
			name, _, _ = strings.Cut(name, " ")
			tests = append(tests, name)
		}
	}
	if tests == nil {
		return []string{pattern}
	}
	return tests
}
