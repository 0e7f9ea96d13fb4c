package clientauth_test

import (
	"context"
	"crypto/fips140"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// whoami answers with the thumbprint of the certificate that it was shown, and the HTTP version.
var whoami = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if len(r.TLS.PeerCertificates) > 0 {
		io.WriteString(w, clientauth.Thumbprint(tls.Certificate{Certificate: [][]byte{r.TLS.PeerCertificates[0].Raw}}))
	}
	io.WriteString(w, " "+r.Proto)
})

// ask sends a request by rt and returns what whoami says.
func ask(t testing.TB, rt http.RoundTripper, target string) (thumbprint, proto string) {
	t.Helper()
	resp, err := rt.RoundTrip(httptest.NewRequest("GET", target, nil))
	if err != nil {
		t.Error(err) // on goroutines too
		return "", ""
	}
	defer resp.Body.Close()
	thumbprint, proto, _ = strings.Cut(string(must(io.ReadAll(resp.Body))), " ")
	return thumbprint, proto
}

// shownCertificates are certificates, transports and servers that see them.
var shownCertificates = []struct {
	claim  string
	cert   tls.Certificate
	base   *http.Transport
	server func(*httptest.Server)
	proto  string
}{
	{"of an authority", clientCert("tls"), trusting(), func(*httptest.Server) {}, "HTTP/2.0"},
	{"self-signed", selfSigned("self"), trusting(), func(*httptest.Server) {}, "HTTP/2.0"},
	{"the server names another authority", selfSigned("self"), trusting(),
		func(s *httptest.Server) { s.TLS.ClientCAs = newAuthority("other").pool() }, "HTTP/2.0"},
	{"the server verifies", clientCert("tls"), trusting(),
		func(s *httptest.Server) {
			s.TLS.ClientCAs, s.TLS.ClientAuth = authority.pool(), tls.RequireAndVerifyClientCert
		}, "HTTP/2.0"},
	{"TLS 1.2", clientCert("tls"), trusting(), func(s *httptest.Server) { s.TLS.MaxVersion = tls.VersionTLS12 }, "HTTP/2.0"},
	{"a server without HTTP/2", clientCert("tls"), trusting(), func(s *httptest.Server) { s.EnableHTTP2 = false }, "HTTP/1.1"},
	{"base has a certificate of its own", clientCert("tls"),
		trusting(func(b *http.Transport) { b.TLSClientConfig.Certificates = []tls.Certificate{clientCert("base")} }),
		func(*httptest.Server) {}, "HTTP/2.0"},
	{"base speaks HTTP/1.1 only", clientCert("tls"),
		trusting(func(b *http.Transport) {
			b.ForceAttemptHTTP2, b.TLSNextProto = false, map[string]func(string, *tls.Conn) http.RoundTripper{}
		}), func(*httptest.Server) {}, "HTTP/1.1"},
	{"base has a TLSClientConfig, and HTTP/2 was not asked for", clientCert("tls"),
		trusting(func(b *http.Transport) { b.ForceAttemptHTTP2 = false }), func(*httptest.Server) {}, "HTTP/1.1"},
	{"base was a zero Transport", clientCert("tls"), zeroBase(), func(*httptest.Server) {}, "HTTP/2.0"},
}

// TestCertificateIsShown to whoever asks, over HTTP/2 and 1.1 and each version of TLS that is left, whatever
// authorities the server names; and by nothing but requests
// that are to show it.
func TestCertificateIsShown(t *testing.T) {
	for _, row := range shownCertificates {
		t.Run(row.claim, func(t *testing.T) {
			srv := newTLS(t, whoami, row.server)
			api := certAPI(t, clientauth.Certificate(row.cert), row.base, srv.URL)
			for range 2 {
				if got, proto := ask(t, api, srv.URL); got != clientauth.Thumbprint(row.cert) || proto != row.proto {
					t.Errorf("the server saw %q over %s, want %q over %s", got, proto, clientauth.Thumbprint(row.cert), row.proto)
				}
			}
			if row.base.TLSClientConfig.GetClientCertificate != nil || row.base.TLSClientConfig.MinVersion != 0 {
				t.Error("the caller's transport was changed")
			}
		})
	}
}

// zeroBase is what http.Transport's own Clone makes of a zero one: it offers HTTP/2 and, left alone, does not
// understand the answer.
func zeroBase() *http.Transport {
	b := (&http.Transport{}).Clone()
	b.TLSClientConfig.RootCAs = authority.pool()
	return b
}

// TestNoSharedSessions: a TLS session that was opened without the certificate is never resumed with it, nor
// the other way round, although base has a session cache.
func TestNoSharedSessions(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			srv := newTLS(t, whoami, func(s *httptest.Server) { s.TLS.MaxVersion = version })
			base := trusting(func(b *http.Transport) {
				b.TLSClientConfig.ClientSessionCache, b.DisableKeepAlives = tls.NewLRUClientSessionCache(8), true
			})
			a, b := clientCert("a"), clientCert("b")
			one, two := certAPI(t, clientauth.Certificate(a), base, srv.URL), certAPI(t, clientauth.Certificate(b), base, srv.URL)
			for range 3 { // the first handshakes fill caches, the next resume
				for rt, want := range map[http.RoundTripper]string{
					base: "", one: clientauth.Thumbprint(a), two: clientauth.Thumbprint(b),
				} {
					if got, _ := ask(t, rt, srv.URL); got != want {
						t.Errorf("the server saw %q, want %q", got, want)
					}
				}
			}
		})
	}
}

// TestNoSharedConnections: where base's HTTP/2 keeps connections of its own, none under the certificate
// gets among them.
func TestNoSharedConnections(t *testing.T) {
	srv := newTLS(t, whoami)
	base := trusting(func(b *http.Transport) {
		b.ForceAttemptHTTP2 = false
		b.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{
			"h2": func(string, *tls.Conn) http.RoundTripper {
				t.Error("base was handed a connection under the certificate")
				return refusing{t}
			},
		}
	})
	cert := clientCert("tls")
	if got, proto := ask(t, certAPI(t, clientauth.Certificate(cert), base, srv.URL), srv.URL); got != clientauth.Thumbprint(cert) || proto != "HTTP/2.0" {
		t.Errorf("the server saw %q over %s", got, proto)
	}
}

// TestOldTLS: nothing goes out under TLS 1.1, although base allows it.
func TestOldTLS(t *testing.T) {
	srv := newTLS(t, whoami, func(s *httptest.Server) {
		s.EnableHTTP2, s.TLS.MinVersion, s.TLS.MaxVersion = false, tls.VersionTLS10, tls.VersionTLS11
	})
	base := trusting(func(b *http.Transport) { b.TLSClientConfig.MinVersion = tls.VersionTLS10 })
	if !fips140.Enforced() { // FIPS 140-only mode has no TLS 1.1 at all
		if got, proto := ask(t, base, srv.URL); got != "" || proto != "HTTP/1.1" {
			t.Fatalf("by base: %q over %q", got, proto)
		}
	}
	resp, err := certAPI(t, clientauth.Certificate(clientCert("tls")), base, srv.URL).RoundTrip(httptest.NewRequest("GET", srv.URL, nil))
	if err == nil {
		resp.Body.Close()
		t.Error("TLS 1.1 was accepted")
	}
}

// TestUnknownServer: the certificate's transport verifies the server like any other.
func TestUnknownServer(t *testing.T) {
	srv := newTLS(t, whoami)
	resp, err := certAPI(t, clientauth.Certificate(clientCert("tls")), nil, srv.URL).RoundTrip(httptest.NewRequest("GET", srv.URL, nil))
	var cert *tls.CertificateVerificationError
	if !errors.As(err, &cert) {
		t.Errorf("%v, %v: want a certificate error", resp, err)
	}
}

// TestProxy: base's proxy carries the requests, and does not see the certificate; one that could ask for
// it is refused.
func TestProxy(t *testing.T) {
	srv := newTLS(t, whoami)
	var tunnels []string
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tunnels = append(tunnels, r.Host)
		up := must(net.Dial("tcp", r.Host))
		down, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(down, "HTTP/1.1 200 OK\r\n\r\n")
		go io.Copy(up, buffered)
		go io.Copy(down, up)
		t.Cleanup(func() { up.Close(); down.Close() })
	})
	plain := httptest.NewServer(handler)
	defer plain.Close()
	cert := clientCert("tls")
	base := trusting(func(b *http.Transport) { b.Proxy = http.ProxyURL(must(url.Parse(plain.URL))) })
	if got, _ := ask(t, certAPI(t, clientauth.Certificate(cert), base, srv.URL), srv.URL); got != clientauth.Thumbprint(cert) || len(tunnels) != 1 {
		t.Errorf("the server saw %q, the proxy %q", got, tunnels)
	}
	shown := false
	secure := newTLS(t, handler, func(s *httptest.Server) {
		s.TLS.VerifyPeerCertificate = func(certs [][]byte, _ [][]*x509.Certificate) error {
			shown = shown || len(certs) > 0
			return nil
		}
	})
	base = trusting(func(b *http.Transport) { b.Proxy = http.ProxyURL(must(url.Parse(secure.URL))) })
	_, err := certAPI(t, clientauth.Certificate(cert), base, srv.URL).RoundTrip(httptest.NewRequest("GET", srv.URL, nil))
	if e := wantCheck(t, err, "client_auth.certificate"); !strings.Contains(e.Error(), "https proxy") || shown || len(tunnels) != 1 {
		t.Errorf("error %v, certificate shown %t, tunnels %q", err, shown, tunnels)
	}
	if u, err := base.Proxy(httptest.NewRequest("GET", srv.URL, nil)); err != nil || u.String() != secure.URL {
		t.Errorf("the caller's proxy was changed: %v, %v", u, err)
	}
}

// refusing is a transport that must not be used.
type refusing struct{ t *testing.T }

func (r refusing) RoundTrip(*http.Request) (*http.Response, error) {
	r.t.Error("the base transport was used")
	return nil, errors.New("refused")
}

// TestCertificateBound: the token as bearer, under the certificate, on a copy of the request; a
// redirect comes back as it is.
func TestCertificateBound(t *testing.T) {
	cert := clientCert("tls")
	srv := newTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header["Authorization"]; len(got) != 1 || got[0] != "Bearer at-1" {
			t.Errorf("Authorization %q", got)
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
		whoami(w, r)
	}))
	cfg := certConfig(clientauth.Certificate(cert), trusting())
	cfg.Wrap = func(rt http.RoundTripper) http.RoundTripper {
		if rt == http.RoundTripper(cfg.Transport) {
			return refusing{t} // the way without the certificate
		}
		return rt
	}
	api := apiOf(t, must(authcode.New(cfg)), srv.URL)
	for _, header := range []http.Header{nil, {"Authorization": {"Basic x"}, "Accept": {"a"}}} {
		r := &http.Request{Method: "GET", URL: must(url.Parse(srv.URL)), Header: header}
		resp, err := api.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body := string(must(io.ReadAll(resp.Body)))
		resp.Body.Close()
		if resp.StatusCode != http.StatusTemporaryRedirect || !strings.HasPrefix(body, clientauth.Thumbprint(cert)+" ") {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
		if header.Get("Authorization") == "Bearer at-1" || r.Header.Get("Authorization") != header.Get("Authorization") {
			t.Error("the caller's request was changed")
		}
	}
	b := clientauth.CertificateBound()
	if !b.Certificate || b.Begin != nil || b.Transport != nil || b.TokenType != "" || b.Algorithms != nil || b.Err != nil {
		t.Error("the binding does more than demand a certificate")
	}
}

// TestMutualTLS: the client id in the body and nothing else; the certificate is the credential (RFC 8705 section 2).
func TestMutualTLS(t *testing.T) {
	a := clientauth.MutualTLS()
	form := authenticate(t, a)
	if len(form) != 2 || form.Get("client_id") != clientID || a.Method != "tls_client_auth" || a.Audience != "" || a.Algorithms != nil || a.Err != nil {
		t.Errorf("form %v, %+v", form, a)
	}
}

// TestCertificate: always the same pointer, to a copy.
func TestCertificate(t *testing.T) {
	cert := clientCert("tls")
	f := clientauth.Certificate(cert)
	want := clientauth.Thumbprint(cert)
	cert.Certificate = nil
	first, err := f(context.Background())
	again, _ := f(context.Background())
	if err != nil || first != again || clientauth.Thumbprint(*first) != want {
		t.Errorf("%p and %p, %v", first, again, err)
	}
}
