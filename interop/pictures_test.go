package interop

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestPictures walks through the example in a browser, as the guide to a first
// login shows it. With UPDATE_PICTURES, it stores the pictures of the guide, in
// light and dark.
func TestPictures(t *testing.T) {
	base := runExample(t)
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			b := openTab(t)
			if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			}); err != nil {
				t.Fatal(err)
			}
			b.run(chromedp.EmulateViewport(640, 360))
			b.open(base)
			b.shows("login-authtest")
			b.picture("home-" + scheme)
			b.click("login-authtest", "approve")
			b.picture("provider-" + scheme)
			b.click("approve", "who")
			b.picture("signed-in-" + scheme)
			b.open(base + "/auth/authtest/callback")
			b.shows("login")
			b.picture("refused-" + scheme)
		})
	}
}

// picture takes a picture of the page, if pictures are asked for.
func (b *tab) picture(name string) {
	if os.Getenv("UPDATE_PICTURES") == "" {
		return
	}
	png := in(b, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join("../docs/images", name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// runExample builds and starts the example, and returns its URL.
func runExample(t *testing.T) string {
	program := filepath.Join(t.TempDir(), "example")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = "../example"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), program, "-addr", "localhost:0")
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "open "))
}
