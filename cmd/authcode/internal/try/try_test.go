package try

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
)

func (s *site) visit(address string) answer {
	s.Helper()
	res, err := s.browser.Get(address)
	return read(s.T, res, err)
}

var requestField = regexp.MustCompile(`name="request" value="([^"]*)"`)

// approve opens the consent page, presses its button and returns where that leads.
func (s *site) approve(address, user string) string {
	s.Helper()
	page := s.visit(address)
	field := requestField.FindStringSubmatch(page.body)
	if field == nil || !strings.Contains(page.body, `id="approve"`) {
		s.Fatalf("no consent page: %s", page.body)
	}
	decision, err := page.Request.URL.Parse("/decision")
	if err != nil {
		s.Fatal(err)
	}
	res, err := s.browser.PostForm(decision.String(),
		url.Values{"request": {field[1]}, "user": {user}, "decision": {"approve"}})
	return read(s.T, res, err).Header.Get("Location")
}

// program runs the whole program and waits for its first line. The test ends it.
func program(t *testing.T, env map[string]string, args ...string) *site {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	log := new(logBuffer)
	status := make(chan int, 1)
	go func() {
		args := append(args, "-addr", "127.0.0.1:0")
		status <- Run(ctx, args, environment(env), writer, log)
		writer.Close()
	}()
	t.Cleanup(func() {
		stop()
		if got := <-status; got != 0 {
			t.Errorf("exit status %d: %s", got, log)
		}
	})
	output := bufio.NewReader(reader)
	line, err := output.ReadString('\n')
	if err != nil {
		t.Fatalf("the program ended early: %v: %s", err, log)
	}
	go io.Copy(io.Discard, output)
	base, ok := strings.CutPrefix(strings.TrimSpace(line), "open ")
	if !ok {
		t.Fatalf("the first line is %q", line)
	}
	return &site{T: t, base: base, log: log, browser: newBrowser(t, new(http.Client))}
}

func TestProgramAlone(t *testing.T) {
	s := program(t, nil)
	if !strings.HasPrefix(s.base, "http://127.0.0.1:") { // as -addr says
		t.Errorf("the app is at %s", s.base)
	}
	// A visitor who writes the other name is sent to this one, where the login's cookie goes.
	other := strings.Replace(s.base, "127.0.0.1", "localhost", 1) + "/private?a=b%2Fc"
	if got := s.visit(other); got.StatusCode != http.StatusTemporaryRedirect ||
		got.Header.Get("Location") != s.base+"/private?a=b%2Fc" {
		t.Errorf("%s answers %s, %s", other, got.Status, got.Header.Get("Location"))
	}
	back := s.approve(s.get("/auth/demo").Header.Get("Location"), "bob")
	if got := s.visit(back); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("callback: %s: %s", got.Status, got.body)
	}
	if st := s.state(); st.User["sub"] != "bob" {
		t.Errorf("signed in as %v, want bob", st.User)
	}
}

// writePEM writes one PEM block and returns the file's name.
func writePEM(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	block := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestProgramWithProvider serves https and signs in at a server that only -ca-file makes
// trusted, whose endpoints are looked up.
func TestProgramWithProvider(t *testing.T) {
	server := authserver.NewTLSServer(authserver.Algorithm("RS256"))
	defer server.Close()
	own := httptest.NewTLSServer(nil) // for its certificate
	defer own.Close()
	key, err := x509.MarshalPKCS8PrivateKey(own.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	s := program(t, map[string]string{
		"AUTHCODE_CLIENT_SECRET": "a secret: +%&",
		"AUTHCODE_CA_FILE":       writePEM(t, "ca.pem", "CERTIFICATE", server.Certificate().Raw),
	}, "-demo", "-name", "real", "-issuer", server.URL, "-client-id", "me", "-auth-style", "body",
		"-login-params", "login_hint=carol", "-scopes", "openid email",
		"-tls-cert", writePEM(t, "cert.pem", "CERTIFICATE", own.Certificate().Raw),
		"-tls-key", writePEM(t, "key.pem", "PRIVATE KEY", key))
	s.browser.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer s.browser.CloseIdleConnections()
	s.demo = server
	server.Register(authserver.ClientRegistration{
		ID: "me", Secret: "a secret: +%&", AuthMethod: authserver.Post,
		RedirectURIs: []string{s.base + "/auth/real/callback"},
	})
	server.SetFaults(authserver.Authorization, authserver.Drop("iss"))
	if s.signIn("/auth/real"); !strings.Contains(s.log.String(), "reason=forged check=iss.missing") {
		t.Errorf("an answer without iss: log %s", s.log)
	}
	server.ClearFaults()
	if got := s.signIn("/auth/real"); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("callback: %s: %s", got.Status, s.log)
	}
	st := s.state()
	if st.Provider != "real" || st.User["sub"] != "carol" ||
		strings.Join(st.Scopes, " ") != "openid email" || len(st.Logins) != 2 {
		t.Errorf("state is %+v", st)
	}
	if s.post("/signout"); len(server.Requests(authserver.Revocation)) != 1 {
		t.Errorf("the token was not revoked: %s", s.log)
	}
}
