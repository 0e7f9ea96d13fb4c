// Package otelauthcode tells OpenTelemetry what package authcode does: how
// logins and renewals of tokens go, how long the provider takes, and what
// happens to sessions.
//
//	err := otelauthcode.Instrument(otelauthcode.Config{}, &cfg, nil, &sessionConfig)
//	client, err := authcode.New(cfg)
//	sessions, err := session.New(sessionConfig)
//
// # Traces
//
// Each [authcode.Operation] is a span: authcode.start, authcode.callback and
// authcode.renewal, and inside them authcode.push, authcode.token_request,
// authcode.discovery and authcode.jwks. A failed one has the status Error,
// error.type with the [authcode.Reason], and authcode.check. Requests to the
// provider have the span in their context. To get a span for each request, too,
// wrap the transport:
//
//	cfg.Wrap = func(rt http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(rt) }
//
// # Metrics
//
//   - authcode.logins, a counter of {login}: logins that have ended
//   - authcode.operation.duration, a histogram in s, by
//     authcode.operation.name ([authcode.Kind])
//   - authcode.grant.renewal.outcomes, a counter of {outcome}, by
//     authcode.grant.renewal.outcome ([grant.Outcome])
//   - authcode.session.events, a counter of {event}, by authcode.session.event
//     ([session.Kind]) and authcode.session.end.reason ([session.Why])
//
// All have the attribute authcode.provider.name and, after a failure only,
// error.type, which is a Reason or _OTHER. docs/metrics.md has queries for
// alerts.
//
// # Security
//
// This package records no secret, and no words of a provider or a browser. It
// records that a person signed in, but not who.
package otelauthcode
