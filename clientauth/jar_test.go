package clientauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// signRequest signs params and returns the verified request object without what is fresh in each.
func signRequest(t *testing.T, s authcode.MessageSigning, params url.Values) *jwt {
	t.Helper()
	before := time.Now().Unix()
	text, err := s.SignRequest(context.Background(), newConnection(), params)
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

// signedParams are parameters with the claims of their request object.
var signedParams = []struct {
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
	{"digits that are not a number", url.Values{"state": {"86400"}, "login_hint": {"true"}, "scope": {`["a"]`}},
		`{"state":"86400","login_hint":"true","scope":"[\"a\"]"}`},
	{"one resource", url.Values{"resource": {"https://a.example"}}, `{"resource":"https://a.example"}`},
	{"two resources", url.Values{"resource": {"https://a.example", "https://b.example"}}, `{"resource":["https://a.example","https://b.example"]}`},
	{"authorization_details", url.Values{"authorization_details": {paymentDetails}},
		`{"authorization_details":` + paymentDetails + `}`},
	{"claims", url.Values{"claims": {acrClaims}}, `{"claims":` + acrClaims + `}`},
	{"no value", url.Values{"prompt": {}}, `{}`},
	{"an empty value", url.Values{"prompt": {""}}, `{"prompt":""}`},
	{"what JSON escapes", url.Values{"state": {"a\"b\\c\n<€>\u2028"}}, `{"state":"a\"b\\c\n<€>\u2028"}`},
}

const (
	paymentDetails = `[{"type":"payment","amount":123456789012345678.50,"to":"<ä>"}]`
	acrClaims      = `{"id_token":{"acr":{"essential":true,"values":["a"]}}}`
)

// TestSignRequest: how parameters become claims.
func TestSignRequest(t *testing.T) {
	s := clientauth.SignRequests(clientauth.Key{Signer: ecKey, ID: "k1"})
	for _, row := range signedParams {
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

// unsignable are parameters that no request object can have.
var unsignable = []struct {
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
	{"authorization_details that are not JSON", url.Values{"authorization_details": {"[{"}}},
	{"two of them", url.Values{"authorization_details": {"[]", "[]"}}},
	{"claims that are not JSON", url.Values{"claims": {""}}},
}

// TestUnsignable: what no request object may have inside (RFC 9101 sections 4 and 10.8), and what is not a
// number or a document.
func TestUnsignable(t *testing.T) {
	s := clientauth.SignRequests(clientauth.Key{Signer: ecKey})
	for _, row := range unsignable {
		t.Run(row.claim, func(t *testing.T) {
			params := url.Values{"client_id": {clientID}, "scope": {"openid"}}
			for name, values := range row.params {
				params[name] = values
			}
			text, err := s.SignRequest(context.Background(), newConnection(), params)
			wantCheck(t, err, "messages.params")
			if text != "" {
				t.Errorf("signed %s", text)
			}
		})
	}
	conn := newConnection()
	conn.Config.Provider.Issuer = ""
	_, err := s.SignRequest(context.Background(), conn, url.Values{"client_id": {clientID}})
	wantCheck(t, err, "messages.audience")
}

// TestNoAssertion: a request object cannot pass for a client assertion, nor the other way round, though one key
// signs both.
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
	_, err := clientauth.SignRequests(failing).SignRequest(context.Background(), newConnection(), params)
	wantCheck(t, err, "messages.keys")
	broken := clientauth.Key{Signer: &opaque{signer: ecKey, err: errors.New("no")}}
	_, err = clientauth.SignRequests(broken).SignRequest(context.Background(), newConnection(), params)
	wantCheck(t, err, "messages.sign")
}

// opener is a provider's Verify, which may fail.
type opener struct {
	err  error
	seen []string // typ, client id, JWT
}

func (o *opener) verify(_ context.Context, conn *authcode.Connection, typ, jwt string) (map[string]any, error) {
	o.seen = append(o.seen, typ, conn.Config.ClientID, jwt)
	if o.err != nil {
		return nil, o.err
	}
	return map[string]any{"code": "c", "state": strings.TrimPrefix(jwt, "signed "), "iss": conn.Config.Provider.Issuer, "exp": json.Number("1")}, nil
}

// responses are answers, signed or not, with what Exchange says.
var responses = []struct {
	claim  string
	signed bool // responses have to be
	answer func(state string) url.Values
	err    error // of Verify
	check  string
	reason authcode.Reason
}{
	{"plain where plain is asked for", false, plainAnswer, nil, "", ""},
	{"signed where plain is asked for", false, signedAnswer, nil, "response", authcode.Malformed},
	{"signed where signed is asked for", true, signedAnswer, nil, "", ""},
	{"plain where signed is asked for", true, plainAnswer, nil, "response", authcode.Malformed},
	{"signed and not verified", true, signedAnswer, errors.New("canary"), "response.verify",
		authcode.Forged},
}

// TestSignedResponses: they are demanded if SignedResponses is set, and refused if it is not. Requests are signed
// either way.
func TestSignedResponses(t *testing.T) {
	plain := clientauth.SignRequests(clientauth.Key{Signer: ecKey})
	if plain.SignedResponses || plain.Err != nil {
		t.Errorf("responses have to be signed, or there is a fault: %v", plain.Err)
	}
	for _, row := range responses {
		t.Run(row.claim, func(t *testing.T) {
			p, o := newOP(t), &opener{err: row.err}
			c := p.client(t, clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey}), func(cfg *authcode.Config) {
				cfg.MessageSigning, cfg.Provider.Verify = plain, o.verify
				cfg.MessageSigning.SignedResponses = row.signed
			})
			_, state, cookies := p.begin(t, c)
			answer := row.answer(state)
			if answer.Has("iss") {
				answer.Set("iss", p.main.URL)
			}
			_, err := c.Exchange(httptest.NewRecorder(), callback(cookies, answer))
			if row.check == "" && err != nil {
				t.Error(err)
			}
			var e *authcode.Error
			if row.check != "" && (!errors.As(err, &e) || e.Check != row.check || e.Reason != row.reason || strings.Contains(e.Error(), "canary")) {
				t.Errorf("got %v, want %s (%s)", err, string(row.reason), row.check)
			}
			if opened := row.signed && answer.Has("response"); opened != (len(o.seen) > 0) ||
				opened && !slices.Equal(o.seen, []string{"oauth-authz-resp+jwt", clientID, "signed " + state}) {
				t.Errorf("Verify saw %q", o.seen)
			}
		})
	}
}

func plainAnswer(state string) url.Values {
	return url.Values{"code": {"c"}, "state": {state}, "iss": {issuer}}
}

func signedAnswer(state string) url.Values { return url.Values{"response": {"signed " + state}} }

// TestSigningFaults: whatever is missing for signed messages, New says so.
func TestSigningFaults(t *testing.T) {
	p := newOP(t)
	cfg := p.config(clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey}))
	cfg.MessageSigning = clientauth.SignRequests(clientauth.Key{Signer: ecKey})
	cfg.MessageSigning.SignedResponses = true
	_, err := authcode.New(cfg)
	wantFault(t, err, "authcode: ", "SignedResponses needs Provider.Verify")
	cfg.MessageSigning = clientauth.SignRequests(clientauth.Key{})
	cfg.MessageSigning.SignedResponses = true
	cfg.Provider.Err, cfg.Provider.Issuer = errors.New("JARM: no keys"), ""
	_, err = authcode.New(cfg)
	for _, want := range []string{"SignRequests: Key.Signer: the private key is nil", "JARM: no keys", "SignedResponses needs Provider.Verify", "Provider.Issuer is empty"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
