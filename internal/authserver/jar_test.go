package authserver_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
)

// requested is the claims of a good request object of client jar.
func (t *tester) requested() object {
	o := object{
		"iss": "jar", "aud": t.srv.URL, "exp": seconds(time.Minute), "nbf": seconds(0),
		"iat": seconds(0), "jti": unique(),
	}
	for name, values := range authParams("client_id=jar") {
		o[name] = values[0]
	}
	return o
}

var objectType = object{"typ": "oauth-authz-req+jwt"}

// newJARTester has a client jar with a key, and a client signer that has to sign.
func newJARTester(t *testing.T, opts ...authserver.Option) (*tester, keyPair) {
	t.Helper()
	x, pair := newTester(t, opts...), newPair(t, "ES256")
	keys := []authserver.Key{pair.public()}
	x.register(authserver.ClientRegistration{ID: "jar", Secret: "s3cret", Keys: keys})
	x.register(authserver.ClientRegistration{
		ID: "signer", Secret: "s3cret", Keys: keys, RequireSignedRequest: true,
	})
	return x, pair
}

func TestRequestObject(t *testing.T) {
	x, pair := newJARTester(t)
	sealed := pair.sign(t, objectType, x.requested())
	resp, _ := x.open("client_id=jar", "request="+sealed)
	got := x.response(resp)
	if a := x.post("/token", "jar:s3cret", redemption(got.Get("code"))); a.status != 200 {
		t.Errorf("the code is refused: %s", a.raw)
	}
	if got.Get("state") != "st&te =" {
		t.Errorf("response %v", got)
	}
	seen := x.srv.Requests(authserver.Authorization)
	if got := seen[0].RequestObject(); got.Claims["nonce"] != "n0nce" || len(seen[0].Form) != 2 {
		t.Errorf("recorded %+v", seen[0])
	}
	// The same parameters beside it say nothing new.
	resp, _ = x.open("client_id=jar", "request="+sealed, "response_type=code", "scope=openid profile email")
	if x.response(resp).Get("code") == "" {
		t.Error("duplicates are refused")
	}
	a := x.post("/par", "jar:s3cret", url.Values{"client_id": {"jar"}, "request": {sealed}})
	resp, _ = x.open("client_id=jar", "request_uri="+a.text("request_uri"))
	if x.response(resp).Get("code") == "" {
		t.Errorf("inside a pushed request: %s", a.raw)
	}
}

// A badRequestObject says how to spoil a good one, or what to send beside it.
type badRequestObject struct {
	pair           keyPair
	header, claims object
	beside         string
}

func badRequestObjects(t *testing.T, x *tester, pair keyPair) map[string]badRequestObject {
	return map[string]badRequestObject{
		"another key":                 {newPair(t, "ES256"), nil, nil, ""},
		"no typ":                      {pair, object{"typ": nil}, nil, ""},
		"the typ of any JWT":          {pair, object{"typ": "JWT"}, nil, ""},
		"no iss":                      {pair, nil, object{"iss": nil}, ""},
		"another iss":                 {pair, nil, object{"iss": "signer"}, ""},
		"no aud":                      {pair, nil, object{"aud": nil}, ""},
		"another aud":                 {pair, nil, object{"aud": x.srv.URL + "/authorize"}, ""},
		"the aud in an array":         {pair, nil, object{"aud": []string{x.srv.URL}}, ""},
		"no exp":                      {pair, nil, object{"exp": nil}, ""},
		"a past exp":                  {pair, nil, object{"exp": seconds(-time.Second)}, ""},
		"an exp far ahead":            {pair, nil, object{"exp": seconds(2 * time.Hour)}, ""},
		"no nbf":                      {pair, nil, object{"nbf": nil}, ""},
		"an nbf in the future":        {pair, nil, object{"nbf": seconds(time.Minute)}, ""},
		"an nbf long ago":             {pair, nil, object{"nbf": seconds(-2 * time.Hour)}, ""},
		"no client_id":                {pair, nil, object{"client_id": nil}, ""},
		"another client_id":           {pair, nil, object{"client_id": "signer"}, ""},
		"the client id as sub":        {pair, nil, object{"sub": "jar"}, ""},
		"a request inside":            {pair, nil, object{"request": "x"}, ""},
		"a request_uri inside":        {pair, nil, object{"request_uri": "x"}, ""},
		"a parameter that is no text": {pair, nil, object{"state": true}, ""},
		"another parameter beside":    {pair, nil, nil, "login_hint=bob"},
		"another value beside":        {pair, nil, nil, "state=evil"},
		"two objects":                 {pair, nil, nil, "request+=x"},
	}
}

func TestRequestObjectsThatAreRefused(t *testing.T) {
	x, pair := newJARTester(t)
	for name, row := range badRequestObjects(t, x, pair) {
		t.Run(name, func(t *testing.T) {
			sealed := row.pair.sign(t, objectType.with(row.header), x.requested().with(row.claims))
			params := []string{"client_id=jar", "request=" + sealed}
			if row.beside != "" {
				params = append(params, row.beside)
			}
			resp, body := x.open(params...)
			if resp.StatusCode != 400 || resp.Header.Get("Location") != "" ||
				!strings.Contains(body, "(request)") {
				t.Errorf("answered %s to %q", resp.Status, resp.Header.Get("Location"))
			}
			a := x.post("/par", "jar:s3cret", change(url.Values{}, params...))
			if a.status != http.StatusBadRequest || !slices.Contains(
				[]string{"invalid_request_object", "invalid_request"}, a.text("error")) {
				t.Errorf("pushed: %d %s", a.status, a.raw)
			}
		})
	}
	// RFC 9126 section 3: nothing stands beside an object that is pushed.
	sealed := pair.sign(t, objectType, x.requested())
	x.wantError(x.post("/par", "jar:s3cret", change(url.Values{}, "client_id=jar", "request="+sealed,
		"response_type=code")), 400, "invalid_request_object")
	// Another client cannot push it.
	x.wantError(x.post("/par", "signer:s3cret", url.Values{"request": {sealed}, "client_id": {"jar"}}), 400,
		"invalid_request")
}

func TestRequiredRequestObjects(t *testing.T) {
	x, pair := newJARTester(t)
	resp, _ := x.authorize("client_id=signer")
	if got := x.response(resp); got.Get("error") != "invalid_request" {
		t.Errorf("a plain request is answered %v", got)
	}
	x.wantError(x.post("/par", "signer:s3cret", authParams("client_id=signer")), 400, "invalid_request")
	claims := x.requested().with(object{"iss": "signer", "client_id": "signer"})
	resp, _ = x.open("client_id=signer", "request="+pair.sign(t, objectType, claims))
	if x.response(resp).Get("code") == "" {
		t.Error("a request object is refused")
	}
	x, _ = newJARTester(t, authserver.RequireSignedRequest())
	resp, _ = x.authorize("client_id=jar")
	if got := x.response(resp); got.Get("error") != "invalid_request" {
		t.Errorf("a plain request is answered %v", got)
	}
	if doc := x.get("/.well-known/openid-configuration"); doc.body["require_signed_request_object"] != true {
		t.Error("discovery does not tell")
	}
}

func TestRequestObjectsCarryAllKindsOfParameters(t *testing.T) {
	x, pair := newJARTester(t)
	api := []string{"https://a.example/", "https://b.example/"}
	resp, _ := x.open("client_id=jar", "request="+pair.sign(t, objectType, x.requested().with(object{
		"max_age": 60, "resource": api,
		"authorization_details": []any{object{"type": "payment", "amount": 1}},
	})))
	a := x.post("/token", "jar:s3cret", redemption(x.response(resp).Get("code")))
	b := x.post("/introspect", "jar:s3cret", url.Values{"token": {a.text("access_token")}})
	_, claims, _ := x.parts(a.text("id_token"))
	if aud, _ := b.body["aud"].([]any); len(aud) != 2 || aud[1] != api[1] || claims["auth_time"] == nil ||
		!strings.Contains(a.raw, `"authorization_details":[{"amount":1,"type":"payment"}]`) {
		t.Errorf("answered %s, introspected %s", a.raw, b.raw)
	}
}
