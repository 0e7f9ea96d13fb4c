package fapi_test

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/fapi"
	"example.com/authcode/internal/authserver"
)

// weakTLS are TLS settings that a profile refuses, each with words of the fault.
var weakTLS = []struct {
	claim  string
	config *tls.Config
	want   []string
}{
	{"nothing is verified", &tls.Config{InsecureSkipVerify: true}, []string{"InsecureSkipVerify"}},
	{"a check of the app's own instead", &tls.Config{InsecureSkipVerify: true,
		VerifyConnection: func(tls.ConnectionState) error { return nil }},
		[]string{"InsecureSkipVerify"}},
	{"one name for all servers", &tls.Config{ServerName: "op.example"}, []string{"ServerName"}},
	{"another clock", &tls.Config{Time: time.Now}, []string{"TLSClientConfig.Time"}},
	{"another source of randomness", &tls.Config{Rand: rand.Reader}, []string{"TLSClientConfig.Rand"}},
	{"keys in a log", &tls.Config{KeyLogWriter: io.Discard}, []string{"KeyLogWriter"}},
	{"TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS11}, []string{"TLS before 1.2"}},
	{"TLS 1.1 at most", &tls.Config{MaxVersion: tls.VersionTLS11}, []string{"MaxVersion"}},
	{"TLS 1.0 alone", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10},
		[]string{"TLS before 1.2", "MaxVersion"}},
	{"an old cipher beside a good one", &tls.Config{CipherSuites: []uint16{
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_128_GCM_SHA256}},
		[]string{"cipher suites that BCP 195"}},
	{"several", &tls.Config{InsecureSkipVerify: true, ServerName: "op.example", Time: time.Now,
		MinVersion: tls.VersionTLS10}, []string{"InsecureSkipVerify", "ServerName", "Time", "before 1.2"}},
}

// TestWeakTLS: every weakness is named, each once, with a certificate and
// without.
func TestWeakTLS(t *testing.T) {
	for _, row := range weakTLS {
		for _, certificate := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, certificate %t", row.claim, certificate), func(t *testing.T) {
				cfg := good()
				if certificate {
					shows(ownCert, true, true)(&cfg)
				}
				cfg.Transport = &http.Transport{TLSClientConfig: row.config}
				_, err := fapi.New(fapi.Security, cfg)
				for _, want := range row.want {
					if err == nil || strings.Count(err.Error(), want) != 1 {
						t.Errorf("got %v, want %q once", err, want)
					}
				}
				if err != nil && strings.Count(err.Error(), "\n")+1 != len(row.want) {
					t.Errorf("got %v, want %d faults", err, len(row.want))
				}
			})
		}
	}
}

// TestStrongTLS: what an app may ask for.
func TestStrongTLS(t *testing.T) {
	for claim, config := range map[string]*tls.Config{
		"TLS 1.2 alone": {MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12},
		"TLS 1.3 alone": {MinVersion: tls.VersionTLS13},
		"one suite":     {CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}},
		"a check more":  {VerifyConnection: func(tls.ConnectionState) error { return nil }},
		"a cache":       {ClientSessionCache: tls.NewLRUClientSessionCache(0)},
	} {
		_, err := fapi.New(fapi.Security, good(func(c *authcode.Config) {
			c.Transport = &http.Transport{TLSClientConfig: config}
		}))
		if err != nil {
			t.Errorf("%s: %v", claim, err)
		}
	}
}

// cache is a cache of TLS sessions that another transport uses, too.
type cache struct{ t *testing.T }

func (c cache) Get(string) (*tls.ClientSessionState, bool) {
	c.t.Error("a session of another transport was looked for")
	return nil, false
}

func (c cache) Put(string, *tls.ClientSessionState) { c.t.Error("the session was shared") }

// TestSessionsAreNotShared: a session that a transport with other rules began is
// not resumed, since a resumption verifies no certificate.
func TestSessionsAreNotShared(t *testing.T) {
	x := newWorld(t, setup{cfg: func(c *authcode.Config) {
		c.Transport.TLSClientConfig.ClientSessionCache = cache{t}
	}})
	x.prepare(authserver.Refresh)
}
