package authserver_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
)

// readAll sends a request and waits for all of the answer, or its failure.
func readAll(client *http.Client, url string) {
	// net/http does not notice that a reader left as long as a body is unread.
	resp, err := client.Post(url, "text/plain", strings.NewReader("unread"))
	if err == nil {
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

// closeWhileBusy closes a server in the middle of answers that do not end.
func closeWhileBusy(t *testing.T, srv *authserver.Server) {
	t.Helper()
	client := srv.Client()
	var waiting sync.WaitGroup
	for _, fault := range []authserver.Fault{
		authserver.Silent(), authserver.Slow(), authserver.Endless(), authserver.Reset(),
		authserver.Delay(time.Hour), authserver.Truncated(), authserver.HugeHeaders(),
	} {
		srv.SetFaults(authserver.UserInfo, fault)
		seen := len(srv.Requests())
		waiting.Go(func() { readAll(client, srv.URL+"/userinfo") })
		for len(srv.Requests()) == seen { // the fault is chosen after the request is recorded
			runtime.Gosched()
		}
		time.Sleep(10 * time.Millisecond)
	}
	// A reader that has stopped reading keeps the server's write waiting.
	srv.SetFaults(authserver.UserInfo, authserver.Endless())
	stalled, err := client.Get(srv.URL + "/userinfo")
	if err != nil {
		t.Fatal(err)
	}
	srv.Close()
	if stack := running("authserver.(*Server).answer"); stack != "" {
		t.Errorf("Close does not wait for a handler:\n%s", stack)
	}
	srv.Close()
	stalled.Body.Close()
	waiting.Wait()
	if _, err := client.Get(srv.URL + "/jwks"); err == nil {
		t.Error("the server still answers")
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	for _, start := range []func(...authserver.Option) *authserver.Server{
		authserver.NewServer, authserver.NewTLSServer,
		func(...authserver.Option) *authserver.Server { return authserver.NewTLSServer(authserver.MutualTLS()) },
	} {
		srv := start()
		if srv.MTLSURL != "" {
			resp, err := srv.ClientWith(authserver.SelfSigned("x")).Get(srv.MTLSURL + "/resource")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		closeWhileBusy(t, srv)
	}
	deadline := time.Now().Add(5 * time.Second)
	for running("net/http.") != "" && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if stack := running("net/http."); stack != "" {
		t.Errorf("a goroutine is left:\n%s", stack)
	}
}

// running returns the stack of a goroutine with a function of that name; empty if there is none.
func running(function string) string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, function) {
			return stack
		}
	}
	return ""
}

func TestTLSServer(t *testing.T) {
	srv := authserver.NewTLSServer(authserver.Listen("localhost:0"))
	defer srv.Close()
	if !strings.HasPrefix(srv.URL, "https://localhost:") {
		t.Fatalf("URL %s", srv.URL)
	}
	resp, err := srv.Client().Get(srv.URL + "/jwks")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if srv.Certificate().VerifyHostname("localhost") != nil ||
		srv.Certificate().VerifyHostname("127.0.0.1") != nil {
		t.Error("the certificate is for another host")
	}
	// A client that does not know the certificate must not get through.
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{}}}
	if _, err := stranger.Get(srv.URL + "/jwks"); err == nil {
		t.Error("a stranger trusts the certificate")
	}
	if cfg := srv.Config("https://app.example/cb"); cfg.Transport == nil {
		t.Error("Config has no transport that trusts the certificate")
	}
}

func TestOptionsThatMakeNoSensePanic(t *testing.T) {
	srv := authserver.NewServer()
	defer srv.Close()
	register := func(reg authserver.ClientRegistration) func() {
		return func() { srv.Register(reg) }
	}
	uris := []string{"https://app.example/cb"}
	for name, f := range map[string]func(){
		"all interfaces":    func() { authserver.NewServer(authserver.Listen(":0")) },
		"another host":      func() { authserver.NewServer(authserver.Listen("192.0.2.1:0")) },
		"a host by name":    func() { authserver.NewServer(authserver.Listen("example.com:0")) },
		"no port":           func() { authserver.NewServer(authserver.Listen("127.0.0.1")) },
		"a taken port":      func() { authserver.NewServer(authserver.Listen(srv.URL[len("http://"):])) },
		"no users":          func() { authserver.NewServer(authserver.Users()) },
		"an algorithm":      func() { authserver.NewServer(authserver.Algorithm("HS256")) },
		"an unknown user":   func() { srv.SetUser("nobody") },
		"no id":             register(authserver.ClientRegistration{Secret: "x", RedirectURIs: uris}),
		"no secret":         register(authserver.ClientRegistration{ID: "x", RedirectURIs: uris}),
		"no redirect URI":   register(authserver.ClientRegistration{ID: "x", Secret: "x"}),
		"a relative URI":    func() { srv.Config("/cb") },
		"a fragment":        func() { srv.Config("https://app.example/cb#x") },
		"an unknown method": register(authserver.ClientRegistration{ID: "x", Secret: "x", AuthMethod: "x", RedirectURIs: uris}),
		"a public secret":   register(authserver.ClientRegistration{ID: "x", Secret: "x", AuthMethod: authserver.None, RedirectURIs: uris}),
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "authserver: ") {
					t.Errorf("recovered %q", text)
				}
			}()
			f()
			t.Error("no panic")
		})
	}
}

// TestImports keeps net/http/httptest and testing out: they register global flags in an app that
// embeds the server.
func TestImports(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	for _, banned := range []string{"testing", "flag", "net/http/httptest"} {
		if slices.Contains(deps, banned) {
			t.Errorf("imports %s", banned)
		}
	}
	if !slices.Contains(deps, "net/http") {
		t.Fatalf("go list printed %q", out)
	}
}

func TestRecording(t *testing.T) {
	x := newTester(t)
	a := x.redeem()
	x.post("/token", "", redemption("x", "client_id=post", "client_secret=p"))
	x.post("/token", "", renewal(a.text("refresh_token"), "client_id=public"))
	got := x.srv.TokenRequests()
	for i, want := range []authserver.Request{
		{Place: authserver.Token, ClientAuth: authserver.Basic, ClientID: "basic", ClientSecret: "s3cret"},
		{Place: authserver.Token, ClientAuth: authserver.Post, ClientID: "post", ClientSecret: "p"},
		{Place: authserver.Refresh, ClientAuth: authserver.None, ClientID: "public"},
	} {
		g := got[i]
		if g.Place != want.Place || g.ClientAuth != want.ClientAuth || g.ClientID != want.ClientID ||
			g.ClientSecret != want.ClientSecret || g.Method != http.MethodPost {
			t.Errorf("request %d: %+v, want %+v", i, g, want)
		}
	}
	got[0].Form.Set("code", "changed")
	got[0].Header.Set("Authorization", "changed")
	if again := x.srv.TokenRequests()[0]; again.Form.Get("code") == "changed" ||
		again.Header.Get("Authorization") == "changed" {
		t.Error("a caller changes the record")
	}
	issued := x.srv.Issued()
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		if !slices.Contains(issued, a.text(name)) {
			t.Errorf("Issued lacks the %s", name)
		}
	}
	x.srv.Forget()
	if len(x.srv.Requests())+len(x.srv.Issued()) != 0 || !x.works(a.text("access_token")) {
		t.Error("Forget forgets too little or too much")
	}
}

func TestConcurrentUse(t *testing.T) {
	x := newTester(t)
	code := x.code()
	var wins sync.Map
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			req := x.request("/token", redemption(code).Encode())
			req.SetBasicAuth("basic", "s3cret")
			x.srv.SetFaults(authserver.Revocation, authserver.Silent())
			if resp, err := x.http.Do(req.WithContext(context.Background())); err == nil {
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					wins.Store(i, true)
				}
			}
			x.srv.ClearFaults()
			x.srv.Requests()
		})
	}
	all.Wait()
	n := 0
	wins.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("the code was redeemed %d times", n)
	}
}
