package fapi_test

import (
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
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
	faults     []authserver.Fault
}

var html = "<html>" + word + "</html>"

func brokenAnswers() []broken {
	bad := func(name string, reason authcode.Reason, root, oidc string, faults ...authserver.Fault) broken {
		return broken{name: name, reason: reason, root: root, oidc: oidc, faults: faults}
	}
	success := func(b broken) broken { b.success = true; return b }
	slow := func(b broken) broken { b.slow = true; return b }
	const unreachable, size, form = "provider.unreachable", "answer.size", "answer.form"
	return []broken{
		slow(bad("silent", authcode.Timeout, "provider.timeout", "timeout", authserver.Silent())),
		success(slow(bad("slow", authcode.Timeout, "provider.timeout", "timeout", authserver.Slow()))),
		bad("reset", authcode.Unreachable, unreachable, "unreachable", authserver.Reset()),
		success(bad("cut", authcode.Unreachable, unreachable, "unreachable", authserver.Truncated())),
		bad("huge headers", authcode.Unreachable, unreachable, "unreachable", authserver.HugeHeaders()),
		success(bad("padded", authcode.BadAnswer, size, "size", authserver.Padded(5<<18))),
		success(bad("endless", authcode.BadAnswer, size, "size", authserver.Endless())),
		bad("302", authcode.BadAnswer, "answer.redirect", "redirect", authserver.Redirect(302, trap())),
		bad("307", authcode.BadAnswer, "answer.redirect", "redirect", authserver.Redirect(307, trap())),
		bad("308 to nowhere", authcode.BadAnswer, "answer.redirect", "redirect", authserver.Answer(308, "text/html", html)),
		bad("500 in HTML", authcode.BadAnswer, "answer.error", "status", authserver.HTMLError()),
		bad("502 in HTML", authcode.BadAnswer, "answer.error", "status", authserver.Answer(502, "text/html", html)),
		bad("404", authcode.BadAnswer, "answer.error", "missing", authserver.Answer(404, "text/html", html)),
		bad("413", authcode.BadAnswer, "answer.error", "status", authserver.Answer(413, "text/html", html)),
		bad("429", authcode.Overloaded, "answer.error", "status", authserver.Busy(429, "7")),
		bad("503", authcode.Overloaded, "answer.error", "status", authserver.Busy(503, "")),
		success(bad("HTML", authcode.BadAnswer, form, "form", authserver.Answer(200, "text/html", html))),
		success(bad("a list", authcode.BadAnswer, form, "form", authserver.Answer(200, "application/json", "[{}]"))),
		success(bad("two objects", authcode.BadAnswer, form, "form", authserver.Answer(200, "application/json", "{}{}"))),
		success(bad("nothing", authcode.BadAnswer, "answer.empty", "form", authserver.Answer(200, "application/json", ""))),
		bad("an echo", "", "answer.error", "status", authserver.EchoJSON()),
		bad("an echo as text", "", "answer.error", "status", authserver.EchoText()),
	}
}

// transportRows join them with the places.
func transportRows() (rows []row) {
	for _, place := range []struct {
		at     authserver.Place
		path   string
		prefix string          // of package oidc's checks; empty: the root's
		echoed authcode.Reason // of a 400
		few    bool
	}{
		{authserver.PAR, "/par", "", authcode.Configuration, false},
		{authserver.Token, "/token", "", authcode.GrantRejected, false},
		{authserver.Refresh, "/token", "", authcode.GrantRejected, true},
		{authserver.Revocation, "/revoke", "", authcode.BadAnswer, true},
		{authserver.UserInfo, "/userinfo", "userinfo.", authcode.BadAnswer, false},
		{authserver.Introspection, "/introspect", "introspection.", authcode.BadAnswer, false},
		{authserver.Discovery, "/.well-known/openid-configuration", "discovery.", authcode.BadAnswer, false},
		{authserver.JWKS, "/jwks", "jwks.", authcode.BadAnswer, true},
	} {
		for i, b := range brokenAnswers() {
			if place.few && i%3 != 0 { // the same endpoint, or the same code, as another
				continue
			}
			in := setup{userInfo: place.at == authserver.UserInfo, impatient: b.slow, path: place.path}
			refused, _ := rowsAt(place.at, in)
			r := refused(string(place.at)+": "+b.name, b.reason, b.root, b.faults...)
			if r.reason == "" {
				r.reason = place.echoed
			}
			if unsent := strings.HasPrefix(b.root, "provider.") && !b.success; place.at == authserver.Introspection && unsent {
				// the root's, which sends this one too
			} else if place.prefix != "" {
				r.check = place.prefix + b.oidc
			} else if place.at == authserver.PAR {
				r.check = atPAR(r)
			}
			if place.at == authserver.JWKS {
				r.until = authserver.Token
			}
			if place.at == authserver.Revocation && b.success {
				r.check = "" // RFC 7009 section 2.2: the status says it all
			}
			r.repeats = place.at == authserver.UserInfo && b.name == "reset"
			rows = append(rows, r)
		}
	}
	refused, _ := rowsAt(authserver.PAR, setup{})
	return append(rows,
		refused("10 MB", authcode.BadAnswer, "par.size", authserver.Big()),
		refused("1 GB in 1 MB", authcode.BadAnswer, "par.size", authserver.GzipBomb()),
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
	for _, at := range []authserver.Place{authserver.PAR, authserver.Token} {
		x := newWorld(t, setup{})
		x.srv.SetFaults(at, authserver.Busy(503, "7"))
		if got := x.do(authserver.Token); got.err == nil || got.err.RetryAfter != 7*time.Second {
			t.Errorf("%s: got %+v", at, got.err)
		}
	}
}
