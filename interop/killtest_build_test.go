package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"example.com/authcode/interop/killtest"
)

// aheadOverlay makes time.Now of package time return a wall clock that is ahead,
// or behind if the number is negative. The monotonic clock stays right, as with a host whose clock was set wrong.
const aheadOverlay = `
// testAhead is how far the wall clock is ahead, in seconds.
var testAhead = func() (n int64) {
	text, _ := syscall.Getenv("` + killtest.AheadVariable + `")
	sign := int64(1)
	for _, c := range []byte(text) {
		if c == '-' {
			sign = -1
			continue
		}
		n = 10*n + int64(c-'0')
	}
	return sign * n
}()
`

// theKillInstance returns the program that the kill test kills.
func theKillInstance(t *testing.T) string {
	t.Helper()
	program, err := builtKillInstance()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

var builtKillInstance = sync.OnceValues(func() (string, error) {
	return buildOverlaid("./killtest/instance")
})

// buildOverlaid builds a program whose clock AheadVariable sets wrong.
func buildOverlaid(source string) (string, error) {
	dir, err := os.MkdirTemp("", "authcode-overlaid-")
	if err != nil {
		return "", err
	}
	whenDone(func() { os.RemoveAll(dir) })
	overlay, err := timeOverlay(dir)
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "instance")
	cmd := exec.Command("go", "build", "-overlay", overlay, "-o", program, source)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return program, nil
}

// timeOverlay writes the changed package time to dir.
func timeOverlay(dir string) (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	original := filepath.Join(strings.TrimSpace(string(out)), "src", "time", "time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	const clock = "sec, nsec, mono := runtimeNow()\n"
	_, now, ok := strings.Cut(string(source), "func Now() Time {\n")
	if !ok || !strings.HasPrefix(strings.TrimSpace(now), clock) {
		return "", fmt.Errorf("%s has another func Now than before: adapt timeOverlay", original)
	}
	changed := strings.Replace(string(source), "func Now() Time {\n\t"+clock,
		"func Now() Time {\n\t"+clock+"\tsec += testAhead\n", 1)
	changed = strings.Replace(changed, "import (\n", "import (\n\t\"syscall\"\n", 1)
	own := filepath.Join(dir, "time.go")
	if err := os.WriteFile(own, []byte(changed+aheadOverlay), 0o644); err != nil {
		return "", err
	}
	overlay, _ := json.Marshal(map[string]any{"Replace": map[string]string{original: own}})
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, overlay, 0o644)
}
