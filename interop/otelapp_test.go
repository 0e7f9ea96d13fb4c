package interop

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/otelauthcode"
	"example.com/authcode/session"
	prometheusclient "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// otelApp is an app with sessions that is recorded: by a reader of OpenTelemetry's
// SDK, in spans, and as Prometheus sees it.
type otelApp struct {
	url     string
	idp     *authtest.Server
	reader  *metric.ManualReader
	spans   *tracetest.InMemoryExporter
	scrape  http.Handler
	browser *http.Client
}

func newOtelApp(t *testing.T) *otelApp {
	mux := http.NewServeMux()
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	a := &otelApp{url: front.URL, reader: metric.NewManualReader(), spans: tracetest.NewInMemoryExporter()}
	a.idp = authtest.NewServer(a.url + "/callback")
	t.Cleanup(a.idp.Close)
	registry := prometheusclient.NewRegistry()
	exporter, err := prometheus.New(prometheus.WithRegisterer(registry))
	if err != nil {
		t.Fatal(err)
	}
	a.scrape = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})

	cfg := a.idp.Config()
	cfg.LoginURL = "/login"
	sessionConfig := session.Config{Keys: [][]byte{newKey()}, LoginURL: "/login"}
	if err := otelauthcode.Instrument(otelauthcode.Config{
		TracerProvider: trace.NewTracerProvider(trace.WithSyncer(a.spans)),
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(a.reader), metric.WithReader(exporter)),
	}, &cfg, nil, &sessionConfig); err != nil {
		t.Fatal(err)
	}
	client, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := session.New(sessionConfig)
	if err != nil {
		t.Fatal(err)
	}
	client.Mount(mux, sessions.SignIn(client))
	mux.Handle("POST /logout", sessions.SignOut())
	mux.Handle("GET /renew", sessions.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := session.FromContext(r.Context()).Grant().Renew(r.Context(), nil)
		fmt.Fprint(w, err)
	})))
	a.newBrowser()
	return a
}

func (a *otelApp) newBrowser() {
	jar, _ := cookiejar.New(nil)
	a.browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// signIn takes a person through a login, which ends with this status.
func (a *otelApp) signIn(t *testing.T, status int) {
	t.Helper()
	resp, err := a.idp.SignIn(a.browser, a.url+"/login?next=/renew")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != status {
		t.Fatalf("the login ended with %d, want %d", resp.StatusCode, status)
	}
}

// open sends a request of the app's own pages, which answers with this status.
func (a *otelApp) open(t *testing.T, method, path string, status int) {
	t.Helper()
	r, _ := http.NewRequest(method, a.url+path, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := a.browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != status {
		t.Fatalf("%s %s answered %d, want %d", method, path, resp.StatusCode, status)
	}
}

// live has happen what docs/metrics.md has queries for.
func (a *otelApp) live(t *testing.T) {
	a.signIn(t, 303)
	a.open(t, "GET", "/renew", 200)
	a.open(t, "POST", "/logout", 303)
	a.newBrowser()
	a.signIn(t, 303)
	a.idp.SetFaults(authtest.RefreshRefused())
	a.open(t, "GET", "/renew", 200)
	a.newBrowser()
	a.idp.SetFaults(authtest.LoginError("access_denied"))
	a.signIn(t, 403)
	a.idp.SetFaults(authtest.Down())
	a.signIn(t, 502)
}
