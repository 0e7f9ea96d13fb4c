package otelauthcode_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/grant"
	"example.com/authcode/otelauthcode"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// TestEvents: events of grants and sessions are counted, also those whose
// request has gone, and hooks that were set before are called.
func TestEvents(t *testing.T) {
	o := newTelemetry()
	var seen []any
	grants := grant.Config{Observe: func(_ context.Context, e grant.Event) { seen = append(seen, e) }}
	sessions := session.Config{
		Observe:  func(_ context.Context, e session.Event) { seen = append(seen, e) },
		Renewals: func(_ context.Context, e grant.Event) { seen = append(seen, e) },
	}
	if err := otelauthcode.Instrument(o.Config, nil, &grants, &sessions); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	refused := authcode.NewError(authcode.GrantRejected, "answer.error", "refused", nil)
	grants.Observe(ctx, grant.Event{Outcome: grant.Renewed, Provider: "x"})
	sessions.Renewals(ctx, grant.Event{Outcome: grant.Refused, Provider: "x", Err: refused})
	sessions.Renewals(ctx, grant.Event{Outcome: grant.SaveFailed, Provider: "x", Err: errors.New("disk full")})
	sessions.Observe(ctx, session.Event{Kind: session.SignedIn, Provider: "x"})
	sessions.Observe(ctx, session.Event{Kind: session.Ended, Why: session.BySignOut, Provider: "x"})
	sessions.Observe(ctx, session.Event{Kind: session.Refused, Provider: "x", Err: fmt.Errorf("app: %w", refused)})
	sessions.Observe(ctx, session.Event{Kind: session.Failed, Err: &authcode.Error{}})
	o.want(t, "authcode.grant.renewal.outcomes",
		"grant.renewal.outcome=refused provider.name=x error.type=grant_rejected 1",
		"grant.renewal.outcome=renewed provider.name=x 1",
		"grant.renewal.outcome=save_failed provider.name=x error.type=_OTHER 1")
	o.want(t, "authcode.session.events",
		"provider.name=x session.end.reason=sign_out session.event=ended 1",
		"provider.name=x session.event=refused error.type=grant_rejected 1",
		"provider.name=x session.event=signed_in 1",
		"session.event=failed error.type=_OTHER 1")
	if len(seen) != 7 {
		t.Errorf("the hooks that were set before saw %d events", len(seen))
	}
	// Without hooks that were set before, there is nobody to call.
	grants, sessions = grant.Config{}, session.Config{}
	otelauthcode.Instrument(o.Config, nil, &grants, &sessions)
	grants.Observe(ctx, grant.Event{})
	sessions.Observe(ctx, session.Event{})
	sessions.Renewals(ctx, grant.Event{})
}

// recordEverything has each instrument record something, with canaries wherever
// a stranger, a provider or the app may put something.
func recordEverything(t *testing.T, o *telemetry) (secrets []string) {
	s := watched(t, o, func(cfg *authcode.Config) {
		cfg.ClientAuth = authcode.Secret("canary-client-secret")
	})
	s.signIn(t) // the secret is wrong
	s = watched(t, o)
	s.signIn(t)
	s.client.Refresh(t.Context(), s.login.Token)
	s.idp.SetFaults(authtest.RefreshRefused())
	s.client.Refresh(t.Context(), s.login.Token)
	for _, query := range []string{
		"error=canary-code&error_description=canary-words&state=canary-state",
		"code=canary-code&state=canary-state&iss=canary-iss", "code=canary-code&code=canary-words",
	} {
		resp, err := s.browser().Get(s.URL + "/callback?" + query)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	sayNo(t, s)
	var grants grant.Config
	var sessions session.Config
	otelauthcode.Instrument(o.Config, nil, &grants, &sessions)
	leak := errors.New("canary-error")
	grants.Observe(t.Context(), grant.Event{Outcome: grant.SaveFailed, Err: leak})
	sessions.Observe(t.Context(), session.Event{Kind: session.Refused, Err: leak})
	own := authcode.NewError(authcode.NotAdmitted, "own.check", "refused", leak)
	own.ServerError, own.ServerDescription = "canary-code", "canary-words"
	sessions.Observe(t.Context(), session.Event{Kind: session.Refused, Err: own})
	return append(s.idp.Secrets(), "canary", s.idp.Config().ClientID, "alice")
}

// sayNo ends a login with the words of a provider.
func sayNo(t *testing.T, s *site) {
	browser := s.browser()
	r, err := s.idp.Callback(browser, s.URL+"/login")
	if err != nil {
		t.Fatal(err)
	}
	query := r.URL.Query()
	query.Del("code")
	query.Set("error", "canary-code")
	query.Set("error_description", "canary-words")
	r.URL.RawQuery = query.Encode()
	resp, err := browser.Do(r)
	if err != nil || resp.StatusCode != 403 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
}

// TestNoSecret: neither spans nor metrics have a secret, words of a stranger, or
// who signed in.
func TestNoSecret(t *testing.T) {
	o := newTelemetry()
	secrets := recordEverything(t, o)
	if len(secrets) < 8 {
		t.Fatalf("the provider gave out only %d secrets", len(secrets)-3)
	}
	spans := o.spans.GetSpans()
	if len(spans) < 12 {
		t.Fatalf("only %d spans", len(spans))
	}
	world.WantNoSecret(t, "the spans", fmt.Sprintf("%+v", spans.Snapshots())+fmt.Sprintf("%+v", spans), secrets...)
	world.WantNoSecret(t, "the metrics", fmt.Sprintf("%+v", o.collect(t)), secrets...)
}

// refusing is a MeterProvider whose instruments cannot be made.
type refusing struct{ noop.MeterProvider }

type refusingMeter struct{ noop.Meter }

func (refusing) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{} }

func (refusingMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, errors.New("no counters")
}

// TestRefusedInstrument: if an instrument is refused, no Config changes.
func TestRefusedInstrument(t *testing.T) {
	var login authcode.Config
	var grants grant.Config
	var sessions session.Config
	err := otelauthcode.Instrument(otelauthcode.Config{MeterProvider: refusing{}}, &login, &grants, &sessions)
	if err == nil || login.Observe != nil || grants.Observe != nil || sessions.Observe != nil || sessions.Renewals != nil {
		t.Errorf("got %v", err)
	}
}
