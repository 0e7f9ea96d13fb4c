package interop

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"example.com/authcode/authtest"
	"example.com/authcode/grant"
	"example.com/authcode/interop/killtest"
	"example.com/authcode/interop/sessiontest"
)

// sessionProcesses is an app whose three instances are processes.
type sessionProcesses struct {
	*sessionApp
	store     grant.Store // the test's own handle
	processes [3]*process
}

const processClient = "app"

// startSessionProcesses starts the app. ahead says by how many seconds the wall
// clock of each instance is ahead, which needs a program of buildOverlaid.
func startSessionProcesses(
	t *testing.T, server *sessionServer, program string, ahead [3]int,
) *sessionProcesses {
	t.Helper()
	a := &sessionProcesses{sessionApp: newSessionFront(t), store: server.open(t)}
	a.provider.Register(authtest.Registration{
		ClientID: processClient, ClientSecret: "a secret of the test",
		RedirectURLs: []string{a.url + "/callback"},
	})
	setup, err := json.Marshal(sessiontest.Setup{
		Store: server.name, DSN: server.dsn, Issuer: a.provider.URL, CA: certificateOf(t, a.provider),
		ClientID: processClient, ClientSecret: "a secret of the test",
		RedirectURL: a.url + "/callback", Key: newKey(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.processes {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), sessiontest.SetupVariable+"="+string(setup),
			killtest.AheadVariable+"="+fmt.Sprint(ahead[i]))
		p, err := startProcess(cmd, fmt.Sprint("instance ", i))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.signal(syscall.SIGCONT); p.stop() })
		address, err := p.line(sessiontest.Ready)
		if err != nil {
			t.Fatal(err)
		}
		a.processes[i], a.handlers[i] = p, wayTo(address)
	}
	return a
}

// wayTo passes requests on as a front server does.
func wayTo(address string) http.Handler {
	target := &url.URL{Scheme: "http", Host: address}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
}

// certificateOf returns the certificate of a provider as PEM.
func certificateOf(t *testing.T, p *authtest.Server) []byte {
	t.Helper()
	resp, err := (&http.Client{Transport: p.Transport()}).Get(p.URL + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.TLS == nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: resp.TLS.PeerCertificates[0].Raw})
}

func (p *process) signal(s syscall.Signal) { p.cmd.Process.Signal(s) }

// whileStopped does first until instance i comes to a step, stops the process
// there, does second, and lets the process go on with first.
func (a *sessionProcesses) whileStopped(
	t *testing.T, name string, i int, s sessionStep, first, second func(),
) {
	t.Helper()
	p := a.processes[i]
	fmt.Fprintln(p.stdin, sessiontest.Stop+fmt.Sprint(s.nth, " ", s.step))
	if _, err := p.line(sessiontest.Armed); err != nil {
		t.Fatal(name, ": ", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		first()
	}()
	if _, err := p.line(sessiontest.Reached); err != nil {
		t.Fatal(name, ": ", err)
	}
	p.signal(syscall.SIGSTOP)
	second()
	p.signal(syscall.SIGCONT)
	fmt.Fprintln(p.stdin, sessiontest.GoOn)
	<-done
}

// left counts the sessions and grants of all that were ever stored.
func (a *sessionProcesses) left(t *testing.T) (sessions, grants int) {
	t.Helper()
	v := a.visitor(t)
	for v.at = range a.processes {
		var keys []grant.Key
		if err := json.Unmarshal([]byte(v.do("GET", "/created").text), &keys); err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			switch _, err := a.store.Load(t.Context(), key, 0); {
			case err != nil:
			case key.Kind == "session":
				sessions++
			default:
				grants++
			}
		}
	}
	return sessions, grants
}
