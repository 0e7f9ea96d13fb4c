package interop

import (
	"context"
	"crypto/tls"
	"database/sql"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/authcode/authtest"
)

const appSecret = "a secret of the test, 32 bytes or more"

// buildProgram builds the program of a guide, with the changes that a test needs: pairs of a text and what takes its
// place. It has less than max lines.
func buildProgram(t *testing.T, guide string, max int, changes ...string) (binary string) {
	t.Helper()
	page, err := os.ReadFile("../docs/" + guide)
	if err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile("(?s)```go\n(package main\n.*?)```").FindStringSubmatch(string(page))
	if program == nil {
		t.Fatalf("%s has no program", guide)
	}
	text := program[1]
	if n := len(regexp.MustCompile(`(?m)^.`).FindAllString(text, -1)); n >= max {
		t.Errorf("the program of %s has %d lines, want less than %d", guide, n, max)
	}
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			t.Fatalf("the program of %s does not have %q", guide, changes[i])
		}
		text = strings.ReplaceAll(text, changes[i], changes[i+1])
	}
	dir, err := os.MkdirTemp(".", "snippets-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(t.TempDir(), "program")
	cmd := exec.Command("go", "build", "-o", binary, "./"+dir)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

// startProgram runs a program in a folder of its own, which it returns, until it listens at address.
func startProgram(t *testing.T, binary, address string, env ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	cmd := exec.Command(binary)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	p, err := startProcess(cmd, "the program")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop() })
	if err := p.listens(address); err != nil {
		t.Fatal(err)
	}
	return dir
}

// plainBrowser is a browser that follows no redirects. It takes every host of *.example to front, if that is not empty.
func plainBrowser(t *testing.T, front string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the app and the provider are what is tested
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, _, _ := net.SplitHostPort(address); strings.HasSuffix(host, ".example") && front != "" {
				address = front
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Jar: jar, Transport: transport, CheckRedirect: stay}
}

// wantPage checks what a browser gets, and where it is sent.
func wantPage(t *testing.T, browser *http.Client, target string, status int, text string) {
	t.Helper()
	resp, err := browser.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	got := resp.Header.Get("Location") + string(body)
	if err != nil || resp.StatusCode != status || !strings.Contains(got, text) {
		t.Errorf("%s: %d %.300s (%v), want %d and %q", target, resp.StatusCode, got, err, status, text)
	}
}

// signIn takes a browser through a login, and to where it leads.
func signIn(t *testing.T, srv *authtest.Server, browser *http.Client, loginURL string) {
	t.Helper()
	resp, err := srv.SignIn(browser, loginURL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("the callback answered %d", resp.StatusCode)
	}
}

// TestFirstLoginProgram: the program of docs/first-login.md signs in and out at authtest, which takes GitHub's place.
func TestFirstLoginProgram(t *testing.T) {
	address := strings.Replace(freeAddress(t), "127.0.0.1", "localhost", 1)
	app := "http://" + address
	srv := authtest.NewServer(app + "/callback")
	t.Cleanup(srv.Close)
	srv.Register(authtest.Registration{
		ClientID: "app", ClientSecret: appSecret, RedirectURLs: []string{app + "/callback"},
	})
	binary := buildProgram(t, "first-login.md", 60, "localhost:8080", address,
		`authcode/provider"`, `authcode/oidc"`, "provider.GitHub()", `oidc.Provider("`+srv.URL+`")`)
	startProgram(t, binary, address, "COOKIE_KEY="+hex.EncodeToString([]byte(appSecret)),
		"GITHUB_CLIENT_ID=app", "GITHUB_CLIENT_SECRET="+appSecret)
	browser := plainBrowser(t, "")
	wantPage(t, browser, app+"/", http.StatusSeeOther, "/login")
	signIn(t, srv, browser, app+"/login")
	wantPage(t, browser, app+"/", http.StatusOK, "You are Alice")
	resp, err := browser.PostForm(app+"/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	wantPage(t, browser, app+"/", http.StatusSeeOther, "/login")
}

// inside are the changes with which a program of package tenants takes providers on loopback, at these ports.
func inside(ports ...string) []string {
	return []string{
		`"net/http"`, `"net/http"; "net/netip"`, "Load: ", `Guard: tenants.Guard{
			Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Ports: []uint16{` + strings.Join(ports, ",") + `},
		}, Load: `,
	}
}

func portOf(t *testing.T, srv *authtest.Server) string {
	t.Helper()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

// TestTenantsProgram: a customer of the program of docs/tenants.md is a row in its table.
func TestTenantsProgram(t *testing.T) {
	address := freeAddress(t)
	app := "http://" + address
	srv := authtest.NewServer(app + "/callback")
	t.Cleanup(srv.Close)
	srv.Register(authtest.Registration{
		ClientID: "client-1", ClientSecret: appSecret, RedirectURLs: []string{app + "/callback"},
	})
	binary := buildProgram(t, "tenants.md", 60, append(inside(portOf(t, srv)),
		"127.0.0.1:8080", address, "https://app.example", app)...)
	dir := startProgram(t, binary, address, "APP_KEY="+appSecret)
	db, err := sql.Open("sqlite", filepath.Join(dir, "app.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	insert := "INSERT INTO tenant VALUES ('acme', ?, 'client-1', ?, '1')"
	if _, err := db.Exec(insert, srv.URL, appSecret); err != nil {
		t.Fatal(err)
	}
	browser := plainBrowser(t, "")
	wantPage(t, browser, app+"/t/acme/account", http.StatusSeeOther, "/t/acme/login?next=")
	signIn(t, srv, browser, app+"/t/acme/login")
	wantPage(t, browser, app+"/t/acme/account", http.StatusOK, "of acme")
	wantPage(t, browser, app+"/t/other/account", http.StatusUnauthorized, "You are not signed in here")
	wantPage(t, browser, app+"/t/other/login", http.StatusNotFound, "")
}

// trust writes the certificates of servers to a file for SSL_CERT_FILE.
func trust(t *testing.T, servers ...*authtest.Server) (file string) {
	t.Helper()
	var all []byte
	for _, srv := range servers {
		conn, err := tls.Dial("tcp", "127.0.0.1:"+portOf(t, srv), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range conn.ConnectionState().PeerCertificates {
			all = append(all, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
		}
		conn.Close()
	}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestWhiteLabelProgram: the program of docs/white-label.md signs people in at two hosts, behind a proxy.
func TestWhiteLabelProgram(t *testing.T) {
	address := freeAddress(t)
	changes, hosts := []string{"127.0.0.1:8080", address}, []string{"shop.example", "login.acme.example"}
	var servers []*authtest.Server
	var ports []string
	for i, host := range hosts {
		srv := authtest.NewServer("https://" + host + "/callback")
		t.Cleanup(srv.Close)
		srv.Register(authtest.Registration{
			ClientID: fmt.Sprintf("client-%d", i+1), ClientSecret: appSecret,
			RedirectURLs: []string{"https://" + host + "/callback"},
		})
		servers, ports = append(servers, srv), append(ports, portOf(t, srv))
	}
	changes = append(changes, "https://id.shop.example", servers[0].URL, "https://id.acme.example", servers[1].URL)
	binary := buildProgram(t, "white-label.md", 60, append(changes, inside(ports...)...)...)
	startProgram(t, binary, address, "APP_KEY="+appSecret, "SHOP_SECRET="+appSecret, "ACME_SECRET="+appSecret,
		"SSL_CERT_FILE="+trust(t, servers...))
	proxy := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: address})
		r.Out.Host = r.In.Host
	}})
	t.Cleanup(proxy.Close)
	browser := plainBrowser(t, proxy.Listener.Addr().String())
	for i, host := range hosts {
		app := "https://" + host
		wantPage(t, browser, app+"/", http.StatusSeeOther, "/login")
		signIn(t, servers[i], browser, app+"/login")
		wantPage(t, browser, app+"/", http.StatusOK, "of "+host)
	}
	wantPage(t, browser, "https://"+hosts[0]+"/", http.StatusOK, "of "+hosts[0]) // each host has its session
	wantPage(t, browser, "https://evil.example/login", http.StatusBadRequest, "tenants.host")
	// Somebody copies a session to the other host.
	copied := plainBrowser(t, proxy.Listener.Addr().String())
	at := &url.URL{Scheme: "https", Host: hosts[1], Path: "/"}
	copied.Jar.SetCookies(at, cookiesFor(browser, hosts[0]))
	wantPage(t, copied, at.String(), http.StatusUnauthorized, "You are not signed in here")
}

// cookiesFor are the cookies that a browser sends to a host, as an app would set them.
func cookiesFor(browser *http.Client, host string) []*http.Cookie {
	cookies := browser.Jar.Cookies(&url.URL{Scheme: "https", Host: host, Path: "/"})
	for _, c := range cookies {
		c.Secure, c.Path = true, "/"
	}
	return cookies
}
