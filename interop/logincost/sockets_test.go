package logincost_test

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"example.com/authcode/test/measure"
)

// Variables for a process that is an app: which subject it runs, and where its
// provider is.
const (
	subjectVariable = "AUTHCODE_LOGINCOST_SUBJECT"
	issuerVariable  = "AUTHCODE_LOGINCOST_ISSUER"
)

var appSubjects = map[string]func(site) subject{
	"authcode": module, "go-oidc": newHandwritten, "zitadel": newZitadel, "bare": newBare,
}

func TestMain(m *testing.M) {
	if name := os.Getenv(subjectVariable); name != "" {
		runApp(appSubjects[name])
		return
	}
	os.Exit(m.Run())
}

// runApp serves a subject until its standard input ends.
func runApp(newSubject func(site) subject) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	origin := "http://" + listener.Addr().String()
	s := newSubject(site{os.Getenv(issuerVariable), origin + "/callback", nil})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", s.start)
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		if _, err := s.finish(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
		}
	})
	mux.HandleFunc("GET /used", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(measure.Used())
	})
	server := &http.Server{Handler: mux}
	go server.Serve(listener)
	fmt.Println(origin)
	io.Copy(io.Discard, os.Stdin)
	server.Close()
}

// app is a process that runs a subject.
type app struct {
	origin   string
	provider *provider
	client   *http.Client
}

func startApp(tb testing.TB, name string) *app {
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String()
	p := newProvider(issuer)
	server.Config.Handler = p
	server.Start()
	tb.Cleanup(server.Close)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), subjectVariable+"="+name, issuerVariable+"="+issuer)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	check(err)
	stdout, err := cmd.StdoutPipe()
	check(err)
	check(cmd.Start())
	tb.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		tb.Fatalf("%s did not start", name)
	}
	// The browsers keep their connections, so that only the app's own differ.
	kept := &http.Transport{MaxIdleConnsPerHost: 100}
	return &app{lines.Text(), p, &http.Client{
		Transport:     kept,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// get sends the cookies, and returns the answer without its body.
func (a *app) get(target string, cookies []*http.Cookie) *http.Response {
	r, err := http.NewRequest(http.MethodGet, target, nil)
	check(err)
	for _, c := range cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	resp, err := a.client.Do(r)
	check(err)
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp
}

// signIn is one login. It returns where that ends.
func (a *app) signIn() string {
	begun := a.get(a.origin+"/login", nil)
	target, err := begun.Location()
	check(err)
	sent := target.Query()
	code := rand.Text()
	a.provider.answers.Store(code, a.provider.answerTo(sent.Get("nonce")))
	query := url.Values{"code": {code}, "state": {sent.Get("state")}}
	return a.get(a.origin+"/callback?"+query.Encode(), begun.Cookies()).Header.Get("Location")
}

// used returns the CPU time of the app's process.
func (a *app) used() (used time.Duration) {
	resp, err := a.client.Get(a.origin + "/used")
	check(err)
	defer resp.Body.Close()
	check(json.NewDecoder(resp.Body).Decode(&used))
	return used
}

// BenchmarkSockets reports what a login with an ID token costs an app beside
// the other two, end to end: each app is a process that serves HTTP and asks
// the provider over HTTP, all on loopback. Only the CPU time of the apps counts.
func BenchmarkSockets(b *testing.B) {
	const atOnce, logins = 8, 10 // in a round: so many browsers, and logins of each
	cost := func(name string) func() time.Duration {
		a := startApp(b, name)
		return func() time.Duration {
			before := a.used()
			var all sync.WaitGroup
			for range atOnce {
				all.Go(func() {
					for range logins {
						if to := a.signIn(); to != returnTo {
							b.Errorf("%s ends at %q", name, to)
						}
					}
				})
			}
			all.Wait()
			return a.used() - before
		}
	}
	got := measure.Medians(b.N, cost("authcode"), cost("go-oidc"), cost("zitadel"), cost("bare"))
	b.ReportMetric(got[0]/got[1], "of-go-oidc")
	b.ReportMetric(got[0]/got[2], "of-zitadel")
	b.ReportMetric(got[3]/got[1], "bare-of-go-oidc") // what no login can go below
	// Without what net/http and the system take in any case.
	b.ReportMetric((got[0]-got[3])/(got[1]-got[3]), "login-of-go-oidc")
	b.ReportMetric((got[0]-got[3])/(got[2]-got[3]), "login-of-zitadel")
	b.ReportMetric(0, "ns/op") // with the harness, so it says nothing
}
