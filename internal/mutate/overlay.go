package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// goPackage is what go list says of a package.
type goPackage struct {
	Dir, ImportPath, Name string
	GoFiles               []string
}

func list(patterns []string) []goPackage {
	out, err := run(".", "go", append([]string{"list", "-json"}, patterns...)...)
	check(err)
	var packages []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p goPackage
		check(d.Decode(&p))
		packages = append(packages, p)
	}
	return packages
}

func run(dir, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	return cmd.Output()
}

// writeOverlay finds the conditions of each package, and writes an overlay with
// mutated copies of its files.
func writeOverlay(packages []goPackage, overlay string) map[string][]*condition {
	working, err := os.Getwd()
	check(err)
	conditions := make(map[string][]*condition)
	replace := make(map[string]string)
	put := func(path string, text []byte) {
		replace[path] = fmt.Sprintf("%s.%d.go", overlay, len(replace))
		check(os.WriteFile(replace[path], text, 0o600))
	}
	id := 0
	for _, p := range packages {
		for _, name := range p.GoFiles {
			path := filepath.Join(p.Dir, name)
			source, err := os.ReadFile(path)
			check(err)
			shown, err := filepath.Rel(working, path)
			check(err)
			found, err := find(shown, source)
			check(err)
			for _, c := range found {
				id++
				c.id = id
			}
			conditions[p.ImportPath] = append(conditions[p.ImportPath], found...)
			put(path, mutate(source, found))
		}
	}
	for _, p := range packages {
		path := filepath.Join(p.Dir, "mutated_overlay.go")
		put(path, fmt.Appendf(nil, mutatedFile, p.Name, id+1))
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	check(err)
	check(os.WriteFile(overlay, text, 0o600))
	return conditions
}

// mutate puts each condition into a call. Lines keep their numbers.
func mutate(source []byte, list []*condition) []byte {
	inserted := make(map[int]string)
	for _, c := range list {
		inserted[c.start] += fmt.Sprintf("mutated(%d, ", c.id)
		inserted[c.end] += ")"
	}
	var b bytes.Buffer
	for i, char := range source {
		b.WriteString(inserted[i])
		b.WriteByte(char)
	}
	return b.Bytes()
}

// mutatedFile is added to each mutated package.
const mutatedFile = `package %s

import (
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
)

var (
	mutant, _   = strconv.Atoi(os.Getenv("MUTANT"))
	mutantLog   = os.Getenv("MUTANT_LOG")
	mutantsSeen [%d]atomic.Bool
)

func mutated(id int, is bool) bool {
	if is && mutantLog != "" && !mutantsSeen[id].Swap(true) {
		f, err := os.OpenFile(mutantLog, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(f, id)
		f.Close()
	}
	return is && id != mutant
}
`
