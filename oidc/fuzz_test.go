package oidc_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"example.com/authcode/oidc"
)

// FuzzIDToken: what is accepted was signed by the provider's key for this login. FuzzAgainstGoOIDC compares with
// another library.
func FuzzIDToken(f *testing.F) {
	p := newMemOP("RS256")
	good := string(payload(p.claims(), benchClaims()))
	head := `{"alg":"RS256","kid":"k1"}`
	f.Add(head, good, true, "")
	f.Add(head, good, false, "AAAA")
	f.Add(`{"alg":"none"}`, good, false, "")
	f.Add(`{"alg":"HS256","kid":"k1"}`, good, true, "")
	f.Add(`{"alg":"RS256","crit":["b64"],"b64":false}`, good, true, "")
	f.Add(`{"alg":"RS256","alg":"none"}`, good, true, "")
	f.Add(head, strings.Replace(good, `"alice"`, `"alice","sub":"bob"`, 1), true, "")
	f.Add(head, strings.Replace(good, `"client-1"`, `["client-1","x"],"azp":"client-1"`, 1), true, "")
	f.Add(head, strings.ReplaceAll(good, `"exp":`, `"exp":1e9,"EXP":`), true, "")
	f.Add(head, `{"iss":"https:\/\/op.example\/realm","sub":"a","aud":["client-1"],"exp":99999999999.5,"iat":1,"nonce":"n-0S6_WzA2Mj"}`, true, "")
	i := oidc.Provider(memIssuer)
	wantIdentity(f, i, p.login(p.token(nil)))
	f.Fuzz(func(t *testing.T, header, claims string, sign bool, signature string) {
		input := b64([]byte(header)) + "." + b64([]byte(claims))
		token := input + "." + signature
		if sign {
			token = input + "." + b64(p.key.signature(input))
		}
		id, err := identify(t.Context(), i, p.login(token))
		if err != nil {
			return
		}
		if !sign {
			t.Fatal("a forged signature was accepted")
		}
		if id.Issuer != memIssuer || id.Claims["nonce"] != memNonce || id.Subject == "" {
			t.Fatalf("accepted %+v", id)
		}
	})
}

// FuzzJWKS: a token is accepted only if its key is in the set.
func FuzzJWKS(f *testing.F) {
	p := newMemOP("RS256")
	token := p.token(members{"exp": in(1e6)})
	x := p.key.jwk(nil)["n"].(string)
	for _, keys := range [][]any{
		{p.key.jwk(nil)}, {secp256k1, p.key.jwk(nil)}, {p.key.jwk(members{"use": "enc"})},
		{newKey("RS256", "r").jwk(nil), newKey("EdDSA", "o").jwk(nil)}, {p.key.jwk(members{"kid": nil, "alg": nil})},
		{nil, 1, members{}}, {p.key.jwk(members{"x5c": []string{"AAAA"}, "key_ops": []string{"verify"}})},
	} {
		f.Add(string(must(json.Marshal(map[string]any{"keys": keys}))))
	}
	f.Add(`{"keys":{}}`)
	f.Add(`{"keys":[{"kty":"RSA","n":"AQ","e":"AQ"},{"kty":"EC","crv":"P-256","x":"","y":""}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		op := newMemOP("RS256")
		op.answer(memJWKS, always(200, "application/json", body))
		if _, err := identify(t.Context(), oidc.Provider(memIssuer), op.login(token)); err != nil {
			return
		}
		var v any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatalf("accepted what is no JSON: %v", err)
		}
		if text := string(must(json.Marshal(v))); !strings.Contains(text, x) {
			t.Fatal("accepted without the key")
		}
	})
}

// FuzzDiscovery: a document that is accepted is read as encoding/json reads it, names this issuer, and
// does not ask for plain PKCE.
func FuzzDiscovery(f *testing.F) {
	p := newMemOP("RS256")
	f.Add(string(payload(p.metadata, nil)))
	f.Add(string(payload(p.metadata, members{"code_challenge_methods_supported": []string{"plain"}})))
	f.Add(string(payload(p.metadata, members{"issuer": "https://evil.example"})))
	f.Add(string(payload(p.metadata, members{"ISSUER": "https://evil.example"})))
	f.Add(`{"issuer":"https:\/\/op.example\/realm","token_endpoint":null,"jwks_uri":1}`)
	f.Fuzz(func(t *testing.T, body string) {
		op := newMemOP("RS256")
		op.answer(memMetadata, always(200, "application/json", body))
		got, err := endpoints(t.Context(), oidc.Provider(memIssuer), op)
		if err != nil {
			return
		}
		var doc struct {
			Issuer  string   `json:"issuer"`
			Auth    string   `json:"authorization_endpoint"`
			Token   string   `json:"token_endpoint"`
			Methods []string `json:"code_challenge_methods_supported"`
		}
		if err := json.Unmarshal([]byte(body), &doc); err != nil {
			var odd map[string]any // a name in another case, which we do not take for ours
			if json.Unmarshal([]byte(body), &odd) != nil {
				t.Fatalf("accepted what is no JSON: %v", err)
			}
			return
		}
		if doc.Issuer != memIssuer || got.AuthURL != doc.Auth && got.AuthURL != "" || got.TokenURL != doc.Token && got.TokenURL != "" {
			t.Fatalf("read %+v where encoding/json reads %+v", got, doc)
		}
		if len(doc.Methods) > 0 && !slices.Contains(doc.Methods, "S256") && strings.Contains(body, `"code_challenge_methods_supported"`) {
			t.Fatalf("accepted PKCE methods %q", doc.Methods)
		}
	})
}

// FuzzUserinfo: an answer that is accepted is about the subject of the ID token, and changes neither
// issuer nor subject.
func FuzzUserinfo(f *testing.F) {
	p := newMemOP("RS256")
	token := p.token(members{"exp": in(1e6), "email": "a@x.example", "email_verified": false})
	f.Add("application/json", `{"sub":"alice","name":"Alice","email":"b@x.example","email_verified":true}`)
	f.Add("application/json", `{"sub":"bob"}`)
	f.Add("", `{"sub":"alice","SUB":"bob"}`)
	f.Add("", `{"sub":"\u0061lice","iss":"https://evil.example"}`)
	f.Add("application/jwt", p.key.sign(payload(p.info, nil), nil))
	f.Add("application/jwt; charset=x", cut(p.key.sign(payload(p.info, nil), members{"alg": "none"}), 2)+".")
	f.Add("application/jwt", `{"sub":"alice"}`)
	f.Fuzz(func(t *testing.T, kind, body string) {
		op := newMemOP("RS256")
		op.answer(memUserInfo, always(200, kind, body))
		id, err := identify(t.Context(), oidc.Provider(memIssuer, oidc.UserInfo()), op.login(token))
		if err != nil {
			return
		}
		if id.Issuer != memIssuer || id.Subject != "alice" || id.Email != "a@x.example" || id.EmailVerified {
			t.Fatalf("accepted %+v", id)
		}
		var doc map[string]any
		if strings.HasPrefix(body, "ey") { // a JWT, whose signature FuzzIDToken is about
			return
		}
		if err := json.Unmarshal([]byte(body), &doc); err != nil || doc["sub"] != "alice" {
			t.Fatalf("accepted %q: %v", body, err)
		}
	})
}
