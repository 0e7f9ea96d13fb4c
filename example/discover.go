package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	discoverTimeout = 10 * time.Second
	discoverLimit   = 256 << 10
)

// metadata is the part of a discovery document that the app uses (OpenID Connect Discovery
// section 3).
type metadata struct {
	Issuer     string `json:"issuer"`
	AuthURL    string `json:"authorization_endpoint"`
	TokenURL   string `json:"token_endpoint"`
	RevokeURL  string `json:"revocation_endpoint"`
	UserURL    string `json:"userinfo_endpoint"`
	IssPromise bool   `json:"authorization_response_iss_parameter_supported"`
}

// discover completes o from the provider's discovery document. What a flag says stays.
func (o *options) discover(ctx context.Context, client *http.Client) error {
	m, err := fetchMetadata(ctx, client, o.issuer)
	if err != nil {
		return fmt.Errorf("-issuer: %w", err)
	}
	// OpenID Connect Discovery section 4.3: the document must be about this very issuer.
	if m.Issuer != o.issuer {
		return fmt.Errorf("-issuer is %q, but the provider calls itself %q: "+
			"they must be the same, byte for byte", o.issuer, m.Issuer)
	}
	if m.AuthURL == "" || m.TokenURL == "" {
		return errors.New("-issuer: the provider's document names no endpoints; " +
			"give -auth-url and -token-url")
	}
	o.authURL, o.tokenURL = m.AuthURL, m.TokenURL
	if o.revocationURL == "" {
		o.revocationURL = m.RevokeURL
	}
	if o.userinfoURL == "" {
		o.userinfoURL = m.UserURL
	}
	o.requireIss = o.requireIss || m.IssPromise
	return nil
}

func fetchMetadata(ctx context.Context, client *http.Client, issuer string) (*metadata, error) {
	if !isSafe(issuer) {
		return nil, errors.New("not an https URL, nor http on localhost")
	}
	ctx, cancel := context.WithTimeout(ctx, discoverTimeout)
	defer cancel()
	address := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s; give -auth-url and -token-url instead",
			address, res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, discoverLimit+1))
	if err != nil {
		return nil, err
	}
	m := new(metadata)
	if len(body) > discoverLimit || json.Unmarshal(body, m) != nil {
		return nil, fmt.Errorf("%s is not a JSON document of at most %d KiB",
			address, discoverLimit>>10)
	}
	return m, nil
}

// isSafe reports whether nobody on the way can change what address answers.
func isSafe(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())
}

// providerClient is the HTTP client for the provider: no redirects, bounded headers and
// waiting times, and the system's CAs plus those of caFile.
func providerClient(caFile string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	transport.ResponseHeaderTimeout = discoverTimeout
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("-ca-file: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // a machine without CAs of its own
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("-ca-file: no certificate in %s", caFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return &http.Client{
		Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}, nil
}
