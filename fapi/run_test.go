package fapi_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	op "example.com/authcode/internal/authserver"
	"example.com/authcode/internal/testmain"
	"example.com/authcode/oidc"
)

func TestMain(m *testing.M) { testmain.Run(m) }

// plain is set by .ci/run. Without it each row runs once, with every seam
// wrapped, where more can go wrong: a rule that a wrapper loses shows there.
var plain = flag.Bool("plain", false, "run each row without wrappers, too")

// TestFaults does what each row says, with every seam wrapped: what is refused
// has the row's reason and check and tells nothing, the provider sees the
// requests that it has to and no others, and a login without the fault succeeds
// afterwards.
func TestFaults(t *testing.T) {
	for file, rows := range faultTables() {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			for i, r := range rows {
				if slices.ContainsFunc(rows[:i], func(other testRow) bool { return other.name == r.name }) {
					t.Errorf("two rows have the name %q", r.name)
				}
				if *plain {
					t.Run(r.name, r.run)
				}
				r.in = maps.Clone(r.in)
				r.in["wrapped"] = ""
				t.Run("wrapped: "+r.name, r.run)
			}
		})
	}
}

func (r testRow) run(t *testing.T) {
	t.Parallel()
	x := newWorld(t, r.in)
	if r.step() != op.Token {
		x.signedIn()
	}
	x.set(r)
	if r.step() == op.Introspection {
		x.newClient() // an instance that has loaded no metadata yet
	}
	checks[r.in["then"]](x, r, x.try(r))
	x.srv.ClearFaults()
	// What is left of a fault does not depend on wrappers: one of the two looks.
	if x.slow = ""; r.in.has("wrapped") != *plain && (!r.in.has("after") || !r.isRefused()) {
		x.recover(r)
	}
	x.wantFresh()
}

// set plants the row's faults.
func (x *world) set(r testRow) {
	x.srv.SetFaults(r.at, r.given...)
	for place, texts := range r.faults {
		faults := r.given
		for _, text := range texts {
			for name, value := range values {
				if strings.Contains(text, name) {
					text = strings.ReplaceAll(text, name, value(x))
				}
			}
			faults = append(faults[:len(faults):len(faults)], must(op.ParseFault(text)))
		}
		x.srv.SetFaults(place, faults...)
	}
	nonces := op.Nonces(must(strconv.Atoi(cmp.Or(r.in["nonces"], "0"))))
	x.srv.SetNonces(nonces, nonces)
	x.slow = r.in["path"]
}

// values are what the world has for words of the tables.
var values = map[string]func(*world) string{
	"{issuer}":                   func(x *world) string { return x.srv.URL },
	"{ISSUER}":                   func(x *world) string { return strings.ToUpper(x.srv.URL) },
	"{other-provider}":           func(x *world) string { return newWorld(x.t, nil).srv.URL },
	"{mtls}":                     func(x *world) string { return x.srv.MTLSURL },
	"{trap}":                     func(*world) string { return trap() },
	"{state-of-another-browser}": (*world).startElsewhere,
	"{state-of-another-app}":     func(x *world) string { return newWorld(x.t, x.in).startElsewhere() },
	"{logout-token}":             func(x *world) string { return x.srv.LogoutToken(clientID, "alice") },
	"{id-token}": func(x *world) string {
		x.signedIn()
		x.browser = x.newBrowser()
		return x.login.Token.Extra("id_token").(string)
	},
	"{request-object}": func(x *world) string {
		x.startElsewhere()
		return x.lastPush().Form.Get("request")
	},
	"{1025-letters}": func(*world) string { return strings.Repeat("x", 1025) },
	"{20-KiB}":       func(*world) string { return strings.Repeat("x", 20<<10) },
	"{in-5-minutes}": fromNow(5 * time.Minute), "{5-minutes-ago}": fromNow(-5 * time.Minute),
	"{2-minutes-ago}": fromNow(-2 * time.Minute), "{5-seconds-ago}": fromNow(-5 * time.Second),
}

func fromNow(d time.Duration) func(*world) string {
	return func(*world) string { return fmt.Sprint(time.Now().Add(d).Unix()) }
}

// try does the row's step and looks at what came of it.
func (x *world) try(r testRow) outcome {
	before := len(x.srv.Requests())
	got := x.do(r.step())
	x.wantOutcome(r, got)
	x.wantRequests(r, x.srv.Requests()[before:])
	if got.err != nil {
		x.wantNoSecrets(got.err)
	}
	return got
}

func (x *world) wantOutcome(r testRow, got outcome) {
	result := "ok"
	if got.err != nil {
		result = string(got.err.Reason) + ":" + got.err.Check
	} else if got.status != 0 {
		result = strconv.Itoa(got.status)
	}
	if result != r.want {
		x.t.Fatalf("the result is %s, want %s: %v", result, r.want, got.err)
	}
	if got.err != nil && r.step() == op.Token {
		x.wantAnswer(r, got.err.Reason.Status())
	}
	hasNoName := got.err != nil && got.err.Provider == "" && r.step() != op.Introspection
	x.wantEqual("the error names no provider", hasNoName && r.step() != op.Resource, false)
}

// wantAnswer looks at the app's answer to a browser whose login was refused.
func (x *world) wantAnswer(r testRow, status int) {
	path, to := x.page.Request.URL.Path, x.page.Header.Get("Location")
	isStart := !strings.Contains(r.requests(), "authorization")
	x.wantEqual("status", x.page.StatusCode, status)
	x.wantEqual("Location and page", []any{to, path == "/login"}, []any{"", isStart})
	touches := x.page.Header.Get("Set-Cookie") != ""
	x.wantEqual("the refusal touches the cookies", touches && (isStart || r.isHarmless()), false)
}

func (x *world) wantRequests(r testRow, requests []op.Request) {
	var path []string
	for _, request := range requests {
		isCached := request.Place == op.Discovery || request.Place == op.JWKS
		isOpen := isCached || request.Place == op.Authorization
		x.wantEqual("a certificate is shown to all", isOpen && request.Certificate != "", false)
		if !isCached {
			path = append(path, string(request.Place))
		}
	}
	if r.in.has("repeats") {
		path = slices.Compact(path)
	}
	x.wantEqual("requests to the provider", strings.Join(path, " "), r.requests())
	x.wantEqual("requests to another server", trapped.Load(), int32(0))
}

// recover signs in after the fault is gone: nothing may be left of it. Another
// instance of the app loads what could not be loaded: this one waits for seconds.
func (x *world) recover(r testRow) {
	if r.at == op.Authorization && r.isHarmless() {
		x.finishPending()
	}
	if r.at == op.Discovery || r.at == op.JWKS || r.faults[op.Discovery] != nil {
		x.newClient()
	}
	step := r.step()
	x.browser = x.newBrowser()
	if step != op.Introspection && step != op.Resource { // or there is a good token
		x.signedIn()
		x.wantEqual("without the fault, who signs in", x.login.Identity.Subject, "alice")
	}
	if step != op.Token {
		got := x.do(step)
		isBad := got.err != nil || got.info != nil && !isAlive(got.info) || got.status > 200
		x.wantEqual(fmt.Sprintf("without the fault, %+v is bad", got), isBad, false)
	}
}

func isAlive(info *oidc.TokenInfo) bool {
	return info.Active && info.Subject == "alice" && info.ClientID == clientID
}

// trapped counts what reached the server that nobody may ask anything.
var trapped atomic.Int32

var trap = sync.OnceValue(func() string {
	count := func(http.ResponseWriter, *http.Request) { trapped.Add(1) }
	return httptest.NewServer(http.HandlerFunc(count)).URL + "/" + word
})

// finishPending sends what a forged response should have been: the login is
// still pending. A signed response cannot be put right here.
func (x *world) finishPending() {
	code := x.page.Request.URL.Query().Get("code")
	if x.cfg.MessageSigning.SignedResponses || !slices.Contains(x.srv.Issued(), code) {
		return
	}
	x.came = nil
	response := url.Values{"code": {code}, "state": {x.lastState()}, "iss": {x.srv.URL}}
	x.visit(x.browser, "/callback?"+response.Encode())
	isFinished := len(x.came) == 1 && x.came[0].login != nil
	x.wantEqual("the pending login can be finished", isFinished, true)
}
