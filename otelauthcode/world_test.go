package otelauthcode_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/otelauthcode"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// TestMain keeps the lines of refused logins out of the output.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// telemetry keeps in memory what was recorded.
type telemetry struct {
	otelauthcode.Config
	reader *metric.ManualReader
	spans  *tracetest.InMemoryExporter
}

func newTelemetry() *telemetry {
	o := &telemetry{reader: metric.NewManualReader(), spans: tracetest.NewInMemoryExporter()}
	o.MeterProvider = metric.NewMeterProvider(metric.WithReader(o.reader))
	o.TracerProvider = trace.NewTracerProvider(trace.WithSyncer(o.spans))
	return o
}

// collect returns all metrics so far.
func (o *telemetry) collect(t *testing.T) []metricdata.Metrics {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := o.reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	if len(data.ScopeMetrics) != 1 || data.ScopeMetrics[0].Scope.Name != "example.com/authcode/otelauthcode" {
		t.Fatalf("got %+v", data.ScopeMetrics)
	}
	return data.ScopeMetrics[0].Metrics
}

// series returns the series of a metric, each as its attributes and its value, or
// its count if it is a histogram.
func (o *telemetry) series(t *testing.T, name string) (lines []string) {
	t.Helper()
	for _, m := range o.collect(t) {
		if m.Name != name {
			continue
		}
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				lines = append(lines, fmt.Sprint(text(p.Attributes), " ", p.Value))
			}
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				lines = append(lines, fmt.Sprint(text(p.Attributes), " ", p.Count))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func (o *telemetry) want(t *testing.T, name string, want ...string) {
	t.Helper()
	if got := o.series(t, name); !slices.Equal(got, want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// text is the attributes without their common prefix.
func text(set attribute.Set) string {
	var pairs []string
	for _, kv := range set.ToSlice() {
		pairs = append(pairs, strings.TrimPrefix(string(kv.Key), "authcode.")+"="+kv.Value.AsString())
	}
	return strings.Join(pairs, " ")
}

// wantSpans checks the spans since the last call, each as its name, the name of
// its parent, its attributes and its status.
func (o *telemetry) wantSpans(t *testing.T, want ...string) {
	t.Helper()
	names := map[string]string{}
	for _, s := range o.spans.GetSpans() {
		names[s.SpanContext.SpanID().String()] = s.Name
	}
	var got []string
	for _, s := range o.spans.GetSpans() {
		line := strings.TrimPrefix(s.Name, "authcode.")
		if parent := names[s.Parent.SpanID().String()]; parent != "" {
			line += " in " + strings.TrimPrefix(parent, "authcode.")
		}
		line += ": " + text(attribute.NewSet(s.Attributes...))
		got = append(got, line+" "+s.Status.Code.String())
	}
	o.spans.Reset()
	if !slices.Equal(got, want) {
		t.Errorf("the spans are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// site is an app that signs people in at a provider for tests.
type site struct {
	URL    string
	idp    *authtest.Server
	client *authcode.Client
	server *httptest.Server
	login  *authcode.Login // the last one
}

func newSite(t *testing.T, change func(*authcode.Config)) *site {
	mux := http.NewServeMux()
	s := &site{server: httptest.NewTLSServer(mux)}
	t.Cleanup(s.server.Close)
	s.URL = s.server.URL
	s.idp = authtest.NewServer(s.URL + "/callback")
	t.Cleanup(s.idp.Close)
	cfg := s.idp.Config()
	cfg.LoginURL = "/login"
	change(&cfg)
	var err error
	if s.client, err = authcode.New(cfg); err != nil {
		t.Fatal(err)
	}
	s.client.Mount(mux, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s.login, _ = authcode.FromContext(r.Context())
	}))
	return s
}

// browser is a new one.
func (s *site) browser() *http.Client {
	b := *s.server.Client()
	b.Jar, _ = cookiejar.New(nil)
	return &b
}

// signIn takes a person through a login, and returns the status at its end.
func (s *site) signIn(t *testing.T) int {
	t.Helper()
	resp, err := s.idp.SignIn(s.browser(), s.URL+"/login")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
