package tenants_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/tenants"
)

// finderOver asks the sites of n by a transport that change has changed.
func finderOver(t *testing.T, n *internet, change func(*http.Transport)) *tenants.Finder {
	t.Helper()
	base := n.base()
	change(base)
	f, err := tenants.NewFinder(tenants.FinderConfig{Transport: base, Guard: n.guard()})
	if err != nil {
		t.Fatal(err)
	}
	f.SetPort(strconv.Itoa(int(n.port)))
	return f
}

func onlyHTTP1(t *http.Transport) {
	t.TLSNextProto = make(map[string]func(string, *tls.Conn) http.RoundTripper)
}

// TestAnswersThatAreCutOff: an answer that breaks off names nobody, even if what has
// arrived is complete by itself.
func TestAnswersThatAreCutOff(t *testing.T) {
	n := newInternet(t)
	n.public.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, links(issuerLink))
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	for protocol, change := range map[string]func(*http.Transport){
		"HTTP/1": onlyHTTP1, "HTTP/2": func(*http.Transport) {},
	} {
		issuer, err := finderOver(t, n, change).Find(t.Context(), "joe@op.test")
		if issuer != "" {
			t.Errorf("%s: it found %s", protocol, issuer)
		}
		wantError(t, err, authcode.Unreachable, "webfinger.unreachable")
	}
}

// TestLookupsThatEndWithTheAnswer: a lookup whose context ends just when the answer
// does has failed: net/http may have taken what was cut off for the end.
func TestLookupsThatEndWithTheAnswer(t *testing.T) {
	n := newInternet(t)
	n.public.handler = answering(http.StatusOK, links(issuerLink))
	for _, row := range []struct {
		reason authcode.Reason
		check  string
		within time.Duration
	}{
		{authcode.Canceled, "webfinger.canceled", time.Hour},
		{authcode.Timeout, "webfinger.timeout", 300 * time.Millisecond},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), row.within)
		defer cancel()
		var lookup context.Context
		f := finderOver(t, n, func(t *http.Transport) {
			onlyHTTP1(t)
			t.Proxy = func(r *http.Request) (*url.URL, error) { lookup = r.Context(); return nil, nil }
		})
		// net/http calls it when it has read the answer, and before the reader
		// learns that.
		traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{PutIdleConn: func(error) {
			if row.reason == authcode.Canceled {
				cancel()
			}
			<-lookup.Done()
		}})
		_, err := f.Find(traced, "joe@op.test")
		wantError(t, err, row.reason, row.check)
	}
}

// TestLookupsThatTheTransportEnds: a timeout of the app's Transport is one, too.
func TestLookupsThatTheTransportEnds(t *testing.T) {
	n := newInternet(t)
	release := make(chan struct{})
	defer close(release)
	n.public.handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release })
	f := finderOver(t, n, func(t *http.Transport) { t.ResponseHeaderTimeout = 20 * time.Millisecond })
	_, err := f.Find(t.Context(), "joe@op.test")
	wantError(t, err, authcode.Timeout, "webfinger.timeout")
}
