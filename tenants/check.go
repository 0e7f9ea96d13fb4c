package tenants

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// Report is what [Check] found: at least one Finding for each Subject that
// could be looked at, in the order of the subjects.
type Report []Finding

// Usable reports whether no Finding is a Fault: people can probably sign in.
func (r Report) Usable() bool {
	return !slices.ContainsFunc(r, func(f Finding) bool { return f.Level == Fault })
}

// Finding is one fact about a tenant's configuration and its provider.
type Finding struct {
	// Subject is "config" (what authcode.New says of it), "issuer" (the metadata
	// is there and names this issuer), "endpoints" (they answer, at addresses
	// that the Guard permits), "algorithms" (of ID tokens, and the keys for
	// them), "pkce" (RFC 7636), "par" (RFC 9126) or "iss" (RFC 9207).
	Subject string
	Level   Level
	Check   string // of the error that a login would end with; may be empty
	Text    string // for the admin; has no secret and no words of the provider
}

// Level says what a [Finding] means.
type Level string

// The levels.
const (
	Good  Level = "good"  // nothing to do
	Note  Level = "note"  // logins work, and the admin should know
	Fault Level = "fault" // logins fail
)

// checkTimeout bounds a whole check. An admin waits for it.
const checkTimeout = 30 * time.Second

// Check tries a tenant's configuration out before an admin page saves it. It
// makes a Client of cfg, with cfg.Transport guarded by g, and uses that as a
// login would: it loads the metadata and the keys, and sends a GET without any
// credential to each endpoint. So what it refuses, a login refuses, too, for the
// same reason. It cannot see whether the provider accepts the client ID and the
// secret, nor the redirect URL: only a login shows that.
//
// RedirectURL and CookieKeys may be empty. Check takes 30 seconds at most.
func Check(ctx context.Context, cfg authcode.Config, g Guard) Report {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	c := &checker{}
	via, err := PublicOnly(cfg.Transport, g)
	if err != nil {
		c.fault("config", err)
		return c.report
	}
	defer via.CloseIdleConnections()
	cfg.Transport, cfg.Wrap = via, c.watch(cfg.Wrap)
	// The registry has keys of its own.
	if cfg.RedirectURL != "" && len(cfg.CookieKeys) == 0 {
		key := make([]byte, 32)
		rand.Read(key) // never fails
		cfg.CookieKeys = [][]byte{key}
	}
	client, err := authcode.New(cfg)
	if err != nil {
		c.fault("config", err)
		return c.report
	}
	c.add("config", Good, "", "the configuration is complete")
	if c.conn, err = client.Connection(ctx); err != nil {
		c.fault(subjectOf(err), err)
		return c.report
	}
	if cfg.Provider.Metadata == nil {
		c.add("issuer", Note, "", "the endpoints stand in the configuration: no metadata was loaded")
	} else {
		c.add("issuer", Good, "", "the provider answers, and is the one that was named")
	}
	c.document = c.lastAnswer()
	c.checkEndpoints(ctx)
	c.checkAlgorithms(ctx)
	c.checkPromises()
	return c.report
}

// checker makes one Report.
type checker struct {
	report   Report
	conn     *authcode.Connection
	document wire.Object // the metadata; empty if there was none

	mu   sync.Mutex
	last *bytes.Buffer // the body of the last answer
}

func (c *checker) add(s string, l Level, check, text string) {
	c.report = append(c.report, Finding{s, l, check, text})
}

// fault adds an error of package authcode.
func (c *checker) fault(s string, err error) {
	var e *authcode.Error
	if !errors.As(err, &e) || e == nil {
		e = authcode.NewError(authcode.Unreachable, "check.foreign",
			"a function of the Config failed with an error of its own: see that function", err)
	}
	if len(e.Faults) == 0 {
		c.add(s, Fault, e.Check, textOf(e))
	}
	for _, text := range e.Faults {
		c.add(s, Fault, e.Check, text)
	}
}

// textOf returns the words of e for an admin.
func textOf(e *authcode.Error) string {
	// The error names the URL that it leads to, which the provider has chosen.
	if e.Check == "discovery.redirect" {
		return "the metadata is behind a redirect, which is never followed: use the issuer that the " +
			"provider's own metadata has"
	}
	// The admin needs the words alone. Reason and Check are for operators.
	_, text, found := strings.Cut(e.Error(), " ("+e.Check+"): ")
	if !found {
		text = e.Error()
	}
	return text
}

// subjectOf says which subject an error of the metadata belongs to.
func subjectOf(err error) string {
	e, _ := errors.AsType[*authcode.Error](err) // as every error of a Client
	switch e.Check {
	case "discovery.pkce":
		return "pkce"
	case "discovery.endpoints", "metadata.endpoints":
		return "endpoints"
	}
	return "issuer"
}

// watch returns a Config.Wrap that keeps the answers, in addition to wrap.
func (c *checker) watch(
	wrap func(http.RoundTripper) http.RoundTripper,
) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		if wrap != nil {
			if next = wrap(next); next == nil {
				return nil // New says what is wrong
			}
		}
		return &watched{next, c}
	}
}

// lastAnswer returns the last answer, or nothing if it is not a JSON object.
func (c *checker) lastAnswer() wire.Object {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		return nil
	}
	doc, _ := wire.ParseObject(c.last.Bytes())
	return doc
}

// watched is a RoundTripper whose answers a checker keeps.
type watched struct {
	next http.RoundTripper
	c    *checker
}

// RoundTrip implements [http.RoundTripper].
func (w *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(r)
	if resp == nil || resp.Body == nil {
		return resp, err
	}
	body := &watchedBody{ReadCloser: resp.Body}
	resp.Body = body
	w.c.mu.Lock()
	w.c.last = &body.kept
	w.c.mu.Unlock()
	return resp, nil
}

// watchedBody keeps what is read from it, which the reader bounds.
type watchedBody struct {
	io.ReadCloser
	kept bytes.Buffer
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.kept.Write(p[:n])
	return n, err
}
