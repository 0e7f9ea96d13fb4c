package interop

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// chromium is one browser process with an empty profile.
type chromium struct {
	context.Context
	stop func()
}

// sharedChromium serves all tests; each gets a cookie jar of its own by openTab.
var sharedChromium = sync.OnceValues(func() (*chromium, error) { return startChromium("") })

// newProfile makes the folder of a browser's profile.
func newProfile(preferences string) (string, error) {
	profile, err := os.MkdirTemp("", "authcode-chromium-")
	if err != nil || preferences == "" {
		return profile, err
	}
	folder := filepath.Join(profile, "Default")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", err
	}
	name := filepath.Join(folder, "Preferences")
	return profile, os.WriteFile(name, []byte(preferences), 0o600)
}

// startChromium starts a browser. preferences, if not empty, are those of its profile, as JSON.
func startChromium(preferences string) (*chromium, error) {
	path, err := findChromium()
	if err != nil {
		return nil, missingError{err}
	}
	c, err := runCertificate()
	if err != nil {
		return nil, err
	}
	profile, err := newProfile(preferences)
	if err != nil {
		return nil, err
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.WindowSize(1000, 750),
		chromedp.NoFirstRun, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		// Back and forward ask the servers again, which is the harder case: a page that comes
		// back from this cache asks nobody.
		// IgnoreDuplicateNavs drops what a person asks for twice within two seconds. Browsers
		// without it send both requests.
		chromedp.Flag("disable-features", "BackForwardCache,IgnoreDuplicateNavs"),
		// No name but localhost resolves: a test that goes astray stays on this machine.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"),
		// Errors of every other certificate still stop a page.
		chromedp.Flag("ignore-certificate-errors-spki-list", c.spki),
	)
	browser, cancel := chromedp.NewContext(alloc)
	b := &chromium{browser, func() {
		chromedp.Cancel(browser) // waits until the process has ended
		cancel()
		cancelAlloc()
		os.RemoveAll(profile)
	}}
	whenDone(b.stop)
	return b, chromedp.Do(browser)
}

func findChromium() (path string, err error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return installed("chromium", "apt-get install chromium")
}

// tab is a tab of Chromium that records what goes over the wire.
type tab struct {
	t   *testing.T
	ctx context.Context
	*wire
}

// haveChromium returns the browser that tests share, or ends the test where there is none.
func haveChromium(t *testing.T) *chromium {
	t.Helper()
	browser, err := sharedChromium()
	if _, missing := err.(missingError); missing {
		need(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return browser
}

// openTab opens a tab of the shared browser with an empty jar.
func openTab(t *testing.T) *tab {
	t.Helper()
	return haveChromium(t).openTab(t)
}

// openTab opens a tab in a new browser context: the preferences of the profile and an empty jar.
func (c *chromium) openTab(t *testing.T) *tab {
	t.Helper()
	return newTab(t, c, chromedp.WithNewBrowserContext())
}

// another opens a second tab beside b, with the same cookies.
func (b *tab) another() *tab {
	b.t.Helper()
	return newTab(b.t, b.ctx)
}

func newTab(t *testing.T, parent context.Context, opts ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, opts...)
	b := &tab{t: t, ctx: ctx, wire: newWire()}
	t.Cleanup(func() {
		if t.Failed() {
			b.shoot("failed-" + strings.ReplaceAll(t.Name(), "/", "-"))
		}
		cancel()
	})
	if err := chromedp.Listen(ctx, b.wire.event); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return b
}

// run runs steps in the tab and gives them up when they take too long.
func (b *tab) run(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	in(b, chromedp.Steps(steps...))
}

// in runs one action in the tab and returns its value.
func in[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		defer cancel()
		at, _ := chromedp.Run(ctx, chromedp.Location())
		text, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
		b.t.Fatalf("%v\nthe tab shows %s:\n%s", err, at, text)
	}
	return value
}

// try runs a step that may fail.
func (b *tab) try(step chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Do(ctx, step)
}

func (b *tab) open(address string) {
	b.t.Helper()
	b.run(chromedp.Navigate(address))
}

// click presses the element with this id and waits until one with the id next is shown.
func (b *tab) click(id, next string) {
	b.t.Helper()
	b.run(chromedp.Click(chromedp.ID(id)))
	b.shows(next)
}

// shows waits until an element with this id is visible.
func (b *tab) shows(id string) {
	b.t.Helper()
	b.run(chromedp.WaitVisible(chromedp.ID(id)))
}

func (b *tab) address() string {
	b.t.Helper()
	return in(b, chromedp.Location())
}

func (b *tab) text(selector string) string {
	b.t.Helper()
	return in(b, chromedp.Text(chromedp.CSS(selector)))
}

// shoot writes what the tab shows to screenshots/NAME.png, for people to look at.
func (b *tab) shoot(name string) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Errorf("screenshot %s: %v", name, err)
		return
	}
	if err := os.MkdirAll("screenshots", 0o755); err != nil {
		b.t.Error(err)
		return
	}
	if err := os.WriteFile(filepath.Join("screenshots", name+".png"), png, 0o644); err != nil {
		b.t.Error(err)
	}
}

// jar returns the cookies of this tab's browser context whose name contains part.
func (b *tab) jar(part string) (found []*network.Cookie) {
	b.t.Helper()
	result, err := chromedp.CallBrowser(b.ctx, storage.GetCookies, storage.GetCookiesParams{
		BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range result.Cookies {
		if strings.Contains(c.Name, part) {
			found = append(found, c)
		}
	}
	return found
}
