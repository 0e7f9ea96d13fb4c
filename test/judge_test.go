package test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// verdict is what the protocol asks of the parameters of one callback.
type verdict struct {
	code    string // to be redeemed; "" for none
	refusal bool   // the provider's own answer to this login, which ends it
}

// judge reads parameters by the rules of the form encoding and RFC 6749, 9207,
// and decides. It shares nothing with the package.
func judge(raw, state string, issRequired bool) verdict {
	got := make(map[string]string)
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, errN := url.QueryUnescape(name)
		v, errV := url.QueryUnescape(value)
		if _, again := got[n]; errN != nil || errV != nil || again || strings.Contains(part, ";") {
			return verdict{}
		}
		got[n] = v
	}
	iss, hasIss := got["iss"]
	switch {
	case len(raw) > 16<<10, got["state"] != state, hasIss && iss != world.Issuer,
		!hasIss && issRequired:
		return verdict{}
	}
	if got["error"] != "" {
		return verdict{refusal: true}
	}
	return verdict{code: got["code"]}
}

// checkCallback compares what became of a callback with what judge says of it.
func (a *fuzzApp) checkCallback(t *testing.T, l fuzzLogin, want verdict, got fuzzOutcome) {
	t.Helper()
	err := got.err
	if (err == nil) != (want.code != "") || (got.login == nil) != (err != nil) {
		t.Fatalf("got %v, %v; want %+v", got.login, err, want)
	}
	if err == nil {
		if len(a.posts) != 1 || a.posts[0].Get("code") != want.code ||
			challengeOf(a.posts[0]) != l.challenge {
			t.Errorf("the provider saw %v", a.posts)
		}
		return
	}
	checkError(t, err, fuzzCanary, l.state, l.cookie.Value)
	if len(a.posts) != 0 {
		t.Errorf("%v, but the provider saw %v", err, a.posts)
	}
	if touched := len(got.rec.Result().Header["Set-Cookie"]) > 0; touched != want.refusal {
		t.Errorf("%v: cookie touched: %v, want %v", err, touched, want.refusal)
	}
}

// checkMethods fails if a request with another method than the provider's
// answer comes with is anything but refused, before all else is looked at.
func (a *fuzzApp) checkMethods(t *testing.T, l fuzzLogin, params string, methods ...string) {
	t.Helper()
	for _, method := range methods {
		r := httptest.NewRequest(method, "/auth/callback", strings.NewReader(params))
		r.URL.RawQuery = params
		r.Header.Set("Content-Type", formType)
		got := a.finish(l, r)
		cookies := got.rec.Result().Header["Set-Cookie"]
		// A GET without parameters, or one that finishes a form_post login, is
		// refused for what it has.
		refused := errors.Is(got.err, authcode.WrongMethod) || method == "GET" && got.err != nil &&
			(params == "" || r.URL.Query().Has("login"))
		if !refused || len(cookies) > 0 || len(a.posts) > 0 {
			t.Errorf("%s: %v, %d requests to the provider", method, got.err, len(a.posts))
		}
	}
}

func challengeOf(form url.Values) string {
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// checkError fails unless err is an *Error with a reason that prints none of
// the secrets.
func checkError(t *testing.T, err error, secrets ...string) {
	t.Helper()
	var e *authcode.Error
	if !errors.As(err, &e) || e.Reason == "" || e.Check == "" || e.Provider != "fuzz" ||
		e.LoginURL == "" || !errors.Is(err, e.Reason) {
		t.Fatalf("%T is not a complete *authcode.Error: %v", err, err)
	}
	encoded, jsonErr := json.Marshal(e)
	texts := fmt.Sprintf("%s\n%v\n%+v\n%#v\n%q\n%s\n%v", err.Error(), err, err, err, err, encoded,
		e.LogValue())
	for _, s := range secrets {
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s),
			base64.StdEncoding.EncodeToString([]byte(s))} {
			if strings.Contains(texts, form) || jsonErr != nil {
				t.Errorf("the error prints %q: %s (%v)", form, texts, jsonErr)
			}
		}
	}
}
