package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// runner runs the tests.
type runner struct {
	dir      string // for temporary files
	verbose  bool
	binaries map[string]*binary // by import path
}

// binary is the test binary of a package, with all conditions mutated.
type binary struct {
	file, dir string
	tests     []*test // the shortest first
}

// test is one test function.
type test struct {
	name string
	took time.Duration
	true map[int]bool // the conditions that were true in it
}

func (r *runner) overlay() string { return filepath.Join(r.dir, "overlay.json") }

// survivors returns those of list that the tests of p do not notice.
func (r *runner) survivors(list []*condition, p goPackage) []*condition {
	if len(list) == 0 {
		return nil
	}
	b := r.binaries[p.ImportPath]
	if b == nil {
		b = r.record(p)
		r.binaries[p.ImportPath] = b
	}
	noticed := make([]string, len(list))
	parallel(len(list), func(i int) { noticed[i] = b.noticedBy(list[i]) })
	var left []*condition
	for i, c := range list {
		if noticed[i] == "" {
			left = append(left, c)
		} else if r.verbose {
			fmt.Printf("%s: noticed by %s\n", c, noticed[i])
		}
	}
	return left
}

// parallel calls f for 0 to n-1, one for each processor at a time.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	busy := make(chan bool, runtime.NumCPU())
	for i := range n {
		busy <- true
		wg.Go(func() {
			f(i)
			<-busy
		})
	}
	wg.Wait()
}

// record builds the test binary of p and runs each of its tests alone.
func (r *runner) record(p goPackage) *binary {
	b := &binary{file: filepath.Join(r.dir, fmt.Sprintf("%d.test", len(r.binaries))), dir: p.Dir}
	_, err := run(".", "go", "test", "-c", "-vet=off", "-o", b.file,
		"-overlay", r.overlay(), p.ImportPath)
	check(err)
	if _, err := os.Stat(b.file); errors.Is(err, os.ErrNotExist) {
		return b // there are no tests
	}
	// Tests may read files beside them as soon as they start.
	names, err := run(b.dir, b.file, "-test.list", "^(Test|Example|Fuzz)")
	check(err)
	for name := range strings.FieldsSeq(string(names)) {
		b.tests = append(b.tests, &test{name: name, true: make(map[int]bool)})
	}
	parallel(len(b.tests), func(i int) {
		t := b.tests[i]
		file := fmt.Sprintf("%s.%d", b.file, i)
		start := time.Now()
		if out, err := b.run([]*test{t}, "MUTANT_LOG="+file); err != nil {
			log.Fatalf("%s fails without a mutation: %v\n%s", t.name, err, out)
		}
		t.took = time.Since(start)
		ids, _ := os.ReadFile(file) // there is no file if no condition was true
		for id := range strings.FieldsSeq(string(ids)) {
			n, err := strconv.Atoi(id)
			check(err)
			t.true[n] = true
		}
	})
	slices.SortStableFunc(b.tests, func(x, y *test) int { return int(x.took - y.took) })
	return b
}

// noticedBy runs the tests in which c was true, without c, and returns what
// fails, or "". They run in groups of 1, 4, 16 and so on, since the first few
// notice most conditions.
func (b *binary) noticedBy(c *condition) string {
	var tests []*test
	for _, t := range b.tests {
		if t.true[c.id] {
			tests = append(tests, t)
		}
	}
	c.reached = c.reached || len(tests) > 0
	for size := 1; len(tests) > 0; size *= 4 {
		group := tests[:min(size, len(tests))]
		tests = tests[len(group):]
		if out, err := b.run(group, "MUTANT="+strconv.Itoa(c.id)); err != nil {
			return failure(out, err)
		}
	}
	return ""
}

// run runs tests, and once more if they fail: the first failure may be the
// fault of a busy machine.
func (b *binary) run(tests []*test, env string) ([]byte, error) {
	if out, err := b.runOnce(tests, env); err == nil {
		return out, nil
	}
	return b.runOnce(tests, env)
}

// runOnce has a time limit of many times what the tests took before.
func (b *binary) runOnce(tests []*test, env string) ([]byte, error) {
	limit := time.Minute
	var names []string
	for _, t := range tests {
		names = append(names, t.name)
		limit += 10 * t.took
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	pattern := "^(" + strings.Join(names, "|") + ")$"
	cmd := exec.CommandContext(ctx, b.file, "-test.failfast", "-test.run", pattern)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), env)
	cmd.WaitDelay = time.Second // for what a test has started itself
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return out, err
}

var failed = regexp.MustCompile(`--- FAIL: (\S+)`)

// failure says what failed in a run.
func failure(out []byte, err error) string {
	if m := failed.FindSubmatch(out); m != nil {
		return string(m[1])
	}
	if err == context.DeadlineExceeded {
		return "the time limit"
	}
	return "a panic"
}
