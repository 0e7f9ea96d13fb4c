package interop

import (
	"crypto/x509"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// The hand-written client signs in, whatever its kind.
func TestFAPIServer(t *testing.T) {
	everyFAPIKind(t, func(t *testing.T, o *fapiProvider, kind fapiKind) {
		c := newRawFAPI(t, o, kind.newClient(t))
		info := c.get(c.tokenType(), c.token())
		if info.status != http.StatusOK || info.text("sub") != "alice" {
			t.Errorf("userinfo answers %d: %v %v", info.status, info.body, info.header)
		}
		if o.nonces != (c.nonce != "") {
			t.Errorf("the server gave the nonce %q", c.nonce)
		}
	})
}

var (
	jwtDPoP   = fapiKind{"private_key_jwt", "ES256", byDPoP}
	jwtBound  = fapiKind{"private_key_jwt", "ES256", byCertificate}
	tlsBound  = fapiKind{"tls_client_auth", "ES256", byCertificate}
	selfBound = fapiKind{"self_signed_tls_client_auth", "ES256", byCertificate}
)

// fapiRefusals are requests that the profile forbids a client, or that a thief makes.
var fapiRefusals = []struct {
	name   string
	kind   fapiKind
	do     func(c *rawFAPI) answer
	status int
	err    string
}{
	{"no PKCE", jwtDPoP, func(c *rawFAPI) answer {
		c.noPKCE = true
		return c.push()
	}, http.StatusBadRequest, "invalid_request"},
	{"assertion for the token endpoint", jwtDPoP, func(c *rawFAPI) answer {
		c.audience = c.o.issuer + "/token"
		return c.push()
	}, http.StatusUnauthorized, "invalid_client"},
	{"assertion for a list of audiences", jwtDPoP, func(c *rawFAPI) answer {
		c.audience = []string{c.o.issuer}
		return c.push()
	}, http.StatusUnauthorized, "invalid_client"},
	{"assertion with RS256", fapiKind{"private_key_jwt", "PS256", byDPoP}, func(c *rawFAPI) answer {
		pushing := *c
		fake := *c.fapiClient
		fake.alg, pushing.proves = "RS256", nil
		pushing.fapiClient = &fake
		return pushing.push()
	}, http.StatusUnauthorized, "invalid_client"},
	{"assertion by another key", jwtDPoP, func(c *rawFAPI) answer {
		c.key = newSigner(c.t, c.alg)
		return c.push()
	}, http.StatusUnauthorized, "invalid_client"},
	{"code redeemed without proof", jwtDPoP, func(c *rawFAPI) answer {
		code := c.code()
		c.proves = nil
		return c.redeem(code)
	}, http.StatusBadRequest, "invalid_grant"},
	{"code redeemed with another key than pushed", jwtDPoP, func(c *rawFAPI) answer {
		code := c.code()
		c.proves = newSigner(c.t, c.alg)
		return c.redeem(code)
	}, http.StatusBadRequest, "invalid_grant"},
	{"DPoP token as bearer", jwtDPoP, func(c *rawFAPI) answer {
		token := c.token()
		c.proves = nil
		return c.get("Bearer", token)
	}, http.StatusUnauthorized, "invalid_token"},
	{"DPoP token with a thief's proof", jwtDPoP, func(c *rawFAPI) answer {
		token := c.token()
		c.proves = newSigner(c.t, c.alg)
		return c.get("DPoP", token)
	}, http.StatusUnauthorized, "invalid_token"},
	{"code redeemed without certificate", jwtBound, func(c *rawFAPI) answer {
		code := c.code()
		c.http = withCertificates(c.t)
		return c.redeem(code)
	}, http.StatusBadRequest, "invalid_grant"},
	{"bound token without certificate", jwtBound, func(c *rawFAPI) answer {
		token := c.token()
		c.http = withCertificates(c.t)
		return c.get("Bearer", token)
	}, http.StatusUnauthorized, "invalid_token"},
	{"bound token with a thief's certificate", tlsBound, func(c *rawFAPI) answer {
		token := c.token()
		c.http = withCertificates(c.t, issued(c.t, template(c.String(), x509.ExtKeyUsageClientAuth)))
		return c.get("Bearer", token)
	}, http.StatusUnauthorized, "invalid_token"},
	{"bound token away from the aliases", tlsBound, func(c *rawFAPI) answer {
		token := c.token()
		c.at = c.o.issuer
		return c.get("Bearer", token)
	}, http.StatusUnauthorized, "invalid_token"},
	{"no certificate", tlsBound, func(c *rawFAPI) answer {
		c.http = withCertificates(c.t)
		return c.push()
	}, http.StatusUnauthorized, "invalid_client"},
	{"certificate at the issuer and not at the aliases", tlsBound, func(c *rawFAPI) answer {
		c.at = c.o.issuer
		return c.push()
	}, http.StatusUnauthorized, "invalid_client"},
	{"certificate of another name", tlsBound, func(c *rawFAPI) answer {
		c.http = withCertificates(c.t, issued(c.t, template("mallory", x509.ExtKeyUsageClientAuth)))
		return c.push()
	}, http.StatusUnauthorized, "invalid_client"},
	{"certificate of this name by nobody", tlsBound, func(c *rawFAPI) answer {
		c.http = withCertificates(c.t, selfSigned(c.t, template(c.String(), x509.ExtKeyUsageClientAuth)))
		return c.push()
	}, http.StatusUnauthorized, "invalid_client"},
	{"certificate of last week", tlsBound, func(c *rawFAPI) answer {
		of := template(c.String(), x509.ExtKeyUsageClientAuth)
		of.NotBefore, of.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
		c.http = withCertificates(c.t, issued(c.t, of))
		return c.push()
	}, http.StatusUnauthorized, "invalid_client"},
	{"certificate that is not registered", selfBound, func(c *rawFAPI) answer {
		c.http = withCertificates(c.t, selfSigned(c.t, template(c.String(), x509.ExtKeyUsageClientAuth)))
		return c.push()
	}, http.StatusUnauthorized, "invalid_client"},
}

// What the profile has a server refuse, it refuses: a login that passes here has done it right.
func TestFAPIServerRefuses(t *testing.T) {
	for _, row := range fapiRefusals {
		t.Run(row.name, func(t *testing.T) {
			got := row.do(newRawFAPI(t, theFAPIProvider(t, false), row.kind.newClient(t)))
			if got.status != row.status || got.text("error") != row.err {
				t.Errorf("%d %v, want %d and %s", got.status, got.body, row.status, row.err)
			}
		})
	}
}

// A request that was not pushed gets no further than the provider.
func TestFAPIServerRefusesUnpushed(t *testing.T) {
	c := newRawFAPI(t, theFAPIProvider(t, false), jwtDPoP.newClient(t))
	got := newPerson(t).visit(c.o.issuer + "/auth?" + url.Values{
		"client_id": {c.id}, "response_type": {"code"}, "redirect_uri": {c.redirect}, "scope": {"openid"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}.Encode()).url.Query()
	if got.Get("error") != "invalid_request" || got.Get("iss") != c.o.issuer {
		t.Errorf("the response is %v, want invalid_request", got)
	}
}

// Without a nonce, and with one that the server has forgotten, a proof counts for nothing.
func TestFAPIServerNonces(t *testing.T) {
	o := theFAPIProvider(t, true)
	c := newRawFAPI(t, o, jwtDPoP.newClient(t))
	c.push()
	first := c.nonce
	o.rotate(t)
	c.token()
	if first == "" || c.nonce == first {
		t.Errorf("the nonce was %q and is %q", first, c.nonce)
	}
	c.nonce = first
	before := o.requests(t, "GET /me")
	c.get("DPoP", "none")
	if n := o.requests(t, "GET /me") - before; n != 2 {
		t.Errorf("%d requests for userinfo with an old nonce, want 2", n)
	}
}
