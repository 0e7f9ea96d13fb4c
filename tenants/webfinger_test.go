package tenants_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/tenants"
)

const issuerLink = `{"rel":"http://openid.net/specs/connect/1.0/issuer","href":"https://id.op.test/realm"}`

// newFinder asks the sites of n.
func newFinder(t *testing.T, n *internet, known func(context.Context, string) (string, error)) *tenants.Finder {
	t.Helper()
	f, err := tenants.NewFinder(tenants.FinderConfig{Known: known, Transport: n.base(), Guard: n.guard()})
	if err != nil {
		t.Fatal(err)
	}
	f.SetPort(strconv.Itoa(int(n.port)))
	return f
}

// answering answers with a text.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// TestFind: the domain of the address is asked as OpenID Connect Discovery section 2 says.
func TestFind(t *testing.T) {
	n := newInternet(t)
	for address, resource := range map[string]string{
		"joe@op.test":             "acct%3Ajoe%40op.test",
		"acct:joe@op.test":        "acct%3Ajoe%40op.test",
		"ACCT:Joe@OP.test":        "acct%3AJoe%40op.test",
		" joe.o+tag@op.test\n":    "acct%3Ajoe.o%2Btag%40op.test",
		"joe/?#&rel=x%00@op.test": "acct%3Ajoe%252F%253F%2523%26rel%3Dx%252500%40op.test",
	} {
		var asked *http.Request
		n.public.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r
			io.WriteString(w, `{"subject":"acct:joe@op.test","links":[`+issuerLink+`]}`)
		})
		issuer, err := newFinder(t, n, nil).Find(t.Context(), address)
		if err != nil || issuer != "https://id.op.test/realm" {
			t.Fatalf("%s: %q, %v", address, issuer, err)
		}
		want := "/.well-known/webfinger?rel=http%3A%2F%2Fopenid.net%2Fspecs%2Fconnect%2F1.0%2Fissuer&resource=" + resource
		if asked.URL.String() != want || asked.Header.Get("Cookie") != "" ||
			!strings.HasPrefix(asked.Header.Get("Accept"), "application/jrd+json") {
			t.Errorf("it was asked %s with %v, want %s", asked.URL, asked.Header, want)
		}
	}
}

func links(links string) string { return `{"links":[` + links + `]}` }

func href(href string) string {
	return links(strings.Replace(issuerLink, "https://id.op.test/realm", href, 1))
}

var answerRows = []struct {
	claim  string
	status int
	body   string
	reason authcode.Reason // none: it is found
	check  string
}{
	{"other links are passed over", 200, links(`{"rel":"x","href":"https://x.test"},7,` + issuerLink), "", ""},
	{"the first of two is preferred", 200, links(issuerLink + `,{"rel":"http://openid.net/specs/connect/1.0/issuer","href":"https://b.test"}`), "", ""},
	{"no links", 200, `{"subject":"acct:joe@op.test"}`, authcode.Unsupported, "webfinger.missing"},
	{"links that are not a list", 200, `{"links":{}}`, authcode.Unsupported, "webfinger.missing"},
	{"another rel", 200, links(`{"rel":"HTTP://openid.net/specs/connect/1.0/issuer","href":"https://x.test"}`), authcode.Unsupported, "webfinger.missing"},
	{"a page", 200, "<html>", authcode.Unsupported, "webfinger.missing"},
	{"two lists of links", 200, `{"links":[],"links":[` + issuerLink + `]}`, authcode.Unsupported, "webfinger.missing"},
	{"404", 404, links(issuerLink), authcode.Unsupported, "webfinger.missing"},
	{"403", 403, "", authcode.Unsupported, "webfinger.missing"},
	{"500", 500, "", authcode.Unreachable, "webfinger.status"},
	{"429", 429, "", authcode.Unreachable, "webfinger.status"},
	{"an http issuer", 200, href("http://id.op.test"), authcode.BadAnswer, "webfinger.issuer"},
	{"http on loopback", 200, href("http://localhost"), authcode.BadAnswer, "webfinger.issuer"},
	{"an issuer with a query", 200, href("https://id.op.test/?x"), authcode.BadAnswer, "webfinger.issuer"},
	{"an issuer with a fragment", 200, href("https://id.op.test/#x"), authcode.BadAnswer, "webfinger.issuer"},
	{"an issuer with a password", 200, href("https://a:b@id.op.test"), authcode.BadAnswer, "webfinger.issuer"},
	{"an issuer that is not a URL", 200, href("id.op.test"), authcode.BadAnswer, "webfinger.issuer"},
	{"an issuer of 3,000 bytes", 200, href("https://id.op.test/" + strings.Repeat("x", 3000)), authcode.BadAnswer, "webfinger.issuer"},
	{"no href", 200, links(`{"rel":"http://openid.net/specs/connect/1.0/issuer"}`), authcode.BadAnswer, "webfinger.issuer"},
	{"a malformed one before a good one", 200, links(`{"rel":"http://openid.net/specs/connect/1.0/issuer","href":7},` + issuerLink), authcode.BadAnswer, "webfinger.issuer"},
	{"64 KiB", 200, links(issuerLink) + strings.Repeat(" ", 64<<10-len(links(issuerLink))), "", ""},
	{"a byte more", 200, links(issuerLink) + strings.Repeat(" ", 64<<10+1-len(links(issuerLink))), authcode.BadAnswer, "webfinger.size"},
}

// TestAnswers: what a domain may answer.
func TestAnswers(t *testing.T) {
	n := newInternet(t)
	f := newFinder(t, n, nil)
	for _, row := range answerRows {
		t.Run(row.claim, func(t *testing.T) {
			n.public.handler = answering(row.status, row.body)
			issuer, err := f.Find(t.Context(), "joe@op.test")
			if row.reason != "" {
				wantError(t, err, row.reason, row.check)
			} else if err != nil || issuer != "https://id.op.test/realm" {
				t.Errorf("got %q, %v", issuer, err)
			}
		})
	}
}

// TestAnswersWithoutAnEnd: one is read up to its limit and no further.
func TestAnswersWithoutAnEnd(t *testing.T) {
	n := newInternet(t)
	n.public.handler = http.HandlerFunc(flood)
	_, err := newFinder(t, n, nil).Find(t.Context(), "joe@op.test")
	wantError(t, err, authcode.BadAnswer, "webfinger.size")
}

// TestRedirectedLookups: a redirect is followed to https only, and the next server does not learn the
// address from the Referer.
func TestRedirectedLookups(t *testing.T) {
	n := newInternet(t)
	f := newFinder(t, n, nil)
	for _, row := range []struct {
		claim, to string
		reason    authcode.Reason
		check     string
	}{
		{"another host is followed", n.url("www.op.test") + "/x", "", ""},
		{"http is not", "http://www.op.test/x", authcode.BadAnswer, "webfinger.redirect"},
		{"a circle ends", n.url("op.test") + "/again", authcode.BadAnswer, "webfinger.redirect"},
		{"a private name is refused", n.url("inner.test"), authcode.Configuration, "guard.address"},
		{"a metadata service is refused", n.url("169.254.169.254"), authcode.Configuration, "guard.address"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			n.dns.set("www.op.test", "127.0.0.2")
			n.public.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Referer") != "" {
					t.Errorf("the Referer is %s", r.Header.Get("Referer"))
				}
				if strings.HasPrefix(r.Host, "www.") {
					io.WriteString(w, `{"links":[`+issuerLink+`]}`)
					return
				}
				http.Redirect(w, r, row.to, http.StatusFound)
			})
			_, err := f.Find(t.Context(), "joe@op.test")
			if row.reason != "" {
				wantError(t, err, row.reason, row.check)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	if n.private.reached.Load() != 0 {
		t.Error("the private site was reached")
	}
}

// TestAddresses: what is not a plain address costs no lookup.
func TestAddresses(t *testing.T) {
	n := newInternet(t)
	f := newFinder(t, n, func(_ context.Context, domain string) (string, error) {
		t.Errorf("the app was asked about %q", domain)
		return "", nil
	})
	for _, address := range []string{
		"", "joe", "@op.test", "joe@", "joe@localhost", "joe@127.0.0.2", "joe@[127.0.0.2]", "joe@127.1", "joe@op.test:8443",
		"joe@op.test/x", "joe@op.test?x", "joe@op.test#x", "joe@op.test.", "joe@ann@op.test", `"joe"@op.test`,
		"https://op.test", "https://joe@op.test", "op.test", "=joe", "joe@bücher.test", "jöe@op.test", "joe@op.test, x@op.test",
		"joe@op .test", "joe@op.test\x00", "acct:", "acct:acct:joe@op.test", "mailto:joe@op.test",
		strings.Repeat("j", 250) + "@op.test", strings.Repeat("j", 64) + "@" + strings.Repeat("a.", 93) + "test", "joe@" + strings.Repeat("a.", 126) + "test",
	} {
		_, err := f.Find(t.Context(), address)
		wantError(t, err, authcode.Malformed, "webfinger.address")
	}
	if n.public.reached.Load() != 0 {
		t.Error("a request was sent")
	}
}

// TestKnownDomains: the app is asked first, and then nobody else.
func TestKnownDomains(t *testing.T) {
	n := newInternet(t)
	n.public.handler = answering(200, `{"links":[`+issuerLink+`]}`)
	down := errors.New("the database is down")
	f := newFinder(t, n, func(_ context.Context, domain string) (string, error) {
		switch domain {
		case "known.test":
			return "https://known.example", nil
		case "down.test":
			return "", down
		}
		return "", nil
	})
	if issuer, err := f.Find(t.Context(), "joe@KNOWN.test"); err != nil || issuer != "https://known.example" {
		t.Errorf("got %q, %v", issuer, err)
	}
	if _, err := f.Find(t.Context(), "joe@down.test"); err != down {
		t.Errorf("got %v", err)
	}
	if n.dns.lookups("known.test")+n.dns.lookups("down.test") != 0 {
		t.Error("the domain was asked, too")
	}
	if issuer, err := f.Find(t.Context(), "joe@op.test"); err != nil || issuer != "https://id.op.test/realm" {
		t.Errorf("got %q, %v", issuer, err)
	}
}

// TestLookupsThatHang: each has an end, and their number is bounded.
func TestLookupsThatHang(t *testing.T) {
	n := newInternet(t)
	release, arrived := make(chan struct{}), make(chan struct{}, 100)
	n.public.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	f := newFinder(t, n, nil)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	errs := make(chan error, 32)
	for range 32 {
		all.Go(func() {
			_, err := f.Find(ctx, "joe@op.test")
			errs <- err
		})
	}
	for range 32 {
		<-arrived
	}
	_, err := f.Find(t.Context(), "joe@other.test")
	wantError(t, err, authcode.Overloaded, "webfinger.busy")
	cancel()
	all.Wait()
	for range 32 {
		wantError(t, <-errs, authcode.Canceled, "webfinger.canceled")
	}
	late, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	_, err = f.Find(late, "joe@op.test")
	wantError(t, err, authcode.Timeout, "webfinger.timeout")
}

// TestPrivateDomains: the guard is the same, and the address stays out of the errors.
func TestPrivateDomains(t *testing.T) {
	n := newInternet(t)
	f := newFinder(t, n, nil)
	_, err := f.Find(t.Context(), "joe@inner.test")
	wantError(t, err, authcode.Configuration, "guard.address")
	n.dns.set("nowhere.test", "")
	_, err = f.Find(t.Context(), "joe@nowhere.test")
	wantError(t, err, authcode.Unreachable, "webfinger.unreachable")
	if strings.Contains(err.Error(), "joe") || n.private.reached.Load() != 0 {
		t.Errorf("%v, %d connections", err, n.private.reached.Load())
	}
	if _, err := tenants.NewFinder(tenants.FinderConfig{Guard: tenants.Guard{Ports: []uint16{}}}); err == nil {
		t.Error("a Guard with a fault is accepted")
	}
}
