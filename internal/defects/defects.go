// Command defects plants one-line faults in the code, one at a time and in a
// build overlay alone, and reports which test finds each. One that none finds
// fails the run.
//
//	go run ./internal/defects            # all of them; some minutes on 2 cores
//	go run ./internal/defects -only rank # those whose name contains "rank"
//	go run ./internal/defects -page docs/defects.md # and writes the results down
//	go run ./internal/defects -page docs/defects.md -open # those alone that the page lacks
//
// A fault is a condition dropped, only the first element checked, a claim
// trusted, a comparison weakened: what reviews overlook. Whoever adds a rule adds
// the fault that breaks it, with the test that has to notice.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// result is a defect and what came of it.
type result struct {
	defect
	outcome
	by string // the test that found it
}

func (o outcome) String() string { return [...]string{"found", "SURVIVED", "DOES NOT BUILD"}[o] }

func main() {
	only := flag.String("only", "", "plant only defects whose name or file contains this")
	open := flag.Bool("open", false, "plant only defects that the page does not say were found")
	page := flag.String("page", "", "write the results to this file; of defects that are not planted now it keeps what it says")
	atOnce := flag.Int("at-once", 2, "how many to plant at the same time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *atOnce, *only, *open, *page); err != nil {
		fmt.Fprintln(os.Stderr, "defects:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, atOnce int, only string, open bool, page string) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	before := ""
	if page != "" {
		b, err := os.ReadFile(page)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		before = string(b)
	}
	began := time.Now()
	all := defects()
	chosen := slices.DeleteFunc(slices.Clone(all), func(d defect) bool {
		return !strings.Contains(d.name, only) && !strings.Contains(d.file, only) || open && d.row(before) != ""
	})
	if err := sound(ctx, root, chosen); err != nil {
		return err
	}
	results, err := plantAll(ctx, root, chosen, atOnce)
	if page != "" {
		err = errors.Join(err, os.WriteFile(page, []byte(text(began, all, results, before)), 0o644))
	}
	if err != nil {
		return err
	}
	missed := 0
	for _, r := range results {
		if r.outcome != found {
			missed++
		}
	}
	fmt.Printf("%d faults planted, %d found, in %.0f s\n", len(results), len(results)-missed, time.Since(began).Seconds())
	if missed > 0 {
		return fmt.Errorf("%d were not found", missed)
	}
	return nil
}

// plantAll plants the defects, some at once, and returns what came of each in
// any order. The first error ends it, and what was found before it is returned.
func plantAll(ctx context.Context, root string, ds []defect, atOnce int) ([]result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex // for results
	var results []result
	var next atomic.Int64
	var wait sync.WaitGroup
	for range max(atOnce, 1) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(ds) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				d, start := ds[i], time.Now()
				o, by, err := plant(ctx, root, d)
				if err != nil {
					cancel(fmt.Errorf("%s: %w", d.name, err))
					return
				}
				mu.Lock()
				results = append(results, result{d, o, by})
				mu.Unlock()
				fmt.Printf("%-14s %5.1fs  %s (%s) %s\n", o, time.Since(start).Seconds(), d.name, d.file, by)
			}
		})
	}
	wait.Wait()
	return results, context.Cause(ctx)
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	return strings.TrimSpace(string(out)), err
}

// sound requires that the defects' tests pass as long as nothing is broken.
func sound(ctx context.Context, root string, ds []defect) error {
	patterns := map[string][]string{}
	for _, d := range ds {
		patterns[d.folder] = append(patterns[d.folder], d.test)
	}
	for folder, tests := range patterns {
		if text, err := test(ctx, root, folder, strings.Join(tests, "|")); err != nil {
			return fmt.Errorf("in %s, where nothing is broken: %w\n%s", folder, err, text)
		}
	}
	return nil
}

// test runs the tests of a folder that the pattern names, and returns what they say.
func test(ctx context.Context, root, folder, pattern string, flags ...string) (string, error) {
	// Most of the time is the compiler's, and less without optimizations.
	args := append([]string{"test", "-gcflags=-N -l", "-vet=off", "-count=1", "-short", "-failfast", "-timeout=5m", "-run", pattern}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+folder)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// plant runs the defect's test against the code with the defect, and returns
// the test that failed.
func plant(ctx context.Context, root string, d defect) (outcome, string, error) {
	broken, err := d.apply(root)
	if err != nil {
		return 0, "", err
	}
	dir, err := os.MkdirTemp("", "defect")
	if err != nil {
		return 0, "", err
	}
	defer os.RemoveAll(dir)
	file, overlay := filepath.Join(dir, "broken.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, d.file): file}})
	if err != nil {
		return 0, "", err
	}
	if err := os.WriteFile(file, broken, 0o600); err != nil {
		return 0, "", err
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return 0, "", err
	}
	text, err := test(ctx, root, d.folder, d.test, "-overlay", overlay)
	if ctx.Err() != nil {
		return 0, "", ctx.Err()
	}
	switch {
	case err == nil:
		return survived, "", nil
	case strings.Contains(text, "[build failed]"), strings.Contains(text, "[setup failed]"):
		fmt.Println(text)
		return unbuilt, "", nil
	default:
		return found, failure(text, d.test), nil
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

// failure returns the first test that a run says has failed, down to the case,
// or the pattern where it crashed without a word.
func failure(output, pattern string) string {
	var test string
	for line := range strings.Lines(output) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			name, _, _ = strings.Cut(name, " ")
			if test != "" && !strings.HasPrefix(name, test+"/") {
				break
			}
			test = name
		}
	}
	return cmp.Or(test, pattern)
}
