package otelauthcode_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/otelauthcode"
	"example.com/authcode/test/world"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"
)

// watched is a site whose logins are recorded.
func watched(t *testing.T, o *telemetry, changes ...func(*authcode.Config)) *site {
	return newSite(t, func(cfg *authcode.Config) {
		for _, change := range changes {
			change(cfg)
		}
		if err := otelauthcode.Instrument(o.Config, cfg, nil, nil); err != nil {
			t.Fatal(err)
		}
	})
}

// TestLogin: the spans of a login nest, and its metrics have no error.
func TestLogin(t *testing.T) {
	o := newTelemetry()
	s := watched(t, o)
	if status := s.signIn(t); status != 200 {
		t.Fatal(status)
	}
	o.wantSpans(t,
		"discovery in start: provider.name=authtest Unset",
		"start: provider.name=authtest Unset",
		"token_request in callback: provider.name=authtest Unset",
		"jwks in callback: provider.name=authtest Unset",
		"callback: provider.name=authtest Unset")
	if _, err := s.client.Refresh(t.Context(), s.login.Token); err != nil {
		t.Fatal(err)
	}
	o.wantSpans(t,
		"token_request in renewal: provider.name=authtest Unset",
		"renewal: provider.name=authtest Unset")
	o.want(t, "authcode.logins", "provider.name=authtest 1")
	o.want(t, "authcode.operation.duration",
		"operation.name=callback provider.name=authtest 1",
		"operation.name=discovery provider.name=authtest 1",
		"operation.name=jwks provider.name=authtest 1",
		"operation.name=renewal provider.name=authtest 1",
		"operation.name=start provider.name=authtest 1",
		"operation.name=token_request provider.name=authtest 2")
}

// TestFailures: a failure has its Reason and, in the trace, its Check.
func TestFailures(t *testing.T) {
	o := newTelemetry()
	s := watched(t, o)
	s.idp.SetFaults(authtest.Down())
	s.signIn(t)
	o.wantSpans(t,
		"discovery in start: check=discovery.unreachable provider.name=authtest error.type=unreachable Error",
		"start: check=discovery.unreachable provider.name=authtest error.type=unreachable Error")
	s.idp.SetFaults(authtest.LoginError("access_denied"))
	s = watched(t, o)
	s.idp.SetFaults(authtest.LoginError("access_denied"))
	s.signIn(t)
	s.idp.SetFaults(authtest.CodeRefused())
	s.signIn(t)
	o.spans.Reset()
	resp, err := s.browser().Get(s.URL + "/callback?code=c&state=made-up")
	if err != nil || resp.StatusCode != 400 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	o.wantSpans(t, "callback: check=state.form provider.name=authtest error.type=forged Error")
	o.want(t, "authcode.logins",
		"provider.name=authtest error.type=denied 1",
		"provider.name=authtest error.type=forged 1",
		"provider.name=authtest error.type=grant_rejected 1",
		"provider.name=authtest error.type=unreachable 1")
}

// TestFormPost: the two requests of a form_post login are one login, and a
// prefetch is none.
func TestFormPost(t *testing.T) {
	o := newTelemetry()
	s := watched(t, o, func(cfg *authcode.Config) { cfg.Provider.FormPost = true })
	if status := s.signIn(t); status != 200 {
		t.Fatal(status)
	}
	r, _ := http.NewRequest("GET", s.URL+"/login", nil)
	r.Header.Set("Sec-Purpose", "prefetch")
	resp, err := s.browser().Do(r)
	if err != nil || resp.StatusCode != 204 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	o.want(t, "authcode.logins", "provider.name=authtest 1")
	if got := o.series(t, "authcode.operation.duration"); !slices.Contains(got, "operation.name=callback provider.name=authtest 2") {
		t.Errorf("got %q", got)
	}
	if spans := fmt.Sprint(o.spans.GetSpans()); strings.Contains(spans, "error.type") {
		t.Error("a request of form_post is taken for a failure")
	}
}

// TestContextReachesProvider: each request to the provider has the span of its
// operation in its context, inside the span of the page that asked.
func TestContextReachesProvider(t *testing.T) {
	o := newTelemetry()
	var spans []trace.SpanContext
	s := watched(t, o, func(cfg *authcode.Config) {
		former := cfg.Wrap
		cfg.Wrap = func(rt http.RoundTripper) http.RoundTripper {
			if former != nil {
				rt = former(rt)
			}
			return world.RoundTrip(func(r *http.Request) (*http.Response, error) {
				spans = append(spans, trace.SpanContextFromContext(r.Context()))
				return rt.RoundTrip(r)
			})
		}
	})
	if status := s.signIn(t); status != 200 {
		t.Fatal(status)
	}
	var names []string
	for _, seen := range spans {
		for _, span := range o.spans.GetSpans() {
			if span.SpanContext.Equal(seen) {
				names = append(names, span.Name)
			}
		}
	}
	if want := []string{"authcode.discovery", "authcode.token_request", "authcode.jwks"}; !slices.Equal(names, want) {
		t.Errorf("the requests belong to %q, want %q", names, want)
	}
	ctx, page := o.TracerProvider.Tracer("app").Start(t.Context(), "page")
	s.client.Refresh(ctx, s.login.Token)
	for _, span := range o.spans.GetSpans() {
		if span.Name == "authcode.renewal" && span.Parent.SpanID() != page.SpanContext().SpanID() {
			t.Error("the renewal is not a part of the page")
		}
	}
}

// TestFormerHook: a hook that was set before is called for each operation, and
// its context is kept.
func TestFormerHook(t *testing.T) {
	type key struct{}
	o := newTelemetry()
	var began, ended, nested int
	s := watched(t, o, func(cfg *authcode.Config) {
		cfg.Observe = func(ctx context.Context, op authcode.Operation) (context.Context, func(*authcode.Error)) {
			began++
			if ctx.Value(key{}) != nil {
				nested++
			}
			if op.Kind == authcode.KindJWKS {
				return nil, nil
			}
			return context.WithValue(ctx, key{}, true), func(*authcode.Error) { ended++ }
		}
	})
	s.signIn(t)
	if began != 5 || ended != 4 || nested != 3 {
		t.Errorf("the former hook saw %d operations, %d ends and %d inside others", began, ended, nested)
	}
	o.want(t, "authcode.logins", "provider.name=authtest 1")
}

// TestGlobalProviders: without providers, those of package otel record.
func TestGlobalProviders(t *testing.T) {
	o := newTelemetry()
	tracers, meters := otel.GetTracerProvider(), otel.GetMeterProvider()
	t.Cleanup(func() {
		otel.SetTracerProvider(tracers)
		otel.SetMeterProvider(meters)
	})
	otel.SetTracerProvider(o.TracerProvider)
	otel.SetMeterProvider(o.MeterProvider)
	watched(t, &telemetry{}).signIn(t)
	o.want(t, "authcode.logins", "provider.name=authtest 1")
	if len(o.spans.GetSpans()) != 5 {
		t.Errorf("got %d spans", len(o.spans.GetSpans()))
	}
}

// TestNames: names and units follow OpenTelemetry's rules: units in braces for
// what is counted, seconds for time, and no "total".
func TestNames(t *testing.T) {
	o := newTelemetry()
	recordEverything(t, o)
	units := map[string]string{}
	for _, m := range o.collect(t) {
		units[m.Name] = m.Unit
		if sum, ok := m.Data.(metricdata.Sum[int64]); ok && !sum.IsMonotonic {
			t.Errorf("%s is not monotonic", m.Name)
		}
	}
	got, _ := json.Marshal(units)
	const want = `{"authcode.grant.renewal.outcomes":"{outcome}","authcode.logins":"{login}",` +
		`"authcode.operation.duration":"s","authcode.session.events":"{event}"}`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestTenant: its key is in spans, as valid UTF-8, and in no metric.
func TestTenant(t *testing.T) {
	o := newTelemetry()
	var cfg authcode.Config
	if err := otelauthcode.Instrument(o.Config, &cfg, nil, nil); err != nil {
		t.Fatal(err)
	}
	_, end := cfg.Observe(t.Context(), authcode.Operation{Kind: authcode.KindCallback, Provider: "x", Tenant: "ac\xffme"})
	end(nil)
	o.wantSpans(t, "callback: provider.name=x tenant.key=ac?me Unset")
	o.want(t, "authcode.logins", "provider.name=x 1")
	o.want(t, "authcode.operation.duration", "operation.name=callback provider.name=x 1")
}
