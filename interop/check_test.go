package interop

import (
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// report is what authcode check -json says, as far as these tests look at it.
type report struct {
	Issuer          string
	Problems, Notes []finding
	Lacks           struct {
		Security       []finding `json:"security_profile"`
		MessageSigning []finding `json:"message_signing"`
	} `json:"fapi_lacks"`
	Program   string
	NoProgram string `json:"no_program"`
}

type finding struct{ ID, Text string }

// check runs authcode check, and expects it to find nothing wrong and to write a program.
func check(t *testing.T, args ...string) *report {
	t.Helper()
	out, err := tool(t, "check", append([]string{"-json"}, args...)...).Output()
	r := new(report)
	if bad := json.Unmarshal(out, r); bad != nil {
		t.Fatalf("%v, %v:\n%s", err, bad, out)
	}
	if err != nil || len(r.Problems) > 0 || r.Issuer != args[0] || r.Program == "" {
		t.Fatalf("%v for the issuer %q, want status 0 for %q:\nproblems: %v\nno program: %s",
			err, r.Issuer, args[0], r.Problems, r.NoProgram)
	}
	text, err := tool(t, "check", args...).Output()
	if err != nil || !strings.Contains(string(text), r.Program) {
		t.Errorf("%v: the text does not have the program of the JSON:\n%s", err, text)
	}
	return r
}

// authcode check reads every real server, and the program that it writes signs in there.
func TestCheck(t *testing.T) {
	everywhere(t, func(t *testing.T, s realServer) {
		issuer, register := s.run(t)
		address := freeAddress(t)
		register("http://" + address + "/callback")
		got := check(t, issuer)
		silent := slices.ContainsFunc(got.Notes, func(f finding) bool { return f.ID == "iss.missing" })
		if silent == s.sendsIss {
			t.Errorf("the notes are %v, and the server sends iss: %t", got.Notes, s.sendsIss)
		}
		if len(got.Lacks.Security) == 0 || len(got.Lacks.MessageSigning) == 0 {
			t.Errorf("the server lacks %v, want at least https and signed messages", got.Lacks)
		}
		program := got.Program
		// The metadata lists RS256. Only its owner knows that this client is
		// registered for another algorithm.
		if s.alg != "" {
			pin := "config.Provider.Algorithms = []string{" + strconv.Quote(s.alg) + "}\n\t"
			program = strings.Replace(program, "client, err := ", pin+"client, err := ", 1)
		}
		runProgram(t, program, address, "BASE_URL=http://"+address,
			"CLIENT_ID="+clientID(t, peers[0]), "CLIENT_SECRET="+peers[0].secret)
		me := newPerson(t)
		saysWho(t, s.signIn(me, me.visit("http://"+address+"/login")), s.who.Subject, issuer)
	})
}

// Under FAPI 2.0 the program binds tokens and signs what the profile wants signed.
func TestCheckFAPI(t *testing.T) {
	for _, row := range []struct {
		name     string
		args     []string
		kind     fapiKind
		metadata map[string]any
		wants    []string // of the program
	}{
		{"key", []string{"-fapi", "security"}, jwtDPoP, nil,
			[]string{"fapi.Security", "clientauth.PrivateKeyJWT", "dpop."}},
		{"certificate", []string{"-fapi", "security", "-client-auth", "tls"}, tlsBound, nil,
			[]string{"fapi.Security", "clientauth.MutualTLS", "clientauth.CertificateBound"}},
		{"messages", []string{"-fapi", "message-signing"}, jwtDPoP, signed("ES256"),
			[]string{"fapi.MessageSigning", "clientauth.SignRequests"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			o, c := theFAPIProvider(t, true), row.kind.newClient(t)
			address := freeAddress(t)
			base := https(t, address)
			id := o.registerFAPI(t, c, base+"/callback", row.metadata)
			authority, _ := theCertificate(t).files(t)
			got := check(t, append([]string{o.issuer, "-ca-file", authority}, row.args...)...)
			for _, want := range row.wants {
				if !strings.Contains(got.Program, want) {
					t.Errorf("the program has no %s:\n%s", want, got.Program)
				}
			}
			if len(got.Lacks.Security) > 0 || len(got.Lacks.MessageSigning) > 0 {
				t.Errorf("the server lacks %v", got.Lacks)
			}
			runProgram(t, got.Program, address, append(c.files(t),
				"BASE_URL="+base, "CLIENT_ID="+id, "CA_FILE="+authority)...)
			me := newPerson(t)
			end := me.press(me.press(me.visit(base+"/login"), "sign-in"), "approve")
			saysWho(t, end, "alice", o.issuer)
		})
	}
}

// saysWho expects the page of a program after a login.
func saysWho(t *testing.T, end *page, subject, issuer string) {
	t.Helper()
	if want := fmt.Sprintf("signed in: %q at %q\n", subject, issuer); end.body != want {
		t.Errorf("the login ends at %s with %d: %s, want %s", end.url, end.status, end.body, want)
	}
}

// files are the variables that tell a program where the keys of a client are.
func (c *fapiClient) files(t *testing.T) []string {
	t.Helper()
	variables := []string{"CLIENT_KEY_FILE=" + keyFile(t, c.key), "CLIENT_KEY_ID=signs"}
	if c.certificate.Certificate != nil {
		variables = append(variables,
			"CLIENT_CERT_FILE="+pemFile(t, "CERTIFICATE", c.certificate.Certificate...),
			"CLIENT_CERT_KEY_FILE="+keyFile(t, c.certificate.PrivateKey))
	}
	return variables
}

// runProgram compiles the source of a program and runs it at address until the test ends.
func runProgram(t *testing.T, source, address string, variables ...string) {
	t.Helper()
	folder := t.TempDir()
	file, binary := filepath.Join(folder, "main.go"), filepath.Join(folder, "program")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", binary, file)
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the program does not compile: %v\n%s\n%s", err, out, source)
	}
	cmd := exec.Command(binary)
	cmd.Env = slices.Concat(os.Environ(), variables,
		[]string{"ADDR=" + address, "COOKIE_KEY=" + hex.EncodeToString(newKey())})
	child, err := startProcess(cmd, "the program")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		child.stop() // it ends by the signal, which is no fault
		if t.Failed() {
			t.Logf("the log of the program:\n%s", child.log)
		}
	})
	if err := child.listens(address); err != nil {
		t.Fatal(err)
	}
}

// listens waits until the child listens at address.
func (p *process) listens(address string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for timeout := time.After(patience); ; {
		if conn, err := net.Dial("tcp", address); err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return fmt.Errorf("%s ended: %v\n%s", p.name, p.err, p.log)
		case <-timeout:
			return errors.New(p.name + " does not listen at " + address)
		}
	}
}

// freeAddress is one where nobody listens, for a program that has to be told where to.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// https serves https on localhost in front of address, and returns its URL.
func https(t *testing.T, address string) string {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address})
	front := httptest.NewUnstartedServer(proxy)
	front.TLS = &tls.Config{Certificates: []tls.Certificate{theCertificate(t).pair}}
	front.StartTLS()
	t.Cleanup(front.Close)
	_, port, _ := net.SplitHostPort(front.Listener.Addr().String())
	return "https://localhost:" + port
}
