package fapi_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing/iotest"
	"time"

	"example.com/authcode"
	op "example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

// passed has the names of the functions that calls have gone through.
var passed sync.Map

// roundTrip is an http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements [http.RoundTripper].
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// giveUp has the app give up requests to the path of slow: those that get no
// answer when the provider has seen them, others in the middle of the answer.
func (x *world) giveUp(base http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if x.slow != r.URL.Path || !x.in.has("silent") && !x.in.has("slow") {
			return base.RoundTrip(r)
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		if seen := len(x.srv.Requests()); x.in.has("silent") {
			go func() {
				for range time.Tick(time.Millisecond) {
					if ctx.Err() != nil || len(x.srv.Requests()) > seen {
						cancel()
						return
					}
				}
			}()
		}
		resp, err := base.RoundTrip(r.Clone(ctx))
		if err != nil {
			return nil, context.DeadlineExceeded
		}
		defer resp.Body.Close()
		begin := must(io.ReadAll(io.LimitReader(resp.Body, 1)))
		late := iotest.ErrReader(context.DeadlineExceeded)
		resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(begin), late))
		return resp, nil
	})
}

// traceTransport hands a copy on, as tracing does. (A deep copy would keep
// package dpop from giving a request that net/http repeats by itself a proof of
// its own; its documentation says so.)
func traceTransport(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		passed.Store("RoundTrip", true)
		return next.RoundTrip(r.WithContext(r.Context()))
	})
}

// wrap has each seam of cfg copied, and each of its functions inside another one.
func wrap(cfg authcode.Config) authcode.Config {
	if prove := cfg.Binding.Transport; prove != nil {
		cfg.Binding.Transport = func(conn *authcode.Connection, base http.RoundTripper, key string) (http.RoundTripper, error) {
			rt, err := prove(conn, traceTransport(base), key)
			return traceTransport(rt), err
		}
	}
	around := cfg.Wrap
	cfg.Wrap = func(rt http.RoundTripper) http.RoundTripper {
		return traceTransport(traceTransport(around(rt)))
	}
	seams := []any{&cfg, &cfg.Provider, &cfg.ClientAuth, &cfg.Binding, &cfg.MessageSigning}
	for _, seam := range seams {
		for field, f := range reflect.ValueOf(seam).Elem().Fields() {
			if f.Kind() != reflect.Func || f.IsNil() {
				continue
			}
			inner := reflect.ValueOf(f.Interface())
			f.Set(reflect.MakeFunc(f.Type(), func(args []reflect.Value) []reflect.Value {
				passed.Store(field.Name, true)
				return inner.Call(args)
			}))
		}
	}
	return cfg
}

// wantNoSecrets searches the app's pages, and err in every way that apps print it.
func (x *world) wantNoSecrets(err *authcode.Error) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&x.shown, verb+"\n"+verb+"\n", err, []any{err})
	}
	json.NewEncoder(&x.shown).Encode(err)
	slog.New(slog.NewJSONHandler(&x.shown, nil)).Info("refused", "err", err)
	shown := x.shown.String()
	for secret, name := range x.secrets() {
		b := []byte(secret)
		for _, form := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret),
			base64.StdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b),
		} {
			if strings.Contains(shown, form) {
				x.t.Errorf("an error shows %s: %s", name, secret)
			}
		}
	}
}

// secrets are what was issued, what either side sent, and the tables' word.
func (x *world) secrets() map[string]string {
	all := map[string]string{word: "the provider's words"}
	add := func(name string, texts ...string) {
		// A JWT's claims alone are secret, too.
		text := strings.ReplaceAll(strings.Join(texts, " "), ".", " ")
		for part := range strings.FieldsSeq(text) {
			if len(part) >= 16 && !strings.HasPrefix(part, "https:") {
				all[part] = name
			}
		}
	}
	add("something that was issued", x.srv.Issued()...)
	for _, r := range x.srv.Requests() {
		for name, values := range r.Form {
			add(name, values...)
		}
		add("a credential", r.Header.Get("Authorization"), r.Header.Get("DPoP"))
	}
	return all
}

// wantFresh: no two requests share a proof or an assertion, not even a repetition.
func (x *world) wantFresh() {
	seen := make(map[any]bool)
	for _, r := range x.srv.Requests() {
		for _, t := range []op.JWT{r.Proof(), r.Assertion()} {
			id := t.Claims["jti"]
			x.wantEqual("a second use of a jti, at "+string(r.Place), id != nil && seen[id], false)
			seen[id] = true
		}
	}
}

// live is a login where nonces rotate, API, introspection, refresh and
// revocation, with a certificate where it belongs and nowhere else.
func live(x *world, _ testRow, _ outcome) {
	x.srv.SetNonces(op.RotatingNonces, op.RotatingNonces)
	x.signedIn()
	x.wantAlive(true)
	x.login = x.mustDo(op.Refresh).login
	x.wantAlive(true)
	x.mustDo(op.Revocation)
	x.wantAlive(false)
	x.wantCredentials()
	if x.in.has("signing") && x.in.has("tls") && !x.in.has("bound") && x.in.has("wrapped") {
		for name := range strings.FieldsSeq(`Metadata Identity Verify Authenticate Begin Transport
			SignRequest Certificate RoundTrip`) {
			_, ok := passed.Load(name)
			x.wantEqual("calls through the wrapper of "+name, ok, true)
		}
	}
}

// wantAlive asks the API and the provider whether the access token is good.
func (x *world) wantAlive(want bool) {
	info := x.mustDo(op.Introspection).info
	x.wantEqual("the API accepts it", x.do(op.Resource).status == 200, want)
	x.wantEqual("the provider knows it", isAlive(info), want)
	cnf, _ := info.Claims["cnf"].(map[string]any)
	isBound := cnf["x5t#S256"] == op.Thumbprint(ownCert.Leaf)
	if want {
		x.wantEqual("bound to the certificate", isBound, x.in.has("bound"))
		x.wantEqual("bound to a key", cnf["jkt"] != nil, !isBound)
	}
}

// wantCredentials: where the app showed its certificate, and its assertions,
// which have the issuer as audience wherever they go.
func (x *world) wantCredentials() {
	seen := make(map[op.Place]bool)
	thumbprint := map[bool]string{true: op.Thumbprint(ownCert.Leaf)}
	for _, r := range x.srv.Requests() {
		seen[r.Place] = true
		shown := ""
		switch claims := r.Assertion().Claims; r.Place {
		case op.PAR, op.Token, op.Refresh, op.Revocation, op.Introspection:
			shown = thumbprint[x.in.hasCert()]
			isOurs := claims["aud"] == x.srv.URL && claims["iss"] == clientID && claims["sub"] == clientID
			if r.ClientAuth != x.reg.AuthMethod || claims != nil && !isOurs {
				x.t.Errorf("at %s the app authenticates by %s: %v", r.Place, r.ClientAuth, claims)
			}
		case op.UserInfo, op.Resource:
			shown = thumbprint[x.in.has("bound")]
		}
		x.wantEqual("certificate at "+string(r.Place), r.Certificate, shown)
	}
	x.wantEqual("number of places", len(seen), 10)
}

// checks are what rows look at as well, by the option then.
var checks = map[string]func(*world, testRow, outcome){
	"": func(*world, testRow, outcome) {}, "live": live,
	"inactive": func(x *world, _ testRow, got outcome) {
		x.wantEqual("token", got.info, &oidc.TokenInfo{})
	},
	"wait-7s": func(x *world, _ testRow, got outcome) {
		x.wantEqual("time to wait", got.err.RetryAfter, 7*time.Second)
	},
	"scopes": func(x *world, r testRow, got outcome) {
		x.wantEqual("scopes", strings.Join(got.login.Scopes, ","), r.in["are"])
	},
	"new-keys": func(x *world, r testRow, _ outcome) {
		x.srv.RotateKeys(false)
		x.try(r)
	},
	"asks-once": func(x *world, r testRow, _ outcome) { // a proof that had the nonce is not made again
		r.in["times"] = "1"
		x.try(r)
	},
	// Whatever the provider calls the pushed request, the browser carries it as request_uri, beside
	// client_id and nothing else, to the authorization endpoint.
	"reference": func(x *world, r testRow, _ outcome) {
		uri := strings.Trim(strings.TrimPrefix(r.faults[op.PAR][0], "Set request_uri "), `"`)
		want := url.Values{"client_id": {clientID}, "request_uri": {uri}}.Encode()
		x.wantEqual("Location", x.page.Header.Get("Location"), x.srv.URL+"/authorize?"+want)
	},
	// The API has nonces of its own, and a stale one is replaced.
	"stale-nonces": func(x *world, r testRow, got outcome) {
		for range 2 {
			x.login = got.login
			x.wantEqual("the API", x.mustDo(op.Resource).status, 200)
			x.srv.RotateNonces()
			got = x.try(r)
		}
	},
	// A member of the answer does not choose the key that the app proves: the API, which knows the
	// right one, takes the token, also that of a refresh. Where keys have no names, there is none.
	"our-key": func(x *world, _ testRow, got outcome) {
		for range 2 {
			x.login = got.login
			x.wantEqual("the API", x.mustDo(op.Resource).status, 200)
			key, isNamed := x.login.Token.Extra("authcode.key").(string)
			x.wantEqual("key", []bool{key == word, isNamed}, []bool{false, !x.in.has("bound")})
			got = x.mustDo(op.Refresh)
		}
	},
}

func (x *world) wantEqual(what string, got, want any) {
	x.t.Helper()
	if !reflect.DeepEqual(got, want) {
		x.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
