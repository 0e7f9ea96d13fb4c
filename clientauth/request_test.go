package clientauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// signRequest signs params and returns the verified request object without what is fresh in each.
func signRequest(t *testing.T, s *clientauth.RequestSigner, params url.Values) *jwt {
	t.Helper()
	before := time.Now().Unix()
	text, err := s.SignRequest(context.Background(), issuer, params)
	if err != nil {
		t.Fatal(err)
	}
	j := verify(t, text, "ES256", ecKey.Public())
	iat, nbf, exp := j.seconds("iat"), j.seconds("nbf"), j.seconds("exp")
	if iat < before || iat > time.Now().Unix() || nbf != iat || exp != iat+300 {
		t.Errorf("iat %d, nbf %d, exp %d: want now, now and five minutes later", iat, nbf, exp)
	}
	if len(j.text("jti")) < 22 {
		t.Errorf("jti %q", j.text("jti"))
	}
	for _, name := range []string{"iat", "nbf", "exp", "jti"} {
		delete(j.claims, name)
	}
	return j
}

// TestSignRequest: how parameters become claims.
func TestSignRequest(t *testing.T) {
	const details = `[{"type":"payment","amount":123456789012345678.50,"to":"<ä>"}]`
	const claims = `{"id_token":{"acr":{"essential":true,"values":["a"]}}}`
	rows := []struct {
		claim  string
		params url.Values
		want   string // JSON, beside iss, aud and client_id
	}{
		{"RFC 9101 section 4", url.Values{
			"response_type": {"code id_token"}, "redirect_uri": {"https://client.example.org/cb"}, "scope": {"openid"},
			"state": {"af0ifjsldkj"}, "nonce": {"n-0S6_WzA2Mj"}, "max_age": {"86400"},
		}, `{"response_type":"code id_token","redirect_uri":"https://client.example.org/cb","scope":"openid",
			"state":"af0ifjsldkj","nonce":"n-0S6_WzA2Mj","max_age":86400}`},
		{"no parameters", url.Values{}, `{}`},
		{"max_age zero", url.Values{"max_age": {"0"}}, `{"max_age":0}`},
		{"digits that are no number", url.Values{"state": {"86400"}, "login_hint": {"true"}, "scope": {`["a"]`}},
			`{"state":"86400","login_hint":"true","scope":"[\"a\"]"}`},
		{"one resource", url.Values{"resource": {"https://a.example"}}, `{"resource":"https://a.example"}`},
		{"two resources", url.Values{"resource": {"https://a.example", "https://b.example"}}, `{"resource":["https://a.example","https://b.example"]}`},
		{"authorization_details", url.Values{"authorization_details": {details}}, `{"authorization_details":` + details + `}`},
		{"claims", url.Values{"claims": {claims}}, `{"claims":` + claims + `}`},
		{"no value", url.Values{"prompt": {}}, `{}`},
		{"an empty value", url.Values{"prompt": {""}}, `{"prompt":""}`},
		{"what JSON escapes", url.Values{"state": {"a\"b\\c\n<€>\u2028"}}, `{"state":"a\"b\\c\n<€>\u2028"}`},
	}
	s := clientauth.SignRequests(clientauth.Key{Signer: ecKey, ID: "k1"})
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			row.params.Set("client_id", clientID)
			j := signRequest(t, s, row.params)
			if j.typ != "oauth-authz-req+jwt" || j.header.KeyID != "k1" {
				t.Errorf("header: typ %v, kid %q", j.typ, j.header.KeyID)
			}
			want := object(t, row.want)
			want["iss"], want["aud"], want["client_id"] = clientID, issuer, clientID
			if !reflect.DeepEqual(j.claims, want) {
				t.Errorf("claims %s, want %v", j.raw, want)
			}
		})
	}
}

// object decodes a JSON object as jwt.claims are decoded.
func object(t *testing.T, text string) (m map[string]any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestUnsignable: what no request object may have inside (RFC 9101 sections 4 and 10.8), and what is no number
// and no document.
func TestUnsignable(t *testing.T) {
	rows := []struct {
		claim  string
		params url.Values
	}{
		{"no client_id", url.Values{"client_id": nil}},
		{"a request", url.Values{"request": {"x"}}},
		{"a request_uri", url.Values{"request_uri": {"urn:x"}}},
		{"a subject", url.Values{"sub": {clientID}}},
		{"another issuer", url.Values{"iss": {"x"}}},
		{"another audience", url.Values{"aud": {"x"}}},
		{"its own exp", url.Values{"exp": {"9"}}},
		{"its own nbf", url.Values{"nbf": {"9"}}},
		{"its own iat", url.Values{"iat": {"9"}}},
		{"its own jti", url.Values{"jti": {"9"}}},
		{"a max_age in words", url.Values{"max_age": {"soon"}}},
		{"a negative max_age", url.Values{"max_age": {"-1"}}},
		{"two of them", url.Values{"max_age": {"1", "2"}}},
		{"authorization_details that are no JSON", url.Values{"authorization_details": {"[{"}}},
		{"two of them", url.Values{"authorization_details": {"[]", "[]"}}},
		{"claims that are no JSON", url.Values{"claims": {""}}},
	}
	s := clientauth.SignRequests(clientauth.Key{Signer: ecKey})
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			params := url.Values{"client_id": {clientID}, "scope": {"openid"}}
			for name, values := range row.params {
				params[name] = values
			}
			text, err := s.SignRequest(context.Background(), issuer, params)
			wantCheck(t, err, "messages.params")
			if text != "" {
				t.Errorf("signed %s", text)
			}
		})
	}
	_, err := s.SignRequest(context.Background(), "", url.Values{"client_id": {clientID}})
	wantCheck(t, err, "messages.audience")
}

// TestNoAssertion: a request object is no client assertion, and an assertion is no request object, though one
// key signs both.
func TestNoAssertion(t *testing.T) {
	key := clientauth.Key{Signer: ecKey}
	request := signRequest(t, clientauth.SignRequests(key), url.Values{"client_id": {clientID}})
	if _, ok := request.claims["sub"]; ok || request.typ != "oauth-authz-req+jwt" {
		t.Errorf("typ %v, claims %s", request.typ, request.raw)
	}
	assertion := verify(t, authenticate(t, clientauth.PrivateKeyJWT(key)).Get("client_assertion"), "ES256", ecKey.Public())
	if _, ok := assertion.claims["client_id"]; ok || assertion.typ == request.typ {
		t.Errorf("typ %v, claims %s", assertion.typ, assertion.raw)
	}
}

// TestRequestKeys: rotation and failures are those of assertions, under names of their own.
func TestRequestKeys(t *testing.T) {
	params := url.Values{"client_id": {clientID}}
	s := clientauth.SignRequests(rotate(clientauth.Key{Signer: ecKey, ID: "a"}, clientauth.Key{Signer: ecKey, ID: "b"}))
	for _, kid := range []string{"a", "b"} {
		if j := signRequest(t, s, params); j.header.KeyID != kid {
			t.Errorf("kid %q, want %q", j.header.KeyID, kid)
		}
	}
	failing := clientauth.RotatingKeys(func(context.Context) (clientauth.Key, error) { return clientauth.Key{}, errors.New("no") })
	_, err := clientauth.SignRequests(failing).SignRequest(context.Background(), issuer, params)
	wantCheck(t, err, "messages.keys")
	broken := clientauth.Key{Signer: &opaque{signer: ecKey, err: errors.New("no")}}
	_, err = clientauth.SignRequests(broken).SignRequest(context.Background(), issuer, params)
	wantCheck(t, err, "messages.sign")
}

// opener opens responses, and may be faulty.
type opener struct{ fault error }

func (o opener) VerifyResponse(_ context.Context, _ *http.Client, clientID, response string) (url.Values, error) {
	return url.Values{"client": {clientID}, "response": {response}}, nil
}

func (o opener) Validate() error { return o.fault }

// TestResponses: signed ones are refused unless somebody verifies them.
func TestResponses(t *testing.T) {
	plain := clientauth.SignRequests(clientauth.Key{Signer: ecKey})
	if plain.Signed() || plain.Validate() != nil {
		t.Error("responses have to be signed, or there is a fault")
	}
	var e *authcode.Error
	if v, err := plain.VerifyResponse(context.Background(), nil, clientID, "x"); v != nil || !errors.As(err, &e) ||
		e.Reason != authcode.Forged || e.Check != "response.verify" {
		t.Errorf("a response nobody verifies: %v, %v", v, err)
	}
	signed := plain.WithResponses(opener{})
	for _, s := range []*clientauth.RequestSigner{signed, signed.Restrict("ES256")} {
		v, err := s.VerifyResponse(context.Background(), nil, clientID, "x")
		if !s.Signed() || s.Validate() != nil || err != nil || v.Get("client") != clientID || v.Get("response") != "x" {
			t.Errorf("Signed %t, Validate %v, %v, %v", s.Signed(), s.Validate(), v, err)
		}
		signRequest(t, s, url.Values{"client_id": {clientID}})
	}
	if plain.Signed() {
		t.Error("WithResponses changes the original")
	}
	none := plain.WithResponses(nil)
	wantFault(t, none.Validate(), "SignRequests: ", "no verifier")
	if _, err := none.VerifyResponse(context.Background(), nil, clientID, "x"); !none.Signed() || !errors.Is(err, authcode.Forged) {
		t.Errorf("without a verifier: %v", err)
	}
	both := clientauth.SignRequests(clientauth.Key{}).WithResponses(opener{errors.New("JARM: no keys")})
	wantFault(t, both.Validate(), "SignRequests: ", "private key is nil")
	wantFault(t, both.Validate(), "SignRequests: ", "; JARM: no keys")
}
