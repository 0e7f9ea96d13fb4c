package test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/fapi"
	"example.com/authcode/test/world"
)

// innerFaults are values of InsecureInnerOrigins that New refuses, with a word
// of what it says.
var innerFaults = []struct {
	claim        string
	inner, outer string
	says         string
}{
	{"a path", "http://keycloak:8080/", "https://sso.example", "key"},
	{"a query", "http://keycloak:8080?x", "https://sso.example", "key"},
	{"a password", "http://u:p@keycloak:8080", "https://sso.example", "key"},
	{"no scheme", "keycloak:8080", "https://sso.example", "key"},
	{"https", "https://keycloak:8080", "https://sso.example", "key"},
	{"no host", "http://:8080", "https://sso.example", "key"},
	{"upper case in the scheme", "HTTP://keycloak", "https://sso.example", "key"},
	{"a host beyond ASCII", "http://kéycloak", "https://sso.example", "key"},
	{"a space", "http://keycloak ", "https://sso.example", "key"},
	{"an outer origin over http", "http://keycloak", "http://sso.example", "value"},
	{"an outer origin with a path", "http://keycloak", "https://sso.example/realms/x", "value"},
	{"no outer origin", "http://keycloak", "", "value"},
}

// refusesInner expects New to say this of Config.InsecureInnerOrigins, and
// nothing else.
func refusesInner(
	t *testing.T, says string, origins map[string]string, changes ...func(*config),
) {
	t.Helper()
	_, err := authcode.New(world.Config(nil, append(changes, func(c *config) {
		c.InsecureInnerOrigins = origins
	})...))
	e := world.WantError(t, err, authcode.Configuration, "config")
	says = "Config.InsecureInnerOrigins " + says
	if len(e.Faults) != 1 || !strings.HasPrefix(e.Faults[0], says) {
		t.Errorf("refused because of %q, want %q", e.Faults, says)
	}
}

func TestInnerOriginFaults(t *testing.T) {
	for _, row := range innerFaults {
		t.Run(row.claim, func(t *testing.T) {
			refusesInner(t, "has a "+row.says, map[string]string{row.inner: row.outer})
		})
	}
	refusesInner(t, "has two inner origins", map[string]string{
		"http://a": "https://sso.example", "http://b": "https://sso.example:443",
	})
	refusesInner(t, "has an inner origin in two spellings", map[string]string{
		"http://a": "https://sso.example", "http://A:80": "https://other.example",
	})
	refusesInner(t, "is http, where Config.Certificate", map[string]string{
		"http://keycloak": world.Issuer,
	}, func(c *config) {
		c.Certificate = func(ctx context.Context) (*tls.Certificate, error) {
			return nil, ctx.Err()
		}
		c.Binding = clientauth.CertificateBound()
	})
	_, err := fapi.New(fapi.Security, world.Config(nil, func(c *config) {
		c.InsecureInnerOrigins = map[string]string{"http://keycloak": world.Issuer}
	}))
	const fault = "FAPI 2.0: Config.InsecureInnerOrigins is set"
	if err == nil || !strings.Contains(err.Error(), fault) {
		t.Errorf("FAPI: %v", err)
	}
}

// TestInnerOriginIsCopied: the app's map may change, and the rules stay.
func TestInnerOriginIsCopied(t *testing.T) {
	origins := map[string]string{"http://keycloak:8080": world.Issuer}
	found := world.Endpoints()
	found.TokenURL = "http://mallory/t"
	c := world.Client(t, nil, world.LookedUp(world.Finds(found)), func(c *config) {
		c.InsecureInnerOrigins = origins
	})
	origins["http://mallory"] = "https://mallory.example"
	_, _, err := world.Start(c)
	world.WantError(t, err, authcode.BadAnswer, "metadata.endpoints")
}

// TestInnerOriginAndProxy: the proxy of the environment sees no request for an
// inner origin. The environment is read once, so this needs a process.
func TestInnerOriginAndProxy(t *testing.T) {
	inner := os.Getenv("TEST_INNER_ORIGIN")
	if inner != "" {
		c := world.Client(t, nil, func(c *config) {
			c.Wrap, c.InsecureInnerOrigins = nil, map[string]string{inner: world.Issuer}
		})
		if _, err := c.Refresh(t.Context(), world.Expired()); err != nil {
			t.Error(err)
		}
		return
	}
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, world.TokenJSON)
	}))
	defer provider.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the proxy was asked for %s", r.URL)
	}))
	defer proxy.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestInnerOriginAndProxy$")
	// Go sends requests for loopback past every proxy, but not those for 0.0.0.0.
	cmd.Env = append(os.Environ(), "HTTP_PROXY="+proxy.URL, "HTTPS_PROXY="+proxy.URL, "NO_PROXY=",
		"TEST_INNER_ORIGIN="+strings.Replace(provider.URL, "127.0.0.1", "0.0.0.0", 1))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
