package fapi_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/fapi"
	op "example.com/authcode/internal/authserver"
	"example.com/authcode/internal/testkey"
	"example.com/authcode/oidc"
)

var (
	ecKey    = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	proofKey = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	edKey    = ed25519.NewKeyFromSeed(make([]byte, 32))
	rsaKey   = testkey.RSA()
	key      = clientauth.Key{Signer: ecKey, ID: "k1"}
	weak     = clientauth.Key{Signer: must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))}
	ps256    = clientauth.Key{Signer: rsaKey}
	rs256    = clientauth.Key{Signer: rsaKey, Algorithm: "RS256"}
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// good is a Config that both profiles accept.
func good() authcode.Config {
	return authcode.Config{
		Provider: oidc.Provider("https://op.example"), ClientID: "client", RedirectURL: appURL,
		ClientAuth: clientauth.PrivateKeyJWT(key), Binding: dpop.New(ecKey), MessageSigning: signs(ps256),
		CookieKeys: [][]byte{[]byte(strings.Repeat("0123456789", 4))},
	}
}

// signs signs requests with key and demands signed responses.
func signs(key clientauth.Key) authcode.MessageSigning {
	m := clientauth.SignRequests(key)
	m.SignedResponses = true
	return m
}

// named are values of fields that the tables name.
var named = map[string]any{
	"rsa": clientauth.PrivateKeyJWT(ps256), "rs256": clientauth.PrivateKeyJWT(rs256),
	"ed25519": clientauth.PrivateKeyJWT(clientauth.Key{Signer: edKey}),
	"weak":    clientauth.PrivateKeyJWT(weak), "no-key": clientauth.PrivateKeyJWT(nil),
	"token-url-audience": clientauth.PrivateKeyJWT(key, clientauth.TokenURLAudience()),
	"endpoint-audience":  clientauth.PrivateKeyJWT(key, clientauth.EndpointAudience()),
	"secret-jwt":         clientauth.SecretJWT(strings.Repeat("s3cret", 6)),
	"short-secret-jwt":   clientauth.SecretJWT("short"), "no-secret": authcode.Secret(""),
	"secret": authcode.Secret(word + "-secret"), "public": authcode.Public(),
	"mutual-tls": clientauth.MutualTLS(), "bound": clientauth.CertificateBound(),
	"per-session": dpop.PerSession(good().CookieKeys[0]), "no-issuer": oidc.Provider(""),
	"proof-none": proving(), "proof-two": proving(proofBy("ES256"), proofBy("ES256")),
	"proof-empty": proving(""), "proof-RS256": proving(proofBy("RS256")),
	"proof-ES384": proving(proofBy("ES384")), "proof-unsigned": proving(proofBy("none")),
	"proof-by-another": dpop.New(ecKey), "proof-key": proofKeyName,
	"weak-proofs": dpop.New(weak.Signer), "no-proofs": dpop.New(nil),
	"signs": signs(key), "signs-rs256": signs(rs256), "signs-nothing": clientauth.SignRequests(nil),
	"http":            oidc.Provider("http://localhost:1"),
	"http-metadata":   oidc.Provider("https://op.example", oidc.MetadataURL("http://127.0.0.1:1")),
	"dials-tls":       (&tls.Dialer{}).DialContext,
	"tls-by-function": func(string, string) (net.Conn, error) { return nil, nil },
	"clock":           time.Now, "random": rand.Reader, "log": io.Discard,
	"sessions":      struct{ tls.ClientSessionCache }{}, // panics if it is used
	"wraps-nothing": func(http.RoundTripper) http.RoundTripper { return nil },
	"accepts-all":   func(tls.ConnectionState) error { return nil },
	"authority":     authority.Certificate(), "leaves": []*x509.Certificate{ownCert.Leaf},
	"certificate":            clientauth.Certificate(ownCert),
	"self-signed":            clientauth.Certificate(op.SelfSigned(clientID)),
	"another-authority":      clientauth.Certificate(op.NewAuthority().Issue(clientID)),
	"another-client":         clientauth.Certificate(authority.Issue("another")),
	"intermediate-authority": clientauth.Certificate(authority.Intermediate().Issue(clientID)),
}

// proving is a Binding that has values for proofs.
func proving(values ...string) authcode.Binding {
	b := dpop.New(proofKey)
	b.Transport = func(_ *authcode.Connection, base http.RoundTripper, _ string) (http.RoundTripper, error) {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header["DPoP"] = values
			return base.RoundTrip(r)
		}), nil
	}
	return b
}

// proofBy is a proof whose header says that alg has signed it.
func proofBy(alg string) string {
	header := `{"typ":"dpop+jwt","alg":"` + alg + `"}`
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + ".e30.AAAA"
}

// proofKeyName begins a login with proofKey, for a Binding that proves another.
func proofKeyName(ctx context.Context) (string, url.Values, error) {
	_, params, err := dpop.New(proofKey).Begin(ctx)
	return "", params, err
}

// set sets fields of a struct as text says: LoginURL = "/" ; Binding = @bound.
func set(target any, text string) {
	for pair := range strings.SplitSeq(text, " ; ") {
		path, value, ok := strings.Cut(pair, " = ")
		if !ok {
			return
		}
		field := reflect.ValueOf(target).Elem()
		for name := range strings.SplitSeq(path, ".") {
			if field.Kind() == reflect.Pointer && field.IsNil() {
				field.Set(reflect.New(field.Type().Elem()))
			}
			field = reflect.Indirect(field).FieldByName(name)
		}
		if name, isNamed := strings.CutPrefix(value, "@"); isNamed {
			field.Set(reflect.ValueOf(named[name]))
		} else if field.SetZero(); value != "null" {
			must(0, json.Unmarshal([]byte(value), field.Addr().Interface()))
		}
	}
}

// given are fields that words of a head set, before those of the row: static
// endpoints that stand in the Config, or a certificate for everything.
var given = map[string]string{
	"static": `Provider.Metadata = null ; Provider.Endpoints = {"AuthURL":"https://op.example/auth",
		"TokenURL":"https://op.example/token","PARURL":"https://op.example/par"}`,
	"certified": "Certificate = @certificate ; ClientAuth = @mutual-tls ; Binding = @bound",
}

// TestConfig: what the profiles accept, and what New says of what they forbid.
func TestConfig(t *testing.T) {
	for _, row := range readTable("testdata/config.txt") {
		head, cells := row.head, row.cells
		t.Run(head[0]+": "+cells[0], func(t *testing.T) {
			cfg := good()
			set(&cfg, given[strings.Join(head[1:], "")])
			set(&cfg, cells[2])
			_, security := fapi.New(fapi.Security, cfg)
			_, signing := fapi.New(fapi.MessageSigning, cfg)
			switch head[0] {
			case "both", "signing":
				wantTexts(t, security, map[string]string{"both": cells[1]}[head[0]])
				wantTexts(t, signing, cells[1])
			case "found":
				found := cfg.Provider.Endpoints
				cfg.Provider.Metadata = func(
					context.Context, *authcode.Connection,
				) (authcode.Endpoints, error) {
					return found, nil
				}
				wantTexts(t, start(cfg), cells[1])
			}
		})
	}
	for _, profile := range []fapi.Profile{-1, 2, 7} {
		_, err := fapi.New(profile, good())
		wantTexts(t, err, "neither Security nor MessageSigning")
	}
}

// wantTexts looks for one line for each of texts, regular expressions with &
// between them, or for no error.
func wantTexts(t *testing.T, err error, texts string) {
	t.Helper()
	text := fmt.Sprint(err)
	pattern := "^authcode: .*" + strings.ReplaceAll(texts, " & ", ".*\nauthcode: .*") + ".*$"
	hasPrefixes := strings.Count(text, "authcode: ") == strings.Count(pattern, "authcode: ")
	if texts == "" && err == nil ||
		texts != "" && regexp.MustCompile(pattern).MatchString(text) && hasPrefixes {
		return
	}
	t.Errorf("got\n%s, want lines with %q", text, texts)
}

// start begins a login with a Client of this Config.
func start(cfg authcode.Config) error {
	c, err := fapi.New(fapi.Security, cfg)
	if err == nil {
		_, err = c.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", appURL+"/login", nil))
	}
	return err
}

// TestTransport: clients that are given one transport, also one in use, all
// work, with HTTP/2 if it has that, and the transport stays as it was. They
// refuse servers with old TLS or old suites, or less than the app wants.
func TestTransport(t *testing.T) {
	for _, server := range []*tls.Config{
		{}, {MaxVersion: tls.VersionTLS12}, {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}},
	} {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"request_uri":"urn:x:1","expires_in":60}`)
		}))
		srv.TLS, srv.EnableHTTP2 = server, server.MaxVersion == 0
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.StartTLS()
		defer srv.Close()
		roots := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		shared := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
		used := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
		(&http.Client{Transport: used}).Head(srv.URL)
		strict := &http.Transport{TLSClientConfig: used.TLSClientConfig.Clone()}
		strict.TLSClientConfig.MinVersion = tls.VersionTLS13
		for n, transport := range []*http.Transport{shared, shared, used, used, shared, strict} {
			cfg := good()
			set(&cfg, given["static"]+` ; MessageSigning = null ; Algorithms = ["ES256","PS256"]`)
			cfg.Transport, cfg.Provider.PARURL = transport, srv.URL
			isGood := server.MinVersion == 0 && server.CipherSuites == nil &&
				(server.MaxVersion == 0 || transport != strict)
			err, own := start(cfg), transport.TLSClientConfig
			isKept := own.CipherSuites == nil && own.MinVersion%tls.VersionTLS13 == 0
			if (err == nil) != isGood || !isKept {
				t.Errorf("client %d, TLS %x: %v, unchanged: %t", n, server.MaxVersion, err, isKept)
			}
		}
	}
}
