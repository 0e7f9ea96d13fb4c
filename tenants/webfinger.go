package tenants

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/urls"
	"example.com/authcode/internal/wire"
)

// The bounds of one lookup. A person waits for it.
const (
	lookupTimeout = 5 * time.Second
	maxJRD        = 64 << 10 // bytes
	maxRedirects  = 3
	maxLookups    = 32 // at a time, of all callers
)

// issuerRel is the link to an issuer (OpenID Connect Discovery section 2).
const issuerRel = "http://openid.net/specs/connect/1.0/issuer"

// FinderConfig says how [NewFinder] builds a [Finder].
type FinderConfig struct {
	// Known returns the issuer of a domain that the app knows, or "". The domain
	// is in lower case and ASCII. Many goroutines call it. If it returns an
	// error, Find returns that error. If nil, the app knows none.
	Known func(ctx context.Context, domain string) (issuer string, err error)

	// Transport and Guard are what [PublicOnly] gets.
	Transport *http.Transport
	Guard     Guard
}

// Finder finds the issuer for an e-mail address. It is safe for concurrent use.
type Finder struct {
	known   func(context.Context, string) (string, error)
	client  *http.Client
	port    string        // ":" and a port, in tests
	running chan struct{} // one element for each lookup
}

// NewFinder returns a Finder, or an [*authcode.Error] with the faults of cfg. It
// does no I/O.
func NewFinder(cfg FinderConfig) (*Finder, error) {
	via, err := PublicOnly(cfg.Transport, cfg.Guard)
	if err != nil {
		return nil, err
	}
	return &Finder{
		known: cfg.Known, running: make(chan struct{}, maxLookups),
		client: &http.Client{Transport: via, CheckRedirect: checkRedirect},
	}, nil
}

// checkRedirect is [http.Client.CheckRedirect].
func checkRedirect(r *http.Request, via []*http.Request) error {
	// RFC 7033 section 4.2: redirects go to https only. Many companies redirect
	// example.com to www.example.com.
	if r.URL.Scheme != "https" || len(via) > maxRedirects {
		return errRedirect
	}
	// The URL before has the person's address in it.
	r.Header.Del("Referer")
	return nil
}

var errRedirect = errors.New("a redirect to http, or too many redirects")

// Find returns the issuer for an e-mail address, or an acct URI (RFC 7565): that
// of FinderConfig.Known, or the one that the address's domain names by WebFinger
// (RFC 7033, OpenID Connect Discovery section 2). The request has the address in
// it, and goes to that domain.
//
// Anybody can type in any address, and the owner of its domain decides what Find
// returns. So use the issuer only to look for a customer who has it, and never
// create a customer from it. Every call may send a request: limit how often a
// visitor can ask.
//
// Its errors are [*authcode.Error]: [authcode.Malformed] for anything but a
// plain address, [authcode.Unsupported] if the domain names no issuer,
// [authcode.Configuration] if it has no public address, [authcode.Overloaded]
// during 32 other lookups, and [authcode.BadAnswer], [authcode.Unreachable],
// [authcode.Timeout] (after five seconds) and [authcode.Canceled].
func (f *Finder) Find(ctx context.Context, address string) (issuer string, err error) {
	address = strings.TrimSpace(address)
	// OpenID Connect Discovery section 2.1.2, step 4: the scheme may be there.
	if len(address) > 5 && strings.EqualFold(address[:5], "acct:") {
		address = address[5:]
	}
	local, domain, ok := splitAddress(address)
	if !ok {
		return "", authcode.NewError(authcode.Malformed, "webfinger.address", "this is not a plain "+
			"e-mail address: ask the person to type it like joe@example.com", nil)
	}
	if f.known != nil {
		if issuer, err = f.known(ctx, domain); issuer != "" || err != nil {
			return issuer, err
		}
	}
	select {
	case f.running <- struct{}{}:
		defer func() { <-f.running }()
	default:
		return "", authcode.NewError(authcode.Overloaded, "webfinger.busy",
			"too many lookups at a time: limit how often a visitor can ask", nil)
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	body, err := f.fetch(ctx, webFingerURL(local, domain, f.port))
	if err != nil {
		return "", err
	}
	return issuerIn(body)
}

// webFingerURL returns the URL to ask (RFC 7033 section 4.1).
func webFingerURL(local, domain, port string) *url.URL {
	// RFC 7565 section 4: what is not allowed in the userpart is
	// percent-encoded. The query encodes all of it once more.
	query := url.Values{
		"resource": {"acct:" + url.PathEscape(local) + "@" + domain},
		"rel":      {issuerRel},
	}
	return &url.URL{
		Scheme: "https", Host: domain + port, Path: "/.well-known/webfinger", RawQuery: query.Encode(),
	}
}

// fetch gets a JSON Resource Descriptor.
func (f *Finder) fetch(ctx context.Context, from *url.URL) ([]byte, error) {
	r := &http.Request{Method: http.MethodGet, URL: from, Header: http.Header{
		"Accept": {"application/jrd+json, application/json;q=0.9"},
	}}
	resp, err := f.client.Do(r.WithContext(ctx))
	if err != nil {
		return nil, lookupError(ctx, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode >= 500:
		return nil, authcode.NewError(authcode.Unreachable, "webfinger.status",
			"the WebFinger server of the domain is busy or broken: try again later", nil)
	// 404 is what most domains answer, and a page is what some do.
	case resp.StatusCode != http.StatusOK:
		return nil, errNoIssuer()
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxJRD+1))
	// net/http can report a clean end of a body that the deadline cut off.
	if err != nil || ctx.Err() != nil {
		return nil, lookupError(ctx, err)
	}
	if len(body) > maxJRD {
		return nil, authcode.NewError(authcode.BadAnswer, "webfinger.size",
			"the WebFinger answer has more than 64 KiB: report it to the owner of the domain", nil)
	}
	return body, nil
}

// lookupError classifies an error that ended a lookup. It drops the text of err,
// which has the person's address in it.
func lookupError(ctx context.Context, err error) error {
	var own *authcode.Error
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return authcode.NewError(authcode.Canceled, "webfinger.canceled",
			"the caller gave up before the domain answered: nothing to do", nil)
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return authcode.NewError(authcode.Timeout, "webfinger.timeout",
			"the domain's WebFinger server did not answer in time: try again later", nil)
	case errors.As(err, &own) && own != nil:
		return own
	case errors.Is(err, errRedirect):
		return authcode.NewError(authcode.BadAnswer, "webfinger.redirect", "the domain's WebFinger "+
			"server redirects to http, or too often: report it to the owner of the domain", nil)
	}
	return authcode.NewError(authcode.Unreachable, "webfinger.unreachable",
		"the domain's WebFinger server could not be reached", err)
}

func errNoIssuer() error {
	return authcode.NewError(authcode.Unsupported, "webfinger.missing", "the domain names no "+
		"issuer for this address: offer another way to sign in", nil)
}

// issuerIn returns the issuer in a JSON Resource Descriptor (RFC 7033 section
// 4.4).
func issuerIn(body []byte) (string, error) {
	jrd, _ := wire.ParseObject(body) // empty if it is a page, from a server that knows no WebFinger
	var links []wire.Raw
	if raw := jrd["links"]; raw != "" {
		json.Unmarshal([]byte(raw), &links) // stays empty if it is not a list
	}
	for _, raw := range links {
		link, _ := wire.ParseObject([]byte(raw)) // empty if it is not an object
		rel, _ := link.Text("rel")
		if rel != issuerRel {
			continue
		}
		// RFC 7033 section 4.4.4: links are in the order of preference. Another
		// one must not win because the first is malformed.
		href, _ := link.Text("href") // empty if it is not a text
		if !isIssuer(href) {
			return "", authcode.NewError(authcode.BadAnswer, "webfinger.issuer", "the issuer that "+
				"the domain names is not an https URL: report it to the owner of the domain", nil)
		}
		return href, nil
	}
	return "", errNoIssuer()
}

// isIssuer reports whether s can be an issuer (OpenID Connect Discovery section
// 2): https, without query and fragment.
func isIssuer(s string) bool {
	return len(s) <= 2000 && strings.HasPrefix(s, "https://") && !strings.Contains(s, "?") &&
		len(urls.Check("", s)) == 0
}
