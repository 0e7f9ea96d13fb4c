package sessiontest

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/interop/killtest"
	"example.com/authcode/oidc"
	"example.com/authcode/session"
)

// SetupVariable has the Setup of a process as JSON.
const SetupVariable = "AUTHCODE_SESSIONTEST"

// Setup says what the instance in a process is.
type Setup struct {
	Store, DSN             string // for killtest.Open
	Issuer                 string
	CA                     []byte // the issuer's certificate
	ClientID, ClientSecret string
	RedirectURL            string
	Key                    []byte
}

// Lines between a test and a process, on standard input and output.
const (
	Ready   = "ready "  // with the address: the process serves
	Stop    = "stop "   // with a number and a step: the test wants it to stop there
	Armed   = "armed"   // it will
	Reached = "reached" // it has stopped
	GoOn    = "go on"   // the test lets it go on
)

// Run is the process. It ends when in does.
func Run(su Setup, in io.Reader, out io.Writer) error {
	store, err := killtest.Open(su.Store, su.DSN)
	if err != nil {
		return err
	}
	gate := &Gate{Store: store, Created: new(CreatedKeys)}
	app, err := New(su.client(), session.Config{
		Keys: [][]byte{su.Key}, IdleTimeout: time.Minute,
	}, gate)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: app}
	defer server.Close()
	go server.Serve(listener)
	fmt.Fprintln(out, Ready+listener.Addr().String())
	return obey(gate, in, out)
}

// client is the app's Client.
func (su Setup) client() authcode.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(su.CA)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	return authcode.Config{
		Provider: oidc.Provider(su.Issuer), ClientID: su.ClientID,
		ClientAuth: authcode.Secret(su.ClientSecret), RedirectURL: su.RedirectURL,
		CookieKeys: [][]byte{su.Key}, LoginURL: "/login", Transport: transport,
	}
}

// obey does what the test says.
func obey(gate *Gate, in io.Reader, out io.Writer) error {
	goOn := make(chan struct{})
	defer close(goOn)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if lines.Text() == GoOn {
			goOn <- struct{}{}
			continue
		}
		rest, ok := strings.CutPrefix(lines.Text(), Stop)
		number, step, _ := strings.Cut(rest, " ")
		var nth int
		if _, err := fmt.Sscan(number, &nth); !ok || err != nil {
			return fmt.Errorf("what does %q mean?", lines.Text())
		}
		gate.At(step, nth, func() {
			fmt.Fprintln(out, Reached)
			<-goOn
		})
		fmt.Fprintln(out, Armed)
	}
	return lines.Err()
}
