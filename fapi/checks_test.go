package fapi_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"

	"example.com/authcode"
	op "example.com/authcode/internal/authserver"
)

// passed has the names of the functions that calls have gone through.
var passed sync.Map

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
		cfg.Binding.Transport = func(base http.RoundTripper, key string) (http.RoundTripper, error) {
			rt, err := prove(traceTransport(base), key)
			return traceTransport(rt), err
		}
	}
	around := cfg.Wrap
	cfg.Wrap = func(rt http.RoundTripper) http.RoundTripper {
		return traceTransport(traceTransport(around(rt)))
	}
	for _, seam := range []any{&cfg, &cfg.Provider, &cfg.ClientAuth, &cfg.Binding, &cfg.MessageSigning} {
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
		text := strings.ReplaceAll(strings.Join(texts, " "), ".", " ") // a JWT's claims alone are secret too
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
			if id := t.Claims["jti"]; id != nil && seen[id] {
				x.t.Errorf("a jti came twice, the second time at %s", r.Place)
			} else {
				seen[id] = true
			}
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
			if _, ok := passed.Load(name); !ok {
				x.t.Errorf("nothing went through the wrapper of %s", name)
			}
		}
	}
}

// wantAlive asks the API and the provider whether the access token is good.
func (x *world) wantAlive(want bool) {
	status, err := x.callAPI(x.login)
	info := x.mustDo(op.Introspection).info
	if err != nil || (status == 200) != want || isAlive(info) != want {
		x.t.Errorf("the API answered %d, %v, and introspection %+v", status, err, info)
	}
	cnf, _ := info.Claims["cnf"].(map[string]any)
	isBound := cnf["x5t#S256"] == op.Thumbprint(ownCert.Leaf)
	if want && (isBound != x.in.has("bound") || (cnf["jkt"] != nil) == isBound) {
		x.t.Errorf("the token is bound by %v", cnf)
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
			shown = thumbprint[x.in.hasCertificate()]
			isOurs := claims["aud"] == x.srv.URL && claims["iss"] == clientID && claims["sub"] == clientID
			if r.ClientAuth != x.reg.AuthMethod || claims != nil && !isOurs {
				x.t.Errorf("at %s the app authenticates by %s: %v", r.Place, r.ClientAuth, claims)
			}
		case op.UserInfo, op.Resource:
			shown = thumbprint[x.in.has("bound")]
		}
		if r.Certificate != shown {
			x.t.Errorf("at %s the certificate %q was shown", r.Place, r.Certificate)
		}
	}
	if len(seen) != 10 {
		x.t.Errorf("only these were asked: %v", seen)
	}
}
