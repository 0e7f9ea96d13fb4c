package tenants

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/jws"
	"example.com/authcode/internal/wire"
)

// checkEndpoints sends a request to each endpoint that the app calls.
func (c *checker) checkEndpoints(ctx context.Context) {
	ep := &c.conn.Endpoints
	endpoints := []struct{ name, url string }{
		{"the token endpoint", ep.TokenURL}, {"the JWKS", ep.JWKSURL},
		{"the userinfo endpoint", ep.UserInfoURL}, {"the PAR endpoint", ep.PARURL},
		{"the revocation endpoint", ep.RevocationURL},
		{"the introspection endpoint", ep.IntrospectionURL},
	}
	errs := make([]error, len(endpoints))
	var all sync.WaitGroup
	for i, e := range endpoints {
		if e.url != "" {
			all.Go(func() { errs[i] = c.reach(ctx, e.url) })
		}
	}
	all.Wait()
	ok := true
	for i, err := range errs {
		if err != nil {
			ok = false
			at := len(c.report)
			c.fault("endpoints", err)
			c.report[at].Text = endpoints[i].name + ": " + c.report[at].Text
		}
	}
	if ok {
		c.add("endpoints", Good, "", "all endpoints answer, at addresses that are permitted")
	}
}

// reach returns an error if nothing answers at url. Any HTTP status is an
// answer: a token endpoint refuses a GET.
func (c *checker) reach(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := c.conn.Transport.RoundTrip(r)
	if err == nil {
		resp.Body.Close()
		return nil
	}
	var own *authcode.Error
	var alert tls.AlertError
	switch {
	case errors.As(err, &own) && own != nil:
		return own
	// This request shows no certificate. A server that demands one is there.
	case errors.As(err, &alert) && c.conn.Config.Certificate != nil:
		return nil
	case ctx.Err() != nil:
		return authcode.NewError(authcode.Timeout, "check.timeout",
			"it did not answer in time: see whether the provider is slow, and check the network", nil)
	}
	return authcode.NewError(authcode.Unreachable, "check.unreachable",
		"it cannot be reached (check its URL, DNS and firewall)", err)
}

// checkAlgorithms looks for a key for an algorithm that both sides use.
func (c *checker) checkAlgorithms(ctx context.Context) {
	p := &c.conn.Config.Provider
	if p.Identity == nil || p.Verify == nil || slices.Equal(p.Algorithms, []string{"HS256"}) {
		return
	}
	admitted := p.Algorithms
	if admitted == nil {
		admitted = []string{jws.RS256} // the default of package oidc
	}
	listed, _ := wire.Strings(c.document["id_token_signing_alg_values_supported"])
	if len(listed) > 0 {
		shared := slices.DeleteFunc(slices.Clone(admitted), func(alg string) bool {
			return !jws.Allows(listed, alg)
		})
		if len(shared) == 0 {
			c.add("algorithms", Fault, "id_token.alg", "the provider does not sign ID tokens with "+
				strings.Join(admitted, " or ")+": set Provider.Algorithms to what it offers")
			return
		}
		admitted = shared
	}
	var last error
	for _, alg := range admitted {
		if last = c.tryKeys(ctx, alg); last == nil {
			c.add("algorithms", Good, "", "the provider has a key for "+alg)
			return
		}
	}
	c.fault("algorithms", last)
}

// tryKeys returns nil if the provider has a key for alg. It asks Provider.Verify,
// which loads the keys as a login does, about a JWT that nobody has signed.
func (c *checker) tryKeys(ctx context.Context, alg string) error {
	encode := base64.RawURLEncoding.EncodeToString
	jwt := encode([]byte(`{"alg":"`+alg+`"}`)) + "." + encode([]byte("{}")) + "." +
		encode(make([]byte, 64))
	_, err := c.conn.Config.Provider.Verify(ctx, c.conn, "logout+jwt", jwt)
	var e *authcode.Error
	// A signature that is not right means that there was a key to try.
	if errors.As(err, &e) && e != nil && strings.HasSuffix(e.Check, ".signature") {
		return nil
	}
	return err
}

// checkPromises looks at what the metadata promises about a login.
func (c *checker) checkPromises() {
	ep := &c.conn.Endpoints
	if _, says := c.document["code_challenge_methods_supported"]; says {
		c.add("pkce", Good, "", "the provider supports PKCE with S256")
	} else {
		c.add("pkce", Note, "", "the provider does not say whether it supports PKCE: it is sent "+
			"all the same")
	}
	switch {
	case ep.RequirePAR:
		c.add("par", Good, "", "the provider requires PAR, and logins use it")
	case ep.PARURL != "":
		c.add("par", Good, "", "the provider supports PAR, and logins use it")
	default:
		c.add("par", Note, "", "the provider has no PAR endpoint: the browser carries the request")
	}
	if ep.RequireIss {
		c.add("iss", Good, "", "the provider names itself in its answers (iss)")
		return
	}
	c.add("iss", Note, "", "the provider does not name itself in its answers (iss): it must not "+
		"share a redirect URL with other providers")
}
