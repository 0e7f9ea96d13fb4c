package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"example.com/authcode/internal/authserver"
)

// buildTool compiles the command authcode of the root module, once for each run of the tests.
var buildTool = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "authcode-tool-")
	if err != nil {
		return "", err
	}
	whenDone(func() { os.RemoveAll(folder) })
	binary := filepath.Join(folder, "authcode")
	cmd := exec.Command("go", "build", "-o", binary, "./cmd/authcode")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/authcode: %w\n%s", err, out)
	}
	return binary, nil
})

// tool is a command of the binary, whose environment has no variable of its own.
func tool(t testing.TB, command string, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := buildTool()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, append([]string{command}, args...)...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AUTHCODE_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	return cmd
}

// world is a running authcode try and the provider it signs in with.
type world struct {
	app      string // the base URL of authcode try
	name     string // what it calls the provider
	signIn   string // id of the button before the consent page; empty: there is none
	formPost bool
	shot     string // prefix of screenshots; empty: none are taken

	tokenRequests func() int // that the provider has seen; nil: nobody knows
}

func (w *world) secure() bool     { return strings.HasPrefix(w.app, "https:") }
func (w *world) start() string    { return w.app + "/auth/" + w.name }
func (w *world) callback() string { return w.start() + "/callback" }

// tokens is tokenRequests, 0 if nobody knows.
func (w *world) tokens() int {
	if w.tokenRequests == nil {
		return 0
	}
	return w.tokenRequests()
}

// startTry runs authcode try with these flags until the test ends and returns its base URL.
func startTry(t *testing.T, secret string, flags ...string) string {
	t.Helper()
	cmd := tool(t, "try", append([]string{"-addr", "localhost:0"}, flags...)...)
	if secret != "" {
		cmd.Env = append(cmd.Env, "AUTHCODE_CLIENT_SECRET="+secret)
	}
	child, err := startProcess(cmd, "authcode try")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := child.stop(); err != nil {
			t.Errorf("authcode try: %v", err)
		}
		if t.Failed() {
			t.Logf("the log of authcode try:\n%s", child.log)
		}
	})
	address, err := child.line("open ")
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// demoWorld is what a newcomer gets: authcode try without any flag but its address.
func demoWorld(t *testing.T) *world {
	t.Helper()
	return &world{app: startTry(t, ""), name: "demo"}
}

// authserverWorld is authcode try against an authorization server of this process, which counts.
func authserverWorld(t *testing.T, flags ...string) *world {
	t.Helper()
	return authserverWorldOf(t, authserver.NewServer(authserver.Algorithm("RS256")), flags...)
}

func authserverWorldOf(t *testing.T, srv *authserver.Server, flags ...string) *world {
	t.Helper()
	t.Cleanup(srv.Close)
	srv.SetConsent(authserver.Ask)
	const id, secret = "interop: ü 1+1 50%", "s:e+c r%e%2Bt ñ&=/"
	w := &world{
		name:          "authserver",
		tokenRequests: func() int { return len(srv.TokenRequests()) },
	}
	w.app = startTry(t, secret, append([]string{
		"-name", w.name, "-issuer", srv.URL, "-client-id", id,
	}, flags...)...)
	srv.Register(authserver.ClientRegistration{
		ID: id, Secret: secret, RedirectURIs: []string{w.callback()},
	})
	return w
}

// oidcWorld is authcode try against oidc-provider, with a client of kind p.
func oidcWorld(t *testing.T, o *oidcProvider, p peer, flags ...string) *world {
	t.Helper()
	w := &world{
		name: "oidc-provider", signIn: "sign-in",
		tokenRequests: func() int { return o.requests(t, tokenRequest) },
	}
	style := map[string]string{"basic": "basic", "body": "body", "public": "none"}[p.name]
	w.app = startTry(t, p.secret, append([]string{
		"-name", w.name, "-issuer", o.issuer, "-client-id", clientID(t, p), "-auth-style", style,
		"-scopes", "openid profile offline_access", "-login-params", "prompt=consent",
	}, flags...)...)
	o.register(t, p, w.callback())
	return w
}

// withCertificate are the flags that make authcode try serve https, and trust the same certificate
// at the provider.
func withCertificate(t *testing.T) []string {
	cert, key := theCertificate(t).files(t)
	return []string{"-tls-cert", cert, "-tls-key", key, "-ca-file", cert}
}
