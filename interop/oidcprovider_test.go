package interop

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

const oidcFolder = "oidcprovider"

// oidcProvider is the npm package oidc-provider in a Node process of its own. Tests share it:
// each registers a client of its own.
type oidcProvider struct {
	*process
	issuer    string
	transport *http.Transport // how to reach it, for apps and for tests; nil: no certificate needs trust
	mu        sync.Mutex      // one registration at a time on stdin and stdout
}

var (
	sharedHTTP  = sync.OnceValues(func() (*oidcProvider, error) { return startOIDCProvider(nil) })
	sharedHTTPS = sync.OnceValues(func() (*oidcProvider, error) {
		c, err := runCertificate()
		if err != nil {
			return nil, err
		}
		return startOIDCProvider(c)
	})
)

// plainProvider serves http, secureProvider https with the certificate of this run.
func plainProvider(t testing.TB) *oidcProvider  { return shared(t, sharedHTTP) }
func secureProvider(t testing.TB) *oidcProvider { return shared(t, sharedHTTPS) }

func shared(t testing.TB, start func() (*oidcProvider, error)) *oidcProvider {
	t.Helper()
	p, err := start()
	if missing := (missingError{}); errors.As(err, &missing) {
		need(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// missingError says that Node, or what has to be installed with it, is not there.
type missingError struct{ error }

func startOIDCProvider(c *certificate) (*oidcProvider, error) {
	config, p := map[string]any{}, new(oidcProvider)
	if c != nil {
		config["tls"] = map[string]string{"key": string(c.keyPEM), "cert": string(c.certPEM)}
		p.transport = c.transport()
	}
	child, err := startNode("server.mjs", config)
	if err != nil {
		return nil, err
	}
	p.process = child
	p.issuer, err = child.line("READY ")
	return p, err
}

// http is the client of the tests themselves.
func (o *oidcProvider) http() *http.Client {
	if o.transport == nil {
		return http.DefaultClient
	}
	return &http.Client{Transport: o.transport}
}

// startNode runs a script of the folder oidcprovider with this configuration until the tests end.
func startNode(script string, config any) (*process, error) {
	node, err := installed("node", "apt-get install nodejs npm, or any Node 20 or later")
	if err != nil {
		return nil, missingError{err}
	}
	if err := installPackages(); err != nil {
		return nil, missingError{err}
	}
	encoded, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(node, script)
	cmd.Dir = oidcFolder
	cmd.Env = append(os.Environ(), "INTEROP_CONFIG="+string(encoded))
	child, err := startProcess(cmd, "oidc-provider")
	if err != nil {
		return nil, err
	}
	whenDone(func() { child.stop() })
	return child, nil
}

// installPackages runs npm ci when what is installed is not what the lock file says.
func installPackages() error {
	lock, err := os.Stat(filepath.Join(oidcFolder, "package-lock.json"))
	if err != nil {
		return err
	}
	have, err := os.Stat(filepath.Join(oidcFolder, "node_modules", ".package-lock.json"))
	if err == nil && !have.ModTime().Before(lock.ModTime()) {
		return nil
	}
	npm, err := installed("npm", "apt-get install npm")
	if err != nil {
		return err
	}
	cmd := exec.Command(npm, "ci", "--ignore-scripts")
	cmd.Dir = oidcFolder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in interop/%s: %w\n%s", oidcFolder, err, out)
	}
	return nil
}

// registration is the client metadata that the tests use (RFC 7591 section 2).
type registration struct {
	ID            string   `json:"client_id"`
	Secret        string   `json:"client_secret,omitempty"`
	AuthMethod    string   `json:"token_endpoint_auth_method"`
	RedirectURIs  []string `json:"redirect_uris"`
	GrantTypes    []string `json:"grant_types"`
	ResponseTypes []string `json:"response_types"`

	IDTokenAlg  string   `json:"id_token_signed_response_alg,omitempty"`
	UserinfoAlg string   `json:"userinfo_signed_response_alg,omitempty"`
	LogoutURIs  []string `json:"post_logout_redirect_uris,omitempty"`
	BackChannel string   `json:"backchannel_logout_uri,omitempty"`
	WithSession bool     `json:"backchannel_logout_session_required,omitempty"`
}

// peer is one way for a client to prove who it is, on both sides of the wire.
type peer struct {
	name, method string
	id, secret   string
	style        oauth2.AuthStyle
}

// peers are the client authentication methods of RFC 6749. The credentials hold
// what the two encodings of section 2.3.1 treat differently; oidc-provider refuses to register
// characters outside of VSCHAR (RFC 6749 appendix A), so UTF-8 is left to authserver.
var peers = []peer{
	{"basic", "client_secret_basic", "interop: basic+1 50%", `s:e+c r%e%2Bt&=/?"#`, oauth2.AuthStyleInHeader},
	{"body", "client_secret_post", "interop: body+1 50%", `b:o+d y%3A%&=/?"#`, oauth2.AuthStyleInParams},
	{"public", "none", "interop: public+1 50%", "", oauth2.AuthStyleInHeader},
}

func (p peer) auth() authcode.ClientAuth {
	if p.secret == "" {
		return authcode.Public()
	}
	return authcode.Secret(p.secret)
}

// clientID is p's id made unique for this test.
func clientID(t testing.TB, p peer) string { return p.id + " " + t.Name() }

// register adds a client of kind p, with what changes ask for, and returns its id.
func (o *oidcProvider) register(t testing.TB, p peer, redirectURI string, changes ...func(*registration)) string {
	t.Helper()
	r := registration{
		ID: clientID(t, p), Secret: p.secret, AuthMethod: p.method,
		RedirectURIs:  []string{redirectURI},
		GrantTypes:    []string{"authorization_code", "refresh_token"},
		ResponseTypes: []string{"code"},
	}
	for _, change := range changes {
		change(&r)
	}
	o.say(t, r, "CLIENT "+r.ID)
	return r.ID
}

// rotate replaces all signing keys of o.
func (o *oidcProvider) rotate(t testing.TB) {
	t.Helper()
	o.say(t, map[string]bool{"rotate": true}, "ROTATED")
}

// say writes a line to o and waits for its answer.
func (o *oidcProvider) say(t testing.TB, what any, answer string) {
	t.Helper()
	line, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.stdin.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	if _, err := o.line(answer); err != nil {
		t.Fatal(err)
	}
}

// provider describes o as an app would, from what its discovery document says.
func (o *oidcProvider) provider(t testing.TB) authcode.Provider {
	t.Helper()
	var doc struct {
		Issuer        string `json:"issuer"`
		AuthURL       string `json:"authorization_endpoint"`
		TokenURL      string `json:"token_endpoint"`
		RevocationURL string `json:"revocation_endpoint"`
		RequireIss    bool   `json:"authorization_response_iss_parameter_supported"`
	}
	o.getJSON(t, "/.well-known/openid-configuration", &doc)
	if doc.Issuer != o.issuer || !doc.RequireIss {
		t.Fatalf("discovery says %+v, want issuer %s and iss in responses", doc, o.issuer)
	}
	return authcode.Provider{
		Name: "oidc-provider", Issuer: doc.Issuer,
		Endpoints: authcode.Endpoints{
			AuthURL: doc.AuthURL, TokenURL: doc.TokenURL, RevocationURL: doc.RevocationURL,
			RequireIss: doc.RequireIss,
		},
		Scopes: []string{"openid", "profile", "email"},
	}
}

// requests returns how often the provider was asked for "METHOD /path".
func (o *oidcProvider) requests(t testing.TB, key string) int {
	t.Helper()
	var counts map[string]int
	o.getJSON(t, "/counts", &counts)
	return counts[key]
}

func (o *oidcProvider) getJSON(t testing.TB, path string, into any) {
	t.Helper()
	res, err := o.http().Get(o.issuer + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", path, res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
