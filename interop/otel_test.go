package interop

import (
	"fmt"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	otelattribute "go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

const metricsPage = "../docs/metrics.md"

// TestOpenTelemetry: a reader of OpenTelemetry's SDK sees the logins, renewals and sessions of an app.
func TestOpenTelemetry(t *testing.T) {
	a := newOtelApp(t)
	a.live(t)
	want := strings.Split(strings.TrimSpace(`
authcode.grant.renewal.outcomes grant.renewal.outcome=refused provider.name=authtest error.type=grant_rejected: 1
authcode.grant.renewal.outcomes grant.renewal.outcome=renewed provider.name=authtest: 1
authcode.logins provider.name=authtest error.type=denied: 1
authcode.logins provider.name=authtest error.type=unreachable: 1
authcode.logins provider.name=authtest: 2
authcode.operation.duration operation.name=callback provider.name=authtest error.type=denied: 1
authcode.operation.duration operation.name=callback provider.name=authtest error.type=unreachable: 1
authcode.operation.duration operation.name=callback provider.name=authtest: 2
authcode.operation.duration operation.name=discovery provider.name=authtest: 1
authcode.operation.duration operation.name=jwks provider.name=authtest: 1
authcode.operation.duration operation.name=renewal provider.name=authtest error.type=grant_rejected: 1
authcode.operation.duration operation.name=renewal provider.name=authtest: 1
authcode.operation.duration operation.name=start provider.name=authtest: 4
authcode.operation.duration operation.name=token_request provider.name=authtest error.type=grant_rejected: 1
authcode.operation.duration operation.name=token_request provider.name=authtest error.type=unreachable: 1
authcode.operation.duration operation.name=token_request provider.name=authtest: 3
authcode.session.events provider.name=authtest session.end.reason=grant session.event=ended: 1
authcode.session.events provider.name=authtest session.end.reason=sign_out session.event=ended: 1
authcode.session.events provider.name=authtest session.event=signed_in: 2`), "\n")
	if got := a.series(t); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	a.wantRenewalInTrace(t)
}

// wantRenewalInTrace: what a grant sends to the provider is in the trace of the renewal.
func (a *otelApp) wantRenewalInTrace(t *testing.T) {
	t.Helper()
	renewals := map[string]bool{}
	for _, s := range a.spans.GetSpans() {
		if s.Name == "authcode.renewal" {
			renewals[s.SpanContext.SpanID().String()] = true
		}
	}
	inside := 0
	for _, s := range a.spans.GetSpans() {
		if s.Name == "authcode.token_request" && renewals[s.Parent.SpanID().String()] {
			inside++
		}
	}
	if len(renewals) != 2 || inside != 2 {
		t.Errorf("%d renewals with %d requests, want two with one each", len(renewals), inside)
	}
}

// series are all series by name, each with its attributes and its value or count.
func (a *otelApp) series(t *testing.T) (lines []string) {
	var data metricdata.ResourceMetrics
	if err := a.reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	for _, m := range data.ScopeMetrics[0].Metrics {
		switch points := m.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range points.DataPoints {
				lines = append(lines, fmt.Sprint(m.Name, attributesOf(p.Attributes), ": ", p.Value))
			}
		case metricdata.Histogram[float64]:
			for _, p := range points.DataPoints {
				lines = append(lines, fmt.Sprint(m.Name, attributesOf(p.Attributes), ": ", p.Count))
				if p.Sum <= 0 {
					t.Errorf("%s took %g s", m.Name, p.Sum)
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func attributesOf(set otelattribute.Set) (text string) {
	for _, kv := range set.ToSlice() {
		text += " " + strings.TrimPrefix(string(kv.Key), "authcode.") + "=" + kv.Value.AsString()
	}
	return text
}

// TestMetricsPage: docs/metrics.md spells metrics and attributes as Prometheus and OpenTelemetry show them, and
// leaves none out.
func TestMetricsPage(t *testing.T) {
	a := newOtelApp(t)
	a.live(t)
	rec := httptest.NewRecorder()
	a.scrape.ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	scraped := rec.Body.String()
	page, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	queries := strings.Join(regexp.MustCompile("(?s)```promql\n.*?```").FindAllString(string(page), -1), "")
	names := regexp.MustCompile(`\b(authcode_\w+|error_type|le)\b`).FindAllString(queries, -1)
	if len(names) < 10 {
		t.Fatalf("the page's queries have only %q", names)
	}
	for _, name := range names {
		if !regexp.MustCompile(`(?m)^` + name + `[{ ]|[{,]` + name + `="`).MatchString(scraped) {
			t.Errorf("the page has %s, which Prometheus does not see", name)
		}
	}
	for _, value := range regexp.MustCompile(`\w+(?:=~?|!~)"\|?([a-z_|]+)"`).FindAllStringSubmatch(queries, -1) {
		for _, one := range strings.Split(value[1], "|") {
			if known := regexp.MustCompile("`" + one + "`").Match(page); !known {
				t.Errorf("a query asks for %s, which no table of the page has", one)
			}
		}
	}
	for _, line := range a.series(t) {
		for _, name := range regexp.MustCompile(`^\S+|\S+=`).FindAllString(line, -1) {
			if name = strings.TrimSuffix(name, "="); !strings.Contains(string(page), name+"`") {
				t.Errorf("the page lacks %s", name)
			}
		}
	}
	if t.Failed() {
		t.Log(scraped)
	}
}
