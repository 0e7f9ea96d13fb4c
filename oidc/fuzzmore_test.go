package oidc_test

import (
	"encoding/json"
	"errors"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// FuzzResponse: an authorization response is accepted only with the provider's signature, and then its
// claims are those that encoding/json reads, and its texts are the parameters.
func FuzzResponse(f *testing.F) {
	p := newMemOP("RS256")
	head := `{"alg":"RS256","kid":"k1"}`
	good := `{"iss":"` + memIssuer + `","aud":"` + memClient + `","exp":99999999999,"code":"c","state":"s"}`
	f.Add(head, good, true, "")
	f.Add(head, good, false, "AAAA")
	f.Add(`{"alg":"none"}`, good, false, "")
	f.Add(`{"alg":"RS256","kid":"k1","typ":"at+jwt"}`, good, true, "")
	f.Add(head, good[:len(good)-1]+`,"state":"t"}`, true, "")
	f.Add(head, good[:len(good)-1]+`,"iat":[1],"error":{}}`, true, "")
	i := oidc.Provider(memIssuer)
	f.Fuzz(func(t *testing.T, header, claims string, sign bool, signature string) {
		input := b64([]byte(header)) + "." + b64([]byte(claims))
		response := input + "." + signature
		if sign {
			response = input + "." + b64(p.key.signature(input))
		}
		params, err := verify(t.Context(), i, p, responseType, response)
		if err != nil {
			if e := (*authcode.Error)(nil); params != nil || !errors.As(err, &e) || e.Check == "" {
				t.Fatalf("got %v, %v", params, err)
			}
			return
		}
		if !sign {
			t.Fatal("a forged signature was accepted")
		}
		var read map[string]any
		if err := json.Unmarshal([]byte(claims), &read); err != nil {
			t.Fatalf("accepted what is no JSON: %v", err)
		}
		if params["iss"] != memIssuer || read["iss"] != memIssuer || read["exp"] == nil {
			t.Fatalf("accepted %v", params)
		}
		wantSameClaims(t, params, read)
	})
}

// wantSameClaims compares the texts of a response with those that encoding/json
// reads.
func wantSameClaims(t *testing.T, params, read map[string]any) {
	t.Helper()
	for name, value := range params {
		if s, ok := value.(string); ok && read[name] != s {
			t.Fatalf("%s is %q, and encoding/json reads %v", name, s, read[name])
		}
	}
	for name, value := range read {
		if s, ok := value.(string); ok && params[name] != s {
			t.Fatalf("%s is %v, and encoding/json reads %q", name, params[name], s)
		}
	}
	for _, name := range []string{"code", "state", "error"} {
		if _, ok := params[name].(string); params[name] != nil && !ok {
			t.Fatalf("%s is %v", name, params[name])
		}
	}
}

// FuzzIntrospection: a token is active only where the answer says so with a JSON true.
func FuzzIntrospection(f *testing.F) {
	for _, body := range []string{`{"active":true,"scope":"a b","sub":"x"}`, `{"active":false}`, `{"active":"true"}`, `{"active":true,"active":false}`, `{"Active":true}`, `[]`, ``} {
		f.Add(body, false)
		f.Add(body, true)
	}
	f.Fuzz(func(t *testing.T, body string, signed bool) {
		p, _, _ := newMemIntrospection("application/json", body)
		if signed {
			claims := payload(members{"iss": memIssuer, "aud": memClient, "iat": in(0), "token_introspection": json.RawMessage("{}")}, nil)
			if json.Valid([]byte(body)) {
				claims = payload(members{"iss": memIssuer, "aud": memClient, "iat": in(0), "token_introspection": json.RawMessage(body)}, nil)
			}
			p.answer(memIntrospect, always(200, "application/token-introspection+jwt", p.key.sign(claims, members{"typ": "token-introspection+jwt"})))
		}
		info, err := introspect(t, asking(t, p), signed)
		if err != nil || !info.Active {
			return
		}
		var read map[string]any
		if err := json.Unmarshal([]byte(body), &read); err != nil || read["active"] != true {
			t.Fatalf("%q is taken for active: %v", body, err)
		}
	})
}
