package fapi_test

import (
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
)

// TestHostileTransport: every endpoint that the app calls, with every answer that is broken as such.
func TestHostileTransport(t *testing.T) { run(t, transportRows()) }

// broken is an answer that no endpoint may give. The rules are those of package authcode and of package oidc.
type broken struct {
	name       string
	reason     authcode.Reason
	root, oidc string
	slow       bool // it takes as long as the client waits
	success    bool // its status says that all is well
	faults     []authtest.Fault
}

var html = "<html>" + word + "</html>"

func brokenAnswers() []broken {
	bad := func(name string, reason authcode.Reason, root, oidc string, faults ...authtest.Fault) broken {
		return broken{name: name, reason: reason, root: root, oidc: oidc, faults: faults}
	}
	success := func(b broken) broken { b.success = true; return b }
	slow := func(b broken) broken { b.slow = true; return b }
	const unreachable, size, form = "provider.unreachable", "answer.size", "answer.form"
	return []broken{
		slow(bad("silent", authcode.Timeout, "provider.timeout", "timeout", authtest.Silent())),
		success(slow(bad("slow", authcode.Timeout, "provider.timeout", "timeout", authtest.Slow()))),
		bad("reset", authcode.Unreachable, unreachable, "unreachable", authtest.Reset()),
		success(bad("cut", authcode.Unreachable, unreachable, "unreachable", authtest.Truncated())),
		bad("huge headers", authcode.Unreachable, unreachable, "unreachable", authtest.HugeHeaders()),
		success(bad("padded", authcode.BadAnswer, size, "size", authtest.Padded(5<<18))),
		success(bad("endless", authcode.BadAnswer, size, "size", authtest.Endless())),
		bad("302", authcode.BadAnswer, "answer.redirect", "redirect", authtest.Redirect(302, trap())),
		bad("307", authcode.BadAnswer, "answer.redirect", "redirect", authtest.Redirect(307, trap())),
		bad("308 to nowhere", authcode.BadAnswer, "answer.redirect", "redirect", authtest.Answer(308, "text/html", html)),
		bad("500 in HTML", authcode.BadAnswer, "answer.error", "status", authtest.HTMLError()),
		bad("502 in HTML", authcode.BadAnswer, "answer.error", "status", authtest.Answer(502, "text/html", html)),
		bad("404", authcode.BadAnswer, "answer.error", "missing", authtest.Answer(404, "text/html", html)),
		bad("413", authcode.BadAnswer, "answer.error", "status", authtest.Answer(413, "text/html", html)),
		bad("429", authcode.Overloaded, "answer.error", "status", authtest.Busy(429, "7")),
		bad("503", authcode.Overloaded, "answer.error", "status", authtest.Busy(503, "")),
		success(bad("HTML", authcode.BadAnswer, form, "form", authtest.Answer(200, "text/html", html))),
		success(bad("a list", authcode.BadAnswer, form, "form", authtest.Answer(200, "application/json", "[{}]"))),
		success(bad("two objects", authcode.BadAnswer, form, "form", authtest.Answer(200, "application/json", "{}{}"))),
		success(bad("nothing", authcode.BadAnswer, "answer.empty", "form", authtest.Answer(200, "application/json", ""))),
		bad("an echo", "", "answer.error", "status", authtest.EchoJSON()),
		bad("an echo as text", "", "answer.error", "status", authtest.EchoText()),
	}
}

// transportRows join them with the places.
func transportRows() (rows []row) {
	for _, place := range []struct {
		at     authtest.Place
		path   string
		prefix string          // of package oidc's checks; empty: the root's
		echoed authcode.Reason // of a 400
		few    bool
	}{
		{authtest.PAR, "/par", "", authcode.Configuration, false},
		{authtest.Token, "/token", "", authcode.GrantRejected, false},
		{authtest.Refresh, "/token", "", authcode.GrantRejected, true},
		{authtest.Revocation, "/revoke", "", authcode.BadAnswer, true},
		{authtest.UserInfo, "/userinfo", "userinfo.", authcode.BadAnswer, false},
		{authtest.Introspection, "/introspect", "introspection.", authcode.BadAnswer, false},
		{authtest.Discovery, "/.well-known/openid-configuration", "discovery.", authcode.BadAnswer, false},
		{authtest.JWKS, "/jwks", "jwks.", authcode.BadAnswer, true},
	} {
		for i, b := range brokenAnswers() {
			if place.few && i%3 != 0 { // the same endpoint, or the same code, as another
				continue
			}
			in := setup{userInfo: place.at == authtest.UserInfo, impatient: b.slow, path: place.path}
			refused, _ := rowsAt(place.at, in)
			r := refused(string(place.at)+": "+b.name, b.reason, b.root, b.faults...)
			if r.reason == "" {
				r.reason = place.echoed
			}
			if unsent := strings.HasPrefix(b.root, "provider.") && !b.success; place.at == authtest.Introspection && unsent {
				// the root's, which sends this one too
			} else if place.prefix != "" {
				r.check = place.prefix + b.oidc
			} else if place.at == authtest.PAR {
				r.check = atPAR(r)
			}
			if place.at == authtest.JWKS {
				r.until = authtest.Token
			}
			if place.at == authtest.Revocation && b.success {
				r.check = "" // RFC 7009 section 2.2: the status says it all
			}
			r.repeats = place.at == authtest.UserInfo && b.name == "reset"
			rows = append(rows, r)
		}
	}
	refused, _ := rowsAt(authtest.PAR, setup{})
	return append(rows,
		refused("10 MB", authcode.BadAnswer, "par.size", authtest.Big()),
		refused("1 GB in 1 MB", authcode.BadAnswer, "par.size", authtest.GzipBomb()),
	)
}

// atPAR is the name that a check has there.
func atPAR(r row) string {
	switch {
	case r.reason == authcode.Configuration:
		return "par.configuration"
	case r.check[:7] == "answer.":
		return "par." + r.check[7:]
	}
	return r.check
}

// TestRetryAfter: how long to wait is told.
func TestRetryAfter(t *testing.T) {
	for _, at := range []authtest.Place{authtest.PAR, authtest.Token} {
		x := newWorld(t, setup{})
		x.srv.SetFaults(at, authtest.Busy(503, "7"))
		if got := x.do(authtest.Token); got.err == nil || got.err.RetryAfter != 7*time.Second {
			t.Errorf("%s: got %+v", at, got.err)
		}
	}
}
