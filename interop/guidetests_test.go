package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// aroundTests is the app that the tests in docs/testing.md are for.
const aroundTests = `
var signer, proofKey crypto.Signer = newKey(), newKey()

func newKey() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func newApp(cfg authcode.Config) http.Handler {
	cfg.LoginURL = "/login"
	client, err := authcode.New(cfg)
	if cfg.Binding.TokenType == "DPoP" {
		client, err = fapi.New(fapi.Security, cfg)
	}
	if err != nil {
		panic(err)
	}
	sessions, err := session.New(session.Config{Keys: cfg.CookieKeys, LoginURL: "/login"})
	if err != nil {
		panic(err)
	}
	ended := func(ctx context.Context, t oidc.LogoutToken) error {
		return sessions.End(ctx, t.Issuer, t.Subject, t.SessionID)
	}
	mux := http.NewServeMux()
	client.Mount(mux, sessions.SignIn(client))
	mux.Handle("/status", sessions.StatusHandler())
	mux.Handle("POST /backchannel-logout", oidc.BackChannelLogoutHandler(client, ended))
	mux.Handle("GET /frontchannel-logout", oidc.FrontChannelLogoutHandler(client, ended))
	return mux
}

func signInAt(t *testing.T, srv *authtest.Server, app *httptest.Server) *http.Client {
	browser := app.Client()
	browser.Jar, _ = cookiejar.New(nil)
	resp, err := srv.SignIn(browser, app.URL + "/login")
	if err != nil || resp.StatusCode != http.StatusSeeOther {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	return browser
}

func TestSignOuts(t *testing.T) {
	app := httptest.NewServer(nil)
	defer app.Close()
	srv := authtest.NewServer(app.URL + "/callback")
	defer srv.Close()
	cfg := srv.Config()
	app.Config.Handler = newApp(cfg)
	browser := signInAt(t, srv, app)
	status := func() string {
		resp, err := browser.Get(app.URL + "/status")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return string(text)
	}
	before := status()
	signOuts(srv, cfg, browser, app.URL)
	if after := status(); !strings.Contains(before, "true") || !strings.Contains(after, "false") {
		t.Errorf("before: %s, after: %s", before, after)
	}
}
`

// TestTestingGuide: the tests of docs/testing.md pass, for an app as the guides write it.
func TestTestingGuide(t *testing.T) {
	page, err := os.ReadFile("../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	text := aroundTests
	for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		text += "\n" + block[1]
	}
	const above = "// and on as above\n"
	if !strings.Contains(text, above) {
		t.Fatalf("docs/testing.md does not have %q", above)
	}
	text = strings.Replace(text, above, "\n\tsignInAt(t, srv, app)\n", 1)
	dir, err := os.MkdirTemp(".", "snippets-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	head := "package app\nimport \"crypto/ecdsa\"\nimport \"crypto/elliptic\"\nimport \"crypto/rand\"\nimport \"strings\"\n"
	if err := os.WriteFile(filepath.Join(dir, "app_test.go"), []byte(withImports(head, text)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "test", "-count=1", "-v", "./"+dir)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	passed := regexp.MustCompile(`(?m)^--- PASS: Test(SignIn|SignOuts|BankSignIn) `).FindAllString(string(out), -1)
	if err != nil || len(passed) != 3 {
		t.Errorf("%v, passed: %q\n%s", err, passed, out)
	}
}
